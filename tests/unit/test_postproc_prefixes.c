/* test_postproc_prefixes.c: which addresses are in a list of prefixes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "prefixes.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_inside(const char *list, const char *address)
{
    struct prefixes *prefixes = prefixes_new();
    guint8 bytes[16];
    bool is_v6 = strchr(address, ':') != NULL, result;

    prefixes_add(prefixes, list);
    CU_ASSERT_EQUAL_FATAL(inet_pton(is_v6 ? AF_INET6 : AF_INET, address, bytes), 1);
    result = prefixes_contain(prefixes, bytes, is_v6 ? 16 : 4);
    prefixes_free(prefixes);
    return result;
}

static void test_edges_of_prefixes(void)
{
    CU_ASSERT_TRUE(is_inside("172.16.0.0/12", "172.16.0.0"));
    CU_ASSERT_TRUE(is_inside("172.16.0.0/12", "172.31.255.255"));
    CU_ASSERT_FALSE(is_inside("172.16.0.0/12", "172.32.0.0"));
    CU_ASSERT_FALSE(is_inside("172.16.0.0/12", "172.15.255.255"));
    CU_ASSERT_TRUE(is_inside("0.0.0.0/0", "255.1.2.3"));
    CU_ASSERT_TRUE(is_inside("fc00::/7", "fd12::1"));
    CU_ASSERT_FALSE(is_inside("fc00::/7", "fe80::1"));
    CU_ASSERT_TRUE(is_inside("::1/128", "::1"));
    CU_ASSERT_FALSE(is_inside("::1/128", "::2"));
}

static void test_lists(void)
{
    CU_ASSERT_TRUE(is_inside("10.0.0.0/8, 192.168.0.0/16", "192.168.9.9"));
    CU_ASSERT_TRUE(is_inside("10.0.0.0/8 192.168.7.1", "192.168.7.1"));
    CU_ASSERT_FALSE(is_inside("10.0.0.0/8 192.168.7.1", "192.168.7.2"));
    CU_ASSERT_FALSE(is_inside("", "10.0.0.1"));
    CU_ASSERT_FALSE(is_inside("nonsense,10.0.0.0/33,/8,", "10.0.0.1"));
}

static void test_families_do_not_mix(void)
{
    CU_ASSERT_FALSE(is_inside("::/0", "10.0.0.1"));
    CU_ASSERT_FALSE(is_inside("0.0.0.0/0", "2001:db8::1"));
    CU_ASSERT_TRUE(is_inside("10.0.0.0/8", "::ffff:10.1.2.3"));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"edges of prefixes", test_edges_of_prefixes},
        {"lists", test_lists},
        {"families do not mix", test_families_do_not_mix},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("prefixes", tests);
}
