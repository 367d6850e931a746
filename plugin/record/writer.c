/* writer.c: see writer.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/writer.h"

#include "plugin/record/ring.h"

#include <pthread.h>
#include <stdatomic.h>

/* Idle looks are what bounds the delay of a slow live capture: well under STORE_COMMIT_MS. */
enum { RING_BYTES = 1024 * 1024, IDLE_MS = 200 };

struct writer {
    ring *ring;
    store *store;
    GThread *thread;
    _Atomic bool failed;
    pthread_mutex_t answer_lock; /* a look-up and its answer */
    pthread_cond_t answer_ready;
    bool answered;
    writer_carry_out_func *direct; /* in place of ring, store and thread; or NULL */
    void *direct_user;
    union {
        struct operation_capture capture;
        struct operation_conversation conversation;
        struct operation_label label;
        struct operation_server_name server_name;
        struct operation_host_name host_name;
        struct operation_packet packet;
        struct operation_move move;
        struct operation_quote quote;
        struct operation_renumber renumber;
    } direct_operation;
};

static void answer(writer *w, const struct operation_lookup *lookup)
{
    store_lookup(w->store, lookup);
    pthread_mutex_lock(&w->answer_lock);
    w->answered = true;
    pthread_cond_signal(&w->answer_ready);
    pthread_mutex_unlock(&w->answer_lock);
}

/* Carries one operation out.  false: it was the last. */
static bool carry_out(writer *w, const void *operation)
{
    switch (*(const enum operation_kind *)operation) {
    case OPERATION_PACKET:
        store_packet(w->store, operation);
        return true;
    case OPERATION_CAPTURE:
        store_capture(w->store, operation);
        return true;
    case OPERATION_CONVERSATION:
        store_conversation(w->store, operation);
        return true;
    case OPERATION_LABEL:
        store_label(w->store, operation);
        return true;
    case OPERATION_SERVER_NAME:
        store_server_name(w->store, operation);
        return true;
    case OPERATION_HOST_NAME:
        store_host_name(w->store, operation);
        return true;
    case OPERATION_MOVE:
        store_move(w->store, operation);
        return true;
    case OPERATION_QUOTE:
        store_quote(w->store, operation);
        return true;
    case OPERATION_RENUMBER:
        store_renumber(w->store, operation);
        return true;
    case OPERATION_CARRY:
        store_carry(w->store, operation);
        return true;
    case OPERATION_LOOKUP:
        answer(w, operation);
        return true;
    case OPERATION_FINISH:
        store_finish(w->store, operation);
        return false;
    }
    return true;
}

/* A packet's row comes last of what it brings (conversation, label, quote): a commit is due only
 * behind it, so that whoever reads, or finds the file after a crash, never sees a part of a packet.
 */
static gpointer writer_main(gpointer data)
{
    enum { LOOK_AT_CLOCK_EVERY = 256 };
    writer *w = data;
    bool more = true, whole = true;
    unsigned packets = 0;
    while (more) {
        size_t bytes;
        const void *operation = ring_peek(w->ring, &bytes);
        if (operation != NULL) {
            whole = *(const enum operation_kind *)operation == OPERATION_PACKET;
            packets += whole;
            more = carry_out(w, operation);
            ring_release(w->ring);
        } else {
            ring_wait(w->ring, IDLE_MS);
        }
        if (whole && (operation == NULL || packets % LOOK_AT_CLOCK_EVERY == 0) &&
            store_commit_due(w->store))
            store_commit(w->store);
        if (store_error(w->store) != NULL)
            atomic_store_explicit(&w->failed, true, memory_order_relaxed);
    }
    return NULL;
}

writer *writer_start(store *owned)
{
    writer *w = g_new0(writer, 1);
    w->ring = ring_new(RING_BYTES);
    w->store = owned;
    pthread_mutex_init(&w->answer_lock, NULL);
    pthread_cond_init(&w->answer_ready, NULL);
    w->thread = g_thread_new("fieldedge", writer_main, w);
    return w;
}

writer *writer_start_direct(writer_carry_out_func *direct, void *user)
{
    writer *w = g_new0(writer, 1);
    w->direct = direct;
    w->direct_user = user;
    return w;
}

void *writer_reserve(writer *w, size_t bytes)
{
    if (w->direct != NULL) {
        g_assert(bytes <= sizeof w->direct_operation);
        return &w->direct_operation;
    }
    return ring_reserve(w->ring, bytes);
}

void writer_send(writer *w)
{
    if (w->direct != NULL) {
        w->direct(w->direct_user, &w->direct_operation);
        return;
    }
    ring_publish(w->ring);
}

void writer_lookup(writer *w, const struct operation_lookup *asked)
{
    if (w->direct != NULL) {
        struct operation_lookup now = *asked;
        now.kind = OPERATION_LOOKUP;
        w->direct(w->direct_user, &now);
        return;
    }
    struct operation_lookup *lookup = ring_reserve(w->ring, sizeof *lookup);
    *lookup = *asked;
    lookup->kind = OPERATION_LOOKUP;
    ring_publish(w->ring);
    ring_wake(w->ring);
    pthread_mutex_lock(&w->answer_lock);
    while (!w->answered)
        pthread_cond_wait(&w->answer_ready, &w->answer_lock);
    w->answered = false;
    pthread_mutex_unlock(&w->answer_lock);
}

bool writer_failed(const writer *w)
{
    return atomic_load_explicit(&w->failed, memory_order_relaxed);
}

store *writer_stop(writer *w, const char *status, int64_t continued)
{
    if (w->direct != NULL) {
        g_free(w);
        return NULL;
    }
    struct operation_finish *finish = ring_reserve(w->ring, sizeof *finish);
    finish->kind = OPERATION_FINISH;
    finish->status = status;
    finish->continued = continued;
    ring_publish(w->ring);
    ring_wake(w->ring);
    g_thread_join(w->thread);
    store *given_back = w->store;
    ring_free(w->ring);
    pthread_mutex_destroy(&w->answer_lock);
    pthread_cond_destroy(&w->answer_ready);
    g_free(w);
    return given_back;
}
