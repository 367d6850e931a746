/*
 * test_siphash.c - plugin/record/siphash.c against published and independent values
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Expected values: the 64 published test vectors of SipHash-2-4, reproduced with another
 * implementation: `openssl mac -macopt hexkey:00..0f -macopt size:8 -in FILE SIPHASH`.
 */
#include "siphash.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

/* vectors[n] is the hash of the n bytes 00 01 02 … under the key 00 01 … 0f. */
static const uint64_t vectors[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
    0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
    0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
    0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
    0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
    0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
    0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
    0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
    0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
    0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
    0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

static uint8_t key[SIPHASH_KEY_BYTES];
static uint8_t message[256];

static int fill_key_and_message(void)
{
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    return 0;
}

static void test_worked_example_of_the_header(void)
{
    CU_ASSERT_EQUAL(siphash_24(key, message, 15), 0xa129ca6149be45e5);
}

static void test_all_published_vectors(void)
{
    for (size_t length = 0; length < 64; length++)
        CU_ASSERT_EQUAL(siphash_24(key, message, length), vectors[length]);
}

static void test_no_data_may_be_null(void)
{
    CU_ASSERT_EQUAL(siphash_24(key, NULL, 0), vectors[0]);
}

static void test_alignment_of_data_and_key_does_not_matter(void)
{
    uint8_t buffer[64 + 8];
    uint8_t moved_key[SIPHASH_KEY_BYTES + 8];

    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(buffer + shift, message, 64);
        memcpy(moved_key + shift, key, sizeof key);
        for (size_t length = 0; length < 64; length++)
            CU_ASSERT_EQUAL(siphash_24(moved_key + shift, buffer + shift, length), vectors[length]);
    }
}

/* Each message fills its block exactly: AddressSanitizer and valgrind see a byte too many. */
static void test_reads_no_byte_beyond_the_data(void)
{
    for (size_t length = 1; length < 64; length++) {
        uint8_t *exact = malloc(length);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, message, length);
        CU_ASSERT_EQUAL(siphash_24(key, exact, length), vectors[length]);
        free(exact);
    }
}

static void test_every_bit_of_the_key_counts(void)
{
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        uint8_t other[SIPHASH_KEY_BYTES];
        memcpy(other, key, sizeof key);
        other[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        CU_ASSERT_NOT_EQUAL(siphash_24(other, message, 15), vectors[15]);
    }
}

static void test_every_bit_of_the_message_counts(void)
{
    uint64_t expected = siphash_24(key, message, 64);

    for (size_t bit = 0; bit < 64 * 8; bit++) {
        message[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        CU_ASSERT_NOT_EQUAL(siphash_24(key, message, 64), expected);
        message[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
}

/* Values from openssl: lengths about 256, where the length byte of the last word wraps. */
static void test_long_messages(void)
{
    static uint8_t big[1500];

    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)i;
    CU_ASSERT_EQUAL(siphash_24(key, big, 255), 0xa9c169fec74db21a);
    CU_ASSERT_EQUAL(siphash_24(key, big, 256), 0x999d0526d2a7bfd7);
    CU_ASSERT_EQUAL(siphash_24(key, big, 257), 0x8a817b8d55b29748);
    CU_ASSERT_EQUAL(siphash_24(key, big, 1460), 0x97aaae0081fabb9c);
    CU_ASSERT_EQUAL(siphash_24(key, big, 1500), 0xb15522cf08ed635f);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;

    CU_TestInfo tests[] = {
        {"worked example of the header", test_worked_example_of_the_header},
        {"all 64 published vectors", test_all_published_vectors},
        {"no data may be NULL", test_no_data_may_be_null},
        {"alignment does not matter", test_alignment_of_data_and_key_does_not_matter},
        {"reads no byte beyond the data", test_reads_no_byte_beyond_the_data},
        {"every bit of the key counts", test_every_bit_of_the_key_counts},
        {"every bit of the message counts", test_every_bit_of_the_message_counts},
        {"long messages", test_long_messages},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"siphash", fill_key_and_message, NULL, NULL, NULL, tests},
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
