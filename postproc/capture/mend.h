/* mend.h
 * Inside libfieldedge: a new file from a capture by editcap, for repair and for deduplication.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_MEND_H
#define FIELDEDGE_MEND_H

#include "child.h"
#include "files.h"
#include "inspect.h"

/* Runs editcap on the open file and writes what it makes, in the same format, to the temporary file
 * of the replacement, compressed if `compressor` says with what.  words: options of editcap,
 * ended by NULL.  *result is what came out, which must be whole and not without packets; the caller
 * clears it. */
bool mend_write(int file, const char *path, const char *type, const char *const *words,
                const char *compressor, struct file_replacement *replacement,
                child_line_func take_error, void *data, FieldEdgeCancellable *cancellable,
                struct inspection *result, GError **error);

/* The program for a name that ends in .gz, .zst or .lz4; NULL for others. */
const char *mend_compressor(const char *path);

/* Refuses a result that would be the source, by whatever name, or that is there already. */
bool mend_check_output(const char *path, const char *output, gboolean may_replace, GError **error);

#endif
