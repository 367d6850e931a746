/* pairs.h
 * Inside libfieldedge: which host pair a conversation belongs to, in SQL, for conversations.c and
 * intervals.c, who must agree.
 *
 * SQL_PAIRED is the table paired (id, pair, pair_a, pair_b): for each selected conversation the
 * number of its pair and the pair's hosts.  Pairs are numbered by their first conversation, so that
 * they sort by their beginning: captures in the order of their start, in each the conversations in
 * the order of recording.  Host A is host A of the first conversation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PAIRS_H
#define FIELDEDGE_PAIRS_H

#include "database.h"

#define SQL_PAIRED                                                                                 \
    "placed AS ("                                                                                  \
    " SELECT v.id, v.host_a, min(v.host_a, v.host_b) AS low, max(v.host_a, v.host_b) AS high,"     \
    "        row_number() OVER (ORDER BY ifnull(c.started_ns, c.base_ns), c.id, v.id) AS place"    \
    "   FROM conversation v JOIN capture c ON c.id = v.capture WHERE " SQL_SELECTED "),"           \
    "numbered AS ("                                                                                \
    " SELECT id, low + high AS both, first_value(place) OVER pair AS pair,"                        \
    "        first_value(host_a) OVER pair AS pair_a"                                              \
    "   FROM placed WINDOW pair AS (PARTITION BY low, high ORDER BY place)),"                      \
    "paired AS MATERIALIZED (SELECT id, pair, pair_a, both - pair_a AS pair_b FROM numbered)"

#endif
