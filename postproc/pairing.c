/* pairing.c
 * See pairing.h.  One reading of the conversations; the rest is counting and sorting of small
 * numbers, which SQLite's windows would do several times slower.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pairing.h"

#include <stdlib.h>
#include <string.h>

struct capture {
    gint64 id;
    gint64 base_ns;
    guint32 rank; /* in the order of their start */
};

/* What is known of a conversation until pairs have numbers. */
struct draft {
    struct pairing_pair hosts; /* of the conversation */
    guint32 capture_rank;
};

struct loading {
    struct pairing *pairing;
    GArray *members;   /* of struct pairing_member */
    GArray *drafts;    /* of struct draft, parallel */
    GArray *captures;  /* of struct capture, by id */
    GHashTable *ranks; /* application id → rank + 1 */
};

static int compare(gint64 a, gint64 b)
{
    return (a > b) - (a < b);
}

/* ---- Names and captures ---- */

static bool load_applications(FieldEdgeDatabase *database, struct loading *loading, GError **error)
{
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database, "SELECT id, name FROM application ORDER BY name", NULL,
                          &problem);
    GPtrArray *names = loading->pairing->applications;

    while (ok && cursor_step(&cursor, &problem)) {
        gint64 *id = g_new(gint64, 1);

        *id = column_int(&cursor, 0);
        g_ptr_array_add(names, column_dup(&cursor, 1));
        g_array_append_vals(loading->pairing->application_ids, id, 1);
        g_hash_table_insert(loading->ranks, id, GUINT_TO_POINTER(names->len));
    }
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static int capture_compare(const void *left, const void *right)
{
    return compare(((const struct capture *)left)->id, ((const struct capture *)right)->id);
}

static bool load_captures(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                          struct loading *loading, GError **error)
{
    static const char sql[] =
        "SELECT id, base_ns, started_ns, ended_ns FROM capture WHERE ?2 = 0 OR id = ?2"
        " ORDER BY ifnull(started_ns, base_ns), id";
    struct pairing *pairing = loading->pairing;
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database, sql, selection, &problem);

    pairing->started_ns = G_MAXINT64;
    pairing->ended_ns = G_MININT64;
    while (ok && cursor_step(&cursor, &problem)) {
        struct capture capture = {column_int(&cursor, 0), column_int(&cursor, 1),
                                  loading->captures->len};

        g_array_append_val(loading->captures, capture);
        if (sqlite3_column_type(cursor.statement, 2) == SQLITE_NULL)
            continue;
        pairing->started_ns = MIN(pairing->started_ns, column_int(&cursor, 2));
        pairing->ended_ns = MAX(pairing->ended_ns, column_int(&cursor, 3));
    }
    cursor_close(&cursor);
    g_array_sort(loading->captures, capture_compare);
    if (selection->has_window) {
        pairing->started_ns = MAX(pairing->started_ns, selection->from_ns);
        pairing->ended_ns = MIN(pairing->ended_ns, selection->to_ns);
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

/* ---- Conversations ---- */

static void add_member(struct loading *loading, struct cursor *cursor)
{
    gint64 application = column_int(cursor, 3);
    struct capture key = {.id = column_int(cursor, 4)};
    guint rank = GPOINTER_TO_UINT(g_hash_table_lookup(loading->ranks, &application)), place;

    /* Only a database that the recorder did not make can miss one of them. */
    if (rank == 0 || !g_array_binary_search(loading->captures, &key, capture_compare, &place))
        return;

    const struct capture *capture = &g_array_index(loading->captures, struct capture, place);
    const struct pairing_member member = {
        .id = column_int(cursor, 0), .base_ns = capture->base_ns, .application = rank - 1};
    const struct draft draft = {{column_int(cursor, 1), column_int(cursor, 2)}, capture->rank};

    g_array_append_val(loading->members, member);
    g_array_append_val(loading->drafts, draft);
}

static bool load_members(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                         struct loading *loading, GError **error)
{
    static const char sql[] =
        "WITH " SQL_CHOSEN "SELECT v.id, v.host_a, v.host_b, v.application, v.capture"
        "  FROM chosen v WHERE v.host_a IS NOT NULL AND v.host_b IS NOT NULL"
        " ORDER BY v.id";
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database, sql, selection, &problem);

    while (ok && cursor_step(&cursor, &problem))
        add_member(loading, &cursor);
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

/* ---- Pairs ---- */

static guint pair_hash(gconstpointer pointer)
{
    const struct pairing_pair *pair = pointer;
    guint64 hash = (guint64)pair->host_a * 0x9e3779b97f4a7c15u ^ (guint64)pair->host_b;

    return (guint)((hash * 0xff51afd7ed558ccdu) >> 32);
}

static gboolean pair_equal(gconstpointer left, gconstpointer right)
{
    const struct pairing_pair *a = left, *b = right;

    return a->host_a == b->host_a && a->host_b == b->host_b;
}

static int place_compare(gconstpointer left, gconstpointer right, gpointer data)
{
    const struct draft *drafts = data;
    guint32 a = *(const guint32 *)left, b = *(const guint32 *)right;
    int order = compare(drafts[a].capture_rank, drafts[b].capture_rank);

    return order != 0 ? order : compare(a, b);
}

/* The members in the order of captures' start, then of recording. */
static guint32 *make_order(const struct draft *drafts, guint count)
{
    guint32 *order = g_new(guint32, count);

    for (guint i = 0; i < count; i++)
        order[i] = i;
    g_qsort_with_data(order, (gint)count, sizeof *order, place_compare, (gpointer)drafts);
    return order;
}

static void number_pairs(struct loading *loading)
{
    struct pairing *pairing = loading->pairing;
    const struct draft *drafts = (const struct draft *)(const void *)loading->drafts->data;
    g_autofree guint32 *order = make_order(drafts, pairing->member_count);
    g_autofree struct pairing_pair *keys = g_new(struct pairing_pair, pairing->member_count);
    g_autoptr(GHashTable) numbers = g_hash_table_new(pair_hash, pair_equal);
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(struct pairing_pair));

    for (guint i = 0; i < pairing->member_count; i++) {
        const struct pairing_pair *hosts = &drafts[order[i]].hosts;
        struct pairing_member *member = &pairing->members[order[i]];
        struct pairing_pair *key = &keys[pairs->len];

        key->host_a = MIN(hosts->host_a, hosts->host_b);
        key->host_b = MAX(hosts->host_a, hosts->host_b);
        guint number = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, key));
        if (number == 0) {
            g_array_append_vals(pairs, hosts, 1);
            number = pairs->len;
            g_hash_table_insert(numbers, key, GUINT_TO_POINTER(number));
        }
        member->pair = number - 1;
        member->is_flipped =
            hosts->host_a != g_array_index(pairs, struct pairing_pair, number - 1).host_a;
    }
    pairing->pair_count = pairs->len;
    pairing->pairs = (struct pairing_pair *)(void *)g_array_free(pairs, FALSE);
}

/* ---- Streams ---- */

static int key_compare(const void *left, const void *right)
{
    guint64 a = *(const guint64 *)left, b = *(const guint64 *)right;

    return (a > b) - (a < b);
}

static guint64 stream_key(const struct pairing_member *member)
{
    return (guint64)member->pair << 32 | member->application;
}

static void number_streams(struct pairing *pairing)
{
    g_autofree guint64 *keys = g_new(guint64, pairing->member_count);
    guint count = 0;

    if (pairing->member_count == 0)
        return; /* qsort() and bsearch() do not take NULL */
    for (guint i = 0; i < pairing->member_count; i++)
        keys[i] = stream_key(&pairing->members[i]);
    if (pairing->member_count > 0) /* else there are no keys, which qsort() may not be told */
        qsort(keys, pairing->member_count, sizeof *keys, key_compare);
    for (guint i = 0; i < pairing->member_count; i++) {
        if (count == 0 || keys[count - 1] != keys[i])
            keys[count++] = keys[i];
    }
    pairing->streams = g_new0(struct pairing_stream, count);
    pairing->stream_count = count;
    for (guint i = 0; i < count; i++) {
        pairing->streams[i].pair = (guint32)(keys[i] >> 32);
        pairing->streams[i].application = (guint32)keys[i];
    }
    for (guint i = 0; i < pairing->member_count; i++) {
        struct pairing_member *member = &pairing->members[i];
        guint64 key = stream_key(member);
        const guint64 *found = bsearch(&key, keys, count, sizeof *keys, key_compare);

        member->stream = (guint32)(found - keys);
        pairing->streams[member->stream].conversations++;
    }
}

/* ---- Looking up ---- */

/* Ids of one recorder lie close together; a table by id then costs less than searching. */
static void make_dense(struct pairing *pairing)
{
    guint64 span;

    if (pairing->member_count == 0)
        return;
    pairing->lowest = pairing->members[0].id;
    span = (guint64)pairing->members[pairing->member_count - 1].id - (guint64)pairing->lowest;
    if (span > 16 * (guint64)pairing->member_count + 1024)
        return;
    pairing->dense_count = span + 1;
    pairing->dense = g_new0(guint32, pairing->dense_count);
    for (guint i = 0; i < pairing->member_count; i++)
        pairing->dense[pairing->members[i].id - pairing->lowest] = i + 1;
}

static int member_compare(const void *left, const void *right)
{
    return compare(((const struct pairing_member *)left)->id,
                   ((const struct pairing_member *)right)->id);
}

const struct pairing_member *pairing_search(const struct pairing *pairing, gint64 conversation)
{
    struct pairing_member key = {.id = conversation};

    if (pairing->member_count == 0)
        return NULL;
    return bsearch(&key, pairing->members, pairing->member_count, sizeof key, member_compare);
}

struct pairing *pairing_load(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                             GError **error)
{
    struct pairing *pairing = g_new0(struct pairing, 1);
    struct loading loading = {
        .pairing = pairing,
        .members = g_array_new(FALSE, FALSE, sizeof(struct pairing_member)),
        .drafts = g_array_new(FALSE, FALSE, sizeof(struct draft)),
        .captures = g_array_new(FALSE, FALSE, sizeof(struct capture)),
        .ranks = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
    };
    bool ok;

    selection = selection_or_default(selection);
    pairing->applications = g_ptr_array_new_with_free_func(g_free);
    pairing->application_ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    ok = load_applications(database, &loading, error) &&
         load_captures(database, selection, &loading, error) &&
         load_members(database, selection, &loading, error);
    pairing->member_count = loading.members->len;
    pairing->members = (struct pairing_member *)(void *)g_array_free(loading.members, FALSE);
    if (ok) {
        number_pairs(&loading);
        number_streams(pairing);
        make_dense(pairing);
    } else {
        g_clear_pointer(&pairing, pairing_free);
    }
    g_array_unref(loading.drafts);
    g_array_unref(loading.captures);
    g_hash_table_unref(loading.ranks);
    return pairing;
}

void pairing_free(struct pairing *pairing)
{
    if (pairing == NULL)
        return;
    g_free(pairing->members);
    g_free(pairing->pairs);
    g_free(pairing->streams);
    g_free(pairing->dense);
    g_ptr_array_unref(pairing->applications);
    g_array_unref(pairing->application_ids);
    g_free(pairing);
}

/* ---- Hosts ---- */

static bool host_texts(FieldEdgeDatabase *database, gint64 id, char **address, char **name,
                       GError **error)
{
    sqlite3_stmt *statement = database_host_statement(database, error);
    struct cursor cursor = {.database = database, .statement = statement};
    int code;

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, id);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *address = column_dup(&cursor, 0);
        *name = column_dup(&cursor, 1);
    } else if (code == SQLITE_DONE) {
        *address = g_strdup_printf("host %" G_GINT64_FORMAT, id);
    } else {
        database_failed(database, error);
    }
    sqlite3_reset(statement);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool pairing_hosts(FieldEdgeDatabase *database, const struct pairing *pairing, guint32 pair,
                   struct pairing_hosts *hosts, GError **error)
{
    const struct pairing_pair *ids = &pairing->pairs[pair];

    pairing_hosts_clear(hosts);
    return host_texts(database, ids->host_a, &hosts->host_a, &hosts->name_a, error) &&
           host_texts(database, ids->host_b, &hosts->host_b, &hosts->name_b, error);
}

void pairing_hosts_clear(struct pairing_hosts *hosts)
{
    g_clear_pointer(&hosts->host_a, g_free);
    g_clear_pointer(&hosts->host_b, g_free);
    g_clear_pointer(&hosts->name_a, g_free);
    g_clear_pointer(&hosts->name_b, g_free);
}
