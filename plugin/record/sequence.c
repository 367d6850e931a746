/*
 * sequence.c - which TCP payload bytes of one direction were seen before: see sequence.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sequence.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

/* First positions are the sequence number plus this, so that what lies below stays positive. */
#define POSITION_ORIGIN (INT64_C(1) << 32)

/* Beyond this a space begins anew: only forged numbers get here, and sums must not overflow. */
#define POSITION_LIMIT (INT64_C(1) << 62)

enum { FIRST_CAPACITY = 4 };

/* From one sequence number to another, the short way round: -2^31 to 2^31 - 1. */
static int64_t distance(uint32_t from, uint32_t to)
{
    uint32_t forward = to - from;

    return forward <= INT32_MAX ? (int64_t)forward : (int64_t)forward - (INT64_C(1) << 32);
}

static bool is_wild(int64_t from_highest)
{
    return from_highest > SEQUENCE_REACH || from_highest < -SEQUENCE_REACH;
}

static int64_t overlap(sequence_range a, sequence_range b)
{
    return MAX(0, MIN(a.end, b.end) - MAX(a.begin, b.begin));
}

/* Begins anew with no byte seen. The heap block stays, so that a busy port pair allocates once. */
static void restart(sequence_space *space, int64_t position)
{
    space->top = (sequence_range){position, position};
    space->lower_count = 0;
    space->started = true;
    space->has_acked = false;
    space->has_fin = false;
    space->has_wild = false;
    space->closed = false;
    space->holes_closed = false;
}

/* Begins mid-stream. An ACK or FIN that was seen before the first data stays valid. */
static void begin(sequence_space *space, uint32_t first)
{
    int64_t position = POSITION_ORIGIN + first;

    if (space->has_acked) {
        int64_t from_acked = distance((uint32_t)space->acked, first);
        if (is_wild(from_acked))
            space->has_acked = false;
        else
            position = space->acked + from_acked;
    }
    space->top = (sequence_range){position, position};
    space->started = true;
}

/*
 * One range too many. Ranges out of reach can never be asked for again and go first; without any,
 * the oldest hole is closed.
 */
static void reduce_lower(sequence_space *space)
{
    sequence_range *lower = space->lower;
    size_t gone = 0;

    while (gone < space->lower_count && lower[gone].end <= space->top.end - SEQUENCE_REACH)
        gone++;
    if (gone == 0) {
        lower[1].begin = lower[0].begin;
        gone = 1;
        space->holes_closed = true;
    }
    space->lower_count = (uint16_t)(space->lower_count - gone);
    memmove(lower, lower + gone, space->lower_count * sizeof *lower);
}

/* top must be up to date: reduce_lower measures from it. */
static void insert_lower(sequence_space *space, size_t index, sequence_range range)
{
    if (space->lower_count == space->lower_capacity) {
        unsigned capacity = MAX(FIRST_CAPACITY, 2U * space->lower_capacity);
        space->lower = g_renew(sequence_range, space->lower, capacity);
        space->lower_capacity = (uint16_t)capacity;
    }
    memmove(space->lower + index + 1, space->lower + index,
            (space->lower_count - index) * sizeof *space->lower);
    space->lower[index] = range;
    space->lower_count++;

    if (space->lower_count == SEQUENCE_RANGES_MAX)
        reduce_lower(space);
}

/* Puts one range in the place of lower[from .. to - 1]. */
static void replace_lower(sequence_space *space, size_t from, size_t to, sequence_range range)
{
    if (from == to) {
        insert_lower(space, from, range);
        return;
    }
    space->lower[from] = range;
    memmove(space->lower + from + 1, space->lower + to,
            (space->lower_count - to) * sizeof *space->lower);
    space->lower_count = (uint16_t)(space->lower_count - (to - from - 1));
}

/* Index of the first lower range that ends at or above position; lower_count if there is none. */
static size_t find_lower(const sequence_space *space, int64_t position)
{
    size_t low = 0;
    size_t high = space->lower_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (space->lower[middle].end < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds a range that begins below top; returns how many of its bytes were seen. */
static int64_t add_below(sequence_space *space, sequence_range added)
{
    size_t from = find_lower(space, added.begin);
    size_t to = from;
    int64_t seen = overlap(added, space->top);
    sequence_range merged = added;

    for (; to < space->lower_count && space->lower[to].begin <= added.end; to++) {
        seen += overlap(added, space->lower[to]);
        merged.begin = MIN(merged.begin, space->lower[to].begin);
        merged.end = MAX(merged.end, space->lower[to].end);
    }
    if (added.end < space->top.begin) {
        replace_lower(space, from, to, merged);
        return seen;
    }
    assert(to == space->lower_count);
    space->top.begin = merged.begin;
    space->top.end = MAX(space->top.end, added.end);
    space->lower_count = (uint16_t)from;
    return seen;
}

/* Adds a range anywhere in reach; returns how many of its bytes were seen. */
static int64_t add_range(sequence_space *space, sequence_range added)
{
    sequence_range top = space->top;

    if (added.begin < top.begin)
        return add_below(space, added);
    if (added.begin <= top.end) {
        space->top.end = MAX(top.end, added.end);
        return overlap(added, top);
    }
    space->top = added;
    if (top.begin < top.end)
        insert_lower(space, space->lower_count, top);
    return 0;
}

/* A second segment that continues a wild one proves that the stream has moved: see sequence.h. */
static void add_wild(sequence_space *space, uint32_t first, uint32_t length)
{
    if (!space->has_wild || first != space->wild_end) {
        space->has_wild = true;
        space->wild_begin = first;
        space->wild_end = first + length;
        return;
    }
    uint32_t both = first + length - space->wild_begin;
    restart(space, POSITION_ORIGIN + space->wild_begin);
    space->top.end += both;
}

static void add_payload(sequence_space *space, uint32_t first, uint32_t length,
                        sequence_verdict *out)
{
    out->new_bytes = length;
    if (length > SEQUENCE_REACH)
        return;
    if (!space->started)
        begin(space, first);
    else if (space->top.end > POSITION_LIMIT)
        restart(space, POSITION_ORIGIN + first);

    int64_t highest = space->top.end;
    int64_t from_highest = distance((uint32_t)highest, first);
    if (is_wild(from_highest)) {
        add_wild(space, first, length);
        return;
    }

    sequence_range added = {highest + from_highest, highest + from_highest + length};
    int64_t seen = add_range(space, added);
    int64_t below = MIN(added.end, highest) - MIN(added.begin, highest);

    space->has_wild = false;
    out->retransmitted_bytes = (uint32_t)seen;
    out->new_bytes = length - (uint32_t)seen;
    out->filled_hole = below > seen;
    out->left_hole = added.begin > highest;
}

/* The peer has acknowledged what this space's direction sent. */
static void acknowledge(sequence_space *space, uint32_t ack)
{
    if (!space->started) {
        space->acked = POSITION_ORIGIN + ack;
        space->has_acked = true;
        return;
    }
    int64_t from_highest = distance((uint32_t)space->top.end, ack);
    if (is_wild(from_highest))
        return;
    int64_t position = space->top.end + from_highest;
    if (space->has_acked && position <= space->acked)
        return;
    space->acked = position;
    space->has_acked = true;
}

bool sequence_begins_anew(const sequence_space *own, uint32_t initial)
{
    if (!own->started)
        return true;
    if (own->has_initial)
        return own->initial != initial;
    int64_t lowest = own->lower_count > 0 ? own->lower[0].begin : own->top.begin;
    return (uint32_t)lowest != initial + 1;
}

/* True if the SYN belongs to the connection that the space already describes. */
static bool is_same_connection(const sequence_space *space, uint32_t initial)
{
    return space->started && !space->closed && !sequence_begins_anew(space, initial);
}

static void synchronise(sequence_space *own, sequence_space *peer,
                        const struct sequence_segment *segment)
{
    bool reused = own->started;

    if (!is_same_connection(own, segment->seq)) {
        restart(own, POSITION_ORIGIN + segment->seq + 1);
        /* A client that begins anew: the server's next SYN is new as well, whatever its number. */
        if (reused && !segment->has_ack && peer != NULL)
            peer->closed = true;
    }
    own->initial = segment->seq;
    own->has_initial = true;
}

/* fin is the number that the FIN takes, after the segment's payload. */
static void finish(sequence_space *space, uint32_t fin)
{
    if (space->started && is_wild(distance((uint32_t)space->top.end, fin)))
        return;
    space->fin = fin;
    space->has_fin = true;
    space->closed = true;
}

static bool is_keep_alive(const sequence_space *space, const struct sequence_segment *segment)
{
    if (segment->length > 1 || segment->fin)
        return false;
    if (!space->started)
        return space->has_acked && segment->seq + 1 == (uint32_t)space->acked;

    bool fin_is_highest = space->has_fin && space->fin == (uint32_t)space->top.end;
    int64_t next = space->top.end + (fin_is_highest ? 1 : 0);
    if (segment->seq + 1 != (uint32_t)next)
        return false;

    if (!space->has_acked || space->acked >= next)
        return true;

    bool is_payload = !fin_is_highest && space->top.begin < space->top.end;
    return segment->length == 1 && !is_payload;
}

void sequence_add(sequence_space *own, sequence_space *peer, const struct sequence_segment *segment,
                  sequence_verdict *out)
{
    *out = (sequence_verdict){0};

    if (segment->rst) {
        own->closed = true;
        if (peer != NULL)
            peer->closed = true;
        return;
    }
    if (segment->has_ack && peer != NULL)
        acknowledge(peer, segment->ack);

    if (segment->syn) {
        synchronise(own, peer, segment);
    } else if (is_keep_alive(own, segment)) {
        out->is_keep_alive = true;
        return;
    }

    uint32_t first = segment->seq + (segment->syn ? 1 : 0);
    if (segment->length > 0)
        add_payload(own, first, segment->length, out);
    if (segment->fin)
        finish(own, first + segment->length);
}

void sequence_clear(sequence_space *space)
{
    g_free(space->lower);
    *space = (sequence_space){0};
}
