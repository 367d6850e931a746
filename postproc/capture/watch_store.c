/* watch_store.c: see watch_store.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "watch_store.h"

#include "schema/schema.h"

enum {
    BUSY_TIMEOUT_MS = 60000, /* another program may be building an index */
    PAGE_BYTES = 8192        /* the recorder's choice */
};

/* A capture's packets are numbered by 32 bits: one that is this far gets a successor. */
#define LAST_POSITION_MAX (G_GINT64_CONSTANT(0xf0000000))

static bool failed(struct watch_store *store, GError **error)
{
    int code = sqlite3_errcode(store->db);
    FieldEdgeError kind = code == SQLITE_BUSY      ? FIELDEDGE_ERROR_LOCKED
                          : code == SQLITE_CORRUPT ? FIELDEDGE_ERROR_DAMAGED
                                                   : FIELDEDGE_ERROR_DATABASE;

    g_set_error(error, FIELDEDGE_ERROR, kind, "%s: %s", store->path,
                code == SQLITE_FULL ? "the disk is full" : sqlite3_errmsg(store->db));
    return false;
}

bool watch_store_open(struct watch_store *store, const char *path, GError **error)
{
    g_autofree char *pragmas = g_strdup_printf("PRAGMA page_size = %d; PRAGMA foreign_keys = OFF;"
                                               "PRAGMA trusted_schema = OFF;",
                                               PAGE_BYTES);
    GError *problem = NULL;

    *store = (struct watch_store){.path = g_strdup(path)};
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
            SQLITE_OK ||
        sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS) != SQLITE_OK ||
        sqlite3_exec(store->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
        return failed(store, error);
    if (!schema_prepare(store->db, &problem)) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_DATABASE, "%s: %s", path,
                    problem->message);
        g_error_free(problem);
        return false;
    }
    if (sqlite3_exec(store->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", NULL,
                     NULL, NULL) != SQLITE_OK)
        return failed(store, error);
    return true;
}

void watch_store_close(struct watch_store *store)
{
    sqlite3_close(store->db);
    g_free(store->path);
    *store = (struct watch_store){0};
}

/* A statement with its parameters: numbers first, FIELDEDGE_NONE as NULL, then texts. */
static sqlite3_stmt *prepare(struct watch_store *store, const char *sql, const gint64 *numbers,
                             int number_count, const char *const *texts, int text_count,
                             GError **error)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        failed(store, error);
        return NULL;
    }
    for (int i = 0; i < number_count; i++) {
        if (numbers[i] != FIELDEDGE_NONE)
            sqlite3_bind_int64(statement, i + 1, numbers[i]);
    }
    for (int i = 0; i < text_count; i++)
        sqlite3_bind_text(statement, number_count + i + 1, texts[i], -1, SQLITE_TRANSIENT);
    return statement;
}

/* Runs a statement to its end and frees it. */
static bool finish(struct watch_store *store, sqlite3_stmt *statement, GError **error)
{
    if (statement == NULL)
        return false;
    bool ok = sqlite3_step(statement) == SQLITE_DONE;
    if (!ok)
        failed(store, error);
    sqlite3_finalize(statement);
    return ok;
}

bool watch_store_run(struct watch_store *store, const char *sql, gint64 first, gint64 second,
                     GError **error)
{
    const gint64 numbers[] = {first, second};
    sqlite3_stmt *statement = prepare(store, sql, numbers, 0, NULL, 0, error);

    if (statement == NULL)
        return false;
    for (int i = 0; i < sqlite3_bind_parameter_count(statement) && i < 2; i++)
        sqlite3_bind_int64(statement, i + 1, numbers[i]);
    return finish(store, statement, error);
}

/* The first column of the first row; without a row or with NULL: FIELDEDGE_NONE. */
static bool answer_of(struct watch_store *store, sqlite3_stmt *statement, gint64 *answer,
                      char **text, GError **error)
{
    if (statement == NULL)
        return false;
    int code = sqlite3_step(statement);
    *answer = FIELDEDGE_NONE;
    if (code == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *answer = sqlite3_column_int64(statement, 0);
    if (code == SQLITE_ROW && text != NULL)
        *text = g_strdup((const char *)sqlite3_column_text(statement, 1));
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        failed(store, error);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool watch_store_ask(struct watch_store *store, const char *sql, gint64 first, gint64 second,
                     gint64 *answer, GError **error)
{
    const gint64 numbers[] = {first, second};
    sqlite3_stmt *statement = prepare(store, sql, numbers, 0, NULL, 0, error);

    if (statement == NULL)
        return false;
    for (int i = 0; i < sqlite3_bind_parameter_count(statement) && i < 2; i++)
        sqlite3_bind_int64(statement, i + 1, numbers[i]);
    return answer_of(store, statement, answer, NULL, error);
}

bool watch_store_find(struct watch_store *store, const char *source, gint64 *capture,
                      GError **error)
{
    static const char sql[] =
        "SELECT w.capture FROM watch w WHERE w.source = ?2 AND ifnull((SELECT max(f.last)"
        " FROM watch_file f WHERE f.capture = w.capture), 0) & 0xffffffff < ?1"
        " ORDER BY w.capture DESC LIMIT 1";
    const gint64 limit = LAST_POSITION_MAX;
    bool ok =
        answer_of(store, prepare(store, sql, &limit, 1, &source, 1, error), capture, NULL, error);

    if (ok && *capture == FIELDEDGE_NONE)
        *capture = 0;
    return ok;
}

bool watch_store_has_file(struct watch_store *store, gint64 capture, const char *name, bool *has,
                          GError **error)
{
    static const char sql[] = "SELECT 1 FROM watch_file WHERE capture = ?1 AND name = ?2";
    gint64 answer;
    bool ok =
        answer_of(store, prepare(store, sql, &capture, 1, &name, 1, error), &answer, NULL, error);

    *has = ok && answer == 1;
    return ok;
}

bool watch_store_last(struct watch_store *store, gint64 capture, char **name, gint64 *ended_ns,
                      GError **error)
{
    static const char sql[] =
        "SELECT (SELECT max(g.ended_ns) FROM watch_file g WHERE g.capture = ?1), f.name"
        " FROM watch_file f WHERE f.capture = ?1 ORDER BY f.id DESC LIMIT 1";

    *name = NULL;
    return answer_of(store, prepare(store, sql, &capture, 1, NULL, 0, error), ended_ns, name,
                     error);
}

bool watch_store_add_gap(struct watch_store *store, gint64 capture, const struct watch_gap *gap,
                         GError **error)
{
    static const char sql[] =
        "INSERT OR IGNORE INTO gap (capture, started_ns, ended_ns, packets, files, reason, file)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const gint64 numbers[] = {capture, gap->started_ns, gap->ended_ns, gap->packets, gap->files};
    const char *const texts[] = {gap->reason, gap->file};

    return finish(
        store,
        prepare(store, sql, numbers, G_N_ELEMENTS(numbers), texts, G_N_ELEMENTS(texts), error),
        error);
}

bool watch_store_give_up(struct watch_store *store, gint64 capture, const char *name,
                         GError **error)
{
    static const char sql[] =
        "INSERT INTO watch_file (capture, name, first, last, packets, continued)"
        " SELECT ?1, ?2, max(last) + 1, max(last), 0, 0 FROM watch_file WHERE capture = ?1";
    const struct watch_gap gap = {.reason = "not readable",
                                  .file = name,
                                  .started_ns = FIELDEDGE_NONE,
                                  .ended_ns = FIELDEDGE_NONE,
                                  .packets = FIELDEDGE_NONE,
                                  .files = 1};

    return watch_store_add_gap(store, capture, &gap, error) &&
           finish(store, prepare(store, sql, &capture, 1, &name, 1, error), error);
}

bool watch_store_set_status(struct watch_store *store, gint64 capture, const char *status,
                            GError **error)
{
    static const char sql[] = "UPDATE capture SET status = ?2 WHERE id = ?1";

    return finish(store, prepare(store, sql, &capture, 1, &status, 1, error), error);
}
