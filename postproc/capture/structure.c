/* structure.c
 * Reads ahead in pieces of 64 KiB, so that the headers of small records cost no call each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "structure.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PCAP_HEADER = 24,
    RECORD_HEADER = 16,
    BLOCK_LEAST = 12, /* type, length, length */
    PIECE = 1 << 16,
    PACKET_USUAL = 1 << 18, /* the largest packet that Wireshark takes */
    PACKET_MOST = 1 << 27,  /* and that of these link types */
    LINK_DBUS = 231,
    LINK_USBPCAP = 249,
    LINK_EBHSCR = 279
};

static const guint32 section_header = 0x0A0D0D0A;

/* Invariant: bytes holds file[begin, begin + length). */
struct reader {
    int file;
    gint64 begin;
    size_t length;
    bool is_swapped;
    guchar bytes[PIECE];
};

/* The bytes at offset, NULL where the file ends before offset + count. */
static const guchar *look(struct reader *reader, gint64 offset, size_t count)
{
    gint64 within = offset - reader->begin;

    if (within < 0 || within + (gint64)count > (gint64)reader->length) {
        ssize_t got = pread(reader->file, reader->bytes, PIECE, offset);
        reader->begin = offset;
        reader->length = got > 0 ? (size_t)got : 0;
        within = 0;
    }
    return within + (gint64)count <= (gint64)reader->length ? reader->bytes + within : NULL;
}

static guint32 number(const struct reader *reader, const guchar *bytes)
{
    guint32 value;

    memcpy(&value, bytes, sizeof value);
    return reader->is_swapped ? GUINT32_SWAP_LE_BE(value) : value;
}

static gint64 largest_packet(struct reader *reader)
{
    const guchar *header = look(reader, 0, PCAP_HEADER);
    guint32 link = header != NULL ? number(reader, header + 20) & 0xFFFF : 0;

    return link == LINK_DBUS || link == LINK_USBPCAP || link == LINK_EBHSCR ? PACKET_MOST
                                                                            : PACKET_USUAL;
}

static void walk_pcap(struct reader *reader, gint64 limit, struct structure *structure)
{
    gint64 most = largest_packet(reader);
    const guchar *header;

    structure->offset = PCAP_HEADER;
    while (structure->packets < limit &&
           (header = look(reader, structure->offset, RECORD_HEADER)) != NULL) {
        gint64 length = number(reader, header + 8);
        gint64 end = structure->offset + RECORD_HEADER + length;
        structure->is_impossible = length > most;
        if (structure->is_impossible || end > structure->size)
            return;
        structure->packets++;
        structure->offset = end;
    }
}

/* The length of the block at offset, 0 if it is not whole or cannot be one. */
static gint64 block_length(struct reader *reader, gint64 offset, gint64 size)
{
    const guchar *header = look(reader, offset, BLOCK_LEAST);

    if (header == NULL)
        return 0;
    if (number(reader, header) == section_header) { /* the same in both byte orders */
        guint32 magic;
        memcpy(&magic, header + 8, sizeof magic);
        if (magic != 0x1A2B3C4D && magic != 0x4D3C2B1A)
            return 0;
        reader->is_swapped = magic == 0x4D3C2B1A;
    }
    gint64 length = number(reader, header + 4);
    if (length < BLOCK_LEAST || length % 4 != 0 || length > PACKET_MOST || offset + length > size)
        return 0;
    const guchar *trailer = look(reader, offset + length - 4, 4);
    return trailer != NULL && number(reader, trailer) == length ? length : 0;
}

static void walk_pcapng(struct reader *reader, gint64 limit, struct structure *structure)
{
    gint64 length;

    while ((length = block_length(reader, structure->offset, structure->size)) > 0) {
        guint32 type = number(reader, look(reader, structure->offset, 4));
        bool is_packet = type == 2 || type == 3 || type == 6;
        if (is_packet && structure->packets >= limit)
            return;
        structure->packets += is_packet;
        structure->offset += length;
    }
}

void structure_walk(int file, gint64 limit, struct structure *structure)
{
    struct reader reader = {.file = file};
    struct stat status = {0};
    const guchar *header;
    guint32 magic;

    *structure = (struct structure){.kind = STRUCTURE_OTHER};
    if (fstat(file, &status) != 0)
        return;
    structure->size = status.st_size;
    header = look(&reader, 0, 4);
    if (header == NULL)
        return;
    memcpy(&magic, header, sizeof magic);
    if (magic == section_header) {
        structure->kind = STRUCTURE_PCAPNG;
        walk_pcapng(&reader, limit, structure);
        return;
    }
    reader.is_swapped = magic == 0xD4C3B2A1 || magic == 0x4D3CB2A1;
    if (reader.is_swapped)
        magic = GUINT32_SWAP_LE_BE(magic);
    if ((magic != 0xA1B2C3D4 && magic != 0xA1B23C4D) || structure->size < PCAP_HEADER)
        return;
    structure->kind = STRUCTURE_PCAP;
    structure->is_nanosecond = magic == 0xA1B23C4D;
    walk_pcap(&reader, limit, structure);
}
