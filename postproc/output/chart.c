/* chart.c
 * The frame of the chart: title, axes, and where its parts are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "chart.h"

#include "chart_parts.h"
#include "output.h"
#include "scale.h"
#include "svg.h"

#include <string.h>

enum {
    LEFT = 72,    /* for the bytes */
    LEGEND = 212, /* for the names, on the right */
    TOP = 62,     /* for the titles */
    AXIS = 44,    /* for times and dates */
    MARGIN = 14,
    STACK = 260,
    LEAST_STACK = 120,
    TICK_WIDTH = 78,
    TICK_HEIGHT = 44
};

double chart_x(const struct chart *chart, const struct chart_place *place, gint64 time_ns)
{
    double span = (double)chart->bin_ns * (double)chart->bins;

    return place->left +
           ((double)time_ns - (double)chart->begin_ns) / span * (place->right - place->left);
}

static int height_without_stack(const struct chart *chart)
{
    return TOP + AXIS + (int)chart_periods_height(chart) + MARGIN;
}

int chart_least_height(const struct chart *chart)
{
    double stack = MAX(LEAST_STACK, chart_legend_height(chart, true));

    return height_without_stack(chart) + (int)stack;
}

static double highest(const struct chart *chart)
{
    double top = 0;

    for (size_t i = 0; i < chart->bins; i++) {
        double sum = 0;
        for (size_t k = 0; k < chart->band_count; k++)
            sum += chart->bands[k].bytes[i];
        top = MAX(top, sum);
    }
    return top;
}

static char *time_text(const struct chart *chart, gint64 time_ns)
{
    const gint64 second = 1000000000;
    g_autoptr(GDateTime) utc =
        g_date_time_new_from_unix_utc(time_ns / second - (time_ns % second < 0));
    g_autoptr(GDateTime) there = utc == NULL ? NULL : g_date_time_to_timezone(utc, chart->zone);

    return there == NULL ? g_strdup("?") : g_date_time_format(there, "%Y-%m-%d %H:%M:%S");
}

/* "68.5 KiB from 2026-11-24 00:16:12 to 2026-11-24 00:19:12 UTC, in bins of 2.0 s" */
static char *describe(const struct chart *chart)
{
    double sum = 0;
    g_autofree char *begin = time_text(chart, chart->begin_ns);
    g_autofree char *end = time_text(chart, chart->begin_ns + chart->bin_ns * (gint64)chart->bins);
    g_autofree char *bin = output_text_of_span(chart->bin_ns);

    if (chart->bins == 0)
        return g_strdup("No traffic");
    for (size_t k = 0; k < chart->band_count; k++) {
        for (size_t i = 0; i < chart->bins; i++)
            sum += chart->bands[k].bytes[i];
    }
    g_autofree char *bytes = output_text_of_bytes((gint64)sum);
    return g_strdup_printf("%s from %s to %s %s, in bins of %s", bytes, begin, end,
                           chart->zone_name, bin);
}

static void write_titles(const struct chart *chart, const struct chart_place *place,
                         const char *description, FILE *file)
{
    const struct svg_font bold = {.size = 16, .is_bold = true};
    const struct svg_font faint = {.size = 12, .colour = SVG_FAINT};
    g_autofree char *title =
        svg_shorten(chart->title, bold.size, (place->width - 2 * MARGIN) / 1.15);
    g_autofree char *line = svg_shorten(description, faint.size, place->width - 2 * MARGIN);

    svg_text(file, MARGIN, 26, &bold, title);
    svg_text(file, MARGIN, 45, &faint, line);
}

static void write_byte_axis(const struct chart_place *place, double step, FILE *file)
{
    const struct svg_font font = {.size = 11, .colour = SVG_FAINT, .anchor = "end"};

    int lines = (int)(place->bytes / step * (1 + 1e-9));

    for (int i = 0; i <= lines; i++) {
        double bytes = i * step;
        double y = place->bottom - bytes / place->bytes * (place->bottom - place->top);
        g_autofree char *label = output_text_of_bytes((gint64)bytes);
        svg_line(file, place->left, y, place->right, y, SVG_GRID);
        svg_text(file, place->left - 6, y + 4, &font, label);
    }
}

static GArray *find_ticks(const struct chart *chart, const struct chart_place *place)
{
    guint most = (guint)((place->right - place->left) / TICK_WIDTH);
    gint64 end_ns = chart->begin_ns + chart->bin_ns * (gint64)chart->bins;

    return scale_times(chart->begin_ns, end_ns, chart->zone, MAX(most, 1));
}

static void write_time_axis(const struct chart *chart, const struct chart_place *place,
                            const GArray *ticks, FILE *file)
{
    const struct svg_font font = {.size = 11, .colour = SVG_FAINT, .anchor = "middle"};

    for (guint i = 0; i < ticks->len; i++) {
        const struct scale_tick *tick = &g_array_index(ticks, struct scale_tick, i);
        double x = chart_x(chart, place, tick->time_ns);
        svg_line(file, x, place->bottom, x, place->bottom + 5, SVG_FAINT);
        svg_text(file, x, place->bottom + 18, &font, tick->label);
        if (tick->date[0] != '\0')
            svg_text(file, x, place->bottom + 32, &font, tick->date);
    }
}

static void write_parts(const struct chart *chart, struct chart_place *place, FILE *file)
{
    double top = MAX(highest(chart), 1);
    double step = scale_bytes(top, (guint)((place->bottom - place->top) / TICK_HEIGHT));
    g_autoptr(GArray) ticks = find_ticks(chart, place);

    place->bytes = MAX(top, step);
    write_byte_axis(place, step, file);
    write_time_axis(chart, place, ticks, file);
    chart_write_stack(chart, place, file);
    svg_line(file, place->left, place->bottom, place->right, place->bottom, SVG_INK);
    chart_write_legend(chart, place, file);
    chart_write_periods(chart, place, place->bottom + AXIS, ticks, file);
}

void chart_write(const struct chart *chart, FILE *file)
{
    int stack = MAX(STACK, (int)chart_legend_height(chart, false));
    int height = chart->height > 0 ? chart->height : height_without_stack(chart) + stack;
    struct chart_place place = {
        .left = LEFT,
        .right = chart->width - LEGEND,
        .top = TOP,
        .bottom = TOP + height - height_without_stack(chart),
        .legend = chart->width - LEGEND + 16,
        .width = chart->width,
    };
    g_autofree char *description = describe(chart);

    svg_begin(file, chart->width, height, chart->title, description);
    chart_write_styles(file);
    write_titles(chart, &place, description, file);
    if (chart->bins > 0)
        write_parts(chart, &place, file);
    svg_end(file);
}
