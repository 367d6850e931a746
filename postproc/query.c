/* query.c
 * Rows of somebody's own SELECT, each cell with the type that SQLite gives it.
 *
 * query_guard.c keeps it to reading; this file turns SQLite's complaints into sentences that name
 * the place and names near to what does not exist.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "database.h"
#include "near.h"
#include "query_guard.h"
#include "sql_functions.h"

#include <string.h>

enum { NEAR_COUNT = 3, EXCERPT_LENGTH = 40, MESSAGE_LENGTH = 300 };

struct _FieldEdgeQuery {
    FieldEdgeDatabase *database;
    sqlite3_stmt *statement; /* NULL after the last row and after an error */
    struct query_guard guard;
    guint timeout_ms;
    FieldEdgeQueryColumn *columns;
    FieldEdgeValue *values; /* of the current row */
    guint count;            /* of both */
    GPtrArray *texts;       /* owns what they point to; those of columns come first */
    guint column_texts;
};

static char *short_clean(const char *text, size_t length)
{
    g_autofree char *clean = database_clean_text(text, strnlen(text, length));
    bool is_whole = strlen(text) <= length;

    return g_strconcat(clean, is_whole ? "" : "…", NULL);
}

/* ---- What is wrong with a query ---- */

/* "line 2, column 7" of a byte, counted from 1; columns are characters. */
static char *describe_place(const char *sql, int offset)
{
    const char *line = sql;
    int number = 1, column = 1;

    if (offset < 0 || (size_t)offset > strlen(sql))
        return NULL;
    for (const char *at = sql; at < sql + offset; at++) {
        if (*at != '\n')
            continue;
        number++;
        line = at + 1;
    }
    for (const char *at = line; at < sql + offset; at++)
        column += ((guchar)*at & 0xc0) != 0x80; /* not inside a character */
    return g_strdup_printf("line %d, column %d", number, column);
}

/* Names of one kind that the database has, for near_names(); empty where it is too damaged. */
static GPtrArray *read_names(sqlite3 *handle, const char *sql)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW) {
            const char *name = (const char *)sqlite3_column_text(statement, 0);
            if (name != NULL)
                g_ptr_array_add(
                    names, database_clean_text(name, (size_t)sqlite3_column_bytes(statement, 0)));
        }
    }
    sqlite3_finalize(statement);
    return names;
}

/* "; did you mean packets?" for "no such table: pakcets", or NULL. */
static char *find_hint(sqlite3 *handle, const char *message)
{
    static const struct {
        const char *complaint, *sql;
    } kinds[] = {
        {"no such table: ", "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"},
        {"no such column: ",
         "SELECT DISTINCT c.name FROM sqlite_schema s, pragma_table_xinfo(s.name) c"
         " WHERE s.type IN ('table', 'view')"},
        {"no such function: ", "SELECT DISTINCT name FROM pragma_function_list"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!g_str_has_prefix(message, kinds[i].complaint))
            continue;
        const char *wanted = message + strlen(kinds[i].complaint);
        const char *dot = strrchr(wanted, '.');
        g_autoptr(GPtrArray) names = read_names(handle, kinds[i].sql);
        g_autofree char *near = near_names(dot == NULL ? wanted : dot + 1, names, NEAR_COUNT);
        return near == NULL ? NULL : g_strdup_printf("; did you mean %s?", near);
    }
    return NULL;
}

static bool set_refused(FieldEdgeQuery *query, GError **error)
{
    g_autofree char *refused = short_clean(query->guard.refused, MESSAGE_LENGTH);

    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_QUERY,
                "%s: a query may only read, and %s is refused; use SELECT", query->database->name,
                refused);
    return false;
}

/* Of the handle's last error. */
static bool set_prepare_error(FieldEdgeQuery *query, const char *sql, GError **error)
{
    sqlite3 *handle = query->database->handle;
    g_autofree char *place = describe_place(sql, sqlite3_error_offset(handle));
    g_autofree char *message = short_clean(sqlite3_errmsg(handle), MESSAGE_LENGTH);
    g_autofree char *hint = NULL;

    if ((sqlite3_errcode(handle) & 0xff) == SQLITE_TOOBIG) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_QUERY,
                    "%s: the query is longer than a megabyte", query->database->name);
        return false;
    }
    if ((sqlite3_errcode(handle) & 0xff) != SQLITE_ERROR)
        return database_failed(query->database, error);
    hint = find_hint(handle, message);
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_QUERY, "%s: the query is wrong%s%s: %s%s",
                query->database->name, place == NULL ? "" : " at ", place == NULL ? "" : place,
                message, hint == NULL ? "" : hint);
    return false;
}

static bool set_step_error(FieldEdgeQuery *query, int code, GError **error)
{
    sqlite3 *handle = query->database->handle;
    const char *name = query->database->name;
    g_autofree char *message = short_clean(sqlite3_errmsg(handle), MESSAGE_LENGTH);

    switch (code & 0xff) {
    case SQLITE_INTERRUPT:
        if (query->guard.is_late)
            g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_TIMEOUT,
                        "%s: the query was stopped after %g s; narrow it or give it more time",
                        name, query->timeout_ms / 1e3);
        else
            g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED,
                        "%s: the query was interrupted", name);
        return false;
    case SQLITE_TOOBIG:
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_QUERY,
                    "%s: the query makes a text or blob longer than 16 MiB", name);
        return false;
    case SQLITE_ERROR: /* integer overflow, malformed JSON, an argument of a function … */
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_QUERY, "%s: the query failed: %s", name,
                    message);
        return false;
    default:
        return database_failed(query->database, error);
    }
}

/* ---- Preparing ---- */

/* Blanks, comments and semicolons may follow a statement; another statement may not. */
static bool check_tail(FieldEdgeQuery *query, const char *tail, GError **error)
{
    while (*tail != '\0') {
        sqlite3_stmt *more = NULL;
        const char *rest = tail;
        g_autofree char *excerpt = NULL;

        int code = query_guard_prepare(&query->guard, tail, &more, &rest);
        if (code == SQLITE_OK && more == NULL && rest > tail) {
            tail = rest;
            continue;
        }
        sqlite3_finalize(more);
        tail += strspn(tail, " \t\r\n;");
        excerpt = short_clean(tail, EXCERPT_LENGTH);
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_QUERY,
                    "%s: one statement at a time, without what follows: %s", query->database->name,
                    excerpt);
        return false;
    }
    return true;
}

static bool prepare(FieldEdgeQuery *query, const char *sql, GError **error)
{
    const char *tail = sql, *name = query->database->name;

    if (query_guard_prepare(&query->guard, sql, &query->statement, &tail) != SQLITE_OK)
        return query->guard.refused != NULL ? set_refused(query, error)
                                            : set_prepare_error(query, sql, error);
    if (query->statement == NULL) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_QUERY,
                    "%s: the query is empty; write a SELECT", name);
        return false;
    }
    if (!check_tail(query, tail, error))
        return false;
    if (sqlite3_bind_parameter_count(query->statement) > 0) {
        const char *first = sqlite3_bind_parameter_name(query->statement, 1);
        g_autofree char *parameter = short_clean(first == NULL ? "?" : first, EXCERPT_LENGTH);
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_QUERY,
                    "%s: the query has a parameter (%s); write its value", name, parameter);
        return false;
    }
    return true;
}

static const char *keep_text(FieldEdgeQuery *query, const char *bytes, size_t length)
{
    char *text = database_clean_text(bytes, length);

    g_ptr_array_add(query->texts, text);
    return text;
}

static void describe_columns(FieldEdgeQuery *query)
{
    query->count = (guint)sqlite3_column_count(query->statement);
    query->columns = g_new0(FieldEdgeQueryColumn, query->count);
    query->values = g_new0(FieldEdgeValue, query->count);
    for (guint i = 0; i < query->count; i++) {
        const char *name = sqlite3_column_name(query->statement, (int)i);
        const char *kind = sqlite3_column_decltype(query->statement, (int)i);
        query->columns[i].name = name == NULL ? "" : keep_text(query, name, strlen(name));
        query->columns[i].kind = kind == NULL ? NULL : keep_text(query, kind, strlen(kind));
    }
    query->column_texts = query->texts->len;
}

/* Once a database: functions are there for all its queries, limits only where the handle is ours.
 */
static bool make_ready(FieldEdgeDatabase *database, GError **error)
{
    if (database->is_ready_for_queries)
        return true;
    if (sql_functions_register(database->handle) != SQLITE_OK)
        return database_failed(database, error);
    if (database->is_ours)
        query_guard_restrict(database->handle);
    database->is_ready_for_queries = true;
    return true;
}

FieldEdgeQuery *fieldedge_query_new(FieldEdgeDatabase *database, const char *sql, guint timeout_ms,
                                    GError **error)
{
    g_return_val_if_fail(database != NULL && sql != NULL, NULL);

    g_autoptr(FieldEdgeQuery) query = g_new0(FieldEdgeQuery, 1);
    query->database = database;
    query->timeout_ms = timeout_ms;
    query->texts = g_ptr_array_new_with_free_func(g_free);
    query->guard.handle = database->handle;
    query->guard.left_us = timeout_ms == 0 ? G_MAXINT64 : (gint64)timeout_ms * 1000;
    if (!make_ready(database, error) || !prepare(query, sql, error))
        return NULL;
    describe_columns(query);
    return g_steal_pointer(&query);
}

guint fieldedge_query_get_column_count(const FieldEdgeQuery *query)
{
    return query->count;
}

const FieldEdgeQueryColumn *fieldedge_query_get_columns(const FieldEdgeQuery *query)
{
    return query->columns;
}

/* ---- Rows ---- */

static FieldEdgeValue read_value(FieldEdgeQuery *query, int column)
{
    sqlite3_stmt *statement = query->statement;
    FieldEdgeValue value = {.type = FIELDEDGE_VALUE_NULL};
    const char *text;

    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        value.type = FIELDEDGE_VALUE_INTEGER;
        value.integer = sqlite3_column_int64(statement, column);
        break;
    case SQLITE_FLOAT:
        value.type = FIELDEDGE_VALUE_REAL;
        value.real = sqlite3_column_double(statement, column);
        break;
    case SQLITE_TEXT:
        text = (const char *)sqlite3_column_text(statement, column);
        if (text == NULL)
            break;
        value.type = FIELDEDGE_VALUE_TEXT;
        value.text = keep_text(query, text, (size_t)sqlite3_column_bytes(statement, column));
        break;
    case SQLITE_BLOB:
        value.type = FIELDEDGE_VALUE_BLOB;
        value.blob = sqlite3_column_blob(statement, column);
        value.blob_length = (gsize)sqlite3_column_bytes(statement, column);
        break;
    default:
        break;
    }
    return value;
}

const FieldEdgeValue *fieldedge_query_next(FieldEdgeQuery *query, GError **error)
{
    if (query->statement == NULL)
        return NULL;
    g_ptr_array_set_size(query->texts, (gint)query->column_texts);

    int code = query_guard_step(&query->guard, query->statement);
    if (code == SQLITE_ROW) {
        for (guint i = 0; i < query->count; i++)
            query->values[i] = read_value(query, (int)i);
        return query->values;
    }
    if (code != SQLITE_DONE)
        set_step_error(query, code, error);
    sqlite3_finalize(g_steal_pointer(&query->statement));
    return NULL;
}

void fieldedge_query_cancel(FieldEdgeQuery *query)
{
    g_atomic_int_set(&query->guard.is_cancelled, 1);
}

void fieldedge_query_free(FieldEdgeQuery *query)
{
    if (query == NULL)
        return;
    sqlite3_finalize(query->statement);
    query_guard_clear(&query->guard);
    g_clear_pointer(&query->texts, g_ptr_array_unref);
    g_free(query->columns);
    g_free(query->values);
    g_free(query);
}
