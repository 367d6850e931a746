/* evaluate.c
 * evaluate [--seed N] [--trains N] [--negatives N] [--read FILE] [--list CLASS]
 *   Runs our detector and the others on the same seeded trains and prints Markdown tables.
 *   FILE: trains of another generator, a line each: class 0|1 length period,period|- t t t ...
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "postproc/periodicity.h"
#include "trains.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DETECTORS = 7, OURS = 0, MOST_CLASSES = 128 };

static const char *const names[DETECTORS] = {"FieldEdge", "reference",    "RITA ts", "RITA v5",
                                             "flare",     "Elastic-like", "g-test"};

/* One train, seen by all. */
struct result {
    struct outcome by[DETECTORS];
    double truth[3];
    guint periods;
    struct periodicity ours;
    double us; /* ours: CPU time */
};

struct class_results {
    char *name;
    bool repeats;
    enum group group;
    GArray *results;
};

static struct class_results classes[MOST_CLASSES];
static guint class_count;
static double cpu[DETECTORS];
static struct periodicity_workspace *workspace;

static double cpu_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static struct outcome detect_ours(const struct train *train, struct periodicity *answer)
{
    const gint64 epoch = G_GINT64_CONSTANT(1700000000123456789);
    gint64 begin = epoch;
    g_autofree gint64 *times = g_new(gint64, train->n + 1);
    bool is_whole = true, is_ms = true;

    for (guint i = 0; i < train->n; i++) {
        is_whole = is_whole && train->t[i] == floor(train->t[i]);
        is_ms = is_ms && fabs(train->t[i] * 1e3 - rint(train->t[i] * 1e3)) < 1e-6;
    }
    if (is_ms)
        begin -= begin % 1000000;
    if (is_whole)
        begin -= begin % 1000000000;
    for (guint i = 0; i < train->n; i++)
        times[i] = begin + (gint64)rint(train->t[i] * 1e6) * 1000;
    periodicity_detect(workspace, times, NULL, train->n, begin,
                       begin + (gint64)(train->length * 1e9), answer);
    return (struct outcome){answer->score, answer->count > 0 ? answer->periods[0].period_s : 0};
}

static void run_all(const struct train *train, struct class_results *into)
{
    static struct outcome (*const others[DETECTORS])(const struct train *) = {
        NULL,         detect_reference, detect_rita_ts, detect_rita,
        detect_flare, detect_elastic,   detect_g_test};
    struct result result = {.periods = train->periods};

    memcpy(result.truth, train->period, sizeof result.truth);
    for (guint d = 0; d < DETECTORS; d++) {
        double begin = cpu_now();

        result.by[d] = d == OURS ? detect_ours(train, &result.ours) : others[d](train);
        double spent = cpu_now() - begin;
        cpu[d] += spent;
        if (d == OURS)
            result.us = 1e6 * spent;
    }
    g_array_append_val(into->results, result);
}

static struct class_results *class_named(const char *name, bool repeats, enum group group)
{
    for (guint i = 0; i < class_count; i++)
        if (strcmp(classes[i].name, name) == 0)
            return &classes[i];
    if (class_count == MOST_CLASSES)
        abort();
    classes[class_count] = (struct class_results){g_strdup(name), repeats, group,
                                                  g_array_new(FALSE, FALSE, sizeof(struct result))};
    return &classes[class_count++];
}

/* ---- Measures ---- */

#define RESULT(class, i) g_array_index((class)->results, struct result, i)

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* The scores of all that do not repeat in a group, sorted. */
static GArray *negatives(guint detector, enum group group)
{
    GArray *scores = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint c = 0; c < class_count; c++) {
        /* As many of each class, else the many of a false positive run would weigh more. */
        guint n = classes[c].results->len;

        if (classes[c].repeats || (classes[c].group != group && group != EXTRA))
            continue;
        for (guint i = 0; i < n; i++)
            g_array_append_val(scores, RESULT(&classes[c], i).by[detector].score);
    }
    qsort(scores->data, scores->len, sizeof(double), compare);
    return scores;
}

static double area(const struct class_results *class, guint detector, const GArray *sorted)
{
    double sum = 0;

    for (guint i = 0; i < class->results->len; i++) {
        double score = RESULT(class, i).by[detector].score;
        guint below = 0, equal = 0;

        for (guint j = 0; j < sorted->len; j++) {
            below += g_array_index(sorted, double, j) < score;
            equal += g_array_index(sorted, double, j) == score;
        }
        sum += (below + 0.5 * equal) / sorted->len;
    }
    return sum / class->results->len;
}

/* Share above the score that only this share of the negatives exceeds. */
static double hits_at(const struct class_results *class, guint detector, const GArray *sorted,
                      double false_share)
{
    double threshold =
        g_array_index(sorted, double, (guint)floor((1 - false_share) * (sorted->len - 1)));
    guint above = 0;

    for (guint i = 0; i < class->results->len; i++)
        above += RESULT(class, i).by[detector].score > threshold;
    return (double)above / class->results->len;
}

/* Share whose named period is within tolerance of one of the true ones. */
static double within(const struct class_results *class, guint detector, double tolerance)
{
    guint good = 0;

    for (guint i = 0; i < class->results->len; i++) {
        const struct result *result = &RESULT(class, i);
        bool is_good = false;

        for (guint p = 0; p < result->periods; p++)
            is_good =
                is_good || fabs(result->by[detector].period / result->truth[p] - 1) < tolerance;
        good += is_good;
    }
    return (double)good / class->results->len;
}

/* Ours: share of all true periods found within 5 %. */
static double all_found(const struct class_results *class)
{
    double found = 0, sought = 0;

    for (guint i = 0; i < class->results->len; i++) {
        const struct result *result = &RESULT(class, i);

        for (guint p = 0; p < result->periods; p++) {
            bool is_found = false;

            for (guint q = 0; q < result->ours.count; q++)
                is_found = is_found ||
                           fabs(result->ours.periods[q].period_s / result->truth[p] - 1) < 0.05;
            found += is_found;
            sought++;
        }
    }
    return found / sought;
}

/* Ours: share named as twice, half, a third ... of a true one, and no true one itself. */
static double harmonic_errors(const struct class_results *class)
{
    guint wrong = 0;

    for (guint i = 0; i < class->results->len; i++) {
        const struct result *result = &RESULT(class, i);
        double period = result->by[OURS].period;
        bool is_true = period <= 0, is_harmonic = false;

        for (guint p = 0; p < result->periods && period > 0; p++) {
            double ratio = MAX(period / result->truth[p], result->truth[p] / period);

            is_true = is_true || ratio < 1.05;
            is_harmonic =
                is_harmonic || (ratio > 1.5 && ratio < 12 && fabs(ratio / rint(ratio) - 1) < 0.02);
        }
        wrong += is_harmonic && !is_true;
    }
    return (double)wrong / class->results->len;
}

/* Ours: share with as many periods as there are. */
static double count_right(const struct class_results *class)
{
    guint right = 0;

    for (guint i = 0; i < class->results->len; i++)
        right += RESULT(class, i).ours.count == RESULT(class, i).periods;
    return (double)right / class->results->len;
}

/* Ours: share of intervals of periods right within 5 % that hold the truth. */
static double coverage(const struct class_results *class, guint *seen, guint *held)
{
    guint inside = 0, n = 0;

    for (guint i = 0; i < class->results->len; i++) {
        const struct result *result = &RESULT(class, i);

        for (guint q = 0; q < result->ours.count; q++)
            for (guint p = 0; p < result->periods; p++) {
                const struct periodicity_period *period = &result->ours.periods[q];

                if (fabs(period->period_s / result->truth[p] - 1) >= 0.05)
                    continue;
                n++;
                inside += period->low_s <= result->truth[p] && result->truth[p] <= period->high_s;
            }
    }
    *seen += n;
    *held += inside;
    return n > 0 ? (double)inside / n : NAN;
}

static double said_periodic(const struct class_results *class)
{
    guint said = 0;

    for (guint i = 0; i < class->results->len; i++)
        said += RESULT(class, i).ours.verdict == PERIODICITY_PERIODIC;
    return (double)said / class->results->len;
}

static double mean_us(const struct class_results *class)
{
    double sum = 0;

    for (guint i = 0; i < class->results->len; i++)
        sum += RESULT(class, i).us;
    return sum / class->results->len;
}

static double highest(const struct class_results *class)
{
    double most = 0;

    for (guint i = 0; i < class->results->len; i++)
        most = MAX(most, RESULT(class, i).by[OURS].score);
    return most;
}

/* ---- Tables ---- */

static void print_summary(enum group group, const char *title)
{
    printf("\n## %s: mean over the classes that repeat (worst class)\n\n", title);
    printf(
        "| detector | AUC | found at 1 %% false | within 5 %% | within 1 %% | CPU, us a train |\n");
    printf("|---|---|---|---|---|---|\n");
    for (guint d = 0; d < DETECTORS; d++) {
        g_autoptr(GArray) sorted = negatives(d, group);
        double sums[4] = {0}, worst[4] = {2, 2, 2, 2}, count = 0, trains = 0;
        const char *where[4] = {"", "", "", ""};

        for (guint c = 0; c < class_count; c++) {
            const struct class_results *class = &classes[c];

            trains += class->results->len;
            if (!class->repeats || class->group != group)
                continue;
            double values[4] = {area(class, d, sorted), hits_at(class, d, sorted, 0.01),
                                within(class, d, 0.05), within(class, d, 0.01)};
            for (guint v = 0; v < 4; v++) {
                sums[v] += values[v];
                if (values[v] < worst[v]) {
                    worst[v] = values[v];
                    where[v] = class->name;
                }
            }
            count++;
        }
        printf("| %s |", names[d]);
        for (guint v = 0; v < 4; v++)
            printf(" %.3f (%.2f %s) |", sums[v] / count, worst[v], where[v]);
        printf(" %.0f |\n", 1e6 * cpu[d] / trains);
    }
}

static void print_classes(void)
{
    guint seen = 0, held = 0;

    printf("\n## FieldEdge by class\n\n");
    printf(
        "| class | trains | AUC | found at 1 %% false | said periodic | within 5 %% | within 1 %% "
        "| all periods | interval holds T | at 0.1 %% false | harmonic | count right | us a train "
        "| best other AUC |\n");
    printf("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (guint c = 0; c < class_count; c++) {
        const struct class_results *class = &classes[c];
        double best = 0;
        guint who = 1;

        if (!class->repeats) {
            printf("| %s (no period) | %u | highest score %.3f | | %.4f | | | | | | | | %.0f | |\n",
                   class->name, class->results->len, highest(class), said_periodic(class),
                   mean_us(class));
            continue;
        }
        for (guint d = 1; d < DETECTORS; d++) {
            g_autoptr(GArray) sorted = negatives(d, class->group);
            double a = area(class, d, sorted);

            if (a > best) {
                best = a;
                who = d;
            }
        }
        g_autoptr(GArray) sorted = negatives(OURS, class->group);
        double a = area(class, OURS, sorted);
        printf("| %s | %u | %.3f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.3f | %.2f | "
               "%.0f | %.3f %s%s |\n",
               class->name, class->results->len, a, hits_at(class, OURS, sorted, 0.01),
               said_periodic(class), within(class, OURS, 0.05), within(class, OURS, 0.01),
               all_found(class), coverage(class, &seen, &held), hits_at(class, OURS, sorted, 0.001),
               harmonic_errors(class), count_right(class), mean_us(class), best, names[who],
               best > a ? " **ahead**" : "");
    }
    printf("\nIntervals: %.4f of %u hold the truth.\n", (double)held / MAX(seen, 1), seen);
}

/* The fewest cycles of which 90 % are said to be periodic, by class. */
static void print_least_cycles(guint64 seed)
{
    static const char *const wanted[] = {
        "clean",        "clock, jitter 10 %", "sleep, jitter 20 %", "sleep, jitter 30 %",
        "30 % dropped", "100 % noise"};

    printf("\n## Cycles from which on 90 %% are said to be periodic\n\n| class | cycles "
           "|\n|---|---|\n");
    for (guint w = 0; w < G_N_ELEMENTS(wanted); w++) {
        guint c = 0, least = 4;

        while (strcmp(train_classes[c].name, wanted[w]) != 0)
            c++;
        for (;; least += MAX(1, least / 10)) {
            guint said = 0;
            enum { TRAINS = 60 };

            for (guint i = 0; i < TRAINS; i++) {
                struct train train;
                struct periodicity answer;

                train_make_cycles(&train, c, seed, i, least);
                detect_ours(&train, &answer);
                said += answer.verdict == PERIODICITY_PERIODIC;
                g_free(train.t);
            }
            if (said >= 0.9 * TRAINS || least > 500)
                break;
        }
        printf("| %s | %u |\n", wanted[w], least);
    }
}

static void print_speed(void)
{
    printf("\n## CPU time of long trains\n\n| train | events | ms |\n|---|---|---|\n");
    for (guint size = 100000; size <= 1000000; size *= 10)
        for (guint kind = 0; kind < 3; kind++) {
            struct train train = {.t = g_new(double, size), .n = size, .length = 86400};
            struct periodicity answer;
            guint64 state = 88172645463325252u;
            double t = 0;

            for (guint i = 0; i < train.n; i++) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                double u = ((double)(state >> 11) + 0.5) / 9007199254740992.0;

                t += kind == 0    ? -log(u)
                     : kind == 1  ? 1 + 0.1 * (u - 0.5)
                     : i % 2 == 0 ? 1.7
                                  : 0.02 * u;
                train.t[i] = t;
            }
            train.length = t;
            double best = HUGE_VAL;
            for (guint round = 0; round < 3; round++) {
                double begin = cpu_now();

                detect_ours(&train, &answer);
                best = MIN(best, cpu_now() - begin);
            }
            printf("| %s | %u | %.0f |\n",
                   kind == 0   ? "Poisson"
                   : kind == 1 ? "sleep of 1 s, jitter 5 % at most"
                               : "request, response each 1.7 s",
                   size, 1e3 * best);
            g_free(train.t);
        }
}

static void list_class(guint class_index, guint64 seed, guint trains)
{
    for (guint i = 0; i < trains; i++) {
        struct train train;
        struct periodicity answer;

        train_make(&train, class_index, seed, i);
        detect_ours(&train, &answer);
        printf("%3u n=%u D=%g T=%.9g/%.9g/%.9g: %s score %.3f ln p %.1f", i, train.n, train.length,
               train.period[0], train.period[1], train.period[2],
               periodicity_verdict_name(answer.verdict), answer.score, log(answer.p_value));
        for (guint p = 0; p < answer.count; p++)
            printf(" [%.9g %.9g..%.9g %s s=%.2f hit=%.2f j=%.3g ex=%.2f c=%d]",
                   answer.periods[p].period_s, answer.periods[p].low_s, answer.periods[p].high_s,
                   periodicity_kind_name(answer.periods[p].kind), answer.periods[p].score,
                   answer.periods[p].hit_rate, answer.periods[p].jitter_s,
                   answer.periods[p].events_explained, answer.periods[p].has_change);
        printf("\n");
        g_free(train.t);
    }
}

/* ---- Trains ---- */

static void run_own(guint64 seed, guint trains, guint negative_trains)
{
    for (guint c = 0; c < train_class_count; c++) {
        const struct train_class *class = &train_classes[c];
        struct class_results *into = class_named(class->name, class->repeats, class->group);

        for (guint i = 0; i < (class->repeats ? trains : negative_trains); i++) {
            struct train train;

            train_make(&train, c, seed, i);
            run_all(&train, into);
            g_free(train.t);
        }
    }
}

static void run_line(char *line)
{
    g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", -1);
    guint count = g_strv_length(words);

    if (count < 4)
        return;
    struct train train = {.t = g_new(double, count), .length = g_ascii_strtod(words[2], NULL)};
    struct class_results *into = class_named(words[0], words[1][0] == '1', OTHER);
    if (words[3][0] != '-') {
        g_auto(GStrv) periods = g_strsplit(words[3], ",", 3);
        for (guint i = 0; periods[i] != NULL; i++)
            train.period[train.periods++] = g_ascii_strtod(periods[i], NULL);
    }
    for (guint i = 4; i < count; i++)
        train.t[train.n++] = g_ascii_strtod(words[i], NULL);
    qsort(train.t, train.n, sizeof(double), compare);
    run_all(&train, into);
    g_free(train.t);
}

static bool run_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;

    if (file == NULL) {
        perror(path);
        return false;
    }
    while (getline(&line, &size, file) >= 0)
        run_line(line);
    free(line);
    fclose(file);
    return true;
}

int main(int argc, char **argv)
{
    gint trains = 100, negative_trains = 0, list = -1;
    gint64 seed = 1;
    g_autofree char *read = NULL;
    gboolean speed = FALSE;
    GOptionEntry entries[] = {
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "seed of the trains", "N"},
        {"trains", 0, 0, G_OPTION_ARG_INT, &trains, "trains of each class that repeats", "N"},
        {"negatives", 0, 0, G_OPTION_ARG_INT, &negative_trains, "of each that does not", "N"},
        {"read", 0, 0, G_OPTION_ARG_FILENAME, &read, "trains of another generator", "FILE"},
        {"list", 0, 0, G_OPTION_ARG_INT, &list, "print the answers for one class", "CLASS"},
        {"speed", 0, 0, G_OPTION_ARG_NONE, &speed, "the fewest cycles, the time of many events",
         NULL},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("- compare detectors of periods");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL))
        return 2;
    workspace = periodicity_workspace_new();
    if (list >= 0) {
        list_class((guint)list, (guint64)seed, (guint)trains);
        return 0;
    }
    if (speed) {
        print_least_cycles((guint64)seed);
        print_speed();
        return 0;
    }
    if (read != NULL) {
        if (!run_file(read))
            return 1;
        print_summary(OTHER, "Trains of the other generator");
    } else {
        run_own((guint64)seed, (guint)trains,
                (guint)(negative_trains > 0 ? negative_trains : trains));
        print_summary(CORE, "Classes of the first bake-off");
        print_summary(EXTRA, "Further factors");
    }
    print_classes();
    return 0;
}
