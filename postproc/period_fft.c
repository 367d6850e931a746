/* period_fft.c
 * Power spectrum of real values whose number is a power of two: radix 2, in place, the real values
 * packed as half as many complex ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "period_internal.h"

#include <math.h>

/* Exchanges each complex value with that at the index of reversed bits. */
static void reverse_bits(double *values, gsize count)
{
    for (gsize i = 1, j = 0; i < count; i++) {
        gsize bit = count >> 1;

        for (; (j & bit) != 0; bit >>= 1)
            j ^= bit;
        j |= bit;
        if (i < j) {
            double re = values[2 * i], im = values[2 * i + 1];
            values[2 * i] = values[2 * j];
            values[2 * i + 1] = values[2 * j + 1];
            values[2 * j] = re;
            values[2 * j + 1] = im;
        }
    }
}

/* turns holds cos and sin of -2 pi k / (2 count), k < count. */
static void transform(double *values, gsize count, const double *turns)
{
    reverse_bits(values, count);
    for (gsize half = 1; half < count; half *= 2) {
        gsize stride = 2 * (count / (2 * half));

        for (gsize start = 0; start < count; start += 2 * half) {
            double *low = values + 2 * start, *high = low + 2 * half;

            for (gsize k = 0; k < half; k++) {
                double c = turns[2 * k * stride], s = turns[2 * k * stride + 1];
                double re = high[2 * k] * c - high[2 * k + 1] * s;
                double im = high[2 * k] * s + high[2 * k + 1] * c;

                high[2 * k] = low[2 * k] - re;
                high[2 * k + 1] = low[2 * k + 1] - im;
                low[2 * k] += re;
                low[2 * k + 1] += im;
            }
        }
    }
}

void period_power(struct periodicity_workspace *workspace, double *values, gsize count)
{
    gsize half = count / 2;
    double *turns = PERIOD_ROOM(workspace, PERIOD_TURNS, double, 2 * half);
    double *power = PERIOD_ROOM(workspace, PERIOD_POWER, double, half);

    for (gsize k = 0; k < half; k++) {
        turns[2 * k] = cos(2 * G_PI * (double)k / (double)count);
        turns[2 * k + 1] = -sin(2 * G_PI * (double)k / (double)count);
    }
    transform(values, half, turns);

    /* X[k] = (Z[k] + conj Z[-k]) / 2 + turn[k] (Z[k] - conj Z[-k]) / 2i */
    for (gsize k = 0; k < half; k++) {
        gsize mirror = (half - k) & (half - 1);
        double even_re = 0.5 * (values[2 * k] + values[2 * mirror]);
        double even_im = 0.5 * (values[2 * k + 1] - values[2 * mirror + 1]);
        double odd_re = 0.5 * (values[2 * k + 1] + values[2 * mirror + 1]);
        double odd_im = -0.5 * (values[2 * k] - values[2 * mirror]);
        double re = even_re + odd_re * turns[2 * k] - odd_im * turns[2 * k + 1];
        double im = even_im + odd_re * turns[2 * k + 1] + odd_im * turns[2 * k];

        power[k] = re * re + im * im;
    }
    for (gsize k = 0; k < half; k++)
        values[k] = power[k];
}
