/* period_fft.c
 * Power spectrum of real values whose number is a power of two: Stockham's radix 2 in single
 * precision, the real values packed as half as many complex ones, real and imaginary parts apart
 * so that the inner loops are vectors.  The powers of counts need three digits, not fifteen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>

/* cos and sin of -2 pi k / size, k < size / 2: for the largest size asked for so far. */
static const float *turns_of(struct periodicity_workspace *workspace, guint size)
{
    if (workspace->turns >= size)
        return workspace->room[PERIOD_TURNS];
    float *turns = PERIOD_ROOM(workspace, PERIOD_TURNS, float, size);
    for (gsize k = 0; k < size / 2; k++) {
        turns[2 * k] = (float)cos(2 * G_PI * (double)k / size);
        turns[2 * k + 1] = (float)-sin(2 * G_PI * (double)k / size);
    }
    workspace->turns = size;
    return turns;
}

struct complex_values {
    float *re;
    float *im;
};

/* One pass: the sums and differences of the values m * s apart, sorted on the way. */
static void pass(struct complex_values from, struct complex_values to, gsize m, gsize s,
                 const float *turns, gsize stride)
{
    for (gsize p = 0; p < m; p++) {
        const float c = turns[2 * p * s * stride], d = turns[2 * p * s * stride + 1];
        const float *restrict re = from.re + s * p, *restrict im = from.im + s * p;
        const float *restrict far_re = re + s * m, *restrict far_im = im + s * m;
        float *restrict sum_re = to.re + 2 * s * p, *restrict sum_im = to.im + 2 * s * p;
        float *restrict turned_re = sum_re + s, *restrict turned_im = sum_im + s;

        for (gsize q = 0; q < s; q++) {
            const float x = re[q] - far_re[q], y = im[q] - far_im[q];

            sum_re[q] = re[q] + far_re[q];
            sum_im[q] = im[q] + far_im[q];
            turned_re[q] = x * c - y * d;
            turned_im[q] = x * d + y * c;
        }
    }
}

void period_power(struct periodicity_workspace *workspace, float *values, guint count)
{
    const gsize half = count / 2;
    const float *turns = turns_of(workspace, count);
    const gsize stride = workspace->turns / count; /* of the table, for `count` turns */
    float *room = PERIOD_ROOM(workspace, PERIOD_POWER, float, 2 * (gsize)count);
    struct complex_values now = {room, room + half}, next = {room + count, room + count + half};

    for (gsize k = 0; k < half; k++) {
        now.re[k] = values[2 * k];
        now.im[k] = values[2 * k + 1];
    }
    for (gsize n = half, s = 1; n > 1; n /= 2, s *= 2) {
        struct complex_values swap = now;

        pass(now, next, n / 2, s, turns, 2 * stride);
        now = next;
        next = swap;
    }
    /* X[k] = (Z[k] + conj Z[-k]) / 2 + turn[k] (Z[k] - conj Z[-k]) / 2i */
    for (gsize k = 0; k < half; k++) {
        const gsize mirror = (half - k) & (half - 1);
        const float c = turns[2 * k * stride], d = turns[2 * k * stride + 1];
        const float even_re = now.re[k] + now.re[mirror], even_im = now.im[k] - now.im[mirror];
        const float odd_re = now.im[k] + now.im[mirror], odd_im = now.re[mirror] - now.re[k];
        const float re = even_re + odd_re * c - odd_im * d;
        const float im = even_im + odd_re * d + odd_im * c;

        values[k] = 0.25F * (re * re + im * im);
    }
}
