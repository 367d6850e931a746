/* process.c
 * Records a capture file by running tshark with the FieldEdge plugin.
 *
 * Which plugin: Wireshark's installed one; but a libfieldedge that lies in its build tree
 * (<build>/postproc/, beside <build>/CMakeCache.txt) takes <build>/wireshark-plugins by
 * WIRESHARK_PLUGIN_DIR, unless the user set that variable himself.
 *
 * The trap of root: Wireshark ignores WIRESHARK_PLUGIN_DIR, silently, in a process whose real user
 * or group is 0.  So a build tree's tshark runs as nobody, and keeps the three capabilities by
 * which root reads and writes any file: capture, database and the user's Wireshark settings stay
 * where they are.  The database is made beforehand, so that it is root's.  That is as good as root
 * and no safer, and not meant to be: it is there to try a build tree as root, in a container or in
 * CI.
 *
 * What became of the recording is read from the database, for tshark's exit codes differ between
 * versions: status and packets of the newest capture that was not there before.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr(), setresuid() */
#endif
#include "../database.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, EXIT_CANNOT_DROP = 126 };

struct _FieldEdgeProcess {
    char *filter;
    char *local_networks;
    char *tshark;
    FieldEdgeMessageFunc message;
    gpointer message_data;
};

/* One run of tshark. */
struct run {
    const char *capture;
    const char *database;
    char *plugin_dir;    /* of the build tree; NULL: the installed plugin */
    bool as_nobody;      /* see the trap of root */
    bool is_new;         /* the database file was made here */
    gint64 last_capture; /* highest id before */
    int status;          /* of waitpid() */
    bool saw_cut;        /* tshark said that the file is cut short or damaged */
    bool saw_no_plugin;  /* tshark does not know -z fieldedge */
};

FieldEdgeProcess *fieldedge_process_new(void)
{
    return g_new0(FieldEdgeProcess, 1);
}

static void set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

void fieldedge_process_set_filter(FieldEdgeProcess *process, const char *filter)
{
    set_text(&process->filter, filter);
}

void fieldedge_process_set_local_networks(FieldEdgeProcess *process, const char *networks)
{
    set_text(&process->local_networks, networks);
}

void fieldedge_process_set_tshark(FieldEdgeProcess *process, const char *tshark)
{
    set_text(&process->tshark, tshark);
}

void fieldedge_process_set_message_func(FieldEdgeProcess *process, FieldEdgeMessageFunc func,
                                        gpointer user_data)
{
    process->message = func;
    process->message_data = user_data;
}

void fieldedge_process_free(FieldEdgeProcess *process)
{
    if (process == NULL)
        return;
    g_free(process->filter);
    g_free(process->local_networks);
    g_free(process->tshark);
    g_free(process);
}

/* ---- Before ---- */

static bool check_arguments(const struct run *run, GError **error)
{
    struct stat status;

    if (strchr(run->database, ',') != NULL) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: the name of a database cannot contain a comma, because tshark's option -z "
                    "separates its parts by commas; choose another name",
                    run->database);
        return false;
    }
    if (*run->database == '\0') {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "the name of the database is empty");
        return false;
    }
    if (strcmp(run->capture, "-") == 0)
        return true;
    if (g_stat(run->capture, &status) != 0) {
        g_set_error(error, FIELDEDGE_ERROR,
                    errno == ENOENT ? FIELDEDGE_ERROR_NOT_FOUND : FIELDEDGE_ERROR_ACCESS, "%s: %s",
                    run->capture, errno == ENOENT ? "there is no such file" : g_strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode) || g_access(run->capture, R_OK) != 0) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: %s", run->capture,
                    S_ISDIR(status.st_mode) ? "this is a directory, not a capture"
                                            : "the file cannot be read");
        return false;
    }
    return true;
}

static char *find_tshark(const FieldEdgeProcess *process, GError **error)
{
    const char *name = process->tshark != NULL ? process->tshark : "tshark";
    char *path = g_find_program_in_path(name);

    if (path == NULL)
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK,
                    "%s: there is no such program; install the package tshark (Debian, Ubuntu) or "
                    "wireshark-cli (Fedora)",
                    name);
    return path;
}

/* The plugin folder of the build tree that this library lies in, or NULL. */
static char *build_tree_plugins(void)
{
    static const char here = 0; /* an address inside this library */
    Dl_info info;

    if (dladdr(&here, &info) == 0 || info.dli_fname == NULL)
        return NULL;

    g_autofree char *library = g_canonicalize_filename(info.dli_fname, NULL);
    g_autofree char *folder = g_path_get_dirname(library);
    g_autofree char *build = g_path_get_dirname(folder);
    g_autofree char *cache = g_build_filename(build, "CMakeCache.txt", NULL);
    g_autofree char *plugins = g_build_filename(build, "wireshark-plugins", NULL);

    if (!g_file_test(cache, G_FILE_TEST_EXISTS) || !g_file_test(plugins, G_FILE_TEST_IS_DIR))
        return NULL;
    return g_steal_pointer(&plugins);
}

static void find_plugin(struct run *run)
{
    const char *chosen = g_getenv("WIRESHARK_PLUGIN_DIR");

    run->plugin_dir = build_tree_plugins();
    if (run->plugin_dir == NULL)
        return;
    if (chosen != NULL)
        set_text(&run->plugin_dir, chosen);
    run->as_nobody = getuid() == 0 || getgid() == 0;
}

/* The newest capture after the one of id `after`: its id, 0 if there is none. */
static bool newest_capture(FieldEdgeDatabase *database, gint64 after, gint64 *id, char **status,
                           gint64 *packets, GError **error)
{
    static const char sql[] = "SELECT id, status, packets FROM captures ORDER BY id DESC LIMIT 1";
    struct cursor cursor = {0};
    GError *problem = NULL;

    *id = 0;
    if (cursor_open(&cursor, database, sql, NULL, &problem) && cursor_step(&cursor, &problem) &&
        column_int(&cursor, 0) > after) {
        *id = column_int(&cursor, 0);
        *status = column_dup(&cursor, 1);
        *packets = column_int(&cursor, 2);
    }
    cursor_close(&cursor);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

/* Looks at a database that is there already; refuses what the recorder would refuse. */
static bool look_at_database(struct run *run, GError **error)
{
    struct stat status;
    GError *problem = NULL;
    gint64 packets;

    if (g_stat(run->database, &status) != 0 || (S_ISREG(status.st_mode) && status.st_size == 0))
        return true;

    g_autoptr(FieldEdgeDatabase) database = fieldedge_database_open(run->database, &problem);
    if (database == NULL) {
        if (g_error_matches(problem, FIELDEDGE_ERROR, FIELDEDGE_ERROR_OLDER)) {
            g_error_free(problem); /* the recorder migrates it */
            return true;
        }
        g_propagate_error(error, problem);
        return false;
    }
    g_autofree char *ignored = NULL;
    return newest_capture(database, 0, &run->last_capture, &ignored, &packets, error);
}

/* So that it is ours and not nobody's. */
static bool make_database(struct run *run, GError **error)
{
    int file;

    if (!run->as_nobody || g_access(run->database, F_OK) == 0)
        return true;
    file = g_open(run->database, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS,
                    "%s: the database cannot be made: %s", run->database, g_strerror(errno));
        return false;
    }
    close(file);
    run->is_new = true;
    return true;
}

/* ---- The child ---- */

/* Becomes nobody and keeps root's way with files.  The secure bit lets access(), which asks for the
 * real user, count capabilities too.  Between fork() and exec(): system calls only. */
static void become_nobody(void)
{
    static const int kept[] = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    bool ok;

    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
        data[0].permitted |= 1u << kept[i];
    data[0].effective = data[0].inheritable = data[0].permitted;
    ok = prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == 0 &&
         setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
         setresuid(NOBODY, NOBODY, NOBODY) == 0 && syscall(SYS_capset, &header, data) == 0;
    for (size_t i = 0; ok && i < G_N_ELEMENTS(kept); i++)
        ok = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0) == 0;
    if (!ok) {
        static const char text[] = "cannot become nobody, which tshark needs here to load the "
                                   "plugin of a build tree; run as another user than root\n";
        ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
        (void)ignored;
        _exit(EXIT_CANNOT_DROP);
    }
}

/* Ctrl-C reaches the child by the terminal; if we die, it is to end too. */
static void set_up_child(gpointer data)
{
    const struct run *run = data;

    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    if (run->as_nobody)
        become_nobody();
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

static GStrv make_arguments(const FieldEdgeProcess *process, const char *tshark,
                            const struct run *run)
{
    GPtrArray *words = g_ptr_array_new();
    bool has_filter = process->filter != NULL && *process->filter != '\0';

    g_ptr_array_add(words, g_strdup(tshark));
    g_ptr_array_add(words, g_strdup("-q"));
    g_ptr_array_add(words, g_strdup("-r"));
    g_ptr_array_add(words, g_strdup(run->capture));
    if (process->local_networks != NULL) {
        g_ptr_array_add(words, g_strdup("-o"));
        g_ptr_array_add(words,
                        g_strconcat("fieldedge.local_networks:", process->local_networks, NULL));
    }
    g_ptr_array_add(words, g_strdup("-z"));
    g_ptr_array_add(words, g_strconcat("fieldedge,", run->database, has_filter ? "," : "",
                                       has_filter ? process->filter : "", NULL));
    g_ptr_array_add(words, NULL);
    return (GStrv)g_ptr_array_free(words, FALSE);
}

static void take_line(const FieldEdgeProcess *process, struct run *run, const char *line)
{
    if (g_str_has_prefix(line, "Running as user \""))
        return;
    if (strstr(line, "cut short") != NULL || strstr(line, "damaged or corrupt") != NULL)
        run->saw_cut = true;
    if (strstr(line, "Invalid -z argument \"fieldedge") != NULL)
        run->saw_no_plugin = true; /* the names of all others follow */
    if (!run->saw_no_plugin && process->message != NULL)
        process->message(line, process->message_data);
}

static void read_lines(const FieldEdgeProcess *process, struct run *run, FILE *file)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    while ((length = getline(&line, &size, file)) >= 0) {
        if (length > 0 && line[length - 1] == '\n')
            line[length - 1] = '\0';
        take_line(process, run, line);
    }
    free(line);
}

static bool run_tshark(const FieldEdgeProcess *process, struct run *run, GError **error)
{
    g_autofree char *tshark = find_tshark(process, error);
    if (tshark == NULL)
        return false;

    g_auto(GStrv) arguments = make_arguments(process, tshark, run);
    g_auto(GStrv) environment = g_get_environ();
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL;
    GError *problem = NULL;
    GPid child;
    int errors;

    if (run->plugin_dir != NULL)
        environment = g_environ_setenv(environment, "WIRESHARK_PLUGIN_DIR", run->plugin_dir, TRUE);
    if (strcmp(run->capture, "-") == 0)
        flags |= G_SPAWN_CHILD_INHERITS_STDIN;
    if (!g_spawn_async_with_pipes(NULL, arguments, environment, flags, set_up_child, run, &child,
                                  NULL, NULL, &errors, &problem)) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK, "%s: cannot be run: %s",
                    tshark, problem->message);
        g_error_free(problem);
        return false;
    }
    FILE *file = fdopen(errors, "r");
    read_lines(process, run, file);
    fclose(file);
    while (waitpid(child, &run->status, 0) < 0 && errno == EINTR)
        continue;
    return true;
}

/* ---- After ---- */

static bool refuse(const struct run *run, FieldEdgeError code, gint64 packets, const char *what,
                   GError **error)
{
    if (packets > 0)
        g_set_error(error, FIELDEDGE_ERROR, code,
                    "%s: %s; the %" G_GINT64_FORMAT " packets before that are recorded",
                    run->capture, what, packets);
    else
        g_set_error(error, FIELDEDGE_ERROR, code, "%s: %s; no packet was recorded", run->capture,
                    what);
    return false;
}

static bool judge(const struct run *run, const char *status, gint64 packets, GError **error)
{
    g_autofree char *failure = NULL;

    if (WIFSIGNALED(run->status))
        failure = g_strdup_printf("tshark was killed by signal %d (%s)", WTERMSIG(run->status),
                                  strsignal(WTERMSIG(run->status)));
    else if (WEXITSTATUS(run->status) != 0)
        failure = g_strdup_printf("tshark ended with exit code %d", WEXITSTATUS(run->status));
    else if (status == NULL || strcmp(status, "failed") == 0)
        failure = g_strdup("the recording failed");

    if (status == NULL)
        return refuse(run, FIELDEDGE_ERROR_RECORDING, 0, failure, error);
    if (WIFEXITED(run->status) && (run->saw_cut || strcmp(status, "cut short") == 0))
        return refuse(run, FIELDEDGE_ERROR_CUT_SHORT, packets,
                      "the capture is cut short or damaged", error);
    if (WIFEXITED(run->status) && packets > 0 && strcmp(status, "interrupted") == 0)
        return refuse(run, FIELDEDGE_ERROR_INTERRUPTED, packets, "the recording was interrupted",
                      error);
    if (failure != NULL)
        return refuse(run, FIELDEDGE_ERROR_RECORDING, packets, failure, error);
    return true;
}

static bool conclude(const struct run *run, gint64 *packets, GError **error)
{
    g_autoptr(FieldEdgeDatabase) database = NULL;
    g_autofree char *status = NULL;
    gint64 id = 0;

    if (run->saw_no_plugin) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK,
                    "%s: tshark has no statistic \"fieldedge\": the FieldEdge plugin is not "
                    "installed where this tshark looks (tshark -G plugins | grep fieldedge)",
                    run->capture);
        return false;
    }
    database = fieldedge_database_open(run->database, NULL);
    if (database != NULL &&
        !newest_capture(database, run->last_capture, &id, &status, packets, error))
        return false;
    return judge(run, status, *packets, error);
}

gboolean fieldedge_process_run(FieldEdgeProcess *process, const char *capture, const char *database,
                               gint64 *packets, GError **error)
{
    g_return_val_if_fail(process != NULL && capture != NULL && database != NULL, FALSE);

    struct run run = {.capture = capture, .database = database};
    gint64 recorded = 0;
    struct stat status;
    bool ok;

    find_plugin(&run);
    ok = check_arguments(&run, error) && look_at_database(&run, error) &&
         make_database(&run, error) && run_tshark(process, &run, error) &&
         conclude(&run, &recorded, error);
    if (run.is_new && g_stat(database, &status) == 0 && status.st_size == 0)
        g_unlink(database);
    g_free(run.plugin_dir);
    if (packets != NULL)
        *packets = recorded;
    return ok;
}
