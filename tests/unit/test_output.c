/* test_output.c: rows in every format, their order, bars and sparklines
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "output.h"

#include <CUnit/Basic.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static char *path; /* what the outputs write to */

static struct output *open_output(enum output_format format, const char *sort, guint64 top,
                                  const struct output_column *columns, size_t count)
{
    struct output *output = output_open(format, path, NULL);
    struct output_order order = {.top = top};

    CU_ASSERT_PTR_NOT_NULL_FATAL(output);
    if (sort != NULL)
        CU_ASSERT_TRUE_FATAL(output_parse_sort(sort, columns, count, &order, NULL));
    output_set_order(output, &order);
    return output;
}

static char *close_output(struct output *output)
{
    char *text = NULL;

    CU_ASSERT_TRUE(output_close(output, NULL));
    CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* ---- Order ---- */

static const struct output_column row_columns[] = {
    {"name", "Name", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"size", "Size", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"hidden", NULL, OUTPUT_REAL, OUTPUT_FOR_DOCUMENTS},
};

/* A null at "e"; "b" and "d" are equal. */
static void write_rows(struct output *output)
{
    static const struct output_value rows[][3] = {
        {{.text = "a"}, {.number = 5}, {.real = 0.5}},
        {{.text = "B"}, {.number = 9}, {.real = -1}},
        {{.text = "d"}, {.number = 7}, {.real = 2e9}},
        {{.text = "e"}, {.is_null = true}, {.real = NAN}},
        {{.text = "b"}, {.number = 7}, {.real = 1}},
        {{.text = NULL}, {.number = 1}, {.real = 0}},
    };

    output_table_begin(output, "rows", NULL, row_columns, G_N_ELEMENTS(row_columns));
    for (size_t i = 0; i < G_N_ELEMENTS(rows) && !output_done(output); i++)
        output_row(output, rows[i]);
    output_table_end(output);
}

static void check_names(const char *sort, guint64 top, const char *expected)
{
    struct output *output =
        open_output(OUTPUT_CSV, sort, top, row_columns, G_N_ELEMENTS(row_columns));
    write_rows(output);
    g_autofree char *text = close_output(output);
    g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
    g_autoptr(GString) names = g_string_new(NULL);

    for (size_t i = 1; lines[i] != NULL && *lines[i] != '\0'; i++)
        g_string_append_c(names, *lines[i] == ',' ? '-' : *lines[i]);
    if (strcmp(names->str, expected) != 0)
        printf("--sort %s --top %d: %s\n", sort, (int)top, names->str);
    CU_ASSERT_STRING_EQUAL(names->str, expected);
}

static void test_order(void)
{
    check_names(NULL, 0, "aBdeb-");
    check_names("size", 0, "Bdba-e");
    check_names("size:asc", 0, "-adbBe");
    check_names("name", 0, "Babde-");
    check_names("name:desc", 0, "edbaB-");
    check_names("hidden", 0, "dba-Be");
}

static void test_top(void)
{
    check_names(NULL, 2, "aB");
    check_names("size", 1, "B");
    check_names("size", 2, "Bd");
    check_names("size", 3, "Bdb");
    check_names("size:asc", 2, "-a");
    check_names("size", 6, "Bdba-e");
    check_names("size", 100, "Bdba-e");
}

static int compare_descending(const void *left, const void *right)
{
    gint64 a = *(const gint64 *)left, b = *(const gint64 *)right;

    return a != b ? (a < b ? 1 : -1) : 0;
}

/* The heap against qsort, which is told of ties by the number of the row in the low digits. */
static void test_heap(void)
{
    enum { ROWS = 5000, TOP = 37 };
    static const struct output_column columns[] = {{"key", NULL, OUTPUT_COUNT, OUTPUT_FOR_ALL},
                                                   {"row", NULL, OUTPUT_COUNT, OUTPUT_FOR_ALL}};
    struct output *output = open_output(OUTPUT_CSV, "key", TOP, columns, 2);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    static gint64 keys[ROWS];

    output_table_begin(output, NULL, NULL, columns, 2);
    for (int i = 0; i < ROWS; i++) {
        int key = g_rand_int_range(random, 0, 300);
        keys[i] = (gint64)key * ROWS + (ROWS - 1 - i);
        output_row(output, (struct output_value[]){{.number = key}, {.number = i}});
    }
    output_table_end(output);
    qsort(keys, ROWS, sizeof *keys, compare_descending);

    g_autofree char *text = close_output(output);
    g_autoptr(GString) expected = g_string_new("key,row\r\n");
    for (int i = 0; i < TOP; i++)
        g_string_append_printf(expected, "%d,%d\r\n", (int)(keys[i] / ROWS),
                               (int)(ROWS - 1 - keys[i] % ROWS));
    CU_ASSERT_STRING_EQUAL(text, expected->str);
}

static void test_order_of_one_table(void)
{
    struct output *output = output_open(OUTPUT_JSONL, path, NULL);
    const struct output_order order = {
        .table = "second", .column = "n", .is_descending = true, .top = 1};
    static const struct output_column column = {"n", "N", OUTPUT_COUNT, OUTPUT_FOR_ALL};

    output_set_order(output, &order);
    output_group_begin(output);
    for (int table = 0; table < 2; table++) {
        output_table_begin(output, table == 0 ? "first" : "second", "T", &column, 1);
        for (int i = 1; i <= 2 && !output_done(output); i++)
            output_row(output, &(struct output_value){.number = i});
        output_table_end(output);
    }
    output_group_end(output);
    g_autofree char *text = close_output(output);
    CU_ASSERT_STRING_EQUAL(text, "{\"section\": \"first\", \"n\": 1}\n"
                                 "{\"section\": \"first\", \"n\": 2}\n"
                                 "{\"section\": \"second\", \"n\": 2}\n");
}

static void check_refusal(const char *sort, int code, const char *expected)
{
    struct output_order order = {0};
    g_autoptr(GError) error = NULL;

    CU_ASSERT_FALSE(
        output_parse_sort(sort, row_columns, G_N_ELEMENTS(row_columns), &order, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(error->code, code);
    CU_ASSERT_STRING_EQUAL(error->message, expected);
}

static void test_sort_is_checked(void)
{
    const int no_column = G_OPTION_ERROR_UNKNOWN_OPTION, no_direction = G_OPTION_ERROR_BAD_VALUE;
    struct output_order order = {0};

    check_refusal("nmae", no_column, "there is no column 'nmae' to sort by");
    check_refusal("Size:asc", no_column, "there is no column 'Size' to sort by");
    check_refusal("", no_column, "there is no column '' to sort by");
    check_refusal(":asc", no_column, "there is no column '' to sort by");
    check_refusal("name:down", no_direction,
                  "there is no direction 'down' to sort in: choose asc or desc");
    check_refusal("name:", no_direction, "there is no direction '' to sort in: choose asc or desc");
    CU_ASSERT_TRUE(output_parse_sort("size", row_columns, 3, &order, NULL));
    CU_ASSERT_TRUE(order.is_descending);
    CU_ASSERT_TRUE(output_parse_sort("name", row_columns, 3, &order, NULL));
    CU_ASSERT_FALSE(order.is_descending);
}

/* Nested columns are none, and a key that two readers share is there once. */
static void test_sort_keys(void)
{
    static const struct output_column columns[] = {
        {"list", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
        {"name", NULL, OUTPUT_NESTED, OUTPUT_FOR_DOCUMENTS},
        {NULL, "Name", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE},
        {"name", NULL, OUTPUT_TEXT, OUTPUT_FOR_RECORDS},
        {"size", NULL, OUTPUT_BYTES, OUTPUT_FOR_DOCUMENTS},
        {"size", "Size", OUTPUT_BYTES, OUTPUT_FOR_PEOPLE},
        {"spark", "Spark", OUTPUT_SPARK, OUTPUT_FOR_ALL},
    };
    g_auto(GStrv) keys = output_sort_keys(columns, G_N_ELEMENTS(columns));
    g_autofree char *text = g_strjoinv(" ", keys);

    CU_ASSERT_STRING_EQUAL(text, "name size");
}

/* ---- Formats ---- */

static const struct output_column all_columns[] = {
    {"text", "Text", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"list", "List", OUTPUT_NESTED, OUTPUT_FOR_ALL},
    {"real", "Real", OUTPUT_REAL, OUTPUT_FOR_ALL},
    {"bar", "Bar", OUTPUT_BAR, OUTPUT_FOR_ALL},
    {"spark", "Spark", OUTPUT_SPARK, OUTPUT_FOR_ALL},
    {"wide", "Wide", OUTPUT_FLAG, OUTPUT_FOR_WIDE},
};

static void write_all(struct output *output)
{
    static const double points[] = {0, 1, 4, 8};
    g_autoptr(output_fragment) list = output_fragment_new();

    output_table_begin(output, NULL, NULL, all_columns, G_N_ELEMENTS(all_columns));
    for (int i = 0; i < 2; i++) {
        output_fragment_reset(list);
        output_json_begin(list, '{');
        output_json_key(list, "a\"b");
        output_json_begin(list, '[');
        output_json_text(list, "\x1b\n\\");
        output_json_seconds(list, -1);
        output_json_real(list, INFINITY);
        output_json_end(list);
        output_json_key(list, "c");
        output_json_begin(list, '{');
        output_json_end(list);
        output_json_end(list);
        const struct output_value values[G_N_ELEMENTS(all_columns)] = {
            {.text = "x"},  {.text = output_fragment_text(list)}, {.real = 0.1 + i * 1234.5},
            {.share = 0.5}, {.points = points, .count = 4 * !i},  {.is_null = true}};
        output_row(output, values);
    }
    output_table_end(output);
}

#define LIST "{\"a\\\"b\": [\"\\u001B\\n\\\\\", -0.000000001, null], \"c\": {}}"

static char *format(enum output_format format, const char *sort)
{
    struct output *output = open_output(format, sort, 0, all_columns, G_N_ELEMENTS(all_columns));
    write_all(output);
    return close_output(output);
}

static void test_formats(void)
{
    g_autofree char *json = format(OUTPUT_JSON, NULL), *jsonl = format(OUTPUT_JSONL, NULL);
    g_autofree char *csv = format(OUTPUT_CSV, NULL), *sorted = format(OUTPUT_JSONL, "real");
    const char *first = "{\"text\": \"x\", \"list\": " LIST ", \"real\": 0.1, \"bar\": 0.500000, "
                        "\"spark\": [0, 1, 4, 8]}\n";
    const char *second = "{\"text\": \"x\", \"list\": " LIST ", \"real\": 1234.6, "
                         "\"bar\": 0.500000, \"spark\": []}\n";
    g_autofree char *in_order = g_strconcat(first, second, NULL);
    g_autofree char *reversed = g_strconcat(second, first, NULL);

    CU_ASSERT_STRING_EQUAL(jsonl, in_order);
    CU_ASSERT_STRING_EQUAL(sorted, reversed);
    CU_ASSERT_STRING_EQUAL(csv, "text,real,bar\r\nx,0.1,0.500000\r\nx,1234.6,0.500000\r\n");
    CU_ASSERT_STRING_EQUAL(json, "[\n{\n\"text\": \"x\",\n\"list\": " LIST ",\n\"real\": 0.1,\n"
                                 "\"bar\": 0.500000,\n\"spark\": [0, 1, 4, 8]\n},\n"
                                 "{\n\"text\": \"x\",\n\"list\": " LIST ",\n\"real\": 1234.6,\n"
                                 "\"bar\": 0.500000,\n\"spark\": []\n}\n]\n");
}

static void test_table(void)
{
    g_autofree char *table = format(OUTPUT_TABLE, NULL);
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);

    CU_ASSERT_STRING_EQUAL(lines[0], "Text Real Bar        Spark");
    CU_ASSERT_STRING_EQUAL(lines[1], "x     0.1 ██████████ ▁▂▅█");
    CU_ASSERT_STRING_EQUAL(lines[2], "x    1235 ██████████ ");
}

/* ---- Texts ---- */

static void check_bar(double share, size_t width, const char *blocks, const char *ascii)
{
    g_autofree char *drawn = output_bar(share, width, true),
                    *plain = output_bar(share, width, false);

    CU_ASSERT_STRING_EQUAL(drawn, blocks);
    CU_ASSERT_STRING_EQUAL(plain, ascii);
}

static void test_bars(void)
{
    check_bar(0.5, 5, "██▌", "##+");
    check_bar(0, 5, "", "");
    check_bar(1e-9, 5, "▏", "+");
    check_bar(1, 5, "█████", "#####");
    check_bar(7, 5, "█████", "#####");
    check_bar(-1, 5, "", "");
    check_bar(0.1875, 2, "▍", "+");
}

static void check_spark(const double *points, size_t count, double top, const char *blocks,
                        const char *ascii)
{
    g_autofree char *drawn = output_spark(points, count, top, true);
    g_autofree char *plain = output_spark(points, count, top, false);

    CU_ASSERT_STRING_EQUAL(drawn, blocks);
    CU_ASSERT_STRING_EQUAL(plain, ascii);
}

static void test_sparks(void)
{
    check_spark((double[]){0, 1, 4, 8}, 4, 8, "▁▂▅█", "_.=#");
    check_spark((double[]){0, 1, 4, 8}, 4, 0, "▁▂▅█", "_.=#");
    check_spark((double[]){0, 1e-9, 1, 2, 3, 4, 5, 6, 7, 99}, 10, 7, "▁▂▂▃▄▅▆▇██", "_..:-=+*##");
    check_spark((double[]){0, 0}, 2, 0, "▁▁", "__");
    check_spark(NULL, 0, 0, "", "");
}

static void check_real(double real, const char *expected)
{
    char text[OUTPUT_NUMBER_SIZE];

    output_real(text, real);
    CU_ASSERT_STRING_EQUAL(text, expected);
    CU_ASSERT_EQUAL(g_ascii_strtod(text, NULL), real);
}

static void test_reals(void)
{
    check_real(0.1, "0.1");
    check_real(0.1 + 0.2, "0.30000000000000004");
    check_real(5, "5");
    check_real(-0.0625, "-0.0625");
    check_real(1.0 / 3, "0.3333333333333333");
    check_real(1e300, "1e+300");
    check_real(5e-324, "5e-324");
    check_real(9007199254740993.0, "9007199254740992");
}

static void test_colour(void)
{
    static const struct output_column column = {"n", "Bad", OUTPUT_COUNT, OUTPUT_FOR_ALL,
                                                .mark = OUTPUT_FAULT};
    struct output *output = output_open(OUTPUT_TABLE, path, NULL);

    output_set_colour(output, OUTPUT_COLOUR_ALWAYS);
    output_table_begin(output, NULL, NULL, &column, 1);
    for (int i = 0; i < 2; i++)
        output_row(output, &(struct output_value){.number = i});
    output_table_end(output);
    g_autofree char *text = close_output(output);
    CU_ASSERT_STRING_EQUAL(text, "\033[1mBad\033[0m\n  0\n\033[31m  1\033[0m\n");
}

int main(void)
{
    g_autofree char *folder = g_dir_make_tmp("fieldedge-test-XXXXXX", NULL);
    guint failures;

    path = g_build_filename(folder, "out", NULL);
    if (setlocale(LC_ALL, "C.UTF-8") == NULL || CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite("output", NULL, NULL);
    CU_ADD_TEST(suite, test_order);
    CU_ADD_TEST(suite, test_top);
    CU_ADD_TEST(suite, test_heap);
    CU_ADD_TEST(suite, test_order_of_one_table);
    CU_ADD_TEST(suite, test_sort_is_checked);
    CU_ADD_TEST(suite, test_sort_keys);
    CU_ADD_TEST(suite, test_formats);
    CU_ADD_TEST(suite, test_table);
    CU_ADD_TEST(suite, test_bars);
    CU_ADD_TEST(suite, test_sparks);
    CU_ADD_TEST(suite, test_reals);
    CU_ADD_TEST(suite, test_colour);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    return failures == 0 ? 0 : 1;
}
