/* units.h
 * Lengths of time and sizes as people write them.
 *
 *     units_parse_time("30d")   2,592,000 s     s, m, h, d, w; a number alone is seconds
 *     units_parse_size("2G")    2^31 bytes      K, M, G, T (1024 each), with or without iB or B
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_UNITS_H
#define FIELDEDGE_UNITS_H

#include <glib.h>
#include <stdbool.h>

/* Whole and half numbers ("1.5h") that are greater than 0; FALSE: the text is none. */
bool units_parse_time(const char *text, gint64 *seconds);
bool units_parse_size(const char *text, gint64 *bytes);

#endif
