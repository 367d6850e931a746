/* jobs.c
 * Starts work that goes on without its terminal, and says what became of it, from any shell of the
 * same user.
 *
 *     fieldedge_job_start()    who starts            the job
 *                              mkdir 7/
 *                              fork ───────────────→ setsid, fork (no leader: no terminal ever)
 *                              reads its id ←─────── writes it; waits
 *                              writes 7/state
 *                              "go" ───────────────→ exec
 *                              waits ←────────────── fieldedge_job_ready(), or its end
 *
 * So the state names the process before its program runs, and who starts a job that cannot begin
 * (no such interface) is told at once.
 *
 * A job that was killed could not write its end; that its process is gone shows it (process_id.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "jobs.h"

#include "cancellable.h"
#include "files.h"
#include "process_id.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOB_FILE = 3, LOG_TAIL = 4096 };

char *jobs_folder(void)
{
    const char *state = g_getenv("XDG_STATE_HOME");

    if (state != NULL && g_path_is_absolute(state))
        return g_build_filename(state, "fieldedge", "jobs", NULL);
    return g_build_filename(g_get_home_dir(), ".local", "state", "fieldedge", "jobs", NULL);
}

static char *job_folder(gint64 id)
{
    g_autofree char *all = jobs_folder();
    g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT, id);

    return g_build_filename(all, name, NULL);
}

static bool no_job(gint64 id, const char *what, GError **error)
{
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_JOB, "job %" G_GINT64_FORMAT ": %s", id,
                what);
    return false;
}

/* ---- Reading ---- */

struct _FieldEdgeJobs {
    GArray *ids;
    guint next;
    FieldEdgeJob row;
    GPtrArray *texts; /* own the strings of row */
};

static const char *keep(FieldEdgeJobs *jobs, char *text)
{
    if (text != NULL)
        g_ptr_array_add(jobs->texts, text);
    return text;
}

static const char *get_text(FieldEdgeJobs *jobs, GKeyFile *state, const char *key)
{
    return keep(jobs, g_key_file_get_string(state, JOB_GROUP, key, NULL));
}

static void get_process(GKeyFile *state, struct process_id *process)
{
    g_autofree char *boot = g_key_file_get_string(state, JOB_GROUP, "boot", NULL);

    *process = (struct process_id){
        .process = (pid_t)g_key_file_get_int64(state, JOB_GROUP, "process", NULL),
        .start_ticks = g_key_file_get_int64(state, JOB_GROUP, "start_ticks", NULL),
    };
    g_strlcpy(process->boot, boot != NULL ? boot : "", sizeof process->boot);
}

static GKeyFile *load_state(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "state", NULL);
    GKeyFile *state = g_key_file_new();

    if (g_key_file_load_from_file(state, path, G_KEY_FILE_NONE, NULL) &&
        g_key_file_has_key(state, JOB_GROUP, "process", NULL))
        return state;
    g_key_file_free(state);
    return NULL;
}

/* The last line of the log: what the job said when it failed. */
static char *last_line(const char *path)
{
    char text[LOG_TAIL + 1];
    FILE *file = fopen(path, "re");
    size_t length;

    if (file == NULL)
        return NULL;
    if (fseek(file, -LOG_TAIL, SEEK_END) != 0)
        rewind(file);
    length = fread(text, 1, LOG_TAIL, file);
    fclose(file);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\0'))
        length--;
    text[length] = '\0';
    const char *line = strrchr(text, '\n');
    line = line != NULL ? line + 1 : text;
    return *line == '\0' ? NULL : g_utf8_make_valid(line, -1);
}

/* The end is looked for once more after the process was found gone: it may just have written it. */
static GKeyFile *judge(const char *folder, GKeyFile *state, FieldEdgeJobState *verdict)
{
    g_autofree char *stop = g_build_filename(folder, "stop", NULL);
    struct process_id process;

    get_process(state, &process);
    if (!g_key_file_has_key(state, JOB_GROUP, "ended_ns", NULL)) {
        if (process_id_is_alive(&process)) {
            *verdict = FIELDEDGE_JOB_RUNNING;
            return state;
        }
        GKeyFile *again = load_state(folder);
        if (again != NULL) {
            g_key_file_free(state);
            state = again;
        }
    }
    if (!g_key_file_has_key(state, JOB_GROUP, "ended_ns", NULL))
        *verdict = process_id_is_of_other_boot(&process) ? FIELDEDGE_JOB_LOST : FIELDEDGE_JOB_DIED;
    else if (access(stop, F_OK) == 0)
        *verdict = FIELDEDGE_JOB_STOPPED;
    else
        *verdict = g_key_file_get_integer(state, JOB_GROUP, "exit_code", NULL) == 0
                       ? FIELDEDGE_JOB_DONE
                       : FIELDEDGE_JOB_FAILED;
    return state;
}

/* FALSE: there is no such job. */
static bool read_job(FieldEdgeJobs *jobs, gint64 id)
{
    g_autofree char *folder = job_folder(id);
    GKeyFile *state = load_state(folder);
    FieldEdgeJob *row = &jobs->row;

    g_ptr_array_set_size(jobs->texts, 0);
    if (state == NULL)
        return false;
    *row = (FieldEdgeJob){.id = id, .exit_code = -1, .ended_ns = FIELDEDGE_NONE};
    state = judge(folder, state, &row->state);
    row->process = g_key_file_get_int64(state, JOB_GROUP, "process", NULL);
    row->started_ns = g_key_file_get_int64(state, JOB_GROUP, "started_ns", NULL);
    if (g_key_file_has_key(state, JOB_GROUP, "ended_ns", NULL)) {
        row->ended_ns = g_key_file_get_int64(state, JOB_GROUP, "ended_ns", NULL);
        row->exit_code = g_key_file_get_integer(state, JOB_GROUP, "exit_code", NULL);
    }
    row->command = get_text(jobs, state, "command");
    row->progress = get_text(jobs, state, "progress");
    row->result = get_text(jobs, state, "result");
    if (row->result != NULL)
        row->result = keep(jobs, g_strcompress(row->result));
    row->log = keep(jobs, g_build_filename(folder, "log", NULL));
    row->message = keep(jobs, last_line(row->log));
    g_key_file_free(state);
    return true;
}

static int compare_ids(gconstpointer a, gconstpointer b)
{
    gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;

    return (left > right) - (left < right);
}

/* The numbers of all jobs; a folder that is not there has none. */
static GArray *list_ids(const char *folder)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        char *end;
        gint64 id = g_ascii_strtoll(name, &end, 10);
        if (*end == '\0' && id > 0)
            g_array_append_val(ids, id);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_array_sort(ids, compare_ids);
    return ids;
}

FieldEdgeJobs *fieldedge_jobs_new(gint64 id, GError **error)
{
    g_autofree char *folder = jobs_folder();
    FieldEdgeJobs *jobs = g_new0(FieldEdgeJobs, 1);

    jobs->texts = g_ptr_array_new_with_free_func(g_free);
    if (id == 0) {
        jobs->ids = list_ids(folder);
        return jobs;
    }
    jobs->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_array_append_val(jobs->ids, id);
    if (read_job(jobs, id))
        return jobs;
    fieldedge_jobs_free(jobs);
    no_job(id, "there is no such job; fieldedge jobs lists them", error);
    return NULL;
}

const FieldEdgeJob *fieldedge_jobs_next(FieldEdgeJobs *jobs)
{
    while (jobs->next < jobs->ids->len) {
        if (read_job(jobs, g_array_index(jobs->ids, gint64, jobs->next++)))
            return &jobs->row;
    }
    return NULL;
}

void fieldedge_jobs_free(FieldEdgeJobs *jobs)
{
    if (jobs == NULL)
        return;
    g_array_unref(jobs->ids);
    g_ptr_array_unref(jobs->texts);
    g_free(jobs);
}

const char *fieldedge_job_state_name(FieldEdgeJobState state)
{
    static const char *const names[] = {
        [FIELDEDGE_JOB_RUNNING] = "running", [FIELDEDGE_JOB_DONE] = "done",
        [FIELDEDGE_JOB_STOPPED] = "stopped", [FIELDEDGE_JOB_FAILED] = "failed",
        [FIELDEDGE_JOB_DIED] = "died",       [FIELDEDGE_JOB_LOST] = "lost",
    };

    return (gsize)state < G_N_ELEMENTS(names) ? names[state] : "unknown";
}

/* ---- Starting ---- */

struct start {
    gint64 id;
    char *folder;
    int output, log, null; /* files of the job */
    int up[2], go[2];      /* pipes: from the job, and to it */
};

/* A number higher than all before, and its folder. */
static bool make_folder(struct start *start, GError **error)
{
    g_autofree char *all = jobs_folder();
    g_autofree char *last = g_build_filename(all, "last", NULL);
    g_autofree char *text = NULL;

    if (g_mkdir_with_parents(all, 0700) != 0) {
        file_failed(all, "the directory of jobs cannot be made", errno, error);
        return false;
    }
    g_autoptr(GArray) ids = list_ids(all);
    if (g_file_get_contents(last, &text, NULL, NULL))
        start->id = g_ascii_strtoll(text, NULL, 10);
    if (ids->len > 0)
        start->id = MAX(start->id, g_array_index(ids, gint64, ids->len - 1));
    do {
        g_free(start->folder);
        start->folder = job_folder(++start->id);
    } while (mkdir(start->folder, 0700) != 0 && errno == EEXIST);
    if (access(start->folder, W_OK) != 0) {
        file_failed(start->folder, "the directory of the job cannot be made", errno, error);
        return false;
    }
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT "\n", start->id);
    g_file_set_contents(last, number, -1, NULL);
    return true;
}

static int make_file(const struct start *start, const char *name)
{
    g_autofree char *path = g_build_filename(start->folder, name, NULL);

    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static bool open_files(struct start *start, GError **error)
{
    start->output = make_file(start, "output");
    start->log = make_file(start, "log");
    start->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (start->output >= 0 && start->log >= 0 && start->null >= 0 &&
        pipe2(start->up, O_CLOEXEC) == 0 && pipe2(start->go, O_CLOEXEC) == 0)
        return true;
    file_failed(start->folder, "the files of the job cannot be made", errno, error);
    return false;
}

/* System calls only: who starts the job may have threads. */
G_GNUC_NORETURN static void become_job(const struct start *start, char **arguments,
                                       char **environment)
{
    pid_t own = getpid();
    sigset_t none;
    char go;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    if (write(start->up[1], &own, sizeof own) != sizeof own || read(start->go[0], &go, 1) != 1)
        _exit(127);
    /* The three lie above 3, as the standard streams are open in whoever calls a library. */
    dup2(start->null, STDIN_FILENO);
    dup2(start->output, STDOUT_FILENO);
    dup2(start->log, STDERR_FILENO);
    if (start->up[1] != JOB_FILE)
        dup2(start->up[1], JOB_FILE);
    else
        fcntl(JOB_FILE, F_SETFD, 0);
    syscall(SYS_close_range, JOB_FILE + 1, ~0U, 0);
    execve(arguments[0], arguments, environment);
    _exit(127);
}

static char *join_words(const char *const *words)
{
    GString *line = g_string_new(NULL);

    for (; *words != NULL; words++) {
        g_autofree char *quoted = g_shell_quote(*words);
        bool is_plain = **words != '\0' && strpbrk(*words, " \t\n'\"\\$&|;<>()*?[]{}~#`!") == NULL;
        g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", is_plain ? *words : quoted);
    }
    g_autofree char *text = g_string_free(line, FALSE);
    return g_utf8_make_valid(text, -1);
}

static bool write_first_state(const struct start *start, pid_t job, const char *const *shown,
                              GError **error)
{
    g_autoptr(GKeyFile) state = g_key_file_new();
    g_autofree char *command = join_words(shown);
    struct process_id process;

    if (!process_id_of(job, &process))
        return no_job(start->id, "it ended before it began", error);
    g_key_file_set_int64(state, JOB_GROUP, "process", process.process);
    g_key_file_set_int64(state, JOB_GROUP, "start_ticks", process.start_ticks);
    g_key_file_set_string(state, JOB_GROUP, "boot", process.boot);
    g_key_file_set_string(state, JOB_GROUP, "command", command);
    g_key_file_set_int64(state, JOB_GROUP, "started_ns", g_get_real_time() * 1000);
    return jobs_write_state(start->folder, state, true, error);
}

/* Forks twice; returns the id of the job's process, which waits for "go". */
static pid_t fork_job(const struct start *start, char **arguments, char **environment)
{
    pid_t between = fork(), job = -1;

    if (between == 0) {
        setsid();
        pid_t last = fork();
        if (last == 0)
            become_job(start, arguments, environment);
        _exit(last < 0 ? 1 : 0);
    }
    if (between < 0)
        return -1;
    close(start->up[1]);
    close(start->go[0]);
    while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
        continue;
    return read(start->up[0], &job, sizeof job) == sizeof job ? job : -1;
}

/* TRUE if the job said that it has begun; otherwise it has ended. */
static bool wait_for_ready(const struct start *start)
{
    char byte;
    ssize_t got;

    while ((got = read(start->up[0], &byte, 1)) < 0 && errno == EINTR)
        continue;
    return got == 1;
}

static void close_start(struct start *start)
{
    const int files[] = {start->output, start->log, start->null, start->up[0], start->go[1]};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        if (files[i] >= 0)
            close(files[i]);
    }
    g_free(start->folder);
}

static bool launch(struct start *start, const char *const *arguments, const char *const *shown,
                   GError **error)
{
    g_auto(GStrv) words = g_strdupv((char **)arguments);
    g_autofree char *variable = g_strdup_printf("%d %s", JOB_FILE, start->folder);
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), JOB_VARIABLE, variable, TRUE);
    pid_t job = fork_job(start, words, environment);

    if (job < 0)
        return no_job(start->id, "no process can be made for it", error);
    if (!write_first_state(start, job, shown, error))
        return false; /* without "go" the job ends */
    (void)!write(start->go[1], "G", 1);
    return true;
}

gboolean fieldedge_job_start(const char *const *arguments, const char *const *shown, gint64 *id,
                             gboolean *has_begun, GError **error)
{
    struct start start = {.output = -1, .log = -1, .null = -1, .up = {-1, -1}, .go = {-1, -1}};
    bool ok = make_folder(&start, error) && open_files(&start, error) &&
              launch(&start, arguments, shown != NULL ? shown : arguments, error);

    *id = start.id;
    *has_begun = ok && wait_for_ready(&start);
    if (ok && !*has_begun) { /* it lets go of the pipe a moment before it ends */
        gboolean is_over;
        fieldedge_job_wait(start.id, FIELDEDGE_NONE, NULL, &is_over, NULL);
    }
    if (!ok && start.folder != NULL) {
        g_autofree char *state = g_build_filename(start.folder, "state", NULL);
        g_unlink(state);
        fieldedge_job_remove(start.id, NULL);
    }
    close_start(&start);
    return ok;
}

/* ---- Waiting, stopping, forgetting ---- */

static bool find_process(gint64 id, char **folder, struct process_id *process, bool *has_ended,
                         GError **error)
{
    *folder = job_folder(id);
    g_autoptr(GKeyFile) state = load_state(*folder);

    if (state == NULL)
        return no_job(id, "there is no such job; fieldedge jobs lists them", error);
    *has_ended = g_key_file_has_key(state, JOB_GROUP, "ended_ns", NULL);
    get_process(state, process);
    return true;
}

gboolean fieldedge_job_wait(gint64 id, gint64 timeout_ns, FieldEdgeCancellable *cancellable,
                            gboolean *is_over, GError **error)
{
    g_autofree char *folder = NULL;
    struct process_id process;
    bool has_ended;

    if (!find_process(id, &folder, &process, &has_ended, error))
        return FALSE;
    *is_over = TRUE;
    int file = process_id_open(&process);
    if (file < 0)
        return TRUE;
    gint64 end = g_get_monotonic_time() + timeout_ns / 1000;
    struct pollfd polled[2] = {{file, POLLIN, 0}, {-1, POLLIN, 0}};
    if (cancellable != NULL)
        polled[1].fd = cancellable_file(cancellable);
    do {
        gint64 left = timeout_ns < 0 ? -1 : MAX(end - g_get_monotonic_time(), 0) / 1000;
        (void)poll(polled, 2, (int)MIN(left, 3600000));
        if (fieldedge_cancellable_is_cancelled(cancellable))
            break;
    } while (polled[0].revents == 0 && (timeout_ns < 0 || g_get_monotonic_time() < end));
    *is_over = polled[0].revents != 0;
    close(file);
    if (!fieldedge_cancellable_is_cancelled(cancellable))
        return TRUE;
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED,
                "job %" G_GINT64_FORMAT ": it goes on; only the waiting for it was interrupted",
                id);
    return FALSE;
}

gboolean fieldedge_job_stop(gint64 id, gboolean is_forced, GError **error)
{
    g_autofree char *folder = NULL, *mark = NULL;
    struct process_id process;
    bool has_ended;
    int file, made;

    if (!find_process(id, &folder, &process, &has_ended, error))
        return FALSE;
    file = process_id_open(&process);
    if (file < 0)
        return no_job(id, has_ended ? "it has ended already" : "it does not run any more", error);
    mark = g_build_filename(folder, "stop", NULL);
    made = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (made >= 0)
        close(made);
    bool ok = syscall(SYS_pidfd_send_signal, file, is_forced ? SIGKILL : SIGTERM, NULL, 0) == 0 ||
              errno == ESRCH;
    int number = errno;
    close(file);
    return ok || no_job(id, g_strerror(number), error);
}

gboolean fieldedge_job_remove(gint64 id, GError **error)
{
    static const char *const names[] = {"output", "log", "stop", ".state.new", "state"};
    g_autofree char *folder = job_folder(id);
    g_autoptr(GKeyFile) state = load_state(folder);
    struct process_id process;

    if (state == NULL && access(folder, F_OK) != 0)
        return no_job(id, "there is no such job; fieldedge jobs lists them", error);
    if (state != NULL) {
        get_process(state, &process);
        if (process_id_is_alive(&process))
            return no_job(id, "it is running; stop it first", error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
    if (g_rmdir(folder) == 0)
        return TRUE;
    file_failed(folder, "cannot be removed", errno, error);
    return FALSE;
}
