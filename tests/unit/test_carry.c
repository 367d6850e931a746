/* test_carry.c: the state of a conversation as bytes (plugin/record/carry.h), and recordings that
 * go on in the next file (plugin/record/recorder.h), on a real database.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/carry.h"
#include "plugin/record/recorder.h"

#include <CUnit/Basic.h>
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
        g_autofree char *file = g_strconcat(path, ends[i], NULL);
        g_unlink(file);
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

/* The first column of the first row. */
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

/* ---- bytes ---------------------------------------------------------------------------------- */

/* A conversation with everything in it. */
static void fill(struct conversation *c, struct classify_protocol protocols[2])
{
    sequence_verdict verdict;
    memset(c, 0, sizeof *c);
    classify_protocol_init(&protocols[0], "tls");
    classify_protocol_init(&protocols[1], "mqtt");
    const struct classify_protocol *const layers[] = {&protocols[0], &protocols[1]};
    for (int i = 0; i < 3; i++)
        classify_vote(&c->votes, layers, 2);
    classify_vote(&c->votes, layers, 1);
    c->votes.payload_votes = 1;
    c->votes.alpn = "HTTP";
    c->a_initiated = true;
    c->seen = 3;
    c->ip_protocol = 6;
    c->ip_layer = "esp";
    c->server_name_rank = 2;
    c->source = CLASSIFY_SOURCE_DISSECTOR;
    c->restored_votes = 5;
    g_strlcpy(c->label, "TCP_MQTT_TLS", sizeof c->label);
    const struct sequence_segment segments[] = {{.seq = 1000, .syn = true},
                                                {.seq = 1001, .length = 500},
                                                {.seq = 2001, .length = 500},
                                                {.seq = 4001, .length = 500}};
    for (size_t i = 0; i < G_N_ELEMENTS(segments); i++)
        sequence_add(&c->space[0], &c->space[1], &segments[i], &verdict);
    const struct sequence_segment answer = {.seq = 7, .length = 9, .ack = 1501, .has_ack = true};
    sequence_add(&c->space[1], &c->space[0], &answer, &verdict);
}

static void clear(struct conversation *c)
{
    sequence_clear(&c->space[0]);
    sequence_clear(&c->space[1]);
}

static void check_space(const sequence_space *a, const sequence_space *b)
{
    CU_ASSERT_EQUAL(a->top.begin, b->top.begin);
    CU_ASSERT_EQUAL(a->top.end, b->top.end);
    CU_ASSERT_EQUAL(a->acked, b->acked);
    CU_ASSERT_EQUAL(a->initial, b->initial);
    CU_ASSERT_EQUAL(a->started, b->started);
    CU_ASSERT_EQUAL(a->has_acked, b->has_acked);
    CU_ASSERT_EQUAL(a->has_initial, b->has_initial);
    CU_ASSERT_EQUAL(a->closed, b->closed);
    CU_ASSERT_EQUAL_FATAL(a->lower_count, b->lower_count);
    if (a->lower_count > 0)
        CU_ASSERT_EQUAL(memcmp(a->lower, b->lower, a->lower_count * sizeof *a->lower), 0);
}

static void test_bytes_and_back(void)
{
    struct conversation before, after = {0};
    struct classify_protocol protocols[2];
    g_autoptr(GHashTable) known = carry_protocols_new();

    fill(&before, protocols);
    g_autoptr(GBytes) state = carry_encode(&before);
    CU_ASSERT_TRUE_FATAL(carry_decode(&after, state, known));
    check_space(&before.space[0], &after.space[0]);
    check_space(&before.space[1], &after.space[1]);
    CU_ASSERT_EQUAL(after.space[0].lower_count, 2);
    CU_ASSERT_TRUE(after.a_initiated);
    CU_ASSERT_EQUAL(after.seen, 3);
    CU_ASSERT_EQUAL(after.restored_votes, 5);
    CU_ASSERT_STRING_EQUAL(after.ip_layer, "esp");
    CU_ASSERT_STRING_EQUAL(after.label, "TCP_MQTT_TLS");
    CU_ASSERT_STRING_EQUAL(after.votes.alpn, "HTTP");
    CU_ASSERT_EQUAL(after.votes.winner, before.votes.winner);
    CU_ASSERT_STRING_EQUAL(after.votes.secure->name, before.votes.secure->name);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(after.votes.candidates[i].votes, before.votes.candidates[i].votes);
        CU_ASSERT_EQUAL(after.votes.candidates[i].inside, before.votes.candidates[i].inside);
        CU_ASSERT_EQUAL(after.votes.candidates[i].protocol->key,
                        before.votes.candidates[i].protocol->key);
    }
    g_autoptr(GBytes) again = carry_encode(&after);
    CU_ASSERT_TRUE(g_bytes_equal(state, again));
    clear(&before);
    clear(&after);
}

/* Whatever the bytes are, they are read or refused; the sanitizers watch. */
static void test_broken_bytes(void)
{
    struct conversation before;
    struct classify_protocol protocols[2];
    g_autoptr(GHashTable) known = carry_protocols_new();
    g_autoptr(GRand) chance = g_rand_new_with_seed(1);
    gsize length;

    fill(&before, protocols);
    g_autoptr(GBytes) state = carry_encode(&before);
    const uint8_t *bytes = g_bytes_get_data(state, &length);
    for (int i = 0; i < 20000; i++) {
        struct conversation after = {0};
        gsize cut = i % 3 == 0 ? (gsize)g_rand_int_range(chance, 0, (gint32)length) : length;
        uint8_t *broken = g_memdup2(bytes, length);
        for (int j = 0; j <= i % 4; j++)
            broken[g_rand_int_range(chance, 0, (gint32)length)] = (uint8_t)g_rand_int(chance);
        g_autoptr(GBytes) given = g_bytes_new_take(broken, cut);
        if (carry_decode(&after, given, known)) {
            sequence_verdict verdict;
            const struct sequence_segment segment = {.seq = 1401, .length = 400};
            sequence_add(&after.space[0], &after.space[1], &segment, &verdict);
            CU_ASSERT_EQUAL(verdict.retransmitted_bytes + verdict.new_bytes, 400);
        } else {
            CU_ASSERT_PTR_NULL(after.space[0].lower);
        }
        clear(&after);
    }
    clear(&before);
}

/* ---- files ---------------------------------------------------------------------------------- */

static recorder *open_file(const char *name, int64_t capture)
{
    struct schema_recording recording = {.watch = "eth1",
                                         .file = (char *)name,
                                         .capture = capture,
                                         .has_hash_key = true,
                                         .report = -1};
    struct recorder_options options = {.database = path,
                                       .local_networks = LOCALITY_DEFAULT,
                                       .payload_hashes = true,
                                       .tshark_version = "4.0.0",
                                       .plugin_version = "test",
                                       .recording = &recording};
    char *error = NULL;
    recorder *r = recorder_open(&options, &error);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    recorder_capture(r, NULL, NULL, "ether", 0, 100 * second);
    return r;
}

static void finish(recorder *r, const char *status)
{
    char *error = NULL;
    CU_ASSERT_TRUE(recorder_finish(r, status, &error));
    CU_ASSERT_PTR_NULL(error);
}

/* From 10.0.0.1:40000 to 8.8.4.4:1883, or back. */
static void send(recorder *r, uint32_t number, uint32_t stream, uint16_t flags, uint32_t sequence,
                 uint32_t payload)
{
    struct packet_facts facts;
    memset(&facts, 0, sizeof facts);
    facts.number = number;
    facts.time_ns = 100 * second + number;
    facts.frame_bytes = 54 + payload;
    facts.ip_bytes = 40 + payload;
    facts.payload_bytes = payload;
    facts.payload = (const uint8_t *)"the same payload";
    facts.payload_captured = payload > 0 ? 16 : 0;
    facts.ip_protocol = 6;
    facts.protocol = "tcp";
    facts.tcp_flags = flags;
    facts.tcp_sequence = sequence;
    facts.flow.transport = CLASSIFY_TCP;
    facts.flow.has_stream = facts.flow.is_numbered = true;
    facts.flow.stream = stream;
    facts.flow.source = (struct packet_address){4, {10, 0, 0, 1}};
    facts.flow.destination = (struct packet_address){4, {8, 8, 4, 4}};
    facts.flow.source_port = 40000;
    facts.flow.destination_port = 1883;
    facts.outer_source = facts.flow.source;
    facts.outer_destination = facts.flow.destination;
    CU_ASSERT_TRUE(recorder_packet(r, &facts));
}

enum { SYN = 0x02, ACK = 0x10 };

/* The worked example of sequence.h, with a new file (and another stream number) after each line. */
static void test_a_connection_over_files(void)
{
    static const struct {
        uint16_t flags;
        uint32_t sequence, payload, again;
    } lines[] = {{SYN, 1000, 0, 0},     {ACK, 1001, 500, 0},   {ACK, 2001, 500, 0},
                 {ACK, 1001, 500, 500}, {ACK, 1401, 400, 100}, {ACK, 1801, 900, 500}};
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *name = g_strdup_printf("file%zu", i);
        recorder *r = open_file(name, i == 0 ? 0 : 1);
        send(r, 1, (uint32_t)(7 * i), lines[i].flags, lines[i].sequence, lines[i].payload);
        finish(r, "complete");
        g_autofree char *sql =
            g_strdup_printf("SELECT retransmitted_bytes FROM packet WHERE id = %zu", i + 1);
        CU_ASSERT_EQUAL(ask(sql), lines[i].again);
    }
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations"), 1);
    CU_ASSERT_EQUAL(ask("SELECT packets_ab FROM conversations"), 6);
    CU_ASSERT_EQUAL(ask("SELECT retransmitted_bytes FROM conversations"), 1100);
    CU_ASSERT_EQUAL(ask("SELECT sum(continued) FROM watch_file"), 5);
    CU_ASSERT_EQUAL(ask("SELECT count(DISTINCT payload_hash) FROM packet"), 1);
    CU_ASSERT_EQUAL(ask("SELECT sum(number) FROM packets"), 6);
    CU_ASSERT_EQUAL(ask("SELECT packets FROM captures WHERE status = 'interrupted'"), 6);
    files_remove();
}

/* Two streams of one file have the same ends: Wireshark says that they are two. */
static void test_streams_of_one_file(void)
{
    recorder *r = open_file("a", 0);
    send(r, 1, 0, SYN, 1000, 0);
    send(r, 2, 1, SYN, 5000, 0);
    send(r, 3, 0, ACK, 1001, 10);
    finish(r, "complete");
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations"), 2);
    /* The next file goes on with the newer one; the SYN of a third begins a third. */
    r = open_file("b", 1);
    send(r, 1, 0, ACK, 5001, 10);
    send(r, 2, 1, SYN, 9000, 0);
    finish(r, "complete");
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM conversations"), 3);
    CU_ASSERT_EQUAL(ask("SELECT packets_ab FROM conversations WHERE id = 1"), 2);
    CU_ASSERT_EQUAL(ask("SELECT packets_ab FROM conversations WHERE id = 2"), 2);
    r = open_file("c", 1);
    send(r, 1, 0, SYN, 9000, 0);
    send(r, 2, 5, SYN, 11000, 0);
    finish(r, "complete");
    CU_ASSERT_EQUAL(ask("SELECT packets_ab FROM conversations WHERE id = 3"), 2);
    CU_ASSERT_EQUAL(ask("SELECT packets_ab FROM conversations WHERE id = 4"), 1);
    files_remove();
}

/* A file is recorded whole or not at all, and once. */
static void test_a_file_that_breaks_off(void)
{
    recorder *r = open_file("a", 0);
    send(r, 1, 0, ACK, 1001, 10);
    finish(r, "complete");
    r = open_file("b", 1);
    for (uint32_t i = 1; i < 30000; i++)
        send(r, i, 0, ACK, 1001 + 10 * i, 10);
    finish(r, "interrupted");
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM packet"), 1);
    CU_ASSERT_EQUAL(ask("SELECT packets_ab FROM conversations"), 1);
    CU_ASSERT_EQUAL(ask("SELECT count(*) FROM watch_file"), 1);
    r = open_file("b", 1);
    send(r, 1, 0, ACK, 1001, 10);
    finish(r, "complete");
    CU_ASSERT_EQUAL(ask("SELECT sum(retransmitted_bytes) FROM packet"), 10);
    struct schema_recording recording = {
        .watch = "eth1", .file = (char *)"b", .capture = 1, .report = -1};
    struct recorder_options options = {.database = path,
                                       .local_networks = LOCALITY_DEFAULT,
                                       .tshark_version = "4.0.0",
                                       .plugin_version = "test",
                                       .recording = &recording};
    char *error = NULL;
    CU_ASSERT_PTR_NULL(recorder_open(&options, &error));
    CU_ASSERT_PTR_NOT_NULL(error);
    g_free(error);
    files_remove();
}

int main(void)
{
    CU_TestInfo tests[] = {{"bytes and back", test_bytes_and_back},
                           {"broken bytes", test_broken_bytes},
                           {"a connection over files", test_a_connection_over_files},
                           {"streams of one file", test_streams_of_one_file},
                           {"a file that breaks off", test_a_file_that_breaks_off},
                           CU_TEST_INFO_NULL};
    CU_SuiteInfo suites[] = {{"carry", folder_make, folder_remove, NULL, NULL, tests},
                             CU_SUITE_INFO_NULL};
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return 1;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures > 0;
}
