/* conversations.c
 * One row a conversation, from its sums.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "database.h"
#include "faults.h"

struct _FieldEdgeConversations {
    struct cursor cursor;
    struct faults *faults; /* NULL if not asked for */
    FieldEdgeConversation row;
};

FieldEdgeConversations *fieldedge_conversations_new(FieldEdgeDatabase *database,
                                                    const FieldEdgeSelection *selection,
                                                    gboolean with_verdicts, GError **error)
{
    static const char sql[] =
        "WITH " SQL_CHOSEN
        "SELECT v.id, v.capture, v.transport, v.stream, a.text, b.text, v.port_a, v.port_b, a.name,"
        "       b.name, n.name, v.label_source, v.server_name, v.vlan, v.tunnel, v.is_local,"
        "       v.started_ns, v.ended_ns, v.packets_ab, v.packets_ba, v.frame_bytes_ab,"
        "       v.frame_bytes_ba, v.ip_bytes_ab, v.ip_bytes_ba, v.payload_bytes_ab,"
        "       v.payload_bytes_ba, v.bad_packets, v.bad_bytes, v.retransmissions,"
        "       v.retransmission_bytes, v.retransmitted_bytes"
        "  FROM chosen v JOIN host a ON a.id = v.host_a JOIN host b ON b.id = v.host_b"
        "  JOIN application n ON n.id = v.application ORDER BY v.id";
    g_return_val_if_fail(database != NULL, NULL);

    g_autoptr(FieldEdgeConversations) conversations = g_new0(FieldEdgeConversations, 1);

    if (with_verdicts) {
        conversations->faults = faults_load(database, selection, error);
        if (conversations->faults == NULL)
            return NULL;
    }
    if (!cursor_open(&conversations->cursor, database, sql, selection, error))
        return NULL;
    return g_steal_pointer(&conversations);
}

const FieldEdgeConversation *fieldedge_conversations_next(FieldEdgeConversations *conversations,
                                                          GError **error)
{
    struct cursor *cursor = &conversations->cursor;
    FieldEdgeConversation *row = &conversations->row;

    if (!cursor_step(cursor, error))
        return NULL;
    *row = (FieldEdgeConversation){
        .id = column_int(cursor, 0),
        .capture = column_int(cursor, 1),
        .transport = column_text(cursor, 2),
        .stream = column_int_or(cursor, 3, FIELDEDGE_NONE),
        .host_a = column_text(cursor, 4),
        .host_b = column_text(cursor, 5),
        .port_a = column_int_or(cursor, 6, FIELDEDGE_NONE),
        .port_b = column_int_or(cursor, 7, FIELDEDGE_NONE),
        .name_a = column_text(cursor, 8),
        .name_b = column_text(cursor, 9),
        .application = column_text(cursor, 10),
        .label_source = column_text(cursor, 11),
        .server_name = column_text(cursor, 12),
        .vlan = column_int_or(cursor, 13, FIELDEDGE_NONE),
        .tunnel = column_text(cursor, 14),
        .is_local = column_int(cursor, 15) != 0,
        .started_ns = column_int(cursor, 16),
        .ended_ns = column_int(cursor, 17),
        .duration_ns = time_span(column_int(cursor, 17), column_int(cursor, 16)),
        .packets_ab = column_int(cursor, 18),
        .packets_ba = column_int(cursor, 19),
        .frame_bytes_ab = column_int(cursor, 20),
        .frame_bytes_ba = column_int(cursor, 21),
        .ip_bytes_ab = column_int(cursor, 22),
        .ip_bytes_ba = column_int(cursor, 23),
        .payload_bytes_ab = column_int(cursor, 24),
        .payload_bytes_ba = column_int(cursor, 25),
        .bad_packets = column_int(cursor, 26),
        .bad_bytes = column_int(cursor, 27),
        .retransmissions = column_int(cursor, 28),
        .retransmission_bytes = column_int(cursor, 29),
        .retransmitted_bytes = column_int(cursor, 30),
    };
    row->overhead_bytes = overhead_bytes(row->ip_bytes_ab, row->ip_bytes_ba, row->payload_bytes_ab,
                                         row->payload_bytes_ba);
    faults_begin(conversations->faults);
    faults_add(conversations->faults, row->id);
    row->verdicts = faults_rows(conversations->faults, &row->verdict_count);
    return row;
}

void fieldedge_conversations_free(FieldEdgeConversations *conversations)
{
    if (conversations == NULL)
        return;
    cursor_close(&conversations->cursor);
    faults_free(conversations->faults);
    g_free(conversations);
}
