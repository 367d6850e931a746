/* test_postproc_bins.c: where bins begin, with GLib's own calendar as the oracle
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "bins.h"
#include "parse.h"

#define HOUR (3600 * SECOND)

static gint64 at(const char *text)
{
    gint64 ns = 0;

    if (!parse_time(text, NULL, &ns, NULL, NULL))
        g_error("%s is no time", text);
    return ns;
}

static void check(const char *zone, gint64 length, const char *time, const char *begin)
{
    g_autoptr(GTimeZone) found = zone == NULL ? NULL : g_time_zone_new_identifier(zone);
    struct bins bins = bins_make(length, found);
    gint64 answer = bins_begin(&bins, at(time));

    CU_ASSERT_EQUAL(answer, at(begin));
    if (answer != at(begin))
        printf("\n%s %s: %" G_GINT64_FORMAT " s off\n", zone, time, (answer - at(begin)) / SECOND);
}

/* bins.h's example, and both changes of the clock. */
static void test_days_of_23_and_25_hours(void)
{
    check("Europe/Berlin", 24 * HOUR, "2026-10-25T11:00Z", "2026-10-24T22:00Z");
    check("Europe/Berlin", 24 * HOUR, "2026-10-25T22:59Z", "2026-10-24T22:00Z");
    check("Europe/Berlin", 24 * HOUR, "2026-10-25T23:00Z", "2026-10-25T23:00Z");
    check("Europe/Berlin", 24 * HOUR, "2026-03-29T21:59Z", "2026-03-28T23:00Z");
    check("Europe/Berlin", 24 * HOUR, "2026-03-29T22:00Z", "2026-03-29T22:00Z");
    /* clocks change at midnight: the day begins at 01:00 */
    check("America/Sao_Paulo", 24 * HOUR, "2018-11-04T15:00Z", "2018-11-04T03:00Z");
    check("America/Sao_Paulo", 24 * HOUR, "2018-02-18T02:30Z", "2018-02-17T02:00Z");
}

static void test_a_repeated_hour_is_two_bins(void)
{
    check("Europe/Berlin", HOUR, "2026-10-25T00:59Z", "2026-10-25T00:00Z");
    check("Europe/Berlin", HOUR, "2026-10-25T01:00Z", "2026-10-25T01:00Z");
    check("Europe/Berlin", HOUR, "2026-03-29T01:00Z", "2026-03-29T01:00Z");
    check("Europe/Berlin", 2 * HOUR, "2026-03-29T01:30Z", "2026-03-29T01:00Z");
}

static void test_zones_half_hours_off(void)
{
    check("Asia/Kathmandu", HOUR, "2026-11-24T00:20Z", "2026-11-24T00:15Z");
    check("Asia/Kolkata", 24 * HOUR, "2026-11-24T12:00Z", "2026-11-23T18:30Z");
    check("+10:30", HOUR, "2026-11-24T00:20Z", "2026-11-23T23:30Z");
    /* clocks change by half an hour */
    check("Australia/Lord_Howe", HOUR, "2026-10-03T15:15Z", "2026-10-03T14:30Z");
    check("Australia/Lord_Howe", HOUR, "2026-10-03T15:45Z", "2026-10-03T15:30Z");
    check("Australia/Lord_Howe", HOUR, "2026-10-03T16:00Z", "2026-10-03T16:00Z");
}

static void test_utc_before_1970_and_at_the_ends(void)
{
    struct bins bins = bins_make(60 * SECOND, NULL);

    check(NULL, 60 * SECOND, "1969-12-31T23:59:59.5Z", "1969-12-31T23:59:00Z");
    check("Europe/London", 24 * HOUR, "1960-01-01T12:00Z", "1960-01-01T00:00Z");
    check(NULL, 7 * 24 * HOUR, "2026-11-24T00:00Z", "2026-11-19T00:00Z"); /* a Thursday */
    check(NULL, 7 * HOUR, "1970-01-01T08:00Z", "1970-01-01T07:00Z");
    CU_ASSERT_EQUAL(bins_begin(&bins, -1), -60 * SECOND);
    CU_ASSERT_EQUAL(bins_begin(&bins, G_MININT64), G_MININT64);
    CU_ASSERT(bins_begin(&bins, G_MAXINT64) > G_MAXINT64 - 60 * SECOND);
    bins = bins_make(G_MAXINT64, NULL);
    CU_ASSERT_EQUAL(bins_begin(&bins, 5), 0);
    CU_ASSERT(bins_begin(&bins, -5) <= -5);
}

/* In any order of questions: a bin begins at or before its times and is the bin of its own begin;
 * its clock shows a whole multiple, or the moment at which clocks changed. */
static void test_random_times(void)
{
    static const char *const zones[] = {
        "UTC",   "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu",
        "-09:30"};
    static const gint64 lengths[] = {1, 15 * 60, 3600, 2 * 3600, 6 * 3600, 86400};
    g_autoptr(GRand) chance = g_rand_new_with_seed(5);

    for (guint round = 0; round < 20000; round++) {
        g_autoptr(GTimeZone) zone =
            g_time_zone_new_identifier(zones[g_rand_int_range(chance, 0, G_N_ELEMENTS(zones))]);
        gint64 length = lengths[g_rand_int_range(chance, 0, G_N_ELEMENTS(lengths))];
        struct bins bins = bins_make(length * SECOND, zone), other = bins;
        gint64 time = (gint64)g_rand_double_range(chance, 0, 2e9) * SECOND, begin;

        for (guint i = 0; i < 4; i++, time += g_rand_int_range(chance, 0, 7200) * SECOND) {
            begin = bins_begin(&bins, time);
            CU_ASSERT(begin <= time);
            CU_ASSERT_EQUAL(bins_begin(&other, begin), begin);
            CU_ASSERT_EQUAL(bins_begin(&other, time), begin);
            g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(begin / SECOND);
            g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
            g_autoptr(GDateTime) before = g_date_time_add_seconds(local, -1);
            gint64 clock = g_date_time_get_hour(local) * 3600 + g_date_time_get_minute(local) * 60 +
                           g_date_time_get_second(local);
            CU_ASSERT(clock % length == 0 ||
                      g_date_time_get_utc_offset(before) != g_date_time_get_utc_offset(local));
        }
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"days of 23 and 25 hours", test_days_of_23_and_25_hours},
        {"a repeated hour is two bins", test_a_repeated_hour_is_two_bins},
        {"zones half hours off", test_zones_half_hours_off},
        {"UTC, before 1970, and at the ends", test_utc_before_1970_and_at_the_ends},
        {"random times", test_random_times},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("bins", tests);
}
