/* parse.c
 * Lengths of time, times, networks and ports from text; parse.h explains.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "parse.h"

#include <arpa/inet.h>
#include <string.h>

#define SECOND G_GINT64_CONSTANT(1000000000)
#define DAY    (86400 * SECOND)

__extension__ typedef __int128 int128;

/* What the user typed, as far as it helps. */
enum { SHOWN = 60 };

static bool refuse(const char *text, const char *what, GError **error)
{
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT, "'%.*s' %s", SHOWN, text, what);
    return false;
}

/* ---- Numbers ---- */

/* A decimal number at *text times unit, without a double in between; moves *text behind it.
 * Digits below 1 ns are dropped. */
static bool take_decimal(const char **text, gint64 unit, gint64 *value)
{
    const char *at = *text;
    gint64 whole = 0, part = 0, place = unit;

    if (!g_ascii_isdigit(*at) && !(*at == '.' && g_ascii_isdigit(at[1])))
        return false;
    for (; g_ascii_isdigit(*at); at++) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, *at - '0', &whole))
            return false;
    }
    if (*at == '.')
        at++;
    /* place / 10 would lose digits of units that are no power of ten: 1.55m */
    int128 fraction = 0, scale = 1;
    for (; g_ascii_isdigit(*at); at++) {
        if (scale > (int128)1000000000 * 1000000000)
            continue;
        fraction = fraction * 10 + (*at - '0');
        scale *= 10;
    }
    part = (gint64)(fraction * place / scale);
    if (__builtin_mul_overflow(whole, unit, &whole) || __builtin_add_overflow(whole, part, value))
        return false;
    *text = at;
    return true;
}

static const struct {
    const char *name;
    gint64 ns;
} units[] = {
    {"ns", 1},          {"us", 1000},         {"ms", 1000000}, {"min", 60 * SECOND}, {"s", SECOND},
    {"m", 60 * SECOND}, {"h", 3600 * SECOND}, {"d", DAY},      {"w", 7 * DAY},
};

/* The unit at *text; a number without one is seconds. */
static bool find_unit(const char *text, gint64 *ns, size_t *length)
{
    *length = 0;
    *ns = SECOND;
    if (*text == '\0')
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        size_t size = strlen(units[i].name);

        if (strncmp(text, units[i].name, size) == 0 && !g_ascii_isalpha(text[size])) {
            *ns = units[i].ns;
            *length = size;
            return true;
        }
    }
    return false;
}

bool parse_duration(const char *text, gint64 *ns, GError **error)
{
    static const char wanted[] = "is no length of time; write for instance 90s, 5m, 1.5h or 1d";
    const char *at = text;
    gint64 sum = 0;

    if (*at == '\0')
        return refuse(text, wanted, error);
    while (*at != '\0') {
        size_t digits = strspn(at, "0123456789."), length;
        gint64 unit, value;
        const char *number = at;

        if (digits == 0 || !find_unit(at + digits, &unit, &length) ||
            (length == 0 && number != text))
            return refuse(text, wanted, error);
        if (!take_decimal(&number, unit, &value) || number != at + digits)
            return refuse(text, strchr(at, '.') == NULL ? "is too long a time" : wanted, error);
        if (__builtin_add_overflow(sum, value, &sum))
            return refuse(text, "is too long a time", error);
        at = number + length;
    }
    *ns = sum;
    return true;
}

/* ---- Times ---- */

/* Exactly count digits. */
static bool take_digits(const char **text, int count, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (!g_ascii_isdigit(**text))
            return false;
        *value = *value * 10 + (**text - '0');
    }
    return true;
}

struct clock {
    int year, month, day, hour, minute, second;
    gint64 part_ns;
    gint64 length_ns;
    bool has_offset;
    int offset; /* seconds east of UTC */
};

/* "+01:00", "+0100", "-03" or "Z"; nothing is fine. */
static bool take_offset(const char **text, struct clock *clock)
{
    int hours, minutes = 0, sign = **text == '-' ? -1 : 1;

    if (**text == '\0')
        return true;
    clock->has_offset = true;
    if (**text == 'Z' || **text == 'z') {
        (*text)++;
        return true;
    }
    if (**text != '+' && **text != '-')
        return false;
    (*text)++;
    if (!take_digits(text, 2, &hours))
        return false;
    if (**text != '\0') {
        if (**text == ':')
            (*text)++;
        if (!take_digits(text, 2, &minutes))
            return false;
    }
    clock->offset = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static bool take_time_of_day(const char **text, struct clock *clock)
{
    if (!take_digits(text, 2, &clock->hour) || **text != ':')
        return false;
    (*text)++;
    if (!take_digits(text, 2, &clock->minute))
        return false;
    clock->length_ns = 60 * SECOND;
    if (**text != ':')
        return true;
    (*text)++;
    if (!take_digits(text, 2, &clock->second))
        return false;
    clock->length_ns = SECOND;
    if (**text != '.')
        return true;
    clock->length_ns = 1;
    return g_ascii_isdigit((*text)[1]) && take_decimal(text, SECOND, &clock->part_ns);
}

static bool take_clock(const char *text, struct clock *clock)
{
    if (!take_digits(&text, 4, &clock->year) || *text++ != '-' ||
        !take_digits(&text, 2, &clock->month) || *text++ != '-' ||
        !take_digits(&text, 2, &clock->day))
        return false;
    clock->length_ns = DAY;
    if (*text == 'T' || *text == 't' || *text == ' ') {
        text++;
        if (!take_time_of_day(&text, clock))
            return false;
    }
    return take_offset(&text, clock) && *text == '\0';
}

/* 23 or 25 hours where clocks change. */
static gint64 length_of_day(GDateTime *day)
{
    g_autoptr(GDateTime) next = g_date_time_add_days(day, 1);

    return next == NULL ? DAY : (g_date_time_to_unix(next) - g_date_time_to_unix(day)) * SECOND;
}

/* FALSE: no such date or time of day. */
static bool clock_to_ns(struct clock *clock, GTimeZone *zone, gint64 *ns)
{
    g_autoptr(GTimeZone) fixed = NULL;
    g_autoptr(GDateTime) time = NULL;

    if (clock->has_offset)
        fixed = g_time_zone_new_offset(clock->offset);
    else if (zone == NULL)
        fixed = g_time_zone_new_utc();
    time = g_date_time_new(fixed != NULL ? fixed : zone, clock->year, clock->month, clock->day,
                           clock->hour, clock->minute, clock->second);
    if (time == NULL)
        return false;
    if (clock->length_ns == DAY)
        clock->length_ns = length_of_day(time);
    return !__builtin_mul_overflow(g_date_time_to_unix(time), SECOND, ns) &&
           !__builtin_add_overflow(*ns, clock->part_ns, ns);
}

static bool is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (text[digits] == '.')
        digits += 1 + strspn(text + digits + 1, "0123456789");
    return text[digits] == '\0' && g_ascii_isdigit(*text);
}

bool parse_time(const char *text, GTimeZone *zone, gint64 *ns, gint64 *length_ns, GError **error)
{
    struct clock clock = {0};
    gint64 value;

    if (is_number(text)) {
        const char *at = text;

        if (!take_decimal(&at, SECOND, &value) || *at != '\0')
            return refuse(text, "is too far from now for a time", error);
        clock.length_ns = 1;
    } else if (!take_clock(text, &clock)) {
        return refuse(text,
                      "is no time; write for instance 2026-11-24, 2026-11-24T06:30:00Z or seconds "
                      "since 1970",
                      error);
    } else if (!clock_to_ns(&clock, zone, &value)) {
        return refuse(text, "is no time: there is no such day or hour, or it is too far from now",
                      error);
    }
    *ns = value;
    if (length_ns != NULL)
        *length_ns = clock.length_ns;
    return true;
}

/* ---- Networks and ports ---- */

static bool take_address(const char *text, struct network *network)
{
    if (inet_pton(AF_INET, text, network->first) == 1)
        network->length = 4;
    else if (inet_pton(AF_INET6, text, network->first) == 1)
        network->length = 16;
    else
        return false;
    return true;
}

/* Sets the bits after the first `bits` in last; FALSE if one is set in first. */
static bool spread(struct network *network, guint bits)
{
    bool is_clean = true;

    memcpy(network->last, network->first, sizeof network->last);
    for (guint bit = bits; bit < network->length * 8; bit++) {
        guint8 mask = (guint8)(0x80 >> (bit % 8));

        is_clean = is_clean && (network->first[bit / 8] & mask) == 0;
        network->first[bit / 8] &= (guint8)~mask;
        network->last[bit / 8] |= mask;
    }
    return is_clean;
}

bool parse_network(const char *text, struct network *network, GError **error)
{
    static const char wanted[] = "is no address or network; write for instance 192.168.1.7, "
                                 "10.0.0.0/8 or fc00::/7";
    struct network result = {0};
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    guint64 bits;

    if (parts[0] == NULL || !take_address(parts[0], &result))
        return refuse(text, wanted, error);
    bits = result.length * 8;
    if (parts[1] != NULL && !g_ascii_string_to_unsigned(parts[1], 10, 0, bits, &bits, NULL)) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "'%.*s' is no network: the length of its prefix is a number from 0 to %zu",
                    SHOWN, text, result.length * 8);
        return false;
    }
    if (!spread(&result, (guint)bits)) {
        char address[INET6_ADDRSTRLEN];

        inet_ntop(result.length == 4 ? AF_INET : AF_INET6, result.first, address, sizeof address);
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "'%.*s' is an address inside a network; did you mean %s/%u?", SHOWN, text,
                    address, (guint)bits);
        return false;
    }
    *network = result;
    return true;
}

bool parse_ports(const char *text, guint *first, guint *last, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "-", 2);
    guint64 low, high;

    if (parts[0] == NULL || !g_ascii_string_to_unsigned(parts[0], 10, 0, 65535, &low, NULL))
        return refuse(text, "is no port; write a number up to 65535, or a range 5000-5010", error);
    high = low;
    if (parts[1] != NULL &&
        (!g_ascii_string_to_unsigned(parts[1], 10, 0, 65535, &high, NULL) || high < low))
        return refuse(text, "is no range of ports; write for instance 5000-5010", error);
    *first = (guint)low;
    *last = (guint)high;
    return true;
}

/* ---- Tolerances ---- */

bool parse_tolerance(const char *text, FieldEdgeTolerance *tolerance, GError **error)
{
    static const char wanted[] =
        "is no tolerance of sizes; write bytes, as in 8, or a share, as in "
        "5%";
    const char *at = text;
    gint64 thousandths;
    guint64 bytes;

    if (g_str_has_suffix(text, "%")) {
        if (!take_decimal(&at, 1000, &thousandths) || strcmp(at, "%") != 0 || thousandths > 100000)
            return refuse(text, wanted, error);
        *tolerance = (FieldEdgeTolerance){.share = (double)thousandths / 100000};
        return true;
    }
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &bytes, NULL))
        return refuse(text, wanted, error);
    *tolerance = (FieldEdgeTolerance){.bytes = (gint64)bytes};
    return true;
}

/* ---- The public ones ---- */

gboolean fieldedge_parse_duration(const char *text, gint64 *ns, GError **error)
{
    g_return_val_if_fail(text != NULL && ns != NULL, FALSE);
    return parse_duration(text, ns, error);
}

gboolean fieldedge_parse_tolerance(const char *text, FieldEdgeTolerance *tolerance, GError **error)
{
    g_return_val_if_fail(text != NULL && tolerance != NULL, FALSE);
    return parse_tolerance(text, tolerance, error);
}
