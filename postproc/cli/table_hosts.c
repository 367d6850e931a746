/* table_hosts.c
 * What each host sent and received.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tables.h"

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

static void write_hosts(const struct table_source *source, GError **error)
{
    g_autoptr(FieldEdgeHosts) hosts =
        fieldedge_hosts_new(source->database, source->selection, error);
    const FieldEdgeHost *host;

    if (hosts == NULL)
        return;
    output_table_begin(source->output, NULL, NULL, columns, G_N_ELEMENTS(columns));
    while (!output_done(source->output) && (host = fieldedge_hosts_next(hosts, error)) != NULL) {
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
        output_row(source->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(source->output);
}

const struct table table_hosts = {"hosts", columns, G_N_ELEMENTS(columns), write_hosts};
