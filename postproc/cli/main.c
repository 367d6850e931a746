/* main.c
 * The `fieldedge` command: finds the subcommand and runs it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct cli_command commands[] = {
    {"capture", "Capture from an interface into a file", cmd_capture},
    {"check", "Whether captures are whole, and what would mislead", cmd_check},
    {"repair", "Mend captures that are cut short or damaged", cmd_repair},
    {"deduplicate", "Leave out packets that were captured twice", cmd_deduplicate},
    {"process", "Record captures into a database", cmd_process},
    {"watch", "Record an interface for weeks into a database", cmd_watch},
    {"summary", "Captures, applications and accounts of a database", cmd_summary},
    {"series", "Times and bytes of every packet or bin, by application, host …", cmd_series},
    {"plot", "A picture of bytes over time and of what repeats", cmd_plot},
    {"conversations", "Host pairs, or each conversation: bytes, faults, repeats",
     cmd_conversations},
    {"intervals", "How often packets of one size come", cmd_intervals},
    {"periods", "What repeats, how often and how exactly, and what it costs", cmd_periods},
    {"analyze", "Store intervals and periods in the database, for SQL", cmd_analyze},
    {"hosts", "What each host sent and received", cmd_hosts},
    {"sql", "Rows of a SELECT of your own", cmd_sql},
    {"schema", "Tables, views and columns of a database explained", cmd_schema},
    {"jobs", "What runs in the background: state, progress, result", cmd_jobs},
};

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int refuse_command(const char *name)
{
    const char *names[G_N_ELEMENTS(commands) + 1] = {NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        names[i] = commands[i].name;
    return cli_usage_name(NULL, "command", name, names);
}

static void print_help(void)
{
    fputs("Usage:\n"
          "  fieldedge COMMAND [OPTION…] ARGUMENT…\n"
          "\n"
          "Says which applications use a site's link, from what the FieldEdge plugin for\n"
          "Wireshark recorded.\n"
          "\n"
          "Commands:\n",
          stdout);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-15s %s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "Options:\n"
          "  -h, --help      Show this help; fieldedge COMMAND --help shows a command's\n"
          "  --version       Show the version\n"
          "\n"
          "Examples:\n"
          "  fieldedge process site.pcapng -o site.db\n"
          "  fieldedge summary site.db\n"
          "  fieldedge series site.db --format json -o series.json\n",
          stdout);
}

/* What was printed must have got there. */
static int finish_stdout(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (errno != EPIPE) {
        g_autofree char *message =
            g_strdup_printf("standard output: cannot be written: %s", g_strerror(errno));
        cli_message(message);
    }
    return CLI_FAILURE;
}

/* Parses what stands before the command.  FALSE: *status is the exit code. */
static bool parse_globals(int *argc, char ***argv, int *status)
{
    gboolean help = FALSE, version = FALSE;
    const GOptionEntry entries[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, NULL, NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, NULL, NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, &error)) {
        *status = cli_usage(NULL, "%s", error->message);
        return false;
    }
    if (help)
        print_help();
    else if (version)
        printf("fieldedge %s\n", fieldedge_version());
    *status = CLI_OK;
    return !help && !version;
}

/* With a standard stream closed, the next file opened would take its place. */
static void guard_standard_streams(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
        if (fcntl(file, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    int status;

    guard_standard_streams();
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);
    g_set_prgname("fieldedge");
    if (!parse_globals(&argc, &argv, &status))
        return finish_stdout(status);
    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        argc--;
        argv++;
    }
    if (argc < 2)
        return cli_usage(NULL, "name a command");

    const struct cli_command *command = find_command(argv[1]);
    if (command == NULL)
        return refuse_command(argv[1]);
    status = command->run(argc - 1, argv + 1);
    fieldedge_job_end(status);
    return status;
}
