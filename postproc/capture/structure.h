/* structure.h
 * Inside libfieldedge: where in a pcap or pcapng file a packet begins.  Wireshark's tools say how
 * many packets can be read; this finds the offset of what comes after them, which they do not say.
 * It looks at the headers of records and blocks alone, never at a packet.
 *
 *     pcap     24 bytes, then records: 16 bytes with the length of the packet (at 8), the packet
 *     pcapng   blocks: type, length (both 4 bytes), body, length again.  Packets are the types
 *              2 (obsolete), 3 (simple), 6 (enhanced); a section header (0x0A0D0D0A) tells the byte
 *              order of its section
 *
 * A worked example: a pcap file of two packets, of 60 and 100 bytes, cut 30 bytes before its end.
 * Records begin at 24 and 24 + 16 + 60 = 100; the second would end at 100 + 16 + 100 = 216, but the
 * file has 186 bytes.  So one packet is whole, and .offset is 100.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_STRUCTURE_H
#define FIELDEDGE_STRUCTURE_H

#include <glib.h>
#include <stdbool.h>

enum structure_kind {
    STRUCTURE_OTHER, /* compressed, or another format: the offset is not known */
    STRUCTURE_PCAP,
    STRUCTURE_PCAPNG
};

struct structure {
    enum structure_kind kind;
    bool is_nanosecond; /* pcap: the kind whose times are nanoseconds */
    bool is_impossible; /* pcap: the length at .offset cannot be */
    gint64 packets;     /* whole ones before .offset */
    gint64 offset;      /* where the first record or block begins that is not whole or has a length
                           that cannot be; or where packet number limit + 1 begins; or the file's end */
    gint64 size;        /* of the file */
};

/* Walks from the beginning over at most limit packets; does not move the file's position. */
void structure_walk(int file, gint64 limit, struct structure *structure);

#endif
