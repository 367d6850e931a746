/* test_postproc_filter.c: which conversations filters and windows select
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "test_postproc_fixture.h"

#include "filter.h"

#include <string.h>

/* 1: 10.0.0.1:4000 to 10.0.0.7:1883 TCP_Z     2: 10.0.0.2:4000 to 10.0.0.7:53 TCP_A, UDP
 * 3: 10.0.0.3 to 10.0.0.8 UDP_M, without ports, server API.example.com
 * 4: 10.0.0.1:5001 to 10.0.0.8:443 TCP_Z, server x, y "z"
 * Each has packets at its number of seconds and ten later.  Host 8 is called Gateway.Example. */
static sqlite3 *make_database(void)
{
    sqlite3 *db = fixture_new(":memory:");

    fixture_capture(db, 1, 0);
    fixture_conversation(db, 1, 1, 1, 7, 1, 0);
    fixture_conversation(db, 2, 1, 2, 7, 2, 0);
    fixture_conversation(db, 3, 1, 3, 8, 3, 0);
    fixture_conversation(db, 4, 1, 1, 8, 1, 0);
    fixture_exec(db, "UPDATE conversation SET port_a = 4000, port_b = 1883 WHERE id = 1;"
                     "UPDATE conversation SET port_a = 4000, port_b = 53, transport = 'UDP'"
                     " WHERE id = 2;"
                     "UPDATE conversation SET server_name = 'API.example.com' WHERE id = 3;"
                     "UPDATE conversation SET port_a = 5001, port_b = 443,"
                     " server_name = 'x, y' WHERE id = 4;"
                     "UPDATE host SET name = 'Gateway.Example' WHERE id = 8;"
                     "INSERT INTO application VALUES (9, 'UDP_DNS')");
    for (int i = 1; i <= 4; i++) {
        fixture_packet(db, i, i * SECOND, KIND_AB, 60 + i);
        fixture_packet(db, i, (i + 10) * SECOND, i == 2 ? KIND_BAD : KIND_BA, 100);
    }
    fixture_sums(db);
    return db;
}

/* Ids of the selected conversations with blanks between. */
static char *selected(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                      GError **error)
{
    g_autoptr(FieldEdgeConversations) rows =
        fieldedge_conversations_new(database, selection, FALSE, error);
    g_autoptr(GString) ids = g_string_new(NULL);
    const FieldEdgeConversation *row;

    if (rows == NULL)
        return NULL;
    while ((row = fieldedge_conversations_next(rows, error)) != NULL)
        g_string_append_printf(ids, "%s%" G_GINT64_FORMAT, ids->len > 0 ? " " : "", row->id);
    return g_strdup(ids->str);
}

static void check(FieldEdgeDatabase *database, const char *filter, const char *expected)
{
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *ids = NULL;

    if (fieldedge_selection_add_filter(selection, filter, &error))
        ids = selected(database, selection, &error);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_STRING_EQUAL(ids == NULL ? "" : ids, expected);
    if (g_strcmp0(ids, expected) != 0)
        printf("\n%s: %s\n", filter, error == NULL ? ids : error->message);
}

static void test_each_key(void)
{
    static const struct {
        const char *filter, *expected;
    } cases[] = {
        {"", "1 2 3 4"},
        {"application=TCP_Z", "1 4"},
        {"application=tcp_z", "1 4"},
        {"application=TCP_Z,UDP_M", "1 3 4"},
        {"application=TCP_*", "1 2 4"},
        {"application=???_[AM]", "2 3"},
        {"application!=TCP_Z", "2 3"},
        {"application!=TCP_*,UDP_M", ""},
        {"application=UDP_DNS", ""},
        {"application=NONE*", ""},
        {"host=10.0.0.1", "1 4"},
        {"host=10.0.0.7,10.0.0.3", "1 2 3"},
        {"host=10.0.0.0/29", "1 2 3 4"},
        {"host=10.0.0.8/29", "3 4"},
        {"host!=10.0.0.8/29", "1 2"},
        {"host=::/0", ""},
        {"host=gateway.example", "3 4"},
        {"host=GATE*", "3 4"},
        {"host!=gate*", "1 2"},
        {"port=4000", "1 2"},
        {"port=50-500", "2 4"},
        {"port!=53", "1 3 4"},
        {"port=0-65535", "1 2 4"},
        {"port!=0-65535", "3"},
        {"transport=udp", "2"},
        {"transport!=UDP", "1 3 4"},
        {"server=api.example.com", "3"},
        {"server=*.EXAMPLE.com", "3"},
        {"server=*", "3 4"},
        {"server!=*", "1 2"},
        {"server=\"x, y\"", "4"},
        {"server=x\",\"\" \"y", "4"},
        {"conversation=2,3", "2 3"},
        {"conversation!=2", "1 3 4"},
        {"conversation=77", ""},
        /* selection.h's example, and several terms */
        {"host=10.0.0.7 port!=53", "1"},
        {"HOST=10.0.0.7 and\tPort!=53", "1"},
        {"  application=TCP_Z   host=10.0.0.8  ", "4"},
        {"application=TCP_Z application!=TCP_Z", ""},
    };
    sqlite3 *db = make_database();
    FieldEdgeDatabase *database = fixture_read(db);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check(database, cases[i].filter, cases[i].expected);
    fieldedge_database_close(database);
    sqlite3_close(db);
}

static void test_several_filters_narrow(void)
{
    sqlite3 *db = make_database();
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
        CU_ASSERT_TRUE(fieldedge_selection_add_filter(selection, "host=10.0.0.7", NULL));
        CU_ASSERT_FALSE(fieldedge_selection_add_filter(selection, "port=53 port=x", NULL));
        g_autofree char *both = selected(database, selection, NULL);
        CU_ASSERT_STRING_EQUAL(both, "1 2"); /* what failed added nothing */
        CU_ASSERT_TRUE(fieldedge_selection_add_filter(selection, "port=53,1 transport=UDP", NULL));
        g_autofree char *one = selected(database, selection, NULL);
        CU_ASSERT_STRING_EQUAL(one, "2");
    }
    sqlite3_close(db);
}

static void test_windows(void)
{
    static const struct {
        const char *filter, *expected;
    } cases[] = {
        {"time=2..3", "2 3"},
        {"time=2.000000001..3", "3"},
        {"time=2..2.999999999", "2"},
        {"time=..2", "1 2"},
        {"time=13..", "3 4"},
        {"time=3..+1s", "3"},
        {"time=3..+1.000000001s", "3 4"},
        {"time=1970-01-01T00:00:04Z", "4"},
        {"time=1970-01-01", "1 2 3 4"},
        {"time=1970-01-01T00:00..1970-01-01T00:00", "1 2 3 4"},
        {"time=1970-01-02..", ""},
        {"time=1..12 time=4..20", "1 2 4"},
        {"time=2..3 host=10.0.0.3", "3"},
    };
    sqlite3 *db = make_database();
    FieldEdgeDatabase *database = fixture_read(db);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check(database, cases[i].filter, cases[i].expected);
    fieldedge_database_close(database);
    sqlite3_close(db);
}

/* Every figure of a row is of the window. */
static void test_sums_are_those_of_the_window(void)
{
    sqlite3 *db = make_database();
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
        CU_ASSERT_TRUE(fieldedge_selection_set_window(selection, 2 * SECOND, 12 * SECOND));
        CU_ASSERT_FALSE(fieldedge_selection_set_window(selection, 13 * SECOND, 14 * SECOND));
        g_autoptr(FieldEdgeConversations) rows =
            fieldedge_conversations_new(database, selection, TRUE, NULL);
        const FieldEdgeConversation *row = fieldedge_conversations_next(rows, NULL);
        REQUIRE(row); /* 1: its second packet */
        CU_ASSERT_EQUAL(row->packets_ab, 0);
        CU_ASSERT_EQUAL(row->packets_ba, 1);
        CU_ASSERT_EQUAL(row->frame_bytes_ab, 0);
        CU_ASSERT_EQUAL(row->frame_bytes_ba, 100);
        CU_ASSERT_EQUAL(row->ip_bytes_ba, 86);
        CU_ASSERT_EQUAL(row->payload_bytes_ba, 20);
        CU_ASSERT_EQUAL(row->overhead_bytes, 66);
        CU_ASSERT_EQUAL(row->started_ns, 11 * SECOND);
        CU_ASSERT_EQUAL(row->duration_ns, 0);
        row = fieldedge_conversations_next(rows, NULL);
        REQUIRE(row); /* 2: both, the second is bad */
        CU_ASSERT_EQUAL(row->packets_ab, 2);
        CU_ASSERT_EQUAL(row->frame_bytes_ab, 162);
        CU_ASSERT_EQUAL(row->ip_bytes_ab, 134);
        CU_ASSERT_EQUAL(row->bad_packets, 1);
        CU_ASSERT_EQUAL(row->bad_bytes, 100);
        CU_ASSERT_EQUAL(row->retransmission_bytes, 100);
        CU_ASSERT_EQUAL_FATAL(row->verdict_count, 1);
        CU_ASSERT_STRING_EQUAL(row->verdicts[0].verdict, "retransmission");
        CU_ASSERT_EQUAL(row->duration_ns, 10 * SECOND);
    }
    sqlite3_close(db);
}

static void test_times_are_in_the_zone(void)
{
    sqlite3 *db = make_database();
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
        g_autoptr(GError) error = NULL;
        CU_ASSERT_TRUE(fieldedge_selection_set_time_zone(selection, "+02:00", NULL));
        CU_ASSERT_TRUE(
            fieldedge_selection_add_filter(selection, "time=\"1970-01-01 02:00:03\"", NULL));
        g_autofree char *ids = selected(database, selection, NULL);
        CU_ASSERT_STRING_EQUAL(ids, "3");
        CU_ASSERT_FALSE(fieldedge_selection_set_time_zone(selection, "Europe/Nowhere", &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "'Europe/Nowhere' is no time zone"));
    }
    sqlite3_close(db);
}

static void check_refused(const char *filter, const char *words)
{
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    g_autoptr(GError) error = NULL;

    CU_ASSERT_FALSE(fieldedge_selection_add_filter(selection, filter, &error));
    REQUIRE(error);
    CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT));
    CU_ASSERT(g_str_has_prefix(error->message, "filter: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, words));
    if (strstr(error->message, words) == NULL)
        printf("\n%.80s: %s\n", filter, error->message);
    CU_ASSERT_EQUAL(selection->conditions->len, 0);
    CU_ASSERT_EQUAL(selection->values->len, 0);
    CU_ASSERT_FALSE(selection->has_window);
}

static void test_refused(void)
{
    static const struct {
        const char *filter, *words;
    } cases[] = {
        {"hst=1", "there is no key 'hst': choose application, host"},
        {"1883", "'1883' is no KEY=VALUE"},
        {"=x", "is no KEY=VALUE"},
        {"application", "is no KEY=VALUE"},
        {"application!TCP", "is no KEY=VALUE"},
        {"application TCP_Z", "is no KEY=VALUE"},
        {"application=", "a value is empty"},
        {"application=\"\"", "a value is empty"},
        {"application=A,", "a value is empty"},
        {"application=A, B", "a value is empty"},
        {"server=\"x", "a quotation mark is not closed"},
        {"port=65536", "'65536' is no port"},
        {"port=9-8", "no range of ports"},
        {"host=10.0.0.1/8", "did you mean 10.0.0.0/8?"},
        {"host=10.0.0", "is no address or network"},
        {"transport=TPC", "there is no transport 'TPC': choose TCP"},
        {"conversation=x", "'x' is no number of a conversation"},
        {"conversation=0", "'0' is no number of a conversation"},
        {"time!=1970", "no '!='"},
        {"time=1,2", "one time or one range"},
        {"time=yesterday", "'yesterday' is no time"},
        {"time=5..4", "ends before it begins"},
        {"time=5..5 time=6..6", "another one does not overlap it"},
        {"time=..+5m", "has no beginning to count from"},
        {"time=5..+x", "'x' is no length of time"},
        {"time=5..+0", "ends before it begins"},
        {"application=TCP_Z\xff", "not valid UTF-8"},
        {"application=TCP_Z hst=1", "there is no key 'hst'"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_refused(cases[i].filter, cases[i].words);
}

static void test_size_is_bounded(void)
{
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    g_autoptr(GString) filter = g_string_new("port=1");
    g_autoptr(GString) wide = g_string_new("host=h");
    sqlite3 *db = make_database();

    for (guint i = 2; i <= 200; i++)
        g_string_append_printf(filter, ",%u", i);
    CU_ASSERT_TRUE(fieldedge_selection_add_filter(selection, filter->str, NULL));
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autofree char *ids = selected(database, selection, NULL);
        CU_ASSERT_STRING_EQUAL(ids, "2");
    }
    for (guint i = 201; i <= 2000; i++)
        g_string_append_printf(filter, ",%u", i);
    check_refused(filter->str, "more than 500 values");
    for (guint i = 0; i < FILTER_LONGEST; i++)
        g_string_append_c(wide, 'h');
    check_refused(wide->str, "longer than 65536 bytes");
    sqlite3_close(db);
}

/* Values are data: nothing is selected, nothing happens. */
static void test_sql_in_values_is_text(void)
{
    static const char *const values[] = {"x') OR 1=1 --",
                                         "'; DROP TABLE packet; --",
                                         "x' OR '1'='1",
                                         "?10",
                                         "?1",
                                         ";a",
                                         "@chosen@",
                                         "\\",
                                         "%",
                                         "')) UNION SELECT 1 --"};
    static const char *const keys[] = {"server", "host", "application"};
    sqlite3 *db = make_database();
    FieldEdgeDatabase *database = fixture_read(db);

    for (size_t k = 0; k < G_N_ELEMENTS(keys); k++) {
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
            g_autofree char *filter = g_strdup_printf("%s=\"%s*\"", keys[k], values[i]);
            check(database, filter, "");
        }
    }
    check(database, "", "1 2 3 4");
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    g_autoptr(GError) error = NULL;
    CU_ASSERT_TRUE(
        fieldedge_selection_add_filter(selection, "application=\"x') OR 1=1 --\"", NULL));
    g_autofree char *ids = selected(database, selection, &error);
    CU_ASSERT_PTR_NULL(ids);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "there is no application 'X') OR 1=1 --'"));
    fieldedge_database_close(database);
    sqlite3_close(db);
}

static void test_unknown_applications_get_near_names(void)
{
    sqlite3 *db = make_database();
    {
        g_autoptr(FieldEdgeDatabase) database = fixture_read(db);
        g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
        g_autoptr(GError) error = NULL;
        CU_ASSERT_TRUE(fieldedge_selection_add_filter(selection, "application=UDP_DSN", NULL));
        CU_ASSERT_PTR_NULL(fieldedge_totals_new(database, selection, &error));
        CU_ASSERT(g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT));
        CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "'UDP_DSN'; did you mean UDP_DNS"));
    }
    sqlite3_close(db);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"each key", test_each_key},
        {"several filters narrow", test_several_filters_narrow},
        {"windows", test_windows},
        {"sums are those of the window", test_sums_are_those_of_the_window},
        {"times are in the zone", test_times_are_in_the_zone},
        {"refused", test_refused},
        {"size is bounded", test_size_is_bounded},
        {"SQL in values is text", test_sql_in_values_is_text},
        {"unknown applications get near names", test_unknown_applications_get_near_names},
        CU_TEST_INFO_NULL,
    };

    return fixture_run("filter", tests);
}
