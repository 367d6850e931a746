/* cmd_conversations.c
 * fieldedge conversations: host pairs.
 *
 *     json   an array with an object a pair; the keys up to repeat_stdev are those of the Python
 *            library's analyze_conversations(), in its order
 *     csv    a line a pair, or with --intervals a line an interval
 *     table  the same for people
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

static const char summary[] =
    "Writes all conversations between two hosts put together, whichever began: bytes,\n"
    "faults, how often packets of one size come and how often conversations begin.";

static const char examples[] = "Examples:\n"
                               "  fieldedge conversations site.db\n"
                               "  fieldedge conversations site.db --intervals\n"
                               "  fieldedge conversations site.db --format json | jq '.[0]'";

/* ---- JSON ---- */

static void write_span(struct output *output, const char *key, gint64 ns)
{
    output_json_key(output, key);
    if (ns == FIELDEDGE_NONE)
        output_json_null(output);
    else
        output_json_seconds(output, ns);
}

static void write_number(struct output *output, const char *key, gint64 number)
{
    output_json_key(output, key);
    output_json_number(output, number);
}

static void write_text(struct output *output, const char *key, const char *text)
{
    output_json_key(output, key);
    output_json_text(output, text);
}

static void write_intervals(struct output *output, const char *key, const FieldEdgePair *pair,
                            FieldEdgeDirection direction)
{
    output_json_key(output, key);
    output_json_begin(output, '{');
    for (guint i = 0; i < pair->interval_count; i++) {
        const FieldEdgeInterval *interval = &pair->intervals[i];
        if (interval->direction != direction)
            continue;
        g_autofree char *group = g_strdup_printf("%s_%" G_GINT64_FORMAT "B", interval->application,
                                                 interval->frame_bytes);
        write_span(output, group, interval->mean_ns);
    }
    output_json_end(output);
}

static void write_lists(struct output *output, const FieldEdgePair *pair)
{
    output_json_key(output, "hosts");
    output_json_begin(output, '[');
    output_json_text(output, pair->host_a);
    output_json_text(output, pair->host_b);
    output_json_end(output);
    write_number(output, "count", pair->conversations);
    output_json_key(output, "applications");
    output_json_begin(output, '[');
    for (const char *const *name = pair->applications; *name != NULL; name++)
        output_json_text(output, *name);
    output_json_end(output);
    output_json_key(output, "start_times");
    output_json_begin(output, '[');
    for (guint i = 0; i < pair->conversations; i++)
        output_json_seconds(output, pair->start_times_ns[i]);
    output_json_end(output);
}

static void write_object(struct output *output, const FieldEdgePair *pair)
{
    output_json_begin(output, '{');
    write_lists(output, pair);
    output_json_key(output, "packet_intervals");
    output_json_begin(output, '{');
    write_intervals(output, "AB_intervals", pair, FIELDEDGE_DIRECTION_AB);
    write_intervals(output, "BA_intervals", pair, FIELDEDGE_DIRECTION_BA);
    output_json_end(output);
    write_number(output, "bytes", pair->frame_bytes_ab + pair->frame_bytes_ba);
    write_number(output, "bad_packet_count", pair->bad_packets);
    write_number(output, "bytes_bad", pair->bad_bytes);
    write_number(output, "retransmit_count", pair->retransmissions);
    write_number(output, "retransmit_bytes", pair->retransmission_bytes);
    write_span(output, "repeat_mean", pair->repeat_mean_ns);
    write_span(output, "repeat_stdev", pair->repeat_stdev_ns);

    write_number(output, "packets_AB", pair->packets_ab);
    write_number(output, "packets_BA", pair->packets_ba);
    write_number(output, "bytes_AB", pair->frame_bytes_ab);
    write_number(output, "bytes_BA", pair->frame_bytes_ba);
    write_number(output, "ip_bytes_AB", pair->ip_bytes_ab);
    write_number(output, "ip_bytes_BA", pair->ip_bytes_ba);
    write_number(output, "payload_bytes", pair->payload_bytes);
    write_number(output, "retransmitted_bytes", pair->retransmitted_bytes);
    output_json_key(output, "first");
    output_json_seconds(output, pair->started_ns);
    output_json_key(output, "last");
    output_json_seconds(output, pair->ended_ns);
    write_text(output, "name_A", pair->name_a);
    write_text(output, "name_B", pair->name_b);
    output_json_end(output);
}

static void write_json(struct output *output, FieldEdgePairs *pairs, GError **error)
{
    const FieldEdgePair *pair;

    output_json_begin(output, '[');
    while (!output_failed(output) && (pair = fieldedge_pairs_next(pairs, error)) != NULL)
        write_object(output, pair);
    output_json_end(output);
}

/* ---- Records ---- */

static const struct output_column pair_columns[] = {
    {"host_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"host_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {NULL, "Hosts", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE, OUTPUT_WRAP_WORDS},
    {"applications", "Applications", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_WORDS},
    {"count", "Conv.", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"packets_ab", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"packets_ba", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {NULL, "Packets", OUTPUT_COUNT, OUTPUT_FOR_PEOPLE},
    {"bytes_ab", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"bytes_ba", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"ip_bytes_ab", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"ip_bytes_ba", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {NULL, "IP bytes", OUTPUT_BYTES, OUTPUT_FOR_PEOPLE},
    {"bad_packet_count", "Bad", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"bytes_bad", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"retransmit_count", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"retransmit_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"retransmitted_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"repeat_mean", "Repeats", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"repeat_stdev", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},
    {"first", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
};

static struct output_value span(gint64 ns)
{
    return (struct output_value){.number = ns, .is_null = ns == FIELDEDGE_NONE};
}

static void write_pair(struct output *output, const FieldEdgePair *pair)
{
    g_autofree char *applications = g_strjoinv(" ", (char **)pair->applications);
    g_autofree char *hosts = g_strconcat(pair->host_a, " ", pair->host_b, NULL);
    const struct output_value values[G_N_ELEMENTS(pair_columns)] = {
        {.text = pair->host_a},
        {.text = pair->host_b},
        {.text = hosts},
        {.text = applications},
        {.number = pair->conversations},
        {.number = pair->packets_ab},
        {.number = pair->packets_ba},
        {.number = pair->packets_ab + pair->packets_ba},
        {.number = pair->frame_bytes_ab},
        {.number = pair->frame_bytes_ba},
        {.number = pair->ip_bytes_ab},
        {.number = pair->ip_bytes_ba},
        {.number = pair->ip_bytes_ab + pair->ip_bytes_ba},
        {.number = pair->bad_packets},
        {.number = pair->bad_bytes},
        {.number = pair->retransmissions},
        {.number = pair->retransmission_bytes},
        {.number = pair->retransmitted_bytes},
        span(pair->repeat_mean_ns),
        span(pair->repeat_stdev_ns),
        {.number = pair->started_ns},
        {.number = pair->ended_ns},
    };

    output_row(output, values);
}

static const struct output_column interval_columns[] = {
    {"host_a", "Host A", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"host_b", "Host B", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"direction", "Dir.", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"bytes", "Size", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"interval", "Interval", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"first", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
};

static void write_pair_intervals(struct output *output, const FieldEdgePair *pair)
{
    for (guint i = 0; i < pair->interval_count; i++) {
        const FieldEdgeInterval *row = &pair->intervals[i];
        const struct output_value values[G_N_ELEMENTS(interval_columns)] = {
            {.text = pair->host_a},
            {.text = pair->host_b},
            {.text = row->direction == FIELDEDGE_DIRECTION_AB ? "AB" : "BA"},
            {.text = row->application},
            {.number = row->frame_bytes},
            {.number = row->packets},
            span(row->mean_ns),
            {.number = row->first_ns},
            {.number = row->last_ns},
        };
        output_row(output, values);
    }
}

static void write_records(struct output *output, FieldEdgePairs *pairs, bool intervals,
                          GError **error)
{
    const FieldEdgePair *pair;

    if (intervals)
        output_table_begin(output, NULL, NULL, interval_columns, G_N_ELEMENTS(interval_columns));
    else
        output_table_begin(output, NULL, NULL, pair_columns, G_N_ELEMENTS(pair_columns));
    while (!output_failed(output) && (pair = fieldedge_pairs_next(pairs, error)) != NULL) {
        if (intervals)
            write_pair_intervals(output, pair);
        else
            write_pair(output, pair);
    }
    output_table_end(output);
}

int cmd_conversations(int argc, char **argv)
{
    gboolean intervals = FALSE;
    const GOptionEntry entries[] = {
        {"intervals", 'i', 0, G_OPTION_ARG_NONE, &intervals,
         "Table and CSV: a line for each packet size", NULL},
        {0},
    };
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, entries, &status) ||
        !reader_open(&reader, &status))
        return status;

    bool is_json = output_get_format(reader.output) == OUTPUT_JSON;
    FieldEdgePairs *pairs =
        fieldedge_pairs_new(reader.database, reader.selection, is_json || intervals, &error);
    if (pairs != NULL && is_json)
        write_json(reader.output, pairs, &error);
    else if (pairs != NULL)
        write_records(reader.output, pairs, intervals, &error);
    fieldedge_pairs_free(pairs);
    return reader_end(&reader, error);
}
