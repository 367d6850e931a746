/* period_clock.c
 * Is there a length T whose phases t mod T crowd?
 *
 * The period is turned until the fullest window of phases is as improbable as it gets, first over
 * the part of the train over which it is known to a fraction of a cycle, then over three times as
 * much, up to all; then a line through (cycle, time) of the hits makes it exact.
 * Evidence: n cells (cycle x place in the cycle, each as wide as the window) are occupied, k of
 * them in the window; by chance, k/n = width.  Chernoff: P < exp(-n KL(k/n, width)).  A burst fills
 * cells beside each other and adds nothing to the window, so bursty chance is covered.  The search
 * costs ln of 1/width places of the window times (length / T) / width frequencies.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>
#include <string.h>

#define BINS     1024
#define HANDICAP 0.03 /* nats a cell */

static const guint WIDTHS[] = {2, 4, 8, 16, 32, 64, 128, 256, 320}; /* bins */

/* Nats by which k of n is more than a share p; 0 if it is not. */
static double divergence(double k, double n, double p)
{
    double q = k / n;

    if (q <= p)
        return 0;
    return n * (q * log(q / p) + (q < 1 ? (1 - q) * log((1 - q) / (1 - p)) : 0));
}

static double search_cost(double length, double period, double width)
{
    return 2 * log(1 / width) + log(MAX(1.0, length / period)) + 2;
}

struct window {
    double evidence;
    double centre;
    double width;
};

/* The best window of the phases of events from .. to - 1, each counted. */
static struct window fold(const struct period_train *train, double period, guint from, guint to)
{
    guint bins[BINS] = {0}, sums[2 * BINS + 1];
    double turns = 1 / period, n = to - from, length = train->t[to - 1] - train->t[from];
    struct window best = {-HUGE_VAL, 0, 1};

    for (guint i = from; i < to; i++) {
        double x = train->t[i] * turns;

        x -= (double)(gint64)x;
        bins[(guint)(x * BINS) & (BINS - 1)]++;
    }
    sums[0] = 0;
    for (guint i = 0; i < 2 * BINS; i++)
        sums[i + 1] = sums[i] + bins[i & (BINS - 1)];
    for (guint w = 0; w < G_N_ELEMENTS(WIDTHS); w++) {
        guint width = WIDTHS[w], most = 0, where = 0, last = 0;
        double share = (double)width / BINS;

        for (guint i = 0; i < BINS; i++) {
            guint inside = sums[i + width] - sums[i];

            if (inside > most) {
                most = inside;
                where = i;
                last = i;
            } else if (inside == most && i == last + 1) {
                last = i; /* the middle of a plateau centres the hits */
            }
        }
        double evidence =
            divergence(most, n, share) - HANDICAP * n - search_cost(length, period, share);
        if (evidence > best.evidence) {
            double middle = (0.5 * (where + last) + 0.5 * width) / BINS;

            best = (struct window){evidence, middle - floor(middle), share};
        }
    }
    return best;
}

/* The part of the train of this length that has most events, of a few places. */
static void choose_part(const struct period_train *train, double span, guint *from, guint *to)
{
    guint best_from = 0, best_to = 0;

    for (guint start = 0, end = 0; start < train->n; start++) {
        while (end < train->n && train->t[end] <= train->t[start] + span)
            end++;
        if (end - start > best_to - best_from) {
            best_from = start;
            best_to = end;
        }
    }
    *from = best_from;
    *to = best_to;
}

/* Turns the period about what it is; span is the length over which it is coherent. */
static struct window turn(const struct period_train *train, double *period, double span, guint from,
                          guint to)
{
    double frequency = 1 / *period;
    struct window best = {-HUGE_VAL, 0, 1};

    for (gint step = -3; step <= 3; step++) {
        double tried = frequency + 0.2 * step / span;
        struct window window;

        if (tried <= 0)
            continue;
        window = fold(train, 1 / tried, from, to);
        if (window.evidence > best.evidence) {
            best = window;
            *period = 1 / tried;
        }
    }
    return best;
}

/* What remains when a share of the events is Gaussian about a line and the rest is anywhere. */
struct line {
    double period;
    double centre; /* phase, 0..1 */
    double sigma;  /* share of the period */
    double share;  /* of events that belong to the line */
};

/* One round of expectation maximisation. */
static bool improve(const struct period_train *train, struct line *line)
{
    double sum = 0, sum_k = 0, sum_t = 0, sum_kk = 0, sum_kt = 0, sum_xx = 0;
    double middle = train->length / 2, origin = floor(middle / line->period);
    double peak = line->share / (line->sigma * 2.5066282746), rest = 1 - line->share;

    for (guint i = 0; i < train->n; i++) {
        double x = train->t[i] / line->period - line->centre, k = rint(x);

        x = (x - k) / line->sigma;
        if (fabs(x) > 4)
            continue;
        double w = peak * exp(-0.5 * x * x), t = train->t[i] - middle;
        w /= w + rest;
        k -= origin;
        sum += w;
        sum_k += w * k;
        sum_t += w * t;
        sum_kk += w * k * k;
        sum_kt += w * k * t;
        sum_xx += w * x * x;
    }
    double spread = sum_kk - sum_k * sum_k / sum;
    if (!(sum >= 3) || !(spread > 0))
        return false;
    double period = (sum_kt - sum_k * sum_t / sum) / spread;
    if (!(period > 0.5 * line->period && period < 2 * line->period))
        return false;
    double start = (sum_t - sum_k * period) / sum + middle - origin * period;
    line->sigma = CLAMP(line->sigma * sqrt(sum_xx / sum), 1e-5, 0.3);
    line->share = MIN(sum / train->n, 0.999);
    line->period = period;
    line->centre = start / period - floor(start / period);
    return true;
}

/* From the window to the line; the window follows if its evidence does not suffer. */
static void fit_line(const struct period_train *train, double *period, struct window *window,
                     struct line *line)
{
    guint rounds = train->n > 20000 ? 6 : 20;
    struct line better;

    *line = (struct line){*period, window->centre, MAX(0.25 * window->width, 1e-4), 0.5};
    better = *line;
    for (guint round = 0; round < rounds; round++)
        if (!improve(train, &better))
            return;
    struct window result = fold(train, better.period, 0, train->n);
    if (result.evidence < window->evidence - 1)
        return;
    *line = better;
    *window = result;
    *period = better.period;
}

/* Evidence and effect with each cell counted once. */
static void weigh(const struct period_train *train, double period, const struct window *window,
                  struct period_fit *fit)
{
    double width = window->width, shift = window->centre - width / 2, last_cycle = -2;
    guint cells = (guint)(1 / width), last_cell = 0;
    double n = 0, k = 0, events = 0;

    for (guint i = 0; i < train->n; i++) {
        double x = train->t[i] / period - shift, cycle = floor(x);
        guint cell = MIN((guint)((x - cycle) / width), cells);

        events += cell == 0;
        if (cycle == last_cycle && cell == last_cell)
            continue;
        last_cycle = cycle;
        last_cell = cell;
        n++;
        k += cell == 0;
    }
    double evidence =
        divergence(k, n, width) - HANDICAP * n - search_cost(train->length, period, width);
    /* Many in a wide window: the rate goes up and down, which is no period of a program. */
    if (width > 0.1 && events > 3 * k)
        evidence = MIN(evidence, 0);
    double q = k / n, z = 4 / n;
    double sure = (q + z / 2 - sqrt(z * (q * (1 - q) + z / 4))) / (1 + z);
    *fit = (struct period_fit){
        .is_clock = true,
        .period = period,
        .centre = window->centre,
        .width = width,
        .evidence = evidence,
        .effect = CLAMP((sure - width) / (1 - width), 0, 1) * (1 - width / 2),
    };
}

bool period_clock_fit(const struct period_train *train, const struct period_guess *guess,
                      struct period_fit *fit)
{
    double period = guess->period, span = guess->span, all = train->t[train->n - 1] - train->t[0];
    struct window window;
    struct line line;
    guint from = 0, to = train->n;

    if (span <= 0)
        span = 20 * period;
    for (;;) {
        bool is_all = span >= 0.99 * all;

        if (is_all) {
            from = 0;
            to = train->n;
            span = all;
        } else {
            choose_part(train, span, &from, &to);
        }
        if (to - from < 3)
            return false;
        window = turn(train, &period, span, from, to);
        if (is_all)
            break;
        span *= 3;
    }
    if (!(period > 0) || train->n < 4)
        return false;
    if (window.evidence < -6 && train->n > 1000)
        return false;
    fit_line(train, &period, &window, &line);
    weigh(train, period, &window, fit);
    fit->centre = line.centre;
    fit->sigma = line.sigma;
    return true;
}
