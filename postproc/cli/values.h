/* values.h
 * Cells that several commands write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_VALUES_H
#define FIELDEDGE_VALUES_H

#include "fieldedge.h"
#include "output.h"

/* A length of time or a number that may not exist. */
static inline struct output_value value_or_none(gint64 number)
{
    return (struct output_value){.number = number, .is_null = number == FIELDEDGE_NONE};
}

/* [first, second] into an empty fragment. */
static inline void fragment_pair(output_fragment *fragment, const char *first, const char *second)
{
    output_fragment_reset(fragment);
    output_json_begin(fragment, '[');
    output_json_text(fragment, first);
    output_json_text(fragment, second);
    output_json_end(fragment);
}

/* ["…", …] of a NULL-terminated list. */
static inline void fragment_texts(output_fragment *fragment, const char *const *texts)
{
    output_fragment_reset(fragment);
    output_json_begin(fragment, '[');
    for (; *texts != NULL; texts++)
        output_json_text(fragment, *texts);
    output_json_end(fragment);
}

/* {"out_of_order": 3, …} */
static inline void fragment_verdicts(output_fragment *fragment, const FieldEdgeVerdict *verdicts,
                                     guint count)
{
    output_fragment_reset(fragment);
    output_json_begin(fragment, '{');
    for (guint i = 0; i < count; i++) {
        output_json_key(fragment, verdicts[i].verdict);
        output_json_number(fragment, verdicts[i].packets);
    }
    output_json_end(fragment);
}

/* "out_of_order 3, malformed 1", a string of the caller; NULL if there is none. */
static inline char *text_of_verdicts(const FieldEdgeVerdict *verdicts, guint count)
{
    GString *text = count > 0 ? g_string_new(NULL) : NULL;

    for (guint i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT, i > 0 ? ", " : "",
                               verdicts[i].verdict, verdicts[i].packets);
    return text != NULL ? g_string_free(text, FALSE) : NULL;
}

/* "64" or "64-70" bytes. */
static inline char *text_of_sizes(gint64 low, gint64 high)
{
    if (low == high)
        return g_strdup_printf("%" G_GINT64_FORMAT, low);
    return g_strdup_printf("%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, low, high);
}

#endif
