/* carry.h
 * The state of a conversation as bytes: what a recording that goes on in the next file of a watch
 * must know of it.  Kept in the table carry, a row a conversation.
 *
 *     conversation_…   votes for its application, who began it, how far its name can be trusted
 *     sequence_space   both directions: which payload bytes were seen
 *
 * The bytes are a GVariant, so that broken ones are read safely; what they say is checked before it
 * is believed.  A state of another version is none: the conversation goes on with what its row in
 * the database says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CARRY_H
#define FIELDEDGE_CARRY_H

#include "plugin/record/conversations.h"

/* Newly made. */
GBytes *carry_encode(const struct conversation *conversation);

/* Fills what carry_encode() kept; key, ends, use, id, and what the database tells stay.  Protocols
 * are taken from (or put into) `protocols`, which must outlive the conversation.  false: the bytes
 * are none of ours, and nothing is changed. */
bool carry_decode(struct conversation *conversation, GBytes *state, GHashTable *protocols);

/* For carry_decode(). */
GHashTable *carry_protocols_new(void);

#endif
