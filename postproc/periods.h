/* periods.h
 * Inside libfieldedge: the groups of packets of one host pair and application, and what repeats in
 * each.  Computed in several threads, each with a workspace of its own.
 *
 * Groups, from the widest: both directions; each direction; each size group of each direction; then
 * the same of each conversation, where at least two have PERIODS_CONVERSATION packets or more.
 * Retransmissions are left out: their times are those of the network.
 *
 * A group says nothing new (is_repeat) if it is not periodic or
 *
 * - a narrower group of all the pair's conversations has the very same packets: of a poll that goes
 *   one way, "A to B, 120 bytes" stays and "both" repeats it; or
 * - a wider group that does not is periodic, too, and has each of its periods within 3 %.
 *
 * Example: a request of 70 bytes every 60 s, its response of 90 bytes: periodic are both, AB, AB
 * 70, BA, BA 90; "both" is the one that is no repeat.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PERIODS_H
#define FIELDEDGE_PERIODS_H

#include "bundle.h"
#include "pairing.h"

enum { PERIODS_CONVERSATION = 20 };

struct periods_workspace;

struct periods_workspace *periods_workspace_new(void);
void periods_workspace_free(struct periods_workspace *workspace);

/* Appends a FieldEdgePeriodGroup for each group of two packets and more; hosts are left NULL,
 * application is borrowed.  pairing tells how long one looked and the ids of conversations. */
void periods_of_bundle(struct periods_workspace *workspace, const struct bundle *bundle,
                       const struct bundle_split *split, const struct pairing *pairing,
                       const char *application, GArray *rows);

#endif
