/* cmd_conversations.c
 * fieldedge conversations: host pairs, or with --each every conversation.
 *
 * In JSON the keys of a pair up to repeat_stdev are those of the Python library's
 * analyze_conversations(), in its order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "tables.h"
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
    if (!reader_open_rows(&reader, NULL, each ? each_columns : table_pairs.columns,
                          each ? G_N_ELEMENTS(each_columns) : table_pairs.column_count, &status))
        return status;
    const struct table_source source = {
        .database = reader.database, .selection = reader.selection, .output = reader.output};
    if (each)
        write_each(&reader, &error);
    else
        table_pairs.write(&source, &error);
    return reader_end(&reader, error);
}
