/* series_names.c
 * See series_names.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "series_names.h"

#include <stdlib.h>

struct series_names {
    guint by;
    GPtrArray *labels; /* by rank */
    char *current;     /* series_names_get()'s */
    GArray *members;   /* of struct series_member, by id */
};

/* ---- SQL ---- */

/* Text of an address with a port, as in a URL. */
#define SQL_END(host, port)                                                                        \
    "CASE WHEN " port " IS NULL THEN " host ".text"                                                \
    " WHEN instr(" host ".text, ':') THEN '[' || " host ".text || ']:' || " port " ELSE " host     \
    ".text || ':' || " port " END"

static const struct {
    FieldEdgeBy by;
    const char *sql;
} parts[] = {
    {FIELDEDGE_BY_APPLICATION, "n.name"},
    {FIELDEDGE_BY_SERVER_NAME, "ifnull(v.server_name, '-')"},
    {FIELDEDGE_BY_HOST, "h.text"},
    {FIELDEDGE_BY_HOST_PAIR, "CASE WHEN a.address <= b.address THEN a.text || ' <-> ' || b.text"
                             " ELSE b.text || ' <-> ' || a.text END"},
    {FIELDEDGE_BY_CONVERSATION, "v.id || ' ' || v.transport || ' ' || " SQL_END(
                                    "a", "v.port_a") " || ' <-> ' || " SQL_END("b", "v.port_b")},
};

/* The table labelled (id, label, base_ns): one row a conversation, two by host if its ends differ.
 * The second ends with an inner joint, so hosts that are gone drop out. */
static char *labelled_sql(guint by)
{
    g_autoptr(GString) label = g_string_new(NULL);
    bool by_host = (by & FIELDEDGE_BY_HOST) != 0;

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if ((by & parts[i].by) == 0)
            continue;
        g_string_append_printf(label, "%s%s", label->len > 0 ? " || ' ' || " : "", parts[i].sql);
    }
    if (label->len == 0) /* by direction alone */
        g_string_append(label, "''");
    return g_strdup_printf(SQL_CHOSEN
                           ", labelled AS MATERIALIZED (SELECT v.id, %s AS label, c.base_ns,"
                           " v.started_ns, v.ended_ns, %s AS side"
                           "  FROM chosen v JOIN capture c ON c.id = v.capture"
                           "  JOIN application n ON n.id = v.application"
                           "  JOIN host a ON a.id = v.host_a JOIN host b ON b.id = v.host_b%s),"
                           " ranked AS MATERIALIZED (SELECT label,"
                           "  row_number() OVER (ORDER BY label) - 1 AS rank"
                           "  FROM (SELECT DISTINCT label FROM labelled))",
                           label->str, by_host ? "h.id <> v.host_a" : "0",
                           by_host ? " JOIN host h ON h.id IN (v.host_a, v.host_b)" : "");
}

static guint effective(guint by)
{
    return by == 0 ? FIELDEDGE_BY_APPLICATION : by;
}

char *series_names_points_sql(const FieldEdgeSeriesOptions *options, const char *bytes)
{
    guint by = effective(options->by);
    g_autofree char *labelled = labelled_sql(by);

    /* SQL's << and | bind alike, from the left. */
    const char *direction = by & FIELDEDGE_BY_DIRECTION ? " | (k.direction << 1)" : "";
    const char *bad = options->split_bad ? " | k.is_bad" : "";

    return g_strdup_printf(
        "WITH %s, selected AS MATERIALIZED"
        " (SELECT l.id, r.rank << 2 AS rank, l.base_ns"
        "    FROM labelled l JOIN ranked r ON r.label = l.label)"
        "SELECT s.rank%s%s AS rank, s.base_ns + p.time AS time, %s"
        "  FROM packet p%s CROSS JOIN selected s ON s.id = p.conversation"
        " WHERE p.id BETWEEN ?3 AND ?4 AND s.base_ns + p.time BETWEEN ?5 AND ?6"
        " ORDER BY 1, 2, p.id",
        labelled, direction, bad, bytes,
        *direction != '\0' || *bad != '\0' ? " CROSS JOIN packet_kind k ON k.id = p.kind" : "");
}

/* ---- Labels ---- */

struct series_names *series_names_load(FieldEdgeDatabase *database,
                                       const FieldEdgeSelection *selection, guint by,
                                       GError **error)
{
    struct series_names *names = g_new0(struct series_names, 1);
    g_autofree char *labelled = labelled_sql(effective(by));
    g_autofree char *sql =
        g_strdup_printf("WITH %s SELECT label FROM ranked ORDER BY rank", labelled);
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok = cursor_open(&cursor, database, sql, selection, &problem);

    names->by = effective(by);
    names->labels = g_ptr_array_new_with_free_func(g_free);
    while (ok && cursor_step(&cursor, &problem)) {
        char *label = column_dup(&cursor, 0);
        g_ptr_array_add(names->labels, label != NULL ? label : g_strdup("-"));
    }
    cursor_close(&cursor);
    if (problem == NULL)
        return names;
    g_propagate_error(error, problem);
    series_names_free(names);
    return NULL;
}

void series_names_free(struct series_names *names)
{
    if (names == NULL)
        return;
    g_ptr_array_unref(names->labels);
    g_clear_pointer(&names->members, g_array_unref);
    g_free(names->current);
    g_free(names);
}

gint64 series_names_count(const struct series_names *names)
{
    return names->labels->len;
}

const char *series_names_get(struct series_names *names, gint64 rank)
{
    const char *label = g_ptr_array_index(names->labels, rank >> SERIES_BITS);
    const char *direction = rank & 2 ? "BA" : "AB";

    if ((names->by & FIELDEDGE_BY_DIRECTION) == 0)
        return label;
    g_free(names->current);
    names->current =
        *label == '\0' ? g_strdup(direction) : g_strconcat(label, " ", direction, NULL);
    return names->current;
}

/* ---- Members ---- */

static bool load_members(struct series_names *names, struct cursor *cursor, gint64 *started_ns,
                         gint64 *ended_ns, GError **error)
{
    while (cursor_step(cursor, error)) {
        struct series_member member = {column_int(cursor, 0), column_int(cursor, 1),
                                       column_int(cursor, 2), -1};
        GArray *members = names->members;
        struct series_member *last =
            members->len == 0 ? NULL
                              : &g_array_index(members, struct series_member, members->len - 1);

        *started_ns = MIN(*started_ns, column_int(cursor, 3));
        *ended_ns = MAX(*ended_ns, column_int(cursor, 4));
        if (last != NULL && last->id == member.id)
            last->other_rank = member.rank;
        else
            g_array_append_val(members, member);
    }
    return error == NULL || *error == NULL;
}

bool series_names_load_members(struct series_names *names, FieldEdgeDatabase *database,
                               const FieldEdgeSelection *selection, gint64 *started_ns,
                               gint64 *ended_ns, GError **error)
{
    g_autofree char *labelled = labelled_sql(names->by);
    g_autofree char *sql = g_strdup_printf(
        "WITH %s SELECT l.id, l.base_ns, r.rank, l.started_ns, l.ended_ns"
        "  FROM labelled l JOIN ranked r ON r.label = l.label ORDER BY l.id, l.side",
        labelled);
    struct cursor cursor = {0};
    GError *problem = NULL;

    *started_ns = G_MAXINT64;
    *ended_ns = G_MININT64;
    names->members = g_array_new(FALSE, FALSE, sizeof(struct series_member));
    if (cursor_open(&cursor, database, sql, selection, &problem))
        load_members(names, &cursor, started_ns, ended_ns, &problem);
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static int member_compare(const void *left, const void *right)
{
    gint64 a = ((const struct series_member *)left)->id;
    gint64 b = ((const struct series_member *)right)->id;

    return (a > b) - (a < b);
}

const struct series_member *series_names_member(const struct series_names *names,
                                                gint64 conversation)
{
    struct series_member key = {.id = conversation};

    if (names->members->len == 0)
        return NULL;
    return bsearch(&key, names->members->data, names->members->len, sizeof key, member_compare);
}
