/* hosts.c
 * What each host sent and received, from the sums of its conversations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "database.h"
#include "prefixes.h"

struct _FieldEdgeHosts {
    struct cursor cursor;
    struct prefixes *networks; /* of all selected captures */
    FieldEdgeHost row;
};

static bool load_networks(FieldEdgeHosts *hosts, FieldEdgeDatabase *database,
                          const FieldEdgeSelection *selection, GError **error)
{
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database,
                          "SELECT DISTINCT local_networks FROM capture WHERE ?2 = 0 OR id = ?2",
                          selection, &problem);

    hosts->networks = prefixes_new();
    while (ok && cursor_step(&cursor, &problem))
        prefixes_add(hosts->networks, column_text(&cursor, 0));
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

/* A conversation of a host with itself is one conversation; both its directions are sent and
 * received. */
FieldEdgeHosts *fieldedge_hosts_new(FieldEdgeDatabase *database,
                                    const FieldEdgeSelection *selection, GError **error)
{
    static const char sql[] =
        "WITH " SQL_CHOSEN
        ", ends (host, conversations, packets_out, packets_in, frame_out, frame_in, ip_out,"
        "           ip_in, started_ns, ended_ns) AS ("
        "  SELECT v.host_a, 1, v.packets_ab, v.packets_ba, v.frame_bytes_ab, v.frame_bytes_ba,"
        "         v.ip_bytes_ab, v.ip_bytes_ba, v.started_ns, v.ended_ns"
        "    FROM chosen v UNION ALL"
        "  SELECT v.host_b, v.host_a <> v.host_b, v.packets_ba, v.packets_ab, v.frame_bytes_ba,"
        "         v.frame_bytes_ab, v.ip_bytes_ba, v.ip_bytes_ab, v.started_ns, v.ended_ns"
        "    FROM chosen v)"
        "SELECT h.text, h.name, h.address, sum(e.conversations), sum(e.packets_out),"
        "       sum(e.packets_in), sum(e.frame_out), sum(e.frame_in), sum(e.ip_out), sum(e.ip_in),"
        "       min(e.started_ns), max(e.ended_ns)"
        "  FROM ends e JOIN host h ON h.id = e.host"
        " GROUP BY h.id ORDER BY sum(e.ip_out + e.ip_in) DESC, h.address";
    g_autoptr(FieldEdgeHosts) hosts = g_new0(FieldEdgeHosts, 1);

    if (!load_networks(hosts, database, selection, error) ||
        !cursor_open(&hosts->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&hosts);
}

const FieldEdgeHost *fieldedge_hosts_next(FieldEdgeHosts *hosts, GError **error)
{
    struct cursor *cursor = &hosts->cursor;

    if (!cursor_step(cursor, error))
        return NULL;

    const guint8 *address = sqlite3_column_blob(cursor->statement, 2);
    size_t length = (size_t)sqlite3_column_bytes(cursor->statement, 2);
    hosts->row = (FieldEdgeHost){
        .address = column_text(cursor, 0),
        .name = column_text(cursor, 1),
        .is_local = length > 0 && prefixes_contain(hosts->networks, address, length),
        .conversations = column_int(cursor, 3),
        .packets_sent = column_int(cursor, 4),
        .packets_received = column_int(cursor, 5),
        .frame_bytes_sent = column_int(cursor, 6),
        .frame_bytes_received = column_int(cursor, 7),
        .ip_bytes_sent = column_int(cursor, 8),
        .ip_bytes_received = column_int(cursor, 9),
        .started_ns = column_int(cursor, 10),
        .ended_ns = column_int(cursor, 11),
    };
    return &hosts->row;
}

void fieldedge_hosts_free(FieldEdgeHosts *hosts)
{
    if (hosts == NULL)
        return;
    cursor_close(&hosts->cursor);
    prefixes_free(hosts->networks);
    g_free(hosts);
}
