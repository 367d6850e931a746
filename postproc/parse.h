/* parse.h
 * Inside libfieldedge: the small languages of the command line, each by itself and fuzzed alone.
 * Every function sets an error of FIELDEDGE_ERROR_ARGUMENT that says what is wrong and shows what
 * would be right, and leaves the result alone.
 *
 *     a length of time   "90", "1.5h", "250ms", "1h30m", "7d"    → ns
 *     a time             "2026-11-24", "2026-11-24T00:16:12.5+01:00", "1700000000.25" → ns since
 * 1970 a network          "10.0.0.0/8", "192.168.1.7", "fc00::/7"  → prefix
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PARSE_H
#define FIELDEDGE_PARSE_H

#include "fieldedge.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* A sum of numbers with the units ns, us, ms, s, m (or min), h, d, w; a number alone is seconds.
 * Exact: "0.1s" is 100,000,000 ns.  Example: "1h30m" = 5,400,000,000,000 ns. */
bool parse_duration(const char *text, gint64 *ns, GError **error);

/* ISO 8601 date, or date and time separated by T or a blank, to the nanosecond; without an offset
 * or Z in zone (NULL: UTC).  Or seconds since 1970.  *length_ns (or NULL) is how long what was
 * named lasts: a date's day (23 or 25 hours where clocks change), a minute for "00:16", a second
 * for "00:16:12", else 1 ns. */
bool parse_time(const char *text, GTimeZone *zone, gint64 *ns, gint64 *length_ns, GError **error);

/* The first and last address of a network. */
struct network {
    size_t length; /* of an address: 4 or 16 */
    guint8 first[16];
    guint8 last[16];
};

/* An address alone is a network of one.  Bits beyond the prefix length are refused. */
bool parse_network(const char *text, struct network *network, GError **error);

/* "443" or "5000-5010". */
bool parse_ports(const char *text, guint *first, guint *last, GError **error);

/* "8" (bytes) or "5%" (up to 100 %). */
bool parse_tolerance(const char *text, FieldEdgeTolerance *tolerance, GError **error);

#endif
