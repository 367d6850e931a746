/* progress.c: see progress.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    QUIET_MS = 1000,  /* short work shows nothing */
    KNOWN_PART = 100, /* of all, before the time that is left is worth saying */
    COLUMNS = 80
};

#define NS_PER_SECOND G_GINT64_CONSTANT(1000000000)

static gint64 size_of(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

void progress_begin(struct progress *progress, const char *const *captures)
{
    *progress = (struct progress){.is_terminal = isatty(STDERR_FILENO) == 1,
                                  .began_us = g_get_monotonic_time()};
    for (; *captures != NULL; captures++) {
        progress->bytes += size_of(*captures);
        progress->files++;
    }
}

void progress_next(struct progress *progress, const char *capture)
{
    progress->bytes_done += progress->file_bytes;
    progress->file_bytes = size_of(capture);
    progress->file++;
}

void progress_skip(struct progress *progress)
{
    progress->bytes_skipped += progress->file_bytes;
}

/* 1234567 as "1,234,567". */
static void append_grouped(GString *line, gint64 number)
{
    g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, number);
    gsize length = strlen(digits);

    for (gsize i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            g_string_append_c(line, ',');
        g_string_append_c(line, digits[i]);
    }
}

static void append_time(GString *line, gint64 seconds)
{
    if (seconds >= 3600)
        g_string_append_printf(line, "%d:%02d:%02d", (int)(seconds / 3600),
                               (int)(seconds / 60 % 60), (int)(seconds % 60));
    else
        g_string_append_printf(line, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
}

/* A name from a disk may hold anything. */
static void append_name(GString *line, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);

    for (const char *at = name; *at != '\0'; at++)
        g_string_append_c(line, (guchar)*at < ' ' || *at == 0x7f ? '?' : *at);
}

char *progress_line(const struct progress *progress, const FieldEdgeProgress *news,
                    gint64 elapsed_ns)
{
    GString *line = g_string_new(NULL);

    append_name(line, news->capture);
    if (progress->files > 1)
        g_string_append_printf(line, " (%u of %u)", progress->file, progress->files);
    g_string_append(line, ": ");
    bool is_known = news->bytes_read >= 0 && news->bytes > 0;
    if (is_known)
        g_string_append_printf(line, "%d %%, ",
                               (int)(100.0 * (double)news->bytes_read / (double)news->bytes));
    append_grouped(line, news->packets);
    g_string_append(line, " packets, ");
    append_grouped(line, news->elapsed_ns <= 0
                             ? 0
                             : (gint64)((double)news->packets * 1e9 / (double)news->elapsed_ns));
    g_string_append(line, "/s");
    gint64 done = progress->bytes_done + news->bytes_read - progress->bytes_skipped;
    gint64 all = progress->bytes - progress->bytes_skipped;
    if (is_known && done >= all / KNOWN_PART) {
        g_string_append(line, ", ");
        append_time(line, (gint64)((double)elapsed_ns / (double)done * (double)MAX(0, all - done)) /
                              NS_PER_SECOND);
        g_string_append(line, " left");
    }
    return g_string_free(line, FALSE);
}

static int columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

void progress_show(struct progress *progress, const FieldEdgeProgress *news)
{
    gint64 elapsed_us = g_get_monotonic_time() - progress->began_us;

    if (elapsed_us < QUIET_MS * G_TIME_SPAN_MILLISECOND ||
        !(progress->is_terminal || fieldedge_job_is_self()))
        return;
    g_autofree char *line = progress_line(progress, news, elapsed_us * 1000);
    fieldedge_job_report(line);
    if (!progress->is_terminal)
        return;
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, line);
    fflush(stderr);
    progress->is_shown = true;
}

void progress_hide(struct progress *progress)
{
    if (!progress->is_shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->is_shown = false;
}
