/* cmd_sql.c
 * fieldedge sql: the rows of a SELECT, in the formats of every other command.
 *
 * Each cell keeps the type that SQLite gives it.  What JSON and CSV have no type for is a text: a
 * blob is X'00FF', as SQL writes it.  In JSON a name can be there only once, so the second column
 * called "x" is "x_2"; the same in the other formats.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_MS = 60 * 1000, SQL_LENGTH_MAX = 1024 * 1024 };

static const char summary[] =
    "Writes the rows of one SELECT. Nothing can be changed: other statements are refused.\n"
    "With - in place of the SELECT it is read from standard input. fieldedge schema\n"
    "explains the tables. Besides SQLite's own functions there are median(x),\n"
    "percentile(x, p), stdev(x) and mad(x).";

static const char examples[] =
    "Examples:\n"
    "  fieldedge sql site.db 'SELECT * FROM application_totals ORDER BY ip_bytes DESC'\n"
    "  fieldedge sql site.db 'SELECT median(ip_bytes) FROM packets' --format csv\n"
    "  fieldedge sql site.db - --timeout 5m --format jsonl <query.sql";

/* ---- Command line ---- */

/* "0" is no limit; less than a millisecond is one. */
static bool parse_timeout(const char *text, guint *timeout_ms, GError **error)
{
    enum { NS_IN_MS = 1000000 };
    gint64 ns;

    if (!fieldedge_parse_duration(text, &ns, error))
        return false;
    *timeout_ms = (guint)MIN(ns / NS_IN_MS + (ns % NS_IN_MS != 0), G_MAXUINT);
    return true;
}

/* All of standard input; NULL and a message if it cannot be. */
static char *read_input(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char block[4096];
    size_t length;

    while ((length = fread(block, 1, sizeof block, stdin)) > 0) {
        g_string_append_len(text, block, (gssize)length);
        if (text->len > SQL_LENGTH_MAX) {
            cli_message("standard input: the query is longer than a megabyte");
            return NULL;
        }
    }
    if (ferror(stdin) || memchr(text->str, '\0', text->len) != NULL) {
        cli_message(ferror(stdin) ? "standard input: it cannot be read"
                                  : "standard input: this is no text, it has a zero byte");
        return NULL;
    }
    return g_strdup(text->str);
}

/* ---- Interruption ---- */

static FieldEdgeQuery *running; /* what the signal handler cancels */

static void cancel(int signal_number)
{
    FieldEdgeQuery *query = g_atomic_pointer_get(&running);

    (void)signal_number;
    if (query != NULL)
        fieldedge_query_cancel(query);
}

/* Once: the second Ctrl-C ends the program, if a reader of a pipe keeps it waiting. */
static void catch_interruption(FieldEdgeQuery *query)
{
    struct sigaction action = {.sa_handler = cancel, .sa_flags = SA_RESTART | (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    g_atomic_pointer_set(&running, query);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- Rows ---- */

/* Each name once: those that were there get "_2", "_3" … */
static GPtrArray *make_keys(const FieldEdgeQueryColumn *columns, guint count)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < count; i++)
        g_hash_table_add(taken, (gpointer)columns[i].name);
    g_autoptr(GHashTable) used = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < count; i++) {
        char *key = g_strdup(columns[i].name);
        for (guint again = 2;
             g_hash_table_contains(used, key) || (again > 2 && g_hash_table_contains(taken, key));
             again++) {
            g_free(key);
            key = g_strdup_printf("%s_%u", columns[i].name, again);
        }
        g_hash_table_add(used, key);
        g_ptr_array_add(keys, key);
    }
    return keys;
}

static char *blob_text(const guint8 *blob, gsize length)
{
    static const char digits[] = "0123456789ABCDEF";
    char *text = g_malloc(2 * length + 4), *at = text;

    *at++ = 'X';
    *at++ = '\'';
    for (gsize i = 0; i < length; i++) {
        *at++ = digits[blob[i] >> 4];
        *at++ = digits[blob[i] & 15];
    }
    *at++ = '\'';
    *at = '\0';
    return text;
}

/* A text that had to be made goes to texts. */
static struct output_value make_cell(const FieldEdgeValue *value, GPtrArray *texts)
{
    switch (value->type) {
    case FIELDEDGE_VALUE_INTEGER:
        return (struct output_value){.type = OUTPUT_COUNT, .number = value->integer};
    case FIELDEDGE_VALUE_REAL:
        return (struct output_value){.type = OUTPUT_REAL, .real = value->real};
    case FIELDEDGE_VALUE_TEXT:
        return (struct output_value){.type = OUTPUT_TEXT, .text = value->text};
    case FIELDEDGE_VALUE_BLOB:
        g_ptr_array_add(texts, blob_text(value->blob, value->blob_length));
        return (struct output_value){.type = OUTPUT_TEXT,
                                     .text = g_ptr_array_index(texts, texts->len - 1)};
    case FIELDEDGE_VALUE_NULL:
        break;
    }
    return (struct output_value){.is_null = true};
}

static void begin_rows(struct output *output, const GPtrArray *keys)
{
    g_autofree struct output_column *shown = g_new0(struct output_column, keys->len);

    for (guint i = 0; i < keys->len; i++)
        shown[i] = (struct output_column){.key = g_ptr_array_index(keys, i),
                                          .title = g_ptr_array_index(keys, i),
                                          .type = OUTPUT_ANY,
                                          .reader = OUTPUT_FOR_ALL};
    output_table_begin(output, NULL, NULL, shown, keys->len);
}

static void write_rows(struct output *output, FieldEdgeQuery *query, GError **error)
{
    guint count = fieldedge_query_get_column_count(query);
    g_autoptr(GPtrArray) keys = make_keys(fieldedge_query_get_columns(query), count);
    g_autofree struct output_value *cells = g_new0(struct output_value, count);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    GError *problem = NULL;
    const FieldEdgeValue *row;

    begin_rows(output, keys);
    while (!output_done(output) && (row = fieldedge_query_next(query, &problem)) != NULL) {
        for (guint i = 0; i < count; i++)
            cells[i] = make_cell(&row[i], texts);
        output_row(output, cells);
        g_ptr_array_set_size(texts, 0);
    }
    if (problem == NULL)
        output_table_end(output);
    else
        g_propagate_error(error, problem);
}

/* The library's advice is to give it more time; here that is an option. */
static void add_option_name(GError *error)
{
    if (!g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_TIMEOUT))
        return;
    char *message = g_strconcat(error->message, " with --timeout", NULL);
    g_free(error->message);
    error->message = message;
}

static int run(struct reader *reader, const char *sql, guint timeout_ms)
{
    GError *error = NULL;
    FieldEdgeQuery *query = NULL;
    int status;

    /* The query first: a mistake in it must not cost what --output replaces. */
    reader->database = fieldedge_database_open(reader->path, &error);
    if (reader->database != NULL)
        query = fieldedge_query_new(reader->database, sql, timeout_ms, &error);
    if (query == NULL)
        return reader_end(reader, error);
    if (!reader_open(reader, &status)) {
        fieldedge_query_free(query);
        return status;
    }
    catch_interruption(query);
    write_rows(reader->output, query, &error);
    catch_interruption(NULL);
    fieldedge_query_free(query);
    add_option_name(error);
    return reader_end(reader, error);
}

int cmd_sql(int argc, char **argv)
{
    g_autofree char *timeout = NULL, *input = NULL;
    g_auto(GStrv) rest = NULL;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"timeout", 't', 0, G_OPTION_ARG_STRING, &timeout,
         "Stop after TIME: 10s, 2m, 0 for never (1m)", "TIME"},
        {0},
    };
    guint timeout_ms = DEFAULT_TIMEOUT_MS;
    struct reader reader;
    int status;

    if (!reader_parse_output(&reader, argc, argv, "DATABASE SELECT|-", summary, examples, entries,
                             &rest, &status))
        return status;
    if (timeout != NULL && !parse_timeout(timeout, &timeout_ms, &error)) {
        reader_end(&reader, NULL);
        return cli_usage("sql", "--timeout: %s", error->message);
    }
    if (g_strv_length(rest) != 2) {
        reader_end(&reader, NULL);
        return cli_usage("sql", "name a database and a SELECT, in quotes");
    }
    reader.path = g_strdup(rest[0]);
    if (strcmp(rest[1], "-") != 0)
        return run(&reader, rest[1], timeout_ms);
    input = read_input();
    if (input != NULL)
        return run(&reader, input, timeout_ms);
    reader_end(&reader, NULL);
    return CLI_FAILURE;
}
