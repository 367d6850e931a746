/* layers.h
 * The list of dissected layers of a packet, read once: top protocol, what stands above the
 * transport, tunnel, quoted packet.
 *
 *   eth ethertype ip udp vxlan eth ethertype ip tcp http      tunnel VXLAN, above the transport:
 * http eth ethertype ip icmp ip udp dns                          quotes; top protocol: icmp
 *
 * Order of calls: layers_initialize() (again and again is fine), layers_read() a packet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_LAYERS_H
#define FIELDEDGE_LAYERS_H

#include "plugin/record/packet_facts.h"

#include <epan/wmem_scopes.h>
#include <stdbool.h>

/* Layers whose fields may name a server. */
enum { LAYERS_SPEAK_TLS = 1, LAYERS_SPEAK_HTTP = 2, LAYERS_SPEAK_DNS = 4 };

struct layers_summary {
    bool is_icmp, is_icmpv6; /* the innermost IP packet is ICMP (or ICMPv6) */
    bool quotes;             /* ICMP with a packet inside */
    bool has_transport;      /* TCP, UDP or SCTP stands above the innermost IP header */
    bool has_upper;          /* something was dissected above the innermost IP header */
    bool is_ipv6;            /* the innermost IP header is IPv6 */
    unsigned ip_layers;      /* IP headers, without quoted ones */
    unsigned speaks;         /* LAYERS_SPEAK_… */
};

/* Makes the table of all registered protocols.  Call when dissectors are registered. */
void layers_initialize(void);

/* Reads the layers into facts (protocol, ip_layer, layers, has_vlan, tunnel) and *summary. */
void layers_read(wmem_list_t *layers, struct packet_facts *facts, struct layers_summary *summary);

#endif
