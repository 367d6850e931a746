/* results.c
 * Reads the result tables; results.h explains, analyze.c writes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "results.h"

#include "schema/schema.h"

#include <string.h>

/* ---- Are they current? ---- */

/* The last packet's id is at the end of a B-tree: no scan. */
bool results_mark(FieldEdgeDatabase *database, struct results_mark *mark, GError **error)
{
    static const char sql[] = "SELECT count(*), ifnull(sum(packets), 0),"
                              "       ifnull((SELECT max(id) FROM packet), 0) FROM capture";
    struct cursor cursor = {0};
    GError *problem = NULL;

    if (cursor_open(&cursor, database, sql, NULL, &problem) && cursor_step(&cursor, &problem))
        *mark = (struct results_mark){column_int(&cursor, 0), column_int(&cursor, 1),
                                      column_int(&cursor, 2)};
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static bool has_stored_part(const FieldEdgeSelection *selection,
                            const FieldEdgeTolerance *tolerance, const struct results_mark *mark)
{
    FieldEdgeSelection whole = *selection;

    if (tolerance != NULL && (tolerance->bytes > 0 || tolerance->share > 0))
        return false;
    if (mark->captures == 1) /* which the selection's capture must be: others are refused */
        whole.capture = 0;
    return selection_is_whole(&whole) && selection->scope != FIELDEDGE_SCOPE_ALL;
}

bool results_are_current(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                         const FieldEdgeTolerance *tolerance, bool *is_current, GError **error)
{
    static const char sql[] = "SELECT schema_version, program_version, captures, packets,"
                              "       last_packet FROM analysis";
    struct results_mark mark = {0};
    struct cursor cursor = {0};
    GError *problem = NULL;

    *is_current = false;
    selection = selection_or_default(selection);
    if (!results_mark(database, &mark, error))
        return false;
    if (!has_stored_part(selection, tolerance, &mark))
        return true;
    if (cursor_open(&cursor, database, sql, selection, &problem) && cursor_step(&cursor, &problem))
        *is_current = column_int(&cursor, 0) == SCHEMA_VERSION &&
                      g_strcmp0(column_text(&cursor, 1), FIELDEDGE_VERSION) == 0 &&
                      column_int(&cursor, 2) == mark.captures &&
                      column_int(&cursor, 3) == mark.packets &&
                      column_int(&cursor, 4) == mark.last_packet;
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

/* ---- Intervals ---- */

struct results_intervals {
    struct cursor cursor;
    FieldEdgeInterval row;
};

struct results_intervals *results_intervals_new(FieldEdgeDatabase *database,
                                                const FieldEdgeSelection *selection, GError **error)
{
    static const char sql[] =
        "SELECT a.text, b.text, n.name, r.direction, r.frame_bytes, r.packets, r.first_ns,"
        "       r.last_ns, r.mean_ns, r.median_ns, r.stdev_ns, r.mad_ns, r.min_ns, r.max_ns"
        "  FROM result_interval r JOIN application n ON n.id = r.application"
        "  JOIN host a ON a.id = r.host_a JOIN host b ON b.id = r.host_b"
        " WHERE r.is_local = ?1 ORDER BY r.id";
    struct results_intervals *intervals = g_new0(struct results_intervals, 1);

    if (cursor_open(&intervals->cursor, database, sql, selection, error))
        return intervals;
    results_intervals_free(intervals);
    return NULL;
}

const FieldEdgeInterval *results_intervals_next(struct results_intervals *intervals, GError **error)
{
    struct cursor *cursor = &intervals->cursor;

    if (!cursor_step(cursor, error))
        return NULL;
    intervals->row = (FieldEdgeInterval){
        .host_a = column_text(cursor, 0),
        .host_b = column_text(cursor, 1),
        .application = column_text(cursor, 2),
        .direction = column_int(cursor, 3) != 0 ? FIELDEDGE_DIRECTION_BA : FIELDEDGE_DIRECTION_AB,
        .size_low = column_int(cursor, 4),
        .size_high = column_int(cursor, 4),
        .packets = column_int(cursor, 5),
        .first_ns = column_int(cursor, 6),
        .last_ns = column_int(cursor, 7),
        .gaps = {.count = MAX(column_int(cursor, 5) - 1, 0),
                 .mean_ns = column_int_or(cursor, 8, FIELDEDGE_NONE),
                 .median_ns = column_int_or(cursor, 9, FIELDEDGE_NONE),
                 .stdev_ns = column_int_or(cursor, 10, FIELDEDGE_NONE),
                 .mad_ns = column_int_or(cursor, 11, FIELDEDGE_NONE),
                 .min_ns = column_int_or(cursor, 12, FIELDEDGE_NONE),
                 .max_ns = column_int_or(cursor, 13, FIELDEDGE_NONE)},
    };
    return &intervals->row;
}

void results_intervals_free(struct results_intervals *intervals)
{
    if (intervals == NULL)
        return;
    cursor_close(&intervals->cursor);
    g_free(intervals);
}

/* ---- Periods ---- */

/* Both cursors rise by group; periods stands on the first period that is not handed out yet. */
struct results_periods {
    struct cursor groups;
    struct cursor periods;
    bool has_period;
    FieldEdgePeriodGroup row;
};

struct results_periods *results_periods_new(FieldEdgeDatabase *database,
                                            const FieldEdgeSelection *selection, GError **error)
{
    static const char groups_sql[] =
        "SELECT r.id, a.text, b.text, n.name, r.conversation, r.direction, r.frame_bytes,"
        "       r.events, r.cycles, r.ip_bytes, r.first_ns, r.last_ns, r.verdict, r.score,"
        "       r.p_value, r.is_repeat"
        "  FROM result_period_group r JOIN application n ON n.id = r.application"
        "  JOIN host a ON a.id = r.host_a JOIN host b ON b.id = r.host_b"
        " WHERE r.is_local = ?1 ORDER BY r.id";
    static const char periods_sql[] =
        "SELECT period_group, period_ns, low_ns, high_ns, jitter_ns, hit_rate, kind, score,"
        "       p_value, phase_ns, hits, first_ns, last_ns, bytes_per_cycle, events_explained,"
        "       bytes_explained, change_ns FROM result_period ORDER BY period_group, place";
    struct results_periods *periods = g_new0(struct results_periods, 1);
    GError *problem = NULL;

    if (cursor_open(&periods->groups, database, groups_sql, selection, &problem) &&
        cursor_open(&periods->periods, database, periods_sql, NULL, &problem))
        periods->has_period = cursor_step(&periods->periods, &problem);
    if (problem == NULL)
        return periods;
    g_propagate_error(error, problem);
    results_periods_free(periods);
    return NULL;
}

static double column_real(struct cursor *cursor, int column)
{
    return sqlite3_column_double(cursor->statement, column);
}

static FieldEdgePeriodicity verdict_of(const char *name)
{
    for (guint i = FIELDEDGE_NOT_PERIODIC; i <= FIELDEDGE_TOO_FEW_CYCLES; i++) {
        if (g_strcmp0(name, fieldedge_periodicity_name((FieldEdgePeriodicity)i)) == 0)
            return (FieldEdgePeriodicity)i;
    }
    return FIELDEDGE_NOT_PERIODIC;
}

static FieldEdgePeriod take_period(struct cursor *cursor)
{
    bool is_clock = g_strcmp0(column_text(cursor, 6), "clock") == 0;

    return (FieldEdgePeriod){
        .period_ns = column_int(cursor, 1),
        .low_ns = column_int(cursor, 2),
        .high_ns = column_int(cursor, 3),
        .jitter_ns = column_int(cursor, 4),
        .hit_rate = column_real(cursor, 5),
        .kind = is_clock ? FIELDEDGE_PERIOD_CLOCK : FIELDEDGE_PERIOD_SLEEP,
        .score = column_real(cursor, 7),
        .p_value = column_real(cursor, 8),
        .phase_ns = column_int(cursor, 9),
        .hits = column_int(cursor, 10),
        .first_ns = column_int(cursor, 11),
        .last_ns = column_int(cursor, 12),
        .bytes_per_cycle = column_real(cursor, 13),
        .events_explained = column_real(cursor, 14),
        .bytes_explained = column_real(cursor, 15),
        .has_change = sqlite3_column_type(cursor->statement, 16) != SQLITE_NULL,
        .change_ns = column_int(cursor, 16),
    };
}

/* Those of the group of this id; earlier ones are of groups that were not selected. */
static bool take_periods(struct results_periods *periods, gint64 group, GError **error)
{
    FieldEdgePeriodGroup *row = &periods->row;
    GError *problem = NULL;

    while (periods->has_period && column_int(&periods->periods, 0) <= group) {
        if (column_int(&periods->periods, 0) == group && row->period_count < FIELDEDGE_MOST_PERIODS)
            row->periods[row->period_count++] = take_period(&periods->periods);
        periods->has_period = cursor_step(&periods->periods, &problem);
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

const FieldEdgePeriodGroup *results_periods_next(struct results_periods *periods, GError **error)
{
    struct cursor *cursor = &periods->groups;

    if (!cursor_step(cursor, error))
        return NULL;
    periods->row = (FieldEdgePeriodGroup){
        .host_a = column_text(cursor, 1),
        .host_b = column_text(cursor, 2),
        .application = column_text(cursor, 3),
        .conversation = column_int_or(cursor, 4, FIELDEDGE_NONE),
        .direction = (FieldEdgeDirection)CLAMP(column_int(cursor, 5), FIELDEDGE_DIRECTION_AB,
                                               FIELDEDGE_DIRECTION_BOTH),
        .size_low = column_int_or(cursor, 6, FIELDEDGE_NONE),
        .size_high = column_int_or(cursor, 6, FIELDEDGE_NONE),
        .events = column_int(cursor, 7),
        .cycles = column_int(cursor, 8),
        .ip_bytes = column_int(cursor, 9),
        .first_ns = column_int(cursor, 10),
        .last_ns = column_int(cursor, 11),
        .verdict = verdict_of(column_text(cursor, 12)),
        .score = column_real(cursor, 13),
        .p_value = column_real(cursor, 14),
        .is_repeat = column_int(cursor, 15) != 0,
    };
    return take_periods(periods, column_int(cursor, 0), error) ? &periods->row : NULL;
}

void results_periods_free(struct results_periods *periods)
{
    if (periods == NULL)
        return;
    cursor_close(&periods->groups);
    cursor_close(&periods->periods);
    g_free(periods);
}
