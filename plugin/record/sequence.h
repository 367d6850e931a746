/*
 * sequence.h - which TCP payload bytes of one direction were seen before, exactly
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What it is
 *
 * A sequence_space is the set of payload bytes seen in one direction of one connection. Each
 * segment is added to it, and the verdict says how many of its bytes had been seen
 * (retransmitted_bytes) and how many had not (new_bytes). It counts bytes, not packets: half a
 * segment may be old.
 *
 * Interface, in the order of calls
 *
 *     sequence_space ab = {0}, ba = {0};             zeros are the empty space
 *     sequence_add(&ab, &ba, &segment, &verdict)     once a TCP packet, in capture order;
 *                                                    own direction first, reverse direction second
 *     sequence_clear(&ab); sequence_clear(&ba);      frees; the space is empty and usable again
 *
 * It knows nothing of packets or Wireshark, never fails, and is not locked: one thread a
 * connection.
 *
 * Worked example (repeated by tests/unit/test_sequence.c)
 *
 *     segment                     retransmitted   new   ranges seen afterwards
 *     SYN, seq 1000                     0           0   none; data begin at 1001
 *     seq 1001, 500 bytes               0         500   1001-1500
 *     (from the peer: ACK 1501)         0           0   the same                 acknowledged
 *     seq 2001, 500 bytes               0         500   1001-1500 2001-2500      left a hole
 *     seq 1001, 500 bytes             500           0   the same                 full duplicate
 *     seq 1401, 400 bytes             100         300   1001-1800 2001-2500      filled (a part)
 *     seq 1801, 900 bytes             500         400   1001-2700                filled the rest
 *     seq 2700, 1 byte                  1           0   the same                 not acknowledged
 *     (from the peer: ACK 2701)         0           0   the same                 all acknowledged
 *     seq 2700, 1 byte                  0           0   the same                 keep-alive
 *     FIN, seq 2701                     0           0   the same; FIN takes number 2701
 *
 * Algorithm
 *
 * 32-bit sequence numbers become 64-bit positions by their distance from the highest position, so
 * the wrap at 2^32 is no case of its own. Seen bytes are kept as ranges. The topmost range is in
 * the struct: a segment that touches it costs O(1) and allocates nothing. Ranges below it (there
 * are holes) are in a sorted heap block: binary search, then merge, O(ranges). The block grows by
 * doubling to SEQUENCE_RANGES_MAX entries and is kept until sequence_clear, a new SYN included.
 *
 * Rules
 *
 *  - Mid-stream: without a SYN the first data segment begins the space. Bytes below it that come
 *    later were not seen: new (and filled_hole), not retransmitted.
 *  - SYN and FIN take a number and are no payload. Data of a SYN (TCP Fast Open) begin at
 *    seq + 1.
 *  - A SYN with another initial number is a new connection on the same ports: the space begins
 *    anew. A SYN with the same number is a retransmission, unless the old connection was closed
 *    (FIN, RST, or the other side's new SYN): some devices begin each connection with the same
 *    number. A SYN that comes after the data it precedes (capture out of order) is recognised by
 *    its number.
 *  - Keep-alive: no payload or one byte, at the highest number used minus one, no SYN, FIN or
 *    RST, and the peer has acknowledged everything (or no ACK of it was seen). It counts 0 bytes.
 *    While that byte is not acknowledged it is the retransmission of one byte (zero-window probes
 *    repeat so). One byte on the number of the SYN or FIN is no payload: always a keep-alive.
 *    Before any data were seen, one below the peer's ACK is a keep-alive too.
 *  - A hole below the peer's ACK reached the peer and was missed by the capture. It stays a hole:
 *    bytes that were not seen are not retransmitted when they come.
 *  - RST: its payload is a message for people (RFC 9293, 3.5.3), not stream data: counted
 *    nowhere, and its ACK is not used.
 *
 * Exactness
 *
 * Each count is exact while there are at most SEQUENCE_RANGES_MAX ranges. One more, and first
 * ranges further back than SEQUENCE_REACH are forgotten (no segment can name them, nothing is
 * lost); if there are none, the oldest (lowest) hole is closed: its bytes pass for seen, and
 * holes_closed is set. From then on retransmitted_bytes is an upper bound. The surplus is at most
 * the bytes of the closed holes, each byte once, and only if it does come later: what the capture
 * missed, and nobody sends again, costs nothing.
 *
 * One acknowledged byte at the end that is sent again cannot be told from a keep-alive: 0, not 1.
 *
 * Hostile and broken numbers
 *
 *  - A segment that begins more than SEQUENCE_REACH (2^30, the largest TCP window) from the
 *    highest position is wild. It counts as new and is not recorded, so one broken packet
 *    destroys nothing. If the next data segment begins exactly where the wild one ended, the
 *    stream has moved (the capture missed more than 1 GiB): the space begins anew with both.
 *    Earlier bytes are forgotten: a later copy of them counts as new (an undercount).
 *  - A segment longer than SEQUENCE_REACH is no TCP segment: it counts as new and is not
 *    recorded.
 *  - A wild ACK or FIN is not used.
 *  - A forged SYN begins the space anew: an undercount too.
 */
#ifndef FIELDEDGE_SEQUENCE_H
#define FIELDEDGE_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Most ranges of one space, the topmost included. */
#define SEQUENCE_RANGES_MAX 256

/* How far from the highest position a segment or an ACK can be: 2^30 bytes. */
#define SEQUENCE_REACH (INT64_C(1) << 30)

/* Positions begin <= p < end. The low 32 bits of a position are its sequence number. */
typedef struct {
    int64_t begin;
    int64_t end;
} sequence_range;

/*
 * The bytes seen in one direction. Embed it, zero it, and leave the fields to sequence.c.
 *
 * Invariants, once started:
 *  - top.begin <= top.end; equal only between a SYN and the first data above it.
 *  - lower[0 .. lower_count - 1] are not empty, ascend, and neither overlap nor touch each other or
 *    top: between any two neighbours is a hole of at least one byte.
 *  - lower_count < SEQUENCE_RANGES_MAX, lower_capacity <= SEQUENCE_RANGES_MAX.
 *  - 0 < every begin; top.end <= 2^62 + 2^31.
 * Not started: top and lower_count are zero. lower is NULL exactly if lower_capacity is 0.
 */
typedef struct {
    sequence_range top;      /* the highest range; top.end is the highest position seen */
    sequence_range *lower;   /* heap block: the ranges below top; NULL until there was a hole */
    int64_t acked;           /* position up to which the peer acknowledged, if has_acked */
    uint32_t initial;        /* sequence number of the SYN, if has_initial */
    uint32_t fin;            /* sequence number the FIN takes, if has_fin */
    uint32_t wild_begin;     /* first number of the last wild segment, if has_wild */
    uint32_t wild_end;       /* the number after its last byte */
    uint16_t lower_count;    /* ranges in use */
    uint16_t lower_capacity; /* ranges allocated */
    bool started : 1;        /* top is valid */
    bool has_acked : 1;
    bool has_initial : 1;
    bool has_fin : 1;
    bool has_wild : 1;
    bool closed : 1;       /* a SYN is a new connection even if its number is `initial` */
    bool holes_closed : 1; /* retransmitted bytes are an upper bound since: see Exactness */
} sequence_space;

/* What a TCP header says. */
struct sequence_segment {
    uint32_t seq;    /* of the header; not moved for SYN */
    uint32_t length; /* payload bytes on the wire, whether captured or not */
    uint32_t ack;    /* valid if has_ack */
    bool has_ack;
    bool syn;
    bool fin;
    bool rst;
};

/* retransmitted_bytes + new_bytes is the length, or 0 for a keep-alive or RST. */
typedef struct {
    uint32_t retransmitted_bytes; /* payload bytes seen before */
    uint32_t new_bytes;           /* payload bytes not seen before */
    bool is_keep_alive;
    bool filled_hole; /* new bytes below the highest: reordering, or loss before the tap repaired */
    bool left_hole;   /* begins above the highest: bytes between are missing so far */
} sequence_verdict;

/*
 * Adds a segment to its own direction's space and gives its verdict. The ACK is noted in the space
 * of the reverse direction; peer may be NULL if that is not kept. own and peer must differ.
 */
void sequence_add(sequence_space *own, sequence_space *peer, const struct sequence_segment *segment,
                  sequence_verdict *out);

/* True if a SYN of that number in the space's direction is not of the connection that was seen.
 * What begins with the same number after a FIN or RST is not told apart here, as in Wireshark's
 * streams. */
bool sequence_begins_anew(const sequence_space *own, uint32_t initial);

/* Frees what the space holds and makes it empty, as zeros are. */
void sequence_clear(sequence_space *space);

#endif
