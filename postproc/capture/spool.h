/* spool.h
 * Inside libfieldedge: the folder where dumpcap's ring of files waits to be recorded.
 *
 *     spool_open() → spool_start() → spool_listen() and spool_next() again and again
 *         → spool_stop() → spool_next() until there is none → spool_close()
 *
 * dumpcap writes files of some seconds or bytes, and when there are too many it overwrites the
 * oldest: the disk is bounded whatever happens.  Each start of dumpcap is a run with a number of
 * its own, and its start is in the name, so that names in the order of people are the order of time
 * even if the clock goes back:
 *
 *     watch-000012-1795479372_00003_20261124161620.pcapng       run 12, its third file
 *
 * A file is closed when the run has a later one, or has ended.
 *
 * Two locks: `lock` is held by this process, `lock.dumpcap` by dumpcap, which inherits it.  If this
 * process was killed, and dumpcap was not, the next one ends it first, so that nothing is captured
 * twice.
 *
 * Capabilities: where systemd gives CAP_NET_RAW to the service, only dumpcap gets it; it leaves the
 * effective and ambient set of this process, and tshark never has it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SPOOL_H
#define FIELDEDGE_SPOOL_H

#include "fieldedge.h"

#include <signal.h>
#include <stdbool.h>

struct spool {
    char *folder, *interface, *capture_filter, *program;
    gint64 seconds, file_bytes, ring_bytes;
    int snap_length; /* 0: whole packets */
    guint run;       /* number of the run that began last; 0: none here */
    char *base;      /* its files' names begin so */
    GPid dumpcap;    /* 0: not running */
    int errors;      /* its standard error */
    GString *text;   /* of it: no whole line yet */
    int lock;
    bool was_heard;   /* dumpcap has begun a file */
    char *last_words; /* its last line that is an error; or NULL */
    gint64 dropped;   /* packets, said at its end; FIELDEDGE_NONE: not said */
    FieldEdgeMessageFunc message;
    gpointer message_data;
};

/* Makes the folder, takes the lock, and ends a dumpcap that was left there. */
bool spool_open(struct spool *spool, GError **error);

/* Starts dumpcap on run number `run`. */
bool spool_start(struct spool *spool, guint run, GError **error);

/* Reads what dumpcap says, waiting at most timeout_ms.  FALSE: it has ended; see last_words. */
bool spool_listen(struct spool *spool, int timeout_ms);

/* Asks dumpcap to end, and waits for it. */
void spool_stop(struct spool *spool);

/* All closed files, in order: names without the folder.  NULL-terminated; g_strfreev(). */
char **spool_closed_files(const struct spool *spool);

/* Run, number in the run and start of the run (s since the epoch) of a name; false: none of ours.
 */
bool spool_parse_name(const char *name, guint *run, guint *number, gint64 *began);

void spool_close(struct spool *spool);

/* Takes CAP_NET_RAW out of what children inherit; once, before the first child. */
void spool_shed_capabilities(void);

#endif
