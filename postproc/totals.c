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
        "WITH " SQL_CHOSEN ", t AS MATERIALIZED"
        " (SELECT v.application, count(*) AS conversations,"
        "         sum(v.packets_ab + v.packets_ba) AS packets,"
        "         sum(v.frame_bytes_ab + v.frame_bytes_ba) AS frame_bytes,"
        "         sum(v.ip_bytes_ab + v.ip_bytes_ba) AS ip_bytes,"
        "         sum(v.payload_bytes_ab + v.payload_bytes_ba) AS payload_bytes,"
        "         sum(v.bad_packets) AS bad_packets, sum(v.bad_bytes) AS bad_bytes,"
        "         sum(v.retransmissions) AS retransmissions,"
        "         sum(v.retransmission_bytes) AS retransmission_bytes,"
        "         sum(v.retransmitted_bytes) AS retransmitted_bytes,"
        "         min(v.started_ns) AS started_ns, max(v.ended_ns) AS ended_ns"
        "    FROM chosen v GROUP BY v.application)"
        "SELECT n.name, conversations, packets, frame_bytes, ip_bytes, payload_bytes, bad_packets,"
        "       bad_bytes, retransmissions, retransmission_bytes, retransmitted_bytes, started_ns,"
        "       ended_ns, total(ip_bytes) OVER ()"
        "  FROM t JOIN application n ON n.id = t.application ORDER BY ip_bytes DESC, n.name";
    g_autoptr(FieldEdgeTotals) totals = g_new0(FieldEdgeTotals, 1);

    if (!cursor_open(&totals->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&totals);
}

/* FIELDEDGE_NONE of nothing. */
static double share_of(gint64 part, double whole)
{
    return whole > 0 ? (double)part / whole : (double)FIELDEDGE_NONE;
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
        .share = share_of(column_int(cursor, 4), sqlite3_column_double(cursor->statement, 13)),
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

/* Conversations, packets, frame bytes and IP bytes of one account: one reading sums up all three,
 * where grouping would sort every conversation. */
#define SQL_ACCOUNT(letter, condition)                                                             \
    " count(*) FILTER (WHERE " condition ") AS " letter "c,"                                       \
    " ifnull(sum(packets_ab + packets_ba) FILTER (WHERE " condition "), 0) AS " letter "p,"        \
    " ifnull(sum(frame_bytes_ab + frame_bytes_ba) FILTER (WHERE " condition "), 0) AS " letter     \
    "f,"                                                                                           \
    " ifnull(sum(ip_bytes_ab + ip_bytes_ba) FILTER (WHERE " condition "), 0) AS " letter "i"

#define SQL_WAN   SQL_ACCOUNT("w", "NOT is_link AND NOT is_local")
#define SQL_LOCAL SQL_ACCOUNT("l", "NOT is_link AND is_local")
#define SQL_REST  SQL_ACCOUNT("n", "is_link")

struct _FieldEdgeAccounts {
    struct cursor cursor;
    FieldEdgeAccount row;
};

FieldEdgeAccounts *fieldedge_accounts_new(FieldEdgeDatabase *database,
                                          const FieldEdgeSelection *selection, GError **error)
{
    static const char sql[] =
        "WITH sums AS MATERIALIZED (SELECT " SQL_WAN ", " SQL_LOCAL ", " SQL_REST
        "  FROM conversation WHERE ?2 = 0 OR capture = ?2),"
        " whole AS (SELECT wi + li + ni AS ip_bytes FROM sums)"
        "SELECT 'WAN', wc, wp, wf, wi, ip_bytes FROM sums, whole UNION ALL "
        "SELECT 'local', lc, lp, lf, li, ip_bytes FROM sums, whole UNION ALL "
        "SELECT 'without conversation', 0, np, nf, ni, ip_bytes FROM sums, whole";
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
        .share = share_of(column_int(cursor, 4), sqlite3_column_double(cursor->statement, 5)),
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
