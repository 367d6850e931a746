/* period_internal.h
 * What the files of the period detector share; periodicity.h explains the whole.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PERIOD_INTERNAL_H
#define FIELDEDGE_PERIOD_INTERNAL_H

#include "periodicity.h"

#define PERIOD_SHORTEST   0.004 /* s: below that, gaps are those of a line, not of a program */
#define PERIOD_GATE       6.5   /* nats of evidence that make a period significant */
#define PERIOD_CANDIDATES 10
#define PERIOD_CROWDS     4
#define PERIOD_FITS       3
#define PERIOD_SEARCHED   16000 /* events that find a length; twice as many fit 16 bits */
#define PERIOD_GAP_BINS   3072
#define PERIOD_GAP_STEP   0.01 /* width of a bin of ln gap */
#define PERIOD_MULTIPLE   4    /* a gap of up to so many periods still links two hits */

/* ---- period_workspace.c ---- */

#define PERIOD_BELL_REACH 5
#define PERIOD_BELL_STEPS 128

/* What a room is for; each holds one thing at a time. */
enum period_slot {
    PERIOD_PACKETS, /* pairs to be sorted */
    PERIOD_TIMES,
    PERIOD_SIZES,
    PERIOD_FIRST,
    PERIOD_EXACT,
    PERIOD_TRAIN,
    PERIOD_ORIGIN,
    PERIOD_HITS,
    PERIOD_GAPS,
    PERIOD_SPECTRUM,
    PERIOD_POWER,
    PERIOD_TURNS,
    PERIOD_SUMS,
    PERIOD_THIN,
    PERIOD_CHAINS,
    PERIOD_SCRATCH,
    PERIOD_SLOTS
};

struct periodicity_workspace {
    void *room[PERIOD_SLOTS];
    gsize size[PERIOD_SLOTS]; /* bytes */
    guint turns;              /* size of the transform whose turns are in PERIOD_TURNS */
    double bell[PERIOD_BELL_REACH * PERIOD_BELL_STEPS + 2]; /* exp(-z^2 / 2) at steps of z */
};

/* Room for count things of this size, until the slot is asked for again; what it holds is not
 * defined. */
void *period_room(struct periodicity_workspace *workspace, enum period_slot slot, gsize count,
                  gsize size);
#define PERIOD_ROOM(workspace, slot, type, count)                                                  \
    ((type *)period_room(workspace, slot, count, sizeof(type)))

/* exp(-z^2 / 2) to five digits; 0 <= z < PERIOD_BELL_REACH. */
static inline double period_bell(const struct periodicity_workspace *workspace, double z)
{
    double at = z * PERIOD_BELL_STEPS;
    guint left = (guint)at;
    double here = workspace->bell[left];

    return here + (at - left) * (workspace->bell[left + 1] - here);
}

/* Gives back what only a large group needed. */
void period_workspace_trim(struct periodicity_workspace *workspace);

/* The cycles.  Invariants: t rises, t[0] >= 0, t[n - 1] <= length. */
struct period_train {
    double *t;      /* s since the window began */
    guint n;        /* */
    double length;  /* s: of the window */
    double quantum; /* s: resolution of the times */
    struct periodicity_workspace *workspace;
};

/* A length worth a look. */
struct period_guess {
    double period;  /* s */
    double span;    /* s over which it is known to a fraction of a cycle; 0: only to about 1 % */
    double nats;    /* against the peak of the spectrum by chance */
    guint from, to; /* events within that span: to is one after the last */
};

/* A length about which gaps crowd. */
struct period_crowd {
    double period; /* s */
    double sigma;  /* half the width of the crowd, as a share of the period */
    double gain;   /* nats by which there are more than smooth */
};

/* A length as tested. */
struct period_fit {
    bool is_clock;
    bool is_regular; /* no clock, and nearly all gaps are of one period */
    bool is_chain;   /* no clock, and other events lie in its gaps */
    double period;
    double centre;   /* clock: phase of the hits, 0..1 */
    double width;    /* clock: of the window, as a share of the period */
    double sigma;    /* standard deviation, as a share of the period: of phases, of gaps */
    double evidence; /* nats, after the cost of the search */
    double effect;   /* 0..1: how much more than chance is explained */
};

/* Histogram of ln gap: the bins that are not empty, in order. */
struct period_gaps {
    guint n;             /* gaps */
    guint count;         /* bins */
    double low;          /* ln gap at the left edge of bin 0 */
    double uniform_gain; /* nats by which gaps uniform from 0 explain more than smooth */
    guint16 bin[PERIOD_GAP_BINS];
    double weight[PERIOD_GAP_BINS]; /* gaps */
    double gap[PERIOD_GAP_BINS];    /* their mean */
    double null[PERIOD_GAP_BINS];   /* density of ln gap, blurred: "any smooth distribution" */
    double lift[PERIOD_GAP_BINS];   /* gap / null */
    const struct periodicity_workspace *workspace;
};

/* A cycle that came when the period said. */
struct period_hit {
    guint event;
    guint turns; /* periods since the hit before; 0: the first of a run */
};

/* ---- period_train.c ---- */

/* Where the packets of cycle i are: order[first[i]] .. order[first[i + 1] - 1] */
struct period_input {
    gint64 base_ns;      /* begin of the window */
    gsize count;         /* of packets */
    const gint64 *times; /* sorted */
    const gint64 *sizes; /* in the same order, or NULL */
    guint *first;        /* n + 1 */
    double *exact;       /* cycle times without blur, s */
    struct period_train train;
};

/* Points into the workspace, and to times and sizes if they are sorted. */
void period_input_fill(struct period_input *input, struct periodicity_workspace *workspace,
                       const gint64 *times, const gint64 *sizes, gsize count, gint64 started,
                       gint64 ended);

/* The events from .. to - 1 are the part of this length that has most. */
void period_busiest(const struct period_train *train, double span, guint *from, guint *to);

/* ---- period_fft.c ---- */

/* Power of count real values (a power of two) at 0 .. count / 2 - 1 turns, in place. */
void period_power(struct periodicity_workspace *workspace, float *values, guint count);

/* ---- period_candidates.c ---- */

/* Up to PERIOD_CANDIDATES, no two alike, the most likely first; gaps are those of the train. */
guint period_candidates(const struct period_train *train, const struct period_gaps *gaps,
                        struct period_guess *guesses);

/* ---- period_sleep.c ---- */

void period_gaps_fill(struct period_gaps *gaps, const struct period_train *train);
double period_gaps_median(const struct period_gaps *gaps);

/* Up to PERIOD_CROWDS, no two alike, the most likely first. */
guint period_gaps_crowds(const struct period_gaps *gaps, struct period_crowd *crowds);
bool period_sleep_fit(const struct period_gaps *gaps, const struct period_crowd *crowd,
                      struct period_fit *fit);

/* ---- period_regular.c ---- */

bool period_regular_fit(const struct period_gaps *gaps, struct period_fit *fit);

/* ---- period_chain.c ---- */

bool period_chain_fit(const struct period_train *train, struct period_fit *fit);
guint period_chain_hits(const struct period_train *train, const struct period_fit *fit,
                        struct period_hit *hits);

/* ---- period_clock.c ---- */

/* The likeliest of the guesses, up to PERIOD_FITS. */
guint period_clock_fits(const struct period_train *train, const struct period_guess *guesses,
                        guint count, struct period_fit *fits);

/* ---- period_report.c ---- */

/* The hits of a fit, into hits (room for train->n); returns how many. */
guint period_hits(const struct period_train *train, const struct period_fit *fit,
                  struct period_hit *hits);

/* Is the pattern of hits that of something that repeats?  (Doubling gaps are all multiples of the
 * first, too.) */
bool period_hits_plausible(const struct period_train *train, const struct period_fit *fit,
                           const struct period_hit *hits, guint count);

/* Length, interval, jitter, kind, hit rate, phase from the exact times. */
void period_estimate(const struct period_input *input, const double *exact,
                     const struct period_hit *hits, guint count, struct periodicity_period *out);

/* Did the hits begin or end inside the window? */
void period_change(const struct period_input *input, const double *exact,
                   const struct period_hit *hits, guint count, struct periodicity_period *out);

#endif
