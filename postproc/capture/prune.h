/* prune.h
 * Inside libfieldedge: keeps the database of a watch small.
 *
 * Whole files of the watch go, the oldest first, each in one transaction: its packets are summed up
 * by minute and application into rollup, taken out of the sums of their conversations and of the
 * capture, and deleted; conversations without packets go too.  So at any time every packet that was
 * recorded is in packet or in one row of rollup, and all sums agree with the table packet.
 *
 * What goes: files whose last packet is older than `keep`, and as many more as the size asks for.
 * Age is measured against the earliest end of the last three files: one file with a clock in the
 * future lets nothing go.  The size is that of the pages in use; SQLite uses the free ones again,
 * so the file does not grow beyond them.  A part is left free for what the next file brings.
 *
 * Roll-ups grow old too: minutes become hours after 35 days (or `keep`, if that is longer), hours
 * days after 400.  If the size asks for more when all files but the newest are gone, both happen at
 * once.  Days stay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PRUNE_H
#define FIELDEDGE_PRUNE_H

#include "watch_store.h"

struct prune_rules {
    gint64 keep_ns;   /* 0: for ever */
    gint64 max_bytes; /* 0: no limit */
    bool forgets;     /* rows of pruned files go: their names do not come again */
};

/* After a file was recorded.  *last_bytes: pages in use after the last call (0 at first). */
bool prune(struct watch_store *store, gint64 capture, const struct prune_rules *rules,
           gint64 *last_bytes, GError **error);

#endif
