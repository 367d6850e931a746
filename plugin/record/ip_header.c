/* ip_header.c: see ip_header.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/ip_header.h"

#include <string.h>

enum {
    V4_BYTES = 20,
    V4_LENGTH = 2,
    V4_FRAGMENT = 6,
    V4_PROTOCOL = 9,
    V4_ADDRESSES = 12,
    V6_BYTES = 40,
    V6_LENGTH = 4,
    V6_PROTOCOL = 6,
    V6_ADDRESSES = 8,
};

static uint16_t number_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Reads the header at the offset; false if there is none of that version. */
static bool read_header(struct ip_header *header, const uint8_t *frame, size_t offset, bool is_v6)
{
    const uint8_t *at = frame + offset;
    if (at[0] >> 4 != (is_v6 ? 6 : 4))
        return false;
    header->offset = offset;
    header->header_bytes = is_v6 ? V6_BYTES : (at[0] & 0x0fu) * 4u;
    header->ip_bytes = number_16(at + (is_v6 ? V6_LENGTH : V4_LENGTH));
    if (is_v6 && header->ip_bytes > 0)
        header->ip_bytes += V6_BYTES;
    header->protocol = at[is_v6 ? V6_PROTOCOL : V4_PROTOCOL];
    header->fragment_bits = is_v6 ? 0 : number_16(at + V4_FRAGMENT);
    return header->header_bytes >= V4_BYTES;
}

bool ip_header_find(struct ip_header *header, const uint8_t *frame, size_t length,
                    const struct packet_address *source, const struct packet_address *destination,
                    uint32_t ip_bytes)
{
    uint8_t wanted[2 * sizeof source->bytes];
    size_t size = source->length, addresses = size == 16 ? V6_ADDRESSES : V4_ADDRESSES;
    if ((size != 4 && size != 16) || destination->length != size || length < addresses)
        return false;
    memcpy(wanted, source->bytes, size);
    memcpy(wanted + size, destination->bytes, size);
    const uint8_t *end = frame + length;
    for (const uint8_t *from = frame + addresses;; from++) {
        from = memmem(from, (size_t)(end - from), wanted, 2 * size);
        if (from == NULL)
            return false;
        if (read_header(header, frame, (size_t)(from - frame) - addresses, size == 16) &&
            (ip_bytes == IP_HEADER_ANY_LENGTH || header->ip_bytes == 0 ||
             header->ip_bytes == ip_bytes))
            return true;
    }
}
