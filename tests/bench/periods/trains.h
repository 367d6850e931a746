/* trains.h
 * Seeded trains of events with known periods, and the detectors that are compared on them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_BENCH_TRAINS_H
#define FIELDEDGE_BENCH_TRAINS_H

#include <glib.h>
#include <stdbool.h>

/* Times in s, rising, within 0 .. length.  period[0] is 0 for a train that does not repeat. */
struct train {
    double *t;
    guint n;
    double length;
    double period[3];
    guint periods;
};

enum group { CORE, EXTRA, OTHER };

struct train_class {
    const char *name;
    bool repeats;
    enum group group;
};

extern const struct train_class train_classes[];
extern const guint train_class_count;

/* The train number `index` of a class under a seed: always the same. */
void train_make(struct train *train, guint class_index, guint64 seed, guint index);

/* The same with so many cycles (0: as the class has it). */
void train_make_cycles(struct train *train, guint class_index, guint64 seed, guint index,
                       double wanted);

/* 0 for the same score on every train that is not looked at; period 0 if none is named. */
struct outcome {
    double score;
    double period;
};

struct outcome detect_reference(const struct train *train);
struct outcome detect_rita_ts(const struct train *train);
struct outcome detect_rita(const struct train *train);
struct outcome detect_flare(const struct train *train);
struct outcome detect_elastic(const struct train *train);
struct outcome detect_g_test(const struct train *train);

#endif
