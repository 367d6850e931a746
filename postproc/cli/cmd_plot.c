/* cmd_plot.c
 * fieldedge plot: what uses the link over time, and what repeats, as a picture.
 *
 *     svg     a picture, to look at and to print
 *     table   the same in the terminal: a small curve an application, a line a periodic group
 *     json …  what the table has, with the bytes of the bins
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "chart.h"
#include "cli.h"
#include "plot_data.h"
#include "scale.h"
#include "values.h"

#include <string.h>

static const char summary[] =
    "Draws the bytes of each application over time and what repeats: in the terminal,\n"
    "or with --output FILE.svg as a picture, which needs no network, script or font.";

static const char examples[] =
    "Examples:\n"
    "  fieldedge plot site.db\n"
    "  fieldedge plot site.db -o series.svg\n"
    "  fieldedge plot site.db -o day.svg --bin 15m --zone Europe/London --top 5\n"
    "  fieldedge plot site.db --where 'host=192.168.50.20' --format svg >pump.svg";

enum {
    BANDS = 7,        /* with a name of their own, without --top */
    MOST_BINS = 5000, /* more than pixels: a longer --bin shows more */
    MOST_PIXELS = 10000,
    LEAST_COLUMNS = 40,
    BIN_PIXELS = 6,
    CHART_SIDES = 284 /* pixels beside the stack */
};

static const struct {
    const char *name;
    const char *title;
} measures[] = {
    [FIELDEDGE_BYTES_FRAME] = {"frame", "Frame bytes"},
    [FIELDEDGE_BYTES_IP] = {"ip", "IP bytes"},
    [FIELDEDGE_BYTES_PAYLOAD] = {"payload", "Payload bytes"},
};

static const char *const scopes[] = {
    [FIELDEDGE_SCOPE_WAN] = " on the WAN",
    [FIELDEDGE_SCOPE_LOCAL] = " in local traffic",
    [FIELDEDGE_SCOPE_ALL] = "",
};

/* As given: 0 or NULL where it is not. */
struct options {
    char *bytes;
    char *bin;
    char *width;
    char *height;
    guint64 pixels_wide; /* or columns */
    guint64 pixels_high;
};

static void options_clear(struct options *options)
{
    g_free(options->bytes);
    g_free(options->bin);
    g_free(options->width);
    g_free(options->height);
}

/* ---- Periods in words ---- */

/* "198.51.100.10 -> 192.168.50.20": from the sender. */
static char *hosts_text(const struct plot_period *period, const char *arrow, const char *both)
{
    bool is_ba = period->direction == FIELDEDGE_DIRECTION_BA;

    return g_strconcat(is_ba ? period->host_b : period->host_a,
                       period->direction == FIELDEDGE_DIRECTION_BOTH ? both : arrow,
                       is_ba ? period->host_a : period->host_b, NULL);
}

/* "78", or NULL for all sizes. */
static char *sizes_text(const struct plot_period *period)
{
    return period->size_low == FIELDEDGE_NONE ? NULL
                                              : text_of_sizes(period->size_low, period->size_high);
}

/* "TCP_MODBUS 198.51.100.10 → 192.168.50.20 every 2.0 s (78 B, 12.8 KiB in all)" */
static char *period_text(const struct plot_period *period)
{
    g_autofree char *hosts = hosts_text(period, " → ", " ↔ ");
    g_autofree char *every = output_text_of_span(period->period.period_ns);
    g_autofree char *size = sizes_text(period);
    g_autofree char *cost = output_text_of_bytes((gint64)period->cost);

    return g_strdup_printf("%s %s every %s (%s%s%s in all)", period->application, hosts, every,
                           size != NULL ? size : "", size != NULL ? " B, " : "", cost);
}

/* ---- SVG ---- */

static GTimeZone *zone_of(const struct reader *reader)
{
    return reader->zone == NULL ? g_time_zone_new_utc() : g_time_zone_new_identifier(reader->zone);
}

static struct chart_band *make_bands(const struct plot *plot)
{
    struct chart_band *bands = g_new0(struct chart_band, plot->bands->len);

    for (guint i = 0; i < plot->bands->len; i++) {
        const struct plot_band *band = &g_array_index(plot->bands, struct plot_band, i);
        bands[i] = (struct chart_band){band->name, band->bytes, band->is_other};
    }
    return bands;
}

static GArray *make_periods(const struct plot *plot)
{
    enum { MOST = 20 };
    GArray *periods = g_array_new(FALSE, FALSE, sizeof(struct chart_period));

    for (guint i = 0; i < plot->periods->len && i < MOST; i++) {
        const struct plot_period *period = &g_array_index(plot->periods, struct plot_period, i);
        struct chart_period drawn = {period_text(period), period->period.first_ns,
                                     period->period.last_ns, period->period.period_ns};
        g_array_append_val(periods, drawn);
    }
    return periods;
}

static void free_periods(GArray *periods)
{
    for (guint i = 0; i < periods->len; i++)
        g_free((char *)g_array_index(periods, struct chart_period, i).text);
    g_array_unref(periods);
}

/* As many periods as there is room for, and a note, the caller's, of how many are left out. */
static char *fit_periods(struct chart *chart, guint all)
{
    chart->note = all > chart->period_count ? "" : NULL;
    while (chart->height > 0 && chart->period_count > 0 &&
           chart->height < chart_least_height(chart)) {
        chart->period_count--;
        chart->note = "";
    }
    if (chart->note == NULL)
        return NULL;
    return g_strdup_printf("%u more: fieldedge periods", all - (guint)chart->period_count);
}

static char *make_title(const struct reader *reader, const struct plot *plot)
{
    g_autofree char *file = g_path_get_basename(reader->path);

    return g_strdup_printf("%s: %s by application%s", file, measures[plot->options.measure].title,
                           scopes[reader->scope]);
}

static bool write_chart(const struct reader *reader, const struct plot *plot,
                        const struct options *options, GError **error)
{
    g_autoptr(GTimeZone) zone = zone_of(reader);
    g_autofree struct chart_band *bands = make_bands(plot);
    g_autofree char *title = make_title(reader, plot);
    GArray *periods = make_periods(plot);
    struct chart chart = {
        .title = title,
        .zone = zone,
        .zone_name = reader->zone != NULL ? reader->zone : "UTC",
        .width = (int)options->pixels_wide,
        .height = (int)options->pixels_high,
        .begin_ns = plot->begin_ns,
        .bin_ns = plot->options.bin_ns,
        .bins = plot->bins,
        .bands = bands,
        .band_count = plot->bands->len,
        .periods = (const struct chart_period *)(void *)periods->data,
        .period_count = periods->len,
    };

    g_autofree char *note = fit_periods(&chart, plot->periods->len);
    chart.note = note;
    bool is_high_enough = chart.height == 0 || chart.height >= chart_least_height(&chart);
    if (is_high_enough)
        chart_write(&chart, output_stream(reader->output));
    else
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: what is to be drawn needs a --height of %d pixels or more", reader->path,
                    chart_least_height(&chart));
    free_periods(periods);
    return is_high_enough;
}

/* ---- Rows ---- */

static const struct output_column band_columns[] = {
    {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    {"bytes", "Bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"share", "Share", OUTPUT_SHARE, OUTPUT_FOR_ALL},
    {"begin", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"bin", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},
    {"points", "Over time", OUTPUT_SPARK, OUTPUT_FOR_PEOPLE | OUTPUT_FOR_DOCUMENTS},
};

static void write_bands(const struct reader *reader, const struct plot *plot)
{
    g_autofree char *begin = output_text_of_time(reader->output, plot->begin_ns);
    g_autofree char *bin = output_text_of_span(plot->options.bin_ns);
    g_autofree char *bins = g_strdup_printf(", %s a block from %s", bin, begin);
    g_autofree char *title = g_strconcat(measures[plot->options.measure].title,
                                         scopes[reader->scope], plot->bins > 0 ? bins : "", NULL);

    output_table_begin(reader->output, "applications", title, band_columns,
                       G_N_ELEMENTS(band_columns));
    for (guint i = 0; i < plot->bands->len && !output_done(reader->output); i++) {
        const struct plot_band *band = &g_array_index(plot->bands, struct plot_band, i);
        const struct output_value values[G_N_ELEMENTS(band_columns)] = {
            {.text = band->name},
            {.number = band->total},
            {.share = (double)band->total / (double)MAX(plot->total, 1),
             .is_null = plot->total == 0},
            {.number = plot->begin_ns},
            {.number = plot->options.bin_ns},
            {.points = band->bytes, .count = plot->bins},
        };
        output_row(reader->output, values);
    }
    output_table_end(reader->output);
}

static const struct output_column period_columns[] = {
    {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    {"host_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"host_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {NULL, "Hosts", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE, OUTPUT_WRAP_WORDS},
    {NULL, "Size", OUTPUT_TEXT, OUTPUT_FOR_WIDE},
    {"direction", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"size_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"size_high", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"period_s", "Every", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"bytes_explained", "IP bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"first", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
};

static void write_periods(struct output *output, const struct plot *plot)
{
    output_table_begin(output, "periods", "What repeats", period_columns,
                       G_N_ELEMENTS(period_columns));
    for (guint i = 0; i < plot->periods->len && !output_done(output); i++) {
        const struct plot_period *row = &g_array_index(plot->periods, struct plot_period, i);
        g_autofree char *hosts = hosts_text(row, " -> ", " <-> ");
        g_autofree char *sizes = sizes_text(row);
        const struct output_value values[G_N_ELEMENTS(period_columns)] = {
            {.text = row->application},
            {.text = row->host_a},
            {.text = row->host_b},
            {.text = hosts},
            {.text = sizes},
            {.text = fieldedge_direction_name(row->direction)},
            value_or_none(row->size_low),
            value_or_none(row->size_high),
            {.number = row->period.period_ns},
            {.number = (gint64)row->cost},
            {.number = row->period.first_ns},
            {.number = row->period.last_ns},
        };
        output_row(output, values);
    }
    output_table_end(output);
}

/* CSV is one table. */
static void write_rows(const struct reader *reader, const struct plot *plot)
{
    bool is_group = output_get_format(reader->output) != OUTPUT_CSV;

    if (is_group)
        output_group_begin(reader->output);
    write_bands(reader, plot);
    if (!is_group)
        return;
    write_periods(reader->output, plot);
    output_group_end(reader->output);
}

/* ---- How many bins ---- */

/* Cells of a line that the other columns leave. */
static guint curve_cells(const struct reader *reader, const struct plot *plot, guint64 columns)
{
    enum { LONGEST_NAME = 24, BYTES = 11, SHARE = 9, LEAST = 10, MOST = 120 };
    guint64 width = columns > 0 ? columns : (guint64)output_get_width(reader->output);
    size_t name = strlen("Application");

    for (guint i = 0; i < plot->bands->len; i++) {
        const struct plot_band *band = &g_array_index(plot->bands, struct plot_band, i);
        name = MAX(name, strlen(band->name));
    }
    name = MIN(name, LONGEST_NAME) + 1;
    return (guint)CLAMP((gint64)width - (gint64)name - BYTES - SHARE, LEAST, MOST);
}

static guint wanted_bins(const struct reader *reader, const struct plot *plot,
                         const struct options *options)
{
    switch (output_get_format(reader->output)) {
    case OUTPUT_SVG:
        return (guint)(options->pixels_wide - CHART_SIDES) / BIN_PIXELS;
    case OUTPUT_TABLE:
        return curve_cells(reader, plot, options->pixels_wide);
    default:
        return (CHART_WIDTH - CHART_SIDES) / BIN_PIXELS;
    }
}

/* Bins begin at round times, so there may be one more than fit the time between.  Returns how many
 * can be drawn. */
static guint choose_bin(const struct reader *reader, struct plot *plot,
                        const struct options *options)
{
    guint bins = wanted_bins(reader, plot, options);

    if (plot->options.bin_ns == 0)
        plot->options.bin_ns = scale_bin(plot_span(plot) + 1, bins - 1);
    return output_get_format(reader->output) == OUTPUT_TABLE ? bins : MOST_BINS;
}

/* ---- The command ---- */

static bool read_and_write(struct reader *reader, struct plot *plot, const struct options *options,
                           guint64 most, GError **error)
{
    plot->path = reader->path;
    plot->database = reader->database;
    plot->selection = reader->selection;
    if (!plot_bands(plot, most, error))
        return false;
    guint bins = choose_bin(reader, plot, options);
    if (!plot_bins(plot, bins, error) || !plot_periods(plot, error))
        return false;
    if (output_get_format(reader->output) == OUTPUT_SVG)
        return write_chart(reader, plot, options, error);
    write_rows(reader, plot);
    return true;
}

static bool parse_number(const char *text, guint64 least, guint64 *number)
{
    return text == NULL || g_ascii_string_to_unsigned(text, 10, least, MOST_PIXELS, number, NULL);
}

static int check_sizes(const struct reader *reader, struct options *options)
{
    bool is_svg = reader->format == OUTPUT_SVG;
    guint64 least = is_svg ? CHART_LEAST_WIDTH : LEAST_COLUMNS;

    if (!parse_number(options->width, least, &options->pixels_wide))
        return cli_usage("plot", "--width takes %s from %d to %d, not '%s'",
                         is_svg ? "pixels" : "columns", (int)least, MOST_PIXELS, options->width);
    if (options->height != NULL && !is_svg)
        return cli_usage("plot", "--height is for a picture: name one with --output FILE.svg");
    if (!parse_number(options->height, 1, &options->pixels_high))
        return cli_usage("plot", "--height takes pixels up to %d, not '%s'", MOST_PIXELS,
                         options->height);
    if (is_svg && reader->top > CHART_STYLES)
        return cli_usage("plot",
                         "a picture shows up to %d applications beside the others: --top %d",
                         CHART_STYLES, CHART_STYLES);
    if (is_svg && options->pixels_wide == 0)
        options->pixels_wide = CHART_WIDTH;
    return CLI_OK;
}

static int check_options(const struct reader *reader, struct options *options, struct plot *plot)
{
    g_autoptr(GError) error = NULL;
    guint measure = FIELDEDGE_BYTES_IP;

    if (options->bytes != NULL) {
        for (measure = 0; measure < G_N_ELEMENTS(measures); measure++) {
            if (strcmp(options->bytes, measures[measure].name) == 0)
                break;
        }
    }
    if (measure == G_N_ELEMENTS(measures))
        return cli_usage("plot", "there are no '%s' bytes: choose frame, ip or payload",
                         options->bytes);
    plot->options.measure = (FieldEdgeBytes)measure;
    if (options->bin != NULL &&
        !fieldedge_parse_duration(options->bin, &plot->options.bin_ns, &error))
        return cli_usage("plot", "--bin: %s", error->message);
    if (options->bin != NULL && plot->options.bin_ns <= 0)
        return cli_usage("plot", "--bin: a bin has a length, as in 1s, 1m, 1h or 1d");
    return check_sizes(reader, options);
}

/* --top is the number of bands, not of rows. */
static bool open_output(struct reader *reader, int *status)
{
    reader->top = 0;
    if (reader->format == OUTPUT_SVG)
        return reader_open_drawing(reader, status);
    return reader_open_rows(reader, "applications", band_columns, G_N_ELEMENTS(band_columns),
                            status);
}

int cmd_plot(int argc, char **argv)
{
    struct options options = {0};
    struct plot plot = {.options = {.by = FIELDEDGE_BY_APPLICATION}};
    const GOptionEntry entries[] = {
        {"bytes", 'b', 0, G_OPTION_ARG_STRING, &options.bytes,
         "Which bytes: ip (the default), frame or payload", "KIND"},
        {"bin", 0, 0, G_OPTION_ARG_STRING, &options.bin, "Length of a bin, as 1s, 1m, 1h or 1d",
         "LENGTH"},
        {"width", 0, 0, G_OPTION_ARG_STRING, &options.width,
         "Pixels of a picture, columns of a table", "N"},
        {"height", 0, 0, G_OPTION_ARG_STRING, &options.height, "Pixels of a picture", "N"},
        {0},
    };
    struct reader reader;
    GError *error = NULL;
    int status;

    if (reader_parse(&reader, argc, argv, summary, examples, entries, &status)) {
        guint64 most = reader.top > 0 ? reader.top : BANDS;
        if (!reader.has_format && reader.output_path != NULL &&
            g_str_has_suffix(reader.output_path, ".svg"))
            reader.format = OUTPUT_SVG;
        status = check_options(&reader, &options, &plot);
        if (status != CLI_OK) {
            reader_end(&reader, NULL);
        } else if (open_output(&reader, &status)) {
            read_and_write(&reader, &plot, &options, most, &error);
            status = reader_end(&reader, error);
        }
    }
    plot_clear(&plot);
    options_clear(&options);
    return status;
}
