/* database.h
 * Inside libfieldedge: the open database, selections, and one cursor over the rows of a statement
 * that every iterator is made of.
 *
 *     cursor_open() → cursor_step() while TRUE, with column_*() → cursor_close()
 *
 * Statements name the selected conversations by SQL_CHOSEN, see selection.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_DATABASE_H
#define FIELDEDGE_DATABASE_H

#include "fieldedge.h"
#include "selection.h"

#include <sqlite3.h>
#include <stdbool.h>

struct _FieldEdgeDatabase {
    sqlite3 *handle;
    char *name;                /* the path, for messages */
    bool is_ours;              /* the handle is closed with the database */
    sqlite3_stmt *host;        /* database_host_statement() */
    bool is_ready_for_queries; /* see query.c */
};

/* Rows of a statement.  texts own the strings of the current row.
 * Invariant: statement is NULL before cursor_open(), after the last row and after an error. */
struct cursor {
    FieldEdgeDatabase *database;
    sqlite3_stmt *statement;
    GPtrArray *texts;
};

/* Prepares sql with the selection bound (NULL: the default); refuses a capture that is not there.
 */
bool cursor_open(struct cursor *cursor, FieldEdgeDatabase *database, const char *sql,
                 const FieldEdgeSelection *selection, GError **error);

/* To the next row; frees the strings of the last.  FALSE at the end and on an error. */
bool cursor_step(struct cursor *cursor, GError **error);
void cursor_close(struct cursor *cursor);

gint64 column_int(struct cursor *cursor, int column);
gint64 column_int_or(struct cursor *cursor, int column, gint64 if_null);

/* Valid UTF-8 as fieldedge.h promises, owned by the cursor until its next step; NULL for NULL. */
const char *column_text(struct cursor *cursor, int column);

/* The same as a string of the caller. */
char *column_dup(struct cursor *cursor, int column);

/* The text of length bytes as valid UTF-8; the part of column_text() that a test can reach. */
char *database_clean_text(const char *bytes, size_t length);

/* The names of all applications, sorted. */
GPtrArray *database_application_names(FieldEdgeDatabase *database, GError **error);

/* "SELECT text, name FROM host WHERE id = ?1", prepared once; the caller resets it. */
sqlite3_stmt *database_host_statement(FieldEdgeDatabase *database, GError **error);

/* Sets error from the handle's last error and returns false. */
bool database_failed(FieldEdgeDatabase *database, GError **error);

/* For sums that do not fit 64 bits. */
__extension__ typedef __int128 int128;

/* a - b for a >= b, and a + b, at the ends of the range where they do not fit. */
gint64 time_span(gint64 later, gint64 earlier);
gint64 time_add(gint64 a, gint64 b);

/* IP bytes less payload of both directions. */
gint64 overhead_bytes(gint64 ip_ab, gint64 ip_ba, gint64 payload_ab, gint64 payload_ba);

#endif
