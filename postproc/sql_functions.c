/* sql_functions.c
 * The aggregates of sql_functions.h.  All four collect their values in the same way and differ in
 * what they make of the sorted array at the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sql_functions.h"

#include <glib.h>
#include <math.h>
#include <stdbool.h>

enum { VALUES_MAX = 32 * 1024 * 1024 };

/* The values of one group.  SQLite makes it of zeros. */
struct sample {
    GArray *values; /* of double: each less origin; NULL before the first */
    gint64 origin;  /* the first value, if it is an integer */
    double percent; /* second argument of percentile() */
    bool has_failed;
};

static void fail(sqlite3_context *context, struct sample *sample, const char *message)
{
    sample->has_failed = true;
    sqlite3_result_error(context, message, -1);
}

static double less_origin(sqlite3_value *value, int type, gint64 origin)
{
    gint64 number, difference;

    if (type != SQLITE_INTEGER)
        return sqlite3_value_double(value) - (double)origin;
    number = sqlite3_value_int64(value);
    if (__builtin_sub_overflow(number, origin, &difference))
        return (double)number - (double)origin;
    return (double)difference;
}

static void take(sqlite3_context *context, struct sample *sample, sqlite3_value *value)
{
    int type = sqlite3_value_numeric_type(value);

    if (type == SQLITE_NULL)
        return;
    if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) {
        fail(context, sample, "median(), percentile(), stdev() and mad() need numbers");
        return;
    }
    if (sample->values == NULL) {
        sample->values = g_array_new(FALSE, FALSE, sizeof(double));
        sample->origin = type == SQLITE_INTEGER ? sqlite3_value_int64(value) : 0;
    }
    if (sample->values->len >= VALUES_MAX) {
        fail(context, sample, "more than 32 million values in one group");
        return;
    }
    double number = less_origin(value, type, sample->origin);
    g_array_append_val(sample->values, number);
}

static void step(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    struct sample *sample = sqlite3_aggregate_context(context, sizeof *sample);

    if (sample == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    if (sample->has_failed)
        return;
    if (count > 1) {
        sample->percent = sqlite3_value_double(arguments[1]);
        if (sqlite3_value_numeric_type(arguments[1]) == SQLITE_NULL ||
            !(sample->percent >= 0 && sample->percent <= 100)) {
            fail(context, sample, "the second argument of percentile() is a number from 0 to 100");
            return;
        }
    }
    take(context, sample, arguments[0]);
}

static gint compare(gconstpointer left, gconstpointer right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double *sorted(struct sample *sample)
{
    g_array_sort(sample->values, compare);
    return (double *)(void *)sample->values->data;
}

/* Of sorted values.  The place is in hundredths, which are exact for a whole per cent. */
static double value_at(const double *values, guint count, double percent)
{
    double hundredths = percent * (count - 1);
    guint below = MIN((guint)(hundredths / 100), count - 1);
    double above = hundredths - below * 100.0;

    if (above <= 0 || below + 1 >= count)
        return values[below];
    double value = (values[below] * (100 - above) + values[below + 1] * above) / 100;
    if (isfinite(value))
        return value;
    return values[below] + above / 100 * (values[below + 1] - values[below]);
}

static double median(const double *values, guint count)
{
    return value_at(values, count, 50);
}

/* What the step functions left; NULL if there is no result. */
static struct sample *finish(sqlite3_context *context)
{
    struct sample *sample = sqlite3_aggregate_context(context, 0);

    if (sample == NULL || sample->values == NULL)
        return NULL;
    if (!sample->has_failed)
        return sample;
    g_array_unref(sample->values);
    return NULL;
}

static void median_final(sqlite3_context *context)
{
    struct sample *sample = finish(context);

    if (sample == NULL)
        return;
    sqlite3_result_double(context,
                          (double)sample->origin + median(sorted(sample), sample->values->len));
    g_array_unref(sample->values);
}

static void percentile_final(sqlite3_context *context)
{
    struct sample *sample = finish(context);

    if (sample == NULL)
        return;
    sqlite3_result_double(context,
                          (double)sample->origin +
                              value_at(sorted(sample), sample->values->len, sample->percent));
    g_array_unref(sample->values);
}

/* In two passes: the mean first, so that no small difference of large sums is taken. */
static void stdev_final(sqlite3_context *context)
{
    struct sample *sample = finish(context);
    double sum = 0, squares = 0;

    if (sample == NULL)
        return;
    guint count = sample->values->len;
    for (guint i = 0; i < count; i++)
        sum += g_array_index(sample->values, double, i);
    for (guint i = 0; i < count; i++) {
        double off = g_array_index(sample->values, double, i) - sum / count;
        squares += off * off;
    }
    if (count > 1)
        sqlite3_result_double(context, sqrt(squares / (count - 1)));
    g_array_unref(sample->values);
}

static void mad_final(sqlite3_context *context)
{
    struct sample *sample = finish(context);

    if (sample == NULL)
        return;
    double middle = median(sorted(sample), sample->values->len);
    for (guint i = 0; i < sample->values->len; i++) {
        double *value = &g_array_index(sample->values, double, i);
        *value = fabs(*value - middle);
    }
    sqlite3_result_double(context, median(sorted(sample), sample->values->len));
    g_array_unref(sample->values);
}

int sql_functions_register(sqlite3 *handle)
{
    static const struct {
        const char *name;
        int arguments;
        void (*final)(sqlite3_context *);
    } functions[] = {
        {"median", 1, median_final},
        {"percentile", 2, percentile_final},
        {"stdev", 1, stdev_final},
        {"mad", 1, mad_final},
    };
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int code = SQLITE_OK;

    for (size_t i = 0; i < G_N_ELEMENTS(functions) && code == SQLITE_OK; i++)
        code = sqlite3_create_function_v2(handle, functions[i].name, functions[i].arguments, flags,
                                          NULL, NULL, step, functions[i].final, NULL);
    return code;
}
