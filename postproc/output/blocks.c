/* blocks.c
 * Bars and sparklines of block characters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "output.h"

#include <math.h>

enum { EIGHTHS = 8 };

char *output_bar(double share, size_t width, bool is_utf8)
{
    static const char *const blocks[EIGHTHS + 1] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    double wanted = CLAMP(share, 0, 1) * (double)width * EIGHTHS;
    size_t eighths = (size_t)llround(wanted);
    GString *bar = g_string_new(NULL);

    if (eighths == 0 && wanted > 0)
        eighths = 1;
    for (; eighths >= EIGHTHS; eighths -= EIGHTHS)
        g_string_append(bar, is_utf8 ? blocks[EIGHTHS] : "#");
    if (is_utf8)
        g_string_append(bar, blocks[eighths]);
    else if (eighths > 0)
        g_string_append_c(bar, '+');
    return g_string_free(bar, FALSE);
}

static double greatest(const double *points, size_t count)
{
    double top = 0;

    for (size_t i = 0; i < count; i++)
        top = MAX(top, points[i]);
    return top;
}

char *output_spark(const double *points, size_t count, double top, bool is_utf8)
{
    static const char *const blocks[EIGHTHS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char ascii[] = "_.:-=+*#";
    double full = top > 0 ? top : greatest(points, count);
    GString *line = g_string_new(NULL);

    for (size_t i = 0; i < count; i++) {
        size_t level = 0;
        if (points[i] > 0 && full > 0)
            level = CLAMP((size_t)ceil(MIN(points[i] / full, 1) * (EIGHTHS - 1)), 1, EIGHTHS - 1);
        if (is_utf8)
            g_string_append(line, blocks[level]);
        else
            g_string_append_c(line, ascii[level]);
    }
    return g_string_free(line, FALSE);
}
