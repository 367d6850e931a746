/* groups.h
 * Inside libfieldedge: the intervals and periods of every host pair and application, from one
 * reading of the packets, computed on all cores and handed out in order.
 *
 *     groups_new() → groups_next() until NULL → groups_free()
 *
 * Algorithm: pairing.c says which stream a packet belongs to, bundle.c and spool.c keep it in a few
 * bytes, in memory up to SPOOL_LIMIT and then in a file.  When all are read, batches of
 * neighbouring streams go to a pool of threads; each decodes its streams one by one, splits them by
 * direction and size (bundle.h), and computes what was asked for.  A few batches are under way at a
 * time, so memory grows with the conversations and with the largest stream, not with the packets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_GROUPS_H
#define FIELDEDGE_GROUPS_H

#include "bundle.h"
#include "pairing.h"

enum { GROUPS_INTERVALS = 1 << 0, GROUPS_PERIODS = 1 << 1 };

/* Of one stream.  The rows' hosts are not filled in: they are these. */
struct groups_result {
    guint32 pair;
    const struct pairing_hosts *hosts;
    const FieldEdgeInterval *intervals; /* by direction, size */
    guint interval_count;
    const FieldEdgePeriodGroup *periods;
    guint period_count;
};

struct groups;

/* what: GROUPS_… or-ed.  tolerance may be NULL. */
struct groups *groups_new(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                          const FieldEdgeTolerance *tolerance, guint what, GError **error);
const struct pairing *groups_pairing(const struct groups *groups);

/* The next stream, pairs rising, in a pair by application's name.  NULL at the end and on an error.
 * It lasts until the next call. */
const struct groups_result *groups_next(struct groups *groups, GError **error);
void groups_free(struct groups *groups);

#endif
