/* period_candidates.c
 * Which clocks are worth a test: peaks of the spectrum.
 *
 * The spectrum of the events, harmonics summed over 1, 2, 4 and 8, is coherent over the whole
 * window, which finds a clock among much noise.  It has at most 32 to 64 bins an event; of a long
 * window one gets a coarse spectrum of all and a fine one of its busiest part.  Peaks are ranked by
 * the chance of such a sum (of powers that are exponential once divided by their local mean), in
 * nats.
 *
 * Of few events, the lengths between neighbours, and halves and thirds of them, are ranked by how
 * many events lie on a line through their multiples.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>
#include <string.h>

#define SMALLEST_SPECTRUM 256u
#define LARGEST_SPECTRUM  (1u << 16)
#define BINS_AN_EVENT     16
#define WHITENED          48 /* frequencies on either side that make the local mean */
#define PEAKS             4  /* kept of each sum */
#define FEW               12 /* events: no spectrum is needed to see what they have in common */
#define FEW_GUESSES       8
#define REACH             0.15 /* of a period: how far from its time an event may be */

struct list {
    struct period_guess *guesses; /* the best first */
    guint count;
    double shortest, longest;
    double span;    /* of the events of this spectrum */
    guint from, to; /* they */
};

/* Are they within a fraction of a cycle of each other over the shorter span? */
static bool is_same(const struct period_guess *a, const struct period_guess *b)
{
    return fabs(a->period / b->period - 1) < 0.4 * a->period / MIN(a->span, b->span);
}

static void add(struct list *list, double period, double nats)
{
    struct period_guess guess = {period, list->span, nats, list->from, list->to};
    guint at = list->count;

    if (!(period >= list->shortest && period <= list->longest))
        return;
    for (guint i = 0; i < list->count; i++)
        if (is_same(&list->guesses[i], &guess)) {
            if (list->guesses[i].nats >= nats)
                return;
            at = i;
            break;
        }
    if (at == list->count) {
        if (list->count < PERIOD_CANDIDATES)
            list->count++;
        else if (list->guesses[--at].nats >= nats)
            return;
    }
    for (; at > 0 && list->guesses[at - 1].nats < nats; at--)
        list->guesses[at] = list->guesses[at - 1];
    list->guesses[at] = guess;
}

/* Divides by the local mean, so that slow changes of the rate do not fill the list. */
static void whiten(struct periodicity_workspace *workspace, float *power, guint count)
{
    double *sums = PERIOD_ROOM(workspace, PERIOD_SUMS, double, (gsize)count + 1);

    sums[0] = 0;
    for (guint i = 0; i < count; i++)
        sums[i + 1] = sums[i] + (double)power[i];
    double least = 0.2 * sums[count] / count + 1e-30;
    for (guint i = 0; i < count; i++) {
        guint from = i > WHITENED ? i - WHITENED : 0, to = MIN(count, i + WHITENED + 1);
        double mean = (sums[to] - sums[from]) / (to - from);

        power[i] = (float)(power[i] / MAX(mean, least));
    }
}

/* Nats against a sum of `harmonics` powers, all but the first the greatest of three. */
static double nats_of(double sum, guint harmonics)
{
    double h = harmonics, usual = 1 + 1.83 * (h - 1);

    if (sum <= usual)
        return 0;
    return (sum - usual) - h * log(sum / usual);
}

/* The place of a peak between bins, -0.5 .. 0.5. */
static double peak_offset(double before, double here, double after)
{
    double bend = before - 2 * here + after;

    return bend < 0 ? CLAMP(0.5 * (before - after) / bend, -0.5, 0.5) : 0;
}

struct peak {
    float sum;
    float offset;
    guint at;
};

/* The best few frequencies by the sum of `harmonics` powers, from the running sums over fewer. */
static void add_peaks(struct list *list, const float *sums, guint count, double length,
                      guint harmonics)
{
    struct peak best[PEAKS] = {0};
    guint first = MAX(2, (guint)(length / list->longest));

    for (guint k = first; k + 1 < count; k++) {
        float here = sums[k];

        if (here <= best[PEAKS - 1].sum || here < sums[k - 1] || here < sums[k + 1])
            continue;
        guint i = PEAKS - 1;
        for (; i > 0 && best[i - 1].sum < here; i--)
            best[i] = best[i - 1];
        best[i] = (struct peak){
            here, (float)peak_offset((double)sums[k - 1], (double)here, (double)sums[k + 1]), k};
    }
    for (guint i = 0; i < PEAKS && best[i].sum > 0; i++) {
        double frequency = (best[i].at + (double)best[i].offset) / length;
        double nats = nats_of((double)best[i].sum, harmonics);

        add(list, 1 / frequency, nats);
        /* A power at f may be the second or third harmonic of what has little at its own. */
        if (harmonics == 1 && i < 2)
            for (guint divisor = 2; divisor <= 3; divisor++)
                add(list, divisor / frequency, nats - 2);
    }
}

/* Adds the h-th harmonic of each frequency; known to half a bin, it is off by h / 2 bins. */
static void add_harmonic(float *sums, const float *power, guint count, guint h)
{
    for (guint k = 1; (k + 1) * h < count; k++) {
        guint at = k * h;
        float most = MAX(power[at - 1], power[at + 1]);

        sums[k] += MAX(most, power[at]);
    }
}

/* The most bins for so many events: a power of two. */
static guint most_bins(guint events)
{
    guint bins = SMALLEST_SPECTRUM;

    while (bins < LARGEST_SPECTRUM && bins / BINS_AN_EVENT < events)
        bins *= 2;
    return bins;
}

/* Of the list's events, in bins of `step`, of which LARGEST_SPECTRUM hold all. */
static void add_from_spectrum(struct list *list, const struct period_train *train, double step)
{
    const double begin = train->t[list->from], turns = 1 / step;
    guint bins = SMALLEST_SPECTRUM;

    list->span = train->t[list->to - 1] - begin;
    while (bins < LARGEST_SPECTRUM && bins * step <= list->span)
        bins *= 2;
    float *values = PERIOD_ROOM(train->workspace, PERIOD_SPECTRUM, float, bins);
    memset(values, 0, bins * sizeof *values);
    for (guint i = list->from; i < list->to; i++) {
        guint at = (guint)((train->t[i] - begin) * turns);

        values[at & (bins - 1)]++;
    }
    period_power(train->workspace, values, bins);
    values[0] = 0;
    whiten(train->workspace, values, bins / 2);

    float *sums = PERIOD_ROOM(train->workspace, PERIOD_SCRATCH, float, bins / 2);
    double length = bins * step;
    memcpy(sums, values, bins / 2 * sizeof *sums);
    for (guint h = 1; h <= 8; h++) {
        if (h > 1)
            add_harmonic(sums, values, bins / 2, h);
        if ((h & (h - 1)) == 0)
            add_peaks(list, sums, bins / 2 / h - 1, length, h);
    }
}

/* ---- Few events ---- */

/* What a length explains: each event by how near it is to a multiple of the period from an anchor,
 * 1 on it, 0 at REACH and beyond.  Fits the line through those near. */
struct line {
    double anchor, period;
    double explained;
};

static void explain(const struct period_train *train, struct line *line)
{
    double sum = 0, sum_k = 0, sum_kk = 0, sum_r = 0, sum_kr = 0;

    for (guint i = 0; i < train->n; i++) {
        double x = (train->t[i] - line->anchor) / line->period, k = rint(x), r = x - k;
        double w = 1 - r * r / (REACH * REACH);

        if (w <= 0)
            continue;
        sum += w;
        sum_k += w * k;
        sum_kk += w * k * k;
        sum_r += w * r;
        sum_kr += w * k * r;
    }
    line->explained = sum;
    double spread = sum_kk - sum_k * sum_k / MAX(sum, 1e-9);
    if (!(spread > 1e-9))
        return;
    double slope = (sum_kr - sum_k * sum_r / sum) / spread;
    line->anchor += line->period * (sum_r - sum_k * slope) / sum;
    line->period *= 1 + slope;
}

/* A clock among few events has two of them one, two or three cycles apart, with at most one event
 * of something else between. */
static void add_from_pairs(struct list *list, const struct period_train *train)
{
    list->span = train->t[train->n - 1] - train->t[0];
    for (guint lag = 1; lag <= 2; lag++)
        for (guint i = 0; i + lag < train->n; i++)
            for (guint cycles = 1; cycles <= 3; cycles++) {
                struct line line = {train->t[i], (train->t[i + lag] - train->t[i]) / cycles, 0};

                if (!(line.period >= list->shortest && line.period <= 1.2 * list->longest))
                    continue;
                explain(train, &line);
                explain(train, &line);
                double by_chance = train->n * REACH * 4 / 3;
                if (line.explained > by_chance)
                    add(list, line.period, line.explained - by_chance);
            }
    list->count = MIN(list->count, FEW_GUESSES);
}

guint period_candidates(const struct period_train *train, const struct period_gaps *gaps,
                        struct period_guess *guesses)
{
    double span = train->t[train->n - 1] - train->t[0], mean = span / (train->n - 1);
    double step = MAX(MIN(period_gaps_median(gaps), mean) / 6, 0.5e-3);
    double part = step * most_bins(train->n) / 1.0001;
    struct list list = {.guesses = guesses,
                        .shortest = MAX(PERIOD_SHORTEST, train->quantum),
                        .longest = train->length / 4 * 1.02,
                        .to = train->n};

    if (train->n <= FEW) {
        add_from_pairs(&list, train);
        return list.count;
    }
    add_from_spectrum(&list, train, part < span ? step * span / part : step);
    if (part < 0.7 * span) {
        period_busiest(train, part, &list.from, &list.to);
        if (list.to - list.from >= 4)
            add_from_spectrum(&list, train, step);
    }
    return list.count;
}
