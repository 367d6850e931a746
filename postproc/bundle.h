/* bundle.h
 * Inside libfieldedge: all packets of one host pair and application (a stream of pairing.h), what
 * intervals and periods are made of.
 *
 * While the packets are read, each is a few bytes in its stream of a spool: bundle_encode().  Then
 * the streams are decoded one by one, from any thread: bundle_decode().
 *
 * Encoding, numbers in base 128 with the low part first (7 bits a byte, the top bit says that more
 * follows; signed ones zigzag):
 *
 *     time less that of the stream's packet before
 *     frame bytes × 8 + changed × 4 + retransmission × 2 + direction
 *     if changed: link bytes, place of the conversation in pairing.h's members
 *
 * Example: the first packet, at 5 ns, 60 bytes on the wire, 14 of them before IP, A to B, of member
 * 0, is 0a e4 03 0e 00; the same again 2 ns later is 04 e0 03.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_BUNDLE_H
#define FIELDEDGE_BUNDLE_H

#include <glib.h>
#include <stdbool.h>

struct bundle_packet {
    gint64 time_ns;
    guint32 frame_bytes;
    guint32 ip_bytes;
    guint32 member;
    bool is_ba; /* from the pair's host B */
    bool is_retransmission;
};

/* What the encoder and the decoder remember of a stream. */
struct bundle_state {
    gint64 time_ns;
    guint32 link_bytes;
    guint32 member; /* plus 1; 0 before the first packet */
};

enum { BUNDLE_LONGEST = 10 + 6 + 5 + 5 };

/* Writes a packet to bytes; returns how many. */
gsize bundle_encode(struct bundle_state *state, const struct bundle_packet *packet,
                    guint8 bytes[BUNDLE_LONGEST]);

/* The packets in the order of their times, those of one time in the order of recording. */
struct bundle {
    guint count;
    struct bundle_packet *packets;
    guint room; /* the array is used again */
};

void bundle_decode(struct bundle *bundle, const guint8 *bytes, gsize length);
void bundle_clear(struct bundle *bundle);

/* A set of packets of a bundle: those of one direction and size group, places in order of time. */
struct bundle_part {
    bool is_ba;
    guint32 size_low, size_high;
    guint first; /* in bundle_split.order */
    guint count;
};

struct bundle_split {
    guint32 *order;
    struct bundle_part *parts; /* by direction, then size */
    guint part_count;
    gint64 tolerance; /* as given, for splits of a part of the bundle */
    double tolerance_share;
    guint room, part_room;
    guint64 *keys;
    guint64 *spare;
};

/* Splits a bundle by direction and size: of one direction, from the smallest size on, those up to
 * tolerance bytes or tolerance_share of it larger are one part. */
void bundle_split(struct bundle_split *split, const struct bundle *bundle, gint64 tolerance,
                  double tolerance_share);
void bundle_split_clear(struct bundle_split *split);

#endif
