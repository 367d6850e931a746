/* fuzz_rows.c
 * A sound database with any values in its tables, read by every iterator of fieldedge.h: where
 * SQLite finds nothing wrong, times may still be at the ends of the range and hosts miss.
 *
 * The input is a program of rows: a byte chooses the table, then for each column a byte chooses the
 * kind of value and more bytes are the value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz_read.h"

#include "schema/schema.h"

static const char *const tables[] = {"capture",      "host",   "application", "packet_kind",
                                     "conversation", "packet", "quote",       "renumbering"};

enum { ROWS_IN_REACH = 16 };

struct input {
    const uint8_t *data;
    size_t size;
};

static uint8_t take(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

static gint64 take_number(struct input *input, int bytes)
{
    guint64 number = 0;

    for (int i = 0; i < bytes; i++)
        number = number << 8 | take(input);
    return (gint64)number;
}

static void bind_bytes(sqlite3_stmt *statement, int column, struct input *input, bool is_text)
{
    size_t wanted = take(input), length = MIN(wanted, input->size);

    if (is_text)
        sqlite3_bind_text(statement, column, (const char *)input->data, (int)length,
                          SQLITE_TRANSIENT);
    else
        sqlite3_bind_blob(statement, column, input->data, (int)length, SQLITE_TRANSIENT);
    input->data += length;
    input->size -= length;
}

static void bind_value(sqlite3_stmt *statement, int column, struct input *input)
{
    static const gint64 edges[] = {G_MININT64,
                                   G_MAXINT64,
                                   -1,
                                   G_MAXINT32,
                                   G_MININT32,
                                   G_MAXUINT32,
                                   G_GINT64_CONSTANT(1700000000000000000),
                                   2};
    uint8_t kind = take(input);

    switch (kind & 7) {
    case 0: /* small, and what refers to another row mostly works */
    case 1:
        sqlite3_bind_int64(statement, column, kind >> 3 & 3);
        return;
    case 2:
        sqlite3_bind_int64(statement, column, take_number(input, 8));
        return;
    case 3:
        sqlite3_bind_int64(statement, column, edges[kind >> 3 & 7]);
        return;
    case 4:
        sqlite3_bind_int64(statement, column, take_number(input, 2));
        return;
    case 5:
        bind_bytes(statement, column, input, true);
        return;
    case 6:
        bind_bytes(statement, column, input, false);
        return;
    default:
        sqlite3_bind_null(statement, column);
    }
}

/* UPDATE of one value; what STRICT or a CHECK refuses stays as it was. */
static void change_value(sqlite3 *handle, struct input *input)
{
    uint8_t table = take(input) % G_N_ELEMENTS(tables), column = take(input), row = take(input);
    g_autofree char *select = g_strdup_printf("SELECT * FROM %s", tables[table]);
    g_autofree char *update = NULL;
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(handle, select, -1, &statement, NULL) != SQLITE_OK)
        abort();
    column %= (uint8_t)sqlite3_column_count(statement);
    update = g_strdup_printf("UPDATE OR REPLACE %s SET \"%s\" = ?1 WHERE rowid ="
                             " (SELECT rowid FROM %s LIMIT 1 OFFSET %d)",
                             tables[table], sqlite3_column_name(statement, column), tables[table],
                             row % ROWS_IN_REACH);
    sqlite3_finalize(statement);
    if (sqlite3_prepare_v2(handle, update, -1, &statement, NULL) != SQLITE_OK)
        abort();
    bind_value(statement, 1, input);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

/* Two captures with six conversations between three hosts, and 60 packets. */
static const char rows[] =
    "INSERT INTO capture (id, base_ns, local_networks, payload_hashes, tshark_version,"
    " plugin_version, started_ns, ended_ns) VALUES"
    " (1, 1700000000000000000, '10.0.0.0/8', 1, 't', 'p', 1700000000000000000, "
    "1700000000000000009),"
    " (2, 1700000001000000000, 'fc00::/7', 0, 't', 'p', 1700000001000000000, 1700000001000000009);"
    "INSERT INTO host VALUES (1, x'0a000001', '10.0.0.1', NULL), (2, x'08080808', '8.8.8.8', "
    "'dns'),"
    " (3, x'20010db8000000000000000000000001', '2001:db8::1', 'host');"
    "INSERT INTO application VALUES (1, 'UDP_DNS'), (2, 'TCP_MQTT'), (3, 'TCP_A');"
    "INSERT INTO packet_kind VALUES (1, 'dns', 0, NULL, 0, NULL, 0, 0, 0),"
    " (2, 'mqtt', 1, 24, 0, NULL, 0, 0, 0), (3, 'tcp', 0, 16, 1, 'retransmission', 1, 1, 1);"
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 6)"
    " INSERT INTO conversation (id, capture, is_link, transport, stream, host_a, host_b, port_a,"
    "  port_b, application, is_local, started_ns, ended_ns, packets_ab, packets_ba, frame_bytes_ab,"
    "  ip_bytes_ba)"
    " SELECT i + 1, i / 3 + 1, 0, 'TCP', i, i % 3 + 1, (i + 1) % 3 + 1, 1024 + i, 443, i % 3 + 1,"
    "  i = 5, 1700000000000000000 + i, 1700000000000000000 + 10 * i, 5, 5, 300, 200 FROM n;"
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 60)"
    " INSERT INTO packet SELECT (i / 30 << 32) + i % 30 + 1, i * i, i / 10 + 1, 60 + i % 4, 14, 6,"
    "  i % 3 + 1, i % 2, i FROM n;"
    "INSERT INTO quote VALUES (1, 2), (2, 1); INSERT INTO renumbering VALUES (5, 4), (9, 8)";

/* That database, of which each input gets a copy. */
static unsigned char *original;
static sqlite3_int64 original_size;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    GError *error = NULL;
    sqlite3 *handle = NULL;

    (void)argc, (void)argv;
    FUZZ_CHECK(sqlite3_open(":memory:", &handle) == SQLITE_OK && schema_prepare(handle, &error));
    FUZZ_CHECK(sqlite3_exec(handle, rows, NULL, NULL, NULL) == SQLITE_OK);
    original = sqlite3_serialize(handle, "main", &original_size, 0);
    FUZZ_CHECK(original != NULL);
    sqlite3_close(handle);
    return 0;
}

static sqlite3 *copy_original(void)
{
    unsigned char *copy = sqlite3_malloc64((sqlite3_uint64)original_size);
    sqlite3 *handle = NULL;

    FUZZ_CHECK(copy != NULL && sqlite3_open(":memory:", &handle) == SQLITE_OK);
    memcpy(copy, original, (size_t)original_size);
    FUZZ_CHECK(sqlite3_deserialize(handle, "main", copy, original_size, original_size,
                                   SQLITE_DESERIALIZE_FREEONCLOSE |
                                       SQLITE_DESERIALIZE_RESIZEABLE) == SQLITE_OK);
    return handle;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    g_autoptr(FieldEdgeDatabase) database = NULL;
    GError *error = NULL;
    sqlite3 *handle = copy_original();

    sqlite3_exec(handle, "BEGIN", NULL, NULL, NULL);
    while (input.size > 0)
        change_value(handle, &input);
    sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
    database = fieldedge_database_new_for_handle(handle, "fuzz", &error);
    FUZZ_CHECK(database != NULL);
    fuzz_read_iterators(database, "fuzz: ");
    fieldedge_database_close(g_steal_pointer(&database));
    FUZZ_CHECK(sqlite3_close(handle) == SQLITE_OK);
    return 0;
}
