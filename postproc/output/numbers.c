/* numbers.c
 * Numbers for programs: the same in every locale.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "output.h"

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

/* 15 digits always survive from decimal to double and back, 17 from double to decimal and back. */
void output_real(char text[OUTPUT_NUMBER_SIZE], double real)
{
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, OUTPUT_NUMBER_SIZE, formats[i], real);
        if (g_ascii_strtod(text, NULL) == real)
            return;
    }
}
