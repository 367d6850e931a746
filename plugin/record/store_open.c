/* store_open.c: see store_open.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/store_open.h"

#include "plugin/record/store.h"
#include "schema/schema.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

enum {
    BUSY_TIMEOUT_MS = 5000,
    CACHE_KIB = 4096,       /* of SQLite's page cache: part of the recorder's memory bound */
    PAGE_BYTES = 8192
};

char *store_describe_failure(sqlite3 *db, const char *path, const char *doing)
{
    int code = sqlite3_errcode(db);
    const char *what = sqlite3_errmsg(db);
    const char *advice = "What was committed before is kept.";
    switch (code & 0xff) {
    case SQLITE_FULL:
        what = "the disk is full";
        advice = "Free some space and record again; what was committed before is kept.";
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        what = "the database is locked by another program";
        advice = "Wait for it to end, or record into another file.";
        break;
    case SQLITE_READONLY:
        what = "the database or its directory cannot be written";
        advice = "Check the permissions, or record into another file.";
        break;
    case SQLITE_NOTADB:
        what = "the file is not an SQLite database";
        advice = "Name another file; this one is left as it is.";
        break;
    case SQLITE_CONSTRAINT:
        what = "another recording has written to the database meanwhile";
        advice = "Record into one database at a time.";
        break;
    default:
        break;
    }
    return g_strdup_printf("%s: %s (%s). %s", path, what, doing, advice);
}

/* What the file system can tell before SQLite is asked: its words are better here. */
static char *path_problem(const char *path)
{
    GStatBuf info;
    if (path[0] == '\0')
        return g_strdup("no database is named. Write -z fieldedge,FILE.");
    if (g_stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return g_strdup_printf("%s: is a directory. Name a file in it.", path);
        if (!S_ISREG(info.st_mode))
            return g_strdup_printf("%s: is not a regular file. Name another one.", path);
        if (g_access(path, R_OK | W_OK) != 0)
            return g_strdup_printf("%s: %s. Check the permissions, or record into another file.",
                                   path, g_strerror(errno));
        return NULL;
    }
    if (errno != ENOENT)
        return g_strdup_printf("%s: %s.", path, g_strerror(errno));
    char *directory = g_path_get_dirname(path);
    char *problem = NULL;
    if (g_access(directory, F_OK) != 0)
        problem = g_strdup_printf("%s: there is no directory %s. Create it first.", path, directory);
    else if (g_access(directory, W_OK | X_OK) != 0)
        problem = g_strdup_printf("%s: the directory %s cannot be written. Check its permissions, or "
                                  "record into another one.", path, directory);
    g_free(directory);
    return problem;
}

static bool capture_enter(sqlite3 *db, const struct recorder_options *options, int64_t *capture,
                          int64_t *next_conversation)
{
    static const char insert[] =
        "INSERT INTO capture (base_ns, filter, local_networks, payload_hashes, tshark_version,"
        " plugin_version) VALUES (0, ?1, ?2, ?3, ?4, ?5) RETURNING id,"
        " (SELECT ifnull(max(id), 0) + 1 FROM conversation)";
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, insert, -1, &statement, NULL) == SQLITE_OK;
    if (!ok)
        return false;
    if (options->filter != NULL && options->filter[0] != '\0')
        sqlite3_bind_text(statement, 1, options->filter, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, options->local_networks, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 3, options->payload_hashes);
    sqlite3_bind_text(statement, 4, options->tshark_version, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, options->plugin_version, -1, SQLITE_STATIC);
    ok = sqlite3_step(statement) == SQLITE_ROW;
    if (ok) {
        *capture = sqlite3_column_int64(statement, 0);
        *next_conversation = sqlite3_column_int64(statement, 1);
        ok = sqlite3_step(statement) == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool execute_pragmas(sqlite3 *db)
{
    char *sql = g_strdup_printf("PRAGMA page_size = %d; PRAGMA cache_size = -%d;"
                                "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF;",
                                PAGE_BYTES, CACHE_KIB);
    bool ok = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    g_free(sql);
    return ok;
}

/* After schema_prepare(): a foreign file's journal mode is not ours to change. */
static bool execute_journal_mode(sqlite3 *db)
{
    return sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", NULL, NULL,
                        NULL) == SQLITE_OK;
}

sqlite3 *store_open_database(const struct recorder_options *options, int64_t *capture,
                             int64_t *next_conversation, char **error)
{
    const char *path = options->database;
    sqlite3 *db = NULL;
    GError *problem = NULL;
    bool existed = g_file_test(path, G_FILE_TEST_EXISTS);
    *error = path_problem(path);
    if (*error != NULL)
        return NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
        *error = store_describe_failure(db, path, "opening it");
        goto failed;
    }
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    if (!execute_pragmas(db)) {
        *error = store_describe_failure(db, path, "opening it");
        goto failed;
    }
    if (!schema_prepare(db, &problem)) {
        *error = g_strdup_printf("%s: %s", path, problem->message);
        g_clear_error(&problem);
        goto failed;
    }
    if (!execute_journal_mode(db) || !capture_enter(db, options, capture, next_conversation)) {
        *error = store_describe_failure(db, path, "entering the capture");
        goto failed;
    }
    return db;
failed:
    sqlite3_close(db);
    if (!existed)
        g_unlink(path);
    return NULL;
}

bool store_set_status(const char *database, int64_t capture, const char *status)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
              sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) == SQLITE_OK &&
              sqlite3_prepare_v2(db, "UPDATE capture SET status = ?2 WHERE id = ?1", -1, &statement,
                                 NULL) == SQLITE_OK;
    if (ok) {
        sqlite3_bind_int64(statement, 1, capture);
        sqlite3_bind_text(statement, 2, status, -1, SQLITE_STATIC);
        ok = sqlite3_step(statement) == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return ok;
}
