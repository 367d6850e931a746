/* spool.c: see spool.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strverscmp() */
#endif
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ORPHAN_PATIENCE_MS = 10000,
    STOP_PATIENCE_MS = 5000,
    PAUSE_MS = 20,
    FILES_MIN = 2,
    FILES_MAX = 10000,
    KIB = 1024
};

static char *path_in(const struct spool *spool, const char *name)
{
    return g_build_filename(spool->folder, name, NULL);
}

/* ---- Locks ---- */

/* A descriptor that holds the lock; -1 with errno EWOULDBLOCK: another has it. */
static int take_lock(const struct spool *spool, const char *name)
{
    g_autofree char *path = path_in(spool, name);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0) {
        int number = errno;
        close(file);
        errno = number;
        return -1;
    }
    return file;
}

/* The dumpcap that an earlier watch left behind, by the id that it noted; 0: there is none. */
static GPid find_orphan(const struct spool *spool)
{
    g_autofree char *path = path_in(spool, "dumpcap.pid");
    g_autofree char *text = NULL, *words = NULL, *line_path = NULL;
    gsize length = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    GPid process = (GPid)g_ascii_strtoll(text, NULL, 10);
    line_path = g_strdup_printf("/proc/%d/cmdline", process);
    if (process <= 1 || !g_file_get_contents(line_path, &words, &length, NULL))
        return 0;
    for (gsize i = 0; i + 1 < length; i++) {
        if (words[i] == '\0')
            words[i] = ' ';
    }
    return strstr(words, spool->folder) != NULL ? process : 0;
}

/* The id alone could be another's by now: the held lock proves that dumpcap lives, the command line
 * that it is this one. */
static bool end_orphan(const struct spool *spool, GError **error)
{
    int lock = take_lock(spool, "lock.dumpcap");

    for (int waited = 0; lock < 0 && errno == EWOULDBLOCK && waited < ORPHAN_PATIENCE_MS;
         waited += PAUSE_MS) {
        GPid orphan = waited == 0 ? find_orphan(spool) : 0;
        if (orphan != 0)
            kill(orphan, SIGTERM);
        g_usleep((gulong)PAUSE_MS * 1000);
        lock = take_lock(spool, "lock.dumpcap");
    }
    if (lock >= 0) {
        close(lock);
        return true;
    }
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_LOCKED,
                "%s: dumpcap still captures into this folder; end it", spool->folder);
    return false;
}

bool spool_open(struct spool *spool, GError **error)
{
    spool->errors = spool->lock = -1;
    if (g_mkdir_with_parents(spool->folder, 0700) != 0) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: cannot be made: %s",
                    spool->folder, g_strerror(errno));
        return false;
    }
    spool->lock = take_lock(spool, "lock");
    if (spool->lock >= 0)
        return end_orphan(spool, error);
    if (errno == EWOULDBLOCK)
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_LOCKED,
                    "%s: another fieldedge watch uses this folder", spool->folder);
    else
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: cannot be written: %s",
                    spool->folder, g_strerror(errno));
    return false;
}

/* ---- Capabilities ---- */

static bool read_capabilities(struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return syscall(SYS_capget, &header, data) == 0;
}

static bool write_capabilities(const struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return syscall(SYS_capset, &header, data) == 0;
}

void spool_shed_capabilities(void)
{
    struct __user_cap_data_struct data[2];

    if (geteuid() == 0 || !read_capabilities(data))
        return;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    data[0].effective = data[1].effective = 0;
    data[0].inheritable = data[1].inheritable = 0;
    write_capabilities(data);
}

/* In the child that becomes dumpcap: CAP_NET_RAW back, if we may have it. */
static void raise_net_raw(void)
{
    struct __user_cap_data_struct data[2];

    if (!read_capabilities(data) || (data[0].permitted & 1u << CAP_NET_RAW) == 0)
        return;
    data[0].inheritable |= 1u << CAP_NET_RAW;
    if (write_capabilities(data))
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0);
}

/* ---- dumpcap ---- */

struct child {
    int lock;
};

/* Its own process group: Ctrl-C is ours, and we end it when its last file is due. */
static void set_up_child(gpointer data)
{
    const struct child *child = data;

    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    fcntl(child->lock, F_SETFD, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (geteuid() != 0)
        raise_net_raw();
}

static GStrv make_arguments(const struct spool *spool)
{
    GPtrArray *words = g_ptr_array_new();
    gint64 files = CLAMP(spool->ring_bytes / spool->file_bytes, FILES_MIN, FILES_MAX);

    g_ptr_array_add(words, g_strdup(spool->program != NULL ? spool->program : "dumpcap"));
    g_ptr_array_add(words, g_strdup("-q"));
    g_ptr_array_add(words, g_strdup("-i"));
    g_ptr_array_add(words, g_strdup(spool->interface));
    if (spool->capture_filter != NULL) {
        g_ptr_array_add(words, g_strdup("-f"));
        g_ptr_array_add(words, g_strdup(spool->capture_filter));
    }
    if (spool->snap_length > 0) {
        g_ptr_array_add(words, g_strdup("-s"));
        g_ptr_array_add(words, g_strdup_printf("%d", spool->snap_length));
    }
    g_ptr_array_add(words, g_strdup("-b"));
    g_ptr_array_add(words, g_strdup_printf("duration:%" G_GINT64_FORMAT, spool->seconds));
    g_ptr_array_add(words, g_strdup("-b"));
    g_ptr_array_add(words,
                    g_strdup_printf("filesize:%" G_GINT64_FORMAT, MAX(1, spool->file_bytes / KIB)));
    g_ptr_array_add(words, g_strdup("-b"));
    g_ptr_array_add(words, g_strdup_printf("files:%" G_GINT64_FORMAT, files));
    g_ptr_array_add(words, g_strdup("-w"));
    g_ptr_array_add(words, g_strdup_printf("%s/%s.pcapng", spool->folder, spool->base));
    g_ptr_array_add(words, NULL);
    return (GStrv)g_ptr_array_free(words, FALSE);
}

static void note_process(const struct spool *spool)
{
    g_autofree char *path = path_in(spool, "dumpcap.pid");
    g_autofree char *text = g_strdup_printf("%d\n", spool->dumpcap);

    g_file_set_contents(path, text, -1, NULL);
}

bool spool_start(struct spool *spool, guint run, GError **error)
{
    struct child child = {.lock = take_lock(spool, "lock.dumpcap")};
    GError *problem = NULL;

    spool->run = run;
    g_free(spool->base);
    spool->base =
        g_strdup_printf("watch-%06u-%" G_GINT64_FORMAT, run, g_get_real_time() / G_USEC_PER_SEC);
    g_auto(GStrv) arguments = make_arguments(spool);
    g_clear_pointer(&spool->last_words, g_free);
    spool->was_heard = false;
    spool->dropped = FIELDEDGE_NONE;
    if (spool->text == NULL)
        spool->text = g_string_new(NULL);
    g_string_truncate(spool->text, 0);
    bool ok = g_spawn_async_with_pipes(
        NULL, arguments, NULL,
        G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, set_up_child,
        &child, &spool->dumpcap, NULL, NULL, &spool->errors, &problem);
    if (child.lock >= 0)
        close(child.lock);
    if (!ok) {
        spool->dumpcap = 0;
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK,
                    "%s: cannot be run: %s; install the package wireshark-common (Debian, Ubuntu) "
                    "or wireshark-cli (Fedora)",
                    arguments[0], problem->message);
        g_error_free(problem);
        return false;
    }
    note_process(spool);
    return true;
}

/* "Packets received/dropped on interface 'eth1': 1234/5 (pcap:5/dumpcap:0/flushed:0/ps_ifdrop:0)
 * (99.6%)" */
static bool take_drops(struct spool *spool, const char *line)
{
    const char *at = strstr(line, "received/dropped on interface");
    const char *numbers = at == NULL ? NULL : strrchr(line, '\'');

    if (numbers == NULL || (numbers = strchr(numbers, '/')) == NULL)
        return false;
    spool->dropped = g_ascii_strtoll(numbers + 1, NULL, 10);
    return true;
}

static void take_line(struct spool *spool, const char *line)
{
    if (g_str_has_prefix(line, "File: ")) {
        spool->was_heard = true;
        return;
    }
    if (*line == '\0' || g_str_has_prefix(line, "Capturing on ") ||
        g_str_has_prefix(line, "Packets captured: ") || take_drops(spool, line))
        return;
    if (spool->last_words == NULL)
        spool->last_words = g_strdup(line);
    if (spool->message != NULL)
        spool->message(line, spool->message_data);
}

static void take_lines(struct spool *spool)
{
    char *end;

    while ((end = strpbrk(spool->text->str, "\r\n")) != NULL) {
        g_autofree char *line = g_strndup(spool->text->str, (gsize)(end - spool->text->str));
        g_string_erase(spool->text, 0, end - spool->text->str + 1);
        take_line(spool, line);
    }
}

static void reap(struct spool *spool)
{
    g_string_append_c(spool->text, '\n');
    take_lines(spool);
    close(spool->errors);
    spool->errors = -1;
    while (waitpid(spool->dumpcap, NULL, 0) < 0 && errno == EINTR)
        continue;
    spool->dumpcap = 0;
}

bool spool_listen(struct spool *spool, int timeout_ms)
{
    struct pollfd readable = {.fd = spool->errors, .events = POLLIN};
    char bytes[4096];

    if (spool->dumpcap == 0)
        return false;
    if (poll(&readable, 1, timeout_ms) <= 0)
        return true;
    ssize_t length = read(spool->errors, bytes, sizeof bytes);
    if (length < 0 && errno == EINTR)
        return true;
    if (length <= 0) {
        reap(spool);
        return false;
    }
    g_string_append_len(spool->text, bytes, length);
    take_lines(spool);
    return true;
}

void spool_stop(struct spool *spool)
{
    gint64 deadline = g_get_monotonic_time() + STOP_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;

    if (spool->dumpcap == 0)
        return;
    kill(spool->dumpcap, SIGTERM);
    while (spool_listen(spool, PAUSE_MS)) {
        if (g_get_monotonic_time() > deadline)
            kill(spool->dumpcap, SIGKILL);
    }
}

/* ---- Files ---- */

bool spool_parse_name(const char *name, guint *run, guint *number, gint64 *began)
{
    static const char prefix[] = "watch-";
    char *at;

    if (!g_str_has_prefix(name, prefix) || !g_str_has_suffix(name, ".pcapng"))
        return false;
    *run = (guint)g_ascii_strtoull(name + strlen(prefix), &at, 10);
    if (*at != '-')
        return false;
    *began = g_ascii_strtoll(at + 1, &at, 10);
    if (*at != '_')
        return false;
    *number = (guint)g_ascii_strtoull(at + 1, &at, 10);
    return *at == '_' && *number > 0;
}

static int compare_names(const void *a, const void *b)
{
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

char **spool_closed_files(const struct spool *spool)
{
    GPtrArray *names = g_ptr_array_new();
    GDir *directory = g_dir_open(spool->folder, 0, NULL);
    guint run, number;
    gint64 began;
    const char *name;

    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        if (spool_parse_name(name, &run, &number, &began))
            g_ptr_array_add(names, g_strdup(name));
    }
    if (directory != NULL)
        g_dir_close(directory);
    if (names->len > 1)
        qsort(names->pdata, names->len, sizeof *names->pdata, compare_names);
    /* The last of a run that still goes on is not closed. */
    if (names->len > 0 && spool->dumpcap != 0 &&
        g_str_has_prefix(g_ptr_array_index(names, names->len - 1), spool->base))
        g_free(g_ptr_array_steal_index(names, names->len - 1));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

void spool_close(struct spool *spool)
{
    spool_stop(spool);
    if (spool->lock >= 0)
        close(spool->lock);
    if (spool->text != NULL)
        g_string_free(spool->text, TRUE);
    g_free(spool->folder);
    g_free(spool->interface);
    g_free(spool->capture_filter);
    g_free(spool->program);
    g_free(spool->base);
    g_free(spool->last_words);
}
