/* output.c
 * Opens and closes the file, chooses the columns, and hands everything else to the format's writer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    const struct writer *writer;
} formats[] = {
    [OUTPUT_TABLE] = {"table", &table_writer}, [OUTPUT_JSON] = {"json", &json_writer},
    [OUTPUT_JSONL] = {"jsonl", &jsonl_writer}, [OUTPUT_CSV] = {"csv", &csv_writer},
    [OUTPUT_SVG] = {"svg", &svg_writer},
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
    order_free(output->ordered);
    g_free((char *)output->order.table);
    g_free((char *)output->order.column);
    g_clear_pointer(&output->zone, g_time_zone_unref);
    g_free(output->shown);
    g_free(output->source);
    g_free(output->cells);
    g_free(output->path);
    g_free(output);
}

static int terminal_width(int file)
{
    enum { DEFAULT_WIDTH = 80 };
    const char *columns = g_getenv("COLUMNS");
    struct winsize size;
    guint64 width;

    if (ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (columns != NULL && g_ascii_string_to_unsigned(columns, 10, 1, G_MAXINT, &width, NULL))
        return (int)width;
    return DEFAULT_WIDTH;
}

static void look_at_file(struct output *output)
{
    int file = fileno(output->file);
    struct stat status;

    output->is_regular =
        output->path != NULL && fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    output->is_terminal = isatty(file);
    output->width = output->is_terminal ? terminal_width(file) : output->width;
}

static struct output *open_file(enum output_format format, const char *path, FILE *file,
                                GError **error)
{
    struct output *output = g_new0(struct output, 1);

    output->width = 80;
    output->format = format;
    output->writer = formats[format].writer;
    output->path = g_strdup(path);
    output->file = file;
    if (output->file == NULL) {
        set_error(output, errno, error);
        output_free(output);
        return NULL;
    }
    look_at_file(output);
    output_set_colour(output, OUTPUT_COLOUR_AUTO);
    setvbuf(output->file, NULL, _IOFBF, 1 << 16);
    return output;
}

struct output *output_open(enum output_format format, const char *path, GError **error)
{
    return open_file(format, path, path == NULL ? stdout : g_fopen(path, "we"), error);
}

struct output *output_open_shared(enum output_format format, GError **error)
{
    int file;

    fflush(stdout);
    file = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    return open_file(format, NULL, file >= 0 ? fdopen(file, "w") : NULL, error);
}

struct output *output_open_rows(output_row_func *row, void *user, GError **error)
{
    struct output *output = output_open(OUTPUT_CSV, "/dev/null", error);

    if (output == NULL)
        return NULL;
    output->writer = &rows_writer;
    output->row = row;
    output->row_user = user;
    return output;
}

bool output_column_is_recorded(const struct output_column *column)
{
    return (column->reader & OUTPUT_FOR_RECORDS) != 0 && column->type != OUTPUT_NESTED &&
           column->type != OUTPUT_SPARK;
}

enum output_format output_get_format(const struct output *output)
{
    return output->format;
}

static enum output_reader reader_of(const struct output *output)
{
    enum output_reader reader = output->writer->reader;

    if (reader == OUTPUT_FOR_PEOPLE && output->is_terminal && output->width >= OUTPUT_WIDE)
        reader |= OUTPUT_FOR_WIDE;
    return reader;
}

bool output_is_for(const struct output *output, enum output_reader reader)
{
    return (reader_of(output) & reader) != 0;
}

FILE *output_stream(struct output *output)
{
    return output->file;
}

int output_get_width(const struct output *output)
{
    return output->width;
}

bool output_failed(const struct output *output)
{
    return ferror(output->file) != 0;
}

bool output_done(const struct output *output)
{
    bool is_enough = output->is_ordered && output->ordered == NULL && output->order.top > 0 &&
                     output->rows >= output->order.top;

    return is_enough || output_failed(output);
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
    if (output->file != stdout)
        fclose(output->file);
    if (output->is_regular)
        g_unlink(output->path);
    output_free(output);
}

/* ---- Colours ---- */

bool output_parse_colour(const char *name, enum output_colour *colour)
{
    static const char *const names[] = {
        [OUTPUT_COLOUR_AUTO] = "auto",
        [OUTPUT_COLOUR_ALWAYS] = "always",
        [OUTPUT_COLOUR_NEVER] = "never",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *colour = (enum output_colour)i;
            return true;
        }
    }
    return false;
}

static bool wants_colour(const struct output *output)
{
    const char *refused = g_getenv("NO_COLOR"), *terminal = g_getenv("TERM");

    return output->is_terminal && (refused == NULL || *refused == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

void output_set_colour(struct output *output, enum output_colour colour)
{
    output->is_coloured =
        colour == OUTPUT_COLOUR_ALWAYS || (colour == OUTPUT_COLOUR_AUTO && wants_colour(output));
}

void output_set_zone(struct output *output, const char *zone)
{
    g_clear_pointer(&output->zone, g_time_zone_unref);
    if (zone != NULL)
        output->zone = g_time_zone_new_identifier(zone);
}

/* ---- Rows ---- */

void output_set_order(struct output *output, const struct output_order *order)
{
    output->order = *order;
    output->order.table = g_strdup(order->table);
    output->order.column = g_strdup(order->column);
}

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

static bool is_shown(const struct output *output, const struct output_column *column)
{
    enum output_reader reader = reader_of(output) & column->reader;

    if (column->type == OUTPUT_NESTED)
        reader &= OUTPUT_FOR_DOCUMENTS;
    if (column->type == OUTPUT_SPARK)
        reader &= ~(unsigned)OUTPUT_FOR_RECORDS;
    return reader != 0;
}

static void choose_columns(struct output *output, const struct output_column *columns, size_t count)
{
    output->shown = g_renew(struct output_column, output->shown, count);
    output->source = g_renew(size_t, output->source, count);
    output->cells = g_renew(struct output_value, output->cells, count);
    output->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_shown(output, &columns[i]))
            continue;
        output->source[output->count] = i;
        output->shown[output->count++] = columns[i];
    }
    output->columns = output->shown;
}

static void begin_order(struct output *output, const char *key, const struct output_column *columns,
                        size_t count)
{
    const struct output_order *order = &output->order;
    bool is_concerned = order->table == NULL || g_strcmp0(order->table, key) == 0;

    output->rows = 0;
    output->is_ordered = is_concerned && (order->column != NULL || order->top > 0);
    if (!output->is_ordered || order->column == NULL)
        return;
    output->order_column = order_find(order->column, columns, count);
    g_assert(output->order_column < count); /* see output.h */
    output->order_type = columns[output->order_column].type;
    output->ordered = order_new(output->order_type, order->is_descending, order->top);
}

void output_table_begin(struct output *output, const char *key, const char *title,
                        const struct output_column *columns, size_t count)
{
    choose_columns(output, columns, count);
    begin_order(output, key, columns, count);
    output->writer->table_begin(output, key, title);
    output->tables++;
}

/* With is_null where there is nothing to write. */
static struct output_value clean(enum output_type type, const struct output_value *value)
{
    struct output_value clean = *value;

    if (type == OUTPUT_ANY)
        type = value->type;
    if ((type == OUTPUT_TEXT || type == OUTPUT_NESTED) && value->text == NULL)
        clean.is_null = true;
    if (type == OUTPUT_REAL && !isfinite(value->real))
        clean.is_null = true;
    return clean;
}

void output_row(struct output *output, const struct output_value *values)
{
    if (output->is_ordered && output->ordered == NULL && output->rows++ >= output->order.top)
        return;
    for (size_t i = 0; i < output->count; i++)
        output->cells[i] = clean(output->columns[i].type, &values[output->source[i]]);
    if (output->ordered == NULL) {
        output->writer->row(output, output->cells);
        return;
    }
    struct output_value key = clean(output->order_type, &values[output->order_column]);
    order_add(output->ordered, &key, output->cells, output->count);
}

void output_table_end(struct output *output)
{
    if (output->ordered != NULL)
        order_write(output->ordered, output);
    g_clear_pointer(&output->ordered, order_free);
    output->is_ordered = false;
    output->writer->table_end(output);
}
