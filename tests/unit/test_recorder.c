/* test_recorder.c: facts in, rows out (plugin/record/recorder.h), on a real file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/conversations.h"
#include "plugin/record/recorder.h"
#include "plugin/record/store.h"
#include "schema/verdicts.h"

#include <CUnit/Basic.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

static char *folder, *path;
static const int64_t second = 1000000000;

static int folder_make(void)
{
    folder = g_dir_make_tmp("fieldedge-XXXXXX", NULL);
    path = g_build_filename(folder, "site.db", NULL);
    return folder == NULL;
}

static void files_remove(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        char *file = g_strconcat(path, ends[i], NULL);
        g_unlink(file);
        g_free(file);
    }
}

static int folder_remove(void)
{
    files_remove();
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    return 0;
}

static recorder *open_new(void)
{
    struct recorder_options options = {.database = path,
                                       .local_networks = LOCALITY_DEFAULT,
                                       .payload_hashes = true,
                                       .tshark_version = "4.0.0",
                                       .plugin_version = "test"};
    char *error = NULL;
    recorder *r = recorder_open(&options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_PTR_NULL(error);
    recorder_capture(r, "test.pcap", NULL, "ether", 0, 100 * second);
    return r;
}

static void finish(recorder *r)
{
    char *error = NULL;
    CU_ASSERT_TRUE(recorder_finish(r, "complete", &error));
    CU_ASSERT_PTR_NULL(error);
}

/* The first column of the first row, as a number. */
static int64_t ask(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t answer = -1;
    CU_ASSERT_EQUAL(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

/* A TCP packet of stream `stream` from 10.0.0.1 (or back). */
static struct packet_facts tcp(uint32_t number, uint32_t stream, bool back, uint32_t payload)
{
    struct packet_facts facts;
    memset(&facts, 0, sizeof facts);
    struct packet_address site = {4, {10, 0, 0, 1}}, server = {4, {8, 8, 4, 4}};
    server.bytes[2] = (uint8_t)(stream >> 8);
    facts.number = number;
    facts.time_ns = 100 * second + number;
    facts.frame_bytes = 54 + payload;
    facts.ip_bytes = 40 + payload;
    facts.payload_bytes = payload;
    facts.ip_protocol = 6;
    facts.protocol = "tcp";
    facts.tcp_flags = 0x10;
    facts.flow.transport = CLASSIFY_TCP;
    facts.flow.has_stream = facts.flow.is_numbered = true;
    facts.flow.stream = stream;
    facts.flow.source = back ? server : site;
    facts.flow.destination = back ? site : server;
    facts.flow.source_port = back ? 1883 : (uint16_t)(40000 + stream % 20000);
    facts.flow.destination_port = back ? (uint16_t)(40000 + stream % 20000) : 1883;
    facts.outer_source = facts.flow.source;
    facts.outer_destination = facts.flow.destination;
    return facts;
}

static void record(recorder *r, const struct packet_facts *facts)
{
    CU_ASSERT_TRUE(recorder_packet(r, facts));
}

static const char books[] =
    "SELECT count(*) FROM conversation v LEFT JOIN (SELECT conversation, count(*) AS n,"
    " sum(frame_bytes) AS f, sum(frame_bytes - link_bytes) AS i, sum(payload_bytes) AS p,"
    " sum(retransmitted_bytes) AS r FROM packet GROUP BY conversation) s ON s.conversation = v.id"
    " WHERE s.n IS NOT v.packets_ab + v.packets_ba OR s.f IS NOT v.frame_bytes_ab + "
    "v.frame_bytes_ba"
    " OR s.i IS NOT v.ip_bytes_ab + v.ip_bytes_ba OR s.p IS NOT v.payload_bytes_ab"
    " + v.payload_bytes_ba OR s.r IS NOT v.retransmitted_bytes";

static void test_one_conversation(void)
{
    files_remove();
    recorder *r = open_new();
    struct packet_facts out = tcp(1, 0, false, 100), again = tcp(2, 0, false, 100),
                        back = tcp(3, 0, true, 0);
    out.tcp_sequence = again.tcp_sequence = 1000;
    again.verdicts = VERDICT_RETRANSMISSION;
    record(r, &out);
    record(r, &again);
    record(r, &back);
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM packets"), 3);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations WHERE application = 'TCP_MQTT'"), 1);
    CU_ASSERT_EQUAL(ask("SELECT retransmitted_bytes FROM conversations"), 100);
    CU_ASSERT_EQUAL(ask("SELECT retransmissions FROM conversations"), 1);
    CU_ASSERT_EQUAL(ask("SELECT bad_bytes FROM conversations"), 154);
    CU_ASSERT_EQUAL(ask("SELECT packets_ba FROM conversations"), 1);
    CU_ASSERT_EQUAL(ask("SELECT time_ns FROM packets WHERE number = 3"), 100 * second + 3);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM captures WHERE status = 'complete' AND packets = 3"),
                    1);
    CU_ASSERT_EQUAL(ask(books), 0);
}

/* More conversations than memory holds: each is found again in the database, keeps its id, ends and
 * label, and the books agree. */
static void test_conversations_given_up(void)
{
    enum { STREAMS = CONVERSATIONS_MAX + 500 };
    files_remove();
    recorder *r = open_new();
    uint32_t number = 0;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t stream = 0; stream < STREAMS; stream++) {
            struct packet_facts facts = tcp(++number, stream, round == 1, 10);
            record(r, &facts);
        }
    }
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations"), STREAMS);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations WHERE packets_ab = 1 AND packets_ba = 1"
                        " AND port_b = 1883 AND application = 'TCP_MQTT'"),
                    STREAMS);
    CU_ASSERT_EQUAL(ask(books), 0);
}

/* Frame numbers that begin again (ring buffer): no packet is lost, and the numbers are right. */
static void test_numbers_begin_again(void)
{
    files_remove();
    recorder *r = open_new();
    static const uint32_t numbers[] = {1, 2, 5, 1, 2, 3, 1};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct packet_facts facts = tcp(numbers[i], 0, false, 1);
        facts.tcp_sequence = (uint32_t)i;
        record(r, &facts);
    }
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM packets"), 7);
    CU_ASSERT_EQUAL(
        ask("SELECT count(*) FROM (SELECT number, row_number() OVER (ORDER BY packet_id) AS"
            " place FROM packets) WHERE (place, number) IN (VALUES (1,1), (2,2), (3,5),"
            " (4,1), (5,2), (6,3), (7,1))"),
        7);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations"), 1);
}

/* After such a restart equal stream and hosts with other ports are another conversation (tshark
 * -M). */
static void test_streams_begin_again(void)
{
    files_remove();
    recorder *r = open_new();
    struct packet_facts first = tcp(7, 3, false, 1), other = tcp(1, 3, false, 1);
    other.flow.source_port = 50001;
    record(r, &first);
    record(r, &other);
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations"), 2);
    CU_ASSERT_EQUAL(ask(books), 0);
}

static struct packet_facts fragment(uint32_t number, bool resolved)
{
    struct packet_facts facts = tcp(number, 0, false, 1400);
    facts.ip_protocol = 17;
    facts.flow.transport = CLASSIFY_UDP;
    facts.flow.has_stream = facts.flow.is_numbered = resolved;
    facts.is_fragment = true;
    facts.is_resolved = resolved;
    facts.fragment_id = 77;
    facts.protocol = resolved ? "udp" : "ip";
    facts.tcp_flags = 0;
    if (!resolved)
        facts.flow.source_port = facts.flow.destination_port = 0;
    return facts;
}

/* Every fragment ends in its datagram's conversation, and the one where they waited is gone. */
static void test_fragments_move(void)
{
    files_remove();
    recorder *r = open_new();
    for (uint32_t i = 1; i <= 3; i++) {
        struct packet_facts facts = fragment(i, i == 3);
        record(r, &facts);
    }
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations"), 1);
    CU_ASSERT_EQUAL(ask("SELECT count(DISTINCT conversation_id) FROM packets"), 1);
    CU_ASSERT_EQUAL(ask("SELECT packets_ab FROM conversations WHERE port_b = 1883"), 3);
    CU_ASSERT_EQUAL(ask(books), 0);
}

/* Fragments whose datagram never becomes whole keep a conversation of their own. */
static void test_fragments_stay(void)
{
    files_remove();
    recorder *r = open_new();
    struct packet_facts facts = fragment(1, false);
    record(r, &facts);
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations WHERE application = 'UDP_FRAGMENT'"
                        " AND stream IS NULL AND packets_ab = 1"),
                    1);
}

static void test_icmp_quote(void)
{
    files_remove();
    recorder *r = open_new();
    struct packet_facts out = tcp(1, 0, false, 0), error = tcp(2, 0, true, 28);
    error.flow.transport = CLASSIFY_ICMP;
    error.flow.has_stream = error.flow.is_numbered = false;
    error.flow.source_port = error.flow.destination_port = 0;
    error.flow.source.bytes[0] = 9; /* a router */
    error.icmp_type = 3;
    error.ip_protocol = 1;
    error.quotes = true;
    error.quoted = out.flow;
    record(r, &out);
    record(r, &error);
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM quotes q JOIN conversations v ON v.id ="
                        " q.quoted_conversation_id WHERE v.transport = 'TCP'"),
                    1);
    CU_ASSERT_EQUAL(
        ask("SELECT count(*) FROM conversations WHERE application = 'ICMP_UNREACHABLE'"), 1);
}

/* What is not IP has a row, stations, and no conversation. */
static void test_link(void)
{
    files_remove();
    recorder *r = open_new();
    struct packet_facts facts;
    memset(&facts, 0, sizeof facts);
    facts.number = 1;
    facts.time_ns = 100 * second;
    facts.frame_bytes = 60;
    facts.protocol = "arp";
    facts.flow.source = (struct packet_address){6, {2, 0, 0, 0, 0, 1}};
    facts.flow.destination = (struct packet_address){6, {255, 255, 255, 255, 255, 255}};
    record(r, &facts);
    finish(r);
    CU_ASSERT_EQUAL(
        ask("SELECT count(*) FROM packets WHERE conversation_id IS NULL AND application IS"
            " NULL AND protocol = 'arp' AND ip_bytes = 0 AND source ="
            " '02:00:00:00:00:01'"),
        1);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations"), 0);
    CU_ASSERT_EQUAL(ask("SELECT packets FROM accounts WHERE account = 'without conversation'"), 1);
}

/* A name from a packet is data. */
static void test_hostile_name(void)
{
    files_remove();
    recorder *r = open_new();
    struct packet_facts facts = tcp(1, 0, false, 10);
    facts.server_name = "'); DROP TABLE packet; --\x1b[31m\xff";
    record(r, &facts);
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM packet"), 1);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations WHERE server_name LIKE '%DROP TABLE%'"),
                    1);
}

/* Two captures in one file: apart by id, each with its own numbers. */
static void test_two_captures(void)
{
    files_remove();
    for (int i = 0; i < 2; i++) {
        recorder *r = open_new();
        CU_ASSERT_EQUAL(recorder_capture_id(r), i + 1);
        for (uint32_t n = 1; n <= 5; n++) {
            struct packet_facts facts = tcp(n, n, false, 1);
            record(r, &facts);
        }
        finish(r);
    }
    CU_ASSERT_EQUAL(
        ask("SELECT count(*) FROM packets WHERE capture_id = 2 AND number BETWEEN 1 AND 5"), 5);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations WHERE capture_id = 2"), 5);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM application"), 1);
}

/* Payload hashes: equal for equal payloads, keyed anew for each recording. */
static void test_hashes(void)
{
    int64_t hash[2];
    for (int i = 0; i < 2; i++) {
        files_remove();
        recorder *r = open_new();
        for (uint32_t n = 1; n <= 2; n++) {
            struct packet_facts facts = tcp(n, 0, false, 4);
            facts.tcp_sequence = n * 4;
            facts.payload = (const uint8_t *)"poll";
            facts.payload_captured = 4;
            record(r, &facts);
        }
        finish(r);
        CU_ASSERT_EQUAL(ask("SELECT count(DISTINCT payload_hash) FROM packet"), 1);
        hash[i] = ask("SELECT payload_hash FROM packet");
    }
    CU_ASSERT_NOT_EQUAL(hash[0], hash[1]);
}

/* The rule of commits: no more rows are ever at risk. */
static void test_commits_while_recording(void)
{
    files_remove();
    recorder *r = open_new();
    for (uint32_t n = 1; n <= 3 * STORE_COMMIT_ROWS; n++) {
        struct packet_facts facts = tcp(n, 0, false, 0);
        record(r, &facts);
    }
    /* The ring holds far fewer than a commit's rows: two commits are done or under way. */
    gint64 until = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;
    while (ask("SELECT count(*) FROM packet") < 2 * STORE_COMMIT_ROWS &&
           g_get_monotonic_time() < until)
        g_usleep(1000);
    CU_ASSERT_TRUE(ask("SELECT count(*) FROM packet") >= 2 * STORE_COMMIT_ROWS);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM captures WHERE status = 'interrupted'"), 1);
    CU_ASSERT_EQUAL(ask(books), 0);
    finish(r);
    CU_ASSERT_EQUAL(ask("SELECT packets FROM captures WHERE status = 'complete'"),
                    3 * STORE_COMMIT_ROWS);
}

static void test_bad_networks(void)
{
    files_remove();
    struct recorder_options options = {.database = path,
                                       .local_networks = "10.0.0.1/8",
                                       .tshark_version = "",
                                       .plugin_version = ""};
    char *error = NULL;
    CU_ASSERT_PTR_NULL(recorder_open(&options, &error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "10.0.0.1/8"));
    CU_ASSERT_FALSE(g_file_test(path, G_FILE_TEST_EXISTS));
    g_free(error);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("recorder", folder_make, folder_remove);
    CU_ADD_TEST(suite, test_one_conversation);
    CU_ADD_TEST(suite, test_conversations_given_up);
    CU_ADD_TEST(suite, test_numbers_begin_again);
    CU_ADD_TEST(suite, test_streams_begin_again);
    CU_ADD_TEST(suite, test_fragments_move);
    CU_ADD_TEST(suite, test_fragments_stay);
    CU_ADD_TEST(suite, test_icmp_quote);
    CU_ADD_TEST(suite, test_link);
    CU_ADD_TEST(suite, test_hostile_name);
    CU_ADD_TEST(suite, test_two_captures);
    CU_ADD_TEST(suite, test_hashes);
    CU_ADD_TEST(suite, test_commits_while_recording);
    CU_ADD_TEST(suite, test_bad_networks);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
