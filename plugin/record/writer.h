/* writer.h
 * The thread that writes: takes operations out of the ring and hands them to the store.
 *
 * Order of calls (all by the dissecting thread): writer_start(), writer_put() …, writer_stop().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_WRITER_H
#define FIELDEDGE_WRITER_H

#include "plugin/record/operations.h"
#include "plugin/record/store.h"

typedef struct writer writer;

/* Takes the store over. */
writer *writer_start(store *owned);

/* A writer without thread and store: each operation is carried out at once, in the caller's thread,
 * by this function.  Of an operation of kind OPERATION_CAPTURE it gets the strings. */
typedef void writer_carry_out_func(void *user, const void *operation);
writer *writer_start_direct(writer_carry_out_func *direct, void *user);

/* Room for one operation of that size; fill it (kind first), then writer_send(). */
void *writer_reserve(writer *writer, size_t bytes);
void writer_send(writer *writer);

/* Asks the database for a conversation that was written before (operation_lookup.found gets it);
 * waits for the answer. */
void writer_lookup(writer *writer, const struct operation_lookup *lookup);

/* True once the store has failed.  No lock: one atomic read. */
bool writer_failed(const writer *writer);

/* Sends the capture's final status, waits for the thread and gives the store back (NULL if there
 * is none). */
store *writer_stop(writer *writer, const char *status, int64_t continued);

#endif
