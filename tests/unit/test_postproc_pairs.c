/* test_postproc_pairs.c: host pairs, intervals and repeats; the numbers of the headers' examples
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include <string.h>

/* Intervals 0, 1, 3, 7 s, recorded out of order: mean 7 / 3 s. */
static void test_interval_is_the_mean_of_gaps_in_time_order(void)
{
    static const int seconds[] = {3, 0, 7, 1};
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 5 * SECOND);
    fixture_conversation(db, 1, 1, 1, 5, 2, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++)
        fixture_packet(db, 1, seconds[i] * SECOND, KIND_AB, 60);
    fixture_packet(db, 1, 4 * SECOND, KIND_AB, 61);
    fixture_sums(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgePairs) pairs =
            fieldedge_pairs_new(database, NULL, FIELDEDGE_WITH_INTERVALS, NULL);
        const FieldEdgePair *pair = fieldedge_pairs_next(pairs, NULL);
        REQUIRE(pair);
        CU_ASSERT_EQUAL_FATAL(pair->interval_count, 2);
        CU_ASSERT_EQUAL(pair->intervals[0].size_low, 60);
        CU_ASSERT_EQUAL(pair->intervals[0].packets, 4);
        CU_ASSERT_EQUAL(pair->intervals[0].first_ns, 0);
        CU_ASSERT_EQUAL(pair->intervals[0].gaps.mean_ns, 2333333333);
        CU_ASSERT_EQUAL(pair->intervals[1].size_low, 61);
        CU_ASSERT_EQUAL(pair->intervals[1].gaps.mean_ns, FIELDEDGE_NONE);
        CU_ASSERT_PTR_NULL(fieldedge_pairs_next(pairs, NULL));
    }
    sqlite3_close(db);
}

/* Two conversations, begun from either end, one application and size: one group a direction, by the
 * pair's A, across conversations and captures. */
static void test_groups_cross_conversations_by_the_pairs_direction(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_capture(db, 2, 100 * SECOND);
    fixture_conversation(db, 1, 1, 5, 1, 1, 0);
    fixture_conversation(db, 2, 2, 1, 5, 1, 0);
    fixture_packet(db, 1, 10 * SECOND, KIND_AB, 60);
    fixture_packet(db, 1, 12 * SECOND, KIND_BA, 60);
    fixture_packet(db, 2, 110 * SECOND, KIND_BA, 60);
    fixture_packet(db, 2, 111 * SECOND, KIND_BAD, 60);
    fixture_sums(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgePairs) pairs =
            fieldedge_pairs_new(database, NULL, FIELDEDGE_WITH_INTERVALS, NULL);
        const FieldEdgePair *pair = fieldedge_pairs_next(pairs, NULL);
        REQUIRE(pair);
        CU_ASSERT_STRING_EQUAL(pair->host_a, "10.0.0.5");
        CU_ASSERT_STRING_EQUAL(pair->host_b, "10.0.0.1");
        CU_ASSERT_EQUAL(pair->conversations, 2);
        CU_ASSERT_EQUAL_FATAL(pair->interval_count, 2);
        CU_ASSERT_EQUAL(pair->intervals[0].direction, FIELDEDGE_DIRECTION_AB);
        CU_ASSERT_EQUAL(pair->intervals[0].gaps.mean_ns, 100 * SECOND);
        CU_ASSERT_EQUAL(pair->intervals[1].direction, FIELDEDGE_DIRECTION_BA);
        CU_ASSERT_EQUAL(pair->intervals[1].gaps.mean_ns, 99 * SECOND);
        CU_ASSERT_EQUAL(pair->packets_ab, 2);
        CU_ASSERT_EQUAL(pair->packets_ba, 2);
        CU_ASSERT_EQUAL(pair->frame_bytes_ab + pair->frame_bytes_ba, 240);
        CU_ASSERT_EQUAL(pair->bad_packets, 1);
        CU_ASSERT_EQUAL(pair->retransmission_bytes, 60);
        CU_ASSERT_EQUAL(pair->started_ns, 10 * SECOND);
        CU_ASSERT_EQUAL(pair->ended_ns, 111 * SECOND);
        CU_ASSERT_PTR_NULL(fieldedge_pairs_next(pairs, NULL));
    }
    sqlite3_close(db);
}

/* The reference's merge_hosts.pcap: starts 0, 10, 25, 47.9 s; recorded in another order. */
static void test_repeats_come_from_sorted_start_times(void)
{
    static const gint64 starts[] = {250, 0, 479, 100};
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    for (int i = 0; i < 4; i++) {
        fixture_conversation(db, i + 1, 1, 1, 5, i == 0 ? 3 : 2, 0);
        fixture_packet(db, i + 1, starts[i] * SECOND / 10, KIND_AB, 360);
    }
    fixture_sums(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgePairs) pairs = fieldedge_pairs_new(database, NULL, 0, NULL);
        const FieldEdgePair *pair = fieldedge_pairs_next(pairs, NULL);
        REQUIRE(pair);
        CU_ASSERT_EQUAL(pair->interval_count, 0);
        CU_ASSERT_EQUAL_FATAL(pair->conversations, 4);
        CU_ASSERT_EQUAL(pair->start_times_ns[0], 0);
        CU_ASSERT_EQUAL(pair->start_times_ns[3], 479 * SECOND / 10);
        CU_ASSERT_EQUAL(pair->starts.mean_ns, 15966666667);
        CU_ASSERT_EQUAL(pair->starts.stdev_ns, 6504101270);
        CU_ASSERT_EQUAL(pair->starts.median_ns, 15 * SECOND);
        CU_ASSERT_EQUAL(pair->starts.mad_ns, 5 * SECOND);
        CU_ASSERT_EQUAL(pair->frame_bytes_ab, 1440);
        CU_ASSERT_STRING_EQUAL(pair->applications[0], "TCP_A");
        CU_ASSERT_STRING_EQUAL(pair->applications[1], "UDP_M");
        CU_ASSERT_PTR_NULL(pair->applications[2]);
    }
    sqlite3_close(db);
}

static void check_repeats(int conversations, gint64 mean, gint64 stdev)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    for (int i = 0; i < conversations; i++) {
        fixture_conversation(db, i + 1, 1, 1, 5, 1, 0);
        fixture_packet(db, i + 1, i * SECOND / 4, KIND_AB, 60);
    }
    fixture_sums(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgePairs) pairs = fieldedge_pairs_new(database, NULL, 0, NULL);
        const FieldEdgePair *pair = fieldedge_pairs_next(pairs, NULL);
        REQUIRE(pair);
        CU_ASSERT_EQUAL(pair->starts.mean_ns, mean);
        CU_ASSERT_EQUAL(pair->starts.stdev_ns, stdev);
    }
    sqlite3_close(db);
}

static void test_repeats_need_gaps(void)
{
    check_repeats(1, FIELDEDGE_NONE, FIELDEDGE_NONE);
    check_repeats(2, SECOND / 4, FIELDEDGE_NONE);
    check_repeats(3, SECOND / 4, 0);
}

/* Captures count in the order of their start, not of their recording. */
static void test_pairs_come_in_the_order_of_their_beginning(void)
{
    static const char *const expected[] = {"10.0.0.7", "10.0.0.6", "10.0.0.5"};
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 1000 * SECOND);
    fixture_capture(db, 2, 10 * SECOND);
    fixture_conversation(db, 1, 1, 5, 1, 1, 0);
    fixture_conversation(db, 2, 2, 7, 1, 1, 0);
    fixture_conversation(db, 3, 2, 6, 1, 1, 0);
    fixture_packet(db, 1, 1000 * SECOND, KIND_AB, 60);
    fixture_packet(db, 2, 12 * SECOND, KIND_AB, 60);
    fixture_packet(db, 3, 11 * SECOND, KIND_AB, 60);
    fixture_sums(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgePairs) pairs =
            fieldedge_pairs_new(database, NULL, FIELDEDGE_WITH_INTERVALS, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
            const FieldEdgePair *pair = fieldedge_pairs_next(pairs, NULL);
            REQUIRE(pair);
            CU_ASSERT_STRING_EQUAL(pair->host_a, expected[i]);
            CU_ASSERT_EQUAL(pair->interval_count, 1);
        }
        CU_ASSERT_PTR_NULL(fieldedge_pairs_next(pairs, NULL));
    }
    sqlite3_close(db);
}

/* Times at both ends of the range: clamped, not wrapped. */
static void test_extreme_times_do_not_wrap(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_packet(db, 1, G_MININT64 + 1, KIND_AB, 60);
    fixture_packet(db, 1, G_MAXINT64, KIND_AB, 60);
    fixture_sums(db);
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgePairs) pairs =
            fieldedge_pairs_new(database, NULL, FIELDEDGE_WITH_INTERVALS, NULL);
        const FieldEdgePair *pair = fieldedge_pairs_next(pairs, NULL);
        REQUIRE(pair);
        CU_ASSERT_EQUAL_FATAL(pair->interval_count, 1);
        CU_ASSERT_EQUAL(pair->intervals[0].gaps.mean_ns, G_MAXINT64);
    }
    sqlite3_close(db);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"interval is the mean of gaps in time order",
         test_interval_is_the_mean_of_gaps_in_time_order},
        {"groups cross conversations by the pair's direction",
         test_groups_cross_conversations_by_the_pairs_direction},
        {"repeats come from sorted start times", test_repeats_come_from_sorted_start_times},
        {"repeats need gaps", test_repeats_need_gaps},
        {"pairs come in the order of their beginning",
         test_pairs_come_in_the_order_of_their_beginning},
        {"extreme times do not wrap", test_extreme_times_do_not_wrap},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("pairs", tests);
}
