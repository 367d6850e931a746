/* test_postproc_fixture.h
 * Databases in memory made by SQL, for the test_postproc_*.c beside it.
 *
 * fixture_packet() numbers packets itself; fixture_sums() brings the conversations' sums and times
 * into line with their packets.  Kinds: 1 A to B, 2 B to A, 3 A to B bad and a retransmission.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_POSTPROC_FIXTURE_H
#define TEST_POSTPROC_FIXTURE_H

#include "fieldedge.h"
#include "schema/schema.h"

#include <CUnit/Basic.h>
#include <stdlib.h>

/* Ends the test if pointer is NULL; the second line is for readers that do not know CUnit. */
#define REQUIRE(pointer)                                                                           \
    do {                                                                                           \
        CU_ASSERT_PTR_NOT_NULL_FATAL(pointer);                                                     \
        if ((pointer) == NULL)                                                                     \
            abort();                                                                               \
    } while (0)

#define SECOND G_GINT64_CONSTANT(1000000000)

enum { KIND_AB = 1, KIND_BA, KIND_BAD };

G_GNUC_UNUSED static void fixture_exec(sqlite3 *db, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        g_error("%s: %s", sql, sqlite3_errmsg(db));
}

/* With hosts 1 to 9 (10.0.0.1 …), applications 1 TCP_Z, 2 TCP_A, 3 UDP_M, and the kinds. */
G_GNUC_UNUSED static sqlite3 *fixture_new(const char *path)
{
    g_autoptr(GError) error = NULL;
    sqlite3 *db = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK || !schema_prepare(db, &error))
        g_error("no database: %s", error == NULL ? sqlite3_errmsg(db) : error->message);
    for (int i = 1; i <= 9; i++)
        fixture_exec(db, "INSERT INTO host VALUES (%d, x'0a00000%d', '10.0.0.%d', NULL)", i, i, i);
    fixture_exec(db, "INSERT INTO application VALUES (1, 'TCP_Z'), (2, 'TCP_A'), (3, 'UDP_M');"
                     "INSERT INTO packet_kind VALUES (1, 'x', 0, NULL, 0, NULL, 0, 0, 0),"
                     " (2, 'x', 1, NULL, 0, NULL, 0, 0, 0), (3, 'x', 0, NULL, 1, 'y', 1, 1, 0)");
    return db;
}

G_GNUC_UNUSED static void fixture_capture(sqlite3 *db, gint64 id, gint64 base_ns)
{
    fixture_exec(db,
                 "INSERT INTO capture (id, base_ns, started_ns, local_networks, payload_hashes,"
                 " tshark_version, plugin_version) VALUES (%lld, %lld, %lld, '10.0.0.0/30', 0, 't',"
                 " 'p')",
                 (long long)id, (long long)base_ns, (long long)base_ns);
}

G_GNUC_UNUSED static void fixture_conversation(sqlite3 *db, int id, gint64 capture, int host_a,
                                               int host_b, int application, int is_local)
{
    fixture_exec(db,
                 "INSERT INTO conversation (id, capture, is_link, transport, host_a, host_b,"
                 " application, is_local, started_ns, ended_ns)"
                 " VALUES (%d, %lld, 0, 'TCP', %d, %d, %d, %d, 0, 0)",
                 id, (long long)capture, host_a, host_b, application, is_local);
}

/* time_ns is absolute. */
G_GNUC_UNUSED static void fixture_packet(sqlite3 *db, int conversation, gint64 time_ns, int kind,
                                         int frame_bytes)
{
    fixture_exec(db,
                 "INSERT INTO packet SELECT"
                 " ifnull((SELECT max(id) + 1 FROM packet WHERE (id >> 32) + 1 = c.id),"
                 "        (c.id - 1 << 32) + 1), %lld - c.base_ns, v.id, %d, 14, 20, %d, 0, NULL"
                 " FROM conversation v JOIN capture c ON c.id = v.capture WHERE v.id = %d",
                 (long long)time_ns, frame_bytes, kind, conversation);
}

G_GNUC_UNUSED static void fixture_sums(sqlite3 *db)
{
    static const struct {
        const char *column, *expression, *directions;
    } sums[] = {
        {"packets_ab", "1", "0"},
        {"packets_ba", "1", "1"},
        {"frame_bytes_ab", "p.frame_bytes", "0"},
        {"frame_bytes_ba", "p.frame_bytes", "1"},
        {"ip_bytes_ab", "p.frame_bytes - p.link_bytes", "0"},
        {"ip_bytes_ba", "p.frame_bytes - p.link_bytes", "1"},
        {"payload_bytes_ab", "p.payload_bytes", "0"},
        {"payload_bytes_ba", "p.payload_bytes", "1"},
        {"bad_packets", "k.is_bad", "0, 1"},
        {"bad_bytes", "k.is_bad * p.frame_bytes", "0, 1"},
        {"retransmissions", "k.is_retransmission", "0, 1"},
        {"retransmission_bytes", "k.is_retransmission * p.frame_bytes", "0, 1"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++)
        fixture_exec(db,
                     "UPDATE conversation AS v SET %s = (SELECT ifnull(sum(%s), 0)"
                     " FROM packet p JOIN packet_kind k ON k.id = p.kind"
                     " WHERE p.conversation = v.id AND k.direction IN (%s))",
                     sums[i].column, sums[i].expression, sums[i].directions);
    fixture_exec(db, "UPDATE conversation AS v SET (started_ns, ended_ns) ="
                     " (SELECT c.base_ns + min(p.time), c.base_ns + max(p.time)"
                     "    FROM packet p, capture c WHERE p.conversation = v.id"
                     "     AND c.id = v.capture)");
}

G_GNUC_UNUSED static FieldEdgeDatabase *fixture_read(sqlite3 *db)
{
    g_autoptr(GError) error = NULL;
    FieldEdgeDatabase *database = fieldedge_database_new_for_handle(db, "fixture", &error);

    if (database == NULL)
        g_error("%s", error->message);
    return database;
}

G_GNUC_UNUSED static int fixture_run(const char *name, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = {{name, NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
