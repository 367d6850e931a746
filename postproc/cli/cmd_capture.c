/* cmd_capture.c
 * fieldedge capture: captures from an interface, and prints the path of the file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <stdio.h>

static const char summary[] =
    "Captures from an interface into a file, with dumpcap. The file's path is\n"
    "printed on standard output when it is finished; Ctrl-C finishes it early. By\n"
    "default it is ~/capture_YYYYmmdd/capture_YYYYmmddTHHMMSS_D_i.pcap: the\n"
    "beginning in UTC, D seconds, interface i.";

static const char examples[] =
    "Options after -- go to dumpcap.\n"
    "\n"
    "Exit codes: 0 captured, also if ended by Ctrl-C, SIGTERM or fieldedge jobs\n"
    "stop; 1 failure, nothing is captured; 2 wrong usage; 3 it ended early by\n"
    "itself (disk full, interface gone, dumpcap killed): the path is printed, the\n"
    "file has what came until then.\n"
    "\n"
    "Examples:\n"
    "  fieldedge capture --list\n"
    "  fieldedge capture -i eth1 -d 600\n"
    "  fieldedge capture -i eth1 -d 10m -f 'not port 22' -o /var/captures\n"
    "  fieldedge capture -i eth1 -d 1h --name site.pcapng --snaplen 128 -- -B 16\n"
    "  fieldedge capture -i eth1 -d 1d --background";

struct options {
    char *interface, *duration, *filter, *directory, *name, *dumpcap, *format;
    gboolean no_subdirectory, background, list;
    gint64 snap_length;
    char **rest;
};

static void options_clear(struct options *options)
{
    g_free(options->interface);
    g_free(options->duration);
    g_free(options->filter);
    g_free(options->directory);
    g_free(options->name);
    g_free(options->dumpcap);
    g_free(options->format);
    g_strfreev(options->rest);
}

/* ---- --list ---- */

enum { LIST_NUMBER, LIST_NAME, LIST_DESCRIPTION, LIST_ADDRESSES, LIST_LOOPBACK, LIST_COLUMNS };

static const struct output_column list_columns[LIST_COLUMNS] = {
    [LIST_NUMBER] = {"number", "No.", OUTPUT_COUNT, OUTPUT_FOR_ALL, OUTPUT_WHOLE},
    [LIST_NAME] = {"name", "Interface", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WHOLE},
    [LIST_DESCRIPTION] = {"description", "Description", OUTPUT_TEXT, OUTPUT_FOR_ALL,
                          OUTPUT_WRAP_ANYWHERE},
    [LIST_ADDRESSES] = {"addresses", "Addresses", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_WORDS},
    [LIST_LOOPBACK] = {"is_loopback", "Loopback", OUTPUT_FLAG, OUTPUT_FOR_PROGRAMS, OUTPUT_WHOLE},
};

static int list_interfaces(const struct options *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeInterfaces) interfaces = NULL;
    const FieldEdgeInterface *row;
    struct output *output;
    int status;

    interfaces = fieldedge_interfaces_new(options->dumpcap, &error);
    if (interfaces == NULL) {
        cli_message(error->message);
        return CLI_FAILURE;
    }
    if (!cli_open_output("capture", options->format, NULL, &output, &status))
        return status;
    output_table_begin(output, "interfaces", "Interfaces", list_columns, LIST_COLUMNS);
    while ((row = fieldedge_interfaces_next(interfaces)) != NULL) {
        struct output_value values[LIST_COLUMNS] = {
            [LIST_NUMBER] = {.number = row->number},
            [LIST_NAME] = {.text = row->name},
            [LIST_DESCRIPTION] = {.text = row->description},
            [LIST_ADDRESSES] = {.text = row->addresses},
            [LIST_LOOPBACK] = {.number = row->is_loopback},
        };
        output_row(output, values);
    }
    output_table_end(output);
    return cli_close_output(output, CLI_OK);
}

/* ---- Capturing ---- */

static void show_progress(const FieldEdgeCaptureState *state, gpointer user_data)
{
    const struct options *options = user_data;
    gint64 left = (state->left_ns + 999999999) / 1000000000;
    g_autofree char *bytes =
        g_format_size_full((guint64)state->file_bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *time = left >= 3600
                                ? g_strdup_printf("%" G_GINT64_FORMAT ":%02d:%02d", left / 3600,
                                                  (int)(left / 60 % 60), (int)(left % 60))
                                : g_strdup_printf("%d:%02d", (int)(left / 60), (int)(left % 60));
    g_autofree char *line = g_strdup_printf("%s: %s left, %" G_GINT64_FORMAT
                                            " packets, %s, %" G_GINT64_FORMAT " dropped",
                                            options->interface, time, state->packets, bytes,
                                            state->interface_dropped + MAX(state->dropped, 0));

    fieldedge_job_set_result(state->path);
    fieldedge_job_ready();
    cli_progress(line);
}

/* What was lost is never hidden. */
static void tell_drops(const struct options *options, const FieldEdgeCaptureState *state)
{
    g_autofree char *line = NULL;

    if (state->dropped <= 0 && state->interface_dropped <= 0)
        return;
    line =
        g_strdup_printf("%s: %" G_GINT64_FORMAT " packets were dropped by the kernel or dumpcap, "
                        "%" G_GINT64_FORMAT " by the interface: a larger buffer may help "
                        "(-- -B 64)",
                        options->interface, MAX(state->dropped, 0), state->interface_dropped);
    cli_message(line);
}

static int finish(const struct options *options, const FieldEdgeCaptureState *state,
                  const GError *error)
{
    int status = CLI_OK;

    cli_progress_end();
    if (error != NULL) {
        cli_message(error->message);
        status = state->path != NULL ? CLI_CUT_SHORT : CLI_FAILURE;
    }
    if (state->path == NULL)
        return status;
    tell_drops(options, state);
    fieldedge_job_set_result(state->path);
    printf("%s\n", state->path);
    return cli_flush(status);
}

static int capture(struct options *options, gint64 seconds)
{
    g_autoptr(FieldEdgeCaptureRun) run = fieldedge_capture_run_new(options->interface);
    g_autoptr(GError) error = NULL;
    FieldEdgeCaptureState state;

    fieldedge_capture_run_set_duration(run, seconds);
    fieldedge_capture_run_set_directory(run, options->directory, !options->no_subdirectory);
    fieldedge_capture_run_set_name(run, options->name);
    fieldedge_capture_run_set_filter(run, options->filter);
    fieldedge_capture_run_set_snap_length(run, options->snap_length);
    fieldedge_capture_run_set_options(run, (const char *const *)options->rest);
    fieldedge_capture_run_set_dumpcap(run, options->dumpcap);
    fieldedge_capture_run_set_progress_func(run, show_progress, options);
    fieldedge_capture_run_execute(run, cli_cancellable(), &state, &error);
    return finish(options, &state, error);
}

static int run(struct options *options, char **argv)
{
    gint64 seconds = 60;

    if (options->list)
        return list_interfaces(options);
    if (options->interface == NULL)
        return cli_usage("capture", "name the interface with -i (fieldedge capture --list)");
    if (options->format != NULL)
        return cli_usage("capture", "--format goes with --list");
    if (options->duration != NULL && !cli_parse_seconds(options->duration, &seconds))
        return cli_usage("capture", "'%s' is no duration: write 600, 10m, 2h or 1d",
                         options->duration);
    if (seconds < 1)
        return cli_usage("capture", "a duration of %s cannot be: it is at least 1 second",
                         options->duration);
    if (options->rest != NULL && *options->rest != NULL && **options->rest != '-')
        return cli_usage("capture", "what is '%s'? Only dumpcap's options can follow, after --",
                         *options->rest);
    if (options->background)
        return cli_background(argv);
    return capture(options, seconds);
}

int cmd_capture(int argc, char **argv)
{
    struct options options = {0};
    g_auto(GStrv) words = g_strdupv(argv);
    const GOptionEntry entries[] = {
        {"interface", 'i', 0, G_OPTION_ARG_FILENAME, &options.interface,
         "The interface to capture from", "INTERFACE"},
        {"duration", 'd', 0, G_OPTION_ARG_STRING, &options.duration,
         "For how long: 600, 10m, 2h, 1d (default: 60 s)", "TIME"},
        {"filter", 'f', 0, G_OPTION_ARG_FILENAME, &options.filter,
         "Only packets that pass this capture filter (BPF)", "FILTER"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.directory,
         "The directory to write to, instead of home", "DIR"},
        {"name", 0, 0, G_OPTION_ARG_FILENAME, &options.name,
         "Name of the file; pcapng if it ends in .pcapng", "FILE"},
        {"no-subdirectory", 0, 0, G_OPTION_ARG_NONE, &options.no_subdirectory,
         "Not into a directory capture_YYYYmmdd", NULL},
        {"snaplen", 's', 0, G_OPTION_ARG_INT64, &options.snap_length,
         "Keep this many bytes of each packet", "BYTES"},
        {"background", 0, 0, G_OPTION_ARG_NONE, &options.background,
         "Go on as a job; print its number", NULL},
        {"list", 0, 0, G_OPTION_ARG_NONE, &options.list, "List the interfaces", NULL},
        {"format", 0, 0, G_OPTION_ARG_STRING, &options.format,
         "Of --list: table, json, jsonl or csv", "FORMAT"},
        {"dumpcap", 0, 0, G_OPTION_ARG_FILENAME, &options.dumpcap,
         "Run this instead of dumpcap from the PATH", "PATH"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.rest, NULL, NULL},
        {0},
    };
    int status;

    if (cli_parse(&argc, &argv, "-i INTERFACE [-- OPTION…]", summary, examples, entries, &status))
        status = run(&options, words);
    options_clear(&options);
    return status;
}
