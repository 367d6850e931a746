/* store_open.h
 * Opening the database to record into, and saying in people's words why that failed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_STORE_OPEN_H
#define FIELDEDGE_STORE_OPEN_H

#include "plugin/record/recorder.h"

#include <sqlite3.h>

/* A database with a capture of ours in it. */
struct store_file {
    sqlite3 *db;
    int lock;                  /* descriptor that keeps other recordings out, -1 if there is none */
    bool is_new;               /* it was made for this recording */
    int64_t capture;           /* id */
    int64_t next_conversation; /* first free id */
    struct store_watch {
        bool is_on;      /* the capture is a watch, and this one of its files */
        int64_t file;    /* id of its row to come */
        int64_t last;    /* id of the last packet before */
        int64_t base_ns; /* zero of packet.time, if has_base */
        bool has_base;
    } watch;
};

/* Opens, prepares and enters the capture; see store_open().  false with *error on failure: the file
 * is as before. */
bool store_open_database(const struct recorder_options *options, struct store_file *file,
                         char **error);

/* Closes the database and lets others record into it. */
void store_close_database(struct store_file *file);

/* Deletes a closed database and what SQLite keeps beside it. */
void store_delete_database(const char *path);

/* "site.db: the disk is full (writing a packet).  Free some space …": newly allocated. */
char *store_describe_failure(sqlite3 *db, const char *path, const char *doing);
char *store_describe_code(int code, const char *message, const char *path, const char *doing);

#endif
