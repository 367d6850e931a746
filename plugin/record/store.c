/* store.c: see store.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/store_private.h"

#include "schema/verdicts.h"

#include <string.h>

static const char *const statement_sql[STATEMENT_COUNT] = {
    [INSERT_PACKET] = "INSERT INTO packet (id, time, conversation, frame_bytes, link_bytes,"
                      " payload_bytes, kind, retransmitted_bytes, payload_hash)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [MOVE_PACKET] = "UPDATE packet SET conversation = ?2, kind = ?3 WHERE id = ?1",
    [INSERT_CONVERSATION] =
        "INSERT INTO conversation (id, started_ns, ended_ns, packets_ab, packets_ba,"
        " frame_bytes_ab, frame_bytes_ba, ip_bytes_ab, ip_bytes_ba, payload_bytes_ab,"
        " payload_bytes_ba, bad_packets, bad_bytes, retransmissions, retransmission_bytes,"
        " retransmitted_bytes, capture, is_link, transport, stream, ip_protocol, icmp_group,"
        " host_a, host_b, port_a, port_b, vlan, tunnel, is_local, application, label_source, votes,"
        " server_name)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33)",
    [UPDATE_CONVERSATION] =
        "UPDATE conversation SET started_ns = min(started_ns, ?2), ended_ns = max(ended_ns, ?3),"
        " packets_ab = packets_ab + ?4, packets_ba = packets_ba + ?5,"
        " frame_bytes_ab = frame_bytes_ab + ?6, frame_bytes_ba = frame_bytes_ba + ?7,"
        " ip_bytes_ab = ip_bytes_ab + ?8, ip_bytes_ba = ip_bytes_ba + ?9,"
        " payload_bytes_ab = payload_bytes_ab + ?10, payload_bytes_ba = payload_bytes_ba + ?11,"
        " bad_packets = bad_packets + ?12, bad_bytes = bad_bytes + ?13,"
        " retransmissions = retransmissions + ?14,"
        " retransmission_bytes = retransmission_bytes + ?15,"
        " retransmitted_bytes = retransmitted_bytes + ?16 WHERE id = ?1",
    [LABEL_CONVERSATION] = "UPDATE conversation SET application = ?2, label_source = ?3, votes = ?4"
                           " WHERE id = ?1",
    [NAME_CONVERSATION] = "UPDATE conversation SET server_name = ?2 WHERE id = ?1",
    [FIND_CONVERSATION] =
        "SELECT v.id, v.host_a = ?8, v.is_local, v.server_name IS NOT NULL, v.port_a, v.port_b,"
        " v.label_source, v.votes, n.name FROM conversation v"
        " LEFT JOIN application n ON n.id = v.application"
        " WHERE v.capture = ?1 AND v.transport IS ?2 AND v.stream IS ?3 AND v.host_a IN (?7, ?8)"
        " AND v.host_b IN (?7, ?8) AND v.ip_protocol IS ?4 AND v.icmp_group IS ?5"
        " AND v.is_link = ?6 AND (?9 IS NULL OR max(v.port_a, v.port_b) << 16 | min(v.port_a, "
        "v.port_b) = ?9)"
        " AND (v.host_a <> v.host_b OR ?7 = ?8) ORDER BY v.id DESC LIMIT 1",
    [DELETE_EMPTY] = "DELETE FROM conversation WHERE capture = ?1 AND packets_ab + packets_ba = 0"
                     " AND id >= ?2",
    [UPDATE_CAPTURE] = "UPDATE capture SET packets = packets + ?2, frame_bytes = frame_bytes + ?3,"
                       " ip_bytes = ip_bytes + ?4,"
                       " started_ns = min(ifnull(started_ns, ?5), ?5),"
                       " ended_ns = max(ifnull(ended_ns, ?6), ?6) WHERE id = ?1",
    [DESCRIBE_CAPTURE] = "UPDATE capture SET file = ?2, interface = ?3, link_type = ?4,"
                         " snap_length = ?5, base_ns = ?6 WHERE id = ?1",
    [FINISH_CAPTURE] = "UPDATE capture SET status = ?2 WHERE id = ?1",
    [DELETE_CAPTURE] = "DELETE FROM capture WHERE id = ?1 AND packets = 0",
    [INSERT_QUOTE] = "INSERT INTO quote (packet, conversation) VALUES (?1, ?2)",
    [INSERT_RENUMBERING] = "INSERT INTO renumbering (packet, \"offset\") VALUES (?1, ?2)",
    [NAME_HOST] = "UPDATE host SET name = ?2 WHERE id = ?1",
    /* What the recorder asks for is either this file's or the newest of these ends. */
    [FIND_CARRIED] =
        "SELECT v.id, NOT (v.host_a = ?7 AND v.host_b = ?8 AND v.port_a IS ?9 AND v.port_b IS ?10),"
        " v.is_local, v.server_name IS NOT NULL, v.port_a, v.port_b, v.label_source, v.votes,"
        " n.name, ifnull(c.file = ?11, 0), c.stream IS ?3, c.state FROM conversation v"
        " LEFT JOIN application n ON n.id = v.application LEFT JOIN carry c ON c.conversation ="
        " v.id WHERE v.capture = ?1 AND v.transport IS ?2 AND v.ip_protocol IS ?4"
        " AND v.icmp_group IS ?5 AND v.is_link = ?6"
        " AND ((v.host_a = ?7 AND v.host_b = ?8 AND v.port_a IS ?9 AND v.port_b IS ?10)"
        " OR (v.host_a = ?8 AND v.host_b = ?7 AND v.port_a IS ?10 AND v.port_b IS ?9))"
        " ORDER BY ifnull(c.file = ?11, 0) AND c.stream IS ?3 DESC, v.id DESC LIMIT 1",
    [CARRY] = "INSERT INTO carry (conversation, file, stream, state) VALUES (?1, ?2, ?3, ?4)"
              " ON CONFLICT (conversation) DO UPDATE SET file = excluded.file,"
              " stream = excluded.stream, state = excluded.state",
    [FINISH_FILE] = "UPDATE watch_file SET first = ?2, last = ?3, packets = ?4, started_ns = ?5,"
                    " ended_ns = ?6, continued = ?7 WHERE id = ?1",
};

void store_fail(store *s, const char *doing)
{
    if (s->error != NULL)
        return;
    int names = dictionary_failure(s->dictionary);
    s->error = names == SQLITE_OK
                   ? store_describe_failure(s->file.db, s->path, doing)
                   : store_describe_code(names, sqlite3_errstr(names), s->path, "writing names");
    if (!sqlite3_get_autocommit(s->file.db))
        sqlite3_exec(s->file.db, "ROLLBACK", NULL, NULL, NULL);
    s->in_transaction = false;
    if (s->is_atomic)
        s->file.capture = 0;
}

/* Runs a statement that returns no row.  After a failure it must not: the transaction is gone, and
 * each statement would commit for itself. */
void store_run(store *s, enum statement which, const char *doing)
{
    if (s->error == NULL && dictionary_failure(s->dictionary) != SQLITE_OK)
        store_fail(s, doing);
    if (s->error == NULL && sqlite3_step(s->statements[which]) != SQLITE_DONE)
        store_fail(s, doing);
    sqlite3_reset(s->statements[which]);
}

/* Every change goes through here first.  false: the store has failed. */
bool store_begin(store *s)
{
    if (s->error != NULL)
        return false;
    if (s->in_transaction)
        return true;
    if (sqlite3_exec(s->file.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        store_fail(s, "beginning to write");
        return false;
    }
    s->in_transaction = true;
    s->transaction_began = g_get_monotonic_time();
    return true;
}

store *store_open(const struct recorder_options *options, char **error)
{
    store *s = g_new0(store, 1);
    s->path = g_strdup(options->database);
    s->pending = g_array_sized_new(FALSE, TRUE, sizeof(struct pending), 1024);
    s->pending_by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    if (!store_open_database(options, &s->file, error))
        goto failed;
    s->is_atomic = s->in_transaction = !sqlite3_get_autocommit(s->file.db);
    s->transaction_began = g_get_monotonic_time();
    s->base_ns = s->file.watch.base_ns;
    s->read.last = s->file.watch.last;
    if (s->file.watch.is_on && !store_make_index(s)) {
        *error = store_describe_failure(s->file.db, s->path, "making an index");
        goto failed;
    }
    for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(s->file.db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &s->statements[i], NULL) != SQLITE_OK) {
            *error = store_describe_failure(s->file.db, s->path, "preparing statements");
            goto failed;
        }
    }
    s->dictionary = dictionary_new(s->file.db);
    if (s->dictionary != NULL)
        return s;
    *error = store_describe_failure(s->file.db, s->path, "preparing statements");
failed:
    store_close(s);
    return NULL;
}

int64_t store_capture_id(const store *s)
{
    return s->file.capture;
}

int64_t store_next_conversation(const store *s)
{
    return s->file.next_conversation;
}

uint32_t store_last_position(const store *s)
{
    return s->file.watch.is_on ? (uint32_t)s->file.watch.last : 0;
}

const char *store_error(const store *s)
{
    return s->error;
}

void store_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    if (text == NULL)
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void store_capture(store *s, const struct operation_capture *o)
{
    sqlite3_stmt *statement = s->statements[DESCRIBE_CAPTURE];
    if (!s->file.watch.has_base && store_begin(s)) {
        s->base_ns = o->base_ns;
        sqlite3_bind_int64(statement, 1, s->file.capture);
        store_bind_text(statement, 2, o->file);
        store_bind_text(statement, 3, o->interface);
        store_bind_text(statement, 4, o->link_type);
        if (o->snap_length > 0)
            sqlite3_bind_int64(statement, 5, o->snap_length);
        sqlite3_bind_int64(statement, 6, o->base_ns);
        store_run(s, DESCRIBE_CAPTURE, "describing the capture");
        sqlite3_clear_bindings(statement);
    }
    g_free(o->file);
    g_free(o->interface);
    g_free(o->link_type);
}

void store_host_name(store *s, const struct operation_host_name *o)
{
    if (!store_begin(s))
        return;
    int64_t host = dictionary_host(s->dictionary, &o->address);
    sqlite3_bind_int64(s->statements[NAME_HOST], 1, host);
    store_bind_text(s->statements[NAME_HOST], 2, o->name);
    store_run(s, NAME_HOST, "naming a host");
}

static void sums_add(struct pending *entry, const struct operation_packet *o, int64_t sign,
                     uint8_t direction)
{
    entry->packets[direction] += sign;
    entry->frame_bytes[direction] += sign * o->frame_bytes;
    entry->ip_bytes[direction] += sign * o->ip_bytes;
    entry->payload_bytes[direction] += sign * o->payload_bytes;
    entry->retransmitted_bytes += sign * o->retransmitted_bytes;
    if (o->what.verdicts & VERDICTS_BAD) {
        entry->bad_packets += sign;
        entry->bad_bytes += sign * o->frame_bytes;
    }
    if (o->what.verdicts & VERDICTS_RETRANSMISSION) {
        entry->retransmissions += sign;
        entry->retransmission_bytes += sign * o->frame_bytes;
    }
}

static void time_add(struct pending *entry, int64_t time_ns)
{
    entry->started_ns = entry->has_time ? MIN(entry->started_ns, time_ns) : time_ns;
    entry->ended_ns = entry->has_time ? MAX(entry->ended_ns, time_ns) : time_ns;
    entry->has_time = true;
}

static void capture_add(store *s, const struct operation_packet *o)
{
    bool first = s->capture_packets++ == 0, first_read = s->read.packets++ == 0;
    s->capture_frame_bytes += o->frame_bytes;
    s->capture_ip_bytes += o->ip_bytes;
    s->capture_started = first ? o->time_ns : MIN(s->capture_started, o->time_ns);
    s->capture_ended = first ? o->time_ns : MAX(s->capture_ended, o->time_ns);
    s->read.started_ns = first_read ? o->time_ns : MIN(s->read.started_ns, o->time_ns);
    s->read.ended_ns = first_read ? o->time_ns : MAX(s->read.ended_ns, o->time_ns);
    s->read.last = o->id;
}

void store_packet(store *s, const struct operation_packet *o)
{
    sqlite3_stmt *statement = s->statements[INSERT_PACKET];
    if (!store_begin(s))
        return;
    struct pending *entry = store_pending(s, o->conversation);
    sums_add(entry, o, 1, o->what.direction);
    time_add(entry, o->time_ns);
    capture_add(s, o);
    sqlite3_bind_int64(statement, 1, o->id);
    sqlite3_bind_int64(statement, 2, o->time_ns - s->base_ns);
    sqlite3_bind_int64(statement, 3, o->conversation);
    sqlite3_bind_int64(statement, 4, o->frame_bytes);
    sqlite3_bind_int64(statement, 5, (int64_t)o->frame_bytes - o->ip_bytes);
    sqlite3_bind_int64(statement, 6, o->payload_bytes);
    sqlite3_bind_int64(statement, 7, dictionary_kind(s->dictionary, &o->what));
    sqlite3_bind_int64(statement, 8, o->retransmitted_bytes);
    if (o->has_hash)
        sqlite3_bind_int64(statement, 9, (int32_t)o->hash);
    else
        sqlite3_bind_null(statement, 9);
    store_run(s, INSERT_PACKET, "writing a packet");
    s->rows++;
}

void store_move(store *s, const struct operation_move *o)
{
    if (!store_begin(s))
        return;
    struct packet_kind what = o->packet.what;
    what.direction = o->direction;
    sums_add(store_pending(s, o->packet.conversation), &o->packet, -1, o->packet.what.direction);
    struct pending *entry = store_pending(s, o->to);
    sums_add(entry, &o->packet, 1, o->direction);
    time_add(entry, o->packet.time_ns);
    sqlite3_bind_int64(s->statements[MOVE_PACKET], 1, o->packet.id);
    sqlite3_bind_int64(s->statements[MOVE_PACKET], 2, o->to);
    sqlite3_bind_int64(s->statements[MOVE_PACKET], 3, dictionary_kind(s->dictionary, &what));
    store_run(s, MOVE_PACKET, "moving a fragment to its conversation");
}

void store_quote(store *s, const struct operation_quote *o)
{
    if (!store_begin(s))
        return;
    sqlite3_bind_int64(s->statements[INSERT_QUOTE], 1, o->packet);
    sqlite3_bind_int64(s->statements[INSERT_QUOTE], 2, o->conversation);
    store_run(s, INSERT_QUOTE, "writing a quote");
}

void store_renumber(store *s, const struct operation_renumber *o)
{
    if (!store_begin(s))
        return;
    sqlite3_bind_int64(s->statements[INSERT_RENUMBERING], 1, o->packet);
    sqlite3_bind_int64(s->statements[INSERT_RENUMBERING], 2, o->offset);
    store_run(s, INSERT_RENUMBERING, "writing a renumbering");
}

/* Writes the gathered changes, inside the transaction. */
void store_flush(store *s)
{
    store_write_conversations(s);
    if (s->capture_packets == 0 || s->error != NULL)
        return;
    sqlite3_stmt *statement = s->statements[UPDATE_CAPTURE];
    sqlite3_bind_int64(statement, 1, s->file.capture);
    sqlite3_bind_int64(statement, 2, s->capture_packets);
    sqlite3_bind_int64(statement, 3, s->capture_frame_bytes);
    sqlite3_bind_int64(statement, 4, s->capture_ip_bytes);
    sqlite3_bind_int64(statement, 5, s->capture_started);
    sqlite3_bind_int64(statement, 6, s->capture_ended);
    store_run(s, UPDATE_CAPTURE, "updating the capture");
    s->capture_packets = s->capture_frame_bytes = s->capture_ip_bytes = 0;
}

bool store_commit_due(const store *s)
{
    if (!s->in_transaction)
        return false;
    return s->rows >= STORE_COMMIT_ROWS || g_get_monotonic_time() - s->transaction_began >=
                                               STORE_COMMIT_MS * G_TIME_SPAN_MILLISECOND;
}

static void commit(store *s)
{
    if (s->error == NULL && dictionary_failure(s->dictionary) != SQLITE_OK)
        store_fail(s, "writing names");
    if (s->error == NULL && sqlite3_exec(s->file.db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        store_fail(s, "committing");
    s->in_transaction = false;
    s->rows = 0;
}

void store_commit(store *s)
{
    if (!s->in_transaction || s->error != NULL)
        return;
    store_flush(s);
    if (s->is_atomic) {
        s->rows = 0;
        s->transaction_began = g_get_monotonic_time();
    } else {
        commit(s);
    }
}

static void roll_back(store *s)
{
    if (!sqlite3_get_autocommit(s->file.db))
        sqlite3_exec(s->file.db, "ROLLBACK", NULL, NULL, NULL);
    s->in_transaction = false;
    s->file.capture = 0;
}

/* The last of a failed recording.  It may fail too: then 'interrupted' stays. */
static void mark_failed(store *s)
{
    sqlite3_stmt *statement = s->statements[FINISH_CAPTURE];
    if (s->is_atomic)
        return;
    sqlite3_busy_timeout(s->file.db, 0);
    sqlite3_bind_int64(statement, 1, s->file.capture);
    store_bind_text(statement, 2, "failed");
    sqlite3_step(statement);
    sqlite3_reset(statement);
}

static void finish_file(store *s, int64_t continued)
{
    sqlite3_stmt *statement = s->statements[FINISH_FILE];
    sqlite3_bind_int64(statement, 1, s->file.watch.file);
    sqlite3_bind_int64(statement, 2, s->file.watch.last + 1);
    sqlite3_bind_int64(statement, 3, s->read.last);
    sqlite3_bind_int64(statement, 4, s->read.packets);
    if (s->read.packets > 0) {
        sqlite3_bind_int64(statement, 5, s->read.started_ns);
        sqlite3_bind_int64(statement, 6, s->read.ended_ns);
    }
    sqlite3_bind_int64(statement, 7, continued);
    store_run(s, FINISH_FILE, "closing the file");
}

void store_finish(store *s, const struct operation_finish *o)
{
    const char *status = o->status;
    if (!store_begin(s)) {
        mark_failed(s);
        return;
    }
    if (s->is_atomic && strcmp(status, "complete") != 0) {
        roll_back(s);
        return;
    }
    store_flush(s);
    sqlite3_bind_int64(s->statements[DELETE_EMPTY], 1, s->file.capture);
    sqlite3_bind_int64(s->statements[DELETE_EMPTY], 2, s->file.next_conversation);
    store_run(s, DELETE_EMPTY, "closing the capture");
    sqlite3_bind_int64(s->statements[FINISH_CAPTURE], 1, s->file.capture);
    if (s->file.watch.is_on) {
        finish_file(s, o->continued);
        status = "interrupted"; /* the watch goes on */
    }
    store_bind_text(s->statements[FINISH_CAPTURE], 2, status);
    store_run(s, FINISH_CAPTURE, "closing the capture");
    if (s->error == NULL)
        commit(s);
    if (s->error != NULL)
        mark_failed(s);
}

static bool is_without_captures(store *s)
{
    sqlite3_stmt *statement = NULL;
    bool empty = sqlite3_prepare_v2(s->file.db, "SELECT 1 FROM capture LIMIT 1", -1, &statement,
                                    NULL) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    return empty;
}

void store_abandon(store *s)
{
    sqlite3_bind_int64(s->statements[DELETE_CAPTURE], 1, s->file.capture);
    if (s->is_atomic)
        roll_back(s);
    else
        store_run(s, DELETE_CAPTURE, "taking the capture back");
    char *made = s->file.is_new && is_without_captures(s) ? g_strdup(s->path) : NULL;
    store_close(s);
    if (made != NULL)
        store_delete_database(made);
    g_free(made);
}

void store_close(store *s)
{
    if (s == NULL)
        return;
    dictionary_free(s->dictionary);
    for (unsigned i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    store_close_database(&s->file);
    g_array_free(s->pending, TRUE);
    g_hash_table_destroy(s->pending_by_id);
    g_free(s->path);
    g_free(s->error);
    g_free(s);
}
