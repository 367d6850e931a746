/* statistics.c
 * Medians by selection (Hoare's quickselect, the middle of three as pivot), so that a group costs
 * time in proportion to its packets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "statistics.h"

#include "database.h"

#include <math.h>

static void swap(gint64 *a, gint64 *b)
{
    gint64 kept = *a;

    *a = *b;
    *b = kept;
}

/* Puts the middle of the first, the middle and the last value into the middle. */
static gint64 choose_pivot(gint64 *values, gsize low, gsize high)
{
    gsize middle = low + (high - low) / 2;

    if (values[middle] < values[low])
        swap(&values[middle], &values[low]);
    if (values[high] < values[low])
        swap(&values[high], &values[low]);
    if (values[high] < values[middle])
        swap(&values[high], &values[middle]);
    return values[middle];
}

/* Orders values so that the one of this rank is in its place, none before it is greater and none
 * behind it less. */
static gint64 select_rank(gint64 *values, gsize count, gsize rank)
{
    gsize low = 0, high = count - 1;

    while (low < high) {
        gint64 pivot = choose_pivot(values, low, high);
        gsize left = low, right = high;

        while (left <= right) {
            while (values[left] < pivot)
                left++;
            while (values[right] > pivot)
                right--;
            if (left > right)
                break;
            swap(&values[left++], &values[right]);
            if (right == 0)
                break;
            right--;
        }
        if (rank <= right)
            high = right;
        else if (rank >= left)
            low = left;
        else
            break;
    }
    return values[rank];
}

static gint64 middle_of(gint64 a, gint64 b)
{
    return (gint64)(((int128)a + b) >> 1);
}

gint64 statistics_median(gint64 *values, gsize count)
{
    gint64 upper = select_rank(values, count, count / 2), lower;

    if (count % 2 == 1)
        return upper;
    lower = values[0];
    for (gsize i = 1; i < count / 2; i++)
        lower = MAX(lower, values[i]);
    return middle_of(lower, upper);
}

static gint64 standard_deviation(const gint64 *gaps, gsize count, gint64 span)
{
    long double mean = (long double)span / (long double)count, squares = 0;

    for (gsize i = 0; i < count; i++) {
        long double deviation = (long double)gaps[i] - mean;
        squares += deviation * deviation;
    }
    return (gint64)llroundl(sqrtl(squares / (long double)(count - 1)));
}

FieldEdgeGaps statistics_gaps(const gint64 *times, gsize count, gint64 *scratch)
{
    FieldEdgeGaps result = {
        .mean_ns = FIELDEDGE_NONE,
        .median_ns = FIELDEDGE_NONE,
        .stdev_ns = FIELDEDGE_NONE,
        .mad_ns = FIELDEDGE_NONE,
        .min_ns = FIELDEDGE_NONE,
        .max_ns = FIELDEDGE_NONE,
    };
    gsize gaps = count - 1;
    gint64 span;

    if (count < 2)
        return result;
    span = time_span(times[count - 1], times[0]);
    result.count = (gint64)gaps;
    result.mean_ns = (gint64)(((guint64)span + gaps / 2) / gaps);
    result.min_ns = G_MAXINT64;
    for (gsize i = 0; i < gaps; i++) {
        scratch[i] = time_span(times[i + 1], times[i]);
        result.min_ns = MIN(result.min_ns, scratch[i]);
        result.max_ns = MAX(result.max_ns, scratch[i]);
    }
    if (gaps > 1)
        result.stdev_ns = standard_deviation(scratch, gaps, span);
    result.median_ns = statistics_median(scratch, gaps);
    for (gsize i = 0; i < gaps; i++)
        scratch[i] = ABS(scratch[i] - result.median_ns);
    result.mad_ns = statistics_median(scratch, gaps);
    return result;
}
