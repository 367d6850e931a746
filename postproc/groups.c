/* groups.c
 * See groups.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "groups.h"

#include "intervals.h"
#include "packets.h"
#include "periods.h"
#include "spool.h"

#include <string.h>

enum {
    SPOOL_LIMIT = 12 << 20, /* bytes in memory */
    BATCH_BYTES = 64 << 10, /* of encoded packets, about */
    MOST_THREADS = 16,
    AHEAD = 4 /* batches under way for each thread */
};

/* Some neighbouring streams and what was found in them.  The pool's thread owns it until is_done.
 */
struct batch {
    guint first, end;  /* streams */
    guint *last;       /* for each stream: ends of its rows in the two arrays, two numbers */
    GArray *intervals; /* of FieldEdgeInterval */
    GArray *periods;   /* of FieldEdgePeriodGroup */
    GError *error;
    bool is_done;
};

struct groups {
    FieldEdgeDatabase *database;
    struct pairing *pairing;
    struct spool *spool;
    struct bundle_state *states; /* while reading */
    FieldEdgeTolerance tolerance;
    guint what;

    GThreadPool *pool;
    guint threads;
    GMutex lock;
    GCond done;
    GQueue *under_way; /* of struct batch, in order */
    guint next_stream; /* first that is in no batch yet */

    struct batch *current;
    guint stream; /* of the current batch, the next to hand out */
    struct groups_result result;
    struct pairing_hosts hosts; /* of result.pair */
    bool has_failed;
};

/* ---- Reading ---- */

struct reading {
    struct groups *groups;
    const FieldEdgeSelection *selection;
    struct packet_kinds kinds;
    gint64 last_conversation;
    const struct pairing_member *member; /* of last_conversation */
    GError **error;
};

static guint32 to_size(gint64 bytes)
{
    return (guint32)CLAMP(bytes, 0, G_MAXUINT32);
}

static bool take_packet(const struct packet_row *row, gpointer data)
{
    struct reading *reading = data;
    struct groups *groups = reading->groups;
    guint8 bytes[BUNDLE_LONGEST];

    if (row->conversation != reading->last_conversation) {
        reading->last_conversation = row->conversation;
        reading->member = pairing_member(groups->pairing, row->conversation);
    }
    const struct pairing_member *member = reading->member;
    if (member == NULL)
        return true;

    gint64 time_ns = time_add(member->base_ns, row->time);
    const FieldEdgeSelection *selection = reading->selection;
    if (selection->has_window && (time_ns < selection->from_ns || time_ns > selection->to_ns))
        return true;

    const struct packet_kind *kind = packets_kind(&reading->kinds, row->kind);
    guint32 frame_bytes = to_size(row->first);
    const struct bundle_packet packet = {
        .time_ns = time_ns,
        .frame_bytes = frame_bytes,
        .ip_bytes = frame_bytes - MIN(frame_bytes, to_size(row->second)),
        .member = (guint32)(member - groups->pairing->members),
        .is_ba = kind->is_ba != member->is_flipped,
        .is_retransmission = kind->is_retransmission,
    };
    gsize length = bundle_encode(&groups->states[member->stream], &packet, bytes);
    return spool_append(groups->spool, member->stream, bytes, length, reading->error);
}

static bool read_packets(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                         struct groups *groups, GError **error)
{
    struct reading reading = {
        .groups = groups, .selection = selection, .last_conversation = G_MININT64, .error = error};
    bool ok;

    if (!packets_kinds(database, &reading.kinds, error))
        return false;
    groups->spool = spool_new(groups->pairing->stream_count, SPOOL_LIMIT);
    groups->states = g_new0(struct bundle_state, groups->pairing->stream_count);
    ok = packets_each(database, selection, "p.frame_bytes", "p.link_bytes", take_packet, &reading,
                      error) &&
         spool_seal(groups->spool, error);
    g_clear_pointer(&groups->states, g_free);
    packets_kinds_clear(&reading.kinds);
    return ok;
}

/* ---- Computing, in the threads of the pool ---- */

/* What a thread uses again. */
struct workspace {
    guint8 *bytes;
    gsize room;
    struct bundle bundle;
    struct bundle_split split;
    struct periods_workspace *periods;
    struct intervals_workspace *intervals;
};

static void workspace_free(gpointer data)
{
    struct workspace *workspace = data;

    g_free(workspace->bytes);
    bundle_clear(&workspace->bundle);
    bundle_split_clear(&workspace->split);
    periods_workspace_free(workspace->periods);
    intervals_workspace_free(workspace->intervals);
    g_free(workspace);
}

static struct workspace *thread_workspace(void)
{
    static GPrivate key = G_PRIVATE_INIT(workspace_free);
    struct workspace *workspace = g_private_get(&key);

    if (workspace == NULL) {
        workspace = g_new0(struct workspace, 1);
        workspace->periods = periods_workspace_new();
        workspace->intervals = intervals_workspace_new();
        g_private_set(&key, workspace);
    }
    return workspace;
}

static bool read_bundle(const struct groups *groups, guint stream, struct workspace *workspace,
                        GError **error)
{
    gsize length = spool_length(groups->spool, stream);

    if (length > workspace->room) {
        workspace->room = MAX(length, 2 * workspace->room);
        g_free(workspace->bytes);
        workspace->bytes = g_malloc(workspace->room);
    }
    if (!spool_read(groups->spool, stream, workspace->bytes, error))
        return false;
    bundle_decode(&workspace->bundle, workspace->bytes, length);
    bundle_split(&workspace->split, &workspace->bundle, groups->tolerance.bytes,
                 groups->tolerance.share);
    return true;
}

static void compute_stream(const struct groups *groups, guint stream, struct workspace *workspace,
                           struct batch *batch)
{
    const struct pairing *pairing = groups->pairing;
    const char *application =
        g_ptr_array_index(pairing->applications, pairing->streams[stream].application);

    if (workspace->bundle.count == 0) /* all outside the window */
        return;
    if (groups->what & GROUPS_INTERVALS)
        intervals_of_bundle(workspace->intervals, &workspace->bundle, &workspace->split,
                            application, batch->intervals);
    if (groups->what & GROUPS_PERIODS)
        periods_of_bundle(workspace->periods, &workspace->bundle, &workspace->split, pairing,
                          application, batch->periods);
}

static void compute_batch(gpointer data, gpointer user_data)
{
    struct batch *batch = data;
    struct groups *groups = user_data;
    struct workspace *workspace = thread_workspace();

    for (guint stream = batch->first; stream < batch->end; stream++) {
        guint *last = &batch->last[(gsize)2 * (stream - batch->first)];

        if (batch->error == NULL && read_bundle(groups, stream, workspace, &batch->error))
            compute_stream(groups, stream, workspace, batch);
        last[0] = batch->intervals->len;
        last[1] = batch->periods->len;
    }
    g_mutex_lock(&groups->lock);
    batch->is_done = true;
    g_cond_broadcast(&groups->done);
    g_mutex_unlock(&groups->lock);
}

/* ---- Handing out ---- */

static void batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    g_free(batch->last);
    g_array_unref(batch->intervals);
    g_array_unref(batch->periods);
    g_clear_error(&batch->error);
    g_free(batch);
}

static void submit(struct groups *groups)
{
    const guint count = groups->pairing->stream_count;
    struct batch *batch = g_new0(struct batch, 1);
    gsize bytes = 0;

    batch->first = groups->next_stream;
    batch->end = batch->first;
    while (batch->end < count && bytes < BATCH_BYTES)
        bytes += spool_length(groups->spool, batch->end++) + 64;
    groups->next_stream = batch->end;
    batch->last = g_new(guint, (gsize)2 * (batch->end - batch->first));
    batch->intervals = g_array_new(FALSE, FALSE, sizeof(FieldEdgeInterval));
    batch->periods = g_array_new(FALSE, FALSE, sizeof(FieldEdgePeriodGroup));
    g_queue_push_tail(groups->under_way, batch);
    g_thread_pool_push(groups->pool, batch, NULL);
}

static void wait_for(struct groups *groups, const struct batch *batch)
{
    g_mutex_lock(&groups->lock);
    while (!batch->is_done)
        g_cond_wait(&groups->done, &groups->lock);
    g_mutex_unlock(&groups->lock);
}

static bool next_batch(struct groups *groups, GError **error)
{
    g_clear_pointer(&groups->current, batch_free);
    while (groups->next_stream < groups->pairing->stream_count &&
           g_queue_get_length(groups->under_way) < AHEAD * groups->threads)
        submit(groups);
    groups->current = g_queue_pop_head(groups->under_way);
    if (groups->current == NULL)
        return false;
    wait_for(groups, groups->current);
    groups->stream = groups->current->first;
    if (groups->current->error == NULL)
        return true;
    groups->has_failed = true;
    g_propagate_error(error, g_steal_pointer(&groups->current->error));
    return false;
}

static bool find_hosts(struct groups *groups, guint32 pair, GError **error)
{
    if (groups->hosts.host_a != NULL && groups->result.pair == pair)
        return true;
    groups->has_failed =
        !pairing_hosts(groups->database, groups->pairing, pair, &groups->hosts, error);
    return !groups->has_failed;
}

/* An array that never had a row has no memory, to which not even 0 may be added. */
static const void *row_of(const GArray *rows, guint place)
{
    return rows->data == NULL
               ? NULL
               : rows->data + (gsize)place * g_array_get_element_size((GArray *)rows);
}

const struct groups_result *groups_next(struct groups *groups, GError **error)
{
    if (groups->has_failed)
        return NULL;
    if ((groups->current == NULL || groups->stream == groups->current->end) &&
        !next_batch(groups, error))
        return NULL;
    if (!find_hosts(groups, groups->pairing->streams[groups->stream].pair, error))
        return NULL;

    const struct batch *batch = groups->current;
    guint place = groups->stream - batch->first;
    guint intervals = place == 0 ? 0 : batch->last[(gsize)2 * (place - 1)];
    guint periods = place == 0 ? 0 : batch->last[(gsize)2 * (place - 1) + 1];

    groups->result = (struct groups_result){
        .pair = groups->pairing->streams[groups->stream].pair,
        .hosts = &groups->hosts,
        .intervals = (const FieldEdgeInterval *)row_of(batch->intervals, intervals),
        .interval_count = batch->last[(gsize)2 * place] - intervals,
        .periods = (const FieldEdgePeriodGroup *)row_of(batch->periods, periods),
        .period_count = batch->last[(gsize)2 * place + 1] - periods,
    };
    groups->stream++;
    return &groups->result;
}

const struct pairing *groups_pairing(const struct groups *groups)
{
    return groups->pairing;
}

struct groups *groups_new(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                          const FieldEdgeTolerance *tolerance, guint what, GError **error)
{
    struct groups *groups = g_new0(struct groups, 1);
    GError *problem = NULL;

    selection = selection_or_default(selection);
    groups->database = database;
    g_mutex_init(&groups->lock);
    g_cond_init(&groups->done);
    groups->under_way = g_queue_new();
    groups->what = what;
    if (tolerance != NULL)
        groups->tolerance = *tolerance;
    groups->pairing = pairing_load(database, selection, error);
    if (groups->pairing == NULL || !read_packets(database, selection, groups, error)) {
        groups_free(groups);
        return NULL;
    }
    groups->threads = CLAMP(g_get_num_processors(), 1, MOST_THREADS);
    groups->pool = g_thread_pool_new(compute_batch, groups, (gint)groups->threads, TRUE, &problem);
    if (groups->pool != NULL)
        return groups;
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "threads cannot be started: %s",
                problem->message);
    g_error_free(problem);
    groups_free(groups);
    return NULL;
}

void groups_free(struct groups *groups)
{
    if (groups == NULL)
        return;
    if (groups->pool != NULL)
        g_thread_pool_free(groups->pool, FALSE, TRUE); /* runs what is under way to its end */
    g_queue_free_full(groups->under_way, (GDestroyNotify)batch_free);
    batch_free(groups->current);
    spool_free(groups->spool);
    pairing_hosts_clear(&groups->hosts);
    pairing_free(groups->pairing);
    g_free(groups->states);
    g_mutex_clear(&groups->lock);
    g_cond_clear(&groups->done);
    g_free(groups);
}
