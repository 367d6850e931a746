/* prune.c: see prune.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "prune.h"

enum {
    CARRY_MAX = 65536, /* conversations that are carried from file to file */
    MINUTES_DAYS = 35,
    HOURS_DAYS = 400,
    SLACK_PART = 8 /* of the size is left free */
};

#define NS_PER_DAY (G_GINT64_CONSTANT(86400) * 1000000000)

/* Sums of the columns of rollup after `packets`, added on a conflict. */
#define ROLLUP_COLUMNS                                                                             \
    "capture, seconds, started_ns, application, is_local, packets, frame_bytes, ip_bytes,"         \
    " payload_bytes, bad_packets, bad_bytes, retransmissions, retransmission_bytes,"               \
    " retransmitted_bytes"
#define ROLLUP_ADD                                                                                 \
    " ON CONFLICT DO UPDATE SET packets = packets + excluded.packets,"                             \
    " frame_bytes = frame_bytes + excluded.frame_bytes, ip_bytes = ip_bytes + excluded.ip_bytes,"  \
    " payload_bytes = payload_bytes + excluded.payload_bytes,"                                     \
    " bad_packets = bad_packets + excluded.bad_packets,"                                           \
    " bad_bytes = bad_bytes + excluded.bad_bytes,"                                                 \
    " retransmissions = retransmissions + excluded.retransmissions,"                               \
    " retransmission_bytes = retransmission_bytes + excluded.retransmission_bytes,"                \
    " retransmitted_bytes = retransmitted_bytes + excluded.retransmitted_bytes"

/* Start of the period of `width` ns that the time lies in, before 1970 too. */
#define PERIOD(time, width) "(" time ") - (((" time ") % " width ") + " width ") % " width

/* ?1: id of the watch_file.  The statements of one file, in order. */
static const char *const prune_sql[] = {
    "INSERT INTO rollup (" ROLLUP_COLUMNS ")"
    " SELECT c.id, 60, " PERIOD(
        "c.base_ns + p.time",
        "60000000000") " AS started,"
                       " ifnull(v.application, 0), v.is_local, count(*), sum(p.frame_bytes),"
                       " sum(p.frame_bytes - p.link_bytes), sum(p.payload_bytes), sum(k.is_bad),"
                       " sum(k.is_bad * p.frame_bytes), sum(k.is_retransmission),"
                       " sum(k.is_retransmission * p.frame_bytes), sum(p.retransmitted_bytes)"
                       " FROM watch_file f JOIN packet p ON p.id BETWEEN f.first AND f.last"
                       " JOIN packet_kind k ON k.id = p.kind JOIN capture c ON c.id = f.capture"
                       " JOIN conversation v ON v.id = p.conversation"
                       " WHERE f.id = ?1 GROUP BY started, ifnull(v.application, 0), "
                       "v.is_local" ROLLUP_ADD,

    "CREATE TEMP TABLE gone AS SELECT p.conversation AS id,"
    " sum(k.direction = 0) AS packets_ab, sum(k.direction = 1) AS packets_ba,"
    " sum((k.direction = 0) * p.frame_bytes) AS frame_bytes_ab,"
    " sum((k.direction = 1) * p.frame_bytes) AS frame_bytes_ba,"
    " sum((k.direction = 0) * (p.frame_bytes - p.link_bytes)) AS ip_bytes_ab,"
    " sum((k.direction = 1) * (p.frame_bytes - p.link_bytes)) AS ip_bytes_ba,"
    " sum((k.direction = 0) * p.payload_bytes) AS payload_bytes_ab,"
    " sum((k.direction = 1) * p.payload_bytes) AS payload_bytes_ba,"
    " sum(k.is_bad) AS bad_packets, sum(k.is_bad * p.frame_bytes) AS bad_bytes,"
    " sum(k.is_retransmission) AS retransmissions,"
    " sum(k.is_retransmission * p.frame_bytes) AS retransmission_bytes,"
    " sum(p.retransmitted_bytes) AS retransmitted_bytes"
    " FROM watch_file f JOIN packet p ON p.id BETWEEN f.first AND f.last"
    " JOIN packet_kind k ON k.id = p.kind WHERE f.id = ?1 GROUP BY p.conversation",

    "UPDATE conversation AS v SET packets_ab = v.packets_ab - g.packets_ab,"
    " packets_ba = v.packets_ba - g.packets_ba,"
    " frame_bytes_ab = v.frame_bytes_ab - g.frame_bytes_ab,"
    " frame_bytes_ba = v.frame_bytes_ba - g.frame_bytes_ba,"
    " ip_bytes_ab = v.ip_bytes_ab - g.ip_bytes_ab, ip_bytes_ba = v.ip_bytes_ba - g.ip_bytes_ba,"
    " payload_bytes_ab = v.payload_bytes_ab - g.payload_bytes_ab,"
    " payload_bytes_ba = v.payload_bytes_ba - g.payload_bytes_ba,"
    " bad_packets = v.bad_packets - g.bad_packets, bad_bytes = v.bad_bytes - g.bad_bytes,"
    " retransmissions = v.retransmissions - g.retransmissions,"
    " retransmission_bytes = v.retransmission_bytes - g.retransmission_bytes,"
    " retransmitted_bytes = v.retransmitted_bytes - g.retransmitted_bytes"
    " FROM temp.gone g WHERE g.id = v.id",

    "UPDATE capture SET packets = packets - n, frame_bytes = capture.frame_bytes - f,"
    " ip_bytes = capture.ip_bytes - i FROM (SELECT ifnull(sum(packets_ab + packets_ba), 0) AS n,"
    " ifnull(sum(frame_bytes_ab + frame_bytes_ba), 0) AS f,"
    " ifnull(sum(ip_bytes_ab + ip_bytes_ba), 0) AS i FROM temp.gone)"
    " WHERE id = (SELECT capture FROM watch_file WHERE id = ?1)",

    "DELETE FROM quote WHERE packet BETWEEN (SELECT first FROM watch_file WHERE id = ?1)"
    " AND (SELECT last FROM watch_file WHERE id = ?1)",
    "DELETE FROM renumbering WHERE packet BETWEEN (SELECT first FROM watch_file WHERE id = ?1)"
    " AND (SELECT last FROM watch_file WHERE id = ?1)",
    "DELETE FROM packet WHERE id BETWEEN (SELECT first FROM watch_file WHERE id = ?1)"
    " AND (SELECT last FROM watch_file WHERE id = ?1)",
    "DELETE FROM temp.gone WHERE id NOT IN (SELECT v.id FROM temp.gone g JOIN conversation v"
    " ON v.id = g.id WHERE v.packets_ab + v.packets_ba = 0)",
};

/* temp.gone holds the conversations that have no packet any more, and those that refer to them
 * are gone: so go they. */
static const char *const close_sql[] = {
    "DELETE FROM conversation WHERE id IN (SELECT id FROM temp.gone)",
    "DROP TABLE temp.gone",
    "DELETE FROM analysis", /* whose results were of packets that are gone */
    "UPDATE watch_file SET is_pruned = 1 WHERE id = ?1",
    ("UPDATE capture SET (started_ns, ended_ns) = (SELECT min(f.started_ns), max(f.ended_ns)"
     " FROM watch_file f WHERE f.capture = capture.id AND NOT f.is_pruned)"
     " WHERE id = (SELECT capture FROM watch_file WHERE id = ?1)"),
};

static bool run_all(struct watch_store *store, const char *const *sql, size_t count, gint64 file,
                    GError **error)
{
    for (size_t i = 0; i < count; i++) {
        if (!watch_store_run(store, sql[i], file, 0, error))
            return false;
    }
    return true;
}

/* Rows of any table that refer to a conversation, but for its packets. */
static bool delete_references(struct watch_store *store, GError **error)
{
    static const char sql[] =
        "SELECT m.name, f.\"from\" FROM main.sqlite_schema m, pragma_foreign_key_list(m.name) f"
        " WHERE m.type = 'table' AND f.\"table\" = 'conversation' COLLATE NOCASE"
        " AND m.name <> 'packet'";
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(sqlite3_free);
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK;

    while (ok && sqlite3_step(statement) == SQLITE_ROW) {
        char *text =
            sqlite3_mprintf("DELETE FROM main.\"%w\" WHERE \"%w\" IN (SELECT id FROM temp.gone)",
                            sqlite3_column_text(statement, 0), sqlite3_column_text(statement, 1));
        if (text != NULL)
            g_ptr_array_add(list, text);
    }
    sqlite3_finalize(statement);
    for (guint i = 0; i < list->len; i++) {
        if (!watch_store_run(store, g_ptr_array_index(list, i), 0, 0, error))
            return false;
    }
    return true;
}

static bool prune_file_inside(struct watch_store *store, gint64 file, GError **error)
{
    return run_all(store, prune_sql, G_N_ELEMENTS(prune_sql), file, error) &&
           delete_references(store, error) &&
           run_all(store, close_sql, G_N_ELEMENTS(close_sql), file, error) &&
           watch_store_run(store, "COMMIT", 0, 0, error);
}

/* In one transaction, or not at all. */
static bool prune_file(struct watch_store *store, gint64 file, GError **error)
{
    if (!watch_store_run(store, "BEGIN IMMEDIATE", 0, 0, error))
        return false;
    if (prune_file_inside(store, file, error))
        return true;
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* Sums the roll-ups of 60 or 3600 seconds that began before a time up into the next longer. */
static bool roll_up(struct watch_store *store, int seconds, gint64 before_ns, GError **error)
{
    static const char *const sums[] = {
        "INSERT INTO rollup (" ROLLUP_COLUMNS ") SELECT capture, 3600, " PERIOD(
            "started_ns", "3600000000000") " AS started, application, is_local, sum(packets),"
                                           " sum(frame_bytes), sum(ip_bytes), sum(payload_bytes), "
                                           "sum(bad_packets), sum(bad_bytes),"
                                           " sum(retransmissions), sum(retransmission_bytes), "
                                           "sum(retransmitted_bytes) FROM rollup"
                                           " WHERE seconds = 60 AND started_ns < ?1 GROUP BY "
                                           "capture, started, application,"
                                           " is_local" ROLLUP_ADD,
        "INSERT INTO rollup (" ROLLUP_COLUMNS ") SELECT capture, 86400, " PERIOD(
            "started_ns", "86400000000000") " AS started, application, is_local, sum(packets),"
                                            " sum(frame_bytes), sum(ip_bytes), sum(payload_bytes), "
                                            "sum(bad_packets), sum(bad_bytes),"
                                            " sum(retransmissions), sum(retransmission_bytes), "
                                            "sum(retransmitted_bytes) FROM rollup"
                                            " WHERE seconds = 3600 AND started_ns < ?1 GROUP BY "
                                            "capture, started, application,"
                                            " is_local" ROLLUP_ADD,
    };

    if (!watch_store_run(store, "BEGIN IMMEDIATE", 0, 0, error))
        return false;
    if (watch_store_run(store, sums[seconds == 3600], before_ns, 0, error) &&
        watch_store_run(store, "DELETE FROM rollup WHERE started_ns < ?1 AND seconds = ?2",
                        before_ns, seconds, error) &&
        watch_store_run(store, "COMMIT", 0, 0, error))
        return true;
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static bool used_bytes(struct watch_store *store, gint64 *bytes, GError **error)
{
    return watch_store_ask(store,
                           "SELECT (page_count - freelist_count) * page_size FROM"
                           " pragma_page_count, pragma_freelist_count, pragma_page_size",
                           0, 0, bytes, error);
}

/* Ages: against the earliest end of the last three files.  FIELDEDGE_NONE without packets. */
static bool reference_time(struct watch_store *store, gint64 capture, gint64 *time, GError **error)
{
    return watch_store_ask(store,
                           "SELECT min(ended_ns) FROM (SELECT ended_ns FROM watch_file"
                           " WHERE capture = ?1 AND packets > 0 ORDER BY id DESC LIMIT 3)",
                           capture, 0, time, error);
}

/* The oldest file that is too old, or (before_ns = FIELDEDGE_NONE) the oldest at all; never the
 * newest.  FIELDEDGE_NONE: there is none. */
static bool oldest_file(struct watch_store *store, gint64 capture, gint64 before_ns, gint64 *file,
                        GError **error)
{
    static const char any[] =
        "SELECT id FROM watch_file WHERE capture = ?1 AND NOT is_pruned AND id <"
        " (SELECT max(id) FROM watch_file WHERE capture = ?1) ORDER BY id LIMIT 1";
    static const char old[] = /* one without packets is no loss */
        "SELECT id FROM watch_file WHERE capture = ?1 AND NOT is_pruned AND"
        " (ended_ns < ?2 OR packets = 0)"
        " AND id < (SELECT max(id) FROM watch_file WHERE capture = ?1) ORDER BY id LIMIT 1";

    return before_ns == FIELDEDGE_NONE
               ? watch_store_ask(store, any, capture, 0, file, error)
               : watch_store_ask(store, old, capture, before_ns, file, error);
}

static bool prune_old(struct watch_store *store, gint64 capture, const struct prune_rules *rules,
                      gint64 now, GError **error)
{
    gint64 file, minutes = MAX(rules->keep_ns, MINUTES_DAYS * NS_PER_DAY);

    while (rules->keep_ns > 0) {
        if (!oldest_file(store, capture, now - rules->keep_ns, &file, error))
            return false;
        if (file == FIELDEDGE_NONE)
            break;
        if (!prune_file(store, file, error))
            return false;
    }
    return roll_up(store, 60, now - minutes, error) &&
           roll_up(store, 3600, now - MAX(minutes, HOURS_DAYS * NS_PER_DAY), error);
}

static bool prune_large(struct watch_store *store, gint64 capture, gint64 limit, gint64 now,
                        GError **error)
{
    gint64 bytes, file;

    for (;;) {
        if (!used_bytes(store, &bytes, error) ||
            !oldest_file(store, capture, FIELDEDGE_NONE, &file, error))
            return false;
        if (bytes <= limit)
            return true;
        if (file == FIELDEDGE_NONE)
            break;
        if (!prune_file(store, file, error))
            return false;
    }
    return roll_up(store, 60, now, error) && roll_up(store, 3600, now, error);
}

/* What the size leaves for the rows that are there, so that the next file fits in. */
static gint64 size_limit(gint64 max_bytes, gint64 grown)
{
    return max_bytes - MIN(max_bytes / 2, MAX(max_bytes / SLACK_PART, 2 * grown));
}

static bool forget(struct watch_store *store, gint64 capture, const struct prune_rules *rules,
                   GError **error)
{
    return (!rules->forgets ||
            watch_store_run(store,
                            "DELETE FROM watch_file WHERE capture = ?1 AND is_pruned AND id <"
                            " (SELECT max(id) FROM watch_file)",
                            capture, 0, error)) &&
           watch_store_run(store,
                           "DELETE FROM carry WHERE (SELECT count(*) FROM carry) > ?1 AND"
                           " file <= (SELECT file FROM carry ORDER BY file DESC LIMIT 1 OFFSET ?1)",
                           CARRY_MAX, 0, error);
}

bool prune(struct watch_store *store, gint64 capture, const struct prune_rules *rules,
           gint64 *last_bytes, GError **error)
{
    gint64 before, now;

    if (!used_bytes(store, &before, error) || !reference_time(store, capture, &now, error))
        return false;
    gint64 grown = *last_bytes == 0 ? 0 : MAX(0, before - *last_bytes);
    if (now != FIELDEDGE_NONE && !prune_old(store, capture, rules, now, error))
        return false;
    if (now != FIELDEDGE_NONE && rules->max_bytes > 0 &&
        !prune_large(store, capture, size_limit(rules->max_bytes, grown), now, error))
        return false;
    return forget(store, capture, rules, error) && used_bytes(store, last_bytes, error);
}
