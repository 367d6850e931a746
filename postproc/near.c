/* near.c
 * The distance fills a table of (letters of a + 1) × (letters of b + 1) row by row, of which only
 * the last three rows are kept: a swap looks two rows back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "near.h"

#include "fieldedge.h"

#include <stdbool.h>
#include <string.h>

enum {
    NOT_NEAR = G_MAXINT,
    CONTAINS = 3, /* score of a name that contains what was wanted: between one letter and two */
    CONTAINS_LETTERS = 3
};

struct candidate {
    const char *name;
    guint score;
};

/* Lower case, and '-' as '_'; false if the name is too long or empty. */
static bool fold(const char *name, char folded[NEAR_LENGTH + 1])
{
    size_t length = strnlen(name, NEAR_LENGTH + 1);

    if (length == 0 || length > NEAR_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        folded[i] = name[i] == '-' ? '_' : g_ascii_tolower(name[i]);
    folded[length] = '\0';
    return true;
}

static guint distance(const char *a, const char *b)
{
    guint rows[3][NEAR_LENGTH + 1];
    guint *before = rows[0], *last = rows[1], *row = rows[2];
    size_t length = strlen(b);

    for (size_t k = 0; k <= length; k++)
        last[k] = (guint)k;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        row[0] = (guint)i;
        for (size_t k = 1; k <= length; k++) {
            guint changed = last[k - 1] + (a[i - 1] != b[k - 1]);
            row[k] = MIN(changed, MIN(last[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = MIN(row[k], before[k - 2] + 1);
        }
        guint *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[length];
}

guint near_distance(const char *a, const char *b)
{
    char folded_a[NEAR_LENGTH + 1], folded_b[NEAR_LENGTH + 1];

    g_return_val_if_fail(fold(a, folded_a) && fold(b, folded_b), NOT_NEAR);
    return distance(folded_a, folded_b);
}

/* Letters that may be wrong. */
static guint tolerance(const char *a, const char *b)
{
    size_t length = MAX(strlen(a), strlen(b));

    return length <= 2 ? 0 : length <= 5 ? 1 : length <= 8 ? 2 : 3;
}

/* The less the nearer: two for each wrong letter. */
static guint score(const char *wanted, const char *name)
{
    guint best = NOT_NEAR;

    for (const char *end = name, *line; end != NULL; end = line == NULL ? NULL : line + 1) {
        guint letters = distance(wanted, end);
        if (letters <= tolerance(wanted, end))
            best = MIN(best, 2 * letters);
        line = strchr(end, '_');
    }
    if (strlen(wanted) >= CONTAINS_LETTERS && strstr(name, wanted) != NULL)
        best = MIN(best, CONTAINS);
    return best;
}

static gint compare(gconstpointer left, gconstpointer right)
{
    const struct candidate *a = left, *b = right;

    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return strcmp(a->name, b->name);
}

char *near_names(const char *wanted, const GPtrArray *names, guint limit)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct candidate));
    char folded_wanted[NEAR_LENGTH + 1], folded[NEAR_LENGTH + 1];
    GString *text = NULL;
    guint count = 0;

    if (!fold(wanted, folded_wanted))
        return NULL;
    for (guint i = 0; i < names->len; i++) {
        struct candidate candidate = {.name = g_ptr_array_index(names, i)};
        if (!fold(candidate.name, folded))
            continue;
        candidate.score = score(folded_wanted, folded);
        if (candidate.score != NOT_NEAR)
            g_array_append_val(found, candidate);
    }
    g_array_sort(found, compare);
    for (guint i = 0; i < found->len && count < limit; i++) {
        const struct candidate *at = &g_array_index(found, struct candidate, i);
        if (i > 0 && strcmp(at->name, at[-1].name) == 0)
            continue;
        if (text == NULL)
            text = g_string_new(at->name);
        else
            g_string_append_printf(text, ", %s", at->name);
        count++;
    }
    return text == NULL ? NULL : g_string_free(text, FALSE);
}

char *fieldedge_near_names(const char *wanted, const char *const *names, guint limit)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    g_return_val_if_fail(wanted != NULL && names != NULL, NULL);
    for (; *names != NULL; names++)
        g_ptr_array_add(list, (gpointer)*names);
    return near_names(wanted, list, limit);
}
