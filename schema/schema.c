/* schema.c
 * Creates, migrates and refuses databases; finds names in the compiled-in tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "schema/schema.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOCK_PATIENCE_MS = 3000, /* how long another process may keep the file locked */
    LOCK_PAUSE_MS = 10
};

GQuark schema_error_quark(void)
{
    return g_quark_from_static_string("fieldedge-schema-error-quark");
}

/* What the first pages of a database say of it. */
struct header {
    int application_id;
    int version;
    int objects; /* tables, indexes, views and triggers */
};

static bool sqlite_failed(sqlite3 *db, const char *what, GError **error)
{
    int code = sqlite3_extended_errcode(db);

    switch (code & 0xff) {
    case SQLITE_NOTADB:
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_FOREIGN,
                    "the file is not an SQLite database; choose another file name");
        break;
    case SQLITE_READONLY:
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_SQLITE,
                    "the database is read-only; make the file and its folder writable");
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_LOCKED,
                    "the database is locked by another program; try again when that has ended");
        break;
    default:
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_SQLITE, "cannot %s: %s", what,
                    sqlite3_errmsg(db));
    }
    return false;
}

static bool run(sqlite3 *db, const char *sql, const char *what, GError **error)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return sqlite_failed(db, what, error);
}

/* One statement, so one snapshot: another process may be creating the tables at this moment. */
static bool read_header(sqlite3 *db, struct header *header, GError **error)
{
    static const char sql[] = "SELECT application_id, user_version,"
                              " (SELECT count(*) FROM main.sqlite_schema)"
                              " FROM pragma_application_id, pragma_user_version";
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;

    if (ok)
        *header = (struct header){.application_id = sqlite3_column_int(statement, 0),
                                  .version = sqlite3_column_int(statement, 1),
                                  .objects = sqlite3_column_int(statement, 2)};
    else
        sqlite_failed(db, "read the database", error);
    sqlite3_finalize(statement);
    return ok;
}

static bool is_fresh(const struct header *header)
{
    return header->application_id == 0 && header->version == 0 && header->objects == 0;
}

/* Refuses what is not ours and what is newer than target.  A fresh database passes. */
static bool check_header(const struct header *header, int target, GError **error)
{
    if (is_fresh(header))
        return true;
    if (header->application_id != SCHEMA_APPLICATION_ID || header->version < 1) {
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_FOREIGN,
                    "the file is an SQLite database of another program; choose another file name");
        return false;
    }
    if (header->version > target) {
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_NEWER,
                    "the database has version %d, this FieldEdge knows versions up to %d; "
                    "update FieldEdge",
                    header->version, target);
        return false;
    }
    return true;
}

static void add_view(GHashTable *views, const char *name, const char *sql)
{
    if (name != NULL && sql != NULL) /* NULL: out of memory, and the next step says so */
        g_hash_table_insert(views, g_ascii_strdown(name, -1), g_strdup(sql));
}

/* CREATE VIEW statements of all views, under their names in lower case, as SQLite compares them. */
static bool collect_views(sqlite3 *db, GHashTable *views, GError **error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        db, "SELECT name, sql FROM main.sqlite_schema WHERE type = 'view'", -1, &statement, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            add_view(views, (const char *)sqlite3_column_text(statement, 0),
                     (const char *)sqlite3_column_text(statement, 1));
    }
    if (code != SQLITE_DONE)
        sqlite_failed(db, "read the views", error);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE;
}

static bool drop_views(sqlite3 *db, GHashTable *views, GError **error)
{
    GHashTableIter iterator;
    gpointer name;

    g_hash_table_iter_init(&iterator, views);
    while (g_hash_table_iter_next(&iterator, &name, NULL)) {
        char *sql = sqlite3_mprintf("DROP VIEW main.\"%w\"", name);
        bool ok = sql != NULL && run(db, sql, "replace the views", error);
        sqlite3_free(sql);
        if (!ok)
            return false;
    }
    return true;
}

/* Creates again those of the old views that are not in views.sql: a user's own. */
static bool restore_views(sqlite3 *db, GHashTable *old, GError **error)
{
    g_autoptr(GHashTable) now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iterator;
    gpointer name, sql;

    if (!collect_views(db, now, error))
        return false;
    g_hash_table_iter_init(&iterator, old);
    while (g_hash_table_iter_next(&iterator, &name, &sql)) {
        if (g_hash_table_contains(now, name))
            continue;
        if (!run(db, sql, "restore the views of other programs", error))
            return false;
    }
    return true;
}

static bool run_steps(sqlite3 *db, const struct schema_migration *steps, int from, int target,
                      GError **error)
{
    g_autoptr(GHashTable) views = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    char sql[96];

    if (!collect_views(db, views, error) || !drop_views(db, views, error))
        return false;
    for (int version = from + 1; version <= target; version++) {
        g_assert(steps[version - 1].version == version);
        if (!run(db, steps[version - 1].sql, "bring the database up to date", error))
            return false;
    }
    if (!run(db, schema_views_sql, "create the views", error) || !restore_views(db, views, error))
        return false;
    g_snprintf(sql, sizeof sql, "PRAGMA main.application_id = %d; PRAGMA main.user_version = %d",
               SCHEMA_APPLICATION_ID, target);
    return run(db, sql, "mark the database", error);
}

/* Inside the transaction: another process may have done it since we looked. */
static bool migrate_locked(sqlite3 *db, const struct schema_migration *steps, int target,
                           GError **error)
{
    struct header header;

    if (!read_header(db, &header, error) || !check_header(&header, target, error))
        return false;
    if (header.version < target && !run_steps(db, steps, header.version, target, error))
        return false;
    return run(db, "COMMIT", "write the database", error);
}

static bool migrate_in_transaction(sqlite3 *db, const struct schema_migration *steps, int target,
                                   GError **error)
{
    if (!run(db, "BEGIN IMMEDIATE", "write the database", error))
        return false;
    if (migrate_locked(db, steps, target, error))
        return true;
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool refuse_read_only(const struct header *header, int target, GError **error)
{
    if (is_fresh(header) || header->version == target)
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_SQLITE,
                    "the database is read-only; make the file and its folder writable");
    else
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_OLDER,
                    "the database has version %d and may only be read, so it cannot be brought to "
                    "version %d; make the file and its folder writable",
                    header->version, target);
    return false;
}

/* One try.  The common case, a database that is up to date, takes no lock. */
static bool migrate_once(sqlite3 *db, const struct schema_migration *steps, int target,
                         GError **error)
{
    struct header header;
    int foreign_keys = 0;

    if (!read_header(db, &header, error) || !check_header(&header, target, error))
        return false;
    if (sqlite3_db_readonly(db, "main") == 1)
        return refuse_read_only(&header, target, error);
    if (header.version == target)
        return true;

    /* A table that a step replaces must not take its children with it; off works only out here. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, -1, &foreign_keys);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    bool ok = migrate_in_transaction(db, steps, target, error);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, foreign_keys, NULL);
    return ok;
}

static bool verify_once(sqlite3 *db, GError **error)
{
    struct header header;

    if (!read_header(db, &header, error) || !check_header(&header, SCHEMA_VERSION, error))
        return false;
    if (is_fresh(&header)) {
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_FOREIGN,
                    "the database is empty; record a capture into it first");
        return false;
    }
    if (header.version < SCHEMA_VERSION) {
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_OLDER,
                    "the database has version %d, this FieldEdge reads version %d; "
                    "open it once for writing to bring it up to date",
                    header.version, SCHEMA_VERSION);
        return false;
    }
    return true;
}

/* What an attempt needs. */
struct task {
    const struct schema_migration *steps; /* NULL: verify alone */
    int target;
};

static bool attempt(sqlite3 *db, const struct task *task, GError **error)
{
    return task->steps == NULL ? verify_once(db, error)
                               : migrate_once(db, task->steps, task->target, error);
}

/* Tries until it works, fails for another reason than a lock, or patience ends. */
static bool attempt_patiently(sqlite3 *db, const struct task *task, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + LOCK_PATIENCE_MS * (gint64)1000;

    for (;;) {
        GError *problem = NULL;
        if (attempt(db, task, &problem))
            return true;
        bool is_locked = g_error_matches(problem, SCHEMA_ERROR, SCHEMA_ERROR_LOCKED);
        if (!is_locked || g_get_monotonic_time() >= deadline) {
            g_propagate_error(error, problem);
            return false;
        }
        g_clear_error(&problem);
        sqlite3_sleep(LOCK_PAUSE_MS);
    }
}

bool schema_migrate(sqlite3 *db, const struct schema_migration *steps, size_t count, int target,
                    GError **error)
{
    struct task task = {steps, target};

    g_return_val_if_fail(steps != NULL && target >= 1 && (size_t)target <= count, false);
    return attempt_patiently(db, &task, error);
}

bool schema_prepare(sqlite3 *db, GError **error)
{
    return schema_migrate(db, schema_migrations, schema_migrations_count, SCHEMA_VERSION, error);
}

bool schema_verify(sqlite3 *db, GError **error)
{
    struct task task = {NULL, SCHEMA_VERSION};

    return attempt_patiently(db, &task, error);
}

static int compare_application(const void *left, const void *right)
{
    const struct schema_application *a = left, *b = right;
    int order = strcmp(a->transport, b->transport);

    return order != 0 ? order : (int)a->port - (int)b->port;
}

const char *schema_application_name(const char *transport, uint16_t port)
{
    struct schema_application key = {transport, port, NULL};
    const struct schema_application *found = bsearch(
        &key, schema_applications, schema_applications_count, sizeof key, compare_application);

    return found == NULL ? NULL : found->name;
}

static int compare_protocol(const void *left, const void *right)
{
    const struct schema_protocol *a = left, *b = right;

    return strcmp(a->filter_name, b->filter_name);
}

const struct schema_protocol *schema_protocol_find(const char *filter_name)
{
    struct schema_protocol key = {filter_name, SCHEMA_PROTOCOL_NAMES, NULL};

    return bsearch(&key, schema_protocols, schema_protocols_count, sizeof key, compare_protocol);
}
