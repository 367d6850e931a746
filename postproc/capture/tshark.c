/* tshark.c: see tshark.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr(), setresuid(), memfd_create() */
#endif
#include "tshark.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, EXIT_CANNOT_DROP = 126, PROGRESS_MS = 250, LINE_MAX_BYTES = 65536 };

/* What a run needs besides its orders. */
struct preparation {
    struct tshark_run *run;
    char *program;
    char *plugin_dir; /* of the build tree; NULL: the installed plugin */
    bool as_nobody;   /* see the trap of root */
    bool is_new;      /* the database file was made here */
};

/* ---- Before ---- */

static char *find_tshark(const struct tshark_run *run, GError **error)
{
    const char *name = run->program != NULL ? run->program : "tshark";
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

static void find_plugin(struct preparation *p)
{
    const char *chosen = g_getenv("WIRESHARK_PLUGIN_DIR");

    p->plugin_dir = build_tree_plugins();
    if (p->plugin_dir == NULL)
        return;
    if (chosen != NULL) {
        g_free(p->plugin_dir);
        p->plugin_dir = g_strdup(chosen);
    }
    p->as_nobody = getuid() == 0 || getgid() == 0;
}

/* So that it is ours and not nobody's. */
static bool make_database(struct preparation *p, GError **error)
{
    int file;

    if (!p->as_nobody || g_access(p->run->database, F_OK) == 0)
        return true;
    file = g_open(p->run->database, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS,
                    "%s: the database cannot be made: %s", p->run->database, g_strerror(errno));
        return false;
    }
    close(file);
    p->is_new = true;
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
    const struct preparation *p = data;

    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    if (p->run->is_shielded)
        setpgid(0, 0);
    if (p->as_nobody)
        become_nobody();
    if (p->run->recording->report >= 0)
        fcntl(p->run->recording->report, F_SETFD, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

static GStrv make_arguments(const struct preparation *p)
{
    const struct tshark_run *run = p->run;
    GPtrArray *words = g_ptr_array_new();
    bool has_filter = run->filter != NULL && *run->filter != '\0';

    g_ptr_array_add(words, g_strdup(p->program));
    g_ptr_array_add(words, g_strdup("-q"));
    g_ptr_array_add(words, g_strdup("-r"));
    g_ptr_array_add(words, g_strdup(run->capture));
    if (run->local_networks != NULL) {
        g_ptr_array_add(words, g_strdup("-o"));
        g_ptr_array_add(words, g_strconcat("fieldedge.local_networks:", run->local_networks, NULL));
    }
    g_ptr_array_add(words, g_strdup("-z"));
    g_ptr_array_add(words, g_strconcat("fieldedge,", run->database, has_filter ? "," : "",
                                       has_filter ? run->filter : "", NULL));
    g_ptr_array_add(words, NULL);
    return (GStrv)g_ptr_array_free(words, FALSE);
}

static GStrv make_environment(const struct preparation *p)
{
    g_autofree char *text = schema_recording_to_text(p->run->recording);
    GStrv environment = g_environ_setenv(g_get_environ(), SCHEMA_RECORDING_VARIABLE, text, TRUE);

    if (p->plugin_dir != NULL)
        environment = g_environ_setenv(environment, "WIRESHARK_PLUGIN_DIR", p->plugin_dir, TRUE);
    return environment;
}

static bool start(struct preparation *p, GPid *child, int *errors, GError **error)
{
    g_auto(GStrv) arguments = make_arguments(p);
    g_auto(GStrv) environment = make_environment(p);
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL;
    GError *problem = NULL;

    if (strcmp(p->run->capture, "-") == 0)
        flags |= G_SPAWN_CHILD_INHERITS_STDIN;
    if (g_spawn_async_with_pipes(NULL, arguments, environment, flags, set_up_child, p, child, NULL,
                                 NULL, errors, &problem))
        return true;
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK, "%s: cannot be run: %s",
                p->program, problem->message);
    g_error_free(problem);
    return false;
}

/* ---- While it runs ---- */

static void take_line(struct tshark_run *run, const char *line)
{
    if (g_str_has_prefix(line, "Running as user \""))
        return;
    if (strstr(line, "cut short") != NULL || strstr(line, "damaged or corrupt") != NULL)
        run->saw_cut = true;
    if (strstr(line, "Invalid -z argument \"fieldedge") != NULL)
        run->saw_no_plugin = true; /* the names of all others follow */
    if (!run->saw_no_plugin && run->message != NULL)
        run->message(line, run->message_data);
}

/* Hands the whole lines out; what is longer than any sentence goes in pieces. */
static void take_lines(struct tshark_run *run, GString *text, bool is_end)
{
    char *end;

    while ((end = memchr(text->str, '\n', text->len)) != NULL || text->len > LINE_MAX_BYTES ||
           (is_end && text->len > 0)) {
        gsize length = end != NULL ? (gsize)(end - text->str) : text->len;
        g_autofree char *line = g_strndup(text->str, length);
        g_string_erase(text, 0, (gssize)(length + (end != NULL)));
        take_line(run, line);
    }
}

/* Which of the child's descriptors is the capture file: -1 if none can be seen. */
static int find_descriptor(GPid child, const struct stat *capture)
{
    g_autofree char *folder = g_strdup_printf("/proc/%d/fd", child);
    DIR *directory = opendir(folder);
    int found = -1;

    for (struct dirent *entry;
         directory != NULL && found < 0 && (entry = readdir(directory)) != NULL;) {
        struct stat status;
        if (fstatat(dirfd(directory), entry->d_name, &status, 0) == 0 &&
            status.st_dev == capture->st_dev && status.st_ino == capture->st_ino)
            found = (int)strtol(entry->d_name, NULL, 10);
    }
    if (directory != NULL)
        closedir(directory);
    return found;
}

static gint64 read_offset(GPid child, int descriptor)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fdinfo/%d", child, descriptor);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !g_str_has_prefix(text, "pos:"))
        return FIELDEDGE_NONE;
    return g_ascii_strtoll(text + strlen("pos:"), NULL, 10);
}

/* State of the progress of one run. */
struct watching {
    GPid child;
    struct stat capture;
    bool is_file;
    int descriptor;
    gint64 began_us, last_us;
};

static void show_progress(struct tshark_run *run, struct watching *w)
{
    gint64 now = g_get_monotonic_time();

    if (run->progress == NULL || now - w->last_us < PROGRESS_MS * G_TIME_SPAN_MILLISECOND)
        return;
    w->last_us = now;
    if (w->is_file && w->descriptor < 0)
        w->descriptor = find_descriptor(w->child, &w->capture);
    schema_report_read(run->recording->report, &run->report);
    FieldEdgeProgress progress = {
        .capture = run->capture,
        .elapsed_ns = (now - w->began_us) * 1000,
        .packets = run->report.packets,
        .bytes_read = w->descriptor < 0 ? FIELDEDGE_NONE : read_offset(w->child, w->descriptor),
        .bytes = w->is_file ? w->capture.st_size : FIELDEDGE_NONE,
    };
    run->progress(&progress, run->progress_data);
}

/* Until the child closes its standard error, which is when it ends. */
static void attend(struct tshark_run *run, GPid child, int errors)
{
    struct watching w = {.child = child, .descriptor = -1, .began_us = g_get_monotonic_time()};
    g_autoptr(GString) text = g_string_new(NULL);
    bool is_told = false;

    w.is_file = stat(run->capture, &w.capture) == 0 && S_ISREG(w.capture.st_mode);
    for (;;) {
        struct pollfd readable = {.fd = errors, .events = POLLIN};
        char bytes[4096];
        if (run->cancelled != NULL && *run->cancelled && !is_told)
            is_told = kill(child, SIGINT) == 0;
        int ready = poll(&readable, 1, PROGRESS_MS);
        show_progress(run, &w);
        if (ready <= 0)
            continue;
        ssize_t length = read(errors, bytes, sizeof bytes);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            break;
        g_string_append_len(text, bytes, length);
        take_lines(run, text, false);
    }
    take_lines(run, text, true);
}

bool tshark_record(struct tshark_run *run, GError **error)
{
    struct preparation p = {.run = run};
    struct stat status;
    GPid child;
    int errors;
    bool ok = false;

    run->recording->report = memfd_create("fieldedge", MFD_CLOEXEC);
    find_plugin(&p);
    p.program = find_tshark(run, error);
    if (p.program == NULL || !make_database(&p, error) || !start(&p, &child, &errors, error))
        goto done;
    attend(run, child, errors);
    close(errors);
    while (waitpid(child, &run->status, 0) < 0 && errno == EINTR)
        continue;
    schema_report_read(run->recording->report, &run->report);
    ok = true;
done:
    if (p.is_new && g_stat(run->database, &status) == 0 && status.st_size == 0)
        g_unlink(run->database);
    if (run->recording->report >= 0)
        close(run->recording->report);
    run->recording->report = -1;
    g_free(p.program);
    g_free(p.plugin_dir);
    return ok;
}
