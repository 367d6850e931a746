/* series_cells.h
 * Inside libfieldedge: the bins of all series from one reading of the packets in the order of the
 * table, without sorting packets; as long as there are not too many bins to keep.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SERIES_CELLS_H
#define FIELDEDGE_SERIES_CELLS_H

#include "series_names.h"

enum { SERIES_MOST_CELLS = 200000 };

/* A bin of a series that is not empty. */
struct series_cell {
    gint64 rank; /* as in series_names.h */
    gint64 begin_ns;
    gint64 bytes;
    gint64 packets;
};

/* By rank, then time: an array of the caller.  NULL without an error: there are more than
 * SERIES_MOST_CELLS.  bytes is SQL over p; names are loaded. */
GArray *series_cells_collect(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                             struct series_names *names, const FieldEdgeSeriesOptions *options,
                             const char *bytes, GError **error);

#endif
