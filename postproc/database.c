/* database.c
 * Opens databases for reading, turns SQLite's errors into sentences, and hands out rows.
 *
 * How a file is opened: for reading and writing with PRAGMA query_only, because only a connection
 * that may write removes the -wal and -shm files it needs itself; SQLite falls back to reading
 * where the file cannot be written.  In a folder that cannot be written and without a -wal file
 * nobody can be recording, so there the file is opened as immutable.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "database.h"

#include "damage.h"
#include "host_pairs.h"
#include "near.h"
#include "packets.h"
#include "schema/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 2000 };

G_DEFINE_QUARK(fieldedge - error - quark, fieldedge_error)

const char *fieldedge_version(void)
{
    return FIELDEDGE_VERSION;
}

/* ---- Errors ---- */

static FieldEdgeError error_code(int sqlite_code)
{
    switch (sqlite_code & 0xff) {
    case SQLITE_NOTADB:
        return FIELDEDGE_ERROR_FOREIGN;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FIELDEDGE_ERROR_LOCKED;
    case SQLITE_CORRUPT:
        return FIELDEDGE_ERROR_DAMAGED;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return FIELDEDGE_ERROR_ACCESS;
    default:
        return FIELDEDGE_ERROR_DATABASE;
    }
}

static void set_sqlite_error(const char *name, int sqlite_code, const char *words, GError **error)
{
    FieldEdgeError code = error_code(sqlite_code);

    switch (code) {
    case FIELDEDGE_ERROR_FOREIGN:
        g_set_error(error, FIELDEDGE_ERROR, code, "%s: the file is not an SQLite database", name);
        return;
    case FIELDEDGE_ERROR_LOCKED:
        g_set_error(error, FIELDEDGE_ERROR, code,
                    "%s: the database is locked by another program; try again when that has ended",
                    name);
        return;
    case FIELDEDGE_ERROR_ACCESS:
        g_set_error(error, FIELDEDGE_ERROR, code,
                    "%s: cannot open the database or the files that belong to it (%s)", name,
                    words);
        return;
    default:
        g_set_error(error, FIELDEDGE_ERROR, code, "%s: cannot read the database: %s", name, words);
    }
}

/* SQLite's words, in which a damaged file may have put anything. */
static char *dup_words(sqlite3 *handle)
{
    enum { WORDS_LENGTH = 300 };
    const char *words = sqlite3_errmsg(handle);

    return database_clean_text(words, strnlen(words, WORDS_LENGTH));
}

/* For a person who has to decide what to do, the tables. */
static void set_damaged(FieldEdgeDatabase *database, GError **error)
{
    g_autofree char *words = dup_words(database->handle);
    g_autofree char *extent = damage_describe(database->handle);

    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_DAMAGED,
                "%s: the database is damaged (%s; %s); record the captures again; "
                "sqlite3 DATABASE .dump shows what can still be read",
                database->name, words, extent);
}

bool database_failed(FieldEdgeDatabase *database, GError **error)
{
    int code = sqlite3_extended_errcode(database->handle);
    g_autofree char *words = dup_words(database->handle);

    if (error_code(code) == FIELDEDGE_ERROR_DAMAGED)
        set_damaged(database, error);
    else
        set_sqlite_error(database->name, code, words, error);
    return false;
}

/* An error of schema_verify(), whose message lacks the file. */
static void take_schema_error(FieldEdgeDatabase *database, GError *problem, GError **error)
{
    FieldEdgeError code;

    switch (problem->code) {
    case SCHEMA_ERROR_FOREIGN:
        code = FIELDEDGE_ERROR_FOREIGN;
        break;
    case SCHEMA_ERROR_NEWER:
        code = FIELDEDGE_ERROR_NEWER;
        break;
    case SCHEMA_ERROR_OLDER:
        code = FIELDEDGE_ERROR_OLDER;
        break;
    default:
        database_failed(database, error);
        g_error_free(problem);
        return;
    }
    if (sqlite3_errcode(database->handle) == SQLITE_NOTADB)
        database_failed(database, error); /* schema.c's advice is for writers */
    else
        g_set_error(error, FIELDEDGE_ERROR, code, "%s: %s", database->name, problem->message);
    g_error_free(problem);
}

/* ---- Opening ---- */

/* What SQLite would say of all these is "unable to open database file". */
static bool check_file(const char *path, GError **error)
{
    struct stat status;

    if (g_stat(path, &status) != 0) {
        int code = errno == ENOENT || errno == ENOTDIR ? FIELDEDGE_ERROR_NOT_FOUND
                                                       : FIELDEDGE_ERROR_ACCESS;
        g_set_error(error, FIELDEDGE_ERROR, code, "%s: %s", path,
                    errno == ENOENT ? "there is no such file" : g_strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS,
                    "%s: this is a directory, not a database", path);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_FOREIGN,
                    "%s: this is not a regular file, so no database", path);
        return false;
    }
    if (g_access(path, R_OK) != 0) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS,
                    "%s: the file cannot be read: %s", path, g_strerror(errno));
        return false;
    }
    return true;
}

/* Nobody records: there is no -wal file with anything in it. */
static bool is_at_rest(const char *path)
{
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    struct stat status;

    return g_stat(wal, &status) != 0 || status.st_size == 0;
}

static int open_handle(const char *path, bool immutable, sqlite3 **handle)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *escaped = g_uri_escape_string(absolute, "/", FALSE);
    g_autofree char *uri = g_strdup_printf("file:%s%s", escaped, immutable ? "?immutable=1" : "");
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                (immutable ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    int code = sqlite3_open_v2(uri, handle, flags, NULL);

    if (code != SQLITE_OK)
        return code;
    sqlite3_extended_result_codes(*handle, 1);
    sqlite3_busy_timeout(*handle, BUSY_TIMEOUT_MS);
    /* From here on one read transaction, which the first look at the file starts. */
    return sqlite3_exec(*handle,
                        "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;"
                        "PRAGMA temp_store = FILE; BEGIN;"
                        "SELECT 1 FROM sqlite_schema LIMIT 1",
                        NULL, NULL, NULL);
}

static bool verify(FieldEdgeDatabase *database, GError **error)
{
    GError *problem = NULL;

    if (schema_verify(database->handle, &problem)) {
        if (packets_register(database->handle) == SQLITE_OK &&
            host_pairs_register(database->handle) == SQLITE_OK)
            return true;
        return database_failed(database, error);
    }
    take_schema_error(database, problem, error);
    return false;
}

static FieldEdgeDatabase *open_for_reading(const char *path, GError **error)
{
    g_autoptr(FieldEdgeDatabase) database = g_new0(FieldEdgeDatabase, 1);

    database->name = g_strdup(path);
    database->is_ours = true;
    int code = open_handle(path, false, &database->handle);
    if (((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY) &&
        is_at_rest(path)) {
        sqlite3_close(database->handle);
        database->handle = NULL;
        code = open_handle(path, true, &database->handle);
    }
    if (code != SQLITE_OK) {
        database_failed(database, error);
        return NULL;
    }
    if (!verify(database, error))
        return NULL;
    return g_steal_pointer(&database);
}

static bool can_be_written(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);

    return g_access(path, W_OK) == 0 && g_access(folder, W_OK) == 0;
}

/* What schema_prepare() says, with the file; where nothing can be written SQLite's words are of no
 * help ("unable to open database file"), and why one would write is of some. */
static void take_migration_error(const char *path, GError *problem, GError **error)
{
    if (g_error_matches(problem, SCHEMA_ERROR, SCHEMA_ERROR_LOCKED))
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_LOCKED, "%s: %s", path,
                    problem->message);
    else if (problem->code == SCHEMA_ERROR_OLDER || can_be_written(path))
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_OLDER, "%s: %s", path,
                    problem->message);
    else
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_OLDER,
                    "%s: the database has an older version and may only be read, so it cannot be "
                    "brought to version %d; make the file and its folder writable",
                    path, SCHEMA_VERSION);
    g_error_free(problem);
}

static bool bring_up_to_date(const char *path, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    sqlite3 *handle = NULL;
    GError *problem = NULL;
    bool ok = false;

    if (sqlite3_open_v2(absolute, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        set_sqlite_error(path, sqlite3_extended_errcode(handle), sqlite3_errmsg(handle), error);
    else if (!(ok = schema_prepare(handle, &problem)))
        take_migration_error(path, problem, error);
    sqlite3_close(handle);
    return ok;
}

FieldEdgeDatabase *fieldedge_database_open(const char *path, GError **error)
{
    GError *problem = NULL;
    FieldEdgeDatabase *database;

    g_return_val_if_fail(path != NULL, NULL);
    if (!check_file(path, error))
        return NULL;
    database = open_for_reading(path, &problem);
    if (g_error_matches(problem, FIELDEDGE_ERROR, FIELDEDGE_ERROR_OLDER)) {
        g_clear_error(&problem);
        if (bring_up_to_date(path, &problem))
            database = open_for_reading(path, &problem);
    }
    if (problem != NULL)
        g_propagate_error(error, problem);
    return database;
}

FieldEdgeDatabase *fieldedge_database_new_for_handle(sqlite3 *handle, const char *name,
                                                     GError **error)
{
    g_return_val_if_fail(handle != NULL && name != NULL, NULL);

    g_autoptr(FieldEdgeDatabase) database = g_new0(FieldEdgeDatabase, 1);
    database->name = g_strdup(name);
    database->handle = handle;
    if (!verify(database, error))
        return NULL;
    return g_steal_pointer(&database);
}

void fieldedge_database_close(FieldEdgeDatabase *database)
{
    if (database == NULL)
        return;
    sqlite3_finalize(database->host);
    if (database->is_ours)
        sqlite3_close_v2(database->handle);
    g_free(database->name);
    g_free(database);
}

/* ---- Cursors ---- */

static bool prepare(FieldEdgeDatabase *database, const char *sql, sqlite3_stmt **statement,
                    GError **error)
{
    if (sqlite3_prepare_v2(database->handle, sql, -1, statement, NULL) == SQLITE_OK)
        return true;
    return database_failed(database, error);
}

sqlite3_stmt *database_host_statement(FieldEdgeDatabase *database, GError **error)
{
    if (database->host == NULL)
        prepare(database, "SELECT text, name FROM host WHERE id = ?1", &database->host, error);
    return database->host;
}

static bool check_capture(FieldEdgeDatabase *database, gint64 capture, GError **error)
{
    sqlite3_stmt *statement = NULL;
    bool ok = false;

    if (capture == 0)
        return true;
    if (!prepare(database, "SELECT count(*), min(id), max(id), total(id = ?1) FROM capture",
                 &statement, error))
        return false;
    sqlite3_bind_int64(statement, 1, capture);
    if (sqlite3_step(statement) != SQLITE_ROW) {
        database_failed(database, error);
        goto done;
    }
    ok = sqlite3_column_int(statement, 3) != 0;
    if (!ok && sqlite3_column_int64(statement, 0) == 0)
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: there is no capture %" G_GINT64_FORMAT "; the database holds none yet",
                    database->name, capture);
    else if (!ok)
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: there is no capture %" G_GINT64_FORMAT
                    "; the captures go from %lld to %lld",
                    database->name, capture, sqlite3_column_int64(statement, 1),
                    sqlite3_column_int64(statement, 2));
done:
    sqlite3_finalize(statement);
    return ok;
}

/* Names the applications that are near, or how to see all. */
static bool refuse_application(FieldEdgeDatabase *database, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = database_application_names(database, error);

    if (names == NULL)
        return false;
    g_autofree char *near = near_names(name, names, 5);
    if (near != NULL)
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: there is no application '%.60s'; did you mean %s?", database->name, name,
                    near);
    else
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: there is no application '%.60s'; fieldedge summary lists them",
                    database->name, name);
    return false;
}

/* Applications of the filter that the database does not hold: a slip, more likely than a wish. */
static bool check_names(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                        GError **error)
{
    static const char sql[] = "SELECT 1 FROM application WHERE name = ?1";
    sqlite3_stmt *statement = NULL;
    const char *unknown = NULL;

    if (selection->names == NULL || selection->names->len == 0)
        return true;
    if (!prepare(database, sql, &statement, error))
        return false;
    for (guint i = 0; i < selection->names->len && unknown == NULL; i++) {
        const char *name = g_ptr_array_index(selection->names, i);

        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) == SQLITE_DONE)
            unknown = name;
        if (sqlite3_reset(statement) != SQLITE_OK) {
            sqlite3_finalize(statement);
            return database_failed(database, error);
        }
    }
    sqlite3_finalize(statement);
    return unknown == NULL || refuse_application(database, unknown, error);
}

bool cursor_open(struct cursor *cursor, FieldEdgeDatabase *database, const char *sql,
                 const FieldEdgeSelection *selection, GError **error)
{
    selection = selection_or_default(selection);
    g_autofree char *expanded = selection_expand(selection, sql);

    cursor->database = database;
    cursor->texts = g_ptr_array_new_with_free_func(g_free);
    if (!check_capture(database, selection->capture, error) ||
        !check_names(database, selection, error) ||
        !prepare(database, expanded, &cursor->statement, error))
        return false;
    selection_bind(selection, cursor->statement);
    return true;
}

bool cursor_step(struct cursor *cursor, GError **error)
{
    if (cursor->texts->len > 0)
        g_ptr_array_set_size(cursor->texts, 0);
    if (cursor->statement == NULL)
        return false;

    int code = sqlite3_step(cursor->statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        database_failed(cursor->database, error);
    sqlite3_finalize(g_steal_pointer(&cursor->statement));
    return false;
}

void cursor_close(struct cursor *cursor)
{
    sqlite3_finalize(g_steal_pointer(&cursor->statement));
    g_clear_pointer(&cursor->texts, g_ptr_array_unref);
}

gint64 column_int(struct cursor *cursor, int column)
{
    return sqlite3_column_int64(cursor->statement, column);
}

gint64 column_int_or(struct cursor *cursor, int column, gint64 if_null)
{
    if (sqlite3_column_type(cursor->statement, column) == SQLITE_NULL)
        return if_null;
    return column_int(cursor, column);
}

char *database_clean_text(const char *bytes, size_t length)
{
    GString *text = g_string_sized_new(length + 8);
    const char *end = bytes + length;

    for (const char *at = bytes; at < end;) {
        const char *bad = at;
        g_utf8_validate_len(at, (gsize)(end - at), &bad);
        for (; at < bad; at++) {
            g_string_append_c(text, *at);
            if (at[0] == '\\' && at + 1 < end && at[1] == 'x')
                g_string_append(text, "x5C");
        }
        if (at < end)
            g_string_append_printf(text, "\\x%02X", (guchar)*at++);
    }
    return g_string_free(text, FALSE);
}

char *column_dup(struct cursor *cursor, int column)
{
    const char *bytes = (const char *)sqlite3_column_text(cursor->statement, column);

    if (bytes == NULL)
        return NULL;
    return database_clean_text(bytes, (size_t)sqlite3_column_bytes(cursor->statement, column));
}

const char *column_text(struct cursor *cursor, int column)
{
    char *text = column_dup(cursor, column);

    if (text != NULL)
        g_ptr_array_add(cursor->texts, text);
    return text;
}

GPtrArray *database_application_names(FieldEdgeDatabase *database, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database, "SELECT name FROM application ORDER BY name", NULL,
                          &problem);

    while (ok && cursor_step(&cursor, &problem))
        g_ptr_array_add(names, column_dup(&cursor, 0));
    cursor_close(&cursor);
    if (problem == NULL)
        return g_steal_pointer(&names);
    g_propagate_error(error, problem);
    return NULL;
}

/* ---- Times ---- */

gint64 time_span(gint64 later, gint64 earlier)
{
    gint64 span;

    if (later <= earlier)
        return 0;
    return __builtin_sub_overflow(later, earlier, &span) ? G_MAXINT64 : span;
}

gint64 time_add(gint64 a, gint64 b)
{
    gint64 sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? G_MAXINT64 : G_MININT64;
    return sum;
}

gint64 overhead_bytes(gint64 ip_ab, gint64 ip_ba, gint64 payload_ab, gint64 payload_ba)
{
    int128 bytes = (int128)ip_ab + ip_ba - payload_ab - payload_ba;

    return (gint64)CLAMP(bytes, G_MININT64, G_MAXINT64);
}
