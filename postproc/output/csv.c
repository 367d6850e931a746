/* csv.c
 * CSV by RFC 4180: a header line with the keys, CRLF, quotes only where a field needs them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "writer.h"

#include <inttypes.h>
#include <string.h>

static void write_text(FILE *file, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_value(FILE *file, enum output_type type, const struct output_value *value)
{
    char text[OUTPUT_NUMBER_SIZE];

    if (value->is_null)
        return;
    switch (type) {
    case OUTPUT_TEXT:
        write_text(file, value->text);
        return;
    case OUTPUT_COUNT:
    case OUTPUT_BYTES:
        fprintf(file, "%" PRId64, value->number);
        return;
    case OUTPUT_TIME:
    case OUTPUT_SPAN:
        output_seconds(text, value->number);
        break;
    case OUTPUT_SHARE:
    case OUTPUT_BAR:
        g_ascii_formatd(text, sizeof text, "%.6f", value->share);
        break;
    case OUTPUT_FLAG:
        g_strlcpy(text, value->number != 0 ? "true" : "false", sizeof text);
        break;
    case OUTPUT_REAL:
        output_real(text, value->real);
        break;
    case OUTPUT_ANY:
        write_value(file, value->type, value);
        return;
    case OUTPUT_NESTED:
    case OUTPUT_SPARK:
        g_assert_not_reached(); /* no columns of records */
    }
    fputs(text, file);
}

static void group(struct output *output)
{
    (void)output;
    g_assert_not_reached(); /* see output.h */
}

static void table_begin(struct output *output, const char *key, const char *title)
{
    (void)key, (void)title;
    for (size_t i = 0; i < output->count; i++) {
        if (i > 0)
            fputc(',', output->file);
        write_text(output->file, output->columns[i].key);
    }
    fputs("\r\n", output->file);
}

static void row(struct output *output, const struct output_value *values)
{
    for (size_t i = 0; i < output->count; i++) {
        if (i > 0)
            fputc(',', output->file);
        write_value(output->file, output->columns[i].type, &values[i]);
    }
    fputs("\r\n", output->file);
}

static void nothing(struct output *output)
{
    (void)output;
}

const struct writer csv_writer = {
    OUTPUT_FOR_RECORDS, group, group, table_begin, row, nothing, nothing};
