/* test_postproc_pairing.c: which pair and stream a conversation is of
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "pairing.h"

static const struct pairing_member *member_of(const struct pairing *pairing, gint64 id)
{
    const struct pairing_member *member = pairing_member(pairing, id);

    CU_ASSERT_PTR_EQUAL(member, pairing_search(pairing, id));
    return member;
}

/* pairing.h's example */
static void test_example(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 7);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_conversation(db, 2, 1, 1, 6, 1, 0);
    fixture_conversation(db, 3, 1, 5, 1, 2, 0);
    FieldEdgeDatabase *database = fixture_read(db);
    struct pairing *pairing = pairing_load(database, NULL, NULL);
    struct pairing_hosts hosts = {0};

    REQUIRE(pairing);
    CU_ASSERT_EQUAL(pairing->pair_count, 2);
    CU_ASSERT_EQUAL(pairing->pairs[0].host_a, 1);
    CU_ASSERT_EQUAL(pairing->pairs[0].host_b, 5);
    CU_ASSERT_EQUAL_FATAL(pairing->stream_count, 3);
    const struct pairing_member *first = member_of(pairing, 1), *third = member_of(pairing, 3);
    CU_ASSERT_EQUAL(first->pair, 0);
    CU_ASSERT_FALSE(first->is_flipped);
    CU_ASSERT_EQUAL(first->base_ns, 7);
    CU_ASSERT_EQUAL(third->pair, 0);
    CU_ASSERT_TRUE(third->is_flipped);
    CU_ASSERT_EQUAL(third->stream, 0); /* TCP_A before TCP_Z */
    CU_ASSERT_EQUAL(first->stream, 1);
    CU_ASSERT_EQUAL(member_of(pairing, 2)->stream, 2);
    CU_ASSERT_EQUAL(pairing->streams[0].conversations, 1);
    CU_ASSERT_PTR_NULL(member_of(pairing, 0));
    CU_ASSERT_PTR_NULL(member_of(pairing, 4));
    CU_ASSERT_PTR_NULL(member_of(pairing, G_MININT64));
    CU_ASSERT_TRUE(pairing_hosts(database, pairing, 1, &hosts, NULL));
    CU_ASSERT_STRING_EQUAL(hosts.host_b, "10.0.0.6");
    pairing_hosts_clear(&hosts);
    pairing_free(pairing);
    fieldedge_database_close(database);
    sqlite3_close(db);
}

/* Ids far apart are searched, not looked up; local conversations and other captures are not there.
 */
static void test_ids_far_apart_and_selections(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_capture(db, 2, 0);
    fixture_conversation(db, 5, 1, 1, 5, 1, 0);
    fixture_conversation(db, 1000000, 1, 1, 6, 1, 1);
    fixture_conversation(db, 2000000000, 2, 1, 1, 1, 0); /* to itself */
    FieldEdgeDatabase *database = fixture_read(db);
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    struct pairing *pairing = pairing_load(database, NULL, NULL);

    REQUIRE(pairing);
    CU_ASSERT_PTR_NULL(pairing->dense);
    CU_ASSERT_EQUAL(pairing->member_count, 2);
    CU_ASSERT_PTR_NULL(pairing_member(pairing, 1000000));
    REQUIRE(pairing_member(pairing, 2000000000));
    CU_ASSERT_FALSE(pairing_member(pairing, 2000000000)->is_flipped);
    pairing_free(pairing);
    fieldedge_selection_set_capture(selection, 1);
    fieldedge_selection_set_scope(selection, FIELDEDGE_SCOPE_LOCAL);
    pairing = pairing_load(database, selection, NULL);
    REQUIRE(pairing);
    CU_ASSERT_EQUAL(pairing->member_count, 1);
    CU_ASSERT_PTR_NOT_NULL(pairing_member(pairing, 1000000));
    pairing_free(pairing);
    fieldedge_database_close(database);
    sqlite3_close(db);
}

/* Ids that a map of ranks could confuse: applications and captures that are gone. */
static void test_rows_without_their_partners_are_left_out(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_conversation(db, 2, 1, 1, 99, 1, 0);
    fixture_conversation(db, 3, 1, 1, 5, 77, 0);
    fixture_conversation(db, 4, 9, 1, 5, 1, 0);
    FieldEdgeDatabase *database = fixture_read(db);
    struct pairing *pairing = pairing_load(database, NULL, NULL);
    struct pairing_hosts hosts = {0};

    REQUIRE(pairing);
    CU_ASSERT_EQUAL(pairing->member_count, 2);
    CU_ASSERT_PTR_NULL(pairing_member(pairing, 3));
    CU_ASSERT_PTR_NULL(pairing_member(pairing, 4));
    REQUIRE(pairing_member(pairing, 2));
    CU_ASSERT_TRUE(
        pairing_hosts(database, pairing, pairing_member(pairing, 2)->pair, &hosts, NULL));
    CU_ASSERT_STRING_EQUAL(hosts.host_b, "host 99");
    pairing_hosts_clear(&hosts);
    pairing_free(pairing);
    fieldedge_database_close(database);
    sqlite3_close(db);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"example", test_example},
        {"ids far apart and selections", test_ids_far_apart_and_selections},
        {"rows without their partners are left out", test_rows_without_their_partners_are_left_out},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("pairing", tests);
}
