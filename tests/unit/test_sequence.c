/*
 * test_sequence.c - plugin/record/sequence.c: scenarios, limits, hostile numbers, an oracle
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A scenario is a table of steps. play() runs it once at sequence numbers as written, and once for
 * each place where the wrap at 2^32 can fall within it, so every scenario is a wrap test as well.
 */
#include "sequence.h"

#include <CUnit/Basic.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Flags of a step's segment. */
enum {
    SYN = 1,
    FIN = 2,
    RST = 4,
    ACK = 8,
    PEER = 16, /* sent in the reverse direction; its seq does not matter and is 0 */
};

/* Flags of a step's expected verdict. */
enum { KEEP = 1, FILLED = 2, LEFT = 4 };

/* Scenarios stay below this number. */
enum { SPAN = 4096 };

#define WRAP (UINT64_C(1) << 32)

struct step {
    unsigned flags;
    uint32_t seq;
    uint32_t length;
    uint32_t ack;
    uint32_t retransmitted;
    uint32_t new_bytes;
    unsigned verdict;
};

static sequence_verdict add(sequence_space *own, sequence_space *peer, uint32_t seq,
                            uint32_t length)
{
    sequence_verdict verdict;

    sequence_add(own, peer, &(struct sequence_segment){.seq = seq, .length = length}, &verdict);
    return verdict;
}

static bool is_expected(const struct step *step, const sequence_verdict *verdict)
{
    return verdict->retransmitted_bytes == step->retransmitted &&
           verdict->new_bytes == step->new_bytes &&
           verdict->is_keep_alive == ((step->verdict & KEEP) != 0) &&
           verdict->filled_hole == ((step->verdict & FILLED) != 0) &&
           verdict->left_hole == ((step->verdict & LEFT) != 0);
}

/* The invariants above sequence_space in the header. */
static bool is_sound(const sequence_space *space)
{
    if ((space->lower == NULL) != (space->lower_capacity == 0))
        return false;
    if (space->lower_count >= SEQUENCE_RANGES_MAX || space->lower_count > space->lower_capacity ||
        space->lower_capacity > SEQUENCE_RANGES_MAX)
        return false;
    if (!space->started)
        return space->lower_count == 0 && space->top.begin == 0 && space->top.end == 0;
    if (space->top.begin <= 0 || space->top.begin > space->top.end)
        return false;
    for (size_t i = 0; i < space->lower_count; i++) {
        int64_t above = i + 1 < space->lower_count ? space->lower[i + 1].begin : space->top.begin;
        if (space->lower[i].begin <= 0 || space->lower[i].begin >= space->lower[i].end ||
            space->lower[i].end >= above)
            return false;
    }
    return true;
}

/* Runs the steps with every number moved by base; false and a line of output at the first miss. */
static bool play_at(uint32_t base, const struct step *steps, size_t count)
{
    sequence_space own = {0};
    sequence_space peer = {0};
    bool passed = true;

    for (size_t i = 0; i < count && passed; i++) {
        const struct step *step = &steps[i];
        bool reverse = (step->flags & PEER) != 0;
        struct sequence_segment segment = {
            .seq = reverse ? step->seq : base + step->seq,
            .length = step->length,
            .ack = reverse ? base + step->ack : step->ack,
            .has_ack = (step->flags & ACK) != 0,
            .syn = (step->flags & SYN) != 0,
            .fin = (step->flags & FIN) != 0,
            .rst = (step->flags & RST) != 0,
        };
        sequence_verdict got;
        sequence_add(reverse ? &peer : &own, reverse ? &own : &peer, &segment, &got);
        passed = is_expected(step, &got) && is_sound(&own) && is_sound(&peer);
        if (!passed)
            printf("\n    step %zu, base %u: retransmitted %u new %u keep %d filled %d left %d ", i,
                   (unsigned)base, (unsigned)got.retransmitted_bytes, (unsigned)got.new_bytes,
                   got.is_keep_alive, got.filled_hole, got.left_hole);
    }
    sequence_clear(&own);
    sequence_clear(&peer);
    return passed;
}

static void play(const struct step *steps, size_t count)
{
    bool passed = play_at(0, steps, count);

    for (uint32_t offset = 0; passed && offset <= SPAN; offset++)
        passed = play_at((uint32_t)(WRAP - offset), steps, count);
    CU_ASSERT_TRUE(passed);
}

#define PLAY(...)                                                                                  \
    do {                                                                                           \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        play(steps, sizeof steps / sizeof *steps);                                                 \
    } while (0)

/* The tables keep their columns. */
/* clang-format off */

static void test_worked_example_of_the_header(void)
{
    PLAY(/* flags       seq  length  ack  retrans  new  verdict */
         {SYN,         1000,     0,    0,      0,    0, 0},
         {0,           1001,   500,    0,      0,  500, 0},
         {PEER | ACK,     0,     0, 1501,      0,    0, 0},
         {0,           2001,   500,    0,      0,  500, LEFT},
         {0,           1001,   500,    0,    500,    0, 0},
         {0,           1401,   400,    0,    100,  300, FILLED},
         {0,           1801,   900,    0,    500,  400, FILLED},
         {0,           2700,     1,    0,      1,    0, 0},
         {PEER | ACK,     0,     0, 2701,      0,    0, 0},
         {0,           2700,     1,    0,      0,    0, KEEP},
         {FIN,         2701,     0,    0,      0,    0, 0});
}

static void test_in_order(void)
{
    PLAY({SYN, 99,  0, 0, 0,  0, 0},
         {0,  100, 50, 0, 0, 50, 0},
         {0,  150, 50, 0, 0, 50, 0},
         {0,  200,  0, 0, 0,  0, 0},
         {0,  200,  1, 0, 0,  1, 0},
         {0,  201, 99, 0, 0, 99, 0});
}

static void test_full_duplicates(void)
{
    PLAY({0, 100, 100, 0,   0, 100, 0},
         {0, 100, 100, 0, 100,   0, 0},
         {0, 200, 100, 0,   0, 100, 0},
         {0, 200, 100, 0, 100,   0, 0},
         {0, 100, 200, 0, 200,   0, 0},
         {0, 150,  10, 0,  10,   0, 0});
}

static void test_partial_retransmission_with_new_tail(void)
{
    PLAY({0, 100, 100, 0,   0, 100, 0},
         {0, 100, 300, 0, 100, 200, 0},
         {0, 399,   2, 0,   1,   1, 0},
         {0, 350, 100, 0,  51,  49, 0});
}

/* A range 200..299 in the middle of nothing: below it lies only what the tap did not see. */
static void test_overlap_on_the_left(void)
{
    PLAY({0, 200, 100, 0,  0, 100, 0},
         {0, 150, 100, 0, 50,  50, FILLED},
         {0, 140,  10, 0,  0,  10, FILLED},
         {0, 130,  11, 0,  1,  10, FILLED});
}

static void test_overlap_on_the_right(void)
{
    PLAY({0, 100, 100, 0,  0, 100, 0},
         {0, 300, 100, 0,  0, 100, LEFT},
         {0, 150, 100, 0, 50,  50, FILLED},
         {0, 350, 100, 0, 50,  50, 0});
}

static void test_overlap_on_both_sides(void)
{
    PLAY({0, 100, 100, 0,   0, 100, 0},
         {0, 300, 100, 0,   0, 100, LEFT},
         {0, 150, 200, 0, 100, 100, FILLED},
         {0, 100, 300, 0, 300,   0, 0});
}

static void test_segment_covers_what_was_seen(void)
{
    PLAY({0, 200,  10, 0,  0,  10, 0},
         {0, 240,  10, 0,  0,  10, LEFT},
         {0, 280,  10, 0,  0,  10, LEFT},
         {0, 190,  80, 0, 20,  60, FILLED},
         {0, 100, 300, 0, 90, 210, FILLED},
         {0, 100, 300, 0, 300,  0, 0});
}

static void test_hole_repaired_in_pieces_as_with_sack(void)
{
    PLAY({0, 1000, 100, 0,  0, 100, 0},
         {0, 1200, 100, 0,  0, 100, LEFT},
         {0, 1400, 100, 0,  0, 100, LEFT},
         {0, 1600, 100, 0,  0, 100, LEFT},
         {0, 1300, 100, 0,  0, 100, FILLED},
         {0, 1500,  50, 0,  0,  50, FILLED},
         {0, 1550,  50, 0,  0,  50, FILLED},
         {0, 1100, 100, 0,  0, 100, FILLED},
         {0, 1000, 700, 0, 700,  0, 0});
}

static void test_island_within_a_hole(void)
{
    PLAY({0, 100, 100, 0,   0, 100, 0},
         {0, 900, 100, 0,   0, 100, LEFT},
         {0, 500, 100, 0,   0, 100, FILLED},
         {0, 300, 100, 0,   0, 100, FILLED},
         {0, 700, 100, 0,   0, 100, FILLED},
         {0, 250, 600, 0, 300, 300, FILLED},
         {0, 100, 900, 0, 800, 100, FILLED});
}

static void test_reordering_is_no_retransmission(void)
{
    PLAY({0, 100, 100, 0, 0, 100, 0},
         {0, 300, 100, 0, 0, 100, LEFT},
         {0, 200, 100, 0, 0, 100, FILLED},
         {0, 500, 100, 0, 0, 100, LEFT},
         {0, 600, 100, 0, 0, 100, 0},
         {0, 400, 100, 0, 0, 100, FILLED});
}

static void test_touching_ranges_are_one(void)
{
    PLAY({0, 100,  10, 0,  0, 10, 0},
         {0, 120,  10, 0,  0, 10, LEFT},
         {0, 110,   1, 0,  0,  1, FILLED},
         {0, 119,   1, 0,  0,  1, FILLED},
         {0, 111,   8, 0,  0,  8, FILLED},
         {0, 100,  30, 0, 30,  0, 0});
}

static void test_mid_stream_data_below_the_first_are_new(void)
{
    PLAY({ACK, 500, 100, 0,   0, 100, 0},
         {ACK, 300, 100, 0,   0, 100, FILLED},
         {ACK, 100, 100, 0,   0, 100, FILLED},
         {ACK, 300, 100, 0, 100,   0, 0},
         {ACK, 100, 500, 0, 300, 200, FILLED});
}

static void test_hole_that_the_peer_acknowledged_stays_a_hole(void)
{
    PLAY({0,        100, 100,   0,   0, 100, 0},
         {0,        300, 100,   0,   0, 100, LEFT},
         {PEER | ACK, 0,   0, 400,   0,   0, 0},
         {0,        200, 100,   0,   0, 100, FILLED},
         {0,        200, 100,   0, 100,   0, 0});
}

static void test_first_data_after_the_syn_missing(void)
{
    PLAY({SYN,  99,   0, 0, 0,   0, 0},
         {0,   200, 100, 0, 0, 100, LEFT},
         {0,   100, 100, 0, 0, 100, FILLED});
}

static void test_syn_with_data(void)
{
    PLAY({SYN, 99, 100, 0,   0, 100, 0},
         {0,  200, 100, 0,   0, 100, 0},
         {0,  100, 100, 0, 100,   0, 0},
         {SYN, 99, 100, 0, 100,   0, 0});
}

/* Fast Open refused: the data come again in an ordinary segment. */
static void test_syn_data_repeated_without_syn(void)
{
    PLAY({SYN,        99, 100,   0,   0, 100, 0},
         {PEER | ACK | SYN, 0, 0, 100, 0,   0, 0},
         {0,         100, 100,   0, 100,   0, 0});
}

static void test_repeated_syn_does_not_reset(void)
{
    PLAY({SYN, 99,   0, 0,   0,   0, 0},
         {SYN, 99,   0, 0,   0,   0, 0},
         {0,  100, 100, 0,   0, 100, 0},
         {SYN, 99,   0, 0,   0,   0, 0},
         {0,  100, 100, 0, 100,   0, 0});
}

static void test_syn_captured_after_its_data(void)
{
    PLAY({0,  100, 100, 0,   0, 100, 0},
         {SYN, 99,   0, 0,   0,   0, 0},
         {0,  100, 100, 0, 100,   0, 0});
}

static void test_syn_captured_after_its_data_and_a_hole(void)
{
    PLAY({0,  100, 100, 0,   0, 100, 0},
         {0,  300, 100, 0,   0, 100, LEFT},
         {SYN, 99,   0, 0,   0,   0, 0},
         {0,  100, 100, 0, 100,   0, 0});
}

static void test_port_reuse_with_another_initial_number(void)
{
    PLAY({SYN, 999,  0, 0,   0,   0, 0},
         {0, 1000, 500, 0,   0, 500, 0},
         {0, 2000, 100, 0,   0, 100, LEFT},
         {SYN, 1099, 0, 0,   0,   0, 0},
         {0, 1100, 100, 0,   0, 100, 0},
         {0, 2000, 100, 0,   0, 100, LEFT},
         {0, 1100, 100, 0, 100,   0, 0});
}

static void test_port_reuse_seen_from_mid_stream(void)
{
    PLAY({0, 1000, 500, 0, 0, 500, 0},
         {SYN, 1199, 0, 0, 0,   0, 0},
         {0, 1200, 100, 0, 0, 100, 0});
}

static void test_port_reuse_forgets_fin_and_ack(void)
{
    PLAY({SYN,       99,   0,   0, 0,   0, 0},
         {FIN,      100, 100,   0, 0, 100, 0},
         {PEER | ACK, 0,   0, 170, 0,   0, 0},
         {SYN,      149,   0,   0, 0,   0, 0},
         {0,        150,  50,   0, 0,  50, 0},
         {0,        199,   1,   0, 0,   0, KEEP},
         {PEER | ACK, 0,   0, 199, 0,   0, 0},
         {0,        199,   1,   0, 1,   0, 0});
}

static void test_same_initial_number_after_fin_is_a_new_connection(void)
{
    PLAY({SYN, 99,   0, 0,   0,   0, 0},
         {FIN, 100, 50, 0,   0,  50, 0},
         {SYN, 99,   0, 0,   0,   0, 0},
         {0,  100,  50, 0,   0,  50, 0},
         {SYN, 99,   0, 0,   0,   0, 0},
         {0,  100,  50, 0,  50,   0, 0});
}

static void test_same_initial_number_after_own_rst_is_a_new_connection(void)
{
    PLAY({SYN,  99,  0, 0, 0,  0, 0},
         {0,   100, 50, 0, 0, 50, 0},
         {RST, 150,  0, 0, 0,  0, 0},
         {SYN,  99,  0, 0, 0,  0, 0},
         {0,   100, 50, 0, 0, 50, 0});
}

static void test_same_initial_number_after_rst_of_the_peer_is_a_new_connection(void)
{
    PLAY({SYN,      99,  0, 0, 0,  0, 0},
         {0,       100, 50, 0, 0, 50, 0},
         {PEER | RST, 0, 0, 0, 0,  0, 0},
         {SYN,      99,  0, 0, 0,  0, 0},
         {0,       100, 50, 0, 0, 50, 0});
}

/* The client begins anew; the server has the same number each time and never closed. */
static void test_server_with_constant_initial_number(void)
{
    PLAY({SYN,              99,  0,   0, 0,  0, 0},
         {PEER | SYN | ACK, 7,   0, 100, 0,  0, 0},
         {PEER | ACK,       8,  50, 100, 0, 50, 0},
         {SYN,            2099,  0,   0, 0,  0, 0},
         {PEER | SYN | ACK, 7,   0, 2100, 0, 0, 0},
         {SYN,            2099,  0,   0, 0,  0, 0},
         {PEER | ACK,       8,  50, 2100, 0, 50, 0},
         {PEER | SYN | ACK, 7,   0, 2100, 0, 0, 0},
         {PEER | ACK,       8,  50, 2100, 50, 0, 0});
}

static void test_fin_is_no_payload_and_may_repeat(void)
{
    PLAY({0,        100, 100,   0,   0, 100, 0},
         {FIN,      200,  50,   0,   0,  50, 0},
         {FIN,      200,  50,   0,  50,   0, 0},
         {FIN,      250,   0,   0,   0,   0, 0},
         {FIN,      150, 100,   0, 100,   0, 0},
         {PEER | ACK, 0,   0, 251,   0,   0, 0},
         {0,        250,   0,   0,   0,   0, KEEP},
         {0,        250,   1,   0,   0,   0, KEEP});
}

static void test_fin_before_the_last_data(void)
{
    PLAY({0,        100, 100,   0,  0, 100, 0},
         {FIN,      300,   0,   0,  0,   0, 0},
         {0,        200, 100,   0,  0, 100, 0},
         {PEER | ACK, 0,   0, 301,  0,   0, 0},
         {0,        300,   1,   0,  0,   0, KEEP},
         {0,        299,   1,   0,  1,   0, 0});
}

static void test_pure_ack_with_the_number_of_an_unacknowledged_fin(void)
{
    PLAY({0,        100, 100,   0, 0, 100, 0},
         {PEER | ACK, 0,   0, 200, 0,   0, 0},
         {FIN,      200,   0,   0, 0,   0, 0},
         {ACK,      200,   0,   0, 0,   0, 0},
         {0,        200,   1,   0, 0,   0, KEEP});
}

static void test_keep_alive_acknowledged(void)
{
    PLAY({0,        100, 100,   0, 0, 100, 0},
         {PEER | ACK, 0,   0, 200, 0,   0, 0},
         {ACK,      199,   0,   0, 0,   0, KEEP},
         {ACK,      199,   1,   0, 0,   0, KEEP},
         {ACK,      199,   1,   0, 0,   0, KEEP},
         {ACK,      200,  10,   0, 0,  10, 0},
         {ACK,      209,   1,   0, 1,   0, 0});
}

static void test_keep_alive_when_no_ack_is_known(void)
{
    PLAY({0, 100, 100, 0, 0, 100, 0},
         {0, 199,   0, 0, 0,   0, KEEP},
         {0, 199,   1, 0, 0,   0, KEEP});
}

static void test_last_byte_not_acknowledged_is_a_retransmission(void)
{
    PLAY({0,        100, 100,   0, 0, 100, 0},
         {PEER | ACK, 0,   0, 199, 0,   0, 0},
         {0,        199,   0,   0, 0,   0, 0},
         {0,        199,   1,   0, 1,   0, 0},
         {PEER | ACK, 0,   0, 200, 0,   0, 0},
         {PEER | ACK, 0,   0, 150, 0,   0, 0},
         {0,        199,   1,   0, 0,   0, KEEP});
}

static void test_what_is_no_keep_alive(void)
{
    PLAY({0,        100, 100,   0, 0, 100, 0},
         {PEER | ACK, 0,   0, 200, 0,   0, 0},
         {0,        198,   1,   0, 1,   0, 0},
         {0,        198,   2,   0, 2,   0, 0},
         {0,        200,   0,   0, 0,   0, 0},
         {RST,      199,   1,   0, 0,   0, 0},
         {FIN,      199,   1,   0, 1,   0, 0});
}

static void test_keep_alive_before_any_data(void)
{
    PLAY({SYN,       99,   0,   0, 0,   0, 0},
         {PEER | ACK, 0,   0, 100, 0,   0, 0},
         {0,         99,   0,   0, 0,   0, KEEP},
         {0,         99,   1,   0, 0,   0, KEEP},
         {0,        100, 100,   0, 0, 100, 0});
}

static void test_keep_alive_before_any_data_mid_stream(void)
{
    PLAY({PEER | ACK, 0,   0, 500, 0,   0, 0},
         {0,        499,   1,   0, 0,   0, KEEP},
         {0,        499,   0,   0, 0,   0, KEEP},
         {0,        500, 100,   0, 0, 100, 0},
         {0,        599,   1,   0, 1,   0, 0});
}

/* The ACK seen first lies before the wrap, the first data may lie after it. */
static void test_ack_before_any_data_mid_stream_stays_valid(void)
{
    PLAY({PEER | ACK, 0,   0, 500, 0,   0, 0},
         {0,        600, 100,   0, 0, 100, 0},
         {0,        699,   1,   0, 1,   0, 0},
         {PEER | ACK, 0,   0, 700, 0,   0, 0},
         {0,        699,   1,   0, 0,   0, KEEP});
}

/* The window is closed: the next byte is sent alone, and again until there is room. */
static void test_zero_window_probe(void)
{
    PLAY({0,        100, 100,   0, 0, 100, 0},
         {PEER | ACK, 0,   0, 200, 0,   0, 0},
         {0,        200,   1,   0, 0,   1, 0},
         {PEER | ACK, 0,   0, 200, 0,   0, 0},
         {0,        200,   1,   0, 1,   0, 0},
         {0,        200, 100,   0, 1,  99, 0});
}

static void test_rst_payload_is_ignored(void)
{
    PLAY({0,   100, 100, 0,   0, 100, 0},
         {RST, 200,  30, 0,   0,   0, 0},
         {RST, 100, 100, 0,   0,   0, 0},
         {0,   200,  30, 0,   0,  30, 0});
}

/* clang-format on */

static void test_peer_may_be_null(void)
{
    sequence_space own = {0};
    sequence_verdict verdict;
    struct sequence_segment segment = {.seq = 5, .length = 10, .ack = 9, .has_ack = true};

    sequence_add(&own, NULL, &segment, &verdict);
    CU_ASSERT_EQUAL(verdict.new_bytes, 10);
    segment.syn = true;
    sequence_add(&own, NULL, &segment, &verdict);
    segment.rst = true;
    sequence_add(&own, NULL, &segment, &verdict);
    sequence_clear(&own);
}

static void test_space_is_small_and_clear_empties_it(void)
{
    sequence_space own = {0};
    sequence_space empty = {0};

    CU_ASSERT_TRUE(sizeof own <= 64);
    add(&own, NULL, 100, 10);
    add(&own, NULL, 200, 10);
    CU_ASSERT_PTR_NOT_NULL(own.lower);
    sequence_clear(&own);
    CU_ASSERT_PTR_NULL(own.lower);
    CU_ASSERT_EQUAL(memcmp(&own, &empty, sizeof own), 0);
    CU_ASSERT_EQUAL(add(&own, NULL, 100, 10).new_bytes, 10);
    sequence_clear(&own);
}

/* sequence.c allocates in one place only, and what it allocates is `lower`. */
static void test_in_order_traffic_allocates_nothing(void)
{
    sequence_space own = {0};
    sequence_space peer = {0};
    uint32_t seq = (uint32_t)(WRAP - 1000000);

    for (int i = 0; i < 100000; i++, seq += 1460) {
        struct sequence_segment segment = {.seq = seq, .length = 1460};
        struct sequence_segment reply = {.ack = seq + 1460, .has_ack = true};
        sequence_verdict verdict;
        sequence_add(&own, &peer, &segment, &verdict);
        sequence_add(&peer, &own, &reply, &verdict);
        add(&own, &peer, seq, 1460);
    }
    CU_ASSERT_PTR_NULL(own.lower);
    CU_ASSERT_PTR_NULL(peer.lower);
}

static void test_block_is_kept_once_warm(void)
{
    sequence_space own = {0};
    sequence_verdict verdict;

    for (uint32_t i = 0; i <= SEQUENCE_RANGES_MAX; i++)
        add(&own, NULL, 10 * i, 5);
    CU_ASSERT_TRUE(own.holes_closed);
    const sequence_range *block = own.lower;
    CU_ASSERT_EQUAL(own.lower_capacity, SEQUENCE_RANGES_MAX);

    sequence_add(&own, NULL, &(struct sequence_segment){.seq = 77, .syn = true}, &verdict);
    CU_ASSERT_EQUAL(own.lower_count, 0);
    CU_ASSERT_FALSE(own.holes_closed);
    for (uint32_t i = 0; i < 2 * SEQUENCE_RANGES_MAX; i++)
        add(&own, NULL, 78 + 10 * i, 5);
    CU_ASSERT_PTR_EQUAL(own.lower, block);
    CU_ASSERT_EQUAL(own.lower_capacity, SEQUENCE_RANGES_MAX);
    sequence_clear(&own);
}

/* 300 ranges of 1 byte with holes of 1 byte: 44 holes too many are closed, the lowest ones. */
static void test_more_ranges_than_the_maximum_closes_the_oldest_holes(void)
{
    sequence_space own = {0};
    uint32_t base = (uint32_t)(WRAP - 300);
    uint32_t surplus = 0;

    for (uint32_t i = 0; i < 300; i++) {
        CU_ASSERT_EQUAL(add(&own, NULL, base + 2 * i, 1).new_bytes, 1);
        CU_ASSERT_EQUAL(own.holes_closed, i >= SEQUENCE_RANGES_MAX);
    }
    CU_ASSERT_TRUE(is_sound(&own));
    for (uint32_t i = 0; i < 299; i++) {
        sequence_verdict verdict = add(&own, NULL, base + 2 * i + 1, 1);
        CU_ASSERT_EQUAL(verdict.retransmitted_bytes, i < 300 - SEQUENCE_RANGES_MAX ? 1 : 0);
        surplus += verdict.retransmitted_bytes;
    }
    CU_ASSERT_EQUAL(surplus, 300 - SEQUENCE_RANGES_MAX);
    CU_ASSERT_EQUAL(add(&own, NULL, base, 599).retransmitted_bytes, 599);
    CU_ASSERT_EQUAL(own.lower_count, 0);
    sequence_clear(&own);
}

static void test_ranges_out_of_reach_are_forgotten_before_a_hole_is_closed(void)
{
    sequence_space own = {0};
    uint32_t seq = 0;

    for (; own.lower_count < SEQUENCE_RANGES_MAX - 1; seq += 10)
        add(&own, NULL, seq, 5);
    seq -= 5; /* in order from here */
    for (int i = 0; i < 5; i++, seq += 1U << 28)
        add(&own, NULL, seq, 1U << 28);
    CU_ASSERT_FALSE(own.holes_closed);
    CU_ASSERT_TRUE(add(&own, NULL, seq + 7, 5).left_hole);
    CU_ASSERT_FALSE(own.holes_closed);
    CU_ASSERT_TRUE(own.lower_count < SEQUENCE_RANGES_MAX - 1);
    CU_ASSERT_TRUE(is_sound(&own));
    sequence_clear(&own);
}

/* 10 GiB with the wrap passed three times, then copies near and far. */
static void test_long_stream_past_several_wraps(void)
{
    sequence_space own = {0};
    uint32_t seq = 12345;

    for (int i = 0; i < 640; i++, seq += 1U << 24) {
        sequence_verdict verdict = add(&own, NULL, seq, 1U << 24);
        CU_ASSERT_EQUAL(verdict.new_bytes, 1U << 24);
        CU_ASSERT_FALSE(verdict.left_hole);
    }
    CU_ASSERT_EQUAL(add(&own, NULL, seq - 1460, 1460).retransmitted_bytes, 1460);
    CU_ASSERT_EQUAL(add(&own, NULL, seq - (1U << 30), 1460).retransmitted_bytes, 1460);
    CU_ASSERT_EQUAL(add(&own, NULL, seq - (1U << 30) - 1, 1460).new_bytes, 1460);
    CU_ASSERT_EQUAL(add(&own, NULL, seq, 1460).new_bytes, 1460);
}

static void test_one_wild_segment_destroys_nothing(void)
{
    static const uint32_t jumps[] = {(1U << 30) + 1, 1U << 31, (1U << 31) + 1, (3U << 30) - 1,
                                     UINT32_MAX - (1U << 30) - 200};

    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        sequence_space own = {0};
        uint32_t base = (uint32_t)(WRAP - 150);
        uint32_t highest = base + 100;

        add(&own, NULL, base, 100);
        sequence_verdict wild = add(&own, NULL, highest + jumps[i], 60);
        CU_ASSERT_EQUAL(wild.new_bytes, 60);
        CU_ASSERT_FALSE(wild.left_hole);
        CU_ASSERT_EQUAL(add(&own, NULL, base, 200).retransmitted_bytes, 100);
        CU_ASSERT_EQUAL(own.top.end - own.top.begin, 200);
        CU_ASSERT_PTR_NULL(own.lower);
    }
}

static void test_edge_of_reach(void)
{
    sequence_space own = {0};

    add(&own, NULL, 0, 100);
    CU_ASSERT_TRUE(add(&own, NULL, 100 + (1U << 30), 60).left_hole);
    CU_ASSERT_EQUAL(own.lower_count, 1);
    sequence_clear(&own);
}

static void test_wild_segment_that_continues_moves_the_space(void)
{
    sequence_space own = {0};
    uint32_t far = 100 + (1U << 31);

    add(&own, NULL, 0, 100);
    add(&own, NULL, far, 60);
    sequence_verdict second = add(&own, NULL, far + 60, 40);
    CU_ASSERT_EQUAL(second.new_bytes, 40);
    CU_ASSERT_FALSE(second.left_hole);
    CU_ASSERT_EQUAL(add(&own, NULL, far, 120).retransmitted_bytes, 100);
    CU_ASSERT_EQUAL(add(&own, NULL, 0, 100).new_bytes, 100); /* forgotten: an undercount */
    CU_ASSERT_TRUE(is_sound(&own));
}

static void test_wild_segments_that_do_not_continue_move_nothing(void)
{
    sequence_space own = {0};
    uint32_t far = 100 + (1U << 31);

    add(&own, NULL, 0, 100);
    add(&own, NULL, far, 60);
    add(&own, NULL, 100, 10); /* good data between: not consecutive */
    add(&own, NULL, far + 60, 60);
    add(&own, NULL, far + 121, 60); /* a byte missing */
    add(&own, NULL, far + 121, 60); /* repeated */
    CU_ASSERT_EQUAL(add(&own, NULL, 0, 120).retransmitted_bytes, 110);
}

static void test_wild_ack_and_wild_fin_are_not_used(void)
{
    sequence_space own = {0};
    sequence_space peer = {0};
    sequence_verdict verdict;
    struct sequence_segment wild_ack = {.ack = 200 + (1U << 30) + 1, .has_ack = true};
    struct sequence_segment good_ack = {.ack = 150, .has_ack = true};
    struct sequence_segment wild_fin = {.seq = 1U << 31, .fin = true};

    add(&own, &peer, 100, 100);
    sequence_add(&peer, &own, &good_ack, &verdict);
    sequence_add(&peer, &own, &wild_ack, &verdict);
    CU_ASSERT_EQUAL(add(&own, &peer, 199, 1).retransmitted_bytes, 1);
    sequence_add(&own, &peer, &wild_fin, &verdict);
    CU_ASSERT_FALSE(own.has_fin);
}

static void test_ack_far_from_the_first_data_is_not_used(void)
{
    sequence_space own = {0};
    sequence_space peer = {0};
    sequence_verdict verdict;
    struct sequence_segment far_ack = {.ack = 5, .has_ack = true};

    sequence_add(&peer, &own, &far_ack, &verdict);
    add(&own, &peer, 1U << 31, 100);
    CU_ASSERT_FALSE(own.has_acked);
    CU_ASSERT_TRUE(add(&own, &peer, (1U << 31) + 99, 1).is_keep_alive);
}

static void test_impossible_length_is_new_and_not_recorded(void)
{
    sequence_space own = {0};

    CU_ASSERT_EQUAL(add(&own, NULL, 50, UINT32_MAX).new_bytes, UINT32_MAX);
    CU_ASSERT_FALSE(own.started);
    add(&own, NULL, 0, 100);
    CU_ASSERT_EQUAL(add(&own, NULL, 50, UINT32_MAX).new_bytes, UINT32_MAX);
    CU_ASSERT_EQUAL(add(&own, NULL, 50, (1U << 30) + 1).retransmitted_bytes, 0);
    CU_ASSERT_EQUAL(add(&own, NULL, 50, 1U << 30).retransmitted_bytes, 50);
}

static void test_position_limit_begins_anew(void)
{
    sequence_space own = {0};

    add(&own, NULL, 0, 100);
    own.top.begin = own.top.end = (INT64_C(1) << 62) + 1;
    CU_ASSERT_EQUAL(add(&own, NULL, 1, 100).new_bytes, 100);
    CU_ASSERT_EQUAL(add(&own, NULL, 1, 100).retransmitted_bytes, 100);
    CU_ASSERT_TRUE(own.top.end < INT64_C(1) << 33);
}

/* xorshift64*: the same numbers on every machine. */
static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % bound;
}

/*
 * The oracle: one byte of memory for each payload byte of a small space. It knows the rules of the
 * header and nothing of ranges, positions or the wrap.
 */
enum { ORACLE_BYTES = 4096, PROPERTY_SEGMENTS = 20000 };

struct oracle {
    bool seen[ORACLE_BYTES];
    bool started;
    bool has_acked;
    uint32_t highest; /* offset after the highest byte seen */
    uint32_t acked;
};

static struct step oracle_add(struct oracle *oracle, uint32_t begin, uint32_t length)
{
    struct step expected = {0};
    bool acked = !oracle->has_acked || oracle->acked >= oracle->highest;
    uint32_t edge = oracle->started ? oracle->highest : oracle->acked;

    if (length <= 1 && begin + 1 == edge && (oracle->started ? acked : oracle->has_acked)) {
        expected.verdict = KEEP;
        return expected;
    }
    if (length == 0)
        return expected;
    if (oracle->started && begin > oracle->highest)
        expected.verdict |= LEFT;
    for (uint32_t i = begin; i < begin + length; i++) {
        if (oracle->seen[i])
            expected.retransmitted++;
        else
            expected.new_bytes++;
        if (!oracle->seen[i] && oracle->started && i < oracle->highest)
            expected.verdict |= FILLED;
        oracle->seen[i] = true;
    }
    if (!oracle->started || begin + length > oracle->highest)
        oracle->highest = begin + length;
    oracle->started = true;
    return expected;
}

static void oracle_acknowledge(struct oracle *oracle, uint32_t ack)
{
    if (!oracle->started || !oracle->has_acked || ack > oracle->acked)
        oracle->acked = ack;
    oracle->has_acked = true;
}

static int oracle_ranges(const struct oracle *oracle)
{
    int ranges = 0;

    for (int i = 0; i < ORACLE_BYTES; i++)
        ranges += oracle->seen[i] && (i == 0 || !oracle->seen[i - 1]);
    return ranges;
}

/* One connection until it has more ranges than are kept, or is full; returns segments played. */
static int play_random_connection(int *overflows)
{
    sequence_space own = {0};
    sequence_space peer = {0};
    struct oracle oracle = {0};
    sequence_verdict got;
    uint32_t base = (uint32_t)(WRAP - random_below(ORACLE_BYTES + 200));
    uint32_t longest = 1 + random_below(random_below(2) ? 8 : 300);
    bool agrees = true;
    int played = 0;

    if (random_below(2)) {
        struct sequence_segment syn = {.seq = base - 1, .syn = true};
        sequence_add(&own, &peer, &syn, &got);
        oracle.started = true;
    }
    for (; played < 1000 && agrees && !own.holes_closed; played++) {
        uint32_t begin = random_below(ORACLE_BYTES - longest);
        uint32_t length = random_below(longest + 1);
        if (random_below(4) == 0) {
            struct sequence_segment ack = {.has_ack = true};
            uint32_t upto = random_below(2) ? oracle.highest : random_below(ORACLE_BYTES);
            ack.ack = base + upto;
            sequence_add(&peer, &own, &ack, &got);
            oracle_acknowledge(&oracle, upto);
        }
        if (random_below(8) == 0 && oracle.highest > 0) {
            begin = oracle.highest - 1;
            length = random_below(2);
        }
        struct step expected = oracle_add(&oracle, begin, length);
        got = add(&own, &peer, base + begin, length);
        agrees = is_expected(&expected, &got) && is_sound(&own) &&
                 own.holes_closed == (oracle_ranges(&oracle) > SEQUENCE_RANGES_MAX);
    }
    *overflows += own.holes_closed;
    sequence_clear(&own);
    sequence_clear(&peer);
    CU_ASSERT_TRUE_FATAL(agrees);
    return played;
}

static void test_random_segments_agree_with_the_oracle(void)
{
    int overflows = 0;
    int played = 0;

    random_state = 20240229;
    while (played < PROPERTY_SEGMENTS)
        played += play_random_connection(&overflows);
    CU_ASSERT_TRUE(overflows > 0); /* else the limit was never reached */
}

/*
 * A stream over the wrap with losses, where retransmissions reach back 64 KiB at most. Far more
 * holes are left than ranges are kept; as only old ones are closed, the count stays exact.
 */
enum { RING_BYTES = 1 << 18, BACK_BYTES = 1 << 16 };

static void test_random_stream_over_the_wrap_agrees_with_a_ring(void)
{
    static bool ring[RING_BYTES];
    sequence_space own = {0};
    uint32_t base = (uint32_t)(WRAP - (1U << 26));
    uint64_t highest = RING_BYTES;
    bool agrees = true;

    random_state = 42;
    add(&own, NULL, base + (uint32_t)highest - 2, 2);
    ring[(highest - 1) % RING_BYTES] = ring[(highest - 2) % RING_BYTES] = true;
    for (int n = 0; agrees && n < PROPERTY_SEGMENTS; n++) {
        uint64_t begin = highest;
        uint32_t length = 2 + random_below(n % 2 ? 60000 : 3000);
        if (random_below(10) == 0)
            begin += random_below(1000);
        if (random_below(2) == 0) {
            begin -= random_below(BACK_BYTES);
            length = 2 + random_below(2000);
        }
        for (uint64_t i = highest; i < begin + length; i++)
            ring[i % RING_BYTES] = false;
        uint32_t seen = 0;
        for (uint64_t i = begin; i < begin + length; i++) {
            seen += ring[i % RING_BYTES];
            ring[i % RING_BYTES] = true;
        }
        highest = MAX(highest, begin + length);
        sequence_verdict got = add(&own, NULL, base + (uint32_t)begin, length);
        agrees = got.retransmitted_bytes == seen && got.new_bytes == length - seen;
    }
    CU_ASSERT_TRUE(agrees);
    CU_ASSERT_TRUE(base + highest > WRAP + (1U << 26)); /* well past the wrap */
    CU_ASSERT_TRUE(own.holes_closed);
    CU_ASSERT_TRUE(is_sound(&own));
    sequence_clear(&own);
}

static uint32_t hostile_number(uint32_t near)
{
    static const uint32_t edges[] = {0, 1, 1U << 30, (1U << 30) + 1, 1U << 31, UINT32_MAX};

    switch (random_below(4)) {
    case 0:
        return random_below(UINT32_MAX);
    case 1:
        return near + edges[random_below(sizeof edges / sizeof *edges)];
    case 2:
        return near - random_below(5000);
    default:
        return near + random_below(5000);
    }
}

/* Anything at all, both ways: no crash, no overflow (sanitizers watch), sound, sums right. */
static void test_hostile_segments_keep_the_spaces_sound(void)
{
    sequence_space spaces[2] = {0};
    bool sound = true;

    random_state = 4711;
    for (int n = 0; sound && n < 300000; n++) {
        sequence_space *own = &spaces[n % 2];
        sequence_space *peer = &spaces[1 - n % 2];
        struct sequence_segment segment = {
            .seq = hostile_number((uint32_t)own->top.end),
            .length = random_below(8) ? random_below(2000) : hostile_number(0),
            .ack = hostile_number((uint32_t)peer->top.end),
            .has_ack = random_below(2),
            .syn = random_below(2000) == 0,
            .fin = random_below(500) == 0,
            .rst = random_below(500) == 0,
        };
        sequence_verdict got;
        sequence_add(own, peer, &segment, &got);
        bool counted = !segment.rst && !got.is_keep_alive;
        sound = is_sound(own) && is_sound(peer) &&
                got.retransmitted_bytes + got.new_bytes == (counted ? segment.length : 0);
    }
    CU_ASSERT_TRUE(sound);
    sequence_clear(&spaces[0]);
    sequence_clear(&spaces[1]);
}

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, test_##name                                                                         \
    }

static CU_TestInfo scenarios[] = {
    TEST(worked_example_of_the_header),
    TEST(in_order),
    TEST(full_duplicates),
    TEST(partial_retransmission_with_new_tail),
    TEST(overlap_on_the_left),
    TEST(overlap_on_the_right),
    TEST(overlap_on_both_sides),
    TEST(segment_covers_what_was_seen),
    TEST(hole_repaired_in_pieces_as_with_sack),
    TEST(island_within_a_hole),
    TEST(reordering_is_no_retransmission),
    TEST(touching_ranges_are_one),
    TEST(mid_stream_data_below_the_first_are_new),
    TEST(hole_that_the_peer_acknowledged_stays_a_hole),
    TEST(first_data_after_the_syn_missing),
    TEST(syn_with_data),
    TEST(syn_data_repeated_without_syn),
    TEST(repeated_syn_does_not_reset),
    TEST(syn_captured_after_its_data),
    TEST(syn_captured_after_its_data_and_a_hole),
    TEST(port_reuse_with_another_initial_number),
    TEST(port_reuse_seen_from_mid_stream),
    TEST(port_reuse_forgets_fin_and_ack),
    TEST(same_initial_number_after_fin_is_a_new_connection),
    TEST(same_initial_number_after_own_rst_is_a_new_connection),
    TEST(same_initial_number_after_rst_of_the_peer_is_a_new_connection),
    TEST(server_with_constant_initial_number),
    TEST(fin_is_no_payload_and_may_repeat),
    TEST(fin_before_the_last_data),
    TEST(pure_ack_with_the_number_of_an_unacknowledged_fin),
    TEST(keep_alive_acknowledged),
    TEST(keep_alive_when_no_ack_is_known),
    TEST(last_byte_not_acknowledged_is_a_retransmission),
    TEST(what_is_no_keep_alive),
    TEST(keep_alive_before_any_data),
    TEST(keep_alive_before_any_data_mid_stream),
    TEST(ack_before_any_data_mid_stream_stays_valid),
    TEST(zero_window_probe),
    TEST(rst_payload_is_ignored),
    CU_TEST_INFO_NULL,
};

static CU_TestInfo limits[] = {
    TEST(peer_may_be_null),
    TEST(space_is_small_and_clear_empties_it),
    TEST(in_order_traffic_allocates_nothing),
    TEST(block_is_kept_once_warm),
    TEST(more_ranges_than_the_maximum_closes_the_oldest_holes),
    TEST(ranges_out_of_reach_are_forgotten_before_a_hole_is_closed),
    TEST(long_stream_past_several_wraps),
    TEST(one_wild_segment_destroys_nothing),
    TEST(edge_of_reach),
    TEST(wild_segment_that_continues_moves_the_space),
    TEST(wild_segments_that_do_not_continue_move_nothing),
    TEST(wild_ack_and_wild_fin_are_not_used),
    TEST(ack_far_from_the_first_data_is_not_used),
    TEST(impossible_length_is_new_and_not_recorded),
    TEST(position_limit_begins_anew),
    CU_TEST_INFO_NULL,
};

static CU_TestInfo properties[] = {
    TEST(random_segments_agree_with_the_oracle),
    TEST(random_stream_over_the_wrap_agrees_with_a_ring),
    TEST(hostile_segments_keep_the_spaces_sound),
    CU_TEST_INFO_NULL,
};

int main(void)
{
    CU_SuiteInfo suites[] = {
        {"scenarios, each at every place of the wrap", NULL, NULL, NULL, NULL, scenarios},
        {"limits", NULL, NULL, NULL, NULL, limits},
        {"properties", NULL, NULL, NULL, NULL, properties},
        CU_SUITE_INFO_NULL,
    };

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
