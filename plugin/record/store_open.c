/* store_open.c: see store_open.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/store_open.h"

#include "plugin/record/store.h"
#include "schema/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BUSY_TIMEOUT_MS = 5000,      /* for another program's lock, at opening */
    READONLY_PATIENCE_MS = 1000, /* see may_pass() */
    READONLY_PAUSE_MS = 10,
    PATIENCE_MS = 60000, /* the same while recording: others may build an index meanwhile */
    CACHE_KIB = 4096,    /* of SQLite's page cache: part of the recorder's memory bound */
    PAGE_BYTES = 8192
};

/* The byte that a recording locks: far behind the data and behind the bytes that SQLite locks. */
#define LOCK_BYTE (INT64_C(1) << 62)

char *store_describe_failure(sqlite3 *db, const char *path, const char *doing)
{
    int code = sqlite3_extended_errcode(db);
    bool is_full = (code & 0xff) == SQLITE_IOERR && sqlite3_system_errno(db) == ENOSPC;
    return store_describe_code(is_full ? SQLITE_FULL : code, sqlite3_errmsg(db), path, doing);
}

char *store_describe_code(int code, const char *message, const char *path, const char *doing)
{
    const char *what = message;
    const char *advice = "What was committed before is kept.";
    if (code == SQLITE_IOERR_SHMSIZE) /* no room for the file that readers and writer share */
        code = SQLITE_FULL;
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
    case SQLITE_CANTOPEN:
        what = "the database, or the files that SQLite keeps beside it, cannot be opened";
        advice = "Check the permissions of its directory, or record into another file.";
        break;
    case SQLITE_CORRUPT:
        what = "the database is damaged";
        advice = "Save what is left with `sqlite3 FILE .recover`, and record into another file.";
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
        problem =
            g_strdup_printf("%s: there is no directory %s. Create it first.", path, directory);
    else if (g_access(directory, W_OK | X_OK) != 0)
        problem =
            g_strdup_printf("%s: the directory %s cannot be written. Check its permissions, or "
                            "record into another one.",
                            path, directory);
    g_free(directory);
    return problem;
}

static bool capture_enter(sqlite3 *db, const struct recorder_options *options,
                          struct store_file *file)
{
    static const char insert[] =
        "INSERT INTO capture (base_ns, filter, local_networks, payload_hashes, tshark_version,"
        " plugin_version, fingerprint) VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6) RETURNING id,"
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
    if (options->recording != NULL && options->recording->fingerprint != NULL)
        sqlite3_bind_text(statement, 6, options->recording->fingerprint, -1, SQLITE_STATIC);
    ok = sqlite3_step(statement) == SQLITE_ROW;
    if (ok) {
        file->capture = sqlite3_column_int64(statement, 0);
        file->next_conversation = sqlite3_column_int64(statement, 1);
        ok = sqlite3_step(statement) == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool run_text(sqlite3 *db, const char *sql, int64_t number, const char *text)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK;
    if (ok) {
        sqlite3_bind_int64(statement, 1, number);
        if (text != NULL)
            sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
        ok = sqlite3_step(statement) == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    return ok;
}

/* A capture that goes on in another file.  false without an error of SQLite: it is gone. */
static bool capture_resume(sqlite3 *db, int64_t capture, struct store_file *file)
{
    static const char sql[] =
        "SELECT c.base_ns, c.started_ns IS NOT NULL OR EXISTS (SELECT 1 FROM watch_file f"
        " WHERE f.capture = c.id AND f.packets > 0), (SELECT ifnull(max(id), 0) + 1 FROM"
        " conversation), (SELECT max(last) FROM watch_file f WHERE f.capture = c.id)"
        " FROM capture c WHERE c.id = ?1";
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK;
    if (ok)
        sqlite3_bind_int64(statement, 1, capture);
    ok = ok && sqlite3_step(statement) == SQLITE_ROW;
    if (ok) {
        file->capture = capture;
        file->watch.base_ns = sqlite3_column_int64(statement, 0);
        file->watch.has_base = sqlite3_column_int(statement, 1) != 0;
        file->next_conversation = sqlite3_column_int64(statement, 2);
        file->watch.last = sqlite3_column_int64(statement, 3);
    }
    sqlite3_finalize(statement);
    return ok &&
           run_text(db, "UPDATE capture SET status = 'interrupted' WHERE id = ?1", capture, NULL);
}

/* Enters the capture, or goes on with one of a watch. */
static bool capture_begin(sqlite3 *db, const struct recorder_options *options,
                          struct store_file *file)
{
    const struct schema_recording *recording = options->recording;
    file->watch.is_on = recording != NULL && recording->watch != NULL;
    if (!file->watch.is_on)
        return capture_enter(db, options, file);
    if (recording->capture != 0)
        return capture_resume(db, recording->capture, file);
    if (!capture_enter(db, options, file))
        return false;
    file->watch.last = (file->capture - 1) * (INT64_C(1) << 32);
    return run_text(db, "INSERT INTO watch (capture, source) VALUES (?1, ?2)", file->capture,
                    recording->watch);
}

/* The row of the file comes first, so that two of one name are refused before any work. */
static bool watch_file_enter(sqlite3 *db, const char *name, struct store_file *file)
{
    static const char sql[] = "INSERT INTO watch_file (capture, name, first, last, packets,"
                              " continued) VALUES (?1, ?2, 0, 0, 0, 0)";
    if (!file->watch.is_on)
        return true;
    if (!run_text(db, sql, file->capture, name))
        return false;
    file->watch.file = sqlite3_last_insert_rowid(db);
    return true;
}

/* An atomic recording begins its transaction here, and the capture that it replaces goes. */
static bool transaction_begin(sqlite3 *db, const struct schema_recording *recording)
{
    if (recording == NULL || !schema_recording_is_atomic(recording))
        return true;
    return sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
           (recording->replace == 0 || schema_delete_capture(db, recording->replace) == SQLITE_OK);
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

/* Two recordings at once would give out the same ids.  The lock belongs to the open file, so it
 * holds inside one process too, and ends with the process.  Closing any descriptor of the file
 * drops SQLite's own locks in this process: only after sqlite3_close().  Where the file system has
 * no such locks, the second recording fails when its ids collide. */
static bool lock_for_recording(struct store_file *file, const char *path, char **error)
{
    file->lock = open(path, O_RDWR | O_CLOEXEC);
#ifdef F_OFD_SETLK
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_BYTE, .l_len = 1};
    if (file->lock < 0 || fcntl(file->lock, F_OFD_SETLK, &byte) == 0)
        return true;
    if (errno == EAGAIN || errno == EACCES) {
        *error = g_strdup_printf("%s: another recording is writing into it. Wait for it to end, or"
                                 " record into another file.",
                                 path);
        file->lock = -1; /* left open: the other recording may be in this process */
        return false;
    }
#else
    (void)path, (void)error;
#endif
    return true;
}

void store_close_database(struct store_file *file)
{
    sqlite3_close(file->db);
    if (file->lock >= 0)
        close(file->lock);
    file->db = NULL;
    file->lock = -1;
}

void store_delete_database(const char *path)
{
    static const char *const endings[] = {"-journal", "-wal", "-shm", ""};
    char *real = realpath(path, NULL); /* of a symbolic link the target */
    for (size_t i = 0; real != NULL && i < G_N_ELEMENTS(endings); i++) {
        char *name = g_strconcat(real, endings[i], NULL);
        g_unlink(name);
        g_free(name);
    }
    free(real);
}

/* One try; *code is SQLite's if it fails. */
static bool open_once(const struct recorder_options *options, struct store_file *file, int *code,
                      char **error)
{
    const char *path = options->database;
    GError *problem = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                (options->is_in_memory ? SQLITE_OPEN_URI : 0);
    *code = SQLITE_OK;
    if (sqlite3_open_v2(path, &file->db, flags, NULL) != SQLITE_OK) {
        *error = store_describe_failure(file->db, path, "opening it");
        return false;
    }
    sqlite3_extended_result_codes(file->db, 1);
    sqlite3_busy_timeout(file->db, BUSY_TIMEOUT_MS);
    if (!execute_pragmas(file->db)) {
        *error = store_describe_failure(file->db, path, "opening it");
        return false;
    }
    if (!schema_prepare(file->db, &problem)) {
        *code = sqlite3_errcode(file->db);
        *error = g_strdup_printf("%s: %s", path, problem->message);
        g_clear_error(&problem);
        return false;
    }
    if (!options->is_in_memory && !lock_for_recording(file, path, error))
        return false;
    if (execute_journal_mode(file->db) && transaction_begin(file->db, options->recording) &&
        capture_begin(file->db, options, file) &&
        watch_file_enter(file->db, file->watch.is_on ? options->recording->file : NULL, file))
        return true;
    *code = sqlite3_errcode(file->db);
    *error = store_describe_failure(file->db, path, "entering the capture");
    return false;
}

/* A reader of another user makes the file that readers and writer share, and gives it to the
 * database's owner a moment later: in between it cannot be written, and SQLite takes the database
 * for read-only until it is opened anew. */
static bool may_pass(int code)
{
    return (code & 0xff) == SQLITE_READONLY || (code & 0xff) == SQLITE_CANTOPEN;
}

bool store_open_database(const struct recorder_options *options, struct store_file *file,
                         char **error)
{
    const char *path = options->database;
    gint64 deadline = g_get_monotonic_time() + READONLY_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
    int code;
    *file = (struct store_file){.lock = -1};
    if (!options->is_in_memory) {
        file->is_new = !g_file_test(path, G_FILE_TEST_EXISTS);
        *error = path_problem(path);
        if (*error != NULL)
            return false;
    }
    while (!open_once(options, file, &code, error)) {
        bool again = may_pass(code) && g_get_monotonic_time() < deadline;
        store_close_database(file);
        if (!again) {
            if (file->is_new)
                store_delete_database(path);
            return false;
        }
        g_clear_pointer(error, g_free);
        sqlite3_sleep(READONLY_PAUSE_MS);
    }
    sqlite3_busy_timeout(file->db, PATIENCE_MS);
    return true;
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
