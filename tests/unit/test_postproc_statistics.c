/* test_postproc_statistics.c: medians and gaps against sorting and whole numbers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

static int compare(const void *left, const void *right)
{
    gint64 a = *(const gint64 *)left, b = *(const gint64 *)right;

    return (a > b) - (a < b);
}

static gint64 sorted_median(const gint64 *values, gsize count)
{
    g_autofree gint64 *copy = g_memdup2(values, count * sizeof *values);
    wide sum;

    qsort(copy, count, sizeof *copy, compare);
    if (count % 2 == 1)
        return copy[count / 2];
    sum = (wide)copy[count / 2 - 1] + copy[count / 2];
    return (gint64)((sum - (sum % 2 != 0 && sum < 0)) / 2); /* rounded down */
}

/* statistics.h's example */
static void test_example(void)
{
    static const gint64 times[] = {0, SECOND, 3 * SECOND, 7 * SECOND};
    gint64 scratch[4];
    FieldEdgeGaps gaps = statistics_gaps(times, 4, scratch);

    CU_ASSERT_EQUAL(gaps.count, 3);
    CU_ASSERT_EQUAL(gaps.mean_ns, 2333333333);
    CU_ASSERT_EQUAL(gaps.median_ns, 2 * SECOND);
    CU_ASSERT_EQUAL(gaps.stdev_ns, 1527525232);
    CU_ASSERT_EQUAL(gaps.mad_ns, SECOND);
    CU_ASSERT_EQUAL(gaps.min_ns, SECOND);
    CU_ASSERT_EQUAL(gaps.max_ns, 4 * SECOND);
}

static void test_too_few_gaps(void)
{
    static const gint64 times[] = {5, 9};
    gint64 scratch[2];

    for (gsize count = 0; count < 2; count++) {
        FieldEdgeGaps gaps = statistics_gaps(times, count, scratch);
        CU_ASSERT_EQUAL(gaps.count, 0);
        CU_ASSERT_EQUAL(gaps.mean_ns, FIELDEDGE_NONE);
        CU_ASSERT_EQUAL(gaps.median_ns, FIELDEDGE_NONE);
        CU_ASSERT_EQUAL(gaps.stdev_ns, FIELDEDGE_NONE);
        CU_ASSERT_EQUAL(gaps.mad_ns, FIELDEDGE_NONE);
        CU_ASSERT_EQUAL(gaps.min_ns, FIELDEDGE_NONE);
        CU_ASSERT_EQUAL(gaps.max_ns, FIELDEDGE_NONE);
    }
    FieldEdgeGaps gaps = statistics_gaps(times, 2, scratch);
    CU_ASSERT_EQUAL(gaps.mean_ns, 4);
    CU_ASSERT_EQUAL(gaps.mad_ns, 0);
    CU_ASSERT_EQUAL(gaps.stdev_ns, FIELDEDGE_NONE);
}

/* Few different values, sorted, reversed, organ pipes: where a quickselect goes wrong. */
static gint64 value_of(GRand *chance, guint shape, gsize i, gsize count)
{
    switch (shape) {
    case 0:
        return g_rand_int_range(chance, 0, 3);
    case 1:
        return (gint64)i;
    case 2:
        return (gint64)(count - i);
    case 3:
        return (gint64)MIN(i, count - i);
    case 4:
        return 7;
    default:
        return (gint64)((guint64)g_rand_int(chance) << 32 | g_rand_int(chance));
    }
}

static void test_medians_of_random_lists(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(6);
    gint64 values[600];

    for (guint round = 0; round < 6000; round++) {
        gsize count = (gsize)g_rand_int_range(chance, 1, round % 20 == 0 ? 600 : 12);
        for (gsize i = 0; i < count; i++)
            values[i] = value_of(chance, round % 6, i, count);
        gint64 expected = sorted_median(values, count);
        CU_ASSERT_EQUAL(statistics_median(values, count), expected);
    }
}

static void check_gaps(const gint64 *times, gsize count)
{
    gint64 scratch[64], own[64];
    FieldEdgeGaps gaps = statistics_gaps(times, count, scratch);
    gint64 n = (gint64)count - 1, median;
    wide sum = 0, squares = 0;

    for (gint64 i = 0; i < n; i++) {
        own[i] = times[i + 1] - times[i];
        sum += own[i];
        squares += (wide)own[i] * own[i];
    }
    CU_ASSERT_EQUAL(gaps.count, n);
    CU_ASSERT_EQUAL(gaps.mean_ns, (gint64)((2 * sum + n) / (2 * n))); /* half up */
    median = sorted_median(own, (gsize)n);
    CU_ASSERT_EQUAL(gaps.median_ns, median);
    if (n > 1) {
        long double variance = (long double)(squares * n - sum * sum) / n / (n - 1);
        CU_ASSERT(fabsl((long double)gaps.stdev_ns - sqrtl(variance)) <= 0.51L);
    }
    for (gint64 i = 0; i < n; i++)
        own[i] = ABS(own[i] - median);
    CU_ASSERT_EQUAL(gaps.mad_ns, sorted_median(own, (gsize)n));
}

static void test_gaps_of_random_times(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(8);
    gint64 times[64];

    for (guint round = 0; round < 5000; round++) {
        gsize count = (gsize)g_rand_int_range(chance, 2, 64);
        times[0] = g_rand_int_range(chance, -1000, 1000) * SECOND;
        for (gsize i = 1; i < count; i++)
            times[i] = times[i - 1] + g_rand_int_range(chance, 0, round % 2 == 0 ? 4 : 1 << 30);
        check_gaps(times, count);
    }
}

static void test_extremes_do_not_wrap(void)
{
    static const gint64 times[] = {G_MININT64, -1, 0, G_MAXINT64};
    gint64 scratch[4];
    FieldEdgeGaps gaps = statistics_gaps(times, 4, scratch);

    CU_ASSERT_EQUAL(gaps.min_ns, 1);
    CU_ASSERT_EQUAL(gaps.max_ns, G_MAXINT64);
    CU_ASSERT(gaps.mean_ns > 0);
    CU_ASSERT(gaps.stdev_ns > 0);
    CU_ASSERT(gaps.mad_ns >= 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"example", test_example},
        {"too few gaps", test_too_few_gaps},
        {"medians of random lists", test_medians_of_random_lists},
        {"gaps of random times", test_gaps_of_random_times},
        {"extremes do not wrap", test_extremes_do_not_wrap},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("statistics", tests);
}
