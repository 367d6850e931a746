/* cmd_series.c
 * fieldedge series: the points of every application.
 *
 *     json   one object, {"TCP_MQTT": [[1700000000.123456789, 66], …], …}
 *     csv    application,seconds,bytes; a line a point; jsonl has the same
 *     table  a line an application: how many points, bytes, first and last
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <string.h>

static const char summary[] =
    "Writes a point, seconds since the epoch and bytes, for every packet of every\n"
    "application, in the order of time. The table shows what each series holds.";

static const char examples[] = "Examples:\n"
                               "  fieldedge series site.db\n"
                               "  fieldedge series site.db --format json -o series.json\n"
                               "  fieldedge series site.db --format csv --bytes ip --capture 2";

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

static void write_json(struct reader *reader, FieldEdgeBytes measure, GError **error)
{
    g_autoptr(FieldEdgeSeries) series =
        fieldedge_series_new(reader->database, reader->selection, measure, error);
    const FieldEdgePoint *point;
    struct output *output = reader->output;
    gint64 group = -1;

    if (series == NULL)
        return;
    output_json_begin(output, '{');
    while (!output_failed(output) && (point = fieldedge_series_next(series, error)) != NULL) {
        if (point->group != group) {
            if (group >= 0)
                output_json_end(output);
            group = point->group;
            output_json_key(output, point->application);
            output_json_begin(output, '[');
        }
        output_json_begin(output, '[');
        output_json_seconds(output, point->time_ns);
        output_json_number(output, point->bytes);
        output_json_end(output);
    }
    if (group >= 0)
        output_json_end(output);
    output_json_end(output);
}

static void write_points(struct reader *reader, FieldEdgeBytes measure, GError **error)
{
    static const struct output_column columns[] = {
        {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL},
        {"seconds", "Time", OUTPUT_TIME, OUTPUT_FOR_ALL},
        {"bytes", "Bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    };
    g_autoptr(FieldEdgeSeries) series =
        fieldedge_series_new(reader->database, reader->selection, measure, error);
    const FieldEdgePoint *point;

    if (series == NULL)
        return;
    output_table_begin(reader->output, NULL, NULL, columns, G_N_ELEMENTS(columns));
    while (!output_failed(reader->output) &&
           (point = fieldedge_series_next(series, error)) != NULL) {
        const struct output_value values[] = {
            {.text = point->application}, {.number = point->time_ns}, {.number = point->bytes}};
        output_row(reader->output, values);
    }
    output_table_end(reader->output);
}

static void write_table(struct reader *reader, FieldEdgeBytes measure, GError **error)
{
    static const struct output_column columns[] = {
        {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL},
        {"points", "Points", OUTPUT_COUNT, OUTPUT_FOR_ALL},
        {"bytes", "Bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
        {"first", "First (UTC)", OUTPUT_TIME, OUTPUT_FOR_ALL},
        {"last", "Last (UTC)", OUTPUT_TIME, OUTPUT_FOR_ALL},
    };
    g_autoptr(FieldEdgeSeriesTotals) totals =
        fieldedge_series_totals_new(reader->database, reader->selection, measure, error);
    const FieldEdgeSeriesTotal *row;

    if (totals == NULL)
        return;
    output_table_begin(reader->output, NULL, NULL, columns, G_N_ELEMENTS(columns));
    while ((row = fieldedge_series_totals_next(totals, error)) != NULL) {
        const struct output_value values[] = {{.text = row->application},
                                              {.number = row->points},
                                              {.number = row->bytes},
                                              {.number = row->first_ns},
                                              {.number = row->last_ns}};
        output_row(reader->output, values);
    }
    output_table_end(reader->output);
}

int cmd_series(int argc, char **argv)
{
    g_autofree char *bytes = NULL;
    const GOptionEntry entries[] = {
        {"bytes", 'b', 0, G_OPTION_ARG_STRING, &bytes,
         "Which bytes: frame (the default), ip or payload", "KIND"},
        {0},
    };
    FieldEdgeBytes measure = FIELDEDGE_BYTES_FRAME;
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, entries, &status))
        return status;
    if (!parse_bytes(bytes, &measure)) {
        reader_end(&reader, NULL);
        return cli_usage("series", "there are no '%s' bytes: choose frame, ip or payload", bytes);
    }
    if (!reader_open(&reader, &status))
        return status;
    switch (output_get_format(reader.output)) {
    case OUTPUT_JSON:
        write_json(&reader, measure, &error);
        break;
    case OUTPUT_JSONL:
    case OUTPUT_CSV:
        write_points(&reader, measure, &error);
        break;
    case OUTPUT_TABLE:
        write_table(&reader, measure, &error);
        break;
    }
    return reader_end(&reader, error);
}
