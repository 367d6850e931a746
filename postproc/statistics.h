/* statistics.h
 * Inside libfieldedge: exact figures of lengths of time in integer ns.
 *
 * The mean is rounded to the nearest ns; the median of an even count is the mean of the middle two,
 * rounded down; the standard deviation is that of a sample (n - 1); the MAD is the median of the
 * absolute deviations from the median, not scaled.
 *
 * Example: times 0, 1, 3, 7 s have the gaps 1, 2, 4: mean 2.333333333, median 2, standard deviation
 * 1.527525232, MAD 1, least 1, greatest 4 s.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_STATISTICS_H
#define FIELDEDGE_STATISTICS_H

#include "fieldedge.h"

/* The middle of count >= 1 values, which are put into another order. */
gint64 statistics_median(gint64 *values, gsize count);

/* The gaps between count times in rising order; scratch has room for count values. */
FieldEdgeGaps statistics_gaps(const gint64 *times, gsize count, gint64 *scratch);

#endif
