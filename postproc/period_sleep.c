/* period_sleep.c
 * Is there a length T about whose multiples the gaps crowd?
 *
 * Null: the gaps have any distribution whose logarithm is smooth at the scale of 0.5; its estimate
 * is the histogram of ln gap, blurred by that much.  Alternative: a share of the gaps lies at
 * m T, m = 1..4, with standard deviation sigma T sqrt(m); the rest is as under the null.  Shares, T
 * and sigma by expectation maximisation.  Evidence is the logarithm of the ratio of likelihoods,
 * less 0.03 a gap (distributions with an edge, as that of uniform gaps), less the cost of the
 * choice of T and sigma.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>
#include <string.h>

#define BLUR      0.5  /* of ln gap */
#define HANDICAP  0.02 /* nats a gap */
#define NARROWEST 0.004
#define WIDEST    0.3

/* One pass of a running mean; three of them are near enough to a Gaussian. */
static void blur_once(double *values, double *sums, gint bins, gint reach)
{
    sums[0] = 0;
    for (gint i = 0; i < bins; i++)
        sums[i + 1] = sums[i] + values[i];
    for (gint i = 0; i < bins; i++)
        values[i] = (sums[MIN(bins, i + reach + 1)] - sums[MAX(0, i - reach)]) / (2 * reach + 1);
}

void period_gaps_fill(struct period_gaps *gaps, const struct period_train *train)
{
    double *sums = PERIOD_ROOM(train->workspace, PERIOD_SCRATCH, double, PERIOD_GAP_BINS + 1);

    memset(gaps, 0, sizeof *gaps);
    gaps->n = train->n - 1;
    /* Three sigma of room above the longest gap. */
    gaps->low = log(MAX(train->length, 1e-9)) - (PERIOD_GAP_BINS - 160) * PERIOD_GAP_STEP;
    for (guint i = 1; i < train->n; i++) {
        double gap = train->t[i] - train->t[i - 1];
        gint bin = gap > 0 ? (gint)((log(gap) - gaps->low) / PERIOD_GAP_STEP) : 0;

        bin = CLAMP(bin, 0, PERIOD_GAP_BINS - 1);
        gaps->count[bin]++;
        gaps->sum[bin] += gap;
    }
    for (guint i = 0; i < PERIOD_GAP_BINS; i++) {
        gaps->smooth[i] = gaps->count[i] / (gaps->n * PERIOD_GAP_STEP);
        if (gaps->count[i] > 0)
            gaps->filled[gaps->filled_count++] = i;
    }
    /* A running mean over 2 r + 1 bins has variance r (r + 1) / 3. */
    for (guint pass = 0; pass < 3; pass++)
        blur_once(gaps->smooth, sums, PERIOD_GAP_BINS, (gint)(BLUR / PERIOD_GAP_STEP));
    for (guint i = 0; i < gaps->filled_count; i++) {
        guint bin = gaps->filled[i];

        gaps->mean[i] = gaps->sum[bin] / gaps->count[bin];
        gaps->null[i] = MAX(gaps->smooth[bin], 1e-6);
    }
    double longest = gaps->mean[gaps->filled_count - 1] * (1 + 1.0 / gaps->n);
    for (guint i = 0; i < gaps->filled_count; i++)
        gaps->uniform_gain +=
            gaps->count[gaps->filled[i]] * log(MAX(gaps->mean[i], 1e-12) / longest / gaps->null[i]);
    gaps->uniform_gain = MAX(gaps->uniform_gain, 0);
}

/* Are there gaps enough about the period to be worth a closer look? */
static bool has_gaps_at(const struct period_gaps *gaps, double period)
{
    double near = 0;

    for (guint i = 0; i < gaps->filled_count && gaps->mean[i] < 1.3 * period; i++)
        if (gaps->mean[i] > 0.7 * period)
            near += gaps->count[gaps->filled[i]];
    return near >= 2 && near >= 0.04 * gaps->n;
}

/* What is estimated. */
struct mixture {
    double period;
    double sigma;
    double share[PERIOD_MULTIPLE + 1]; /* [0]: of the null */
};

/* One round: the logarithm of the ratio of likelihoods of old, and the better estimate. */
static double improve(const struct period_gaps *gaps, struct mixture *mixture)
{
    static const double roots[PERIOD_MULTIPLE + 1] = {1, 1, 1.41421356, 1.73205081, 2};
    const struct mixture old = *mixture;
    double ratio = 0, weight[PERIOD_MULTIPLE + 1] = {0}, sum = 0, turns = 0, square = 0, linked = 0;

    for (guint f = 0; f < gaps->filled_count; f++) {
        double gap = gaps->mean[f], r = gap / old.period, count = gaps->count[gaps->filled[f]];
        double part[PERIOD_MULTIPLE + 1], total = old.share[0];

        part[0] = total;
        for (guint m = 1; m <= PERIOD_MULTIPLE; m++) {
            double sigma = old.sigma * roots[m], z = (r - m) / sigma;

            part[m] = 0;
            if (z < -5 || z > 5 || old.share[m] <= 0)
                continue;
            part[m] = old.share[m] * r * exp(-0.5 * z * z) / (sigma * 2.5066282746 * gaps->null[f]);
            total += part[m];
        }
        if (total <= 0)
            return -HUGE_VAL;
        ratio += count * log(total);
        weight[0] += count * part[0] / total;
        for (guint m = 1; m <= PERIOD_MULTIPLE; m++) {
            if (part[m] <= 0)
                continue;
            double w = count * part[m] / total;

            weight[m] += w;
            sum += w * gap;
            turns += w * m;
            square += w * (r - m) * (r - m) / m;
            linked += w;
        }
    }
    if (linked < 1)
        return -HUGE_VAL;
    mixture->period = sum / turns;
    mixture->sigma = CLAMP(sqrt(square / linked), NARROWEST, WIDEST);
    for (guint m = 0; m <= PERIOD_MULTIPLE; m++)
        mixture->share[m] = weight[m] / gaps->n;
    /* A share of the null always remains: one strange gap must not cost everything. */
    mixture->share[0] = MAX(mixture->share[0], 0.5 / (gaps->n + 1.0));
    return ratio;
}

static double climb(const struct period_gaps *gaps, struct mixture *mixture, guint rounds)
{
    double ratio = -HUGE_VAL;

    for (guint round = 0; round < rounds; round++) {
        double now = improve(gaps, mixture);

        if (now == -HUGE_VAL || (round > 3 && now - ratio < 0.01 + 1e-4 * fabs(now)))
            return now;
        ratio = now;
    }
    return ratio;
}

bool period_sleep_fit(const struct period_gaps *gaps, double period, struct period_fit *fit)
{
    static const double starts[] = {0.015, 0.06, 0.2};
    struct mixture best = {0};
    double best_ratio = -HUGE_VAL;

    if (!has_gaps_at(gaps, period))
        return false;
    for (guint s = 0; s < G_N_ELEMENTS(starts); s++) {
        struct mixture mixture = {period, starts[s], {0.3, 0.4, 0.15, 0.1, 0.05}};
        double ratio = climb(gaps, &mixture, 3);

        if (ratio > best_ratio) {
            best_ratio = ratio;
            best = mixture;
        }
    }
    if (best_ratio != -HUGE_VAL)
        best_ratio = climb(gaps, &best, 20);
    double hits = 1 - best.share[0];
    if (best_ratio == -HUGE_VAL || best.period <= 0 || best.share[1] < 0.4 * hits ||
        hits * gaps->n < 2.5)
        return false;
    *fit = (struct period_fit){
        .period = best.period,
        .sigma = best.sigma,
        .evidence = best_ratio - gaps->uniform_gain - HANDICAP * gaps->n - log(0.5 / best.sigma) -
                    4 - 0.5 * log(gaps->n + 1.0),
        .effect = hits * (1 - best.sigma / WIDEST / 2),
    };
    return true;
}
