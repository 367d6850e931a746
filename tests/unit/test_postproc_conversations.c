/* test_postproc_conversations.c: conversations one by one, and their bad packets by verdict
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include <string.h>

/* Kinds of verdicts.h: 11 fast retransmission (and plain), 12 out of order, 13 malformed and out of
 * order, 14 a keep-alive, which is not bad. */
static void add_kinds(sqlite3 *db)
{
    fixture_exec(db,
                 "INSERT INTO packet_kind VALUES (11, 'x', 0, NULL, 3, 'y', 1, 1, 0),"
                 " (12, 'x', 0, NULL, 8, 'y', 1, 0, 0), (13, 'x', 1, NULL, 32776, 'y', 1, 0, 0),"
                 " (14, 'x', 0, NULL, 128, 'y', 0, 0, 0)");
}

static void check_verdicts(const FieldEdgeVerdict *verdicts, guint count, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT, i > 0 ? ", " : "",
                               verdicts[i].verdict, verdicts[i].packets);
    CU_ASSERT_STRING_EQUAL(text->str, expected);
}

/* faults.h's example, and a conversation of the same pair with others. */
static sqlite3 *make_database(void)
{
    sqlite3 *db = fixture_new(":memory:");

    add_kinds(db);
    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_conversation(db, 2, 1, 5, 1, 1, 0);
    fixture_conversation(db, 3, 1, 1, 2, 1, 1);
    fixture_packet(db, 1, 1, 11, 60);
    fixture_packet(db, 1, 2, 12, 60);
    fixture_packet(db, 1, 3, 12, 60);
    fixture_packet(db, 1, 4, 14, 60);
    fixture_packet(db, 2, 5, 13, 60);
    fixture_packet(db, 2, 6, KIND_AB, 60);
    fixture_packet(db, 3, 7, 12, 60);
    fixture_sums(db);
    return db;
}

static void test_verdicts_of_conversations_and_pairs(void)
{
    sqlite3 *db = make_database();
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeConversations) rows =
            fieldedge_conversations_new(database, NULL, TRUE, NULL);
        const FieldEdgeConversation *row = fieldedge_conversations_next(rows, NULL);
        REQUIRE(row);
        check_verdicts(row->verdicts, row->verdict_count,
                       "retransmission 1, fast_retransmission 1, out_of_order 2");
        CU_ASSERT_EQUAL(row->bad_packets, 3);
        row = fieldedge_conversations_next(rows, NULL);
        REQUIRE(row);
        check_verdicts(row->verdicts, row->verdict_count, "out_of_order 1, malformed 1");
        CU_ASSERT_PTR_NULL(fieldedge_conversations_next(rows, NULL));
        CU_ASSERT_PTR_NULL(fieldedge_conversations_next(rows, NULL));

        g_autoptr(FieldEdgePairs) pairs =
            fieldedge_pairs_new(database, NULL, FIELDEDGE_WITH_VERDICTS, NULL);
        const FieldEdgePair *pair = fieldedge_pairs_next(pairs, NULL);
        REQUIRE(pair);
        check_verdicts(pair->verdicts, pair->verdict_count,
                       "retransmission 1, fast_retransmission 1, out_of_order 3, malformed 1");
        CU_ASSERT_PTR_NULL(fieldedge_pairs_next(pairs, NULL));
    }
    sqlite3_close(db);
}

static void test_every_column(void)
{
    sqlite3 *db = make_database();

    fixture_exec(db, "UPDATE conversation SET stream = 4, port_a = 5000, port_b = 443,"
                     " label_source = 'port', server_name = 's', vlan = 7, tunnel = 'GRE',"
                     " retransmitted_bytes = 9 WHERE id = 2;"
                     "UPDATE host SET name = 'n' WHERE id = 5");
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeConversations) rows =
            fieldedge_conversations_new(database, NULL, FALSE, NULL);
        const FieldEdgeConversation *row = fieldedge_conversations_next(rows, NULL);
        REQUIRE(row);
        CU_ASSERT_EQUAL(row->verdict_count, 0);
        CU_ASSERT_EQUAL(row->stream, FIELDEDGE_NONE);
        CU_ASSERT_EQUAL(row->port_a, FIELDEDGE_NONE);
        CU_ASSERT_EQUAL(row->vlan, FIELDEDGE_NONE);
        CU_ASSERT_PTR_NULL(row->tunnel);
        CU_ASSERT_PTR_NULL(row->server_name);
        CU_ASSERT_STRING_EQUAL(row->name_b, "n");
        CU_ASSERT_EQUAL(row->duration_ns, 3);
        row = fieldedge_conversations_next(rows, NULL);
        REQUIRE(row);
        CU_ASSERT_EQUAL(row->id, 2);
        CU_ASSERT_EQUAL(row->capture, 1);
        CU_ASSERT_EQUAL(row->stream, 4);
        CU_ASSERT_STRING_EQUAL(row->host_a, "10.0.0.5");
        CU_ASSERT_EQUAL(row->port_a, 5000);
        CU_ASSERT_EQUAL(row->port_b, 443);
        CU_ASSERT_STRING_EQUAL(row->label_source, "port");
        CU_ASSERT_STRING_EQUAL(row->server_name, "s");
        CU_ASSERT_EQUAL(row->vlan, 7);
        CU_ASSERT_STRING_EQUAL(row->tunnel, "GRE");
        CU_ASSERT_EQUAL(row->packets_ab, 1);
        CU_ASSERT_EQUAL(row->packets_ba, 1);
        CU_ASSERT_EQUAL(row->overhead_bytes, 2 * (60 - 14 - 20));
        CU_ASSERT_EQUAL(row->retransmitted_bytes, 9);
        CU_ASSERT_FALSE(row->is_local);
    }
    sqlite3_close(db);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"verdicts of conversations and pairs", test_verdicts_of_conversations_and_pairs},
        {"every column", test_every_column},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("conversations", tests);
}
