/* units.c: see units.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "units.h"

#include <math.h>
#include <string.h>

/* Beyond this nanoseconds would not fit into 64 bits. */
#define VALUE_MAX 9.0e9

/* A number, and what stands behind it; FALSE: there is no number, or it is not greater than 0. */
static bool read_number(const char *text, double *number, const char **unit)
{
    char *end;

    if (!g_ascii_isdigit(*text))
        return false;
    *number = g_ascii_strtod(text, &end);
    *unit = end;
    return isfinite(*number) && *number > 0 && g_ascii_tolower(text[1]) != 'x';
}

bool units_parse_time(const char *text, gint64 *seconds)
{
    static const struct {
        const char *unit;
        int seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
    const char *unit;
    double number;

    if (!read_number(text, &number, &unit))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strcmp(unit, units[i].unit) != 0 || number * units[i].seconds > VALUE_MAX)
            continue;
        *seconds = (gint64)(number * units[i].seconds);
        return *seconds > 0;
    }
    return false;
}

bool units_parse_size(const char *text, gint64 *bytes)
{
    static const char letters[] = "KMGT";
    const char *unit, *letter;
    double number;
    int shift = 0;

    if (!read_number(text, &number, &unit))
        return false;
    if (*unit != '\0' && (letter = strchr(letters, g_ascii_toupper(*unit))) != NULL) {
        shift = 10 * (int)(letter - letters + 1);
        unit++;
    }
    if (strcmp(unit, "") != 0 && strcmp(unit, "B") != 0 && strcmp(unit, "iB") != 0)
        return false;
    if (number * (double)(G_GINT64_CONSTANT(1) << shift) > 9.0e18)
        return false;
    *bytes = (gint64)(number * (double)(G_GINT64_CONSTANT(1) << shift));
    return *bytes > 0;
}
