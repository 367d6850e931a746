/* test_ledger.c: facts in, entries out (plugin/record/ledger.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/conversations.h"
#include "plugin/record/ledger.h"
#include "schema/verdicts.h"

#include <CUnit/Basic.h>
#include <string.h>

static ledger *open_new(void)
{
    struct recorder_options options = {.local_networks = LOCALITY_DEFAULT};
    char *error = NULL;
    ledger *l = ledger_new(&options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    return l;
}

/* A TCP packet of a stream from 10.0.0.1 to 8.8.4.4, port 1883 (or back). */
static struct packet_facts tcp(uint32_t number, uint32_t stream, bool back, uint32_t payload)
{
    struct packet_facts facts;
    memset(&facts, 0, sizeof facts);
    struct packet_address site = {4, {10, 0, 0, 1}}, server = {4, {8, 8, 4, 4}};
    facts.number = number;
    facts.ip_bytes = 40 + payload;
    facts.payload_bytes = payload;
    facts.protocol = "tcp";
    facts.tcp_flags = 0x10;
    facts.flow.transport = CLASSIFY_TCP;
    facts.flow.has_stream = facts.flow.is_numbered = true;
    facts.flow.stream = stream;
    facts.flow.source = back ? server : site;
    facts.flow.destination = back ? site : server;
    facts.flow.source_port = back ? 1883 : (uint16_t)(40000 + stream);
    facts.flow.destination_port = back ? (uint16_t)(40000 + stream) : 1883;
    facts.outer_source = facts.flow.source;
    facts.outer_destination = facts.flow.destination;
    return facts;
}

static struct ledger_entry find(const ledger *l, uint32_t frame)
{
    struct ledger_entry entry = {0};
    CU_ASSERT_TRUE(ledger_find(l, frame, &entry));
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry.conversation);
    return entry;
}

/* The example of ledger.h. */
static void test_label_comes_later(void)
{
    ledger *l = open_new();
    struct classify_protocol http;
    struct packet_facts syn = tcp(1, 0, false, 0), get = tcp(2, 0, false, 10);
    classify_protocol_init(&http, "http");
    get.layers[0] = &http;
    get.layer_count = 1;
    ledger_packet(l, &syn);
    CU_ASSERT_STRING_EQUAL(find(l, 1).conversation->label, "TCP_MQTT");
    CU_ASSERT_EQUAL(find(l, 1).conversation->source, CLASSIFY_SOURCE_PORT);
    ledger_packet(l, &get);
    CU_ASSERT_STRING_EQUAL(find(l, 1).conversation->label, "TCP_HTTP");
    CU_ASSERT_EQUAL(find(l, 2).conversation->id, 1);
    CU_ASSERT_EQUAL(find(l, 2).conversation->first_frame, 1);
    struct ledger_entry none;
    CU_ASSERT_FALSE(ledger_find(l, 0, &none));
    CU_ASSERT_FALSE(ledger_find(l, 3, &none));
    ledger_free(l);
}

static void test_figures(void)
{
    ledger *l = open_new();
    struct packet_facts out = tcp(1, 0, false, 100), again = tcp(2, 0, false, 100),
                        back = tcp(3, 0, true, 7);
    out.tcp_sequence = again.tcp_sequence = 1000;
    again.verdicts = VERDICT_OUT_OF_ORDER;
    back.server_name = "broker.example";
    ledger_packet(l, &out);
    ledger_packet(l, &again);
    ledger_packet(l, &back);
    CU_ASSERT_EQUAL(find(l, 1).retransmitted_bytes, 0);
    CU_ASSERT_EQUAL(find(l, 2).retransmitted_bytes, 100);
    CU_ASSERT_EQUAL(find(l, 2).verdicts, VERDICT_OUT_OF_ORDER);
    CU_ASSERT_EQUAL(find(l, 2).ip_bytes, 140);
    CU_ASSERT_FALSE(find(l, 2).is_b_to_a);
    CU_ASSERT_TRUE(find(l, 3).is_b_to_a);
    CU_ASSERT_EQUAL(find(l, 3).payload_bytes, 7);
    CU_ASSERT_STRING_EQUAL(find(l, 1).conversation->server_name, "broker.example");
    ledger_free(l);
}

/* More conversations than the recorder holds are found again, with their ids. */
static void test_given_up(void)
{
    enum { STREAMS = CONVERSATIONS_MAX + 300 };
    ledger *l = open_new();
    uint32_t number = 0;
    for (int round = 0; round < 2; round++) {
        for (uint32_t stream = 0; stream < STREAMS; stream++) {
            struct packet_facts facts = tcp(++number, stream, round == 1, 10);
            ledger_packet(l, &facts);
        }
    }
    uint32_t right = 0;
    for (uint32_t stream = 0; stream < STREAMS; stream++) {
        struct ledger_entry entry = find(l, STREAMS + stream + 1);
        right += entry.conversation->id == stream + 1 && entry.is_b_to_a &&
                 entry.conversation->first_frame == stream + 1;
    }
    CU_ASSERT_EQUAL(right, STREAMS);
    ledger_free(l);
}

static void test_numbers_begin_again(void)
{
    static const uint32_t numbers[] = {1, 2, 5, 2, 3};
    ledger *l = open_new();
    struct ledger_entry entry;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct packet_facts facts = tcp(numbers[i], 0, false, (uint32_t)i);
        ledger_packet(l, &facts);
    }
    CU_ASSERT_EQUAL(find(l, 2).payload_bytes, 3);
    CU_ASSERT_EQUAL(find(l, 3).conversation->first_frame, 2);
    CU_ASSERT_FALSE(ledger_find(l, 5, &entry));
    ledger_free(l);
}

static void test_fragments_move(void)
{
    ledger *l = open_new();
    for (uint32_t i = 1; i <= 3; i++) {
        struct packet_facts facts = tcp(i, 0, false, 1400);
        facts.flow.transport = CLASSIFY_UDP;
        facts.ip_protocol = 17;
        facts.flow.has_stream = facts.flow.is_numbered = i == 3;
        facts.is_fragment = true;
        facts.is_resolved = i == 3;
        facts.fragment_id = 77;
        ledger_packet(l, &facts);
        if (i == 2)
            CU_ASSERT_STRING_EQUAL(find(l, 1).conversation->label, "UDP_FRAGMENT");
    }
    CU_ASSERT_PTR_EQUAL(find(l, 1).conversation, find(l, 3).conversation);
    CU_ASSERT_EQUAL(find(l, 3).conversation->first_frame, 1);
    ledger_free(l);
}

static void test_quote_and_link(void)
{
    ledger *l = open_new();
    struct ledger_entry entry;
    struct packet_facts out = tcp(1, 0, false, 0), error = tcp(2, 0, true, 28), arp = {0};
    error.flow.transport = CLASSIFY_ICMP;
    error.flow.has_stream = error.flow.is_numbered = false;
    error.icmp_type = 3;
    error.quotes = true;
    error.quoted = out.flow;
    arp.number = 3;
    arp.protocol = "arp";
    ledger_packet(l, &out);
    ledger_packet(l, &error);
    ledger_packet(l, &arp);
    CU_ASSERT_PTR_NULL(find(l, 1).quoted);
    CU_ASSERT_PTR_EQUAL(find(l, 2).quoted, find(l, 1).conversation);
    CU_ASSERT_TRUE(ledger_find(l, 3, &entry));
    CU_ASSERT_PTR_NULL(entry.conversation);
    ledger_free(l);
}

static void test_bad_networks(void)
{
    struct recorder_options options = {.local_networks = "10.0.0.1/8"};
    char *error = NULL;
    CU_ASSERT_PTR_NULL(ledger_new(&options, &error));
    CU_ASSERT_PTR_NOT_NULL(error);
    g_free(error);
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite suite = CU_add_suite("ledger", NULL, NULL);
    CU_ADD_TEST(suite, test_label_comes_later);
    CU_ADD_TEST(suite, test_figures);
    CU_ADD_TEST(suite, test_given_up);
    CU_ADD_TEST(suite, test_numbers_begin_again);
    CU_ADD_TEST(suite, test_fragments_move);
    CU_ADD_TEST(suite, test_quote_and_link);
    CU_ADD_TEST(suite, test_bad_networks);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
