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

static void check_pair(const FieldEdgePair *pair)
{
    fuzz_check_text(pair->host_a);
    fuzz_check_text(pair->name_b);
    for (const char *const *name = pair->applications; *name != NULL; name++)
        fuzz_check_text(*name);
    for (guint i = 1; i < pair->conversations; i++)
        FUZZ_CHECK(pair->start_times_ns[i - 1] <= pair->start_times_ns[i]);
    for (guint i = 0; i < pair->interval_count; i++) {
        fuzz_check_text(pair->intervals[i].application);
        FUZZ_CHECK(pair->intervals[i].first_ns <= pair->intervals[i].last_ns);
        FUZZ_CHECK(pair->intervals[i].mean_ns >= FIELDEDGE_NONE);
    }
    FUZZ_CHECK(pair->repeat_mean_ns >= FIELDEDGE_NONE);
    FUZZ_CHECK(pair->repeat_stdev_ns >= FIELDEDGE_NONE);
}

static void read_selected(FieldEdgeDatabase *database, const char *name,
                          const FieldEdgeSelection *selection)
{
    READ_ALL(FieldEdgeCapture, fieldedge_captures,
             fieldedge_captures_new(database, selection, &error), fuzz_check_text(row->file));
    READ_ALL(FieldEdgeTotal, fieldedge_totals, fieldedge_totals_new(database, selection, &error),
             fuzz_check_text(row->application));
    READ_ALL(FieldEdgeAccount, fieldedge_accounts,
             fieldedge_accounts_new(database, selection, &error), fuzz_check_text(row->account));
    READ_ALL(FieldEdgeHost, fieldedge_hosts, fieldedge_hosts_new(database, selection, &error),
             fuzz_check_text(row->name));
    READ_ALL(FieldEdgeSeriesTotal, fieldedge_series_totals,
             fieldedge_series_totals_new(database, selection, FIELDEDGE_BYTES_IP, &error),
             fuzz_check_text(row->application));
    READ_ALL(FieldEdgePair, fieldedge_pairs, fieldedge_pairs_new(database, selection, TRUE, &error),
             check_pair(row));
}

static void read_series(FieldEdgeDatabase *database, const char *name,
                        const FieldEdgeSelection *selection, FieldEdgeBytes measure)
{
    GError *error = NULL;
    FieldEdgeSeries *series = fieldedge_series_new(database, selection, measure, &error);
    const FieldEdgePoint *point;
    gint64 last = G_MININT64;
    guint group = 0;

    for (int i = 0; series != NULL && i < ROWS_MAX; i++) {
        point = fieldedge_series_next(series, &error);
        if (point == NULL)
            break;
        fuzz_check_text(point->application);
        FUZZ_CHECK(point->group >= group && (point->group != group || point->time_ns >= last));
        group = point->group;
        last = point->time_ns;
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

void fuzz_read_all(FieldEdgeDatabase *database, const char *name)
{
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();
    const FieldEdgeSchemaTable *tables;
    guint count;

    read_selected(database, name, NULL);
    read_series(database, name, NULL, FIELDEDGE_BYTES_FRAME);
    fieldedge_selection_set_scope(selection, FIELDEDGE_SCOPE_ALL);
    fieldedge_selection_set_capture(selection, 1);
    read_selected(database, name, selection);
    read_series(database, name, selection, FIELDEDGE_BYTES_PAYLOAD);
    tables = fieldedge_schema_tables(&count);
    for (guint i = 0; i < count && tables[i].is_view; i++)
        query_view(database, name, tables[i].name);
}
