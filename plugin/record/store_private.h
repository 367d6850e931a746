/* store_private.h
 * What the two halves of the store share: store.c (capture, packets, commits) and
 * store_conversations.c (conversations: gathered, written, found again).  Nobody else includes it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_STORE_PRIVATE_H
#define FIELDEDGE_STORE_PRIVATE_H

#include "plugin/record/dictionary.h"
#include "plugin/record/store.h"
#include "plugin/record/store_open.h"

/* What is known of a conversation and not written yet. */
struct pending {
    int64_t id;
    bool is_new, has_label, has_server_name, has_time;
    struct operation_conversation made; /* is_new */
    struct operation_label label;
    char server_name[PACKET_NAME_MAX + 1];
    int64_t started_ns, ended_ns;
    int64_t packets[2], frame_bytes[2], ip_bytes[2], payload_bytes[2];
    int64_t bad_packets, bad_bytes, retransmissions, retransmission_bytes, retransmitted_bytes;
};

enum statement {
    INSERT_PACKET,
    MOVE_PACKET,
    INSERT_CONVERSATION,
    UPDATE_CONVERSATION,
    LABEL_CONVERSATION,
    NAME_CONVERSATION,
    FIND_CONVERSATION,
    DELETE_EMPTY,
    UPDATE_CAPTURE,
    DESCRIBE_CAPTURE,
    FINISH_CAPTURE,
    DELETE_CAPTURE,
    INSERT_QUOTE,
    INSERT_RENUMBERING,
    NAME_HOST,
    FIND_CARRIED,
    CARRY,
    FINISH_FILE,
    STATEMENT_COUNT
};

/* Invariants: in_transaction is true between the first row after a commit and that commit.  Each
 * entry of `pending` is found by its id in `pending_by_id`; both are emptied by every commit and
 * keep their memory.  error, once set, stays. */
struct store {
    struct store_file file;
    dictionary *dictionary;
    char *path;
    char *error;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int64_t base_ns;
    bool in_transaction, has_index;
    bool is_atomic;           /* one transaction from store_open() to store_finish() */
    gint64 transaction_began; /* monotonic, µs */
    unsigned rows;            /* since the last commit */
    GArray *pending;          /* of struct pending */
    GHashTable *pending_by_id;
    struct {
        int64_t packets, started_ns, ended_ns, last; /* of the file of a watch */
    } read;
    int64_t capture_packets, capture_frame_bytes, capture_ip_bytes, capture_started, capture_ended;
};

/* Every change goes through store_begin() first; false: the store has failed. */
bool store_begin(store *s);

/* Runs a statement that returns no row; does nothing after a failure. */
void store_run(store *s, enum statement which, const char *doing);

/* Notes the first failure, and rolls back. */
void store_fail(store *s, const char *doing);

void store_bind_text(sqlite3_stmt *statement, int index, const char *text);

/* The index that look-ups need; false: it cannot be made. */
bool store_make_index(store *s);

/* The gathered changes of a conversation, made empty if there are none; valid until the next call.
 */
struct pending *store_pending(store *s, int64_t id);

/* Writes the gathered changes, inside the transaction: of conversations alone, and all. */
void store_write_conversations(store *s);
void store_flush(store *s);

#endif
