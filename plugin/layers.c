/* layers.c: see layers.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/layers.h"

#include <epan/packet.h>
#include <epan/proto.h>
#include <string.h>

enum layer_kind {
    LAYER_OTHER,
    LAYER_IP,
    LAYER_IPV6,
    LAYER_TRANSPORT,
    LAYER_ICMP,
    LAYER_ICMPV6,
    LAYER_VLAN,
    LAYER_EXTENSION, /* IPv6 extension header: part of IP */
    LAYER_IGNORED    /* our own, and pseudo layers */
};

/* What each protocol is, by Wireshark's protocol id; made once, never changed. */
struct layer {
    enum layer_kind kind;
    unsigned speaks;
    const char *tunnel;
    const char *filter_name;
    struct classify_protocol protocol;
};
static struct layer *table;
static int table_size;

static const struct {
    const char *filter_name;
    enum layer_kind kind;
    unsigned speaks;
    const char *tunnel;
} known[] = {
    {"ip", LAYER_IP, 0, NULL},
    {"ipv6", LAYER_IPV6, 0, NULL},
    {"tcp", LAYER_TRANSPORT, 0, NULL},
    {"udp", LAYER_TRANSPORT, 0, NULL},
    {"sctp", LAYER_TRANSPORT, 0, NULL},
    {"icmp", LAYER_ICMP, 0, NULL},
    {"icmpv6", LAYER_ICMPV6, 0, NULL},
    {"vlan", LAYER_VLAN, 0, NULL},
    {"ieee8021ad", LAYER_VLAN, 0, NULL},
    {"ipv6.hopopts", LAYER_EXTENSION, 0, NULL},
    {"ipv6.routing", LAYER_EXTENSION, 0, NULL},
    {"ipv6.fraghdr", LAYER_EXTENSION, 0, NULL},
    {"ipv6.dstopts", LAYER_EXTENSION, 0, NULL},
    {"fieldedge", LAYER_IGNORED, 0, NULL},
    {"tls", LAYER_OTHER, LAYERS_SPEAK_TLS, NULL},
    {"dtls", LAYER_OTHER, LAYERS_SPEAK_TLS, NULL},
    {"quic", LAYER_OTHER, LAYERS_SPEAK_TLS, NULL},
    {"http", LAYER_OTHER, LAYERS_SPEAK_HTTP, NULL},
    {"http2", LAYER_OTHER, LAYERS_SPEAK_HTTP, NULL},
    {"http3", LAYER_OTHER, LAYERS_SPEAK_HTTP, NULL},
    {"dns", LAYER_OTHER, LAYERS_SPEAK_DNS, NULL},
    {"gre", LAYER_OTHER, 0, "GRE"},
    {"erspan", LAYER_OTHER, 0, "ERSPAN"},
    {"vxlan", LAYER_OTHER, 0, "VXLAN"},
    {"geneve", LAYER_OTHER, 0, "GENEVE"},
    {"gtp", LAYER_OTHER, 0, "GTP"},
    {"l2tp", LAYER_OTHER, 0, "L2TP"},
    {"mpls", LAYER_OTHER, 0, "MPLS"},
    {"pppoes", LAYER_OTHER, 0, "PPPOE"},
    {"teredo", LAYER_OTHER, 0, "TEREDO"},
    {"capwap.data", LAYER_OTHER, 0, "CAPWAP"},
    {"wg", LAYER_OTHER, 0, "WIREGUARD"},
};

static void layer_make(struct layer *layer, int id)
{
    layer->filter_name = proto_get_protocol_filter_name(id);
    classify_protocol_init(&layer->protocol, layer->filter_name);
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(known[i].filter_name, layer->filter_name) != 0)
            continue;
        layer->kind = known[i].kind;
        layer->speaks = known[i].speaks;
        layer->tunnel = known[i].tunnel;
    }
}

void layers_initialize(void)
{
    void *cookie = NULL;
    int size = 0;
    if (table != NULL)
        return;
    for (int id = proto_get_first_protocol(&cookie); id != -1;
         id = proto_get_next_protocol(&cookie))
        size = MAX(size, id + 1);
    table = g_new0(struct layer, (gsize)size);
    table_size = size;
    cookie = NULL;
    for (int id = proto_get_first_protocol(&cookie); id != -1;
         id = proto_get_next_protocol(&cookie))
        layer_make(&table[id], id);
}

/* State of one walk up the layers. */
struct walk {
    struct packet_facts *facts;
    struct layers_summary *summary;
    bool after_ip; /* the last layer was an IP header or its extension */
    bool ended;    /* the rest belongs to a quoted packet */
};

static void tunnel_note(struct walk *walk, const char *tunnel)
{
    if (walk->facts->tunnel == NULL)
        walk->facts->tunnel = tunnel;
}

static void layer_ip(struct walk *walk, bool is_v6)
{
    if (walk->summary->is_icmp) {
        walk->summary->quotes = true;
        walk->ended = true;
        return;
    }
    if (walk->summary->ip_layers++ > 0)
        tunnel_note(walk, "IP");
    walk->facts->layer_count = 0;
    walk->facts->ip_layer = NULL;
    walk->summary->has_upper = false;
    walk->summary->has_transport = false;
    walk->summary->is_ipv6 = is_v6;
    walk->after_ip = true;
}

/* The first layer above an IP header; "data" means that nothing was dissected. */
static void layer_above_ip(struct walk *walk, const struct layer *layer)
{
    walk->after_ip = false;
    if (walk->summary->ip_layers == 0 || layer->protocol.role == SCHEMA_PROTOCOL_PAYLOAD)
        return;
    walk->summary->has_upper = true;
    walk->facts->ip_layer = layer->filter_name;
}

static void layer_add(struct walk *walk, const struct layer *layer)
{
    struct packet_facts *facts = walk->facts;
    if (layer->kind == LAYER_IP || layer->kind == LAYER_IPV6) {
        layer_ip(walk, layer->kind == LAYER_IPV6);
        if (walk->ended)
            return;
    } else if (layer->kind != LAYER_EXTENSION && walk->after_ip) {
        layer_above_ip(walk, layer);
    }
    facts->protocol = layer->filter_name;
    walk->summary->speaks |= layer->speaks;
    if (layer->tunnel != NULL)
        tunnel_note(walk, layer->tunnel);
    if (layer->kind == LAYER_VLAN) {
        facts->has_vlan = true;
    } else if (layer->kind == LAYER_TRANSPORT) {
        facts->layer_count = 0;
        walk->summary->has_transport = true;
    } else if (layer->kind == LAYER_ICMP || layer->kind == LAYER_ICMPV6) {
        walk->summary->is_icmp = true;
        walk->summary->is_icmpv6 = layer->kind == LAYER_ICMPV6;
    } else if (layer->kind == LAYER_OTHER && facts->layer_count < PACKET_LAYERS_MAX) {
        facts->layers[facts->layer_count++] = &layer->protocol;
    }
}

void layers_read(wmem_list_t *layers, struct packet_facts *facts, struct layers_summary *summary)
{
    struct walk walk = {.facts = facts, .summary = summary};
    *summary = (struct layers_summary){0};
    facts->protocol = "frame";
    for (wmem_list_frame_t *at = wmem_list_head(layers); at != NULL && !walk.ended;
         at = wmem_list_frame_next(at)) {
        int id = GPOINTER_TO_INT(wmem_list_frame_data(at));
        if (id < 0 || id >= table_size || table[id].filter_name == NULL ||
            table[id].kind == LAYER_IGNORED)
            continue;
        layer_add(&walk, &table[id]);
    }
}
