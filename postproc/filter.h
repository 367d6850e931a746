/* filter.h
 * Inside libfieldedge: filter expressions; selection.h has the language.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FILTER_H
#define FIELDEDGE_FILTER_H

#include "selection.h"

enum {
    FILTER_FIRST_PARAMETER = 10,
    FILTER_MOST_VALUES = 500,  /* in a selection: SQLite's limits are far above */
    FILTER_LONGEST = 64 * 1024 /* bytes of an expression */
};

/* Adds an expression to a selection.  On an error nothing is added. */
bool filter_add(FieldEdgeSelection *selection, const char *expression, GError **error);

#endif
