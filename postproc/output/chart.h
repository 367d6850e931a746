/* chart.h
 * Draws what uses the link as an SVG picture: bytes of each application stacked over time, and
 * below it when what repeats began and ended.  It draws from plain arrays and knows no database.
 *
 * For black on white and for grey: neighbouring bands differ in lightness or pattern, and each is
 * named beside its band in the order of the stack, and in the band where there is room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CHART_H
#define FIELDEDGE_CHART_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    CHART_STYLES = 11, /* bands that can be told apart, besides "other" */
    CHART_WIDTH = 960, /* pixels, if nothing else is wanted */
    CHART_LEAST_WIDTH = 480
};

struct chart_band {
    const char *name;
    const double *bytes; /* of each bin; none below zero */
    bool is_other;       /* the rest put together: grey */
};

/* Something that repeats. */
struct chart_period {
    const char *text; /* "TCP_MODBUS 198.51.100.10 → 192.168.50.20 every 2.0 s" */
    gint64 first_ns;  /* first and last hit */
    gint64 last_ns;
    gint64 period_ns;
};

struct chart {
    const char *title;
    GTimeZone *zone;
    const char *zone_name; /* "UTC" */
    int width;
    int height; /* 0: as high as is natural */

    gint64 begin_ns; /* of the first bin */
    gint64 bin_ns;
    size_t bins;                    /* 0: there was no traffic */
    const struct chart_band *bands; /* the lowest of the stack first */
    size_t band_count;

    const struct chart_period *periods;
    size_t period_count;
    const char *note; /* below the periods, or NULL */
};

/* The least height that the chart can have: with it the stack is still 120 pixels high. */
int chart_least_height(const struct chart *chart);

void chart_write(const struct chart *chart, FILE *file);

#endif
