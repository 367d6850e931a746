/* store_open.h
 * Opening the database to record into, and saying in people's words why that failed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_STORE_OPEN_H
#define FIELDEDGE_STORE_OPEN_H

#include "plugin/record/recorder.h"

#include <sqlite3.h>

/* Opens, prepares and enters the capture; see store_open().  Sets *capture and the first free id of a
 * conversation.  NULL with *error on failure. */
sqlite3 *store_open_database(const struct recorder_options *options, int64_t *capture,
                             int64_t *next_conversation, char **error);

/* "site.db: the disk is full (writing a packet).  Free some space …": newly allocated. */
char *store_describe_failure(sqlite3 *db, const char *path, const char *doing);

#endif
