/* output.c
 * Opens and closes the file, chooses the columns, and hands everything else to the format's writer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "writer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *name;
    const struct writer *writer;
} formats[] = {
    [OUTPUT_TABLE] = {"table", &table_writer},
    [OUTPUT_JSON] = {"json", &json_writer},
    [OUTPUT_CSV] = {"csv", &csv_writer},
};

bool output_parse_format(const char *name, enum output_format *format)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *format = (enum output_format)i;
            return true;
        }
    }
    return false;
}

static void set_error(const struct output *output, int number, GError **error)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(number), "%s: cannot be written: %s",
                output->path == NULL ? "standard output" : output->path, g_strerror(number));
}

static void output_free(struct output *output)
{
    g_free(output->shown);
    g_free(output->source);
    g_free(output->path);
    g_free(output);
}

struct output *output_open(enum output_format format, const char *path, GError **error)
{
    struct output *output = g_new0(struct output, 1);
    struct stat status;

    output->format = format;
    output->writer = formats[format].writer;
    output->path = g_strdup(path);
    output->file = path == NULL ? stdout : g_fopen(path, "we");
    if (output->file == NULL) {
        set_error(output, errno, error);
        output_free(output);
        return NULL;
    }
    output->is_regular =
        path != NULL && fstat(fileno(output->file), &status) == 0 && S_ISREG(status.st_mode);
    setvbuf(output->file, NULL, _IOFBF, 1 << 16);
    return output;
}

enum output_format output_get_format(const struct output *output)
{
    return output->format;
}

bool output_failed(const struct output *output)
{
    return ferror(output->file) != 0;
}

/* ferror() has no errno; a byte more finds it again. */
static int write_error(FILE *file)
{
    errno = 0;
    clearerr(file);
    if (fputc('\n', file) == EOF || fflush(file) == EOF)
        return errno != 0 ? errno : EIO;
    return EIO;
}

bool output_close(struct output *output, GError **error)
{
    int number = 0;

    output->writer->finish(output);
    if (output_failed(output))
        number = write_error(output->file);
    else if (fflush(output->file) == EOF)
        number = errno;
    if (fclose(output->file) == EOF && number == 0)
        number = errno;
    if (number != 0) {
        set_error(output, number, error);
        if (output->is_regular)
            g_unlink(output->path);
    }
    output_free(output);
    return number == 0;
}

void output_abandon(struct output *output)
{
    output->writer->finish(output);
    if (output->path != NULL)
        fclose(output->file);
    if (output->is_regular)
        g_unlink(output->path);
    output_free(output);
}

/* ---- Records ---- */

void output_group_begin(struct output *output)
{
    output->in_group = true;
    output->writer->group_begin(output);
}

void output_group_end(struct output *output)
{
    output->writer->group_end(output);
    output->in_group = false;
}

static void choose_columns(struct output *output, const struct output_column *columns, size_t count)
{
    output->shown = g_renew(struct output_column, output->shown, count);
    output->source = g_renew(size_t, output->source, count);
    output->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (columns[i].reader != OUTPUT_FOR_ALL && columns[i].reader != output->writer->reader)
            continue;
        output->source[output->count] = i;
        output->shown[output->count++] = columns[i];
    }
    output->columns = output->shown;
}

void output_table_begin(struct output *output, const char *key, const char *title,
                        const struct output_column *columns, size_t count)
{
    choose_columns(output, columns, count);
    output->writer->table_begin(output, key, title);
    output->tables++;
}

void output_row(struct output *output, const struct output_value *values)
{
    struct output_value shown[32];

    g_assert(output->count <= G_N_ELEMENTS(shown));
    for (size_t i = 0; i < output->count; i++) {
        shown[i] = values[output->source[i]];
        if (output->columns[i].type == OUTPUT_TEXT && shown[i].text == NULL)
            shown[i].is_null = true;
    }
    output->writer->row(output, shown);
}

void output_table_end(struct output *output)
{
    output->writer->table_end(output);
}

/* ---- Numbers ---- */

/* Integers alone: -0.5 s is -500000000 ns, whose whole seconds would lose the sign. */
size_t output_seconds(char text[OUTPUT_NUMBER_SIZE], gint64 ns)
{
    guint64 size = ns < 0 ? 0 - (guint64)ns : (guint64)ns;
    char digits[OUTPUT_NUMBER_SIZE];
    size_t length = 0, end = 0;

    for (int i = 0; i < 9; i++, size /= 10)
        digits[length++] = (char)('0' + size % 10);
    digits[length++] = '.';
    do {
        digits[length++] = (char)('0' + size % 10);
        size /= 10;
    } while (size != 0);
    if (ns < 0)
        digits[length++] = '-';
    while (length > 0)
        text[end++] = digits[--length];
    text[end] = '\0';
    return end;
}
