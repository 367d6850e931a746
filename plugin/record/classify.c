/* classify.c
 * Votes of dissectors, names of ports, labels of conversations; classify.h has the rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/classify.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES (CLASSIFY_NAME_MAX / 2)

/* ---- words ---------------------------------------------------------------------------------- */

const char *classify_transport_name(enum classify_transport transport)
{
    static const char *const names[] = {NULL, "TCP", "UDP", "SCTP", "ICMP", "ICMPV6", "IP"};

    return (size_t)transport < G_N_ELEMENTS(names) ? names[transport] : NULL;
}

const char *classify_source_name(enum classify_source source)
{
    static const char *const names[] = {NULL,   "dissector", "alpn",        "site port",
                                        "port", "service",   "port number", "ip protocol"};

    return (size_t)source < G_N_ELEMENTS(names) ? names[source] : NULL;
}

/* Makes a name of any bytes: upper case letters and digits stay, each run of others becomes one
 * underscore, none at the ends.  Returns false if nothing is left. */
static bool make_name(char name[NAME_MAX_BYTES], const char *text)
{
    size_t length = 0;
    bool is_gap = false;

    for (; *text != '\0' && length < NAME_MAX_BYTES - 1; text++) {
        if (!g_ascii_isalnum(*text)) {
            is_gap = length > 0;
            continue;
        }
        if (is_gap) {
            if (length == NAME_MAX_BYTES - 2)
                break;
            name[length++] = '_';
        }
        is_gap = false;
        name[length++] = g_ascii_toupper(*text);
    }
    name[length] = '\0';
    return length > 0;
}

/* ---- votes ---------------------------------------------------------------------------------- */

/* FNV-1a, 64 bits: two of some thousand names never share it. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return hash;
}

static bool role_has_name(enum schema_protocol_role role)
{
    return role != SCHEMA_PROTOCOL_SILENT && role != SCHEMA_PROTOCOL_PAYLOAD;
}

void classify_protocol_init(struct classify_protocol *protocol, const char *filter_name)
{
    const struct schema_protocol *line = schema_protocol_find(filter_name);
    const char *name = filter_name;

    *protocol = (struct classify_protocol){SCHEMA_PROTOCOL_NAMES, 0, ""};
    if (line != NULL) {
        protocol->role = line->role;
        if (line->name != NULL || line->role == SCHEMA_PROTOCOL_CARRIES)
            name = line->name;
    }
    if (name == NULL || !role_has_name(protocol->role))
        return;
    if (!make_name(protocol->name, name))
        g_strlcpy(protocol->name, "UNKNOWN", sizeof protocol->name);
    protocol->key = hash_name(protocol->name);
}

bool classify_protocol_restore(struct classify_protocol *protocol, unsigned role, const char *name)
{
    *protocol = (struct classify_protocol){role, 0, ""};
    if (role > SCHEMA_PROTOCOL_PAYLOAD || !role_has_name(role) || !make_name(protocol->name, name))
        return false;
    protocol->key = hash_name(protocol->name);
    return true;
}

static void increment(uint32_t *count)
{
    if (*count != UINT32_MAX)
        (*count)++;
}

static void vote_for(struct classify_votes *votes, const struct classify_protocol *protocol,
                     bool is_inside)
{
    for (size_t i = 0; i < CLASSIFY_CANDIDATES; i++) {
        if (votes->candidates[i].protocol == NULL)
            votes->candidates[i].protocol = protocol;
        else if (votes->candidates[i].protocol->key != protocol->key)
            continue;
        increment(&votes->candidates[i].votes);
        if (is_inside)
            increment(&votes->candidates[i].inside);
        return;
    }
}

/* What one packet says: at most one protocol of each kind. */
struct voice {
    const struct classify_protocol *secure, *carrier, *application;
    bool is_payload;
};

static struct voice hear(const struct classify_protocol *const *layers, size_t count)
{
    struct voice voice = {0};

    for (size_t i = 0; i < count; i++) {
        switch (layers[i]->role) {
        case SCHEMA_PROTOCOL_SECURES:
            if (voice.secure == NULL)
                voice.secure = layers[i];
            break;
        case SCHEMA_PROTOCOL_CARRIES:
            if (voice.carrier == NULL && layers[i]->key != 0)
                voice.carrier = layers[i];
            break;
        case SCHEMA_PROTOCOL_NAMES:
        case SCHEMA_PROTOCOL_BY_PORT:
            voice.application = layers[i];
            return voice;
        case SCHEMA_PROTOCOL_PAYLOAD:
            voice.is_payload = voice.secure == NULL && voice.carrier == NULL;
            return voice;
        case SCHEMA_PROTOCOL_SILENT:
            return voice;
        }
    }
    return voice;
}

static bool is_backed(uint32_t votes, uint64_t against)
{
    return 2 * (uint64_t)votes >= against;
}

/* The candidate of role SECURES with the most votes, if they outweigh what stood outside of it. */
static const struct classify_protocol *elect_secure(const struct classify_votes *votes,
                                                    uint32_t *secure_votes)
{
    const struct classify_protocol *best = NULL;
    uint32_t best_votes = 0;
    uint64_t against = votes->payload_votes;

    for (size_t i = 0; i < CLASSIFY_CANDIDATES && votes->candidates[i].protocol != NULL; i++) {
        if (votes->candidates[i].protocol->role != SCHEMA_PROTOCOL_SECURES) {
            against += votes->candidates[i].votes - votes->candidates[i].inside;
        } else if (votes->candidates[i].votes > best_votes) {
            best = votes->candidates[i].protocol;
            best_votes = votes->candidates[i].votes;
        }
    }
    *secure_votes = best_votes;
    return is_backed(best_votes, against) ? best : NULL;
}

/* The application that wins, given what secures the conversation.  1 + its index, or 0. */
static uint8_t elect_application(const struct classify_votes *votes)
{
    uint8_t best = 0;
    uint64_t best_weight = 0;

    for (size_t i = 0; i < CLASSIFY_CANDIDATES && votes->candidates[i].protocol != NULL; i++) {
        enum schema_protocol_role role = votes->candidates[i].protocol->role;
        bool is_inside = votes->secure != NULL && votes->candidates[i].inside > 0;
        if (role == SCHEMA_PROTOCOL_SECURES)
            continue;
        if (!is_inside && !is_backed(votes->candidates[i].votes, votes->payload_votes))
            continue;
        uint64_t weight = (uint64_t)is_inside << 33 |
                          (uint64_t)(role != SCHEMA_PROTOCOL_CARRIES) << 32 |
                          votes->candidates[i].votes;
        if (weight > best_weight) {
            best = (uint8_t)(i + 1);
            best_weight = weight;
        }
    }
    return best;
}

/* Counts the ballots.  Returns true if what classify_label() looks at has changed. */
static bool elect(struct classify_votes *votes)
{
    const struct classify_protocol *secure = votes->secure;
    uint8_t winner = votes->winner;
    bool secure_leads = votes->secure_leads;
    uint32_t secure_votes;

    votes->secure = elect_secure(votes, &secure_votes);
    votes->winner = elect_application(votes);
    votes->secure_leads = votes->secure != NULL && votes->winner != 0 &&
                          secure_votes > votes->candidates[votes->winner - 1].votes;
    return votes->secure != secure || votes->winner != winner ||
           votes->secure_leads != secure_leads;
}

bool classify_vote(struct classify_votes *votes, const struct classify_protocol *const *layers,
                   size_t count)
{
    struct voice voice = hear(layers, count);

    if (voice.application == NULL)
        voice.application = voice.carrier;
    if (voice.secure != NULL)
        vote_for(votes, voice.secure, false);
    if (voice.application != NULL)
        vote_for(votes, voice.application, voice.secure != NULL);
    if (voice.is_payload)
        increment(&votes->payload_votes);
    else if (voice.secure == NULL && voice.application == NULL)
        return false;
    return elect(votes);
}

/* Identifiers of IANA's ALPN registry and known private ones; a '*' at the end stands for any. */
static const struct {
    const char *text;
    const char *name;
} alpn_names[] = {
    {"h2*", "HTTP"},
    {"h3*", "HTTP"},
    {"hq*", "HTTP"},
    {"http/*", "HTTP"},
    {"spdy/*", "HTTP"},
    {"grpc-exp", "HTTP"},
    {"x-amzn-http-ca", "HTTP"},
    {"mqtt*", "MQTT"},
    {"x-amzn-mqtt-ca", "MQTT"},
    {"dot", "DNS"},
    {"doq*", "DNS"},
    {"co*", "COAP"},
    {"amqp*", "AMQP"},
    {"imap", "IMAP"},
    {"pop3", "POP3"},
    {"smtp", "SMTP"},
    {"managesieve", "SIEVE"},
    {"ftp", "FTPC"},
    {"xmpp*", "XMPP"},
    {"irc", "IRC"},
    {"nntp", "NNTP"},
    {"nnsp", "NNTP"},
    {"sip/2", "SIP"},
    {"stun*", "STUN"},
    {"webrtc", "WEBRTC"},
    {"c-webrtc", "WEBRTC"},
    {"ntske/1", "NTSKE"},
    {"smb", "SMB"},
    {"sunrpc", "RPC"},
    {"tds/8.0", "MSSQL"},
    {"postgresql", "POSTGRESQL"},
    {"radius/1*", "RADIUS"},
    {"acme-tls/1", "ACME"},
};

static bool alpn_matches(const char *pattern, const char *text, size_t length)
{
    size_t fixed = strcspn(pattern, "*");

    if (pattern[fixed] == '*' ? length < fixed : length != fixed)
        return false;
    return memcmp(pattern, text, fixed) == 0;
}

bool classify_alpn(struct classify_votes *votes, const char *text, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(alpn_names); i++) {
        if (!alpn_matches(alpn_names[i].text, text, length))
            continue;
        bool is_new = votes->alpn == NULL || strcmp(votes->alpn, alpn_names[i].name) != 0;
        votes->alpn = alpn_names[i].name;
        return is_new;
    }
    return false;
}

/* ---- the site's ports ----------------------------------------------------------------------- */

/* text as it may stand in a message: at most 40 characters, nothing that a terminal obeys. */
static char *shown(const char *text)
{
    g_autofree char *start = g_strndup(text, 40);
    return g_strescape(start, NULL);
}

static bool parse_port(uint16_t *port, const char *text, char **end)
{
    guint64 value;

    if (!g_ascii_isdigit(*text))
        return false;
    value = g_ascii_strtoull(text, end, 10);
    *port = (uint16_t)value;
    return value >= 1 && value <= 65535;
}

static bool parse_range(struct classify_site_port *port, const char *range, char **error)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(range));
    g_autofree char *text = shown(trimmed);
    char *end = NULL;
    bool ok = parse_port(&port->low, trimmed, &end);

    port->high = port->low;
    if (ok && *end == '-')
        ok = parse_port(&port->high, end + 1, &end);
    if (!ok || *end != '\0') {
        *error = g_strdup_printf("\"%s\" is not a port: write a number from 1 to 65535, or a range "
                                 "like 50000-50010",
                                 text);
        return false;
    }
    if (port->low > port->high) {
        *error = g_strdup_printf("the range \"%s\" is upside down: write %u-%u", text, port->high,
                                 port->low);
        return false;
    }
    return true;
}

bool classify_site_port_parse(struct classify_site_port *port, const char *transport,
                              const char *range, const char *name, char **error)
{
    g_autofree char *kind = g_strstrip(g_strdup(transport));

    *error = NULL;
    *port = (struct classify_site_port){0};
    for (int i = CLASSIFY_TCP; i <= CLASSIFY_SCTP; i++) {
        if (g_ascii_strcasecmp(kind, classify_transport_name((enum classify_transport)i)) == 0)
            port->transport = (enum classify_transport)i;
    }
    if (port->transport == CLASSIFY_NO_TRANSPORT) {
        g_autofree char *text = shown(kind);
        *error = g_strdup_printf("\"%s\" has no ports: write TCP, UDP or SCTP", text);
        return false;
    }
    if (!parse_range(port, range, error))
        return false;
    if (!make_name(port->name, name)) {
        g_autofree char *text = shown(name);
        *error = g_strdup_printf("\"%s\" is no name for an application: write letters and digits, "
                                 "like PUMP_STATION",
                                 text);
        return false;
    }
    return true;
}

/* ---- the ports of a conversation ------------------------------------------------------------- */

/* Everything that classify_label() was given. */
struct question {
    const struct classify_conversation *conversation;
    const struct classify_votes *votes;
    const struct classify_site_port *site;
    size_t site_count;
};

static const char *site_name(const struct question *question, uint16_t port)
{
    for (size_t i = 0; i < question->site_count; i++) {
        const struct classify_site_port *line = &question->site[i];
        if (line->transport == question->conversation->transport && port >= line->low &&
            port <= line->high)
            return line->name;
    }
    return NULL;
}

static const char *table_name(const struct question *question, uint16_t port)
{
    const char *transport = classify_transport_name(question->conversation->transport);

    return schema_application_name(transport, port);
}

/* The two ports in the order in which they are asked for a name. */
struct port_order {
    uint16_t first, second;
    uint16_t responder; /* gives the service name or the number if neither has a name */
    bool is_even;       /* nothing says which of the two is the service */
};

static int port_rank(uint16_t port)
{
    return port < 1024 ? 0 : port < 32768 ? 1 : 2;
}

static struct port_order order_ports(const struct classify_conversation *conversation)
{
    uint16_t a = conversation->port_a, b = conversation->port_b;
    int rank_a = port_rank(a), rank_b = port_rank(b);

    if (conversation->a_initiated)
        return (struct port_order){b, a, b, false};
    if (conversation->b_initiated || rank_a < rank_b)
        return (struct port_order){a, b, a, false};
    if (rank_b < rank_a)
        return (struct port_order){b, a, b, false};
    return (struct port_order){a, b, b, true};
}

/* The name of the conversation's ports in the tables, or NULL; *source says which table. */
static const char *name_by_port(const struct question *question, enum classify_source *source)
{
    struct port_order order = order_ports(question->conversation);
    const char *names[4] = {site_name(question, order.first), table_name(question, order.first),
                            site_name(question, order.second), table_name(question, order.second)};
    static const unsigned char one_by_one[4] = {0, 1, 2, 3}, site_first[4] = {0, 2, 1, 3};

    for (size_t i = 0; i < 4; i++) {
        size_t at = order.is_even ? site_first[i] : one_by_one[i];
        if (names[at] == NULL)
            continue;
        *source = at % 2 == 0 ? CLASSIFY_SOURCE_SITE_PORT : CLASSIFY_SOURCE_PORT;
        return names[at];
    }
    return NULL;
}

static enum classify_transport transport_named(const char *protocol)
{
    for (enum classify_transport t = CLASSIFY_TCP; t <= CLASSIFY_SCTP; t++) {
        if (g_ascii_strcasecmp(protocol, classify_transport_name(t)) == 0)
            return t;
    }
    return CLASSIFY_NO_TRANSPORT;
}

static gpointer service_key(enum classify_transport transport, uint16_t port)
{
    return GUINT_TO_POINTER((unsigned)transport << 16 | port);
}

/* Reads the system's list of services: transport and port -> interned name.  All at once, as each
 * look-up of getservbyport() reads the whole list; of several lines for a port the first counts, as
 * there. */
static gpointer services_read(gpointer unused G_GNUC_UNUSED)
{
    GHashTable *services = g_hash_table_new(NULL, NULL);
    struct servent entry, *found = NULL;
    char buffer[4096], valid[NAME_MAX_BYTES];

    setservent(1);
    while (getservent_r(&entry, buffer, sizeof buffer, &found) == 0 && found != NULL) {
        enum classify_transport transport = transport_named(found->s_proto);
        gpointer key = service_key(transport, ntohs((uint16_t)found->s_port));
        if (transport != CLASSIFY_NO_TRANSPORT && make_name(valid, found->s_name) &&
            !g_hash_table_contains(services, key))
            g_hash_table_insert(services, key, (gpointer)g_intern_string(valid));
    }
    endservent();
    return services;
}

/* The system's service name of a port, or NULL. */
static const char *service_name(enum classify_transport transport, uint16_t port)
{
    static GOnce once = G_ONCE_INIT;
    return g_hash_table_lookup(g_once(&once, services_read, NULL), service_key(transport, port));
}

/* ---- labels --------------------------------------------------------------------------------- */

/* True if name is word or ends in _word. */
static bool ends_in(const char *name, const char *word)
{
    size_t length = strlen(name), tail = strlen(word);

    if (length < tail || strcmp(name + length - tail, word) != 0)
        return false;
    return length == tail || name[length - tail - 1] == '_';
}

static bool says_how_secured(const char *name)
{
    return ends_in(name, "TLS") || ends_in(name, "DTLS") || ends_in(name, "QUIC") ||
           ends_in(name, "WEBSOCKET");
}

static enum classify_source write_label(char label[CLASSIFY_NAME_MAX],
                                        enum classify_transport transport, const char *name,
                                        const char *secure, enum classify_source source)
{
    bool is_said = secure == NULL || says_how_secured(name);

    snprintf(label, CLASSIFY_NAME_MAX, "%s_%s%s%s", classify_transport_name(transport), name,
             is_said || *name == '\0' ? "" : "_", is_said ? "" : secure);
    return source;
}

/* The name of the winner; a dissector of role BY_PORT leaves it to the tables. */
static const char *winner_name(const struct question *question,
                               const struct classify_protocol *winner)
{
    enum classify_source source;
    const char *name;

    if (winner->role != SCHEMA_PROTOCOL_BY_PORT)
        return winner->name;
    name = name_by_port(question, &source);
    if (name == NULL)
        return winner->name;
    if (source == CLASSIFY_SOURCE_PORT && !g_str_has_prefix(name, winner->name))
        return winner->name;
    return name;
}

/* What speaks for the conversation's name: an application, what secures it, both or none. */
struct verdict {
    const struct classify_protocol *application, *secure;
};

static struct verdict settle(const struct question *question)
{
    const struct classify_votes *votes = question->votes;
    struct verdict verdict = {NULL, votes->secure};

    if (votes->winner == 0)
        return verdict;
    verdict.application = votes->candidates[votes->winner - 1].protocol;
    if (verdict.secure == NULL || question->conversation->transport != CLASSIFY_UDP ||
        votes->candidates[votes->winner - 1].inside > 0)
        return verdict;
    if (votes->secure_leads)
        verdict.application = NULL;
    else
        verdict.secure = NULL;
    return verdict;
}

/* A secured conversation that shows no application inside. */
static enum classify_source label_secured(const struct question *question, const char *secure,
                                          char label[CLASSIFY_NAME_MAX])
{
    enum classify_transport transport = question->conversation->transport;
    enum classify_source source = CLASSIFY_SOURCE_DISSECTOR;
    const char *name = question->votes->alpn;

    if (name != NULL)
        return write_label(label, transport, name, secure, CLASSIFY_SOURCE_ALPN);
    name = name_by_port(question, &source);
    if (name != NULL && source == CLASSIFY_SOURCE_PORT && says_how_secured(name) &&
        !ends_in(name, secure))
        name = NULL; /* the port's usual application is secured in another way: not that one */
    if (name == NULL)
        return write_label(label, transport, "", secure, CLASSIFY_SOURCE_DISSECTOR);
    return write_label(label, transport, name, secure, source);
}

static enum classify_source label_by_port(const struct question *question,
                                          char label[CLASSIFY_NAME_MAX])
{
    enum classify_transport transport = question->conversation->transport;
    uint16_t responder = order_ports(question->conversation).responder;
    enum classify_source source;
    const char *name = name_by_port(question, &source);
    char number[8];

    if (name != NULL)
        return write_label(label, transport, name, NULL, source);
    name = service_name(transport, responder);
    if (name != NULL)
        return write_label(label, transport, name, NULL, CLASSIFY_SOURCE_SERVICE);
    snprintf(number, sizeof number, "%u", responder);
    return write_label(label, transport, number, NULL, CLASSIFY_SOURCE_NUMBER);
}

static enum classify_source label_ports(const struct question *question,
                                        char label[CLASSIFY_NAME_MAX])
{
    struct verdict verdict = settle(question);

    const char *secure = verdict.secure == NULL ? NULL : verdict.secure->name;

    if (verdict.application != NULL)
        return write_label(label, question->conversation->transport,
                           winner_name(question, verdict.application), secure,
                           CLASSIFY_SOURCE_DISSECTOR);
    if (secure != NULL)
        return label_secured(question, secure, label);
    return label_by_port(question, label);
}

static enum classify_source label_ip(const struct classify_conversation *conversation,
                                     char label[CLASSIFY_NAME_MAX])
{
    struct classify_protocol protocol = {SCHEMA_PROTOCOL_SILENT, 0, ""};
    char number[8];

    if (conversation->ip_layer != NULL)
        classify_protocol_init(&protocol, conversation->ip_layer);
    snprintf(number, sizeof number, "%u", conversation->ip_protocol);
    return write_label(label, CLASSIFY_IP, protocol.name[0] != '\0' ? protocol.name : number, NULL,
                       CLASSIFY_SOURCE_IP_PROTOCOL);
}

uint8_t classify_icmp_group(bool is_v6, uint8_t type)
{
    static const uint8_t v4[256] = {
        [0] = CLASSIFY_ICMP_ECHO,           [3] = CLASSIFY_ICMP_UNREACHABLE,
        [5] = CLASSIFY_ICMP_REDIRECT,       [8] = CLASSIFY_ICMP_ECHO,
        [9] = CLASSIFY_ICMP_ROUTER,         [10] = CLASSIFY_ICMP_ROUTER,
        [11] = CLASSIFY_ICMP_TIME_EXCEEDED, [12] = CLASSIFY_ICMP_PARAMETER_PROBLEM,
        [13] = CLASSIFY_ICMP_TIMESTAMP,     [14] = CLASSIFY_ICMP_TIMESTAMP,
        [42] = CLASSIFY_ICMP_ECHO, /* extended echo, RFC 8335 */
        [43] = CLASSIFY_ICMP_ECHO,
    };
    static const uint8_t v6[256] = {
        [1] = CLASSIFY_ICMP_UNREACHABLE,   [2] = CLASSIFY_ICMP_TOO_BIG,
        [3] = CLASSIFY_ICMP_TIME_EXCEEDED, [4] = CLASSIFY_ICMP_PARAMETER_PROBLEM,
        [128] = CLASSIFY_ICMP_ECHO,        [129] = CLASSIFY_ICMP_ECHO,
        [130] = CLASSIFY_ICMP_MULTICAST, /* MLD, RFC 2710 */
        [131] = CLASSIFY_ICMP_MULTICAST,   [132] = CLASSIFY_ICMP_MULTICAST,
        [133] = CLASSIFY_ICMP_ROUTER,      [134] = CLASSIFY_ICMP_ROUTER,
        [135] = CLASSIFY_ICMP_NEIGHBOR,    [136] = CLASSIFY_ICMP_NEIGHBOR,
        [137] = CLASSIFY_ICMP_REDIRECT,    [143] = CLASSIFY_ICMP_MULTICAST, /* MLDv2, RFC 3810 */
        [151] = CLASSIFY_ICMP_MULTICAST, /* multicast router discovery, RFC 4286 */
        [152] = CLASSIFY_ICMP_MULTICAST,   [153] = CLASSIFY_ICMP_MULTICAST,
        [160] = CLASSIFY_ICMP_ECHO, /* extended echo, RFC 8335 */
        [161] = CLASSIFY_ICMP_ECHO,
    };

    return is_v6 ? v6[type] : v4[type];
}

static enum classify_source label_icmp(const struct classify_conversation *conversation,
                                       char label[CLASSIFY_NAME_MAX])
{
    static const char *const names[CLASSIFY_ICMP_GROUPS] = {
        "OTHER",  "ECHO",      "UNREACHABLE", "TIME_EXCEEDED", "PARAMETER_PROBLEM", "REDIRECT",
        "ROUTER", "TIMESTAMP", "TOO_BIG",     "NEIGHBOR",      "MULTICAST"};
    unsigned group = conversation->icmp_group;

    return write_label(label, conversation->transport,
                       names[group < CLASSIFY_ICMP_GROUPS ? group : CLASSIFY_ICMP_OTHER], NULL,
                       CLASSIFY_SOURCE_IP_PROTOCOL);
}

enum classify_source classify_label(const struct classify_conversation *conversation,
                                    const struct classify_votes *votes,
                                    const struct classify_site_port *site, size_t site_count,
                                    char label[CLASSIFY_NAME_MAX])
{
    struct question question = {conversation, votes, site, site_count};

    switch (conversation->transport) {
    case CLASSIFY_TCP:
    case CLASSIFY_UDP:
    case CLASSIFY_SCTP:
        if (!conversation->is_fragment)
            return label_ports(&question, label);
        return write_label(label, conversation->transport, "FRAGMENT", NULL,
                           CLASSIFY_SOURCE_IP_PROTOCOL);
    case CLASSIFY_ICMP:
    case CLASSIFY_ICMPV6:
        return label_icmp(conversation, label);
    case CLASSIFY_IP:
        return label_ip(conversation, label);
    case CLASSIFY_NO_TRANSPORT:
        break;
    }
    label[0] = '\0';
    return CLASSIFY_SOURCE_NONE;
}
