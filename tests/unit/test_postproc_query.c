/* test_postproc_query.c: queries of somebody's own: their cells, their mistakes, what they may not
 * do
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include <math.h>
#include <string.h>

struct place {
    sqlite3 *db;
    FieldEdgeDatabase *database;
};

static struct place open_place(void)
{
    struct place place = {.db = fixture_new(":memory:")};

    fixture_capture(place.db, 1, 1000);
    fixture_conversation(place.db, 1, 1, 1, 2, 1, 0);
    fixture_packet(place.db, 1, 1000, 1, 60);
    place.database = fixture_read(place.db);
    return place;
}

static void close_place(struct place *place)
{
    fieldedge_database_close(place->database);
    sqlite3_close(place->db);
}

/* The query fails with this code and a message that holds the words. */
static void check_failure(struct place *place, const char *sql, FieldEdgeError code,
                          const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeQuery) query = fieldedge_query_new(place->database, sql, 20, &error);

    while (query != NULL && fieldedge_query_next(query, &error) != NULL)
        continue;
    CU_ASSERT_TRUE(g_error_matches(error, FIELDEDGE_ERROR, (gint)code));
    if (error == NULL || strstr(error->message, words) == NULL)
        g_printerr("%s: %s\n", sql, error == NULL ? "no error" : error->message);
    CU_ASSERT_TRUE(error != NULL && strstr(error->message, words) != NULL);
    CU_ASSERT_TRUE(error != NULL && g_str_has_prefix(error->message, "fixture: "));
}

/* Its only cell, as a text of the caller. */
static char *only_cell(struct place *place, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeQuery) query = fieldedge_query_new(place->database, sql, 0, &error);
    const FieldEdgeValue *row = query == NULL ? NULL : fieldedge_query_next(query, &error);
    char *text = NULL;

    if (row == NULL)
        return g_strdup(error == NULL ? "no row" : error->message);
    switch (row->type) {
    case FIELDEDGE_VALUE_NULL:
        return g_strdup("NULL");
    case FIELDEDGE_VALUE_INTEGER:
        return g_strdup_printf("%" G_GINT64_FORMAT, row->integer);
    case FIELDEDGE_VALUE_REAL:
        return g_strdup_printf("%.17g", row->real);
    case FIELDEDGE_VALUE_TEXT:
        return g_strdup(row->text);
    case FIELDEDGE_VALUE_BLOB:
        return g_strdup_printf("%zu bytes", row->blob_length);
    }
    return text;
}

static void check_cell(struct place *place, const char *sql, const char *expected)
{
    g_autofree char *text = only_cell(place, sql);

    if (strcmp(text, expected) != 0)
        g_printerr("%s: %s, not %s\n", sql, text, expected);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void test_types(void)
{
    struct place place = open_place();
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeQuery) query = fieldedge_query_new(
        place.database,
        "SELECT id, 1.5 AS x, 'text' AS x, x'00ff41', NULL FROM packet UNION ALL"
        " SELECT 'a', 2, x'', char(97, 0, 98), CAST(x'ff5c7841' AS TEXT)",
        0, &error);
    const FieldEdgeQueryColumn *columns = fieldedge_query_get_columns(query);

    CU_ASSERT_EQUAL(fieldedge_query_get_column_count(query), 5);
    CU_ASSERT_STRING_EQUAL(columns[0].name, "id");
    CU_ASSERT_STRING_EQUAL(columns[0].kind, "INTEGER");
    CU_ASSERT_STRING_EQUAL(columns[1].name, "x");
    CU_ASSERT_STRING_EQUAL(columns[2].name, "x");
    CU_ASSERT_PTR_NULL(columns[1].kind);

    const FieldEdgeValue *row = fieldedge_query_next(query, &error);
    CU_ASSERT_EQUAL(row[0].type, FIELDEDGE_VALUE_INTEGER);
    CU_ASSERT_EQUAL(row[0].integer, 1);
    CU_ASSERT_EQUAL(row[1].type, FIELDEDGE_VALUE_REAL);
    CU_ASSERT_EQUAL(row[1].real, 1.5);
    CU_ASSERT_EQUAL(row[2].type, FIELDEDGE_VALUE_TEXT);
    CU_ASSERT_STRING_EQUAL(row[2].text, "text");
    CU_ASSERT_EQUAL(row[3].type, FIELDEDGE_VALUE_BLOB);
    CU_ASSERT_EQUAL(row[3].blob_length, 3);
    CU_ASSERT_EQUAL(memcmp(row[3].blob, "\0\377A", 3), 0);
    CU_ASSERT_EQUAL(row[4].type, FIELDEDGE_VALUE_NULL);

    row = fieldedge_query_next(query, &error);
    CU_ASSERT_STRING_EQUAL(row[0].text, "a");
    CU_ASSERT_EQUAL(row[1].type, FIELDEDGE_VALUE_INTEGER);
    CU_ASSERT_EQUAL(row[2].blob_length, 0);
    CU_ASSERT_STRING_EQUAL(row[3].text, "a\\x00b");
    CU_ASSERT_STRING_EQUAL(row[4].text, "\\xFF\\x5CxA");
    CU_ASSERT_PTR_NULL(fieldedge_query_next(query, &error));
    CU_ASSERT_PTR_NULL(fieldedge_query_next(query, &error));
    CU_ASSERT_PTR_NULL(error);
    g_clear_pointer(&query, fieldedge_query_free);
    close_place(&place);
}

static void test_mistakes(void)
{
    static const struct {
        const char *sql, *words;
    } cases[] = {
        {"SELECT * FROM pakcets", "no such table: pakcets; did you mean packets, packet?"},
        {"SELECT 1,\n  'ä', p.ip_byte FROM packets p", "line 2, column 8: no such column: "
                                                       "p.ip_byte; did you mean ip_bytes"},
        {"SELECT medain(1)", "no such function: medain; did you mean median?"},
        {"SELEC 1", "line 1, column 1: near \"SELEC\": syntax error"},
        {"SELECT 1 +", "incomplete input"},
        {"", "the query is empty"},
        {" -- nothing\n;", "the query is empty"},
        {"SELECT ?1", "parameter (?1)"},
        {"SELECT :a\xb0", "parameter (:a\\xB0)"}, /* found by a fuzzer */
        {"SELECT 1; SELECT 2", "one statement at a time, without what follows: SELECT 2"},
        {"SELECT 1; DROP TABLE packet", "without what follows: DROP TABLE packet"},
        {"SELECT 1; nonsense", "without what follows: nonsense"},
        {"SELECT abs(-9223372036854775808)", "the query failed: integer overflow"},
        {"SELECT percentile(1, 101)", "a number from 0 to 100"},
        {"SELECT median('x')", "need numbers"},
    };
    struct place place = open_place();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_failure(&place, cases[i].sql, FIELDEDGE_ERROR_QUERY, cases[i].words);
    close_place(&place);
}

static void test_refusals(void)
{
    static const struct {
        const char *sql, *words;
    } cases[] = {
        {"DELETE FROM packet", "DELETE from packet is refused"},
        {"WITH x AS (SELECT 1) UPDATE host SET name = 'x'", "UPDATE of host"},
        {"INSERT INTO host (address, text) VALUES (x'01', '1')", "a change of host"},
        {"REPLACE INTO application VALUES (1, 'x')", "is refused"},
        {"CREATE TABLE x (y)", "is refused"},
        {"CREATE TEMP TABLE x (y)", "is refused"},
        {"CREATE TEMP VIEW x AS SELECT 1", "is refused"},
        {"CREATE VIRTUAL TABLE x USING fts5(y)", "is refused"},
        {"DROP VIEW packets", "is refused"},
        {"ALTER TABLE host RENAME TO hosts", "is refused"},
        {"ATTACH 'x' AS x", "ATTACH is refused"},
        {"DETACH x", "DETACH is refused"},
        {"VACUUM", "a statement that writes is refused"},
        {"VACUUM INTO 'x'", "a statement that writes is refused"},
        {"ANALYZE", "is refused"},
        {"REINDEX", "REINDEX is refused"},
        {"BEGIN", "BEGIN is refused"},
        {"COMMIT", "COMMIT is refused"},
        {"SAVEPOINT x", "is refused"},
        {"PRAGMA query_only = OFF", "PRAGMA query_only is refused"},
        {"PRAGMA writable_schema = 1", "PRAGMA writable_schema is refused"},
        {"PRAGMA user_version = 7", "PRAGMA user_version is refused"},
        {"PRAGMA temp_store_directory = '/'", "PRAGMA temp_store_directory is refused"},
        {"PRAGMA integrity_check", "PRAGMA integrity_check is refused"},
        {"SELECT * FROM pragma_integrity_check", "the table pragma_integrity_check"},
        {"SELECT load_extension('x')", "the function load_extension() is refused"},
        {"SELECT fts3_tokenizer('simple')", "the function fts3_tokenizer() is refused"},
        {"UPDATE sqlite_master SET sql = NULL", "may not be modified"},
        {"PRAGMA table_info(packet); PRAGMA journal_mode = DELETE", "one statement"},
        {"EXPLAIN DELETE FROM packet", "DELETE from packet is refused"},
    };
    struct place place = open_place();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_failure(&place, cases[i].sql, FIELDEDGE_ERROR_QUERY, cases[i].words);
    check_cell(&place, "SELECT count(*) FROM packet", "1");
    check_cell(&place, "PRAGMA user_version", G_STRINGIFY(SCHEMA_VERSION));
    close_place(&place);
}

static void test_what_is_allowed(void)
{
    struct place place = open_place();

    check_cell(&place, "VALUES (7)", "7");
    check_cell(&place, "SELECT 7; -- and no more\n ; /* */", "7");
    check_cell(&place, "SELECT source FROM packets", "10.0.0.1");
    check_cell(&place, "SELECT count(*) FROM pragma_table_info('application_series')", "5");
    check_cell(&place, "SELECT count(*) > 5 FROM pragma_table_list WHERE type = 'view'", "1");
    check_cell(&place,
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5)"
               " SELECT sum(i) FROM n",
               "15");
    check_cell(&place, "SELECT strftime('%Y', 1700000000123456789 / 1e9, 'unixepoch')", "2023");
    check_cell(&place, "SELECT sum(value) FROM json_each('[1, 2]')", "3");
    check_cell(&place, "SELECT sum(frame_bytes) OVER () FROM packet", "60");
    close_place(&place);
}

static void test_worked_example_of_functions(void)
{
    static const char values[] = "FROM (VALUES (4), (NULL), (1), (8), (2))";
    static const struct {
        const char *expression, *expected;
    } cases[] = {
        {"median(column1)", "3"},
        {"percentile(column1, 25)", "1.75"},
        {"percentile(column1, 0)", "1"},
        {"percentile(column1, 100)", "8"},
        {"round(stdev(column1), 4)", "3.0956999999999999"},
        {"mad(column1)", "1.5"},
        {"median(NULL)", "NULL"},
        {"stdev(8) FILTER (WHERE column1 = 8)", "NULL"},
        {"stdev(column1 + 1700000000000000000) = stdev(column1)", "1"},
        {"mad(column1 + 1700000000000000000)", "1.5"},
        {"median(column1 - 9223372036854775807)", "-9.2233720368547758e+18"},
        {"median(column1 + 0.25)", "3.25"},
        {"typeof(median(column1))", "real"},
    };
    struct place place = open_place();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf("SELECT %s %s", cases[i].expression, values);
        check_cell(&place, sql, cases[i].expected);
    }
    close_place(&place);
}

static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                              " SELECT count(*) FROM n";

static void test_timeout(void)
{
    struct place place = open_place();

    check_failure(&place, endless, FIELDEDGE_ERROR_TIMEOUT, "stopped after 0.02 s");
    check_cell(&place, "SELECT 1", "1"); /* the handle is as good as before */
    close_place(&place);
}

static gpointer cancel(gpointer query)
{
    fieldedge_query_cancel(query);
    return NULL;
}

static void test_cancel(void)
{
    struct place place = open_place();
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeQuery) query = fieldedge_query_new(place.database, endless, 0, &error);
    GThread *thread = g_thread_new("cancel", cancel, query);

    CU_ASSERT_PTR_NULL(fieldedge_query_next(query, &error));
    CU_ASSERT_TRUE(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED));
    g_thread_join(thread);
    g_clear_pointer(&query, fieldedge_query_free);
    close_place(&place);
}

/* A query and an iterator side by side on one database. */
static void test_beside_an_iterator(void)
{
    struct place place = open_place();
    g_autoptr(GError) error = NULL;

    fixture_packet(place.db, 1, 2000, 1, 61);
    fixture_sums(place.db);
    g_autoptr(FieldEdgeSeries) series =
        fieldedge_series_new(place.database, NULL, FIELDEDGE_BYTES_FRAME, &error);
    CU_ASSERT_EQUAL(fieldedge_series_next(series, &error)->bytes, 60);
    check_failure(&place, "DELETE FROM packet", FIELDEDGE_ERROR_QUERY, "refused");
    check_cell(&place, "SELECT count(*) FROM packet", "2");
    CU_ASSERT_EQUAL(fieldedge_series_next(series, &error)->bytes, 61);
    CU_ASSERT_PTR_NULL(fieldedge_series_next(series, &error));
    CU_ASSERT_PTR_NULL(error);
    g_clear_pointer(&series, fieldedge_series_free);
    close_place(&place);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"types", test_types},
        {"mistakes", test_mistakes},
        {"refusals", test_refusals},
        {"what is allowed", test_what_is_allowed},
        {"worked example of the functions", test_worked_example_of_functions},
        {"timeout", test_timeout},
        {"cancel", test_cancel},
        {"beside an iterator", test_beside_an_iterator},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("query", tests);
}
