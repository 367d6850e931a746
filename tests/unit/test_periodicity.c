/* test_periodicity.c: the detector of periods
 *
 * The worked example of periodicity.h, what must not change the answer, hostile input.  How often
 * it is right is measured by tests/bench/periods/run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "postproc/periodicity.h"

#include <CUnit/Basic.h>
#include <math.h>
#include <stdlib.h>

static struct periodicity_workspace *workspace;

#define SECOND G_GINT64_CONSTANT(1000000000)
#define EPOCH  (G_GINT64_CONSTANT(1700000000) * SECOND)
#define MOST   4000

/* Packets of one test. */
struct packets {
    gint64 times[MOST];
    gint64 sizes[MOST];
    gsize count;
    gint64 end;
};

static double uniform(guint64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return ((double)(*state >> 11) + 0.5) / 9007199254740992.0;
}

static void add(struct packets *packets, double seconds, gint64 size)
{
    packets->times[packets->count] = EPOCH + (gint64)(seconds * 1e9);
    packets->sizes[packets->count++] = size;
    packets->end = MAX(packets->end, EPOCH + (gint64)(seconds * 1e9));
}

/* Ticks of a clock with jitter, uniform, in s. */
static void add_clock(struct packets *packets, double period, double jitter, guint count,
                      guint64 seed)
{
    for (guint i = 0; i < count; i++)
        add(packets, period * (i + 0.5) + jitter * (uniform(&seed) - 0.5), 100);
}

static void add_poisson(struct packets *packets, double mean, guint count, guint64 seed)
{
    double t = 0;

    for (guint i = 0; i < count; i++)
        add(packets, t -= mean * log(uniform(&seed)), 100);
}

static struct periodicity detect(const struct packets *packets)
{
    struct periodicity answer;

    periodicity_detect(workspace, packets->times, packets->sizes, packets->count, EPOCH,
                       packets->end, &answer);
    return answer;
}

/* ---- Worked example of the header ---- */

static void test_ten_polls(void)
{
    struct packets packets = {.count = 0};

    for (guint i = 1; i <= 10; i++)
        add(&packets, 60.0 * i, 100);
    packets.end = EPOCH + 630 * SECOND;
    struct periodicity answer = detect(&packets);

    CU_ASSERT_EQUAL(answer.verdict, PERIODICITY_PERIODIC);
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].period_s, 60, 1e-6);
    CU_ASSERT_TRUE(answer.periods[0].low_s <= 60 && 60 <= answer.periods[0].high_s);
    CU_ASSERT_EQUAL(answer.periods[0].kind, PERIODICITY_CLOCK);
    CU_ASSERT_EQUAL(answer.periods[0].hits, 10);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].hit_rate, 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].bytes_per_cycle, 100, 0);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].events_explained, 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].bytes_explained, 1, 0);
    CU_ASSERT_EQUAL(answer.periods[0].first_ns, EPOCH + 60 * SECOND);
    CU_ASSERT_EQUAL(answer.periods[0].last_ns, EPOCH + 600 * SECOND);
    CU_ASSERT_TRUE(answer.score >= 0.5);
    CU_ASSERT_TRUE(answer.p_value < 1e-3);
}

static void test_four_polls(void)
{
    struct packets packets = {.count = 0};

    for (guint i = 1; i <= 4; i++)
        add(&packets, 60.0 * i, 100);
    packets.end = EPOCH + 250 * SECOND;
    struct periodicity answer = detect(&packets);

    CU_ASSERT_EQUAL(answer.verdict, PERIODICITY_TOO_FEW_CYCLES);
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].period_s, 60, 1e-6);
    CU_ASSERT_TRUE(answer.score < 0.5);
}

/* ---- Kinds, counts and changes ---- */

static void test_clock_and_sleep(void)
{
    struct packets clock = {.count = 0}, sleep = {.count = 0};
    guint64 seed = 7;
    double t = 5;

    add_clock(&clock, 30, 4, 200, 5);
    for (guint i = 0; i < 200; i++)
        add(&sleep, t += 30 + 4 * (uniform(&seed) - 0.5), 100);
    struct periodicity of_clock = detect(&clock), of_sleep = detect(&sleep);

    CU_ASSERT_EQUAL(of_clock.periods[0].kind, PERIODICITY_CLOCK);
    CU_ASSERT_DOUBLE_EQUAL(of_clock.periods[0].jitter_s, 4 / sqrt(12), 0.3);
    CU_ASSERT_EQUAL(of_sleep.periods[0].kind, PERIODICITY_SLEEP);
    CU_ASSERT_DOUBLE_EQUAL(of_sleep.periods[0].period_s, 30, 0.3);
    CU_ASSERT_DOUBLE_EQUAL(of_sleep.periods[0].jitter_s, 4 / sqrt(12), 0.3);
}

static void test_two_clocks_and_noise(void)
{
    struct packets packets = {.count = 0};

    add_clock(&packets, 60, 0.5, 60, 3);
    add_clock(&packets, 25, 0.2, 144, 5);
    add_poisson(&packets, 120, 30, 11);
    struct periodicity answer = detect(&packets);

    CU_ASSERT_TRUE(answer.count >= 2);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].period_s, 25, 0.05);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[1].period_s, 60, 0.1);
}

static void test_bursts_are_cycles(void)
{
    struct packets packets = {.count = 0};

    for (guint i = 0; i < 40; i++)
        for (guint j = 0; j < 3 + i % 4; j++)
            add(&packets, 20 * (i + 1) + 0.01 * j, 50);
    struct periodicity answer = detect(&packets);

    CU_ASSERT_EQUAL(answer.cycles, 40);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].period_s, 20, 0.01);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].bytes_per_cycle, 50 * 4.5, 0.01);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].events_explained, 1, 0);
}

/* A request, an acknowledgement, an answer: 30 ms apart and 1 ms; polls as they come. */
static void test_answers_are_no_period(void)
{
    struct packets polls = {.count = 0}, random = {.count = 0};
    guint64 seed = 31;
    double t = 0;

    for (guint i = 0; i < 300; i++) {
        t -= 6 * log(uniform(&seed));
        add(&random, t, 80);
        add(&random, t + 0.03, 40);
        add(&random, t + 0.031, 200);
        double at = 6.0 * i + uniform(&seed);
        add(&polls, at, 80);
        add(&polls, at + 0.03, 40);
    }
    struct periodicity answer = detect(&random);
    CU_ASSERT_EQUAL(answer.verdict, PERIODICITY_NOT_PERIODIC);
    CU_ASSERT_TRUE(answer.score < 0.4);
    answer = detect(&polls);
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].period_s, 6, 0.02);
}

/* Gaps with a deviation of 30 % are alike; those of two draws added up are not. */
static void test_regular_gaps(void)
{
    struct packets regular = {.count = 0}, gamma = {.count = 0};
    guint64 seed = 17;
    double t = 0, s = 0;

    for (guint i = 0; i < 120; i++) {
        double sum = 0;

        for (guint draw = 0; draw < 12; draw++)
            sum += uniform(&seed);
        add(&regular, t += 60 * (1 + 0.3 * (sum - 6)), 100);
        add(&gamma, s -= 30 * log(uniform(&seed) * uniform(&seed)), 100);
    }
    struct periodicity answer = detect(&regular);
    CU_ASSERT_EQUAL(answer.verdict, PERIODICITY_PERIODIC);
    CU_ASSERT_TRUE(answer.periods[0].low_s <= 60 && 60 <= answer.periods[0].high_s);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].jitter_s, 18, 3);
    CU_ASSERT_EQUAL(detect(&gamma).verdict, PERIODICITY_NOT_PERIODIC);
}

/* More than are searched: the length is found on a part and measured on all. */
static void test_many_cycles(void)
{
    enum { MANY = 60000 };
    gint64 *times = g_new(gint64, MANY);
    guint64 seed = 3;
    struct periodicity answer;

    for (guint i = 0; i < MANY; i++)
        times[i] = EPOCH + (gint64)(1e9 * (i * 1.3 + 0.05 * uniform(&seed)));
    periodicity_detect(workspace, times, NULL, MANY, EPOCH, times[MANY - 1], &answer);
    CU_ASSERT_EQUAL(answer.count, 1);
    CU_ASSERT_EQUAL(answer.periods[0].kind, PERIODICITY_CLOCK);
    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].period_s, 1.3, 1e-6);
    CU_ASSERT_EQUAL(answer.periods[0].hits, MANY);
    g_free(times);
}

static void test_end_is_a_change(void)
{
    struct packets packets = {.count = 0};

    add_clock(&packets, 10, 0.1, 60, 3);
    packets.end = EPOCH + 3600 * SECOND;
    struct periodicity answer = detect(&packets);

    CU_ASSERT_DOUBLE_EQUAL(answer.periods[0].period_s, 10, 0.01);
    CU_ASSERT_TRUE(answer.periods[0].has_change);
    CU_ASSERT_EQUAL(answer.periods[0].change_ns, answer.periods[0].last_ns);
    add_clock(&packets, 10, 0.1, 360, 3);
    CU_ASSERT_FALSE(detect(&packets).periods[0].has_change);
}

static void test_sub_second_and_day(void)
{
    struct packets fast = {.count = 0}, slow = {.count = 0};

    add_clock(&fast, 0.1, 0.005, 1000, 3);
    add_clock(&slow, 86400, 5, 12, 5);
    CU_ASSERT_DOUBLE_EQUAL(detect(&fast).periods[0].period_s, 0.1, 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(detect(&slow).periods[0].period_s, 86400, 2);
}

static void test_what_does_not_repeat(void)
{
    for (guint64 seed = 1; seed <= 20; seed++) {
        struct packets poisson = {.count = 0}, doubling = {.count = 0};
        double t = 1;

        add_poisson(&poisson, 10, 300, seed * 7919);
        CU_ASSERT_EQUAL(detect(&poisson).verdict, PERIODICITY_NOT_PERIODIC);
        for (guint i = 0; i < 12; i++, t *= 2)
            add(&doubling, t, 60);
        CU_ASSERT_NOT_EQUAL(detect(&doubling).verdict, PERIODICITY_PERIODIC);
    }
}

/* ---- What changes the input but not the answer ---- */

static void assert_same(const struct periodicity *a, const struct periodicity *b, double scale,
                        double tolerance)
{
    CU_ASSERT_EQUAL(a->verdict, b->verdict);
    CU_ASSERT_EQUAL(a->count, b->count);
    for (guint i = 0; i < a->count && i < b->count; i++)
        CU_ASSERT_DOUBLE_EQUAL(b->periods[i].period_s / a->periods[i].period_s, scale,
                               tolerance * scale);
}

static void fill_usual(struct packets *packets)
{
    packets->count = 0;
    add_clock(packets, 17.3, 0.4, 150, 9);
    add_poisson(packets, 40, 60, 4);
}

static void test_shift(void)
{
    struct packets packets;

    fill_usual(&packets);
    struct periodicity before = detect(&packets), after;
    for (gsize i = 0; i < packets.count; i++)
        packets.times[i] += 12345 * SECOND + 678901;
    periodicity_detect(workspace, packets.times, packets.sizes, packets.count,
                       EPOCH + 12345 * SECOND + 678901, packets.end + 12345 * SECOND + 678901,
                       &after);
    assert_same(&before, &after, 1, 1e-9);
}

static void test_scale(void)
{
    struct packets packets;

    fill_usual(&packets);
    struct periodicity before = detect(&packets);
    for (gsize i = 0; i < packets.count; i++)
        packets.times[i] = EPOCH + 60 * (packets.times[i] - EPOCH);
    packets.end = EPOCH + 60 * (packets.end - EPOCH);
    struct periodicity after = detect(&packets);
    assert_same(&before, &after, 60, 1e-6);
}

static void test_reversal(void)
{
    struct packets packets;

    fill_usual(&packets);
    struct periodicity before = detect(&packets);
    for (gsize i = 0; i < packets.count; i++)
        packets.times[i] = EPOCH + (packets.end - packets.times[i]);
    struct periodicity after = detect(&packets);
    assert_same(&before, &after, 1, 1e-3);
}

static void test_order_and_repetition(void)
{
    struct packets packets;
    guint64 seed = 99;

    fill_usual(&packets);
    struct periodicity before = detect(&packets), again = detect(&packets);
    CU_ASSERT_EQUAL(before.score, again.score);
    CU_ASSERT_EQUAL(before.periods[0].period_s, again.periods[0].period_s);
    for (gsize i = packets.count - 1; i > 0; i--) {
        gsize j = (gsize)(uniform(&seed) * (double)(i + 1));
        gint64 time = packets.times[i], size = packets.sizes[i];

        packets.times[i] = packets.times[j];
        packets.sizes[i] = packets.sizes[j];
        packets.times[j] = time;
        packets.sizes[j] = size;
    }
    struct periodicity after = detect(&packets);
    CU_ASSERT_EQUAL(before.score, after.score);
    CU_ASSERT_EQUAL(before.periods[0].period_s, after.periods[0].period_s);
    CU_ASSERT_EQUAL(before.periods[0].bytes_per_cycle, after.periods[0].bytes_per_cycle);
}

static void test_rounding_to_ms(void)
{
    struct packets packets;

    fill_usual(&packets);
    struct periodicity before = detect(&packets);
    for (gsize i = 0; i < packets.count; i++)
        packets.times[i] -= packets.times[i] % 1000000;
    struct periodicity after = detect(&packets);
    assert_same(&before, &after, 1, 1e-3);
}

/* The same packets from two captures, the second of which begins anywhere: in what order they come
 * says nothing. */
static void test_merge_of_two_captures(void)
{
    struct packets packets, merged;

    fill_usual(&packets);
    struct periodicity whole = detect(&packets);
    for (gsize split = 0; split <= packets.count; split += 7) {
        merged = packets;
        for (gsize i = 0; i < packets.count; i++) {
            gsize from = (i + split) % packets.count;

            merged.times[i] = packets.times[from];
            merged.sizes[i] = packets.sizes[from];
        }
        struct periodicity after = detect(&merged);
        assert_same(&whole, &after, 1, 0);
        CU_ASSERT_EQUAL(whole.score, after.score);
        CU_ASSERT_EQUAL(whole.periods[0].events_explained, after.periods[0].events_explained);
    }
}

static bool is_equal(const struct periodicity *a, const struct periodicity *b)
{
    bool is_same = a->verdict == b->verdict && a->count == b->count && a->cycles == b->cycles &&
                   a->score == b->score && a->p_value == b->p_value;

    for (guint i = 0; is_same && i < a->count; i++) {
        const struct periodicity_period *p = &a->periods[i], *q = &b->periods[i];

        is_same = p->period_s == q->period_s && p->low_s == q->low_s && p->high_s == q->high_s &&
                  p->jitter_s == q->jitter_s && p->hits == q->hits && p->first_ns == q->first_ns &&
                  p->last_ns == q->last_ns && p->bytes_per_cycle == q->bytes_per_cycle &&
                  p->events_explained == q->events_explained && p->kind == q->kind;
    }
    return is_same;
}

/* What the workspace held before changes nothing, be it larger or smaller. */
static void test_other_groups(void)
{
    struct packets packets, other = {.count = 0}, small = {.count = 0};

    fill_usual(&packets);
    add_clock(&other, 0.7, 0.1, MOST, 77);
    add_poisson(&small, 3, 20, 5);
    struct periodicity before = detect(&packets), after;
    detect(&other);
    detect(&small);
    after = detect(&packets);
    CU_ASSERT_TRUE(is_equal(&before, &after));

    struct periodicity_workspace *kept = workspace;
    workspace = periodicity_workspace_new();
    after = detect(&packets);
    periodicity_workspace_free(workspace);
    workspace = kept;
    CU_ASSERT_TRUE(is_equal(&before, &after));
}

static gpointer detect_often(gpointer expected)
{
    struct periodicity_workspace *own = periodicity_workspace_new();
    struct packets *packets = g_new(struct packets, 1);
    guint same = 0;

    fill_usual(packets);
    for (guint round = 0; round < 50; round++) {
        struct periodicity answer;

        periodicity_detect(own, packets->times, packets->sizes, packets->count, EPOCH, packets->end,
                           &answer);
        same += is_equal(&answer, expected);
    }
    g_free(packets);
    periodicity_workspace_free(own);
    return GUINT_TO_POINTER(same);
}

static void test_threads(void)
{
    struct packets packets;
    GThread *threads[4];

    fill_usual(&packets);
    struct periodicity expected = detect(&packets);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("detect", detect_often, &expected);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        CU_ASSERT_EQUAL(GPOINTER_TO_UINT(g_thread_join(threads[i])), 50);
}

static void test_rounding_is_no_period(void)
{
    struct packets packets = {.count = 0};

    add_poisson(&packets, 3, 600, 12);
    for (gsize i = 0; i < packets.count; i++)
        packets.times[i] -= packets.times[i] % SECOND;
    CU_ASSERT_EQUAL(detect(&packets).verdict, PERIODICITY_NOT_PERIODIC);
}

/* ---- Hostile input ---- */

static void assert_sound(const struct periodicity *answer)
{
    CU_ASSERT_TRUE(answer->score >= 0 && answer->score <= 1);
    CU_ASSERT_TRUE(answer->p_value >= 0 && answer->p_value <= 1);
    CU_ASSERT_TRUE(answer->count <= PERIODICITY_MAX);
    for (guint i = 0; i < answer->count; i++) {
        const struct periodicity_period *period = &answer->periods[i];

        CU_ASSERT_TRUE(period->period_s > 0 && isfinite(period->period_s));
        CU_ASSERT_TRUE(period->low_s <= period->period_s && period->period_s <= period->high_s);
        CU_ASSERT_TRUE(period->hit_rate >= 0 && period->hit_rate <= 1);
        CU_ASSERT_TRUE(period->events_explained >= 0 && period->events_explained <= 1);
        CU_ASSERT_TRUE(period->bytes_explained >= 0 && period->bytes_explained <= 1);
        CU_ASSERT_TRUE(period->first_ns <= period->last_ns);
        CU_ASSERT_TRUE(period->jitter_s >= 0);
    }
}

static void check(const gint64 *times, const gint64 *sizes, gsize count, gint64 start, gint64 end)
{
    struct periodicity answer;

    periodicity_detect(workspace, times, sizes, count, start, end, &answer);
    assert_sound(&answer);
}

static void test_nothing_and_little(void)
{
    struct periodicity answer;
    const gint64 times[] = {5, 5, 7};

    periodicity_detect(workspace, NULL, NULL, 0, 0, 0, &answer);
    CU_ASSERT_EQUAL(answer.verdict, PERIODICITY_TOO_FEW_CYCLES);
    CU_ASSERT_EQUAL(answer.count, 0);
    for (gsize count = 1; count <= 3; count++)
        check(times, NULL, count, 0, 0);
}

static void test_extreme_times(void)
{
    const gint64 limits[] = {G_MININT64, G_MAXINT64, G_MININT64 + 1, G_MAXINT64 - 1, 0,
                             -1,         1,          G_MININT64,     G_MAXINT64,     0};
    const gint64 sizes[] = {G_MININT64, G_MAXINT64, -1, 0, 1, 2, 3, G_MAXINT64, G_MAXINT64, 5};

    for (gsize count = 0; count <= G_N_ELEMENTS(limits); count++) {
        check(limits, sizes, count, G_MININT64, G_MAXINT64);
        check(limits, sizes, count, G_MAXINT64, G_MININT64);
        check(limits, NULL, count, 0, 0);
    }
}

static void test_same_times_and_tiny_steps(void)
{
    static gint64 times[MOST];

    for (guint i = 0; i < MOST; i++)
        times[i] = EPOCH;
    check(times, NULL, MOST, EPOCH, EPOCH);
    check(times, NULL, MOST, G_MININT64, G_MAXINT64);
    for (guint i = 0; i < MOST; i++)
        times[i] = EPOCH + i / 2;
    check(times, NULL, MOST, EPOCH, EPOCH);
    for (guint i = 0; i < MOST; i++)
        times[i] = i < MOST / 2 ? (gint64)i : G_MAXINT64 - i;
    check(times, NULL, MOST, 0, G_MAXINT64);
    for (guint i = 0; i < MOST; i++)
        times[i] = G_MAXINT64 / MOST * i;
    check(times, times, MOST, 0, G_MAXINT64);
}

static void test_random_spans(void)
{
    static gint64 times[MOST], sizes[MOST];
    guint64 seed = 4242;

    for (guint round = 0; round < 60; round++) {
        gsize count = (gsize)(uniform(&seed) * (round % 10 == 0 ? MOST : 60));
        double span = pow(10, 19 * uniform(&seed));

        for (gsize i = 0; i < count; i++) {
            times[i] = (gint64)((uniform(&seed) - 0.5) * MIN(span, 1.8e19));
            sizes[i] = (gint64)((uniform(&seed) - 0.5) * 1e19 / 2);
            if (i > 0 && uniform(&seed) < 0.3)
                times[i] = times[i - 1];
        }
        check(times, sizes, count, -1, 1);
    }
}

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, test_##name                                                                         \
    }

static CU_TestInfo examples[] = {
    TEST(ten_polls),
    TEST(four_polls),
    TEST(clock_and_sleep),
    TEST(two_clocks_and_noise),
    TEST(bursts_are_cycles),
    TEST(end_is_a_change),
    TEST(sub_second_and_day),
    TEST(what_does_not_repeat),
    TEST(answers_are_no_period),
    TEST(regular_gaps),
    TEST(many_cycles),
    CU_TEST_INFO_NULL,
};

static CU_TestInfo metamorphic[] = {
    TEST(shift),
    TEST(scale),
    TEST(reversal),
    TEST(order_and_repetition),
    TEST(rounding_to_ms),
    TEST(rounding_is_no_period),
    TEST(merge_of_two_captures),
    TEST(other_groups),
    TEST(threads),
    CU_TEST_INFO_NULL,
};

static CU_TestInfo hostile[] = {
    TEST(nothing_and_little), TEST(extreme_times), TEST(same_times_and_tiny_steps),
    TEST(random_spans),       CU_TEST_INFO_NULL,
};

int main(void)
{
    CU_SuiteInfo suites[] = {
        {"examples", NULL, NULL, NULL, NULL, examples},
        {"changes that change nothing", NULL, NULL, NULL, NULL, metamorphic},
        {"hostile input", NULL, NULL, NULL, NULL, hostile},
        CU_SUITE_INFO_NULL,
    };

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    workspace = periodicity_workspace_new();
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    periodicity_workspace_free(workspace);
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
