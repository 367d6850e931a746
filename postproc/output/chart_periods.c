/* chart_periods.c
 * The lower part of the chart: a row for each thing that repeats, its text and below that a bar
 * from the first to the last hit, or a tick for each cycle where there is room to tell them apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "chart_parts.h"

#include "scale.h"
#include "svg.h"

enum {
    HEADER = 26,
    ROW = 32,
    TRACK = 18, /* of the row's top */
    TRACK_HEIGHT = 9,
    NOTE = 18,
    TICK_ROOM = 4 /* pixels */
};

double chart_periods_height(const struct chart *chart)
{
    double height = HEADER + ROW * (double)chart->period_count;

    if (chart->period_count == 0 && chart->note == NULL)
        return 0;
    return chart->note == NULL ? height : height + NOTE;
}

static void write_track(const struct chart *chart, const struct chart_place *place,
                        const struct chart_period *period, double y, const GArray *ticks,
                        FILE *file)
{
    double first = CLAMP(chart_x(chart, place, period->first_ns), place->left, place->right);
    double last = CLAMP(chart_x(chart, place, period->last_ns), place->left, place->right);
    double step = chart_x(chart, place, period->first_ns + period->period_ns) -
                  chart_x(chart, place, period->first_ns);

    for (guint i = 0; i < ticks->len; i++) {
        double x = chart_x(chart, place, g_array_index(ticks, struct scale_tick, i).time_ns);
        svg_line(file, x, y, x, y + TRACK_HEIGHT, SVG_GRID);
    }
    svg_line(file, place->left, y + TRACK_HEIGHT, place->right, y + TRACK_HEIGHT, SVG_GRID);
    if (step < TICK_ROOM) {
        svg_rect(file, first, y, MAX(last - first, 1), TRACK_HEIGHT, SVG_FAINT);
        return;
    }
    svg_path_begin(file);
    for (int i = 0; first + i * step <= MIN(last + step / 2, place->right); i++) {
        svg_path_point(file, 'M', first + i * step, y);
        svg_path_along(file, 'v', TRACK_HEIGHT);
    }
    svg_path_end(file, "none", SVG_INK, 1.5, NULL);
}

void chart_write_periods(const struct chart *chart, const struct chart_place *place, double y,
                         const GArray *ticks, FILE *file)
{
    const struct svg_font bold = {.size = 13, .is_bold = true}, font = {.size = 11};
    const struct svg_font faint = {.size = 11, .colour = SVG_FAINT};

    if (chart_periods_height(chart) == 0)
        return;
    svg_text(file, place->left, y + 16, &bold, "What repeats");
    y += HEADER;
    for (size_t i = 0; i < chart->period_count; i++) {
        double room = place->width - place->left - 8;
        g_autofree char *text = svg_shorten(chart->periods[i].text, font.size, room);
        svg_text(file, place->left, y + 13, &font, text);
        write_track(chart, place, &chart->periods[i], y + TRACK, ticks, file);
        y += ROW;
    }
    if (chart->note != NULL)
        svg_text(file, place->left, y + 13, &faint, chart->note);
}
