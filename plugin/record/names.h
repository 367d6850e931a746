/* names.h
 * Host names learned from DNS answers in the capture: address -> asked name.  Bounded: a full table
 * is emptied, as names that still matter are asked for again.
 *
 * Text from packets is data: it is cut to PACKET_NAME_MAX bytes and made valid UTF-8 here, once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_NAMES_H
#define FIELDEDGE_NAMES_H

#include "plugin/record/packet_facts.h"

enum { NAMES_MAX = 4096 };

typedef struct names names;

names *names_new(void);
void names_free(names *all);

/* Learns the name of an address.  True if it is new or another one. */
bool names_learn(names *all, const struct packet_address *address, const char *name);

/* The name, NULL if there is none. */
const char *names_find(const names *all, const struct packet_address *address);

/* Copies text from a packet, bounded; bytes that are not UTF-8 become U+FFFD. */
void name_copy(char to[PACKET_NAME_MAX + 1], const char *from);

#endif
