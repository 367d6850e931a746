/* damage.h
 * Which tables of a damaged database are damaged, for the message about it.
 *
 * PRAGMA integrity_check(TABLE) is asked of one table after the other, the small ones first, until
 * DAMAGE_SECONDS are over: a table that is larger than that is said to be not checked.
 *
 *     damage_describe(handle)  →  "damaged: packet; not checked: conversation"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_DAMAGE_H
#define FIELDEDGE_DAMAGE_H

#include <sqlite3.h>

enum { DAMAGE_SECONDS = 5 };

/* A text of the caller.  Statements that are running on the handle may be interrupted. */
char *damage_describe(sqlite3 *handle);

#endif
