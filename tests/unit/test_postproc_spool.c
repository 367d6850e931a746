/* test_postproc_spool.c: streams in memory and in the file, against plain arrays
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "spool.h"

#include <string.h>

static void check(struct spool *spool, guint stream, const void *expected, gsize length)
{
    g_autofree guint8 *bytes = g_malloc0(length + 1);

    CU_ASSERT_EQUAL_FATAL(spool_length(spool, stream), length);
    CU_ASSERT_TRUE(spool_read(spool, stream, bytes, NULL));
    CU_ASSERT_EQUAL(memcmp(bytes, expected, length), 0);
}

/* spool.h's example */
static void test_example(void)
{
    struct spool *spool = spool_new(3, 8);

    CU_ASSERT_TRUE(spool_append(spool, 0, "aaaa", 4, NULL));
    CU_ASSERT_TRUE(spool_append(spool, 1, "bbbb", 4, NULL));
    CU_ASSERT_TRUE(spool_append(spool, 0, "cc", 2, NULL));
    CU_ASSERT_TRUE(spool_seal(spool, NULL));
    check(spool, 0, "aaaacc", 6);
    check(spool, 1, "bbbb", 4);
    check(spool, 2, "", 0);
    spool_free(spool);
}

static void check_random(gsize limit, guint32 seed)
{
    enum { STREAMS = 37 };
    g_autoptr(GRand) chance = g_rand_new_with_seed(seed);
    GByteArray *expected[STREAMS];
    struct spool *spool = spool_new(STREAMS, limit);

    for (guint i = 0; i < STREAMS; i++)
        expected[i] = g_byte_array_new();
    for (guint i = 0; i < 20000; i++) {
        guint stream = (guint)g_rand_int_range(chance, 0, STREAMS);
        guint8 bytes[200];
        guint length = (guint)g_rand_int_range(chance, 0, i % 50 == 0 ? 200 : 12);

        stream = MIN(stream, (guint)g_rand_int_range(chance, 0, STREAMS)); /* some are longer */
        for (guint k = 0; k < length; k++)
            bytes[k] = (guint8)g_rand_int(chance);
        g_byte_array_append(expected[stream], bytes, length);
        CU_ASSERT_TRUE(spool_append(spool, stream, bytes, length, NULL));
    }
    CU_ASSERT_TRUE(spool_seal(spool, NULL));
    for (guint i = 0; i < STREAMS; i++) {
        check(spool, i, expected[i]->data, expected[i]->len);
        check(spool, i, expected[i]->data, expected[i]->len); /* again */
        g_byte_array_unref(expected[i]);
    }
    spool_free(spool);
}

static void test_random_streams(void)
{
    check_random(1 << 30, 1); /* all in memory */
    check_random(5000, 2);
    check_random(1, 3); /* each to the file at once */
}

static gpointer read_one(gpointer data)
{
    struct spool *spool = data;
    guint8 bytes[1000];

    for (guint i = 0; i < 2000; i++) {
        if (!spool_read(spool, i % 4, bytes, NULL) || bytes[0] != i % 4 || bytes[999] != i % 4)
            return GINT_TO_POINTER(1);
    }
    return NULL;
}

static void test_threads_read_together(void)
{
    struct spool *spool = spool_new(4, 100);
    GThread *threads[3];

    for (guint i = 0; i < 4000; i++) {
        guint8 byte = (guint8)(i % 4);
        CU_ASSERT_TRUE(spool_append(spool, i % 4, &byte, 1, NULL));
    }
    CU_ASSERT_TRUE(spool_seal(spool, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("reader", read_one, spool);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        CU_ASSERT_PTR_NULL(g_thread_join(threads[i]));
    spool_free(spool);
}

/* The folder is looked at when memory is full, not before. */
static void test_a_folder_that_cannot_be_written(void)
{
    g_autoptr(GError) error = NULL;
    guint8 bytes[64] = {0};
    struct spool *spool;

    g_setenv("SQLITE_TMPDIR", "/nonexistent/folder", TRUE);
    spool = spool_new(1, 100);
    CU_ASSERT_TRUE(spool_append(spool, 0, bytes, sizeof bytes, &error));
    CU_ASSERT_FALSE(spool_append(spool, 0, bytes, sizeof bytes, &error));
    REQUIRE(error);
    CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS));
    CU_ASSERT(g_str_has_prefix(error->message, "/nonexistent/folder: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "TMPDIR"));
    spool_free(spool);
    g_unsetenv("SQLITE_TMPDIR");
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"example", test_example},
        {"random streams", test_random_streams},
        {"threads read together", test_threads_read_together},
        {"a folder that cannot be written", test_a_folder_that_cannot_be_written},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("spool", tests);
}
