/* output.h
 * What the command writes: tables for people, JSON and CSV for programs, behind one interface.
 *
 * Order of calls: output_open(), then either
 *
 *     records, in every format:
 *         [output_group_begin()] { output_table_begin() output_row()… output_table_end() }…
 *         [output_group_end()]
 *     or a document, if output_is_json(): output_json_*()
 *
 * and output_close(), which alone tells whether everything was written.  output_failed() lets a
 * long loop stop early, for instance when the reader of a pipe is gone.
 *
 * A group is several tables in one output: in JSON one object with a member for each table.  CSV
 * has no groups: write one table.
 *
 * Numbers for programs do not depend on the locale: times and lengths of time are seconds with
 * exactly nine decimals made from integers, bytes and counts are integers, shares parts of one with
 * six decimals.  Numbers for people follow the locale and have units.  In a table, control and
 * other invisible characters of texts are written as \uXXXX: no packet moves a terminal's cursor.
 *
 * CSV is RFC 4180: CRLF at the end of lines, quotes only around fields that need them, nothing else
 * changed; NULL is an empty field.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_OUTPUT_H
#define FIELDEDGE_OUTPUT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV };

enum output_type {
    OUTPUT_TEXT,  /* .text */
    OUTPUT_COUNT, /* .number */
    OUTPUT_BYTES, /* .number */
    OUTPUT_TIME,  /* .number: ns since the epoch; for people UTC to the second */
    OUTPUT_SPAN,  /* .number: ns */
    OUTPUT_SHARE, /* .share: part of one; for people per cent */
    OUTPUT_FLAG   /* .number: 0 or 1 */
};

/* Who sees a column: people in a table, programs in JSON and CSV. */
enum output_reader { OUTPUT_FOR_ALL, OUTPUT_FOR_PEOPLE, OUTPUT_FOR_PROGRAMS };

/* How a table breaks a text into lines where the terminal is narrow. */
enum output_wrap {
    OUTPUT_WHOLE,         /* not at all */
    OUTPUT_WRAP_ANYWHERE, /* a long name */
    OUTPUT_WRAP_WORDS     /* a list: one word a line */
};

struct output_column {
    const char *key;   /* in JSON and CSV */
    const char *title; /* in a table */
    enum output_type type;
    enum output_reader reader;
    enum output_wrap wrap;
};

/* One cell; which member counts is its column's type.  Text may be NULL without is_null. */
struct output_value {
    const char *text;
    gint64 number;
    double share;
    bool is_null;
};

struct output;

/* "table", "json" or "csv". */
bool output_parse_format(const char *name, enum output_format *format);

/* To a file, which is replaced, or with path NULL to standard output. */
struct output *output_open(enum output_format format, const char *path, GError **error);
enum output_format output_get_format(const struct output *output);
bool output_failed(const struct output *output);

/* Frees output.  If something could not be written: false, and the error is of G_FILE_ERROR,
 * G_FILE_ERROR_PIPE if the reader went away.  What was written of a regular file is removed. */
bool output_close(struct output *output, GError **error);

/* Frees output after an error elsewhere, and removes what was written of a regular file. */
void output_abandon(struct output *output);

/* ---- Records ---- */

void output_group_begin(struct output *output);
void output_group_end(struct output *output);

/* key and title name the table inside a group and are not used outside. */
void output_table_begin(struct output *output, const char *key, const char *title,
                        const struct output_column *columns, size_t count);
void output_row(struct output *output, const struct output_value *values);
void output_table_end(struct output *output);

/* ---- JSON documents ----
 * A container's values follow one another; in an object each after its key. */

void output_json_begin(struct output *output, char bracket); /* '{' or '[' */
void output_json_end(struct output *output);
void output_json_key(struct output *output, const char *key);
void output_json_text(struct output *output, const char *text); /* NULL: null */
void output_json_number(struct output *output, gint64 number);
void output_json_seconds(struct output *output, gint64 ns);
void output_json_share(struct output *output, double share);
void output_json_flag(struct output *output, bool flag);
void output_json_null(struct output *output);

/* ---- Texts of numbers, for the writers and their tests ---- */

enum { OUTPUT_NUMBER_SIZE = 48 };

/* "1700000000.123456789", "-0.500000000"; returns the length. */
size_t output_seconds(char text[OUTPUT_NUMBER_SIZE], gint64 ns);

#endif
