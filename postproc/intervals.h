/* intervals.h
 * Inside libfieldedge: the intervals of every selected host pair, from one reading of the packets.
 *
 *     intervals_collect() → intervals_of_pair() with rising pair numbers → intervals_free()
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_INTERVALS_H
#define FIELDEDGE_INTERVALS_H

#include "database.h"

struct intervals;

struct intervals *intervals_collect(FieldEdgeDatabase *database,
                                    const FieldEdgeSelection *selection, GError **error);

/* The rows of the pair of this number (pairs.h) and their count; they last until
 * intervals_free().*/
const FieldEdgeInterval *intervals_of_pair(struct intervals *intervals, gint64 pair, guint *count);
void intervals_free(struct intervals *intervals);

/* span / gaps to the nearest nanosecond: the mean of gaps that add up to span. */
gint64 intervals_mean(gint64 span, gint64 gaps);

#endif
