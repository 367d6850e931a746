/* period_report.c
 * From a fit to what is reported: which cycles were hits, clock or sleep, interval, change.
 *
 * Kind: both models leave the same contrasts of the hits' times, once origin and length are taken
 * out.  A clock says their deviations from a line are independent; a sleep says those of the gaps
 * are.  The greater restricted likelihood wins.  Interval: Student's, from the line's slope (clock;
 * wider if the deviations depend on each other) or from the mean gap (sleep).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>
#include <string.h>

/* Nats between the likelihoods of the kinds below which the wider interval of both is given. */
#define UNDECIDED      3
#define LEAST_OF_CHAIN 0.55 /* hit rate */

/* ---- Hits ---- */

/* The cycle nearest the middle of the window, in every period. */
static guint clock_hits(const struct period_train *train, const struct period_fit *fit,
                        struct period_hit *hits)
{
    double nearest = 0, last = 0, half = CLAMP(3.5 * fit->sigma, 0.0002, 0.45);
    guint count = 0;

    for (guint i = 0; i < train->n; i++) {
        double x = train->t[i] / fit->period - fit->centre, cycle = rint(x), off = fabs(x - cycle);

        if (off > half)
            continue;
        if (count > 0 && last == cycle) {
            if (off < nearest) {
                hits[count - 1].event = i;
                nearest = off;
            }
            continue;
        }
        hits[count] = (struct period_hit){i, count > 0 ? (guint)MIN(cycle - last, 4e9) : 0};
        count++;
        last = cycle;
        nearest = off;
    }
    return count;
}

/* From from to to - 1: are the gaps almost all of one multiple, and at least four? */
static bool is_one_multiple(const struct period_hit *hits, guint from, guint to, guint multiple)
{
    guint links = 0, same = 0;

    for (guint i = from; i < to; i++) {
        links += hits[i].turns > 0;
        same += hits[i].turns == multiple;
    }
    return links >= 4 && same >= 0.9 * links;
}

/* A length that became about twice (or three, four times) as long, or was so at first, is two
 * periods: keeps the hits of the shorter alone. */
static guint cut_at_change(struct period_hit *hits, guint count)
{
    guint first = 1, last = count;

    while (first < count && hits[first].turns <= 1)
        first++;
    while (last > 1 && hits[last - 1].turns <= 1)
        last--;
    if (first >= count || last <= 1)
        return count;
    if (is_one_multiple(hits, 0, first, 1) &&
        is_one_multiple(hits, first, count, hits[first].turns))
        return first;
    if (is_one_multiple(hits, last, count, 1) &&
        is_one_multiple(hits, 0, last, hits[last - 1].turns)) {
        memmove(hits, hits + last - 1, (count - last + 1) * sizeof *hits);
        hits[0].turns = 0;
        return count - last + 1;
    }
    return count;
}

/* Both ends of every gap that is near a multiple. */
static guint sleep_hits(const struct period_train *train, const struct period_fit *fit,
                        struct period_hit *hits)
{
    double reach = CLAMP(3.6 * fit->sigma, 0.012, 0.45);
    guint count = 0;

    for (guint i = 1; i < train->n; i++) {
        double r = (train->t[i] - train->t[i - 1]) / fit->period, m = MAX(rint(r), 1);

        if (m > PERIOD_MULTIPLE || fabs(r - m) > MIN(reach * sqrt(m), 0.45))
            continue;
        if (count == 0 || hits[count - 1].event != i - 1)
            hits[count++] = (struct period_hit){i - 1, 0};
        hits[count++] = (struct period_hit){i, (guint)m};
    }
    return cut_at_change(hits, count);
}

/* Each gap is of one period, however late the one before came, if it is not far out. */
static guint regular_hits(const struct period_train *train, const struct period_fit *fit,
                          struct period_hit *hits)
{
    const double least = 1 - 3.5 * fit->sigma, most = 1 + 3.5 * fit->sigma;
    guint count = 1;

    hits[0] = (struct period_hit){0, 0};
    for (guint i = 1; i < train->n; i++) {
        double r = (train->t[i] - train->t[hits[count - 1].event]) / fit->period;

        if (r < least)
            continue;
        if (r <= most)
            hits[count++] = (struct period_hit){i, 1};
        else
            hits[count++] = (struct period_hit){i, r < PERIOD_MULTIPLE + 0.5 ? (guint)rint(r) : 0};
    }
    return count;
}

guint period_hits(const struct period_train *train, const struct period_fit *fit,
                  struct period_hit *hits)
{
    if (fit->is_clock)
        return clock_hits(train, fit, hits);
    if (fit->is_chain)
        return period_chain_hits(train, fit, hits);
    return fit->is_regular ? regular_hits(train, fit, hits) : sleep_hits(train, fit, hits);
}

/* Is each of the gaps before events i + 1 and i + 2 about twice the one before it? */
static bool doubles_from(const struct period_train *train, guint i)
{
    const double *t = train->t;

    if (i < 1 || i + 2 >= train->n)
        return false;
    double a = t[i] - t[i - 1], b = t[i + 1] - t[i], c = t[i + 2] - t[i + 1];
    return a > 0 && b > 0 && fabs(b / a - 2) < 0.2 && fabs(c / b - 2) < 0.2;
}

/* Of the gaps of one period that two neighbours make, do many belong to three that double? */
static bool doubles(const struct period_train *train, const struct period_hit *hits, guint count)
{
    guint gaps = 0, doubled = 0;

    for (guint i = 1; i < count; i++) {
        guint event = hits[i].event;

        if (hits[i].turns != 1 || hits[i - 1].event + 1 != event)
            continue;
        gaps++;
        doubled += doubles_from(train, event) || doubles_from(train, event - 1) ||
                   (event > 2 && doubles_from(train, event - 2));
    }
    return gaps >= 2 && doubled > 0.3 * gaps;
}

bool period_hits_plausible(const struct period_train *train, const struct period_fit *fit,
                           const struct period_hit *hits, guint count)
{
    guint links = 0, single = 0; /* gaps between hits of one run; those of one period */

    for (guint i = 1; i < count; i++) {
        links += hits[i].turns > 0;
        single += hits[i].turns == 1;
    }
    if (links < 3 || single < (links < 6 ? 0.6 : links < 10 ? 0.4 : 0.22) * links)
        return false;
    /* Chains found where chance has them are short. */
    if (fit->is_chain && count * fit->period < LEAST_OF_CHAIN * (train->t[hits[count - 1].event] -
                                                                 train->t[hits[0].event]))
        return false;
    return !doubles(train, hits, count);
}

/* ---- Length and interval ---- */

/* What the sums over all hits and links say under both models. */
struct sums {
    double links;      /* gaps between hits of one run */
    double turns;      /* periods in them */
    double time;       /* s in them */
    double log_turns;  /* sum of ln m */
    double freedom;    /* hits less runs: contrasts */
    double spread;     /* sum over runs of (cycle - mean cycle)^2 */
    double covariance; /* the same of cycle and time */
    double log_runs;   /* sum over runs of ln hits */
};

static void add_run(struct sums *sums, const struct period_hit *hits, guint count,
                    const double *exact)
{
    double mean_cycle = 0, mean_time = 0, cycle = 0, origin = exact[hits[0].event];

    if (count < 2)
        return;
    for (guint i = 0; i < count; i++) {
        cycle += i > 0 ? hits[i].turns : 0;
        mean_cycle += cycle / count;
        mean_time += (exact[hits[i].event] - origin) / count;
    }
    cycle = 0;
    for (guint i = 0; i < count; i++) {
        cycle += i > 0 ? hits[i].turns : 0;
        double c = cycle - mean_cycle;

        sums->spread += c * c;
        sums->covariance += c * (exact[hits[i].event] - origin - mean_time);
        if (i == 0)
            continue;
        double m = hits[i].turns;
        sums->links++;
        sums->turns += m;
        sums->time += exact[hits[i].event] - exact[hits[i - 1].event];
        sums->log_turns += m == 1 ? 0 : log(m);
    }
    sums->freedom += count - 1;
    sums->log_runs += log(count);
}

/* What a clock of this period leaves, over one run, less its mean: into left, for as many as there
 * is room. */
static double leave(const struct period_hit *hits, guint count, const double *exact, double clock,
                    double *left, guint room)
{
    double mean = 0, squares = 0, cycle = 0, origin = exact[hits[0].event];

    for (guint i = 0; i < count; i++) {
        cycle += i > 0 ? hits[i].turns : 0;
        mean += (exact[hits[i].event] - origin - cycle * clock) / count;
    }
    cycle = 0;
    for (guint i = 0; i < count; i++) {
        cycle += i > 0 ? hits[i].turns : 0;
        double late = exact[hits[i].event] - origin - cycle * clock - mean;

        squares += late * late;
        if (i < room)
            left[i] = late;
    }
    return squares;
}

/* The same of the gaps of a sleep. */
static double leave_of_sleep(const struct period_hit *hits, guint count, const double *exact,
                             double sleep)
{
    double squares = 0;

    for (guint i = 1; i < count; i++) {
        double gap = exact[hits[i].event] - exact[hits[i - 1].event] - hits[i].turns * sleep;

        squares += gap * gap / hits[i].turns;
    }
    return squares;
}

/* By how much the variance of a mean of these values, whose squares add up to squares, exceeds that
 * of independent ones: a clock that wanders is late for many cycles on end. */
static double dependence(const double *left, guint count)
{
    double factor = 1, squares = 0;

    for (guint i = 0; i < count; i++)
        squares += left[i] * left[i];

    for (guint lag = 1; lag <= MIN(50, count / 4) && squares > 0; lag++) {
        double sum = 0;

        for (guint i = lag; i < count; i++)
            sum += left[i] * left[i - lag];
        if (sum / squares < 1.5 / sqrt(count))
            break;
        factor += 2 * sum / squares;
    }
    return factor;
}

/* Length of the run of hits that begins at i. */
static guint run_length(const struct period_hit *hits, guint count, guint i)
{
    guint end = i + 1;

    while (end < count && hits[end].turns > 0)
        end++;
    return end - i;
}

/* Student's 97.5 % quantile. */
static double student(double freedom)
{
    const double z = 1.959964;

    if (freedom < 1.5)
        return 12.706;
    if (freedom < 2.5)
        return 4.303;
    return z + (z * z * z + z) / (4 * freedom) +
           (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * freedom * freedom) +
           (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * z * z * z - 15 * z) / (384 * pow(freedom, 3));
}

static gint64 to_ns(double seconds)
{
    return seconds >= 9.2e9 ? G_MAXINT64 : (gint64)(seconds * 1e9);
}

/* base + offset s, kept inside the type. */
static gint64 absolute_ns(gint64 base, double offset)
{
    gint64 step = to_ns(offset);

    return base > 0 && step > G_MAXINT64 - base ? G_MAXINT64 : base + step;
}

void period_estimate(const struct period_input *input, const double *exact,
                     const struct period_hit *hits, guint count, struct periodicity_period *out)
{
    struct sums sums = {0};
    double of_clock = 0, of_sleep = 0, floor_square = pow(MAX(input->train.quantum, 1e-9), 2) / 12;

    for (guint i = 0, run; i < count; i += run) {
        run = run_length(hits, count, i);
        add_run(&sums, hits + i, run, exact);
    }
    double clock = sums.covariance / sums.spread, sleep = sums.time / sums.turns;
    guint room = MIN(count, PERIOD_SEARCHED);
    double *left = PERIOD_ROOM(input->train.workspace, PERIOD_SCRATCH, double, room);
    for (guint i = 0, run; i < count; i += run) {
        run = run_length(hits, count, i);
        of_clock += leave(hits + i, run, exact, clock, left + MIN(i, room), room - MIN(i, room));
        of_sleep += leave_of_sleep(hits + i, run, exact, sleep);
    }
    double freedom = MAX(sums.freedom - 1, 1);
    double like_clock =
        -freedom / 2 * log(of_clock + freedom * floor_square) - 0.5 * log(sums.spread);
    double like_sleep = -freedom / 2 * log(of_sleep + 2 * freedom * floor_square) -
                        0.5 * log(sums.turns) + 0.5 * sums.log_runs - 0.5 * sums.log_turns;
    double sleep_error = sqrt((of_sleep / freedom + floor_square) / sums.turns), error;

    if (like_clock >= like_sleep) {
        double clock_error =
            sqrt(dependence(left, room) * (of_clock / freedom + floor_square) / sums.spread);

        out->kind = PERIODICITY_CLOCK;
        out->period_s = clock;
        out->jitter_s = sqrt(of_clock / freedom);
        error = like_clock - like_sleep < UNDECIDED ? MAX(clock_error, sleep_error) : clock_error;
    } else {
        out->kind = PERIODICITY_SLEEP;
        out->period_s = sleep;
        out->jitter_s = sqrt(of_sleep / freedom);
        error = sleep_error;
    }
    error *= student(freedom);
    out->low_s = MAX(out->period_s - error, 0);
    out->high_s = out->period_s + error;

    double first = exact[hits[0].event], last = exact[hits[count - 1].event];
    out->hits = count;
    out->hit_rate = MIN(1.0, count / (rint((last - first) / out->period_s) + 1));
    out->first_ns = absolute_ns(input->base_ns, first);
    out->last_ns = absolute_ns(input->base_ns, last);
    gint64 length = MAX(to_ns(out->period_s), 1);
    out->phase_ns = ((out->first_ns % length) + length) % length;
}

/* ---- Change ---- */

/* Where hits come at one rate before and at another after. */
struct change {
    double gain; /* nats */
    double at;   /* s */
};

/* Is a place after `left` of the hits a better one? */
static void try_change(struct change *best, double at, double left, double count, double length,
                       double period)
{
    double right = count - left, before = MAX(at, 1e-9), after = MAX(length - at, 1e-9);
    double rate_left = left / before, rate_right = right / after;

    if (MIN(rate_left, rate_right) > 0.12 * MAX(rate_left, rate_right) ||
        MIN(before, after) < 4 * period)
        return;
    double gain = (left > 0 ? left * log(rate_left) : 0) +
                  (right > 0 ? right * log(rate_right) : 0) - count * log(count / length);
    if (gain > best->gain)
        *best = (struct change){gain, at};
}

void period_change(const struct period_input *input, const double *exact,
                   const struct period_hit *hits, guint count, struct periodicity_period *out)
{
    double length = MAX(input->train.length, 1e-9);
    struct change best = {10, -1};

    for (guint i = 0; i <= count; i++) {
        if (i < count) /* just before a hit */
            try_change(&best, exact[hits[i].event], i, count, length, out->period_s);
        if (i > 0) /* just after one */
            try_change(&best, exact[hits[i - 1].event], i, count, length, out->period_s);
    }
    out->has_change = best.at >= 0;
    out->change_ns = best.at >= 0 ? absolute_ns(input->base_ns, best.at) : 0;
}
