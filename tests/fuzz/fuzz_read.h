/* fuzz_read.h
 * Reads a database with everything that fieldedge.h has; for fuzz_database.c and fuzz_rows.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FUZZ_READ_H
#define FIELDEDGE_FUZZ_READ_H

#include "fuzz.h"

struct sqlite3;

/* name is what the database was called when it was opened, with ": " behind. */
void fuzz_read_iterators(FieldEdgeDatabase *database, const char *name);
void fuzz_read_views(FieldEdgeDatabase *database, const char *name);

#endif
