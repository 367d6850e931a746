/* bins.c
 * See bins.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bins.h"

#define SECOND G_GINT64_CONSTANT(1000000000)

struct bins bins_make(gint64 length_ns, GTimeZone *zone)
{
    return (struct bins){.length_ns = MAX(length_ns, 1), .zone = zone, .begin_ns = 1};
}

static gint64 floor_to(gint64 value, gint64 step)
{
    gint64 rest = value % step;
    gint64 result;

    if (rest < 0)
        rest += step;
    return __builtin_sub_overflow(value, rest, &result) ? G_MININT64 : result;
}

static gint64 add(gint64 a, gint64 b)
{
    gint64 sum;

    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b > 0 ? G_MAXINT64 : G_MININT64;
}

/* ns east of UTC at a time. */
static gint64 offset_at(GTimeZone *zone, gint64 time_ns)
{
    gint interval =
        g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, floor_to(time_ns, SECOND) / SECOND);

    return interval < 0 ? 0 : g_time_zone_get_offset(zone, interval) * SECOND;
}

/* The clock may have changed inside the bin: its begin has the offset of its own time. */
static gint64 begin_in_zone(const struct bins *bins, gint64 time_ns)
{
    gint64 offset = offset_at(bins->zone, time_ns);
    gint64 clock = floor_to(add(time_ns, offset), bins->length_ns);
    gint64 begin = add(clock, -offset);
    gint64 then = offset_at(bins->zone, begin);

    if (then == offset)
        return begin;
    begin = add(clock, -then);
    return MIN(begin, time_ns);
}

gint64 bins_begin(struct bins *bins, gint64 time_ns)
{
    if (time_ns >= bins->begin_ns && time_ns < bins->end_ns)
        return bins->begin_ns;
    if (bins->zone == NULL) {
        bins->begin_ns = floor_to(time_ns, bins->length_ns);
        bins->end_ns = add(bins->begin_ns, bins->length_ns);
        return bins->begin_ns;
    }
    bins->begin_ns = begin_in_zone(bins, time_ns);
    bins->end_ns = time_ns + (time_ns < G_MAXINT64); /* its end may be an hour off: ask again */
    if (bins->length_ns <= 3600 * SECOND)
        bins->end_ns = MAX(bins->end_ns, add(bins->begin_ns, MIN(bins->length_ns, 60 * SECOND)));
    return bins->begin_ns;
}
