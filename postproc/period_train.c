/* period_train.c
 * From packets to cycles: sort, find the resolution of the times, join bursts.
 *
 * Bursts: if the histogram of the logarithms of the gaps has a valley of ln 4 that is next to empty
 * (a fiftieth of the gaps), with a twelfth of the gaps on either side, gaps below it lie inside a
 * cycle, if all such bursts together take less than 0.15 of the time: else it is two rates.  The
 * highest such valley counts: above acknowledgements, answers and what is sent again.
 * Resolution: the largest of 1 us, 10 us ... 1 s that divides all times.  Times so rounded are
 * spread over their step: otherwise every train repeats at the step, and chance at its multiples.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_IN_BURSTS 0.15 /* of the time */

struct packet {
    gint64 time;
    gint64 size;
};

static int packet_compare(const void *left, const void *right)
{
    const struct packet *a = left, *b = right;

    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (a->size > b->size) - (a->size < b->size);
}

static int double_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static bool is_sorted(const gint64 *times, gsize count)
{
    for (gsize i = 1; i < count; i++)
        if (times[i] < times[i - 1])
            return false;
    return true;
}

static void copy_sorted(struct period_input *input, const gint64 *times, const gint64 *sizes,
                        gsize count)
{
    struct periodicity_workspace *workspace = input->train.workspace;

    input->times = times;
    input->sizes = sizes;
    if (is_sorted(times, count))
        return;

    struct packet *packets = PERIOD_ROOM(workspace, PERIOD_PACKETS, struct packet, count);
    gint64 *sorted = PERIOD_ROOM(workspace, PERIOD_TIMES, gint64, count);
    gint64 *sorted_sizes =
        sizes == NULL ? NULL : PERIOD_ROOM(workspace, PERIOD_SIZES, gint64, count);
    for (gsize i = 0; i < count; i++)
        packets[i] = (struct packet){times[i], sizes == NULL ? 0 : sizes[i]};
    qsort(packets, count, sizeof *packets, packet_compare);
    for (gsize i = 0; i < count; i++) {
        sorted[i] = packets[i].time;
        if (sizes != NULL)
            sorted_sizes[i] = packets[i].size;
    }
    input->times = sorted;
    input->sizes = sorted_sizes;
}

/* a - b in s, a >= b, whatever their distance. */
static double seconds_between(gint64 a, gint64 b)
{
    return (double)((guint64)a - (guint64)b) / 1e9;
}

static double find_quantum(const gint64 *times, gsize count)
{
    gint64 quantum = 1000000000;

    for (gsize i = 0; i < count && quantum > 1; i++)
        while (quantum > 1 && times[i] % quantum != 0)
            quantum /= 10;
    return (double)quantum / 1e9;
}

/* How much of the time do the bursts take that this limit makes? */
static bool are_short(const struct period_train *train, const double *t, double limit)
{
    double inside = 0;

    for (guint i = 1; i < train->n; i++)
        if (t[i] - t[i - 1] <= limit)
            inside += t[i] - t[i - 1];
    return inside <= MOST_IN_BURSTS * (t[train->n - 1] - t[0]);
}

/* The highest valley of the histogram of ln gap, ln 4 wide and next to empty, with enough gaps on
 * either side: the gap in its middle, or 0. */
static double burst_limit(const struct period_train *train, const double *t)
{
    enum { BINS = 2304, A_NAT = 50, WIDTH = 70 }; /* WIDTH / A_NAT > ln 4 */
    const double shortest = MAX(train->quantum / 2, 1e-9), low = log(1e-9);
    guint *counts = PERIOD_ROOM(train->workspace, PERIOD_SCRATCH, guint, BINS);
    const guint gaps = train->n - 1, least = MAX(2, gaps / 12), few = gaps / 50;
    guint above = 0, inside = 0;

    memset(counts, 0, BINS * sizeof *counts);
    for (guint i = 0; i < gaps; i++)
        counts[MIN((guint)((log(MAX(t[i + 1] - t[i], shortest)) - low) * A_NAT), BINS - 1)]++;
    /* The window goes down from the longest gaps: bins at .. at + WIDTH - 1. */
    for (guint at = BINS; at-- > 0;) {
        inside += counts[at];
        if (at + WIDTH < BINS) {
            inside -= counts[at + WIDTH];
            above += counts[at + WIDTH];
        }
        if (inside > few || above < least)
            continue;
        if (gaps - above - inside < least)
            break;
        double limit = exp(low + (at + 0.5 * WIDTH) / A_NAT);
        if (are_short(train, t, limit))
            return limit;
    }
    return 0;
}

/* 0..1, the same for the same input. */
static double next_random(guint64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* One cycle each time. */
static void find_times(struct period_input *input)
{
    guint cycles = 0;

    for (guint i = 0; i < input->count; i++) {
        double t = seconds_between(input->times[i], input->base_ns);

        if (cycles > 0 && t <= input->exact[cycles - 1])
            continue;
        input->exact[cycles] = t;
        input->first[cycles++] = i;
    }
    input->first[cycles] = (guint)input->count;
    input->train.n = cycles;
}

/* Joins cycles that lie no further apart than limit. */
static void join_bursts(struct period_input *input, double limit)
{
    double before = 0;
    guint cycles = 0;

    for (guint i = 0; i < input->train.n; i++) {
        double t = input->exact[i];

        if (i == 0 || t - before > limit) {
            input->exact[cycles] = t;
            input->first[cycles++] = input->first[i];
        }
        before = t;
    }
    input->first[cycles] = (guint)input->count;
    input->train.n = cycles;
}

/* Spreads the times over their resolution, if that matters. */
static void blur(struct period_train *train, double *exact)
{
    guint64 state = 0x9e3779b97f4a7c15u;
    double quantum = train->quantum;
    guint n = train->n;

    train->t = exact;
    if (n < 3 || quantum < 1e-5 || quantum * 4000 < train->length / n)
        return;
    train->t = PERIOD_ROOM(train->workspace, PERIOD_TRAIN, double, n);
    memcpy(train->t, exact, n * sizeof *exact);
    for (guint i = 0; i < n; i++)
        train->t[i] += (next_random(&state) - 0.5) * quantum;
    qsort(train->t, n, sizeof *train->t, double_compare);
    for (guint i = 0; i < n; i++)
        train->t[i] = CLAMP(train->t[i], 0.0, train->length);
}

void period_input_fill(struct period_input *input, struct periodicity_workspace *workspace,
                       const gint64 *times, const gint64 *sizes, gsize count, gint64 started,
                       gint64 ended)
{
    struct period_train *train = &input->train;
    guint n = (guint)MIN(count, (gsize)G_MAXUINT / 4);

    memset(input, 0, sizeof *input);
    train->workspace = workspace;
    if (n == 0)
        return;
    copy_sorted(input, times, sizes, n);
    input->count = n;
    if (started > ended || started > input->times[0])
        started = input->times[0];
    if (ended < input->times[n - 1])
        ended = input->times[n - 1];
    input->base_ns = started;
    train->length = seconds_between(ended, started);
    train->quantum = find_quantum(input->times, n);

    input->exact = PERIOD_ROOM(workspace, PERIOD_EXACT, double, n);
    input->first = PERIOD_ROOM(workspace, PERIOD_FIRST, guint, (gsize)n + 1);
    find_times(input);
    /* Every cycle on the next step of the clock: it may be that clock, not a rounding. */
    double pace =
        train->n > 1 ? (input->exact[train->n - 1] - input->exact[0]) / (train->n - 1) : 0;
    if (train->n == n && pace < 4 * train->quantum)
        train->quantum /= 10;
    if (train->n > 4)
        join_bursts(input, burst_limit(train, input->exact));
    blur(train, input->exact);
}

void period_busiest(const struct period_train *train, double span, guint *from, guint *to)
{
    *from = 0;
    *to = 0;
    for (guint start = 0, end = 0; start < train->n; start++) {
        while (end < train->n && train->t[end] <= train->t[start] + span)
            end++;
        if (end - start > *to - *from) {
            *from = start;
            *to = end;
        }
    }
}
