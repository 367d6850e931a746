/* rows.c
 * Rows as they are, for a program that shows them itself: see output_open_rows().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "writer.h"

static void nothing(struct output *output)
{
    (void)output;
}

static void table_begin(struct output *output, const char *key, const char *title)
{
    (void)output, (void)key, (void)title;
}

static void row(struct output *output, const struct output_value *values)
{
    output->row(output->row_user, output->columns, values, output->count);
}

const struct writer rows_writer = {
    OUTPUT_FOR_RECORDS, nothing, nothing, table_begin, row, nothing, nothing};
