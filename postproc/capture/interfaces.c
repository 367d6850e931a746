/* interfaces.c
 * What can be captured from, as `dumpcap -D -M` lists it, a line each, separated by tabs:
 *
 *     NUMBER. NAME  vendor  friendly name  type  ADDRESS,ADDRESS  loopback|network  extcap
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "child.h"

#include <string.h>
#include <sys/wait.h>

struct _FieldEdgeInterfaces {
    GPtrArray *lines; /* GStrv: the fields */
    guint next;
    FieldEdgeInterface row;
    char *addresses, *words;
};

static void take_line(char *line, void *data)
{
    FieldEdgeInterfaces *interfaces = data;
    GStrv fields = g_strsplit(line, "\t", 8);
    char *name = strstr(fields[0], ". ");

    if (g_strv_length(fields) >= 6 && name != NULL)
        g_ptr_array_add(interfaces->lines, fields);
    else
        g_strfreev(fields);
}

static void take_error(char *line, void *data)
{
    FieldEdgeInterfaces *interfaces = data;

    if (interfaces->words == NULL)
        interfaces->words = g_strdup(line);
}

FieldEdgeInterfaces *fieldedge_interfaces_new(const char *dumpcap, GError **error)
{
    FieldEdgeInterfaces *interfaces = g_new0(FieldEdgeInterfaces, 1);
    const char *const arguments[] = {dumpcap != NULL ? dumpcap : "dumpcap", "-D", "-M", NULL};
    const struct child_options options = {.arguments = arguments,
                                          .input = -1,
                                          .output = -1,
                                          .take_output = take_line,
                                          .take_error = take_error,
                                          .data = interfaces};
    int status = 0;

    interfaces->lines = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    bool has_run = child_run(&options, NULL, &status, error);
    if (has_run && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return interfaces;
    g_autofree char *fate = has_run ? child_fate(status) : NULL;
    if (has_run)
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING,
                    "%s: the interfaces cannot be listed: %s", arguments[0],
                    interfaces->words != NULL ? interfaces->words : fate);
    fieldedge_interfaces_free(interfaces);
    return NULL;
}

static const char *or_null(const char *text)
{
    return *text == '\0' ? NULL : text;
}

const FieldEdgeInterface *fieldedge_interfaces_next(FieldEdgeInterfaces *interfaces)
{
    if (interfaces->next >= interfaces->lines->len)
        return NULL;

    GStrv fields = g_ptr_array_index(interfaces->lines, interfaces->next++);
    g_free(interfaces->addresses);
    interfaces->addresses = g_strdelimit(g_strdup(fields[4]), ",", ' ');
    interfaces->row = (FieldEdgeInterface){
        .number = g_ascii_strtoll(fields[0], NULL, 10),
        .name = strstr(fields[0], ". ") + 2,
        .description = or_null(*fields[2] != '\0' ? fields[2] : fields[1]),
        .addresses = or_null(interfaces->addresses),
        .is_loopback = strcmp(fields[5], "loopback") == 0,
    };
    return &interfaces->row;
}

void fieldedge_interfaces_free(FieldEdgeInterfaces *interfaces)
{
    if (interfaces == NULL)
        return;
    g_ptr_array_unref(interfaces->lines);
    g_free(interfaces->addresses);
    g_free(interfaces->words);
    g_free(interfaces);
}
