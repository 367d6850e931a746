/* intervals.h
 * Inside libfieldedge: the gaps between packets of one host pair, direction, application and size
 * group.  Computed in several threads, each with a workspace of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_INTERVALS_H
#define FIELDEDGE_INTERVALS_H

#include "bundle.h"
#include "fieldedge.h"

struct intervals_workspace;

struct intervals_workspace *intervals_workspace_new(void);
void intervals_workspace_free(struct intervals_workspace *workspace);

/* Appends a FieldEdgeInterval for each part of the split to rows; hosts are left NULL, application
 * is borrowed. */
void intervals_of_bundle(struct intervals_workspace *workspace, const struct bundle *bundle,
                         const struct bundle_split *split, const char *application, GArray *rows);

#endif
