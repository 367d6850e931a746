/* progress.h
 * A line on a terminal that says how far long work is, and goes again:
 *
 *     part2.pcap (2 of 3): 41 %, 231,040 packets, 96,511/s, 0:12 left
 *
 * Order of calls: progress_begin(); progress_next() for each capture, progress_show() as often as
 * there is news; progress_hide() before any other line and at the end.
 *
 * The time left is that of all captures: the part of all bytes that is read, against the time since
 * the beginning.  Captures that were skipped count for neither.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PROGRESS_H
#define FIELDEDGE_PROGRESS_H

#include "fieldedge.h"

#include <stdbool.h>

struct progress {
    bool is_terminal, is_shown;
    guint files, file;                /* how many captures, and which */
    gint64 bytes, bytes_done;         /* of all, and of those before this */
    gint64 file_bytes, bytes_skipped; /* of this; of those that took no time */
    gint64 began_us;
};

/* Of these captures; nothing is shown unless standard error is a terminal. */
void progress_begin(struct progress *progress, const char *const *captures);
void progress_next(struct progress *progress, const char *capture);
void progress_show(struct progress *progress, const FieldEdgeProgress *news);
void progress_skip(struct progress *progress); /* the capture that was next took no time */
void progress_hide(struct progress *progress);

/* The line for the news without its end, newly allocated: for progress_show(), and its test. */
char *progress_line(const struct progress *progress, const FieldEdgeProgress *news,
                    gint64 elapsed_ns);

#endif
