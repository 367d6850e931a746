/* tap_table.h
 * `-z fieldedge,applications[,filter]`, `hosts` and `intervals`: the tables of `fieldedge summary`,
 * `hosts` and `intervals` on tshark's standard output, without a database of one's own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_TAP_TABLE_H
#define FIELDEDGE_TAP_TABLE_H

#include <stdbool.h>

/* Whether there is a table of this name. */
bool tap_table_exists(const char *name);

/* Starts one.  false with *error (g_free it): a filter or a preference can't be used. */
bool tap_table_start(const char *name, const char *filter, char **error);

#endif
