/* bins.h
 * Inside libfieldedge: where the bin that holds a time begins, in a time zone.
 *
 * Bins of up to a day divide the clock's day: they begin at whole multiples since midnight, so that
 * 1 h bins begin on the hour and 1 d bins at midnight, also in zones 30 minutes off and on days of
 * 23 or 25 hours.  Longer ones, and those that do not divide a day, are counted from 1970-01-01
 * 00:00 of the zone.
 *
 * Example: in Europe/Berlin, 2026-10-25 has 25 hours (clocks go back at 03:00); a 1 d bin that
 * holds 12:00 of that day begins at 2026-10-24T22:00Z, the next at 2026-10-25T23:00Z.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_BINS_H
#define FIELDEDGE_BINS_H

#include <glib.h>

struct bins {
    gint64 length_ns; /* > 0 */
    GTimeZone *zone;  /* NULL: UTC; borrowed */
    gint64 begin_ns;  /* the last answer and its end, as the next question is often of that bin */
    gint64 end_ns;
};

struct bins bins_make(gint64 length_ns, GTimeZone *zone);
gint64 bins_begin(struct bins *bins, gint64 time_ns);

#endif
