/* scale.h
 * Places on the axes of a chart that people read easily: bins of time, ticks of time, of bytes.
 *
 * Examples, which the tests repeat:
 *
 *     180 s in at most 100 bins          → bins of 2 s
 *     at most 5 steps up to 12,000 B     → steps of 2.5 KiB are not round; 5 KiB are
 *     00:16:12 to 00:19:12, at most 8    → 00:16:30, 00:17:00 … 00:19:00
 *     a week in Europe/Berlin, at most 8 → midnights there, also when clocks change
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SCALE_H
#define FIELDEDGE_SCALE_H

#include <glib.h>

/* The shortest round length of time (1 ms, 2 ms, 5 ms … 1 s, 2 s, 5 s, 10 s, 15 s, 30 s, 1 min …
 * 1 d, 7 d, multiples of 7 d) of which no more than most make up span_ns. */
gint64 scale_bin(gint64 span_ns, guint most);

/* The least round number of bytes (1, 2 or 5, or ten, a hundred … of them, B, KiB, MiB …) of which
 * no more than most reach top; top > 0. */
double scale_bytes(double top, guint most);

struct scale_tick {
    gint64 time_ns;
    char label[24]; /* "00:16:30" */
    char date[24];  /* "2026-11-24", or "" where it is that of the tick before */
};

/* At most most + 1 round times of the zone between two times, both inside, of struct scale_tick. */
GArray *scale_times(gint64 begin_ns, gint64 end_ns, GTimeZone *zone, guint most);

#endif
