/* pairing.h
 * Inside libfieldedge: the selected conversations, and which host pair each belongs to.
 *
 *     pairing_load() → pairing_member() for a packet's conversation → pairing_free()
 *
 * Pairs are numbered from 0 by their first conversation, so that they sort by their beginning:
 * captures in the order of their start, in each the conversations in the order of recording.  Host
 * A of a pair is host A of its first conversation.
 *
 * A stream is a pair and an application, numbered in the order of pair, then application's name.
 * Example: conversations 1: 10.0.0.1 to 10.0.0.5 TCP_Z, 2: 10.0.0.1 to 10.0.0.6 TCP_Z, 3: 10.0.0.5
 * to 10.0.0.1 TCP_A: pair 0 is 10.0.0.1, 10.0.0.5 with the conversations 1 and 3 (flipped) and the
 * streams 0 (TCP_A) and 1 (TCP_Z); pair 1 has the stream 2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PAIRING_H
#define FIELDEDGE_PAIRING_H

#include "database.h"

/* A selected conversation. */
struct pairing_member {
    gint64 id;
    gint64 base_ns; /* of its capture: zero of its packets' times */
    guint32 pair;
    guint32 application; /* rank among the names */
    guint32 stream;
    bool is_flipped; /* its host A is the pair's host B */
};

struct pairing_pair {
    gint64 host_a; /* ids */
    gint64 host_b;
};

struct pairing_stream {
    guint32 pair;
    guint32 application;
    guint32 conversations;
};

struct pairing {
    struct pairing_member *members; /* by id */
    guint member_count;
    struct pairing_pair *pairs;
    guint pair_count;
    struct pairing_stream *streams;
    guint stream_count;
    GPtrArray *applications; /* names by rank */
    GArray *application_ids; /* gint64, by rank */
    gint64 started_ns;       /* from the earliest capture's start to the latest's end, cut to the */
    gint64 ended_ns;         /* window: how long one looked */

    gint64 lowest;  /* id; with dense, members of id i is members[dense[i - lowest] - 1] */
    guint32 *dense; /* NULL where ids are too far apart; 0 for none */
    gsize dense_count;
};

struct pairing *pairing_load(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                             GError **error);
void pairing_free(struct pairing *pairing);

/* The member of this conversation, or NULL if it is not selected. */
const struct pairing_member *pairing_search(const struct pairing *pairing, gint64 conversation);

static inline const struct pairing_member *pairing_member(const struct pairing *pairing,
                                                          gint64 conversation)
{
    if (pairing->dense == NULL)
        return pairing_search(pairing, conversation);

    guint64 place = (guint64)conversation - (guint64)pairing->lowest;
    if (place >= pairing->dense_count || pairing->dense[place] == 0)
        return NULL;
    return &pairing->members[pairing->dense[place] - 1];
}

/* The addresses and learned names (or NULL) of the pair's hosts, strings of the caller. */
struct pairing_hosts {
    char *host_a, *host_b, *name_a, *name_b;
};
bool pairing_hosts(FieldEdgeDatabase *database, const struct pairing *pairing, guint32 pair,
                   struct pairing_hosts *hosts, GError **error);
void pairing_hosts_clear(struct pairing_hosts *hosts);

#endif
