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

/* ---- Dimensions, bins, bad packets ---- */

/* Rows as "name group time bytes packets bad" with commas between. */
static void check_series(sqlite3 *db, const FieldEdgeSelection *selection,
                         const FieldEdgeSeriesOptions *options, const char *expected)
{
    g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeSeries) series = fieldedge_series_new(database, selection, options, &error);
    g_autoptr(GString) text = g_string_new(NULL);
    const FieldEdgePoint *point;

    REQUIRE(series);
    while ((point = fieldedge_series_next(series, &error)) != NULL)
        g_string_append_printf(
            text, "%s%s %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "%s",
            text->len > 0 ? ", " : "", point->name, point->group, point->time_ns, point->bytes,
            point->packets, point->is_bad ? " bad" : "");
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_PTR_NULL(fieldedge_series_next(series, &error));
    CU_ASSERT_STRING_EQUAL(text->str, expected);
    if (strcmp(text->str, expected) != 0)
        printf("\n%s\n", text->str);
}

/* 1: 10.0.0.1:4000 to 10.0.0.5:443 TCP_Z, server a; 2: 10.0.0.5 to 10.0.0.1 TCP_A */
static sqlite3 *make_dimensions(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_conversation(db, 2, 1, 5, 1, 2, 0);
    fixture_exec(db, "UPDATE conversation SET port_a = 4000, port_b = 443, server_name = 'a'"
                     " WHERE id = 1");
    fixture_packet(db, 1, 1, KIND_AB, 61);
    fixture_packet(db, 2, 2, KIND_AB, 62);
    fixture_packet(db, 1, 3, KIND_BA, 63);
    fixture_packet(db, 1, 4, KIND_BAD, 64);
    fixture_sums(db);
    return db;
}

static void test_each_dimension(void)
{
    static const struct {
        guint by;
        const char *expected;
    } cases[] = {
        {0, "TCP_A 0 2 62 1, TCP_Z 1 1 61 1, TCP_Z 1 3 63 1, TCP_Z 1 4 64 1"},
        {FIELDEDGE_BY_SERVER_NAME, "- 0 2 62 1, a 1 1 61 1, a 1 3 63 1, a 1 4 64 1"},
        {FIELDEDGE_BY_HOST, "10.0.0.1 0 1 61 1, 10.0.0.1 0 2 62 1, 10.0.0.1 0 3 63 1,"
                            " 10.0.0.1 0 4 64 1, 10.0.0.5 1 1 61 1, 10.0.0.5 1 2 62 1,"
                            " 10.0.0.5 1 3 63 1, 10.0.0.5 1 4 64 1"},
        {FIELDEDGE_BY_HOST_PAIR, "10.0.0.1 <-> 10.0.0.5 0 1 61 1, 10.0.0.1 <-> 10.0.0.5 0 2 62 1,"
                                 " 10.0.0.1 <-> 10.0.0.5 0 3 63 1, 10.0.0.1 <-> 10.0.0.5 0 4 64 1"},
        {FIELDEDGE_BY_CONVERSATION, "1 TCP 10.0.0.1:4000 <-> 10.0.0.5:443 0 1 61 1,"
                                    " 1 TCP 10.0.0.1:4000 <-> 10.0.0.5:443 0 3 63 1,"
                                    " 1 TCP 10.0.0.1:4000 <-> 10.0.0.5:443 0 4 64 1,"
                                    " 2 TCP 10.0.0.5 <-> 10.0.0.1 1 2 62 1"},
        {FIELDEDGE_BY_DIRECTION, "AB 0 1 61 1, AB 0 2 62 1, AB 0 4 64 1, BA 1 3 63 1"},
        {FIELDEDGE_BY_APPLICATION | FIELDEDGE_BY_DIRECTION, /* series_names.h's example */
         "TCP_A AB 0 2 62 1, TCP_Z AB 1 1 61 1, TCP_Z AB 1 4 64 1, TCP_Z BA 2 3 63 1"},
        {FIELDEDGE_BY_DIRECTION | FIELDEDGE_BY_SERVER_NAME | FIELDEDGE_BY_APPLICATION,
         "TCP_A - AB 0 2 62 1, TCP_Z a AB 1 1 61 1, TCP_Z a AB 1 4 64 1, TCP_Z a BA 2 3 63 1"},
    };
    sqlite3 *db = make_dimensions();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_series(db, NULL, &(FieldEdgeSeriesOptions){.by = cases[i].by}, cases[i].expected);
    sqlite3_close(db);
}

static void test_bad_points_and_bins(void)
{
    sqlite3 *db = make_dimensions();
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();

    check_series(db, NULL, &(FieldEdgeSeriesOptions){.split_bad = TRUE},
                 "TCP_A 0 2 62 1, TCP_Z 1 1 61 1, TCP_Z 1 3 63 1, TCP_Z 1 4 64 1 bad");
    check_series(db, NULL, &(FieldEdgeSeriesOptions){.bin_ns = 2},
                 "TCP_A 0 2 62 1, TCP_Z 1 0 61 1, TCP_Z 1 2 63 1, TCP_Z 1 4 64 1");
    check_series(db, NULL, &(FieldEdgeSeriesOptions){.bin_ns = 10},
                 "TCP_A 0 0 62 1, TCP_Z 1 0 188 3");
    check_series(db, NULL,
                 &(FieldEdgeSeriesOptions){
                     .bin_ns = 10,
                     .split_bad = TRUE,
                     .measure = FIELDEDGE_BYTES_IP,
                     .by = FIELDEDGE_BY_DIRECTION,
                 },
                 "AB 0 0 95 2, AB 0 0 50 1 bad, BA 1 0 49 1");
    CU_ASSERT_TRUE(fieldedge_selection_set_window(selection, 2, 3));
    check_series(db, selection, NULL, "TCP_A 0 2 62 1, TCP_Z 1 3 63 1");
    CU_ASSERT_TRUE(fieldedge_selection_add_filter(selection, "server=a", NULL));
    check_series(db, selection, &(FieldEdgeSeriesOptions){.bin_ns = 10}, "TCP_Z 0 0 63 1");
    sqlite3_close(db);
}

/* Half a day on either side of midnight in a zone 5 h 45 min off. */
static void test_bins_in_a_zone(void)
{
    sqlite3 *db = fixture_new(":memory:");
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    const gint64 midnight = 18 * 3600 * SECOND + 900 * SECOND;

    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 1, 5, 1, 0);
    fixture_packet(db, 1, midnight - 1, KIND_AB, 60);
    fixture_packet(db, 1, midnight, KIND_AB, 61);
    fixture_packet(db, 1, midnight + 43200 * SECOND, KIND_AB, 62);
    fixture_sums(db);
    CU_ASSERT_TRUE(fieldedge_selection_set_time_zone(selection, "+05:45", NULL));
    check_series(db, selection, &(FieldEdgeSeriesOptions){.bin_ns = 86400 * SECOND},
                 "TCP_Z 0 -20700000000000 60 1, TCP_Z 0 65700000000000 123 2");
    sqlite3_close(db);
}

/* By every combination of dimensions totals are the sums of the points. */
static void test_totals_of_each_dimension(void)
{
    sqlite3 *db = make_dimensions();
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        for (guint by = 0; by < 2 * FIELDEDGE_BY_DIRECTION; by++) {
            const FieldEdgeSeriesOptions options = {.by = by};
            g_autoptr(FieldEdgeSeries) series =
                fieldedge_series_new(database, NULL, &options, NULL);
            g_autoptr(FieldEdgeSeriesTotals) totals =
                fieldedge_series_totals_new(database, NULL, &options, NULL);
            const FieldEdgePoint *point = fieldedge_series_next(series, NULL);
            const FieldEdgeSeriesTotal *total;
            while ((total = fieldedge_series_totals_next(totals, NULL)) != NULL) {
                gint64 packets = 0, bytes = 0, shape = 0;
                guint group = point->group;
                CU_ASSERT_STRING_EQUAL(total->name, point->name);
                CU_ASSERT_EQUAL(total->first_ns, point->time_ns);
                for (; point != NULL && point->group == group;
                     point = fieldedge_series_next(series, NULL)) {
                    packets++;
                    bytes += point->bytes;
                }
                for (guint i = 0; i < FIELDEDGE_SHAPE; i++)
                    shape += total->shape[i];
                CU_ASSERT_EQUAL(total->packets, packets);
                CU_ASSERT_EQUAL(total->bytes, bytes);
                CU_ASSERT_EQUAL(shape, bytes);
            }
            CU_ASSERT_PTR_NULL(point);
        }
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
        {"each dimension", test_each_dimension},
        {"bad points and bins", test_bad_points_and_bins},
        {"bins in a zone", test_bins_in_a_zone},
        {"totals of each dimension", test_totals_of_each_dimension},
        {"seconds have nine decimals", test_seconds_have_nine_decimals},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("series", tests);
}
