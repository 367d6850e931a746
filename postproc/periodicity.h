/* periodicity.h
 * Inside libfieldedge: does a group of packets repeat, how often, how exactly, and what does it
 * cost?  Knows nothing of the database: times and sizes in, periods out.
 *
 *     struct periodicity_workspace *workspace = periodicity_workspace_new();
 *     struct periodicity answer;
 *     for (each group of packets) {
 *         periodicity_detect(workspace, times_ns, ip_bytes, count, started_ns, ended_ns, &answer);
 *         if (answer.verdict == PERIODICITY_PERIODIC)
 *             printf("every %g s\n", answer.periods[0].period_s);
 *     }
 *     periodicity_workspace_free(workspace);
 *
 * A workspace is memory to be used again, one a thread; nothing of one group reaches the next.
 *
 * Words: a *cycle* is a burst of packets that lie close together (a request, its response and what
 * was sent again); its time is that of its first packet.  A *hit* is a cycle that came when the
 * period said.  A *clock* sends at fixed times, so that a late cycle does not delay the next
 * (cron); a *sleep* waits after each cycle, so that delays add up.
 *
 * Algorithm, a file each:
 * 1. period_train.c: sort; blur times that were rounded (to 1 s, say) within their rounding; join
 *    bursts where the gaps fall into two kinds with a valley of 4x between them.
 * 2. period_sleep.c: are the gaps more concentrated about T, 2 T, 3 T, 4 T than any smooth
 *    distribution of gaps explains?  period_regular.c: is their single hump narrower than that of
 *    what does not repeat?
 * 3. period_candidates.c, period_fft.c: lengths worth a fold: peaks of the spectrum, harmonics
 *    summed.  period_clock.c: are the phases (t mod T) more concentrated than chance explains, each
 *    cycle counted once?  All answer in nats of evidence after what the search itself costs, so
 *    exp(-evidence) bounds the p-value and they compare.
 * 4. period_report.c: the hits of the best length, kind, interval, change.  They are removed, and
 *    the rest is searched again, up to three times.
 * What cannot win is dropped early: coarse folds come before fine ones, weak peaks get few.  Of
 * more than 16000 cycles a thinned part is folded; hits and length are of all.
 *
 * Example: 10 polls of 100 bytes at 60, 120 ... 600 s, seen from 0 to 630 s: one period of 60 s, a
 * clock, all of 10 cycles hit, 100 bytes a cycle, all events explained.  Without the last six (60
 * to 240 s), 4 polls in 250 s: "too few cycles", periods[0] is 60 s.
 *
 * The answer depends on the input alone.  Memory is 24 bytes a packet (in any order: 56) and
 * up to 2 MiB; time is 0.1 to 0.2 ms for 100 packets, 20 ms for 10^5, 100 ms for 10^6.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PERIODICITY_H
#define FIELDEDGE_PERIODICITY_H

#include <glib.h>
#include <stdbool.h>

#define PERIODICITY_MAX 3

enum periodicity_verdict {
    PERIODICITY_NOT_PERIODIC,
    PERIODICITY_PERIODIC,
    PERIODICITY_TOO_FEW_CYCLES /* cannot say; periods[0], if there, is what was seen */
};

enum periodicity_kind { PERIODICITY_CLOCK, PERIODICITY_SLEEP };

/* One period.  Invariants: low_s <= period_s <= high_s; shares, rates and scores are in 0..1. */
struct periodicity_period {
    double period_s;         /* length */
    double low_s;            /* 95 % interval of it */
    double high_s;           /* */
    double jitter_s;         /* standard deviation: of a cycle's time (clock), of a gap (sleep) */
    double hit_rate;         /* hits / cycles expected between the first and the last hit */
    double score;            /* 0.5 and more: significant; it does not grow with the length */
    double p_value;          /* bound, the search counted in; never below 1e-300 */
    double bytes_per_cycle;  /* mean of the hits; 0 without sizes */
    double events_explained; /* share of all packets that belong to hits */
    double bytes_explained;  /* share of all bytes */
    enum periodicity_kind kind;
    gint64 hits;
    gint64 first_ns;  /* first and last hit, on the clock of the input */
    gint64 last_ns;   /* */
    gint64 phase_ns;  /* 0..period: place of the hits in the period, counted from 1970 */
    bool has_change;  /* the period began or ended (or gave way to another) at change_ns */
    gint64 change_ns; /* */
};

struct periodicity {
    enum periodicity_verdict verdict;
    double score;   /* of the best period, or how near the best guess came (below 0.5) */
    double p_value; /* of the same */
    guint cycles;   /* after bursts are joined */
    guint count;    /* of periods */
    struct periodicity_period periods[PERIODICITY_MAX];
};

struct periodicity_workspace;

struct periodicity_workspace *periodicity_workspace_new(void);
void periodicity_workspace_free(struct periodicity_workspace *workspace); /* NULL: nothing */

/* times_ns: of the packets, in any order, any value; sizes: bytes of each, or NULL; from started_ns
 * to ended_ns is how long one looked (widened to hold all times; started_ns > ended_ns: just the
 * times). */
void periodicity_detect(struct periodicity_workspace *workspace, const gint64 *times_ns,
                        const gint64 *sizes, gsize count, gint64 started_ns, gint64 ended_ns,
                        struct periodicity *answer);

/* "periodic", "not periodic", "too few cycles"; "clock", "sleep". */
const char *periodicity_verdict_name(enum periodicity_verdict verdict);
const char *periodicity_kind_name(enum periodicity_kind kind);

#endif
