/* facts.c: see facts.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/facts.h"

#include "plugin/capture_file.h"
#include "plugin/gather.h"
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

/* The tap that is never queued: a listener's filter makes epan keep the fields that it names, and a
 * tap without packets never evaluates it. */
#define FIELDS_TAP "fieldedge_fields"

enum { IPV6_HEADER = 40 };

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
    bool capture_known, stopped;

    bool gathering;
    uint32_t number; /* with the file offset and the time: which packet is being gathered */
    int64_t file_offset;
    nstime_t time;
    struct gather packet;
};

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
    gather_begin(&reader->packet);
}

static tap_packet_status ip_packet(void *tap, packet_info *pinfo, epan_dissect_t *edt G_GNUC_UNUSED,
                                   const void *data, tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const ws_ip4 *ip = data;
    gather(reader, pinfo);
    if (ip->ip_ver != 4)
        return TAP_PACKET_DONT_REDRAW;
    struct gather_ip header = {.ip_bytes = ip->ip_len,
                               .protocol = ip->ip_proto,
                               .fragment_bits = ip->ip_off,
                               .fragment_id = ip->ip_id};
    gather_address(&header.source, &ip->ip_src);
    gather_address(&header.destination, &ip->ip_dst);
    gather_ip(&reader->packet, &header, pinfo->fd->pkt_len);
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
    struct gather_ip header = {.is_v6 = true,
                               .ip_bytes = MIN(ip->ip6_len, pinfo->fd->pkt_len) + IPV6_HEADER,
                               .protocol = ip->ip6_nxt};
    gather_address(&header.source, &ip->ip6_src);
    gather_address(&header.destination, &ip->ip6_dst);
    gather_ip(&reader->packet, &header, pinfo->fd->pkt_len);
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
    struct packet_address source, destination;
    gather_address(&source, ip->ip_ver == 4 ? &ip->ip_src : &ip6->ip6_src);
    gather_address(&destination, ip->ip_ver == 4 ? &ip->ip_dst : &ip6->ip6_dst);
    gather_any_ip(&reader->packet, &source, &destination);
    return TAP_PACKET_DONT_REDRAW;
}

static tap_packet_status tcp_packet(void *tap, packet_info *pinfo,
                                    epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                    tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const tcp_info_t *tcp = data;
    gather(reader, pinfo);
    struct gather_tcp header = {.stream = tcp->th_stream,
                                .sequence = tcp->th_rawseq,
                                .acknowledgment = tcp->th_rawack,
                                .source_port = tcp->th_sport,
                                .destination_port = tcp->th_dport,
                                .flags = tcp->th_flags & TH_MASK,
                                .payload_bytes = tcp->th_have_seglen ? tcp->th_seglen : 0};
    gather_tcp(&reader->packet, &header);
    return TAP_PACKET_DONT_REDRAW;
}

static tap_packet_status udp_packet(void *tap, packet_info *pinfo,
                                    epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                    tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const e_udphdr *udp = data;
    gather(reader, pinfo);
    gather_udp(&reader->packet, udp->uh_stream, udp->uh_sport, udp->uh_dport, udp->uh_ulen);
    return TAP_PACKET_DONT_REDRAW;
}

static tap_packet_status sctp_packet(void *tap, packet_info *pinfo,
                                     epan_dissect_t *edt G_GNUC_UNUSED, const void *data,
                                     tap_flags_t flags G_GNUC_UNUSED)
{
    facts_reader *reader = ((struct listener *)tap)->reader;
    const struct _sctp_info *sctp = data;
    gather(reader, pinfo);
    gather_sctp(&reader->packet, sctp->assoc_index, sctp->sport, sctp->dport);
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
        reader->packet.facts.verdicts |= VERDICT_MALFORMED;
        return TAP_PACKET_DONT_REDRAW;
    }
    if (info->group == PI_SEQUENCE)
        reader->packet.facts.verdicts |= verdict_find(info->hf_index);
    return TAP_PACKET_DONT_REDRAW;
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
    const struct dissection dissected = {.tree = edt->tree, .tvb = edt->tvb};
    gather_complete(&reader->packet, pinfo, &dissected);
    reader->gathering = false;
    reader->stopped = !reader->callbacks.packet(reader->user, &reader->packet.facts);
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
    gather_initialize();

    /* The user's filter goes first: if it does not parse, nothing else was registered.  Every
     * packet wants a tree: pinfo->layers differs without one (WIRESHARK.md). */
    const guint frame_flags = TL_REQUIRES_PROTO_TREE | TL_REQUIRES_ERROR_PACKETS;
    char *fields = g_strjoinv(" or ", (char **)gather_field_names());
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
