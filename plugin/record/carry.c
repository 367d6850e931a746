/* carry.c: see carry.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/carry.h"

#include <string.h>

enum { STATE_VERSION = 1 };

/* A space: 7 flags; top, acked; SYN, FIN, wild segment; lower ranges. */
#define SPACE_TYPE "(bbbbbbbxxxuuuua(xx))"
/* A candidate: role, name, votes, votes inside. */
#define CANDIDATE_TYPE "(ysuu)"
/* version; A, B initiated; directions seen; IP protocol and layer; name's rank; source and label,
 * restored votes; payload votes, ALPN, 1 + index of what secures, winner, secure_leads, candidates;
 * spaces. */
#define STATE_TYPE "(ybbyysyysuusyyba" CANDIDATE_TYPE SPACE_TYPE SPACE_TYPE ")"

/* ---- To bytes ---- */

static GVariant *space_encode(const sequence_space *space)
{
    GVariantBuilder lower;

    g_variant_builder_init(&lower, G_VARIANT_TYPE("a(xx)"));
    for (unsigned i = 0; i < space->lower_count; i++)
        g_variant_builder_add(&lower, "(xx)", space->lower[i].begin, space->lower[i].end);
    return g_variant_new(SPACE_TYPE, space->started, space->has_acked, space->has_initial,
                         space->has_fin, space->has_wild, space->closed, space->holes_closed,
                         space->top.begin, space->top.end, space->acked, space->initial, space->fin,
                         space->wild_begin, space->wild_end, &lower);
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

GBytes *carry_encode(const struct conversation *c)
{
    const struct classify_votes *votes = &c->votes;
    GVariantBuilder candidates;
    uint8_t secure = 0;

    g_variant_builder_init(&candidates, G_VARIANT_TYPE("a" CANDIDATE_TYPE));
    for (uint8_t i = 0; i < CLASSIFY_CANDIDATES && votes->candidates[i].protocol != NULL; i++) {
        const struct classify_protocol *protocol = votes->candidates[i].protocol;
        if (protocol == votes->secure)
            secure = (uint8_t)(i + 1);
        g_variant_builder_add(&candidates, CANDIDATE_TYPE, (guchar)protocol->role, protocol->name,
                              votes->candidates[i].votes, votes->candidates[i].inside);
    }
    g_autoptr(GVariant) state = g_variant_ref_sink(
        g_variant_new("(ybbyysyysuusyyb@a" CANDIDATE_TYPE "@" SPACE_TYPE "@" SPACE_TYPE ")",
                      STATE_VERSION, c->a_initiated, c->b_initiated, c->seen, c->ip_protocol,
                      or_empty(c->ip_layer), c->server_name_rank, (guchar)c->source, c->label,
                      c->restored_votes, votes->payload_votes, or_empty(votes->alpn), secure,
                      votes->winner, votes->secure_leads, g_variant_builder_end(&candidates),
                      space_encode(&c->space[0]), space_encode(&c->space[1])));
    return g_variant_get_data_as_bytes(state);
}

/* ---- From bytes ---- */

static guint protocol_hash(gconstpointer data)
{
    const struct classify_protocol *protocol = data;
    return (guint)protocol->key ^ (guint)protocol->role;
}

static gboolean protocol_equal(gconstpointer a, gconstpointer b)
{
    const struct classify_protocol *left = a, *right = b;
    return left->role == right->role && strcmp(left->name, right->name) == 0;
}

GHashTable *carry_protocols_new(void)
{
    return g_hash_table_new_full(protocol_hash, protocol_equal, g_free, NULL);
}

/* The one protocol of that role and name; NULL if there can be none. */
static const struct classify_protocol *protocol_find(GHashTable *protocols, guchar role,
                                                     const char *name)
{
    struct classify_protocol wanted;
    if (!classify_protocol_restore(&wanted, role, name))
        return NULL;
    struct classify_protocol *found = g_hash_table_lookup(protocols, &wanted);
    if (found == NULL) {
        found = g_memdup2(&wanted, sizeof wanted);
        g_hash_table_add(protocols, found);
    }
    return found;
}

/* NULL for "": texts that many conversations share live as long as the process. */
static const char *shared_text(const char *text)
{
    return text[0] != '\0' ? g_intern_string(text) : NULL;
}

static bool votes_decode(struct classify_votes *votes, GVariantIter *candidates, uint8_t secure,
                         GHashTable *protocols)
{
    const char *name;
    uint32_t count, inside;
    guchar role;

    for (unsigned i = 0; g_variant_iter_next(candidates, "(y&suu)", &role, &name, &count, &inside);
         i++) {
        if (i == CLASSIFY_CANDIDATES)
            return false;
        votes->candidates[i].protocol = protocol_find(protocols, role, name);
        votes->candidates[i].votes = count;
        votes->candidates[i].inside = inside;
        if (votes->candidates[i].protocol == NULL || inside > count)
            return false;
    }
    if (secure > CLASSIFY_CANDIDATES || votes->winner > CLASSIFY_CANDIDATES ||
        (votes->winner > 0 && votes->candidates[votes->winner - 1].protocol == NULL))
        return false;
    votes->secure = secure > 0 ? votes->candidates[secure - 1].protocol : NULL;
    return true;
}

static bool space_is_sound(const sequence_space *space)
{
    int64_t before = 0;

    for (unsigned i = 0; i < space->lower_count; i++) {
        if (space->lower[i].begin <= before || space->lower[i].end <= space->lower[i].begin)
            return false;
        before = space->lower[i].end;
    }
    return space->started ? space->top.begin > before && space->top.end >= space->top.begin &&
                                space->top.end <= (INT64_C(1) << 62) + (INT64_C(1) << 31)
                          : space->lower_count == 0;
}

/* What it allocates is freed by sequence_clear(). */
static bool space_decode(sequence_space *space, GVariant *state)
{
    gboolean started, has_acked, has_initial, has_fin, has_wild, closed, holes_closed;
    g_autoptr(GVariantIter) lower = NULL;

    g_variant_get(state, SPACE_TYPE, &started, &has_acked, &has_initial, &has_fin, &has_wild,
                  &closed, &holes_closed, &space->top.begin, &space->top.end, &space->acked,
                  &space->initial, &space->fin, &space->wild_begin, &space->wild_end, &lower);
    space->started = started != 0;
    space->has_acked = has_acked != 0;
    space->has_initial = has_initial != 0;
    space->has_fin = has_fin != 0;
    space->has_wild = has_wild != 0;
    space->closed = closed != 0;
    space->holes_closed = holes_closed != 0;
    gsize count = g_variant_iter_n_children(lower);
    if (count >= SEQUENCE_RANGES_MAX)
        return false;
    if (count > 0) {
        space->lower = g_new0(sequence_range, count);
        space->lower_capacity = (uint16_t)count;
    }
    while (space->lower_count < count &&
           g_variant_iter_next(lower, "(xx)", &space->lower[space->lower_count].begin,
                               &space->lower[space->lower_count].end))
        space->lower_count++;
    return space_is_sound(space);
}

/* Reads all into an empty conversation. */
static bool state_decode(struct conversation *to, GVariant *state, GHashTable *protocols)
{
    g_autoptr(GVariantIter) candidates = NULL;
    g_autoptr(GVariant) ab = NULL, ba = NULL;
    const char *ip_layer, *label, *alpn;
    gboolean a_initiated, b_initiated, secure_leads;
    guchar version, source, secure;

    g_variant_get(state, "(ybbyy&syy&suu&syyba" CANDIDATE_TYPE "@" SPACE_TYPE "@" SPACE_TYPE ")",
                  &version, &a_initiated, &b_initiated, &to->seen, &to->ip_protocol, &ip_layer,
                  &to->server_name_rank, &source, &label, &to->restored_votes,
                  &to->votes.payload_votes, &alpn, &secure, &to->votes.winner, &secure_leads,
                  &candidates, &ab, &ba);
    if (version != STATE_VERSION || source > CLASSIFY_SOURCE_IP_PROTOCOL ||
        !votes_decode(&to->votes, candidates, secure, protocols))
        return false;
    to->a_initiated = a_initiated != 0;
    to->b_initiated = b_initiated != 0;
    to->votes.secure_leads = secure_leads != 0;
    to->votes.alpn = shared_text(alpn);
    to->ip_layer = shared_text(ip_layer);
    to->source = source;
    g_strlcpy(to->label, label, sizeof to->label);
    return space_decode(&to->space[0], ab) && space_decode(&to->space[1], ba);
}

bool carry_decode(struct conversation *c, GBytes *bytes, GHashTable *protocols)
{
    g_autoptr(GVariant) state =
        g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(STATE_TYPE), bytes, FALSE));
    struct conversation read = {0};

    if (!state_decode(&read, state, protocols)) {
        sequence_clear(&read.space[0]);
        sequence_clear(&read.space[1]);
        return false;
    }
    c->a_initiated = read.a_initiated;
    c->b_initiated = read.b_initiated;
    c->seen = read.seen;
    c->ip_protocol = read.ip_protocol;
    c->ip_layer = read.ip_layer;
    c->server_name_rank = read.server_name_rank;
    c->source = read.source;
    c->restored_votes = read.restored_votes;
    c->votes = read.votes;
    memcpy(c->label, read.label, sizeof c->label);
    c->space[0] = read.space[0];
    c->space[1] = read.space[1];
    return true;
}
