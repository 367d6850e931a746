/* ring.c: see ring.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/ring.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdint.h>

enum { RECORD_ALIGN = 8, FULL_POLL_MS = 20 };

struct record_head {
    uint32_t bytes; /* of the record with its head, a multiple of RECORD_ALIGN */
    uint32_t size;  /* of the record as reserved; 0: filler up to the end of the ring */
};

/* head and tail count bytes since the beginning; head - tail is what lies in the ring.  Only the
 * producer moves head, only the consumer tail. */
struct ring {
    uint8_t *data;
    size_t capacity; /* a power of two */
    _Atomic size_t head;
    _Atomic size_t tail;
    _Atomic bool producer_sleeps;

    size_t reserved; /* producer: bytes of the reserved record */
    size_t woken_at; /* producer: head at the last wake */
    size_t peeked;   /* consumer: bytes of the peeked record */

    GMutex lock; /* only around sleeping and waking */
    GCond data_ready, room_ready;
    bool wake;
};

ring *ring_new(size_t bytes)
{
    ring *r = g_new0(ring, 1);
    g_assert(bytes >= 64 && (bytes & (bytes - 1)) == 0);
    r->data = g_malloc(bytes);
    r->capacity = bytes;
    g_mutex_init(&r->lock);
    g_cond_init(&r->data_ready);
    g_cond_init(&r->room_ready);
    return r;
}

void ring_free(ring *r)
{
    if (r == NULL)
        return;
    g_mutex_clear(&r->lock);
    g_cond_clear(&r->data_ready);
    g_cond_clear(&r->room_ready);
    g_free(r->data);
    g_free(r);
}

void ring_wake(ring *r)
{
    r->woken_at = atomic_load_explicit(&r->head, memory_order_relaxed);
    g_mutex_lock(&r->lock);
    r->wake = true;
    g_cond_signal(&r->data_ready);
    g_mutex_unlock(&r->lock);
}

static size_t room(ring *r, size_t head)
{
    return r->capacity - (head - atomic_load_explicit(&r->tail, memory_order_acquire));
}

/* The consumer may have given room back between the look and the sleep: hence the time limit. */
static void wait_for_room(ring *r, size_t head, size_t bytes)
{
    while (room(r, head) < bytes) {
        ring_wake(r);
        g_mutex_lock(&r->lock);
        atomic_store(&r->producer_sleeps, true);
        if (room(r, head) < bytes)
            g_cond_wait_until(&r->room_ready, &r->lock,
                              g_get_monotonic_time() + FULL_POLL_MS * G_TIME_SPAN_MILLISECOND);
        atomic_store(&r->producer_sleeps, false);
        g_mutex_unlock(&r->lock);
    }
}

static struct record_head *record_at(ring *r, size_t position)
{
    return (struct record_head *)(void *)(r->data + (position & (r->capacity - 1)));
}

void *ring_reserve(ring *r, size_t size)
{
    size_t bytes =
        (sizeof(struct record_head) + size + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    size_t to_end = r->capacity - (head & (r->capacity - 1));
    g_assert(size > 0 && bytes <= r->capacity / 4);
    if (to_end < bytes) {
        wait_for_room(r, head, to_end);
        *record_at(r, head) = (struct record_head){.bytes = (uint32_t)to_end, .size = 0};
        head += to_end;
        atomic_store_explicit(&r->head, head, memory_order_release);
    }
    wait_for_room(r, head, bytes);
    struct record_head *record = record_at(r, head);
    *record = (struct record_head){.bytes = (uint32_t)bytes, .size = (uint32_t)size};
    r->reserved = bytes;
    return record + 1;
}

void ring_publish(ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed) + r->reserved;
    atomic_store_explicit(&r->head, head, memory_order_release);
    if (head - r->woken_at >= MIN((size_t)RING_WAKE_BYTES, r->capacity / 2))
        ring_wake(r);
}

static void give_back(ring *r, size_t bytes)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed) + bytes;
    atomic_store_explicit(&r->tail, tail, memory_order_release);
    if (!atomic_load(&r->producer_sleeps))
        return;
    g_mutex_lock(&r->lock);
    g_cond_signal(&r->room_ready);
    g_mutex_unlock(&r->lock);
}

const void *ring_peek(ring *r, size_t *size)
{
    for (;;) {
        size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
        if (atomic_load_explicit(&r->head, memory_order_acquire) == tail)
            return NULL;
        struct record_head *record = record_at(r, tail);
        if (record->size > 0) {
            r->peeked = record->bytes;
            *size = record->size;
            return record + 1;
        }
        give_back(r, record->bytes);
    }
}

void ring_release(ring *r)
{
    give_back(r, r->peeked);
}

void ring_wait(ring *r, unsigned milliseconds)
{
    gint64 until = g_get_monotonic_time() + milliseconds * G_TIME_SPAN_MILLISECOND;
    g_mutex_lock(&r->lock);
    while (!r->wake && g_cond_wait_until(&r->data_ready, &r->lock, until)) {
    }
    r->wake = false;
    g_mutex_unlock(&r->lock);
}
