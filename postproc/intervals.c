/* intervals.c
 * How often packets of one size come: per host pair, direction, application and exact frame size.
 *
 * Algorithm: the gaps between neighbours in time add up to (last - first), so their mean is
 * (last - first) / (packets - 1) and a group needs its first and last time and a count.  Packets
 * may come in any order.  One pass over the packets, in the order of the table, into a hash table
 * of groups: memory grows with the groups and the conversations, not with the packets.
 *
 * Example: frames of 60 bytes at 0, 1, 3 and 7 s: gaps 1, 2, 4, mean 7 / 3 = 2.333333333 s.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "intervals.h"

#include "pairs.h"

#include <stdlib.h>

/* What the packets of a conversation have in common. */
struct member {
    gint64 conversation;
    gint64 pair;
    gint64 base_ns;
    gint64 rank;     /* of the application's name */
    bool is_flipped; /* its host A is the pair's host B */
};

/* A group.  The first four are its key. */
struct group {
    gint64 pair;
    gint64 rank;
    gint64 frame_bytes;
    FieldEdgeDirection direction;
    gint64 packets;
    gint64 first_ns;
    gint64 last_ns;
};

struct intervals {
    GPtrArray *applications;
    gint64 *pairs; /* of each row, rising */
    FieldEdgeInterval *rows;
    guint count;
    guint next; /* row that intervals_of_pair() looks at first */
};

static guint group_hash(gconstpointer pointer)
{
    const struct group *group = pointer;
    guint64 hash = (guint64)group->pair * 0x9e3779b97f4a7c15u;

    hash ^= ((guint64)group->rank << 33) + (guint64)group->frame_bytes * 2 + group->direction;
    hash *= 0xff51afd7ed558ccdu;
    return (guint)(hash >> 32);
}

static gboolean group_equal(gconstpointer left, gconstpointer right)
{
    const struct group *a = left, *b = right;

    return a->frame_bytes == b->frame_bytes && a->pair == b->pair && a->rank == b->rank &&
           a->direction == b->direction;
}

static int compare(gint64 a, gint64 b)
{
    return (a > b) - (a < b);
}

static int group_compare(const void *left, const void *right)
{
    const struct group *a = *(struct group *const *)left, *b = *(struct group *const *)right;
    int order = compare(a->pair, b->pair);

    if (order == 0)
        order = compare(a->direction, b->direction);
    if (order == 0)
        order = compare(a->rank, b->rank);
    return order != 0 ? order : compare(a->frame_bytes, b->frame_bytes);
}

static int member_compare(const void *left, const void *right)
{
    const struct member *a = left, *b = right;

    return compare(a->conversation, b->conversation);
}

/* The selected conversations, by id. */
static GArray *load_members(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                            GError **error)
{
    static const char sql[] =
        "WITH " SQL_PAIRED "," SQL_RANKED
        "SELECT v.id, p.pair, c.base_ns, n.rank, v.host_a <> p.pair_a"
        "  FROM paired p JOIN conversation v ON v.id = p.id JOIN capture c ON c.id = v.capture"
        "  JOIN ranked n ON n.id = v.application ORDER BY v.id";
    g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(struct member));
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database, sql, selection, &problem);

    while (ok && cursor_step(&cursor, &problem)) {
        struct member member = {
            .conversation = column_int(&cursor, 0),
            .pair = column_int(&cursor, 1),
            .base_ns = column_int(&cursor, 2),
            .rank = column_int(&cursor, 3),
            .is_flipped = column_int(&cursor, 4) != 0,
        };
        g_array_append_val(members, member);
    }
    cursor_close(&cursor);
    if (problem == NULL)
        return g_steal_pointer(&members);
    g_propagate_error(error, problem);
    return NULL;
}

static void add_packet(GHashTable *groups, const struct group *packet)
{
    struct group *group = g_hash_table_lookup(groups, packet);

    if (group == NULL) {
        g_hash_table_add(groups, g_memdup2(packet, sizeof *packet));
        return;
    }
    group->packets++;
    group->first_ns = MIN(group->first_ns, packet->first_ns);
    group->last_ns = MAX(group->last_ns, packet->last_ns);
}

static bool read_packets(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                         const GArray *members, GHashTable *groups, GError **error)
{
    static const char sql[] = "SELECT p.conversation, p.frame_bytes, p.time, k.direction"
                              "  FROM packet p CROSS JOIN packet_kind k ON k.id = p.kind"
                              " WHERE p.id BETWEEN ?3 AND ?4";
    struct cursor cursor = {0};
    struct member key = {.conversation = -1}, *member = NULL;
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database, sql, selection, &problem);

    while (ok && cursor_step(&cursor, &problem)) {
        gint64 conversation = column_int(&cursor, 0);
        if (conversation != key.conversation) {
            key.conversation = conversation;
            member = members->len == 0 ? NULL
                                       : bsearch(&key, members->data, members->len,
                                                 sizeof(struct member), member_compare);
        }
        if (member == NULL)
            continue;
        gint64 time = time_add(member->base_ns, column_int(&cursor, 2));
        struct group packet = {
            .pair = member->pair,
            .rank = member->rank,
            .frame_bytes = column_int(&cursor, 1),
            .direction = (column_int(&cursor, 3) != 0) != member->is_flipped,
            .packets = 1,
            .first_ns = time,
            .last_ns = time,
        };
        add_packet(groups, &packet);
    }
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

gint64 intervals_mean(gint64 span, gint64 gaps)
{
    return (gint64)(((guint64)span + (guint64)gaps / 2) / (guint64)gaps);
}

/* The groups as sorted rows. */
static void make_rows(struct intervals *intervals, GHashTable *groups)
{
    g_autofree struct group **sorted =
        (struct group **)g_hash_table_get_keys_as_array(groups, &intervals->count);

    qsort(sorted, intervals->count, sizeof(gpointer), group_compare);
    intervals->pairs = g_new(gint64, intervals->count);
    intervals->rows = g_new(FieldEdgeInterval, intervals->count);
    for (guint i = 0; i < intervals->count; i++) {
        const struct group *group = sorted[i];
        gint64 span = time_span(group->last_ns, group->first_ns);

        intervals->pairs[i] = group->pair;
        intervals->rows[i] = (FieldEdgeInterval){
            .direction = group->direction,
            .application = g_ptr_array_index(intervals->applications, group->rank),
            .frame_bytes = group->frame_bytes,
            .packets = group->packets,
            .first_ns = group->first_ns,
            .last_ns = group->last_ns,
            .mean_ns =
                group->packets > 1 ? intervals_mean(span, group->packets - 1) : FIELDEDGE_NONE,
        };
    }
}

struct intervals *intervals_collect(FieldEdgeDatabase *database,
                                    const FieldEdgeSelection *selection, GError **error)
{
    g_autoptr(GHashTable) groups = g_hash_table_new_full(group_hash, group_equal, g_free, NULL);
    g_autoptr(GPtrArray) applications = database_application_names(database, error);
    g_autoptr(GArray) members = NULL;

    if (applications == NULL)
        return NULL;
    members = load_members(database, selection, error);
    if (members == NULL || !read_packets(database, selection, members, groups, error))
        return NULL;

    struct intervals *intervals = g_new0(struct intervals, 1);
    intervals->applications = g_steal_pointer(&applications);
    make_rows(intervals, groups);
    return intervals;
}

const FieldEdgeInterval *intervals_of_pair(struct intervals *intervals, gint64 pair, guint *count)
{
    while (intervals->next < intervals->count && intervals->pairs[intervals->next] < pair)
        intervals->next++;

    guint first = intervals->next;
    while (intervals->next < intervals->count && intervals->pairs[intervals->next] == pair)
        intervals->next++;
    *count = intervals->next - first;
    return intervals->rows + first;
}

void intervals_free(struct intervals *intervals)
{
    if (intervals == NULL)
        return;
    g_ptr_array_unref(intervals->applications);
    g_free(intervals->pairs);
    g_free(intervals->rows);
    g_free(intervals);
}
