/* spool.h
 * Inside libfieldedge: many streams of bytes that are written interleaved and read one by one, in
 * bounded memory.
 *
 *     spool_new() → spool_append() … → spool_seal() → spool_read() from any thread → spool_free()
 *
 * Each stream has a block in memory that grows as it fills.  When the blocks of all streams reach
 * the limit they go to a temporary file, one behind the other, each with the place of the stream's
 * block before it.  Reading follows these links backwards and then reads forwards.  The file has no
 * name (it is gone whatever happens) and lies where SQLite's temporary files do.
 *
 * Example: limit 8, streams 0 and 1: append(0, "aaaa"), append(1, "bbbb"), which fills it and goes
 * to the file; append(0, "cc").  read(0) is "aaaacc", read(1) is "bbbb".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SPOOL_H
#define FIELDEDGE_SPOOL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct spool;

/* Of count streams; limit is the bytes of all blocks in memory. */
struct spool *spool_new(guint count, gsize limit);

/* Adds bytes to a stream.  FALSE: the temporary file cannot be written, and the error says which.
 */
bool spool_append(struct spool *spool, guint stream, const void *bytes, gsize length,
                  GError **error);

/* No more is appended; from here on spool_read() is safe in several threads. */
bool spool_seal(struct spool *spool, GError **error);

gsize spool_length(const struct spool *spool, guint stream);

/* All bytes of a stream, spool_length() of them. */
bool spool_read(const struct spool *spool, guint stream, guint8 *bytes, GError **error);
void spool_free(struct spool *spool);

#endif
