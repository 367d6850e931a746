/* test_postproc_near.c: names near to one that does not exist
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "near.h"

static const char *const applications[] = {
    "TCP_HTTP", "TCP_HTTP_TLS", "TCP_MODBUS", "TCP_MQTT", "TCP_MQTT_TLS",
    "UDP_DNS",  "UDP_NTP",      "TCP_MQTT",   "",         NULL};

static void check(const char *wanted, const char *expected)
{
    g_autofree char *text = fieldedge_near_names(wanted, applications, 3);

    if (g_strcmp0(text, expected) != 0)
        g_printerr("%s: %s, not %s\n", wanted, text, expected);
    CU_ASSERT_EQUAL(g_strcmp0(text, expected), 0);
}

static void test_distance(void)
{
    CU_ASSERT_EQUAL(near_distance("kitten", "sitting"), 3);
    CU_ASSERT_EQUAL(near_distance("series", "SERIES"), 0);
    CU_ASSERT_EQUAL(near_distance("host-pairs", "host_pairs"), 0);
    CU_ASSERT_EQUAL(near_distance("pakcets", "packets"), 1); /* a swap */
    CU_ASSERT_EQUAL(near_distance("ca", "abc"), 3);          /* no letter is touched twice */
    CU_ASSERT_EQUAL(near_distance("a", "packets"), 6);
}

static void test_worked_example(void)
{
    check("TCP_MQT", "TCP_MQTT, TCP_MQTT_TLS");
}

static void test_parts_and_case(void)
{
    check("mqqt", "TCP_MQTT");
    check("MQTT", "TCP_MQTT, TCP_MQTT_TLS");
    check("tcp-modbus", "TCP_MODBUS");
    check("TCP_DNS", "UDP_DNS");
}

static void test_nothing_near(void)
{
    check("TCP_OPCUA_SOMETHING", NULL);
    check("", NULL);
    check("xy", NULL);
}

static void test_limit(void)
{
    g_autofree char *one = fieldedge_near_names("MQTT", applications, 1);

    CU_ASSERT_STRING_EQUAL(one, "TCP_MQTT");
    CU_ASSERT_PTR_NULL(fieldedge_near_names("MQTT", applications, 0));
}

/* The longest names that are looked at, and one byte more; under the sanitizers. */
static void test_long_names(void)
{
    g_autofree char *longest = g_strnfill(NEAR_LENGTH, 'a');
    g_autofree char *longer = g_strnfill(NEAR_LENGTH + 1, 'a');
    const char *names[] = {longest, longer, NULL};
    g_autofree char *text = fieldedge_near_names(longest, names, 3);

    CU_ASSERT_STRING_EQUAL(text, longest);
    CU_ASSERT_PTR_NULL(fieldedge_near_names(longer, names, 3));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"distance", test_distance},
        {"worked example", test_worked_example},
        {"parts and case", test_parts_and_case},
        {"nothing near", test_nothing_near},
        {"limit", test_limit},
        {"long names", test_long_names},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("near", tests);
}
