/* test_postproc_units.c: times and sizes as people write them (postproc/cli/units.h), and the line
 * of progress (postproc/cli/progress.h)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli/progress.h"
#include "cli/units.h"

#include <CUnit/Basic.h>

static void test_times(void)
{
    static const struct {
        const char *text;
        gint64 seconds; /* 0: refused */
    } cases[] = {{"30d", 2592000}, {"90", 90},  {"90s", 90},      {"15m", 900}, {"1.5h", 5400},
                 {"2w", 1209600},  {"0", 0},    {"-5d", 0},       {"3y", 0},    {"d", 0},
                 {"", 0},          {"30 d", 0}, {"1e300d", 0},    {"nan", 0},   {"inf", 0},
                 {"0x10", 0},      {"0.2s", 0}, {"999999999w", 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 seconds = 0;
        CU_ASSERT_EQUAL(units_parse_time(cases[i].text, &seconds), cases[i].seconds != 0);
        CU_ASSERT_EQUAL(seconds, cases[i].seconds);
    }
}

static void test_sizes(void)
{
    static const struct {
        const char *text;
        gint64 bytes; /* 0: refused */
    } cases[] = {{"2G", G_GINT64_CONSTANT(1) << 31},
                 {"500K", 512000},
                 {"64MiB", 64 << 20},
                 {"1.5k", 1536},
                 {"7", 7},
                 {"7B", 7},
                 {"1T", G_GINT64_CONSTANT(1) << 40},
                 {"0", 0},
                 {"-1M", 0},
                 {"1X", 0},
                 {"M", 0},
                 {"1MM", 0},
                 {"9e18G", 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 bytes = 0;
        CU_ASSERT_EQUAL(units_parse_size(cases[i].text, &bytes), cases[i].bytes != 0);
        CU_ASSERT_EQUAL(bytes, cases[i].bytes);
    }
}

#define SECOND G_GINT64_CONSTANT(1000000000)

static void check_line(const struct progress *progress, FieldEdgeProgress news, gint64 seconds,
                       const char *expected)
{
    g_autofree char *line = progress_line(progress, &news, seconds * SECOND);

    CU_ASSERT_STRING_EQUAL(line, expected);
}

static void test_progress(void)
{
    struct progress one = {.files = 1, .file = 1, .bytes = 1000, .file_bytes = 1000};
    struct progress three = {.files = 3,
                             .file = 3,
                             .bytes = 10000,
                             .bytes_done = 6000,
                             .file_bytes = 4000,
                             .bytes_skipped = 5000};

    /* A quarter in 10 s: three quarters take 30 s more. */
    check_line(&one,
               (FieldEdgeProgress){.capture = "/tmp/a.pcap",
                                   .elapsed_ns = 10 * SECOND,
                                   .packets = 1234567,
                                   .bytes_read = 250,
                                   .bytes = 1000},
               10, "a.pcap: 25 %, 1,234,567 packets, 123,456/s, 0:30 left");
    /* 1,000 of the 5,000 bytes that were not skipped came before, and 1,000 of this: 2,000 in
     * 7,400 s leave 11,100 s. */
    check_line(&three,
               (FieldEdgeProgress){.capture = "b\n.pcap",
                                   .elapsed_ns = 2 * SECOND,
                                   .packets = 10,
                                   .bytes_read = 1000,
                                   .bytes = 4000},
               7400, "b?.pcap (3 of 3): 25 %, 10 packets, 5/s, 3:05:00 left");
    check_line(
        &one,
        (FieldEdgeProgress){
            .capture = "a", .elapsed_ns = SECOND, .packets = 1, .bytes_read = 9, .bytes = 1000},
        1, "a: 0 %, 1 packets, 1/s");
    /* Standard input: nothing to measure by. */
    check_line(&one,
               (FieldEdgeProgress){.capture = "-",
                                   .elapsed_ns = SECOND,
                                   .packets = 999,
                                   .bytes_read = FIELDEDGE_NONE,
                                   .bytes = FIELDEDGE_NONE},
               1, "-: 999 packets, 999/s");
}

int main(void)
{
    CU_TestInfo tests[] = {{"times", test_times},
                           {"sizes", test_sizes},
                           {"progress", test_progress},
                           CU_TEST_INFO_NULL};
    CU_SuiteInfo suites[] = {{"units", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return 1;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
