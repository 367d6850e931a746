/* cmd_jobs.c
 * fieldedge jobs: what runs in the background, from any shell of the same user.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char summary[] =
    "Lists what was started with --background and how far it is; or shows one job,\n"
    "waits for its end and prints the path of its result, stops it, or forgets one\n"
    "that is over.\n"
    "\n"
    "States: running; done; stopped (asked to end, its result is kept); failed;\n"
    "died (killed, or out of memory); lost (it ran when the machine went down).";

static const char examples[] =
    "Exit codes: 0 done; wait: the job's own, 1 if it died, 4 if --timeout is over\n"
    "and it still runs; 1 failure, also: there is no such job; 2 wrong usage.\n"
    "\n"
    "Examples:\n"
    "  fieldedge capture -i eth1 -d 1h --background\n"
    "  fieldedge jobs\n"
    "  fieldedge jobs show 1 --format json\n"
    "  capture=$(fieldedge jobs wait 1)\n"
    "  fieldedge jobs stop 1\n"
    "  fieldedge jobs remove 1";

enum { STILL_RUNNING = 4, STOP_SECONDS = 10 };

struct options {
    char *format, *timeout;
    gboolean is_forced;
    char **words;
};

/* ---- Rows ---- */

enum {
    JOB_ID,
    JOB_STATE,
    JOB_STARTED,
    JOB_ENDED,
    JOB_COMMAND,
    JOB_PROGRESS,
    JOB_RESULT,
    JOB_EXIT_CODE,
    JOB_PROCESS,
    JOB_MESSAGE,
    JOB_LOG,
    JOB_COLUMNS
};

static const struct output_column job_columns[JOB_COLUMNS] = {
    [JOB_ID] = {"id", "Job", OUTPUT_COUNT, OUTPUT_FOR_ALL, OUTPUT_WHOLE},
    [JOB_STATE] = {"state", "State", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WHOLE},
    [JOB_STARTED] = {"started", "Started", OUTPUT_TIME, OUTPUT_FOR_ALL, OUTPUT_WHOLE},
    [JOB_ENDED] = {"ended", "Ended", OUTPUT_TIME, OUTPUT_FOR_PROGRAMS, OUTPUT_WHOLE},
    [JOB_COMMAND] = {"command", "Command", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    [JOB_PROGRESS] = {"progress", "Progress", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    [JOB_RESULT] = {"result", "Result", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    [JOB_EXIT_CODE] = {"exit_code", "Exit code", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS, OUTPUT_WHOLE},
    [JOB_PROCESS] = {"process", "Process", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS, OUTPUT_WHOLE},
    [JOB_MESSAGE] = {"message", "Message", OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS, OUTPUT_WHOLE},
    [JOB_LOG] = {"log", "Log", OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS, OUTPUT_WHOLE},
};

static void write_row(struct output *output, const FieldEdgeJob *job)
{
    g_autofree char *result = job->result != NULL ? g_filename_display_name(job->result) : NULL;
    g_autofree char *log = g_filename_display_name(job->log);
    struct output_value values[JOB_COLUMNS] = {
        [JOB_ID] = {.number = job->id},
        [JOB_STATE] = {.text = fieldedge_job_state_name(job->state)},
        [JOB_STARTED] = {.number = job->started_ns},
        [JOB_ENDED] = {.number = job->ended_ns, .is_null = job->ended_ns == FIELDEDGE_NONE},
        [JOB_COMMAND] = {.text = job->command},
        [JOB_PROGRESS] = {.text = job->progress},
        [JOB_RESULT] = {.text = result},
        [JOB_EXIT_CODE] = {.number = job->exit_code, .is_null = job->exit_code < 0},
        [JOB_PROCESS] = {.number = job->process},
        [JOB_MESSAGE] = {.text = job->message},
        [JOB_LOG] = {.text = log},
    };

    output_row(output, values);
}

static int list(const struct options *options)
{
    g_autoptr(FieldEdgeJobs) jobs = fieldedge_jobs_new(0, NULL);
    const FieldEdgeJob *job;
    struct output *output;
    int status;

    if (!cli_open_output("jobs", options->format, NULL, &output, &status))
        return status;
    output_table_begin(output, "jobs", "Jobs", job_columns, JOB_COLUMNS);
    while ((job = fieldedge_jobs_next(jobs)) != NULL)
        write_row(output, job);
    output_table_end(output);
    return cli_close_output(output, CLI_OK);
}

/* ---- One job ---- */

static int failed(GError *problem)
{
    g_autoptr(GError) error = problem;

    cli_message(error->message);
    return CLI_FAILURE;
}

/* A path may hold anything; it must not move a terminal's cursor. */
static void print_field(const char *name, const char *text)
{
    if (text == NULL)
        return;
    g_autofree char *shown = g_filename_display_name(text);
    for (char *at = shown; *at != '\0'; at++) {
        if ((guchar)*at < ' ' || *at == 0x7f)
            *at = '?';
    }
    printf("%-9s %s\n", name, shown);
}

static void print_time(const char *name, gint64 ns)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ns / 1000000000);
    g_autofree char *text = time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC") : NULL;

    if (ns != FIELDEDGE_NONE)
        print_field(name, text);
}

static void print_job(const FieldEdgeJob *job)
{
    printf("%-9s %" G_GINT64_FORMAT "\n", "job", job->id);
    print_field("state", fieldedge_job_state_name(job->state));
    print_field("command", job->command);
    print_time("started", job->started_ns);
    print_time("ended", job->ended_ns);
    if (job->exit_code >= 0)
        printf("%-9s %d\n", "exit code", job->exit_code);
    print_field("progress", job->progress);
    print_field("result", job->result);
    print_field("message", job->message);
    print_field("log", job->log);
}

static int show(gint64 id, const struct options *options)
{
    GError *error = NULL;
    g_autoptr(FieldEdgeJobs) jobs = fieldedge_jobs_new(id, &error);
    const FieldEdgeJob *job;
    struct output *output;
    int status;

    if (jobs == NULL)
        return failed(error);
    job = fieldedge_jobs_next(jobs);
    if (job == NULL)
        return CLI_FAILURE;
    if (options->format == NULL) {
        print_job(job);
        return cli_flush(CLI_OK);
    }
    if (!cli_open_output("jobs", options->format, NULL, &output, &status))
        return status;
    output_table_begin(output, "jobs", "Jobs", job_columns, JOB_COLUMNS);
    write_row(output, job);
    output_table_end(output);
    return cli_close_output(output, CLI_OK);
}

/* Of a job that is over: its result on standard output, its exit code as ours. */
static int tell_end(gint64 id)
{
    GError *error = NULL;
    g_autoptr(FieldEdgeJobs) jobs = fieldedge_jobs_new(id, &error);
    const FieldEdgeJob *job = jobs != NULL ? fieldedge_jobs_next(jobs) : NULL;
    g_autofree char *line = NULL;

    if (job == NULL)
        return error != NULL ? failed(error) : CLI_FAILURE;
    if (job->result != NULL)
        printf("%s\n", job->result);
    if (cli_flush(CLI_OK) != CLI_OK)
        return CLI_FAILURE;
    if (job->state == FIELDEDGE_JOB_DONE || job->state == FIELDEDGE_JOB_STOPPED)
        return MAX(job->exit_code, 0);
    if (job->state == FIELDEDGE_JOB_FAILED)
        line = g_strdup_printf("job %" G_GINT64_FORMAT " failed with exit code %d: %s", id,
                               job->exit_code, job->message != NULL ? job->message : "no message");
    else
        line = g_strdup_printf("job %" G_GINT64_FORMAT " %s", id,
                               job->state == FIELDEDGE_JOB_LOST
                                   ? "was lost: the machine went down while it ran"
                                   : "died: it was killed, or the memory was not enough");
    cli_message(line);
    return job->exit_code > 0 ? job->exit_code : CLI_FAILURE;
}

static int wait_for(gint64 id, const struct options *options)
{
    GError *error = NULL;
    gint64 seconds = 0;
    gboolean is_over;

    if (options->timeout != NULL &&
        (!cli_parse_seconds(options->timeout, &seconds) || seconds < 0 || seconds > 1000000000))
        return cli_usage("jobs", "'%s' is no length of time: write 600, 10m, 2h or 1d",
                         options->timeout);
    if (!fieldedge_job_wait(id, options->timeout == NULL ? FIELDEDGE_NONE : seconds * 1000000000,
                            cli_cancellable(), &is_over, &error))
        return failed(error);
    return is_over ? tell_end(id) : STILL_RUNNING;
}

static int stop(gint64 id, const struct options *options)
{
    GError *error = NULL;
    gboolean is_over;

    if (!fieldedge_job_stop(id, options->is_forced, &error) ||
        !fieldedge_job_wait(id, (gint64)STOP_SECONDS * 1000000000, cli_cancellable(), &is_over,
                            &error))
        return failed(error);
    if (is_over)
        return CLI_OK;
    g_autofree char *line =
        g_strdup_printf("job %" G_GINT64_FORMAT ": it was asked to stop and still runs after %d s; "
                        "--force kills it",
                        id, STOP_SECONDS);
    cli_message(line);
    return STILL_RUNNING;
}

static int forget(gint64 id)
{
    GError *error = NULL;

    return fieldedge_job_remove(id, &error) ? CLI_OK : failed(error);
}

static bool parse_id(const char *text, gint64 *id)
{
    char *end;

    errno = 0;
    *id = g_ascii_strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && *id > 0;
}

static int act(const char *action, gint64 id, const struct options *options)
{
    if (strcmp(action, "show") == 0)
        return show(id, options);
    if (strcmp(action, "wait") == 0)
        return wait_for(id, options);
    if (strcmp(action, "stop") == 0)
        return stop(id, options);
    return forget(id);
}

/* An action on one job after the other; the exit code is the first that is not 0. */
static int run(const struct options *options)
{
    static const char *const actions[] = {"show", "wait", "stop", "remove", NULL};
    char **words = options->words;
    int status = CLI_OK;
    gint64 id;

    if (words == NULL)
        return list(options);
    if (!g_strv_contains(actions, words[0]))
        return cli_usage("jobs", "what is '%s'? Choose show, wait, stop or remove", words[0]);
    if (words[1] == NULL)
        return cli_usage("jobs", "name the job by its number");
    for (char **word = words + 1; *word != NULL; word++) {
        if (!parse_id(*word, &id))
            return cli_usage("jobs", "'%s' is no number of a job", *word);
    }
    for (char **word = words + 1; *word != NULL; word++) {
        parse_id(*word, &id);
        int one = act(words[0], id, options);
        status = status == CLI_OK ? one : status;
    }
    return status;
}

int cmd_jobs(int argc, char **argv)
{
    struct options options = {0};
    const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &options.format,
         "Of the list and of show: table, json, jsonl or csv", "FORMAT"},
        {"timeout", 0, 0, G_OPTION_ARG_STRING, &options.timeout, "Wait at most this long: 90, 10m",
         "TIME"},
        {"force", 0, 0, G_OPTION_ARG_NONE, &options.is_forced, "Of stop: kill it (SIGKILL)", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.words, NULL, NULL},
        {0},
    };
    int status;

    if (cli_parse(&argc, &argv, "[show|wait|stop|remove JOB…]", summary, examples, entries,
                  &status))
        status = run(&options);
    g_free(options.format);
    g_free(options.timeout);
    g_strfreev(options.words);
    return status;
}
