/* json.c
 * JSON as a stream: nothing is held but the open brackets.  Also JSON lines, and fragments.
 *
 * The values of the two outermost containers stand on lines of their own, deeper ones beside each
 * other: a table has one line a row, the series one line a point.  In JSON lines and in a fragment
 * all stand on one line.  Texts are escaped by jansson.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "writer.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

enum {
    LINE_DEPTH = 2 /* containers up to this depth have a line for each value */
};

static void put_bytes(struct output *output, const char *bytes, size_t length)
{
    if (output->file == NULL)
        g_string_append_len(output->text, bytes, (gssize)length);
    else
        fwrite(bytes, 1, length, output->file);
}

static void put(struct output *output, const char *text)
{
    put_bytes(output, text, strlen(text));
}

static bool is_on_lines(const struct output *output, int depth)
{
    return output->format == OUTPUT_JSON && output->file != NULL && depth <= LINE_DEPTH;
}

/* What goes before a value or a key: nothing after a key, else the comma and the line. */
static void separate(struct output *output)
{
    int depth = output->json.depth;

    if (output->json.after_key) {
        output->json.after_key = false;
        return;
    }
    if (depth == 0)
        return;
    if (!output->json.is_empty[depth - 1])
        put(output, is_on_lines(output, depth) ? "," : ", ");
    if (is_on_lines(output, depth))
        put(output, "\n");
    output->json.is_empty[depth - 1] = false;
}

static int put_escaped(const char *bytes, size_t length, void *output)
{
    put_bytes(output, bytes, length);
    return 0;
}

static void write_text(struct output *output, const char *text)
{
    json_t *string = json_string(text);

    if (string == NULL) { /* no UTF-8: only from our own arguments, the library's texts are clean */
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        string = json_string(valid);
    }
    if (string == NULL || json_dump_callback(string, put_escaped, output, JSON_ENCODE_ANY) != 0)
        put(output, "null");
    json_decref(string);
}

void output_json_begin(struct output *output, char bracket)
{
    int depth = output->json.depth;

    g_assert(depth < JSON_DEPTH);
    separate(output);
    put_bytes(output, &bracket, 1);
    output->json.closing[depth] = bracket == '{' ? '}' : ']';
    output->json.is_empty[depth] = true;
    output->json.depth++;
}

void output_json_end(struct output *output)
{
    int depth = --output->json.depth;

    if (is_on_lines(output, depth + 1) && !output->json.is_empty[depth])
        put(output, "\n");
    put_bytes(output, &output->json.closing[depth], 1);
    if (depth == 0 && output->file != NULL)
        put(output, "\n");
}

void output_json_key(struct output *output, const char *key)
{
    separate(output);
    write_text(output, key);
    put(output, ": ");
    output->json.after_key = true;
}

void output_json_text(struct output *output, const char *text)
{
    if (text == NULL) {
        output_json_null(output);
        return;
    }
    separate(output);
    write_text(output, text);
}

void output_json_number(struct output *output, gint64 number)
{
    char text[OUTPUT_NUMBER_SIZE];

    separate(output);
    g_snprintf(text, sizeof text, "%" PRId64, number);
    put(output, text);
}

void output_json_seconds(struct output *output, gint64 ns)
{
    char text[OUTPUT_NUMBER_SIZE];
    size_t length = output_seconds(text, ns);

    separate(output);
    put_bytes(output, text, length);
}

void output_json_share(struct output *output, double share)
{
    char text[OUTPUT_NUMBER_SIZE];

    separate(output);
    put(output, g_ascii_formatd(text, sizeof text, "%.6f", share));
}

void output_json_real(struct output *output, double real)
{
    char text[OUTPUT_NUMBER_SIZE];

    if (!isfinite(real)) {
        output_json_null(output);
        return;
    }
    output_real(text, real);
    separate(output);
    put(output, text);
}

void output_json_flag(struct output *output, bool flag)
{
    separate(output);
    put(output, flag ? "true" : "false");
}

void output_json_null(struct output *output)
{
    separate(output);
    put(output, "null");
}

/* ---- Fragments ---- */

output_fragment *output_fragment_new(void)
{
    output_fragment *fragment = g_new0(output_fragment, 1);

    fragment->format = OUTPUT_JSON;
    fragment->text = g_string_new(NULL);
    return fragment;
}

const char *output_fragment_text(const output_fragment *fragment)
{
    g_assert(fragment->json.depth == 0 && !fragment->json.after_key);
    return fragment->text->str;
}

void output_fragment_reset(output_fragment *fragment)
{
    g_string_truncate(fragment->text, 0);
}

void output_fragment_free(output_fragment *fragment)
{
    if (fragment == NULL)
        return;
    g_string_free(fragment->text, TRUE);
    g_free(fragment);
}

/* ---- Rows ---- */

static void group_begin(struct output *output)
{
    output_json_begin(output, '{');
}

static void group_end(struct output *output)
{
    output_json_end(output);
}

static void table_begin(struct output *output, const char *key, const char *title)
{
    (void)title;
    output->json.is_tall = false;
    for (size_t i = 0; i < output->count && !output->in_group; i++)
        output->json.is_tall |= output->columns[i].type == OUTPUT_NESTED;
    if (output->in_group)
        output_json_key(output, key);
    output_json_begin(output, '[');
}

static void write_points(struct output *output, const struct output_value *value)
{
    output_json_begin(output, '[');
    for (size_t i = 0; i < value->count; i++)
        output_json_real(output, value->points[i]);
    output_json_end(output);
}

static void write_value(struct output *output, enum output_type type,
                        const struct output_value *value)
{
    if (value->is_null) {
        output_json_null(output);
        return;
    }
    switch (type) {
    case OUTPUT_TEXT:
        output_json_text(output, value->text);
        return;
    case OUTPUT_COUNT:
    case OUTPUT_BYTES:
        output_json_number(output, value->number);
        return;
    case OUTPUT_TIME:
    case OUTPUT_SPAN:
        output_json_seconds(output, value->number);
        return;
    case OUTPUT_SHARE:
    case OUTPUT_BAR:
        output_json_share(output, value->share);
        return;
    case OUTPUT_FLAG:
        output_json_flag(output, value->number != 0);
        return;
    case OUTPUT_REAL:
        output_json_real(output, value->real);
        return;
    case OUTPUT_NESTED:
        separate(output);
        put(output, value->text);
        return;
    case OUTPUT_SPARK:
        write_points(output, value);
        return;
    case OUTPUT_ANY:
        write_value(output, value->type, value);
        return;
    }
}

static void write_members(struct output *output, const struct output_value *values)
{
    for (size_t i = 0; i < output->count; i++) {
        output_json_key(output, output->columns[i].key);
        write_value(output, output->columns[i].type, &values[i]);
    }
}

/* Two brackets deep a row's members get lines of their own.  One that is to be one line pretends to
 * be deeper. */
static void row(struct output *output, const struct output_value *values)
{
    int depth = output->json.depth;

    if (output->json.is_tall) {
        output_json_begin(output, '{');
        write_members(output, values);
        output_json_end(output);
        return;
    }
    separate(output);
    put(output, "{");
    output->json.depth = MAX(depth, LINE_DEPTH) + 1;
    output->json.is_empty[output->json.depth - 1] = true;
    write_members(output, values);
    output->json.depth = depth;
    put(output, "}");
}

static void table_end(struct output *output)
{
    output_json_end(output);
}

static void nothing(struct output *output)
{
    (void)output;
}

const struct writer json_writer = {
    OUTPUT_FOR_DOCUMENTS, group_begin, group_end, table_begin, row, table_end, nothing};

/* ---- JSON lines ---- */

static void lines_begin(struct output *output, const char *key, const char *title)
{
    (void)title;
    output->json.section = output->in_group ? key : NULL;
}

static void line(struct output *output, const struct output_value *values)
{
    output_json_begin(output, '{');
    if (output->json.section != NULL) {
        output_json_key(output, "section");
        output_json_text(output, output->json.section);
    }
    write_members(output, values);
    output_json_end(output);
}

const struct writer jsonl_writer = {
    OUTPUT_FOR_DOCUMENTS, nothing, nothing, lines_begin, line, nothing, nothing};
