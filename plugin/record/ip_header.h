/* ip_header.h
 * Finds an IP header in a frame's bytes by the addresses that it must have.
 *
 * Wireshark tells the addresses of a header and not where it lies.  A field that is kept for its
 * place alone would cost a tenth of what dissection does; looking for the addresses costs next to
 * nothing, as they stand in the first bytes of the frame.
 *
 *   frame:  14 bytes Ethernet | 45 00 … 0a 00 00 01  08 08 08 08 | …
 *                              ^ offset 14: 12 bytes before the addresses 10.0.0.1 and 8.8.8.8
 *
 * A match counts if the bytes before it are a header of that version (RFC 791, RFC 8200) and, where
 * the caller knows it, of that total length: equal addresses inside and outside a tunnel are told
 * apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_IP_HEADER_H
#define FIELDEDGE_IP_HEADER_H

#include "plugin/record/packet_facts.h"

#include <stddef.h>

struct ip_header {
    size_t offset;          /* in the frame */
    uint32_t header_bytes;  /* without IPv6 extension headers */
    uint32_t ip_bytes;      /* header and all above, as the header says */
    uint8_t protocol;       /* IPv6: of the first extension header, if there is one */
    uint16_t fragment_bits; /* IPv4: flags and offset */
};

enum { IP_HEADER_ANY_LENGTH = 0 };

/* Looks for the header with these addresses (both of 4 or of 16 bytes) and that ip_bytes, or of any
 * length.  A header that says 0 (segmentation offload, jumbograms) fits every length.  false: none.
 */
bool ip_header_find(struct ip_header *header, const uint8_t *frame, size_t length,
                    const struct packet_address *source, const struct packet_address *destination,
                    uint32_t ip_bytes);

#endif
