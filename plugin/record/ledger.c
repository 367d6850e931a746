/* ledger.c: see ledger.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/ledger.h"

#include "plugin/record/conversations.h"

#include <string.h>

/* A frame; all zero: not entered. */
struct row {
    uint32_t conversation; /* id; the ids of one capture fit */
    uint32_t quoted;       /* id, 0: none */
    uint32_t ip_bytes, payload_bytes, retransmitted_bytes;
    uint32_t verdicts : 31, is_b_to_a : 1;
};

struct known {
    struct ledger_conversation shown;
    struct conversation_key key;
    bool a_is_high;
    uint16_t port_a, port_b;
    uint32_t votes;
};

/* Invariants: rows[n] is frame n; conversations[i] has the id i + 1. */
struct ledger {
    recorder *recorder;
    GArray *rows;
    GPtrArray *conversations;
    GHashTable *by_key; /* the latest of each key, for OPERATION_LOOKUP */
    GStringChunk *names;
    uint32_t frame;            /* that is being entered */
    int64_t offset, restarted; /* of the numbers in operations; first id since they began again */
    uint32_t quoted;           /* by that frame */
};

static guint key_hash(gconstpointer key)
{
    return (guint)conversation_key_hash(key);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct conversation_key)) == 0;
}

static struct known *find(const ledger *l, int64_t id)
{
    return id >= 1 && id <= l->conversations->len ? g_ptr_array_index(l->conversations, id - 1)
                                                  : NULL;
}

static struct row *row_at(ledger *l, uint32_t frame)
{
    if (frame >= l->rows->len)
        g_array_set_size(l->rows, frame + 1);
    return &g_array_index(l->rows, struct row, frame);
}

static void enter_conversation(ledger *l, const struct operation_conversation *o)
{
    struct known *known = g_new0(struct known, 1);
    known->shown.id = o->id;
    known->shown.transport = (enum classify_transport)o->key.transport;
    known->shown.is_local = o->is_local;
    known->key = o->key;
    known->a_is_high = o->a_is_high;
    known->port_a = o->port_a;
    known->port_b = o->port_b;
    g_ptr_array_add(l->conversations, known);
    g_hash_table_replace(l->by_key, &known->key, known);
}

static void enter_label(ledger *l, const struct operation_label *o)
{
    struct known *known = find(l, o->conversation);
    if (known == NULL)
        return;
    known->shown.source = o->source;
    known->votes = o->votes;
    memcpy(known->shown.label, o->label, sizeof known->shown.label);
}

static void enter_server_name(ledger *l, const struct operation_server_name *o)
{
    struct known *known = find(l, o->conversation);
    if (known != NULL)
        known->shown.server_name = g_string_chunk_insert_const(l->names, o->name);
}

static void enter_packet(ledger *l, const struct operation_packet *o)
{
    struct known *known = find(l, o->conversation);
    if (known != NULL && known->shown.first_frame == 0)
        known->shown.first_frame = l->frame;
    *row_at(l, l->frame) = (struct row){.conversation = (uint32_t)o->conversation,
                                        .quoted = l->quoted,
                                        .ip_bytes = o->ip_bytes,
                                        .payload_bytes = o->payload_bytes,
                                        .retransmitted_bytes = o->retransmitted_bytes,
                                        .verdicts = o->what.verdicts,
                                        .is_b_to_a = o->what.direction};
}

/* A fragment that waited: its frame is of another conversation than it seemed. */
static void enter_move(ledger *l, const struct operation_move *o)
{
    struct known *known = find(l, o->to);
    uint32_t frame = (uint32_t)(o->packet.id - l->offset);
    if (known == NULL || o->packet.id < l->restarted || frame >= l->rows->len)
        return;
    struct row *row = row_at(l, frame);
    row->conversation = (uint32_t)o->to;
    row->is_b_to_a = o->direction;
    if (known->shown.first_frame == 0 || frame < known->shown.first_frame)
        known->shown.first_frame = frame;
}

static void enter_restart(ledger *l, const struct operation_renumber *o)
{
    l->offset = o->offset;
    l->restarted = o->packet;
    g_array_set_size(l->rows, 0);
    for (guint i = 0; i < l->conversations->len; i++)
        ((struct known *)g_ptr_array_index(l->conversations, i))->shown.first_frame = 0;
}

static void answer(const ledger *l, const struct operation_lookup *o)
{
    const struct known *known = g_hash_table_lookup(l->by_key, &o->key);
    if (known == NULL)
        return;
    *o->found = (struct conversation_found){.id = known->shown.id,
                                            .a_is_high = known->a_is_high,
                                            .is_local = known->shown.is_local,
                                            .has_server_name = known->shown.server_name != NULL,
                                            .port_a = known->port_a,
                                            .port_b = known->port_b,
                                            .source = known->shown.source,
                                            .votes = known->votes};
    memcpy(o->found->label, known->shown.label, sizeof o->found->label);
}

static void carry_out(void *user, const void *operation)
{
    ledger *l = user;
    switch (*(const enum operation_kind *)operation) {
    case OPERATION_CONVERSATION:
        enter_conversation(l, operation);
        break;
    case OPERATION_LABEL:
        enter_label(l, operation);
        break;
    case OPERATION_SERVER_NAME:
        enter_server_name(l, operation);
        break;
    case OPERATION_PACKET:
        enter_packet(l, operation);
        break;
    case OPERATION_MOVE:
        enter_move(l, operation);
        break;
    case OPERATION_QUOTE:
        l->quoted = (uint32_t)((const struct operation_quote *)operation)->conversation;
        break;
    case OPERATION_RENUMBER:
        enter_restart(l, operation);
        break;
    case OPERATION_LOOKUP:
        answer(l, operation);
        break;
    default: /* the capture, names of hosts: nothing of a packet */
        break;
    }
}

ledger *ledger_new(const struct recorder_options *options, char **error)
{
    ledger *l = g_new0(ledger, 1);
    struct recorder_options without_hashes = *options;
    without_hashes.payload_hashes = false;
    l->recorder = recorder_open_direct(&without_hashes, carry_out, l, error);
    if (l->recorder == NULL) {
        g_free(l);
        return NULL;
    }
    l->rows = g_array_new(FALSE, TRUE, sizeof(struct row));
    l->conversations = g_ptr_array_new_with_free_func(g_free);
    l->by_key = g_hash_table_new(key_hash, key_equal);
    l->names = g_string_chunk_new(4096);
    return l;
}

void ledger_free(ledger *l)
{
    if (l == NULL)
        return;
    recorder_close(l->recorder);
    g_hash_table_destroy(l->by_key);
    g_ptr_array_free(l->conversations, TRUE);
    g_array_free(l->rows, TRUE);
    g_string_chunk_free(l->names);
    g_free(l);
}

void ledger_packet(ledger *l, const struct packet_facts *facts)
{
    l->frame = facts->number;
    l->quoted = 0;
    recorder_packet(l->recorder, facts);
}

static const struct ledger_conversation *shown(const ledger *l, uint32_t id)
{
    const struct known *known = find(l, id);
    return known != NULL && known->shown.transport != CLASSIFY_NO_TRANSPORT ? &known->shown : NULL;
}

bool ledger_find(const ledger *l, uint32_t frame, struct ledger_entry *entry)
{
    if (frame >= l->rows->len)
        return false;
    const struct row *row = &g_array_index(l->rows, struct row, frame);
    if (row->conversation == 0)
        return false;
    *entry = (struct ledger_entry){.conversation = shown(l, row->conversation),
                                   .quoted = shown(l, row->quoted),
                                   .is_b_to_a = row->is_b_to_a,
                                   .ip_bytes = row->ip_bytes,
                                   .payload_bytes = row->payload_bytes,
                                   .retransmitted_bytes = row->retransmitted_bytes,
                                   .verdicts = row->verdicts};
    return true;
}
