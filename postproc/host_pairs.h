/* host_pairs.h
 * Inside libfieldedge: what database.c and analyze.c need of host_pairs.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_HOST_PAIRS_H
#define FIELDEDGE_HOST_PAIRS_H

#include "pairing.h"

/* Gives a handle the SQL function by which conversations are sorted by pair; once, when it is
 * opened. */
int host_pairs_register(sqlite3 *handle);

/* The number of the pair that fieldedge_pairs_next() returned last, in pairing. */
guint32 host_pairs_number(const FieldEdgePairs *pairs, const struct pairing **pairing);

#endif
