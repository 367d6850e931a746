/* json.c
 * JSON as a stream: nothing is held but the open brackets.
 *
 * The values of the two outermost containers stand on lines of their own, deeper ones beside each
 * other: a table has one line a row, the series one line a point.  Texts are escaped by jansson.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "writer.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

enum {
    LINE_DEPTH = 2 /* containers up to this depth have a line for each value */
};

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
        fputs(depth <= LINE_DEPTH ? "," : ", ", output->file);
    if (depth <= LINE_DEPTH)
        fputc('\n', output->file);
    output->json.is_empty[depth - 1] = false;
}

static void write_text(struct output *output, const char *text)
{
    json_t *string = json_string(text);

    if (string == NULL) { /* no UTF-8: only from our own arguments, the library's texts are clean */
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        string = json_string(valid);
    }
    if (string == NULL || json_dumpf(string, output->file, JSON_ENCODE_ANY) != 0)
        fputs("null", output->file);
    json_decref(string);
}

void output_json_begin(struct output *output, char bracket)
{
    int depth = output->json.depth;

    g_assert(depth < JSON_DEPTH);
    separate(output);
    fputc(bracket, output->file);
    output->json.closing[depth] = bracket == '{' ? '}' : ']';
    output->json.is_empty[depth] = true;
    output->json.depth++;
}

void output_json_end(struct output *output)
{
    int depth = --output->json.depth;

    if (depth < LINE_DEPTH && !output->json.is_empty[depth])
        fputc('\n', output->file);
    fputc(output->json.closing[depth], output->file);
    if (depth == 0)
        fputc('\n', output->file);
}

void output_json_key(struct output *output, const char *key)
{
    separate(output);
    write_text(output, key);
    fputs(": ", output->file);
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
    separate(output);
    fprintf(output->file, "%" PRId64, number);
}

void output_json_seconds(struct output *output, gint64 ns)
{
    char text[OUTPUT_NUMBER_SIZE];
    size_t length = output_seconds(text, ns);

    separate(output);
    fwrite(text, 1, length, output->file);
}

void output_json_share(struct output *output, double share)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    separate(output);
    fputs(g_ascii_formatd(text, sizeof text, "%.6f", share), output->file);
}

void output_json_flag(struct output *output, bool flag)
{
    separate(output);
    fputs(flag ? "true" : "false", output->file);
}

void output_json_null(struct output *output)
{
    separate(output);
    fputs("null", output->file);
}

/* ---- Records ---- */

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
    if (output->in_group)
        output_json_key(output, key);
    output_json_begin(output, '[');
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
        output_json_share(output, value->share);
        return;
    case OUTPUT_FLAG:
        output_json_flag(output, value->number != 0);
        return;
    }
}

/* A row is one line, however deep the table. */
static void row(struct output *output, const struct output_value *values)
{
    separate(output);
    fputc('{', output->file);
    for (size_t i = 0; i < output->count; i++) {
        if (i > 0)
            fputs(", ", output->file);
        write_text(output, output->columns[i].key);
        fputs(": ", output->file);
        output->json.after_key = true;
        write_value(output, output->columns[i].type, &values[i]);
    }
    fputc('}', output->file);
}

static void table_end(struct output *output)
{
    output_json_end(output);
}

static void finish(struct output *output)
{
    (void)output;
}

const struct writer json_writer = {OUTPUT_FOR_PROGRAMS, group_begin, group_end, table_begin, row,
                                   table_end,           finish};
