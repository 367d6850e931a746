/* ring.c: see ring.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/record/ring.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

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

    /* Only around sleeping and waking.  POSIX's own, as the thread sanitizer does not know glib's.
     */
    pthread_mutex_t lock;
    pthread_cond_t data_ready, room_ready;
    bool wake;
};

ring *ring_new(size_t bytes)
{
    ring *r = g_new0(ring, 1);
    g_assert(bytes >= 64 && (bytes & (bytes - 1)) == 0);
    r->data = g_malloc(bytes);
    r->capacity = bytes;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->data_ready, &attributes);
    pthread_cond_init(&r->room_ready, &attributes);
    pthread_condattr_destroy(&attributes);
    return r;
}

void ring_free(ring *r)
{
    if (r == NULL)
        return;
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->data_ready);
    pthread_cond_destroy(&r->room_ready);
    g_free(r->data);
    g_free(r);
}

static struct timespec time_from_now(unsigned milliseconds)
{
    const long second = 1000000000;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += (long)milliseconds * 1000000;
    time.tv_sec += time.tv_nsec / second;
    time.tv_nsec %= second;
    return time;
}

void ring_wake(ring *r)
{
    r->woken_at = atomic_load_explicit(&r->head, memory_order_relaxed);
    pthread_mutex_lock(&r->lock);
    r->wake = true;
    pthread_cond_signal(&r->data_ready);
    pthread_mutex_unlock(&r->lock);
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
        pthread_mutex_lock(&r->lock);
        atomic_store(&r->producer_sleeps, true);
        struct timespec until = time_from_now(FULL_POLL_MS);
        if (room(r, head) < bytes)
            pthread_cond_timedwait(&r->room_ready, &r->lock, &until);
        atomic_store(&r->producer_sleeps, false);
        pthread_mutex_unlock(&r->lock);
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
    pthread_mutex_lock(&r->lock);
    pthread_cond_signal(&r->room_ready);
    pthread_mutex_unlock(&r->lock);
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
    struct timespec until = time_from_now(milliseconds);
    pthread_mutex_lock(&r->lock);
    while (!r->wake && pthread_cond_timedwait(&r->data_ready, &r->lock, &until) == 0) {
    }
    r->wake = false;
    pthread_mutex_unlock(&r->lock);
}
