/* intervals.c
 * How often packets of one size come: per host pair, direction, application and size group.
 *
 * Example: frames of 60 bytes at 0, 1, 3 and 7 s: gaps 1, 2, 4: mean 2.333333333, median 2, MAD 1
 * s. With a tolerance of 4 bytes, sizes 60, 62, 64, 66 and 70 are two groups, 60 to 64 and 66
 * to 70.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "intervals.h"

#include "groups.h"
#include "results.h"
#include "statistics.h"

struct intervals_workspace {
    gint64 *times;
    gint64 *scratch;
    guint room;
};

struct intervals_workspace *intervals_workspace_new(void)
{
    return g_new0(struct intervals_workspace, 1);
}

void intervals_workspace_free(struct intervals_workspace *workspace)
{
    if (workspace == NULL)
        return;
    g_free(workspace->times);
    g_free(workspace->scratch);
    g_free(workspace);
}

static void make_room(struct intervals_workspace *workspace, guint count)
{
    if (count <= workspace->room)
        return;
    workspace->room = MAX(count, 2 * workspace->room);
    workspace->times = g_renew(gint64, workspace->times, workspace->room);
    workspace->scratch = g_renew(gint64, workspace->scratch, workspace->room);
}

void intervals_of_bundle(struct intervals_workspace *workspace, const struct bundle *bundle,
                         const struct bundle_split *split, const char *application, GArray *rows)
{
    for (guint i = 0; i < split->part_count; i++) {
        const struct bundle_part *part = &split->parts[i];
        const guint32 *order = split->order + part->first;

        make_room(workspace, part->count);
        for (guint k = 0; k < part->count; k++)
            workspace->times[k] = bundle->packets[order[k]].time_ns;
        const FieldEdgeInterval row = {
            .direction = part->is_ba ? FIELDEDGE_DIRECTION_BA : FIELDEDGE_DIRECTION_AB,
            .application = application,
            .size_low = part->size_low,
            .size_high = part->size_high,
            .packets = part->count,
            .first_ns = workspace->times[0],
            .last_ns = workspace->times[part->count - 1],
            .gaps = statistics_gaps(workspace->times, part->count, workspace->scratch),
        };
        g_array_append_val(rows, row);
    }
}

const char *fieldedge_direction_name(FieldEdgeDirection direction)
{
    static const char *const names[] = {"AB", "BA", "both"};

    return direction <= FIELDEDGE_DIRECTION_BOTH ? names[direction] : "both";
}

/* ---- The public iterator: computed, or read from the result tables ---- */

struct _FieldEdgeIntervals {
    struct groups *groups;              /* NULL: stored */
    const struct groups_result *result; /* the stream whose rows are being handed out */
    guint next;                         /* of its rows */
    struct results_intervals *stored;
    FieldEdgeInterval row;
};

FieldEdgeIntervals *fieldedge_intervals_new(FieldEdgeDatabase *database,
                                            const FieldEdgeSelection *selection,
                                            const FieldEdgeTolerance *tolerance, GError **error)
{
    g_return_val_if_fail(database != NULL, NULL);

    g_autoptr(FieldEdgeIntervals) intervals = g_new0(FieldEdgeIntervals, 1);
    bool is_stored;

    if (!results_are_current(database, selection, tolerance, &is_stored, error))
        return NULL;
    if (is_stored)
        intervals->stored = results_intervals_new(database, selection, error);
    else
        intervals->groups = groups_new(database, selection, tolerance, GROUPS_INTERVALS, error);
    if (intervals->stored == NULL && intervals->groups == NULL)
        return NULL;
    return g_steal_pointer(&intervals);
}

const FieldEdgeInterval *fieldedge_intervals_next(FieldEdgeIntervals *intervals, GError **error)
{
    if (intervals->stored != NULL)
        return results_intervals_next(intervals->stored, error);
    while (intervals->result == NULL || intervals->next == intervals->result->interval_count) {
        intervals->result = groups_next(intervals->groups, error);
        intervals->next = 0;
        if (intervals->result == NULL)
            return NULL;
    }
    intervals->row = intervals->result->intervals[intervals->next++];
    intervals->row.host_a = intervals->result->hosts->host_a;
    intervals->row.host_b = intervals->result->hosts->host_b;
    return &intervals->row;
}

void fieldedge_intervals_free(FieldEdgeIntervals *intervals)
{
    if (intervals == NULL)
        return;
    groups_free(intervals->groups);
    results_intervals_free(intervals->stored);
    g_free(intervals);
}
