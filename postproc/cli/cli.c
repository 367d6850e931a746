/* cli.c
 * Options, messages, and the frame of every command that reads a database.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void cli_line(const char *text)
{
    g_autoptr(GString) line = g_string_new(NULL);

    for (const char *at = text; *at != '\0'; at++) {
        if (((guchar)*at < ' ' && *at != '\t') || *at == 0x7f)
            g_string_append_printf(line, "\\x%02X", (guchar)*at);
        else
            g_string_append_c(line, *at);
    }
    g_string_append_c(line, '\n');
    fputs(line->str, stderr);
}

void cli_message(const char *message)
{
    g_autofree char *line = g_strconcat("fieldedge: ", message, NULL);

    cli_line(line);
}

int cli_usage(const char *command, const char *format, ...)
{
    g_autofree char *text = NULL, *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    message = g_strdup_printf("%s; see fieldedge %s%s--help", text, command == NULL ? "" : command,
                              command == NULL ? "" : " ");
    cli_message(message);
    return CLI_USAGE;
}

int cli_usage_name(const char *command, const char *what, const char *value,
                   const char *const *names)
{
    g_autofree char *near = fieldedge_near_names(value, names, 3);
    g_autoptr(GString) all = g_string_new(NULL);

    if (near != NULL)
        return cli_usage(command, "there is no %s '%s': did you mean %s?", what, value, near);
    for (guint i = 0; names[i] != NULL; i++)
        g_string_append_printf(all, "%s%s",
                               i == 0                 ? ""
                               : names[i + 1] == NULL ? " or "
                                                      : ", ",
                               names[i]);
    return cli_usage(command, "there is no %s '%s': choose %s", what, value, all->str);
}

bool cli_parse(int *argc, char ***argv, const char *operands, const char *summary,
               const char *examples, const GOptionEntry *entries, int *status)
{
    g_autofree char *command = g_strdup((*argv)[0]);
    g_autofree char *usage = g_strconcat(command, " [OPTION…] ", operands, NULL);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    gboolean help = FALSE;
    const GOptionEntry own[] = {{"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL},
                                {0}};

    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_summary(context, summary);
    g_option_context_set_description(context, examples);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, own, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        *status = cli_usage(command, "%s", error->message);
        return false;
    }
    if (help) {
        g_autofree char *text = NULL;
        const char *first;

        g_set_prgname("fieldedge");
        text = g_option_context_get_help(context, TRUE, NULL);
        first = strstr(text, " [OPTION");
        /* GOption knows the program, not the subcommand. */
        printf("Usage:\n  fieldedge %s%s", usage, strchr(first == NULL ? text : first, '\n'));
        *status = fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
        return false;
    }
    return true;
}

/* ---- Reading ---- */

typedef struct {
    char *format;
    char *output;
    char *sort;
    char *top;
    char *colour;
    char *zone;
    char **where;
    gint64 capture;
    gboolean all, local;
    char **operands;
} reader_options;

static void reader_options_clear(reader_options *options)
{
    g_free(options->format);
    g_free(options->output);
    g_free(options->sort);
    g_free(options->top);
    g_free(options->colour);
    g_free(options->zone);
    g_strfreev(options->where);
    g_strfreev(options->operands);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(reader_options, reader_options_clear)

/* Those of the command, of the output, and unless it chooses its rows itself of the selection. */
static GOptionEntry *make_entries(reader_options *common, const GOptionEntry *more,
                                  bool has_selection)
{
    const GOptionEntry of_output[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &common->format,
         "table (the default), json, jsonl or csv", "FORMAT"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &common->output,
         "Write to FILE instead of standard output", "FILE"},
        {"color", 0, 0, G_OPTION_ARG_STRING, &common->colour,
         "Colours: auto (the default), always, never", "WHEN"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &common->operands, NULL, NULL},
    };
    const GOptionEntry of_selection[] = {
        {"sort", 0, 0, G_OPTION_ARG_STRING, &common->sort,
         "Order the rows by this column of JSON or CSV", "COLUMN[:asc|:desc]"},
        {"top", 0, 0, G_OPTION_ARG_STRING, &common->top, "Only the first N rows", "N"},
        {"capture", 'c', 0, G_OPTION_ARG_INT64, &common->capture, "Only the capture of this number",
         "N"},
        {"all", 'a', 0, G_OPTION_ARG_NONE, &common->all,
         "WAN and local traffic, instead of WAN alone", NULL},
        {"local", 'l', 0, G_OPTION_ARG_NONE, &common->local, "Local traffic alone", NULL},
        {"where", 'w', 0, G_OPTION_ARG_STRING_ARRAY, &common->where,
         "Only this traffic, see fieldedge(1)", "FILTER"},
        {"zone", 'z', 0, G_OPTION_ARG_STRING, &common->zone,
         "Time zone for people, and of bins (UTC)", "ZONE"},
    };
    GArray *all = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    for (; more != NULL && more->long_name != NULL; more++)
        g_array_append_val(all, *more);
    g_array_append_vals(all, of_output, G_N_ELEMENTS(of_output));
    if (has_selection)
        g_array_append_vals(all, of_selection, G_N_ELEMENTS(of_selection));
    return (GOptionEntry *)(void *)g_array_free(all, FALSE);
}

static int check_output_options(const char *command, const reader_options *common,
                                struct reader *reader)
{
    static const char *const formats[] = {"table", "json", "jsonl", "csv", NULL};

    if (common->format != NULL && !output_parse_format(common->format, &reader->format))
        return cli_usage_name(command, "format", common->format, formats);
    reader->has_format = common->format != NULL;
    if (common->colour != NULL && !output_parse_colour(common->colour, &reader->colour))
        return cli_usage(command, "there is no --color=%s: choose auto, always or never",
                         common->colour);
    if (common->top != NULL &&
        !g_ascii_string_to_unsigned(common->top, 10, 1, G_MAXINT64, &reader->top, NULL))
        return cli_usage(command, "--top takes a whole number from 1, not '%s'", common->top);
    return CLI_OK;
}

static int check_options(const char *command, const reader_options *common)
{
    guint operands = common->operands == NULL ? 0 : g_strv_length(common->operands);

    if (common->all && common->local)
        return cli_usage(command, "--all and --local exclude each other");
    if (common->capture < 0)
        return cli_usage(command, "captures are numbered from 1");
    if (operands == 0)
        return cli_usage(command, "name a database");
    if (operands > 1)
        return cli_usage(command, "one database at a time, not also '%s'", common->operands[1]);
    return CLI_OK;
}

/* Zone first: filters have times. */
static int make_selection(const reader_options *common, struct reader *reader)
{
    g_autoptr(GError) error = NULL;

    reader->scope = common->all     ? FIELDEDGE_SCOPE_ALL
                    : common->local ? FIELDEDGE_SCOPE_LOCAL
                                    : FIELDEDGE_SCOPE_WAN;
    reader->selection = fieldedge_selection_new();
    fieldedge_selection_set_scope(reader->selection, reader->scope);
    fieldedge_selection_set_capture(reader->selection, common->capture);
    if (common->zone != NULL &&
        !fieldedge_selection_set_time_zone(reader->selection, common->zone, &error))
        return cli_usage(reader->command, "--zone: %s", error->message);
    for (char **where = common->where; where != NULL && *where != NULL; where++) {
        if (!fieldedge_selection_add_filter(reader->selection, *where, &error))
            return cli_usage(reader->command, "%s", error->message);
    }
    return CLI_OK;
}

bool reader_parse(struct reader *reader, int argc, char **argv, const char *summary,
                  const char *examples, const GOptionEntry *more, int *status)
{
    g_auto(reader_options) common = {0};
    g_autofree GOptionEntry *entries = make_entries(&common, more, true);
    const char *command = argv[0];

    *reader = (struct reader){.format = OUTPUT_TABLE};
    if (!cli_parse(&argc, &argv, "DATABASE", summary, examples, entries, status))
        return false;
    *status = check_output_options(command, &common, reader);
    if (*status == CLI_OK)
        *status = check_options(command, &common);
    if (*status != CLI_OK)
        return false;
    reader->command = command;
    reader->sort = g_steal_pointer(&common.sort);
    reader->path = g_strdup(common.operands[0]);
    reader->output_path = g_steal_pointer(&common.output);
    reader->zone = g_strdup(common.zone);
    *status = make_selection(&common, reader);
    if (*status == CLI_OK)
        return true;
    reader_end(reader, NULL);
    return false;
}

bool reader_parse_tolerance(struct reader *reader, const char *text, FieldEdgeTolerance *tolerance,
                            int *status)
{
    g_autoptr(GError) error = NULL;

    if (text == NULL || fieldedge_parse_tolerance(text, tolerance, &error))
        return true;
    *status = cli_usage(reader->command, "--size-tolerance: %s", error->message);
    reader_end(reader, NULL);
    return false;
}

bool reader_parse_output(struct reader *reader, int argc, char **argv, const char *operands,
                         const char *summary, const char *examples, const GOptionEntry *more,
                         char ***rest, int *status)
{
    g_auto(reader_options) common = {0};
    g_autofree GOptionEntry *entries = make_entries(&common, more, false);
    const char *command = argv[0];

    *reader = (struct reader){.format = OUTPUT_TABLE};
    if (!cli_parse(&argc, &argv, operands, summary, examples, entries, status))
        return false;
    *status = check_output_options(command, &common, reader);
    if (*status != CLI_OK)
        return false;
    reader->command = command;
    reader->output_path = g_steal_pointer(&common.output);
    *rest = common.operands == NULL ? g_new0(char *, 1) : g_steal_pointer(&common.operands);
    return true;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat left, right;

    return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

static bool open_both(struct reader *reader, GError **error)
{
    if (reader->path != NULL && reader->database == NULL) {
        reader->database = fieldedge_database_open(reader->path, error);
        if (reader->database == NULL)
            return false;
    }
    if (reader->path != NULL && reader->output_path != NULL &&
        is_same_file(reader->path, reader->output_path)) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: the output would replace the database; choose another file for --output",
                    reader->output_path);
        return false;
    }
    reader->output = output_open(reader->format, reader->output_path, error);
    return reader->output != NULL;
}

static bool open_ordered(struct reader *reader, const struct output_order *order, int *status)
{
    GError *error = NULL;

    if (open_both(reader, &error)) {
        output_set_colour(reader->output, reader->colour);
        output_set_zone(reader->output, reader->zone);
        output_set_order(reader->output, order);
        return true;
    }
    *status = reader_end(reader, error);
    return false;
}

/* The columns there are, those that may have been meant first. */
static char *list_columns(const char *sort, const struct output_column *columns, size_t count)
{
    g_autofree char *name = g_strndup(sort, strcspn(sort, ":"));
    g_auto(GStrv) keys = output_sort_keys(columns, count);
    g_autofree char *near = fieldedge_near_names(name, (const char *const *)keys, (guint)count);
    g_auto(GStrv) meant = g_strsplit(near != NULL ? near : "", ", ", -1);
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    for (char **key = meant; *key != NULL; key++)
        g_ptr_array_add(list, *key);
    for (char **key = keys; *key != NULL; key++) {
        if (!g_strv_contains((const char *const *)meant, *key))
            g_ptr_array_add(list, *key);
    }
    g_ptr_array_add(list, NULL);
    return g_strjoinv(", ", (char **)list->pdata);
}

static int refuse_sort(const struct reader *reader, const GError *error,
                       const struct output_column *columns, size_t count)
{
    g_autofree char *list = list_columns(reader->sort, columns, count);

    if (error->code != G_OPTION_ERROR_UNKNOWN_OPTION)
        return cli_usage(reader->command, "%s", error->message);
    return cli_usage(reader->command, "%s: choose %s", error->message, list);
}

static bool is_drawing(struct reader *reader, int *status)
{
    if (reader->format != OUTPUT_SVG)
        return false;
    *status = cli_usage(reader->command, "this is no picture: choose the format table, json, jsonl "
                                         "or csv; fieldedge plot makes pictures");
    reader_end(reader, NULL);
    return true;
}

bool reader_open_rows(struct reader *reader, const char *table, const struct output_column *columns,
                      size_t count, int *status)
{
    struct output_order order = {.table = table, .top = reader->top};
    g_autoptr(GError) error = NULL;

    if (is_drawing(reader, status))
        return false;
    if (reader->sort == NULL || output_parse_sort(reader->sort, columns, count, &order, &error))
        return open_ordered(reader, &order, status);
    *status = refuse_sort(reader, error, columns, count);
    reader_end(reader, NULL);
    return false;
}

bool reader_open(struct reader *reader, int *status)
{
    return !is_drawing(reader, status) && reader_open_drawing(reader, status);
}

bool reader_open_drawing(struct reader *reader, int *status)
{
    if (reader->sort == NULL && reader->top == 0)
        return open_ordered(reader, &(struct output_order){0}, status);
    *status = cli_usage(reader->command, "%s does not apply here: there are no rows to choose from",
                        reader->sort != NULL ? "--sort" : "--top");
    reader_end(reader, NULL);
    return false;
}

int reader_end(struct reader *reader, GError *problem)
{
    g_autoptr(GError) error = problem;

    if (reader->output != NULL && error != NULL)
        output_abandon(reader->output);
    else if (reader->output != NULL)
        output_close(reader->output, &error);
    fieldedge_selection_free(reader->selection);
    fieldedge_database_close(reader->database);
    g_free(reader->sort);
    g_free(reader->path);
    g_free(reader->output_path);
    g_free(reader->zone);
    /* Who reads through `head` knows that the rest is missing. */
    if (error != NULL && !g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PIPE))
        cli_message(error->message);
    return error == NULL ? CLI_OK : CLI_FAILURE;
}
