/* cmd_conversations.c
 * fieldedge conversations: host pairs.
 *
 * A row is a pair, or with --intervals a packet size of a pair.  In JSON the keys of a pair up to
 * repeat_stdev are those of the Python library's analyze_conversations(), in its order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

static const char summary[] =
    "Writes all conversations between two hosts put together, whichever began: bytes,\n"
    "faults, how often packets of one size come and how often conversations begin.";

static const char examples[] = "Examples:\n"
                               "  fieldedge conversations site.db\n"
                               "  fieldedge conversations site.db --sort bytes --top 10\n"
                               "  fieldedge conversations site.db --intervals\n"
                               "  fieldedge conversations site.db --format json | jq '.[0]'";

static struct output_value span(gint64 ns)
{
    return (struct output_value){.number = ns, .is_null = ns == FIELDEDGE_NONE};
}

/* ---- What is nested in JSON ---- */

struct fragments {
    output_fragment *hosts, *applications, *start_times, *intervals;
};

static struct fragments fragments_new(void)
{
    return (struct fragments){output_fragment_new(), output_fragment_new(), output_fragment_new(),
                              output_fragment_new()};
}

static void fragments_free(struct fragments *fragments)
{
    output_fragment_free(fragments->hosts);
    output_fragment_free(fragments->applications);
    output_fragment_free(fragments->start_times);
    output_fragment_free(fragments->intervals);
}

static void write_intervals(output_fragment *fragment, const char *key, const FieldEdgePair *pair,
                            FieldEdgeDirection direction)
{
    output_json_key(fragment, key);
    output_json_begin(fragment, '{');
    for (guint i = 0; i < pair->interval_count; i++) {
        const FieldEdgeInterval *interval = &pair->intervals[i];
        if (interval->direction != direction)
            continue;
        g_autofree char *group = g_strdup_printf("%s_%" G_GINT64_FORMAT "B", interval->application,
                                                 interval->frame_bytes);
        output_json_key(fragment, group);
        if (interval->mean_ns == FIELDEDGE_NONE)
            output_json_null(fragment);
        else
            output_json_seconds(fragment, interval->mean_ns);
    }
    output_json_end(fragment);
}

static void fragments_write(struct fragments *fragments, const FieldEdgePair *pair)
{
    output_fragment_reset(fragments->hosts);
    output_json_begin(fragments->hosts, '[');
    output_json_text(fragments->hosts, pair->host_a);
    output_json_text(fragments->hosts, pair->host_b);
    output_json_end(fragments->hosts);

    output_fragment_reset(fragments->applications);
    output_json_begin(fragments->applications, '[');
    for (const char *const *name = pair->applications; *name != NULL; name++)
        output_json_text(fragments->applications, *name);
    output_json_end(fragments->applications);

    output_fragment_reset(fragments->start_times);
    output_json_begin(fragments->start_times, '[');
    for (guint i = 0; i < pair->conversations; i++)
        output_json_seconds(fragments->start_times, pair->start_times_ns[i]);
    output_json_end(fragments->start_times);

    output_fragment_reset(fragments->intervals);
    output_json_begin(fragments->intervals, '{');
    write_intervals(fragments->intervals, "AB_intervals", pair, FIELDEDGE_DIRECTION_AB);
    write_intervals(fragments->intervals, "BA_intervals", pair, FIELDEDGE_DIRECTION_BA);
    output_json_end(fragments->intervals);
}

/* ---- Rows ---- */

static const struct output_column pair_columns[] = {
    {"hosts", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
    {"count", NULL, OUTPUT_COUNT, OUTPUT_FOR_DOCUMENTS},
    {"applications", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
    {"start_times", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
    {"packet_intervals", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
    {"bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},

    {"host_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
    {"host_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
    {NULL, "Hosts", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE, OUTPUT_WRAP_WORDS},
    {"applications", "Applications", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE | OUTPUT_FOR_RECORDS,
     OUTPUT_WRAP_WORDS},
    {"count", "Conv.", OUTPUT_COUNT, OUTPUT_FOR_PEOPLE | OUTPUT_FOR_RECORDS},
    {"packets_ab", NULL, OUTPUT_COUNT, OUTPUT_FOR_RECORDS},
    {"packets_ba", NULL, OUTPUT_COUNT, OUTPUT_FOR_RECORDS},
    {NULL, "Packets", OUTPUT_COUNT, OUTPUT_FOR_PEOPLE},
    {"bytes_ab", NULL, OUTPUT_BYTES, OUTPUT_FOR_RECORDS},
    {"bytes_ba", NULL, OUTPUT_BYTES, OUTPUT_FOR_RECORDS},
    {"ip_bytes_ab", NULL, OUTPUT_BYTES, OUTPUT_FOR_RECORDS},
    {"ip_bytes_ba", NULL, OUTPUT_BYTES, OUTPUT_FOR_RECORDS},
    {NULL, "IP bytes", OUTPUT_BYTES, OUTPUT_FOR_PEOPLE},

    {"bad_packet_count", "Bad", OUTPUT_COUNT, OUTPUT_FOR_ALL, .mark = OUTPUT_FAULT},
    {"bytes_bad", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"retransmit_count", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"retransmit_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"retransmitted_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_RECORDS},
    {"repeat_mean", "Repeats", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"repeat_stdev", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},

    {"packets_AB", NULL, OUTPUT_COUNT, OUTPUT_FOR_DOCUMENTS},
    {"packets_BA", NULL, OUTPUT_COUNT, OUTPUT_FOR_DOCUMENTS},
    {"bytes_AB", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"bytes_BA", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"ip_bytes_AB", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"ip_bytes_BA", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"payload_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"retransmitted_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},

    {"first", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"name_A", NULL, OUTPUT_TEXT, OUTPUT_FOR_DOCUMENTS},
    {"name_B", NULL, OUTPUT_TEXT, OUTPUT_FOR_DOCUMENTS},
    {"payload_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_RECORDS},
    {"name_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
    {"name_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
};

static void write_pair(struct output *output, const FieldEdgePair *pair,
                       struct fragments *fragments)
{
    g_autofree char *applications = g_strjoinv(" ", (char **)pair->applications);
    g_autofree char *hosts = g_strconcat(pair->host_a, " ", pair->host_b, NULL);

    if (output_is_for(output, OUTPUT_FOR_DOCUMENTS))
        fragments_write(fragments, pair);
    const struct output_value values[G_N_ELEMENTS(pair_columns)] = {
        {.text = output_fragment_text(fragments->hosts)},
        {.number = pair->conversations},
        {.text = output_fragment_text(fragments->applications)},
        {.text = output_fragment_text(fragments->start_times)},
        {.text = output_fragment_text(fragments->intervals)},
        {.number = pair->frame_bytes_ab + pair->frame_bytes_ba},

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

        {.number = pair->packets_ab},
        {.number = pair->packets_ba},
        {.number = pair->frame_bytes_ab},
        {.number = pair->frame_bytes_ba},
        {.number = pair->ip_bytes_ab},
        {.number = pair->ip_bytes_ba},
        {.number = pair->payload_bytes},
        {.number = pair->retransmitted_bytes},

        {.number = pair->started_ns},
        {.number = pair->ended_ns},
        {.text = pair->name_a},
        {.text = pair->name_b},
        {.number = pair->payload_bytes},
        {.text = pair->name_a},
        {.text = pair->name_b},
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

static const struct kind {
    const struct output_column *columns;
    size_t count;
} pairs_kind = {pair_columns, G_N_ELEMENTS(pair_columns)},
  intervals_kind = {interval_columns, G_N_ELEMENTS(interval_columns)};

static void write_rows(struct output *output, FieldEdgePairs *pairs, const struct kind *kind,
                       GError **error)
{
    struct fragments fragments = fragments_new();
    const FieldEdgePair *pair;

    output_table_begin(output, NULL, NULL, kind->columns, kind->count);
    while (!output_done(output) && (pair = fieldedge_pairs_next(pairs, error)) != NULL) {
        if (kind == &intervals_kind)
            write_pair_intervals(output, pair);
        else
            write_pair(output, pair, &fragments);
    }
    output_table_end(output);
    fragments_free(&fragments);
}

int cmd_conversations(int argc, char **argv)
{
    gboolean intervals = FALSE;
    const GOptionEntry entries[] = {
        {"intervals", 'i', 0, G_OPTION_ARG_NONE, &intervals, "A row for each packet size", NULL},
        {0},
    };
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, entries, &status))
        return status;

    const struct kind *kind = intervals ? &intervals_kind : &pairs_kind;
    if (!reader_open_rows(&reader, NULL, kind->columns, kind->count, &status))
        return status;

    bool with_intervals = intervals || output_is_for(reader.output, OUTPUT_FOR_DOCUMENTS);
    g_autoptr(FieldEdgePairs) pairs =
        fieldedge_pairs_new(reader.database, reader.selection, with_intervals, &error);
    if (pairs != NULL)
        write_rows(reader.output, pairs, kind, &error);
    g_clear_pointer(&pairs, fieldedge_pairs_free);
    return reader_end(&reader, error);
}
