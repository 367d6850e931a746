/* recorder.c: see recorder.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/recorder.h"

#include "plugin/record/bloom.h"
#include "plugin/record/carry.h"
#include "plugin/record/conversations.h"
#include "plugin/record/fragments.h"
#include "plugin/record/names.h"
#include "plugin/record/siphash.h"
#include "plugin/record/writer.h"
#include "schema/verdicts.h"

#include <string.h>
#include <sys/random.h>

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_ACK = 0x10,
    REPORT_EVERY = 1024,              /* packets: a system call */
    HOLES_MAX_BYTES = 4 * 1024 * 1024 /* all conversations' lists of sequence holes together */
};

/* How far a server's name can be trusted: what it says itself beats what a DNS answer said. */
enum { NAME_NONE, NAME_FROM_DNS, NAME_FROM_SERVER };

/* Invariants: position is the low half of the last packet's id; position = number + offset. */
struct recorder {
    writer *writer;
    conversations *conversations;
    fragments *fragments;
    names *names;
    locality *locality;
    struct classify_site_port *site_ports;
    size_t site_port_count;
    char *error;
    int64_t capture, next_conversation;
    bloom *given_up; /* keys of conversations that are in the database and no longer in memory */
    size_t holes_bytes;
    uint32_t position;
    int64_t offset;
    unsigned run; /* restarts of the frame numbers so far */
    bool hashes;
    uint8_t hash_key[SIPHASH_KEY_BYTES]; /* never leaves the process */
    uint64_t packets;
    int report;            /* descriptor, -1: none */
    bool is_watch;         /* one file of many: conversations go on from file to file */
    int64_t continued;     /* conversations that an earlier file began */
    GHashTable *protocols; /* of carry_decode() */
};

static void learn_name(void *user, const struct packet_address *address, const char *name)
{
    names_learn(user, address, name);
}

/* What the files before left behind. */
static void resume(recorder *r, store *opened, const struct schema_recording *recording)
{
    if (recording == NULL || recording->watch == NULL)
        return;
    r->is_watch = true;
    r->position = store_last_position(opened);
    r->offset = r->position;
    store_names(opened, NAMES_MAX / 2, learn_name, r->names);
}

/* The key of payload hashes: random, or one for all files of a watch. */
static void make_hash_key(recorder *r, const struct schema_recording *recording)
{
    if (recording != NULL && recording->has_hash_key)
        memcpy(r->hash_key, recording->hash_key, sizeof r->hash_key);
    else if (r->hashes &&
             getrandom(r->hash_key, sizeof r->hash_key, 0) != (ssize_t)sizeof r->hash_key)
        r->hashes = false;
}

static void report(const recorder *r)
{
    struct schema_report report = {.capture = r->capture, .packets = (int64_t)r->packets};
    schema_report_write(r->report, &report);
}

/* The state of the dissecting thread; takes the networks over. */
static recorder *recorder_new(const struct recorder_options *options, locality *networks)
{
    recorder *r = g_new0(recorder, 1);
    r->locality = networks;
    r->conversations = conversations_new();
    r->given_up = bloom_new();
    r->fragments = fragments_new();
    r->names = names_new();
    r->site_ports =
        g_memdup2(options->site_ports, options->site_port_count * sizeof *options->site_ports);
    r->site_port_count = options->site_port_count;
    r->hashes = options->payload_hashes;
    make_hash_key(r, options->recording);
    r->protocols = carry_protocols_new();
    r->report = options->recording != NULL ? options->recording->report : -1;
    return r;
}

recorder *recorder_open(const struct recorder_options *options, char **error)
{
    locality *networks = locality_parse(options->local_networks, error);
    if (networks == NULL)
        return NULL;
    store *opened = store_open(options, error);
    if (opened == NULL) {
        locality_free(networks);
        return NULL;
    }
    recorder *r = recorder_new(options, networks);
    r->capture = store_capture_id(opened);
    r->next_conversation = store_next_conversation(opened);
    resume(r, opened, options->recording);
    report(r);
    r->writer = writer_start(opened);
    return r;
}

recorder *recorder_open_direct(const struct recorder_options *options,
                               void (*carry_out)(void *user, const void *operation), void *user,
                               char **error)
{
    locality *networks = locality_parse(options->local_networks, error);
    if (networks == NULL)
        return NULL;
    recorder *r = recorder_new(options, networks);
    r->capture = 1;
    r->next_conversation = 1;
    r->writer = writer_start_direct(carry_out, user);
    return r;
}

/* A file's name may hold any bytes; a text in the database may not. */
static char *name_valid(const char *name)
{
    return name != NULL ? g_utf8_make_valid(name, -1) : NULL;
}

void recorder_capture(recorder *r, const char *file, const char *interface, const char *link_type,
                      uint32_t snap_length, int64_t base_ns)
{
    struct operation_capture *o = writer_reserve(r->writer, sizeof *o);
    *o = (struct operation_capture){.kind = OPERATION_CAPTURE,
                                    .file = name_valid(file),
                                    .interface = name_valid(interface),
                                    .link_type = g_strdup(link_type),
                                    .snap_length = snap_length,
                                    .base_ns = base_ns};
    writer_send(r->writer);
}

const char *recorder_error(const recorder *r)
{
    return r->error;
}

int64_t recorder_capture_id(const recorder *r)
{
    return r->capture;
}

static bool fail(recorder *r, const char *sentence)
{
    if (r->error == NULL)
        r->error = g_strdup(sentence);
    return false;
}

static void send_label(recorder *r, const struct conversation *c)
{
    struct operation_label *o = writer_reserve(r->writer, sizeof *o);
    o->kind = OPERATION_LABEL;
    o->conversation = c->id;
    o->source = c->source;
    o->votes = c->votes.winner > 0 ? c->votes.candidates[c->votes.winner - 1].votes : 0;
    o->votes = MAX(o->votes, c->restored_votes);
    memcpy(o->label, c->label, sizeof o->label);
    writer_send(r->writer);
}

static void send_conversation(recorder *r, const struct conversation *c,
                              const struct packet_facts *facts)
{
    struct operation_conversation *o = writer_reserve(r->writer, sizeof *o);
    *o = (struct operation_conversation){.kind = OPERATION_CONVERSATION,
                                         .id = c->id,
                                         .key = c->key,
                                         .a_is_high = c->a_is_high,
                                         .is_local = c->is_local,
                                         .has_vlan = facts->has_vlan,
                                         .vlan = facts->vlan,
                                         .port_a = c->port_a,
                                         .port_b = c->port_b,
                                         .tunnel = facts->tunnel};
    writer_send(r->writer);
}

/* A name may hold whatever a packet said: see name_copy(). */
static void name_server(recorder *r, struct conversation *c, const char *name, uint8_t rank)
{
    if (name == NULL || rank <= c->server_name_rank)
        return;
    c->server_name_rank = rank;
    struct operation_server_name *o = writer_reserve(r->writer, sizeof *o);
    o->kind = OPERATION_SERVER_NAME;
    o->conversation = c->id;
    name_copy(o->name, name);
    writer_send(r->writer);
}

static void learn_names(recorder *r, const struct packet_facts *facts)
{
    for (unsigned i = 0; i < facts->answer_count; i++) {
        if (!names_learn(r->names, &facts->answers[i], facts->dns_name))
            continue;
        struct operation_host_name *o = writer_reserve(r->writer, sizeof *o);
        o->kind = OPERATION_HOST_NAME;
        o->address = facts->answers[i];
        g_strlcpy(o->name, names_find(r->names, &facts->answers[i]), sizeof o->name);
        writer_send(r->writer);
    }
}

/* Keeps the state of a conversation for the next file, or for later in this one. */
static void send_carry(recorder *r, const struct conversation *c)
{
    struct operation_carry *o = writer_reserve(r->writer, sizeof *o);
    *o = (struct operation_carry){.kind = OPERATION_CARRY,
                                  .conversation = c->id,
                                  .is_numbered = c->key.is_numbered,
                                  .stream = c->key.stream,
                                  .state = carry_encode(c)};
    writer_send(r->writer);
}

/* Gives the state of the longest unused conversation up; its label and votes can be read back. */
static void give_up_oldest(recorder *r)
{
    struct conversation *oldest = conversations_oldest(r->conversations);
    if (oldest->key.transport != CLASSIFY_NO_TRANSPORT)
        send_label(r, oldest);
    if (r->is_watch && oldest->key.transport != CLASSIFY_NO_TRANSPORT)
        send_carry(r, oldest);
    for (int d = 0; d < 2; d++)
        r->holes_bytes -= oldest->space[d].lower_capacity * sizeof(sequence_range);
    bloom_add(r->given_up, conversation_key_hash(&oldest->key));
    conversations_remove(r->conversations, oldest);
}

/* Decides the label anew.  A label read back from the database stays until it is outvoted. */
static bool relabel(recorder *r, struct conversation *c)
{
    char label[CLASSIFY_NAME_MAX];
    struct classify_conversation known = {.transport = c->key.transport,
                                          .port_a = c->port_a,
                                          .port_b = c->port_b,
                                          .a_initiated = c->a_initiated,
                                          .b_initiated = c->b_initiated,
                                          .is_fragment = !c->key.has_stream,
                                          .ip_protocol = c->ip_protocol,
                                          .ip_layer = c->ip_layer,
                                          .icmp_group = c->key.icmp_group};
    uint32_t votes = c->votes.winner > 0 ? c->votes.candidates[c->votes.winner - 1].votes : 0;
    if (c->restored_votes > 0 && votes <= c->restored_votes)
        return false;
    enum classify_source source =
        classify_label(&known, &c->votes, r->site_ports, r->site_port_count, label);
    if (source == c->source && strcmp(label, c->label) == 0)
        return false;
    c->source = source;
    memcpy(c->label, label, sizeof label);
    return true;
}

/* Counts the packet's vote; true if the label changed. */
static bool vote(recorder *r, struct conversation *c, const struct packet_facts *facts)
{
    bool changed = c->label[0] == '\0';
    if (facts->flow.has_stream) {
        changed |= classify_vote(&c->votes, facts->layers, facts->layer_count);
        if (facts->alpn != NULL)
            changed |= classify_alpn(&c->votes, facts->alpn, strlen(facts->alpn));
    }
    return changed && relabel(r, c);
}

static bool is_local(const recorder *r, const struct packet_facts *facts)
{
    if (facts->flow.transport == CLASSIFY_NO_TRANSPORT || facts->outer_source.length == 0)
        return false;
    return locality_is_local(r->locality, facts->outer_source.bytes, facts->outer_destination.bytes,
                             facts->outer_source.length);
}

/* Asks for the conversation of a key; in a watch for one of its ends, whatever its stream was
 * called in an earlier file. */
static void look_up(recorder *r, const struct conversation_key *key,
                    const struct conversation_ends *ends, struct conversation_found *found)
{
    struct operation_lookup lookup = {.is_by_ends = r->is_watch,
                                      .low_port = ends->low_port,
                                      .high_port = ends->high_port,
                                      .key = *key,
                                      .found = found};
    writer_lookup(r->writer, &lookup);
}

/* Whether a SYN begins another connection on the ports of the one that was found. */
static bool begins_anew(recorder *r, const struct conversation *c,
                        const struct conversation_found *found, const struct packet_facts *facts)
{
    struct conversation before = {0};
    bool from_high = facts->flow.source_port == c->ends.high_port &&
                     packet_address_equal(&facts->flow.source, &c->ends.high);
    uint8_t direction = from_high != found->a_is_high;
    if ((facts->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || found->state == NULL ||
        !carry_decode(&before, found->state, r->protocols))
        return false;
    bool anew = (before.seen & 1 << direction) != 0 &&
                sequence_begins_anew(&before.space[direction], facts->tcp_sequence);
    sequence_clear(&before.space[0]);
    sequence_clear(&before.space[1]);
    return anew;
}

/* Whether the conversation that was found is the packet's.  In a watch Wireshark numbers the
 * streams of each file anew: of this file the number must be the same; one of an earlier file goes
 * on, unless it is a TCP connection and a new one begins. */
static bool is_continued(recorder *r, const struct conversation *c,
                         const struct conversation_found *found, const struct packet_facts *facts)
{
    if (!r->is_watch || !c->key.has_stream)
        return true;
    if (found->is_of_this_file)
        return found->is_this_stream;
    return facts->flow.transport != CLASSIFY_TCP || !begins_anew(r, c, found, facts);
}

static size_t holes_bytes(const struct conversation *c)
{
    return (c->space[0].lower_capacity + (size_t)c->space[1].lower_capacity) *
           sizeof(sequence_range);
}

static bool restore(recorder *r, struct conversation *c, const struct packet_facts *facts)
{
    struct conversation_found found = {0};
    look_up(r, &c->key, &c->ends, &found);
    g_autoptr(GBytes) state = found.state;
    if (found.id == 0 || !is_continued(r, c, &found, facts))
        return false;
    if (r->is_watch && !found.is_of_this_file)
        r->continued++;
    c->id = found.id;
    c->a_is_high = found.a_is_high;
    c->is_local = found.is_local;
    c->port_a = found.port_a;
    c->port_b = found.port_b;
    c->source = found.source;
    c->restored_votes = found.votes;
    c->server_name_rank = found.has_server_name ? NAME_FROM_SERVER : NAME_NONE;
    memcpy(c->label, found.label, sizeof c->label);
    if (state != NULL && carry_decode(c, state, r->protocols))
        r->holes_bytes += holes_bytes(c);
    return true;
}

/* Whether another stream of this file has these ends: then the one that is new is no earlier
 * file's.
 */
static bool is_taken(const recorder *r, const struct conversation_key *key,
                     const struct packet_flow *flow)
{
    return key->has_stream && conversations_find_flow(r->conversations, flow) != NULL;
}

static struct conversation *add_conversation(recorder *r, const struct conversation_key *key,
                                             const struct packet_facts *facts, bool source_is_high)
{
    bool look = bloom_may_hold(r->given_up, conversation_key_hash(key)) ||
                (r->is_watch && !is_taken(r, key, &facts->flow));
    if (conversations_is_full(r->conversations))
        give_up_oldest(r);
    struct conversation *c = conversations_add(r->conversations, key, &facts->flow);
    c->ip_protocol = facts->ip_protocol;
    c->ip_layer = facts->ip_layer;
    c->run = r->run;
    if (look && restore(r, c, facts))
        return c;
    bool syn = facts->flow.transport == CLASSIFY_TCP && (facts->tcp_flags & TCP_SYN);
    c->id = r->next_conversation++;
    c->a_is_high = source_is_high;
    c->is_local = is_local(r, facts);
    c->port_a = facts->flow.source_port;
    c->port_b = facts->flow.destination_port;
    c->a_initiated = syn && !(facts->tcp_flags & TCP_ACK);
    c->b_initiated = syn && (facts->tcp_flags & TCP_ACK);
    send_conversation(r, c, facts);
    return c;
}

static void name_from_dns(recorder *r, struct conversation *c)
{
    const struct packet_address *a = c->a_is_high ? &c->key.high : &c->key.low;
    const struct packet_address *b = c->a_is_high ? &c->key.low : &c->key.high;
    const char *name = names_find(r->names, b);
    name_server(r, c, name != NULL ? name : names_find(r->names, a), NAME_FROM_DNS);
}

/* After a restart of the frame numbers the streams may have begun again too (tshark -M): then equal
 * hosts and stream number, but other ports, are another conversation. */
static bool is_stale(const recorder *r, const struct conversation *c,
                     const struct packet_flow *flow, bool from_a)
{
    if (c->run == r->run || !flow->has_stream)
        return false;
    return from_a ? flow->source_port != c->port_a || flow->destination_port != c->port_b
                  : flow->source_port != c->port_b || flow->destination_port != c->port_a;
}

/* A packet whose stream's number is not known: the latest conversation of these ends. */
static struct conversation *find_by_ends(recorder *r, const struct packet_flow *flow)
{
    struct conversation *c = conversations_find_flow(r->conversations, flow);
    return c != NULL ? conversations_find(r->conversations, &c->key) : NULL;
}

static struct conversation *find_conversation(recorder *r, const struct packet_facts *facts,
                                              uint8_t *direction)
{
    struct conversation_key key;
    bool source_is_high;
    conversation_key_make(&key, facts, &source_is_high);
    struct conversation *c = conversations_find(r->conversations, &key);
    if (c == NULL && key.has_stream && !key.is_numbered)
        c = find_by_ends(r, &facts->flow);
    if (c != NULL && is_stale(r, c, &facts->flow, source_is_high == c->a_is_high)) {
        conversations_remove(r->conversations, c);
        c = NULL;
    }
    bool made = c == NULL;
    if (made)
        c = add_conversation(r, &key, facts, source_is_high);
    c->run = r->run;
    *direction = source_is_high != c->a_is_high;
    bool changed = key.transport != CLASSIFY_NO_TRANSPORT && vote(r, c, facts);
    if (changed)
        send_label(r, c);
    if (made && key.transport != CLASSIFY_NO_TRANSPORT)
        name_from_dns(r, c);
    name_server(r, c, facts->server_name, NAME_FROM_SERVER);
    return c;
}

/* TCP payload bytes of this packet that were seen before in its direction. */
static uint32_t retransmitted_bytes(recorder *r, struct conversation *c,
                                    const struct packet_facts *facts, uint8_t direction)
{
    sequence_verdict verdict;
    struct sequence_segment segment = {.seq = facts->tcp_sequence,
                                       .length = facts->payload_bytes,
                                       .ack = facts->tcp_acknowledgment,
                                       .has_ack = (facts->tcp_flags & TCP_ACK) != 0,
                                       .syn = (facts->tcp_flags & TCP_SYN) != 0,
                                       .fin = (facts->tcp_flags & TCP_FIN) != 0,
                                       .rst = (facts->tcp_flags & TCP_RST) != 0};
    sequence_space *own = &c->space[direction], *peer = &c->space[!direction];
    size_t before = own->lower_capacity;
    sequence_add(own, peer, &segment, &verdict);
    r->holes_bytes += (own->lower_capacity - before) * sizeof(sequence_range);
    while (r->holes_bytes > HOLES_MAX_BYTES && conversations_oldest(r->conversations) != c)
        give_up_oldest(r);
    return verdict.retransmitted_bytes;
}

/* Where the frame stands in the capture: its number, moved up when numbers begin again. */
static bool place(recorder *r, uint32_t number, bool *restarted)
{
    int64_t position = number + r->offset;
    *restarted = r->packets > 0 && position <= r->position;
    if (*restarted) {
        r->offset = (int64_t)r->position + 1 - number;
        position = (int64_t)r->position + 1;
        r->run++;
    }
    if (position > UINT32_MAX)
        return false;
    r->position = (uint32_t)position;
    return true;
}

static void send_move(void *user, const struct operation_packet *packet, int64_t conversation,
                      uint8_t direction)
{
    recorder *r = user;
    struct operation_move *o = writer_reserve(r->writer, sizeof *o);
    o->kind = OPERATION_MOVE;
    o->packet = *packet;
    o->to = conversation;
    o->direction = direction;
    writer_send(r->writer);
}

/* A fragment that Wireshark dissected tells where the others belong; another one waits. */
static void place_fragment(recorder *r, const struct packet_facts *facts,
                           const struct operation_packet *packet)
{
    struct fragment_key key;
    fragment_key_make(&key, facts);
    if (facts->is_resolved)
        fragments_resolve(r->fragments, &key, packet->conversation, packet->what.direction,
                          packet->time_ns, send_move, r);
    else
        fragments_wait(r->fragments, &key, packet);
}

/* A fragment whose datagram is known goes straight to its conversation. */
static bool fragment_is_known(const recorder *r, const struct packet_facts *facts,
                              struct operation_packet *packet)
{
    struct fragment_key key;
    if (!facts->is_fragment || facts->is_resolved)
        return false;
    fragment_key_make(&key, facts);
    packet->conversation =
        fragments_known(r->fragments, &key, packet->time_ns, &packet->what.direction);
    return packet->conversation != 0;
}

/* The conversation of a quoted packet that this file has not seen; 0: none. */
static int64_t find_quoted(recorder *r, const struct packet_flow *flow)
{
    struct conversation_found found = {0};
    struct conversation_ends ends;
    if (!r->is_watch)
        return 0;
    conversation_ends_make(&ends, flow);
    struct conversation_key key = {
        .transport = ends.transport, .has_stream = true, .low = ends.low, .high = ends.high};
    look_up(r, &key, &ends, &found);
    if (found.state != NULL)
        g_bytes_unref(found.state);
    return found.id;
}

static void send_quote(recorder *r, const struct packet_facts *facts, int64_t packet)
{
    const struct conversation *known = conversations_find_flow(r->conversations, &facts->quoted);
    int64_t quoted = known != NULL ? known->id : find_quoted(r, &facts->quoted);
    if (quoted == 0)
        return;
    struct operation_quote *o = writer_reserve(r->writer, sizeof *o);
    o->kind = OPERATION_QUOTE;
    o->packet = packet;
    o->conversation = quoted;
    writer_send(r->writer);
}

static void send_renumber(recorder *r, int64_t packet)
{
    struct operation_renumber *o = writer_reserve(r->writer, sizeof *o);
    o->kind = OPERATION_RENUMBER;
    o->packet = packet;
    o->offset = r->offset;
    writer_send(r->writer);
}

/* Fills what does not depend on the conversation. */
static void packet_fill(const recorder *r, const struct packet_facts *facts,
                        struct operation_packet *packet)
{
    bool is_tcp = facts->flow.transport == CLASSIFY_TCP && facts->flow.is_numbered;
    *packet = (struct operation_packet){.kind = OPERATION_PACKET,
                                        .id = (r->capture - 1) * (INT64_C(1) << 32) + r->position,
                                        .time_ns = facts->time_ns,
                                        .frame_bytes = facts->frame_bytes,
                                        .ip_bytes = facts->ip_bytes,
                                        .payload_bytes = facts->payload_bytes,
                                        .what = {.protocol = facts->protocol,
                                                 .verdicts = facts->verdicts,
                                                 .tcp_flags = is_tcp ? facts->tcp_flags : -1,
                                                 .renumbered = r->offset != 0}};
    if (!r->hashes || facts->payload_captured == 0)
        return;
    packet->has_hash = true;
    packet->hash = (uint32_t)siphash_24(r->hash_key, facts->payload, facts->payload_captured);
}

bool recorder_packet(recorder *r, const struct packet_facts *facts)
{
    struct operation_packet packet;
    bool restarted;
    if (r->error != NULL || writer_failed(r->writer))
        return false;
    if (!place(r, facts->number, &restarted))
        return fail(r, "more than 4,294,967,295 packets in one capture: record a new one.");
    packet_fill(r, facts, &packet);
    if (restarted || (r->packets == 0 && r->offset != 0))
        send_renumber(r, packet.id);
    if (facts->dns_name != NULL)
        learn_names(r, facts);
    if (!fragment_is_known(r, facts, &packet)) {
        struct conversation *c = find_conversation(r, facts, &packet.what.direction);
        packet.conversation = c->id;
        c->seen |= (uint8_t)(1 << packet.what.direction);
        if (packet.what.tcp_flags >= 0)
            packet.retransmitted_bytes = retransmitted_bytes(r, c, facts, packet.what.direction);
        if (facts->is_fragment)
            place_fragment(r, facts, &packet);
    }
    if (facts->quotes)
        send_quote(r, facts, packet.id);
    memcpy(writer_reserve(r->writer, sizeof packet), &packet, sizeof packet);
    writer_send(r->writer);
    if (++r->packets % REPORT_EVERY == 0)
        report(r);
    return true;
}

static void recorder_free(recorder *r)
{
    conversations_free(r->conversations);
    bloom_free(r->given_up);
    g_hash_table_destroy(r->protocols);
    fragments_free(r->fragments);
    names_free(r->names);
    locality_free(r->locality);
    g_free(r->site_ports);
    g_free(r->error);
    g_free(r);
}

void recorder_close(recorder *r)
{
    if (r == NULL)
        return;
    writer_stop(r->writer, "interrupted", 0);
    recorder_free(r);
}

bool recorder_finish(recorder *r, const char *status, char **error)
{
    while (r->is_watch && conversations_oldest(r->conversations) != NULL)
        give_up_oldest(r);
    store *stopped = writer_stop(r->writer, r->error != NULL ? "failed" : status, r->continued);
    r->capture = store_capture_id(stopped);
    report(r);
    const char *problem = r->error != NULL ? r->error : store_error(stopped);
    *error = g_strdup(problem);
    store_close(stopped);
    recorder_free(r);
    return *error == NULL;
}

void recorder_abandon(recorder *r)
{
    store_abandon(writer_stop(r->writer, "interrupted", 0));
    r->capture = 0;
    report(r);
    recorder_free(r);
}

bool recorder_set_status(const char *database, int64_t capture, const char *status)
{
    return store_set_status(database, capture, status);
}
