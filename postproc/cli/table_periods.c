/* table_periods.c
 * What repeats.
 *
 *     json, jsonl  a group of packets is a row, its periods are nested
 *     table, csv   a row a period: its group's columns and its own
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tables.h"
#include "values.h"

/* ---- One period ---- */

static void write_member(output_fragment *fragment, const char *key, gint64 ns)
{
    output_json_key(fragment, key);
    output_json_seconds(fragment, ns);
}

static void write_real(output_fragment *fragment, const char *key, double real)
{
    output_json_key(fragment, key);
    output_json_real(fragment, real);
}

static void write_period(output_fragment *fragment, const FieldEdgePeriod *period)
{
    output_json_begin(fragment, '{');
    write_member(fragment, "period_s", period->period_ns);
    write_member(fragment, "low_s", period->low_ns);
    write_member(fragment, "high_s", period->high_ns);
    write_member(fragment, "jitter_s", period->jitter_ns);
    write_real(fragment, "hit_rate", period->hit_rate);
    output_json_key(fragment, "kind");
    output_json_text(fragment, fieldedge_period_kind_name(period->kind));
    write_real(fragment, "score", period->score);
    write_real(fragment, "p_value", period->p_value);
    write_member(fragment, "phase_s", period->phase_ns);
    output_json_key(fragment, "hits");
    output_json_number(fragment, period->hits);
    write_member(fragment, "first", period->first_ns);
    write_member(fragment, "last", period->last_ns);
    write_real(fragment, "bytes_per_cycle", period->bytes_per_cycle);
    write_real(fragment, "events_explained", period->events_explained);
    write_real(fragment, "bytes_explained", period->bytes_explained);
    output_json_key(fragment, "changed");
    if (period->has_change)
        output_json_seconds(fragment, period->change_ns);
    else
        output_json_null(fragment);
    output_json_end(fragment);
}

/* ---- Rows ---- */

static const struct output_column columns[] = {
    {NULL, "Hosts", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE, OUTPUT_WRAP_WORDS},
    {"host_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"host_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"conversation_id", "Conv.", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"direction", "Dir.", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {NULL, "Size", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE},
    {"size_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"size_high", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"events", "Packets", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"cycles", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"ip_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"first", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"verdict", "Verdict", OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"score", "Score", OUTPUT_REAL, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"p_value", NULL, OUTPUT_REAL, OUTPUT_FOR_PROGRAMS},
    {"periods", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
    {"place", NULL, OUTPUT_COUNT, OUTPUT_FOR_RECORDS},
    {"period_s", "Every", OUTPUT_SPAN, OUTPUT_FOR_RECORDS | OUTPUT_FOR_PEOPLE},
    {"low_s", "From", OUTPUT_SPAN, OUTPUT_FOR_RECORDS | OUTPUT_FOR_WIDE},
    {"high_s", "To", OUTPUT_SPAN, OUTPUT_FOR_RECORDS | OUTPUT_FOR_WIDE},
    {"jitter_s", "Jitter", OUTPUT_SPAN, OUTPUT_FOR_RECORDS | OUTPUT_FOR_PEOPLE},
    {"hit_rate", "Hits", OUTPUT_SHARE, OUTPUT_FOR_RECORDS | OUTPUT_FOR_PEOPLE},
    {"kind", "Kind", OUTPUT_TEXT, OUTPUT_FOR_RECORDS | OUTPUT_FOR_PEOPLE},
    {"period_score", NULL, OUTPUT_REAL, OUTPUT_FOR_RECORDS},
    {"period_p_value", NULL, OUTPUT_REAL, OUTPUT_FOR_RECORDS},
    {"phase_s", NULL, OUTPUT_SPAN, OUTPUT_FOR_RECORDS},
    {"hits", NULL, OUTPUT_COUNT, OUTPUT_FOR_RECORDS},
    {"first_hit", NULL, OUTPUT_TIME, OUTPUT_FOR_RECORDS},
    {"last_hit", NULL, OUTPUT_TIME, OUTPUT_FOR_RECORDS},
    {"bytes_per_cycle", "IP bytes", OUTPUT_REAL, OUTPUT_FOR_RECORDS | OUTPUT_FOR_PEOPLE},
    {"events_explained", "Explains", OUTPUT_SHARE, OUTPUT_FOR_RECORDS | OUTPUT_FOR_WIDE},
    {"bytes_explained", NULL, OUTPUT_SHARE, OUTPUT_FOR_RECORDS},
    {"changed", NULL, OUTPUT_TIME, OUTPUT_FOR_RECORDS},
};

/* place: of the period in the group; a group without a period has a row with nulls. */
static void write_row(struct output *output, const FieldEdgePeriodGroup *group, guint place,
                      const char *periods)
{
    static const FieldEdgePeriod no_period = {0};
    bool none = place >= group->period_count;
    const FieldEdgePeriod *period = none ? &no_period : &group->periods[place];
    bool all_sizes = group->size_low == FIELDEDGE_NONE;
    g_autofree char *sizes =
        all_sizes ? g_strdup("all") : text_of_sizes(group->size_low, group->size_high);
    g_autofree char *hosts = g_strconcat(group->host_a, " ", group->host_b, NULL);
    const struct output_value values[G_N_ELEMENTS(columns)] = {
        {.text = hosts},
        {.text = group->host_a},
        {.text = group->host_b},
        {.text = group->application},
        value_or_none(group->conversation),
        {.text = fieldedge_direction_name(group->direction)},
        {.text = sizes},
        value_or_none(group->size_low),
        value_or_none(group->size_high),
        {.number = group->events},
        {.number = group->cycles},
        {.number = group->ip_bytes},
        {.number = group->first_ns},
        {.number = group->last_ns},
        {.text = fieldedge_periodicity_name(group->verdict)},
        {.real = group->score},
        {.real = group->p_value},
        {.text = periods},
        {.number = place + 1, .is_null = none},
        {.number = period->period_ns, .is_null = none},
        {.number = period->low_ns, .is_null = none},
        {.number = period->high_ns, .is_null = none},
        {.number = period->jitter_ns, .is_null = none},
        {.share = period->hit_rate, .is_null = none},
        {.text = none ? NULL : fieldedge_period_kind_name(period->kind)},
        {.real = period->score, .is_null = none},
        {.real = period->p_value, .is_null = none},
        {.number = period->phase_ns, .is_null = none},
        {.number = period->hits, .is_null = none},
        {.number = period->first_ns, .is_null = none},
        {.number = period->last_ns, .is_null = none},
        {.real = period->bytes_per_cycle, .is_null = none},
        {.share = period->events_explained, .is_null = none},
        {.share = period->bytes_explained, .is_null = none},
        {.number = period->change_ns, .is_null = none || !period->has_change},
    };

    output_row(output, values);
}

static void write_group(struct output *output, const FieldEdgePeriodGroup *group,
                        output_fragment *periods)
{
    if (!output_is_for(output, OUTPUT_FOR_DOCUMENTS)) {
        for (guint i = 0; i == 0 || i < group->period_count; i++)
            write_row(output, group, i, NULL);
        return;
    }
    output_fragment_reset(periods);
    output_json_begin(periods, '[');
    for (guint i = 0; i < group->period_count; i++)
        write_period(periods, &group->periods[i]);
    output_json_end(periods);
    write_row(output, group, 0, output_fragment_text(periods));
}

static void write_groups(const struct table_source *source, GError **error)
{
    g_autoptr(output_fragment) periods = output_fragment_new();
    g_autoptr(FieldEdgePeriodGroups) groups =
        fieldedge_period_groups_new(source->database, source->selection, source->tolerance, error);
    const FieldEdgePeriodGroup *group;

    if (groups == NULL)
        return;
    output_table_begin(source->output, NULL, NULL, columns, G_N_ELEMENTS(columns));
    while (!output_done(source->output) &&
           (group = fieldedge_period_groups_next(groups, error)) != NULL) {
        if (source->all_groups || !group->is_repeat)
            write_group(source->output, group, periods);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(source->output);
}

const struct table table_periods = {"periods", columns, G_N_ELEMENTS(columns), write_groups};
