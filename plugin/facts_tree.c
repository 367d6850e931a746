/* facts_tree.c: see facts_tree.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/facts_tree.h"

#include "plugin/gather.h"
#include "schema/verdicts.h"

#include <string.h>

#define ANALYSIS "tcp.analysis."

/* What a node of the tree can be. */
enum node {
    NODE_OTHER,
    NODE_IP, /* the protocols first */
    NODE_IPV6,
    NODE_TCP,
    NODE_UDP,
    NODE_UDPLITE,
    NODE_SCTP,
    NODE_ICMP,
    NODE_IP_BYTES,
    NODE_IP_DESTINATION,
    NODE_IPV6_BYTES,
    NODE_IPV6_JUMBO,
    NODE_IPV6_NEXT,
    NODE_EXTENSION, /* the same, in a header that has its length in the next byte */
    NODE_STREAM,
    NODE_TCP_PAYLOAD,
    NODE_ANALYSIS
};

static const struct {
    const char *name;
    enum node node;
} known[] = {
    {"ip", NODE_IP},
    {"ipv6", NODE_IPV6},
    {"tcp", NODE_TCP},
    {"udp", NODE_UDP},
    {"udplite", NODE_UDPLITE},
    {"sctp", NODE_SCTP},
    {"icmp", NODE_ICMP},
    {"icmpv6", NODE_ICMP},
    {"ip.len", NODE_IP_BYTES},
    {"ip.dst", NODE_IP_DESTINATION},
    {"ipv6.plen", NODE_IPV6_BYTES},
    {"ipv6.opt.jumbo", NODE_IPV6_JUMBO},
    {"ipv6.nxt", NODE_IPV6_NEXT},
    {"ipv6.hopopts.nxt", NODE_EXTENSION},
    {"ipv6.dstopts.nxt", NODE_EXTENSION},
    {"ipv6.routing.nxt", NODE_EXTENSION},
    {"ipv6.fraghdr.nxt", NODE_IPV6_NEXT},
    {"ipv6.shim6.nxt", NODE_IPV6_NEXT},
    {"ah.next_header", NODE_IPV6_NEXT},
    {"mip6.proto", NODE_IPV6_NEXT},
    {"tcp.stream", NODE_STREAM},
    {"udp.stream", NODE_STREAM},
    {"sctp.assoc_index", NODE_STREAM},
    {"tcp.len", NODE_TCP_PAYLOAD},
};

static GHashTable *nodes; /* header field id -> enum node */

/* A header whose item was met and whose fields are being met: entered when the next one comes. */
struct walk {
    struct gather gather;
    uint32_t frame_bytes;
    unsigned quoted; /* ICMP items around this node */
    enum node header;
    bool is_quoted;
    const field_info *item;
    uint32_t bytes, jumbo, stream;
    uint8_t next;
    bool has_bytes, has_stream;
    struct packet_address destination;
};

static struct walk walk; /* large, and one packet is dissected at a time */

/* Two fields can share a name (in 4.0 two are called zero_window_probe_ack). */
static void nodes_add(const char *name, enum node node)
{
    const header_field_info *info = proto_registrar_get_byname(name);
    while (info != NULL) {
        g_hash_table_insert(nodes, GINT_TO_POINTER(info->id), GINT_TO_POINTER(node));
        info = info->same_name_prev_id > 0 ? proto_registrar_get_nth((guint)info->same_name_prev_id)
                                           : NULL;
    }
}

static void nodes_find(void)
{
    if (nodes != NULL)
        return;
    nodes = g_hash_table_new(NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        nodes_add(known[i].name, known[i].node);
    for (unsigned i = 0; i < VERDICT_COUNT; i++) {
        char *name = g_strconcat(ANALYSIS, verdict_name(i), NULL);
        nodes_add(name, NODE_ANALYSIS);
        g_free(name);
    }
}

GArray *facts_tree_wanted(void)
{
    GArray *wanted = g_array_new(FALSE, FALSE, sizeof(int));
    GHashTableIter at;
    gpointer id;
    gather_initialize();
    nodes_find();
    g_hash_table_iter_init(&at, nodes);
    while (g_hash_table_iter_next(&at, &id, NULL)) {
        int field = GPOINTER_TO_INT(id);
        g_array_append_val(wanted, field);
    }
    for (unsigned i = 0; i < GATHER_FIELD_COUNT; i++) {
        if (gather_field_ids()[i] > 0)
            g_array_append_val(wanted, gather_field_ids()[i]);
    }
    return wanted;
}

static void address_read(struct packet_address *address, tvbuff_t *tvb, gint offset, uint8_t length)
{
    *address = (struct packet_address){.length = length};
    tvb_memcpy(tvb, address->bytes, offset, length);
}

/* The dissectors' taps come only behind a whole header: so these do too. */
static bool header_exists(const struct walk *w, gint length)
{
    return tvb_bytes_exist(w->item->ds_tvb, w->item->start, length);
}

static void enter_ip(struct walk *w)
{
    enum { HEADER_MIN = 20 };
    tvbuff_t *tvb = w->item->ds_tvb;
    gint start = w->item->start;
    if (!w->has_bytes || !header_exists(w, HEADER_MIN))
        return;
    gint header_bytes = (tvb_get_guint8(tvb, start) & 0xf) * 4;
    if (header_bytes < HEADER_MIN || !header_exists(w, header_bytes) ||
        w->bytes < (uint32_t)header_bytes || w->destination.length == 0)
        return;
    struct gather_ip ip = {.destination = w->destination,
                           .ip_bytes = w->bytes,
                           .protocol = tvb_get_guint8(tvb, start + 9),
                           .fragment_bits = tvb_get_ntohs(tvb, start + 6),
                           .fragment_id = tvb_get_ntohs(tvb, start + 4)};
    address_read(&ip.source, tvb, start + 12, 4);
    if (!w->is_quoted)
        gather_ip(&w->gather, &ip, w->frame_bytes);
    gather_any_ip(&w->gather, &ip.source, &ip.destination);
}

static void enter_ipv6(struct walk *w)
{
    enum { HEADER = 40 };
    tvbuff_t *tvb = w->item->ds_tvb;
    gint start = w->item->start;
    if (!w->has_bytes || !header_exists(w, HEADER))
        return;
    uint32_t payload = w->bytes == 0 ? w->jumbo : w->bytes;
    struct gather_ip ip = {
        .is_v6 = true, .ip_bytes = MIN(payload, w->frame_bytes) + HEADER, .protocol = w->next};
    address_read(&ip.source, tvb, start + 8, 16);
    address_read(&ip.destination, tvb, start + 24, 16);
    if (!w->is_quoted)
        gather_ip(&w->gather, &ip, w->frame_bytes);
    gather_any_ip(&w->gather, &ip.source, &ip.destination);
}

static void enter_tcp(struct walk *w)
{
    enum { HEADER_MIN = 20, FLAGS = 0xfff };
    tvbuff_t *tvb = w->item->ds_tvb;
    gint start = w->item->start;
    if (!header_exists(w, HEADER_MIN))
        return;
    gint header_bytes = (tvb_get_guint8(tvb, start + 12) >> 4) * 4;
    if (header_bytes < HEADER_MIN || !header_exists(w, header_bytes))
        return;
    struct gather_tcp tcp = {.stream = w->stream,
                             .sequence = tvb_get_ntohl(tvb, start + 4),
                             .acknowledgment = tvb_get_ntohl(tvb, start + 8),
                             .source_port = tvb_get_ntohs(tvb, start),
                             .destination_port = tvb_get_ntohs(tvb, start + 2),
                             .flags = tvb_get_ntohs(tvb, start + 12) & FLAGS,
                             .payload_bytes = w->bytes};
    gather_tcp(&w->gather, &tcp);
}

static void enter_udp(struct walk *w)
{
    tvbuff_t *tvb = w->item->ds_tvb;
    gint start = w->item->start;
    if (!w->has_stream || !header_exists(w, 8))
        return;
    uint32_t bytes = tvb_get_ntohs(tvb, start + 4);
    if (bytes == 0 || w->header == NODE_UDPLITE)
        bytes = (uint32_t)tvb_reported_length_remaining(tvb, start);
    gather_udp(&w->gather, w->stream, tvb_get_ntohs(tvb, start), tvb_get_ntohs(tvb, start + 2),
               bytes);
}

static void enter_sctp(struct walk *w)
{
    if (!w->has_stream || !header_exists(w, 12))
        return;
    gather_sctp(&w->gather, (uint16_t)w->stream, tvb_get_ntohs(w->item->ds_tvb, w->item->start),
                tvb_get_ntohs(w->item->ds_tvb, w->item->start + 2));
}

/* The header that was being met is whole now. */
static void header_enter(struct walk *w)
{
    enum node header = w->header;
    if (header == NODE_IP)
        enter_ip(w);
    else if (header == NODE_IPV6)
        enter_ipv6(w);
    else if (w->is_quoted)
        return;
    else if (header == NODE_TCP)
        enter_tcp(w);
    else if (header == NODE_UDP || header == NODE_UDPLITE)
        enter_udp(w);
    else if (header == NODE_SCTP)
        enter_sctp(w);
}

static void header_begin(struct walk *w, enum node header, const field_info *item)
{
    header_enter(w);
    w->header = header;
    w->is_quoted = w->quoted > 0;
    w->item = item;
    w->bytes = 0;
    w->jumbo = 0;
    w->stream = 0;
    w->next = 0;
    w->has_bytes = false;
    w->has_stream = false;
    w->destination.length = 0;
}

static void verdict_note(struct walk *w, const char *name)
{
    for (unsigned i = 0; i < VERDICT_COUNT; i++) {
        if (strcmp(name + sizeof ANALYSIS - 1, verdict_name(i)) == 0)
            w->gather.facts.verdicts |= 1u << i;
    }
}

/* Behind an extension header that is not whole the dissector gives up, and no tap comes. */
static bool extension_exists(const field_info *info)
{
    tvbuff_t *tvb = info->ds_tvb;
    return tvb_bytes_exist(tvb, info->start + 1, 1) &&
           tvb_bytes_exist(tvb, info->start, (tvb_get_guint8(tvb, info->start + 1) + 1) * 8);
}

static void field_note(struct walk *w, enum node node, const field_info *info)
{
    enum node header = w->header;
    if (node == NODE_ANALYSIS) {
        verdict_note(w, info->hfinfo->abbrev);
    } else if ((node == NODE_IP_BYTES && header == NODE_IP) ||
               (node == NODE_IPV6_BYTES && header == NODE_IPV6) ||
               (node == NODE_TCP_PAYLOAD && header == NODE_TCP)) {
        w->bytes = gather_field_number(info);
        w->has_bytes = true;
    } else if (node == NODE_IPV6_JUMBO && header == NODE_IPV6) {
        w->jumbo = gather_field_number(info);
    } else if ((node == NODE_IPV6_NEXT || node == NODE_EXTENSION) && header == NODE_IPV6) {
        w->next = (uint8_t)gather_field_number(info);
        if (node == NODE_EXTENSION && !extension_exists(info))
            w->has_bytes = false;
    } else if (node == NODE_STREAM) {
        w->stream = gather_field_number(info);
        w->has_stream = true;
    } else if (node == NODE_IP_DESTINATION && header == NODE_IP && info->length == 4 &&
               tvb_bytes_exist(info->ds_tvb, info->start, 4)) {
        address_read(&w->destination, info->ds_tvb, info->start, 4);
    }
}

/* One node and all below it, in the order of dissection. */
static void node_visit(proto_node *at, gpointer data)
{
    struct walk *w = data;
    const field_info *info = PNODE_FINFO(at);
    enum node node = NODE_OTHER;
    if (info != NULL)
        node = (enum node)GPOINTER_TO_INT(
            g_hash_table_lookup(nodes, GINT_TO_POINTER(info->hfinfo->id)));
    if (node >= NODE_IP && node <= NODE_SCTP)
        header_begin(w, node, info);
    else if (node > NODE_ICMP)
        field_note(w, node, info);
    w->quoted += node == NODE_ICMP;
    proto_tree_children_foreach(at, node_visit, w);
    w->quoted -= node == NODE_ICMP;
}

const struct packet_facts *facts_tree_read(packet_info *pinfo, proto_tree *tree, tvbuff_t *tvb)
{
    const struct dissection dissected = {.tree = tree, .tvb = tvb};
    gather_begin(&walk.gather);
    walk.frame_bytes = pinfo->fd->pkt_len;
    walk.quoted = 0;
    walk.header = NODE_OTHER;
    walk.is_quoted = false;
    proto_tree_children_foreach(tree, node_visit, &walk);
    header_enter(&walk);
    gather_complete(&walk.gather, pinfo, &dissected);
    return &walk.gather.facts;
}
