/* fuzz_output.c
 * Cells of any type and text in every format.  JSON is read back by jansson, CSV by a reader of RFC
 * 4180 below, and both have what was written; a table moves no cursor.
 *
 * The input: a byte for the number of columns, then for each cell a byte for its type and its
 * value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz.h"

#include "output.h"

#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <unistd.h>

enum { COLUMNS_MAX = 4, ROWS_MAX = 40 };

static const struct output_column columns[COLUMNS_MAX] = {
    {"a", "\033[2JA", OUTPUT_ANY, OUTPUT_FOR_ALL},
    {"b,\"", "B", OUTPUT_ANY, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    {"c\r\n", "C", OUTPUT_ANY, OUTPUT_FOR_ALL, OUTPUT_WRAP_WORDS},
    {"d", "D", OUTPUT_ANY, OUTPUT_FOR_ALL},
};

static char *path;

static void remove_file(void)
{
    unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    FUZZ_CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL);
    int file = g_file_open_tmp("fieldedge-fuzz-XXXXXX", &path, NULL);
    FUZZ_CHECK(file >= 0);
    close(file);
    atexit(remove_file);
    return 0;
}

struct rows {
    size_t columns, count;
    struct output_value cells[ROWS_MAX][COLUMNS_MAX];
};

static size_t take_cell(struct output_value *cell, const uint8_t *data, size_t size)
{
    size_t length = size > 1 ? MIN(data[1] & 63, size - 2) : 0;
    g_autofree char *text = NULL;
    guint64 bits = 0;

    *cell = (struct output_value){.is_null = true};
    if (size < 10)
        return size;
    memcpy(&bits, data + 1, sizeof bits);
    switch (data[0] & 3) {
    case 0:
        cell->type = OUTPUT_COUNT;
        cell->number = (gint64)bits;
        break;
    case 1:
        cell->type = OUTPUT_REAL;
        memcpy(&cell->real, &bits, sizeof bits);
        break;
    case 2:
        cell->type = OUTPUT_TEXT;
        text = g_strndup((const char *)data + 2, length);
        cell->text = g_utf8_make_valid(text, -1);
        cell->is_null = false;
        return 2 + length;
    default:
        return 1;
    }
    cell->is_null = false;
    return 9;
}

static void write_file(enum output_format format, const struct rows *rows)
{
    GError *error = NULL;
    struct output *output = output_open(format, path, &error);

    FUZZ_CHECK(output != NULL);
    output_table_begin(output, NULL, NULL, columns, rows->columns);
    for (size_t i = 0; i < rows->count; i++)
        output_row(output, rows->cells[i]);
    output_table_end(output);
    FUZZ_CHECK(output_close(output, &error));
}

static char *read_file(enum output_format format, const struct rows *rows)
{
    char *text = NULL;

    write_file(format, rows);
    FUZZ_CHECK(g_file_get_contents(path, &text, NULL, NULL));
    FUZZ_CHECK(g_utf8_validate(text, -1, NULL));
    return text;
}

static bool has_nothing(const struct output_value *cell)
{
    return cell->is_null || (cell->type == OUTPUT_REAL && !isfinite(cell->real));
}

/* ---- JSON ---- */

static void check_member(const json_t *member, const struct output_value *cell)
{
    FUZZ_CHECK(member != NULL);
    if (has_nothing(cell))
        FUZZ_CHECK(json_is_null(member));
    else if (cell->type == OUTPUT_TEXT)
        FUZZ_CHECK(strcmp(json_string_value(member), cell->text) == 0);
    else if (cell->type == OUTPUT_COUNT)
        FUZZ_CHECK(json_is_integer(member) && json_integer_value(member) == cell->number);
    else
        FUZZ_CHECK(json_number_value(member) == cell->real);
}

static void check_object(const json_t *object, const struct rows *rows, size_t row)
{
    FUZZ_CHECK(json_object_size(object) == rows->columns);
    for (size_t i = 0; i < rows->columns; i++)
        check_member(json_object_get(object, columns[i].key), &rows->cells[row][i]);
}

static void check_json(const struct rows *rows)
{
    g_autofree char *text = read_file(OUTPUT_JSON, rows);
    json_t *array = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    FUZZ_CHECK(json_is_array(array) && json_array_size(array) == rows->count);
    for (size_t i = 0; i < rows->count; i++)
        check_object(json_array_get(array, i), rows, i);
    json_decref(array);
}

static void check_lines(const struct rows *rows)
{
    g_autofree char *text = read_file(OUTPUT_JSONL, rows);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    FUZZ_CHECK(g_strv_length(lines) == (rows->count == 0 ? 0 : rows->count + 1));
    for (size_t i = 0; i < rows->count; i++) {
        json_t *object = json_loads(lines[i], JSON_REJECT_DUPLICATES, NULL);
        check_object(object, rows, i);
        json_decref(object);
    }
}

/* ---- CSV ---- */

/* The next field of RFC 4180; *at goes behind its comma or the end of its line. */
static char *next_field(const char **at)
{
    GString *field = g_string_new(NULL);
    bool is_quoted = **at == '"';

    *at += is_quoted;
    for (; **at != '\0'; (*at)++) {
        if (is_quoted && (*at)[0] == '"' && (*at)[1] == '"')
            (*at)++;
        else if (is_quoted ? **at == '"' : **at == ',' || **at == '\r')
            break;
        g_string_append_c(field, **at);
    }
    *at += is_quoted;
    FUZZ_CHECK(**at == ',' || ((*at)[0] == '\r' && (*at)[1] == '\n'));
    *at += **at == ',' ? 1 : 2;
    return g_string_free(field, FALSE);
}

static void check_csv(const struct rows *rows)
{
    g_autofree char *text = read_file(OUTPUT_CSV, rows);
    const char *at = text;

    for (size_t i = 0; i < rows->columns; i++) {
        g_autofree char *key = next_field(&at);
        FUZZ_CHECK(strcmp(key, columns[i].key) == 0);
    }
    for (size_t i = 0; i < rows->count; i++) {
        for (size_t k = 0; k < rows->columns; k++) {
            const struct output_value *cell = &rows->cells[i][k];
            g_autofree char *field = next_field(&at);
            if (has_nothing(cell))
                FUZZ_CHECK(*field == '\0');
            else if (cell->type == OUTPUT_TEXT)
                FUZZ_CHECK(strcmp(field, cell->text) == 0);
            else if (cell->type == OUTPUT_COUNT)
                FUZZ_CHECK(g_ascii_strtoll(field, NULL, 10) == cell->number);
            else
                FUZZ_CHECK(g_ascii_strtod(field, NULL) == cell->real);
        }
    }
    FUZZ_CHECK(*at == '\0');
}

/* ---- Tables ---- */

static void check_table(const struct rows *rows)
{
    g_autofree char *text = read_file(OUTPUT_TABLE, rows);

    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        GUnicodeType type = g_unichar_type(g_utf8_get_char(at));
        FUZZ_CHECK(*at == '\n' || (type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rows rows = {.columns = 1};

    if (size == 0)
        return 0;
    rows.columns = 1 + data[0] % COLUMNS_MAX;
    data++, size--;
    while (size > 0 && rows.count < ROWS_MAX) {
        for (size_t i = 0; i < rows.columns; i++) {
            size_t taken = take_cell(&rows.cells[rows.count][i], data, size);
            data += taken, size -= taken;
        }
        rows.count++;
    }
    check_json(&rows);
    check_lines(&rows);
    check_csv(&rows);
    check_table(&rows);
    for (size_t i = 0; i < rows.count * COLUMNS_MAX; i++)
        g_free((char *)rows.cells[i / COLUMNS_MAX][i % COLUMNS_MAX].text);
    return 0;
}
