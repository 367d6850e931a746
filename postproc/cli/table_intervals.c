/* table_intervals.c
 * How often packets of one size come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tables.h"
#include "values.h"

static const struct output_column columns[] = {
    {NULL, "Hosts", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE, OUTPUT_WRAP_WORDS},
    {"host_a", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"host_b", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"direction", "Dir.", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {NULL, "Size", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE},
    {"size_low", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"size_high", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"mean", "Mean", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"median", "Median", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"stdev", "Stdev", OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"mad", "MAD", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"min", "Min", OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"max", "Max", OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"first", "First", OUTPUT_TIME, OUTPUT_FOR_PROGRAMS | OUTPUT_FOR_WIDE},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
};

static void write_interval(struct output *output, const FieldEdgeInterval *row)
{
    g_autofree char *sizes = text_of_sizes(row->size_low, row->size_high);
    g_autofree char *hosts = g_strconcat(row->host_a, " ", row->host_b, NULL);
    const struct output_value values[G_N_ELEMENTS(columns)] = {
        {.text = hosts},
        {.text = row->host_a},
        {.text = row->host_b},
        {.text = row->application},
        {.text = fieldedge_direction_name(row->direction)},
        {.text = sizes},
        {.number = row->size_low},
        {.number = row->size_high},
        {.number = row->packets},
        value_or_none(row->gaps.mean_ns),
        value_or_none(row->gaps.median_ns),
        value_or_none(row->gaps.stdev_ns),
        value_or_none(row->gaps.mad_ns),
        value_or_none(row->gaps.min_ns),
        value_or_none(row->gaps.max_ns),
        {.number = row->first_ns},
        {.number = row->last_ns},
    };

    output_row(output, values);
}

static void write_intervals(const struct table_source *source, GError **error)
{
    g_autoptr(FieldEdgeIntervals) intervals =
        fieldedge_intervals_new(source->database, source->selection, source->tolerance, error);
    const FieldEdgeInterval *row;

    if (intervals == NULL)
        return;
    output_table_begin(source->output, NULL, NULL, columns, G_N_ELEMENTS(columns));
    while (!output_done(source->output) &&
           (row = fieldedge_intervals_next(intervals, error)) != NULL)
        write_interval(source->output, row);
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(source->output);
}

const struct table table_intervals = {"intervals", columns, G_N_ELEMENTS(columns), write_intervals};
