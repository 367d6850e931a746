/* conversations.c
 * Host pairs: all conversations between two hosts put together.
 *
 * Algorithm: the conversations come sorted by pair (pairs.h), within a pair by start; each *_next()
 * adds up the rows of one pair and stops at the first row of the next, which waits in the cursor.
 * Memory: one pair's start times and applications, and the groups of intervals.c.
 *
 * Repeats: start times 0, 10, 25 and 47.9 s have the gaps 10, 15 and 22.9: mean 15.966666667,
 * sample standard deviation 6.504101270.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "database.h"
#include "intervals.h"
#include "pairs.h"

#include <math.h>

struct _FieldEdgePairs {
    struct cursor cursor;
    bool has_row;                /* the cursor stands on the first conversation of the next pair */
    struct intervals *intervals; /* NULL if not asked for */

    FieldEdgePair row;
    char *texts[4];          /* owners of the row's hosts and names */
    GPtrArray *applications; /* NULL-terminated between calls */
    GHashTable *seen;        /* the same as a set; borrows the strings */
    GArray *start_times;
};

/* Columns of the statement in fieldedge_pairs_new(). */
enum {
    PAIR,
    IS_FLIPPED,
    TEXT_A,
    TEXT_B,
    NAME_A,
    NAME_B,
    APPLICATION,
    STARTED,
    ENDED,
    PACKETS_AB,
    PACKETS_BA,
    FRAME_AB,
    FRAME_BA,
    IP_AB,
    IP_BA,
    PAYLOAD,
    BAD_PACKETS,
    BAD_BYTES,
    RETRANSMISSIONS,
    RETRANSMISSION_BYTES,
    RETRANSMITTED_BYTES
};

FieldEdgePairs *fieldedge_pairs_new(FieldEdgeDatabase *database,
                                    const FieldEdgeSelection *selection, gboolean with_intervals,
                                    GError **error)
{
    static const char sql[] =
        "WITH " SQL_PAIRED
        "SELECT p.pair, v.host_a <> p.pair_a, a.text, b.text, a.name, b.name, n.name,"
        "       v.started_ns, v.ended_ns, v.packets_ab, v.packets_ba, v.frame_bytes_ab,"
        "       v.frame_bytes_ba, v.ip_bytes_ab, v.ip_bytes_ba,"
        "       v.payload_bytes_ab + v.payload_bytes_ba, v.bad_packets, v.bad_bytes,"
        "       v.retransmissions, v.retransmission_bytes, v.retransmitted_bytes"
        "  FROM paired p JOIN conversation v ON v.id = p.id JOIN application n"
        "    ON n.id = v.application JOIN host a ON a.id = p.pair_a JOIN host b ON b.id = p.pair_b"
        " ORDER BY p.pair, v.started_ns, v.id";
    g_autoptr(FieldEdgePairs) pairs = g_new0(FieldEdgePairs, 1);
    GError *problem = NULL;

    pairs->applications = g_ptr_array_new_with_free_func(g_free);
    pairs->seen = g_hash_table_new(g_str_hash, g_str_equal);
    pairs->start_times = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (with_intervals) {
        pairs->intervals = intervals_collect(database, selection, error);
        if (pairs->intervals == NULL)
            return NULL;
    }
    if (!cursor_open(&pairs->cursor, database, sql, selection, error))
        return NULL;
    pairs->has_row = cursor_step(&pairs->cursor, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return NULL;
    }
    return g_steal_pointer(&pairs);
}

static void begin_pair(FieldEdgePairs *pairs)
{
    for (int i = 0; i < 4; i++) {
        g_free(pairs->texts[i]);
        pairs->texts[i] = column_dup(&pairs->cursor, TEXT_A + i);
    }
    g_hash_table_remove_all(pairs->seen);
    g_ptr_array_set_size(pairs->applications, 0);
    g_array_set_size(pairs->start_times, 0);
    pairs->row = (FieldEdgePair){
        .host_a = pairs->texts[0],
        .host_b = pairs->texts[1],
        .name_a = pairs->texts[2],
        .name_b = pairs->texts[3],
        .started_ns = column_int(&pairs->cursor, STARTED),
        .ended_ns = column_int(&pairs->cursor, ENDED),
    };
}

static void add_application(FieldEdgePairs *pairs)
{
    char *name = column_dup(&pairs->cursor, APPLICATION);

    if (g_hash_table_contains(pairs->seen, name)) {
        g_free(name);
        return;
    }
    g_hash_table_add(pairs->seen, name);
    g_ptr_array_add(pairs->applications, name);
}

/* Adds; a sum that does not fit stays at the end of the range. */
static void add(gint64 *sum, gint64 value)
{
    *sum = time_add(*sum, value);
}

static void add_conversation(FieldEdgePairs *pairs)
{
    struct cursor *cursor = &pairs->cursor;
    FieldEdgePair *row = &pairs->row;
    int flip = column_int(cursor, IS_FLIPPED) != 0;
    gint64 started = column_int(cursor, STARTED);

    add_application(pairs);
    g_array_append_val(pairs->start_times, started);
    row->conversations++;
    row->ended_ns = MAX(row->ended_ns, column_int(cursor, ENDED));
    add(&row->packets_ab, column_int(cursor, PACKETS_AB + flip));
    add(&row->packets_ba, column_int(cursor, PACKETS_BA - flip));
    add(&row->frame_bytes_ab, column_int(cursor, FRAME_AB + flip));
    add(&row->frame_bytes_ba, column_int(cursor, FRAME_BA - flip));
    add(&row->ip_bytes_ab, column_int(cursor, IP_AB + flip));
    add(&row->ip_bytes_ba, column_int(cursor, IP_BA - flip));
    add(&row->payload_bytes, column_int(cursor, PAYLOAD));
    add(&row->bad_packets, column_int(cursor, BAD_PACKETS));
    add(&row->bad_bytes, column_int(cursor, BAD_BYTES));
    add(&row->retransmissions, column_int(cursor, RETRANSMISSIONS));
    add(&row->retransmission_bytes, column_int(cursor, RETRANSMISSION_BYTES));
    add(&row->retransmitted_bytes, column_int(cursor, RETRANSMITTED_BYTES));
}

static gint64 repeat_stdev(const gint64 *times, guint count, gint64 span)
{
    guint gaps = count - 1;
    long double mean = (long double)span / gaps, squares = 0;

    for (guint i = 1; i < count; i++) {
        long double deviation = (long double)time_span(times[i], times[i - 1]) - mean;
        squares += deviation * deviation;
    }
    return (gint64)llroundl(sqrtl(squares / (gaps - 1)));
}

static void end_pair(FieldEdgePairs *pairs, gint64 pair)
{
    FieldEdgePair *row = &pairs->row;
    const gint64 *times = (const gint64 *)(const void *)pairs->start_times->data;
    guint count = pairs->start_times->len;
    gint64 span = time_span(times[count - 1], times[0]);

    g_ptr_array_add(pairs->applications, NULL);
    row->applications = (const char *const *)pairs->applications->pdata;
    row->start_times_ns = times;
    row->repeat_mean_ns = count < 2 ? FIELDEDGE_NONE : intervals_mean(span, count - 1);
    row->repeat_stdev_ns = count < 3 ? FIELDEDGE_NONE : repeat_stdev(times, count, span);
    if (pairs->intervals != NULL)
        row->intervals = intervals_of_pair(pairs->intervals, pair, &row->interval_count);
}

const FieldEdgePair *fieldedge_pairs_next(FieldEdgePairs *pairs, GError **error)
{
    GError *problem = NULL;

    if (!pairs->has_row)
        return NULL;

    gint64 pair = column_int(&pairs->cursor, PAIR);
    begin_pair(pairs);
    do {
        add_conversation(pairs);
        pairs->has_row = cursor_step(&pairs->cursor, &problem);
    } while (pairs->has_row && column_int(&pairs->cursor, PAIR) == pair);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return NULL;
    }
    end_pair(pairs, pair);
    return &pairs->row;
}

void fieldedge_pairs_free(FieldEdgePairs *pairs)
{
    if (pairs == NULL)
        return;
    cursor_close(&pairs->cursor);
    intervals_free(pairs->intervals);
    for (int i = 0; i < 4; i++)
        g_free(pairs->texts[i]);
    g_hash_table_unref(pairs->seen);
    g_ptr_array_unref(pairs->applications);
    g_array_unref(pairs->start_times);
    g_free(pairs);
}
