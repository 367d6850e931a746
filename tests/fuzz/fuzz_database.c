/* fuzz_database.c
 * The bytes of a database file, read by every iterator of fieldedge.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz_read.h"

#include <sqlite3.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    /* A damaged file may ask for any amount. */
    sqlite3_hard_heap_limit64(256 * 1024 * 1024);
    return 0;
}

static int give_up(void *data)
{
    gint64 *deadline = data;

    return g_get_monotonic_time() > *deadline;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(FieldEdgeDatabase) database = NULL;
    gint64 deadline = g_get_monotonic_time() + 2 * G_TIME_SPAN_SECOND;
    GError *error = NULL;
    sqlite3 *handle = NULL;
    unsigned char *copy = sqlite3_malloc64(size + 1);

    if (copy == NULL || sqlite3_open(":memory:", &handle) != SQLITE_OK)
        abort();
    memcpy(copy, data, size);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 1024 * 1024);
    sqlite3_limit(handle, SQLITE_LIMIT_VDBE_OP, 100000);
    sqlite3_progress_handler(handle, 10000, give_up, &deadline);
    if (sqlite3_deserialize(handle, "main", copy, (sqlite3_int64)size, (sqlite3_int64)size,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY) ==
        SQLITE_OK) {
        database = fieldedge_database_new_for_handle(handle, "fuzz", &error);
        if (database != NULL) {
            fuzz_read_iterators(database, "fuzz: ");
            fuzz_read_views(database, "fuzz: ");
        }
        fuzz_check_error(error, "fuzz: ");
        fieldedge_database_close(g_steal_pointer(&database));
    }
    FUZZ_CHECK(sqlite3_close(handle) == SQLITE_OK); /* no statement was left */
    return 0;
}
