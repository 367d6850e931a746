/* facts.c: see facts.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/facts.h"

#include "plugin/capture_file.h"
#include "plugin/layers.h"
#include "plugin/record/ip_header.h"
#include "schema/verdicts.h"

#include <epan/epan_dissect.h>
#include <epan/expert.h>
#include <epan/packet.h>
#include <epan/tap.h>

#include <epan/dissectors/packet-ip.h>
#include <epan/dissectors/packet-sctp.h>
#include <epan/dissectors/packet-tcp.h>
#include <epan/dissectors/packet-udp.h>

#include <string.h>
#include <ws_version.h>

#if WIRESHARK_VERSION_MAJOR > 4 || (WIRESHARK_VERSION_MAJOR == 4 && WIRESHARK_VERSION_MINOR >= 2)
#define FIELD_STRING(info) fvalue_get_string((info)->value)
#define FIELD_NUMBER(info) fvalue_get_uinteger((info)->value)
#else
#define FIELD_NUMBER(info) fvalue_get_uinteger(&(info)->value)
#define FIELD_STRING(info) fvalue_get_string(&(info)->value)
#endif

/* The tap that is never queued: a listener's filter makes epan keep the fields that it names, and a
 * tap without packets never evaluates it. */
#define FIELDS_TAP "fieldedge_fields"

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

/* The fields that are read from the tree, and where each stands in reader->fields. */
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
    FIELD_DNS_AAAA,
    FIELD_COUNT
};
static const char *const field_names[FIELD_COUNT + 1] = {
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

/* One listener; its address is the identity that epan removes it by. */
struct listener {
    struct facts_reader *reader;
    bool registered;
};
enum { LISTENER_COUNT = 10 };

/* Between two packets `gathering` is false and everything below it is stale. */
struct facts_reader {
    struct facts_callbacks callbacks;
    void *user;
    struct listener listeners[LISTENER_COUNT];
    int fields[FIELD_COUNT]; /* header field ids */
    bool capture_known, stopped;

    bool gathering;
    uint32_t number; /* with the file offset and the time: which packet is being gathered */
    int64_t file_offset;
    nstime_t time;
    unsigned ip_layers;
    struct packet_address last_source, last_destination; /* last IP header, quoted ones too */
    uint32_t inner_ip_bytes;   /* innermost IP header and all above, as it says */
    uint32_t inner_ip_payload; /* without the header; known once all taps have come */
    const uint8_t
        *inner_end; /* where that IP packet ends if the frame holds it; NULL if not found */
    bool first_fragment;
    struct packet_facts facts;
};

/* The bytes behind the address become zero: addresses are compared whole. */
static void address_set(struct packet_address *to, const address *from)
{
    *to = (struct packet_address){0};
    if (from->data == NULL || from->len <= 0 || from->len > (int)sizeof to->bytes)
        return;
    to->length = (uint8_t)from->len;
    memcpy(to->bytes, from->data, (size_t)from->len);
}

/* Empties the facts when the packet is another one than the last that a tap brought. */
static void gather(facts_reader *reader, const packet_info *pinfo)
{
    if (reader->gathering && reader->number == pinfo->num &&
        reader->file_offset == pinfo->fd->file_off &&
        nstime_cmp(&reader->time, &pinfo->abs_ts) == 0)
        return;
    reader->gathering = true;
    reader->number = pinfo->num;
    reader->file_offset = pinfo->fd->file_off;
    reader->time = pinfo->abs_ts;
    reader->ip_layers = 0;
    reader->first_fragment = false;
    memset(&reader->facts, 0, sizeof reader->facts);
}

/* A further IP header: it is the innermost so far, and what was seen of a transport is outside. */
static void ip_layer_add(facts_reader *reader, const address *source, const address *destination,
                         uint32_t ip_bytes, uint32_t frame_bytes)
{
    struct packet_facts *facts = &reader->facts;
    facts->flow = (struct packet_flow){.transport = CLASSIFY_IP};
    address_set(&facts->flow.source, source);
    address_set(&facts->flow.destination, destination);
    facts->payload_bytes = 0;
    facts->is_fragment = false;
    facts->tcp_flags = 0;
    reader->inner_ip_bytes = ip_bytes;
    if (reader->ip_layers++ > 0)
        return;
    facts->ip_bytes = MIN(ip_bytes, frame_bytes);
    facts->outer_source = facts->flow.source;
    facts->outer_destination = facts->flow.destination;
}

static void fragment_bits_read(facts_reader *reader, uint16_t bits)
{
    reader->facts.is_fragment = (bits & IP_FRAGMENT_BITS) != 0;
    reader->first_fragment = reader->facts.is_fragment && (bits & IP_OFFSET_BITS) == 0;
}

static tap_packet_status ip_packet(void *tap, packet_info *pinfo, epan_dissect_t *edt G_GNUC_UNUSED,
                                   const void *data, tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const ws_ip4 *ip = data;
    gather(reader, pinfo);
    if (ip->ip_ver != 4)
        return TAP_PACKET_DONT_REDRAW;
    ip_layer_add(reader, &ip->ip_src, &ip->ip_dst, ip->ip_len, pinfo->fd->pkt_len);
    reader->facts.ip_protocol = ip->ip_proto;
    fragment_bits_read(reader, ip->ip_off);
    reader->facts.fragment_id = ip->ip_id;
    return TAP_PACKET_DONT_REDRAW;
}

static tap_packet_status ipv6_packet(void *tap, packet_info *pinfo,
                                     epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                     tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const ws_ip6 *ip = data;
    gather(reader, pinfo);
    if (ip->ip6_ver != 6)
        return TAP_PACKET_DONT_REDRAW;
    uint32_t payload = MIN(ip->ip6_len, pinfo->fd->pkt_len);
    ip_layer_add(reader, &ip->ip6_src, &ip->ip6_dst, payload + IPV6_HEADER, pinfo->fd->pkt_len);
    reader->facts.ip_protocol = ip->ip6_nxt;
    return TAP_PACKET_DONT_REDRAW;
}

/* Every IP header, those in an ICMP error too: epan does not say which is which, and takes the
 * quoted addresses back out of pinfo, so a quoted packet's are the last that come here. */
static tap_packet_status any_ip_packet(void *tap, packet_info *pinfo,
                                       epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                       tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const ws_ip4 *ip = data;
    const ws_ip6 *ip6 = data;
    gather(reader, pinfo);
    address_set(&reader->last_source, ip->ip_ver == 4 ? &ip->ip_src : &ip6->ip6_src);
    address_set(&reader->last_destination, ip->ip_ver == 4 ? &ip->ip_dst : &ip6->ip6_dst);
    return TAP_PACKET_DONT_REDRAW;
}

static void stream_set(facts_reader *reader, enum classify_transport transport, uint32_t stream,
                       uint16_t source_port, uint16_t destination_port)
{
    struct packet_flow *flow = &reader->facts.flow;
    flow->transport = transport;
    flow->has_stream = true;
    flow->is_numbered = true;
    flow->stream = stream;
    flow->source_port = source_port;
    flow->destination_port = destination_port;
}

static tap_packet_status tcp_packet(void *tap, packet_info *pinfo,
                                    epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                    tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const tcp_info_t *tcp = data;
    gather(reader, pinfo);
    if (reader->ip_layers == 0)
        return TAP_PACKET_DONT_REDRAW;
    stream_set(reader, CLASSIFY_TCP, tcp->th_stream, tcp->th_sport, tcp->th_dport);
    struct packet_facts *facts = &reader->facts;
    facts->tcp_flags = tcp->th_flags & TH_MASK;
    facts->tcp_sequence = tcp->th_rawseq;
    facts->tcp_acknowledgment = tcp->th_rawack;
    facts->payload_bytes = tcp->th_have_seglen ? tcp->th_seglen : 0;
    return TAP_PACKET_DONT_REDRAW;
}

static tap_packet_status udp_packet(void *tap, packet_info *pinfo,
                                    epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                    tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const e_udphdr *udp = data;
    gather(reader, pinfo);
    if (reader->ip_layers == 0)
        return TAP_PACKET_DONT_REDRAW;
    stream_set(reader, CLASSIFY_UDP, udp->uh_stream, udp->uh_sport, udp->uh_dport);
    reader->facts.payload_bytes = udp->uh_ulen > UDP_HEADER ? udp->uh_ulen - UDP_HEADER : 0;
    return TAP_PACKET_DONT_REDRAW;
}

static tap_packet_status sctp_packet(void *tap, packet_info *pinfo,
                                     epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                     tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const struct _sctp_info *sctp = data;
    gather(reader, pinfo);
    if (reader->ip_layers == 0)
        return TAP_PACKET_DONT_REDRAW;
    /* Wireshark numbers associations only if its preference says so. */
    stream_set(reader, CLASSIFY_SCTP, sctp->assoc_index, sctp->sport, sctp->dport);
    reader->facts.flow.is_numbered = sctp->assoc_index != SCTP_NO_ASSOCIATION;
    return TAP_PACKET_DONT_REDRAW;
}

/* The verdict of an expert info, 0 if it is none.  By name: two fields can share one (in 4.0 two
 * are called zero_window_probe_ack), and an id is only one of them. */
static uint32_t verdict_find(int field)
{
    static const char prefix[] = "tcp.analysis.";
    const header_field_info *info = field > 0 ? proto_registrar_get_nth((guint)field) : NULL;
    if (info == NULL || strncmp(info->abbrev, prefix, sizeof prefix - 1) != 0)
        return 0;
    for (unsigned i = 0; i < VERDICT_COUNT; i++) {
        if (strcmp(info->abbrev + sizeof prefix - 1, verdict_name(i)) == 0)
            return 1u << i;
    }
    return 0;
}

static tap_packet_status expert_packet(void *tap, packet_info *pinfo,
                                       epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                       tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const expert_info_t *info = data;
    gather(reader, pinfo);
    if (info->group == PI_MALFORMED && info->severity >= PI_ERROR) {
        reader->facts.verdicts |= VERDICT_MALFORMED;
        return TAP_PACKET_DONT_REDRAW;
    }
    if (info->group == PI_SEQUENCE)
        reader->facts.verdicts |= verdict_find(info->hf_index);
    return TAP_PACKET_DONT_REDRAW;
}

/* The innermost occurrence of a field in the tree, NULL if none. */
static const field_info *field_last(const facts_reader *reader, const epan_dissect_t *edt,
                                    enum field field)
{
    const GPtrArray *found = proto_get_finfo_ptr_array(edt->tree, reader->fields[field]);
    return found != NULL && found->len > 0 ? g_ptr_array_index(found, found->len - 1) : NULL;
}

static const char *field_text(const facts_reader *reader, const epan_dissect_t *edt,
                              enum field field)
{
    const GPtrArray *found = proto_get_finfo_ptr_array(edt->tree, reader->fields[field]);
    if (found == NULL || found->len == 0)
        return NULL;
    const char *text = FIELD_STRING((field_info *)g_ptr_array_index(found, 0));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A big-endian number of up to 4 bytes as the packet has it; 0 if it is not there. */
static uint32_t field_number(const facts_reader *reader, const epan_dissect_t *edt,
                             enum field field)
{
    const field_info *info = field_last(reader, edt, field);
    uint32_t number = 0;
    if (info == NULL || info->length < 1 || info->length > 4 ||
        !tvb_bytes_exist(info->ds_tvb, info->start, info->length))
        return 0;
    for (gint i = 0; i < info->length; i++)
        number = number << 8 | tvb_get_guint8(info->ds_tvb, info->start + i);
    return number;
}

/* The outermost VLAN id.  epan keeps that of 802.1Q; of 802.1ad (QinQ) only the field tells it. */
static uint16_t vlan_read(const facts_reader *reader, const packet_info *pinfo,
                          const epan_dissect_t *edt)
{
    const GPtrArray *found = proto_get_finfo_ptr_array(edt->tree, reader->fields[FIELD_8021AD_ID]);
    if (found == NULL || found->len == 0)
        return (uint16_t)pinfo->vlan_id;
    return (uint16_t)FIELD_NUMBER((field_info *)g_ptr_array_index(found, 0));
}

/* The captured bytes of the frame. */
static const uint8_t *frame_bytes(const epan_dissect_t *edt, size_t *length)
{
    *length = tvb_captured_length(edt->tvb);
    return *length > 0 ? tvb_get_ptr(edt->tvb, 0, (gint)*length) : NULL;
}

/* Finds the innermost IP packet in the frame: how long its header is, and where it ends.  Where it
 * lies in other bytes (reassembled, decrypted) the shortest header is taken. */
static void inner_ip_find(facts_reader *reader, const epan_dissect_t *edt)
{
    const struct packet_flow *flow = &reader->facts.flow;
    struct ip_header header = {.header_bytes =
                                   flow->source.length == 16 ? IPV6_HEADER : IP_HEADER_MIN};
    size_t length;
    const uint8_t *frame = frame_bytes(edt, &length);
    reader->inner_end = NULL;
    if (frame != NULL &&
        ip_header_find(&header, frame, length, &flow->source, &flow->destination,
                       reader->inner_ip_bytes) &&
        reader->inner_ip_bytes <= reader->facts.frame_bytes)
        reader->inner_end = frame + header.offset + reader->inner_ip_bytes;
    reader->inner_ip_payload = reader->inner_ip_bytes > header.header_bytes
                                   ? reader->inner_ip_bytes - header.header_bytes
                                   : 0;
}

/* Payload bytes that this packet can hold behind its transport's header. */
static uint32_t payload_share(const facts_reader *reader)
{
    const struct packet_facts *facts = &reader->facts;
    uint32_t header = 0;
    if (facts->flow.transport == CLASSIFY_ICMP || facts->flow.transport == CLASSIFY_ICMPV6)
        header = ICMP_HEADER;
    else if (facts->flow.transport == CLASSIFY_SCTP)
        header = SCTP_HEADER;
    else if (facts->flow.transport == CLASSIFY_UDP &&
             (!facts->is_fragment || reader->first_fragment))
        header = UDP_HEADER;
    return reader->inner_ip_payload > header ? reader->inner_ip_payload - header : 0;
}

/* The payload's size (each fragment carries its own share of the datagram), and its captured bytes:
 * it stands at the end of the IP packet, but a UDP datagram may say that it ends before. */
static void payload_find(facts_reader *reader, const epan_dissect_t *edt)
{
    struct packet_facts *facts = &reader->facts;
    enum classify_transport transport = facts->flow.transport;
    uint32_t share = payload_share(reader);
    bool is_udp = transport == CLASSIFY_UDP;
    if (!facts->flow.has_stream || transport == CLASSIFY_SCTP)
        facts->payload_bytes = share;
    else if (is_udp || facts->is_fragment)
        facts->payload_bytes = MIN(facts->payload_bytes, share);
    size_t length;
    const uint8_t *frame = frame_bytes(edt, &length);
    if (reader->inner_end == NULL || facts->payload_bytes == 0 ||
        (!is_udp && transport != CLASSIFY_TCP))
        return;
    bool is_v4 = facts->flow.source.length == 4;
    const uint8_t *payload = reader->inner_end - (is_udp && is_v4 ? share : facts->payload_bytes);
    if (payload < frame || payload >= frame + length)
        return;
    facts->payload = payload;
    facts->payload_captured =
        (uint32_t)MIN((size_t)(frame + length - payload), facts->payload_bytes);
}

/* epan's taps leave out the header of an IPv6 fragment that waits for the rest of its datagram, and
 * one that it could not follow to its end: such a header is always the last, and pinfo has its
 * addresses. */
static void ip_recover(facts_reader *reader, const packet_info *pinfo, const epan_dissect_t *edt,
                       bool is_v6)
{
    struct packet_address source, destination;
    struct ip_header header;
    size_t length;
    address_set(&source, &pinfo->net_src);
    address_set(&destination, &pinfo->net_dst);
    const uint8_t *frame = frame_bytes(edt, &length);
    if (frame == NULL || source.length != (is_v6 ? 16 : 4) ||
        packet_address_equal(&source, &reader->facts.flow.source) ||
        !ip_header_find(&header, frame, length, &source, &destination, IP_HEADER_ANY_LENGTH))
        return; /* no IP header, though the layer below promised one */
    ip_layer_add(reader, &pinfo->net_src, &pinfo->net_dst, header.ip_bytes, pinfo->fd->pkt_len);
    reader->facts.ip_protocol = header.protocol;
    fragment_bits_read(reader, header.fragment_bits);
}

/* What an IPv6 fragment carries, as its fragment header says: 4 bytes before the identification. */
static uint8_t fragment_protocol(const facts_reader *reader, const epan_dissect_t *edt,
                                 uint8_t known)
{
    enum { BEFORE = 4 };
    const field_info *id = field_last(reader, edt, FIELD_IPV6_FRAGMENT_ID);
    if (id == NULL || id->start < BEFORE || !tvb_bytes_exist(id->ds_tvb, id->start - BEFORE, 1))
        return known;
    return tvb_get_guint8(id->ds_tvb, id->start - BEFORE);
}

static void fragment_read(facts_reader *reader, const epan_dissect_t *edt, bool has_upper)
{
    struct packet_facts *facts = &reader->facts;
    if (field_last(reader, edt, FIELD_IPV6_FRAGMENT_ID) != NULL &&
        facts->flow.source.length == 16) {
        facts->is_fragment = true;
        facts->fragment_id = field_number(reader, edt, FIELD_IPV6_FRAGMENT_ID);
        reader->first_fragment = field_number(reader, edt, FIELD_IPV6_FRAGMENT_OFFSET) >> 3 == 0;
        facts->ip_protocol = fragment_protocol(reader, edt, facts->ip_protocol);
        if (reader->inner_ip_payload >= IPV6_FRAGMENT_HEADER)
            reader->inner_ip_payload -= IPV6_FRAGMENT_HEADER;
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
static void stream_recover(facts_reader *reader, const packet_info *pinfo)
{
    enum classify_transport transport = transport_of(pinfo);
    if (transport == CLASSIFY_NO_TRANSPORT)
        return;
    stream_set(reader, transport, 0, (uint16_t)pinfo->srcport, (uint16_t)pinfo->destport);
    reader->facts.flow.is_numbered = false;
    reader->facts.payload_bytes = reader->inner_ip_bytes;
}

/* An ICMP error: epan leaves the quoted packet's ports in pinfo. */
static void quote_read(facts_reader *reader, const packet_info *pinfo)
{
    struct packet_facts *facts = &reader->facts;
    enum classify_transport transport = transport_of(pinfo);
    if (transport == CLASSIFY_NO_TRANSPORT || reader->last_source.length == 0)
        return;
    facts->quotes = true;
    facts->quoted.transport = transport;
    facts->quoted.source_port = (uint16_t)pinfo->srcport;
    facts->quoted.destination_port = (uint16_t)pinfo->destport;
    facts->quoted.source = reader->last_source;
    facts->quoted.destination = reader->last_destination;
}

/* Addresses of one record type in a DNS answer, as the packet has them. */
static void answers_read(facts_reader *reader, const epan_dissect_t *edt, enum field field)
{
    struct packet_facts *facts = &reader->facts;
    const GPtrArray *found = proto_get_finfo_ptr_array(edt->tree, reader->fields[field]);
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

static void names_read(facts_reader *reader, const epan_dissect_t *edt, unsigned speaks)
{
    struct packet_facts *facts = &reader->facts;
    if (speaks & LAYERS_SPEAK_TLS) {
        facts->server_name = field_text(reader, edt, FIELD_SERVER_NAME);
        facts->alpn = field_text(reader, edt, FIELD_ALPN);
    }
    if (facts->server_name == NULL && (speaks & LAYERS_SPEAK_HTTP)) {
        facts->server_name = field_text(reader, edt, FIELD_HTTP_HOST);
        if (facts->server_name == NULL)
            facts->server_name = field_text(reader, edt, FIELD_HTTP2_AUTHORITY);
    }
    if (!(speaks & LAYERS_SPEAK_DNS))
        return;
    answers_read(reader, edt, FIELD_DNS_A);
    answers_read(reader, edt, FIELD_DNS_AAAA);
    if (facts->answer_count > 0)
        facts->dns_name = field_text(reader, edt, FIELD_DNS_QUERY);
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

static void facts_complete(facts_reader *reader, packet_info *pinfo, epan_dissect_t *edt)
{
    struct packet_facts *facts = &reader->facts;
    struct layers_summary layers;
    layers_read(pinfo->layers, facts, &layers);
    facts->number = pinfo->num;
    facts->time_ns = time_in_ns(&pinfo->abs_ts);
    facts->frame_bytes = pinfo->fd->pkt_len;
    if (layers.ip_layers > reader->ip_layers && !layers.is_icmp)
        ip_recover(reader, pinfo, edt, layers.is_ipv6);
    if (reader->ip_layers == 0) {
        facts->flow.transport = CLASSIFY_NO_TRANSPORT;
        address_set(&facts->flow.source, &pinfo->dl_src);
        address_set(&facts->flow.destination, &pinfo->dl_dst);
    } else if (!facts->flow.has_stream && layers.has_transport) {
        stream_recover(reader, pinfo);
    } else if (!facts->flow.has_stream && layers.is_icmp) {
        facts->flow.transport = layers.is_icmpv6 ? CLASSIFY_ICMPV6 : CLASSIFY_ICMP;
        facts->icmp_type = (uint8_t)field_number(
            reader, edt, layers.is_icmpv6 ? FIELD_ICMPV6_TYPE : FIELD_ICMP_TYPE);
        if (layers.quotes)
            quote_read(reader, pinfo);
    }
    if (facts->has_vlan)
        facts->vlan = vlan_read(reader, pinfo, edt);
    if (reader->ip_layers > 0) {
        inner_ip_find(reader, edt);
        fragment_read(reader, edt, facts->flow.has_stream || layers.is_icmp || layers.has_upper);
        payload_find(reader, edt);
    }
    names_read(reader, edt, layers.speaks);
}

static tap_packet_status frame_packet(void *tap, packet_info *pinfo, epan_dissect_t *edt,
                                      const void *data G_GNUC_UNUSED,
                                      tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    if (reader->stopped)
        return TAP_PACKET_FAILED;
    gather(reader, pinfo);
    if (!reader->capture_known) {
        struct facts_capture capture;
        capture_file_read(&capture, pinfo, edt);
        reader->callbacks.capture(reader->user, &capture);
        reader->capture_known = true;
    }
    facts_complete(reader, pinfo, edt);
    reader->gathering = false;
    reader->stopped = !reader->callbacks.packet(reader->user, &reader->facts);
    return reader->stopped ? TAP_PACKET_FAILED : TAP_PACKET_DONT_REDRAW;
}

static void frame_draw(void *tap)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    reader->callbacks.draw(reader->user);
}

static void frame_finish(void *tap)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    reader->callbacks.finish(reader->user);
}

/* Registers the next listener.  false with the words of epan in *error. */
static bool listen(facts_reader *reader, unsigned index, const char *tap, const char *filter,
                   guint flags, tap_packet_cb packet, char **error)
{
    struct listener *listener = &reader->listeners[index];
    bool is_frame = packet == frame_packet;
    listener->reader = reader;
    GString *problem =
        register_tap_listener(tap, listener, filter, flags, NULL, packet,
                              is_frame ? frame_draw : NULL, is_frame ? frame_finish : NULL);
    if (problem == NULL) {
        listener->registered = true;
        return true;
    }
    *error = g_strstrip(g_string_free(problem, FALSE));
    return false;
}

static void field_ids_find(facts_reader *reader)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        const header_field_info *info = proto_registrar_get_byname(field_names[i]);
        reader->fields[i] = info != NULL ? info->id : -1;
    }
}

void facts_register_taps(void)
{
    register_tap(FIELDS_TAP);
}

facts_reader *facts_reader_new(const char *filter, const struct facts_callbacks *callbacks,
                               void *user, char **error)
{
    facts_reader *reader = g_new0(facts_reader, 1);
    reader->callbacks = *callbacks;
    reader->user = user;
    layers_initialize();
    field_ids_find(reader);

    /* The user's filter goes first: if it does not parse, nothing else was registered.  Every
     * packet wants a tree: pinfo->layers differs without one (WIRESHARK.md). */
    const guint frame_flags = TL_REQUIRES_PROTO_TREE | TL_REQUIRES_ERROR_PACKETS;
    char *fields = g_strjoinv(" or ", (char **)field_names);
    bool ok = listen(reader, 0, "frame", filter, frame_flags, frame_packet, error) &&
              listen(reader, 1, "ip", NULL, TL_REQUIRES_NOTHING, ip_packet, error) &&
              listen(reader, 2, "ipv6", NULL, TL_REQUIRES_NOTHING, ipv6_packet, error) &&
              listen(reader, 3, "tcp", NULL, TL_REQUIRES_NOTHING, tcp_packet, error) &&
              listen(reader, 4, "udp", NULL, TL_REQUIRES_NOTHING, udp_packet, error) &&
              listen(reader, 5, "sctp", NULL, TL_REQUIRES_NOTHING, sctp_packet, error) &&
              listen(reader, 6, "expert", NULL, TL_REQUIRES_NOTHING, expert_packet, error) &&
              listen(reader, 7, FIELDS_TAP, fields, TL_REQUIRES_NOTHING, NULL, error) &&
              listen(reader, 8, "ip", NULL, TL_REQUIRES_ERROR_PACKETS, any_ip_packet, error) &&
              listen(reader, 9, "ipv6", NULL, TL_REQUIRES_ERROR_PACKETS, any_ip_packet, error);
    g_free(fields);
    if (ok)
        return reader;
    facts_reader_free(reader);
    return NULL;
}

void facts_reader_free(facts_reader *reader)
{
    if (reader == NULL)
        return;
    for (unsigned i = 0; i < LISTENER_COUNT; i++) {
        if (reader->listeners[i].registered)
            remove_tap_listener(&reader->listeners[i]);
    }
    g_free(reader);
}
