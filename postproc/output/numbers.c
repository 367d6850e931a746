/* numbers.c
 * Numbers for programs: the same in every locale.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "output.h"

#include <math.h>

/* Integers alone: -0.5 s is -500000000 ns, whose whole seconds would lose the sign. */
size_t output_seconds(char text[OUTPUT_NUMBER_SIZE], gint64 ns)
{
    guint64 size = ns < 0 ? 0 - (guint64)ns : (guint64)ns;
    char digits[OUTPUT_NUMBER_SIZE];
    size_t length = 0, end = 0;

    for (int i = 0; i < 9; i++, size /= 10)
        digits[length++] = (char)('0' + size % 10);
    digits[length++] = '.';
    do {
        digits[length++] = (char)('0' + size % 10);
        size /= 10;
    } while (size != 0);
    if (ns < 0)
        digits[length++] = '-';
    while (length > 0)
        text[end++] = digits[--length];
    text[end] = '\0';
    return end;
}

/* 15 digits survive from decimal to double and back, 17 from double to decimal and back; numbers so
 * small that they are not normal have fewer. */
void output_real(char text[OUTPUT_NUMBER_SIZE], double real)
{
    for (int digits = fpclassify(real) == FP_SUBNORMAL ? 1 : 15; digits <= 17; digits++) {
        char format[] = "%.00g";
        format[2] = (char)('0' + digits / 10);
        format[3] = (char)('0' + digits % 10);
        g_ascii_formatd(text, OUTPUT_NUMBER_SIZE, format, real);
        if (g_ascii_strtod(text, NULL) == real)
            return;
    }
}
