/* table.c
 * Tables for people: libsmartcols lays them out and fits them to the terminal.
 *
 * On a terminal, texts that may be long are wrapped to its width; in a file or a pipe nothing is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "writer.h"

#include <inttypes.h>
#include <libsmartcols.h>
#include <math.h>
#include <string.h>

enum { BAR_WIDTH = 20 };

/* ---- Cells ---- */

static bool is_visible(gunichar character)
{
    switch (g_unichar_type(character)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT: /* among them those that turn the direction of writing */
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
        return false;
    default:
        return true;
    }
}

char *text_cell(const char *text)
{
    GString *cell = g_string_new(NULL);
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        if (is_visible(character))
            g_string_append_unichar(cell, character);
        else
            g_string_append_printf(cell, "\\u%04X", character);
    }
    return g_string_free(cell, FALSE);
}

char *output_text_of_bytes(gint64 bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double size = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024)
        return g_strdup_printf("%" PRId64 " B", bytes);
    for (; size >= 1023.95 && unit + 1 < G_N_ELEMENTS(units); unit++)
        size /= 1024;
    return g_strdup_printf("%.1f %s", size, units[unit]);
}

/* "2026-11-24 00:16:12Z", in another zone "2026-11-24 01:16:12+01". */
char *output_text_of_time(const struct output *output, gint64 ns)
{
    GTimeZone *zone = output->zone;
    gint64 seconds = ns / 1000000000 - (ns % 1000000000 < 0);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

    if (time == NULL)
        return g_strdup_printf("%" PRId64 " s", seconds);
    if (zone == NULL)
        return g_date_time_format(time, "%Y-%m-%d %H:%M:%SZ");
    g_autoptr(GDateTime) there = g_date_time_to_timezone(time, zone);
    return g_date_time_format(there != NULL ? there : time, "%Y-%m-%d %H:%M:%S%:::z");
}

char *output_text_of_span(gint64 ns)
{
    double seconds = (double)ns / 1e9;

    if (ns == 0)
        return g_strdup("0 s");
    if (seconds < 0.9995)
        return g_strdup_printf("%.3g ms", seconds * 1e3);
    if (seconds < 120)
        return g_strdup_printf("%.1f s", seconds);
    if (seconds < 2 * 3600)
        return g_strdup_printf("%.1f min", seconds / 60);
    if (seconds < 48 * 3600)
        return g_strdup_printf("%.1f h", seconds / 3600);
    return g_strdup_printf("%.1f d", seconds / 86400);
}

static char *real_cell(double real)
{
    return g_strdup_printf(fabs(real) < 999.5 ? "%.3g" : "%.0f", real);
}

/* A cell of OUTPUT_ANY: we do not know what the number is, so nothing of it is rounded off. */
static char *exact_cell(const struct output_value *value)
{
    char text[OUTPUT_NUMBER_SIZE];

    switch (value->type) {
    case OUTPUT_TEXT:
        return text_cell(value->text);
    case OUTPUT_REAL:
        output_real(text, value->real);
        return g_strdup(text);
    default:
        return g_strdup_printf("%" PRId64, value->number);
    }
}

static char *make_cell(const struct output *output, enum output_type type,
                       const struct output_value *value)
{
    if (value->is_null)
        return g_strdup("-");
    switch (type) {
    case OUTPUT_TEXT:
        return text_cell(value->text);
    case OUTPUT_COUNT:
        return g_strdup_printf("%" PRId64, value->number);
    case OUTPUT_BYTES:
        return output_text_of_bytes(value->number);
    case OUTPUT_TIME:
        return output_text_of_time(output, value->number);
    case OUTPUT_SPAN:
        return output_text_of_span(value->number);
    case OUTPUT_SHARE:
        return g_strdup_printf("%.1f %%", value->share * 100);
    case OUTPUT_FLAG:
        return g_strdup(value->number != 0 ? "yes" : "no");
    case OUTPUT_REAL:
        return real_cell(value->real);
    case OUTPUT_BAR:
        return output_bar(value->share, BAR_WIDTH, g_get_charset(NULL));
    case OUTPUT_SPARK:
        return output_spark(value->points, value->count, 0, g_get_charset(NULL));
    case OUTPUT_ANY:
        return exact_cell(value);
    case OUTPUT_NESTED:
        break; /* no column of a table */
    }
    return NULL;
}

/* ---- Tables ---- */

enum { PART = 4096 /* rows that are laid out together: a screen scrolls through fewer */ };

static void nothing(struct output *output)
{
    (void)output;
}

static bool is_left(enum output_type type)
{
    return type == OUTPUT_TEXT || type == OUTPUT_BAR || type == OUTPUT_SPARK;
}

static void add_column(struct output *output, const struct output_column *description)
{
    int flags = is_left(description->type) ? 0 : SCOLS_FL_RIGHT;
    g_autofree char *title = text_cell(description->title); /* a query's may come from anywhere */

    if (description->wrap != OUTPUT_WHOLE)
        flags |= SCOLS_FL_WRAP;
    struct libscols_column *column = scols_table_new_column(output->table, title, 0, flags);
    scols_column_set_safechars(column, "\\\n"); /* the line ends are split_column()'s */
    if (output->is_coloured)
        scols_cell_set_color(scols_column_get_header(column), "bold");
}

static void table_begin(struct output *output, const char *key, const char *title)
{
    static const char *const titles[] = {"%s\n", "\033[1m%s\033[0m\n"};

    (void)key;
    output->has_parts = false;
    if (output->tables > 0)
        fputc('\n', output->file);
    if (output->in_group)
        fprintf(output->file, titles[output->is_coloured], title);

    output->table = scols_new_table();
    scols_table_set_stream(output->table, output->file);
    /* Not that of standard output, which may be another file. */
    scols_table_set_termforce(output->table,
                              output->is_terminal ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    scols_table_set_termwidth(output->table, (size_t)output->width);
    scols_table_enable_colors(output->table, output->is_coloured);
    for (size_t i = 0; i < output->count; i++)
        add_column(output, &output->columns[i]);
}

/* NULL: none. */
static const char *colour_of(const struct output_column *column, const struct output_value *value)
{
    double figure = column->type == OUTPUT_SHARE  ? value->share
                    : column->type == OUTPUT_REAL ? value->real
                                                  : (double)value->number;

    if (column->type == OUTPUT_BAR || column->type == OUTPUT_SPARK)
        return "cyan";
    return column->mark == OUTPUT_FAULT && !value->is_null && figure > 0 ? "red" : NULL;
}

static void move_left(struct output *output, size_t i)
{
    struct libscols_column *column = scols_table_get_column(output->table, i);

    scols_column_set_flags(column, scols_column_get_flags(column) & ~SCOLS_FL_RIGHT);
}

static const char *cell_text(struct libscols_line *line, size_t column)
{
    const char *text = scols_cell_get_data(scols_line_get_cell(line, column));
    return text != NULL ? text : "";
}

/* Columns of a row that a cell needs, gap included, if it breaks at line ends alone. */
static size_t column_width(struct output *output, size_t column)
{
    size_t width = strlen(output->columns[column].title);
    struct libscols_iter *lines = scols_new_iter(SCOLS_ITER_FORWARD);
    struct libscols_line *line;

    while (scols_table_next_line(output->table, lines, &line) == 0) {
        g_auto(GStrv) words = g_strsplit(cell_text(line, column), "\n", -1);
        for (size_t k = 0; words[k] != NULL; k++)
            width = MAX(width, (size_t)g_utf8_strlen(words[k], -1));
    }
    scols_free_iter(lines);
    return width + 1;
}

static bool fits(struct output *output)
{
    size_t width = 0;

    for (size_t i = 0; i < output->count; i++)
        width += column_width(output, i);
    return width <= (size_t)output->width + 1;
}

static void replace_in_column(struct output *output, size_t place, const char *old, char new)
{
    struct libscols_iter *lines = scols_new_iter(SCOLS_ITER_FORWARD);
    struct libscols_line *line;

    while (scols_table_next_line(output->table, lines, &line) == 0) {
        g_autofree char *text = g_strdup(cell_text(line, place));
        scols_line_set_data(line, place, g_strdelimit(text, old, new));
    }
    scols_free_iter(lines);
}

/* One word a line: breaking words is worse. */
static void split_column(struct output *output, size_t place)
{
    scols_column_set_wrapfunc(scols_table_get_column(output->table, place), scols_wrapnl_chunksize,
                              scols_wrapnl_nextchunk, NULL);
    replace_in_column(output, place, " ", '\n');
}

/* Where one word a line is still too wide (long IPv6 addresses), words are broken after all. */
static void break_column(struct output *output, size_t place)
{
    struct libscols_column *column = scols_table_get_column(output->table, place);

    scols_column_set_wrapfunc(column, NULL, NULL, NULL);
    scols_column_set_flags(column, scols_column_get_flags(column) | SCOLS_FL_WRAP);
    replace_in_column(output, place, "\n", ' ');
}

/* Fits the rows to the terminal. */
static void lay_out(struct output *output)
{
    if (!output->is_terminal || fits(output))
        return;
    for (size_t i = 0; i < output->count; i++) {
        if (output->columns[i].wrap == OUTPUT_WRAP_WORDS)
            split_column(output, i);
    }
    if (fits(output))
        return;
    for (size_t i = 0; i < output->count; i++) {
        if (output->columns[i].type == OUTPUT_TEXT)
            break_column(output, i);
    }
}

/* Writes a part of a table too long to be laid out as a whole: the widths of the first part are
 * kept, and only it has the titles. */
static void write_part(struct output *output)
{
    lay_out(output);
    scols_print_table(output->table);
    for (size_t i = 0; i < output->count; i++) {
        struct libscols_column *column = scols_table_get_column(output->table, i);
        scols_column_set_whint(column, (double)scols_column_get_width(column));
    }
    scols_table_enable_noheadings(output->table, 1);
    scols_table_remove_lines(output->table);
    output->has_parts = true;
}

static void row(struct output *output, const struct output_value *values)
{
    struct libscols_line *line = scols_table_new_line(output->table, NULL);

    for (size_t i = 0; i < output->count; i++) {
        g_autofree char *cell = make_cell(output, output->columns[i].type, &values[i]);
        const char *colour = colour_of(&output->columns[i], &values[i]);
        if (output->columns[i].type == OUTPUT_ANY && !values[i].is_null &&
            values[i].type == OUTPUT_TEXT)
            move_left(output, i);
        scols_line_set_data(line, i, cell);
        if (output->is_coloured && colour != NULL)
            scols_cell_set_color(scols_line_get_cell(line, i), colour);
    }
    if (scols_table_get_nlines(output->table) == PART)
        write_part(output);
}

static void table_end(struct output *output)
{
    lay_out(output);
    if (scols_table_get_nlines(output->table) > 0)
        scols_print_table(output->table);
    else if (!output->has_parts)
        fputs("(none)\n", output->file);
    scols_unref_table(g_steal_pointer(&output->table));
}

static void finish(struct output *output)
{
    if (output->table != NULL)
        scols_unref_table(g_steal_pointer(&output->table));
}

const struct writer table_writer = {OUTPUT_FOR_PEOPLE, nothing, nothing, table_begin, row,
                                    table_end,         finish};
