/* cmd_process.c
 * fieldedge process: records captures into a database, one after the other.
 *
 * A capture that fails does not keep the next from being recorded; the exit code is the worst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "progress.h"

#include <signal.h>

static const char summary[] =
    "Records every packet of the captures into a database, which is made if need be\n"
    "and otherwise gets the captures added. Runs tshark with the FieldEdge plugin.\n"
    "A CAPTURE is a file, a directory of them, a quoted pattern, or - for standard\n"
    "input. What is in the database already is known by its bytes and skipped.";

static const char examples[] =
    "Exit codes: 0 all recorded, now or before; 1 failure; 2 wrong usage; 3 a capture\n"
    "is cut short or damaged: recorded up to there; 4 interrupted: the same command\n"
    "again goes on.\n"
    "\n"
    "Examples:\n"
    "  fieldedge process site.pcapng -o site.db\n"
    "  fieldedge process monday.pcap tuesday.pcap.gz -o week.db\n"
    "  fieldedge process captures/ '/mnt/usb/day*.pcapng' -o month.db\n"
    "  fieldedge process site.pcapng -o modbus.db -Y 'tcp.port == 502'\n"
    "  fieldedge process site.pcapng -o site.db --local-networks 10.1.0.0/16\n"
    "  fieldedge process site.pcapng -o site.db --replace\n"
    "  fieldedge process captures/ -o month.db --background";

struct options {
    char *database;
    char *filter;
    char *networks;
    char *tshark;
    gboolean replaces, repairs, background;
    char **operands;
};

static FieldEdgeProcess *current; /* for the signal handler */

static void cancel(int number)
{
    (void)number;
    fieldedge_process_cancel(current);
}

/* tshark's and the plugin's lines say whose they are. */
static void pass_on(const char *line, gpointer user_data)
{
    progress_hide(user_data);
    cli_line(line);
}

static void show(const FieldEdgeProgress *news, gpointer user_data)
{
    fieldedge_job_ready();
    progress_show(user_data, news);
}

/* A capture that is cut short or damaged is mended in place first.  What cannot be mended is
 * recorded as far as it goes, as ever. */
static void mend(const char *capture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeMended) mended = fieldedge_repair_file(capture, NULL, FALSE, NULL, &error);

    if (mended == NULL) {
        cli_message(error->message);
        return;
    }
    const FieldEdgeMendReport *report = fieldedge_mended_get_report(mended);
    if (report->backup == NULL)
        return;
    g_autofree char *line =
        g_strdup_printf("%s: mended: %" G_GINT64_FORMAT " packets are whole; the original is %s",
                        capture, report->packets, report->backup);
    cli_message(line);
}

/* One capture; returns its exit code. */
static int record(FieldEdgeProcess *process, const char *capture, const struct options *options,
                  struct progress *progress)
{
    g_autoptr(GError) error = NULL;

    progress_next(progress, capture);
    fieldedge_job_set_result(options->database);
    if (options->repairs && g_file_test(capture, G_FILE_TEST_IS_REGULAR))
        mend(capture);
    bool ok = fieldedge_process_run(process, capture, options->database, NULL, &error);
    progress_hide(progress);
    if (ok)
        return CLI_OK;
    cli_message(error->message);
    if (g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_EXISTS)) {
        progress_skip(progress);
        return CLI_OK;
    }
    if (g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_CUT_SHORT))
        return CLI_CUT_SHORT;
    return g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED) ? CLI_INTERRUPTED
                                                                                : CLI_FAILURE;
}

/* 0 < cut short < failure < interrupted */
static int worse(int a, int b)
{
    static const int rank[] = {
        [CLI_OK] = 0, [CLI_CUT_SHORT] = 1, [CLI_FAILURE] = 2, [CLI_INTERRUPTED] = 3};

    return rank[a] >= rank[b] ? a : b;
}

static int record_files(FieldEdgeProcess *process, const char *const *files,
                        const struct options *options)
{
    struct progress progress;
    int status = CLI_OK;

    progress_begin(&progress, files);
    fieldedge_process_set_message_func(process, pass_on, &progress);
    fieldedge_process_set_progress_func(process, show, &progress);
    for (; *files != NULL && status != CLI_INTERRUPTED; files++)
        status = worse(status, record(process, *files, options, &progress));
    if (status == CLI_INTERRUPTED)
        cli_message("interrupted; the same command again goes on: what is recorded is skipped, "
                    "what was interrupted is recorded anew");
    return status;
}

/* The files of all operands; one that stands for none is an error, and the others count. */
static GPtrArray *list_files(char **operands, int *status)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);

    for (; *operands != NULL; operands++) {
        g_autoptr(GError) error = NULL;
        g_autofree char **found = fieldedge_capture_files(*operands, &error);
        if (found == NULL) {
            cli_message(error->message);
            *status = CLI_FAILURE;
            continue;
        }
        for (char **file = found; *file != NULL; file++)
            g_ptr_array_add(files, *file);
    }
    g_ptr_array_add(files, NULL);
    return files;
}

static int record_all(const struct options *options)
{
    g_autoptr(FieldEdgeProcess) process = fieldedge_process_new();
    struct sigaction on_signal = {.sa_handler = cancel};
    int status = CLI_OK;
    g_autoptr(GPtrArray) files = list_files(options->operands, &status);

    fieldedge_process_set_filter(process, options->filter);
    fieldedge_process_set_local_networks(process, options->networks);
    fieldedge_process_set_tshark(process, options->tshark);
    fieldedge_process_set_replace(process, options->replaces);
    current = process;
    sigaction(SIGINT, &on_signal, NULL);
    sigaction(SIGTERM, &on_signal, NULL);
    return worse(status, record_files(process, (const char *const *)files->pdata, options));
}

int cmd_process(int argc, char **argv)
{
    struct options options = {0};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.database, "The database to record into",
         "DATABASE"},
        {"filter", 'Y', 0, G_OPTION_ARG_FILENAME, &options.filter,
         "Only packets that pass this display filter", "FILTER"},
        {"local-networks", 0, 0, G_OPTION_ARG_FILENAME, &options.networks,
         "The site's own networks: 10.1.0.0/16,…", "LIST"},
        {"tshark", 0, 0, G_OPTION_ARG_FILENAME, &options.tshark,
         "Run this instead of tshark from the PATH", "PATH"},
        {"replace", 0, 0, G_OPTION_ARG_NONE, &options.replaces,
         "Record again what is there already, in its place", NULL},
        {"repair", 0, 0, G_OPTION_ARG_NONE, &options.repairs,
         "Mend a capture that is cut short or damaged first", NULL},
        {"background", 0, 0, G_OPTION_ARG_NONE, &options.background,
         "Go on as a job; print its number", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.operands, NULL, NULL},
        {0},
    };
    g_auto(GStrv) words = g_strdupv(argv);
    int status;

    if (!cli_parse(&argc, &argv, "CAPTURE… -o DATABASE", summary, examples, entries, &status))
        goto done;
    if (options.operands == NULL)
        status = cli_usage("process", "name a capture");
    else if (options.database == NULL)
        status = cli_usage("process", "name the database with -o");
    else if (options.background)
        status = cli_background(words);
    else
        status = record_all(&options);
done:
    g_free(options.database);
    g_free(options.filter);
    g_free(options.networks);
    g_free(options.tshark);
    g_strfreev(options.operands);
    return status;
}
