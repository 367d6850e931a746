/* faults.c
 * See faults.h.  Few packets are bad, so what is kept is a sorted list of (conversation, verdict,
 * packets).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "faults.h"

#include "results.h"
#include "schema/verdicts.h"

#include <string.h>

struct fault {
    gint64 conversation;
    gint64 packets;
    guint verdict; /* place of its bit */
};

struct faults {
    GArray *list; /* of struct fault, by conversation and verdict */
    gint64 sums[VERDICT_COUNT];
    FieldEdgeVerdict rows[VERDICT_COUNT];
};

static void add_kind(GArray *list, gint64 conversation, guint verdicts, gint64 packets)
{
    for (guint i = 0; i < VERDICT_COUNT; i++) {
        struct fault fault = {conversation, packets, i};

        if (verdicts & VERDICTS_BAD & (1u << i))
            g_array_append_val(list, fault);
    }
}

static int fault_compare(gconstpointer left, gconstpointer right)
{
    const struct fault *a = left, *b = right;

    if (a->conversation != b->conversation)
        return a->conversation > b->conversation ? 1 : -1;
    return (a->verdict > b->verdict) - (a->verdict < b->verdict);
}

/* Several kinds have one verdict. */
static void merge(GArray *list)
{
    guint kept = 0;

    g_array_sort(list, fault_compare);
    for (guint i = 0; i < list->len; i++) {
        const struct fault *fault = &g_array_index(list, struct fault, i);

        if (kept > 0 && fault_compare(&g_array_index(list, struct fault, kept - 1), fault) == 0)
            g_array_index(list, struct fault, kept - 1).packets += fault->packets;
        else
            g_array_index(list, struct fault, kept++) = *fault;
    }
    g_array_set_size(list, kept);
}

static bool read_packets(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                         GArray *list, GError **error)
{
    static const char sql[] =
        "SELECT p.conversation, k.verdicts, p.packets FROM"
        "  (SELECT conversation, kind, count(*) AS packets FROM packet p"
        "    WHERE p.id BETWEEN ?3 AND ?4 AND kind IN (SELECT id FROM packet_kind WHERE is_bad)"
        "    GROUP BY 1, 2) p JOIN packet_kind k ON k.id = p.kind";
    static const char windowed[] =
        "SELECT p.conversation, k.verdicts, count(*) FROM packet p"
        "  JOIN packet_kind k ON k.id = p.kind JOIN capture c ON c.id = (p.id >> 32) + 1"
        " WHERE p.id BETWEEN ?3 AND ?4 AND k.is_bad AND c.base_ns + p.time BETWEEN ?5 AND ?6"
        " GROUP BY 1, 2";
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok =
        cursor_open(&cursor, database, selection->has_window ? windowed : sql, selection, &problem);

    while (ok && cursor_step(&cursor, &problem))
        add_kind(list, column_int(&cursor, 0), (guint)column_int(&cursor, 1),
                 column_int(&cursor, 2));
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static bool read_results(FieldEdgeDatabase *database, GArray *list, GError **error)
{
    struct cursor cursor = {0};
    GError *problem = NULL;
    bool ok =
        cursor_open(&cursor, database, "SELECT conversation, verdict, packets FROM result_verdict",
                    NULL, &problem);

    while (ok && cursor_step(&cursor, &problem)) {
        const char *name = column_text(&cursor, 1);

        for (guint i = 0; i < VERDICT_COUNT; i++) {
            if (strcmp(name, verdict_name(i)) == 0)
                add_kind(list, column_int(&cursor, 0), 1u << i, column_int(&cursor, 2));
        }
    }
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

struct faults *faults_load(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                           GError **error)
{
    struct faults *faults = g_new0(struct faults, 1);
    bool is_stored, ok;

    selection = selection_or_default(selection);
    faults->list = g_array_new(FALSE, FALSE, sizeof(struct fault));
    ok = results_are_current(database, selection, NULL, &is_stored, error) &&
         (is_stored ? read_results(database, faults->list, error)
                    : read_packets(database, selection, faults->list, error));
    if (!ok) {
        faults_free(faults);
        return NULL;
    }
    merge(faults->list);
    return faults;
}

void faults_free(struct faults *faults)
{
    if (faults == NULL)
        return;
    g_array_unref(faults->list);
    g_free(faults);
}

void faults_begin(struct faults *faults)
{
    if (faults != NULL)
        memset(faults->sums, 0, sizeof faults->sums);
}

void faults_add(struct faults *faults, gint64 conversation)
{
    guint low = 0, high;

    if (faults == NULL)
        return;
    high = faults->list->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(faults->list, struct fault, middle).conversation < conversation)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < faults->list->len; low++) {
        const struct fault *fault = &g_array_index(faults->list, struct fault, low);

        if (fault->conversation != conversation)
            return;
        faults->sums[fault->verdict] += fault->packets;
    }
}

const FieldEdgeVerdict *faults_rows(struct faults *faults, guint *count)
{
    *count = 0;
    if (faults == NULL)
        return NULL;
    for (guint i = 0; i < VERDICT_COUNT; i++) {
        if (faults->sums[i] > 0)
            faults->rows[(*count)++] = (FieldEdgeVerdict){verdict_name(i), faults->sums[i]};
    }
    return faults->rows;
}

void faults_each(const struct faults *faults,
                 void (*visit)(gint64 conversation, const char *verdict, gint64 packets,
                               gpointer data),
                 gpointer data)
{
    for (guint i = 0; i < faults->list->len; i++) {
        const struct fault *fault = &g_array_index(faults->list, struct fault, i);

        visit(fault->conversation, verdict_name(fault->verdict), fault->packets, data);
    }
}
