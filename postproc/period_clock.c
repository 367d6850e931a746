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

#define BINS        1024
#define COARSE      4 /* of these at a time, to choose among guesses */
#define WIDEST      320
#define FEW         12   /* events whose phases are sorted rather than counted */
#define FEW_REFINED 2    /* guesses of them that are worth more */
#define HANDICAP    0.03 /* nats a cell */
#define TIE         0.04 /* of the evidence: within it the longer length wins */

static const guint WIDTHS[] = {2, 4, 8, 16, 32, 64, 128, 256, WIDEST}; /* bins */
static const double LN_WIDTHS[] = {6.238325, 5.545177, 4.85203,  4.158883, 3.465736,
                                   2.772589, 2.079442, 1.386294, 1.163151}; /* ln BINS / width */

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

/* ---- Windows of phases ---- */

struct window {
    double evidence;
    double centre;
    double width;
};

/* Eight counts at once: the compilers do not see it by themselves. */
typedef gint16 counts8 __attribute__((vector_size(16)));

/* Most in a window of width w of 0 .. bins - 1, by the running sums. */
static inline gint16 fullest(const gint16 *sums, guint bins, guint w)
{
    counts8 best = {0};
    gint16 most = 0;

    for (guint i = 0; i < bins; i += 8) {
        counts8 left, right, inside, is_more;

        memcpy(&left, sums + i, sizeof left);
        memcpy(&right, sums + i + w, sizeof right);
        inside = right - left;
        is_more = inside > best;
        best = (inside & is_more) | (best & ~is_more);
    }
    for (guint i = 0; i < 8; i++)
        most = MAX(most, best[i]);
    return most;
}

/* The middle of the first plateau of fullest windows, which centres the hits: 0..1. */
static double centre_of(const gint16 *sums, guint bins, guint w, gint16 most)
{
    guint first = 0, last;

    while (sums[first + w] - sums[first] != most)
        first++;
    for (last = first; last + 1 < bins && sums[last + 1 + w] - sums[last + 1] == most;)
        last++;
    double middle = (0.5 * (first + last) + 0.5 * w) / bins;

    return middle - floor(middle);
}

/* Phases in bins, rising, and once more a turn later: a window that goes over the end is found. */
static void sort_phases(const struct period_train *train, double turns, guint bins,
                        gint16 phases[2 * FEW])
{
    for (guint i = 0; i < train->n; i++) {
        gint16 phase = (gint16)((gint64)(train->t[i] * turns) & (bins - 1));
        guint at = i;

        for (; at > 0 && phases[at - 1] > phase; at--)
            phases[at] = phases[at - 1];
        phases[at] = phase;
    }
    for (guint i = 0; i < train->n; i++)
        phases[train->n + i] = (gint16)(phases[i] + (gint16)bins);
}

/* Most of count phases in a window of width w; *first is the first in it. */
static gint16 fullest_of_few(const gint16 phases[2 * FEW], guint count, gint w, guint *first)
{
    guint end = 0, most = 0;

    for (guint i = 0; i < count; i++) {
        while (end < i + count && phases[end] < phases[i] + w)
            end++;
        if (end - i > most) {
            most = end - i;
            *first = i;
        }
    }
    return (gint16)most;
}

/* fold_in() of up to FEW events: by their sorted phases, which are fewer than bins. */
static struct window fold_few(const struct period_train *train, double period, guint bins,
                              guint coarse)
{
    gint16 phases[2 * FEW];
    const double n = train->n;
    double cost = search_cost(train->t[train->n - 1] - train->t[0], period, 1);
    struct window best = {-HUGE_VAL, 0, 1};

    sort_phases(train, bins / period, bins, phases);
    for (guint i = 0; i < G_N_ELEMENTS(WIDTHS); i++) {
        const guint w = WIDTHS[i] / coarse;
        const double width = (double)w / bins;
        guint first = 0;

        if (w < 2)
            continue;
        gint16 most = fullest_of_few(phases, train->n, (gint)w, &first);
        if (most * LN_WIDTHS[i] - HANDICAP * n - cost - 2 * LN_WIDTHS[i] <= best.evidence)
            continue;
        double evidence = divergence(most, n, width) - HANDICAP * n - cost - 2 * LN_WIDTHS[i];
        if (evidence > best.evidence) {
            /* Between the first and the last in it. */
            double middle = 0.5 * (phases[first] + phases[first + (guint)most - 1] + 1) / bins;

            best = (struct window){evidence, middle - floor(middle), width};
        }
    }
    return best;
}

/* The best window of the phases of at most PERIOD_SEARCHED events, each counted. */
static inline struct window fold_in(const struct period_train *train, double period, guint bins,
                                    guint coarse, bool is_centred)
{
    gint16 counts[BINS], sums[BINS + WIDEST + 1];
    const double turns = bins / period, n = train->n;
    double cost = search_cost(train->t[train->n - 1] - train->t[0], period, 1);
    struct window best = {-HUGE_VAL, 0, 1};
    guint best_w = 0;
    gint16 best_most = 0;

    if (train->n <= FEW)
        return fold_few(train, period, bins, coarse);
    memset(counts, 0, bins * sizeof *counts);
    for (guint i = 0; i < train->n; i++)
        counts[(gint64)(train->t[i] * turns) & (bins - 1)]++;
    sums[0] = 0;
    for (guint i = 0; i < bins; i++)
        sums[i + 1] = (gint16)(sums[i] + counts[i]);
    for (guint i = 1; i <= WIDEST / coarse; i++)
        sums[bins + i] = (gint16)(sums[bins] + sums[i]);
    for (guint i = 0; i < G_N_ELEMENTS(WIDTHS); i++) {
        const guint w = WIDTHS[i] / coarse;
        const double width = (double)w / bins;
        gint16 most;

        if (w < 2)
            continue;
        most = fullest(sums, bins, w);
        if (most * LN_WIDTHS[i] - HANDICAP * n - cost - 2 * LN_WIDTHS[i] <= best.evidence)
            continue;
        double evidence = divergence(most, n, width) - HANDICAP * n - cost - 2 * LN_WIDTHS[i];
        if (evidence > best.evidence) {
            best.evidence = evidence;
            best.width = width;
            best_w = w;
            best_most = most;
        }
    }
    if (is_centred)
        best.centre = centre_of(sums, bins, best_w, best_most);
    return best;
}

static struct window fold(const struct period_train *train, double period)
{
    return fold_in(train, period, BINS, 1, true);
}

/* Without the centre. */
static struct window fold_finely(const struct period_train *train, double period)
{
    return fold_in(train, period, BINS, 1, false);
}

static struct window fold_coarsely(const struct period_train *train, double period)
{
    return fold_in(train, period, BINS / COARSE, COARSE, false);
}

/* Turns the period about what it is; the span is that over which it is coherent. */
static struct window turn(const struct period_train *train, double *period, double span, gint steps,
                          struct window (*measure)(const struct period_train *, double))
{
    double frequency = 1 / *period;
    struct window best = {-HUGE_VAL, 0, 1};

    for (gint i = -steps; i <= steps; i++) {
        double tried = frequency + 0.2 * i / span;
        struct window window;

        if (tried <= 0)
            continue;
        window = measure(train, 1 / tried);
        if (window.evidence > best.evidence) {
            best = window;
            *period = 1 / tried;
        }
    }
    return best;
}

/* Of the events from .. to - 1, no more than suffice; points into the train if that is all. */
static struct period_train part_of(const struct period_train *train, guint from, guint to)
{
    struct period_train part = *train;
    guint64 state = 0x9e3779b97f4a7c15u, step;

    part.t = train->t + from;
    part.n = to - from;
    if (part.n <= PERIOD_SEARCHED)
        return part;
    /* One of each so many, not always the same one: that would pick one of two clocks. */
    step = ((guint64)part.n << 16) / PERIOD_SEARCHED;
    double *thin = PERIOD_ROOM(train->workspace, PERIOD_THIN, double, PERIOD_SEARCHED);
    for (guint i = 0; i < PERIOD_SEARCHED; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        guint64 at = i * step + (((state >> 40) * step) >> 24);

        thin[i] = part.t[MIN(at >> 16, part.n - 1)];
    }
    part.t = thin;
    part.n = PERIOD_SEARCHED;
    return part;
}

/* First event at or after `time`. */
static guint first_from(const struct period_train *train, double time)
{
    guint low = 0, high = train->n;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (train->t[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A guess turned until it is coherent over the whole train. */
struct clock {
    double period;
    struct window window;
};

static bool turn_guess(const struct period_train *train, const struct period_guess *guess,
                       struct clock *clock)
{
    const double all = train->t[train->n - 1] - train->t[0];
    guint from = guess->from, to = guess->to;
    double span = guess->span;

    clock->period = guess->period;
    if (train->n <= FEW) { /* such guesses are lines through all that they explain */
        clock->window = fold_finely(train, clock->period);
        return true;
    }
    for (;;) {
        struct period_train part = part_of(train, from, to);

        if (part.n < 3)
            return false;
        clock->window = turn(&part, &clock->period, span, guess->nats > 0 ? 2 : 3, fold_coarsely);
        if (from == 0 && to == train->n)
            return true;
        /* Three times as much, about the same middle. */
        double begin = train->t[from] - span, end = train->t[to - 1] + span;
        from = first_from(train, begin);
        to = first_from(train, end);
        span = MIN(3 * span, all);
        if (span >= 0.8 * all) {
            from = 0;
            to = train->n;
            span = all;
        }
    }
}

/* ---- Line ---- */

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
    const double turns = 1 / line->period, narrow = 1 / line->sigma;

    for (guint i = 0; i < train->n; i++) {
        double x = train->t[i] * turns - line->centre, k = (double)((gint64)(x + 1.5) - 1);

        x = (x - k) * narrow;
        if (fabs(x) > 4)
            continue;
        double w = peak * period_bell(train->workspace, fabs(x)), t = train->t[i] - middle;
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
static struct line fit_line(const struct period_train *train, struct clock *clock)
{
    struct line line = {clock->period, clock->window.centre, MAX(0.25 * clock->window.width, 1e-4),
                        0.5};
    struct line better = line;

    for (guint round = 0; round < 20; round++) {
        const struct line old = better;
        double turns = train->length / old.period;

        if (!improve(train, &better))
            return line;
        if (round > 1 && fabs(better.period / old.period - 1) * turns < 0.002 * old.sigma &&
            fabs(better.sigma / old.sigma - 1) < 0.001)
            break;
    }
    struct window result = fold(train, better.period);
    if (result.evidence < clock->window.evidence - 1)
        return line;
    clock->window = result;
    clock->period = better.period;
    return better;
}

/* ---- Evidence ---- */

/* Evidence and effect with each cell counted once. */
static void weigh(const struct period_train *train, double period, const struct window *window,
                  struct period_fit *fit)
{
    double width = window->width, shift = window->centre - width / 2, last_cycle = -2;
    guint cells = (guint)(1 / width), last_cell = 0;
    const double turns = 1 / period, narrow = 1 / width;
    double n = 0, k = 0, events = 0;

    for (guint i = 0; i < train->n; i++) {
        /* Never below -2. */
        double x = train->t[i] * turns - shift, cycle = (double)((gint64)(x + 2) - 2);
        guint cell = MIN((guint)((x - cycle) * narrow), cells);

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

/* Half of a period, or a third, fits as well: a harmonic of the spectrum. */
static void lengthen(const struct period_train *train, struct clock *clock)
{
    static const guint multiples[] = {2, 3, 5};

    for (guint i = 0; i < G_N_ELEMENTS(multiples);) {
        double longer = clock->period * multiples[i];
        struct window window;

        if (4 * longer > train->length * 1.02) {
            i++;
            continue;
        }
        window = fold_coarsely(train, longer);
        if (window.evidence < clock->window.evidence - TIE * fabs(clock->window.evidence)) {
            i++;
            continue;
        }
        clock->window = window;
        clock->period = longer;
    }
}

/* Best first, by evidence, none twice. */
static guint keep_best(struct clock *clocks, guint count, const struct clock *clock, double length)
{
    double evidence = clock->window.evidence;
    guint at = count;

    for (guint i = 0; i < count; i++)
        if (fabs(clocks[i].period / clock->period - 1) * length < 0.3 * clock->period) {
            if (clocks[i].window.evidence >= evidence)
                return count;
            at = i;
            break;
        }
    if (at == count) {
        if (count < PERIOD_FITS)
            count++;
        else if (clocks[--at].window.evidence >= evidence)
            return count;
    }
    for (; at > 0 && clocks[at - 1].window.evidence < evidence; at--)
        clocks[at] = clocks[at - 1];
    clocks[at] = *clock;
    return count;
}

static void refine(const struct period_train *train, struct clock *clock, bool is_hopeless,
                   struct period_fit *fit)
{
    struct period_train part = part_of(train, 0, train->n);

    if (is_hopeless) { /* its score is still wanted */
        clock->window = fold(&part, clock->period);
        weigh(train, clock->period, &clock->window, fit);
        fit->sigma = 0.25 * fit->width;
        return;
    }
    lengthen(&part, clock);
    turn(&part, &clock->period, part.t[part.n - 1] - part.t[0], 1, fold_finely);
    clock->window = fold(&part, clock->period);
    struct line line = fit_line(&part, clock);

    weigh(train, clock->period, &clock->window, fit);
    fit->centre = line.centre;
    fit->sigma = line.sigma;
}

guint period_clock_fits(const struct period_train *train, const struct period_guess *guesses,
                        guint count, struct period_fit *fits)
{
    const double length = train->t[train->n - 1] - train->t[0];
    struct clock clocks[PERIOD_FITS], clock;
    const bool is_weak = train->n >= 16 && count > 0 && guesses[0].nats > 0 && guesses[0].nats < 6;
    guint kept = 0, fitted = 0;

    if (train->n < 4)
        return 0;
    for (guint i = 0; i < count; i++) {
        if (i >= (is_weak ? 2 : 4) && (is_weak || guesses[i].nats < 0.15 * guesses[0].nats))
            break;
        if (turn_guess(train, &guesses[i], &clock) && clock.period > 0)
            kept = keep_best(clocks, kept, &clock, length);
    }
    bool is_hopeless = is_weak && kept > 0 && clocks[0].window.evidence < -2;
    for (guint i = 0; i < kept; i++) {
        if (i > 0 && (is_hopeless || (train->n <= FEW && i == FEW_REFINED) ||
                      clocks[i].window.evidence < MAX(0.2 * clocks[0].window.evidence, -5.0)))
            break;
        refine(train, &clocks[i], is_hopeless, &fits[fitted++]);
    }
    return fitted;
}
