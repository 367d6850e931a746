/* selection.c
 * Selections and what they mean in SQL; selection.h explains, filter.c reads expressions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "selection.h"

#include "filter.h"

#include <string.h>

/* The window's conversations: times and sums of their packets inside it.  Scanned in the order of
 * the packet table and grouped by SQLite, which sorts on disk what does not fit. */
#define SQL_WINDOWED                                                                               \
    "windowed AS MATERIALIZED ("                                                                   \
    " SELECT p.conversation AS id, min(c.base_ns + p.time) AS started_ns,"                         \
    "        max(c.base_ns + p.time) AS ended_ns,"                                                 \
    "        sum(NOT k.direction) AS packets_ab, sum(k.direction) AS packets_ba,"                  \
    "        sum((NOT k.direction) * p.frame_bytes) AS frame_bytes_ab,"                            \
    "        sum(k.direction * p.frame_bytes) AS frame_bytes_ba,"                                  \
    "        sum((NOT k.direction) * (p.frame_bytes - p.link_bytes)) AS ip_bytes_ab,"              \
    "        sum(k.direction * (p.frame_bytes - p.link_bytes)) AS ip_bytes_ba,"                    \
    "        sum((NOT k.direction) * p.payload_bytes) AS payload_bytes_ab,"                        \
    "        sum(k.direction * p.payload_bytes) AS payload_bytes_ba,"                              \
    "        sum(k.is_bad) AS bad_packets, sum(k.is_bad * p.frame_bytes) AS bad_bytes,"            \
    "        sum(k.is_retransmission) AS retransmissions,"                                         \
    "        sum(k.is_retransmission * p.frame_bytes) AS retransmission_bytes,"                    \
    "        sum(p.retransmitted_bytes) AS retransmitted_bytes"                                    \
    "   FROM packet p JOIN capture c ON c.id = (p.id >> 32) + 1"                                   \
    "   JOIN packet_kind k ON k.id = p.kind"                                                       \
    "  WHERE p.id BETWEEN ?3 AND ?4 AND c.base_ns + p.time BETWEEN ?5 AND ?6"                      \
    "  GROUP BY p.conversation), "

#define SQL_SELECTED "NOT v.is_link AND (?1 = 2 OR v.is_local = ?1) AND (?2 = 0 OR v.capture = ?2)"

const FieldEdgeSelection *selection_or_default(const FieldEdgeSelection *selection)
{
    static const FieldEdgeSelection everything = {.scope = FIELDEDGE_SCOPE_WAN};

    return selection != NULL ? selection : &everything;
}

bool selection_is_whole(const FieldEdgeSelection *selection)
{
    return selection->capture == 0 && !selection->has_window &&
           (selection->conditions == NULL || selection->conditions->len == 0);
}

static void append_chosen(GString *sql, const FieldEdgeSelection *selection)
{
    const char *conditions = selection->conditions != NULL ? selection->conditions->str : "";

    if (!selection->has_window) {
        g_string_append_printf(
            sql, "chosen AS (SELECT v.* FROM conversation v WHERE " SQL_SELECTED "%s)", conditions);
        return;
    }
    g_string_append_printf(
        sql,
        SQL_WINDOWED
        "chosen AS MATERIALIZED (SELECT v.id, v.capture, v.is_link, v.transport, v.stream,"
        " v.ip_protocol, v.icmp_group, v.host_a, v.host_b, v.port_a, v.port_b, v.application,"
        " v.label_source, v.votes, v.server_name, v.vlan, v.tunnel, v.is_local, w.started_ns,"
        " w.ended_ns, w.packets_ab, w.packets_ba, w.frame_bytes_ab, w.frame_bytes_ba,"
        " w.ip_bytes_ab, w.ip_bytes_ba, w.payload_bytes_ab, w.payload_bytes_ba, w.bad_packets,"
        " w.bad_bytes, w.retransmissions, w.retransmission_bytes, w.retransmitted_bytes"
        "  FROM windowed w JOIN conversation v ON v.id = w.id WHERE " SQL_SELECTED "%s)",
        conditions);
}

char *selection_expand(const FieldEdgeSelection *selection, const char *sql)
{
    const char *mark = strstr(sql, SQL_CHOSEN);
    GString *expanded = g_string_new(NULL);

    if (mark == NULL) {
        g_string_append(expanded, sql);
    } else {
        g_string_append_len(expanded, sql, mark - sql);
        append_chosen(expanded, selection);
        g_string_append(expanded, mark + strlen(SQL_CHOSEN));
    }
    return g_string_free(expanded, FALSE);
}

/* The ids of a capture's packets are (capture - 1) << 32 | position, see schema.sql. */
void selection_packet_ids(const FieldEdgeSelection *selection, gint64 *first, gint64 *last)
{
    *first = G_MININT64;
    *last = G_MAXINT64;
    if (selection->capture <= 0 || selection->capture > G_MAXINT32)
        return;
    *first = (selection->capture - 1) * (G_GINT64_CONSTANT(1) << 32);
    *last = *first + G_MAXUINT32;
}

void selection_bind(const FieldEdgeSelection *selection, sqlite3_stmt *statement)
{
    gint64 first, last;
    int count = sqlite3_bind_parameter_count(statement);

    selection_packet_ids(selection, &first, &last);
    const gint64 fixed[] = {
        selection->scope,
        selection->capture,
        first,
        last,
        selection->has_window ? selection->from_ns : G_MININT64,
        selection->has_window ? selection->to_ns : G_MAXINT64,
    };
    for (int i = 0; i < count && i < (int)G_N_ELEMENTS(fixed); i++)
        sqlite3_bind_int64(statement, i + 1, fixed[i]);
    for (guint i = 0; selection->values != NULL && i < selection->values->len; i++) {
        const struct selection_value *value =
            &g_array_index(selection->values, struct selection_value, i);
        int place = FILTER_FIRST_PARAMETER + (int)i;

        if (place > count)
            break; /* a statement without SQL_CHOSEN */
        if (value->type == SELECTION_INT)
            sqlite3_bind_int64(statement, place, value->number);
        else if (value->type == SELECTION_TEXT)
            sqlite3_bind_text(statement, place, value->text, -1, SQLITE_TRANSIENT);
        else
            sqlite3_bind_blob(statement, place, value->text, (int)value->length, SQLITE_TRANSIENT);
    }
}

/* ---- The public object ---- */

static void clear_value(gpointer data)
{
    g_free(((struct selection_value *)data)->text);
}

FieldEdgeSelection *fieldedge_selection_new(void)
{
    FieldEdgeSelection *selection = g_new0(FieldEdgeSelection, 1);

    selection->conditions = g_string_new(NULL);
    selection->values = g_array_new(FALSE, TRUE, sizeof(struct selection_value));
    g_array_set_clear_func(selection->values, clear_value);
    selection->names = g_ptr_array_new_with_free_func(g_free);
    return selection;
}

void fieldedge_selection_set_scope(FieldEdgeSelection *selection, FieldEdgeScope scope)
{
    g_return_if_fail(selection != NULL && scope <= FIELDEDGE_SCOPE_ALL);
    selection->scope = scope;
}

void fieldedge_selection_set_capture(FieldEdgeSelection *selection, gint64 capture)
{
    g_return_if_fail(selection != NULL);
    selection->capture = capture;
}

gboolean fieldedge_selection_set_time_zone(FieldEdgeSelection *selection, const char *zone,
                                           GError **error)
{
    g_return_val_if_fail(selection != NULL && zone != NULL, FALSE);

    GTimeZone *found = g_time_zone_new_identifier(zone);
    if (found == NULL) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "'%.60s' is no time zone; write for instance UTC, Europe/London or +02:00",
                    zone);
        return FALSE;
    }
    g_clear_pointer(&selection->zone, g_time_zone_unref);
    selection->zone = found;
    return TRUE;
}

gboolean fieldedge_selection_set_window(FieldEdgeSelection *selection, gint64 from_ns, gint64 to_ns)
{
    g_return_val_if_fail(selection != NULL, FALSE);

    if (selection->has_window) {
        from_ns = MAX(from_ns, selection->from_ns);
        to_ns = MIN(to_ns, selection->to_ns);
    }
    if (from_ns > to_ns)
        return FALSE;
    selection->has_window = true;
    selection->from_ns = from_ns;
    selection->to_ns = to_ns;
    return TRUE;
}

gboolean fieldedge_selection_add_filter(FieldEdgeSelection *selection, const char *expression,
                                        GError **error)
{
    g_return_val_if_fail(selection != NULL && expression != NULL, FALSE);
    return filter_add(selection, expression, error);
}

void fieldedge_selection_free(FieldEdgeSelection *selection)
{
    if (selection == NULL)
        return;
    g_string_free(selection->conditions, TRUE);
    g_array_unref(selection->values);
    g_ptr_array_unref(selection->names);
    g_clear_pointer(&selection->zone, g_time_zone_unref);
    g_free(selection);
}
