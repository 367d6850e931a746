/* table_pairs.c
 * Host pairs: all conversations between two hosts put together.
 *
 * In JSON the keys of a pair up to repeat_stdev are those of the Python library's
 * analyze_conversations(), in its order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tables.h"
#include "values.h"

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

static void write_pairs(const struct table_source *source, GError **error)
{
    struct output *output = source->output;
    struct fragments fragments = fragments_new();
    const FieldEdgePair *pair;
    guint with = (output_is_for(output, OUTPUT_FOR_DOCUMENTS) ? FIELDEDGE_WITH_INTERVALS : 0) |
                 (output_is_for(output, OUTPUT_FOR_PROGRAMS) ? FIELDEDGE_WITH_VERDICTS : 0);
    FieldEdgePairs *pairs = fieldedge_pairs_new(source->database, source->selection, with, error);

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

const struct table table_pairs = {"pairs", pair_columns, G_N_ELEMENTS(pair_columns), write_pairs};
