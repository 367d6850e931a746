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

size_t order_find(const char *key, const struct output_column *columns, size_t count)
{
    size_t at = 0;

    while (at < count && (g_strcmp0(columns[at].key, key) != 0 || !is_sortable(columns[at].type)))
        at++;
    return at;
}

char **output_sort_keys(const struct output_column *columns, size_t count)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();

    for (size_t i = 0; i < count; i++) {
        if (columns[i].key != NULL && order_find(columns[i].key, columns, count) == i)
            g_ptr_array_add(keys, g_strdup(columns[i].key));
    }
    g_ptr_array_add(keys, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&keys), FALSE);
}

bool output_parse_sort(const char *text, const struct output_column *columns, size_t count,
                       struct output_order *order, GError **error)
{
    g_autofree char *name = g_strndup(text, strcspn(text, ":"));
    const char *direction = strchr(text, ':');
    size_t at = order_find(name, columns, count);

    if (direction != NULL && strcmp(direction, ":asc") != 0 && strcmp(direction, ":desc") != 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "there is no direction '%s' to sort in: choose asc or desc", direction + 1);
        return false;
    }
    if (at == count) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                    "there is no column '%s' to sort by", name);
        return false;
    }
    order->column = columns[at].key;
    order->is_descending =
        direction != NULL ? strcmp(direction, ":desc") == 0 : columns[at].type != OUTPUT_TEXT;
    return true;
}
