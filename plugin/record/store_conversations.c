/* store_conversations.c: see store_private.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/store_private.h"

#include <string.h>

/* The gathered changes of a conversation, made empty if there are none.  The pointer is valid until
 * the next call: the array may move, so the hash holds 1 + index. */
struct pending *store_pending(store *s, int64_t id)
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
    if (!store_begin(s))
        return;
    struct pending *entry = store_pending(s, o->id);
    entry->is_new = true;
    entry->made = *o;
}

void store_label(store *s, const struct operation_label *o)
{
    if (!store_begin(s))
        return;
    struct pending *entry = store_pending(s, o->conversation);
    entry->has_label = true;
    entry->label = *o;
}

void store_server_name(store *s, const struct operation_server_name *o)
{
    if (!store_begin(s))
        return;
    struct pending *entry = store_pending(s, o->conversation);
    entry->has_server_name = true;
    g_strlcpy(entry->server_name, o->name, sizeof entry->server_name);
}

static void bind_key(sqlite3_stmt *statement, int transport, int stream, int ip_protocol,
                     int icmp_group, const struct conversation_key *key)
{
    bool is_icmp = key->transport == CLASSIFY_ICMP || key->transport == CLASSIFY_ICMPV6;
    bool is_link = key->transport == CLASSIFY_NO_TRANSPORT;
    store_bind_text(statement, transport, classify_transport_name(key->transport));
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
    store_bind_text(statement, source, classify_source_name(entry->label.source));
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
    store_bind_text(statement, 28, made->tunnel);
    sqlite3_bind_int64(statement, 29, made->is_local);
    bind_label(s, statement, 30, 31, 32, entry);
    store_bind_text(statement, 33, entry->has_server_name ? entry->server_name : NULL);
    store_run(s, INSERT_CONVERSATION, "writing a conversation");
}

static void update_conversation(store *s, const struct pending *entry)
{
    bind_sums(s->statements[UPDATE_CONVERSATION], entry);
    store_run(s, UPDATE_CONVERSATION, "updating a conversation");
    if (entry->has_label) {
        sqlite3_bind_int64(s->statements[LABEL_CONVERSATION], 1, entry->id);
        bind_label(s, s->statements[LABEL_CONVERSATION], 2, 3, 4, entry);
        store_run(s, LABEL_CONVERSATION, "labelling a conversation");
    }
    if (entry->has_server_name) {
        sqlite3_bind_int64(s->statements[NAME_CONVERSATION], 1, entry->id);
        store_bind_text(s->statements[NAME_CONVERSATION], 2, entry->server_name);
        store_run(s, NAME_CONVERSATION, "naming a server");
    }
}

void store_write_conversations(store *s)
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

/* The index that finds a conversation by its key: most recordings never need it, and it would cost
 * a tenth of what a new conversation does. */
bool store_make_index(store *s)
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
        store_fail(s, "looking a conversation up");
    }
    sqlite3_reset(statement);
}

void store_lookup(store *s, const struct operation_lookup *o)
{
    sqlite3_stmt *statement = s->statements[FIND_CONVERSATION];
    o->found->id = 0;
    if (!store_begin(s))
        return;
    if (!store_make_index(s)) {
        store_fail(s, "making an index");
        return;
    }
    store_flush(s);
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
        store_fail(s, "looking a conversation up");
    sqlite3_reset(statement);
}

void store_carry(store *s, const struct operation_carry *o)
{
    sqlite3_stmt *statement = s->statements[CARRY];
    if (store_begin(s)) {
        gsize length;
        const void *state = g_bytes_get_data(o->state, &length);
        sqlite3_bind_int64(statement, 1, o->conversation);
        sqlite3_bind_int64(statement, 2, s->file.watch.file);
        if (o->is_numbered)
            sqlite3_bind_int64(statement, 3, o->stream);
        else
            sqlite3_bind_null(statement, 3);
        sqlite3_bind_blob64(statement, 4, state, length, SQLITE_STATIC);
        store_run(s, CARRY, "keeping the state of a conversation");
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
