/* cmd_process.c
 * fieldedge process: records captures into a database, one after the other.
 *
 * A capture that fails does not keep the next from being recorded; the exit code is the worst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <signal.h>

static const char summary[] =
    "Records every packet of the captures into a database, which is made if need be\n"
    "and otherwise gets the captures added. Runs tshark with the FieldEdge plugin.";

static const char examples[] =
    "Exit codes: 0 all recorded, 1 failure, 2 wrong usage, 3 a capture is cut short\n"
    "or damaged: recorded up to there.\n"
    "\n"
    "Examples:\n"
    "  fieldedge process site.pcapng -o site.db\n"
    "  fieldedge process monday.pcap tuesday.pcap.gz -o week.db\n"
    "  fieldedge process site.pcapng -o modbus.db -Y 'tcp.port == 502'\n"
    "  fieldedge process site.pcapng -o site.db --local-networks 10.1.0.0/16";

struct options {
    char *database;
    char *filter;
    char *networks;
    char *tshark;
    char **captures;
};

/* tshark's and the plugin's lines say whose they are. */
static void pass_on(const char *line, gpointer user_data)
{
    (void)user_data;
    cli_line(line);
}

/* One capture; returns its exit code. */
static int record(FieldEdgeProcess *process, const char *capture, const char *database,
                  bool *is_interrupted)
{
    g_autoptr(GError) error = NULL;

    if (fieldedge_process_run(process, capture, database, NULL, &error))
        return CLI_OK;
    cli_message(error->message);
    *is_interrupted = g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED);
    return g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_CUT_SHORT) ? CLI_CUT_SHORT
                                                                              : CLI_FAILURE;
}

static int record_all(const struct options *options)
{
    g_autoptr(FieldEdgeProcess) process = fieldedge_process_new();
    bool is_interrupted = false;
    int status = CLI_OK;

    fieldedge_process_set_filter(process, options->filter);
    fieldedge_process_set_local_networks(process, options->networks);
    fieldedge_process_set_tshark(process, options->tshark);
    fieldedge_process_set_message_func(process, pass_on, NULL);
    signal(SIGINT, SIG_IGN); /* tshark gets it too, ends, and we say what was recorded */
    for (char **capture = options->captures; *capture != NULL && !is_interrupted; capture++) {
        int one = record(process, *capture, options->database, &is_interrupted);
        if (one == CLI_FAILURE || status == CLI_OK)
            status = one;
    }
    return status;
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
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.captures, NULL, NULL},
        {0},
    };
    int status;

    if (!cli_parse(&argc, &argv, "CAPTURE… -o DATABASE", summary, examples, entries, &status))
        goto done;
    if (options.captures == NULL)
        status = cli_usage("process", "name a capture");
    else if (options.database == NULL)
        status = cli_usage("process", "name the database with -o");
    else
        status = record_all(&options);
done:
    g_free(options.database);
    g_free(options.filter);
    g_free(options.networks);
    g_free(options.tshark);
    g_strfreev(options.captures);
    return status;
}
