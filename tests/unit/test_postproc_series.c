/* test_postproc_series.c: points of applications, and how seconds are written
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "output.h"

#include <string.h>

struct expected {
    const char *application;
    guint group;
    gint64 time_ns, bytes;
};

static void check_points(sqlite3 *db, const FieldEdgeSelection *selection, FieldEdgeBytes measure,
                         const struct expected *expected, size_t count)
{
    g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
    const FieldEdgeSeriesOptions options = {.measure = measure};
    g_autoptr(FieldEdgeSeries) series = fieldedge_series_new(database, selection, &options, NULL);

    for (size_t i = 0; i < count; i++) {
        const FieldEdgePoint *point = fieldedge_series_next(series, NULL);
        REQUIRE(point);
        CU_ASSERT_STRING_EQUAL(point->name, expected[i].application);
        CU_ASSERT_EQUAL(point->group, expected[i].group);
        CU_ASSERT_EQUAL(point->time_ns, expected[i].time_ns);
        CU_ASSERT_EQUAL(point->bytes, expected[i].bytes);
    }
    CU_ASSERT_PTR_NULL(fieldedge_series_next(series, NULL));
}

/* Two captures; packets out of order and two at one time; a local conversation. */
static sqlite3 *make_database(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 100);
    fixture_capture(db, 2, 50);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_conversation(db, 2, 1, 1, 6, 2, 0);
    fixture_conversation(db, 3, 1, 1, 2, 3, 1);
    fixture_conversation(db, 4, 2, 5, 1, 1, 0);
    fixture_packet(db, 1, 30, KIND_AB, 70);
    fixture_packet(db, 2, 5, KIND_AB, 80);
    fixture_packet(db, 1, 20, KIND_BA, 72);
    fixture_packet(db, 1, 20, KIND_AB, 71);
    fixture_packet(db, 3, 1, KIND_AB, 90);
    fixture_packet(db, 4, 25, KIND_AB, 75);
    fixture_sums(db);
    return db;
}

static void test_points_by_name_time_and_order_of_recording(void)
{
    static const struct expected wan[] = {{"TCP_A", 0, 5, 80},
                                          {"TCP_Z", 1, 20, 72},
                                          {"TCP_Z", 1, 20, 71},
                                          {"TCP_Z", 1, 25, 75},
                                          {"TCP_Z", 1, 30, 70}};
    sqlite3 *db = make_database();

    check_points(db, NULL, FIELDEDGE_BYTES_FRAME, wan, G_N_ELEMENTS(wan));
    sqlite3_close(db);
}

static void test_selections_and_measures(void)
{
    static const struct expected local[] = {{"UDP_M", 0, 1, 90 - 14}};
    static const struct expected all[] = {{"TCP_A", 0, 5, 20},
                                          {"TCP_Z", 1, 20, 20},
                                          {"TCP_Z", 1, 20, 20},
                                          {"TCP_Z", 1, 30, 20},
                                          {"UDP_M", 2, 1, 20}};
    static const struct expected second[] = {{"TCP_Z", 0, 25, 75}};
    sqlite3 *db = make_database();
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();

    fieldedge_selection_set_scope(selection, FIELDEDGE_SCOPE_LOCAL);
    check_points(db, selection, FIELDEDGE_BYTES_IP, local, G_N_ELEMENTS(local));
    fieldedge_selection_set_scope(selection, FIELDEDGE_SCOPE_ALL);
    fieldedge_selection_set_capture(selection, 1);
    check_points(db, selection, FIELDEDGE_BYTES_PAYLOAD, all, G_N_ELEMENTS(all));
    fieldedge_selection_set_capture(selection, 2);
    check_points(db, selection, FIELDEDGE_BYTES_FRAME, second, G_N_ELEMENTS(second));
    sqlite3_close(db);
}

static void test_totals_agree_with_points(void)
{
    sqlite3 *db = make_database();
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeSeriesTotals) totals =
            fieldedge_series_totals_new(database, NULL, NULL, NULL);
        const FieldEdgeSeriesTotal *total = fieldedge_series_totals_next(totals, NULL);
        REQUIRE(total);
        CU_ASSERT_STRING_EQUAL(total->name, "TCP_A");
        total = fieldedge_series_totals_next(totals, NULL);
        REQUIRE(total);
        CU_ASSERT_EQUAL(total->packets, 4);
        CU_ASSERT_EQUAL(total->bytes, 70 + 71 + 72 + 75);
        CU_ASSERT_EQUAL(total->first_ns, 20);
        CU_ASSERT_EQUAL(total->last_ns, 30);
        CU_ASSERT_PTR_NULL(fieldedge_series_totals_next(totals, NULL));
    }
    sqlite3_close(db);
}

static void test_seconds_have_nine_decimals(void)
{
    static const struct {
        gint64 ns;
        const char *text;
    } cases[] = {
        {1700000000123456789, "1700000000.123456789"},
        {-500000000, "-0.500000000"},
        {-1, "-0.000000001"},
        {-1500000000, "-1.500000000"},
        {0, "0.000000000"},
        {1, "0.000000001"},
        {999999999, "0.999999999"},
        {10 * SECOND, "10.000000000"},
        {G_MAXINT64, "9223372036.854775807"},
        {G_MININT64, "-9223372036.854775808"},
    };
    char text[OUTPUT_NUMBER_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        CU_ASSERT_EQUAL(output_seconds(text, cases[i].ns), strlen(cases[i].text));
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"points by name, time and order of recording",
         test_points_by_name_time_and_order_of_recording},
        {"selections and measures", test_selections_and_measures},
        {"totals agree with points", test_totals_agree_with_points},
        {"seconds have nine decimals", test_seconds_have_nine_decimals},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("series", tests);
}
