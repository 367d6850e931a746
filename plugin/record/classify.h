/* classify.h
 * Which application a conversation belongs to: dissected layers and ports -> label and its source.
 *
 * A label is `<TRANSPORT>_<NAME>`, upper case letters, digits and underscores, never empty, never
 * ending in an underscore.  It belongs to the conversation and is decided by votes: each packet's
 * layers above the transport speak for one protocol (classify_vote), and classify_label() turns the
 * votes and the ports into the label.
 *
 * Order of calls: classify_protocol_init() once a dissector; for each packet classify_vote(), for a
 * handshake classify_alpn(); when one returns true, and once at the conversation's first packet,
 * classify_label().
 *
 * A packet's vote.  Its layers are read from the transport up; protocols.tsv gives each a role:
 *
 *     tcp mbtcp modbus            one vote for MODBUS (mbtcp names it; nothing above is looked at)
 *     tcp tpkt cotp s7comm        one for S7COMM (tpkt and cotp carry)
 *     tcp rpc                     one for RPC, a carrier with a name and nothing above that names
 *     tcp tls x509sat             one for TLS, which secures; certificates are silent
 *     tcp tls http                one for TLS and one, inside it, for HTTP
 *     tcp data                    one for "nobody knew this payload"
 *     tcp                         none: an ACK, or a segment of a PDU that ends in a later packet
 *
 * Who wins.  The candidate with the most votes that has at least a third of its votes and the
 * payload votes together (2 votes >= payload); ties go to the one seen first.  A dissector that
 * guesses is right seldom and on few packets; one that knows the protocol fails seldom.  Worked
 * example:
 *
 *     SIP phone            sip 34, payload 27 (keep-alives of 4 bytes)   68 >= 27       UDP_SIP
 *     iperf3 on port 5201  thrift 1679, payload 24000                    3358 < 24000   TCP_5201
 *     call set up by STUN  stun 12, payload 3000 (RTP nobody announced)  24 < 3000      by port
 *
 * A carrier's own name wins only where no application does: one NFS call among 100 unmatched RPC
 * replies makes the conversation NFS.
 *
 * What secures it is elected alike, against the payload votes and the votes for applications
 * outside any securing layer: TLS after SMTP's STARTTLS counts (TCP_SMTP_TLS), one packet that
 * looks like DTLS in a long SSDP conversation does not.  Where a conversation is secured, a
 * candidate seen inside wins over those outside, and payload outside does not speak against it:
 * HTTP 2 votes, then MQTT 2 votes inside WebSocket is TCP_MQTT_WEBSOCKET.  UDP knows no STARTTLS:
 * an application outside DTLS and DTLS itself share the port, and the larger names it.
 *
 * The name of a secured conversation that shows no application inside comes from ALPN, then from
 * the ports: TCP 443 TCP_HTTP_TLS, UDP 443 UDP_HTTP_QUIC, TLS on 1883 TCP_MQTT_TLS, elsewhere
 * TCP_TLS.
 *
 * The ports.  For each port the site's table, then applications.tsv.  The responder's port is asked
 * before the initiator's.  Where nobody was seen to initiate (UDP, TCP met half-way), the port that
 * is lower in rank comes first (below 1024, below 32768, the rest); between two of one rank the
 * source of the first packet, but the site's table is asked for both before applications.tsv:
 *
 *     TCP 20000 -> 443, SYN seen    TCP_HTTP_TLS     responder's port
 *     UDP 68 -> 67                  UDP_DHCP_RESPONSE  both ranks equal: source
 *     UDP 47808 -> 53               UDP_DNS          53 ranks before 47808
 *
 * If no table knows them: the system's service name, then the number, of the responder's port;
 * between two of one rank with no initiator, of the destination of the first packet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CLASSIFY_H
#define FIELDEDGE_CLASSIFY_H

#include "schema/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CLASSIFY_NAME_MAX = 64,  /* bytes of a label with its final zero */
    CLASSIFY_CANDIDATES = 8, /* protocols that can stand for election in one conversation */
    CLASSIFY_SITE_PORTS_MAX = 4096
};

enum classify_transport {
    CLASSIFY_NO_TRANSPORT,
    CLASSIFY_TCP,
    CLASSIFY_UDP,
    CLASSIFY_SCTP,
    CLASSIFY_ICMP,
    CLASSIFY_ICMPV6,
    CLASSIFY_IP /* any other protocol above IP */
};

/* "TCP", "UDP", "SCTP", "ICMP", "ICMPV6", "IP"; NULL for CLASSIFY_NO_TRANSPORT. */
const char *classify_transport_name(enum classify_transport transport);

/* Where a label came from, in falling order of trust. */
enum classify_source {
    CLASSIFY_SOURCE_NONE,
    CLASSIFY_SOURCE_DISSECTOR,  /* "dissector": votes of the layers */
    CLASSIFY_SOURCE_ALPN,       /* "alpn": the application inside TLS or QUIC, from its ALPN */
    CLASSIFY_SOURCE_SITE_PORT,  /* "site port": the site's own table */
    CLASSIFY_SOURCE_PORT,       /* "port": applications.tsv */
    CLASSIFY_SOURCE_SERVICE,    /* "service": the system's service name */
    CLASSIFY_SOURCE_NUMBER,     /* "port number" */
    CLASSIFY_SOURCE_IP_PROTOCOL /* "ip protocol": ICMP, ESP and the like */
};
const char *classify_source_name(enum classify_source source);

/* A dissector as the votes see it. */
struct classify_protocol {
    enum schema_protocol_role role;
    uint64_t key; /* hash of the name: dissectors of one name are one candidate; 0: no name */
    char name[CLASSIFY_NAME_MAX / 2]; /* NAME part of a label: MQTT; bounded, made valid.  Empty for
                                         roles SILENT and PAYLOAD and for carriers without a name */
};

/* Fills *protocol from a dissector's display filter name ("mqtt", "iec60870_104"). */
void classify_protocol_init(struct classify_protocol *protocol, const char *filter_name);

/* The same from a role and a name as they were before; false if there can be no such protocol. */
bool classify_protocol_restore(struct classify_protocol *protocol, unsigned role, const char *name);

/* The votes of one conversation.  All zero is the empty state.  Candidates are in the order of
 * their first vote; when all places are taken a further protocol is not counted. */
struct classify_votes {
    struct {
        const struct classify_protocol *protocol; /* of any role that has a name */
        uint32_t votes;
        uint32_t inside; /* how many of them came from inside a securing layer */
    } candidates[CLASSIFY_CANDIDATES];
    uint32_t payload_votes;                 /* packets whose payload no dissector claimed */
    const struct classify_protocol *secure; /* what secures it, as elected; NULL if nothing */
    const char *alpn;  /* static name of the application in TLS: "HTTP"; or NULL */
    uint8_t winner;    /* 1 + index of the candidate that wins; 0: none */
    bool secure_leads; /* there are both, and secure has more votes than the winner */
};

/* Counts one packet: layers[0..count) are the dissectors above the transport, nearest first.
 * Returns true if the label may have changed. */
bool classify_vote(struct classify_votes *votes, const struct classify_protocol *const *layers,
                   size_t count);

/* Notes the ALPN of a handshake ("h2", "http/1.1", "mqtt", "dot" …).  Returns true if it is known
 * and not what was noted before; a later one counts, so pass the client's first choice and then
 * what the server chose.  text need not be zero-terminated. */
bool classify_alpn(struct classify_votes *votes, const char *text, size_t length);

/* A line of the site's own table of ports. */
struct classify_site_port {
    enum classify_transport transport; /* TCP, UDP or SCTP */
    uint16_t low, high;                /* range, inclusive */
    char name[CLASSIFY_NAME_MAX / 2];
};

/* Parses one line ("TCP", "50000-50010", "PUMP-STATION", which becomes PUMP_STATION) into *port. On
 * failure returns false and sets *error to a sentence for people (g_free it). */
bool classify_site_port_parse(struct classify_site_port *port, const char *transport,
                              const char *range, const char *name, char **error);

/* What is known of a conversation besides its votes. */
struct classify_conversation {
    enum classify_transport transport;
    uint16_t port_a, port_b; /* TCP, UDP, SCTP; A is the source of the first packet */
    bool a_initiated;        /* TCP or SCTP: A sent the SYN or INIT: B responds */
    bool b_initiated;        /* the first packet seen was the SYN-ACK or INIT-ACK: A responds */
    bool is_fragment;        /* TCP, UDP, SCTP: fragments whose ports are not known */
    uint8_t ip_protocol;     /* CLASSIFY_IP */
    const char *ip_layer;    /* CLASSIFY_IP: filter name of the layer above IP ("esp"), or NULL */
    uint8_t icmp_group;      /* ICMP, ICMPV6: see classify_icmp_group() */
};

/* Kinds of ICMP messages; the numbers are stored (conversation.icmp_group) and never change. */
enum classify_icmp_group {
    CLASSIFY_ICMP_OTHER,
    CLASSIFY_ICMP_ECHO,
    CLASSIFY_ICMP_UNREACHABLE,
    CLASSIFY_ICMP_TIME_EXCEEDED,
    CLASSIFY_ICMP_PARAMETER_PROBLEM,
    CLASSIFY_ICMP_REDIRECT,
    CLASSIFY_ICMP_ROUTER,
    CLASSIFY_ICMP_TIMESTAMP, /* ICMP alone */
    CLASSIFY_ICMP_TOO_BIG,   /* this and the rest: ICMPv6 alone */
    CLASSIFY_ICMP_NEIGHBOR,
    CLASSIFY_ICMP_MULTICAST,
    CLASSIFY_ICMP_GROUPS /* their number */
};

/* Sorts an ICMP (or ICMPv6) type into the kind that its label names; conversations of ICMP are kept
 * apart by it.  E.g. echo request and reply -> one group (ICMP_ECHO). */
uint8_t classify_icmp_group(bool is_v6, uint8_t type);

/* Writes the label into label and returns its source.  site may be NULL with site_count 0; where
 * two lines of it hold a port the first counts.  Without a transport the label is empty.
 *
 *     ICMP echo request        ICMP_ECHO       ip protocol
 *     IP, layer esp            IP_ESP          ip protocol
 *     IP, protocol 253         IP_253          ip protocol
 *     UDP, is_fragment         UDP_FRAGMENT    ip protocol
 */
enum classify_source classify_label(const struct classify_conversation *conversation,
                                    const struct classify_votes *votes,
                                    const struct classify_site_port *site, size_t site_count,
                                    char label[CLASSIFY_NAME_MAX]);

#endif
