/* test_postproc_structure.c
 * Where records and blocks begin, in files made here; the example of structure.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "capture/process_id.h"
#include "capture/structure.h"

#include <CUnit/Basic.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WHOLE = 100000 };

static GByteArray *bytes;
static gboolean is_swapped;

static void put(guint32 value)
{
    if (is_swapped)
        value = GUINT32_SWAP_LE_BE(value);
    g_byte_array_append(bytes, (guint8 *)&value, sizeof value);
}

static void put_zeros(guint count)
{
    g_byte_array_set_size(bytes, bytes->len + count);
    memset(bytes->data + bytes->len - count, 0, count);
}

static void begin_pcap(guint32 magic, guint32 link)
{
    g_byte_array_set_size(bytes, 0);
    put(magic);
    put_zeros(16);
    put(link);
}

static void put_record(guint32 length)
{
    put_zeros(8);
    put(length);
    put(length);
    put_zeros(length);
}

static void put_block(guint32 type, guint32 body)
{
    put(type);
    put(body + 12);
    put_zeros(body);
    put(body + 12);
}

static void begin_section(void)
{
    put(0x0A0D0D0A);
    put(28);
    put(0x1A2B3C4D);
    put_zeros(12);
    put(28);
}

static struct structure walk(gint64 limit)
{
    struct structure structure;
    int file = memfd_create("test", 0);

    CU_ASSERT_EQUAL_FATAL(write(file, bytes->data, bytes->len), (gssize)bytes->len);
    structure_walk(file, limit, &structure);
    close(file);
    return structure;
}

static void check(gint64 limit, enum structure_kind kind, gint64 packets, gint64 offset)
{
    struct structure structure = walk(limit);

    CU_ASSERT_EQUAL(structure.kind, kind);
    CU_ASSERT_EQUAL(structure.packets, packets);
    CU_ASSERT_EQUAL(structure.offset, offset);
    CU_ASSERT_EQUAL(structure.size, bytes->len);
}

static void test_example(void)
{
    begin_pcap(0xA1B2C3D4, 1);
    put_record(60);
    put_record(100);
    check(WHOLE, STRUCTURE_PCAP, 2, 216);
    g_byte_array_set_size(bytes, bytes->len - 30);
    check(WHOLE, STRUCTURE_PCAP, 1, 100);
    check(1, STRUCTURE_PCAP, 1, 100);
    check(0, STRUCTURE_PCAP, 0, 24);
}

static void test_every_cut(void)
{
    begin_pcap(0xA1B23C4D, 1);
    put_record(3);
    put_record(0);
    for (guint size = bytes->len; size > 0; size--) {
        g_byte_array_set_size(bytes, size);
        if (size < 24)
            check(WHOLE, STRUCTURE_OTHER, 0, 0);
        else
            check(WHOLE, STRUCTURE_PCAP, size >= 59 ? 2 : size >= 43,
                  size >= 59   ? 59
                  : size >= 43 ? 43
                               : 24);
    }
    g_byte_array_set_size(bytes, 0);
    check(WHOLE, STRUCTURE_OTHER, 0, 0);
}

static void test_swapped(void)
{
    is_swapped = TRUE;
    begin_pcap(0xA1B23C4D, 1);
    put_record(0x0102);
    check(WHOLE, STRUCTURE_PCAP, 1, 24 + 16 + 0x0102);
    CU_ASSERT_TRUE(walk(WHOLE).is_nanosecond);
    g_byte_array_set_size(bytes, 0);
    begin_section();
    put_block(6, 20);
    check(WHOLE, STRUCTURE_PCAPNG, 1, 60);
    is_swapped = FALSE;
}

static void test_impossible_length(void)
{
    begin_pcap(0xA1B2C3D4, 1);
    put_record(4);
    put_zeros(8);
    put(0x7FFFFFFF);
    put_zeros(400000);
    check(WHOLE, STRUCTURE_PCAP, 1, 44);
    CU_ASSERT_TRUE(walk(WHOLE).is_impossible);

    begin_pcap(0xA1B2C3D4, 1);
    put_record(300000);
    check(WHOLE, STRUCTURE_PCAP, 0, 24);
    begin_pcap(0xA1B2C3D4, 231); /* D-Bus may have long ones */
    put_record(300000);
    check(WHOLE, STRUCTURE_PCAP, 1, 300040);
}

static void test_pcapng(void)
{
    g_byte_array_set_size(bytes, 0);
    begin_section();
    put_block(1, 8);  /* 28: an interface */
    put_block(6, 32); /* 48: a packet */
    put_block(5, 12); /* 92: statistics */
    put_block(3, 8);  /* 116: a simple packet */
    check(WHOLE, STRUCTURE_PCAPNG, 2, 136);
    check(1, STRUCTURE_PCAPNG, 1, 116);
    begin_section(); /* another byte order may begin here */
    is_swapped = TRUE;
    begin_section();
    put_block(2, 20);
    is_swapped = FALSE;
    check(WHOLE, STRUCTURE_PCAPNG, 3, 136 + 28 + 28 + 32);
    g_byte_array_set_size(bytes, bytes->len - 1);
    check(WHOLE, STRUCTURE_PCAPNG, 2, 136 + 28 + 28);
}

static void test_pcapng_damage(void)
{
    static const guint32 lengths[] = {0, 4, 11, 33, 0xFFFFFFFF, 1000};

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_byte_array_set_size(bytes, 0);
        begin_section();
        put_block(6, 20);
        memcpy(bytes->data + 32, &lengths[i], 4);
        check(WHOLE, STRUCTURE_PCAPNG, 0, 28);
    }
    g_byte_array_set_size(bytes, 0);
    begin_section();
    put_block(6, 20);
    bytes->data[bytes->len - 1] ^= 1; /* the second length is another one */
    check(WHOLE, STRUCTURE_PCAPNG, 0, 28);
}

/* Headers that lie across the pieces that are read. */
static void test_large(void)
{
    gint64 offset = 24;

    begin_pcap(0xA1B2C3D4, 1);
    for (guint i = 0; i < 3000; i++) {
        put_record(i % 997);
        offset += 16 + i % 997;
    }
    check(WHOLE, STRUCTURE_PCAP, 3000, offset);
}

static void test_other(void)
{
    static const char *const texts[] = {"", "x", "hello world, this is no capture", "\x1f\x8b\x08"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_byte_array_set_size(bytes, 0);
        g_byte_array_append(bytes, (const guint8 *)texts[i], (guint)strlen(texts[i]));
        check(WHOLE, STRUCTURE_OTHER, 0, 0);
    }
}

static void test_process_id(void)
{
    struct process_id own, other;
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    CU_ASSERT_TRUE(process_id_of(getpid(), &own));
    CU_ASSERT_TRUE(process_id_is_alive(&own));
    CU_ASSERT_TRUE(process_id_of(child, &other));
    CU_ASSERT_TRUE(process_id_is_alive(&other));
    other.start_ticks++;
    CU_ASSERT_FALSE(process_id_is_alive(&other));
    CU_ASSERT_EQUAL(process_id_open(&other), -1);
    other.start_ticks--;
    int file = process_id_open(&other);
    CU_ASSERT_TRUE(file >= 0);
    close(file);
    kill(child, SIGKILL);
    waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT);
    CU_ASSERT_FALSE(process_id_is_alive(&other)); /* a zombie is gone */
    waitpid(child, NULL, 0);
    CU_ASSERT_FALSE(process_id_is_alive(&other));
    CU_ASSERT_FALSE(process_id_of(child, &other));
    own.boot[0] = '?';
    CU_ASSERT_FALSE(process_id_is_alive(&own));
    CU_ASSERT_TRUE(process_id_is_of_other_boot(&own));
}

int main(void)
{
    CU_pSuite suite;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    bytes = g_byte_array_new();
    suite = CU_add_suite("structure", NULL, NULL);
    CU_ADD_TEST(suite, test_example);
    CU_ADD_TEST(suite, test_every_cut);
    CU_ADD_TEST(suite, test_swapped);
    CU_ADD_TEST(suite, test_impossible_length);
    CU_ADD_TEST(suite, test_pcapng);
    CU_ADD_TEST(suite, test_pcapng_damage);
    CU_ADD_TEST(suite, test_large);
    CU_ADD_TEST(suite, test_other);
    CU_ADD_TEST(suite, test_process_id);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    g_byte_array_unref(bytes);
    return failures != 0;
}
