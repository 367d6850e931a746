/* test_bloom.c: the set of what was given up (plugin/record/bloom.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/bloom.h"

#include <CUnit/Basic.h>

static uint64_t hash_of(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

/* Never "no" for a member, and the share of strangers that pass is as the header says. */
static void test_members_and_strangers(void)
{
    enum { MEMBERS = 250000, STRANGERS = 200000 };
    bloom *set = bloom_new();
    unsigned lost = 0, passed = 0;
    CU_ASSERT_FALSE(bloom_may_hold(set, hash_of(1)));
    for (uint64_t i = 1; i <= MEMBERS; i++)
        bloom_add(set, hash_of(i));
    for (uint64_t i = 1; i <= MEMBERS; i++)
        lost += !bloom_may_hold(set, hash_of(i));
    for (uint64_t i = 1; i <= STRANGERS; i++)
        passed += bloom_may_hold(set, hash_of(MEMBERS + i));
    CU_ASSERT_EQUAL(lost, 0);
    CU_ASSERT_TRUE(passed < STRANGERS / 1000);
    bloom_free(set);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("bloom", NULL, NULL);
    CU_ADD_TEST(suite, test_members_and_strangers);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
