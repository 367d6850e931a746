/* test_postproc_parse.c: lengths of time, times, networks, ports and tolerances from text
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "parse.h"

#include <string.h>

#define HOUR (3600 * SECOND)
#define DAY  (24 * HOUR)

static const gint64 UNTOUCHED = 123456789;

/* One sentence that shows the text (its beginning, if it is long). */
static void check_refusal(GError *error, const char *text)
{
    REQUIRE(error);
    CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT));
    g_autofree char *shown = g_strdup_printf("'%.60s'", text);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, shown));
    CU_ASSERT(strlen(error->message) < 200);
    g_error_free(error);
}

static void test_durations_are_exact(void)
{
    static const struct {
        const char *text;
        gint64 ns;
    } cases[] = {
        {"90", 90 * SECOND},
        {"1.5h", 5400 * SECOND},
        {"1h30m", G_GINT64_CONSTANT(5400000000000)}, /* parse.h's example */
        {"250ms", SECOND / 4},
        {"7d", 7 * DAY},
        {"1w", 7 * DAY},
        {"0.1s", SECOND / 10},
        {"0.1", SECOND / 10},
        {".5m", 30 * SECOND},
        {"1.55m", 93 * SECOND},
        {"0.000001d", 86400000},
        {"1min1s", 61 * SECOND},
        {"1us1ns", 1001},
        {"0", 0},
        {"0.0000000001s", 0}, /* below 1 ns */
        {"9223372036.854775807", G_MAXINT64},
        {"106751d", 106751 * DAY},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 ns = UNTOUCHED;
        CU_ASSERT_TRUE(parse_duration(cases[i].text, &ns, NULL));
        CU_ASSERT_EQUAL(ns, cases[i].ns);
        CU_ASSERT_TRUE(fieldedge_parse_duration(cases[i].text, &ns, NULL));
    }
}

static void test_durations_refused(void)
{
    static const char *const cases[] = {
        "",
        "-1",
        "+1",
        "1x",
        "1h30",
        "h",
        ".",
        "1..5s",
        "1 h",
        " 1h",
        "1e3",
        "0x10",
        "1H",
        "1hm",
        "9223372036.854775808",
        "106752d",
        "106751d1d",
        "99999999999999999999",
        "\xd9\xa3s",
        "nan",
        "1s;",
        "1,5s",
        "111111111111111111111111111111111111111111111111111111111111111111111111111111111111"};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        gint64 ns = UNTOUCHED;
        CU_ASSERT_FALSE(parse_duration(cases[i], &ns, &error));
        CU_ASSERT_EQUAL(ns, UNTOUCHED);
        check_refusal(error, cases[i]);
    }
}

static void check_time(const char *text, const char *zone, gint64 expected, gint64 expected_length)
{
    g_autoptr(GTimeZone) found = zone == NULL ? NULL : g_time_zone_new_identifier(zone);
    gint64 ns = UNTOUCHED, length = UNTOUCHED;

    CU_ASSERT_TRUE(parse_time(text, found, &ns, &length, NULL));
    CU_ASSERT_EQUAL(ns, expected);
    CU_ASSERT_EQUAL(length, expected_length);
}

/* 2026-11-24T00:00Z is 1795478400, from `date`. */
static void test_times(void)
{
    const gint64 day = 1795478400 * SECOND;

    check_time("2026-11-24", NULL, day, DAY);
    check_time("2026-11-24T00:16", NULL, day + 960 * SECOND, 60 * SECOND);
    check_time("2026-11-24 00:16:12", NULL, day + 972 * SECOND, SECOND);
    check_time("2026-11-24t00:16:12.5z", NULL, day + 972 * SECOND + SECOND / 2, 1);
    check_time("2026-11-24T00:00:00.123456789", NULL, day + 123456789, 1);
    check_time("2026-11-24T00:00:00.1234567891", NULL, day + 123456789, 1);
    check_time("1795478400", NULL, day, 1);
    check_time("1795478400.25", NULL, day + SECOND / 4, 1);
    check_time("1970-01-01T00:00:00Z", NULL, 0, SECOND);
    check_time("1969-12-31T23:59:59.5Z", NULL, -SECOND / 2, 1);
    check_time("2024-02-29", NULL, 1709164800 * SECOND, DAY);
    check_time("1677-09-21T00:12:44Z", NULL, -9223372036 * SECOND, SECOND);
    check_time("2262-04-11T23:47:16.854775807Z", NULL, G_MAXINT64, 1);
}

static void test_times_have_offsets_or_a_zone(void)
{
    const gint64 day = 1795478400 * SECOND;

    check_time("2026-11-24T00:00:00+01:00", NULL, day - HOUR, SECOND);
    check_time("2026-11-24T00:00-03", NULL, day + 3 * HOUR, 60 * SECOND);
    check_time("2026-11-24T00:00-0330", NULL, day + 7 * HOUR / 2, 60 * SECOND);
    check_time("2026-11-24+05:45", NULL, day - 23 * HOUR / 4, DAY);
    check_time("2026-11-24", "Asia/Kathmandu", day - 23 * HOUR / 4, DAY);
    check_time("2026-11-24T00:00Z", "Asia/Kathmandu", day, 60 * SECOND);
    check_time("2026-07-01", "Europe/Berlin", 1782856800 * SECOND, DAY);
    /* days of 23 and 25 hours */
    check_time("2026-03-29", "Europe/Berlin", 1774738800 * SECOND, 23 * HOUR);
    check_time("2026-10-25", "Europe/Berlin", 1792879200 * SECOND, 25 * HOUR);
}

static void test_times_refused(void)
{
    static const char *const cases[] = {"",
                                        "2026-11",
                                        "2026-1-1",
                                        "2026-11-24T",
                                        "2026-11-24T00",
                                        "2026-11-24T00:1",
                                        "today",
                                        "2023-02-29",
                                        "2026-13-01",
                                        "2026-11-31",
                                        "2026-00-10",
                                        "2026-11-24T24:00",
                                        "2026-11-24T00:60",
                                        "2016-12-31T23:59:60Z",
                                        "2026-11-24T00:00:00.",
                                        "2026-11-24T00:00+01:",
                                        "2026-11-24T00:00+1",
                                        "2026-11-24T00:00+24:00",
                                        "2026-11-24T00:00+01:60",
                                        "9999-12-31",
                                        "1000-01-01",
                                        "2262-04-11T23:47:17Z",
                                        "99999999999999",
                                        "-5",
                                        "1.2.3",
                                        "2026-11-24x",
                                        "2026-11-24T00:00Zx",
                                        "26-11-24"};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        gint64 ns = UNTOUCHED, length = UNTOUCHED;
        CU_ASSERT_FALSE(parse_time(cases[i], NULL, &ns, &length, &error));
        CU_ASSERT_EQUAL(ns, UNTOUCHED);
        CU_ASSERT_EQUAL(length, UNTOUCHED);
        check_refusal(error, cases[i]);
    }
}

static void test_networks(void)
{
    static const struct {
        const char *text;
        size_t length;
        const char *first, *last; /* hexadecimal */
    } cases[] = {
        {"10.0.0.0/8", 4, "0a000000", "0affffff"},
        {"192.168.1.7", 4, "c0a80107", "c0a80107"},
        {"192.168.1.6/31", 4, "c0a80106", "c0a80107"},
        {"0.0.0.0/0", 4, "00000000", "ffffffff"},
        {"fc00::/7", 16, "fc000000000000000000000000000000", "fdffffffffffffffffffffffffffffff"},
        {"::1/128", 16, "00000000000000000000000000000001", "00000000000000000000000000000001"},
        {"2001:db8::8000:0/97", 16, "20010db8000000000000000080000000",
         "20010db80000000000000000ffffffff"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct network network = {0};
        GString *first = g_string_new(NULL), *last = g_string_new(NULL);
        CU_ASSERT_TRUE(parse_network(cases[i].text, &network, NULL));
        CU_ASSERT_EQUAL(network.length, cases[i].length);
        for (size_t k = 0; k < network.length; k++) {
            g_string_append_printf(first, "%02x", network.first[k]);
            g_string_append_printf(last, "%02x", network.last[k]);
        }
        CU_ASSERT_STRING_EQUAL(first->str, cases[i].first);
        CU_ASSERT_STRING_EQUAL(last->str, cases[i].last);
        g_string_free(first, TRUE);
        g_string_free(last, TRUE);
    }
}

static void test_networks_refused(void)
{
    static const char *const cases[] = {"",
                                        "/8",
                                        "10.0.0",
                                        "10.0.0.0/",
                                        "10.0.0.0/33",
                                        "10.0.0.0/-1",
                                        "10.0.0.0/8/8",
                                        "10.0.0.0/x",
                                        "10.0.0.256",
                                        "::/129",
                                        "fe80::1%lo",
                                        "1:2:3",
                                        "10.0.0.1/8",
                                        "fe80::1/64",
                                        "host",
                                        "010.0.0.0/8",
                                        "0.0.0.1/0"};
    GError *error = NULL;
    struct network network;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        error = NULL;
        CU_ASSERT_FALSE(parse_network(cases[i], &network, &error));
        check_refusal(error, cases[i]);
    }
    error = NULL;
    CU_ASSERT_FALSE(parse_network("10.1.2.3/8", &network, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "did you mean 10.0.0.0/8?"));
    g_clear_error(&error);
    CU_ASSERT_FALSE(parse_network("fe80::1/64", &network, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "did you mean fe80::/64?"));
    g_clear_error(&error);
}

static void test_ports(void)
{
    static const struct {
        const char *text;
        guint first, last;
    } cases[] = {
        {"443", 443, 443}, {"5000-5010", 5000, 5010}, {"0-65535", 0, 65535}, {"7-7", 7, 7}};
    static const char *const refused[] = {"",      "65536", "-1", "5010-5000", "1-", "a",
                                          "1-2-3", "1 ",    "+1", "1-65536",   "0x1"};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint first = 1, last = 1;
        CU_ASSERT_TRUE(parse_ports(cases[i].text, &first, &last, NULL));
        CU_ASSERT_EQUAL(first, cases[i].first);
        CU_ASSERT_EQUAL(last, cases[i].last);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        GError *error = NULL;
        guint first = 99, last = 99;
        CU_ASSERT_FALSE(parse_ports(refused[i], &first, &last, &error));
        CU_ASSERT_EQUAL(first + last, 198);
        check_refusal(error, refused[i]);
    }
}

static void test_tolerances(void)
{
    static const struct {
        const char *text;
        FieldEdgeTolerance tolerance;
    } cases[] = {{"8", {8, 0}},        {"0", {0, 0}},    {"5%", {0, 0.05}},
                 {"0.5%", {0, 0.005}}, {"100%", {0, 1}}, {"4294967295", {4294967295, 0}}};
    static const char *const refused[] = {"",  "-1",  "101%", "5 %",        "%",   "5%%",
                                          "x", "1e3", "1.5",  "4294967296", "-1%", "100.001%"};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        FieldEdgeTolerance tolerance = {77, 7};
        CU_ASSERT_TRUE(fieldedge_parse_tolerance(cases[i].text, &tolerance, NULL));
        CU_ASSERT_EQUAL(tolerance.bytes, cases[i].tolerance.bytes);
        CU_ASSERT_DOUBLE_EQUAL(tolerance.share, cases[i].tolerance.share, 1e-12);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        GError *error = NULL;
        FieldEdgeTolerance tolerance = {77, 7};
        CU_ASSERT_FALSE(parse_tolerance(refused[i], &tolerance, &error));
        CU_ASSERT_EQUAL(tolerance.bytes, 77);
        check_refusal(error, refused[i]);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"durations are exact", test_durations_are_exact},
        {"durations refused", test_durations_refused},
        {"times", test_times},
        {"times have offsets or a zone", test_times_have_offsets_or_a_zone},
        {"times refused", test_times_refused},
        {"networks", test_networks},
        {"networks refused", test_networks_refused},
        {"ports", test_ports},
        {"tolerances", test_tolerances},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("parse", tests);
}
