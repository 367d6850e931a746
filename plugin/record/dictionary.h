/* dictionary.h
 * The small tables of names (host, application, packet_kind): value -> id, written once each.
 *
 * Each has a cache of bounded size; a value that is not in it is looked up by the table's UNIQUE
 * index, or inserted.  A full cache is emptied: hostile traffic with endless new values costs time,
 * not memory.
 *
 * Order of calls: dictionary_new(), the look-ups inside the caller's transaction,
 * dictionary_free(). A failed look-up returns 0, and dictionary_failure() keeps SQLite's code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_DICTIONARY_H
#define FIELDEDGE_DICTIONARY_H

#include "plugin/record/operations.h"

#include <sqlite3.h>

typedef struct dictionary dictionary;

/* NULL if the statements can't be prepared (ask sqlite3_errmsg). */
dictionary *dictionary_new(sqlite3 *db);
void dictionary_free(dictionary *dictionary);

int64_t dictionary_host(dictionary *dictionary, const struct packet_address *address);
int64_t dictionary_application(dictionary *dictionary, const char *label);
int64_t dictionary_kind(dictionary *dictionary, const struct packet_kind *kind);

/* The first failure's code of SQLite; SQLITE_OK if there was none. */
int dictionary_failure(const dictionary *dictionary);

#endif
