/* sql_functions.h
 * What SQL cannot compute, as aggregate functions for fieldedge_query_new():
 *
 *     median(x)         the middle value; of an even number the mean of the two in the middle
 *     percentile(x, p)  p per cent of the values are smaller, 0 <= p <= 100: at the place
 *                       p / 100 * (n - 1) of the sorted values, counted from 0, on the straight
 *                       line between its neighbours (as Excel, numpy and SQLite's own extension)
 *     stdev(x)          standard deviation of the sample, n - 1; NULL for fewer than two values
 *     mad(x)            median absolute deviation: median(abs(x - median(x))), not scaled
 *
 * Of 1, 2, 4, 8: median 3.0, percentile 25 1.75, stdev 3.0957, mad 1.5.
 *
 * NULL is left out; without any value the result is NULL.  A text that is no number is an error.
 * The result is a floating-point number.  Inside, integers are kept less the first of their group,
 * so that stdev() and mad() of times in nanoseconds are right; the median of such times themselves
 * is as exact as a floating-point number can say it, 256 ns.
 *
 * All values of a group are kept in memory, 8 bytes each, 32 million at most.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SQL_FUNCTIONS_H
#define FIELDEDGE_SQL_FUNCTIONS_H

#include <sqlite3.h>

/* Returns an SQLite code.  A function of the same name that the handle has is replaced. */
int sql_functions_register(sqlite3 *handle);

#endif
