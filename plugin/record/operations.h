/* operations.h
 * What the dissecting thread tells the writer: the records of the ring between them, in the order
 * in which they take effect.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_OPERATIONS_H
#define FIELDEDGE_OPERATIONS_H

#include "plugin/record/packet_facts.h"

#include <glib.h>

enum operation_kind {
    OPERATION_CAPTURE,
    OPERATION_CONVERSATION,
    OPERATION_LABEL,
    OPERATION_SERVER_NAME,
    OPERATION_HOST_NAME,
    OPERATION_PACKET,
    OPERATION_MOVE,
    OPERATION_QUOTE,
    OPERATION_RENUMBER,
    OPERATION_LOOKUP,
    OPERATION_CARRY,
    OPERATION_FINISH
};

/* Facts of the capture, with its first packet.  The strings belong to the writer (g_free). */
struct operation_capture {
    enum operation_kind kind;
    char *file, *interface, *link_type;
    int64_t base_ns;
    uint32_t snap_length;
};

/* Which conversation: unique in a capture.  low and high are the two addresses in order. */
struct conversation_key {
    uint8_t transport; /* enum classify_transport */
    uint8_t has_stream;
    uint8_t ip_protocol; /* without stream */
    uint8_t icmp_group;  /* ICMP, ICMPV6 */
    uint8_t is_numbered; /* has_stream: stream is Wireshark's number; else the two ports */
    uint32_t stream;
    struct packet_address low, high;
};

struct operation_conversation {
    enum operation_kind kind;
    int64_t id;
    struct conversation_key key;
    bool a_is_high; /* host A is key.high */
    bool is_local, has_vlan;
    uint16_t port_a, port_b, vlan;
    const char *tunnel; /* static or NULL */
};

/* The application of a conversation as known now, and the votes behind it. */
struct operation_label {
    enum operation_kind kind;
    int64_t conversation;
    enum classify_source source;
    uint32_t votes;
    char label[CLASSIFY_NAME_MAX];
};

struct operation_server_name {
    enum operation_kind kind;
    int64_t conversation;
    char name[PACKET_NAME_MAX + 1];
};

struct operation_host_name {
    enum operation_kind kind;
    struct packet_address address;
    char name[PACKET_NAME_MAX + 1];
};

/* What a packet is, apart from its sizes: a row of packet_kind. */
struct packet_kind {
    const char *protocol; /* static */
    uint32_t verdicts;
    int32_t tcp_flags; /* -1: not TCP */
    uint8_t direction; /* 0: AB, 1: BA */
    uint8_t renumbered;
};

struct operation_packet {
    enum operation_kind kind;
    bool has_hash;
    uint32_t hash;
    int64_t id, time_ns, conversation; /* time since the epoch */
    uint32_t frame_bytes, ip_bytes, payload_bytes, retransmitted_bytes;
    struct packet_kind what;
};

/* A fragment whose datagram became known: the packet changes its conversation.  packet.conversation
 * is where it was, `to` where it belongs. */
struct operation_move {
    enum operation_kind kind;
    struct operation_packet packet;
    int64_t to;
    uint8_t direction;
};

struct operation_quote {
    enum operation_kind kind;
    int64_t packet, conversation;
};

struct operation_renumber {
    enum operation_kind kind;
    int64_t packet, offset;
};

/* A conversation that was written before its state in memory was given up. */
struct conversation_found {
    int64_t id; /* 0: there is none */
    bool a_is_high, is_local, has_server_name;
    uint16_t port_a, port_b;
    enum classify_source source;
    uint32_t votes;
    char label[CLASSIFY_NAME_MAX];
    bool is_of_this_file; /* watch: of a stream of the file that is recorded … */
    bool is_this_stream;  /* … and of the one that was asked for */
    GBytes *state;        /* watch: see carry.h; the asker's; NULL if there is none */
};

struct operation_lookup {
    enum operation_kind kind;
    bool is_by_ends; /* watch: whatever the stream's number, it was another file's */
    uint16_t low_port, high_port;
    struct conversation_key key;
    struct conversation_found *found; /* filled by the writer */
};

/* Watch: the state of a conversation, for the next file.  It belongs to the writer. */
struct operation_carry {
    enum operation_kind kind;
    bool is_numbered;
    uint32_t stream;
    int64_t conversation;
    GBytes *state;
};

struct operation_finish {
    enum operation_kind kind;
    int64_t continued;  /* watch: conversations that an earlier file began */
    const char *status; /* static: 'complete' … */
};

#endif
