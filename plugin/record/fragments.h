/* fragments.h
 * IP fragments that wait for their datagram: which conversation they belong to is known only with
 * the fragment that Wireshark dissects (the last to arrive, as a rule).
 *
 * Until then their packets count in a conversation of their own (UDP_FRAGMENT); when the datagram
 * is known they are handed out to be moved.  Bounded: the oldest datagram is forgotten when there
 * is no room, and its packets stay where they are.
 *
 * Worked example: three fragments, numbers 1, 2, 3 of datagram 7; 3 is dissected.
 *   fragments_wait(1), fragments_wait(2), fragments_resolve(3) hands out 1 and 2.
 * If the first fragment is dissected (reassembly off), the later ones find the datagram known:
 *   fragments_resolve(1), fragments_known(2) -> its conversation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FRAGMENTS_H
#define FIELDEDGE_FRAGMENTS_H

#include "plugin/record/operations.h"

enum {
    FRAGMENTS_DATAGRAMS_MAX = 256, /* datagrams that wait at a time */
    FRAGMENTS_PACKETS_MAX = 64,    /* fragments of one datagram that are kept track of */
    FRAGMENTS_SECONDS = 60 /* then the identification can mean another datagram (RFC 8200, 4.5) */
};

/* Which datagram: RFC 791 and RFC 8200 identify it by both addresses, protocol and identification.
 */
struct fragment_key {
    struct packet_address source, destination;
    uint32_t id;
    uint8_t ip_protocol; /* IPv4; 0 in IPv6, where it can differ between fragments */
};

void fragment_key_make(struct fragment_key *key, const struct packet_facts *facts);

typedef struct fragments fragments;

fragments *fragments_new(void);
void fragments_free(fragments *all);

/* The packet waits for its datagram.  It is in packet->conversation. */
void fragments_wait(fragments *all, const struct fragment_key *key,
                    const struct operation_packet *packet);

/* The datagram's conversation became known: calls move() for each packet that waited. */
void fragments_resolve(fragments *all, const struct fragment_key *key, int64_t conversation,
                       uint8_t direction, int64_t time_ns,
                       void (*move)(void *user, const struct operation_packet *packet,
                                    int64_t conversation, uint8_t direction),
                       void *user);

/* Conversation and direction of a datagram that is known at that time; 0 if it is not. */
int64_t fragments_known(const fragments *all, const struct fragment_key *key, int64_t time_ns,
                        uint8_t *direction);

#endif
