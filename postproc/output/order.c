/* order.c
 * --sort and --top: keeps rows until the table ends, then hands them to the writer in order.
 *
 * Of a top N a heap of N rows is kept, the worst on top: a row that is worse than it is dropped,
 * any other takes its place.  With N = 2 and the descending counts 5, 9, 7: 5 and 9 are kept; 7
 * takes the place of 5; written are 9 and 7.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "writer.h"

#include <string.h>

struct row {
    struct output_value key;
    guint64 number; /* in the order of coming: decides between equals */
    size_t count;
    struct output_value values[];
};

struct order {
    enum output_type type; /* of the key */
    bool is_descending;
    guint64 top; /* 0: all */
    guint64 seen;
    GPtrArray *rows; /* of struct row; a heap once there are top of them */
};

/* ---- Rows ---- */

static bool is_sortable(enum output_type type)
{
    return type != OUTPUT_NESTED && type != OUTPUT_SPARK && type != OUTPUT_ANY;
}

static struct output_value copy_value(const struct output_value *value)
{
    struct output_value copy = *value;

    copy.text = g_strdup(value->text);
    copy.points = g_memdup2(value->points, value->count * sizeof *value->points);
    return copy;
}

static void free_value(struct output_value *value)
{
    g_free((char *)value->text);
    g_free((double *)value->points);
}

static void free_row(void *data)
{
    struct row *row = data;

    free_value(&row->key);
    for (size_t i = 0; i < row->count; i++)
        free_value(&row->values[i]);
    g_free(row);
}

static struct row *copy_row(const struct output_value *key, guint64 number,
                            const struct output_value *values, size_t count)
{
    struct row *row = g_malloc(sizeof *row + count * sizeof *values);

    row->key = copy_value(key);
    row->number = number;
    row->count = count;
    for (size_t i = 0; i < count; i++)
        row->values[i] = copy_value(&values[i]);
    return row;
}

static int compare_numbers(double left, double right)
{
    return (left > right) - (left < right);
}

static int compare_keys(enum output_type type, const struct output_value *left,
                        const struct output_value *right)
{
    switch (type) {
    case OUTPUT_TEXT:
        return strcmp(left->text, right->text);
    case OUTPUT_SHARE:
    case OUTPUT_BAR:
        return compare_numbers(left->share, right->share);
    case OUTPUT_REAL:
        return compare_numbers(left->real, right->real);
    default:
        return (left->number > right->number) - (left->number < right->number);
    }
}

/* Below zero if the left row, which came as number, is written before the right one. */
static int compare(const struct order *order, const struct output_value *left, guint64 number,
                   const struct row *right)
{
    int sign = 0;

    if (left->is_null != right->key.is_null)
        return left->is_null ? 1 : -1;
    if (!left->is_null)
        sign = compare_keys(order->type, left, &right->key);
    if (sign != 0)
        return order->is_descending ? -sign : sign;
    return number < right->number ? -1 : 1;
}

static int compare_rows(const void *left, const void *right, void *order)
{
    const struct row *row = *(struct row *const *)left;

    return compare(order, &row->key, row->number, *(struct row *const *)right);
}

/* ---- Heap ---- */

static bool is_worse(const struct order *order, guint left, guint right)
{
    const struct row *row = order->rows->pdata[left];

    return compare(order, &row->key, row->number, order->rows->pdata[right]) > 0;
}

static void sift_down(struct order *order, guint at)
{
    void **rows = order->rows->pdata;

    for (guint child; (child = 2 * at + 1) < order->rows->len; at = child) {
        if (child + 1 < order->rows->len && is_worse(order, child + 1, child))
            child++;
        if (!is_worse(order, child, at))
            return;
        void *row = rows[at];
        rows[at] = rows[child];
        rows[child] = row;
    }
}

static void make_heap(struct order *order)
{
    for (guint i = order->rows->len / 2; i-- > 0;)
        sift_down(order, i);
}

/* ---- Interface ---- */

struct order *order_new(enum output_type type, bool is_descending, guint64 top)
{
    struct order *order = g_new0(struct order, 1);

    order->type = type;
    order->is_descending = is_descending;
    order->top = top;
    order->rows = g_ptr_array_new_with_free_func(free_row);
    return order;
}

void order_free(struct order *order)
{
    if (order == NULL)
        return;
    g_ptr_array_free(order->rows, TRUE);
    g_free(order);
}

void order_add(struct order *order, const struct output_value *key,
               const struct output_value *values, size_t count)
{
    guint64 number = order->seen++;

    if (order->top == 0 || order->rows->len < order->top) {
        g_ptr_array_add(order->rows, copy_row(key, number, values, count));
        if (order->rows->len == order->top)
            make_heap(order);
        return;
    }
    if (compare(order, key, number, order->rows->pdata[0]) > 0)
        return;
    free_row(order->rows->pdata[0]);
    order->rows->pdata[0] = copy_row(key, number, values, count);
    sift_down(order, 0);
}

void order_write(struct order *order, struct output *output)
{
    g_ptr_array_sort_with_data(order->rows, compare_rows, order);
    for (guint i = 0; i < order->rows->len && !output_failed(output); i++) {
        const struct row *row = order->rows->pdata[i];
        output->writer->row(output, row->values);
    }
}

/* ---- What --sort says ---- */

/* Edits (a character put in, taken out or replaced) between two keys, up to their case. */
static guint distance(const char *left, const char *right)
{
    size_t width = strlen(right) + 1;
    g_autofree guint *edits = g_new(guint, width);

    for (guint k = 0; k < width; k++)
        edits[k] = k;
    for (guint i = 1; left[i - 1] != '\0'; i++) {
        guint diagonal = edits[0];
        edits[0] = i;
        for (guint k = 1; k < width; k++) {
            guint replaced =
                diagonal + (g_ascii_tolower(left[i - 1]) != g_ascii_tolower(right[k - 1]));
            diagonal = edits[k];
            edits[k] = MIN(MIN(edits[k], edits[k - 1]) + 1, replaced);
        }
    }
    return edits[width - 1];
}

struct candidate {
    const char *key;
    guint distance;
};

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    return a->distance != b->distance ? (a->distance < b->distance ? -1 : 1)
                                      : strcmp(a->key, b->key);
}

static void set_error(const char *name, const struct output_column *columns, size_t count,
                      GError **error)
{
    enum { LONGEST = 64 }; /* more of the name is no key, and would take time */
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(struct candidate));
    g_autoptr(GString) list = g_string_new(NULL);
    g_autofree char *start = g_strndup(name, LONGEST);

    for (size_t i = 0; i < count; i++) {
        if (columns[i].key == NULL || !is_sortable(columns[i].type))
            continue;
        /* "bytes" is nearer to "frame_bytes_sent" than to "host" */
        bool is_part = *start != '\0' && strstr(columns[i].key, start) != NULL;
        struct candidate candidate = {columns[i].key,
                                      is_part ? 0 : distance(start, columns[i].key)};
        g_array_append_val(candidates, candidate);
    }
    g_array_sort(candidates, compare_candidates);
    for (guint i = 0; i < candidates->len; i++) {
        const struct candidate *candidate = &g_array_index(candidates, struct candidate, i);
        if (i > 0 && strcmp(candidate->key, candidate[-1].key) == 0)
            continue;
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", candidate->key);
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "there is no column '%s' to sort by: choose %s", name, list->str);
}

size_t order_find(const char *key, const struct output_column *columns, size_t count)
{
    size_t at = 0;

    while (at < count && (g_strcmp0(columns[at].key, key) != 0 || !is_sortable(columns[at].type)))
        at++;
    return at;
}

bool output_parse_sort(const char *text, const struct output_column *columns, size_t count,
                       struct output_order *order, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    const char *name = parts[0] == NULL ? "" : parts[0];
    const char *direction = parts[0] == NULL ? NULL : parts[1];

    if (direction != NULL && strcmp(direction, "asc") != 0 && strcmp(direction, "desc") != 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "there is no direction '%s' to sort in: choose asc or desc", direction);
        return false;
    }
    size_t at = order_find(name, columns, count);
    if (at == count) {
        set_error(name, columns, count, error);
        return false;
    }
    order->column = columns[at].key;
    order->is_descending =
        direction != NULL ? strcmp(direction, "desc") == 0 : columns[at].type != OUTPUT_TEXT;
    return true;
}
