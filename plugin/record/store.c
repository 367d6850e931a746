/* store.c: see store.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/store.h"

#include "plugin/record/dictionary.h"
#include "plugin/record/store_open.h"
#include "schema/verdicts.h"

#include <string.h>

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

static void fail(store *s, const char *doing)
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
static void run(store *s, enum statement which, const char *doing)
{
    if (s->error == NULL && dictionary_failure(s->dictionary) != SQLITE_OK)
        fail(s, doing);
    if (s->error == NULL && sqlite3_step(s->statements[which]) != SQLITE_DONE)
        fail(s, doing);
    sqlite3_reset(s->statements[which]);
}

/* Every change goes through here first.  false: the store has failed. */
static bool begin(store *s)
{
    if (s->error != NULL)
        return false;
    if (s->in_transaction)
        return true;
    if (sqlite3_exec(s->file.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        fail(s, "beginning to write");
        return false;
    }
    s->in_transaction = true;
    s->transaction_began = g_get_monotonic_time();
    return true;
}

/* The index that finds a conversation by its key: most recordings never need it, and it would cost
 * a tenth of what a new conversation does. */
static bool index_make(store *s)
{
    static const char by_stream[] = "CREATE INDEX IF NOT EXISTS conversation_key"
                                    " ON conversation (capture, transport, stream, host_a, host_b)";
    static const char by_ends[] =
        "CREATE INDEX IF NOT EXISTS conversation_ends"
        " ON conversation (capture, transport, host_a, host_b, port_a, port_b)";
    const char *sql = s->file.watch.is_on ? by_ends : by_stream;
    if (!s->has_index)
        s->has_index = sqlite3_exec(s->file.db, sql, NULL, NULL, NULL) == SQLITE_OK;
    return s->has_index;
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
    if (s->file.watch.is_on && !index_make(s)) {
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

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    if (text == NULL)
        sqlite3_bind_null(statement, index);
    else
        sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

void store_capture(store *s, const struct operation_capture *o)
{
    sqlite3_stmt *statement = s->statements[DESCRIBE_CAPTURE];
    if (!s->file.watch.has_base && begin(s)) {
        s->base_ns = o->base_ns;
        sqlite3_bind_int64(statement, 1, s->file.capture);
        bind_text(statement, 2, o->file);
        bind_text(statement, 3, o->interface);
        bind_text(statement, 4, o->link_type);
        if (o->snap_length > 0)
            sqlite3_bind_int64(statement, 5, o->snap_length);
        sqlite3_bind_int64(statement, 6, o->base_ns);
        run(s, DESCRIBE_CAPTURE, "describing the capture");
        sqlite3_clear_bindings(statement);
    }
    g_free(o->file);
    g_free(o->interface);
    g_free(o->link_type);
}

/* The gathered changes of a conversation, made empty if there are none.  The pointer is valid until
 * the next call: the array may move, so the hash holds 1 + index. */
static struct pending *pending_find(store *s, int64_t id)
{
    gpointer index = g_hash_table_lookup(s->pending_by_id, &id);
    if (index != NULL)
        return &g_array_index(s->pending, struct pending, GPOINTER_TO_UINT(index) - 1);
    guint old_length = s->pending->len;
    struct pending *before = (struct pending *)(void *)s->pending->data;
    g_array_set_size(s->pending, old_length + 1);
    struct pending *entries = (struct pending *)(void *)s->pending->data;
    if (entries != before) {
        g_hash_table_remove_all(s->pending_by_id);
        for (guint i = 0; i < old_length; i++)
            g_hash_table_insert(s->pending_by_id, &entries[i].id, GUINT_TO_POINTER(i + 1));
    }
    struct pending *entry = &entries[old_length];
    memset(entry, 0, sizeof *entry);
    entry->id = id;
    g_hash_table_insert(s->pending_by_id, &entry->id, GUINT_TO_POINTER(old_length + 1));
    return entry;
}

void store_conversation(store *s, const struct operation_conversation *o)
{
    if (!begin(s))
        return;
    struct pending *entry = pending_find(s, o->id);
    entry->is_new = true;
    entry->made = *o;
}

void store_label(store *s, const struct operation_label *o)
{
    if (!begin(s))
        return;
    struct pending *entry = pending_find(s, o->conversation);
    entry->has_label = true;
    entry->label = *o;
}

void store_server_name(store *s, const struct operation_server_name *o)
{
    if (!begin(s))
        return;
    struct pending *entry = pending_find(s, o->conversation);
    entry->has_server_name = true;
    g_strlcpy(entry->server_name, o->name, sizeof entry->server_name);
}

void store_host_name(store *s, const struct operation_host_name *o)
{
    if (!begin(s))
        return;
    int64_t host = dictionary_host(s->dictionary, &o->address);
    sqlite3_bind_int64(s->statements[NAME_HOST], 1, host);
    bind_text(s->statements[NAME_HOST], 2, o->name);
    run(s, NAME_HOST, "naming a host");
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
    if (!begin(s))
        return;
    struct pending *entry = pending_find(s, o->conversation);
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
    run(s, INSERT_PACKET, "writing a packet");
    s->rows++;
}

void store_move(store *s, const struct operation_move *o)
{
    if (!begin(s))
        return;
    struct packet_kind what = o->packet.what;
    what.direction = o->direction;
    sums_add(pending_find(s, o->packet.conversation), &o->packet, -1, o->packet.what.direction);
    struct pending *entry = pending_find(s, o->to);
    sums_add(entry, &o->packet, 1, o->direction);
    time_add(entry, o->packet.time_ns);
    sqlite3_bind_int64(s->statements[MOVE_PACKET], 1, o->packet.id);
    sqlite3_bind_int64(s->statements[MOVE_PACKET], 2, o->to);
    sqlite3_bind_int64(s->statements[MOVE_PACKET], 3, dictionary_kind(s->dictionary, &what));
    run(s, MOVE_PACKET, "moving a fragment to its conversation");
}

void store_quote(store *s, const struct operation_quote *o)
{
    if (!begin(s))
        return;
    sqlite3_bind_int64(s->statements[INSERT_QUOTE], 1, o->packet);
    sqlite3_bind_int64(s->statements[INSERT_QUOTE], 2, o->conversation);
    run(s, INSERT_QUOTE, "writing a quote");
}

void store_renumber(store *s, const struct operation_renumber *o)
{
    if (!begin(s))
        return;
    sqlite3_bind_int64(s->statements[INSERT_RENUMBERING], 1, o->packet);
    sqlite3_bind_int64(s->statements[INSERT_RENUMBERING], 2, o->offset);
    run(s, INSERT_RENUMBERING, "writing a renumbering");
}

static void bind_key(sqlite3_stmt *statement, int transport, int stream, int ip_protocol,
                     int icmp_group, const struct conversation_key *key)
{
    bool is_icmp = key->transport == CLASSIFY_ICMP || key->transport == CLASSIFY_ICMPV6;
    bool is_link = key->transport == CLASSIFY_NO_TRANSPORT;
    bind_text(statement, transport, classify_transport_name(key->transport));
    sqlite3_bind_null(statement, stream);
    sqlite3_bind_null(statement, ip_protocol);
    sqlite3_bind_null(statement, icmp_group);
    if (key->is_numbered)
        sqlite3_bind_int64(statement, stream, key->stream);
    else if (!key->has_stream && !is_link)
        sqlite3_bind_int64(statement, ip_protocol, key->ip_protocol);
    if (is_icmp)
        sqlite3_bind_int64(statement, icmp_group, key->icmp_group);
}

static void bind_sums(sqlite3_stmt *statement, const struct pending *entry)
{
    sqlite3_bind_int64(statement, 1, entry->id);
    sqlite3_bind_int64(statement, 2, entry->has_time ? entry->started_ns : INT64_MAX);
    sqlite3_bind_int64(statement, 3, entry->has_time ? entry->ended_ns : INT64_MIN);
    for (int d = 0; d < 2; d++) {
        sqlite3_bind_int64(statement, 4 + d, entry->packets[d]);
        sqlite3_bind_int64(statement, 6 + d, entry->frame_bytes[d]);
        sqlite3_bind_int64(statement, 8 + d, entry->ip_bytes[d]);
        sqlite3_bind_int64(statement, 10 + d, entry->payload_bytes[d]);
    }
    sqlite3_bind_int64(statement, 12, entry->bad_packets);
    sqlite3_bind_int64(statement, 13, entry->bad_bytes);
    sqlite3_bind_int64(statement, 14, entry->retransmissions);
    sqlite3_bind_int64(statement, 15, entry->retransmission_bytes);
    sqlite3_bind_int64(statement, 16, entry->retransmitted_bytes);
}

static void bind_port(sqlite3_stmt *statement, int index, bool has, uint16_t port)
{
    if (has)
        sqlite3_bind_int64(statement, index, port);
    else
        sqlite3_bind_null(statement, index);
}

static void bind_label(store *s, sqlite3_stmt *statement, int application, int source, int votes,
                       const struct pending *entry)
{
    if (!entry->has_label) {
        sqlite3_bind_null(statement, application);
        sqlite3_bind_null(statement, source);
        sqlite3_bind_int64(statement, votes, 0);
        return;
    }
    int64_t id = dictionary_application(s->dictionary, entry->label.label);
    sqlite3_bind_int64(statement, application, id);
    bind_text(statement, source, classify_source_name(entry->label.source));
    sqlite3_bind_int64(statement, votes, entry->label.votes);
}

static void insert_conversation(store *s, const struct pending *entry)
{
    sqlite3_stmt *statement = s->statements[INSERT_CONVERSATION];
    const struct operation_conversation *made = &entry->made;
    int64_t low = dictionary_host(s->dictionary, &made->key.low);
    int64_t high = dictionary_host(s->dictionary, &made->key.high);
    bind_sums(statement, entry);
    sqlite3_bind_int64(statement, 17, s->file.capture);
    sqlite3_bind_int64(statement, 18, made->key.transport == CLASSIFY_NO_TRANSPORT);
    bind_key(statement, 19, 20, 21, 22, &made->key);
    sqlite3_bind_int64(statement, 23, made->a_is_high ? high : low);
    sqlite3_bind_int64(statement, 24, made->a_is_high ? low : high);
    bind_port(statement, 25, made->key.has_stream, made->port_a);
    bind_port(statement, 26, made->key.has_stream, made->port_b);
    bind_port(statement, 27, made->has_vlan, made->vlan);
    bind_text(statement, 28, made->tunnel);
    sqlite3_bind_int64(statement, 29, made->is_local);
    bind_label(s, statement, 30, 31, 32, entry);
    bind_text(statement, 33, entry->has_server_name ? entry->server_name : NULL);
    run(s, INSERT_CONVERSATION, "writing a conversation");
}

static void update_conversation(store *s, const struct pending *entry)
{
    bind_sums(s->statements[UPDATE_CONVERSATION], entry);
    run(s, UPDATE_CONVERSATION, "updating a conversation");
    if (entry->has_label) {
        sqlite3_bind_int64(s->statements[LABEL_CONVERSATION], 1, entry->id);
        bind_label(s, s->statements[LABEL_CONVERSATION], 2, 3, 4, entry);
        run(s, LABEL_CONVERSATION, "labelling a conversation");
    }
    if (entry->has_server_name) {
        sqlite3_bind_int64(s->statements[NAME_CONVERSATION], 1, entry->id);
        bind_text(s->statements[NAME_CONVERSATION], 2, entry->server_name);
        run(s, NAME_CONVERSATION, "naming a server");
    }
}

/* Writes the gathered changes of all conversations, inside the transaction. */
static void flush_pending(store *s)
{
    for (guint i = 0; i < s->pending->len && s->error == NULL; i++) {
        const struct pending *entry = &g_array_index(s->pending, struct pending, i);
        if (entry->is_new)
            insert_conversation(s, entry);
        else
            update_conversation(s, entry);
    }
    g_hash_table_remove_all(s->pending_by_id);
    g_array_set_size(s->pending, 0);
    if (s->capture_packets == 0 || s->error != NULL)
        return;
    sqlite3_stmt *statement = s->statements[UPDATE_CAPTURE];
    sqlite3_bind_int64(statement, 1, s->file.capture);
    sqlite3_bind_int64(statement, 2, s->capture_packets);
    sqlite3_bind_int64(statement, 3, s->capture_frame_bytes);
    sqlite3_bind_int64(statement, 4, s->capture_ip_bytes);
    sqlite3_bind_int64(statement, 5, s->capture_started);
    sqlite3_bind_int64(statement, 6, s->capture_ended);
    run(s, UPDATE_CAPTURE, "updating the capture");
    s->capture_packets = s->capture_frame_bytes = s->capture_ip_bytes = 0;
}

static void found_read(struct conversation_found *found, sqlite3_stmt *statement)
{
    const char *source = (const char *)sqlite3_column_text(statement, 6);
    const char *label = (const char *)sqlite3_column_text(statement, 8);
    found->id = sqlite3_column_int64(statement, 0);
    found->a_is_high = sqlite3_column_int(statement, 1) != 0;
    found->is_local = sqlite3_column_int(statement, 2) != 0;
    found->has_server_name = sqlite3_column_int(statement, 3) != 0;
    found->port_a = (uint16_t)sqlite3_column_int(statement, 4);
    found->port_b = (uint16_t)sqlite3_column_int(statement, 5);
    found->votes = (uint32_t)sqlite3_column_int64(statement, 7);
    g_strlcpy(found->label, label != NULL ? label : "", sizeof found->label);
    for (unsigned i = CLASSIFY_SOURCE_NONE; source != NULL && i <= CLASSIFY_SOURCE_IP_PROTOCOL;
         i++) {
        const char *name = classify_source_name(i);
        if (name != NULL && strcmp(name, source) == 0)
            found->source = i;
    }
}

static void bind_carried_key(store *s, sqlite3_stmt *statement, const struct operation_lookup *o)
{
    bind_key(statement, 2, 3, 4, 5, &o->key);
    sqlite3_bind_int64(statement, 6, o->key.transport == CLASSIFY_NO_TRANSPORT);
    sqlite3_bind_int64(statement, 7, dictionary_host(s->dictionary, &o->key.low));
    sqlite3_bind_int64(statement, 8, dictionary_host(s->dictionary, &o->key.high));
    bind_port(statement, 9, o->key.has_stream, o->low_port);
    bind_port(statement, 10, o->key.has_stream, o->high_port);
    sqlite3_bind_int64(statement, 11, s->file.watch.file);
}

static void lookup_carried(store *s, const struct operation_lookup *o)
{
    sqlite3_stmt *statement = s->statements[FIND_CARRIED];
    sqlite3_bind_int64(statement, 1, s->file.capture);
    bind_carried_key(s, statement, o);
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        found_read(o->found, statement);
        o->found->is_of_this_file = sqlite3_column_int(statement, 9) != 0;
        o->found->is_this_stream = sqlite3_column_int(statement, 10) != 0;
        const void *state = sqlite3_column_blob(statement, 11);
        if (state != NULL)
            o->found->state = g_bytes_new(state, (gsize)sqlite3_column_bytes(statement, 11));
    } else if (rc != SQLITE_DONE) {
        fail(s, "looking a conversation up");
    }
    sqlite3_reset(statement);
}

void store_lookup(store *s, const struct operation_lookup *o)
{
    sqlite3_stmt *statement = s->statements[FIND_CONVERSATION];
    o->found->id = 0;
    if (!begin(s))
        return;
    if (!index_make(s)) {
        fail(s, "making an index");
        return;
    }
    flush_pending(s);
    if (o->is_by_ends) {
        lookup_carried(s, o);
        return;
    }
    sqlite3_bind_int64(statement, 1, s->file.capture);
    bind_key(statement, 2, 3, 4, 5, &o->key);
    sqlite3_bind_int64(statement, 6, o->key.transport == CLASSIFY_NO_TRANSPORT);
    sqlite3_bind_int64(statement, 7, dictionary_host(s->dictionary, &o->key.low));
    sqlite3_bind_int64(statement, 8, dictionary_host(s->dictionary, &o->key.high));
    sqlite3_bind_null(statement, 9);
    if (o->key.has_stream && !o->key.is_numbered)
        sqlite3_bind_int64(statement, 9, o->key.stream);
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        found_read(o->found, statement);
    else if (rc != SQLITE_DONE)
        fail(s, "looking a conversation up");
    sqlite3_reset(statement);
}

void store_carry(store *s, const struct operation_carry *o)
{
    sqlite3_stmt *statement = s->statements[CARRY];
    if (begin(s)) {
        gsize length;
        const void *state = g_bytes_get_data(o->state, &length);
        sqlite3_bind_int64(statement, 1, o->conversation);
        sqlite3_bind_int64(statement, 2, s->file.watch.file);
        if (o->is_numbered)
            sqlite3_bind_int64(statement, 3, o->stream);
        else
            sqlite3_bind_null(statement, 3);
        sqlite3_bind_blob64(statement, 4, state, length, SQLITE_STATIC);
        run(s, CARRY, "keeping the state of a conversation");
        sqlite3_clear_bindings(statement);
    }
    g_bytes_unref(o->state);
}

void store_names(store *s, int max,
                 void (*take)(void *user, const struct packet_address *address, const char *name),
                 void *user)
{
    static const char sql[] = "SELECT address, name FROM host WHERE name IS NOT NULL"
                              " ORDER BY id DESC LIMIT ?1";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(s->file.db, sql, -1, &statement, NULL) != SQLITE_OK)
        return; /* names are a help, not a duty */
    sqlite3_bind_int(statement, 1, max);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        struct packet_address address = {0};
        int length = sqlite3_column_bytes(statement, 0);
        if (length <= 0 || length > (int)sizeof address.bytes)
            continue;
        address.length = (uint8_t)length;
        memcpy(address.bytes, sqlite3_column_blob(statement, 0), (size_t)length);
        take(user, &address, (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
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
        fail(s, "writing names");
    if (s->error == NULL && sqlite3_exec(s->file.db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        fail(s, "committing");
    s->in_transaction = false;
    s->rows = 0;
}

void store_commit(store *s)
{
    if (!s->in_transaction || s->error != NULL)
        return;
    flush_pending(s);
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
    bind_text(statement, 2, "failed");
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
    run(s, FINISH_FILE, "closing the file");
}

void store_finish(store *s, const struct operation_finish *o)
{
    const char *status = o->status;
    if (!begin(s)) {
        mark_failed(s);
        return;
    }
    if (s->is_atomic && strcmp(status, "complete") != 0) {
        roll_back(s);
        return;
    }
    flush_pending(s);
    sqlite3_bind_int64(s->statements[DELETE_EMPTY], 1, s->file.capture);
    sqlite3_bind_int64(s->statements[DELETE_EMPTY], 2, s->file.next_conversation);
    run(s, DELETE_EMPTY, "closing the capture");
    sqlite3_bind_int64(s->statements[FINISH_CAPTURE], 1, s->file.capture);
    if (s->file.watch.is_on) {
        finish_file(s, o->continued);
        status = "interrupted"; /* the watch goes on */
    }
    bind_text(s->statements[FINISH_CAPTURE], 2, status);
    run(s, FINISH_CAPTURE, "closing the capture");
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
        run(s, DELETE_CAPTURE, "taking the capture back");
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
