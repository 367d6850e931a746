/* conversations.h
 * The state of the conversations in memory: found by key, bounded in number, the longest unused
 * given up first.
 *
 * Order of calls: conversations_new(); for each packet conversations_find(), and if that is NULL
 * conversations_add(); conversations_oldest() and conversations_remove() to make room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CONVERSATIONS_H
#define FIELDEDGE_CONVERSATIONS_H

#include "plugin/record/operations.h"
#include "plugin/record/sequence.h"

#include <glib.h>

/* Memory: about 0.6 KiB a conversation with its places in the tables. */
enum { CONVERSATIONS_MAX = 16384 };

/* Addresses and ports without the stream: how an ICMP error names a conversation. */
struct conversation_ends {
    struct packet_address low, high;
    uint16_t low_port, high_port;
    uint8_t transport;
};

struct conversation {
    struct conversation_key key;   /* in the table by key */
    struct conversation_ends ends; /* if it has a stream, in the table by ends */
    GList use;                     /* place in the order of use; data: this conversation */
    int64_t id;
    bool a_is_high; /* host A is key.high */
    bool is_local, a_initiated, b_initiated;
    uint8_t seen; /* directions with a packet: 1 A to B, 2 B to A */
    uint8_t ip_protocol;
    const char *ip_layer; /* static or NULL */
    uint16_t port_a, port_b;
    uint8_t server_name_rank; /* how far its name can be trusted; see recorder.c */
    enum classify_source source;
    uint32_t restored_votes; /* of a label read back from the database */
    unsigned run;            /* recorder's count of frame number restarts when last seen */
    struct classify_votes votes;
    char label[CLASSIFY_NAME_MAX];
    sequence_space space[2]; /* A to B, B to A */
};

typedef struct conversations conversations;

conversations *conversations_new(void);
void conversations_free(conversations *all);

/* The key of a packet's conversation.  *source_is_high: which end the packet comes from. */
void conversation_key_make(struct conversation_key *key, const struct packet_facts *facts,
                           bool *source_is_high);

/* The ends of a packet's flow. */
void conversation_ends_make(struct conversation_ends *ends, const struct packet_flow *flow);

/* 64 well-mixed bits of the whole key. */
uint64_t conversation_key_hash(const struct conversation_key *key);

/* The conversation, now the most recently used; NULL if it is not in memory. */
struct conversation *conversations_find(conversations *all, const struct conversation_key *key);

/* The latest conversation between these ends, NULL if none. */
struct conversation *conversations_find_flow(conversations *all, const struct packet_flow *flow);

/* A new, zeroed conversation under the key, entered by its ends if it has a stream (flow: of its
 * packet).  The table must have room: see conversations_is_full(). */
struct conversation *conversations_add(conversations *all, const struct conversation_key *key,
                                       const struct packet_flow *flow);

bool conversations_is_full(const conversations *all);
struct conversation *conversations_oldest(conversations *all); /* NULL if there is none */
void conversations_remove(conversations *all, struct conversation *conversation);

#endif
