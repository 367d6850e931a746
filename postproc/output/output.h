/* output.h
 * What the command writes: tables for people, JSON, JSON lines and CSV for programs, behind one
 * interface.  All formats are made from the same rows: a command describes columns and emits rows.
 *
 * Order of calls: output_open() and what is to be set, then either
 *
 *     rows, in every format:
 *         [output_group_begin()] { output_table_begin() output_row()… output_table_end() }…
 *         [output_group_end()]
 *     or a document of another shape, if the format is JSON: output_json_*()
 *
 * and output_close(), which alone tells whether everything was written.  output_done() lets a loop
 * over a million rows stop early: the reader of a pipe is gone, or no more rows are wanted.
 *
 * A group is several tables in one output.  JSON: one object with a member for each table.  JSON
 * lines: each row begins with a member "section", the table's key.  CSV has no groups: write one
 * table.
 *
 * Rows are written as they come and nothing is kept, unless output_set_order() asks for an order.
 *
 * Numbers for programs do not depend on the locale: times and lengths of time are seconds with
 * exactly nine decimals made from integers, bytes and counts are integers, shares parts of one with
 * six decimals, real numbers the shortest decimal that reads back as the same double.  Numbers for
 * people follow the locale and have units.  In a table, control and other invisible characters of
 * texts are written as \uXXXX: no packet moves a terminal's cursor.
 *
 * JSON: a row is one line, or has a line for each member if a nested column is among its columns.
 * JSON lines: always one line.  CSV is RFC 4180: CRLF at the end of lines, quotes only around
 * fields that need them, nothing else changed; NULL is an empty field.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_OUTPUT_H
#define FIELDEDGE_OUTPUT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum output_format {
    OUTPUT_TABLE,
    OUTPUT_JSON,
    OUTPUT_JSONL,
    OUTPUT_CSV,
    OUTPUT_SVG /* a drawing, see chart.h: takes neither rows nor a document */
};

enum output_type {
    OUTPUT_TEXT,   /* .text */
    OUTPUT_COUNT,  /* .number */
    OUTPUT_BYTES,  /* .number */
    OUTPUT_TIME,   /* .number: ns since the epoch; for people to the second, with the zone */
    OUTPUT_SPAN,   /* .number: ns */
    OUTPUT_SHARE,  /* .share: part of one; for people per cent */
    OUTPUT_FLAG,   /* .number: 0 or 1 */
    OUTPUT_REAL,   /* .real; what is not finite counts as null */
    OUTPUT_NESTED, /* .text: JSON from a fragment (see below); shown in documents alone */
    OUTPUT_BAR,    /* .share: for people a bar */
    OUTPUT_SPARK,  /* .points, .count: for people a line of blocks; an array in documents alone */
    OUTPUT_ANY     /* .type says which: OUTPUT_TEXT, OUTPUT_COUNT or OUTPUT_REAL.  Not for --sort;
                      people see the exact number, on the right if the column has no text */
};

/* Who sees a column: people in a table, documents (JSON and JSON lines), records (CSV). */
enum output_reader {
    OUTPUT_FOR_PEOPLE = 1,
    OUTPUT_FOR_WIDE = 2, /* people whose terminal has OUTPUT_WIDE columns or more */
    OUTPUT_FOR_DOCUMENTS = 4,
    OUTPUT_FOR_RECORDS = 8,
    OUTPUT_FOR_PROGRAMS = OUTPUT_FOR_DOCUMENTS | OUTPUT_FOR_RECORDS,
    OUTPUT_FOR_ALL = OUTPUT_FOR_PEOPLE | OUTPUT_FOR_PROGRAMS
};

enum { OUTPUT_WIDE = 100 };

/* How a table breaks a text into lines where the terminal is narrow. */
enum output_wrap {
    OUTPUT_WHOLE,         /* not at all */
    OUTPUT_WRAP_ANYWHERE, /* a long name */
    OUTPUT_WRAP_WORDS     /* a list: one word a line */
};

/* What a table makes of a figure if it may have colours. */
enum output_mark {
    OUTPUT_PLAIN,
    OUTPUT_FAULT /* a number above zero is red */
};

struct output_column {
    const char *key;   /* in JSON and CSV, and for --sort; unique among the columns of a reader */
    const char *title; /* in a table */
    enum output_type type;
    enum output_reader reader;
    enum output_wrap wrap;
    enum output_mark mark;
};

/* One cell; which member counts is its column's type.  Text may be NULL without is_null. */
struct output_value {
    const char *text;
    gint64 number;
    double share;
    double real;
    const double *points; /* none below zero */
    size_t count;
    bool is_null;
    enum output_type type; /* of a cell in a column of OUTPUT_ANY */
};

struct output;

/* "table", "json", "jsonl", "csv" or "svg". */
bool output_parse_format(const char *name, enum output_format *format);

/* To a file, which is replaced, or with path NULL to standard output. */
struct output *output_open(enum output_format format, const char *path, GError **error);
/* To standard output, which stays open for what the program writes there after output_close(). */
struct output *output_open_shared(enum output_format format, GError **error);

/* To a function: of each row the columns that a record has, in their order.  output_get_format()
 * says OUTPUT_CSV. */
typedef void output_row_func(void *user, const struct output_column *columns,
                             const struct output_value *values, size_t count);
struct output *output_open_rows(output_row_func *row, void *user, GError **error);

/* Whether a record has this column. */
bool output_column_is_recorded(const struct output_column *column);

enum output_format output_get_format(const struct output *output);

/* Whether the format is for this reader: OUTPUT_FOR_DOCUMENTS, for instance. */
bool output_is_for(const struct output *output, enum output_reader reader);

/* Where a drawing goes. */
FILE *output_stream(struct output *output);

/* Columns of the terminal; 80 if the output is none. */
int output_get_width(const struct output *output);

bool output_failed(const struct output *output);

/* No more rows of this table are wanted, or output_failed(). */
bool output_done(const struct output *output);

/* Frees output.  If something could not be written: false, and the error is of G_FILE_ERROR,
 * G_FILE_ERROR_PIPE if the reader went away.  What was written of a regular file is removed. */
bool output_close(struct output *output, GError **error);

/* Frees output after an error elsewhere, and removes what was written of a regular file. */
void output_abandon(struct output *output);

/* ---- Colours of a table ---- */

enum output_colour {
    OUTPUT_COLOUR_AUTO, /* on a terminal, unless NO_COLOR is set or TERM is dumb or not set */
    OUTPUT_COLOUR_ALWAYS,
    OUTPUT_COLOUR_NEVER
};

/* "auto", "always" or "never". */
bool output_parse_colour(const char *name, enum output_colour *colour);
void output_set_colour(struct output *output, enum output_colour colour);

/* The time zone of times for people, an identifier or an offset; NULL: UTC, written as Z. */
void output_set_zone(struct output *output, const char *zone);

/* ---- Order of the rows ----
 * Nulls come last; rows that are equal stay in the order they came in.  Texts are compared by their
 * bytes, everything else as numbers.  With both a column and a top, no more than top rows are kept.
 */

struct output_order {
    const char *table;  /* the table it concerns, by key; NULL: each.  Set by the caller */
    const char *column; /* a key, whoever the column is for; NULL: as they come */
    bool is_descending;
    guint64 top; /* write only so many rows; 0: all */
};

/* Parses "COLUMN", "COLUMN:asc" or "COLUMN:desc" into column and is_descending; without a direction
 * texts ascend and numbers descend.  FALSE: the error is G_OPTION_ERROR_UNKNOWN_OPTION if there is
 * no such column, else _BAD_VALUE. */
bool output_parse_sort(const char *text, const struct output_column *columns, size_t count,
                       struct output_order *order, GError **error);

/* What COLUMN can be, each once; freed with g_strfreev(). */
char **output_sort_keys(const struct output_column *columns, size_t count);

/* Before the first table.  The tables it concerns have the column. */
void output_set_order(struct output *output, const struct output_order *order);

/* ---- Rows ---- */

void output_group_begin(struct output *output);
void output_group_end(struct output *output);

/* key and title name the table inside a group and are not used outside. */
void output_table_begin(struct output *output, const char *key, const char *title,
                        const struct output_column *columns, size_t count);
void output_row(struct output *output, const struct output_value *values);
void output_table_end(struct output *output);

/* ---- JSON documents and fragments ----
 * A container's values follow one another; in an object each after its key.  Keys and texts are
 * escaped. */

void output_json_begin(struct output *output, char bracket); /* '{' or '[' */
void output_json_end(struct output *output);
void output_json_key(struct output *output, const char *key);
void output_json_text(struct output *output, const char *text); /* NULL: null */
void output_json_number(struct output *output, gint64 number);
void output_json_seconds(struct output *output, gint64 ns);
void output_json_share(struct output *output, double share);
void output_json_real(struct output *output, double real); /* not finite: null */
void output_json_flag(struct output *output, bool flag);
void output_json_null(struct output *output);

/* What a nested column holds is written by the same calls into a fragment, an output without a file
 * that takes nothing else:
 *
 *     g_autoptr(output_fragment) hosts = output_fragment_new();
 *     output_json_begin(hosts, '[');
 *     output_json_text(hosts, pair->host_a);
 *     output_json_end(hosts);
 *     … {.text = output_fragment_text(hosts)} …
 *
 * output_fragment_reset() empties it for the next row. */
typedef struct output output_fragment;

output_fragment *output_fragment_new(void);
const char *output_fragment_text(const output_fragment *fragment);
void output_fragment_reset(output_fragment *fragment);
void output_fragment_free(output_fragment *fragment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(output_fragment, output_fragment_free)

/* ---- Texts of numbers, for the writers and their tests ---- */

enum { OUTPUT_NUMBER_SIZE = 48 };

/* "1700000000.123456789", "-0.500000000"; returns the length. */
size_t output_seconds(char text[OUTPUT_NUMBER_SIZE], gint64 ns);

/* "0.1", "1e+300", "5": the shortest decimal that reads back as the same double. */
void output_real(char text[OUTPUT_NUMBER_SIZE], double real);

/* ---- Texts for people, as in a table ---- */

char *output_text_of_bytes(gint64 bytes);                          /* "68.5 KiB" */
char *output_text_of_span(gint64 ns);                              /* "2.0 s" */
char *output_text_of_time(const struct output *output, gint64 ns); /* in the output's zone */

/* ---- Blocks, for the writers, the plots and their tests ----
 * Eighths of a block, or ASCII if the locale is not of UTF-8. */

/* A bar for share (0 to 1) of width cells: 0.5 of 5 cells is "██▌", in ASCII "##+".  More than
 * nothing is at least the thinnest block. */
char *output_bar(double share, size_t width, bool is_utf8);

/* A cell for each point, its height that part of top: {0, 1, 4, 8} of 8 is "▁▂▅█", in ASCII "_.=#".
 * Only zero has the lowest block, so that little is not taken for nothing.  With top 0 the
 * greatest point is the top. */
char *output_spark(const double *points, size_t count, double top, bool is_utf8);

#endif
