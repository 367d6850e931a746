/* conversations.c: see conversations.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/conversations.h"

#include <string.h>

/* Invariants: each conversation in by_key is in `use` (head: most recent), and in by_ends if it has
 * a stream and no later conversation took its ends.  Removed ones wait in `spare` for their next
 * use. */
struct conversations {
    GHashTable *by_key, *by_ends;
    GQueue use, spare;
};

static guint bytes_hash(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    guint hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

uint64_t conversation_key_hash(const struct conversation_key *key)
{
    const uint8_t *bytes = (const uint8_t *)key;
    uint64_t hash =
        UINT64_C(14695981039346656037); /* FNV-1a, then a mixer, as its high bits are weak */
    for (size_t i = 0; i < sizeof *key; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 33;
}

/* A stream's number and the last bytes of the addresses tell conversations apart well enough. */
static guint key_hash(gconstpointer data)
{
    const struct conversation_key *key = data;
    if (key->has_stream)
        return (key->stream * 2654435761u) ^ ((guint)key->transport << 27);
    return bytes_hash(key, sizeof *key);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct conversation_key)) == 0;
}

static guint ends_hash(gconstpointer data)
{
    return bytes_hash(data, sizeof(struct conversation_ends));
}

static gboolean ends_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct conversation_ends)) == 0;
}

conversations *conversations_new(void)
{
    conversations *all = g_new0(conversations, 1);
    all->by_key = g_hash_table_new(key_hash, key_equal);
    all->by_ends = g_hash_table_new(ends_hash, ends_equal);
    g_queue_init(&all->use);
    g_queue_init(&all->spare);
    return all;
}

static void conversation_free(gpointer data)
{
    struct conversation *conversation = data;
    sequence_clear(&conversation->space[0]);
    sequence_clear(&conversation->space[1]);
    g_free(conversation);
}

static void queue_free(GQueue *queue)
{
    for (GList *link; (link = g_queue_pop_head_link(queue)) != NULL;)
        conversation_free(link->data);
}

void conversations_free(conversations *all)
{
    if (all == NULL)
        return;
    g_hash_table_destroy(all->by_key);
    g_hash_table_destroy(all->by_ends);
    queue_free(&all->use);
    queue_free(&all->spare);
    g_free(all);
}

static int address_compare(const struct packet_address *a, const struct packet_address *b)
{
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return memcmp(a->bytes, b->bytes, a->length);
}

/* Both ports in one number, the same for both directions. */
static uint32_t ports_number(const struct packet_flow *flow)
{
    uint16_t low = MIN(flow->source_port, flow->destination_port);
    uint16_t high = MAX(flow->source_port, flow->destination_port);
    return (uint32_t)high << 16 | low;
}

void conversation_key_make(struct conversation_key *key, const struct packet_facts *facts,
                           bool *source_is_high)
{
    const struct packet_flow *flow = &facts->flow;
    memset(key, 0, sizeof *key); /* padding too: keys are compared as bytes */
    key->transport = (uint8_t)flow->transport;
    key->has_stream = flow->has_stream;
    key->is_numbered = flow->is_numbered;
    if (flow->has_stream)
        key->stream = flow->is_numbered ? flow->stream : ports_number(flow);
    else if (flow->transport == CLASSIFY_ICMP || flow->transport == CLASSIFY_ICMPV6)
        key->icmp_group = classify_icmp_group(flow->transport == CLASSIFY_ICMPV6, facts->icmp_type);
    if (!flow->has_stream && flow->transport != CLASSIFY_NO_TRANSPORT)
        key->ip_protocol = facts->ip_protocol;
    int order = address_compare(&flow->source, &flow->destination);
    *source_is_high = order > 0 || (order == 0 && flow->source_port > flow->destination_port);
    key->low = order > 0 ? flow->destination : flow->source;
    key->high = order > 0 ? flow->source : flow->destination;
}

void conversation_ends_make(struct conversation_ends *ends, const struct packet_flow *flow)
{
    memset(ends, 0, sizeof *ends);
    int order = address_compare(&flow->source, &flow->destination);
    bool source_is_high = order > 0 || (order == 0 && flow->source_port > flow->destination_port);
    ends->transport = (uint8_t)flow->transport;
    ends->low = source_is_high ? flow->destination : flow->source;
    ends->high = source_is_high ? flow->source : flow->destination;
    ends->low_port = source_is_high ? flow->destination_port : flow->source_port;
    ends->high_port = source_is_high ? flow->source_port : flow->destination_port;
}

struct conversation *conversations_find(conversations *all, const struct conversation_key *key)
{
    struct conversation *found = g_hash_table_lookup(all->by_key, key);
    if (found != NULL && all->use.head != &found->use) {
        g_queue_unlink(&all->use, &found->use);
        g_queue_push_head_link(&all->use, &found->use);
    }
    return found;
}

struct conversation *conversations_find_flow(conversations *all, const struct packet_flow *flow)
{
    struct conversation_ends ends;
    conversation_ends_make(&ends, flow);
    return g_hash_table_lookup(all->by_ends, &ends);
}

struct conversation *conversations_add(conversations *all, const struct conversation_key *key,
                                       const struct packet_flow *flow)
{
    GList *spare = g_queue_pop_head_link(&all->spare);
    struct conversation *made = spare != NULL ? spare->data : g_new(struct conversation, 1);
    memset(made, 0, sizeof *made);
    made->key = *key;
    made->use.data = made;
    g_hash_table_replace(all->by_key, &made->key, made);
    conversation_ends_make(&made->ends, flow);
    if (key->has_stream) {
        g_hash_table_replace(all->by_ends, &made->ends, made);
    }
    g_queue_push_head_link(&all->use, &made->use);
    return made;
}

bool conversations_is_full(const conversations *all)
{
    return all->use.length >= CONVERSATIONS_MAX;
}

struct conversation *conversations_oldest(conversations *all)
{
    return all->use.tail != NULL ? all->use.tail->data : NULL;
}

void conversations_remove(conversations *all, struct conversation *conversation)
{
    if (g_hash_table_lookup(all->by_key, &conversation->key) == conversation)
        g_hash_table_remove(all->by_key, &conversation->key);
    if (conversation->key.has_stream &&
        g_hash_table_lookup(all->by_ends, &conversation->ends) == conversation)
        g_hash_table_remove(all->by_ends, &conversation->ends);
    g_queue_unlink(&all->use, &conversation->use);
    sequence_clear(&conversation->space[0]);
    sequence_clear(&conversation->space[1]);
    g_queue_push_head_link(&all->spare, &conversation->use);
}
