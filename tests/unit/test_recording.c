/* test_recording.c: what libfieldedge tells the recorder (schema/recording.h), and a capture that
 * is taken out of a database (schema/delete.c)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "schema/recording.h"
#include "schema/schema.h"

#include <CUnit/Basic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void test_text_and_back(void)
{
    struct schema_recording before = {.fingerprint = (char *)"xxh3:00:1",
                                      .replace = 3,
                                      .watch = (char *)"a\nreplace=9\\ \xff\x01",
                                      .file = (char *)"=",
                                      .capture = G_MAXINT64,
                                      .has_hash_key = true,
                                      .hash_key = {0, 1, 0xfe, 0xff},
                                      .report = 7};
    struct schema_recording after;
    g_autofree char *text = schema_recording_to_text(&before);

    schema_recording_from_text(&after, text);
    CU_ASSERT_STRING_EQUAL(after.fingerprint, before.fingerprint);
    CU_ASSERT_STRING_EQUAL(after.watch, before.watch);
    CU_ASSERT_STRING_EQUAL(after.file, before.file);
    CU_ASSERT_PTR_NULL(after.about);
    CU_ASSERT_EQUAL(after.replace, 3);
    CU_ASSERT_EQUAL(after.capture, G_MAXINT64);
    CU_ASSERT_EQUAL(after.report, 7);
    CU_ASSERT_EQUAL(memcmp(after.hash_key, before.hash_key, sizeof after.hash_key), 0);
    CU_ASSERT_TRUE(schema_recording_is_atomic(&after));
    schema_recording_clear(&after);
    CU_ASSERT_FALSE(schema_recording_is_atomic(&after));
}

static void test_no_text(void)
{
    static const char *const texts[] = {NULL,
                                        "",
                                        "nonsense",
                                        "=\n==\nx=1\n",
                                        "hash_key=12\n",
                                        "hash_key=zz112233445566778899aabbccddeeff\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct schema_recording recording;
        schema_recording_from_text(&recording, texts[i]);
        CU_ASSERT_PTR_NULL(recording.watch);
        CU_ASSERT_FALSE(recording.has_hash_key);
        CU_ASSERT_EQUAL(recording.report, -1);
        CU_ASSERT_FALSE(schema_recording_is_atomic(&recording));
        schema_recording_clear(&recording);
    }
}

static void test_report(void)
{
    int file = memfd_create("test", MFD_CLOEXEC);
    struct schema_report report = {1, 1};

    schema_report_read(file, &report);
    CU_ASSERT_EQUAL(report.packets, 0);
    schema_report_write(file, &(struct schema_report){2, 12345});
    schema_report_write(file, &(struct schema_report){2, 23456});
    schema_report_write(-1, &(struct schema_report){3, 1});
    schema_report_read(file, &report);
    CU_ASSERT_EQUAL(report.capture, 2);
    CU_ASSERT_EQUAL(report.packets, 23456);
    schema_report_read(-1, &report);
    CU_ASSERT_EQUAL(report.capture, 0);
    close(file);
}

/* Two captures with a row everywhere, and a table of somebody else's. */
static const char two_captures[] =
    "INSERT INTO capture (id, base_ns, local_networks, payload_hashes, tshark_version,"
    " plugin_version) VALUES (1, 0, '', 0, '', ''), (2, 0, '', 0, '', '');"
    "INSERT INTO packet_kind VALUES (1, 'x', 0, NULL, 0, NULL, 0, 0, 0);"
    "INSERT INTO conversation (id, capture, is_link, is_local, started_ns, ended_ns)"
    " VALUES (1, 1, 1, 0, 0, 0), (2, 2, 1, 0, 0, 0);"
    "INSERT INTO packet VALUES (1, 0, 1, 0, 0, 0, 1, 0, NULL), (2, 0, 1, 0, 0, 0, 1, 0, NULL),"
    " (1 << 32 | 1, 0, 2, 0, 0, 0, 1, 0, NULL);"
    "INSERT INTO quote VALUES (1, 1), (1 << 32 | 1, 2);"
    "INSERT INTO renumbering VALUES (2, 1), (1 << 32 | 1, 1);"
    "INSERT INTO watch VALUES (1, 'a'), (2, 'b');"
    "INSERT INTO gap (capture, reason, file) VALUES (1, 'x', 'y'), (2, 'x', 'y');"
    "INSERT INTO carry VALUES (1, 1, 1, x'00'), (2, 1, 1, x'00');"
    "CREATE TABLE \"my \"\"notes\" (\"about it\" INTEGER REFERENCES conversation (id), note);"
    "INSERT INTO \"my \"\"notes\" VALUES (1, 'one'), (2, 'two');";

static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t answer = -1;

    CU_ASSERT_EQUAL(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return answer;
}

static void test_delete_capture(void)
{
    static const char *const tables[] = {"capture", "conversation", "packet",
                                         "quote",   "watch",        "renumbering",
                                         "gap",     "carry",        "\"my \"\"notes\""};
    sqlite3 *db = NULL;

    sqlite3_open(":memory:", &db);
    CU_ASSERT_TRUE_FATAL(schema_prepare(db, NULL));
    CU_ASSERT_EQUAL_FATAL(sqlite3_exec(db, two_captures, NULL, NULL, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(schema_delete_capture(db, 1), SQLITE_OK);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s", tables[i]);
        CU_ASSERT_EQUAL(ask(db, sql), 1);
    }
    CU_ASSERT_EQUAL(ask(db, "SELECT id FROM capture"), 2);
    CU_ASSERT_EQUAL(ask(db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    sqlite3_close(db);
}

int main(void)
{
    CU_TestInfo tests[] = {{"text and back", test_text_and_back},
                           {"no text", test_no_text},
                           {"report", test_report},
                           {"delete capture", test_delete_capture},
                           CU_TEST_INFO_NULL};
    CU_SuiteInfo suites[] = {{"recording", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return 1;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
