/*
 * test_classify.c - plugin/record/classify.c: the worked examples of classify.h and the rules one
 * by one
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Layers are written as tshark's frame.protocols has them above the transport: "tls x509sat".
 * The numbers of packets in the elections of real captures are those of
 * `tshark -r FILE -T fields -e frame.protocols` (4.0.17); the file is named where they stand.
 */
#include "plugin/record/classify.h"

#include <CUnit/Basic.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- helpers -------------------------------------------------------------------------------- */

static GHashTable *protocols; /* filter name -> struct classify_protocol */

static const struct classify_protocol *protocol(const char *filter_name)
{
    struct classify_protocol *found = g_hash_table_lookup(protocols, filter_name);

    if (found == NULL) {
        found = g_new(struct classify_protocol, 1);
        classify_protocol_init(found, filter_name);
        g_hash_table_insert(protocols, g_strdup(filter_name), found);
    }
    return found;
}

static int make_protocols(void)
{
    protocols = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return 0;
}

static int free_protocols(void)
{
    g_hash_table_destroy(protocols);
    return 0;
}

static bool vote(struct classify_votes *votes, unsigned times, const char *layers)
{
    g_auto(GStrv) names = g_strsplit(layers, " ", -1);
    const struct classify_protocol *list[16];
    size_t count = 0;
    bool changed = false;

    for (; names[count] != NULL && *names[count] != '\0'; count++)
        list[count] = protocol(names[count]);
    for (unsigned i = 0; i < times; i++)
        changed |= classify_vote(votes, list, count);
    return changed;
}

/* The label and, if wanted, its source.  The answer lives until the next call. */
static const char *label_of(const struct classify_conversation *conversation,
                            const struct classify_votes *votes, const char **source)
{
    static char label[CLASSIFY_NAME_MAX];
    enum classify_source found = classify_label(conversation, votes, NULL, 0, label);

    if (source != NULL)
        *source = classify_source_name(found);
    return label;
}

enum who { NOBODY, A, B };

static struct classify_conversation ports(enum classify_transport transport, uint16_t a, uint16_t b,
                                          enum who initiated)
{
    return (struct classify_conversation){.transport = transport,
                                          .port_a = a,
                                          .port_b = b,
                                          .a_initiated = initiated == A,
                                          .b_initiated = initiated == B};
}

/* Fails and says what came instead. */
static void check_text(const char *expected, const char *actual, int line)
{
    if (strcmp(expected, actual) != 0)
        fprintf(stderr, "\n    line %d: expected %s, got %s\n", line, expected, actual);
    CU_ASSERT_STRING_EQUAL(actual, expected);
}

#define CHECK_LABEL(expected_label, expected_source, conversation, votes)                          \
    do {                                                                                           \
        const char *source_;                                                                       \
        check_text(expected_label, label_of(&(conversation), &(votes), &source_), __LINE__);       \
        check_text(expected_source, source_, __LINE__);                                            \
    } while (0)

static const struct classify_votes no_votes;

#define CHECK_PORTS(expected_label, expected_source, transport, a, b, initiated)                   \
    do {                                                                                           \
        struct classify_conversation ports_ = ports(transport, a, b, initiated);                   \
        CHECK_LABEL(expected_label, expected_source, ports_, no_votes);                            \
    } while (0)

/* ---- names of dissectors -------------------------------------------------------------------- */

static void check_protocol(const char *filter_name, enum schema_protocol_role role,
                           const char *name)
{
    struct classify_protocol made;

    classify_protocol_init(&made, filter_name);
    CU_ASSERT_EQUAL(made.role, role);
    check_text(name, made.name, __LINE__);
    CU_ASSERT_EQUAL(made.key == 0, name[0] == '\0');
}

static void test_names_of_listed_dissectors(void)
{
    check_protocol("mbtcp", SCHEMA_PROTOCOL_NAMES, "MODBUS");
    check_protocol("modbus", SCHEMA_PROTOCOL_NAMES, "MODBUS");
    check_protocol("iec60870_104", SCHEMA_PROTOCOL_NAMES, "IEC60870");
    check_protocol("dnp3", SCHEMA_PROTOCOL_BY_PORT, "DNP");
    check_protocol("dhcp", SCHEMA_PROTOCOL_BY_PORT, "DHCP");
    check_protocol("http2", SCHEMA_PROTOCOL_NAMES, "HTTP");
    check_protocol("tls", SCHEMA_PROTOCOL_SECURES, "TLS");
    check_protocol("gquic", SCHEMA_PROTOCOL_SECURES, "QUIC");
    check_protocol("rpc", SCHEMA_PROTOCOL_CARRIES, "RPC");
    check_protocol("tpkt", SCHEMA_PROTOCOL_CARRIES, "");
    check_protocol("x509sat", SCHEMA_PROTOCOL_SILENT, "");
    check_protocol("data", SCHEMA_PROTOCOL_PAYLOAD, "");
}

static void test_names_of_other_dissectors(void)
{
    check_protocol("mqtt", SCHEMA_PROTOCOL_NAMES, "MQTT");
    check_protocol("tplink-smarthome", SCHEMA_PROTOCOL_NAMES, "TPLINK_SMARTHOME");
    check_protocol("a..b--c", SCHEMA_PROTOCOL_NAMES, "A_B_C");
    check_protocol("_x_", SCHEMA_PROTOCOL_NAMES, "X");
    check_protocol("", SCHEMA_PROTOCOL_NAMES, "UNKNOWN");
    check_protocol("...", SCHEMA_PROTOCOL_NAMES, "UNKNOWN");
    check_protocol("\xc3\xa9t\xc3\xa9", SCHEMA_PROTOCOL_NAMES, "T");
    check_protocol("abcdefghijklmnopqrstuvwxyz0123456789", SCHEMA_PROTOCOL_NAMES,
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234");
    check_protocol("abcdefghijklmnopqrstuvwxyz0123-x", SCHEMA_PROTOCOL_NAMES,
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123");
}

static void test_dissectors_of_one_name_share_a_key(void)
{
    CU_ASSERT_EQUAL(protocol("smb")->key, protocol("smb2")->key);
    CU_ASSERT_NOT_EQUAL(protocol("smb")->key, protocol("dns")->key);
}

static bool is_valid_label(const char *label)
{
    size_t length = strlen(label);

    return length > 0 && length < CLASSIFY_NAME_MAX && label[0] != '_' &&
           label[length - 1] != '_' && strstr(label, "__") == NULL &&
           strspn(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == length;
}

static void test_names_of_any_bytes_are_valid(void)
{
    GRand *random = g_rand_new_with_seed(1);

    for (int i = 0; i < 20000; i++) {
        char text[80];
        size_t length = (size_t)g_rand_int_range(random, 0, sizeof text);
        struct classify_protocol made;
        for (size_t j = 0; j < length; j++)
            text[j] = (char)g_rand_int_range(random, 1, 256);
        text[length] = '\0';
        classify_protocol_init(&made, text);
        CU_ASSERT(is_valid_label(made.name) && strlen(made.name) < sizeof made.name);
    }
    g_rand_free(random);
}

/* ---- one packet's vote ---------------------------------------------------------------------- */

static void check_votes(const char *layers, const char *expected)
{
    struct classify_votes votes = {0};
    g_autoptr(GString) text = g_string_new(NULL);

    vote(&votes, 1, layers);
    for (int i = 0; i < CLASSIFY_CANDIDATES && votes.candidates[i].protocol != NULL; i++)
        g_string_append_printf(text, "%s%s ", votes.candidates[i].protocol->name,
                               votes.candidates[i].inside > 0 ? " inside" : "");
    if (votes.payload_votes > 0)
        g_string_append(text, "payload ");
    check_text(expected, g_strchomp(text->str), __LINE__);
}

static void test_votes_of_the_header(void)
{
    check_votes("mbtcp modbus", "MODBUS");
    check_votes("tpkt cotp s7comm", "S7COMM");
    check_votes("rpc", "RPC");
    check_votes("tls x509sat", "TLS");
    check_votes("tls http", "TLS HTTP inside");
    check_votes("data", "payload");
    check_votes("", "");
}

static void test_votes_of_other_stacks(void)
{
    check_votes("rpc nfs", "NFS");
    check_votes("rpc data", "RPC");
    check_votes("tpkt cotp", "");
    check_votes("tpkt cotp data", "payload");
    check_votes("tpkt cotp ses pres acse mms", "MMS");
    check_votes("nbss smb", "SMB");
    check_votes("dcerpc pn_io", "PROFINET");
    check_votes("udpencap esp", "IPSEC_NATT");
    check_votes("udpencap", "IPSEC_NATT");
    check_votes("http json", "HTTP");
    check_votes("http data", "HTTP");
    check_votes("http tls", "HTTP");
    check_votes("json", "");
    check_votes("_ws.malformed", "");
    check_votes("communityid", "");
    check_votes("prp", "");
    check_votes("tls data", "TLS");
    check_votes("tls ocsp x509sat tls", "TLS");
    check_votes("quic tls", "QUIC");
    check_votes("tls tls", "TLS");
    check_votes("dtls coap data", "DTLS COAP inside");
    check_votes("websocket mqtt", "WEBSOCKET MQTT inside");
    check_votes("tls websocket mqtt", "TLS MQTT inside");
    check_votes("socks tls", "TLS SOCKS inside");
    check_votes("vxlan eth ethertype arp", "VXLAN");
}

/* ---- elections ------------------------------------------------------------------------------ */

static void test_elections_of_the_header(void)
{
    struct classify_conversation phone = ports(CLASSIFY_UDP, 5060, 5060, NOBODY);
    struct classify_conversation speed_test = ports(CLASSIFY_TCP, 45000, 5201, A);
    struct classify_conversation call = ports(CLASSIFY_UDP, 40000, 40002, NOBODY);
    struct classify_votes votes = {0};

    vote(&votes, 34, "sip"); /* fuzz-mixed-be-26min.pcap, udp.stream 11 */
    vote(&votes, 27, "data");
    CHECK_LABEL("UDP_SIP", "dissector", phone, votes);

    votes = no_votes;
    vote(&votes, 1679, "thrift");
    vote(&votes, 24000, "data");
    CHECK_LABEL("TCP_5201", "port number", speed_test, votes);

    votes = no_votes;
    vote(&votes, 12, "stun");
    vote(&votes, 3000, "data");
    CHECK_LABEL("UDP_40002", "port number", call, votes);
}

static void test_elections_of_captures(void)
{
    struct classify_conversation dnp = ports(CLASSIFY_TCP, 2803, 20000, A);
    struct classify_conversation tls = ports(CLASSIFY_TCP, 50053, 37898, NOBODY);
    struct classify_conversation nfs = ports(CLASSIFY_UDP, 789, 2049, NOBODY);
    struct classify_conversation random_bytes = ports(CLASSIFY_TCP, 45000, 50999, A);
    struct classify_votes votes = {0};

    vote(&votes, 3, "dnp3"); /* dnp3-retrans-187min.pcap, tcp.stream 1 */
    vote(&votes, 2, "data");
    vote(&votes, 34, "");
    CHECK_LABEL("TCP_DNP", "dissector", dnp, votes);

    votes = no_votes; /* tls-vlan-retrans.pcap, tcp.stream 0 */
    vote(&votes, 11, "data");
    vote(&votes, 13, "tls");
    CHECK_LABEL("TCP_TLS", "dissector", tls, votes);

    votes = no_votes; /* ip-fragments-nfs.pcap, udp.stream 0 */
    vote(&votes, 3, "data");
    vote(&votes, 6, "rpc nfs");
    CHECK_LABEL("UDP_NFS", "dissector", nfs, votes);

    votes = no_votes; /* 20,000 TCP segments of random bytes, made for this */
    vote(&votes, 16, "thrift");
    vote(&votes, 19984, "data");
    CHECK_LABEL("TCP_50999", "port number", random_bytes, votes);
}

static void test_a_third_is_enough_and_less_is_not(void)
{
    struct classify_votes votes = {0};

    vote(&votes, 1, "mqtt");
    vote(&votes, 2, "data");
    CU_ASSERT_EQUAL(votes.winner, 1);
    CU_ASSERT_TRUE(vote(&votes, 1, "data"));
    CU_ASSERT_EQUAL(votes.winner, 0);
    CU_ASSERT_TRUE(vote(&votes, 1, "mqtt"));
    CU_ASSERT_EQUAL(votes.winner, 1);
}

static void test_most_votes_win_and_ties_go_to_the_first(void)
{
    struct classify_votes votes = {0};

    vote(&votes, 1, "stun");
    vote(&votes, 1, "rtcp");
    CU_ASSERT_EQUAL(votes.winner, 1);
    CU_ASSERT_TRUE(vote(&votes, 1, "rtcp"));
    CU_ASSERT_EQUAL(votes.winner, 2);
}

static void test_a_vote_that_changes_nothing_says_so(void)
{
    struct classify_votes votes = {0};

    CU_ASSERT_FALSE(vote(&votes, 1, ""));
    CU_ASSERT_FALSE(vote(&votes, 1, "data"));
    CU_ASSERT_TRUE(vote(&votes, 1, "mqtt"));
    CU_ASSERT_FALSE(vote(&votes, 10, "mqtt"));
    CU_ASSERT_FALSE(vote(&votes, 1, "json"));
    CU_ASSERT_TRUE(vote(&votes, 100, "tls"));
    CU_ASSERT_FALSE(vote(&votes, 10, "tls x509sat"));
}

/* What decides is the counts: any order of the packets ends in the same label. */
static void test_order_does_not_matter(void)
{
    static const char *const kinds[] = {"stun", "rtcp", "data", "dtls", "", "dtls coap"};
    static const unsigned counts[] = {20, 9, 30, 25, 10, 8};
    GRand *random = g_rand_new_with_seed(2);
    struct classify_conversation call = ports(CLASSIFY_UDP, 40000, 40002, NOBODY);

    for (int round = 0; round < 200; round++) {
        struct classify_votes votes = {0};
        unsigned left[6], sum = 102;
        memcpy(left, counts, sizeof left);
        for (; sum > 0; sum--) {
            unsigned pick = (unsigned)g_rand_int_range(random, 0, (gint32)sum), kind = 0;
            while (pick >= left[kind])
                pick -= left[kind++];
            left[kind]--;
            vote(&votes, 1, kinds[kind]);
        }
        CHECK_LABEL("UDP_COAP_DTLS", "dissector", call, votes);
    }
    g_rand_free(random);
}

static void test_a_carrier_wins_only_where_no_application_does(void)
{
    struct classify_conversation nfs = ports(CLASSIFY_TCP, 800, 2049, A);
    struct classify_votes votes = {0};

    vote(&votes, 100, "rpc");
    CHECK_LABEL("TCP_RPC", "dissector", nfs, votes);
    vote(&votes, 1, "rpc nfs");
    CHECK_LABEL("TCP_NFS", "dissector", nfs, votes);
}

static void test_dissectors_of_one_name_share_their_votes(void)
{
    struct classify_votes votes = {0};

    vote(&votes, 2, "nbss smb");
    vote(&votes, 3, "dns");
    vote(&votes, 2, "nbss smb2");
    CU_ASSERT_EQUAL(votes.winner, 1);
    CU_ASSERT_EQUAL(votes.candidates[0].votes, 4);
}

static void test_a_ninth_candidate_is_not_counted(void)
{
    static const char *const names[] = {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"};
    struct classify_votes votes = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        vote(&votes, 1, names[i]);
    CU_ASSERT_STRING_EQUAL(votes.candidates[CLASSIFY_CANDIDATES - 1].protocol->name, "A8");
    CU_ASSERT_EQUAL(votes.winner, 1);
}

static void test_counts_stop_at_their_end(void)
{
    struct classify_votes votes = {0};

    vote(&votes, 1, "mqtt");
    votes.candidates[0].votes = UINT32_MAX;
    votes.payload_votes = UINT32_MAX;
    vote(&votes, 1, "mqtt");
    vote(&votes, 1, "data");
    CU_ASSERT_EQUAL(votes.candidates[0].votes, UINT32_MAX);
    CU_ASSERT_EQUAL(votes.payload_votes, UINT32_MAX);
    CU_ASSERT_EQUAL(votes.winner, 1);
}

/* ---- secured conversations ------------------------------------------------------------------ */

static void test_secured_by_port(void)
{
    struct classify_conversation https = ports(CLASSIFY_TCP, 50000, 443, A);
    struct classify_conversation mqtts = ports(CLASSIFY_TCP, 50000, 8883, A);
    struct classify_conversation mqtt = ports(CLASSIFY_TCP, 50000, 1883, A);
    struct classify_conversation modbus = ports(CLASSIFY_TCP, 50000, 802, A);
    struct classify_conversation unlisted = ports(CLASSIFY_TCP, 50000, 9443, A);
    struct classify_conversation web = ports(CLASSIFY_UDP, 50000, 443, NOBODY);
    struct classify_conversation elsewhere = ports(CLASSIFY_UDP, 50000, 6121, NOBODY);
    struct classify_votes tls = {0}, quic = {0}, dtls = {0};

    vote(&tls, 5, "tls");
    CHECK_LABEL("TCP_HTTP_TLS", "port", https, tls);
    CHECK_LABEL("TCP_MQTT_TLS", "port", mqtts, tls);
    CHECK_LABEL("TCP_MQTT_TLS", "port", mqtt, tls);
    CHECK_LABEL("TCP_MODBUS_TLS", "port", modbus, tls);
    CHECK_LABEL("TCP_TLS", "dissector", unlisted, tls);
    vote(&quic, 5, "quic");
    CHECK_LABEL("UDP_HTTP_QUIC", "port", web, quic);
    CHECK_LABEL("UDP_QUIC", "dissector", elsewhere, quic);
    vote(&dtls, 5, "dtls"); /* a VPN on UDP 443: not the web */
    CHECK_LABEL("UDP_DTLS", "dissector", web, dtls);
}

/* The service name of an unlisted port says nothing of what is inside. */
static void test_secured_takes_no_service_name(void)
{
    struct classify_conversation imap3 = ports(CLASSIFY_TCP, 50000, 220, A);
    struct classify_votes tls = {0};

    vote(&tls, 5, "tls");
    CHECK_LABEL("TCP_TLS", "dissector", imap3, tls);
}

static void test_secured_by_alpn(void)
{
    struct classify_conversation https = ports(CLASSIFY_TCP, 50000, 443, A);
    struct classify_conversation elsewhere = ports(CLASSIFY_TCP, 50000, 9443, A);
    struct classify_conversation web = ports(CLASSIFY_UDP, 50000, 443, NOBODY);
    struct classify_votes votes = {0};

    vote(&votes, 1, "tls");
    CU_ASSERT_TRUE(classify_alpn(&votes, "h2", 2));
    CHECK_LABEL("TCP_HTTP_TLS", "alpn", https, votes);
    CHECK_LABEL("TCP_HTTP_TLS", "alpn", elsewhere, votes);
    CU_ASSERT_TRUE(classify_alpn(&votes, "x-amzn-mqtt-ca", 14)); /* AWS IoT on port 443 */
    CHECK_LABEL("TCP_MQTT_TLS", "alpn", https, votes);

    votes = no_votes;
    vote(&votes, 1, "quic tls");
    classify_alpn(&votes, "h3-29", 5);
    CHECK_LABEL("UDP_HTTP_QUIC", "alpn", web, votes);
    classify_alpn(&votes, "doq", 3);
    CHECK_LABEL("UDP_DNS_QUIC", "alpn", web, votes);
}

static void test_alpn_alone_names_nothing(void)
{
    struct classify_conversation elsewhere = ports(CLASSIFY_TCP, 50000, 9999, A);
    struct classify_votes votes = {0};

    classify_alpn(&votes, "h2", 2);
    CHECK_LABEL("TCP_9999", "port number", elsewhere, votes);
}

static void test_known_and_unknown_alpn(void)
{
    struct classify_votes votes = {0};

    CU_ASSERT_TRUE(classify_alpn(&votes, "http/1.1", 8));
    CU_ASSERT_FALSE(classify_alpn(&votes, "h2", 2)); /* the same application */
    CU_ASSERT_FALSE(classify_alpn(&votes, "", 0));
    CU_ASSERT_FALSE(classify_alpn(&votes, "\x0a\x0a", 2)); /* GREASE */
    CU_ASSERT_FALSE(classify_alpn(&votes, "do", 2));
    CU_ASSERT_FALSE(classify_alpn(&votes, "dotx", 4));
    CU_ASSERT_FALSE(classify_alpn(&votes, "imap\0x", 6));
    CU_ASSERT_STRING_EQUAL(votes.alpn, "HTTP");
    CU_ASSERT_TRUE(classify_alpn(&votes, "dotted", 3)); /* not zero-terminated */
    CU_ASSERT_STRING_EQUAL(votes.alpn, "DNS");
    CU_ASSERT_TRUE(classify_alpn(&votes, "mqtt", 4));
    CU_ASSERT_STRING_EQUAL(votes.alpn, "MQTT");
}

static void test_applications_inside(void)
{
    struct classify_conversation https = ports(CLASSIFY_TCP, 50000, 443, A);
    struct classify_conversation sensor = ports(CLASSIFY_UDP, 50000, 5684, NOBODY);
    struct classify_conversation socket = ports(CLASSIFY_TCP, 50000, 9001, A);
    struct classify_votes votes = {0};

    vote(&votes, 5, "tls");
    vote(&votes, 1, "tls mqtt");
    classify_alpn(&votes, "h2", 2);
    CHECK_LABEL("TCP_MQTT_TLS", "dissector", https, votes);

    votes = no_votes;
    vote(&votes, 3, "dtls");
    vote(&votes, 3, "dtls coap");
    CHECK_LABEL("UDP_COAP_DTLS", "dissector", sensor, votes);

    votes = no_votes;
    vote(&votes, 2, "http");
    vote(&votes, 1, "websocket");
    CHECK_LABEL("TCP_HTTP_WEBSOCKET", "dissector", socket, votes);
    vote(&votes, 2, "websocket mqtt");
    CHECK_LABEL("TCP_MQTT_WEBSOCKET", "dissector", socket, votes);

    votes = no_votes; /* even a carrier, if it is inside */
    vote(&votes, 3, "http");
    vote(&votes, 3, "tls rpc");
    CHECK_LABEL("TCP_RPC_TLS", "dissector", socket, votes);
}

static void test_applications_outside(void)
{
    struct classify_conversation mail = ports(CLASSIFY_TCP, 50000, 587, A);
    struct classify_conversation call = ports(CLASSIFY_UDP, 40000, 40002, NOBODY);
    struct classify_conversation discovery = ports(CLASSIFY_UDP, 1900, 1900, NOBODY);
    struct classify_votes votes = {0};

    vote(&votes, 6, "smtp"); /* STARTTLS */
    vote(&votes, 9, "tls");
    CHECK_LABEL("TCP_SMTP_TLS", "dissector", mail, votes);

    votes = no_votes; /* STUN and DTLS share a port */
    vote(&votes, 10, "stun");
    vote(&votes, 20, "dtls");
    CHECK_LABEL("UDP_DTLS", "dissector", call, votes);
    CU_ASSERT_TRUE(vote(&votes, 15, "stun"));
    CHECK_LABEL("UDP_STUN", "dissector", call, votes);

    votes = no_votes; /* a guess */
    vote(&votes, 300, "ssdp");
    vote(&votes, 1, "dtls");
    CHECK_LABEL("UDP_SSDP", "dissector", discovery, votes);
}

/* ---- ports ---------------------------------------------------------------------------------- */

static void test_ports_of_the_header(void)
{
    CHECK_PORTS("TCP_HTTP_TLS", "port", CLASSIFY_TCP, 20000, 443, A);
    CHECK_PORTS("UDP_DHCP_RESPONSE", "port", CLASSIFY_UDP, 68, 67, NOBODY);
    CHECK_PORTS("UDP_DNS", "port", CLASSIFY_UDP, 47808, 53, NOBODY);
}

static void test_the_responder_comes_first(void)
{
    CHECK_PORTS("TCP_SSH", "port", CLASSIFY_TCP, 4303, 22, A);     /* small/ephemeral.pcap */
    CHECK_PORTS("TCP_MQTT", "port", CLASSIFY_TCP, 1883, 54978, B); /* mqtt-reconnect-9min.pcap */
    CHECK_PORTS("TCP_SRCP", "port", CLASSIFY_TCP, 4303, 22, B);
    CHECK_PORTS("TCP_DNP", "port", CLASSIFY_TCP, 20000, 55555, A);
    CHECK_PORTS("TCP_55555", "port number", CLASSIFY_TCP, 55554, 55555, A);
    CHECK_PORTS("TCP_55554", "port number", CLASSIFY_TCP, 55554, 55555, B);
}

static void test_nobody_seen_to_initiate(void)
{
    CHECK_PORTS("TCP_HTTP_TLS", "port", CLASSIFY_TCP, 443, 20000, NOBODY);
    CHECK_PORTS("TCP_HTTP_TLS", "port", CLASSIFY_TCP, 20000, 443, NOBODY);
    CHECK_PORTS("TCP_DNP", "port", CLASSIFY_TCP, 20000, 50000, NOBODY);
    CHECK_PORTS("TCP_DNP", "port", CLASSIFY_TCP, 50000, 20000, NOBODY);
    CHECK_PORTS("UDP_DHCP_QUERY", "port", CLASSIFY_UDP, 67, 68, NOBODY);
    CHECK_PORTS("UDP_COAP", "port", CLASSIFY_UDP, 5683, 1883, NOBODY); /* one rank: source */
    CHECK_PORTS("UDP_MQTTSN", "port", CLASSIFY_UDP, 1883, 5683, NOBODY);
    CHECK_PORTS("UDP_COAP", "port", CLASSIFY_UDP, 47808, 5683, NOBODY);
    CHECK_PORTS("UDP_19704", "port number", CLASSIFY_UDP, 26803, 19704, NOBODY);
    CHECK_PORTS("UDP_19704", "port number", CLASSIFY_UDP, 56803, 19704, NOBODY);
    CHECK_PORTS("UDP_19704", "port number", CLASSIFY_UDP, 19704, 56803, NOBODY);
    CHECK_PORTS("UDP_50001", "port number", CLASSIFY_UDP, 50000, 50001, NOBODY);
    CHECK_PORTS("UDP_0", "port number", CLASSIFY_UDP, 0, 0, NOBODY);
    CHECK_PORTS("UDP_65535", "port number", CLASSIFY_UDP, 65535, 65535, NOBODY);
}

/* Ranks change at 1024 and at 32768. */
static void test_ranks_of_ports(void)
{
    CHECK_PORTS("TCP_1023", "port number", CLASSIFY_TCP, 1023, 1024, NOBODY);
    CHECK_PORTS("TCP_1025", "port number", CLASSIFY_TCP, 1024, 1025, NOBODY);
    CHECK_PORTS("TCP_32767", "port number", CLASSIFY_TCP, 32767, 32768, NOBODY);
    CHECK_PORTS("TCP_32769", "port number", CLASSIFY_TCP, 32768, 32769, NOBODY);
}

static void test_transports_have_their_own_tables(void)
{
    CHECK_PORTS("TCP_47808", "port number", CLASSIFY_TCP, 50000, 47808, A);
    CHECK_PORTS("UDP_BACNET", "port", CLASSIFY_UDP, 50000, 47808, NOBODY);
    CHECK_PORTS("SCTP_S1AP", "port", CLASSIFY_SCTP, 50000, 36412, A);
}

/* The system's table is not ours, so the test asks it too. */
static void test_service_names(void)
{
    const struct servent *entry = getservbyname("gopher", "tcp");

    if (entry == NULL || ntohs((uint16_t)entry->s_port) != 70) {
        fprintf(stderr, "\n    no gopher in this system's services: not tested\n");
        return;
    }
    CHECK_PORTS("TCP_GOPHER", "service", CLASSIFY_TCP, 50000, 70, A);
    CHECK_PORTS("TCP_GOPHER", "service", CLASSIFY_TCP, 50000, 70, A); /* remembered */
    CHECK_PORTS("TCP_50000", "port number", CLASSIFY_TCP, 70, 50000, A);
}

static void test_role_by_port(void)
{
    struct classify_conversation discover = ports(CLASSIFY_UDP, 68, 67, NOBODY);
    struct classify_conversation offer = ports(CLASSIFY_UDP, 67, 68, NOBODY);
    struct classify_conversation moved = ports(CLASSIFY_UDP, 50000, 4011, NOBODY);
    struct classify_conversation shared = ports(CLASSIFY_UDP, 50000, 53, NOBODY);
    struct classify_conversation secure = ports(CLASSIFY_TCP, 50000, 19999, A);
    struct classify_conversation trap = ports(CLASSIFY_UDP, 50000, 162, NOBODY);
    struct classify_votes dhcp = {0}, dnp = {0}, snmp = {0};

    vote(&dhcp, 2, "dhcp");
    CHECK_LABEL("UDP_DHCP_RESPONSE", "dissector", discover, dhcp);
    CHECK_LABEL("UDP_DHCP_QUERY", "dissector", offer, dhcp);
    CHECK_LABEL("UDP_DHCP", "dissector", moved, dhcp);
    CHECK_LABEL("UDP_DHCP", "dissector", shared, dhcp); /* not UDP_DNS */
    vote(&dnp, 2, "dnp3");
    CHECK_LABEL("TCP_DNP2", "dissector", secure, dnp);
    vote(&snmp, 2, "snmp");
    CHECK_LABEL("UDP_SNMP_TRAP", "dissector", trap, snmp);
}

static void test_dissectors_come_before_ports(void)
{
    struct classify_conversation control = ports(CLASSIFY_TCP, 50000, 21, A);
    struct classify_conversation files = ports(CLASSIFY_TCP, 20, 50000, A);
    struct classify_conversation https = ports(CLASSIFY_TCP, 50000, 443, A);
    struct classify_conversation proxy = ports(CLASSIFY_TCP, 50000, 8080, A);
    struct classify_votes votes = {0};

    vote(&votes, 1, "ftp");
    CHECK_LABEL("TCP_FTPC", "dissector", control, votes);
    votes = no_votes;
    vote(&votes, 1, "ftp-data");
    CHECK_LABEL("TCP_FTP", "dissector", files, votes);
    votes = no_votes;
    vote(&votes, 1, "ssh");
    CHECK_LABEL("TCP_SSH", "dissector", https, votes);
    votes = no_votes;
    vote(&votes, 1, "http");
    CHECK_LABEL("TCP_HTTP", "dissector", proxy, votes);
    CHECK_LABEL("TCP_HTTP2", "port", proxy, no_votes);
}

/* ---- the site's ports ----------------------------------------------------------------------- */

static struct classify_site_port site_port(const char *transport, const char *range,
                                           const char *name)
{
    struct classify_site_port port;
    char *error = NULL;

    CU_ASSERT_TRUE(classify_site_port_parse(&port, transport, range, name, &error));
    CU_ASSERT_PTR_NULL(error);
    return port;
}

static const char *site_label(const struct classify_site_port *site, size_t count,
                              struct classify_conversation conversation,
                              const struct classify_votes *votes)
{
    static char label[CLASSIFY_NAME_MAX];

    classify_label(&conversation, votes, site, count, label);
    return label;
}

static void test_site_ports(void)
{
    struct classify_site_port site[] = {
        site_port("TCP", "50000-50010", "PUMP-STATION"), site_port(" tcp ", " 443 ", "Historian"),
        site_port("UDP", "50000", "Sender"), site_port("TCP", "50005", "second line of a port"),
        site_port("UDP", "67", "Relay")};
    struct classify_votes tls = {0}, dhcp = {0};

    check_text("PUMP_STATION", site[0].name, __LINE__);
    check_text("TCP_PUMP_STATION",
               site_label(site, 5, ports(CLASSIFY_TCP, 60000, 50000, A), &no_votes), __LINE__);
    check_text("TCP_PUMP_STATION",
               site_label(site, 5, ports(CLASSIFY_TCP, 60000, 50010, A), &no_votes), __LINE__);
    check_text("TCP_PUMP_STATION",
               site_label(site, 5, ports(CLASSIFY_TCP, 60000, 50005, A), &no_votes), __LINE__);
    check_text("TCP_50011", site_label(site, 5, ports(CLASSIFY_TCP, 60000, 50011, A), &no_votes),
               __LINE__);
    check_text("TCP_HISTORIAN", site_label(site, 5, ports(CLASSIFY_TCP, 60000, 443, A), &no_votes),
               __LINE__);
    /* a client's port that happens to be in the site's range */
    check_text("TCP_SSH", site_label(site, 5, ports(CLASSIFY_TCP, 50001, 22, A), &no_votes),
               __LINE__);
    /* nobody initiated, both of one rank: the site's table before applications.tsv */
    check_text("UDP_SENDER",
               site_label(site, 5, ports(CLASSIFY_UDP, 47808, 50000, NOBODY), &no_votes), __LINE__);
    vote(&tls, 3, "tls");
    check_text("TCP_HISTORIAN_TLS", site_label(site, 5, ports(CLASSIFY_TCP, 60000, 443, A), &tls),
               __LINE__);
    vote(&dhcp, 1, "dhcp");
    check_text("UDP_RELAY", site_label(site, 5, ports(CLASSIFY_UDP, 67, 67, NOBODY), &dhcp),
               __LINE__);
}

static void test_sources_of_site_and_table(void)
{
    struct classify_site_port site = site_port("SCTP", "36412", "Cell");
    struct classify_conversation cell = ports(CLASSIFY_SCTP, 36412, 36412, A);
    char label[CLASSIFY_NAME_MAX];

    CU_ASSERT_EQUAL(classify_label(&cell, &no_votes, &site, 1, label), CLASSIFY_SOURCE_SITE_PORT);
    CU_ASSERT_EQUAL(classify_label(&cell, &no_votes, NULL, 0, label), CLASSIFY_SOURCE_PORT);
}

static void check_bad_line(const char *transport, const char *range, const char *name,
                           const char *sentence)
{
    struct classify_site_port port;
    char *error = NULL;

    CU_ASSERT_FALSE(classify_site_port_parse(&port, transport, range, name, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    check_text(sentence, error, __LINE__);
    g_free(error);
}

#define NOT_A_PORT " is not a port: write a number from 1 to 65535, or a range like 50000-50010"

static void test_bad_lines_of_the_site(void)
{
    check_bad_line("ICMP", "1", "X", "\"ICMP\" has no ports: write TCP, UDP or SCTP");
    check_bad_line("", "1", "X", "\"\" has no ports: write TCP, UDP or SCTP");
    check_bad_line("TCP", "", "X", "\"\"" NOT_A_PORT);
    check_bad_line("TCP", "0", "X", "\"0\"" NOT_A_PORT);
    check_bad_line("TCP", "65536", "X", "\"65536\"" NOT_A_PORT);
    check_bad_line("TCP", "99999999999999999999", "X", "\"99999999999999999999\"" NOT_A_PORT);
    check_bad_line("TCP", "-1", "X", "\"-1\"" NOT_A_PORT);
    check_bad_line("TCP", "1-", "X", "\"1-\"" NOT_A_PORT);
    check_bad_line("TCP", "1-2-3", "X", "\"1-2-3\"" NOT_A_PORT);
    check_bad_line("TCP", "http", "X", "\"http\"" NOT_A_PORT);
    check_bad_line("TCP", "1 - 2", "X", "\"1 - 2\"" NOT_A_PORT);
    check_bad_line("TCP", "\033[2J", "X", "\"\\033[2J\"" NOT_A_PORT);
    check_bad_line("TCP", "9-8", "X", "the range \"9-8\" is upside down: write 8-9");
    check_bad_line("TCP", "8", "-",
                   "\"-\" is no name for an application: write letters and digits, "
                   "like PUMP_STATION");
}

/* ---- what has no ports ---------------------------------------------------------------------- */

static void test_ip(void)
{
    struct classify_conversation ip = {.transport = CLASSIFY_IP, .ip_protocol = 253};

    CHECK_LABEL("IP_253", "ip protocol", ip, no_votes);
    ip.ip_layer = "esp";
    CHECK_LABEL("IP_ESP", "ip protocol", ip, no_votes);
    ip.ip_layer = "data";
    CHECK_LABEL("IP_253", "ip protocol", ip, no_votes);
    ip.ip_layer = "_ws.malformed";
    CHECK_LABEL("IP_253", "ip protocol", ip, no_votes);
    ip.is_fragment = true;
    ip.ip_layer = "igmp";
    CHECK_LABEL("IP_IGMP", "ip protocol", ip, no_votes);
}

static void test_fragments(void)
{
    struct classify_conversation fragment = ports(CLASSIFY_UDP, 0, 0, NOBODY);
    struct classify_votes votes = {0};

    fragment.is_fragment = true;
    vote(&votes, 5, "data");
    CHECK_LABEL("UDP_FRAGMENT", "ip protocol", fragment, votes);
    fragment.transport = CLASSIFY_TCP;
    CHECK_LABEL("TCP_FRAGMENT", "ip protocol", fragment, votes);
}

static void check_icmp(bool is_v6, uint8_t type, const char *expected)
{
    struct classify_conversation icmp = {.transport = is_v6 ? CLASSIFY_ICMPV6 : CLASSIFY_ICMP,
                                         .is_fragment = true, /* has no stream: no matter */
                                         .icmp_group = classify_icmp_group(is_v6, type)};

    CHECK_LABEL(expected, "ip protocol", icmp, no_votes);
}

static void test_icmp(void)
{
    check_icmp(false, 0, "ICMP_ECHO");
    check_icmp(false, 8, "ICMP_ECHO");
    check_icmp(false, 3, "ICMP_UNREACHABLE");
    check_icmp(false, 5, "ICMP_REDIRECT");
    check_icmp(false, 9, "ICMP_ROUTER");
    check_icmp(false, 10, "ICMP_ROUTER");
    check_icmp(false, 11, "ICMP_TIME_EXCEEDED");
    check_icmp(false, 12, "ICMP_PARAMETER_PROBLEM");
    check_icmp(false, 13, "ICMP_TIMESTAMP");
    check_icmp(false, 14, "ICMP_TIMESTAMP");
    check_icmp(false, 4, "ICMP_OTHER");
    check_icmp(false, 255, "ICMP_OTHER");
    check_icmp(true, 128, "ICMPV6_ECHO");
    check_icmp(true, 129, "ICMPV6_ECHO");
    check_icmp(true, 1, "ICMPV6_UNREACHABLE");
    check_icmp(true, 2, "ICMPV6_TOO_BIG");
    check_icmp(true, 3, "ICMPV6_TIME_EXCEEDED");
    check_icmp(true, 4, "ICMPV6_PARAMETER_PROBLEM");
    check_icmp(true, 131, "ICMPV6_MULTICAST");
    check_icmp(true, 143, "ICMPV6_MULTICAST");
    check_icmp(true, 133, "ICMPV6_ROUTER");
    check_icmp(true, 134, "ICMPV6_ROUTER");
    check_icmp(true, 135, "ICMPV6_NEIGHBOR");
    check_icmp(true, 136, "ICMPV6_NEIGHBOR");
    check_icmp(true, 137, "ICMPV6_REDIRECT");
    check_icmp(true, 8, "ICMPV6_OTHER");
}

static void test_no_transport(void)
{
    struct classify_conversation none = {0};
    char label[CLASSIFY_NAME_MAX] = "x";

    CU_ASSERT_EQUAL(classify_label(&none, &no_votes, NULL, 0, label), CLASSIFY_SOURCE_NONE);
    CU_ASSERT_STRING_EQUAL(label, "");
    CU_ASSERT_PTR_NULL(classify_transport_name(CLASSIFY_NO_TRANSPORT));
    CU_ASSERT_PTR_NULL(classify_source_name(CLASSIFY_SOURCE_NONE));
}

/* Any layers, any votes, any ports: the label is a label. */
static void test_labels_are_valid_whatever_comes(void)
{
    static const char *const names[] = {"tls",  "quic", "dtls",      "websocket", "data", "json",
                                        "rpc",  "tpkt", "x509sat",   "dhcp",      "dnp3", "http",
                                        "mqtt", "smb",  "a-b-c-d-e", "------",    "snmp", "ftp"};
    GRand *random = g_rand_new_with_seed(3);

    for (int round = 0; round < 20000; round++) {
        struct classify_votes votes = {0};
        struct classify_conversation conversation = {
            .transport = (enum classify_transport)g_rand_int_range(random, 1, 7),
            .port_a = (uint16_t)g_rand_int_range(random, 0, 65536),
            .port_b = (uint16_t)g_rand_int_range(random, 0, 1024),
            .a_initiated = g_rand_boolean(random),
            .b_initiated = g_rand_boolean(random),
            .icmp_group = (uint8_t)g_rand_int_range(random, 0, 256),
            .ip_protocol = (uint8_t)g_rand_int_range(random, 0, 256)};
        for (int packet = g_rand_int_range(random, 0, 12); packet > 0; packet--) {
            const struct classify_protocol *layers[8];
            size_t count = (size_t)g_rand_int_range(random, 0, 9);
            for (size_t i = 0; i < count; i++)
                layers[i] =
                    protocol(names[g_rand_int_range(random, 0, (gint32)G_N_ELEMENTS(names))]);
            uint8_t winner = votes.winner;
            const struct classify_protocol *secure = votes.secure;
            bool changed = classify_vote(&votes, layers, count);
            CU_ASSERT(changed || (winner == votes.winner && secure == votes.secure));
        }
        CU_ASSERT(is_valid_label(label_of(&conversation, &votes, NULL)));
    }
    g_rand_free(random);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;

    CU_TestInfo names[] = {
        {"listed dissectors", test_names_of_listed_dissectors},
        {"other dissectors", test_names_of_other_dissectors},
        {"dissectors of one name share a key", test_dissectors_of_one_name_share_a_key},
        {"names of any bytes are valid", test_names_of_any_bytes_are_valid},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo votes[] = {
        {"votes of the header", test_votes_of_the_header},
        {"votes of other stacks", test_votes_of_other_stacks},
        {"elections of the header", test_elections_of_the_header},
        {"elections of captures", test_elections_of_captures},
        {"a third is enough, less is not", test_a_third_is_enough_and_less_is_not},
        {"most votes win, ties go to the first", test_most_votes_win_and_ties_go_to_the_first},
        {"a vote that changes nothing says so", test_a_vote_that_changes_nothing_says_so},
        {"order does not matter", test_order_does_not_matter},
        {"carriers win only alone", test_a_carrier_wins_only_where_no_application_does},
        {"one name, one candidate", test_dissectors_of_one_name_share_their_votes},
        {"a ninth candidate is not counted", test_a_ninth_candidate_is_not_counted},
        {"counts stop at their end", test_counts_stop_at_their_end},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo secured[] = {
        {"by port", test_secured_by_port},
        {"no service name", test_secured_takes_no_service_name},
        {"by ALPN", test_secured_by_alpn},
        {"ALPN alone names nothing", test_alpn_alone_names_nothing},
        {"known and unknown ALPN", test_known_and_unknown_alpn},
        {"applications inside", test_applications_inside},
        {"applications outside", test_applications_outside},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo by_port[] = {
        {"ports of the header", test_ports_of_the_header},
        {"the responder comes first", test_the_responder_comes_first},
        {"nobody seen to initiate", test_nobody_seen_to_initiate},
        {"ranks of ports", test_ranks_of_ports},
        {"transports have their own tables", test_transports_have_their_own_tables},
        {"service names", test_service_names},
        {"role by_port", test_role_by_port},
        {"dissectors come before ports", test_dissectors_come_before_ports},
        {"site ports", test_site_ports},
        {"sources of site and table", test_sources_of_site_and_table},
        {"bad lines of the site", test_bad_lines_of_the_site},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo others[] = {
        {"IP", test_ip},
        {"fragments", test_fragments},
        {"ICMP", test_icmp},
        {"no transport", test_no_transport},
        {"labels are valid whatever comes", test_labels_are_valid_whatever_comes},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"names", make_protocols, free_protocols, NULL, NULL, names},
        {"votes", make_protocols, free_protocols, NULL, NULL, votes},
        {"secured", make_protocols, free_protocols, NULL, NULL, secured},
        {"ports", make_protocols, free_protocols, NULL, NULL, by_port},
        {"others", make_protocols, free_protocols, NULL, NULL, others},
        CU_SUITE_INFO_NULL,
    };

    if (CU_register_suites(suites) != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
