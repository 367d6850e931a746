/* plot_data.c
 * See plot_data.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plot_data.h"

#include <string.h>

/* ---- Bands ---- */

static void clear_band(void *data)
{
    struct plot_band *band = data;

    g_free(band->name);
    g_free(band->bytes);
}

static int larger_first(const void *left, const void *right)
{
    const struct plot_band *a = left, *b = right;

    return a->total != b->total ? (a->total < b->total ? 1 : -1) : g_strcmp0(a->name, b->name);
}

static bool read_totals(struct plot *plot, GError **error)
{
    g_autoptr(FieldEdgeSeriesTotals) totals =
        fieldedge_series_totals_new(plot->database, plot->selection, &plot->options, error);
    GError *problem = NULL;
    const FieldEdgeSeriesTotal *row;

    if (totals == NULL)
        return false;
    while ((row = fieldedge_series_totals_next(totals, &problem)) != NULL) {
        struct plot_band band = {.name = g_strdup(row->name), .total = row->bytes};
        plot->first_ns = plot->bands->len == 0 ? row->first_ns : MIN(plot->first_ns, row->first_ns);
        plot->last_ns = plot->bands->len == 0 ? row->last_ns : MAX(plot->last_ns, row->last_ns);
        plot->total += row->bytes;
        g_array_append_val(plot->bands, band);
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static void join_others(struct plot *plot, guint most)
{
    guint count = plot->bands->len;
    gint64 total = 0;

    if (count <= most + 1)
        return;
    for (guint i = most; i < count; i++)
        total += g_array_index(plot->bands, struct plot_band, i).total;
    g_array_set_size(plot->bands, most);
    g_array_set_size(plot->bands, most + 1);
    g_array_index(plot->bands, struct plot_band, most) = (struct plot_band){
        .name = g_strdup_printf("%u others", count - most), .total = total, .is_other = true};
}

bool plot_bands(struct plot *plot, guint64 most, GError **error)
{
    plot->bands = g_array_new(FALSE, TRUE, sizeof(struct plot_band));
    g_array_set_clear_func(plot->bands, clear_band);
    if (!read_totals(plot, error))
        return false;
    g_array_sort(plot->bands, larger_first);
    join_others(plot, (guint)MIN(most, G_MAXUINT - 1));
    return true;
}

gint64 plot_span(const struct plot *plot)
{
    return plot->last_ns - plot->first_ns;
}

/* ---- Bins ---- */

static struct plot_band *band_of(struct plot *plot, GHashTable *places, const char *name)
{
    gpointer place = NULL;

    if (!g_hash_table_lookup_extended(places, name, NULL, &place))
        place = GUINT_TO_POINTER(plot->bands->len - 1); /* the others */
    return &g_array_index(plot->bands, struct plot_band, GPOINTER_TO_UINT(place));
}

static GHashTable *find_places(const struct plot *plot)
{
    GHashTable *places = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < plot->bands->len; i++) {
        const struct plot_band *band = &g_array_index(plot->bands, struct plot_band, i);
        if (!band->is_other)
            g_hash_table_insert(places, band->name, GUINT_TO_POINTER(i));
    }
    return places;
}

static gint64 whole(gint64 time_ns, gint64 bin_ns)
{
    return time_ns / bin_ns - (time_ns % bin_ns < 0);
}

/* Bins while they are read: one to spare at each end, as those of days begin up to an hour earlier
 * or later once clocks have changed. */
struct bins {
    gint64 begin_ns;
    size_t count;
    size_t first; /* of those that hold something */
    size_t last;
};

/* That a bin begins at a_bin_ns tells where all are. */
static bool lay_out(struct plot *plot, gint64 a_bin_ns, size_t most, struct bins *bins,
                    GError **error)
{
    gint64 bin_ns = plot->options.bin_ns;
    gint64 begin_ns = a_bin_ns + whole(plot->first_ns - a_bin_ns, bin_ns) * bin_ns;
    gint64 count = whole(plot->last_ns - begin_ns, bin_ns) + 1;

    if ((guint64)count > most) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: there would be %" G_GINT64_FORMAT
                    " bins, and no more than %zu can be drawn: make --bin longer",
                    plot->path, count, most);
        return false;
    }
    *bins = (struct bins){begin_ns - bin_ns, (size_t)count + 2, (size_t)count + 1, 0};
    for (guint i = 0; i < plot->bands->len; i++)
        g_array_index(plot->bands, struct plot_band, i).bytes = g_new0(double, bins->count);
    return true;
}

/* A bin that begins a little earlier or later goes where most of it is. */
static void add_point(struct plot *plot, struct bins *bins, struct plot_band *band,
                      const FieldEdgePoint *point)
{
    gint64 bin_ns = plot->options.bin_ns;
    gint64 number = whole(point->time_ns - bins->begin_ns + bin_ns / 2, bin_ns);
    size_t bin = (size_t)CLAMP(number, 0, (gint64)bins->count - 1);

    band->bytes[bin] += (double)point->bytes;
    if (bin <= bins->first)
        plot->begin_ns = point->time_ns;
    bins->first = MIN(bins->first, bin);
    bins->last = MAX(bins->last, bin);
}

static void drop_spare(struct plot *plot, const struct bins *bins)
{
    plot->bins = bins->last - bins->first + 1;
    for (guint i = 0; i < plot->bands->len; i++) {
        double *bytes = g_array_index(plot->bands, struct plot_band, i).bytes;
        memmove(bytes, bytes + bins->first, plot->bins * sizeof *bytes);
    }
}

bool plot_bins(struct plot *plot, size_t most, GError **error)
{
    g_autoptr(GHashTable) places = find_places(plot);
    g_autoptr(FieldEdgeSeries) series =
        fieldedge_series_new(plot->database, plot->selection, &plot->options, error);
    struct bins bins = {0};
    GError *problem = NULL;
    const FieldEdgePoint *point;

    if (series == NULL)
        return false;
    while ((point = fieldedge_series_next(series, &problem)) != NULL) {
        if (bins.count == 0 && !lay_out(plot, point->time_ns, most, &bins, error))
            return false;
        add_point(plot, &bins, band_of(plot, places, point->name), point);
    }
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (bins.count > 0)
        drop_spare(plot, &bins);
    return true;
}

/* ---- Periods ---- */

static void clear_period(void *data)
{
    struct plot_period *period = data;

    g_free(period->application);
    g_free(period->host_a);
    g_free(period->host_b);
}

static int costlier_first(const void *left, const void *right)
{
    const struct plot_period *a = left, *b = right;

    return (a->cost < b->cost) - (a->cost > b->cost);
}

static void add_period(GArray *periods, const FieldEdgePeriodGroup *group)
{
    const FieldEdgePeriod *best = &group->periods[0];
    struct plot_period period = {
        .application = g_strdup(group->application),
        .host_a = g_strdup(group->host_a),
        .host_b = g_strdup(group->host_b),
        .direction = group->direction,
        .size_low = group->size_low,
        .size_high = group->size_high,
        .period = *best,
        .cost = best->bytes_explained * (double)group->ip_bytes,
    };

    g_array_append_val(periods, period);
}

bool plot_periods(struct plot *plot, GError **error)
{
    g_autoptr(FieldEdgePeriodGroups) groups =
        fieldedge_period_groups_new(plot->database, plot->selection, NULL, error);
    GError *problem = NULL;
    const FieldEdgePeriodGroup *group;

    plot->periods = g_array_new(FALSE, FALSE, sizeof(struct plot_period));
    g_array_set_clear_func(plot->periods, clear_period);
    if (groups == NULL)
        return false;
    while ((group = fieldedge_period_groups_next(groups, &problem)) != NULL) {
        if (group->verdict == FIELDEDGE_PERIODIC && group->period_count > 0 && !group->is_repeat)
            add_period(plot->periods, group);
    }
    g_array_sort(plot->periods, costlier_first);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

void plot_clear(struct plot *plot)
{
    g_clear_pointer(&plot->bands, g_array_unref);
    g_clear_pointer(&plot->periods, g_array_unref);
}
