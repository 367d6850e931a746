/* test_ring.c: the queue between the two threads (plugin/record/ring.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/ring.h"

#include <CUnit/Basic.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>

/* The example of the header: 64 bytes, records of 16, 24 and 16. */
static void test_worked_example(void)
{
    ring *r = ring_new(256); /* the largest record is a quarter: 4 times the example */
    size_t bytes = 0;
    CU_ASSERT_PTR_NULL(ring_peek(r, &bytes));
    uint8_t *first = ring_reserve(r, 16 * 3);
    memset(first, 1, 16 * 3);
    ring_publish(r);
    uint8_t *second = ring_reserve(r, 24);
    CU_ASSERT_PTR_EQUAL(second, first + 48 + 8); /* behind the first and its own head */
    memset(second, 2, 24);
    ring_publish(r);
    const uint8_t *got = ring_peek(r, &bytes);
    CU_ASSERT_PTR_EQUAL(got, first);
    CU_ASSERT_EQUAL(bytes, 48);
    ring_release(r);
    got = ring_peek(r, &bytes);
    CU_ASSERT_EQUAL(bytes, 24);
    CU_ASSERT_EQUAL(got[0], 2);
    ring_release(r);
    CU_ASSERT_PTR_NULL(ring_peek(r, &bytes));
    ring_free(r);
}

/* What is reserved is not seen before it is published. */
static void test_reserved_is_invisible(void)
{
    ring *r = ring_new(256);
    size_t bytes = 0;
    ring_reserve(r, 8);
    CU_ASSERT_PTR_NULL(ring_peek(r, &bytes));
    ring_publish(r);
    CU_ASSERT_PTR_NOT_NULL(ring_peek(r, &bytes));
    ring_free(r);
}

enum { RECORDS = 300000, SMALL_RING = 1024, LARGEST = 200 };

static uint32_t size_of(uint32_t number)
{
    return 8 + number * 2654435761u % (LARGEST - 8);
}

static gpointer produce(gpointer data)
{
    ring *r = data;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint32_t size = size_of(i);
        uint8_t *record = ring_reserve(r, size);
        memset(record, (int)(i & 0xff), size);
        memcpy(record, &i, sizeof i);
        ring_publish(r);
    }
    ring_wake(r);
    return NULL;
}

/* Every record arrives once, whole, in order, through a ring far smaller than the whole: it wraps
 * at every alignment, fills and empties. */
static void test_two_threads(void)
{
    ring *r = ring_new(SMALL_RING);
    GThread *producer = g_thread_new("producer", produce, r);
    uint32_t wrong = 0;
    for (uint32_t next = 0; next < RECORDS;) {
        size_t bytes = 0;
        const uint8_t *record = ring_peek(r, &bytes);
        if (record == NULL) {
            ring_wait(r, 50);
            continue;
        }
        uint32_t number;
        memcpy(&number, record, sizeof number);
        if (number != next || bytes != size_of(next) || record[bytes - 1] != (next & 0xff))
            wrong++;
        ring_release(r);
        next++;
    }
    g_thread_join(producer);
    CU_ASSERT_EQUAL(wrong, 0);
    ring_free(r);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("ring", NULL, NULL);
    CU_ADD_TEST(suite, test_worked_example);
    CU_ADD_TEST(suite, test_reserved_is_invisible);
    CU_ADD_TEST(suite, test_two_threads);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
