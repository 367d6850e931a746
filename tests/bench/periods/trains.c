/* trains.c
 * The generator: the 17 classes of the first bake-off (CORE) and further factors (EXTRA).
 *
 * The window is 1 h or 24 h.  T is such that 12 to 400 cycles are seen (5 to 9 in "5-9 cycles").
 * Jitter is Gaussian and given as standard deviation / T.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "trains.h"

#include <math.h>
#include <stdlib.h>

const struct train_class train_classes[] = {
    {"clean", true, CORE},
    {"clock, jitter 10 %", true, CORE},
    {"sleep, jitter 10 %", true, CORE},
    {"30 % dropped", true, CORE},
    {"25 % outage", true, CORE},
    {"100 % noise", true, CORE},
    {"two periods", true, CORE},
    {"bursts of 3-8", true, CORE},
    {"5-9 cycles", true, CORE},
    {"15 % duplicates", true, CORE},
    {"sleep, 20 % dropped", true, CORE},
    {"Poisson", false, CORE},
    {"Pareto on/off", false, CORE},
    {"lognormal gaps", false, CORE},
    {"gamma(2) gaps", false, CORE},
    {"diurnal Poisson", false, CORE},
    {"uniform gaps", false, CORE},
    {"clock, jitter 20 %", true, EXTRA},
    {"sleep, jitter 20 %", true, EXTRA},
    {"sleep, jitter 30 %", true, EXTRA},
    {"uniform jitter +-15 %", true, EXTRA},
    {"exponential delay 10 %", true, EXTRA},
    {"60 % dropped", true, EXTRA},
    {"300 % noise, clean", true, EXTRA},
    {"100 % noise, jitter 5 %", true, EXTRA},
    {"100 % noise, sleep 5 %", true, EXTRA},
    {"two sleeps 5 %", true, EXTRA},
    {"T and 3 T", true, EXTRA},
    {"three periods", true, EXTRA},
    {"clock drifts 100 ppm", true, EXTRA},
    {"times of 1 ms", true, EXTRA},
    {"times of 1 s", true, EXTRA},
    {"T changes mid-way", true, EXTRA},
    {"0.1 to 1 s", true, EXTRA},
    {"400-10000 cycles", true, EXTRA},
    {"request, response", true, EXTRA},
    {"doubling gaps", false, EXTRA},
    {"doubling, many runs", false, EXTRA},
    {"Poisson, times of 1 s", false, EXTRA},
    {"diurnal, 7 days", false, EXTRA},
};
const guint train_class_count = G_N_ELEMENTS(train_classes);

enum {
    CLEAN,
    CLOCK_10,
    SLEEP_10,
    DROPPED_30,
    OUTAGE,
    NOISE_100,
    TWO,
    BURSTS,
    FEW,
    DUPLICATES,
    SLEEP_DROPPED,
    POISSON,
    ON_OFF,
    LOGNORMAL,
    GAMMA,
    DIURNAL,
    UNIFORM,
    CLOCK_20,
    SLEEP_20,
    SLEEP_30,
    CLOCK_UNIFORM,
    CLOCK_LATE,
    DROPPED_60,
    NOISE_300,
    NOISE_CLOCK_5,
    NOISE_SLEEP_5,
    TWO_SLEEPS,
    HARMONIC,
    THREE,
    DRIFT,
    ROUNDED_MS,
    ROUNDED_S,
    CHANGE,
    SUBSECOND,
    MANY,
    ANSWERED,
    BACK_OFF,
    BACK_OFFS,
    POISSON_ROUNDED,
    DIURNAL_WEEK
};

struct maker {
    guint64 state;
    GArray *t;
    double length;
};

static double uniform(struct maker *maker)
{
    guint64 z = maker->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double between(struct maker *maker, double low, double high)
{
    return low + (high - low) * uniform(maker);
}

static double log_between(struct maker *maker, double low, double high)
{
    return low * pow(high / low, uniform(maker));
}

static double normal(struct maker *maker)
{
    double u = uniform(maker), v = uniform(maker);

    return sqrt(-2 * log(u)) * cos(2 * G_PI * v);
}

static double exponential(struct maker *maker, double mean)
{
    return -mean * log(uniform(maker));
}

static void emit(struct maker *maker, double t)
{
    if (t >= 0 && t <= maker->length)
        g_array_append_val(maker->t, t);
}

static void emit_clock(struct maker *maker, double period, double jitter)
{
    double phase = uniform(maker) * period;

    for (guint k = 0; phase + k * period < maker->length; k++)
        emit(maker, phase + k * period + jitter * period * normal(maker));
}

static void emit_sleep(struct maker *maker, double period, double jitter)
{
    for (double t = uniform(maker) * period; t < maker->length;
         t += MAX(period * (1 + jitter * normal(maker)), 0.02 * period))
        emit(maker, t);
}

static void emit_poisson(struct maker *maker, double mean)
{
    for (double t = exponential(maker, mean); t < maker->length; t += exponential(maker, mean))
        emit(maker, t);
}

static void drop(struct maker *maker, double share)
{
    guint kept = 0;

    for (guint i = 0; i < maker->t->len; i++)
        if (uniform(maker) >= share)
            g_array_index(maker->t, double, kept++) = g_array_index(maker->t, double, i);
    g_array_set_size(maker->t, kept);
}

static void cut_outage(struct maker *maker, double share)
{
    double from = between(maker, 0.1, 0.9 - share) * maker->length;
    guint kept = 0;

    for (guint i = 0; i < maker->t->len; i++) {
        double t = g_array_index(maker->t, double, i);

        if (t < from || t > from + share * maker->length)
            g_array_index(maker->t, double, kept++) = t;
    }
    g_array_set_size(maker->t, kept);
}

/* Each event with this chance is followed by some more, spread exponentially. */
static void multiply(struct maker *maker, double chance, guint least, guint most, double spread)
{
    guint n = maker->t->len;

    for (guint i = 0; i < n; i++) {
        double t = g_array_index(maker->t, double, i);
        guint more = least + (guint)(uniform(maker) * (most - least + 1));

        if (uniform(maker) >= chance)
            continue;
        for (guint j = 0; j < more; j++)
            emit(maker, t += exponential(maker, spread));
    }
}

static void round_to(struct maker *maker, double step)
{
    for (guint i = 0; i < maker->t->len; i++) {
        double *t = &g_array_index(maker->t, double, i);

        *t = floor(*t / step) * step;
    }
}

static void make_renewal(struct maker *maker, guint class_index, double mean)
{
    double sigma = between(maker, 0.7, 1.5);

    for (double t = 0;;) {
        if (class_index == LOGNORMAL)
            t += mean * exp(sigma * normal(maker) - sigma * sigma / 2);
        else if (class_index == GAMMA)
            t += exponential(maker, mean / 2) + exponential(maker, mean / 2);
        else
            t += 2 * mean * uniform(maker);
        if (t > maker->length)
            break;
        emit(maker, t);
    }
}

static void make_on_off(struct maker *maker, double mean)
{
    for (double t = 0; t < maker->length;) {
        double on = 5 * mean * pow(uniform(maker), -1 / 1.5) / 3;
        double off = 5 * mean * pow(uniform(maker), -1 / 1.5);

        for (double s = t; s < t + on; s += exponential(maker, mean / 3))
            emit(maker, s);
        t += on + off;
    }
}

static void make_diurnal(struct maker *maker, double mean, double day)
{
    double phase = uniform(maker);

    for (double t = 0; t < maker->length; t += exponential(maker, mean / 2))
        if (uniform(maker) < 0.5 + 0.5 * sin(2 * G_PI * (t / day + phase)))
            emit(maker, t);
}

static void make_back_off(struct maker *maker, double begin, guint most)
{
    double gap = log_between(maker, 0.2, 3), t = begin;

    for (guint i = 0; i < most && t < maker->length; i++, gap *= 2) {
        emit(maker, t);
        t += gap * (1 + 0.002 * normal(maker));
    }
}

static void make_negative(struct maker *maker, guint class_index, double mean)
{
    switch (class_index) {
    case POISSON:
    case POISSON_ROUNDED:
        emit_poisson(maker, mean);
        if (class_index == POISSON_ROUNDED)
            round_to(maker, 1);
        break;
    case ON_OFF:
        make_on_off(maker, mean);
        break;
    case DIURNAL:
        make_diurnal(maker, mean, maker->length);
        break;
    case DIURNAL_WEEK:
        maker->length = 7 * 86400;
        make_diurnal(maker, maker->length / log_between(maker, 50, 2000), 86400);
        break;
    case BACK_OFF:
        make_back_off(maker, between(maker, 0, 60), 6 + (guint)(6 * uniform(maker)));
        break;
    case BACK_OFFS:
        for (double t = 0; t < maker->length; t += exponential(maker, maker->length / 15))
            make_back_off(maker, t, 4 + (guint)(4 * uniform(maker)));
        break;
    default:
        make_renewal(maker, class_index, mean);
    }
}

/* The jitter of trains that are not about jitter: that of a network. */
#define LITTLE 0.005

static void make_other(struct maker *maker, struct train *train, guint class_index)
{
    double period = train->period[0], length = maker->length;

    switch (class_index) {
    case TWO:
    case TWO_SLEEPS:
    case HARMONIC:
    case THREE:
        train->periods = class_index == THREE ? 3 : 2;
        for (guint i = 1; i < train->periods; i++)
            train->period[i] =
                train->period[i - 1] * (class_index == HARMONIC ? 3
                                        : class_index == TWO    ? between(maker, 1.3, 6)
                                                                : between(maker, 1.3, 3));
        for (guint i = 0; i < train->periods; i++)
            if (class_index == TWO_SLEEPS)
                emit_sleep(maker, train->period[i], 0.05);
            else
                emit_clock(maker, train->period[i], LITTLE);
        break;
    case CHANGE:
        train->periods = 2;
        train->period[1] = period * between(maker, 1.4, 4);
        maker->length = length / 2;
        emit_clock(maker, period, LITTLE);
        maker->length = length;
        for (double t = length / 2; t < length; t += train->period[1])
            emit(maker, t + LITTLE * period * normal(maker));
        break;
    case CLOCK_UNIFORM:
        for (double t = uniform(maker) * period; t < length; t += period)
            emit(maker, t + period * between(maker, -0.15, 0.15));
        break;
    case CLOCK_LATE:
        for (double t = uniform(maker) * period; t < length; t += period)
            emit(maker, t + exponential(maker, 0.1 * period));
        break;
    case ANSWERED:
        emit_clock(maker, period, LITTLE);
        multiply(maker, 1, 1, 1, MIN(0.3, period / 20));
        break;
    default:
        emit_clock(maker, period, LITTLE);
    }
}

static void make_positive(struct maker *maker, struct train *train, guint class_index)
{
    double period = train->period[0];

    switch (class_index) {
    case CLEAN:
    case FEW:
    case SUBSECOND:
    case MANY:
        emit_clock(maker, period, LITTLE);
        break;
    case CLOCK_10:
    case CLOCK_20:
        emit_clock(maker, period, class_index == CLOCK_10 ? 0.1 : 0.2);
        break;
    case SLEEP_10:
    case SLEEP_DROPPED:
        emit_sleep(maker, period, 0.1);
        if (class_index == SLEEP_DROPPED)
            drop(maker, 0.2);
        break;
    case SLEEP_20:
    case SLEEP_30:
        emit_sleep(maker, period, class_index == SLEEP_20 ? 0.2 : 0.3);
        break;
    case DROPPED_30:
    case DROPPED_60:
        emit_clock(maker, period, LITTLE);
        drop(maker, class_index == DROPPED_30 ? 0.3 : 0.6);
        break;
    case OUTAGE:
        emit_clock(maker, period, LITTLE);
        cut_outage(maker, 0.25);
        break;
    case NOISE_100:
    case NOISE_300:
    case NOISE_CLOCK_5:
        emit_clock(maker, period, class_index == NOISE_CLOCK_5 ? 0.05 : LITTLE);
        emit_poisson(maker, class_index == NOISE_300 ? period / 3 : period);
        break;
    case NOISE_SLEEP_5:
        emit_sleep(maker, period, 0.05);
        emit_poisson(maker, period);
        break;
    case BURSTS:
        emit_clock(maker, period, LITTLE);
        multiply(maker, 1, 2, 7, MIN(0.2, period / 100));
        break;
    case DUPLICATES:
        emit_clock(maker, period, LITTLE);
        multiply(maker, 0.15, 1, 1, MIN(0.3, period / 50));
        break;
    case DRIFT:
        emit_clock(maker, period, LITTLE);
        for (guint i = 0; i < maker->t->len; i++) {
            double *t = &g_array_index(maker->t, double, i);
            *t *= 1 + 1e-4 * *t / maker->length;
        }
        train->period[0] *= 1 + 1e-4; /* the mean */
        break;
    case ROUNDED_MS:
    case ROUNDED_S:
        emit_clock(maker, period, LITTLE);
        round_to(maker, class_index == ROUNDED_S ? 1 : 1e-3);
        break;
    default:
        make_other(maker, train, class_index);
    }
}

static gint compare(gconstpointer left, gconstpointer right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

void train_make(struct train *train, guint class_index, guint64 seed, guint index)
{
    train_make_cycles(train, class_index, seed, index, 0);
}

void train_make_cycles(struct train *train, guint class_index, guint64 seed, guint index,
                       double wanted)
{
    struct maker maker = {.state = seed * 0x2545f4914f6cdd1du + class_index * 1000003u + index,
                          .t = g_array_new(FALSE, FALSE, sizeof(double))};
    double cycles;

    for (guint i = 0; i < 4; i++)
        uniform(&maker);
    maker.length = uniform(&maker) < 0.5 ? 3600 : 86400;
    cycles = class_index == FEW ? between(&maker, 5, 9.99) : log_between(&maker, 12, 400);
    if (class_index == THREE || class_index == TWO || class_index == TWO_SLEEPS)
        cycles = log_between(&maker, 60, 400);
    if (class_index == HARMONIC)
        cycles = log_between(&maker, 36, 400);
    if (class_index == MANY)
        cycles = log_between(&maker, 400, 10000);
    if (class_index == SUBSECOND) {
        maker.length = log_between(&maker, 60, 1200);
        cycles = maker.length / log_between(&maker, 0.1, 1);
    }
    if (wanted > 0)
        cycles = wanted;
    *train = (struct train){.periods = train_classes[class_index].repeats ? 1 : 0};
    if (train->periods > 0) {
        train->period[0] = maker.length / cycles;
        make_positive(&maker, train, class_index);
    } else {
        make_negative(&maker, class_index, maker.length / cycles);
    }
    g_array_sort(maker.t, compare);
    train->length = maker.length;
    train->n = maker.t->len;
    train->t = (double *)g_array_free(maker.t, FALSE);
}
