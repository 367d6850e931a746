/* cli_run.c
 * What the commands share that run something for a while: Ctrl-C, a line of progress, the
 * background, and rows about what they did.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- Ctrl-C ---- */

static FieldEdgeCancellable *cancellable;

static void take_signal(int number)
{
    (void)number;
    fieldedge_cancellable_cancel(cancellable);
}

FieldEdgeCancellable *cli_cancellable(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = take_signal}, old;

    if (cancellable != NULL)
        return cancellable;
    cancellable = fieldedge_cancellable_new();
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        /* nohup ignores SIGHUP, and so does a job. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
    return cancellable;
}

/* ---- Progress ---- */

static bool has_line;

static int terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void cli_progress(const char *text)
{
    fieldedge_job_report(text);
    if (!isatty(STDERR_FILENO))
        return;
    g_autofree char *line = g_utf8_make_valid(text, -1);
    g_autofree char *shown = g_utf8_substring(
        line, 0, MIN(g_utf8_strlen(line, -1), (glong)MAX(terminal_width() - 1, 1)));
    fprintf(stderr, "\r%s\033[K", shown);
    fflush(stderr);
    has_line = true;
}

void cli_progress_end(void)
{
    if (has_line)
        fputs("\r\033[K", stderr);
    has_line = false;
}

/* ---- Background ---- */

/* What the job said before it ended, as if it had been said here. */
static void print_log(const char *path)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    for (char **line = lines; *line != NULL; line++) {
        if (**line != '\0')
            cli_line(*line);
    }
}

static int tell_job(gint64 id, bool has_begun)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldEdgeJobs) jobs = fieldedge_jobs_new(id, &error);
    const FieldEdgeJob *job = jobs != NULL ? fieldedge_jobs_next(jobs) : NULL;

    if (has_begun || (job != NULL && job->state == FIELDEDGE_JOB_DONE)) {
        printf("%" G_GINT64_FORMAT "\n", id);
        return cli_flush(CLI_OK);
    }
    if (job == NULL) {
        cli_message(error != NULL ? error->message : "the job ended before it began");
        return CLI_FAILURE;
    }
    int code = job->exit_code > 0 ? job->exit_code : CLI_FAILURE;
    if (job->message != NULL)
        print_log(job->log);
    else
        cli_message("the job died before it began");
    fieldedge_job_remove(id, NULL);
    return code;
}

int cli_background(char **argv)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new(), shown = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    gboolean has_begun;
    bool is_option = true;
    gint64 id;

    if (program == NULL) {
        cli_message("/proc: cannot be read, and a job needs it");
        return CLI_FAILURE;
    }
    g_ptr_array_add(words, program);
    g_ptr_array_add(shown, (gpointer) "fieldedge");
    for (; *argv != NULL; argv++) {
        is_option = is_option && strcmp(*argv, "--") != 0;
        if (is_option && strcmp(*argv, "--background") == 0)
            continue;
        g_ptr_array_add(words, *argv);
        g_ptr_array_add(shown, *argv);
    }
    g_ptr_array_add(words, NULL);
    g_ptr_array_add(shown, NULL);
    if (fieldedge_job_start((const char *const *)words->pdata, (const char *const *)shown->pdata,
                            &id, &has_begun, &error))
        return tell_job(id, has_begun);
    cli_message(error->message);
    return CLI_FAILURE;
}

int cli_flush(int status)
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

/* ---- Arguments ---- */

bool cli_parse_seconds(const char *text, gint64 *seconds)
{
    static const struct {
        const char *unit;
        gint64 seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    char *end;
    gint64 number;

    errno = 0;
    number = g_ascii_strtoll(text, &end, 10);
    if (end == text || errno != 0)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strcmp(end, units[i].unit) == 0)
            return !__builtin_mul_overflow(number, units[i].seconds, seconds);
    }
    return false;
}

bool cli_parse_ns(const char *text, gint64 *ns)
{
    gint64 unit = 100000000, part = 0;
    char *end;
    gint64 seconds = g_ascii_strtoll(text, &end, 10);

    if (!g_ascii_isdigit(*text) || seconds > 1000000000)
        return false;
    if (*end == '.') {
        for (end++; g_ascii_isdigit(*end); end++, unit /= 10)
            part += (*end - '0') * unit;
    }
    *ns = seconds * 1000000000 + part;
    return *end == '\0';
}

/* ---- Rows ---- */

bool cli_open_output(const char *command, const char *format, const char *path,
                     struct output **output, int *status)
{
    enum output_format parsed = OUTPUT_TABLE;
    g_autoptr(GError) error = NULL;

    if (format != NULL && !output_parse_format(format, &parsed)) {
        *status =
            cli_usage(command, "there is no format '%s': choose table, json, jsonl or csv", format);
        return false;
    }
    *output = output_open(parsed, path, &error);
    if (*output != NULL)
        return true;
    cli_message(error->message);
    *status = CLI_FAILURE;
    return false;
}

int cli_close_output(struct output *output, int status)
{
    g_autoptr(GError) error = NULL;

    if (output_close(output, &error))
        return status;
    if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PIPE))
        cli_message(error->message);
    return CLI_FAILURE;
}
