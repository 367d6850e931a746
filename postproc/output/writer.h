/* writer.h
 * Inside output/: what a format implements.  output.c calls these with the columns filtered by
 * reader; values are parallel to columns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_WRITER_H
#define FIELDEDGE_WRITER_H

#include "output.h"

#include <stdio.h>

struct writer {
    enum output_reader reader; /* whom it writes for: FOR_PEOPLE or FOR_PROGRAMS */
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
    FILE *file;
    char *path;      /* NULL: standard output */
    bool is_regular; /* made or replaced here: removed on failure */
    bool in_group;
    guint tables; /* begun so far */

    const struct output_column *columns; /* of the current table, those of the writer's reader */
    struct output_column *shown;         /* owner of columns */
    size_t *source;                      /* index of each in the caller's columns */
    size_t count;

    struct {                      /* json.c */
        char closing[JSON_DEPTH]; /* of each open container */
        bool is_empty[JSON_DEPTH];
        int depth;
        bool after_key;
    } json;
    struct libscols_table *table; /* table.c */
};

extern const struct writer table_writer, json_writer, csv_writer;

#endif
