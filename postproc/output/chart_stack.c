/* chart_stack.c
 * The bands of the chart: their styles, shapes, the names in them, and the legend.
 *
 * A band's name stands in the band where a stretch of bins is long and high enough for it: of bins
 * with the bottom at 10, 12, 11 and the top at 40, 30, 50 the room is from 12 to 30.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "chart_parts.h"

#include "output.h"
#include "svg.h"

#include <math.h>

/* Dark beside light, plain beside patterned: no two neighbours are alike in grey. */
static const struct style {
    const char *fill;
    const char *pattern; /* what is in the pattern of that fill, or NULL */
} styles[CHART_STYLES] = {
    {"#0b3c5d", NULL},
    {"#a6cee3", NULL},
    {"url(#f2)", "<rect width=\"8\" height=\"8\" fill=\"#d9f0d3\"/><path d=\"M-2 2L2 -2M0 8L8 0M6 "
                 "10L10 6\" stroke=\"#1b7837\" stroke-width=\"2\"/>"},
    {"#e69f00", NULL},
    {"url(#f4)", "<rect width=\"8\" height=\"8\" fill=\"#f7f0fa\"/><circle cx=\"2\" cy=\"2\" "
                 "r=\"1.5\" fill=\"#762a83\"/><circle cx=\"6\" cy=\"6\" r=\"1.5\" "
                 "fill=\"#762a83\"/>"},
    {"#737373", NULL},
    {"url(#f6)", "<rect width=\"8\" height=\"8\" fill=\"#fde0dd\"/><path d=\"M0 2H8M0 6H8\" "
                 "stroke=\"#b2182b\" stroke-width=\"1.5\"/>"},
    {"#1a6b54", NULL},
    {"url(#f8)", "<rect width=\"8\" height=\"8\" fill=\"#fff3d6\"/><path d=\"M-2 6L2 10M0 0L8 8M6 "
                 "-2L10 2\" stroke=\"#7f4f0a\" stroke-width=\"2\"/>"},
    {"url(#f9)", "<rect width=\"8\" height=\"8\" fill=\"#ffffff\"/><path d=\"M2 0V8M6 0V8\" "
                 "stroke=\"#1f2933\" stroke-width=\"1.5\"/>"},
    {"url(#f10)", "<rect width=\"8\" height=\"8\" fill=\"#e8f4fb\"/><path d=\"M0 0L8 8M8 0L0 8\" "
                  "stroke=\"#2f6fb0\" stroke-width=\"1\"/>"},
};

static const char other_fill[] = "#eef1f4";

void chart_write_styles(FILE *file)
{
    fputs("<defs>\n", file);
    for (int i = 0; i < CHART_STYLES; i++) {
        if (styles[i].pattern != NULL)
            fprintf(file,
                    "<pattern id=\"f%d\" width=\"8\" height=\"8\" "
                    "patternUnits=\"userSpaceOnUse\">%s</pattern>\n",
                    i, styles[i].pattern);
    }
    fputs("</defs>\n", file);
}

static const char *fill_of(const struct chart *chart, size_t band)
{
    return chart->bands[band].is_other ? other_fill : styles[band % CHART_STYLES].fill;
}

static double sum_of(const struct chart *chart, const struct chart_band *band)
{
    double sum = 0;

    for (size_t i = 0; i < chart->bins; i++)
        sum += band->bytes[i];
    return sum;
}

/* ---- Shapes ---- */

struct stack {
    const struct chart *chart;
    const struct chart_place *place;
    double *low; /* of the current band in each bin: places downwards */
    double *high;
};

static double edge(const struct stack *stack, size_t bin)
{
    return stack->place->left +
           (double)bin / (double)stack->chart->bins * (stack->place->right - stack->place->left);
}

/* Around the bins from begin to end: along their tops and back along their bottoms. */
static void write_run(const struct stack *stack, size_t begin, size_t end, FILE *file)
{
    svg_path_point(file, 'M', edge(stack, begin), stack->low[begin]);
    for (size_t i = begin; i < end; i++) {
        svg_path_along(file, 'V', stack->high[i]);
        svg_path_along(file, 'H', edge(stack, i + 1));
    }
    for (size_t i = end; i-- > begin;) {
        svg_path_along(file, 'V', stack->low[i]);
        svg_path_along(file, 'H', edge(stack, i));
    }
    svg_path_close(file);
}

static void write_band(const struct stack *stack, size_t band, FILE *file)
{
    enum { WITH_RIM = 3 }; /* pixels of a bin from which on a rim does not hide it */
    const double *bytes = stack->chart->bands[band].bytes;
    size_t bins = stack->chart->bins;
    double rim = edge(stack, 1) - edge(stack, 0) >= WITH_RIM ? 0.5 : 0;
    g_autofree char *total =
        output_text_of_bytes((gint64)sum_of(stack->chart, &stack->chart->bands[band]));
    g_autofree char *title = g_strdup_printf("%s: %s", stack->chart->bands[band].name, total);

    svg_path_begin(file);
    for (size_t i = 0; i < bins; i++) {
        size_t begin = i;
        while (i < bins && bytes[i] > 0)
            i++;
        if (i > begin)
            write_run(stack, begin, i, file);
    }
    if (stack->chart->bands[band].is_other)
        svg_path_end(file, other_fill, SVG_FAINT, 0.5, title);
    else
        svg_path_end(file, fill_of(stack->chart, band), rim > 0 ? SVG_PAPER : "none", rim, title);
}

/* ---- Names in the bands ---- */

enum { NAME_SIZE = 11, NAME_ROOM = 15 };

/* The middle of the highest room that is width wide and NAME_ROOM high.  False: there is none. */
static bool find_room(const struct stack *stack, double width, double *x, double *y)
{
    size_t bins = stack->chart->bins;
    size_t wanted = (size_t)ceil(width / (edge(stack, 1) - edge(stack, 0)));
    double best = NAME_ROOM;

    for (size_t i = 0; i + wanted <= bins; i++) {
        double low = stack->low[i], high = stack->high[i];
        for (size_t k = i + 1; k < i + wanted && low - high >= best; k++) {
            low = MIN(low, stack->low[k]);
            high = MAX(high, stack->high[k]);
        }
        if (low - high < best || (low - high == best && best > NAME_ROOM))
            continue;
        best = low - high;
        *x = (edge(stack, i) + edge(stack, i + wanted)) / 2;
        *y = (low + high) / 2;
    }
    return *x > 0;
}

static void write_name(const struct stack *stack, const char *name, FILE *file)
{
    const struct svg_font font = {.size = NAME_SIZE, .anchor = "middle", .has_halo = true};
    double x = 0, y = 0;

    if (find_room(stack, svg_text_width(name, NAME_SIZE) + 6, &x, &y))
        svg_text(file, x, y + 4, &font, name);
}

/* ---- The stack ---- */

/* Moves low and high to the next band. */
static void climb(struct stack *stack, const double *bytes, double pixels_a_byte)
{
    for (size_t i = 0; i < stack->chart->bins; i++) {
        stack->low[i] = stack->high[i];
        stack->high[i] = stack->low[i] - bytes[i] * pixels_a_byte;
    }
}

static void settle(struct stack *stack)
{
    for (size_t i = 0; i < stack->chart->bins; i++)
        stack->high[i] = stack->place->bottom;
}

void chart_write_stack(const struct chart *chart, const struct chart_place *place, FILE *file)
{
    g_autofree double *low = g_new0(double, chart->bins), *high = g_new0(double, chart->bins);
    struct stack stack = {chart, place, low, high};
    double pixels_a_byte = (place->bottom - place->top) / place->bytes;

    settle(&stack);
    for (size_t band = 0; band < chart->band_count; band++) {
        climb(&stack, chart->bands[band].bytes, pixels_a_byte);
        write_band(&stack, band, file);
    }
    settle(&stack); /* names last: no band hides one */
    for (size_t band = 0; band < chart->band_count; band++) {
        climb(&stack, chart->bands[band].bytes, pixels_a_byte);
        write_name(&stack, chart->bands[band].name, file);
    }
}

/* ---- Legend: the top of the stack first ---- */

enum { ROW = 32, LEAST_ROW = 17, SWATCH = 14, GAP = 8 };

double chart_legend_height(const struct chart *chart, bool is_least)
{
    return (is_least ? LEAST_ROW : ROW) * (double)chart->band_count;
}

static void write_swatch(double x, double y, const char *fill, FILE *file)
{
    svg_path_begin(file);
    svg_path_point(file, 'M', x, y);
    svg_path_along(file, 'h', SWATCH);
    svg_path_along(file, 'v', SWATCH);
    svg_path_along(file, 'h', -SWATCH);
    svg_path_close(file);
    svg_path_end(file, fill, SVG_FAINT, 0.5, NULL);
}

/* The figures below the name, or where rows are low the share beside it. */
static void write_entry(const char *name, const char *figure, double x, double y, double right,
                        bool is_low, FILE *file)
{
    const struct svg_font name_font = {.size = 12};
    const struct svg_font below = {.size = 10, .colour = SVG_FAINT};
    const struct svg_font beside = {.size = 10, .colour = SVG_FAINT, .anchor = "end"};
    double taken = is_low ? svg_text_width(figure, beside.size) + GAP : 0;
    g_autofree char *shown = svg_shorten(name, name_font.size, right - x - taken);

    svg_text(file, x, y + 11, &name_font, shown);
    if (is_low)
        svg_text(file, right, y + 11, &beside, figure);
    else
        svg_text(file, x, y + 24, &below, figure);
}

void chart_write_legend(const struct chart *chart, const struct chart_place *place, FILE *file)
{
    bool is_low = place->bottom - place->top < chart_legend_height(chart, false);
    double all = 0, y = place->top;

    for (size_t k = 0; k < chart->band_count; k++)
        all += sum_of(chart, &chart->bands[k]);
    for (size_t k = chart->band_count; k-- > 0;) {
        double sum = sum_of(chart, &chart->bands[k]);
        g_autofree char *bytes = output_text_of_bytes((gint64)sum);
        g_autofree char *share = g_strdup_printf("%.1f %%", all > 0 ? 100 * sum / all : 0);
        g_autofree char *figure = is_low ? g_strdup(share) : g_strconcat(bytes, ", ", share, NULL);
        write_swatch(place->legend, y, fill_of(chart, k), file);
        write_entry(chart->bands[k].name, figure, place->legend + SWATCH + GAP, y,
                    place->width - GAP, is_low, file);
        y += is_low ? LEAST_ROW : ROW;
    }
}
