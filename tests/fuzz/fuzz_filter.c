/* fuzz_filter.c
 * Any filter expression, on a database of three conversations.  What is selected is never more than
 * everything, and an expression that is refused changes nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz.h"

#include "schema/schema.h"

static FieldEdgeDatabase *database;

static const char rows[] =
    "INSERT INTO capture (id, base_ns, local_networks, payload_hashes, tshark_version,"
    " plugin_version) VALUES (1, 1700000000000000000, '10.0.0.0/8', 0, 't', 'p');"
    "INSERT INTO host VALUES (1, x'0a000001', '10.0.0.1', NULL), (2, x'08080808', '8.8.8.8', "
    "'dns'),"
    " (3, x'20010db8000000000000000000000001', '2001:db8::1', 'host');"
    "INSERT INTO application VALUES (1, 'UDP_DNS'), (2, 'TCP_MQTT'), (3, 'TCP_A');"
    "INSERT INTO packet_kind VALUES (1, 'dns', 0, NULL, 0, NULL, 0, 0, 0);"
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 3)"
    " INSERT INTO conversation (id, capture, is_link, transport, host_a, host_b, port_a, port_b,"
    "  application, server_name, is_local, started_ns, ended_ns, packets_ab, frame_bytes_ab)"
    " SELECT i + 1, 1, 0, 'TCP', i % 3 + 1, (i + 1) % 3 + 1, 1024 + i, 443, i + 1, 'a.example', 0,"
    "  1700000000000000000 + i, 1700000000000000000 + i, 1, 60 FROM n;"
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 3)"
    " INSERT INTO packet SELECT i + 1, i, i + 1, 60, 14, 6, 1, 0, NULL FROM n";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    GError *error = NULL;
    sqlite3 *handle = NULL;

    (void)argc, (void)argv;
    FUZZ_CHECK(sqlite3_open(":memory:", &handle) == SQLITE_OK && schema_prepare(handle, &error));
    FUZZ_CHECK(sqlite3_exec(handle, rows, NULL, NULL, NULL) == SQLITE_OK);
    database = fieldedge_database_new_for_handle(handle, "fuzz", &error);
    FUZZ_CHECK(database != NULL);
    return 0;
}

/* -1: the iterator refused the selection. */
static gint64 count_packets(const FieldEdgeSelection *selection)
{
    GError *error = NULL;
    g_autoptr(FieldEdgeTotals) totals = fieldedge_totals_new(database, selection, &error);
    const FieldEdgeTotal *total;
    gint64 packets = 0;

    while (totals != NULL && (total = fieldedge_totals_next(totals, &error)) != NULL)
        packets += total->packets;
    if (error == NULL)
        return packets;
    /* Such as an application that is not there; never an error of SQL. */
    FUZZ_CHECK(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT));
    fuzz_check_error(error, "fuzz: ");
    return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *expression = g_strndup((const char *)data, size);
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    GError *error = NULL;
    gint64 packets;

    if (fieldedge_selection_add_filter(selection, expression, &error)) {
        packets = count_packets(selection);
        FUZZ_CHECK(packets >= -1 && packets <= 3);
        return 0;
    }
    FUZZ_CHECK(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT));
    g_clear_error(&error);
    FUZZ_CHECK(count_packets(selection) == 3);
    return 0;
}
