/* ring.h
 * A queue of bytes between exactly two threads: the dissecting thread puts records in, the writer
 * takes them out.  Putting takes no lock and allocates nothing; the producer sleeps only when the
 * ring is full, the consumer only when it is empty.
 *
 * The consumer is woken once a RING_WAKE_BYTES of new records, or by ring_wake(); between those it
 * looks by itself (ring_wait() has a time limit), so a slow live capture is seen within that time.
 *
 * Producer:  p = ring_reserve(r, n); fill p; ring_publish(r);  …  ring_wake(r)
 * Consumer:  while ((p = ring_peek(r, &n)) != NULL) { use p; ring_release(r); }  ring_wait(r, ms)
 *
 * Records are contiguous and aligned to 8 bytes.  Worked example, ring of 64 bytes: records of 16,
 * 24 and 16 bytes take 24 + 32 bytes with their heads of 8, and 8 are left at the end; the third
 * does not fit there, a filler takes them, and it begins at 0 once the first was released.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_RING_H
#define FIELDEDGE_RING_H

#include <stdbool.h>
#include <stddef.h>

enum { RING_WAKE_BYTES = 64 * 1024 };

typedef struct ring ring;

/* bytes: a power of two; the largest record is a quarter of it. */
ring *ring_new(size_t bytes);
void ring_free(ring *ring);

/* Producer.  Room for one record of that many bytes; waits while the ring is full. */
void *ring_reserve(ring *ring, size_t bytes);
/* Producer.  The record of the last ring_reserve() becomes visible. */
void ring_publish(ring *ring);
/* Producer.  Wakes the consumer now. */
void ring_wake(ring *ring);

/* Consumer.  The oldest record, NULL if there is none. */
const void *ring_peek(ring *ring, size_t *bytes);
/* Consumer.  Gives the room of the last ring_peek() back. */
void ring_release(ring *ring);
/* Consumer.  Sleeps until woken or that long. */
void ring_wait(ring *ring, unsigned milliseconds);

#endif
