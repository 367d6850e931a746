/* totals.c
 * Sums that need no packet: by application, and the three accounts every packet is in one of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "database.h"

struct _FieldEdgeTotals {
    struct cursor cursor;
    FieldEdgeTotal row;
};

FieldEdgeTotals *fieldedge_totals_new(FieldEdgeDatabase *database,
                                      const FieldEdgeSelection *selection, GError **error)
{
    static const char sql[] =
        "WITH " SQL_CHOSEN "SELECT n.name, count(*), sum(v.packets_ab + v.packets_ba),"
        "       sum(v.frame_bytes_ab + v.frame_bytes_ba), sum(v.ip_bytes_ab + v.ip_bytes_ba),"
        "       sum(v.payload_bytes_ab + v.payload_bytes_ba), sum(v.bad_packets),"
        "       sum(v.bad_bytes), sum(v.retransmissions), sum(v.retransmission_bytes),"
        "       sum(v.retransmitted_bytes), min(v.started_ns), max(v.ended_ns)"
        "  FROM chosen v JOIN application n ON n.id = v.application"
        " GROUP BY v.application ORDER BY 5 DESC, 1";
    g_autoptr(FieldEdgeTotals) totals = g_new0(FieldEdgeTotals, 1);

    if (!cursor_open(&totals->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&totals);
}

const FieldEdgeTotal *fieldedge_totals_next(FieldEdgeTotals *totals, GError **error)
{
    struct cursor *cursor = &totals->cursor;

    if (!cursor_step(cursor, error))
        return NULL;
    totals->row = (FieldEdgeTotal){
        .application = column_text(cursor, 0),
        .conversations = column_int(cursor, 1),
        .packets = column_int(cursor, 2),
        .frame_bytes = column_int(cursor, 3),
        .ip_bytes = column_int(cursor, 4),
        .payload_bytes = column_int(cursor, 5),
        .bad_packets = column_int(cursor, 6),
        .bad_bytes = column_int(cursor, 7),
        .retransmissions = column_int(cursor, 8),
        .retransmission_bytes = column_int(cursor, 9),
        .retransmitted_bytes = column_int(cursor, 10),
        .started_ns = column_int(cursor, 11),
        .ended_ns = column_int(cursor, 12),
    };
    return &totals->row;
}

void fieldedge_totals_free(FieldEdgeTotals *totals)
{
    if (totals == NULL)
        return;
    cursor_close(&totals->cursor);
    g_free(totals);
}

struct _FieldEdgeAccounts {
    struct cursor cursor;
    FieldEdgeAccount row;
};

FieldEdgeAccounts *fieldedge_accounts_new(FieldEdgeDatabase *database,
                                          const FieldEdgeSelection *selection, GError **error)
{
    static const char sql[] =
        "WITH names (place, name) AS (VALUES (1, 'WAN'), (2, 'local'), (3, 'without conversation'))"
        "SELECT n.name, ifnull(sum(a.conversations), 0), ifnull(sum(a.packets), 0), "
        "ifnull(sum(a.frame_bytes), 0),"
        "       ifnull(sum(a.ip_bytes), 0)"
        "  FROM names n"
        "  LEFT JOIN accounts a ON a.account = n.name AND (?2 = 0 OR a.capture_id = ?2)"
        " GROUP BY n.place ORDER BY n.place";
    g_autoptr(FieldEdgeAccounts) accounts = g_new0(FieldEdgeAccounts, 1);

    if (!cursor_open(&accounts->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&accounts);
}

const FieldEdgeAccount *fieldedge_accounts_next(FieldEdgeAccounts *accounts, GError **error)
{
    struct cursor *cursor = &accounts->cursor;

    if (!cursor_step(cursor, error))
        return NULL;
    accounts->row = (FieldEdgeAccount){
        .account = column_text(cursor, 0),
        .conversations = column_int(cursor, 1),
        .packets = column_int(cursor, 2),
        .frame_bytes = column_int(cursor, 3),
        .ip_bytes = column_int(cursor, 4),
    };
    return &accounts->row;
}

void fieldedge_accounts_free(FieldEdgeAccounts *accounts)
{
    if (accounts == NULL)
        return;
    cursor_close(&accounts->cursor);
    g_free(accounts);
}
