/* others.c
 * What others do, from their sources: the reference (fieldedge-pcap), RITA v5, flare, Elastic's
 * Network Beaconing (simplified) and Fisher's g-test on a spectrum.  README.md names the limits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "postproc/period_internal.h"
#include "trains.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double mean_of(const double *x, guint n)
{
    double sum = 0;

    for (guint i = 0; i < n; i++)
        sum += x[i] / n;
    return sum;
}

static double deviation(const double *x, guint n, double freedom)
{
    double mean = mean_of(x, n), sum = 0;

    for (guint i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / freedom);
}

static double median_of(const double *sorted, guint n)
{
    return n == 0 ? 0 : 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]);
}

/* repeat_mean and repeat_stdev of the gaps. */
struct outcome detect_reference(const struct train *train)
{
    guint n = train->n < 3 ? 0 : train->n - 1;
    g_autofree double *gaps = g_new(double, n + 1);

    if (n < 2)
        return (struct outcome){0};
    for (guint i = 0; i < n; i++)
        gaps[i] = train->t[i + 1] - train->t[i];
    double mean = mean_of(gaps, n);
    return (struct outcome){mean > 0 ? MAX(0, 1 - deviation(gaps, n, n - 1) / mean) : 0, mean};
}

/* Gaps of whole seconds, zeros dropped, sorted; the number of unique times into unique. */
static guint whole_gaps(const struct train *train, double *gaps, guint *unique)
{
    guint n = 0;

    *unique = train->n > 0;
    for (guint i = 1; i < train->n; i++) {
        double gap = floor(train->t[i]) - floor(train->t[i - 1]);

        if (gap <= 0)
            continue;
        ++*unique;
        gaps[n++] = gap;
    }
    qsort(gaps, n, sizeof *gaps, compare);
    return n;
}

static double commonest(const double *sorted, guint n, guint *most)
{
    double best = 0;

    *most = 0;
    for (guint i = 0, j; i < n; i = j) {
        for (j = i; j < n && sorted[j] == sorted[i]; j++)
            continue;
        if (j - i > *most) {
            *most = j - i;
            best = sorted[i];
        }
    }
    return best;
}

struct outcome detect_rita_ts(const struct train *train)
{
    g_autofree double *gaps = g_new(double, train->n + 1);
    guint unique, most, n = whole_gaps(train, gaps, &unique);

    if (unique < 4 || n < 3)
        return (struct outcome){0};
    guint half = n / 2;
    double q1 = median_of(gaps, half), q2 = median_of(gaps, n);
    double q3 = median_of(gaps + n - half, half), period = commonest(gaps, n, &most);
    double skew = q3 - q1 < 10 || q2 == q1 || q2 == q3 ? 0 : (q1 + q3 - 2 * q2) / (q3 - q1);
    for (guint i = 0; i < n; i++)
        gaps[i] = fabs(gaps[i] - q2);
    qsort(gaps, n, sizeof *gaps, compare);
    double mad = median_of(gaps, n), part = q2 >= 1 ? MAX(0, (q2 - mad) / q2) : 1;
    return (struct outcome){rint((1 - fabs(skew) + part) / 2 * 1000) / 1000, period};
}

enum { RITA_BINS = 24 };

static double rita_histogram(const guint *bars, guint filled)
{
    double counts[RITA_BINS], cv;
    guint tallest = 0, heights[1025] = {0}, first = 0, second = 0;

    for (guint i = 0; i < RITA_BINS; i++) {
        counts[i] = bars[i];
        tallest = MAX(tallest, bars[i]);
    }
    cv = deviation(counts, RITA_BINS, RITA_BINS) / mean_of(counts, RITA_BINS);
    double score = cv > 1 ? 0 : 1 - cv;
    if (filled < 11)
        return score;
    double step = ceil(0.05 * tallest);
    for (guint i = 0; i < RITA_BINS; i++)
        if (bars[i] > 0)
            heights[MIN((guint)(bars[i] / step), 1024)]++;
    for (guint i = 0; i <= 1024; i++) {
        if (heights[i] > first) {
            second = first;
            first = heights[i];
        } else if (heights[i] > second) {
            second = heights[i];
        }
    }
    return MAX(score, MIN(1, (double)(first + second) / MAX(1, filled - 1)));
}

/* Sizes are all the same: ds = 1. */
struct outcome detect_rita(const struct train *train)
{
    struct outcome ts = detect_rita_ts(train);
    guint bars[RITA_BINS] = {0}, filled = 0, longest = 0, run = 0;

    if (ts.score <= 0)
        return ts;
    for (guint i = 0; i < train->n; i++)
        bars[MIN((guint)(train->t[i] / train->length * RITA_BINS), RITA_BINS - 1)]++;
    for (guint i = 0; i < RITA_BINS; i++)
        filled += bars[i] > 0;
    for (guint i = 0; i < 2 * RITA_BINS; i++) {
        run = bars[i % RITA_BINS] > 0 ? run + 1 : 0;
        longest = MAX(longest, MIN(run, RITA_BINS));
    }
    double coverage = MIN(1, (train->t[train->n - 1] - train->t[0]) / train->length);
    double dur = filled >= 6 ? MAX(coverage, MIN(1, longest / 12.0)) : 0;
    ts.score = 0.25 * (ts.score + 1 + dur + rita_histogram(bars, filled));
    return ts;
}

struct outcome detect_flare(const struct train *train)
{
    g_autofree double *gaps = g_new(double, train->n + 1);
    guint unique, most, inside = 0, all = whole_gaps(train, gaps, &unique), skip = 0;

    while (skip < all && gaps[skip] < 2)
        skip++;
    guint n = all - skip;
    if (n <= 10)
        return (struct outcome){0};
    double mode = commonest(gaps + skip, n, &most), middle = mode;
    for (guint offset = 0; offset <= 2; offset++) {
        guint count = 0;

        for (guint i = skip; i < all; i++)
            count += gaps[i] >= mode - offset && gaps[i] <= mode - offset + 2;
        if (count > inside) {
            inside = count;
            middle = mode - offset + 1;
        }
    }
    return (struct outcome){(double)inside / n, middle};
}

struct outcome detect_elastic(const struct train *train)
{
    double length = MIN(train->length, 6 * 3600), begin = train->length - length;
    guint n = (guint)(length / 60);
    g_autofree double *counts = g_new0(double, n + 1), *sorted = g_new(double, n + 1);
    double score = 0, mean, variance = 0, period = 0;
    guint filled = 0;

    for (guint i = 0; i < train->n; i++)
        if (train->t[i] >= begin && train->t[i] < train->length)
            counts[MIN((guint)((train->t[i] - begin) / 60), n - 1)]++;
    for (guint i = 0; i < n; i++)
        if (counts[i] > 0)
            sorted[filled++] = counts[i];
    if (filled < 6)
        return (struct outcome){0};
    qsort(sorted, filled, sizeof *sorted, compare);
    guint low = filled / 10, high = MAX(low + 1, filled * 8 / 10);
    double inner = mean_of(sorted + low, high - low);
    double rate = deviation(sorted + low, high - low, high - low) / inner;
    mean = mean_of(counts, n);
    for (guint i = 0; i < n; i++)
        variance += (counts[i] - mean) * (counts[i] - mean) / n;
    for (guint lag = 2; lag <= n / 6 && variance > 0; lag++) {
        double sum = 0, terms = 0;

        for (guint multiple = lag; multiple < n; multiple += lag) {
            double covariance = 0;

            for (guint i = 0; i + multiple < n; i++)
                covariance += (counts[i] - mean) * (counts[i + multiple] - mean);
            sum += covariance / (n - multiple) / variance;
            terms++;
            if (terms >= 6)
                break;
        }
        if (sum / terms > score) {
            score = sum / terms;
            period = 60.0 * lag;
        }
    }
    if (rate <= 0.1 && (filled > 0.8 * n || score < 0.7))
        return (struct outcome){MAX(score, filled > 0.8 * n ? 1 - rate : score), period};
    return (struct outcome){MIN(score, 1), period};
}

struct outcome detect_g_test(const struct train *train)
{
    guint bins = 64;

    while (bins < train->length)
        bins *= 2;
    g_autofree float *values = g_new(float, bins);
    double mean = train->n / train->length, sum = 0, best = 0;
    guint where = 1, m = bins / 2 - 1;

    for (guint i = 0; i < bins; i++)
        values[i] = i < train->length ? (float)-mean : 0;
    for (guint i = 0; i < train->n; i++)
        values[MIN((guint)train->t[i], bins - 1)]++;
    struct periodicity_workspace *workspace = periodicity_workspace_new();
    period_power(workspace, values, bins);
    periodicity_workspace_free(workspace);
    for (guint i = 1; i < bins / 2; i++) {
        sum += values[i];
        if (values[i] > best) {
            best = values[i];
            where = i;
        }
    }
    double g = sum > 0 ? best / sum : 0;
    /* -ln p, p = 1 - (1 - exp(-m g))^m, made 0..1. */
    double tail = MIN(exp(-(double)m * g) * m, 1), nats = tail > 0 ? -log(tail) : 700;
    return (struct outcome){nats / (nats + 10), (double)bins / where};
}
