/* host_pairs.c
 * Host pairs: all conversations between two hosts put together.
 *
 * Algorithm: pairing.c says which pair a conversation is of; SQLite sorts the rows by that number,
 * which an SQL function looks up, and by start.  Each *_next() adds up the rows of one pair and
 * stops at the first row of the next, which waits in the cursor.  The intervals come pair by pair
 * in the same order and are merged in.  Memory: the pairing and one pair's lists.
 *
 * Repeats: start times 0, 10, 25 and 47.9 s have the gaps 10, 15 and 22.9: mean 15.966666667,
 * median 15, sample standard deviation 6.504101270, MAD 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "host_pairs.h"

#include "faults.h"
#include "statistics.h"

#include <string.h>

#define POINTER_TYPE "fieldedge-pairing"

enum { POINTER_PARAMETER = 7 };

/* Names each once, in the order of their coming.  list is NULL-terminated between calls. */
struct names {
    GPtrArray *list;
    GHashTable *seen; /* the same as a set; borrows the strings */
};

struct _FieldEdgePairs {
    FieldEdgeDatabase *database;
    struct pairing *pairing;
    struct cursor cursor;
    bool has_row; /* the cursor stands on the first conversation of the next pair */
    guint32 pair; /* of the row */
    struct faults *faults;
    FieldEdgeIntervals *intervals;  /* NULL if not asked for */
    const FieldEdgeInterval *ahead; /* its current row, of a pair that was not handed out yet */
    GArray *pair_intervals;
    GStringChunk *interval_texts; /* of pair_intervals */

    FieldEdgePair row;
    struct pairing_hosts hosts;
    struct names applications, servers;
    GArray *start_times;
    gint64 *scratch;
    guint scratch_room;
};

/* Columns of the statement in open_cursor(). */
enum {
    PAIR,
    ID,
    HOST_A,
    APPLICATION,
    SERVER_NAME,
    STARTED,
    ENDED,
    PACKETS_AB,
    PACKETS_BA,
    FRAME_AB,
    FRAME_BA,
    IP_AB,
    IP_BA,
    PAYLOAD_AB,
    PAYLOAD_BA,
    BAD_PACKETS,
    BAD_BYTES,
    RETRANSMISSIONS,
    RETRANSMISSION_BYTES,
    RETRANSMITTED_BYTES
};

/* fieldedge_pair(pointer, id): the number of a conversation's pair. */
static void pair_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct pairing *pairing = sqlite3_value_pointer(values[0], POINTER_TYPE);
    const struct pairing_member *member;

    (void)count;
    if (pairing == NULL) {
        sqlite3_result_error(context, "fieldedge_pair() is the library's own", -1);
        return;
    }
    member = pairing_member(pairing, sqlite3_value_int64(values[1]));
    if (member != NULL)
        sqlite3_result_int64(context, member->pair);
}

int host_pairs_register(sqlite3 *handle)
{
    return sqlite3_create_function_v2(handle, "fieldedge_pair", 2,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                      pair_of, NULL, NULL, NULL);
}

/* ---- Names ---- */

static void names_init(struct names *names)
{
    names->list = g_ptr_array_new_with_free_func(g_free);
    names->seen = g_hash_table_new(g_str_hash, g_str_equal);
}

static void names_clear(struct names *names)
{
    g_hash_table_unref(names->seen);
    g_ptr_array_unref(names->list);
}

static void names_begin(struct names *names)
{
    g_hash_table_remove_all(names->seen);
    g_ptr_array_set_size(names->list, 0);
}

/* Takes over name, which may be NULL. */
static void names_add(struct names *names, char *name)
{
    if (name == NULL || g_hash_table_contains(names->seen, name)) {
        g_free(name);
        return;
    }
    g_hash_table_add(names->seen, name);
    g_ptr_array_add(names->list, name);
}

static const char *const *names_end(struct names *names)
{
    g_ptr_array_add(names->list, NULL);
    return (const char *const *)names->list->pdata;
}

/* ---- Opening ---- */

static bool open_cursor(FieldEdgePairs *pairs, const FieldEdgeSelection *selection, GError **error)
{
    static const char sql[] =
        "WITH " SQL_CHOSEN
        "SELECT fieldedge_pair(?7, v.id) AS pair, v.id, v.host_a, v.application, v.server_name,"
        "       v.started_ns, v.ended_ns, v.packets_ab, v.packets_ba, v.frame_bytes_ab,"
        "       v.frame_bytes_ba, v.ip_bytes_ab, v.ip_bytes_ba, v.payload_bytes_ab,"
        "       v.payload_bytes_ba, v.bad_packets, v.bad_bytes, v.retransmissions,"
        "       v.retransmission_bytes, v.retransmitted_bytes"
        "  FROM chosen v WHERE pair IS NOT NULL ORDER BY pair, v.started_ns, v.id";
    GError *problem = NULL;

    if (!cursor_open(&pairs->cursor, pairs->database, sql, selection, error))
        return false;
    sqlite3_bind_pointer(pairs->cursor.statement, POINTER_PARAMETER, pairs->pairing, POINTER_TYPE,
                         NULL);
    pairs->has_row = cursor_step(&pairs->cursor, &problem);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static bool open_intervals(FieldEdgePairs *pairs, const FieldEdgeSelection *selection,
                           GError **error)
{
    GError *problem = NULL;

    pairs->pair_intervals = g_array_new(FALSE, FALSE, sizeof(FieldEdgeInterval));
    pairs->interval_texts = g_string_chunk_new(1024);
    pairs->intervals = fieldedge_intervals_new(pairs->database, selection, NULL, error);
    if (pairs->intervals == NULL)
        return false;
    pairs->ahead = fieldedge_intervals_next(pairs->intervals, &problem);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

FieldEdgePairs *fieldedge_pairs_new(FieldEdgeDatabase *database,
                                    const FieldEdgeSelection *selection, guint with, GError **error)
{
    g_return_val_if_fail(database != NULL, NULL);

    g_autoptr(FieldEdgePairs) pairs = g_new0(FieldEdgePairs, 1);

    pairs->database = database;
    names_init(&pairs->applications);
    names_init(&pairs->servers);
    pairs->start_times = g_array_new(FALSE, FALSE, sizeof(gint64));
    if ((with & FIELDEDGE_WITH_INTERVALS) && !open_intervals(pairs, selection, error))
        return NULL;
    if (with & FIELDEDGE_WITH_VERDICTS) {
        pairs->faults = faults_load(database, selection, error);
        if (pairs->faults == NULL)
            return NULL;
    }
    pairs->pairing = pairing_load(database, selection, error);
    if (pairs->pairing == NULL || !open_cursor(pairs, selection, error))
        return NULL;
    return g_steal_pointer(&pairs);
}

/* ---- One pair ---- */

static void begin_pair(FieldEdgePairs *pairs)
{
    names_begin(&pairs->applications);
    names_begin(&pairs->servers);
    g_array_set_size(pairs->start_times, 0);
    faults_begin(pairs->faults);
    pairs->row = (FieldEdgePair){
        .host_a = pairs->hosts.host_a,
        .host_b = pairs->hosts.host_b,
        .name_a = pairs->hosts.name_a,
        .name_b = pairs->hosts.name_b,
        .started_ns = column_int(&pairs->cursor, STARTED),
        .ended_ns = column_int(&pairs->cursor, ENDED),
    };
}

/* Adds; a sum that does not fit stays at the end of the range. */
static void add(gint64 *sum, gint64 value)
{
    *sum = time_add(*sum, value);
}

static void add_names(FieldEdgePairs *pairs)
{
    const struct pairing_member *member =
        pairing_member(pairs->pairing, column_int(&pairs->cursor, ID));
    const char *application = g_ptr_array_index(pairs->pairing->applications, member->application);

    if (!g_hash_table_contains(pairs->applications.seen, application))
        names_add(&pairs->applications, g_strdup(application));
    if (sqlite3_column_type(pairs->cursor.statement, SERVER_NAME) != SQLITE_NULL)
        names_add(&pairs->servers, column_dup(&pairs->cursor, SERVER_NAME));
}

static void add_conversation(FieldEdgePairs *pairs)
{
    struct cursor *cursor = &pairs->cursor;
    FieldEdgePair *row = &pairs->row;
    int flip = column_int(cursor, HOST_A) != pairs->pairing->pairs[pairs->pair].host_a;
    gint64 started = column_int(cursor, STARTED);

    add_names(pairs);
    g_array_append_val(pairs->start_times, started);
    faults_add(pairs->faults, column_int(cursor, ID));
    row->conversations++;
    row->ended_ns = MAX(row->ended_ns, column_int(cursor, ENDED));
    add(&row->packets_ab, column_int(cursor, PACKETS_AB + flip));
    add(&row->packets_ba, column_int(cursor, PACKETS_BA - flip));
    add(&row->frame_bytes_ab, column_int(cursor, FRAME_AB + flip));
    add(&row->frame_bytes_ba, column_int(cursor, FRAME_BA - flip));
    add(&row->ip_bytes_ab, column_int(cursor, IP_AB + flip));
    add(&row->ip_bytes_ba, column_int(cursor, IP_BA - flip));
    add(&row->payload_bytes_ab, column_int(cursor, PAYLOAD_AB + flip));
    add(&row->payload_bytes_ba, column_int(cursor, PAYLOAD_BA - flip));
    add(&row->bad_packets, column_int(cursor, BAD_PACKETS));
    add(&row->bad_bytes, column_int(cursor, BAD_BYTES));
    add(&row->retransmissions, column_int(cursor, RETRANSMISSIONS));
    add(&row->retransmission_bytes, column_int(cursor, RETRANSMISSION_BYTES));
    add(&row->retransmitted_bytes, column_int(cursor, RETRANSMITTED_BYTES));
}

/* The intervals of the pair, which are next if there are any. */
static bool take_intervals(FieldEdgePairs *pairs, GError **error)
{
    FieldEdgePair *row = &pairs->row;
    GError *problem = NULL;

    if (pairs->intervals == NULL)
        return true;
    g_array_set_size(pairs->pair_intervals, 0);
    g_string_chunk_clear(pairs->interval_texts);
    while (pairs->ahead != NULL && strcmp(pairs->ahead->host_a, row->host_a) == 0 &&
           strcmp(pairs->ahead->host_b, row->host_b) == 0) {
        FieldEdgeInterval interval = *pairs->ahead;

        interval.host_a = row->host_a;
        interval.host_b = row->host_b;
        interval.application =
            g_string_chunk_insert_const(pairs->interval_texts, interval.application);
        g_array_append_val(pairs->pair_intervals, interval);
        pairs->ahead = fieldedge_intervals_next(pairs->intervals, &problem);
    }
    row->intervals = (const FieldEdgeInterval *)(const void *)pairs->pair_intervals->data;
    row->interval_count = pairs->pair_intervals->len;
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static void end_pair(FieldEdgePairs *pairs)
{
    FieldEdgePair *row = &pairs->row;
    const gint64 *times = (const gint64 *)(const void *)pairs->start_times->data;
    guint count = pairs->start_times->len;

    if (count > pairs->scratch_room) {
        pairs->scratch_room = MAX(count, 2 * pairs->scratch_room);
        pairs->scratch = g_renew(gint64, pairs->scratch, pairs->scratch_room);
    }
    row->applications = names_end(&pairs->applications);
    row->server_names = names_end(&pairs->servers);
    row->start_times_ns = times;
    row->starts = statistics_gaps(times, count, pairs->scratch);
    row->duration_ns = time_span(row->ended_ns, row->started_ns);
    row->overhead_bytes = overhead_bytes(row->ip_bytes_ab, row->ip_bytes_ba, row->payload_bytes_ab,
                                         row->payload_bytes_ba);
    row->verdicts = faults_rows(pairs->faults, &row->verdict_count);
}

const FieldEdgePair *fieldedge_pairs_next(FieldEdgePairs *pairs, GError **error)
{
    GError *problem = NULL;

    if (!pairs->has_row)
        return NULL;
    pairs->pair = (guint32)column_int(&pairs->cursor, PAIR);
    if (!pairing_hosts(pairs->database, pairs->pairing, pairs->pair, &pairs->hosts, error))
        return NULL;
    begin_pair(pairs);
    do {
        add_conversation(pairs);
        pairs->has_row = cursor_step(&pairs->cursor, &problem);
    } while (pairs->has_row && column_int(&pairs->cursor, PAIR) == pairs->pair);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return NULL;
    }
    end_pair(pairs);
    return take_intervals(pairs, error) ? &pairs->row : NULL;
}

guint32 host_pairs_number(const FieldEdgePairs *pairs, const struct pairing **pairing)
{
    *pairing = pairs->pairing;
    return pairs->pair;
}

void fieldedge_pairs_free(FieldEdgePairs *pairs)
{
    if (pairs == NULL)
        return;
    cursor_close(&pairs->cursor);
    fieldedge_intervals_free(pairs->intervals);
    faults_free(pairs->faults);
    pairing_free(pairs->pairing);
    pairing_hosts_clear(&pairs->hosts);
    names_clear(&pairs->applications);
    names_clear(&pairs->servers);
    g_array_unref(pairs->start_times);
    if (pairs->pair_intervals != NULL) {
        g_array_unref(pairs->pair_intervals);
        g_string_chunk_free(pairs->interval_texts);
    }
    g_free(pairs->scratch);
    g_free(pairs);
}
