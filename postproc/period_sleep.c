/* period_sleep.c
 * Is there a length T about whose multiples the gaps crowd?
 *
 * Null: the gaps have any distribution whose logarithm is smooth at the scale of 0.5; its estimate
 * is the histogram of ln gap, blurred by that much.  Alternative: a share of the gaps lies at
 * m T, m = 1..4, with standard deviation sigma T sqrt(m); the rest is as under the null.  Shares, T
 * and sigma by expectation maximisation, from the few places where a window of the histogram holds
 * most more than the null expects.  Evidence is the logarithm of the ratio of likelihoods, less
 * 0.02 a gap (distributions with an edge, as that of uniform gaps), less the cost of the choice of
 * T and sigma.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>
#include <string.h>

#define HANDICAP  0.02 /* nats a gap */
#define NARROWEST 0.004
#define WIDEST    0.3

/* The null is made of bins four times as wide; three running means over 25 of them are near enough
 * to a Gaussian of 0.5: one over 2 r + 1 bins has variance r (r + 1) / 3. */
#define COARSE 4
#define REACH  12

/* ---- Histogram ---- */

static void blur_once(const float *from, float *to, guint count)
{
    float sum = 0;

    for (guint i = 0; i < MIN(REACH, count); i++)
        sum += from[i];
    for (guint i = 0; i < count; i++) {
        sum += i + REACH < count ? from[i + REACH] : 0;
        sum -= i > REACH ? from[i - REACH - 1] : 0;
        to[i] = sum / (2 * REACH + 1);
    }
}

/* null[i] of all filled bins: density of ln gap. */
static void fill_null(struct period_gaps *gaps)
{
    enum { MOST = PERIOD_GAP_BINS / COARSE + 6 * REACH + 8 };
    float here[MOST], there[MOST];
    guint first = gaps->bin[0] / COARSE;
    guint count = gaps->bin[gaps->count - 1] / COARSE - first + 1 + 6 * REACH + 4;

    memset(here, 0, count * sizeof *here);
    for (guint i = 0; i < gaps->count; i++)
        here[gaps->bin[i] / COARSE - first + 3 * REACH + 2] += (float)gaps->weight[i];
    blur_once(here, there, count);
    blur_once(there, here, count);
    blur_once(here, there, count);
    double scale = 1 / (gaps->n * PERIOD_GAP_STEP * COARSE);
    for (guint i = 0; i < gaps->count; i++) {
        double at = (gaps->bin[i] + 0.5) / COARSE - 0.5 - first + 3 * REACH + 2;
        guint left = (guint)at;
        double part = at - left;

        gaps->null[i] = MAX(scale * ((1 - part) * there[left] + part * there[left + 1]), 1e-6);
        gaps->lift[i] = gaps->gap[i] / gaps->null[i];
    }
}

/* From counts and sums of all bins, of which those outside first .. last are empty. */
static void compress(struct period_gaps *gaps, const guint *counts, const double *sums, guint first,
                     guint last)
{
    gaps->count = 0;
    for (guint bin = first; bin <= last; bin++) {
        if (counts[bin] == 0)
            continue;
        gaps->bin[gaps->count] = (guint16)bin;
        gaps->weight[gaps->count] = counts[bin];
        gaps->gap[gaps->count++] = sums[bin] / counts[bin];
    }
}

void period_gaps_fill(struct period_gaps *gaps, const struct period_train *train)
{
    guint *counts = PERIOD_ROOM(train->workspace, PERIOD_SCRATCH, guint, PERIOD_GAP_BINS);
    double *sums = PERIOD_ROOM(train->workspace, PERIOD_SUMS, double, PERIOD_GAP_BINS);
    guint first = PERIOD_GAP_BINS - 1, last = 0;

    memset(counts, 0, PERIOD_GAP_BINS * sizeof *counts);
    memset(sums, 0, PERIOD_GAP_BINS * sizeof *sums);
    gaps->workspace = train->workspace;
    gaps->n = train->n - 1;
    /* Three sigma of room above the longest gap. */
    gaps->low = log(MAX(train->length, 1e-9)) - (PERIOD_GAP_BINS - 160) * PERIOD_GAP_STEP;
    for (guint i = 1; i < train->n; i++) {
        double gap = train->t[i] - train->t[i - 1];
        gint at = gap > 0 ? (gint)((log(gap) - gaps->low) / PERIOD_GAP_STEP) : 0;
        guint bin = (guint)CLAMP(at, 0, PERIOD_GAP_BINS - 1);

        counts[bin]++;
        sums[bin] += gap;
        first = MIN(first, bin);
        last = MAX(last, bin);
    }
    compress(gaps, counts, sums, first, last);
    fill_null(gaps);

    double longest = gaps->gap[gaps->count - 1] * (1 + 1.0 / gaps->n), gain = 0;
    for (guint i = 0; i < gaps->count; i++)
        gain += gaps->weight[i] * log(MAX(gaps->gap[i], 1e-12) / longest / gaps->null[i]);
    gaps->uniform_gain = MAX(gain, 0);
}

double period_gaps_median(const struct period_gaps *gaps)
{
    double seen = 0;

    for (guint i = 0; i < gaps->count; i++) {
        seen += gaps->weight[i];
        if (2 * seen >= gaps->n)
            return gaps->gap[i];
    }
    return 0;
}

/* ---- Where gaps crowd ---- */

/* Keeps the best few, best first; of two that are alike, the better. */
static void keep(struct period_crowd *crowds, guint *count, const struct period_crowd *crowd)
{
    guint at = *count;

    for (guint i = 0; i < *count; i++)
        if (fabs(crowds[i].period / crowd->period - 1) <
            0.35 * MAX(crowds[i].sigma, crowd->sigma)) {
            if (crowds[i].gain >= crowd->gain)
                return;
            at = i;
            break;
        }
    if (at == *count) {
        if (*count < PERIOD_CROWDS)
            ++*count;
        else if (crowds[--at].gain >= crowd->gain)
            return;
    }
    for (; at > 0 && crowds[at - 1].gain < crowd->gain; at--)
        crowds[at] = crowds[at - 1];
    crowds[at] = *crowd;
}

guint period_gaps_crowds(const struct period_gaps *gaps, struct period_crowd *crowds)
{
    static const guint reaches[] = {1, 4, 12, 30};
    guint count = 0;

    for (guint r = 0; r < G_N_ELEMENTS(reaches); r++) {
        guint reach = reaches[r], from = 0, to = 0, last_bin = 0;
        double inside = 0, sum = 0;
        struct period_crowd best = {0};

        for (guint i = 0; i < gaps->count; i++) {
            guint bin = gaps->bin[i];

            for (; to < gaps->count && gaps->bin[to] <= bin + reach; to++) {
                inside += gaps->weight[to];
                sum += gaps->weight[to] * gaps->gap[to];
            }
            for (; gaps->bin[from] + reach < bin; from++) {
                inside -= gaps->weight[from];
                sum -= gaps->weight[from] * gaps->gap[from];
            }
            double expected = gaps->n * gaps->null[i] * (2 * reach + 1) * PERIOD_GAP_STEP;
            if (inside < 2 || inside < 0.04 * gaps->n || inside < 1.1 * expected)
                continue;
            double gain = inside * log(inside / expected) - inside + expected;
            if (best.gain > 0 && bin > last_bin + 2 * reach) {
                keep(crowds, &count, &best);
                best.gain = 0;
            }
            if (gain > best.gain) {
                best = (struct period_crowd){sum / inside, 0.005 * (reach + 1), gain};
                last_bin = bin;
            }
        }
        if (best.gain > 0)
            keep(crowds, &count, &best);
    }
    return count;
}

/* ---- The mixture ---- */

/* What is estimated. */
struct mixture {
    double period;
    double sigma;
    double share[PERIOD_MULTIPLE + 1]; /* [0]: of the null */
};

/* Adds up logarithms by products. */
struct log_sum {
    double sum;
    double product;
};

static inline void log_sum_add(struct log_sum *logs, double count, double value)
{
    if (count > 1.5) {
        logs->sum += count * log(value);
        return;
    }
    logs->product *= value;
    if (logs->product < 1e-150 || logs->product > 1e150) {
        logs->sum += log(logs->product);
        logs->product = 1;
    }
}

/* What one round adds up. */
struct moments {
    double weight[PERIOD_MULTIPLE + 1];
    double time, turns, square, linked;
};

/* A gap of r periods belongs to each multiple by part / total. */
static inline void moments_add(struct moments *moments, const double *part, double total,
                               double count, double gap, double r)
{
    double scale = count / total;

    moments->weight[0] += scale * part[0];
    for (guint m = 1; m <= PERIOD_MULTIPLE; m++) {
        double w = scale * part[m];

        moments->weight[m] += w;
        moments->time += w * gap;
        moments->turns += w * m;
        moments->square += w * (r - m) * (r - m) / m;
        moments->linked += w;
    }
}

/* One round: the logarithm of the ratio of likelihoods of old, and the better estimate. */
static double improve(const struct period_gaps *gaps, struct mixture *mixture)
{
    static const double roots[PERIOD_MULTIPLE + 1] = {1, 1, 1.41421356, 1.73205081, 2};
    const struct mixture old = *mixture;
    const double turns = 1 / old.period, lowest = 1 - PERIOD_BELL_REACH * old.sigma,
                 highest = PERIOD_MULTIPLE + 2 * PERIOD_BELL_REACH * old.sigma;
    double factor[PERIOD_MULTIPLE + 1], narrow[PERIOD_MULTIPLE + 1], untouched = 0;
    struct moments moments = {0};
    struct log_sum logs = {0, 1};

    for (guint m = 1; m <= PERIOD_MULTIPLE; m++) {
        narrow[m] = 1 / (old.sigma * roots[m]);
        factor[m] = old.share[m] * narrow[m] * turns / 2.5066282746;
    }
    for (guint f = 0; f < gaps->count; f++) {
        double r = gaps->gap[f] * turns, part[PERIOD_MULTIPLE + 1] = {old.share[0]};
        double total = old.share[0];

        if (r <= lowest || r >= highest) {
            untouched += gaps->weight[f];
            continue;
        }
        for (guint m = 1; m <= PERIOD_MULTIPLE; m++) {
            double z = fabs(r - m) * narrow[m];

            if (z >= PERIOD_BELL_REACH)
                continue;
            part[m] = factor[m] * gaps->lift[f] * period_bell(gaps->workspace, z);
            total += part[m];
        }
        if (total <= 0)
            return -HUGE_VAL;
        log_sum_add(&logs, gaps->weight[f], total);
        moments_add(&moments, part, total, gaps->weight[f], gaps->gap[f], r);
    }
    if (moments.linked < 1 || (untouched > 0 && old.share[0] <= 0))
        return -HUGE_VAL;
    moments.weight[0] += untouched;
    mixture->period = moments.time / moments.turns;
    mixture->sigma = CLAMP(sqrt(moments.square / moments.linked), NARROWEST, WIDEST);
    for (guint m = 0; m <= PERIOD_MULTIPLE; m++)
        mixture->share[m] = moments.weight[m] / gaps->n;
    /* A share of the null always remains: one strange gap must not cost everything. */
    mixture->share[0] = MAX(mixture->share[0], 0.5 / (gaps->n + 1.0));
    return logs.sum + log(logs.product) + untouched * log(old.share[0]);
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

bool period_sleep_fit(const struct period_gaps *gaps, const struct period_crowd *crowd,
                      struct period_fit *fit)
{
    struct mixture mixture = {crowd->period, crowd->sigma, {0.3, 0.4, 0.15, 0.1, 0.05}};

    /* The mixture would explain less than it costs. */
    if (crowd->gain < HANDICAP * gaps->n + 1) {
        *fit = (struct period_fit){.period = crowd->period,
                                   .sigma = crowd->sigma,
                                   .evidence = crowd->gain - HANDICAP * gaps->n - 7};
        return true;
    }
    double ratio = climb(gaps, &mixture, 20), hits = 1 - mixture.share[0];

    if (ratio == -HUGE_VAL || mixture.period <= 0 || mixture.share[1] < 0.4 * hits ||
        hits * gaps->n < 2.5)
        return false;
    *fit = (struct period_fit){
        .period = mixture.period,
        .sigma = mixture.sigma,
        .evidence = ratio - gaps->uniform_gain - HANDICAP * gaps->n - log(0.5 / mixture.sigma) - 4 -
                    0.5 * log(gaps->n + 1.0),
        .effect = hits * (1 - mixture.sigma / WIDEST / 2),
    };
    return true;
}
