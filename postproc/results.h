/* results.h
 * Inside libfieldedge: what fieldedge_analyze() stored in the result tables (schema/migrations/
 * 0002.sql), read back as if it were computed.
 *
 *     results_are_current() → results_intervals_new() → results_intervals_next() … → _free()
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_RESULTS_H
#define FIELDEDGE_RESULTS_H

#include "database.h"

/* Do the stored results say what would be computed for this selection and tolerance (or NULL)?
 * They do if they were made by this program of the packets that are there, and the selection is
 * WAN or local traffic of all captures, without window or filter. */
bool results_are_current(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                         const FieldEdgeTolerance *tolerance, bool *is_current, GError **error);

/* What the database holds, as the table analysis has it. */
struct results_mark {
    gint64 captures;
    gint64 packets;
    gint64 last_packet;
};
bool results_mark(FieldEdgeDatabase *database, struct results_mark *mark, GError **error);

struct results_intervals;
struct results_intervals *results_intervals_new(FieldEdgeDatabase *database,
                                                const FieldEdgeSelection *selection,
                                                GError **error);
const FieldEdgeInterval *results_intervals_next(struct results_intervals *intervals,
                                                GError **error);
void results_intervals_free(struct results_intervals *intervals);

struct results_periods;
struct results_periods *results_periods_new(FieldEdgeDatabase *database,
                                            const FieldEdgeSelection *selection, GError **error);
const FieldEdgePeriodGroup *results_periods_next(struct results_periods *periods, GError **error);
void results_periods_free(struct results_periods *periods);

#endif
