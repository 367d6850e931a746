/* gather.h
 * One packet's facts, gathered header by header and completed from packet_info and the tree.  The
 * headers come from the tap queue (facts.c) or from the tree (facts_tree.c); what they say of a
 * packet is worked out here alone.  A part of facts.c: reads epan's structures.
 *
 *   headers of a TCP packet in VXLAN:  ip udp ip tcp
 *   gathered:                          outer = 1st ip, inner = 2nd ip, stream of tcp
 *
 * Order of calls for a packet: gather_begin(), gather_ip() … for each header, outer first,
 * gather_complete().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_GATHER_H
#define FIELDEDGE_GATHER_H

#include "plugin/record/packet_facts.h"

#include <epan/packet.h>

enum { GATHER_FIELD_COUNT = 12 };

/* What dissecting a packet left behind. */
struct dissection {
    proto_tree *tree;
    tvbuff_t *tvb; /* the frame */
};

/* An IP header as its dissector understood it. */
struct gather_ip {
    bool is_v6;
    struct packet_address source, destination;
    uint32_t ip_bytes;      /* header and all above */
    uint8_t protocol;       /* above it; IPv6: above its extension headers */
    uint16_t fragment_bits; /* IPv4 */
    uint32_t fragment_id;   /* IPv4 */
};

struct gather_tcp {
    uint32_t stream, sequence, acknowledgment;
    uint16_t source_port, destination_port, flags;
    uint32_t payload_bytes; /* 0 if it can't be known */
};

/* Everything is of one packet, from gather_begin() on. */
struct gather {
    unsigned ip_layers;
    struct packet_address last_source, last_destination; /* last IP header, quoted ones too */
    uint32_t inner_ip_bytes;   /* innermost IP header and all above, as it says */
    uint32_t inner_ip_payload; /* without the header; known at the end */
    const uint8_t
        *inner_end; /* where that IP packet ends if the frame holds it; NULL if not found */
    bool first_fragment;
    struct packet_facts facts;
};

/* Finds the fields that are read from the tree.  Call when dissectors are registered, again and
 * again is fine. */
void gather_initialize(void);

/* Their filter names, NULL at the end, and ids (-1: not registered): whoever calls
 * gather_complete() makes epan keep them. */
const char *const *gather_field_names(void);
const int *gather_field_ids(void);

/* A copy of epan's address; the bytes behind it become zero: addresses are compared whole. */
void gather_address(struct packet_address *to, const address *from);

/* The value of an unsigned field. */
uint32_t gather_field_number(const field_info *info);

void gather_begin(struct gather *g);

/* A further IP header; it is the innermost so far. */
void gather_ip(struct gather *g, const struct gather_ip *ip, uint32_t frame_bytes);

/* Any IP header, quoted ones too. */
void gather_any_ip(struct gather *g, const struct packet_address *source,
                   const struct packet_address *destination);

/* Transports; without an IP header below them they do nothing. */
void gather_tcp(struct gather *g, const struct gather_tcp *tcp);
void gather_udp(struct gather *g, uint32_t stream, uint16_t source_port, uint16_t destination_port,
                uint32_t udp_bytes);
/* Wireshark numbers associations only if its preference says so. */
void gather_sctp(struct gather *g, uint16_t association, uint16_t source_port,
                 uint16_t destination_port);

/* All the rest; facts are then whole.  Pointers in them last as long as the dissection. */
void gather_complete(struct gather *g, packet_info *pinfo, const struct dissection *dissected);

#endif
