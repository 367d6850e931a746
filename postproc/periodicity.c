/* periodicity.c
 * The search for up to three periods, and the verdict; periodicity.h explains.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "periodicity.h"

#include "period_internal.h"

#include <math.h>
#include <string.h>

#define FEWEST_CYCLES  4 /* below that nothing can be said */
#define FEWEST_REST    4 /* cycles left over that are worth another search */
#define MOST_ROUNDS    5
#define TIE            0.04 /* of the evidence: within it the longer length wins */
#define CLEAR          20   /* nats */
#define SAME_LENGTH    0.003
#define LEAST_HIT_RATE 0.05
#define IMPLAUSIBLE    (-4.0) /* evidence of what fits, but not as a period does */
#define HIGHEST_GUESS  0.49   /* score of what is no period */

/* What is still to be explained.  Entry i is cycle origin[i] of the input, whose arrays it takes.
 */
struct rest {
    struct period_train train;
    double *exact;
    guint *origin;
    struct period_hit *hits; /* room for all */
};

static void rest_init(struct rest *rest, const struct period_input *input)
{
    struct periodicity_workspace *workspace = input->train.workspace;
    guint n = input->train.n;

    rest->train = input->train;
    rest->exact = input->exact;
    rest->origin = PERIOD_ROOM(workspace, PERIOD_ORIGIN, guint, n);
    rest->hits = PERIOD_ROOM(workspace, PERIOD_HITS, struct period_hit, (gsize)n + 1);
    for (guint i = 0; i < n; i++)
        rest->origin[i] = i;
}

static void rest_remove(struct rest *rest, guint hits)
{
    guint kept = 0, next = 0;

    for (guint i = 0; i < rest->train.n; i++) {
        if (next < hits && rest->hits[next].event == i) {
            next++;
            continue;
        }
        rest->train.t[kept] = rest->train.t[i];
        rest->exact[kept] = rest->exact[i];
        rest->origin[kept] = rest->origin[i];
        kept++;
    }
    rest->train.n = kept;
}

/* ---- One period ---- */

struct search {
    struct rest *rest;
    struct period_gaps *gaps;
    struct period_fit best;
    bool found;
};

/* Keeps the fit if it is better; of equals, the longer: half of a period always fits, too. */
static void consider(struct search *search, const struct period_fit *tried)
{
    const struct period_fit *best = &search->best;
    const double margin = TIE * fabs(best->evidence);
    struct period_fit fit = *tried;

    if (search->found) {
        bool is_longer = fit.period > 1.5 * best->period;
        bool is_shorter = fit.period < 0.67 * best->period;

        if (fit.evidence < best->evidence + (is_longer ? -margin : is_shorter ? margin : 0))
            return;
    }
    if (fit.evidence > 0) {
        guint count = period_hits(&search->rest->train, &fit, search->rest->hits);

        if (!period_hits_plausible(&search->rest->train, &fit, search->rest->hits, count)) {
            if (search->found)
                return;
            fit.evidence = IMPLAUSIBLE;
        }
    }
    search->best = fit;
    search->found = true;
}

static void search_rest(struct search *search)
{
    const struct period_train *train = &search->rest->train;
    struct period_crowd crowds[PERIOD_CROWDS];
    struct period_guess guesses[PERIOD_CANDIDATES];
    struct period_fit fits[PERIOD_FITS];
    guint count;

    search->found = false;
    if (train->n < FEWEST_CYCLES || train->t[train->n - 1] - train->t[0] < 2 * PERIOD_SHORTEST)
        return;
    period_gaps_fill(search->gaps, train);
    count = period_gaps_crowds(search->gaps, crowds);
    for (guint i = 0; i < count; i++)
        if ((i == 0 || crowds[i].gain > 0.1 * crowds[0].gain) &&
            period_sleep_fit(search->gaps, &crowds[i], &fits[0]) &&
            fits[0].period >= PERIOD_SHORTEST)
            consider(search, &fits[0]);
    if (period_regular_fit(search->gaps, &fits[0]) && fits[0].period >= PERIOD_SHORTEST)
        consider(search, &fits[0]);
    count = period_candidates(train, search->gaps, guesses);
    count = period_clock_fits(train, guesses, count, fits);
    for (guint i = 0; i < count; i++)
        consider(search, &fits[i]);
    /* Weaker than the others where they see anything. */
    if ((!search->found || search->best.evidence < CLEAR) && period_chain_fit(train, &fits[0]))
        consider(search, &fits[0]);
    /* A clock too fast for the spectrum is first seen in its gaps. */
    if (search->found && !search->best.is_clock) {
        struct period_guess guess = {.period = search->best.period,
                                     .span = 20 * search->best.period};

        period_busiest(train, guess.span, &guess.from, &guess.to);
        if (period_clock_fits(train, &guess, 1, fits) > 0)
            consider(search, &fits[0]);
    }
}

/* ---- Report ---- */

/* What chance finds explains little: much explained needs less evidence. */
static bool is_significant(const struct period_fit *fit)
{
    return fit->evidence >= (fit->effect > 0.5 ? PERIOD_GATE - 0.5 : PERIOD_GATE);
}

static double to_score(const struct period_fit *fit)
{
    if (is_significant(fit))
        return 0.5 + 0.5 * CLAMP(fit->effect, 0, 1);
    return 0.5 * (1 - exp(-MAX(fit->evidence + 8, 0) / 16));
}

static void count_packets(const struct period_input *input, const struct rest *rest, guint hits,
                          struct periodicity_period *out)
{
    double packets = 0, bytes = 0, all = 0;

    for (guint i = 0; i < hits; i++) {
        guint cycle = rest->origin[rest->hits[i].event];

        packets += input->first[cycle + 1] - input->first[cycle];
        for (guint p = input->first[cycle]; input->sizes != NULL && p < input->first[cycle + 1];
             p++)
            bytes += (double)MAX(input->sizes[p], 0);
    }
    for (gsize p = 0; input->sizes != NULL && p < input->count; p++)
        all += (double)MAX(input->sizes[p], 0);
    out->events_explained = packets / (double)input->count;
    out->bytes_per_cycle = hits > 0 ? bytes / hits : 0;
    out->bytes_explained = all > 0 ? bytes / all : 0;
}

/* Fills out from the search's best; the hits stay in search->rest->hits.  Returns their number. */
static guint report(const struct period_input *input, const struct search *search,
                    struct periodicity_period *out)
{
    const struct rest *rest = search->rest;
    guint count = period_hits(&rest->train, &search->best, rest->hits);

    memset(out, 0, sizeof *out);
    if (count < 2)
        return 0;
    period_estimate(input, rest->exact, rest->hits, count, out);
    period_change(input, rest->exact, rest->hits, count, out);
    count_packets(input, rest, count, out);
    out->score = to_score(&search->best);
    out->p_value = exp(-CLAMP(search->best.evidence, 0, 690));
    return count;
}

/* Too few to test: what was seen, if it looks like a period at all. */
static void report_few(const struct period_input *input, struct rest *rest,
                       struct periodicity *answer)
{
    guint n = input->train.n;

    answer->verdict = PERIODICITY_TOO_FEW_CYCLES;
    answer->score *= n / (2.0 * FEWEST_CYCLES); /* there are many such, and chance has its best */
    /* Some were taken for a period that was none. */
    for (guint i = 0; i < n; i++) {
        guint packet = input->first[i];

        rest->exact[i] = (double)((guint64)input->times[packet] - (guint64)input->base_ns) / 1e9;
        rest->origin[i] = i;
        rest->hits[i] = (struct period_hit){i, i > 0};
    }
    if (n < 2 || rest->exact[n - 1] - rest->exact[0] < PERIOD_SHORTEST)
        return;
    struct periodicity_period *out = &answer->periods[0];
    period_estimate(input, rest->exact, rest->hits, n, out);
    if (n > 2 && out->jitter_s > 0.3 * out->period_s) {
        memset(out, 0, sizeof *out);
        return;
    }
    count_packets(input, rest, n, out);
    out->p_value = 1;
    if (n == 2) { /* one gap says nothing of its own accuracy */
        out->low_s = 0;
        out->high_s = MAX(out->period_s, input->train.length);
    }
    answer->count = 1;
}

/* The score of the first period, or the best guess.  A rhythm inside of what itself comes now and
 * then says nothing of the group. */
static void set_score(struct periodicity *answer, const struct search *search, bool is_period,
                      bool is_rhythm)
{
    double score = MIN(to_score(&search->best), is_period ? 1 : HIGHEST_GUESS);

    if (answer->count > 0 || is_rhythm || (!is_period && score < answer->score))
        return;
    answer->score = score;
    answer->p_value = exp(-CLAMP(search->best.evidence, 0, 690));
}

/* The same length again is an answer to the first, or the same clock set anew: one period. */
static bool merge_echo(struct periodicity *answer, const struct periodicity_period *echo)
{
    for (guint i = 0; i < answer->count; i++) {
        struct periodicity_period *period = &answer->periods[i];

        if (fabs(echo->period_s / period->period_s - 1) > SAME_LENGTH)
            continue;
        period->bytes_per_cycle +=
            echo->bytes_per_cycle * (double)echo->hits / (double)period->hits;
        period->events_explained = MIN(period->events_explained + echo->events_explained, 1.0);
        period->bytes_explained = MIN(period->bytes_explained + echo->bytes_explained, 1.0);
        return true;
    }
    return false;
}

/* Up to three periods, each from what the others left. */
static void find_periods(const struct period_input *input, struct rest *rest,
                         struct periodicity *answer)
{
    struct period_gaps *gaps =
        PERIOD_ROOM(input->train.workspace, PERIOD_GAPS, struct period_gaps, 1);
    struct search search = {.rest = rest, .gaps = gaps};

    for (guint round = 0;
         round < MOST_ROUNDS && answer->count < PERIODICITY_MAX && rest->train.n >= FEWEST_REST;
         round++) {
        struct periodicity_period *out = &answer->periods[answer->count];

        search_rest(&search);
        if (!search.found)
            break;
        bool is_sure = is_significant(&search.best);
        guint hits = is_sure ? report(input, &search, out) : 0;
        bool is_period = hits >= 2 && out->hit_rate >= LEAST_HIT_RATE;

        set_score(answer, &search, is_period, hits >= 2 && !is_period);
        if (hits < 2)
            break;
        if (is_period)
            answer->verdict = PERIODICITY_PERIODIC;
        if (is_period && !merge_echo(answer, out))
            answer->count++;
        else
            memset(out, 0, sizeof *out);
        rest_remove(rest, hits);
    }
}

void periodicity_detect(struct periodicity_workspace *workspace, const gint64 *times_ns,
                        const gint64 *sizes, gsize count, gint64 started_ns, gint64 ended_ns,
                        struct periodicity *answer)
{
    struct period_input input;
    struct rest rest;

    memset(answer, 0, sizeof *answer);
    answer->verdict = PERIODICITY_TOO_FEW_CYCLES;
    answer->p_value = 1;
    if (count == 0)
        return;
    period_input_fill(&input, workspace, times_ns, sizes, count, started_ns, ended_ns);
    answer->cycles = input.train.n;
    rest_init(&rest, &input);
    if (input.train.n >= FEWEST_CYCLES) {
        answer->verdict = PERIODICITY_NOT_PERIODIC;
        find_periods(&input, &rest, answer);
    }
    if (answer->count == 0 && input.train.n < 2 * FEWEST_CYCLES)
        report_few(&input, &rest, answer);
    period_workspace_trim(workspace);
}

const char *periodicity_verdict_name(enum periodicity_verdict verdict)
{
    switch (verdict) {
    case PERIODICITY_PERIODIC:
        return "periodic";
    case PERIODICITY_NOT_PERIODIC:
        return "not periodic";
    case PERIODICITY_TOO_FEW_CYCLES:
        break;
    }
    return "too few cycles";
}

const char *periodicity_kind_name(enum periodicity_kind kind)
{
    return kind == PERIODICITY_CLOCK ? "clock" : "sleep";
}
