/* test_fragments.c: fragments that wait for their datagram (plugin/record/fragments.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/fragments.h"

#include <CUnit/Basic.h>
#include <string.h>

static const int64_t second = 1000000000;

struct moved {
    unsigned count;
    int64_t ids[FRAGMENTS_PACKETS_MAX + 1];
    int64_t conversation;
    uint8_t direction;
};

static void note(void *user, const struct operation_packet *packet, int64_t conversation,
                 uint8_t direction)
{
    struct moved *moved = user;
    moved->ids[moved->count++] = packet->id;
    moved->conversation = conversation;
    moved->direction = direction;
}

static struct fragment_key key_of(uint32_t id)
{
    struct fragment_key key;
    memset(&key, 0, sizeof key);
    key.source = (struct packet_address){4, {10, 0, 0, 1}};
    key.destination = (struct packet_address){4, {8, 8, 8, 8}};
    key.id = id;
    key.ip_protocol = 17;
    return key;
}

static void wait_for(fragments *all, uint32_t datagram, int64_t packet, int64_t time_ns)
{
    struct fragment_key key = key_of(datagram);
    struct operation_packet operation = {.id = packet, .time_ns = time_ns};
    fragments_wait(all, &key, &operation);
}

static void test_worked_example(void)
{
    fragments *all = fragments_new();
    struct fragment_key key = key_of(7);
    struct moved moved = {0};
    wait_for(all, 7, 1, 0);
    wait_for(all, 7, 2, 0);
    wait_for(all, 8, 9, 0);
    fragments_resolve(all, &key, 33, 1, 0, note, &moved);
    CU_ASSERT_EQUAL(moved.count, 2);
    CU_ASSERT_EQUAL(moved.ids[0], 1);
    CU_ASSERT_EQUAL(moved.ids[1], 2);
    CU_ASSERT_EQUAL(moved.conversation, 33);
    CU_ASSERT_EQUAL(moved.direction, 1);
    fragments_free(all);
}

/* Reassembly off: the first fragment is dissected, the later ones find the datagram known. */
static void test_known(void)
{
    fragments *all = fragments_new();
    struct fragment_key key = key_of(7), other = key_of(8);
    struct moved moved = {0};
    uint8_t direction = 9;
    fragments_resolve(all, &key, 33, 1, 0, note, &moved);
    CU_ASSERT_EQUAL(moved.count, 0);
    CU_ASSERT_EQUAL(fragments_known(all, &key, second, &direction), 33);
    CU_ASSERT_EQUAL(direction, 1);
    CU_ASSERT_EQUAL(fragments_known(all, &other, second, &direction), 0);
    fragments_free(all);
}

/* After its time the identification means another datagram. */
static void test_expires(void)
{
    fragments *all = fragments_new();
    struct fragment_key key = key_of(7);
    struct moved moved = {0};
    uint8_t direction;
    fragments_resolve(all, &key, 33, 0, 0, note, &moved);
    CU_ASSERT_EQUAL(fragments_known(all, &key, FRAGMENTS_SECONDS * second, &direction), 33);
    CU_ASSERT_EQUAL(fragments_known(all, &key, FRAGMENTS_SECONDS * second + 1, &direction), 0);
    wait_for(all, 9, 1, 0);
    key = key_of(9);
    fragments_resolve(all, &key, 34, 0, (FRAGMENTS_SECONDS + 1) * second, note, &moved);
    CU_ASSERT_EQUAL(moved.count, 0);
    fragments_free(all);
}

/* Bounded: one datagram too many forgets the oldest, one fragment too many is not kept. */
static void test_bounds(void)
{
    fragments *all = fragments_new();
    struct moved moved = {0};
    for (uint32_t i = 0; i <= FRAGMENTS_DATAGRAMS_MAX; i++)
        wait_for(all, i, i, 0);
    struct fragment_key oldest = key_of(0), second_oldest = key_of(1);
    fragments_resolve(all, &second_oldest, 5, 0, 0, note, &moved);
    CU_ASSERT_EQUAL(moved.count, 1);
    moved.count = 0;
    fragments_resolve(all, &oldest, 5, 0, 0, note, &moved);
    CU_ASSERT_EQUAL(moved.count, 0);
    for (uint32_t i = 0; i < FRAGMENTS_PACKETS_MAX + 5; i++)
        wait_for(all, 5000, i, 0);
    struct fragment_key big = key_of(5000);
    fragments_resolve(all, &big, 5, 0, 0, note, &moved);
    CU_ASSERT_EQUAL(moved.count, FRAGMENTS_PACKETS_MAX);
    fragments_free(all);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("fragments", NULL, NULL);
    CU_ADD_TEST(suite, test_worked_example);
    CU_ADD_TEST(suite, test_known);
    CU_ADD_TEST(suite, test_expires);
    CU_ADD_TEST(suite, test_bounds);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
