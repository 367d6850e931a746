/* test_ip_header.c: an IP header found by its addresses (plugin/record/ip_header.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/ip_header.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

enum { ETHERNET = 14, FRAME = 120 };
static const struct packet_address site = {4, {10, 0, 0, 1}}, server = {4, {8, 8, 8, 8}};
static const struct packet_address site6 = {16, {0x20, 1, 0xd, 0xb8, [15] = 1}},
                                   server6 = {16, {0x20, 1, 0xd, 0xb8, [15] = 2}};

static void put_v4(uint8_t *at, uint16_t bytes, uint8_t words)
{
    at[0] = (uint8_t)(0x40 | words);
    at[2] = (uint8_t)(bytes >> 8);
    at[3] = (uint8_t)bytes;
    at[6] = 0x20;
    at[9] = 17;
    memcpy(at + 12, site.bytes, 4);
    memcpy(at + 16, server.bytes, 4);
}

static void test_worked_example(void)
{
    uint8_t frame[FRAME] = {0};
    struct ip_header header;
    put_v4(frame + ETHERNET, 60, 5);
    CU_ASSERT_TRUE(ip_header_find(&header, frame, sizeof frame, &site, &server, 60));
    CU_ASSERT_EQUAL(header.offset, ETHERNET);
    CU_ASSERT_EQUAL(header.header_bytes, 20);
    CU_ASSERT_EQUAL(header.ip_bytes, 60);
    CU_ASSERT_EQUAL(header.protocol, 17);
    CU_ASSERT_EQUAL(header.fragment_bits, 0x2000);
    CU_ASSERT_FALSE(ip_header_find(&header, frame, sizeof frame, &server, &site, 60));
    CU_ASSERT_FALSE(ip_header_find(&header, frame, sizeof frame, &site, &server, 61));
    CU_ASSERT_TRUE(
        ip_header_find(&header, frame, sizeof frame, &site, &server, IP_HEADER_ANY_LENGTH));
}

/* IP in IP between the same hosts: the length tells which header is meant. */
static void test_tunnel_of_equal_addresses(void)
{
    uint8_t frame[FRAME] = {0};
    struct ip_header header;
    put_v4(frame + ETHERNET, 80, 5);
    put_v4(frame + ETHERNET + 20, 60, 6);
    CU_ASSERT_TRUE(ip_header_find(&header, frame, sizeof frame, &site, &server, 60));
    CU_ASSERT_EQUAL(header.offset, ETHERNET + 20);
    CU_ASSERT_EQUAL(header.header_bytes, 24);
}

static void test_v6(void)
{
    uint8_t frame[FRAME] = {0};
    struct ip_header header;
    frame[ETHERNET] = 0x60;
    frame[ETHERNET + 5] = 24;
    frame[ETHERNET + 6] = 6;
    memcpy(frame + ETHERNET + 8, site6.bytes, 16);
    memcpy(frame + ETHERNET + 24, server6.bytes, 16);
    CU_ASSERT_TRUE(ip_header_find(&header, frame, sizeof frame, &site6, &server6, 64));
    CU_ASSERT_EQUAL(header.offset, ETHERNET);
    CU_ASSERT_EQUAL(header.header_bytes, 40);
    CU_ASSERT_EQUAL(header.protocol, 6);
    CU_ASSERT_FALSE(ip_header_find(&header, frame, sizeof frame, &site6, &server, 64));
}

/* The addresses alone are no header, and nothing is read outside the bytes given: exact heap blocks
 * for the sanitizer, at every length. */
static void test_bounds(void)
{
    uint8_t whole[FRAME] = {0};
    struct ip_header header;
    put_v4(whole + ETHERNET, 60, 5);
    for (size_t length = 0; length <= FRAME; length++) {
        uint8_t *frame = malloc(length > 0 ? length : 1);
        memcpy(frame, whole, length);
        bool found = ip_header_find(&header, frame, length, &site, &server, 60);
        CU_ASSERT_EQUAL(found, length >= ETHERNET + 20);
        found = ip_header_find(&header, frame, length, &site6, &server6, IP_HEADER_ANY_LENGTH);
        CU_ASSERT_FALSE(found);
        free(frame);
    }
    whole[ETHERNET] = 0x35;
    CU_ASSERT_FALSE(ip_header_find(&header, whole, FRAME, &site, &server, 60));
    whole[ETHERNET] = 0x44; /* a header of 16 bytes */
    CU_ASSERT_FALSE(ip_header_find(&header, whole, FRAME, &site, &server, 60));
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("ip_header", NULL, NULL);
    CU_ADD_TEST(suite, test_worked_example);
    CU_ADD_TEST(suite, test_tunnel_of_equal_addresses);
    CU_ADD_TEST(suite, test_v6);
    CU_ADD_TEST(suite, test_bounds);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
