/* watch_store.h
 * Inside libfieldedge: the tables of a watch, written between the recordings of its files.
 *
 * The recorder inside tshark enters the capture and a row a file, in the transaction of that file;
 * this reads them, and adds what the recorder cannot know: gaps, and the end of the watch.
 *
 * Order of calls: watch_store_open(), the others, watch_store_close().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_WATCH_STORE_H
#define FIELDEDGE_WATCH_STORE_H

#include "fieldedge.h"

#include <sqlite3.h>
#include <stdbool.h>

struct watch_store {
    sqlite3 *db;
    char *path;
};

/* Makes or migrates the database. */
bool watch_store_open(struct watch_store *store, const char *path, GError **error);
void watch_store_close(struct watch_store *store);

/* The capture of the watch of this source; 0: it has none yet, or its numbers are used up. */
bool watch_store_find(struct watch_store *store, const char *source, gint64 *capture,
                      GError **error);

/* Whether the file is recorded (or given up). */
bool watch_store_has_file(struct watch_store *store, gint64 capture, const char *name, bool *has,
                          GError **error);

/* Name of the newest file, and the time of the latest packet of all (FIELDEDGE_NONE if none). */
bool watch_store_last(struct watch_store *store, gint64 capture, char **name, gint64 *ended_ns,
                      GError **error);

/* What was missed.  Told twice of one file and reason, the first counts. */
struct watch_gap {
    const char *reason, *file;
    gint64 started_ns, ended_ns, packets, files; /* FIELDEDGE_NONE: not known */
};
bool watch_store_add_gap(struct watch_store *store, gint64 capture, const struct watch_gap *gap,
                         GError **error);

/* Gives a file up that tshark cannot read: a row without packets, and a gap. */
bool watch_store_give_up(struct watch_store *store, gint64 capture, const char *name,
                         GError **error);

bool watch_store_set_status(struct watch_store *store, gint64 capture, const char *status,
                            GError **error);

/* For prune.c: runs a statement with up to two numbers (?1, ?2), and asks for one. */
bool watch_store_run(struct watch_store *store, const char *sql, gint64 first, gint64 second,
                     GError **error);
bool watch_store_ask(struct watch_store *store, const char *sql, gint64 first, gint64 second,
                     gint64 *answer, GError **error);

#endif
