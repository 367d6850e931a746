/* cmd_watch.c
 * fieldedge watch: records an interface for weeks into one database of bounded size.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "units.h"

#include <signal.h>

static const char summary[] =
    "Records an interface for weeks: dumpcap writes a ring of files, each is recorded\n"
    "in turn, and conversations go on from file to file. Old packets are summed up by\n"
    "minute, hour and day. Stopped or killed at any time, the same command goes on.\n"
    "With --spool alone the captures of that directory are recorded, and that is all.";

static const char examples[] =
    "Times: 90s, 15m, 12h, 30d, 2w. Sizes: 500K, 64M, 2G.\n"
    "\n"
    "Exit codes: 0 ended by Ctrl-C or SIGTERM, or the directory is recorded; 1\n"
    "failure; 2 wrong usage; 4 broken off by a second Ctrl-C.\n"
    "\n"
    "Examples:\n"
    "  fieldedge watch -i eth1 site.db --keep 30d --max-size 2G\n"
    "  fieldedge watch -i eth1 site.db -f 'not port 22' --seconds 5m\n"
    "  fieldedge watch --spool captures/ site.db";

struct options {
    char *interface, *capture_filter, *spool, *filter, *networks, *tshark, *dumpcap;
    char *keep, *max_size, *seconds, *file_size, *ring;
    gint snap_length;
    char **operands;
};

static FieldEdgeWatch *current; /* for the signal handler */

static void stop(int number)
{
    (void)number;
    fieldedge_watch_stop(current);
}

static void pass_on(const char *line, gpointer user_data)
{
    (void)user_data;
    cli_line(line);
}

static bool parse_time(const char *option, const char *text, gint64 *seconds, int *status)
{
    if (text == NULL || units_parse_time(text, seconds))
        return true;
    *status =
        cli_usage("watch", "--%s: '%s' is no time; write 90s, 15m, 12h, 30d or 2w", option, text);
    return false;
}

static bool parse_size(const char *option, const char *text, gint64 *bytes, int *status)
{
    if (text == NULL || units_parse_size(text, bytes))
        return true;
    *status = cli_usage("watch", "--%s: '%s' is no size; write 500K, 64M or 2G", option, text);
    return false;
}

static bool apply_numbers(FieldEdgeWatch *watch, const struct options *options, int *status)
{
    gint64 seconds = FIELDEDGE_WATCH_SECONDS, file_bytes = FIELDEDGE_WATCH_FILE_BYTES;
    gint64 ring_bytes = FIELDEDGE_WATCH_RING_BYTES, keep = 0, max_bytes = 0;

    if (!parse_time("keep", options->keep, &keep, status) ||
        !parse_time("seconds", options->seconds, &seconds, status) ||
        !parse_size("max-size", options->max_size, &max_bytes, status) ||
        !parse_size("file-size", options->file_size, &file_bytes, status) ||
        !parse_size("ring", options->ring, &ring_bytes, status))
        return false;
    if (options->snap_length < 0) {
        *status = cli_usage("watch", "--snaplen cannot be negative");
        return false;
    }
    fieldedge_watch_set_limits(watch, keep * G_GINT64_CONSTANT(1000000000), max_bytes);
    fieldedge_watch_set_rotation(watch, seconds, file_bytes, ring_bytes);
    fieldedge_watch_set_snap_length(watch, options->snap_length);
    return true;
}

static int watch_database(const struct options *options, const char *database)
{
    g_autoptr(FieldEdgeWatch) watch = fieldedge_watch_new();
    struct sigaction on_signal = {.sa_handler = stop};
    g_autoptr(GError) error = NULL;
    int status = CLI_OK;

    if (!apply_numbers(watch, options, &status))
        return status;
    fieldedge_watch_set_interface(watch, options->interface, options->capture_filter);
    fieldedge_watch_set_spool(watch, options->spool);
    fieldedge_watch_set_filter(watch, options->filter);
    fieldedge_watch_set_local_networks(watch, options->networks);
    fieldedge_watch_set_programs(watch, options->tshark, options->dumpcap);
    fieldedge_watch_set_message_func(watch, pass_on, NULL);
    current = watch;
    sigaction(SIGINT, &on_signal, NULL);
    sigaction(SIGTERM, &on_signal, NULL);
    if (fieldedge_watch_run(watch, database, &error))
        return CLI_OK;
    cli_message(error->message);
    return g_error_matches(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED) ? CLI_INTERRUPTED
                                                                                : CLI_FAILURE;
}

static int run(const struct options *options)
{
    if (options->operands == NULL)
        return cli_usage("watch", "name the database");
    if (options->operands[1] != NULL)
        return cli_usage("watch", "one database at a time, not also '%s'", options->operands[1]);
    if (options->interface == NULL && options->spool == NULL)
        return cli_usage("watch", "name an interface with -i, or a directory with --spool");
    if (options->interface == NULL && options->capture_filter != NULL)
        return cli_usage("watch", "a capture filter (-f) needs an interface (-i)");
    return watch_database(options, options->operands[0]);
}

int cmd_watch(int argc, char **argv)
{
    struct options options = {0};
    const GOptionEntry entries[] = {
        {"interface", 'i', 0, G_OPTION_ARG_STRING, &options.interface, "Capture on this interface",
         "NAME"},
        {"capture-filter", 'f', 0, G_OPTION_ARG_STRING, &options.capture_filter,
         "Capture only what passes this filter (BPF)", "FILTER"},
        {"keep", 0, 0, G_OPTION_ARG_STRING, &options.keep, "Keep packets so long, then sum them up",
         "TIME"},
        {"max-size", 0, 0, G_OPTION_ARG_STRING, &options.max_size,
         "Let the database grow to this size", "SIZE"},
        {"seconds", 0, 0, G_OPTION_ARG_STRING, &options.seconds,
         "Record a file of so much time (60s)", "TIME"},
        {"file-size", 0, 0, G_OPTION_ARG_STRING, &options.file_size, "Or of this size (8M)",
         "SIZE"},
        {"ring", 0, 0, G_OPTION_ARG_STRING, &options.ring, "Disk for waiting files (256M)", "SIZE"},
        {"spool", 0, 0, G_OPTION_ARG_FILENAME, &options.spool,
         "Directory of the files (DATABASE.spool)", "DIR"},
        {"snaplen", 's', 0, G_OPTION_ARG_INT, &options.snap_length,
         "Capture so many bytes of a packet", "BYTES"},
        {"filter", 'Y', 0, G_OPTION_ARG_STRING, &options.filter,
         "Record only what passes this filter", "FILTER"},
        {"local-networks", 0, 0, G_OPTION_ARG_STRING, &options.networks,
         "The site's own networks: 10.1.0.0/16,…", "LIST"},
        {"tshark", 0, 0, G_OPTION_ARG_FILENAME, &options.tshark, "Run this instead of tshark",
         "PATH"},
        {"dumpcap", 0, 0, G_OPTION_ARG_FILENAME, &options.dumpcap, "Run this instead of dumpcap",
         "PATH"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.operands, NULL, NULL},
        {0},
    };
    int status = CLI_OK;

    if (cli_parse(&argc, &argv, "DATABASE", summary, examples, entries, &status))
        status = run(&options);
    char *const texts[] = {options.interface, options.capture_filter, options.spool,
                           options.filter,    options.networks,       options.tshark,
                           options.dumpcap,   options.keep,           options.max_size,
                           options.seconds,   options.file_size,      options.ring};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(options.operands);
    return status;
}
