/* period_regular.c
 * Are the gaps too much alike for what does not repeat, though no two are the same?
 *
 * A jitter of 20 or 30 % leaves a single hump that a smooth histogram explains almost as well.  But
 * what is known not to repeat is broader: gaps that are exponential or gamma of a shape up to 3,
 * lognormal of sigma 0.6 or more, uniform from 0.  Null: the likeliest of these, its parameters
 * fitted.  Alternative: 97 % of the gaps are Gaussian about T with a standard deviation of up to
 * 0.42 T, the rest are of the null (one strange gap must not cost everything).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>

#define FEWEST   8    /* gaps */
#define REGULAR  0.97 /* share of the gaps */
#define BROADEST 0.42
#define NARROW   0.05 /* below that the mixture of period_sleep.c says it as well */
#define COST     3.0  /* nats: a choice among nulls, two parameters */

enum family { UNIFORM, GAMMA, LOGNORMAL, FAMILIES };

/* Sums over the gaps, and what they make of each family. */
struct families {
    double n, mean, mean_log, longest;
    double shape;           /* of the gamma */
    double spread;          /* of the lognormal */
    double total[FAMILIES]; /* logarithm of the likelihood of all gaps */
    enum family best;
};

static double log_density(const struct families *f, enum family family, double gap, double log_gap)
{
    double z = (log_gap - f->mean_log) / f->spread;

    switch (family) {
    case UNIFORM:
        return -log(f->longest);
    case GAMMA:
        return (f->shape - 1) * log_gap - gap * f->shape / f->mean - lgamma(f->shape) -
               f->shape * log(f->mean / f->shape);
    default:
        return -log_gap - log(f->spread * 2.5066282746) - 0.5 * z * z;
    }
}

static void fit_families(const struct period_gaps *gaps, struct families *f)
{
    double square = 0;

    *f = (struct families){.n = gaps->n,
                           .longest = gaps->gap[gaps->count - 1] * (1 + 1.0 / gaps->n)};
    for (guint i = 0; i < gaps->count; i++) {
        double log_gap = log(MAX(gaps->gap[i], 1e-12));

        f->mean += gaps->weight[i] * gaps->gap[i] / f->n;
        f->mean_log += gaps->weight[i] * log_gap / f->n;
        square += gaps->weight[i] * log_gap * log_gap / f->n;
    }
    /* Minka's start of the likeliest shape is near enough. */
    double s = MAX(log(f->mean) - f->mean_log, 1e-6);
    f->shape = MIN((3 - s + sqrt((s - 3) * (s - 3) + 24 * s)) / (12 * s), 3.0);
    f->spread = sqrt(MAX(square - f->mean_log * f->mean_log, 0.36));
    for (guint i = 0; i < gaps->count; i++) {
        double log_gap = log(MAX(gaps->gap[i], 1e-12));

        for (guint family = 0; family < FAMILIES; family++)
            f->total[family] += gaps->weight[i] * log_density(f, family, gaps->gap[i], log_gap);
    }
    for (guint family = 1; family < FAMILIES; family++)
        if (f->total[family] > f->total[f->best])
            f->best = family;
}

/* One round of expectation maximisation; the logarithm of the likelihood of the old estimate. */
static double improve(const struct period_gaps *gaps, const struct families *f,
                      struct period_fit *fit)
{
    const double period = fit->period, sigma = fit->sigma * period;
    double total = 0, sum = 0, time = 0, square = 0;

    for (guint i = 0; i < gaps->count; i++) {
        double gap = gaps->gap[i], z = (gap - period) / sigma;
        double null = exp(log_density(f, f->best, gap, log(MAX(gap, 1e-12))));
        double hump = REGULAR * exp(-0.5 * z * z) / (sigma * 2.5066282746);
        double all = hump + (1 - REGULAR) * null, w = gaps->weight[i] * hump / all;

        total += gaps->weight[i] * log(MAX(all, 1e-300));
        sum += w;
        time += w * gap;
        square += w * (gap - period) * (gap - period);
    }
    if (sum < 2)
        return -HUGE_VAL;
    fit->period = time / sum;
    fit->sigma = CLAMP(sqrt(square / sum) / fit->period, 0.01, BROADEST);
    fit->effect = sum / f->n;
    return total;
}

bool period_regular_fit(const struct period_gaps *gaps, struct period_fit *fit)
{
    struct families f;
    double total = -HUGE_VAL;

    if (gaps->n < FEWEST || gaps->count < 2)
        return false;
    *fit =
        (struct period_fit){.is_regular = true, .period = period_gaps_median(gaps), .sigma = 0.3};
    if (!(fit->period > 0))
        return false;
    fit_families(gaps, &f);
    for (guint round = 0; round < 12; round++) {
        double now = improve(gaps, &f, fit);

        if (now == -HUGE_VAL)
            return false;
        if (round > 2 && now - total < 0.01)
            break;
        total = now;
        if (round == 3 && total - f.total[f.best] < -3)
            return false;
    }
    if (fit->sigma < NARROW)
        return false;
    fit->evidence = total - f.total[f.best] - COST;
    fit->effect *= 1 - fit->sigma / 0.6;
    return true;
}
