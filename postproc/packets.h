/* packets.h
 * Inside libfieldedge: one reading of the selected packets, as fast as SQLite scans the table.
 *
 * The rows do not come out of sqlite3_step(): an aggregate function is given each, inside SQLite's
 * own loop, which halves the time.
 *
 *     packets_kinds() → packets_each() → its visitor, once a packet in the order of recording
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PACKETS_H
#define FIELDEDGE_PACKETS_H

#include "database.h"

/* What a packet is, apart from its sizes; see schema.sql. */
struct packet_kind {
    guint32 verdicts;
    bool is_ba;
    bool is_bad;
    bool is_retransmission;
};

/* By id; kinds[id] of an id that is not there is all zero. */
struct packet_kinds {
    struct packet_kind *kinds;
    guint count;
};

bool packets_kinds(FieldEdgeDatabase *database, struct packet_kinds *kinds, GError **error);
void packets_kinds_clear(struct packet_kinds *kinds);

static inline const struct packet_kind *packets_kind(const struct packet_kinds *kinds, gint64 id)
{
    return &kinds->kinds[id >= 0 && id < kinds->count ? id : 0];
}

struct packet_row {
    gint64 conversation;
    gint64 kind;
    gint64 time;  /* ns since the base_ns of its capture */
    gint64 first; /* the values of the two expressions */
    gint64 second;
};

/* Returns false to stop, and packets_each() then returns false with the error left alone. */
typedef bool (*packets_visitor)(const struct packet_row *row, gpointer data);

/* Visits the packets of the selection's capture (other parts of the selection are the visitor's);
 * first and second are SQL over `p`, constants of the caller. */
bool packets_each(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                  const char *first, const char *second, packets_visitor visitor, gpointer data,
                  GError **error);

/* Gives a handle the functions of this file; once, when it is opened. */
int packets_register(sqlite3 *handle);

#endif
