/* test_postproc_periods.c: which groups are searched, and which of them say something
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include <string.h>

/* Jitter of a few ms: trains without any are not of this world. */
static gint64 about(GRand *chance, gint64 time_ns)
{
    return time_ns + g_rand_int_range(chance, -5000000, 5000000);
}

/* Groups as "both", "AB", "AB 70", "3 BA 90" (conversation 3), with " !" where they are no repeat.
 */
static char *groups_of(FieldEdgeDatabase *database, const FieldEdgeTolerance *tolerance,
                       FieldEdgePeriodicity verdict)
{
    g_autoptr(FieldEdgePeriodGroups) groups =
        fieldedge_period_groups_new(database, NULL, tolerance, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    const FieldEdgePeriodGroup *group;

    while ((group = fieldedge_period_groups_next(groups, NULL)) != NULL) {
        if (group->verdict != verdict)
            continue;
        if (text->len > 0)
            g_string_append(text, ", ");
        if (group->conversation != FIELDEDGE_NONE)
            g_string_append_printf(text, "%" G_GINT64_FORMAT " ", group->conversation);
        g_string_append(text, fieldedge_direction_name(group->direction));
        if (group->size_low != FIELDEDGE_NONE)
            g_string_append_printf(text, " %" G_GINT64_FORMAT, group->size_low);
        if (group->size_high != group->size_low)
            g_string_append_printf(text, "-%" G_GINT64_FORMAT, group->size_high);
        if (!group->is_repeat)
            g_string_append(text, " !");
    }
    return g_strdup(text->str);
}

static void check(sqlite3 *db, const FieldEdgeTolerance *tolerance, FieldEdgePeriodicity verdict,
                  const char *expected)
{
    g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
    g_autofree char *found = groups_of(database, tolerance, verdict);

    CU_ASSERT_STRING_EQUAL(found, expected);
    if (strcmp(found, expected) != 0)
        printf("\n%s\n", found);
}

static sqlite3 *begin(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    return db;
}

static void finish(sqlite3 *db)
{
    fixture_sums(db);
    fixture_exec(db, "UPDATE capture SET (started_ns, ended_ns) ="
                     " (SELECT min(started_ns), max(ended_ns) FROM conversation)");
}

/* periods.h's example: a request of 70 bytes every 60 s, its response of 90. */
static void test_a_request_and_its_response(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(1);
    sqlite3 *db = begin();

    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    for (gint64 i = 0; i < 40; i++) {
        gint64 time = about(chance, i * 60 * SECOND);
        fixture_packet(db, 1, time, KIND_AB, 70);
        fixture_packet(db, 1, time + SECOND / 10, KIND_BA, 90);
    }
    finish(db);
    check(db, NULL, FIELDEDGE_PERIODIC, "both !, AB, BA, AB 70, BA 90");
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgePeriodGroups) groups =
            fieldedge_period_groups_new(database, NULL, NULL, NULL);
        const FieldEdgePeriodGroup *group = fieldedge_period_groups_next(groups, NULL);
        REQUIRE(group);
        CU_ASSERT_STRING_EQUAL(group->host_a, "10.0.0.1");
        CU_ASSERT_STRING_EQUAL(group->application, "TCP_Z");
        CU_ASSERT_EQUAL(group->events, 80);
        CU_ASSERT_EQUAL(group->cycles, 40);
        CU_ASSERT_EQUAL(group->ip_bytes, 40 * (70 + 90 - 28));
        CU_ASSERT(group->score > 0.5 && group->score <= 1);
        CU_ASSERT_EQUAL_FATAL(group->period_count, 1);
        CU_ASSERT(ABS(group->periods[0].period_ns - 60 * SECOND) < SECOND / 50);
        CU_ASSERT(group->periods[0].low_ns <= group->periods[0].period_ns);
        CU_ASSERT(group->periods[0].high_ns >= group->periods[0].period_ns);
        CU_ASSERT_EQUAL(group->periods[0].kind, FIELDEDGE_PERIOD_CLOCK);
        CU_ASSERT_EQUAL(group->periods[0].hits, 40);
        CU_ASSERT_DOUBLE_EQUAL(group->periods[0].hit_rate, 1, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(group->periods[0].bytes_per_cycle, 132, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(group->periods[0].events_explained, 1, 1e-9);
    }
    sqlite3_close(db);
}

/* One way, one size: the narrowest has the same packets and stays. */
static void test_one_way_is_said_by_its_narrowest_group(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(2);
    sqlite3 *db = begin();

    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    for (gint64 i = 0; i < 40; i++)
        fixture_packet(db, 1, about(chance, i * 60 * SECOND), KIND_AB, 120);
    finish(db);
    check(db, NULL, FIELDEDGE_PERIODIC, "both, AB, AB 120 !");
    sqlite3_close(db);
}

/* A request every 2 s; each twentieth response is of another size: a period of its own, which no
 * wider group has.  The other responses have that of the request. */
static void test_another_period_is_no_repeat(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(3);
    sqlite3 *db = begin();

    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    for (gint64 i = 0; i < 200; i++) {
        gint64 time = about(chance, i * 2 * SECOND);
        fixture_packet(db, 1, time, KIND_AB, 78);
        fixture_packet(db, 1, time + 50000000, KIND_BA, i % 20 == 7 ? 75 : 95);
    }
    finish(db);
    check(db, NULL, FIELDEDGE_PERIODIC, "both !, AB, BA, AB 78, BA 75 !, BA 95");
    sqlite3_close(db);
}

static void test_noise_and_few_packets_are_not_periodic(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(4);
    sqlite3 *db = begin();

    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_conversation(db, 2, 1, 1, 6, 1, 0);
    fixture_conversation(db, 3, 1, 1, 7, 1, 0);
    for (gint64 i = 0; i < 200; i++)
        fixture_packet(db, 1, (gint64)(g_rand_double(chance) * 3600e9), KIND_AB, 70);
    fixture_packet(db, 2, 0, KIND_AB, 70);
    fixture_packet(db, 2, 60 * SECOND, KIND_AB, 70);
    fixture_packet(db, 3, 0, KIND_AB, 70); /* alone: no group */
    finish(db);
    check(db, NULL, FIELDEDGE_PERIODIC, "");
    check(db, NULL, FIELDEDGE_NOT_PERIODIC, "both, AB, AB 70");
    check(db, NULL, FIELDEDGE_TOO_FEW_CYCLES, "both, AB, AB 70");
    sqlite3_close(db);
}

/* Retransmissions have the network's times: 40 packets on time, each again 7 s later. */
static void test_retransmissions_are_left_out(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(5);
    sqlite3 *db = begin();

    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    for (gint64 i = 0; i < 40; i++) {
        fixture_packet(db, 1, about(chance, i * 60 * SECOND), KIND_AB, 120);
        fixture_packet(db, 1, i * 60 * SECOND + g_rand_int_range(chance, 1, 30) * SECOND, KIND_BAD,
                       120);
    }
    finish(db);
    check(db, NULL, FIELDEDGE_PERIODIC, "both, AB, AB 120 !");
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgePeriodGroups) groups =
            fieldedge_period_groups_new(database, NULL, NULL, NULL);
        CU_ASSERT_EQUAL(fieldedge_period_groups_next(groups, NULL)->events, 40);
    }
    sqlite3_close(db);
}

/* A poll that connects anew each time: no conversation is periodic, the pair is, whoever began. */
static void test_polling_that_reconnects(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(6);
    sqlite3 *db = begin();

    for (int i = 0; i < 40; i++) {
        bool flip = i % 4 == 3;
        gint64 time = about(chance, i * 30 * SECOND);
        fixture_conversation(db, i + 1, 1, flip ? 5 : 1, flip ? 1 : 5, 1, 0);
        fixture_packet(db, i + 1, time, flip ? KIND_BA : KIND_AB, 70);
        fixture_packet(db, i + 1, time + 1000000, flip ? KIND_AB : KIND_BA, 90);
    }
    finish(db);
    check(db, NULL, FIELDEDGE_PERIODIC, "both !, AB, BA, AB 70, BA 90");
    sqlite3_close(db);
}

/* Two long conversations of one pair, 20 s and 33 s: the conversations tell them apart, 8 packets
 * and more each. */
static void test_each_conversation(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(7);
    sqlite3 *db = begin();

    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_conversation(db, 2, 1, 5, 1, 1, 0);
    fixture_conversation(db, 3, 1, 1, 5, 1, 0);
    for (gint64 i = 0; i < 90; i++)
        fixture_packet(db, 1, about(chance, i * 20 * SECOND), KIND_AB, 70);
    for (gint64 i = 0; i < 55; i++)
        fixture_packet(db, 2, about(chance, i * 33 * SECOND), KIND_BA, 70);
    for (gint64 i = 0; i < 7; i++) /* too short */
        fixture_packet(db, 3, about(chance, i * 250 * SECOND), KIND_AB, 70);
    finish(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autofree char *found = groups_of(database, NULL, FIELDEDGE_PERIODIC);
        CU_ASSERT_PTR_NOT_NULL(strstr(found, "1 AB 70"));
        CU_ASSERT_PTR_NOT_NULL(strstr(found, "2 AB 70")); /* of the pair: A is 10.0.0.1 */
        CU_ASSERT_PTR_NULL(strstr(found, "3 "));
    }
    sqlite3_close(db);
}

/* Each size has three times the period of all. */
static void test_near_sizes_are_one_group(void)
{
    static const FieldEdgeTolerance eight = {.bytes = 8};
    g_autoptr(GRand) chance = g_rand_new_with_seed(8);
    sqlite3 *db = begin();

    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    for (gint64 i = 0; i < 60; i++) {
        fixture_packet(db, 1, about(chance, i * 60 * SECOND), KIND_AB, 70 + (int)(i % 3) * 4);
    }
    finish(db);
    check(db, NULL, FIELDEDGE_PERIODIC, "both, AB !, AB 70 !, AB 74 !, AB 78 !");
    check(db, &eight, FIELDEDGE_PERIODIC, "both, AB, AB 70-78 !");
    sqlite3_close(db);
}

static void test_names(void)
{
    CU_ASSERT_STRING_EQUAL(fieldedge_periodicity_name(FIELDEDGE_PERIODIC), "periodic");
    CU_ASSERT_STRING_EQUAL(fieldedge_periodicity_name(FIELDEDGE_NOT_PERIODIC), "not periodic");
    CU_ASSERT_STRING_EQUAL(fieldedge_periodicity_name(FIELDEDGE_TOO_FEW_CYCLES), "too few cycles");
    CU_ASSERT_STRING_EQUAL(fieldedge_period_kind_name(FIELDEDGE_PERIOD_CLOCK), "clock");
    CU_ASSERT_STRING_EQUAL(fieldedge_period_kind_name(FIELDEDGE_PERIOD_SLEEP), "sleep");
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a request and its response", test_a_request_and_its_response},
        {"one way is said by its narrowest group", test_one_way_is_said_by_its_narrowest_group},
        {"another period is no repeat", test_another_period_is_no_repeat},
        {"noise and few packets are not periodic", test_noise_and_few_packets_are_not_periodic},
        {"retransmissions are left out", test_retransmissions_are_left_out},
        {"polling that reconnects", test_polling_that_reconnects},
        {"each conversation", test_each_conversation},
        {"near sizes are one group", test_near_sizes_are_one_group},
        {"names", test_names},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("periods", tests);
}
