/* query_guard.c
 * The authorizer, the progress handler and the limits of a query of somebody's own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "query_guard.h"

#include <string.h>

enum { OPERATIONS_BETWEEN_LOOKS = 1000 };

/* ---- What a query may do ---- */

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (g_ascii_strcasecmp(name, *names) == 0)
            return true;
    }
    return false;
}

/* Those that describe and cannot take long; of those that can be set, only without a value. */
static bool is_harmless_pragma(const char *name, const char *value)
{
    static const char *const with_argument[] = {"table_info",       "table_xinfo", "table_list",
                                                "index_list",       "index_info",  "index_xinfo",
                                                "foreign_key_list", NULL};
    static const char *const without[] = {"application_id", "collation_list", "compile_options",
                                          "database_list",  "encoding",       "freelist_count",
                                          "function_list",  "page_count",     "page_size",
                                          "schema_version", "user_version",   NULL};

    return is_one_of(name, with_argument) || (value == NULL && is_one_of(name, without));
}

/* Functions that load code, read or write files, or reach into the process. */
static bool is_harmless_function(const char *name)
{
    static const char *const harmful[] = {
        "edit",     "fts3_tokenizer", "fts5",      "load_extension",
        "readfile", "sqlite_log",     "writefile", NULL};

    return !is_one_of(name, harmful);
}

static bool is_harmless_table(const char *name)
{
    return g_ascii_strncasecmp(name, "pragma_", 7) != 0 || is_harmless_pragma(name + 7, NULL);
}

/* What SQLite's code of an action means, for people.  first and second are SQLite's arguments. */
static char *describe(int action, const char *first, const char *second)
{
    switch (action) {
    case SQLITE_FUNCTION:
        return g_strdup_printf("the function %s()", second);
    case SQLITE_READ:
        return g_strdup_printf("the table %s", first);
    case SQLITE_PRAGMA:
        return g_strdup_printf("PRAGMA %s", first);
    case SQLITE_ATTACH:
        return g_strdup("ATTACH");
    case SQLITE_DETACH:
        return g_strdup("DETACH");
    case SQLITE_INSERT:
        return g_strdup_printf("a change of %s", first);
    case SQLITE_UPDATE:
        return g_strdup_printf("UPDATE of %s", first);
    case SQLITE_DELETE:
        return g_strdup_printf("DELETE from %s", first);
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return g_strdup_printf("%s", first);
    case SQLITE_ANALYZE:
        return g_strdup("ANALYZE");
    case SQLITE_REINDEX:
        return g_strdup("REINDEX");
    default:
        return g_strdup("a statement that changes the schema");
    }
}

static int authorize(void *data, int action, const char *first, const char *second,
                     const char *schema, const char *source)
{
    struct query_guard *guard = data;
    bool is_harmless = false;

    (void)schema, (void)source;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        is_harmless = true;
        break;
    case SQLITE_READ:
        is_harmless = is_harmless_table(first);
        break;
    case SQLITE_UPDATE:
        /* Of these SQLite makes the columns of a table-valued function, in memory.  One of the
         * user's does not get past SQLite, nor query_guard_prepare(). */
        is_harmless = strcmp(first, "sqlite_master") == 0;
        break;
    case SQLITE_FUNCTION:
        is_harmless = is_harmless_function(second);
        break;
    case SQLITE_PRAGMA:
        is_harmless = is_harmless_pragma(first, second);
        break;
    default:
        break;
    }
    if (is_harmless)
        return SQLITE_OK;
    if (guard->refused == NULL)
        guard->refused = describe(action, first, second);
    return SQLITE_DENY;
}

int query_guard_prepare(struct query_guard *guard, const char *sql, sqlite3_stmt **statement,
                        const char **tail)
{
    g_clear_pointer(&guard->refused, g_free);
    sqlite3_set_authorizer(guard->handle, authorize, guard);
    int code = sqlite3_prepare_v2(guard->handle, sql, -1, statement, tail);
    sqlite3_set_authorizer(guard->handle, NULL, NULL);
    /* VACUUM asks no authorizer. */
    if (code == SQLITE_OK && *statement != NULL && !sqlite3_stmt_readonly(*statement)) {
        guard->refused = g_strdup("a statement that writes");
        sqlite3_finalize(g_steal_pointer(statement));
        return SQLITE_AUTH;
    }
    return code;
}

/* ---- How long it may run ---- */

static int look(void *data)
{
    struct query_guard *guard = data;

    if (g_atomic_int_get(&guard->is_cancelled))
        return 1;
    guard->is_late = guard->left_us != G_MAXINT64 && g_get_monotonic_time() >= guard->deadline_us;
    return guard->is_late;
}

int query_guard_step(struct query_guard *guard, sqlite3_stmt *statement)
{
    gint64 started = g_get_monotonic_time();

    guard->deadline_us = guard->left_us == G_MAXINT64 ? 0 : started + guard->left_us;
    if (look(guard))
        return SQLITE_INTERRUPT;
    sqlite3_progress_handler(guard->handle, OPERATIONS_BETWEEN_LOOKS, look, guard);
    int code = sqlite3_step(statement);
    sqlite3_progress_handler(guard->handle, 0, NULL, NULL);
    if (guard->left_us != G_MAXINT64)
        guard->left_us = MAX(0, guard->deadline_us - g_get_monotonic_time());
    return code;
}

void query_guard_clear(struct query_guard *guard)
{
    g_clear_pointer(&guard->refused, g_free);
}

/* ---- What a handle of ours does not need ---- */

void query_guard_restrict(sqlite3 *handle)
{
    static const struct {
        int id, value;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, 16 * 1024 * 1024}, /* of one text or blob */
        {SQLITE_LIMIT_SQL_LENGTH, 1024 * 1024},
        {SQLITE_LIMIT_COLUMN, 1000},
        {SQLITE_LIMIT_EXPR_DEPTH, 200},
        {SQLITE_LIMIT_COMPOUND_SELECT, 200},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000}, /* LIKE is not interrupted */
        {SQLITE_LIMIT_ATTACHED, 0},
    };
    const char *modules[] = {"json_each", "json_tree", NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
        sqlite3_limit(handle, limits[i].id, limits[i].value);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_drop_modules(handle, modules);
}
