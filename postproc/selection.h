/* selection.h
 * Inside libfieldedge: which part of a database an iterator reads, as SQL.
 *
 * A statement is a text with the mark SQL_CHOSEN in its WITH clause; selection_expand() puts the
 * table `chosen` there: the columns of `conversation`, one row a selected conversation.  Without a
 * time window that is the table itself, filtered.  With one, the times and sums of the row are made
 * from the packets inside the window, and conversations without any are not there, so every figure
 * of every iterator is of the window.
 *
 *     "WITH " SQL_CHOSEN " SELECT sum(v.bad_packets) FROM chosen v"
 *
 * Values are bound, never pasted.  Parameters, all of them optional in a statement:
 *
 *     ?1  scope, as in FieldEdgeScope        ?2  capture, 0 for all
 *     ?3  first and
 *     ?4  last id of the capture's packets:  "p.id BETWEEN ?3 AND ?4"
 *     ?5  first and
 *     ?6  last time of the window:           "c.base_ns + p.time BETWEEN ?5 AND ?6"
 *     ?10 and on: the values of the filter
 *
 * Filters.  An expression is terms that must all hold, separated by blanks: KEY=VALUE[,VALUE…], one
 * of the values; KEY!=VALUE[,VALUE…], none of them.  Quotes keep blanks and commas together.
 *
 *     application=TCP_MQTT,UDP_*   host=10.0.0.0/8,gateway.example   port=1883,5000-5010
 *     transport=TCP   server=*.example.com   conversation=12   time=2026-11-24T00:16..+10m
 *
 * host and port hold if either end of a conversation does; server=* if any name is known.  Example:
 * of conversations 10.0.0.1:4000 to 198.51.100.7:1883 and 10.0.0.2:4000 to 198.51.100.7:53,
 * `host=198.51.100.7 port!=53` selects the first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SELECTION_H
#define FIELDEDGE_SELECTION_H

#include "fieldedge.h"

#include <sqlite3.h>
#include <stdbool.h>

#define SQL_CHOSEN "@chosen@"

/* One value that a filter binds, as parameter 10 + its index. */
struct selection_value {
    enum { SELECTION_INT, SELECTION_TEXT, SELECTION_BLOB } type;
    gint64 number;
    char *text;    /* or the bytes of a blob */
    size_t length; /* of a blob */
};

/* Invariants: conditions is SQL over `v` made of constant texts and parameter numbers alone; a
 * window is not empty: from_ns <= to_ns. */
struct _FieldEdgeSelection {
    FieldEdgeScope scope;
    gint64 capture; /* 0: all */
    bool has_window;
    gint64 from_ns, to_ns; /* inclusive */
    GTimeZone *zone;       /* NULL: UTC */
    GString *conditions;   /* " AND (…) AND (…)" */
    GArray *values;        /* of struct selection_value */
    GPtrArray *names;      /* exact applications in the filter, to be checked against a database */
};

/* What NULL means as a selection. */
const FieldEdgeSelection *selection_or_default(const FieldEdgeSelection *selection);

/* sql with SQL_CHOSEN replaced. */
char *selection_expand(const FieldEdgeSelection *selection, const char *sql);
void selection_bind(const FieldEdgeSelection *selection, sqlite3_stmt *statement);

/* First and last id of the packets of a capture (0: of all). */
void selection_packet_ids(const FieldEdgeSelection *selection, gint64 *first, gint64 *last);

/* All captures, no window, no filter. */
bool selection_is_whole(const FieldEdgeSelection *selection);

#endif
