/* chart_parts.h
 * Inside the chart: its parts and where they are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CHART_PARTS_H
#define FIELDEDGE_CHART_PARTS_H

#include "chart.h"

/* Pixels.  The stack is between left and right, top and bottom. */
struct chart_place {
    double left, right, top, bottom;
    double legend; /* left side of the legend */
    double width;  /* of the picture */
    double bytes;  /* that top stands for */
};

/* Where a time is; outside of the bins outside of the picture. */
double chart_x(const struct chart *chart, const struct chart_place *place, gint64 time_ns);

void chart_write_styles(FILE *file);
void chart_write_stack(const struct chart *chart, const struct chart_place *place, FILE *file);

/* Beside the stack.  Height: with rows of two lines, or the least with rows of one. */
double chart_legend_height(const struct chart *chart, bool is_least);
void chart_write_legend(const struct chart *chart, const struct chart_place *place, FILE *file);

/* From y downwards, chart_periods_height() high; ticks are of struct scale_tick. */
void chart_write_periods(const struct chart *chart, const struct chart_place *place, double y,
                         const GArray *ticks, FILE *file);
double chart_periods_height(const struct chart *chart);

#endif
