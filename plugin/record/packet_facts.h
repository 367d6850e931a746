/* packet_facts.h
 * What the recorder knows of one packet: filled by facts.c from Wireshark's structures, read by
 * everything in record/, which sees no Wireshark header.
 *
 * Pointers are borrowed: valid until recorder_packet() returns, but `protocol`, `tunnel` and the
 * layers, which live as long as the process.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PACKET_FACTS_H
#define FIELDEDGE_PACKET_FACTS_H

#include "plugin/record/classify.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PACKET_LAYERS_MAX = 16,       /* layers above the transport that are looked at */
    PACKET_ANSWERS_MAX = 16,      /* addresses learned from one DNS answer */
    PACKET_ADDRESS_TEXT_MAX = 64, /* an address as text with its final zero */
    PACKET_NAME_MAX = 255         /* bytes of a host name (RFC 1035) that are kept */
};

/* An address of 4 (IPv4), 16 (IPv6) or other length (a station on the link); 0: none. */
struct packet_address {
    uint8_t length;
    uint8_t bytes[16];
};

/* For hash tables: addresses are compared as bytes, so what is behind `length` must be zero. */
unsigned packet_address_hash(const void *address);
int packet_address_equal(const void *left, const void *right);

/* "10.0.0.1", "2001:db8::1", "02:00:5e:10:00:01"; "unknown" if there is none. */
void packet_address_text(const struct packet_address *address, char text[PACKET_ADDRESS_TEXT_MAX]);

/* The flow of a packet: what says which conversation it belongs to. */
struct packet_flow {
    enum classify_transport transport; /* CLASSIFY_NO_TRANSPORT: not IP */
    bool has_stream;                   /* TCP, UDP, SCTP with ports that could be read */
    bool is_numbered;                  /* and Wireshark gave it a number; else the ports tell it */
    uint32_t stream;                   /* Wireshark's number */
    uint16_t source_port, destination_port;
    struct packet_address source, destination; /* innermost IP header, or stations */
};

struct packet_facts {
    uint32_t number;      /* frame number */
    int64_t time_ns;      /* since the epoch */
    uint32_t frame_bytes; /* on the wire */
    uint32_t ip_bytes;    /* outermost IP packet; 0 if not IP */
    uint32_t payload_bytes;
    struct packet_flow flow;
    struct packet_address outer_source, outer_destination; /* outermost IP header */
    uint8_t ip_protocol;                                   /* above the innermost IP header */
    const char *ip_layer; /* filter name of the layer above the innermost IP header, or NULL */
    uint8_t icmp_type;    /* ICMP and ICMPv6 */

    const uint8_t *payload; /* captured part of the transport's payload, NULL if none */
    uint32_t payload_captured;

    uint16_t tcp_flags; /* 12 bits; TCP alone */
    uint32_t tcp_sequence, tcp_acknowledgment;
    uint32_t verdicts; /* enum verdict */

    bool is_fragment; /* of an IP datagram */
    bool is_resolved; /* a fragment that Wireshark dissected: it knows the datagram's flow */
    uint32_t fragment_id;

    bool quotes;               /* an ICMP error that quotes a packet with ports */
    struct packet_flow quoted; /* that packet's; no stream */

    const char *protocol; /* top dissected layer, its filter name */
    const struct classify_protocol
        *layers[PACKET_LAYERS_MAX]; /* above the transport, nearest first */
    unsigned layer_count;

    bool has_vlan;
    uint16_t vlan;
    const char *tunnel; /* outermost: "GRE", "VXLAN" …; NULL if none */

    const char *server_name; /* SNI or HTTP host, NULL if none */
    const char *alpn;        /* NULL if none */
    const char *dns_name;    /* asked name of a DNS answer with addresses, NULL if none */
    struct packet_address answers[PACKET_ANSWERS_MAX];
    unsigned answer_count;
};

#endif
