/* series_names.h
 * Inside libfieldedge: which series a conversation's packets are in, and what it is called.
 *
 * Each selected conversation has a label made in SQL of the parts asked for; labels have ranks in
 * the order of their bytes.  A point's rank is that of its label with SERIES_BITS more bits: the
 * direction, if series are told apart by it, and whether the packet is bad, if points are.
 *
 *     series_names_load() → series_names_points_sql() for points sorted by rank, or
 *     series_names_load_members() and series_names_member() for packets as they come
 *
 * Example: by application, labels TCP_A and TCP_Z: ranks 0 and 1.  By application and direction, a
 * packet B to A of TCP_Z has the rank 1 << 2 | 1 << 1 = 6 and is in the series "TCP_Z BA".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SERIES_NAMES_H
#define FIELDEDGE_SERIES_NAMES_H

#include "database.h"

enum { SERIES_BITS = 2 };

struct series_names;

struct series_names *series_names_load(FieldEdgeDatabase *database,
                                       const FieldEdgeSelection *selection, guint by,
                                       GError **error);
void series_names_free(struct series_names *names);
gint64 series_names_count(const struct series_names *names);

/* The name of the series of a point's rank; it lasts until the next call. */
const char *series_names_get(struct series_names *names, gint64 rank);

/* Statement of the caller with the columns rank, time and bytes, sorted; bytes is SQL over p. */
char *series_names_points_sql(const FieldEdgeSeriesOptions *options, const char *bytes);

/* A conversation: the zero of its packets' times, the rank of its label, and by host that of its
 * other end's (else -1). */
struct series_member {
    gint64 id;
    gint64 base_ns;
    gint64 rank;
    gint64 other_rank;
};

/* Loads them; *started_ns and *ended_ns get the earliest start and the latest end, cut to the
 * selection's window. */
bool series_names_load_members(struct series_names *names, FieldEdgeDatabase *database,
                               const FieldEdgeSelection *selection, gint64 *started_ns,
                               gint64 *ended_ns, GError **error);
const struct series_member *series_names_member(const struct series_names *names,
                                                gint64 conversation);

#endif
