/* series.c
 * Points (time, bytes) by application.
 *
 * The packets are read in the order of the table and sorted by SQLite, which keeps a bounded part
 * in memory and the rest in temporary files.  They are sorted by the rank of the application's
 * name, a small integer, rather than by the name: half the bytes to sort.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "database.h"

struct _FieldEdgeSeries {
    struct cursor cursor;
    GPtrArray *applications; /* names by rank */
    gint64 rank;             /* of the current point, -1 before the first */
    FieldEdgePoint row;
};

/* The expression of each measure for a packet p, in the order of FieldEdgeBytes. */
static const char *const packet_bytes[] = {
    "p.frame_bytes",
    "p.frame_bytes - p.link_bytes",
    "p.payload_bytes",
};

/* The same for a conversation. */
static const char *const conversation_bytes[] = {
    "v.frame_bytes_ab + v.frame_bytes_ba",
    "v.ip_bytes_ab + v.ip_bytes_ba",
    "v.payload_bytes_ab + v.payload_bytes_ba",
};

FieldEdgeSeries *fieldedge_series_new(FieldEdgeDatabase *database,
                                      const FieldEdgeSelection *selection, FieldEdgeBytes measure,
                                      GError **error)
{
    g_return_val_if_fail(measure < G_N_ELEMENTS(packet_bytes), NULL);

    g_autoptr(FieldEdgeSeries) series = g_new0(FieldEdgeSeries, 1);
    g_autofree char *sql =
        g_strdup_printf("WITH " SQL_RANKED ","
                        " selected AS MATERIALIZED"
                        "  (SELECT v.id, n.rank, c.base_ns"
                        "     FROM conversation v JOIN capture c ON c.id = v.capture"
                        "     JOIN ranked n ON n.id = v.application WHERE " SQL_SELECTED ")"
                        "SELECT s.rank, s.base_ns + p.time, %s"
                        "  FROM packet p CROSS JOIN selected s ON s.id = p.conversation"
                        " WHERE p.id BETWEEN ?3 AND ?4 ORDER BY 1, 2, p.id",
                        packet_bytes[measure]);

    series->rank = -1;
    series->applications = database_application_names(database, error);
    if (series->applications == NULL ||
        !cursor_open(&series->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&series);
}

const FieldEdgePoint *fieldedge_series_next(FieldEdgeSeries *series, GError **error)
{
    FieldEdgePoint *row = &series->row;

    if (!cursor_step(&series->cursor, error))
        return NULL;

    gint64 rank = column_int(&series->cursor, 0);
    if (rank != series->rank) {
        row->group = series->rank < 0 ? 0 : row->group + 1;
        row->application = g_ptr_array_index(series->applications, rank);
        series->rank = rank;
    }
    row->time_ns = column_int(&series->cursor, 1);
    row->bytes = column_int(&series->cursor, 2);
    return row;
}

void fieldedge_series_free(FieldEdgeSeries *series)
{
    if (series == NULL)
        return;
    cursor_close(&series->cursor);
    g_clear_pointer(&series->applications, g_ptr_array_unref);
    g_free(series);
}

struct _FieldEdgeSeriesTotals {
    struct cursor cursor;
    FieldEdgeSeriesTotal row;
};

FieldEdgeSeriesTotals *fieldedge_series_totals_new(FieldEdgeDatabase *database,
                                                   const FieldEdgeSelection *selection,
                                                   FieldEdgeBytes measure, GError **error)
{
    g_return_val_if_fail(measure < G_N_ELEMENTS(conversation_bytes), NULL);

    g_autoptr(FieldEdgeSeriesTotals) totals = g_new0(FieldEdgeSeriesTotals, 1);
    g_autofree char *sql =
        g_strdup_printf("SELECT n.name, sum(v.packets_ab + v.packets_ba), sum(%s),"
                        "       min(v.started_ns), max(v.ended_ns)"
                        "  FROM conversation v JOIN application n ON n.id = v.application"
                        " WHERE " SQL_SELECTED " GROUP BY n.name ORDER BY n.name",
                        conversation_bytes[measure]);

    if (!cursor_open(&totals->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&totals);
}

const FieldEdgeSeriesTotal *fieldedge_series_totals_next(FieldEdgeSeriesTotals *totals,
                                                         GError **error)
{
    struct cursor *cursor = &totals->cursor;

    if (!cursor_step(cursor, error))
        return NULL;
    totals->row = (FieldEdgeSeriesTotal){
        .application = column_text(cursor, 0),
        .points = column_int(cursor, 1),
        .bytes = column_int(cursor, 2),
        .first_ns = column_int(cursor, 3),
        .last_ns = column_int(cursor, 4),
    };
    return &totals->row;
}

void fieldedge_series_totals_free(FieldEdgeSeriesTotals *totals)
{
    if (totals == NULL)
        return;
    cursor_close(&totals->cursor);
    g_free(totals);
}
