/* fuzz_read.c
 * Every iterator of fieldedge.h, and a query on every view.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz_read.h"

enum { ROWS_MAX = 3000, TIMEOUT_MS = 200 };

/* Reads an iterator to its end, or ROWS_MAX rows of it; check looks at a row. */
#define READ_ALL(Type, prefix, create, check)                                                      \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        Type##s *iterator = create;                                                                \
        const Type *row;                                                                           \
        FUZZ_CHECK((iterator == NULL) == (error != NULL));                                         \
        for (int i = 0; iterator != NULL && i < ROWS_MAX; i++) {                                   \
            row = prefix##_next(iterator, &error);                                                 \
            if (row == NULL)                                                                       \
                break;                                                                             \
            FUZZ_CHECK(error == NULL);                                                             \
            check;                                                                                 \
        }                                                                                          \
        prefix##_free(iterator);                                                                   \
        fuzz_check_error(error, name);                                                             \
    } while (0)

static void check_gaps(const FieldEdgeGaps *gaps)
{
    FUZZ_CHECK(gaps->count >= 0);
    FUZZ_CHECK(gaps->mean_ns >= FIELDEDGE_NONE && gaps->median_ns >= FIELDEDGE_NONE);
    FUZZ_CHECK(gaps->stdev_ns >= FIELDEDGE_NONE && gaps->mad_ns >= FIELDEDGE_NONE);
    FUZZ_CHECK(gaps->min_ns <= gaps->max_ns);
}

static void check_interval(const FieldEdgeInterval *interval)
{
    fuzz_check_text(interval->host_a);
    fuzz_check_text(interval->application);
    FUZZ_CHECK(interval->first_ns <= interval->last_ns);
    FUZZ_CHECK(interval->size_low <= interval->size_high);
    check_gaps(&interval->gaps);
}

static void check_pair(const FieldEdgePair *pair)
{
    fuzz_check_text(pair->host_a);
    fuzz_check_text(pair->name_b);
    for (const char *const *name = pair->applications; *name != NULL; name++)
        fuzz_check_text(*name);
    for (guint i = 1; i < pair->conversations; i++)
        FUZZ_CHECK(pair->start_times_ns[i - 1] <= pair->start_times_ns[i]);
    for (guint i = 0; i < pair->interval_count; i++)
        check_interval(&pair->intervals[i]);
    for (guint i = 0; i < pair->verdict_count; i++)
        fuzz_check_text(pair->verdicts[i].verdict);
    check_gaps(&pair->starts);
}

static void check_group(const FieldEdgePeriodGroup *group)
{
    fuzz_check_text(group->application);
    FUZZ_CHECK(group->score >= 0 && group->score <= 1);
    FUZZ_CHECK(group->period_count <= FIELDEDGE_MOST_PERIODS);
    for (guint i = 0; i < group->period_count; i++)
        FUZZ_CHECK(group->periods[i].period_ns > 0);
}

static void check_conversation(const FieldEdgeConversation *conversation)
{
    fuzz_check_text(conversation->host_a);
    fuzz_check_text(conversation->server_name);
    for (guint i = 0; i < conversation->verdict_count; i++)
        fuzz_check_text(conversation->verdicts[i].verdict);
}

static void read_selected(FieldEdgeDatabase *database, const char *name,
                          const FieldEdgeSelection *selection)
{
    static const FieldEdgeTolerance tolerance = {.share = 0.05};

    READ_ALL(FieldEdgeCapture, fieldedge_captures,
             fieldedge_captures_new(database, selection, &error), fuzz_check_text(row->file));
    READ_ALL(FieldEdgeTotal, fieldedge_totals, fieldedge_totals_new(database, selection, &error),
             fuzz_check_text(row->application));
    READ_ALL(FieldEdgeAccount, fieldedge_accounts,
             fieldedge_accounts_new(database, selection, &error), fuzz_check_text(row->account));
    READ_ALL(FieldEdgeHost, fieldedge_hosts, fieldedge_hosts_new(database, selection, &error),
             fuzz_check_text(row->name));
    READ_ALL(FieldEdgeSeriesTotal, fieldedge_series_totals,
             fieldedge_series_totals_new(database, selection, NULL, &error),
             fuzz_check_text(row->name));
    READ_ALL(FieldEdgePair, fieldedge_pairs,
             fieldedge_pairs_new(database, selection,
                                 FIELDEDGE_WITH_INTERVALS | FIELDEDGE_WITH_VERDICTS, &error),
             check_pair(row));
    READ_ALL(FieldEdgeConversation, fieldedge_conversations,
             fieldedge_conversations_new(database, selection, TRUE, &error),
             check_conversation(row));
    READ_ALL(FieldEdgeInterval, fieldedge_intervals,
             fieldedge_intervals_new(database, selection, &tolerance, &error), check_interval(row));
    READ_ALL(FieldEdgePeriodGroup, fieldedge_period_groups,
             fieldedge_period_groups_new(database, selection, NULL, &error), check_group(row));
}

static void read_series(FieldEdgeDatabase *database, const char *name,
                        const FieldEdgeSelection *selection, const FieldEdgeSeriesOptions *options)
{
    GError *error = NULL;
    FieldEdgeSeries *series = fieldedge_series_new(database, selection, options, &error);
    const FieldEdgePoint *point;
    gint64 last = G_MININT64;
    guint group = 0;
    bool is_bad = false;

    for (int i = 0; series != NULL && i < ROWS_MAX; i++) {
        point = fieldedge_series_next(series, &error);
        if (point == NULL)
            break;
        fuzz_check_text(point->name);
        FUZZ_CHECK(point->group >= group);
        if (point->group == group && point->is_bad == is_bad)
            FUZZ_CHECK(point->time_ns >= last);
        group = point->group;
        last = point->time_ns;
        is_bad = point->is_bad;
    }
    fieldedge_series_free(series);
    fuzz_check_error(error, name);
}

static void query_view(FieldEdgeDatabase *database, const char *name, const char *view)
{
    g_autofree char *sql = g_strdup_printf("SELECT * FROM %s", view);
    GError *error = NULL;
    FieldEdgeQuery *query = fieldedge_query_new(database, sql, TIMEOUT_MS, &error);
    const FieldEdgeValue *row;

    for (int i = 0; query != NULL && i < ROWS_MAX; i++) {
        row = fieldedge_query_next(query, &error);
        if (row == NULL)
            break;
        for (guint k = 0; k < fieldedge_query_get_column_count(query); k++) {
            if (row[k].type == FIELDEDGE_VALUE_TEXT)
                fuzz_check_text(row[k].text);
        }
    }
    fieldedge_query_free(query);
    fuzz_check_error(error, name);
}

void fuzz_read_iterators(FieldEdgeDatabase *database, const char *name)
{
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    static const FieldEdgeSeriesOptions binned = {.by = FIELDEDGE_BY_HOST_PAIR |
                                                        FIELDEDGE_BY_SERVER_NAME,
                                                  .measure = FIELDEDGE_BYTES_IP,
                                                  .bin_ns = 3600 * G_GINT64_CONSTANT(1000000000),
                                                  .split_bad = TRUE};

    read_selected(database, name, NULL);
    read_series(database, name, NULL, NULL);
    fieldedge_selection_set_scope(selection, FIELDEDGE_SCOPE_ALL);
    fieldedge_selection_set_capture(selection, 1);
    read_selected(database, name, selection);
    read_series(database, name, selection, &binned);
}

void fuzz_read_views(FieldEdgeDatabase *database, const char *name)
{
    guint count;
    const FieldEdgeSchemaTable *tables = fieldedge_schema_tables(&count);

    for (guint i = 0; i < count && tables[i].is_view; i++)
        query_view(database, name, tables[i].name);
}
