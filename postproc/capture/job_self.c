/* job_self.c
 * What a job says of itself while it runs.  In a process that is no job these functions do nothing.
 *
 * The process that started it waits at a pipe: a byte says that the job has begun well, the end of
 * the pipe without one that it has not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "files.h"
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_US = G_USEC_PER_SEC };

/* Of this process.  folder is NULL in one that is no job. */
static struct {
    bool is_known;
    int file; /* the pipe to who started it; -1: closed */
    char *folder;
    GKeyFile *state;
    gint64 reported_us; /* monotonic time of the last report */
} self = {.file = -1};

bool jobs_write_state(const char *folder, GKeyFile *state, bool is_lasting, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "state", NULL);
    g_autofree char *temporary = g_build_filename(folder, ".state.new", NULL);
    g_autofree char *text = g_key_file_to_data(state, NULL, NULL);
    size_t length = strlen(text);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = file >= 0 && write(file, text, length) == (ssize_t)length &&
              (!is_lasting || fsync(file) == 0);

    if (file >= 0)
        close(file);
    ok = ok && g_rename(temporary, path) == 0;
    if (!ok)
        file_failed(path, "the state of the job cannot be written", errno, error);
    return ok;
}

/* Reads the variable once, and takes it away from our children. */
static bool is_job(void)
{
    const char *value = g_getenv(JOB_VARIABLE);
    char *rest;

    if (self.is_known)
        return self.folder != NULL;
    self.is_known = true;
    if (value == NULL)
        return false;
    int file = (int)g_ascii_strtoll(value, &rest, 10);
    if (rest == value || *rest != ' ')
        return false;
    g_autofree char *folder = g_strdup(rest + 1);
    g_autofree char *path = g_build_filename(folder, "state", NULL);
    GKeyFile *state = g_key_file_new();
    g_unsetenv(JOB_VARIABLE);
    if (!g_key_file_load_from_file(state, path, G_KEY_FILE_NONE, NULL) ||
        g_key_file_get_int64(state, JOB_GROUP, "process", NULL) != getpid()) {
        g_key_file_free(state);
        return false;
    }
    fcntl(file, F_SETFD, FD_CLOEXEC);
    self.file = file;
    self.folder = g_steal_pointer(&folder);
    self.state = state;
    return true;
}

gboolean fieldedge_job_is_self(void)
{
    return is_job();
}

void fieldedge_job_ready(void)
{
    if (!is_job() || self.file < 0)
        return;
    (void)!write(self.file, "R", 1);
    close(self.file);
    self.file = -1;
}

void fieldedge_job_report(const char *progress)
{
    gint64 now = g_get_monotonic_time();

    if (!is_job() || (self.reported_us != 0 && now - self.reported_us < REPORT_US))
        return;
    self.reported_us = now;
    g_key_file_set_string(self.state, JOB_GROUP, "progress", progress);
    jobs_write_state(self.folder, self.state, false, NULL);
}

void fieldedge_job_set_result(const char *path)
{
    if (!is_job())
        return;
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *escaped = g_strescape(absolute, NULL); /* a path need not be UTF-8 */
    g_key_file_set_string(self.state, JOB_GROUP, "result", escaped);
    jobs_write_state(self.folder, self.state, false, NULL);
}

void fieldedge_job_end(int exit_code)
{
    if (!is_job())
        return;
    g_key_file_set_integer(self.state, JOB_GROUP, "exit_code", exit_code);
    g_key_file_set_int64(self.state, JOB_GROUP, "ended_ns", g_get_real_time() * 1000);
    jobs_write_state(self.folder, self.state, true, NULL);
    if (self.file >= 0)
        close(self.file); /* after the state: who waits there reads it next */
    self.file = -1;
}
