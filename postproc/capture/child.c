/* child.c
 * Child processes; child.h says how.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "child.h"

#include "cancellable.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, CHUNK = 1 << 16, LINE_LIMIT = 1 << 20, PATIENCE_MS = 5000 };

/* ---- Starting ---- */

struct setup {
    pid_t parent;
    bool is_unprivileged;
};

/* Between fork() and exec(): system calls only.  A root that may not change its user (a
 * container's) has little to lose and goes on. */
static void become_nobody(void)
{
    if (geteuid() != 0 || setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0)
        return;
    (void)!setresuid(NOBODY, NOBODY, NOBODY);
}

static void set_up(gpointer data)
{
    const struct setup *setup = data;
    sigset_t none;

    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (setup->is_unprivileged) {
        become_nobody();
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (getppid() != setup->parent)
        _exit(127); /* it died before the wish was made */
}

void child_no_tool(const char *name, GError **error)
{
    bool is_common = strcmp(name, "tshark") != 0;

    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TOOL,
                "%s: there is no such program; install the package %s (Debian, Ubuntu) or "
                "wireshark-cli (Fedora)",
                name, is_common ? "wireshark-common" : "tshark");
}

static void open_stream(struct child_stream *stream, int file, child_line_func take)
{
    *stream = (struct child_stream){.file = file, .take = take};
    if (file >= 0)
        fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK);
}

/* The tools talk English and count without separators, whatever the user's language. */
static GStrv make_environment(bool is_unprivileged)
{
    GStrv environment = g_environ_setenv(g_get_environ(), "LC_ALL", "C.UTF-8", TRUE);

    if (!is_unprivileged)
        return environment;
    /* No profile of the user's changes what a check finds. */
    environment = g_environ_setenv(environment, "WIRESHARK_CONFIG_DIR", "/nonexistent", TRUE);
    return g_environ_setenv(environment, "HOME", "/nonexistent", TRUE);
}

bool child_spawn(struct child *child, const struct child_options *options, GError **error)
{
    struct setup setup = {getpid(), options->is_unprivileged};
    g_autofree char *path = g_find_program_in_path(options->arguments[0]);
    g_auto(GStrv) arguments = g_strdupv((char **)options->arguments);
    g_auto(GStrv) environment = make_environment(options->is_unprivileged);
    g_autoptr(GError) problem = NULL;
    bool wants_output = options->take_output != NULL;
    int output = -1, errors = -1;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    *child = (struct child){.data = options->data};
    if (path == NULL) {
        close(null);
        child_no_tool(options->arguments[0], error);
        return false;
    }
    g_free(arguments[0]);
    arguments[0] = g_steal_pointer(&path);
    bool ok = g_spawn_async_with_pipes_and_fds(
        NULL, (const char *const *)arguments, (const char *const *)environment,
        G_SPAWN_DO_NOT_REAP_CHILD, set_up, &setup, options->input >= 0 ? options->input : null,
        wants_output           ? -1
        : options->output >= 0 ? options->output
                               : null,
        -1, NULL, NULL, 0, &child->process, NULL, wants_output ? &output : NULL, &errors, &problem);
    close(null);
    if (!ok) {
        child->process = 0;
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TOOL, "%s: cannot be run: %s",
                    arguments[0], problem->message);
        return false;
    }
    open_stream(&child->streams[0], output, options->take_output);
    open_stream(&child->streams[1], errors, options->take_error);
    return true;
}

/* ---- Lines ---- */

static void take_line(const struct child *child, const struct child_stream *stream, char *line)
{
    if (*line != '\0' && stream->take != NULL)
        stream->take(line, child->data);
}

/* Passes on the whole lines and moves the rest to the front.  A zero among the bytes ends its line
 * early, which loses nothing that a tool of Wireshark's says. */
static void split_lines(const struct child *child, struct child_stream *stream)
{
    size_t begin = 0;

    for (size_t at = 0; at < stream->length; at++) {
        if (stream->text[at] != '\n' && stream->text[at] != '\r')
            continue;
        stream->text[at] = '\0';
        take_line(child, stream, stream->text + begin);
        begin = at + 1;
    }
    stream->length -= begin;
    if (begin > 0)
        memmove(stream->text, stream->text + begin, stream->length);
    if (stream->length > LINE_LIMIT)
        stream->length = 0; /* no tool writes such a line */
}

static void close_stream(const struct child *child, struct child_stream *stream)
{
    if (stream->length > 0) {
        stream->text[stream->length] = '\0';
        take_line(child, stream, stream->text);
    }
    close(stream->file);
    free(stream->text);
    *stream = (struct child_stream){.file = -1};
}

static void read_stream(const struct child *child, struct child_stream *stream)
{
    if (stream->size < stream->length + CHUNK + 1) {
        stream->size = 2 * (stream->length + CHUNK + 1);
        stream->text = g_realloc(stream->text, stream->size);
    }
    ssize_t length = read(stream->file, stream->text + stream->length, CHUNK);
    if (length > 0) {
        stream->length += (size_t)length;
        split_lines(child, stream);
    } else if (length == 0 || (errno != EINTR && errno != EAGAIN)) {
        close_stream(child, stream);
    }
}

bool child_pump(struct child *child, int timeout_ms, FieldEdgeCancellable *cancellable)
{
    struct pollfd polled[3];
    struct child_stream *streams[2];
    nfds_t count = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(child->streams); i++) {
        if (child->streams[i].file < 0)
            continue;
        streams[count] = &child->streams[i];
        polled[count++] = (struct pollfd){child->streams[i].file, POLLIN, 0};
    }
    if (count == 0)
        return false;
    nfds_t open = count;
    if (cancellable != NULL)
        polled[count++] = (struct pollfd){cancellable_file(cancellable), POLLIN, 0};
    if (poll(polled, count, timeout_ms) <= 0)
        return true;
    for (nfds_t i = 0; i < open; i++) {
        if (polled[i].revents != 0)
            read_stream(child, streams[i]);
    }
    return child->streams[0].file >= 0 || child->streams[1].file >= 0;
}

/* ---- Ending ---- */

void child_signal(const struct child *child, int number)
{
    if (child->process > 0)
        kill(child->process, number);
}

int child_end(struct child *child)
{
    int status = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(child->streams); i++) {
        if (child->process > 0 && child->streams[i].file >= 0)
            close_stream(child, &child->streams[i]);
    }
    while (child->process > 0 && waitpid(child->process, &status, 0) < 0 && errno == EINTR)
        continue;
    child->process = 0;
    return status;
}

/* SIGTERM, and SIGKILL to who does not heed it. */
static void cut_off(struct child *child)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_MS * G_TIME_SPAN_MILLISECOND;

    child_signal(child, SIGTERM);
    while (g_get_monotonic_time() < deadline) {
        if (!child_pump(child, 100, NULL))
            return;
    }
    child_signal(child, SIGKILL);
}

bool child_run(const struct child_options *options, FieldEdgeCancellable *cancellable, int *status,
               GError **error)
{
    struct child child;

    if (!child_spawn(&child, options, error))
        return false;
    while (child_pump(&child, -1, cancellable)) {
        if (!fieldedge_cancellable_is_cancelled(cancellable))
            continue;
        cut_off(&child);
        break;
    }
    *status = child_end(&child);
    if (!fieldedge_cancellable_is_cancelled(cancellable))
        return true;
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED, "%s: interrupted",
                options->arguments[0]);
    return false;
}

char *child_fate(int status)
{
    if (WIFSIGNALED(status))
        return g_strdup_printf("was killed by signal %d (%s)", WTERMSIG(status),
                               strsignal(WTERMSIG(status)));
    return g_strdup_printf("ended with exit code %d", WEXITSTATUS(status));
}
