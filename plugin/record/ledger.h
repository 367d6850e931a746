/* ledger.h
 * What the recorder decides, kept in memory packet by packet: for those who ask while dissecting.
 * The one recorder works here as it does for a database, only that its operations are entered in
 * arrays at once, by ledger_packet(), and not in tables by a thread.
 *
 *     ledger_packet(facts of frame 1)     conversation 1 begins at frame 1: TCP_MQTT by its port
 *     ledger_packet(facts of frame 2)     the dissector has spoken: TCP_HTTP
 *     ledger_find(1)                      conversation 1, TCP_HTTP
 *
 * So a packet's own figures are final at once, and what belongs to its conversation (application,
 * server name) is what is known when it is asked for.  A fragment's conversation may change with
 * its datagram's last fragment.
 *
 * Memory: 24 bytes a packet, 0.2 KiB a conversation, and the recorder's.  Where frame numbers begin
 * again (a ring of files), what was entered before is forgotten.
 *
 * Order of calls: ledger_new(), ledger_packet() a packet in the order of the capture, ledger_find()
 * at any time, ledger_free().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_LEDGER_H
#define FIELDEDGE_LEDGER_H

#include "plugin/record/recorder.h"

typedef struct ledger ledger;

struct ledger_conversation {
    int64_t id; /* as in a database with this capture alone */
    enum classify_transport transport;
    bool is_local;
    uint32_t first_frame; /* since frame numbers last began again */
    enum classify_source source;
    char label[CLASSIFY_NAME_MAX];
    const char *server_name; /* NULL if not known */
};

/* Pointers last until the next ledger_packet(). */
struct ledger_entry {
    const struct ledger_conversation *conversation; /* NULL without one: not IP */
    const struct ledger_conversation *quoted;       /* of an ICMP error; or NULL */
    bool is_b_to_a;
    uint32_t ip_bytes, payload_bytes, retransmitted_bytes;
    uint32_t verdicts; /* of the facts */
};

/* Of the options, local networks and site ports count.  NULL and *error (g_free it) if they can't
 * be used. */
ledger *ledger_new(const struct recorder_options *options, char **error);
void ledger_free(ledger *ledger);

void ledger_packet(ledger *ledger, const struct packet_facts *facts);

/* What is known of a frame.  false: it was not entered. */
bool ledger_find(const ledger *ledger, uint32_t frame, struct ledger_entry *entry);

#endif
