/* store.h
 * The recorder's SQLite side: one prepared statement a table, dictionaries, sums of conversations.
 *
 * Used by one thread at a time: recorder_open() opens and enters the capture, then the writer
 * thread owns it.  Rows of packets go straight in; what changes in a conversation is gathered and
 * written by store_commit(), so that at every commit the sums agree with the packets.
 *
 * An atomic store (schema_recording_is_atomic()) commits nothing before store_finish().
 *
 * Order of calls: store_open(), then any of the store_… calls and store_commit(), store_close().
 * After a failure (store_error() is not NULL) every call does nothing: what was not committed is
 * rolled back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_STORE_H
#define FIELDEDGE_STORE_H

#include "plugin/record/operations.h"
#include "plugin/record/recorder.h"

enum { STORE_COMMIT_ROWS = 10000, STORE_COMMIT_MS = 1000 };

typedef struct store store;

/* Opens the database, makes or migrates its schema, enters a capture with status 'interrupted' and
 * commits.  On failure returns NULL and sets *error to a sentence (g_free it). */
store *store_open(const struct recorder_options *options, char **error);

int64_t store_capture_id(const store *store);        /* 0: an atomic store rolled it back */
int64_t store_next_conversation(const store *store); /* first free id */
uint32_t store_last_position(const store *store);    /* of a capture that goes on; 0: it begins */

/* Hands out the names that the database knows, at most `max`, the newest hosts' first. */
void store_names(store *store, int max,
                 void (*take)(void *user, const struct packet_address *address, const char *name),
                 void *user);

void store_capture(store *store, const struct operation_capture *operation);
void store_conversation(store *store, const struct operation_conversation *operation);
void store_label(store *store, const struct operation_label *operation);
void store_server_name(store *store, const struct operation_server_name *operation);
void store_host_name(store *store, const struct operation_host_name *operation);
void store_packet(store *store, const struct operation_packet *operation);
void store_move(store *store, const struct operation_move *operation);
void store_quote(store *store, const struct operation_quote *operation);
void store_renumber(store *store, const struct operation_renumber *operation);
void store_lookup(store *store, const struct operation_lookup *operation);
void store_carry(store *store, const struct operation_carry *operation);

/* True when a commit is due: rows since the last one, or time since the first of them. */
bool store_commit_due(const store *store);
void store_commit(store *store);

/* Closes the capture's books with its status and commits.  Of an atomic store only 'complete' is
 * committed; otherwise the file is as before. */
void store_finish(store *store, const struct operation_finish *operation);

/* The first failure as a sentence, or NULL.  Belongs to the store. */
const char *store_error(const store *store);

void store_close(store *store);

/* Closes a capture that has no packets as if it had never begun: its row goes, and the file if it
 * was made for it. */
void store_abandon(store *store);

/* See recorder_set_status(). */
bool store_set_status(const char *database, int64_t capture, const char *status);

#endif
