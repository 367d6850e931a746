/* test_postproc_database.c: opening databases, snapshots, selections, totals, hosts
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

static char *file_of(const char *name)
{
    if (folder == NULL)
        folder = g_dir_make_tmp("fieldedge-unit-XXXXXX", NULL);
    return g_build_filename(folder, name, NULL);
}

static void check_refused(const char *path, FieldEdgeError code, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeDatabase) database = fieldedge_database_open(path, &error);

    CU_ASSERT_PTR_NULL(database);
    REQUIRE(error);
    CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, (gint)code));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, words));
    CU_ASSERT(g_str_has_prefix(error->message, path));
}

static void test_refuses_what_is_no_database(void)
{
    g_autofree char *missing = file_of("missing.db"), *text = file_of("text.db");

    check_refused(missing, FIELDEDGE_ERROR_NOT_FOUND, "no such file");
    check_refused(folder, FIELDEDGE_ERROR_ACCESS, "directory");
    CU_ASSERT(g_file_set_contents(text, "hello, this is text and more than that", -1, NULL));
    check_refused(text, FIELDEDGE_ERROR_FOREIGN, "not an SQLite database");
    g_unlink(text);
}

static void test_refuses_foreign_newer_and_empty(void)
{
    g_autofree char *path = file_of("other.db");
    sqlite3 *db = NULL;

    sqlite3_open(path, &db);
    fixture_exec(db, "CREATE TABLE t (x)");
    sqlite3_close(db);
    check_refused(path, FIELDEDGE_ERROR_FOREIGN, "another program");
    g_unlink(path);

    db = fixture_new(path);
    fixture_exec(db, "PRAGMA user_version = 99");
    sqlite3_close(db);
    check_refused(path, FIELDEDGE_ERROR_NEWER, "99");
    g_unlink(path);

    CU_ASSERT(g_file_set_contents(path, "", 0, NULL));
    check_refused(path, FIELDEDGE_ERROR_FOREIGN, "empty");
    g_unlink(path);
}

static gint64 count_captures(FieldEdgeDatabase *database)
{
    g_autoptr(FieldEdgeCaptures) captures = fieldedge_captures_new(database, NULL, NULL);
    gint64 count = 0;

    while (fieldedge_captures_next(captures, NULL) != NULL)
        count++;
    CU_ASSERT_PTR_NULL(fieldedge_captures_next(captures, NULL));
    return count;
}

/* A writer goes on; the open database stays as it was, and nothing is left beside it. */
static void test_reads_one_state_while_a_writer_goes_on(void)
{
    g_autofree char *path = file_of("live #1?.db"), *wal = g_strconcat(path, "-wal", NULL);
    sqlite3 *db = fixture_new(path);

    fixture_exec(db, "PRAGMA journal_mode = WAL");
    fixture_capture(db, 1, 0);
    FieldEdgeDatabase *database = fieldedge_database_open(path, NULL);
    REQUIRE(database);
    fixture_capture(db, 2, 0);
    CU_ASSERT_EQUAL(count_captures(database), 1);
    fieldedge_database_close(database);

    database = fieldedge_database_open(path, NULL);
    CU_ASSERT_EQUAL(count_captures(database), 2);
    sqlite3_close(db);
    fieldedge_database_close(database);
    CU_ASSERT_FALSE(g_file_test(wal, G_FILE_TEST_EXISTS));
    g_unlink(path);
}

static void test_refuses_a_capture_that_is_not_there(void)
{
    sqlite3 *db = fixture_new(":memory:");
    g_autoptr(GError) error = NULL;

    fixture_capture(db, 1, 0);
    fixture_capture(db, 4, 0);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
        fieldedge_selection_set_capture(selection, 3);
        CU_ASSERT_PTR_NULL(fieldedge_totals_new(database, selection, &error));
        CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT));
        CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "from 1 to 4"));
    }
    sqlite3_close(db);
}

static void check_first_name(sqlite3 *db, const char *sql_name, const char *expected)
{
    fixture_exec(db, "UPDATE application SET name = %s WHERE id = 1", sql_name);
    g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
    g_autoptr(FieldEdgeTotals) totals = fieldedge_totals_new(database, NULL, NULL);
    const FieldEdgeTotal *total = fieldedge_totals_next(totals, NULL);

    REQUIRE(total);
    CU_ASSERT_STRING_EQUAL(total->application, expected);
}

/* The three could become one name; they must not. */
static void test_texts_are_utf8_and_stay_different(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_packet(db, 1, 0, KIND_AB, 60);
    fixture_sums(db);
    check_first_name(db, "CAST(x'41ff42' AS TEXT)", "A\\xFFB");
    check_first_name(db, "'A\\xFFB'", "A\\x5CxFFB");
    check_first_name(db, "CAST(x'410042' AS TEXT)", "A\\x00B");
    check_first_name(db, "'A\\B'", "A\\B");
    check_first_name(db, "'Zähler'", "Zähler");
    sqlite3_close(db);
}

static void test_accounts_hold_every_packet_once(void)
{
    static const struct {
        const char *name;
        gint64 packets, ip_bytes;
    } expected[] = {{"WAN", 2, 46 + 86}, {"local", 1, 186}, {"without conversation", 0, 0}};
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_conversation(db, 2, 1, 1, 2, 1, 1);
    fixture_packet(db, 1, 1, KIND_AB, 60);
    fixture_packet(db, 1, 2, KIND_BA, 100);
    fixture_packet(db, 2, 3, KIND_BA, 200);
    fixture_sums(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeAccounts) accounts = fieldedge_accounts_new(database, NULL, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
            const FieldEdgeAccount *account = fieldedge_accounts_next(accounts, NULL);
            REQUIRE(account);
            CU_ASSERT_STRING_EQUAL(account->account, expected[i].name);
            CU_ASSERT_EQUAL(account->packets, expected[i].packets);
            CU_ASSERT_EQUAL(account->ip_bytes, expected[i].ip_bytes);
        }
        CU_ASSERT_PTR_NULL(fieldedge_accounts_next(accounts, NULL));
    }
    sqlite3_close(db);
}

/* 10.0.0.1 talks to itself and to 10.0.0.5; local is 10.0.0.0/30. */
static void test_hosts_count_both_directions(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 5, 1, 1, 0);
    fixture_conversation(db, 2, 1, 1, 1, 1, 0);
    fixture_packet(db, 1, 1, KIND_AB, 114);
    fixture_packet(db, 1, 2, KIND_BA, 1014);
    fixture_packet(db, 2, 3, KIND_AB, 24);
    fixture_sums(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeHosts) hosts = fieldedge_hosts_new(database, NULL, NULL);
        const FieldEdgeHost *host = fieldedge_hosts_next(hosts, NULL);
        REQUIRE(host);
        CU_ASSERT_STRING_EQUAL(host->address, "10.0.0.1");
        CU_ASSERT_TRUE(host->is_local);
        CU_ASSERT_EQUAL(host->conversations, 2);
        CU_ASSERT_EQUAL(host->ip_bytes_sent, 1000 + 10);
        CU_ASSERT_EQUAL(host->ip_bytes_received, 100 + 10);
        CU_ASSERT_EQUAL(host->packets_sent, 2);
        host = fieldedge_hosts_next(hosts, NULL);
        REQUIRE(host);
        CU_ASSERT_STRING_EQUAL(host->address, "10.0.0.5");
        CU_ASSERT_FALSE(host->is_local);
        CU_ASSERT_EQUAL(host->ip_bytes_sent, 100);
        CU_ASSERT_EQUAL(host->ip_bytes_received, 1000);
        CU_ASSERT_PTR_NULL(fieldedge_hosts_next(hosts, NULL));
    }
    sqlite3_close(db);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"refuses what is no database", test_refuses_what_is_no_database},
        {"refuses foreign, newer and empty", test_refuses_foreign_newer_and_empty},
        {"reads one state while a writer goes on", test_reads_one_state_while_a_writer_goes_on},
        {"refuses a capture that is not there", test_refuses_a_capture_that_is_not_there},
        {"texts are UTF-8 and stay different", test_texts_are_utf8_and_stay_different},
        {"accounts hold every packet once", test_accounts_hold_every_packet_once},
        {"hosts count both directions", test_hosts_count_both_directions},
        CU_TEST_INFO_NULL,
    };
    int status = fixture_run("database", tests);

    if (folder != NULL)
        g_rmdir(folder);
    g_free(folder);
    return status;
}
