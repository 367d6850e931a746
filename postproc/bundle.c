/* bundle.c
 * Packets as bytes and back, and their split by direction and size; see bundle.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bundle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Encoding ---- */

static guint8 *put(guint8 *at, guint64 value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (guint8)(value | 0x80);
    *at++ = (guint8)value;
    return at;
}

static const guint8 *take(const guint8 *at, guint64 *value)
{
    guint shift = 0;

    *value = 0;
    do
        *value |= (guint64)(*at & 0x7f) << shift;
    while (shift += 7, (*at++ & 0x80) != 0);
    return at;
}

static guint64 zigzag(gint64 value)
{
    return ((guint64)value << 1) ^ (value < 0 ? G_MAXUINT64 : 0);
}

static gint64 unzigzag(guint64 value)
{
    return (gint64)(value >> 1) ^ -(gint64)(value & 1);
}

gsize bundle_encode(struct bundle_state *state, const struct bundle_packet *packet,
                    guint8 bytes[BUNDLE_LONGEST])
{
    guint32 link_bytes = packet->frame_bytes - packet->ip_bytes;
    bool is_changed = state->member != packet->member + 1 || state->link_bytes != link_bytes;
    guint8 *at = bytes;

    at = put(at, zigzag((gint64)((guint64)packet->time_ns - (guint64)state->time_ns)));
    at = put(at, (guint64)packet->frame_bytes << 3 | (guint64)is_changed << 2 |
                     (guint64)packet->is_retransmission << 1 | packet->is_ba);
    if (is_changed) {
        at = put(at, link_bytes);
        at = put(at, packet->member);
    }
    *state = (struct bundle_state){packet->time_ns, link_bytes, packet->member + 1};
    return (gsize)(at - bytes);
}

/* ---- Decoding ---- */

static int packet_compare(gconstpointer left, gconstpointer right, gpointer data)
{
    const struct bundle_packet *a = left, *b = right;

    (void)data;
    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static struct bundle_packet *next_packet(struct bundle *bundle)
{
    if (bundle->count == bundle->room) {
        bundle->room = bundle->room == 0 ? 256 : bundle->room + bundle->room / 2;
        bundle->packets = g_renew(struct bundle_packet, bundle->packets, bundle->room);
    }
    return &bundle->packets[bundle->count++];
}

void bundle_decode(struct bundle *bundle, const guint8 *bytes, gsize length)
{
    struct bundle_state state = {0};
    bool is_sorted = true;
    guint64 value;

    bundle->count = 0;
    if (length == 0)
        return;
    for (const guint8 *at = bytes; at < bytes + length;) {
        struct bundle_packet *packet = next_packet(bundle);
        gint64 before = state.time_ns;

        at = take(at, &value);
        state.time_ns = (gint64)((guint64)state.time_ns + (guint64)unzigzag(value));
        at = take(at, &value);
        if (value & 4) {
            guint64 link_bytes, member;

            at = take(at, &link_bytes);
            at = take(at, &member);
            state.link_bytes = (guint32)link_bytes;
            state.member = (guint32)member;
        }
        *packet = (struct bundle_packet){
            .time_ns = state.time_ns,
            .frame_bytes = (guint32)(value >> 3),
            .ip_bytes = (guint32)(value >> 3) - state.link_bytes,
            .member = state.member,
            .is_retransmission = (value & 2) != 0,
            .is_ba = (value & 1) != 0,
        };
        is_sorted = is_sorted && (bundle->count == 1 || packet->time_ns >= before);
    }
    if (!is_sorted) /* g_qsort_with_data() keeps the order of equals */
        g_qsort_with_data(bundle->packets, (gint)bundle->count, sizeof *bundle->packets,
                          packet_compare, NULL);
}

void bundle_clear(struct bundle *bundle)
{
    g_clear_pointer(&bundle->packets, g_free);
    *bundle = (struct bundle){0};
}

/* ---- Splitting ---- */

/* A share is a whole number of thousandths of 1 %: 29 % of 100 bytes is 29, not 28.999…  */
#define ROUNDING 1e-6

/* A key is direction, size and place, so that a plain sort keeps the order of time. */
enum { PLACE_BITS = 31, FEW = 192 };

static int key_compare(const void *left, const void *right)
{
    guint64 a = *(const guint64 *)left, b = *(const guint64 *)right;

    return (a > b) - (a < b);
}

/* By the bits from PLACE_BITS on; the places below are in order already. */
static void radix_sort(struct bundle_split *split, guint count)
{
    enum { BITS = 11, DIGITS = 1 << BITS };
    guint places[DIGITS];

    for (guint shift = PLACE_BITS; shift < 64; shift += BITS) {
        guint sum = 0;

        memset(places, 0, sizeof places);
        for (guint i = 0; i < count; i++)
            places[split->keys[i] >> shift & (DIGITS - 1)]++;
        if (places[split->keys[0] >> shift & (DIGITS - 1)] == count)
            continue;
        for (guint d = 0; d < DIGITS; d++) {
            guint here = places[d];

            places[d] = sum;
            sum += here;
        }
        for (guint i = 0; i < count; i++)
            split->spare[places[split->keys[i] >> shift & (DIGITS - 1)]++] = split->keys[i];
        guint64 *sorted = split->spare;
        split->spare = split->keys;
        split->keys = sorted;
    }
}

static void make_room(struct bundle_split *split, guint count)
{
    if (count <= split->room)
        return;
    split->room = MAX(count, split->room + split->room / 2);
    split->order = g_renew(guint32, split->order, split->room);
    split->keys = g_renew(guint64, split->keys, split->room);
    split->spare = g_renew(guint64, split->spare, split->room);
}

static struct bundle_part *add_part(struct bundle_split *split)
{
    if (split->part_count == split->part_room) {
        split->part_room = split->part_room == 0 ? 16 : 2 * split->part_room;
        split->parts = g_renew(struct bundle_part, split->parts, split->part_room);
    }
    return &split->parts[split->part_count++];
}

/* Parts of several sizes have their packets by size: back to the order of time. */
static int place_compare(const void *left, const void *right)
{
    guint32 a = *(const guint32 *)left, b = *(const guint32 *)right;

    return (a > b) - (a < b);
}

static void sort_parts(struct bundle_split *split)
{
    for (guint i = 0; i < split->part_count; i++) {
        const struct bundle_part *part = &split->parts[i];

        if (part->size_low != part->size_high)
            qsort(split->order + part->first, part->count, sizeof *split->order, place_compare);
    }
}

void bundle_split(struct bundle_split *split, const struct bundle *bundle, gint64 tolerance,
                  double tolerance_share)
{
    struct bundle_part *part = NULL;
    guint64 limit = 0;

    make_room(split, bundle->count);
    split->part_count = 0;
    split->tolerance = tolerance;
    split->tolerance_share = tolerance_share;
    if (bundle->count == 0)
        return;
    for (guint i = 0; i < bundle->count; i++) {
        const struct bundle_packet *packet = &bundle->packets[i];

        split->keys[i] =
            (guint64)packet->is_ba << 63 | (guint64)packet->frame_bytes << PLACE_BITS | i;
    }
    if (bundle->count < FEW)
        qsort(split->keys, bundle->count, sizeof *split->keys, key_compare);
    else
        radix_sort(split, bundle->count);
    for (guint i = 0; i < bundle->count; i++) {
        guint64 key = split->keys[i];
        bool is_ba = key >> 63 != 0;
        guint32 size = (guint32)(key >> PLACE_BITS);

        split->order[i] = (guint32)(key & (((guint64)1 << PLACE_BITS) - 1));
        if (part == NULL || part->is_ba != is_ba || size > limit) {
            part = add_part(split);
            *part = (struct bundle_part){is_ba, size, size, i, 0};
            limit = (guint64)size + MAX((guint64)tolerance,
                                        (guint64)floor((double)size * tolerance_share + ROUNDING));
        }
        part->size_high = size;
        part->count++;
    }
    sort_parts(split);
}

void bundle_split_clear(struct bundle_split *split)
{
    g_free(split->order);
    g_free(split->parts);
    g_free(split->keys);
    g_free(split->spare);
    *split = (struct bundle_split){0};
}
