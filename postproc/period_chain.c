/* period_chain.c
 * A sleep among noise: no phase survives, and other packets cut its gaps, but T after each of its
 * cycles comes the next.
 *
 * The lags t[i + k] - t[i], k = 1..8, crowd at T.  The test is matched: do more events have another
 * T later, within a window, than have one in the windows to either side?  Bursts and changes of the
 * rate do the same to all of these; an event counts once a window.  Evidence is the logarithm of
 * the ratio of likelihoods of two shares and of one, less the cost of the choice of T and width.
 *
 * Its hits are the best set of chains, by dynamic programming: a link of m periods gains the
 * logarithm of (its density / that of other events), a new chain costs NEW_CHAIN.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>
#include <string.h>

#define FEWEST      24 /* events */
#define DEEPEST     8
#define STEP        0.02 /* of ln lag */
#define BINS        1536
#define REACH       17  /* three running means over 35 bins: a deviation of 0.35 */
#define COST        6.0 /* nats: choice of length and width */
#define NEW_CHAIN   4.0
#define LEAST_SHARE 0.2 /* of the events: below it a step in the density of gaps does as much */
#define LONGEST     3   /* periods a link may span */

/* ---- Lags ---- */

static void blur_once(const float *from, float *to)
{
    float sum = 0;

    for (guint i = 0; i < REACH; i++)
        sum += from[i];
    for (guint i = 0; i < BINS; i++) {
        sum += i + REACH < BINS ? from[i + REACH] : 0;
        sum -= i > REACH ? from[i - REACH - 1] : 0;
        to[i] = sum / (2 * REACH + 1);
    }
}

/* Where lags crowd most: the length and half the width of the crowd, as a share of it. */
static bool crowd_of_lags(const struct period_train *train, double *period, double *half)
{
    static const guint reaches[] = {2, 4, 7};
    const double span = train->t[train->n - 1] - train->t[0], mean = span / (train->n - 1);
    const double longest = MIN(4 * mean, span / 4), shortest = MAX(PERIOD_SHORTEST, mean / 8);
    const double low = log(longest) - (BINS - 60) * STEP;
    float counts[BINS] = {0}, smooth[BINS], once[BINS];
    double most = 0;

    if (!(longest > 2 * shortest))
        return false;

    for (guint i = 0; i < train->n; i++)
        for (guint k = 1; k <= DEEPEST && i + k < train->n; k++) {
            double lag = train->t[i + k] - train->t[i];

            if (lag > 1.8 * longest)
                break;
            if (lag >= 0.3 * shortest)
                counts[CLAMP((gint)((log(lag) - low) / STEP), 0, BINS - 1)]++;
        }
    blur_once(counts, smooth);
    blur_once(smooth, once);
    blur_once(once, smooth);
    for (guint r = 0; r < G_N_ELEMENTS(reaches); r++) {
        const guint reach = reaches[r], first = MAX((gint)((log(shortest) - low) / STEP), 8);
        double inside = 0;

        for (guint i = first - reach; i < first + reach; i++)
            inside += (double)counts[i];
        for (guint i = first; i + 59 < BINS; i++) {
            inside += (double)counts[i + reach];
            double expected = (double)smooth[i] * (2 * reach + 1) + 0.5;
            double more = inside - expected;
            /* No gain exceeds more^2 / (2 expected). */
            double gain = more > 0 && more * more > 2 * expected * most
                              ? inside * log(inside / expected) - more
                              : 0;

            if (gain > most) {
                most = gain;
                *period = exp(low + (i + 0.5) * STEP);
                *half = (reach + 0.5) * STEP;
            }
            inside -= (double)counts[i - reach];
        }
    }
    return most > 4;
}

/* ---- The test ---- */

/* n ln-likelihood of k of n under share p. */
static double log_likelihood(double k, double n, double p)
{
    return (k > 0 ? k * log(p) : 0) + (k < n ? (n - k) * log(1 - p) : 0);
}

/* How many of the events have another within from .. to after them; counted, at least `apart` after
 * the one before. */
static guint followed(const struct period_train *train, double from, double to, double apart,
                      guint *counted)
{
    guint found = 0, next = 0;
    double last = -HUGE_VAL;

    *counted = 0;
    for (guint i = 0; i < train->n; i++) {
        const double t = train->t[i];

        if (t < last + apart)
            continue;
        if (t + to > train->t[train->n - 1])
            break;
        last = t;
        while (train->t[next] < t + from)
            next++;
        ++*counted;
        found += train->t[next] <= t + to;
    }
    return found;
}

/* Fills fit unless there are too few events. */
static bool test_length(const struct period_train *train, double period, double half,
                        struct period_fit *fit)
{
    static const double sides[2][2] = {{-3.6, -2.3}, {2.3, 3.6}};
    const double width = half * period;
    double k = 0;
    guint n, of_side, hits = followed(train, period - width, period + width, width, &n);

    if (n < FEWEST / 2)
        return false;
    /* More than on either side: gaps that all are below a limit leave a step at it. */
    for (guint side = 0; side < 2; side++) {
        guint found = 0;

        for (guint i = 0; i < 2; i++)
            found += followed(train, period + (sides[side][i] - 1) * width,
                              period + (sides[side][i] + 1) * width, width, &of_side);
        k = MAX(k, found);
    }
    double here = (double)hits / n, beside = MIN(k / (2.0 * n), 1), all = (hits + k) / (3.0 * n);
    if (here <= beside || here >= 1 || beside <= 0)
        return false;
    double evidence = log_likelihood(hits, n, here) + log_likelihood(k, 2.0 * n, beside) -
                      log_likelihood(hits + k, 3.0 * n, all) - COST;
    double share = (here - beside) / (1 - beside);
    if (share < LEAST_SHARE)
        evidence = MIN(evidence, 0);
    *fit = (struct period_fit){.is_chain = true,
                               .period = period,
                               .sigma = 0.5 * half,
                               .evidence = evidence,
                               .effect = share * (1 - half)};
    return true;
}

bool period_chain_fit(const struct period_train *train, struct period_fit *fit)
{
    double period, half;
    struct period_fit shorter;

    if (train->n < FEWEST || train->n > PERIOD_SEARCHED || !crowd_of_lags(train, &period, &half) ||
        !test_length(train, period, half, fit))
        return false;
    /* Twice the length, the next but one comes. */
    for (guint divisor = 3; divisor > 1; divisor--)
        if (period / divisor >= PERIOD_SHORTEST &&
            test_length(train, period / divisor, half, &shorter) &&
            shorter.evidence + COST > 0.5 * (fit->evidence + COST)) {
            *fit = shorter;
            break;
        }
    return true;
}

/* ---- The chains ---- */

/* The best that ends with an event. */
struct end {
    double gain;   /* of its chain and those before */
    double best;   /* greatest gain of all events up to it */
    guint before;  /* event that the last link comes from; itself: a chain begins */
    guint best_at; /* event of best */
    guint turns;
};

static void find_ends(const struct period_train *train, const struct period_fit *fit,
                      struct end *ends)
{
    const double span = train->t[train->n - 1] - train->t[0];
    const double rate = train->n * fit->period / span, reach = 3.5 * fit->sigma;
    guint first = 0;

    for (guint j = 0; j < train->n; j++) {
        struct end *end = &ends[j];

        *end = (struct end){(j > 0 ? ends[j - 1].best : 0) - NEW_CHAIN, 0, j, j, 0};
        while (train->t[j] - train->t[first] > fit->period * (LONGEST + 2 * reach))
            first++;
        for (guint i = first; i < j; i++) {
            double r = (train->t[j] - train->t[i]) / fit->period, m = MAX(rint(r), 1);
            double z = (r - m) / (fit->sigma * sqrt(m));

            if (m > LONGEST || fabs(z) > 3.5)
                continue;
            double gain = ends[i].gain - 0.5 * z * z - 1.6 * (m - 1) -
                          log(fit->sigma * sqrt(m) * 2.5066282746 * rate);
            if (gain > end->gain) {
                end->gain = gain;
                end->before = i;
                end->turns = (guint)m;
            }
        }
        bool is_best = j == 0 || end->gain > ends[j - 1].best;
        end->best = is_best ? end->gain : ends[j - 1].best;
        end->best_at = is_best ? j : ends[j - 1].best_at;
    }
}

guint period_chain_hits(const struct period_train *train, const struct period_fit *fit,
                        struct period_hit *hits)
{
    struct end *ends = PERIOD_ROOM(train->workspace, PERIOD_CHAINS, struct end, train->n);
    guint count = 0;

    find_ends(train, fit, ends);
    for (guint at = ends[train->n - 1].best_at;;) {
        hits[count++] = (struct period_hit){at, ends[at].turns};
        if (ends[at].turns > 0) {
            at = ends[at].before;
            continue;
        }
        if (at == 0)
            break;
        at = ends[at - 1].best_at;
        if (ends[at].turns == 0) /* what is no chain is left over */
            break;
    }
    for (guint i = 0; i < count / 2; i++) {
        struct period_hit swap = hits[i];

        hits[i] = hits[count - 1 - i];
        hits[count - 1 - i] = swap;
    }
    return count;
}
