/* plot_data.h
 * What fieldedge plot draws, read through the library: bins of the largest applications, the others
 * put together, and the periodic groups.
 *
 *     plot_bands() → how wide the drawing is decides the bins → plot_bins() → plot_periods()
 *
 * Example: of the applications A 70 B, B 20 B, C 6 B and D 4 B, two wanted: the bands A, B and
 * "2 others" with 10 B.  Three wanted: A, B, C and D, as "1 others" would only hide a name.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PLOT_DATA_H
#define FIELDEDGE_PLOT_DATA_H

#include "fieldedge.h"

#include <stdbool.h>

struct plot_band {
    char *name;
    gint64 total;  /* bytes */
    double *bytes; /* of each bin; NULL before plot_bins() */
    bool is_other;
};

struct plot_period {
    char *application;
    char *host_a;
    char *host_b;
    FieldEdgeDirection direction;
    gint64 size_low; /* FIELDEDGE_NONE: all sizes */
    gint64 size_high;
    FieldEdgePeriod period; /* the group's best */
    double cost;            /* IP bytes it explains */
};

struct plot {
    const char *path; /* the first three are the caller's */
    FieldEdgeDatabase *database;
    const FieldEdgeSelection *selection;
    FieldEdgeSeriesOptions options; /* by application; bin_ns once it is known */

    GArray *bands; /* of struct plot_band, the largest first, the others last */
    gint64 total;  /* bytes of all */
    gint64 first_ns;
    gint64 last_ns;
    gint64 begin_ns; /* of the first bin */
    size_t bins;
    GArray *periods; /* of struct plot_period, the costliest first */
};

/* Reads the totals: at most most bands and the others.  Without traffic there are no bands. */
bool plot_bands(struct plot *plot, guint64 most, GError **error);

/* The time between the first and the last packet. */
gint64 plot_span(const struct plot *plot);

/* Reads the bins of options.bin_ns; at most most, which is an error to exceed. */
bool plot_bins(struct plot *plot, size_t most, GError **error);

bool plot_periods(struct plot *plot, GError **error);

/* Frees what the functions above put there. */
void plot_clear(struct plot *plot);

#endif
