/* fuzz_query.c
 * Any SQL given to fieldedge_query_new(), on a database of one packet.  Whatever it is, the file
 * stays as it was and no other appears beside it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz.h"

#include "schema/schema.h"

#include <glib/gstdio.h>
#include <unistd.h>

enum { ROWS_MAX = 200, TIMEOUT_MS = 100 };

static char *folder, *path;
static char *original;
static gsize original_length;

static void make_database(void)
{
    GError *error = NULL;
    sqlite3 *handle = NULL;

    if (sqlite3_open(path, &handle) != SQLITE_OK || !schema_prepare(handle, &error) ||
        sqlite3_exec(handle,
                     "INSERT INTO capture (id, base_ns, local_networks, payload_hashes,"
                     " tshark_version, plugin_version) VALUES (1, 0, '10.0.0.0/8', 0, 't', 'p');"
                     "INSERT INTO host VALUES (1, x'0a000001', '10.0.0.1', NULL),"
                     " (2, x'08080808', '8.8.8.8', 'dns.example.net');"
                     "INSERT INTO application VALUES (1, 'UDP_DNS');"
                     "INSERT INTO packet_kind VALUES (1, 'dns', 0, NULL, 0, NULL, 0, 0, 0);"
                     "INSERT INTO conversation (id, capture, is_link, transport, host_a, host_b,"
                     " application, is_local, started_ns, ended_ns)"
                     " VALUES (1, 1, 0, 'UDP', 1, 2, 1, 0, 0, 0);"
                     "INSERT INTO packet VALUES (1, 0, 1, 70, 14, 28, 1, 0, NULL)",
                     NULL, NULL, NULL) != SQLITE_OK)
        abort();
    sqlite3_close(handle);
    FUZZ_CHECK(g_file_get_contents(path, &original, &original_length, NULL));
}

static void clean_up(void)
{
    g_unlink(path);
    g_rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    folder = g_dir_make_tmp("fieldedge-fuzz-XXXXXX", NULL);
    FUZZ_CHECK(folder != NULL && g_chdir(folder) == 0);
    path = g_build_filename(folder, "site.db", NULL);
    make_database();
    atexit(clean_up);
    return 0;
}

static void check_files(void)
{
    GDir *directory = g_dir_open(folder, 0, NULL);
    const char *name;
    g_autofree char *now = NULL;
    gsize length = 0;

    while ((name = g_dir_read_name(directory)) != NULL)
        FUZZ_CHECK(strcmp(name, "site.db") == 0);
    g_dir_close(directory);
    FUZZ_CHECK(g_file_get_contents(path, &now, &length, NULL));
    FUZZ_CHECK(length == original_length && memcmp(now, original, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *sql = g_strndup((const char *)data, size);
    g_autofree char *prefix = g_strdup_printf("%s: ", path);
    GError *error = NULL;
    FieldEdgeDatabase *database = fieldedge_database_open(path, &error);
    FieldEdgeQuery *query;

    FUZZ_CHECK(database != NULL);
    query = fieldedge_query_new(database, sql, TIMEOUT_MS, &error);
    FUZZ_CHECK((query == NULL) == (error != NULL));
    for (int i = 0; query != NULL && i < ROWS_MAX; i++) {
        const FieldEdgeValue *row = fieldedge_query_next(query, &error);
        if (row == NULL)
            break;
        for (guint k = 0; k < fieldedge_query_get_column_count(query); k++) {
            fuzz_check_text(fieldedge_query_get_columns(query)[k].name);
            fuzz_check_text(row[k].type == FIELDEDGE_VALUE_TEXT ? row[k].text : NULL);
        }
    }
    fieldedge_query_free(query);
    fieldedge_database_close(database);
    fuzz_check_error(error, prefix);
    check_files();
    return 0;
}
