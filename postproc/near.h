/* near.h
 * Names near to one that does not exist, for "did you mean …": knows nothing of databases.
 *
 *     near_names("TCP_MQT", applications, 3)  →  "TCP_MQTT, TCP_MQTT_TLS"
 *
 * Letters are compared without case, '-' and '_' are the same.  A name is near if
 *
 * - few letters must be put in, taken out, changed or swapped with their neighbour (each counts
 *   one; the optimal string alignment distance): none a name of two letters, one of up to five, two
 * of up to eight, three above.  Of a name with parts, "TCP_MQTT", its ends "MQTT" count too: MQQT
 * is one letter from it;
 * - or it contains what was wanted, if that has three letters or more.
 *
 * Fewest letters first, then by name.  Names of more than NEAR_LENGTH bytes are never near: the
 * work is bounded, whatever a packet put into the database.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_NEAR_H
#define FIELDEDGE_NEAR_H

#include <glib.h>

enum { NEAR_LENGTH = 64 };

/* At most limit of names (strings; one may stand there twice), as a text of the caller with ", "
 * between; NULL if none is near. */
char *near_names(const char *wanted, const GPtrArray *names, guint limit);

/* The number of letters between two names of at most NEAR_LENGTH bytes, case and '-' aside. */
guint near_distance(const char *a, const char *b);

#endif
