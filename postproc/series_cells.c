/* series_cells.c
 * See series_cells.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "series_cells.h"

#include "bins.h"
#include "packets.h"

struct collecting {
    const FieldEdgeSelection *selection;
    const struct series_names *names;
    struct packet_kinds kinds;
    struct bins bins;
    bool by_direction, by_bad;
    GHashTable *cells; /* a set of struct series_cell, by rank and begin */
};

static guint cell_hash(gconstpointer pointer)
{
    const struct series_cell *cell = pointer;
    guint64 hash = (guint64)cell->rank * 0x9e3779b97f4a7c15u ^ (guint64)cell->begin_ns;

    return (guint)((hash * 0xff51afd7ed558ccdu) >> 32);
}

static gboolean cell_equal(gconstpointer left, gconstpointer right)
{
    const struct series_cell *a = left, *b = right;

    return a->rank == b->rank && a->begin_ns == b->begin_ns;
}

static bool add(struct collecting *collecting, gint64 rank, gint64 begin_ns, gint64 bytes)
{
    struct series_cell key = {rank, begin_ns, 0, 0};
    struct series_cell *cell = g_hash_table_lookup(collecting->cells, &key);

    if (cell == NULL) {
        if (g_hash_table_size(collecting->cells) == SERIES_MOST_CELLS)
            return false;
        cell = g_memdup2(&key, sizeof key);
        g_hash_table_add(collecting->cells, cell);
    }
    cell->bytes = time_add(cell->bytes, bytes);
    cell->packets++;
    return true;
}

static bool take_packet(const struct packet_row *packet, gpointer data)
{
    struct collecting *collecting = data;
    const FieldEdgeSelection *selection = collecting->selection;
    const struct series_member *member =
        series_names_member(collecting->names, packet->conversation);

    if (member == NULL)
        return true;

    gint64 time_ns = time_add(member->base_ns, packet->time);
    if (selection->has_window && (time_ns < selection->from_ns || time_ns > selection->to_ns))
        return true;
    const struct packet_kind *kind = packets_kind(&collecting->kinds, packet->kind);
    gint64 low = (collecting->by_direction && kind->is_ba ? 2 : 0) |
                 (collecting->by_bad && kind->is_bad ? 1 : 0);
    gint64 begin_ns = bins_begin(&collecting->bins, time_ns);

    return add(collecting, member->rank << SERIES_BITS | low, begin_ns, packet->first) &&
           (member->other_rank < 0 ||
            add(collecting, member->other_rank << SERIES_BITS | low, begin_ns, packet->first));
}

static int cell_compare(gconstpointer left, gconstpointer right)
{
    const struct series_cell *a = left, *b = right;

    if (a->rank != b->rank)
        return a->rank > b->rank ? 1 : -1;
    return (a->begin_ns > b->begin_ns) - (a->begin_ns < b->begin_ns);
}

static GArray *sorted_cells(GHashTable *cells)
{
    GArray *array =
        g_array_sized_new(FALSE, FALSE, sizeof(struct series_cell), g_hash_table_size(cells));
    GHashTableIter iterator;
    gpointer cell;

    g_hash_table_iter_init(&iterator, cells);
    while (g_hash_table_iter_next(&iterator, &cell, NULL))
        g_array_append_vals(array, cell, 1);
    g_array_sort(array, cell_compare);
    return array;
}

GArray *series_cells_collect(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                             struct series_names *names, const FieldEdgeSeriesOptions *options,
                             const char *bytes, GError **error)
{
    struct collecting collecting = {
        .selection = selection,
        .names = names,
        .bins = bins_make(options->bin_ns, selection->zone),
        .by_direction = (options->by & FIELDEDGE_BY_DIRECTION) != 0,
        .by_bad = options->split_bad,
    };
    GArray *result = NULL;
    gint64 started_ns, ended_ns;

    if (!series_names_load_members(names, database, selection, &started_ns, &ended_ns, error) ||
        !packets_kinds(database, &collecting.kinds, error))
        return NULL;
    collecting.cells = g_hash_table_new_full(cell_hash, cell_equal, g_free, NULL);
    if (packets_each(database, selection, bytes, "0", take_packet, &collecting, error))
        result = sorted_cells(collecting.cells);
    g_hash_table_unref(collecting.cells);
    packets_kinds_clear(&collecting.kinds);
    return result;
}
