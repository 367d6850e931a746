/* periods.c
 * The groups of a bundle and what periodicity.h says of each; periods.h explains which they are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "periods.h"

#include "database.h"
#include "groups.h"
#include "periodicity.h"
#include "results.h"

#include <math.h>
#include <stdlib.h>

#define SAME_PERIOD 0.03

struct periods_workspace {
    struct periodicity_workspace *detector;
    gint64 *times;
    gint64 *sizes;
    guint room;
    struct bundle part; /* packets of one conversation */
    struct bundle_split part_split;
    guint64 *by_member; /* member << 32 | place */
    guint member_room;
};

/* Where rows are appended, and what they have in common. */
struct target {
    struct periods_workspace *workspace;
    const struct bundle *bundle;
    const struct bundle_split *split;
    const struct pairing *pairing;
    const char *application;
    gint64 conversation;
    GArray *rows;
};

/* Rows of the wider groups, by FieldEdgeDirection; NO_ROW where there is none. */
struct wider {
    guint rows[3];
};
enum { NO_ROW = G_MAXINT };

struct periods_workspace *periods_workspace_new(void)
{
    struct periods_workspace *workspace = g_new0(struct periods_workspace, 1);

    workspace->detector = periodicity_workspace_new();
    return workspace;
}

void periods_workspace_free(struct periods_workspace *workspace)
{
    if (workspace == NULL)
        return;
    periodicity_workspace_free(workspace->detector);
    g_free(workspace->times);
    g_free(workspace->sizes);
    g_free(workspace->by_member);
    bundle_clear(&workspace->part);
    bundle_split_clear(&workspace->part_split);
    g_free(workspace);
}

/* ---- From the detector's words to fieldedge.h's ---- */

static gint64 to_ns(double seconds)
{
    double ns = seconds * 1e9;

    return ns >= 9.2e18 ? G_MAXINT64 : ns <= -9.2e18 ? G_MININT64 : (gint64)llround(ns);
}

static FieldEdgePeriod to_period(const struct periodicity_period *found)
{
    return (FieldEdgePeriod){
        .period_ns = to_ns(found->period_s),
        .low_ns = to_ns(found->low_s),
        .high_ns = to_ns(found->high_s),
        .jitter_ns = to_ns(found->jitter_s),
        .hit_rate = found->hit_rate,
        .kind = found->kind == PERIODICITY_CLOCK ? FIELDEDGE_PERIOD_CLOCK : FIELDEDGE_PERIOD_SLEEP,
        .score = found->score,
        .p_value = found->p_value,
        .phase_ns = found->phase_ns,
        .hits = found->hits,
        .first_ns = found->first_ns,
        .last_ns = found->last_ns,
        .bytes_per_cycle = found->bytes_per_cycle,
        .events_explained = found->events_explained,
        .bytes_explained = found->bytes_explained,
        .has_change = found->has_change,
        .change_ns = found->has_change ? found->change_ns : 0,
    };
}

static void take_answer(FieldEdgePeriodGroup *row, const struct periodicity *answer)
{
    static const FieldEdgePeriodicity verdicts[] = {
        [PERIODICITY_NOT_PERIODIC] = FIELDEDGE_NOT_PERIODIC,
        [PERIODICITY_PERIODIC] = FIELDEDGE_PERIODIC,
        [PERIODICITY_TOO_FEW_CYCLES] = FIELDEDGE_TOO_FEW_CYCLES,
    };

    row->verdict = verdicts[answer->verdict];
    row->cycles = answer->cycles;
    row->score = answer->score;
    row->p_value = answer->p_value;
    row->period_count = answer->count;
    for (guint i = 0; i < answer->count; i++)
        row->periods[i] = to_period(&answer->periods[i]);
}

/* ---- Groups ---- */

static void make_room(struct periods_workspace *workspace, guint count)
{
    if (count <= workspace->room)
        return;
    workspace->room = MAX(count, 2 * workspace->room);
    workspace->times = g_renew(gint64, workspace->times, workspace->room);
    workspace->sizes = g_renew(gint64, workspace->sizes, workspace->room);
}

/* The packets of a direction, or of a part (whose places are order), into the workspace. */
static guint gather(const struct target *target, FieldEdgeDirection direction,
                    const struct bundle_part *part)
{
    struct periods_workspace *workspace = target->workspace;
    const guint32 *order = part == NULL ? NULL : target->split->order + part->first;
    guint count = part == NULL ? target->bundle->count : part->count, kept = 0;

    make_room(workspace, count);
    for (guint i = 0; i < count; i++) {
        const struct bundle_packet *packet = &target->bundle->packets[order == NULL ? i : order[i]];

        if (packet->is_retransmission || (direction == FIELDEDGE_DIRECTION_AB && packet->is_ba) ||
            (direction == FIELDEDGE_DIRECTION_BA && !packet->is_ba))
            continue;
        workspace->times[kept] = packet->time_ns;
        workspace->sizes[kept++] = packet->ip_bytes;
    }
    return kept;
}

/* Appends the row of a group; same is a row of the same packets, or NO_ROW.  Returns the new row's
 * place, NO_ROW if the group has fewer than two packets. */
static guint add_group(const struct target *target, FieldEdgeDirection direction,
                       const struct bundle_part *part, guint wider)
{
    struct periods_workspace *workspace = target->workspace;
    guint count = gather(target, direction, part);
    FieldEdgePeriodGroup row;
    struct periodicity answer;

    if (count < 2)
        return NO_ROW;
    if (wider != NO_ROW &&
        g_array_index(target->rows, FieldEdgePeriodGroup, wider).events == count) {
        row = g_array_index(target->rows, FieldEdgePeriodGroup, wider); /* the very same packets */
    } else {
        row = (FieldEdgePeriodGroup){.application = target->application,
                                     .conversation = target->conversation,
                                     .events = count,
                                     .first_ns = workspace->times[0],
                                     .last_ns = workspace->times[count - 1]};
        for (guint i = 0; i < count; i++)
            row.ip_bytes += workspace->sizes[i];
        periodicity_detect(workspace->detector, workspace->times, workspace->sizes, count,
                           target->pairing->started_ns, target->pairing->ended_ns, &answer);
        take_answer(&row, &answer);
    }
    row.direction = direction;
    row.size_low = part == NULL ? FIELDEDGE_NONE : part->size_low;
    row.size_high = part == NULL ? FIELDEDGE_NONE : part->size_high;
    g_array_append_val(target->rows, row);
    return target->rows->len - 1;
}

/* ---- What says nothing new ---- */

static FieldEdgePeriodGroup *row_at(const struct target *target, guint place)
{
    return &g_array_index(target->rows, FieldEdgePeriodGroup, place);
}

static bool has_period(const FieldEdgePeriodGroup *group, gint64 period_ns)
{
    for (guint i = 0; i < group->period_count; i++) {
        double ratio = (double)period_ns / (double)MAX(group->periods[i].period_ns, 1);

        if (ratio > 1 - SAME_PERIOD && ratio < 1 + SAME_PERIOD)
            return true;
    }
    return false;
}

/* Has this wider group of other packets all periods of the group? */
static bool says_all(const FieldEdgePeriodGroup *wider, const FieldEdgePeriodGroup *group)
{
    if (wider->verdict != FIELDEDGE_PERIODIC || wider->events == group->events)
        return false;
    for (guint i = 0; i < group->period_count; i++) {
        if (!has_period(wider, group->periods[i].period_ns))
            return false;
    }
    return true;
}

static void judge(const struct target *target, guint place, const struct wider *wider)
{
    FieldEdgePeriodGroup *row = row_at(target, place);

    if (row->verdict != FIELDEDGE_PERIODIC)
        row->is_repeat = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(wider->rows) && !row->is_repeat; i++) {
        guint other = wider->rows[i];

        if (other == NO_ROW || other == place)
            continue;
        if (row_at(target, other)->direction != FIELDEDGE_DIRECTION_BOTH &&
            row_at(target, other)->direction != row->direction)
            continue;
        row->is_repeat = says_all(row_at(target, other), row);
    }
}

/* A wider row that the narrower one replaces, as it has the same packets. */
static void replace(const struct target *target, guint wide, guint narrow)
{
    if (wide != NO_ROW && narrow != NO_ROW &&
        row_at(target, wide)->events == row_at(target, narrow)->events)
        row_at(target, wide)->is_repeat = TRUE;
}

/* ---- All groups of a bundle ---- */

static void add_groups(const struct target *target, const struct wider *above, struct wider *own)
{
    guint first_part = 0;

    for (guint i = 0; i < G_N_ELEMENTS(own->rows); i++)
        own->rows[i] = NO_ROW;
    own->rows[FIELDEDGE_DIRECTION_BOTH] = add_group(target, FIELDEDGE_DIRECTION_BOTH, NULL, NO_ROW);
    if (own->rows[FIELDEDGE_DIRECTION_BOTH] == NO_ROW)
        return;
    for (guint d = FIELDEDGE_DIRECTION_AB; d <= FIELDEDGE_DIRECTION_BA; d++)
        own->rows[d] =
            add_group(target, (FieldEdgeDirection)d, NULL, own->rows[FIELDEDGE_DIRECTION_BOTH]);
    first_part = target->rows->len;
    for (guint i = 0; i < target->split->part_count; i++) {
        const struct bundle_part *part = &target->split->parts[i];
        FieldEdgeDirection direction =
            part->is_ba ? FIELDEDGE_DIRECTION_BA : FIELDEDGE_DIRECTION_AB;
        guint place = add_group(target, direction, part, own->rows[direction]);

        replace(target, own->rows[direction], place);
    }
    for (guint d = FIELDEDGE_DIRECTION_AB; d <= FIELDEDGE_DIRECTION_BA; d++)
        replace(target, own->rows[FIELDEDGE_DIRECTION_BOTH], own->rows[d]);
    for (guint place = first_part; place < target->rows->len; place++)
        judge(target, place, own);
    for (guint d = FIELDEDGE_DIRECTION_AB; d <= FIELDEDGE_DIRECTION_BA; d++) {
        if (own->rows[d] != NO_ROW)
            judge(target, own->rows[d], own);
    }
    judge(target, own->rows[FIELDEDGE_DIRECTION_BOTH], own);
    if (above == NULL)
        return;
    for (guint place = own->rows[FIELDEDGE_DIRECTION_BOTH]; place < target->rows->len; place++)
        judge(target, place, above);
}

static int key_compare(const void *left, const void *right)
{
    guint64 a = *(const guint64 *)left, b = *(const guint64 *)right;

    return (a > b) - (a < b);
}

/* The packets of one conversation, keys[0 .. count - 1], as a bundle of their own. */
static void add_conversation(const struct target *all, const guint64 *keys, guint count,
                             const struct wider *above)
{
    struct periods_workspace *workspace = all->workspace;
    struct bundle *part = &workspace->part;
    struct wider own;
    struct target target = *all;

    if (part->room < count) {
        part->room = MAX(count, 2 * part->room);
        part->packets = g_renew(struct bundle_packet, part->packets, part->room);
    }
    part->count = count;
    for (guint i = 0; i < count; i++)
        part->packets[i] = all->bundle->packets[keys[i] & G_MAXUINT32];
    bundle_split(&workspace->part_split, part, all->split->tolerance, all->split->tolerance_share);
    target.bundle = part;
    target.split = &workspace->part_split;
    target.conversation = all->pairing->members[keys[0] >> 32].id;
    add_groups(&target, above, &own);
}

/* Where a conversation's keys end. */
static guint end_of_member(const guint64 *keys, guint count, guint from)
{
    guint end = from;

    while (end < count && keys[end] >> 32 == keys[from] >> 32)
        end++;
    return end;
}

static void add_conversations(const struct target *all, const struct wider *above)
{
    struct periods_workspace *workspace = all->workspace;
    const struct bundle *bundle = all->bundle;
    guint long_ones = 0;

    if (workspace->member_room < bundle->count) {
        workspace->member_room = MAX(bundle->count, 2 * workspace->member_room);
        workspace->by_member = g_renew(guint64, workspace->by_member, workspace->member_room);
    }
    guint64 *keys = workspace->by_member;
    if (bundle->count == 0)
        return;
    for (guint i = 0; i < bundle->count; i++)
        keys[i] = (guint64)bundle->packets[i].member << 32 | i;
    qsort(keys, bundle->count, sizeof *keys, key_compare);
    for (guint from = 0, end; from < bundle->count; from = end) {
        end = end_of_member(keys, bundle->count, from);
        long_ones += end - from >= PERIODS_CONVERSATION;
    }
    if (long_ones < 2)
        return;
    for (guint from = 0, end; from < bundle->count; from = end) {
        end = end_of_member(keys, bundle->count, from);
        if (end - from >= PERIODS_CONVERSATION)
            add_conversation(all, keys + from, end - from, above);
    }
}

static bool has_one_member(const struct bundle *bundle)
{
    for (guint i = 1; i < bundle->count; i++) {
        if (bundle->packets[i].member != bundle->packets[0].member)
            return false;
    }
    return true;
}

void periods_of_bundle(struct periods_workspace *workspace, const struct bundle *bundle,
                       const struct bundle_split *split, const struct pairing *pairing,
                       const char *application, GArray *rows)
{
    const struct target target = {workspace,   bundle,         split, pairing,
                                  application, FIELDEDGE_NONE, rows};
    struct wider own;

    add_groups(&target, NULL, &own);
    if (bundle->count >= 2 * PERIODS_CONVERSATION && !has_one_member(bundle))
        add_conversations(&target, &own);
}

const char *fieldedge_periodicity_name(FieldEdgePeriodicity verdict)
{
    static const char *const names[] = {"not periodic", "periodic", "too few cycles"};

    return verdict <= FIELDEDGE_TOO_FEW_CYCLES ? names[verdict] : names[0];
}

const char *fieldedge_period_kind_name(FieldEdgePeriodKind kind)
{
    return kind == FIELDEDGE_PERIOD_CLOCK ? "clock" : "sleep";
}

/* ---- The public iterator: computed, or read from the result tables ---- */

struct _FieldEdgePeriodGroups {
    struct groups *groups;              /* NULL: stored */
    const struct groups_result *result; /* the stream whose rows are being handed out */
    guint next;                         /* of its rows */
    struct results_periods *stored;
    FieldEdgePeriodGroup row;
};

FieldEdgePeriodGroups *fieldedge_period_groups_new(FieldEdgeDatabase *database,
                                                   const FieldEdgeSelection *selection,
                                                   const FieldEdgeTolerance *tolerance,
                                                   GError **error)
{
    g_return_val_if_fail(database != NULL, NULL);

    g_autoptr(FieldEdgePeriodGroups) groups = g_new0(FieldEdgePeriodGroups, 1);
    bool is_stored;

    if (!results_are_current(database, selection, tolerance, &is_stored, error))
        return NULL;
    if (is_stored)
        groups->stored = results_periods_new(database, selection, error);
    else
        groups->groups = groups_new(database, selection, tolerance, GROUPS_PERIODS, error);
    if (groups->stored == NULL && groups->groups == NULL)
        return NULL;
    return g_steal_pointer(&groups);
}

const FieldEdgePeriodGroup *fieldedge_period_groups_next(FieldEdgePeriodGroups *groups,
                                                         GError **error)
{
    if (groups->stored != NULL)
        return results_periods_next(groups->stored, error);
    while (groups->result == NULL || groups->next == groups->result->period_count) {
        groups->result = groups_next(groups->groups, error);
        groups->next = 0;
        if (groups->result == NULL)
            return NULL;
    }
    groups->row = groups->result->periods[groups->next++];
    groups->row.host_a = groups->result->hosts->host_a;
    groups->row.host_b = groups->result->hosts->host_b;
    return &groups->row;
}

void fieldedge_period_groups_free(FieldEdgePeriodGroups *groups)
{
    if (groups == NULL)
        return;
    groups_free(groups->groups);
    results_periods_free(groups->stored);
    g_free(groups);
}
