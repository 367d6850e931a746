/* series.c
 * Points (time, bytes) of applications, servers, hosts, pairs, conversations or directions.
 *
 * The packets are read in the order of the table and sorted by SQLite, which keeps a bounded part
 * in memory and the rest in temporary files.  They are sorted by the rank of the series' name, a
 * small integer with the direction and the bad packets below it, rather than by the name: half the
 * bytes to sort.  Bins are collected in one reading without a sort (series_cells.h); where they are
 * too many for that they are made of the sorted points as they pass.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bins.h"
#include "database.h"
#include "packets.h"
#include "series_cells.h"
#include "series_names.h"

#include <string.h>

/* The expression of each measure for a packet p, in the order of FieldEdgeBytes. */
static const char *const packet_bytes[] = {
    "p.frame_bytes",
    "p.frame_bytes - p.link_bytes",
    "p.payload_bytes",
};

/* ---- Points ---- */

/* A point of the cursor, before bins. */
struct raw_point {
    gint64 rank; /* of the name, shifted by SERIES_BITS, with direction and bad below */
    gint64 time_ns;
    gint64 bytes;
};

struct _FieldEdgeSeries {
    struct cursor cursor;
    struct series_names *names;
    GArray *cells; /* of struct series_cell; NULL: points come from the cursor */
    guint next_cell;
    struct bins bins; /* length 0: a point a packet */
    bool has_ahead;   /* ahead is the first point of the next bin */
    struct raw_point ahead;
    gint64 group_rank; /* of the current group, -1 before the first */
    FieldEdgePoint row;
};

/* FALSE only on an error. */
static bool collect_cells(FieldEdgeSeries *series, FieldEdgeDatabase *database,
                          const FieldEdgeSelection *selection,
                          const FieldEdgeSeriesOptions *options, GError **error)
{
    GError *problem = NULL;

    if (options->bin_ns == 0)
        return true;
    series->cells = series_cells_collect(database, selection, series->names, options,
                                         packet_bytes[options->measure], &problem);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

FieldEdgeSeries *fieldedge_series_new(FieldEdgeDatabase *database,
                                      const FieldEdgeSelection *selection,
                                      const FieldEdgeSeriesOptions *options, GError **error)
{
    static const FieldEdgeSeriesOptions defaults = {0};

    options = options != NULL ? options : &defaults;
    g_return_val_if_fail(database != NULL && options->measure < G_N_ELEMENTS(packet_bytes), NULL);
    g_return_val_if_fail(options->bin_ns >= 0, NULL);

    g_autoptr(FieldEdgeSeries) series = g_new0(FieldEdgeSeries, 1);
    g_autofree char *sql = series_names_points_sql(options, packet_bytes[options->measure]);

    selection = selection_or_default(selection);
    series->group_rank = -1;
    if (options->bin_ns > 0)
        series->bins = bins_make(options->bin_ns, selection->zone);
    series->names = series_names_load(database, selection, options->by, error);
    if (series->names == NULL || !collect_cells(series, database, selection, options, error))
        return NULL;
    if (series->cells == NULL && !cursor_open(&series->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&series);
}

static bool next_raw(FieldEdgeSeries *series, struct raw_point *point, GError **error)
{
    if (series->has_ahead) {
        series->has_ahead = false;
        *point = series->ahead;
        return true;
    }
    if (!cursor_step(&series->cursor, error))
        return false;
    *point = (struct raw_point){column_int(&series->cursor, 0), column_int(&series->cursor, 1),
                                column_int(&series->cursor, 2)};
    return true;
}

static void start_row(FieldEdgeSeries *series, const struct raw_point *point)
{
    FieldEdgePoint *row = &series->row;
    gint64 group_rank = point->rank >> 1;

    if (group_rank != series->group_rank) {
        row->group = series->group_rank < 0 ? 0 : row->group + 1;
        row->name = series_names_get(series->names, point->rank);
        series->group_rank = group_rank;
    }
    row->is_bad = (point->rank & 1) != 0;
    row->time_ns = point->time_ns;
    row->bytes = point->bytes;
    row->packets = 1;
}

static const FieldEdgePoint *next_cell(FieldEdgeSeries *series)
{
    const struct series_cell *cell;

    if (series->next_cell == series->cells->len)
        return NULL;
    cell = &g_array_index(series->cells, struct series_cell, series->next_cell++);
    start_row(series, &(struct raw_point){cell->rank, cell->begin_ns, cell->bytes});
    series->row.packets = cell->packets;
    return &series->row;
}

const FieldEdgePoint *fieldedge_series_next(FieldEdgeSeries *series, GError **error)
{
    FieldEdgePoint *row = &series->row;
    struct raw_point first, point;
    GError *problem = NULL;

    if (series->cells != NULL)
        return next_cell(series);
    if (!next_raw(series, &first, error))
        return NULL;
    start_row(series, &first);
    if (series->bins.length_ns == 0)
        return row;
    row->time_ns = bins_begin(&series->bins, first.time_ns);
    while (next_raw(series, &point, &problem)) {
        if (point.rank != first.rank || bins_begin(&series->bins, point.time_ns) != row->time_ns) {
            series->ahead = point;
            series->has_ahead = true;
            break;
        }
        row->bytes = time_add(row->bytes, point.bytes);
        row->packets++;
    }
    if (problem == NULL)
        return row;
    g_propagate_error(error, problem);
    return NULL;
}

void fieldedge_series_free(FieldEdgeSeries *series)
{
    if (series == NULL)
        return;
    cursor_close(&series->cursor);
    g_clear_pointer(&series->cells, g_array_unref);
    series_names_free(series->names);
    g_free(series);
}

/* ---- Totals ---- */

struct _FieldEdgeSeriesTotals {
    struct series_names *names;
    struct packet_kinds kinds;
    const FieldEdgeSelection *selection;
    bool by_direction;
    gint64 started_ns; /* of all series */
    gint64 ended_ns;
    FieldEdgeSeriesTotal *rows; /* by rank; those without packets are not handed out */
    gint64 count;
    gint64 next;
};

static void add_packet(FieldEdgeSeriesTotals *totals, gint64 rank, const struct packet_kind *kind,
                       gint64 time_ns, gint64 bytes)
{
    FieldEdgeSeriesTotal *row = &totals->rows[totals->by_direction ? 2 * rank + kind->is_ba : rank];
    double span = (double)totals->ended_ns - (double)totals->started_ns;
    double place = ((double)time_ns - (double)totals->started_ns) / MAX(span, 1);
    gint part = (gint)CLAMP(place * FIELDEDGE_SHAPE, 0, FIELDEDGE_SHAPE - 1);

    if (row->packets == 0)
        row->first_ns = row->last_ns = time_ns;
    row->first_ns = MIN(row->first_ns, time_ns);
    row->last_ns = MAX(row->last_ns, time_ns);
    row->packets++;
    row->bytes = time_add(row->bytes, bytes);
    row->shape[part] = time_add(row->shape[part], bytes);
    if (kind->is_bad) {
        row->bad_packets++;
        row->bad_bytes = time_add(row->bad_bytes, bytes);
    }
}

static bool take_packet(const struct packet_row *packet, gpointer data)
{
    FieldEdgeSeriesTotals *totals = data;
    const struct series_member *member = series_names_member(totals->names, packet->conversation);

    if (member == NULL)
        return true;

    gint64 time_ns = time_add(member->base_ns, packet->time);
    if (totals->selection->has_window &&
        (time_ns < totals->selection->from_ns || time_ns > totals->selection->to_ns))
        return true;
    const struct packet_kind *kind = packets_kind(&totals->kinds, packet->kind);
    add_packet(totals, member->rank, kind, time_ns, packet->first);
    if (member->other_rank >= 0)
        add_packet(totals, member->other_rank, kind, time_ns, packet->first);
    return true;
}

FieldEdgeSeriesTotals *fieldedge_series_totals_new(FieldEdgeDatabase *database,
                                                   const FieldEdgeSelection *selection,
                                                   const FieldEdgeSeriesOptions *options,
                                                   GError **error)
{
    static const FieldEdgeSeriesOptions defaults = {0};

    options = options != NULL ? options : &defaults;
    g_return_val_if_fail(database != NULL && options->measure < G_N_ELEMENTS(packet_bytes), NULL);

    g_autoptr(FieldEdgeSeriesTotals) totals = g_new0(FieldEdgeSeriesTotals, 1);

    totals->selection = selection_or_default(selection);
    totals->by_direction = (options->by & FIELDEDGE_BY_DIRECTION) != 0;
    totals->names = series_names_load(database, totals->selection, options->by, error);
    if (totals->names == NULL ||
        !series_names_load_members(totals->names, database, totals->selection, &totals->started_ns,
                                   &totals->ended_ns, error) ||
        !packets_kinds(database, &totals->kinds, error))
        return NULL;
    totals->count = series_names_count(totals->names) * (totals->by_direction ? 2 : 1);
    totals->rows = g_new0(FieldEdgeSeriesTotal, MAX(totals->count, 1));
    if (!packets_each(database, totals->selection, packet_bytes[options->measure], "0", take_packet,
                      totals, error))
        return NULL;
    return g_steal_pointer(&totals);
}

const FieldEdgeSeriesTotal *fieldedge_series_totals_next(FieldEdgeSeriesTotals *totals,
                                                         GError **error)
{
    (void)error;
    while (totals->next < totals->count) {
        gint64 place = totals->next++;
        FieldEdgeSeriesTotal *row = &totals->rows[place];

        if (row->packets == 0)
            continue;
        row->name =
            series_names_get(totals->names, place << (totals->by_direction ? 1 : SERIES_BITS));
        return row;
    }
    return NULL;
}

void fieldedge_series_totals_free(FieldEdgeSeriesTotals *totals)
{
    if (totals == NULL)
        return;
    series_names_free(totals->names);
    packets_kinds_clear(&totals->kinds);
    g_free(totals->rows);
    g_free(totals);
}
