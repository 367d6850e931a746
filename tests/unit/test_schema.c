/*
 * test_schema.c - schema/: creates, migrates and refuses databases; the tables of names; the views
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "schema/schema.h"

#include <CUnit/Basic.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- helpers -------------------------------------------------------------------------------- */

static char *folder, *path;

static int make_folder(void)
{
    folder = g_dir_make_tmp("fieldedge-test-XXXXXX", NULL);
    path = g_build_filename(folder, "test.db", NULL);
    return folder == NULL;
}

static void remove_file(void)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < G_N_ELEMENTS(tails); i++) {
        g_autofree char *name = g_strconcat(path, tails[i], NULL);
        g_unlink(name);
    }
}

static int remove_folder(void)
{
    remove_file();
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    return 0;
}

static sqlite3 *open_flags(int flags)
{
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open_v2(path, &db, flags, NULL), SQLITE_OK);
    return db;
}

static sqlite3 *open_file(void)
{
    return open_flags(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

static sqlite3 *open_memory(void)
{
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(":memory:", &db), SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fprintf(stderr, "\n    %s: %s\n", sql, message);
    CU_ASSERT_PTR_NULL(message);
    sqlite3_free(message);
}

/* The first column of all rows, joined by blanks.  g_free() it. */
static char *ask(sqlite3 *db, const char *sql)
{
    GString *answer = g_string_new(NULL);
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "\n    %s: %s\n", sql, sqlite3_errmsg(db));
        CU_FAIL("statement does not parse");
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        g_string_append_printf(answer, "%s%s", answer->len > 0 ? " " : "",
                               text == NULL ? "NULL" : text);
    }
    sqlite3_finalize(statement);
    return g_string_free(answer, FALSE);
}

static void check_answer(sqlite3 *db, const char *sql, const char *expected, int line)
{
    g_autofree char *answer = ask(db, sql);

    if (strcmp(answer, expected) != 0)
        fprintf(stderr, "\n    line %d: %s\n    expected %s\n         got %s\n", line, sql,
                expected, answer);
    CU_ASSERT_STRING_EQUAL(answer, expected);
}

#define CHECK(db, sql, expected) check_answer(db, sql, expected, __LINE__)

static bool prepare(sqlite3 *db)
{
    GError *error = NULL;
    bool ok = schema_prepare(db, &error);

    if (error != NULL)
        fprintf(stderr, "\n    %s\n", error->message);
    CU_ASSERT_EQUAL(ok, error == NULL);
    g_clear_error(&error);
    return ok;
}

static void check_error(bool ok, GError *error, enum schema_error code, const char *sentence,
                        int line)
{
    CU_ASSERT_FALSE(ok);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    if (!g_error_matches(error, SCHEMA_ERROR, code) || strcmp(error->message, sentence) != 0)
        fprintf(stderr, "\n    line %d: %d %s\n", line, error->code, error->message);
    CU_ASSERT(g_error_matches(error, SCHEMA_ERROR, code));
    CU_ASSERT_STRING_EQUAL(error->message, sentence);
    g_error_free(error);
}

#define CHECK_REFUSED(call, code, sentence)                                                        \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool ok_ = call;                                                                           \
        check_error(ok_, error, code, sentence, __LINE__);                                         \
    } while (0)

#define OUR_ID    "1178952807" /* SCHEMA_APPLICATION_ID */
#define FOREIGN   "the file is an SQLite database of another program; choose another file name"
#define READ_ONLY "the database is read-only; make the file and its folder writable"

/* ---- create --------------------------------------------------------------------------------- */

static void test_create(void)
{
    sqlite3 *db = open_memory();

    CU_ASSERT_TRUE(prepare(db));
    CHECK(db, "PRAGMA application_id", OUR_ID);
    CHECK(db, "PRAGMA user_version", G_STRINGIFY(SCHEMA_VERSION));
    CHECK(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
          "analysis application capture carry conversation gap host packet packet_kind quote "
          "renumbering result_interval result_pair result_period result_period_group "
          "result_verdict rollup watch watch_file");
    CHECK(db, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name",
          "accounts application_series application_totals application_totals_all captures "
          "conversation_verdicts conversations gaps host_pairs intervals packets pair_repeats "
          "period_groups periods quotes rollups");
    CHECK(db, "PRAGMA foreign_key_check", "");
    CU_ASSERT_TRUE(schema_verify(db, NULL));
    sqlite3_close(db);
}

static void test_prepare_again_changes_nothing(void)
{
    sqlite3 *db = open_memory();

    CU_ASSERT_TRUE(prepare(db));
    run(db, "CREATE TABLE mine (x); CREATE VIEW my_view AS SELECT x FROM mine");
    int changes = sqlite3_total_changes(db);
    CU_ASSERT_TRUE(prepare(db));
    CU_ASSERT_EQUAL(sqlite3_total_changes(db), changes);
    CHECK(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'my%' OR name = 'mine'", "2");
    sqlite3_close(db);
}

/* The promised columns come first and in this order (DESIGN.md). */
static void test_promised_columns(void)
{
    static const struct {
        const char *view, *columns;
    } promises[] = {
        {"captures", "id file interface link_type started_ns ended_ns packets frame_bytes status "
                     "filter tshark_version plugin_version"},
        {"packets",
         "capture_id number time_ns source destination source_port destination_port transport "
         "conversation_id direction application protocol frame_bytes ip_bytes payload_bytes "
         "is_local is_bad analysis retransmitted_bytes"},
        {"conversations",
         "id capture_id transport stream host_a host_b port_a port_b application label_source "
         "server_name is_local started_ns ended_ns packets_ab packets_ba frame_bytes_ab "
         "frame_bytes_ba ip_bytes_ab ip_bytes_ba payload_bytes_ab payload_bytes_ba bad_packets "
         "bad_bytes retransmissions retransmission_bytes retransmitted_bytes"},
        {"host_pairs", "capture_id host_a host_b conversations"},
        {"application_totals",
         "capture_id application conversations packets frame_bytes ip_bytes payload_bytes "
         "bad_packets retransmissions retransmitted_bytes"},
        {"application_series", "capture_id application time_ns frame_bytes ip_bytes"},
    };
    sqlite3 *db = open_memory();

    prepare(db);
    for (size_t i = 0; i < G_N_ELEMENTS(promises); i++) {
        g_autofree char *sql =
            g_strdup_printf("SELECT name FROM pragma_table_info('%s')", promises[i].view);
        g_autofree char *columns = ask(db, sql);
        CU_ASSERT(g_str_has_prefix(columns, promises[i].columns));
    }
    sqlite3_close(db);
}

/* Three packets of a WAN conversation, one local, one without a conversation. */
static const char a_capture[] =
    "INSERT INTO capture (id, base_ns, local_networks, payload_hashes, tshark_version,"
    " plugin_version) VALUES (1, 1000, '', 0, '4', '1'), (2, 5000, '', 0, '4', '1');"
    "INSERT INTO host VALUES (1, x'0a000002', '10.0.0.2', 'plc'), (2, x'08080808', '8.8.8.8', "
    "NULL),"
    " (3, x'0a000001', '10.0.0.1', NULL);"
    "INSERT INTO application VALUES (1, 'TCP_MODBUS'), (2, 'UDP_DNS');"
    "INSERT INTO packet_kind VALUES (1, 'modbus', 0, 24, 0, NULL, 0, 0, 0),"
    " (2, 'modbus', 1, 24, 1, 'retransmission', 1, 1, 0), (3, 'dns', 0, NULL, 0, NULL, 0, 0, 1),"
    " (4, 'arp', 0, NULL, 0, NULL, 0, 0, 0);"
    "INSERT INTO conversation (id, capture, is_link, transport, stream, host_a, host_b, port_a,"
    " port_b, application, is_local, started_ns, ended_ns, packets_ab, packets_ba, frame_bytes_ab,"
    " frame_bytes_ba, ip_bytes_ab, ip_bytes_ba, bad_packets, retransmissions) VALUES"
    " (1, 1, 0, 'TCP', 0, 1, 2, 50000, 502, 1, 0, 1001, 1003, 1, 2, 60, 130, 46, 102, 1, 1),"
    " (2, 2, 0, 'UDP', 0, 1, 3, 50000, 53, 2, 1, 5001, 5001, 1, 0, 70, 0, 56, 0, 0, 0),"
    " (3, 2, 1, NULL, NULL, 1, 3, NULL, NULL, NULL, 0, 5002, 5002, 1, 0, 42, 0, 0, 0, 0, 0);"
    "INSERT INTO packet (id, time, conversation, frame_bytes, link_bytes, payload_bytes, kind,"
    " retransmitted_bytes) VALUES (1, 1, 1, 60, 14, 6, 1, 0), (2, 2, 1, 65, 14, 11, 2, 0),"
    " (3, 3, 1, 65, 14, 11, 2, 11), ((1 << 32) | 1, 1, 2, 70, 14, 28, 3, 0),"
    " ((1 << 32) | 7, 2, 3, 42, 42, 0, 4, 0);"
    "INSERT INTO renumbering VALUES ((1 << 32) | 1, -100);";

static void test_views(void)
{
    sqlite3 *db = open_memory();

    prepare(db);
    run(db, a_capture);
    CHECK(db,
          "SELECT capture_id || '|' || number || '|' || time_ns || '|' || source || '|' ||"
          " destination || '|' || source_port || '|' || destination_port || '|' || direction || '|'"
          " || application || '|' || ip_bytes || '|' || coalesce(analysis, '') FROM packets"
          " WHERE transport IS NOT NULL ORDER BY packet_id",
          "1|1|1001|10.0.0.2|8.8.8.8|50000|502|AB|TCP_MODBUS|46| "
          "1|2|1002|8.8.8.8|10.0.0.2|502|50000|BA|TCP_MODBUS|51|retransmission "
          "1|3|1003|8.8.8.8|10.0.0.2|502|50000|BA|TCP_MODBUS|51|retransmission "
          "2|101|5001|10.0.0.2|10.0.0.1|50000|53|AB|UDP_DNS|56|");
    CHECK(db,
          "SELECT number || '|' || protocol || '|' || ip_bytes FROM packets"
          " WHERE conversation_id IS NULL AND direction IS NULL",
          "7|arp|0");
    CHECK(db, "SELECT application || '|' || packets || '|' || ip_bytes FROM application_totals",
          "TCP_MODBUS|3|148");
    CHECK(db, "SELECT application || '|' || is_local FROM application_totals_all ORDER BY 1",
          "TCP_MODBUS|0 UDP_DNS|1");
    CHECK(db, "SELECT time_ns || '|' || ip_bytes FROM application_series",
          "1001|46 1002|51 1003|51");
    CHECK(db,
          "SELECT capture_id || '|' || host_a || '|' || host_b || '|' || packets FROM host_pairs"
          " ORDER BY capture_id",
          "1|8.8.8.8|10.0.0.2|3 2|10.0.0.1|10.0.0.2|1");
    CHECK(db, "SELECT capture_id || '|' || account || '|' || packets FROM accounts ORDER BY 1",
          "1|WAN|3 2|local|1 2|without conversation|1");
    CHECK(db, "SELECT count(*) FROM conversations", "2");
    sqlite3_close(db);
}

/* ---- refuse --------------------------------------------------------------------------------- */

static void test_refuses_foreign_databases(void)
{
    static const char *const others[] = {
        "CREATE TABLE songs (title)",
        "CREATE TABLE songs (title); PRAGMA user_version = 1",
        "CREATE TABLE songs (title); PRAGMA application_id = 7",
        "PRAGMA application_id = 7",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = " OUR_ID,
        "PRAGMA application_id = " OUR_ID "; PRAGMA user_version = -1",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        sqlite3 *db = open_memory();
        run(db, others[i]);
        g_autofree char *before = ask(db, "SELECT count(*) FROM sqlite_schema");
        CHECK_REFUSED(schema_prepare(db, &error), SCHEMA_ERROR_FOREIGN, FOREIGN);
        CHECK_REFUSED(schema_verify(db, &error), SCHEMA_ERROR_FOREIGN, FOREIGN);
        CHECK(db, "SELECT count(*) FROM sqlite_schema", before);
        sqlite3_close(db);
    }
}

/* A file of one byte is empty to SQLite: findInodeInfo() of os_unix.c. */
static void test_refuses_other_files(void)
{
    static const char *const contents[] = {"xy", "SQLite format 2",
                                           "no database, but a text of more than sixteen bytes"};

    for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autofree char *text = NULL;
        g_file_set_contents(path, contents[i], -1, NULL);
        sqlite3 *db = open_file();
        CHECK_REFUSED(schema_prepare(db, &error), SCHEMA_ERROR_FOREIGN,
                      "the file is not an SQLite database; choose another file name");
        sqlite3_close(db);
        g_file_get_contents(path, &text, NULL, NULL);
        CU_ASSERT_STRING_EQUAL(text, contents[i]);
        remove_file();
    }
}

static void test_refuses_newer_databases(void)
{
    sqlite3 *db = open_memory();
    g_autofree char *sentence = g_strdup_printf("the database has version 99, this FieldEdge knows "
                                                "versions up to %d; update FieldEdge",
                                                SCHEMA_VERSION);

    run(db,
        "CREATE TABLE future (x); PRAGMA application_id = " OUR_ID "; PRAGMA user_version = 99");
    CHECK_REFUSED(schema_prepare(db, &error), SCHEMA_ERROR_NEWER, sentence);
    CHECK_REFUSED(schema_verify(db, &error), SCHEMA_ERROR_NEWER, sentence);
    CHECK(db, "SELECT name FROM sqlite_schema", "future");
    sqlite3_close(db);
}

static void test_verify_refuses_empty_databases(void)
{
    sqlite3 *db = open_memory();

    CHECK_REFUSED(schema_verify(db, &error), SCHEMA_ERROR_FOREIGN,
                  "the database is empty; record a capture into it first");
    CHECK(db, "SELECT count(*) FROM sqlite_schema", "0");
    sqlite3_close(db);
}

static void test_refuses_read_only_databases(void)
{
    sqlite3 *db = open_file();

    sqlite3_exec(db, "VACUUM", NULL, NULL, NULL);
    sqlite3_close(db);
    db = open_flags(SQLITE_OPEN_READONLY);
    CHECK_REFUSED(schema_prepare(db, &error), SCHEMA_ERROR_SQLITE, READ_ONLY);
    sqlite3_close(db);

    db = open_file();
    prepare(db);
    sqlite3_close(db);
    db = open_flags(SQLITE_OPEN_READONLY);
    CU_ASSERT_TRUE(schema_verify(db, NULL));
    CHECK_REFUSED(schema_prepare(db, &error), SCHEMA_ERROR_SQLITE, READ_ONLY);
    sqlite3_close(db);
    remove_file();
}

static void test_refuses_a_database_in_a_transaction(void)
{
    sqlite3 *db = open_memory();
    GError *error = NULL;

    run(db, "BEGIN");
    CU_ASSERT_FALSE(schema_prepare(db, &error));
    CU_ASSERT(g_error_matches(error, SCHEMA_ERROR, SCHEMA_ERROR_SQLITE));
    g_clear_error(&error);
    CU_ASSERT_FALSE(sqlite3_get_autocommit(db));
    sqlite3_close(db);
}

/* ---- migrate -------------------------------------------------------------------------------- */

/* Two steps of versions to come, after the real ones. */
#define NEXT   3
#define FUTURE 4
_Static_assert(SCHEMA_VERSION + 1 == NEXT, "a real step has come: count NEXT and FUTURE up");

static const struct schema_migration *steps_to(int version)
{
    static struct schema_migration steps[FUTURE];

    g_assert(version <= FUTURE);
    memcpy(steps, schema_migrations, SCHEMA_VERSION * sizeof *steps);
    steps[SCHEMA_VERSION] = (struct schema_migration){
        NEXT,
        "ALTER TABLE host ADD COLUMN vendor TEXT; ALTER TABLE host RENAME COLUMN text TO words;"
        "ALTER TABLE host RENAME COLUMN words TO text;"
        /* as every change that ALTER TABLE cannot do: a new table in place of the old */
        "CREATE TABLE new_capture AS SELECT * FROM capture; DROP TABLE capture;"
        "ALTER TABLE new_capture RENAME TO capture;"};
    steps[SCHEMA_VERSION + 1] =
        (struct schema_migration){FUTURE, "UPDATE host SET vendor = 'v' || id;"};
    return steps;
}

static void test_a_new_database_runs_every_step(void)
{
    sqlite3 *db = open_memory();

    CU_ASSERT_TRUE(schema_migrate(db, steps_to(FUTURE), FUTURE, FUTURE, NULL));
    CHECK(db, "PRAGMA user_version", G_STRINGIFY(FUTURE));
    CHECK(db, "SELECT count(*) FROM pragma_table_info('host') WHERE name = 'vendor'", "1");
    CHECK(db, "SELECT count(*) FROM packets", "0");
    sqlite3_close(db);
}

static void test_an_older_database_keeps_its_data(void)
{
    sqlite3 *db = open_memory();

    run(db, "PRAGMA foreign_keys = ON");
    prepare(db);
    run(db, a_capture);
    run(db, "CREATE VIEW \"My \"\"own\"\" view\" AS SELECT text FROM host WHERE id = 1;"
            "DROP VIEW captures; CREATE VIEW CAPTURES AS SELECT 1 AS old");
    CU_ASSERT_TRUE(schema_migrate(db, steps_to(FUTURE), FUTURE, FUTURE, NULL));
    CHECK(db, "PRAGMA user_version", G_STRINGIFY(FUTURE));
    CHECK(db, "PRAGMA application_id", OUR_ID);
    CHECK(db, "SELECT vendor FROM host ORDER BY id", "v1 v2 v3");
    CHECK(db, "SELECT count(*) FROM packet", "5");
    CHECK(db, "SELECT count(*) FROM packets", "5");
    CHECK(db, "SELECT count(*) FROM captures WHERE tshark_version = '4'", "2");
    CHECK(db, "SELECT * FROM \"My \"\"own\"\" view\"", "10.0.0.2");
    CHECK(db, "PRAGMA foreign_keys", "1");
    sqlite3_close(db);
}

static void test_a_failing_step_leaves_the_old_database(void)
{
    struct schema_migration steps[FUTURE];
    sqlite3 *db = open_memory();

    memcpy(steps, steps_to(FUTURE), sizeof steps);
    steps[FUTURE - 1].sql = "DELETE FROM packet; INSERT INTO nowhere VALUES (1);";
    prepare(db);
    run(db, a_capture);
    CHECK_REFUSED(schema_migrate(db, steps, FUTURE, FUTURE, &error), SCHEMA_ERROR_SQLITE,
                  "cannot bring the database up to date: no such table: nowhere");
    CU_ASSERT_TRUE(sqlite3_get_autocommit(db));
    CHECK(db, "PRAGMA user_version", G_STRINGIFY(SCHEMA_VERSION));
    CHECK(db, "SELECT count(*) FROM packets", "5");
    CHECK(db, "SELECT count(*) FROM pragma_table_info('host') WHERE name = 'vendor'", "0");
    CU_ASSERT_TRUE(schema_migrate(db, steps, FUTURE, NEXT, NULL));
    CHECK(db, "PRAGMA user_version", G_STRINGIFY(NEXT));
    sqlite3_close(db);
}

static void test_an_older_database_that_may_only_be_read(void)
{
    sqlite3 *db = open_file();

    prepare(db);
    sqlite3_close(db);
    db = open_flags(SQLITE_OPEN_READONLY);
    CHECK_REFUSED(
        schema_migrate(db, steps_to(NEXT), NEXT, NEXT, &error), SCHEMA_ERROR_OLDER,
        "the database has version " G_STRINGIFY(
            SCHEMA_VERSION) " and may only be read, so it cannot be brought to "
                            "version " G_STRINGIFY(NEXT) "; make the file and its folder writable");
    sqlite3_close(db);
    remove_file();
}

/* Every step in the code has its number, and the database after the last one is what fresh ones
 * are. */
static void test_the_steps_of_this_version(void)
{
    CU_ASSERT_EQUAL(schema_migrations_count, SCHEMA_VERSION);
    for (size_t i = 0; i < schema_migrations_count; i++)
        CU_ASSERT_EQUAL(schema_migrations[i].version, (int)i + 1);
}

/* ---- others at the same file ----------------------------------------------------------------- */

/* The exit code says what failed. */
static int prepare_as_a_process(bool wal)
{
    sqlite3 *db = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK)
        return 1;
    /* SQLite itself does not wait when two processes switch to WAL at once */
    for (int i = 0; wal && i < 500; i++) {
        if (sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK)
            break;
        g_usleep(10000);
    }
    GError *error = NULL;
    if (!schema_prepare(db, &error)) {
        fprintf(stderr, "\n    %s\n", error->message);
        return 2;
    }
    if (!schema_verify(db, NULL))
        return 3;
    return sqlite3_close(db) == SQLITE_OK ? 0 : 4;
}

static void prepare_at_once(bool wal)
{
    enum { PROCESSES = 8 };
    pid_t children[PROCESSES];

    remove_file();
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(prepare_as_a_process(wal));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        CU_ASSERT(WIFEXITED(status));
        CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
        if (status != 0)
            fprintf(stderr, "\n    a process ended with %d\n", WEXITSTATUS(status));
    }
    sqlite3 *db = open_file();
    CHECK(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'", "19");
    CHECK(db, "PRAGMA integrity_check", "ok");
    sqlite3_close(db);
    remove_file();
}

static void test_processes_at_once(void)
{
    for (int round = 0; round < 10; round++) {
        prepare_at_once(false);
        prepare_at_once(true);
    }
}

static gpointer unlock_soon(gpointer data)
{
    g_usleep(300000);
    sqlite3_exec(data, "COMMIT", NULL, NULL, NULL);
    return NULL;
}

static void test_waits_for_a_lock(void)
{
    sqlite3 *other = open_file(), *db = open_file();

    run(other, "BEGIN EXCLUSIVE");
    GThread *thread = g_thread_new("other", unlock_soon, other);
    CU_ASSERT_TRUE(prepare(db));
    g_thread_join(thread);
    sqlite3_close(other);
    sqlite3_close(db);
    remove_file();
}

/* The other made it ours and newer between our look and our lock: the look inside counts. */
static int become_newer(void *data, int tries)
{
    sqlite3 *other = data;

    if (tries > 0)
        return 0;
    sqlite3_exec(other, "PRAGMA application_id = " OUR_ID "; PRAGMA user_version = 99; COMMIT",
                 NULL, NULL, NULL);
    return 1;
}

static void test_looks_again_inside_the_transaction(void)
{
    sqlite3 *other = open_file(), *db = open_file();
    GError *error = NULL;

    run(other, "BEGIN IMMEDIATE; CREATE TABLE t (x)");
    sqlite3_busy_handler(db, become_newer, other);
    CU_ASSERT_FALSE(schema_prepare(db, &error));
    CU_ASSERT(g_error_matches(error, SCHEMA_ERROR, SCHEMA_ERROR_NEWER));
    g_clear_error(&error);
    CU_ASSERT_TRUE(sqlite3_get_autocommit(db));
    sqlite3_close(other);
    sqlite3_close(db);
    remove_file();
}

/* ---- faults --------------------------------------------------------------------------------- */

static void check_fresh_or_complete(sqlite3 *db, bool complete)
{
    CU_ASSERT_TRUE(sqlite3_get_autocommit(db));
    CHECK(db, "PRAGMA user_version", complete ? G_STRINGIFY(SCHEMA_VERSION) : "0");
    CHECK(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'", complete ? "19" : "0");
}

static void test_a_full_disk_leaves_nothing(void)
{
    for (int pages = 1; pages < 40; pages++) {
        sqlite3 *db = open_file();
        GError *error = NULL;
        g_autofree char *sql = g_strdup_printf("PRAGMA max_page_count = %d", pages);
        run(db, sql);
        bool ok = schema_prepare(db, &error);
        CU_ASSERT_EQUAL(ok, error == NULL);
        if (!ok)
            CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "full"));
        g_clear_error(&error);
        run(db, "PRAGMA max_page_count = 1000000");
        check_fresh_or_complete(db, ok);
        sqlite3_close(db);
        remove_file();
    }
}

/* SQLite's allocator, failing from the nth call on. */
static sqlite3_mem_methods real_memory;
static int allocations_left = -1; /* -1: no limit */

static bool may_allocate(void)
{
    if (allocations_left < 0)
        return true;
    if (allocations_left == 0)
        return false;
    allocations_left--;
    return true;
}

static void *limited_malloc(int size)
{
    return may_allocate() ? real_memory.xMalloc(size) : NULL;
}

static void *limited_realloc(void *old, int size)
{
    return may_allocate() ? real_memory.xRealloc(old, size) : NULL;
}

static void limit_memory(void)
{
    sqlite3_mem_methods limited;

    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    limited = real_memory;
    limited.xMalloc = limited_malloc;
    limited.xRealloc = limited_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &limited);
}

/* Memory stays short until the file is closed, so even ROLLBACK may fail: the file decides. */
static void test_out_of_memory_leaves_nothing(void)
{
    bool done = false;
    int failures = 0;

    for (int limit = 0; !done && limit < 200000; limit += 1 + limit / 20) {
        sqlite3 *db = open_file();
        GError *error = NULL;
        allocations_left = limit;
        done = schema_prepare(db, &error);
        CU_ASSERT_EQUAL(done, error == NULL);
        failures += !done;
        g_clear_error(&error);
        sqlite3_close(db);
        allocations_left = -1;
        db = open_file();
        check_fresh_or_complete(db, done);
        sqlite3_close(db);
        remove_file();
    }
    CU_ASSERT_TRUE(done);
    CU_ASSERT(failures > 50);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* fieldedge-pcap's own tables: SPEC.md, section 5. */
static void test_names_of_the_reference(void)
{
    static const struct schema_application names[] = {
        {"TCP", 20, "FTP"},           {"TCP", 21, "FTPC"},
        {"TCP", 22, "SSH"},           {"TCP", 23, "TELNET"},
        {"TCP", 25, "SMTP"},          {"TCP", 53, "DNS"},
        {"TCP", 80, "HTTP"},          {"TCP", 143, "IMAP"},
        {"TCP", 443, "HTTP_TLS"},     {"TCP", 502, "MODBUS"},
        {"TCP", 802, "MODBUS_TLS"},   {"TCP", 1883, "MQTT"},
        {"TCP", 2375, "DOCKERAPI"},   {"TCP", 2376, "DOCKERAPI_TLS"},
        {"TCP", 2404, "IEC60870"},    {"TCP", 3389, "RDP"},
        {"TCP", 4303, "SRCP"},        {"TCP", 5683, "COAP"},
        {"TCP", 5684, "COAP_TLS"},    {"TCP", 8080, "HTTP2"},
        {"TCP", 8883, "MQTT_TLS"},    {"TCP", 9001, "MQTT_SOCKET"},
        {"TCP", 19999, "DNP2"},       {"TCP", 20000, "DNP"},
        {"UDP", 53, "DNS"},           {"UDP", 67, "DHCP_QUERY"},
        {"UDP", 68, "DHCP_RESPONSE"}, {"UDP", 123, "NTP"},
        {"UDP", 161, "SNMP"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *name = schema_application_name(names[i].transport, names[i].port);
        CU_ASSERT_PTR_NOT_NULL_FATAL(name);
        CU_ASSERT_STRING_EQUAL(name, names[i].name);
    }
}

static void test_applications_are_sorted_valid_and_found(void)
{
    for (size_t i = 0; i < schema_applications_count; i++) {
        const struct schema_application *line = &schema_applications[i];
        size_t length = strlen(line->name);
        CU_ASSERT(length > 0 && length < 32);
        CU_ASSERT(strspn(line->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == length);
        CU_ASSERT(line->name[0] != '_' && line->name[length - 1] != '_');
        CU_ASSERT_PTR_NULL(strstr(line->name, "__"));
        CU_ASSERT_PTR_EQUAL(schema_application_name(line->transport, line->port), line->name);
        if (i == 0)
            continue;
        int order = strcmp(line[-1].transport, line->transport);
        CU_ASSERT(order < 0 || (order == 0 && line[-1].port < line->port));
    }
}

static void test_unknown_ports_have_no_name(void)
{
    CU_ASSERT_PTR_NULL(schema_application_name("TCP", 0));
    CU_ASSERT_PTR_NULL(schema_application_name("TCP", 65535));
    CU_ASSERT_PTR_NULL(schema_application_name("TCP", 161 + 1024));
    CU_ASSERT_PTR_NULL(schema_application_name("SCTP", 443));
    CU_ASSERT_PTR_NULL(schema_application_name("", 443));
    CU_ASSERT_PTR_NULL(schema_application_name("tcp", 443));
}

static void test_protocols_are_sorted_valid_and_found(void)
{
    for (size_t i = 0; i < schema_protocols_count; i++) {
        const struct schema_protocol *line = &schema_protocols[i];
        CU_ASSERT_PTR_EQUAL(schema_protocol_find(line->filter_name), line);
        CU_ASSERT(line->name == NULL || strlen(line->name) < 32);
        CU_ASSERT(line->role != SCHEMA_PROTOCOL_SECURES || line->name != NULL);
        if (i > 0)
            CU_ASSERT(strcmp(line[-1].filter_name, line->filter_name) < 0);
    }
}

static void test_protocols_by_name(void)
{
    CU_ASSERT_EQUAL(schema_protocol_find("tls")->role, SCHEMA_PROTOCOL_SECURES);
    CU_ASSERT_STRING_EQUAL(schema_protocol_find("mbtcp")->name, "MODBUS");
    CU_ASSERT_PTR_NULL(schema_protocol_find("data")->name);
    CU_ASSERT_PTR_NULL(schema_protocol_find("mqtt"));
    CU_ASSERT_PTR_NULL(schema_protocol_find(""));
    CU_ASSERT_PTR_NULL(schema_protocol_find("\xff\xff"));
}

int main(void)
{
    limit_memory();
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;

    CU_TestInfo create[] = {
        {"create", test_create},
        {"prepare again changes nothing", test_prepare_again_changes_nothing},
        {"promised columns", test_promised_columns},
        {"views", test_views},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo refuse[] = {
        {"foreign databases", test_refuses_foreign_databases},
        {"other files", test_refuses_other_files},
        {"newer databases", test_refuses_newer_databases},
        {"empty databases, to read", test_verify_refuses_empty_databases},
        {"read-only databases", test_refuses_read_only_databases},
        {"a transaction under way", test_refuses_a_database_in_a_transaction},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo migrate[] = {
        {"a new database runs every step", test_a_new_database_runs_every_step},
        {"an older database keeps its data", test_an_older_database_keeps_its_data},
        {"a failing step leaves the old database", test_a_failing_step_leaves_the_old_database},
        {"older and read-only", test_an_older_database_that_may_only_be_read},
        {"the steps of this version", test_the_steps_of_this_version},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo others[] = {
        {"processes at once", test_processes_at_once},
        {"waits for a lock", test_waits_for_a_lock},
        {"looks again inside the transaction", test_looks_again_inside_the_transaction},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo faults[] = {
        {"a full disk leaves nothing", test_a_full_disk_leaves_nothing},
        {"out of memory leaves nothing", test_out_of_memory_leaves_nothing},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo names[] = {
        {"names of the reference", test_names_of_the_reference},
        {"applications", test_applications_are_sorted_valid_and_found},
        {"unknown ports", test_unknown_ports_have_no_name},
        {"protocols", test_protocols_are_sorted_valid_and_found},
        {"protocols by name", test_protocols_by_name},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"create", NULL, NULL, NULL, NULL, create},
        {"refuse", make_folder, remove_folder, NULL, NULL, refuse},
        {"migrate", make_folder, remove_folder, NULL, NULL, migrate},
        {"others at the file", make_folder, remove_folder, NULL, NULL, others},
        {"faults", make_folder, remove_folder, NULL, NULL, faults},
        {"names", NULL, NULL, NULL, NULL, names},
        CU_SUITE_INFO_NULL,
    };

    if (CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
