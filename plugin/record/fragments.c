/* fragments.c: see fragments.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/fragments.h"

#include <string.h>

struct datagram {
    struct fragment_key key;
    bool used;
    int64_t conversation; /* 0: not known yet */
    uint8_t direction;
    int64_t time_ns; /* of its first fragment */
    uint64_t age;    /* grows with each datagram */
    unsigned count;
    struct operation_packet *packets; /* FRAGMENTS_PACKETS_MAX, made at the first use, then kept */
};

struct fragments {
    struct datagram datagrams[FRAGMENTS_DATAGRAMS_MAX];
    uint64_t age;
};

fragments *fragments_new(void)
{
    return g_new0(fragments, 1);
}

void fragments_free(fragments *all)
{
    if (all == NULL)
        return;
    for (unsigned i = 0; i < FRAGMENTS_DATAGRAMS_MAX; i++)
        g_free(all->datagrams[i].packets);
    g_free(all);
}

void fragment_key_make(struct fragment_key *key, const struct packet_facts *facts)
{
    memset(key, 0, sizeof *key);
    key->source = facts->flow.source;
    key->destination = facts->flow.destination;
    key->id = facts->fragment_id;
    key->ip_protocol = facts->flow.source.length == 4 ? facts->ip_protocol : 0;
}

static bool same_key(const struct fragment_key *a, const struct fragment_key *b)
{
    return a->id == b->id && a->ip_protocol == b->ip_protocol &&
           memcmp(&a->source, &b->source, sizeof a->source) == 0 &&
           memcmp(&a->destination, &b->destination, sizeof a->destination) == 0;
}

static bool is_recent(const struct datagram *datagram, int64_t time_ns)
{
    return ABS(time_ns - datagram->time_ns) <= FRAGMENTS_SECONDS * INT64_C(1000000000);
}

static struct datagram *find(const fragments *all, const struct fragment_key *key, int64_t time_ns)
{
    for (unsigned i = 0; i < FRAGMENTS_DATAGRAMS_MAX; i++) {
        const struct datagram *datagram = &all->datagrams[i];
        if (datagram->used && same_key(&datagram->key, key) && is_recent(datagram, time_ns))
            return (struct datagram *)datagram;
    }
    return NULL;
}

/* A place for a new datagram: a free one, else the oldest. */
static struct datagram *take(fragments *all, const struct fragment_key *key, int64_t time_ns)
{
    struct datagram *place = &all->datagrams[0];
    for (unsigned i = 1; i < FRAGMENTS_DATAGRAMS_MAX && place->used; i++) {
        if (!all->datagrams[i].used || all->datagrams[i].age < place->age)
            place = &all->datagrams[i];
    }
    place->key = *key;
    place->used = true;
    place->conversation = 0;
    place->time_ns = time_ns;
    place->age = ++all->age;
    place->count = 0;
    return place;
}

void fragments_wait(fragments *all, const struct fragment_key *key,
                    const struct operation_packet *packet)
{
    struct datagram *datagram = find(all, key, packet->time_ns);
    if (datagram == NULL)
        datagram = take(all, key, packet->time_ns);
    if (datagram->packets == NULL)
        datagram->packets = g_new(struct operation_packet, FRAGMENTS_PACKETS_MAX);
    if (datagram->count < FRAGMENTS_PACKETS_MAX)
        datagram->packets[datagram->count++] = *packet;
}

void fragments_resolve(fragments *all, const struct fragment_key *key, int64_t conversation,
                       uint8_t direction, int64_t time_ns,
                       void (*move)(void *user, const struct operation_packet *packet,
                                    int64_t conversation, uint8_t direction),
                       void *user)
{
    struct datagram *datagram = find(all, key, time_ns);
    if (datagram == NULL)
        datagram = take(all, key, time_ns);
    for (unsigned i = 0; i < datagram->count; i++)
        move(user, &datagram->packets[i], conversation, direction);
    datagram->count = 0;
    datagram->conversation = conversation;
    datagram->direction = direction;
}

int64_t fragments_known(const fragments *all, const struct fragment_key *key, int64_t time_ns,
                        uint8_t *direction)
{
    const struct datagram *datagram = find(all, key, time_ns);
    if (datagram == NULL)
        return 0;
    *direction = datagram->direction;
    return datagram->conversation;
}
