/* gather.c: see gather.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/gather.h"

#include "plugin/layers.h"
#include "plugin/record/ip_header.h"

#include <string.h>
#include <ws_version.h>

#if WIRESHARK_VERSION_MAJOR > 4 || (WIRESHARK_VERSION_MAJOR == 4 && WIRESHARK_VERSION_MINOR >= 2)
#define FIELD_STRING(info) fvalue_get_string((info)->value)
#define FIELD_NUMBER(info) fvalue_get_uinteger((info)->value)
#else
#define FIELD_NUMBER(info) fvalue_get_uinteger((fvalue_t *)&(info)->value)
#define FIELD_STRING(info) fvalue_get_string(&(info)->value)
#endif

enum {
    IP_HEADER_MIN = 20,
    IPV6_HEADER = 40,
    IPV6_FRAGMENT_HEADER = 8,
    UDP_HEADER = 8,
    SCTP_HEADER = 12,
    ICMP_HEADER = 8,
    IP_FRAGMENT_BITS = 0x3fff, /* more fragments, and the offset */
    IP_OFFSET_BITS = 0x1fff,
    SCTP_NO_ASSOCIATION = 0xffff,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17
};

/* The fields that are read from the tree, and where each stands in field_ids. */
enum field {
    FIELD_8021AD_ID,
    FIELD_ICMP_TYPE,
    FIELD_ICMPV6_TYPE,
    FIELD_IPV6_FRAGMENT_ID,
    FIELD_IPV6_FRAGMENT_OFFSET,
    FIELD_SERVER_NAME,
    FIELD_ALPN,
    FIELD_HTTP_HOST,
    FIELD_HTTP2_AUTHORITY,
    FIELD_DNS_QUERY,
    FIELD_DNS_A,
    FIELD_DNS_AAAA
};
static const char *const field_names[GATHER_FIELD_COUNT + 1] = {
    /* the last is NULL, for g_strjoinv() */
    "ieee8021ad.id",
    "icmp.type",
    "icmpv6.type",
    "ipv6.fraghdr.ident",
    "ipv6.fraghdr.offset",
    "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_alpn_str",
    "http.host",
    "http2.headers.authority",
    "dns.qry.name",
    "dns.a",
    "dns.aaaa",
};

static int field_ids[GATHER_FIELD_COUNT];

void gather_initialize(void)
{
    layers_initialize();
    for (unsigned i = 0; i < GATHER_FIELD_COUNT; i++) {
        const header_field_info *info = proto_registrar_get_byname(field_names[i]);
        field_ids[i] = info != NULL ? info->id : -1;
    }
}

const char *const *gather_field_names(void)
{
    return field_names;
}

const int *gather_field_ids(void)
{
    return field_ids;
}

void gather_address(struct packet_address *to, const address *from)
{
    *to = (struct packet_address){0};
    if (from->data == NULL || from->len <= 0 || from->len > (int)sizeof to->bytes)
        return;
    to->length = (uint8_t)from->len;
    memcpy(to->bytes, from->data, (size_t)from->len);
}

/* A further IP header: it is the innermost so far, and what was seen of a transport is outside. */
static void ip_layer_add(struct gather *g, const struct packet_address *source,
                         const struct packet_address *destination, uint32_t ip_bytes,
                         uint32_t frame_bytes)
{
    struct packet_facts *facts = &g->facts;
    facts->flow = (struct packet_flow){.transport = CLASSIFY_IP};
    facts->flow.source = *source;
    facts->flow.destination = *destination;
    facts->payload_bytes = 0;
    facts->is_fragment = false;
    facts->tcp_flags = 0;
    g->inner_ip_bytes = ip_bytes;
    if (g->ip_layers++ > 0)
        return;
    facts->ip_bytes = MIN(ip_bytes, frame_bytes);
    facts->outer_source = facts->flow.source;
    facts->outer_destination = facts->flow.destination;
}

static void fragment_bits_read(struct gather *g, uint16_t bits)
{
    g->facts.is_fragment = (bits & IP_FRAGMENT_BITS) != 0;
    g->first_fragment = g->facts.is_fragment && (bits & IP_OFFSET_BITS) == 0;
}

static void stream_set(struct gather *g, enum classify_transport transport, uint32_t stream,
                       uint16_t source_port, uint16_t destination_port)
{
    struct packet_flow *flow = &g->facts.flow;
    flow->transport = transport;
    flow->has_stream = true;
    flow->is_numbered = true;
    flow->stream = stream;
    flow->source_port = source_port;
    flow->destination_port = destination_port;
}

uint32_t gather_field_number(const field_info *info)
{
    return FIELD_NUMBER(info);
}

void gather_begin(struct gather *g)
{
    g->ip_layers = 0;
    g->first_fragment = false;
    memset(&g->facts, 0, sizeof g->facts);
}

void gather_ip(struct gather *g, const struct gather_ip *ip, uint32_t frame_bytes)
{
    ip_layer_add(g, &ip->source, &ip->destination, ip->ip_bytes, frame_bytes);
    g->facts.ip_protocol = ip->protocol;
    if (ip->is_v6)
        return;
    fragment_bits_read(g, ip->fragment_bits);
    g->facts.fragment_id = ip->fragment_id;
}

void gather_any_ip(struct gather *g, const struct packet_address *source,
                   const struct packet_address *destination)
{
    g->last_source = *source;
    g->last_destination = *destination;
}

void gather_tcp(struct gather *g, const struct gather_tcp *tcp)
{
    if (g->ip_layers == 0)
        return;
    stream_set(g, CLASSIFY_TCP, tcp->stream, tcp->source_port, tcp->destination_port);
    g->facts.tcp_flags = tcp->flags;
    g->facts.tcp_sequence = tcp->sequence;
    g->facts.tcp_acknowledgment = tcp->acknowledgment;
    g->facts.payload_bytes = tcp->payload_bytes;
}

void gather_udp(struct gather *g, uint32_t stream, uint16_t source_port, uint16_t destination_port,
                uint32_t udp_bytes)
{
    if (g->ip_layers == 0)
        return;
    stream_set(g, CLASSIFY_UDP, stream, source_port, destination_port);
    g->facts.payload_bytes = udp_bytes > UDP_HEADER ? udp_bytes - UDP_HEADER : 0;
}

void gather_sctp(struct gather *g, uint16_t association, uint16_t source_port,
                 uint16_t destination_port)
{
    if (g->ip_layers == 0)
        return;
    stream_set(g, CLASSIFY_SCTP, association, source_port, destination_port);
    g->facts.flow.is_numbered = association != SCTP_NO_ASSOCIATION;
}

/* The innermost occurrence of a field in the tree, NULL if none. */
static const field_info *field_last(const struct dissection *dissected, enum field field)
{
    const GPtrArray *found = proto_get_finfo_ptr_array(dissected->tree, field_ids[field]);
    return found != NULL && found->len > 0 ? g_ptr_array_index(found, found->len - 1) : NULL;
}

static const char *field_text(const struct dissection *dissected, enum field field)
{
    const GPtrArray *found = proto_get_finfo_ptr_array(dissected->tree, field_ids[field]);
    if (found == NULL || found->len == 0)
        return NULL;
    const char *text = FIELD_STRING((field_info *)g_ptr_array_index(found, 0));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A big-endian number of up to 4 bytes as the packet has it; 0 if it is not there. */
static uint32_t field_number(const struct dissection *dissected, enum field field)
{
    const field_info *info = field_last(dissected, field);
    uint32_t number = 0;
    if (info == NULL || info->length < 1 || info->length > 4 ||
        !tvb_bytes_exist(info->ds_tvb, info->start, info->length))
        return 0;
    for (gint i = 0; i < info->length; i++)
        number = number << 8 | tvb_get_guint8(info->ds_tvb, info->start + i);
    return number;
}

/* The outermost VLAN id.  epan keeps that of 802.1Q; of 802.1ad (QinQ) only the field tells it. */
static uint16_t vlan_read(const packet_info *pinfo, const struct dissection *dissected)
{
    const GPtrArray *found = proto_get_finfo_ptr_array(dissected->tree, field_ids[FIELD_8021AD_ID]);
    if (found == NULL || found->len == 0)
        return (uint16_t)pinfo->vlan_id;
    return (uint16_t)gather_field_number(g_ptr_array_index(found, 0));
}

/* The captured bytes of the frame. */
static const uint8_t *frame_bytes(const struct dissection *dissected, size_t *length)
{
    *length = tvb_captured_length(dissected->tvb);
    return *length > 0 ? tvb_get_ptr(dissected->tvb, 0, (gint)*length) : NULL;
}

/* Finds the innermost IP packet in the frame: how long its header is, and where it ends.  Where it
 * lies in other bytes (reassembled, decrypted) the shortest header is taken. */
static void inner_ip_find(struct gather *g, const struct dissection *dissected)
{
    const struct packet_flow *flow = &g->facts.flow;
    struct ip_header header = {.header_bytes =
                                   flow->source.length == 16 ? IPV6_HEADER : IP_HEADER_MIN};
    size_t length;
    const uint8_t *frame = frame_bytes(dissected, &length);
    g->inner_end = NULL;
    if (frame != NULL &&
        ip_header_find(&header, frame, length, &flow->source, &flow->destination,
                       g->inner_ip_bytes) &&
        g->inner_ip_bytes <= g->facts.frame_bytes)
        g->inner_end = frame + header.offset + g->inner_ip_bytes;
    g->inner_ip_payload =
        g->inner_ip_bytes > header.header_bytes ? g->inner_ip_bytes - header.header_bytes : 0;
}

/* Payload bytes that this packet can hold behind its transport's header. */
static uint32_t payload_share(const struct gather *g)
{
    const struct packet_facts *facts = &g->facts;
    uint32_t header = 0;
    if (facts->flow.transport == CLASSIFY_ICMP || facts->flow.transport == CLASSIFY_ICMPV6)
        header = ICMP_HEADER;
    else if (facts->flow.transport == CLASSIFY_SCTP)
        header = SCTP_HEADER;
    else if (facts->flow.transport == CLASSIFY_UDP && (!facts->is_fragment || g->first_fragment))
        header = UDP_HEADER;
    return g->inner_ip_payload > header ? g->inner_ip_payload - header : 0;
}

/* The payload's size (each fragment carries its own share of the datagram), and its captured bytes:
 * it stands at the end of the IP packet, but a UDP datagram may say that it ends before. */
static void payload_find(struct gather *g, const struct dissection *dissected)
{
    struct packet_facts *facts = &g->facts;
    enum classify_transport transport = facts->flow.transport;
    uint32_t share = payload_share(g);
    bool is_udp = transport == CLASSIFY_UDP;
    if (!facts->flow.has_stream || transport == CLASSIFY_SCTP)
        facts->payload_bytes = share;
    else if (is_udp || facts->is_fragment)
        facts->payload_bytes = MIN(facts->payload_bytes, share);
    size_t length;
    const uint8_t *frame = frame_bytes(dissected, &length);
    if (g->inner_end == NULL || facts->payload_bytes == 0 || (!is_udp && transport != CLASSIFY_TCP))
        return;
    bool is_v4 = facts->flow.source.length == 4;
    const uint8_t *payload = g->inner_end - (is_udp && is_v4 ? share : facts->payload_bytes);
    if (payload < frame || payload >= frame + length)
        return;
    facts->payload = payload;
    facts->payload_captured =
        (uint32_t)MIN((size_t)(frame + length - payload), facts->payload_bytes);
}

/* epan's taps leave out the header of an IPv6 fragment that waits for the rest of its datagram, and
 * one that it could not follow to its end: such a header is always the last, and pinfo has its
 * addresses. */
static void ip_recover(struct gather *g, const packet_info *pinfo,
                       const struct dissection *dissected, bool is_v6)
{
    struct packet_address source, destination;
    struct ip_header header;
    size_t length;
    gather_address(&source, &pinfo->net_src);
    gather_address(&destination, &pinfo->net_dst);
    const uint8_t *frame = frame_bytes(dissected, &length);
    if (frame == NULL || source.length != (is_v6 ? 16 : 4) ||
        packet_address_equal(&source, &g->facts.flow.source) ||
        !ip_header_find(&header, frame, length, &source, &destination, IP_HEADER_ANY_LENGTH))
        return; /* no IP header, though the layer below promised one */
    ip_layer_add(g, &source, &destination, header.ip_bytes, pinfo->fd->pkt_len);
    g->facts.ip_protocol = header.protocol;
    fragment_bits_read(g, header.fragment_bits);
}

/* What an IPv6 fragment carries, as its fragment header says: 4 bytes before the identification. */
static uint8_t fragment_protocol(const struct dissection *dissected, uint8_t known)
{
    enum { BEFORE = 4 };
    const field_info *id = field_last(dissected, FIELD_IPV6_FRAGMENT_ID);
    if (id == NULL || id->start < BEFORE || !tvb_bytes_exist(id->ds_tvb, id->start - BEFORE, 1))
        return known;
    return tvb_get_guint8(id->ds_tvb, id->start - BEFORE);
}

static void fragment_read(struct gather *g, const struct dissection *dissected, bool has_upper)
{
    struct packet_facts *facts = &g->facts;
    if (field_last(dissected, FIELD_IPV6_FRAGMENT_ID) != NULL && facts->flow.source.length == 16) {
        facts->is_fragment = true;
        facts->fragment_id = field_number(dissected, FIELD_IPV6_FRAGMENT_ID);
        g->first_fragment = field_number(dissected, FIELD_IPV6_FRAGMENT_OFFSET) >> 3 == 0;
        facts->ip_protocol = fragment_protocol(dissected, facts->ip_protocol);
        if (g->inner_ip_payload >= IPV6_FRAGMENT_HEADER)
            g->inner_ip_payload -= IPV6_FRAGMENT_HEADER;
    }
    if (!facts->is_fragment)
        return;
    facts->is_resolved = has_upper;
    if (has_upper)
        return;
    if (facts->ip_protocol == IP_PROTOCOL_UDP)
        facts->flow.transport = CLASSIFY_UDP;
    else if (facts->ip_protocol == IP_PROTOCOL_TCP)
        facts->flow.transport = CLASSIFY_TCP;
}

/* pinfo's transport, CLASSIFY_NO_TRANSPORT if it has no ports. */
static enum classify_transport transport_of(const packet_info *pinfo)
{
    if (pinfo->ptype == PT_TCP)
        return CLASSIFY_TCP;
    if (pinfo->ptype == PT_UDP)
        return CLASSIFY_UDP;
    return pinfo->ptype == PT_SCTP ? CLASSIFY_SCTP : CLASSIFY_NO_TRANSPORT;
}

/* A transport whose tap did not come because a dissector above it gave up (SCTP's comes last): the
 * ports are known all the same. */
static void stream_recover(struct gather *g, const packet_info *pinfo)
{
    enum classify_transport transport = transport_of(pinfo);
    if (transport == CLASSIFY_NO_TRANSPORT)
        return;
    stream_set(g, transport, 0, (uint16_t)pinfo->srcport, (uint16_t)pinfo->destport);
    g->facts.flow.is_numbered = false;
    g->facts.payload_bytes = g->inner_ip_bytes;
}

/* An ICMP error: epan leaves the quoted packet's ports in pinfo. */
static void quote_read(struct gather *g, const packet_info *pinfo)
{
    struct packet_facts *facts = &g->facts;
    enum classify_transport transport = transport_of(pinfo);
    if (transport == CLASSIFY_NO_TRANSPORT || g->last_source.length == 0)
        return;
    facts->quotes = true;
    facts->quoted.transport = transport;
    facts->quoted.source_port = (uint16_t)pinfo->srcport;
    facts->quoted.destination_port = (uint16_t)pinfo->destport;
    facts->quoted.source = g->last_source;
    facts->quoted.destination = g->last_destination;
}

/* Addresses of one record type in a DNS answer, as the packet has them. */
static void answers_read(struct gather *g, const struct dissection *dissected, enum field field)
{
    struct packet_facts *facts = &g->facts;
    const GPtrArray *found = proto_get_finfo_ptr_array(dissected->tree, field_ids[field]);
    gint length = field == FIELD_DNS_A ? 4 : 16;
    for (guint i = 0; found != NULL && i < found->len; i++) {
        const field_info *info = g_ptr_array_index(found, i);
        if (facts->answer_count == PACKET_ANSWERS_MAX)
            return;
        if (info->length != length || !tvb_bytes_exist(info->ds_tvb, info->start, length))
            continue;
        struct packet_address *answer = &facts->answers[facts->answer_count++];
        answer->length = (uint8_t)length;
        tvb_memcpy(info->ds_tvb, answer->bytes, info->start, (size_t)length);
    }
}

static void names_read(struct gather *g, const struct dissection *dissected, unsigned speaks)
{
    struct packet_facts *facts = &g->facts;
    if (speaks & LAYERS_SPEAK_TLS) {
        facts->server_name = field_text(dissected, FIELD_SERVER_NAME);
        facts->alpn = field_text(dissected, FIELD_ALPN);
    }
    if (facts->server_name == NULL && (speaks & LAYERS_SPEAK_HTTP)) {
        facts->server_name = field_text(dissected, FIELD_HTTP_HOST);
        if (facts->server_name == NULL)
            facts->server_name = field_text(dissected, FIELD_HTTP2_AUTHORITY);
    }
    if (!(speaks & LAYERS_SPEAK_DNS))
        return;
    answers_read(g, dissected, FIELD_DNS_A);
    answers_read(g, dissected, FIELD_DNS_AAAA);
    if (facts->answer_count > 0)
        facts->dns_name = field_text(dissected, FIELD_DNS_QUERY);
}

/* Nanoseconds since the epoch, held inside ±2^62 (the year 2116) so that differences fit too. */
static int64_t time_in_ns(const nstime_t *time)
{
    const int64_t second = 1000000000, limit = INT64_C(1) << 62;
    if (time->secs >= limit / second)
        return limit;
    if (time->secs <= -(limit / second))
        return -limit;
    return (int64_t)time->secs * second + time->nsecs;
}

void gather_complete(struct gather *g, packet_info *pinfo, const struct dissection *dissected)
{
    struct packet_facts *facts = &g->facts;
    struct layers_summary layers;
    layers_read(pinfo->layers, facts, &layers);
    facts->number = pinfo->num;
    facts->time_ns = time_in_ns(&pinfo->abs_ts);
    facts->frame_bytes = pinfo->fd->pkt_len;
    if (layers.ip_layers > g->ip_layers && !layers.is_icmp)
        ip_recover(g, pinfo, dissected, layers.is_ipv6);
    if (g->ip_layers == 0) {
        facts->flow.transport = CLASSIFY_NO_TRANSPORT;
        gather_address(&facts->flow.source, &pinfo->dl_src);
        gather_address(&facts->flow.destination, &pinfo->dl_dst);
    } else if (!facts->flow.has_stream && layers.has_transport) {
        stream_recover(g, pinfo);
    } else if (!facts->flow.has_stream && layers.is_icmp) {
        facts->flow.transport = layers.is_icmpv6 ? CLASSIFY_ICMPV6 : CLASSIFY_ICMP;
        facts->icmp_type = (uint8_t)field_number(dissected, layers.is_icmpv6 ? FIELD_ICMPV6_TYPE
                                                                             : FIELD_ICMP_TYPE);
        if (layers.quotes)
            quote_read(g, pinfo);
    }
    if (facts->has_vlan)
        facts->vlan = vlan_read(pinfo, dissected);
    if (g->ip_layers > 0) {
        inner_ip_find(g, dissected);
        fragment_read(g, dissected, facts->flow.has_stream || layers.is_icmp || layers.has_upper);
        payload_find(g, dissected);
    }
    names_read(g, dissected, layers.speaks);
}
