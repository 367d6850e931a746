/* packets.c
 * See packets.h.  The visitor travels into the aggregate as a bound pointer, so that several scans
 * of one handle do not know of each other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packets.h"

#include <string.h>

#define POINTER_TYPE "fieldedge-scan"

enum { POINTER_PARAMETER = 7, HIGHEST_KIND = 1 << 20 };

struct scan {
    packets_visitor visitor;
    gpointer data;
    bool is_stopped;
};

static void scan_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct scan *scan = sqlite3_value_pointer(values[0], POINTER_TYPE);

    (void)count;
    if (scan == NULL) {
        sqlite3_result_error(context, "fieldedge_scan() is the library's own", -1);
        return;
    }
    const struct packet_row row = {
        .conversation = sqlite3_value_int64(values[1]),
        .kind = sqlite3_value_int64(values[2]),
        .time = sqlite3_value_int64(values[3]),
        .first = sqlite3_value_int64(values[4]),
        .second = sqlite3_value_int64(values[5]),
    };
    if (!scan->visitor(&row, scan->data)) {
        scan->is_stopped = true;
        sqlite3_result_error_code(context, SQLITE_ABORT);
    }
}

static void scan_final(sqlite3_context *context)
{
    sqlite3_result_null(context);
}

int packets_register(sqlite3 *handle)
{
    return sqlite3_create_function_v2(handle, "fieldedge_scan", 6, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                      NULL, NULL, scan_step, scan_final, NULL);
}

bool packets_each(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                  const char *first, const char *second, packets_visitor visitor, gpointer data,
                  GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT fieldedge_scan(?7, p.conversation, p.kind, p.time, %s, %s)"
                        "  FROM packet p WHERE p.id BETWEEN ?3 AND ?4",
                        first, second);
    struct scan scan = {visitor, data, false};
    struct cursor cursor = {0};
    GError *problem = NULL;

    if (cursor_open(&cursor, database, sql, selection, &problem)) {
        sqlite3_bind_pointer(cursor.statement, POINTER_PARAMETER, &scan, POINTER_TYPE, NULL);
        while (cursor_step(&cursor, &problem))
            continue;
    }
    cursor_close(&cursor);
    if (scan.is_stopped) {
        g_clear_error(&problem);
        return false;
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

bool packets_kinds(FieldEdgeDatabase *database, struct packet_kinds *kinds, GError **error)
{
    static const char sql[] =
        "SELECT id, direction, verdicts, is_bad, is_retransmission FROM packet_kind"
        " WHERE id > 0 ORDER BY id DESC";
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database, sql, NULL, &problem);

    *kinds = (struct packet_kinds){g_new0(struct packet_kind, 1), 1};
    while (ok && cursor_step(&cursor, &problem)) {
        gint64 id = column_int(&cursor, 0);

        if (id > HIGHEST_KIND) /* the recorder counts from 1: somebody else's doing */
            continue;
        if (kinds->count == 1) {
            kinds->count = (guint)id + 1;
            kinds->kinds = g_renew(struct packet_kind, kinds->kinds, kinds->count);
            memset(kinds->kinds, 0, kinds->count * sizeof *kinds->kinds);
        }
        kinds->kinds[id] = (struct packet_kind){
            .is_ba = column_int(&cursor, 1) != 0,
            .verdicts = (guint32)column_int(&cursor, 2),
            .is_bad = column_int(&cursor, 3) != 0,
            .is_retransmission = column_int(&cursor, 4) != 0,
        };
    }
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    packets_kinds_clear(kinds);
    g_propagate_error(error, problem);
    return false;
}

void packets_kinds_clear(struct packet_kinds *kinds)
{
    g_clear_pointer(&kinds->kinds, g_free);
    kinds->count = 0;
}
