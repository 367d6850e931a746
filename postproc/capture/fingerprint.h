/* fingerprint.h
 * Inside libfieldedge: by what a capture file is known again, whatever it is called.
 *
 *     "xxh3:" 32 hex digits of XXH3-128 of all its bytes ":" their number
 *
 * All bytes: a file that grew, or that differs in its middle, is another one.  XXH3 reads as fast
 * as memory, so it costs little before a dissection.  It is no cryptographic hash: who forges a
 * capture to look like another gets it skipped, and the user is told of which.  A compressed copy
 * has other bytes, and is not known again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FINGERPRINT_H
#define FIELDEDGE_FINGERPRINT_H

#include "fieldedge.h"

#include <signal.h>

/* The fingerprint of a regular file, newly allocated.  NULL with error: it cannot be read, or
 * *cancelled (or NULL) was set meanwhile.  NULL without: it is no regular file. */
char *fingerprint_of_file(const char *path, const volatile sig_atomic_t *cancelled, GError **error);

#endif
