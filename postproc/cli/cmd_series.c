/* cmd_series.c
 * fieldedge series: points of time and bytes.
 *
 *     csv, jsonl  a row a point: the series, seconds, bytes[, packets][, is_bad]
 *     json        one object, {"TCP_MQTT": [[1700000000.123456789, 66], …], …}; with bins a point
 * is [seconds, bytes, packets], with --split-bad a series {"good": […], "bad": […]} table       a
 * row a bin, or without bins a row a series: what it holds, and its shape
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

static const char summary[] =
    "Writes a point, seconds since the epoch and bytes, for every packet or bin of\n"
    "time, series by series, in the order of time. The table shows what each series\n"
    "holds. Series are by application, server_name, host, host_pair, conversation or\n"
    "direction, or by several of them. Bins are as in 1s, 1m, 1h or 1d.";

static const char examples[] =
    "Examples:\n"
    "  fieldedge series site.db\n"
    "  fieldedge series site.db --format json -o series.json\n"
    "  fieldedge series site.db --by host --bytes ip --bin 1h --zone Europe/London\n"
    "  fieldedge series site.db --by application,direction --format csv --top 3\n"
    "  fieldedge series site.db --where 'time=2026-11-24T00:16..+1m' --split-bad";

static const struct {
    const char *name;
    FieldEdgeBy by;
} dimensions[] = {
    {"application", FIELDEDGE_BY_APPLICATION},
    {"server_name", FIELDEDGE_BY_SERVER_NAME},
    {"host", FIELDEDGE_BY_HOST},
    {"host_pair", FIELDEDGE_BY_HOST_PAIR},
    {"conversation", FIELDEDGE_BY_CONVERSATION},
    {"direction", FIELDEDGE_BY_DIRECTION},
};

/* The command's own options, and what is written. */
struct series {
    FieldEdgeSeriesOptions options;
    const char *key;    /* of the column of names */
    GHashTable *chosen; /* with --top: names of the series wanted; NULL: all */
};

/* ---- Options ---- */

static bool parse_bytes(const char *name, FieldEdgeBytes *measure)
{
    static const char *const names[] = {"frame", "ip", "payload"};

    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *measure = (FieldEdgeBytes)i;
            return true;
        }
    }
    return name == NULL;
}

/* "application,direction"; '-' is as good as '_'. */
static int parse_by(const char *text, struct series *series)
{
    g_auto(GStrv) words = g_strsplit(text == NULL ? "application" : text, ",", -1);

    for (char **word = words; *word != NULL; word++) {
        size_t i = 0;

        g_strdelimit(*word, "-", '_');
        while (i < G_N_ELEMENTS(dimensions) && strcmp(*word, dimensions[i].name) != 0)
            i++;
        if (i == G_N_ELEMENTS(dimensions))
            return cli_usage("series",
                             "there are no series by '%s': choose application, server_name, host, "
                             "host_pair, conversation or direction",
                             *word);
        series->options.by |= dimensions[i].by;
        series->key = words[1] == NULL ? dimensions[i].name : "series";
    }
    return series->options.by != 0 ? CLI_OK : cli_usage("series", "--by names nothing");
}

static int parse_options(const char *bytes, const char *by, const char *bin, struct series *series)
{
    g_autoptr(GError) error = NULL;

    if (!parse_bytes(bytes, &series->options.measure))
        return cli_usage("series", "there are no '%s' bytes: choose frame, ip or payload", bytes);
    if (bin != NULL && !fieldedge_parse_duration(bin, &series->options.bin_ns, &error))
        return cli_usage("series", "--bin: %s", error->message);
    if (bin != NULL && series->options.bin_ns <= 0)
        return cli_usage("series", "--bin: a bin has a length, as in 1s, 1m, 1h or 1d");
    return parse_by(by, series);
}

/* ---- The largest series ---- */

struct size {
    char *name;
    gint64 bytes;
};

static int larger_first(gconstpointer left, gconstpointer right)
{
    gint64 a = ((const struct size *)left)->bytes, b = ((const struct size *)right)->bytes;

    return (a < b) - (a > b);
}

static void clear_size(gpointer data)
{
    g_free(((struct size *)data)->name);
}

/* Points cannot be ordered by what follows them: the totals are read first. */
static bool choose(struct reader *reader, struct series *series, GError **error)
{
    g_autoptr(FieldEdgeSeriesTotals) totals = NULL;
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(struct size));
    const FieldEdgeSeriesTotal *row;
    GError *problem = NULL;

    if (reader->top == 0)
        return true;
    g_array_set_clear_func(sizes, clear_size);
    totals =
        fieldedge_series_totals_new(reader->database, reader->selection, &series->options, error);
    if (totals == NULL)
        return false;
    while ((row = fieldedge_series_totals_next(totals, &problem)) != NULL) {
        struct size size = {g_strdup(row->name), row->bytes};
        g_array_append_val(sizes, size);
    }
    g_array_sort(sizes, larger_first);
    series->chosen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < sizes->len && i < reader->top; i++)
        g_hash_table_add(series->chosen, g_strdup(g_array_index(sizes, struct size, i).name));
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static const FieldEdgePoint *next_point(FieldEdgeSeries *points, const struct series *series,
                                        GError **error)
{
    const FieldEdgePoint *point;

    do
        point = fieldedge_series_next(points, error);
    while (point != NULL && series->chosen != NULL &&
           !g_hash_table_contains(series->chosen, point->name));
    return point;
}

/* ---- JSON ---- */

static void open_series(struct output *output, const FieldEdgePoint *point,
                        const struct series *series)
{
    output_json_key(output, point->name);
    if (series->options.split_bad)
        output_json_begin(output, '{');
}

/* With split_bad both lists are always there. */
static void open_list(struct output *output, bool is_bad, const struct series *series)
{
    if (series->options.split_bad)
        output_json_key(output, is_bad ? "bad" : "good");
    output_json_begin(output, '[');
}

/* Ends the list and the series; a series without bad points gets its empty list. */
static void close_series(struct output *output, bool is_bad, const struct series *series)
{
    output_json_end(output);
    if (!series->options.split_bad)
        return;
    if (!is_bad) {
        open_list(output, true, series);
        output_json_end(output);
    }
    output_json_end(output);
}

static void write_point(struct output *output, const FieldEdgePoint *point,
                        const struct series *series)
{
    output_json_begin(output, '[');
    output_json_seconds(output, point->time_ns);
    output_json_number(output, point->bytes);
    if (series->options.bin_ns > 0)
        output_json_number(output, point->packets);
    output_json_end(output);
}

static void write_json(struct output *output, FieldEdgeSeries *points, const struct series *series,
                       GError **error)
{
    const FieldEdgePoint *point;
    gint64 group = -1;
    bool is_bad = false;

    output_json_begin(output, '{');
    while (!output_failed(output) && (point = next_point(points, series, error)) != NULL) {
        if (point->group != group) {
            if (group >= 0)
                close_series(output, is_bad, series);
            group = point->group;
            is_bad = false;
            open_series(output, point, series);
            open_list(output, false, series);
        }
        if (point->is_bad && !is_bad) {
            is_bad = true;
            output_json_end(output);
            open_list(output, true, series);
        }
        write_point(output, point, series);
    }
    if (*error != NULL)
        return; /* what is there must not look whole */
    if (group >= 0)
        close_series(output, is_bad, series);
    output_json_end(output);
}

/* ---- Rows ---- */

enum { PACKETS_COLUMN = 3, BAD_COLUMN = 4, POINT_COLUMNS = 5 };

/* The columns of points; those that do not apply are for nobody. */
static void point_columns(const struct series *series, struct output_column columns[POINT_COLUMNS])
{
    const struct output_column all[POINT_COLUMNS] = {
        {series->key, "Series", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_WORDS},
        {"seconds", "Time", OUTPUT_TIME, OUTPUT_FOR_ALL},
        {"bytes", "Bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
        {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
        {"is_bad", "Bad", OUTPUT_FLAG, OUTPUT_FOR_ALL},
    };

    memcpy(columns, all, sizeof all);
    if (series->options.bin_ns == 0)
        columns[PACKETS_COLUMN].reader = 0;
    if (!series->options.split_bad)
        columns[BAD_COLUMN].reader = 0;
}

static void write_points(struct output *output, FieldEdgeSeries *points,
                         const struct series *series, GError **error)
{
    struct output_column columns[POINT_COLUMNS];
    const FieldEdgePoint *point;

    point_columns(series, columns);
    output_table_begin(output, NULL, NULL, columns, POINT_COLUMNS);
    while (!output_done(output) && (point = next_point(points, series, error)) != NULL) {
        const struct output_value values[POINT_COLUMNS] = {
            {.text = point->name},      {.number = point->time_ns}, {.number = point->bytes},
            {.number = point->packets}, {.number = point->is_bad},
        };
        output_row(output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(output);
}

static const struct output_column total_columns[] = {
    {"series", "Series", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_WORDS},
    {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"bytes", "Bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"bad_packets", "Bad", OUTPUT_COUNT, OUTPUT_FOR_ALL, .mark = OUTPUT_FAULT},
    {"first", "First", OUTPUT_TIME, OUTPUT_FOR_ALL},
    {"last", "Last", OUTPUT_TIME, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"shape", "Over time", OUTPUT_SPARK, OUTPUT_FOR_WIDE},
};

static void write_totals(struct reader *reader, const struct series *series, GError **error)
{
    g_autoptr(FieldEdgeSeriesTotals) totals =
        fieldedge_series_totals_new(reader->database, reader->selection, &series->options, error);
    const FieldEdgeSeriesTotal *row;

    if (totals == NULL)
        return;
    output_table_begin(reader->output, NULL, NULL, total_columns, G_N_ELEMENTS(total_columns));
    while (!output_done(reader->output) &&
           (row = fieldedge_series_totals_next(totals, error)) != NULL) {
        double shape[FIELDEDGE_SHAPE];

        for (guint i = 0; i < FIELDEDGE_SHAPE; i++)
            shape[i] = (double)MAX(row->shape[i], 0);
        const struct output_value values[] = {
            {.text = row->name},
            {.number = row->packets},
            {.number = row->bytes},
            {.number = row->bad_packets},
            {.number = row->first_ns},
            {.number = row->last_ns},
            {.points = shape, .count = FIELDEDGE_SHAPE},
        };
        output_row(reader->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(reader->output);
}

/* ---- The command ---- */

static void write_series(struct reader *reader, struct series *series, GError **error)
{
    g_autoptr(FieldEdgeSeries) points = NULL;

    if (!choose(reader, series, error))
        return;
    points = fieldedge_series_new(reader->database, reader->selection, &series->options, error);
    if (points == NULL)
        return;
    if (output_get_format(reader->output) == OUTPUT_JSON)
        write_json(reader->output, points, series, error);
    else
        write_points(reader->output, points, series, error);
}

/* --sort and --top are the rows' where rows are series; points stay in the order of time. */
static bool open_series_output(struct reader *reader, bool is_totals, int *status)
{
    guint64 top = reader->top;

    if (is_totals)
        return reader_open_rows(reader, NULL, total_columns, G_N_ELEMENTS(total_columns), status);
    if (reader->sort != NULL) {
        *status = cli_usage("series", "points are in the order of series and time: --sort is for "
                                      "the table, --top N for the N series with most bytes");
        reader_end(reader, NULL);
        return false;
    }
    reader->top = 0;
    if (!reader_open(reader, status))
        return false;
    reader->top = top;
    return true;
}

int cmd_series(int argc, char **argv)
{
    g_autofree char *bytes = NULL, *by = NULL, *bin = NULL;
    struct series series = {0};
    const GOptionEntry entries[] = {
        {"by", 0, 0, G_OPTION_ARG_STRING, &by, "application (the default), host, host_pair …",
         "WHAT[,WHAT…]"},
        {"bytes", 'b', 0, G_OPTION_ARG_STRING, &bytes,
         "Which bytes: frame (the default), ip or payload", "KIND"},
        {"bin", 0, 0, G_OPTION_ARG_STRING, &bin, "A point for each bin of this length", "LENGTH"},
        {"split-bad", 0, 0, G_OPTION_ARG_NONE, &series.options.split_bad,
         "Points of bad packets by themselves", NULL},
        {0},
    };
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, entries, &status))
        return status;
    status = parse_options(bytes, by, bin, &series);
    if (status != CLI_OK) {
        reader_end(&reader, NULL);
        return status;
    }

    bool is_totals = reader.format == OUTPUT_TABLE && bin == NULL && !series.options.split_bad;
    if (!open_series_output(&reader, is_totals, &status))
        return status;
    if (is_totals)
        write_totals(&reader, &series, &error);
    else
        write_series(&reader, &series, &error);
    g_clear_pointer(&series.chosen, g_hash_table_unref);
    return reader_end(&reader, error);
}
