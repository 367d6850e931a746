/* tables.h
 * Tables of a database that are written in more than one place: by the command, and by the plugin
 * in tshark's `-z fieldedge,…`.
 *
 *     output_open() → table_hosts.write(&source, &error) → output_close(), or output_abandon()
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_TABLES_H
#define FIELDEDGE_TABLES_H

#include "fieldedge.h"
#include "output.h"

struct table_source {
    FieldEdgeDatabase *database;
    const FieldEdgeSelection *selection; /* NULL: WAN traffic */
    FieldEdgeScope scope;                /* the selection's */
    const FieldEdgeTolerance *tolerance; /* of intervals; NULL: equal sizes */
    bool all_groups;                     /* of periods: those too that say nothing new */
    struct output *output;
};

struct table {
    const char *name; /* its key in a group */
    const struct output_column *columns;
    size_t column_count;
    void (*write)(const struct table_source *source, GError **error);
};

extern const struct table table_captures, table_applications, table_accounts; /* of a group */
extern const struct table table_hosts;
extern const struct table table_intervals;
extern const struct table table_pairs;
extern const struct table table_periods;

#endif
