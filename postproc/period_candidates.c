/* period_candidates.c
 * Which lengths are worth a test.
 *
 * Of the differences t[i + k] - t[i], k = 1..8, the logarithms have a peak at every period that
 * survives noise; of the spectrum of the events, harmonics summed over 1, 2, 4 and 8, the peaks are
 * coherent over the whole window, which finds a clock among much noise.  A spectrum has at most
 * 2^17 bins: a long window gets one coarse spectrum of all and one fine of its busiest part.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>
#include <string.h>

#define LARGEST_SPECTRUM (1u << 17)
#define WHITENED         48 /* frequencies on either side that make the local mean */

struct list {
    struct period_guess *guesses;
    guint count;
    double shortest, longest;
    guint events;
};

static void add(struct list *list, double period, double span)
{
    if (!(period >= list->shortest && period <= list->longest))
        return;
    for (guint i = 0; i < list->count; i++) {
        struct period_guess *old = &list->guesses[i];
        double reach = span > 0 && old->span > 0 ? 0.4 * period / MIN(span, old->span) : 0.004;

        if ((span > 0) == (old->span > 0) && fabs(old->period / period - 1) < reach)
            return;
    }
    if (list->count < PERIOD_CANDIDATES)
        list->guesses[list->count++] = (struct period_guess){period, span};
}

/* ---- Differences ---- */

/* The running mean of `reach` bins on either side. */
static void box(const double *in, double *out, gint bins, gint reach)
{
    double sum = 0;

    for (gint i = 0; i < MIN(reach, bins); i++)
        sum += in[i];
    for (gint i = 0; i < bins; i++) {
        if (i + reach < bins)
            sum += in[i + reach];
        if (i - reach - 1 >= 0)
            sum -= in[i - reach - 1];
        out[i] = sum / (2 * reach + 1);
    }
}

static void add_from_differences(struct list *list, const struct period_train *train, double low)
{
    enum { BINS = PERIOD_GAP_BINS, PEAKS = 8 };
    double counts[BINS] = {0}, sharp[BINS], smooth[BINS], once[BINS];
    guint deepest = train->n > 20000 ? 4 : 8;

    for (guint k = 1; k <= deepest; k++)
        for (guint i = 0; i + k < train->n; i++) {
            double difference = train->t[i + k] - train->t[i];

            if (difference < list->shortest || difference > list->longest)
                continue;
            gint bin = (gint)((log(difference) - low) / PERIOD_GAP_STEP);
            counts[CLAMP(bin, 0, BINS - 1)]++;
        }
    for (gint reach = 1; reach <= 9; reach *= 3) {
        box(counts, sharp, BINS, reach);
        box(counts, once, BINS, 40);
        box(once, smooth, BINS, 40);
        for (gint i = 0; i < BINS; i++)
            sharp[i] = (sharp[i] - smooth[i]) * (2 * reach + 1) / sqrt(smooth[i] * reach + 1);
        for (guint peak = 0; peak < PEAKS; peak++) {
            gint best = 0;

            for (gint i = 1; i < BINS; i++)
                if (sharp[i] > sharp[best])
                    best = i;
            if (sharp[best] <= 0)
                break;
            add(list, exp(low + (best + 0.5) * PERIOD_GAP_STEP), 0);
            for (gint i = MAX(0, best - 2 * reach); i <= MIN(BINS - 1, best + 2 * reach); i++)
                sharp[i] = 0;
        }
    }
}

/* ---- Spectrum ---- */

/* Divides by the local mean, so that slow changes of the rate do not fill the list. */
static void whiten(struct periodicity_workspace *workspace, double *power, guint count)
{
    double *sums = PERIOD_ROOM(workspace, PERIOD_SCRATCH, double, (gsize)count + 1);

    sums[0] = 0;
    for (guint i = 0; i < count; i++)
        sums[i + 1] = sums[i] + power[i];
    double overall = sums[count] / count;
    for (guint i = 0; i < count; i++) {
        guint from = i > WHITENED ? i - WHITENED : 0, to = MIN(count, i + WHITENED + 1);
        double mean = (sums[to] - sums[from]) / (to - from);

        power[i] /= MAX(mean, 0.2 * overall) + 1e-300;
    }
}

/* The best few frequencies by the sum of `harmonics` powers. */
static void add_peaks(struct list *list, const double *power, guint count, double span,
                      guint harmonics)
{
    enum { PEAKS = 5 };
    const guint kept = list->events > 5000 ? 2 : PEAKS;
    double best[PEAKS] = {0};
    guint where[PEAKS] = {0};
    double before = 0, here = 0;

    for (guint k = 2; (k + 1) * harmonics < count; k++) {
        double next = 0;

        /* The h-th harmonic of a frequency known to half a bin is off by h/2 bins. */
        for (guint h = 1; h <= harmonics; h++) {
            guint at = (k + 1) * h;
            double p = power[at];

            if (h > 1)
                p = MAX(p, MAX(power[at - 1], at + 1 < count ? power[at + 1] : 0));
            next += p;
        }
        if (here >= before && here >= next && here > best[PEAKS - 1]) {
            guint i = PEAKS - 1;

            for (; i > 0 && best[i - 1] < here; i--) {
                best[i] = best[i - 1];
                where[i] = where[i - 1];
            }
            best[i] = here;
            where[i] = k;
        }
        before = here;
        here = next;
    }
    for (guint i = 0; i < kept && best[i] > 0; i++) {
        add(list, span / where[i], span);
        if (harmonics == 1 && i < 2)
            for (guint divisor = 2; divisor <= 3; divisor++)
                add(list, span * divisor / where[i], span);
    }
}

/* Of the events in begin .. begin + span. */
static void add_from_spectrum(struct list *list, const struct period_train *train, double begin,
                              double span, double step)
{
    guint bins = 512;

    while (bins < LARGEST_SPECTRUM && bins * step < span)
        bins *= 2;

    double *values = PERIOD_ROOM(train->workspace, PERIOD_SPECTRUM, double, bins);
    memset(values, 0, bins * sizeof *values);
    for (guint i = 0; i < train->n; i++) {
        double at = (train->t[i] - begin) / span;

        if (at >= 0 && at < 1)
            values[(guint)(at * bins)]++;
    }
    period_power(train->workspace, values, bins);
    values[0] = 0;
    whiten(train->workspace, values, bins / 2);
    for (guint harmonics = 1; harmonics <= 8; harmonics *= 2)
        add_peaks(list, values, bins / 2, span, harmonics);
}

/* Where in the train the part of this length with most events begins. */
static double busiest(const struct period_train *train, double span)
{
    guint most = 0;
    double begin = 0;

    for (guint from = 0, to = 0; from < train->n; from++) {
        while (to < train->n && train->t[to] < train->t[from] + span)
            to++;
        if (to - from > most) {
            most = to - from;
            begin = train->t[from];
        }
    }
    return begin;
}

/* The gap that as many are shorter as longer than. */
static double median_gap(const struct period_gaps *gaps)
{
    double seen = 0;

    for (guint i = 0; i < gaps->filled_count; i++) {
        guint bin = gaps->filled[i];

        seen += gaps->count[bin];
        if (2 * seen >= gaps->n)
            return gaps->sum[bin] / gaps->count[bin];
    }
    return 0;
}

guint period_candidates(const struct period_train *train, const struct period_gaps *gaps,
                        struct period_guess *guesses)
{
    double span = train->t[train->n - 1] - train->t[0], mean = span / (train->n - 1);
    double median = median_gap(gaps), step = MAX(MIN(median, mean) / 10, 0.5e-3);
    struct list list = {guesses, 0, PERIOD_SHORTEST, train->length / 4 * 1.02, train->n};

    list.shortest = MAX(list.shortest, train->quantum);
    add(&list, median, 0);
    add(&list, mean, 0);
    add_from_spectrum(&list, train, train->t[0], span * (1 + 1e-9) + 1e-9, step);
    if (step * LARGEST_SPECTRUM < 0.7 * span)
        add_from_spectrum(&list, train, busiest(train, step * LARGEST_SPECTRUM),
                          step * LARGEST_SPECTRUM, step);
    add_from_differences(&list, train, gaps->low);
    return list.count;
}
