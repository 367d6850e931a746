/* create.c
 * Captures from an interface with dumpcap, which writes packets to a file and looks into none.
 *
 *     DIRECTORY/capture_20261124/capture_20261124T160719_600_eth1.pcap
 *
 * The file has its name from the beginning: who is killed, whose disk is full or whose power fails
 * finds it where it was promised.  dumpcap writes it out at least every half second and on every
 * signal that can be caught, so it is a capture at any moment.  What dumpcap could not finish
 * (kill -9, a full disk) may end in the middle of a packet: then that packet's beginning is cut off
 * here, and if we were killed too, `fieldedge check` says so and `fieldedge repair` does it.
 *
 * The name is taken with O_EXCL, before dumpcap runs: no capture replaces a file.  If nothing came
 * of it (no permission, no such interface) the file and a new directory are removed again.
 *
 * Duration: dumpcap counts by the wall clock, we by the monotonic one; if the clock is set back and
 * dumpcap goes on, we end it.
 *
 * dumpcap's lines: "File: NAME" when it has begun, "Packets: 18 " twice a second, at the end
 *     Packets received/dropped on interface 'eth1': 18/0 (pcap:0/dumpcap:0/flushed:0/ps_ifdrop:0)
 * Everything after "dumpcap: " is its own word on what is wrong.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "create.h"

#include "child.h"
#include "files.h"
#include "permission.h"
#include "structure.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_SECONDS = 60, TICK_MS = 500, GRACE_S = 3 };

/* One run of dumpcap. */
struct run {
    const FieldEdgeCaptureRun *setup;
    struct create_place place;
    bool has_begun;
    gint64 began_us;  /* monotonic */
    gint64 packets;   /* dumpcap's last count */
    gint64 received;  /* by the kernel, FIELDEDGE_NONE before the end */
    gint64 dropped;   /* by kernel, dumpcap and its end together */
    gint64 if_before; /* the interface's own drops at the beginning, as libpcap counts them */
    GString *words;   /* what dumpcap says is wrong */
};

FieldEdgeCaptureRun *fieldedge_capture_run_new(const char *interface)
{
    FieldEdgeCaptureRun *setup = g_new0(FieldEdgeCaptureRun, 1);

    setup->interface = g_strdup(interface);
    setup->seconds = DEFAULT_SECONDS;
    setup->has_subdirectory = TRUE;
    return setup;
}

static void set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

void fieldedge_capture_run_set_duration(FieldEdgeCaptureRun *setup, gint64 seconds)
{
    setup->seconds = seconds;
}

void fieldedge_capture_run_set_directory(FieldEdgeCaptureRun *setup, const char *directory,
                                         gboolean has_subdirectory)
{
    set_text(&setup->directory, directory);
    setup->has_subdirectory = has_subdirectory;
}

void fieldedge_capture_run_set_name(FieldEdgeCaptureRun *setup, const char *name)
{
    set_text(&setup->name, name);
}

void fieldedge_capture_run_set_filter(FieldEdgeCaptureRun *setup, const char *filter)
{
    set_text(&setup->filter, filter);
}

void fieldedge_capture_run_set_snap_length(FieldEdgeCaptureRun *setup, gint64 snap_length)
{
    setup->snap_length = snap_length;
}

void fieldedge_capture_run_set_options(FieldEdgeCaptureRun *setup, const char *const *options)
{
    g_strfreev(setup->options);
    setup->options = g_strdupv((char **)options);
}

void fieldedge_capture_run_set_dumpcap(FieldEdgeCaptureRun *setup, const char *dumpcap)
{
    set_text(&setup->dumpcap, dumpcap);
}

void fieldedge_capture_run_set_progress_func(FieldEdgeCaptureRun *setup, FieldEdgeCaptureFunc func,
                                             gpointer user_data)
{
    setup->progress = func;
    setup->progress_data = user_data;
}

void fieldedge_capture_run_free(FieldEdgeCaptureRun *setup)
{
    if (setup == NULL)
        return;
    g_free(setup->interface);
    g_free(setup->directory);
    g_free(setup->name);
    g_free(setup->filter);
    g_free(setup->dumpcap);
    g_strfreev(setup->options);
    g_free(setup->path);
    g_free(setup);
}

static const char *program(const FieldEdgeCaptureRun *setup)
{
    return setup->dumpcap != NULL ? setup->dumpcap : "dumpcap";
}

/* ---- dumpcap ---- */

static void abandon(const struct run *run)
{
    if (run->place.path != NULL)
        g_unlink(run->place.path);
    if (run->place.made_folder)
        g_rmdir(run->place.folder); /* as long as nobody else's capture is in it */
}

/* What the interface lost before the kernel saw it: libpcap's ps_ifdrop.  0 where it cannot tell.
 */
static gint64 interface_drops(const char *interface)
{
    static const char *const counters[] = {"rx_missed_errors", "rx_fifo_errors"};
    gint64 sum = 0;

    for (size_t i = 0; strchr(interface, '/') == NULL && i < G_N_ELEMENTS(counters); i++) {
        g_autofree char *path =
            g_build_filename("/sys/class/net", interface, "statistics", counters[i], NULL);
        g_autofree char *text = NULL;
        if (g_file_get_contents(path, &text, NULL, NULL))
            sum += g_ascii_strtoll(text, NULL, 10);
    }
    return sum;
}

/* "Packets received/dropped on interface 'a': 18/2 (pcap:…" */
static void take_totals(struct run *run, const char *line)
{
    const char *at = g_strrstr(line, "': ");
    char *end;

    if (at == NULL)
        return;
    gint64 received = g_ascii_strtoll(at + strlen("': "), &end, 10);
    if (*end != '/')
        return;
    run->received = received;
    run->dropped = g_ascii_strtoll(end + 1, NULL, 10);
}

static void take_words(struct run *run, const char *line)
{
    if (run->words->len > 0)
        g_string_append_c(run->words, ' ');
    if (run->words->len < 4096)
        g_string_append(run->words, line);
}

static void take_line(char *line, void *data)
{
    struct run *run = data;
    char *rest;

    if (g_str_has_prefix(line, "Packets: ")) {
        run->packets = g_ascii_strtoll(line + strlen("Packets: "), &rest, 10);
        if (*rest == ' ' && rest[1] != '\0')
            take_line(rest + 1, data); /* "Packets: 4 dumpcap: The network adapter …" */
    } else if (g_str_has_prefix(line, "Packets captured: "))
        run->packets = g_ascii_strtoll(line + strlen("Packets captured: "), NULL, 10);
    else if (g_str_has_prefix(line, "Packets received/dropped"))
        take_totals(run, line);
    else if (g_str_has_prefix(line, "File: ")) {
        run->has_begun = true;
        run->began_us = g_get_monotonic_time();
    } else if (g_str_has_prefix(line, "dumpcap: "))
        take_words(run, line + strlen("dumpcap: "));
    else if (!g_str_has_prefix(line, "Capturing on ") && run->words->len > 0)
        take_words(run, line);
}

static GPtrArray *make_arguments(const struct run *run)
{
    const FieldEdgeCaptureRun *setup = run->setup;
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    const char *own[] = {program(setup),
                         "-i",
                         setup->interface,
                         "-w",
                         run->place.path,
                         run->place.is_pcapng ? "-n" : "-P",
                         "-a"};

    for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
        g_ptr_array_add(words, g_strdup(own[i]));
    g_ptr_array_add(words, g_strdup_printf("duration:%" G_GINT64_FORMAT, setup->seconds));
    if (setup->snap_length > 0) {
        g_ptr_array_add(words, g_strdup("-s"));
        g_ptr_array_add(words, g_strdup_printf("%" G_GINT64_FORMAT, setup->snap_length));
    }
    if (setup->filter != NULL && *setup->filter != '\0') {
        g_ptr_array_add(words, g_strdup("-f"));
        g_ptr_array_add(words, g_strdup(setup->filter));
    }
    for (char **at = setup->options; at != NULL && *at != NULL; at++)
        g_ptr_array_add(words, g_strdup(*at));
    g_ptr_array_add(words, NULL);
    return words;
}

static gint64 size_of(const char *path)
{
    struct stat status;

    return path != NULL && stat(path, &status) == 0 ? status.st_size : 0;
}

static void fill(const struct run *run, FieldEdgeCaptureState *state)
{
    gint64 all = run->setup->seconds * G_USEC_PER_SEC;
    gint64 gone = run->has_begun ? g_get_monotonic_time() - run->began_us : 0;

    *state = (FieldEdgeCaptureState){
        .path = run->place.path,
        .elapsed_ns = gone * 1000,
        .left_ns = MAX(all - gone, 0) * 1000,
        .packets = run->packets,
        .file_bytes = size_of(run->place.path),
        .received = run->received,
        .dropped = run->dropped,
        .interface_dropped = MAX(interface_drops(run->setup->interface) - run->if_before, 0),
    };
}

static void report(const struct run *run)
{
    FieldEdgeCaptureState state;

    if (run->setup->progress == NULL || !run->has_begun)
        return;
    fill(run, &state);
    run->setup->progress(&state, run->setup->progress_data);
}

/* To the end of dumpcap.  A signal while it starts would be lost on it: it is sent again each
 * tick. */
static bool follow(struct run *run, FieldEdgeCancellable *cancellable, int *status, GError **error)
{
    g_autoptr(GPtrArray) arguments = make_arguments(run);
    const struct child_options options = {.arguments = (const char *const *)arguments->pdata,
                                          .input = -1,
                                          .output = -1,
                                          .take_error = take_line,
                                          .data = run};
    gint64 most = (run->setup->seconds + GRACE_S) * G_USEC_PER_SEC;
    bool is_over = false;
    struct child child;

    if (!child_spawn(&child, &options, error))
        return false;
    while (child_pump(&child, TICK_MS, is_over ? NULL : cancellable)) {
        is_over = fieldedge_cancellable_is_cancelled(cancellable) ||
                  (run->has_begun && g_get_monotonic_time() - run->began_us > most);
        if (is_over)
            child_signal(&child, SIGINT);
        report(run);
    }
    *status = child_end(&child);
    return true;
}

/* ---- After ---- */

/* Cuts off the beginning of a packet that dumpcap could not finish, and counts those that it could.
 * FALSE if there was something to cut off, or not even the file's header is there. */
static bool trim(struct run *run)
{
    int file = open(run->place.path, O_RDWR | O_CLOEXEC);
    struct structure structure;
    bool is_whole;

    if (file < 0)
        return false;
    structure_walk(file, G_MAXINT64, &structure);
    is_whole = structure.kind != STRUCTURE_OTHER && structure.offset == structure.size;
    if (structure.kind != STRUCTURE_OTHER && !is_whole)
        (void)!ftruncate(file, structure.offset);
    close(file);
    run->packets = structure.packets;
    return is_whole;
}

/* dumpcap's words, and ours on what it needs. */
static bool failed_to_begin(const struct run *run, int status, GError **error)
{
    g_autofree char *path = g_find_program_in_path(program(run->setup));
    g_autofree char *missing = path != NULL ? permission_missing(path) : NULL;
    g_autofree char *fate = child_fate(status);
    bool is_denied = missing != NULL &&
                     (strstr(run->words->str, "ermission") != NULL ||
                      strstr(run->words->str, "not permitted") != NULL || run->words->len == 0);

    if (run->words->len == 0)
        g_string_printf(run->words, "dumpcap %s", fate);
    if (is_denied)
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS,
                    "%s: no permission to capture: %s. dumpcap says: %s", run->setup->interface,
                    missing, run->words->str);
    else
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING, "%s: %s",
                    run->setup->interface, run->words->str);
    return false;
}

static bool conclude(struct run *run, int status, GError **error)
{
    g_autofree char *fate = child_fate(status);
    bool is_success = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    if (!run->has_begun && !is_success)
        return failed_to_begin(run, status, error);
    bool is_whole = trim(run);
    if (is_success && is_whole && run->words->len == 0)
        return true;
    if (!is_whole && run->words->len == 0 && is_success) /* dumpcap does not notice it at its end */
        g_string_assign(run->words, "the file is not whole; is there no space left on the disk?");
    bool is_full = strstr(run->words->str, "space") != NULL;
    g_set_error(
        error, FIELDEDGE_ERROR, is_full ? FIELDEDGE_ERROR_NO_SPACE : FIELDEDGE_ERROR_INTERRUPTED,
        "%s: the capture ended early: %s%s; the %" G_GINT64_FORMAT " packets until then are in %s",
        run->setup->interface, run->words->len == 0 ? "dumpcap " : "",
        run->words->len == 0 ? fate : run->words->str, run->packets, run->place.path);
    return false;
}

/* Where the program is, even if we may not run it; NULL: nowhere. */
static char *locate(const char *name)
{
    g_auto(GStrv) folders = g_strsplit(g_getenv("PATH") != NULL ? g_getenv("PATH") : "", ":", 0);
    char *found = g_find_program_in_path(name);

    if (found == NULL && strchr(name, '/') != NULL)
        return g_file_test(name, G_FILE_TEST_IS_REGULAR) ? g_strdup(name) : NULL;
    for (char **folder = folders; found == NULL && *folder != NULL; folder++) {
        g_autofree char *path = g_build_filename(*folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            found = g_steal_pointer(&path);
    }
    return found;
}

/* Refuses at once where dumpcap cannot even be run. */
static bool check_program(const FieldEdgeCaptureRun *setup, GError **error)
{
    g_autofree char *path = locate(program(setup));

    if (path == NULL) {
        child_no_tool(program(setup), error);
        return false;
    }
    if (access(path, X_OK) == 0)
        return true;
    g_autofree char *missing = permission_missing(path);
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: no permission to capture: %s",
                setup->interface, missing != NULL ? missing : "dumpcap cannot be run");
    return false;
}

static bool run_once(struct run *run, FieldEdgeCancellable *cancellable, GError **error)
{
    int status = 0;

    if (!create_check(run->setup, error) || !check_program(run->setup, error) ||
        !create_claim(run->setup, &run->place, error))
        return false;
    run->if_before = interface_drops(run->setup->interface);
    return follow(run, cancellable, &status, error) && conclude(run, status, error);
}

gboolean fieldedge_capture_run_execute(FieldEdgeCaptureRun *setup,
                                       FieldEdgeCancellable *cancellable,
                                       FieldEdgeCaptureState *state, GError **error)
{
    struct run run = {.setup = setup, .received = FIELDEDGE_NONE, .dropped = FIELDEDGE_NONE};
    bool ok;

    g_clear_pointer(&setup->path, g_free);
    run.words = g_string_new(NULL);
    ok = run_once(&run, cancellable, error);
    if (!ok && run.packets == 0 && !run.has_begun)
        abandon(&run);
    else
        setup->path = g_strdup(run.place.path);
    if (state != NULL) {
        fill(&run, state);
        state->path = setup->path;
    }
    g_string_free(run.words, TRUE);
    g_free(run.place.path);
    g_free(run.place.folder);
    return ok;
}
