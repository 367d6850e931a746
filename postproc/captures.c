/* captures.c
 * The captures of a database, one row each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "database.h"

struct _FieldEdgeCaptures {
    struct cursor cursor;
    FieldEdgeCapture row;
};

FieldEdgeCaptures *fieldedge_captures_new(FieldEdgeDatabase *database,
                                          const FieldEdgeSelection *selection, GError **error)
{
    static const char sql[] =
        "SELECT id, file, interface, link_type, status, filter, started_ns, ended_ns, packets,"
        "       frame_bytes, ip_bytes, snap_length, local_networks, tshark_version, plugin_version"
        "  FROM captures WHERE ?2 = 0 OR id = ?2 ORDER BY id";
    g_autoptr(FieldEdgeCaptures) captures = g_new0(FieldEdgeCaptures, 1);

    if (!cursor_open(&captures->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&captures);
}

const FieldEdgeCapture *fieldedge_captures_next(FieldEdgeCaptures *captures, GError **error)
{
    struct cursor *cursor = &captures->cursor;

    if (!cursor_step(cursor, error))
        return NULL;
    captures->row = (FieldEdgeCapture){
        .id = column_int(cursor, 0),
        .file = column_text(cursor, 1),
        .interface = column_text(cursor, 2),
        .link_type = column_text(cursor, 3),
        .status = column_text(cursor, 4),
        .filter = column_text(cursor, 5),
        .has_packets = sqlite3_column_type(cursor->statement, 6) != SQLITE_NULL,
        .started_ns = column_int(cursor, 6),
        .ended_ns = column_int(cursor, 7),
        .duration_ns = time_span(column_int(cursor, 7), column_int(cursor, 6)),
        .packets = column_int(cursor, 8),
        .frame_bytes = column_int(cursor, 9),
        .ip_bytes = column_int(cursor, 10),
        .snap_length = column_int_or(cursor, 11, FIELDEDGE_NONE),
        .local_networks = column_text(cursor, 12),
        .tshark_version = column_text(cursor, 13),
        .plugin_version = column_text(cursor, 14),
    };
    return &captures->row;
}

void fieldedge_captures_free(FieldEdgeCaptures *captures)
{
    if (captures == NULL)
        return;
    cursor_close(&captures->cursor);
    g_free(captures);
}
