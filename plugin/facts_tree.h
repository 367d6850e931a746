/* facts_tree.h
 * packet_info and the tree -> struct packet_facts, for a postdissector: it runs before the taps do,
 * and in tshark's first pass of two there are none.  A part of facts.c: reads epan's structures.
 *
 * The headers are found by a walk through the tree and completed by gather.c, so that the facts are
 * those that facts.c gives the recorder, but for one thing: the verdicts are those of the TCP
 * analysis alone, without VERDICT_MALFORMED.
 *
 * Order of calls: facts_tree_wanted() for set_postdissector_wanted_hfids(), without which the tree
 * has nothing to find; facts_tree_read() a packet, once, in the order of the capture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_FACTS_TREE_H
#define FIELDEDGE_FACTS_TREE_H

#include "plugin/record/packet_facts.h"

#include <epan/packet.h>

/* The fields that must be in the tree: header field ids, a new array. */
GArray *facts_tree_wanted(void);

/* The facts; they and their pointers last until the next call or the end of the dissection. */
const struct packet_facts *facts_tree_read(packet_info *pinfo, proto_tree *tree, tvbuff_t *tvb);

#endif
