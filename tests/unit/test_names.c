/* test_names.c: host names learned from DNS (plugin/record/names.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/names.h"

#include <CUnit/Basic.h>
#include <glib.h>
#include <string.h>

static struct packet_address address_of(uint32_t number)
{
    struct packet_address address;
    memset(&address, 0, sizeof address);
    address.length = 4;
    memcpy(address.bytes, &number, sizeof number);
    return address;
}

static void test_learn(void)
{
    names *all = names_new();
    struct packet_address a = address_of(1), b = address_of(2);
    CU_ASSERT_PTR_NULL(names_find(all, &a));
    CU_ASSERT_TRUE(names_learn(all, &a, "broker.example.net"));
    CU_ASSERT_FALSE(names_learn(all, &a, "broker.example.net"));
    CU_ASSERT_TRUE(names_learn(all, &a, "other.example.net"));
    CU_ASSERT_STRING_EQUAL(names_find(all, &a), "other.example.net");
    CU_ASSERT_PTR_NULL(names_find(all, &b));
    names_free(all);
}

/* Endless new addresses take no endless memory, and the latest is always known. */
static void test_bounded(void)
{
    names *all = names_new();
    for (uint32_t i = 0; i < 3 * NAMES_MAX; i++) {
        struct packet_address address = address_of(i);
        names_learn(all, &address, "x");
    }
    struct packet_address first = address_of(0), last = address_of(3 * NAMES_MAX - 1);
    CU_ASSERT_PTR_NULL(names_find(all, &first));
    CU_ASSERT_PTR_NOT_NULL(names_find(all, &last));
    names_free(all);
}

/* Whatever a packet says: cut at a whole character, and valid UTF-8. */
static void test_copy(void)
{
    char to[PACKET_NAME_MAX + 1], from[2000];
    name_copy(to, "plain.example");
    CU_ASSERT_STRING_EQUAL(to, "plain.example");
    name_copy(to, "bad\xff\xfe.example");
    CU_ASSERT_TRUE(g_utf8_validate(to, -1, NULL));
    memset(from, 'a', sizeof from);
    from[sizeof from - 1] = '\0';
    name_copy(to, from);
    CU_ASSERT_EQUAL(strlen(to), PACKET_NAME_MAX);
    memset(from, 0xff, sizeof from - 1); /* each becomes three bytes */
    name_copy(to, from);
    CU_ASSERT_TRUE(g_utf8_validate(to, -1, NULL));
    CU_ASSERT_TRUE(strlen(to) <= PACKET_NAME_MAX && strlen(to) > PACKET_NAME_MAX - 3);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("names", NULL, NULL);
    CU_ADD_TEST(suite, test_learn);
    CU_ADD_TEST(suite, test_bounded);
    CU_ADD_TEST(suite, test_copy);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
