/* permission.h
 * Inside libfieldedge: why dumpcap may not capture, and what to do about it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PERMISSION_H
#define FIELDEDGE_PERMISSION_H

/* A sentence that names the group or capability that is missing; NULL if this process may run
 * dumpcap and dumpcap may capture, as far as can be told. */
char *permission_missing(const char *dumpcap);

#endif
