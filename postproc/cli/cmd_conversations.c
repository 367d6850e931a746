/* cmd_conversations.c
 * fieldedge conversations: host pairs, or with --each every conversation.
 *
 * In JSON the keys of a pair up to repeat_stdev are those of the Python library's
 * analyze_conversations(), in its order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "values.h"

#include <string.h>

static const char summary[] =
    "Writes all conversations between two hosts put together, whichever began:\n"
    "bytes, faults, how often packets of one size come and how often conversations\n"
    "begin. With --each, writes every conversation by itself.";

static const char examples[] =
    "Examples:\n"
    "  fieldedge conversations site.db\n"
    "  fieldedge conversations site.db --sort bytes --top 10\n"
    "  fieldedge conversations site.db --each --where 'application=TCP_MQTT'\n"
    "  fieldedge conversations site.db --format json | jq '.[0]'";

/* ---- What is nested in JSON ---- */

struct fragments {
    output_fragment *hosts, *applications, *start_times, *intervals, *servers, *verdicts;
};

static struct fragments fragments_new(void)
{
    return (struct fragments){output_fragment_new(), output_fragment_new(), output_fragment_new(),
                              output_fragment_new(), output_fragment_new(), output_fragment_new()};
}

static void fragments_free(struct fragments *fragments)
{
    output_fragment_free(fragments->hosts);
    output_fragment_free(fragments->applications);
    output_fragment_free(fragments->start_times);
    output_fragment_free(fragments->intervals);
    output_fragment_free(fragments->servers);
    output_fragment_free(fragments->verdicts);
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
        g_autofree char *group =
            g_strdup_printf("%s_%" G_GINT64_FORMAT "B", interval->application, interval->size_low);
        output_json_key(fragment, group);
        if (interval->gaps.mean_ns == FIELDEDGE_NONE)
            output_json_null(fragment);
        else
            output_json_seconds(fragment, interval->gaps.mean_ns);
    }
    output_json_end(fragment);
}

static void fragments_write(struct fragments *fragments, const FieldEdgePair *pair)
{
    fragment_pair(fragments->hosts, pair->host_a, pair->host_b);
    fragment_texts(fragments->applications, pair->applications);
    fragment_texts(fragments->servers, pair->server_names);
    fragment_verdicts(fragments->verdicts, pair->verdicts, pair->verdict_count);

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
    {"repeat_mean", "Repeats", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"repeat_stdev", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},

    {"packets_AB", NULL, OUTPUT_COUNT, OUTPUT_FOR_DOCUMENTS},
    {"packets_BA", NULL, OUTPUT_COUNT, OUTPUT_FOR_DOCUMENTS},
    {"bytes_AB", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"bytes_BA", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"ip_bytes_AB", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"ip_bytes_BA", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"payload_bytes_AB", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"payload_bytes_BA", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
    {"payload_bytes_ab", NULL, OUTPUT_BYTES, OUTPUT_FOR_RECORDS},
    {"payload_bytes_ba", NULL, OUTPUT_BYTES, OUTPUT_FOR_RECORDS},
    {"payload_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"overhead_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"retransmitted_bytes", "Retransm.", OUTPUT_BYTES, OUTPUT_FOR_ALL, .mark = OUTPUT_FAULT},
    {"bad_by_verdict", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
    {"bad_by_verdict", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
    {"repeat_median", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},
    {"repeat_mad", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},
    {"repeat_min", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},
    {"repeat_max", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},

    {"first", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"duration", NULL, OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},
    {"name_A", NULL, OUTPUT_TEXT, OUTPUT_FOR_DOCUMENTS},
    {"name_B", NULL, OUTPUT_TEXT, OUTPUT_FOR_DOCUMENTS},
    {"name_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
    {"name_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
    {"server_names", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
    {"server_names", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
};

static void write_pair(struct output *output, const FieldEdgePair *pair,
                       struct fragments *fragments)
{
    g_autofree char *applications = g_strjoinv(" ", (char **)pair->applications);
    g_autofree char *servers = g_strjoinv(" ", (char **)pair->server_names);
    g_autofree char *verdicts = text_of_verdicts(pair->verdicts, pair->verdict_count);
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
        value_or_none(pair->starts.mean_ns),
        value_or_none(pair->starts.stdev_ns),

        {.number = pair->packets_ab},
        {.number = pair->packets_ba},
        {.number = pair->frame_bytes_ab},
        {.number = pair->frame_bytes_ba},
        {.number = pair->ip_bytes_ab},
        {.number = pair->ip_bytes_ba},
        {.number = pair->payload_bytes_ab},
        {.number = pair->payload_bytes_ba},
        {.number = pair->payload_bytes_ab},
        {.number = pair->payload_bytes_ba},
        {.number = pair->payload_bytes_ab + pair->payload_bytes_ba},
        {.number = pair->overhead_bytes},
        {.number = pair->retransmitted_bytes},
        {.text = output_fragment_text(fragments->verdicts)},
        {.text = verdicts},
        value_or_none(pair->starts.median_ns),
        value_or_none(pair->starts.mad_ns),
        value_or_none(pair->starts.min_ns),
        value_or_none(pair->starts.max_ns),

        {.number = pair->started_ns},
        {.number = pair->ended_ns},
        {.number = pair->duration_ns},
        {.text = pair->name_a},
        {.text = pair->name_b},
        {.text = pair->name_a},
        {.text = pair->name_b},
        {.text = output_fragment_text(fragments->servers)},
        {.text = *servers != '\0' ? servers : NULL},
    };

    output_row(output, values);
}

static void write_pairs(struct reader *reader, GError **error)
{
    struct output *output = reader->output;
    struct fragments fragments = fragments_new();
    const FieldEdgePair *pair;
    guint with = (output_is_for(output, OUTPUT_FOR_DOCUMENTS) ? FIELDEDGE_WITH_INTERVALS : 0) |
                 (output_is_for(output, OUTPUT_FOR_PROGRAMS) ? FIELDEDGE_WITH_VERDICTS : 0);
    FieldEdgePairs *pairs = fieldedge_pairs_new(reader->database, reader->selection, with, error);

    if (pairs != NULL) {
        output_table_begin(output, NULL, NULL, pair_columns, G_N_ELEMENTS(pair_columns));
        while (!output_done(output) && (pair = fieldedge_pairs_next(pairs, error)) != NULL)
            write_pair(output, pair, &fragments);
        if (*error == NULL) /* else what is there must not look whole */
            output_table_end(output);
    }
    fieldedge_pairs_free(pairs);
    fragments_free(&fragments);
}

/* ---- Every conversation ---- */

static const struct output_column each_columns[] = {
    {"id", "No.", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"capture", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"transport", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"stream", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {NULL, "Ends", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE, OUTPUT_WRAP_WORDS},
    {"host_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"port_a", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"host_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"port_b", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"label_source", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"server_name", "Server", OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE,
     OUTPUT_WRAP_ANYWHERE},
    {"name_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"name_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"vlan", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"tunnel", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"is_local", NULL, OUTPUT_FLAG, OUTPUT_FOR_PROGRAMS},
    {"first", "First", OUTPUT_TIME, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"duration", "Lasts", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"packets_ab", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"packets_ba", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"frame_bytes_ab", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"frame_bytes_ba", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"ip_bytes", "IP bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"ip_bytes_ab", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"ip_bytes_ba", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"payload_bytes_ab", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"payload_bytes_ba", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"overhead_bytes", "Overhead", OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"bad_packets", "Bad", OUTPUT_COUNT, OUTPUT_FOR_ALL, .mark = OUTPUT_FAULT},
    {"bad_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"bad_by_verdict", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
    {"bad_by_verdict", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
    {"retransmissions", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"retransmission_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"retransmitted_bytes", "Retransm.", OUTPUT_BYTES, OUTPUT_FOR_ALL, .mark = OUTPUT_FAULT},
};

/* "10.0.0.1:4711", "[2001:db8::1]:443", without a port the address. */
static char *text_of_end(const char *host, gint64 port)
{
    if (port == FIELDEDGE_NONE)
        return g_strdup(host);
    return g_strdup_printf(
        strchr(host, ':') != NULL ? "[%s]:%" G_GINT64_FORMAT : "%s:%" G_GINT64_FORMAT, host, port);
}

static void write_conversation(struct output *output, const FieldEdgeConversation *row,
                               output_fragment *verdicts)
{
    g_autofree char *text = text_of_verdicts(row->verdicts, row->verdict_count);

    g_autofree char *a = text_of_end(row->host_a, row->port_a);
    g_autofree char *b = text_of_end(row->host_b, row->port_b);
    g_autofree char *ends = g_strconcat(a, " ", b, NULL);

    fragment_verdicts(verdicts, row->verdicts, row->verdict_count);
    const struct output_value values[G_N_ELEMENTS(each_columns)] = {
        {.number = row->id},
        {.number = row->capture},
        {.text = row->transport},
        value_or_none(row->stream),
        {.text = ends},
        {.text = row->host_a},
        value_or_none(row->port_a),
        {.text = row->host_b},
        value_or_none(row->port_b),
        {.text = row->application},
        {.text = row->label_source},
        {.text = row->server_name},
        {.text = row->name_a},
        {.text = row->name_b},
        value_or_none(row->vlan),
        {.text = row->tunnel},
        {.number = row->is_local},
        {.number = row->started_ns},
        {.number = row->ended_ns},
        {.number = row->duration_ns},
        {.number = row->packets_ab + row->packets_ba},
        {.number = row->packets_ab},
        {.number = row->packets_ba},
        {.number = row->frame_bytes_ab},
        {.number = row->frame_bytes_ba},
        {.number = row->ip_bytes_ab + row->ip_bytes_ba},
        {.number = row->ip_bytes_ab},
        {.number = row->ip_bytes_ba},
        {.number = row->payload_bytes_ab},
        {.number = row->payload_bytes_ba},
        {.number = row->overhead_bytes},
        {.number = row->bad_packets},
        {.number = row->bad_bytes},
        {.text = output_fragment_text(verdicts)},
        {.text = text},
        {.number = row->retransmissions},
        {.number = row->retransmission_bytes},
        {.number = row->retransmitted_bytes},
    };

    output_row(output, values);
}

static void write_each(struct reader *reader, GError **error)
{
    struct output *output = reader->output;
    g_autoptr(output_fragment) verdicts = output_fragment_new();
    g_autoptr(FieldEdgeConversations) conversations = fieldedge_conversations_new(
        reader->database, reader->selection, output_is_for(output, OUTPUT_FOR_PROGRAMS), error);
    const FieldEdgeConversation *row;

    if (conversations == NULL)
        return;
    output_table_begin(output, NULL, NULL, each_columns, G_N_ELEMENTS(each_columns));
    while (!output_done(output) &&
           (row = fieldedge_conversations_next(conversations, error)) != NULL)
        write_conversation(output, row, verdicts);
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(output);
}

int cmd_conversations(int argc, char **argv)
{
    gboolean each = FALSE;
    const GOptionEntry entries[] = {
        {"each", 'e', 0, G_OPTION_ARG_NONE, &each, "A row for each conversation", NULL},
        {0},
    };
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, entries, &status))
        return status;
    if (!reader_open_rows(&reader, NULL, each ? each_columns : pair_columns,
                          each ? G_N_ELEMENTS(each_columns) : G_N_ELEMENTS(pair_columns), &status))
        return status;
    if (each)
        write_each(&reader, &error);
    else
        write_pairs(&reader, &error);
    return reader_end(&reader, error);
}
