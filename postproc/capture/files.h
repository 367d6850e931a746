/* files.h
 * Inside libfieldedge: making a file that takes another's place, or a name of its own, whole or not
 * at all.
 *
 *     file_replacement_begin() → something writes to .temporary → file_replacement_keep() or
 * _drop()
 *
 * The temporary file lies beside the target, so that the rename is within one file system, and is
 * hidden (".NAME.XXXXXX").  It has the permissions and, as far as we may give them, the owner and
 * group of the original; where we may not, nobody but us can read it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FILES_H
#define FIELDEDGE_FILES_H

#include "fieldedge.h"

#include <stdbool.h>

/* The code that a failed system call comes to, and its sentence "PATH: WHAT: why". */
void file_failed(const char *path, const char *what, int number, GError **error);

/* Opens a file for reading; a directory, a pipe or a device is refused.  -1: error. */
int file_open_regular(const char *path, GError **error);

/* Whether both names lead to one file: by a link of either kind, or the same name. */
bool file_is_same(const char *a, const char *b);

struct file_replacement {
    char *target;    /* through all symbolic links */
    char *temporary; /* exists from _begin() on */
};

/* For the file `target`, which need not be there; like: whose permissions it gets. */
bool file_replacement_begin(struct file_replacement *replacement, const char *target,
                            const char *like, GError **error);

/* Writes the file to the disk and renames it.  With backup: a target that is there gets this name
 * too, and at no moment is there neither.  On an error the target is as it was. */
bool file_replacement_keep(struct file_replacement *replacement, const char *backup,
                           GError **error);

/* Removes the temporary file if it is still there, and frees. */
void file_replacement_drop(struct file_replacement *replacement);

#endif
