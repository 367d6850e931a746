/* writer.h
 * Inside output/: what a format implements.  output.c calls these with the columns filtered by
 * reader; values are parallel to columns.
 *
 *     output_row() → order.c, if an order is asked for → writer->row()
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_WRITER_H
#define FIELDEDGE_WRITER_H

#include "output.h"

#include <stdio.h>

struct writer {
    enum output_reader reader; /* whom it writes for */
    void (*group_begin)(struct output *output);
    void (*group_end)(struct output *output);
    void (*table_begin)(struct output *output, const char *key, const char *title);
    void (*row)(struct output *output, const struct output_value *values);
    void (*table_end)(struct output *output);
    void (*finish)(struct output *output); /* before the file is closed */
};

enum { JSON_DEPTH = 16 };

struct output {
    enum output_format format;
    const struct writer *writer;
    FILE *file;       /* NULL: a fragment */
    GString *text;    /* of a fragment */
    char *path;       /* NULL: standard output */
    bool is_regular;  /* made or replaced here: removed on failure */
    bool is_terminal; /* and its width: */
    int width;
    bool is_coloured;
    GTimeZone *zone; /* of times for people; NULL: UTC */
    bool in_group;
    guint tables; /* begun so far */

    const struct output_column *columns; /* of the current table, those of the writer's reader */
    struct output_column *shown;         /* owner of columns */
    size_t *source;                      /* index of each in the caller's columns */
    struct output_value *cells;          /* room for a row */
    size_t count;

    struct output_order order; /* owns its strings */
    bool is_ordered;           /* the order concerns the current table */
    size_t order_column;       /* in the caller's columns, if order.column is set */
    enum output_type order_type;
    guint64 rows;          /* of the current table that order.c has seen */
    struct order *ordered; /* rows waiting for the end of the table, or NULL */

    struct {                      /* json.c */
        char closing[JSON_DEPTH]; /* of each open container */
        bool is_empty[JSON_DEPTH];
        int depth;
        bool after_key;
        bool is_tall;        /* rows of the table have a line for each member */
        const char *section; /* JSON lines: key of the table in a group */
    } json;
    struct libscols_table *table; /* table.c */
    output_row_func *row;         /* rows.c */
    void *row_user;
    bool has_parts; /* of the current table, some are written */
};

extern const struct writer table_writer, json_writer, jsonl_writer, csv_writer, svg_writer,
    rows_writer;

/* ---- table.c ---- */

char *text_cell(const char *text); /* invisible characters as \uXXXX */

/* ---- order.c ---- */

struct order *order_new(enum output_type type, bool is_descending, guint64 top);
void order_free(struct order *order);

/* Copies a row of count values, unless top better ones are there. */
void order_add(struct order *order, const struct output_value *key,
               const struct output_value *values, size_t count);

/* Index of the column of this key that rows can be sorted by; count if there is none. */
size_t order_find(const char *key, const struct output_column *columns, size_t count);

/* Writes the rows with the output's writer. */
void order_write(struct order *order, struct output *output);

#endif
