/* cmd_hosts.c
 * fieldedge hosts: what each host sent and received.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

static const char summary[] =
    "Writes a line for each host: its conversations, packets and bytes, most IP bytes\n"
    "first. Local says whether its address is in the site's own networks.";

static const char examples[] = "Examples:\n"
                               "  fieldedge hosts site.db\n"
                               "  fieldedge hosts site.db --sort packets_sent --top 10\n"
                               "  fieldedge hosts site.db --all --format csv -o hosts.csv";

static const struct output_column columns[] = {
    {"host", "Host", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"name", "Name", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    {"is_local", "Local", OUTPUT_FLAG, OUTPUT_FOR_ALL},
    {"conversations", "Conv.", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"packets_sent", "Sent", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"packets_received", "Received", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"frame_bytes_sent", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"frame_bytes_received", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"ip_bytes_sent", "IP sent", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"ip_bytes_received", "IP recvd", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"first", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
};

static void write_hosts(struct reader *reader, GError **error)
{
    g_autoptr(FieldEdgeHosts) hosts =
        fieldedge_hosts_new(reader->database, reader->selection, error);
    const FieldEdgeHost *host;

    if (hosts == NULL)
        return;
    output_table_begin(reader->output, NULL, NULL, columns, G_N_ELEMENTS(columns));
    while (!output_done(reader->output) && (host = fieldedge_hosts_next(hosts, error)) != NULL) {
        const struct output_value values[G_N_ELEMENTS(columns)] = {
            {.text = host->address},
            {.text = host->name},
            {.number = host->is_local},
            {.number = host->conversations},
            {.number = host->packets_sent},
            {.number = host->packets_received},
            {.number = host->frame_bytes_sent},
            {.number = host->frame_bytes_received},
            {.number = host->ip_bytes_sent},
            {.number = host->ip_bytes_received},
            {.number = host->started_ns},
            {.number = host->ended_ns},
        };
        output_row(reader->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(reader->output);
}

int cmd_hosts(int argc, char **argv)
{
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, NULL, &status) ||
        !reader_open_rows(&reader, NULL, columns, G_N_ELEMENTS(columns), &status))
        return status;
    write_hosts(&reader, &error);
    return reader_end(&reader, error);
}
