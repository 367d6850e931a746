/* scale.c
 * See scale.h.
 *
 * A tick is found on the clock of the zone: that clock's seconds since 1970 are counted in steps,
 * and each is turned back into a time.  So ticks of days stay at midnight when clocks change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "scale.h"

#include <math.h>

#define MS     G_GINT64_CONSTANT(1000000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const gint64 steps[] = {
    1 * MS,      2 * MS,     5 * MS,     10 * MS,    20 * MS,     50 * MS,     100 * MS,
    200 * MS,    500 * MS,   1 * SECOND, 2 * SECOND, 5 * SECOND,  10 * SECOND, 15 * SECOND,
    30 * SECOND, 1 * MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    1 * HOUR,    2 * HOUR,   3 * HOUR,   6 * HOUR,   12 * HOUR,   1 * DAY,     7 * DAY};

gint64 scale_bin(gint64 span_ns, guint most)
{
    gint64 week = 7 * DAY, share = span_ns / most + (span_ns % most != 0);

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (steps[i] >= share)
            return steps[i];
    }
    return (share / week + (share % week != 0)) * week;
}

double scale_bytes(double top, guint most)
{
    double unit = 1, step = top / most;

    while (step > 500 && unit < 0x1p60) { /* after 500 units comes 1 of the next */
        unit *= 1024;
        step = top / most / unit;
    }
    if (step <= 1)
        return unit;
    double power = pow(10, floor(log10(step)));
    for (int digit = 1; digit <= 10; digit = digit == 2 ? 5 : digit * 2) {
        if (digit * power >= step * (1 - 1e-9))
            return digit * power * unit;
    }
    return 10 * power * unit;
}

/* ---- Times ---- */

enum { MONTHS_A_YEAR = 12 };

/* ns on the clock of the zone, counted from its 1970-01-01 00:00. */
static gint64 clock_of(gint64 time_ns, GTimeZone *zone)
{
    gint64 second = time_ns / SECOND - (time_ns % SECOND < 0);
    gint interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, second);

    return time_ns + g_time_zone_get_offset(zone, interval) * SECOND;
}

/* When the clock of the zone shows that, of two times the first; G_MININT64 if it skips that. */
static gint64 time_of(gint64 clock_ns, GTimeZone *zone)
{
    gint64 second = clock_ns / SECOND - (clock_ns % SECOND < 0);
    gint interval = g_time_zone_find_interval(zone, G_TIME_TYPE_STANDARD, second);

    if (interval < 0)
        return G_MININT64;
    return clock_ns - g_time_zone_get_offset(zone, interval) * SECOND;
}

static GDateTime *date_of(gint64 time_ns, GTimeZone *zone)
{
    gint64 second = time_ns / SECOND - (time_ns % SECOND < 0);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(second);

    return utc == NULL ? NULL : g_date_time_to_timezone(utc, zone);
}

static void write_label(struct scale_tick *tick, GTimeZone *zone, const char *format,
                        gint64 step_ns)
{
    g_autoptr(GDateTime) date = date_of(tick->time_ns, zone);
    g_autofree char *label = date == NULL ? NULL : g_date_time_format(date, format);
    g_autofree char *day = date == NULL ? NULL : g_date_time_format(date, "%Y-%m-%d");
    gint64 ms = (tick->time_ns % SECOND + SECOND) % SECOND / MS;

    if (step_ns > 0 && step_ns < SECOND)
        g_snprintf(tick->label, sizeof tick->label, "%s.%03d", label, (int)ms);
    else
        g_strlcpy(tick->label, label != NULL ? label : "", sizeof tick->label);
    if (step_ns > 0 && step_ns < DAY)
        g_strlcpy(tick->date, day != NULL ? day : "", sizeof tick->date);
}

static GArray *ticks_of_steps(gint64 begin_ns, gint64 end_ns, GTimeZone *zone, gint64 step_ns)
{
    GArray *ticks = g_array_new(FALSE, TRUE, sizeof(struct scale_tick));
    gint64 clock = clock_of(begin_ns, zone), last = G_MININT64;
    const char *format = step_ns >= DAY ? "%Y-%m-%d" : step_ns >= MINUTE ? "%H:%M" : "%H:%M:%S";

    for (clock -= (clock % step_ns + step_ns) % step_ns;; clock += step_ns) {
        struct scale_tick tick = {.time_ns = time_of(clock, zone)};
        if (tick.time_ns > end_ns)
            break;
        if (tick.time_ns < begin_ns || tick.time_ns <= last)
            continue;
        last = tick.time_ns;
        write_label(&tick, zone, format, step_ns);
        g_array_append_val(ticks, tick);
    }
    return ticks;
}

static GArray *ticks_of_months(gint64 begin_ns, gint64 end_ns, GTimeZone *zone, guint months)
{
    GArray *ticks = g_array_new(FALSE, TRUE, sizeof(struct scale_tick));
    g_autoptr(GDateTime) begin = date_of(begin_ns, zone);

    if (begin == NULL)
        return ticks;
    for (guint month = 0;; month += months) {
        guint year = (guint)g_date_time_get_year(begin) + month / MONTHS_A_YEAR;
        g_autoptr(GDateTime) date =
            g_date_time_new(zone, (gint)year, (gint)(month % MONTHS_A_YEAR) + 1, 1, 0, 0, 0);
        if (date == NULL || g_date_time_to_unix(date) > end_ns / SECOND)
            break;
        struct scale_tick tick = {.time_ns = g_date_time_to_unix(date) * SECOND};
        if (tick.time_ns < begin_ns)
            continue;
        write_label(&tick, zone, months < MONTHS_A_YEAR ? "%Y-%m" : "%Y", 0);
        g_array_append_val(ticks, tick);
    }
    return ticks;
}

/* The date below the label, only where it is a new one. */
static void drop_repeated_dates(GArray *ticks)
{
    for (guint i = ticks->len; i-- > 1;) {
        struct scale_tick *tick = &g_array_index(ticks, struct scale_tick, i);
        if (g_str_equal(tick->date, tick[-1].date))
            tick->date[0] = '\0';
    }
}

GArray *scale_times(gint64 begin_ns, gint64 end_ns, GTimeZone *zone, guint most)
{
    static const guint months[] = {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200};
    const gint64 month_ns = 28 * DAY;
    gint64 span = end_ns - begin_ns;
    size_t i = 0;

    for (; i < G_N_ELEMENTS(steps); i++) {
        if (span / steps[i] > most)
            continue;
        GArray *ticks = ticks_of_steps(begin_ns, end_ns, zone, steps[i]);
        drop_repeated_dates(ticks);
        return ticks;
    }
    for (i = 0; i + 1 < G_N_ELEMENTS(months) && span / (month_ns * months[i]) > most;)
        i++;
    return ticks_of_months(begin_ns, end_ns, zone, months[i]);
}
