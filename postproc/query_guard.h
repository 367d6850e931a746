/* query_guard.h
 * What keeps a query of somebody's own from doing more than reading, and from running for ever.
 *
 *     query_guard_prepare() → query_guard_step() until not SQLITE_ROW → query_guard_clear()
 *
 * While a statement is prepared, SQLite's authorizer lets pass: SELECT with all that it reads,
 * recursive ones too, functions but those that touch files or the process, and the PRAGMAs that
 * only describe (table_info, table_list, index_list …), as statements or as table-valued functions.
 * Everything else is refused, and described in `refused`.
 *
 * While a row is made, a progress handler looks at the clock and at `is_cancelled` every thousand
 * operations of SQLite's machine.  Only the time inside query_guard_step() counts, not what the
 * caller does with the rows.  Sorting is one operation: a time-out strikes after it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_QUERY_GUARD_H
#define FIELDEDGE_QUERY_GUARD_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>

struct query_guard {
    sqlite3 *handle;
    char *refused;      /* what the last statement wanted: "ATTACH", "DELETE of packet"; or NULL */
    gint64 left_us;     /* of the time allowed; G_MAXINT64: no limit */
    gint64 deadline_us; /* of the step that runs, on the monotonic clock */
    gint is_cancelled;  /* atomic: set by another thread or a signal handler */
    bool is_late;
};

/* Takes away from a handle that is ours alone what no query of FieldEdge's needs: modules of
 * virtual tables but JSON's, and sizes beyond reason. */
void query_guard_restrict(sqlite3 *handle);

/* As sqlite3_prepare_v2().  The handle's own authorizer, if it has one, is lost. */
int query_guard_prepare(struct query_guard *guard, const char *sql, sqlite3_stmt **statement,
                        const char **tail);

/* As sqlite3_step().  SQLITE_INTERRUPT: is_late or is_cancelled says why. */
int query_guard_step(struct query_guard *guard, sqlite3_stmt *statement);

void query_guard_clear(struct query_guard *guard);

#endif
