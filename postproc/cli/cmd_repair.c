/* cmd_repair.c
 * fieldedge repair and fieldedge deduplicate: a better file from a capture, and what became of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

static const char repair_summary[] =
    "Keeps every packet before the damage of captures that are cut short or\n"
    "corrupt: in place, with the original beside it as FILE.damaged, or in a new\n"
    "file. A whole capture stays as it is. What cannot be mended is refused and not\n"
    "touched.";

static const char repair_examples[] =
    "Exit codes: 0 mended, or whole anyway; 1 failure, nothing has changed; 2 wrong\n"
    "usage; 4 cannot be mended. Of several files the worst, in the order 1 4 0.\n"
    "\n"
    "Examples:\n"
    "  fieldedge repair site.pcapng\n"
    "  fieldedge repair site.pcapng -o mended.pcapng\n"
    "  fieldedge repair *.pcap --format json";

static const char deduplicate_summary[] =
    "Writes a capture without the packets that are the same, byte for byte, as one\n"
    "shortly before: as a mirror port makes them that sends each packet twice.";

static const char deduplicate_examples[] =
    "Beware: repeated ARP requests, spanning tree and the like are the same bytes\n"
    "too; --time with a small value spares them.\n"
    "\n"
    "Exit codes: 0 written; 1 failure, nothing is written; 2 wrong usage; 4 the\n"
    "capture is damaged (see fieldedge repair), empty or not a capture.\n"
    "\n"
    "Examples:\n"
    "  fieldedge deduplicate mirror.pcapng -o single.pcapng\n"
    "  fieldedge deduplicate mirror.pcapng -o single.pcapng --window 20\n"
    "  fieldedge deduplicate mirror.pcapng -o single.pcapng --time 0.001";

enum { CANNOT_BE_MENDED = 4 };

struct options {
    char *format, *output, *time;
    gint64 window;
    gboolean may_replace;
    char **files;
};

static void options_clear(struct options *options)
{
    g_free(options->format);
    g_free(options->output);
    g_free(options->time);
    g_strfreev(options->files);
}

static int tell(const GError *error)
{
    cli_message(error->message);
    return g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_CAPTURE) ? CANNOT_BE_MENDED
                                                                               : CLI_FAILURE;
}

static void set_number(struct output_value *value, gint64 number)
{
    value->number = number;
    value->is_null = number == FIELDEDGE_NONE;
}

/* ---- repair ---- */

enum { RESULT, WAS, PACKETS, BYTES, UNTIL, LOST, ORIGINAL, SOURCE, REPAIR_COLUMNS };

static const struct output_column repair_columns[REPAIR_COLUMNS] = {
    [RESULT] = {"output", "File", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    [WAS] = {"was", "Was", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    [PACKETS] = {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    [BYTES] = {"frame_bytes", "Frame bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    [UNTIL] = {"until", "Until", OUTPUT_TIME, OUTPUT_FOR_ALL},
    [LOST] = {"lost_bytes", "Lost", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    [ORIGINAL] = {"original", "Original", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    [SOURCE] = {"file", "Repaired", OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
};

static void write_repaired(struct output *output, const FieldEdgeMendReport *report)
{
    g_autofree char *source = g_filename_display_name(report->path);
    g_autofree char *result = g_filename_display_name(report->output);
    g_autofree char *original =
        g_filename_display_name(report->backup != NULL ? report->backup : report->path);
    struct output_value values[REPAIR_COLUMNS] = {
        [SOURCE] = {.text = source},
        [RESULT] = {.text = result},
        [ORIGINAL] = {.text = original},
        [WAS] = {.text = fieldedge_file_state_name(report->state)},
        [PACKETS] = {.number = report->packets},
        [UNTIL] = {.number = report->ended_ns, .is_null = !report->has_times},
    };

    set_number(&values[BYTES], report->frame_bytes);
    set_number(&values[LOST], report->lost_bytes);
    output_row(output, values);
}

static int repair_all(const struct options *options)
{
    struct output *output;
    int status = CLI_OK;

    if (!cli_open_output("repair", options->format, NULL, &output, &status))
        return status;
    output_table_begin(output, "files", "Files", repair_columns, REPAIR_COLUMNS);
    for (char **file = options->files; *file != NULL; file++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FieldEdgeMended) mended = fieldedge_repair_file(
            *file, options->output, options->may_replace, cli_cancellable(), &error);
        if (mended != NULL)
            write_repaired(output, fieldedge_mended_get_report(mended));
        else if (status != CLI_FAILURE)
            status = tell(error);
        else
            tell(error);
        if (fieldedge_cancellable_is_cancelled(cli_cancellable()))
            break;
    }
    output_table_end(output);
    return cli_close_output(output, status);
}

int cmd_repair(int argc, char **argv)
{
    struct options options = {0};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
         "Write to FILE; the original stays as it is", "FILE"},
        {"force", 0, 0, G_OPTION_ARG_NONE, &options.may_replace,
         "Replace FILE of --output if it is there", NULL},
        {"format", 'f', 0, G_OPTION_ARG_STRING, &options.format,
         "Of the report: table (the default), json, jsonl or csv", "FORMAT"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.files, NULL, NULL},
        {0},
    };
    int status;

    if (!cli_parse(&argc, &argv, "FILE… [-o FILE]", repair_summary, repair_examples, entries,
                   &status))
        goto done;
    if (options.files == NULL)
        status = cli_usage("repair", "name a capture");
    else if (options.output != NULL && options.files[1] != NULL)
        status = cli_usage("repair", "one capture at a time with --output, not also '%s'",
                           options.files[1]);
    else
        status = repair_all(&options);
done:
    options_clear(&options);
    return status;
}

/* ---- deduplicate ---- */

enum { KEPT_FILE, KEPT, KEPT_BYTES, REMOVED, REMOVED_BYTES, REMOVED_FROM, DEDUPLICATE_COLUMNS };

static const struct output_column deduplicate_columns[DEDUPLICATE_COLUMNS] = {
    [KEPT_FILE] = {"output", "File", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    [KEPT] = {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    [KEPT_BYTES] = {"frame_bytes", "Frame bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    [REMOVED] = {"removed_packets", "Removed", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    [REMOVED_BYTES] = {"removed_bytes", "Removed bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    [REMOVED_FROM] = {"file", "From", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
};

static int deduplicate(const struct options *options, gint64 time_ns)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeMended) mended =
        fieldedge_deduplicate_file(options->files[0], options->output, options->window, time_ns,
                                   options->may_replace, cli_cancellable(), &error);
    struct output *output;
    int status;

    if (mended == NULL)
        return tell(error);
    if (!cli_open_output("deduplicate", options->format, NULL, &output, &status))
        return status;

    const FieldEdgeMendReport *report = fieldedge_mended_get_report(mended);
    g_autofree char *source = g_filename_display_name(report->path);
    g_autofree char *result = g_filename_display_name(report->output);
    struct output_value values[DEDUPLICATE_COLUMNS] = {
        [KEPT_FILE] = {.text = result},
        [KEPT] = {.number = report->packets},
        [REMOVED] = {.number = report->removed_packets},
        [REMOVED_BYTES] = {.number = report->removed_bytes},
        [REMOVED_FROM] = {.text = source},
    };
    set_number(&values[KEPT_BYTES], report->frame_bytes);
    output_table_begin(output, "files", "Files", deduplicate_columns, DEDUPLICATE_COLUMNS);
    output_row(output, values);
    output_table_end(output);
    return cli_close_output(output, CLI_OK);
}

static int run_deduplicate(const struct options *options)
{
    gint64 time_ns = 0;

    if (options->files == NULL)
        return cli_usage("deduplicate", "name a capture");
    if (options->files[1] != NULL)
        return cli_usage("deduplicate", "one capture at a time, not also '%s'", options->files[1]);
    if (options->output == NULL)
        return cli_usage("deduplicate", "name the new file with -o");
    if (options->window < 1 || options->window > 1000000)
        return cli_usage("deduplicate", "--window takes 1 to 1000000 packets");
    if (options->time != NULL && (!cli_parse_ns(options->time, &time_ns) || time_ns == 0))
        return cli_usage("deduplicate", "--time takes seconds above 0, not '%s'", options->time);
    return deduplicate(options, time_ns);
}

int cmd_deduplicate(int argc, char **argv)
{
    struct options options = {.window = 5};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "The file to write", "FILE"},
        {"window", 0, 0, G_OPTION_ARG_INT64, &options.window,
         "A duplicate is among so many packets (default: 5)", "N"},
        {"time", 0, 0, G_OPTION_ARG_STRING, &options.time,
         "Or: at most so many seconds after the first", "SECONDS"},
        {"force", 0, 0, G_OPTION_ARG_NONE, &options.may_replace, "Replace FILE if it is there",
         NULL},
        {"format", 'f', 0, G_OPTION_ARG_STRING, &options.format,
         "Of the report: table (the default), json, jsonl or csv", "FORMAT"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.files, NULL, NULL},
        {0},
    };
    int status;

    if (cli_parse(&argc, &argv, "FILE -o FILE", deduplicate_summary, deduplicate_examples, entries,
                  &status))
        status = run_deduplicate(&options);
    options_clear(&options);
    return status;
}
