/* create.h
 * Inside libfieldedge: what a capture is to be, and where its file goes.
 *
 *     create_check() → create_claim() → dumpcap (create.c)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CREATE_H
#define FIELDEDGE_CREATE_H

#include "fieldedge.h"

#include <stdbool.h>

struct _FieldEdgeCaptureRun {
    char *interface;
    gint64 seconds;
    char *directory, *name, *filter, *dumpcap;
    gboolean has_subdirectory;
    gint64 snap_length;
    GStrv options;
    FieldEdgeCaptureFunc progress;
    gpointer progress_data;
    char *path; /* of the last run */
};

struct create_place {
    char *folder;     /* where the file goes */
    bool made_folder; /* it was not there before */
    char *path;       /* of the file, which is there, empty; NULL before */
    bool is_pcapng;
};

/* Refuses what no dumpcap could do, or what would undo what is set by its own function. */
bool create_check(const FieldEdgeCaptureRun *setup, GError **error);

/* Makes the directory of the day and the empty file.  The caller frees folder and path. */
bool create_claim(const FieldEdgeCaptureRun *setup, struct create_place *place, GError **error);

#endif
