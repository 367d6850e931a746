/* test_postproc_results.c: what fieldedge_analyze() stores is what would be computed, and is read
 * only as long as it is
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "results.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

static char *file_of(const char *name)
{
    if (folder == NULL)
        folder = g_dir_make_tmp("fieldedge-unit-XXXXXX", NULL);
    return g_build_filename(folder, name, NULL);
}

static void remove_file(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *name = g_strconcat(path, ends[i], NULL);
        g_unlink(name);
    }
}

/* Two captures, local and WAN, some periodic, some not; journal is its mode. */
static sqlite3 *make_database(const char *path, const char *journal)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(17);
    sqlite3 *db = fixture_new(path);

    fixture_exec(db, "PRAGMA journal_mode = %s; BEGIN", journal);
    fixture_capture(db, 1, 1000 * SECOND);
    fixture_capture(db, 2, 90000 * SECOND);
    for (int id = 1; id <= 40; id++) {
        gint64 capture = 1 + id % 2, start = capture == 1 ? 1000 : 90000;
        int host_a = g_rand_int_range(chance, 1, 6), host_b = g_rand_int_range(chance, 1, 6);
        gint64 every = g_rand_int_range(chance, 2, 90);
        fixture_conversation(db, id, capture, host_a, host_b, g_rand_int_range(chance, 1, 4),
                             id % 5 == 0);
        for (int i = 0, n = g_rand_int_range(chance, 1, 40); i < n; i++)
            fixture_packet(db, id,
                           (start + i * every) * SECOND + g_rand_int_range(chance, 0, 1 << 28),
                           g_rand_int_range(chance, 1, 4), g_rand_int_range(chance, 60, 63));
    }
    fixture_sums(db);
    fixture_exec(db, "UPDATE capture AS c SET packets = (SELECT count(*) FROM packet"
                     "  WHERE (id >> 32) + 1 = c.id), (started_ns, ended_ns) ="
                     " (SELECT min(started_ns), max(ended_ns) FROM conversation"
                     "  WHERE capture = c.id); COMMIT");
    return db;
}

/* ---- Everything as text, to be compared ---- */

static void describe_gaps(GString *text, const FieldEdgeGaps *gaps)
{
    const gint64 numbers[] = {gaps->count,  gaps->mean_ns, gaps->median_ns, gaps->stdev_ns,
                              gaps->mad_ns, gaps->min_ns,  gaps->max_ns};

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        g_string_append_printf(text, " %" G_GINT64_FORMAT, numbers[i]);
}

static void describe_interval(GString *text, const FieldEdgeInterval *row)
{
    const gint64 numbers[] = {row->direction, row->size_low, row->size_high,
                              row->packets,   row->first_ns, row->last_ns};

    g_string_append_printf(text, "%s %s %s", row->host_a, row->host_b, row->application);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        g_string_append_printf(text, " %" G_GINT64_FORMAT, numbers[i]);
    describe_gaps(text, &row->gaps);
    g_string_append_c(text, '\n');
}

static void describe_period(GString *text, const FieldEdgePeriod *row)
{
    const gint64 numbers[] = {row->period_ns, row->low_ns,     row->high_ns,  row->jitter_ns,
                              row->kind,      row->phase_ns,   row->hits,     row->first_ns,
                              row->last_ns,   row->has_change, row->change_ns};
    const double reals[] = {row->hit_rate,         row->score,
                            row->p_value,          row->bytes_per_cycle,
                            row->events_explained, row->bytes_explained};

    g_string_append(text, "   ");
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        g_string_append_printf(text, " %" G_GINT64_FORMAT, numbers[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(reals); i++)
        g_string_append_printf(text, " %a", reals[i]);
    g_string_append_c(text, '\n');
}

static void describe_group(GString *text, const FieldEdgePeriodGroup *row)
{
    const gint64 numbers[] = {row->conversation, row->direction, row->size_low, row->size_high,
                              row->events,       row->cycles,    row->ip_bytes, row->first_ns,
                              row->last_ns,      row->verdict,   row->is_repeat};

    g_string_append_printf(text, "%s %s %s %a %a", row->host_a, row->host_b, row->application,
                           row->score, row->p_value);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        g_string_append_printf(text, " %" G_GINT64_FORMAT, numbers[i]);
    g_string_append_c(text, '\n');
    for (guint i = 0; i < row->period_count; i++)
        describe_period(text, &row->periods[i]);
}

static void describe_verdicts(GString *text, const FieldEdgeVerdict *verdicts, guint count)
{
    for (guint i = 0; i < count; i++)
        g_string_append_printf(text, " %s %" G_GINT64_FORMAT, verdicts[i].verdict,
                               verdicts[i].packets);
    g_string_append_c(text, '\n');
}

static void describe_pairs(GString *text, FieldEdgeDatabase *database,
                           const FieldEdgeSelection *selection)
{
    g_autoptr(FieldEdgePairs) pairs = fieldedge_pairs_new(
        database, selection, FIELDEDGE_WITH_INTERVALS | FIELDEDGE_WITH_VERDICTS, NULL);
    const FieldEdgePair *pair;

    while ((pair = fieldedge_pairs_next(pairs, NULL)) != NULL) {
        g_string_append_printf(text, "%s %s %u", pair->host_a, pair->host_b, pair->conversations);
        describe_gaps(text, &pair->starts);
        describe_verdicts(text, pair->verdicts, pair->verdict_count);
        for (guint i = 0; i < pair->interval_count; i++)
            describe_interval(text, &pair->intervals[i]);
    }
}

static char *describe(FieldEdgeDatabase *database, const FieldEdgeSelection *selection)
{
    GString *text = g_string_new(NULL);
    g_autoptr(FieldEdgeIntervals) intervals =
        fieldedge_intervals_new(database, selection, NULL, NULL);
    g_autoptr(FieldEdgePeriodGroups) groups =
        fieldedge_period_groups_new(database, selection, NULL, NULL);
    g_autoptr(FieldEdgeConversations) rows =
        fieldedge_conversations_new(database, selection, TRUE, NULL);
    const FieldEdgeInterval *interval;
    const FieldEdgePeriodGroup *group;
    const FieldEdgeConversation *row;

    while ((interval = fieldedge_intervals_next(intervals, NULL)) != NULL)
        describe_interval(text, interval);
    while ((group = fieldedge_period_groups_next(groups, NULL)) != NULL)
        describe_group(text, group);
    while ((row = fieldedge_conversations_next(rows, NULL)) != NULL)
        describe_verdicts(text, row->verdicts, row->verdict_count);
    describe_pairs(text, database, selection);
    return g_string_free(text, FALSE);
}

/* ---- Tests ---- */

static bool is_current(sqlite3 *db, const FieldEdgeSelection *selection,
                       const FieldEdgeTolerance *tolerance)
{
    g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
    bool answer = false;

    CU_ASSERT_TRUE(results_are_current(database, selection, tolerance, &answer, NULL));
    return answer;
}

static void analyze(const char *path)
{
    g_autoptr(GError) error = NULL;

    CU_ASSERT_TRUE(fieldedge_analyze(path, &error));
    if (error != NULL)
        printf("\n%s\n", error->message);
}

static void check_stored_equals_computed(const char *journal)
{
    static const FieldEdgeScope scopes[] = {FIELDEDGE_SCOPE_WAN, FIELDEDGE_SCOPE_LOCAL};
    g_autofree char *path = file_of("equal.db"), *computed[2] = {NULL, NULL};
    sqlite3 *db = make_database(path, journal);
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();

    for (size_t round = 0; round < 3; round++) { /* the third after a second run */
        for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
            g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
            fieldedge_selection_set_scope(selection, scopes[i]);
            CU_ASSERT_EQUAL(is_current(db, selection, NULL), round > 0);
            char *text = describe(database, selection);
            if (round == 0)
                computed[i] = text;
            else
                CU_ASSERT_STRING_EQUAL(text, computed[i]);
            CU_ASSERT(strlen(text) > 1000);
            if (round > 0)
                g_free(text);
        }
        analyze(path);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++)
        g_free(computed[i]);
    computed[0] = NULL;
    sqlite3_close(db);
    remove_file(path);
}

static void test_stored_equals_computed(void)
{
    check_stored_equals_computed("WAL");
    check_stored_equals_computed("DELETE");
}

/* A stored figure that was changed shows: the rows do come from the tables. */
static void test_stored_rows_are_read(void)
{
    g_autofree char *path = file_of("read.db");
    sqlite3 *db = make_database(path, "WAL");

    analyze(path);
    fixture_exec(db, "UPDATE result_interval SET mean_ns = 4711");
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeIntervals) rows = fieldedge_intervals_new(database, NULL, NULL, NULL);
        CU_ASSERT_EQUAL(fieldedge_intervals_next(rows, NULL)->gaps.mean_ns, 4711);
    }
    analyze(path);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeIntervals) rows = fieldedge_intervals_new(database, NULL, NULL, NULL);
        CU_ASSERT_NOT_EQUAL(fieldedge_intervals_next(rows, NULL)->gaps.mean_ns, 4711);
    }
    sqlite3_close(db);
    remove_file(path);
}

static void test_selections_that_are_not_stored(void)
{
    static const FieldEdgeTolerance none = {0}, eight = {.bytes = 8}, share = {.share = 0.01};
    g_autofree char *path = file_of("selections.db");
    sqlite3 *db = make_database(path, "WAL");
    FieldEdgeSelection *selection = fieldedge_selection_new();

    analyze(path);
    CU_ASSERT_TRUE(is_current(db, NULL, NULL));
    CU_ASSERT_TRUE(is_current(db, selection, &none));
    CU_ASSERT_FALSE(is_current(db, selection, &eight));
    CU_ASSERT_FALSE(is_current(db, selection, &share));
    fieldedge_selection_set_scope(selection, FIELDEDGE_SCOPE_ALL);
    CU_ASSERT_FALSE(is_current(db, selection, NULL));
    fieldedge_selection_set_scope(selection, FIELDEDGE_SCOPE_WAN);
    fieldedge_selection_set_capture(selection, 2);
    CU_ASSERT_FALSE(is_current(db, selection, NULL));
    fieldedge_selection_set_capture(selection, 0);
    CU_ASSERT_TRUE(fieldedge_selection_add_filter(selection, "", NULL));
    CU_ASSERT_TRUE(is_current(db, selection, NULL));
    CU_ASSERT_TRUE(fieldedge_selection_add_filter(selection, "port=1", NULL));
    CU_ASSERT_FALSE(is_current(db, selection, NULL));
    fieldedge_selection_free(selection);
    selection = fieldedge_selection_new();
    CU_ASSERT_TRUE(fieldedge_selection_set_window(selection, G_MININT64, G_MAXINT64));
    CU_ASSERT_FALSE(is_current(db, selection, NULL));
    fieldedge_selection_free(selection);
    sqlite3_close(db);
    remove_file(path);
}

static int count(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int result;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        g_error("%s: %s", sql, sqlite3_errmsg(db));
    result = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return result;
}

static void test_not_current_after_a_change(void)
{
    static const char *const changes[] = {
        /* what a recorder does, before and after it brings the sums up to date */
        "INSERT INTO packet SELECT max(id) + 1, time, conversation, 60, 14, 0, 1, 0, NULL FROM "
        "packet",
        "UPDATE capture SET packets = packets + 1 WHERE id = 2",
        "INSERT INTO capture (base_ns, local_networks, payload_hashes, tshark_version,"
        " plugin_version) VALUES (0, '', 0, '', '')",
        "DELETE FROM packet WHERE id >= 1 << 32; DELETE FROM conversation WHERE capture = 2;"
        " DELETE FROM capture WHERE id = 2",
        "UPDATE analysis SET program_version = '0.0.0'",
        "UPDATE analysis SET schema_version = 1",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autofree char *path = file_of("changes.db");
        sqlite3 *db = make_database(path, "WAL");
        analyze(path);
        CU_ASSERT_TRUE(is_current(db, NULL, NULL));
        fixture_exec(db, "%s", changes[i]);
        CU_ASSERT_FALSE(is_current(db, NULL, NULL));
        if (i == 2 || i == 3) { /* the views are empty, too */
            CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM intervals"), 0);
            CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM periods"), 0);
            CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM conversation_verdicts"), 0);
        }
        analyze(path);
        CU_ASSERT_TRUE(is_current(db, NULL, NULL));
        CU_ASSERT(count(db, "SELECT count(*) FROM intervals") > 0);
        sqlite3_close(db);
        remove_file(path);
    }
}

/* Another connection has begun to write and does not end. */
static void test_locked_database_keeps_its_results(void)
{
    g_autofree char *path = file_of("locked.db");
    g_autoptr(GError) error = NULL;
    sqlite3 *db = make_database(path, "WAL");

    analyze(path);
    int before = count(db, "SELECT total(id) FROM result_interval");
    fixture_exec(db, "BEGIN IMMEDIATE");
    CU_ASSERT_FALSE(fieldedge_analyze(path, &error));
    REQUIRE(error);
    CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_LOCKED));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "locked by another program"));
    fixture_exec(db, "ROLLBACK");
    CU_ASSERT_TRUE(is_current(db, NULL, NULL));
    CU_ASSERT_EQUAL(count(db, "SELECT total(id) FROM result_interval"), before);
    sqlite3_close(db);
    remove_file(path);
}

/* Version 1, with a view of the user's. */
static void test_an_older_database_is_brought_up_to_date(void)
{
    static const char *const new_ones[] = {"pair_repeats", "intervals", "period_groups", "periods",
                                           "conversation_verdicts"};
    g_autofree char *path = file_of("older.db");
    sqlite3 *db = NULL;

    sqlite3_open(path, &db);
    CU_ASSERT_TRUE(schema_migrate(db, schema_migrations, schema_migrations_count, 1, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(new_ones); i++)
        fixture_exec(db, "DROP VIEW %s", new_ones[i]);
    fixture_exec(db, "CREATE VIEW mine AS SELECT id FROM capture");
    fixture_capture(db, 1, 5);
    CU_ASSERT_EQUAL(count(db, "PRAGMA user_version"), 1);
    {
        g_autoptr(GError) error = NULL; /* not through a handle of the caller's */
        CU_ASSERT_PTR_NULL(fieldedge_database_new_for_handle(db, "mine", &error));
        CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_OLDER));
    }
    sqlite3_close(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fieldedge_database_open(path, NULL);
        REQUIRE(database);
        g_autoptr(FieldEdgeCaptures) captures = fieldedge_captures_new(database, NULL, NULL);
        CU_ASSERT_PTR_NOT_NULL(fieldedge_captures_next(captures, NULL));
    }
    sqlite3_open(path, &db);
    CU_ASSERT_EQUAL(count(db, "PRAGMA user_version"), SCHEMA_VERSION);
    CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM mine"), 1);
    CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM periods"), 0);
    analyze(path);
    CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM analysis"), 1);
    sqlite3_close(db);
    remove_file(path);
}

static void test_no_database(void)
{
    g_autofree char *path = file_of("missing.db");
    g_autoptr(GError) error = NULL;

    CU_ASSERT_FALSE(fieldedge_analyze(path, &error));
    CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NOT_FOUND));
    CU_ASSERT_FALSE(g_file_test(path, G_FILE_TEST_EXISTS));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"stored equals computed", test_stored_equals_computed},
        {"stored rows are read", test_stored_rows_are_read},
        {"selections that are not stored", test_selections_that_are_not_stored},
        {"not current after a change", test_not_current_after_a_change},
        {"a locked database keeps its results", test_locked_database_keeps_its_results},
        {"an older database is brought up to date", test_an_older_database_is_brought_up_to_date},
        {"no database", test_no_database},
        CU_TEST_INFO_NULL,
    };
    int status = fixture_run("results", tests);

    if (folder != NULL)
        g_rmdir(folder);
    g_free(folder);
    return status;
}
