/* test_postproc_bundle.c: packets as bytes and back, and their split by direction and size
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "bundle.h"

#include <string.h>

static void add(GByteArray *bytes, struct bundle_state *state, const struct bundle_packet *packet)
{
    guint8 encoded[BUNDLE_LONGEST];

    g_byte_array_append(bytes, encoded, (guint)bundle_encode(state, packet, encoded));
}

static bool is_same(const struct bundle_packet *a, const struct bundle_packet *b)
{
    return a->time_ns == b->time_ns && a->frame_bytes == b->frame_bytes &&
           a->ip_bytes == b->ip_bytes && a->member == b->member && a->is_ba == b->is_ba &&
           a->is_retransmission == b->is_retransmission;
}

/* bundle.h's example: 0a e4 03 0e 00, then 04 e0 03 */
static void test_example(void)
{
    static const guint8 expected[] = {0x0a, 0xe4, 0x03, 0x0e, 0x00, 0x04, 0xe0, 0x03};
    struct bundle_packet packet = {.time_ns = 5, .frame_bytes = 60, .ip_bytes = 46};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct bundle_state state = {0};

    add(bytes, &state, &packet);
    packet.time_ns = 7;
    add(bytes, &state, &packet);
    CU_ASSERT_EQUAL_FATAL(bytes->len, sizeof expected);
    CU_ASSERT_EQUAL(memcmp(bytes->data, expected, sizeof expected), 0);
}

static void test_extremes_come_back(void)
{
    static const struct bundle_packet packets[] = {
        {G_MININT64, G_MAXUINT32, 0, G_MAXUINT32 - 1, true, true},
        {G_MAXINT64, G_MAXUINT32, G_MAXUINT32, 0, false, false},
        {G_MAXINT64, 0, 0, 0, false, true},
        {G_MAXINT64, 1, 0, 7, true, false},
    };
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct bundle_state state = {0};
    struct bundle bundle = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(packets); i++)
        add(bytes, &state, &packets[i]);
    bundle_decode(&bundle, bytes->data, bytes->len);
    CU_ASSERT_EQUAL_FATAL(bundle.count, G_N_ELEMENTS(packets));
    for (size_t i = 0; i < G_N_ELEMENTS(packets); i++)
        CU_ASSERT(is_same(&bundle.packets[i], &packets[i]));
    bundle_clear(&bundle);
}

static struct bundle_packet random_packet(GRand *chance, guint sizes)
{
    guint32 frame = (guint32)g_rand_int_range(chance, 60, 60 + (gint)sizes);

    return (struct bundle_packet){
        .time_ns = g_rand_int_range(chance, -500, 500) * SECOND,
        .frame_bytes = frame,
        .ip_bytes = frame - (guint32)g_rand_int_range(chance, 14, 19),
        .member = (guint32)g_rand_int_range(chance, 0, 3),
        .is_ba = g_rand_boolean(chance),
        .is_retransmission = g_rand_boolean(chance),
    };
}

/* Many at one time: those stay in the order of recording. */
static void test_unsorted_packets_are_sorted_stably(void)
{
    g_autoptr(GRand) chance = g_rand_new_with_seed(3);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autofree struct bundle_packet *packets = g_new(struct bundle_packet, 5000);
    g_autofree bool *used = g_new0(bool, 5000);
    struct bundle_state state = {0};
    struct bundle bundle = {0};

    for (guint i = 0; i < 5000; i++) {
        packets[i] = random_packet(chance, 1000);
        add(bytes, &state, &packets[i]);
    }
    bundle_decode(&bundle, bytes->data, bytes->len);
    bundle_decode(&bundle, bytes->data, bytes->len); /* the array is used again */
    CU_ASSERT_EQUAL_FATAL(bundle.count, 5000);
    for (guint i = 0; i < bundle.count; i++) {
        guint first = 0;
        CU_ASSERT(i == 0 || bundle.packets[i - 1].time_ns <= bundle.packets[i].time_ns);
        while (used[first] || packets[first].time_ns != bundle.packets[i].time_ns)
            first++; /* the earliest recorded of this time that was not seen yet */
        used[first] = true;
        CU_ASSERT(is_same(&bundle.packets[i], &packets[first]));
    }
    bundle_clear(&bundle);
}

/* Every packet once, in order of time in its part, and the parts as a plain scan would make them.
 */
static void check_split(const struct bundle *bundle, const struct bundle_split *split,
                        gint64 tolerance, double share)
{
    guint sum = 0;

    for (guint i = 0; i < split->part_count; i++) {
        const struct bundle_part *part = &split->parts[i], *before = i > 0 ? part - 1 : NULL;
        guint32 low = G_MAXUINT32, high = 0;
        double limit = MAX((double)tolerance, part->size_low * share + 1e-9);

        CU_ASSERT_EQUAL(part->first, sum);
        CU_ASSERT(part->count > 0);
        for (guint k = 0; k < part->count; k++) {
            guint32 place = split->order[part->first + k];
            const struct bundle_packet *packet = &bundle->packets[place];
            low = MIN(low, packet->frame_bytes);
            high = MAX(high, packet->frame_bytes);
            CU_ASSERT_EQUAL(packet->is_ba, part->is_ba);
            CU_ASSERT(k == 0 || split->order[part->first + k - 1] < place);
        }
        CU_ASSERT_EQUAL(low, part->size_low);
        CU_ASSERT_EQUAL(high, part->size_high);
        CU_ASSERT(part->size_high - part->size_low <= limit);
        if (before != NULL && before->is_ba == part->is_ba) /* the next did not fit */
            CU_ASSERT(part->size_low - before->size_low >
                      MAX((double)tolerance, before->size_low * share));
        CU_ASSERT(before == NULL || before->is_ba <= part->is_ba);
        sum += part->count;
    }
    CU_ASSERT_EQUAL(sum, bundle->count);
}

static void test_random_splits(void)
{
    static const struct {
        gint64 bytes;
        double share;
    } tolerances[] = {{0, 0}, {8, 0}, {0, 0.05}, {100000, 0}, {0, 1}};
    static const guint counts[] = {0, 1, 2, 50, 191, 192, 193, 3000};
    g_autoptr(GRand) chance = g_rand_new_with_seed(4);
    struct bundle_split split = {0};

    for (guint round = 0; round < 200; round++) {
        struct bundle bundle = {.count = counts[round % G_N_ELEMENTS(counts)]};
        guint choice = round / 8 % G_N_ELEMENTS(tolerances);
        bundle.packets = g_new(struct bundle_packet, bundle.count + 1);
        for (guint i = 0; i < bundle.count; i++)
            bundle.packets[i] = random_packet(chance, round % 3 == 0 ? 2 : 1400);
        bundle_split(&split, &bundle, tolerances[choice].bytes, tolerances[choice].share);
        check_split(&bundle, &split, tolerances[choice].bytes, tolerances[choice].share);
        bundle_clear(&bundle);
    }
    bundle_split_clear(&split);
}

static guint parts_of(const guint32 *sizes, guint count, gint64 bytes, double share,
                      guint32 *second_low)
{
    struct bundle bundle = {.count = count, .packets = g_new0(struct bundle_packet, count)};
    struct bundle_split split = {0};
    guint parts;

    for (guint i = 0; i < count; i++)
        bundle.packets[i].frame_bytes = sizes[i];
    bundle_split(&split, &bundle, bytes, share);
    parts = split.part_count;
    *second_low = parts > 1 ? split.parts[1].size_low : 0;
    bundle_split_clear(&split);
    bundle_clear(&bundle);
    return parts;
}

/* intervals.c's example; a share of 29 % in a double is a little less. */
static void test_tolerances(void)
{
    static const guint32 sizes[] = {70, 60, 62, 66, 64}, hundred[] = {100, 129, 130};
    static const guint32 extreme[] = {0, G_MAXUINT32, G_MAXUINT32 - 1};
    guint32 low;

    CU_ASSERT_EQUAL(parts_of(sizes, 5, 4, 0, &low), 2);
    CU_ASSERT_EQUAL(low, 66);
    CU_ASSERT_EQUAL(parts_of(sizes, 5, 0, 0, &low), 5);
    CU_ASSERT_EQUAL(parts_of(hundred, 3, 0, 0.29, &low), 2);
    CU_ASSERT_EQUAL(low, 130);
    CU_ASSERT_EQUAL(parts_of(extreme, 3, 1, 0, &low), 2);
    CU_ASSERT_EQUAL(low, G_MAXUINT32 - 1);
    CU_ASSERT_EQUAL(parts_of(extreme, 3, G_MAXUINT32, 0, &low), 1);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"example", test_example},
        {"extremes come back", test_extremes_come_back},
        {"unsorted packets are sorted stably", test_unsorted_packets_are_sorted_stably},
        {"random splits", test_random_splits},
        {"tolerances", test_tolerances},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("bundle", tests);
}
