/* test_chart.c: places on axes, SVG texts and numbers, and the chart they make
 *
 * test_chart FILE.svg writes the chart of test_chart() to a file, to look at.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "chart.h"
#include "scale.h"
#include "svg.h"

#include <CUnit/Basic.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECOND G_GINT64_CONSTANT(1000000000)
#define DAY    (86400 * SECOND)

/* ---- Axes ---- */

static void test_bins(void)
{
    CU_ASSERT_EQUAL(scale_bin(180 * SECOND, 100), 2 * SECOND);
    CU_ASSERT_EQUAL(scale_bin(200 * SECOND, 100), 2 * SECOND);
    CU_ASSERT_EQUAL(scale_bin(200 * SECOND + 1, 100), 5 * SECOND);
    CU_ASSERT_EQUAL(scale_bin(0, 100), SECOND / 1000);
    CU_ASSERT_EQUAL(scale_bin(DAY, 100), 900 * SECOND);
    CU_ASSERT_EQUAL(scale_bin(60 * DAY, 60), DAY);
    CU_ASSERT_EQUAL(scale_bin(3650 * DAY, 100), 42 * DAY);
}

static void check_bytes(double top, guint most, double expected)
{
    double step = scale_bytes(top, most);

    CU_ASSERT_DOUBLE_EQUAL(step, expected, expected * 1e-9);
    CU_ASSERT(top / step <= most * (1 + 1e-9));
}

static void test_bytes(void)
{
    check_bytes(12000, 5, 5 * 1024);
    check_bytes(1, 5, 1);
    check_bytes(10, 5, 2);
    check_bytes(5 * 500, 5, 500);
    check_bytes(5 * 501, 5, 1024);
    check_bytes(3.0 * 1024 * 1024, 6, 1024 * 1024); /* 512 KiB are not round */
    check_bytes(1e18, 4, 500.0 * 1024 * 1024 * 1024 * 1024 * 1024);
}

static char *list_times(const char *zone_name, const char *begin, const char *end, guint most)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zone_name);
    g_autoptr(GDateTime) from = g_date_time_new_from_iso8601(begin, zone);
    g_autoptr(GDateTime) to = g_date_time_new_from_iso8601(end, zone);
    g_autoptr(GArray) ticks = scale_times(g_date_time_to_unix(from) * SECOND,
                                          g_date_time_to_unix(to) * SECOND, zone, most);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < ticks->len; i++) {
        const struct scale_tick *tick = &g_array_index(ticks, struct scale_tick, i);
        g_string_append_printf(text, "%s%s%s%s", i > 0 ? " " : "", tick->label,
                               tick->date[0] != '\0' ? "/" : "", tick->date);
    }
    CU_ASSERT(ticks->len <= most + 1);
    return g_string_free(text, FALSE);
}

static void check_times(const char *zone, const char *begin, const char *end, guint most,
                        const char *expected)
{
    g_autofree char *text = list_times(zone, begin, end, most);

    if (strcmp(text, expected) != 0)
        printf("%s to %s: %s\n", begin, end, text);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void test_times(void)
{
    check_times("UTC", "2026-11-24T00:16:12", "2026-11-24T00:19:12", 8,
                "00:16:30/2026-11-24 00:17:00 00:17:30 00:18:00 00:18:30 00:19:00");
    check_times("UTC", "2026-11-24T00:16:12", "2026-11-24T00:16:13", 4,
                "00:16:12.000/2026-11-24 00:16:12.500 00:16:13.000");
    check_times("UTC", "2026-11-24T22:00:00", "2026-11-25T04:00:00", 3,
                "22:00/2026-11-24 00:00/2026-11-25 02:00 04:00");
    /* Clocks go back on the 25th, so that days have 24 and 25 hours. */
    check_times("Europe/Berlin", "2026-10-23T12:00:00", "2026-10-27T12:00:00", 8,
                "12:00/2026-10-23 00:00/2026-10-24 12:00 00:00/2026-10-25 12:00 00:00/2026-10-26 "
                "12:00 00:00/2026-10-27 12:00");
    check_times("Europe/Berlin", "2026-10-23T12:00:00", "2026-10-27T12:00:00", 5,
                "2026-10-24 2026-10-25 2026-10-26 2026-10-27");
    /* They go forward on 2026-03-29: 02:00 is skipped. */
    check_times("Europe/Berlin", "2026-03-29T00:30:00", "2026-03-29T05:00:00", 6,
                "01:00/2026-03-29 03:00 04:00 05:00");
    check_times("America/New_York", "2026-03-08T00:30:00", "2026-03-08T06:00:00", 3,
                "04:00/2026-03-08 06:00");
    check_times("Asia/Kolkata", "2026-11-24T00:10:00", "2026-11-24T03:00:00", 3,
                "01:00/2026-11-24 02:00 03:00");
    check_times("UTC", "2026-01-15T00:00:00", "2026-12-15T00:00:00", 7,
                "2026-03 2026-05 2026-07 2026-09 2026-11");
    check_times("UTC", "1990-01-15T00:00:00", "2026-12-15T00:00:00", 8,
                "1995 2000 2005 2010 2015 2020 2025");
}

/* ---- SVG ---- */

static void check_number(double number, const char *expected)
{
    char text[SVG_NUMBER_SIZE];

    CU_ASSERT_STRING_EQUAL(svg_number(text, number), expected);
}

static void test_numbers(void)
{
    check_number(12.5, "12.5");
    check_number(12.04, "12");
    check_number(-3, "-3");
    check_number(-0.04, "0");
    check_number(99.96, "100");
}

static void test_shortening(void)
{
    g_autofree char *whole = svg_shorten("TCP_MQTT", 10, svg_text_width("TCP_MQTT", 10));
    g_autofree char *cut = svg_shorten("TCP_MQTT_TLS", 10, svg_text_width("TCP_MQTT", 10));
    g_autofree char *none = svg_shorten("TCP_MQTT", 10, 1);

    CU_ASSERT_STRING_EQUAL(whole, "TCP_MQTT");
    CU_ASSERT_TRUE(g_str_has_prefix(cut, "TCP_"));
    CU_ASSERT_TRUE(g_str_has_suffix(cut, "…"));
    CU_ASSERT_TRUE(svg_text_width(cut, 10) <= svg_text_width("TCP_MQTT", 10));
    CU_ASSERT_STRING_EQUAL(none, "…");
    CU_ASSERT(svg_text_width("\x1b", 10) > svg_text_width("u001", 10));
}

/* ---- The chart ---- */

enum { BINS = 90, BANDS = 8 };

/* Three minutes: bands of steady, periodic and rare traffic, one with a hostile name. */
static void write_chart(FILE *file, int height)
{
    static const char *const names[BANDS] = {"TCP_MODBUS",
                                             "TCP_MQTT",
                                             "TCP_MQTT_TLS",
                                             "TCP_HTTP_TLS",
                                             "<b>&\"'\x1b\x01\xe2\x80\xae",
                                             "UDP_A_NAME_THAT_IS_MUCH_TOO_LONG_FOR_A_LEGEND",
                                             "ICMP_ECHO",
                                             "13 others"};
    static double bytes[BANDS][BINS];
    struct chart_band bands[BANDS];
    const gint64 begin = 1795479372 * SECOND;
    const struct chart_period periods[] = {
        {"TCP_MODBUS 198.51.100.10 → 192.168.50.20 every 2.0 s", begin, begin + 180 * SECOND,
         2 * SECOND},
        {"UDP_COAP <b> every 20 s", begin + 5 * SECOND, begin + 145 * SECOND, 20 * SECOND},
        {"TCP_MQTT every 100 ms", begin + 60 * SECOND, begin + 120 * SECOND, SECOND / 10},
    };

    for (int k = 0; k < BANDS; k++) {
        for (int i = 0; i < BINS; i++)
            bytes[k][i] = (i + k) % (k + 1) == 0 ? 150 * (BANDS - k) + 40 * (i % 3) : 0;
        bands[k] = (struct chart_band){names[k], bytes[k], .is_other = k == BANDS - 1};
    }
    g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
    const struct chart chart = {
        .title = "site.db: IP bytes of applications on the WAN",
        .zone = zone,
        .zone_name = "UTC",
        .width = CHART_WIDTH,
        .height = height,
        .begin_ns = begin,
        .bin_ns = 2 * SECOND,
        .bins = BINS,
        .bands = bands,
        .band_count = BANDS,
        .periods = periods,
        .period_count = G_N_ELEMENTS(periods),
        .note = "and 4 more: fieldedge periods",
    };
    chart_write(&chart, file);
}

static char *draw(void)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);

    write_chart(file, 0);
    fclose(file);
    return text;
}

static void ignore_text(GMarkupParseContext *context, const char *text, gsize length, void *all,
                        GError **error)
{
    (void)context, (void)error;
    g_string_append_len(all, text, (gssize)length);
    g_string_append_c(all, '\n');
}

static void test_chart(void)
{
    g_autofree char *svg = draw();
    g_autoptr(GString) texts = g_string_new(NULL);
    const GMarkupParser parser = {.text = ignore_text};
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, texts, NULL);

    CU_ASSERT_TRUE_FATAL(g_markup_parse_context_parse(context, svg, -1, NULL));
    CU_ASSERT_TRUE(g_markup_parse_context_end_parse(context, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(texts->str, "\n<b>&\"'\\u001B\\u0001\\u202E: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(texts->str, "UDP_COAP <b> every 20 s"));
    CU_ASSERT_PTR_NOT_NULL(strstr(texts->str, "00:17:00"));
    CU_ASSERT_PTR_NULL(strpbrk(svg, "\x1b\x01"));
    CU_ASSERT_PTR_NULL(strstr(svg, "nan"));
    CU_ASSERT_PTR_NULL(strstr(svg, "script"));
}

static int write_to(const char *name)
{
    FILE *file = fopen(name, "we");

    if (file == NULL)
        return 1;
    write_chart(file, 0);
    return fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    guint failures;

    if (setlocale(LC_ALL, "C.UTF-8") == NULL || CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite("chart", NULL, NULL);
    CU_ADD_TEST(suite, test_bins);
    CU_ADD_TEST(suite, test_bytes);
    CU_ADD_TEST(suite, test_times);
    CU_ADD_TEST(suite, test_numbers);
    CU_ADD_TEST(suite, test_shortening);
    CU_ADD_TEST(suite, test_chart);
    if (argc > 1)
        return write_to(argv[1]);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
