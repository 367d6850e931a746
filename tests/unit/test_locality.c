/*
 * test_locality.c - plugin/record/locality.c: the worked examples of locality.h, and a slow second
 * opinion
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/locality.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locality *defaults;

static int make_defaults(void)
{
    char *error = NULL;

    defaults = locality_parse(LOCALITY_DEFAULT, &error);
    return defaults == NULL;
}

static int free_defaults(void)
{
    locality_free(defaults);
    return 0;
}

static size_t read_address(const char *text, uint8_t bytes[16])
{
    if (inet_pton(AF_INET, text, bytes) == 1)
        return 4;
    CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, text, bytes), 1);
    return 16;
}

static bool contains(const locality *set, const char *address)
{
    uint8_t bytes[16];
    size_t length = read_address(address, bytes);

    return locality_contains(set, bytes, length);
}

/* Both directions must agree. */
static bool is_local(const char *source, const char *destination)
{
    uint8_t from[16], to[16];
    size_t length = read_address(source, from);

    CU_ASSERT_EQUAL_FATAL(read_address(destination, to), length);
    bool there = locality_is_local(defaults, from, to, length);
    CU_ASSERT_EQUAL(there, locality_is_local(defaults, to, from, length));
    return there;
}

static locality *parse(const char *text)
{
    char *error = NULL;
    locality *set = locality_parse(text, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    CU_ASSERT_PTR_NULL(error);
    return set;
}

static void test_examples_of_the_header(void)
{
    CU_ASSERT_TRUE(is_local("10.1.2.3", "172.31.0.1"));
    CU_ASSERT_TRUE(is_local("192.168.1.2", "239.255.255.250"));
    CU_ASSERT_TRUE(is_local("0.0.0.0", "255.255.255.255"));
    CU_ASSERT_FALSE(is_local("192.168.1.2", "8.8.8.8"));
    CU_ASSERT_FALSE(is_local("8.8.8.8", "224.0.0.1"));
    CU_ASSERT_FALSE(is_local("224.0.0.1", "239.1.1.1"));
}

/* What the reference has wrong: DEFECTS.md D. */
static void test_private_ranges(void)
{
    CU_ASSERT_TRUE(is_local("172.16.0.1", "172.31.255.254"));
    CU_ASSERT_FALSE(is_local("172.16.0.1", "172.32.0.1"));
    CU_ASSERT_TRUE(is_local("192.168.1.1", "192.168.2.1"));
    CU_ASSERT_TRUE(is_local("10.0.0.1", "10.255.255.255"));
    CU_ASSERT_TRUE(is_local("169.254.1.1", "169.254.2.2"));
    CU_ASSERT_TRUE(is_local("127.0.0.1", "127.0.0.2"));
    CU_ASSERT_TRUE(is_local("10.0.0.1", "224.0.0.5"));
    CU_ASSERT_FALSE(is_local("100.64.0.1", "10.0.0.1"));
    CU_ASSERT_FALSE(is_local("8.8.8.8", "8.8.4.4"));
}

static void test_ipv6(void)
{
    CU_ASSERT_TRUE(is_local("fe80::1", "fe80::2"));
    CU_ASSERT_TRUE(is_local("fe80::1", "ff02::fb"));
    CU_ASSERT_TRUE(is_local("fd12::1", "fc00::1"));
    CU_ASSERT_TRUE(is_local("::1", "::1"));
    CU_ASSERT_TRUE(is_local("::", "ff02::1:ff00:1"));
    CU_ASSERT_FALSE(is_local("2001:db8::1", "ff02::fb"));
    CU_ASSERT_FALSE(is_local("fe80::1", "2001:db8::1"));
    CU_ASSERT_FALSE(is_local("::2", "fe80::1"));
    CU_ASSERT_FALSE(is_local("fec0::1", "fe80::1"));
    CU_ASSERT_TRUE(is_local("::ffff:10.0.0.1", "::ffff:192.168.0.1"));
    CU_ASSERT_TRUE(is_local("::ffff:10.0.0.1", "::ffff:224.0.0.1"));
    CU_ASSERT_TRUE(is_local("::ffff:0.0.0.0", "::ffff:255.255.255.255"));
    CU_ASSERT_FALSE(is_local("::ffff:10.0.0.1", "::ffff:8.8.8.8"));
}

static void test_only_one_address_is_broadcast(void)
{
    CU_ASSERT_TRUE(is_local("10.0.0.1", "255.255.255.255"));
    CU_ASSERT_FALSE(is_local("10.0.0.1", "255.255.255.254"));
    CU_ASSERT_FALSE(is_local("10.0.0.1", "240.0.0.1"));
    CU_ASSERT_FALSE(is_local("10.0.0.1", "223.255.255.255"));
    CU_ASSERT_TRUE(is_local("10.0.0.1", "224.0.0.0"));
    CU_ASSERT_TRUE(is_local("10.0.0.1", "239.255.255.255"));
}

/* A set that holds everything holds multicast too, and still no end of a site is multicast. */
static void test_multicast_is_no_end(void)
{
    locality *all = parse("0.0.0.0/0 ::/0");
    uint8_t group[4] = {224, 0, 0, 1}, other[4] = {239, 0, 0, 1}, host[4] = {8, 8, 8, 8};

    CU_ASSERT_TRUE(locality_contains(all, group, 4));
    CU_ASSERT_FALSE(locality_is_local(all, group, other, 4));
    CU_ASSERT_TRUE(locality_is_local(all, host, group, 4));
    locality_free(all);
}

static void test_unspecified_needs_a_partner_here(void)
{
    CU_ASSERT_TRUE(is_local("0.0.0.0", "10.0.0.1"));
    CU_ASSERT_TRUE(is_local("0.0.0.0", "224.0.0.1"));
    CU_ASSERT_FALSE(is_local("0.0.0.0", "8.8.8.8"));
}

static void test_edges_of_prefixes(void)
{
    locality *set = parse("10.1.2.0/23,192.0.2.7, 2001:db8:0:8000::/49\t198.51.100.4/30");

    CU_ASSERT_FALSE(contains(set, "10.1.1.255"));
    CU_ASSERT_TRUE(contains(set, "10.1.2.0"));
    CU_ASSERT_TRUE(contains(set, "10.1.3.255"));
    CU_ASSERT_FALSE(contains(set, "10.1.4.0"));
    CU_ASSERT_FALSE(contains(set, "192.0.2.6"));
    CU_ASSERT_TRUE(contains(set, "192.0.2.7"));
    CU_ASSERT_FALSE(contains(set, "192.0.2.8"));
    CU_ASSERT_FALSE(contains(set, "198.51.100.3"));
    CU_ASSERT_TRUE(contains(set, "198.51.100.4"));
    CU_ASSERT_TRUE(contains(set, "198.51.100.7"));
    CU_ASSERT_FALSE(contains(set, "198.51.100.8"));
    CU_ASSERT_FALSE(contains(set, "2001:db8:0:7fff:ffff:ffff:ffff:ffff"));
    CU_ASSERT_TRUE(contains(set, "2001:db8:0:8000::"));
    CU_ASSERT_TRUE(contains(set, "2001:db8:0:ffff:ffff:ffff:ffff:ffff"));
    CU_ASSERT_FALSE(contains(set, "2001:db8:1::"));
    locality_free(set);
}

static void test_lengths_about_the_middle_of_an_address(void)
{
    locality *set = parse("2001:db8::/63 2001:db8:0:4::/64 2001:db8:0:6::/65 2001:db8:0:8::1/128");

    CU_ASSERT_TRUE(contains(set, "2001:db8:0:1:ffff:ffff:ffff:ffff"));
    CU_ASSERT_FALSE(contains(set, "2001:db8:0:2::"));
    CU_ASSERT_TRUE(contains(set, "2001:db8:0:4:ffff:ffff:ffff:ffff"));
    CU_ASSERT_FALSE(contains(set, "2001:db8:0:5::"));
    CU_ASSERT_TRUE(contains(set, "2001:db8:0:6:7fff:ffff:ffff:ffff"));
    CU_ASSERT_FALSE(contains(set, "2001:db8:0:6:8000::"));
    CU_ASSERT_TRUE(contains(set, "2001:db8:0:8::1"));
    CU_ASSERT_FALSE(contains(set, "2001:db8:0:8::2"));
    locality_free(set);
}

static void test_ipv4_and_ipv6_are_apart(void)
{
    locality *v6 = parse("::/0"), *v4 = parse("0.0.0.0/0"), *mapped = parse("::ffff:10.0.0.0/104");

    CU_ASSERT_TRUE(contains(v6, "2001:db8::1"));
    CU_ASSERT_FALSE(contains(v6, "8.8.8.8"));
    CU_ASSERT_FALSE(contains(v6, "::ffff:8.8.8.8"));
    CU_ASSERT_TRUE(contains(v4, "8.8.8.8"));
    CU_ASSERT_TRUE(contains(v4, "::ffff:8.8.8.8"));
    CU_ASSERT_FALSE(contains(v4, "2001:db8::1"));
    CU_ASSERT_FALSE(contains(v4, "::8.8.8.8"));
    CU_ASSERT_TRUE(contains(mapped, "10.1.2.3"));
    CU_ASSERT_FALSE(contains(mapped, "11.1.2.3"));
    locality_free(v6);
    locality_free(v4);
    locality_free(mapped);
}

static void test_prefixes_inside_others(void)
{
    locality *set = parse("10.1.0.0/16,10.0.0.0/8,10.0.0.0/8,10.255.0.0/16,11.0.0.1");

    CU_ASSERT_TRUE(contains(set, "10.0.0.0"));
    CU_ASSERT_TRUE(contains(set, "10.1.2.3"));
    CU_ASSERT_TRUE(contains(set, "10.2.0.0"));
    CU_ASSERT_TRUE(contains(set, "10.255.255.255"));
    CU_ASSERT_TRUE(contains(set, "11.0.0.1"));
    CU_ASSERT_FALSE(contains(set, "11.0.0.0"));
    locality_free(set);
}

static void test_the_empty_list(void)
{
    locality *set = parse(" ,\t\n, ");
    uint8_t none[4] = {0}, broadcast[4] = {255, 255, 255, 255}, host[4] = {10, 0, 0, 1};

    CU_ASSERT_FALSE(contains(set, "10.0.0.1"));
    CU_ASSERT_FALSE(contains(set, "::1"));
    CU_ASSERT_FALSE(locality_is_local(set, host, host, 4));
    CU_ASSERT_TRUE(locality_is_local(set, none, broadcast, 4));
    locality_free(set);
}

static void test_other_lengths_are_nowhere(void)
{
    uint8_t station[16] = {10, 0, 0, 1};

    for (size_t length = 0; length <= 16; length++) {
        if (length == 4 || length == 16)
            continue;
        CU_ASSERT_FALSE(locality_contains(defaults, station, length));
        CU_ASSERT_FALSE(locality_is_local(defaults, station, station, length));
    }
}

static void check_bad(const char *text, const char *sentence)
{
    char *error = NULL;

    CU_ASSERT_PTR_NULL(locality_parse(text, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    if (strcmp(error, sentence) != 0)
        fprintf(stderr, "\n    expected %s\n         got %s\n", sentence, error);
    CU_ASSERT_STRING_EQUAL(error, sentence);
    g_free(error);
}

#define NO_NETWORK " is not a network: write an IPv4 or IPv6 prefix like 10.0.0.0/8"
#define NO_LENGTH  " has no valid length: write a number from 0 to "

static void test_bad_parts_are_named(void)
{
    check_bad("192.168.0.0/16,10.0.0.1/8",
              "\"10.0.0.1/8\" has bits set beyond its length: write 10.0.0.0/8, or 10.0.0.1 for "
              "this one host");
    check_bad("2001:db8::1/32",
              "\"2001:db8::1/32\" has bits set beyond its length: write 2001:db8::/32, or "
              "2001:db8::1 for this one host");
    check_bad("10.0.0.0/33", "\"10.0.0.0/33\"" NO_LENGTH "32 after the slash");
    check_bad("fe80::/129", "\"fe80::/129\"" NO_LENGTH "128 after the slash");
    check_bad("10.0.0.0/", "\"10.0.0.0/\"" NO_LENGTH "32 after the slash");
    check_bad("10.0.0.0/-8", "\"10.0.0.0/-8\"" NO_LENGTH "32 after the slash");
    check_bad("10.0.0.0/8/8", "\"10.0.0.0/8/8\"" NO_LENGTH "32 after the slash");
    check_bad("10.0.0.0/255.0.0.0", "\"10.0.0.0/255.0.0.0\"" NO_LENGTH "32 after the slash");
    check_bad("10.0.0.0/4294967304", "\"10.0.0.0/4294967304\"" NO_LENGTH "32 after the slash");
    check_bad("10.0.0", "\"10.0.0\"" NO_NETWORK);
    check_bad("010.0.0.0/8", "\"010.0.0.0/8\"" NO_NETWORK);
    check_bad("/8", "\"/8\"" NO_NETWORK);
    check_bad("office", "\"office\"" NO_NETWORK);
    check_bad("10.0.0.0/8;fe80::/10", "\"10.0.0.0/8;fe80::/10\"" NO_LENGTH "32 after the slash");
    check_bad("\033[2J", "\"\\033[2J\"" NO_NETWORK);
    check_bad("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
              "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" NO_NETWORK);
}

/* One prefix after the other, bit by bit. */
struct prefix {
    uint8_t bytes[16];
    unsigned length; /* of the IPv6 form */
};

static bool matches(const struct prefix *prefix, const uint8_t address[16])
{
    for (unsigned bit = 0; bit < prefix->length; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        if ((prefix->bytes[bit / 8] & mask) != (address[bit / 8] & mask))
            return false;
    }
    return true;
}

static void random_address(GRand *random, uint8_t bytes[16])
{
    for (int i = 0; i < 16; i++)
        bytes[i] = g_rand_boolean(random) ? (uint8_t)g_rand_int_range(random, 0, 4) : 0;
}

/* Addresses of few different bits, so that prefixes nest and touch. */
static void test_against_a_slow_second_opinion(void)
{
    GRand *random = g_rand_new_with_seed(7);

    for (int round = 0; round < 300; round++) {
        struct prefix prefixes[40];
        int count = g_rand_int_range(random, 0, 40);
        g_autoptr(GString) list = g_string_new(NULL);
        for (int i = 0; i < count; i++) {
            char text[INET6_ADDRSTRLEN];
            prefixes[i].length = (unsigned)g_rand_int_range(random, 0, 129);
            random_address(random, prefixes[i].bytes);
            for (unsigned bit = prefixes[i].length; bit < 128; bit++)
                prefixes[i].bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
            inet_ntop(AF_INET6, prefixes[i].bytes, text, sizeof text);
            g_string_append_printf(list, "%s/%u ", text, prefixes[i].length);
        }
        locality *set = parse(list->str);
        for (int i = 0; i < 200; i++) {
            uint8_t address[16];
            bool expected = false;
            random_address(random, address);
            for (int j = 0; j < count; j++)
                expected |= matches(&prefixes[j], address);
            CU_ASSERT_EQUAL(locality_contains(set, address, 16), expected);
        }
        locality_free(set);
    }
    g_rand_free(random);
}

static void test_any_text_is_a_list_or_an_error(void)
{
    static const char alphabet[] = "0123456789abcdef:./, \t%x-\xff";
    GRand *random = g_rand_new_with_seed(8);

    for (int round = 0; round < 20000; round++) {
        char text[60], *error = NULL;
        int length = g_rand_int_range(random, 0, sizeof text);
        for (int i = 0; i < length; i++)
            text[i] = alphabet[g_rand_int_range(random, 0, sizeof alphabet - 1)];
        text[length] = '\0';
        locality *set = locality_parse(text, &error);
        CU_ASSERT((set == NULL) == (error != NULL));
        locality_free(set);
        g_free(error);
    }
    g_rand_free(random);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;

    CU_TestInfo tests[] = {
        {"examples of the header", test_examples_of_the_header},
        {"private ranges", test_private_ranges},
        {"IPv6", test_ipv6},
        {"only one address is broadcast", test_only_one_address_is_broadcast},
        {"multicast is no end", test_multicast_is_no_end},
        {"unspecified needs a partner here", test_unspecified_needs_a_partner_here},
        {"edges of prefixes", test_edges_of_prefixes},
        {"lengths about the middle", test_lengths_about_the_middle_of_an_address},
        {"IPv4 and IPv6 are apart", test_ipv4_and_ipv6_are_apart},
        {"prefixes inside others", test_prefixes_inside_others},
        {"the empty list", test_the_empty_list},
        {"other lengths are nowhere", test_other_lengths_are_nowhere},
        {"bad parts are named", test_bad_parts_are_named},
        {"a slow second opinion", test_against_a_slow_second_opinion},
        {"any text is a list or an error", test_any_text_is_a_list_or_an_error},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"locality", make_defaults, free_defaults, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    if (CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
