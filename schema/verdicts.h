/* verdicts.h
 * Wireshark's verdicts on a packet as a bit set: the TCP analysis (tcp.analysis.*) and malformed.
 * The names are the last part of Wireshark's field names; packet_kind.verdicts holds the bits,
 * packets.analysis the names.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_VERDICTS_H
#define FIELDEDGE_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bits are part of the database: append, never reorder. */
enum verdict {
    VERDICT_RETRANSMISSION = 1 << 0,
    VERDICT_FAST_RETRANSMISSION = 1 << 1,
    VERDICT_SPURIOUS_RETRANSMISSION = 1 << 2,
    VERDICT_OUT_OF_ORDER = 1 << 3,
    VERDICT_DUPLICATE_ACK = 1 << 4,
    VERDICT_LOST_SEGMENT = 1 << 5,
    VERDICT_ACK_LOST_SEGMENT = 1 << 6,
    VERDICT_KEEP_ALIVE = 1 << 7,
    VERDICT_KEEP_ALIVE_ACK = 1 << 8,
    VERDICT_ZERO_WINDOW = 1 << 9,
    VERDICT_ZERO_WINDOW_PROBE = 1 << 10,
    VERDICT_ZERO_WINDOW_PROBE_ACK = 1 << 11,
    VERDICT_WINDOW_UPDATE = 1 << 12,
    VERDICT_WINDOW_FULL = 1 << 13,
    VERDICT_REUSED_PORTS = 1 << 14,
    VERDICT_MALFORMED = 1 << 15
};
enum { VERDICT_COUNT = 16, VERDICT_TEXT_MAX = 320 };

/* Loss, disorder or malformed.  Duplicate ACKs report somebody else's loss, and keep-alives, window
 * updates and zero windows are flow control: flagged in the row, not bad. */
#define VERDICTS_BAD                                                                               \
    (VERDICT_RETRANSMISSION | VERDICT_FAST_RETRANSMISSION | VERDICT_SPURIOUS_RETRANSMISSION |      \
     VERDICT_OUT_OF_ORDER | VERDICT_LOST_SEGMENT | VERDICT_ACK_LOST_SEGMENT | VERDICT_MALFORMED)

/* Wireshark's verdict of a retransmission; it raises the plain flag with fast and spurious too. */
#define VERDICTS_RETRANSMISSION                                                                    \
    (VERDICT_RETRANSMISSION | VERDICT_FAST_RETRANSMISSION | VERDICT_SPURIOUS_RETRANSMISSION)

/* Name of the bit 1 << index: "retransmission". */
const char *verdict_name(size_t index);

/* Writes the names of the set, comma-separated in the order of the bits; "" if none. */
void verdicts_text(uint32_t verdicts, char text[VERDICT_TEXT_MAX]);

#endif
