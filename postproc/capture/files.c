/* files.c
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void file_failed(const char *path, const char *what, int number, GError **error)
{
    FieldEdgeError code = number == ENOENT                       ? FIELDEDGE_ERROR_NOT_FOUND
                          : number == ENOSPC || number == EDQUOT ? FIELDEDGE_ERROR_NO_SPACE
                                                                 : FIELDEDGE_ERROR_ACCESS;
    const char *why = number == ENOENT ? "there is no such file or directory" : g_strerror(number);

    g_set_error(error, FIELDEDGE_ERROR, code, "%s: %s%s%s", path, what, *what == '\0' ? "" : ": ",
                why);
}

int file_open_regular(const char *path, GError **error)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* no waiting for a pipe's writer */

    if (file < 0) {
        file_failed(path, errno == ENOENT ? "" : "cannot be read", errno, error);
        return -1;
    }
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
        return file;
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: %s", path,
                S_ISDIR(status.st_mode) ? "this is a directory, not a capture"
                                        : "this is not a regular file");
    close(file);
    return -1;
}

bool file_is_same(const char *a, const char *b)
{
    struct stat left, right;

    return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

/* What a symbolic link leads to; any other name stays as it was given. */
static char *resolve(const char *path)
{
    char *resolved = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? realpath(path, NULL) : NULL;
    char *target = g_strdup(resolved != NULL ? resolved : path);

    free(resolved);
    return target;
}

static void copy_permissions(int file, const char *like)
{
    struct stat status;
    mode_t mode;

    if (stat(like, &status) != 0)
        return;
    mode = status.st_mode & 0777;
    if (fchown(file, status.st_uid, status.st_gid) != 0 &&
        fchown(file, (uid_t)-1, status.st_gid) != 0)
        mode &= 0700; /* what the old group might read is not for ours */
    (void)fchmod(file, mode);
}

bool file_replacement_begin(struct file_replacement *replacement, const char *target,
                            const char *like, GError **error)
{
    g_autofree char *resolved = resolve(target);
    g_autofree char *folder = g_path_get_dirname(resolved);
    g_autofree char *name = g_path_get_basename(resolved);
    g_autofree char *hidden = g_strdup_printf(".%.200s.XXXXXX", name);
    int file;

    replacement->target = g_steal_pointer(&resolved);
    replacement->temporary = g_build_filename(folder, hidden, NULL);
    file = g_mkstemp_full(replacement->temporary, O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) {
        file_failed(folder, "a file cannot be made in this directory", errno, error);
        g_clear_pointer(&replacement->temporary, g_free);
        file_replacement_drop(replacement);
        return false;
    }
    copy_permissions(file, like);
    close(file);
    return true;
}

static bool write_to_disk(const char *path, GError **error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = file >= 0 && fsync(file) == 0;

    if (!ok)
        file_failed(path, "cannot be written to the disk", errno, error);
    if (file >= 0)
        close(file);
    return ok;
}

/* The second name of the target; a file system without hard links gets a rename, which leaves the
 * target's name without a file for a moment. */
static bool keep_original(const struct file_replacement *replacement, const char *backup,
                          bool *is_moved, GError **error)
{
    if (link(replacement->target, backup) == 0)
        return true;
    *is_moved =
        errno != EEXIST && access(backup, F_OK) != 0 && rename(replacement->target, backup) == 0;
    if (*is_moved)
        return true;
    file_failed(backup, "the original cannot be kept under this name", errno, error);
    return false;
}

bool file_replacement_keep(struct file_replacement *replacement, const char *backup, GError **error)
{
    bool has_backup = backup != NULL && access(replacement->target, F_OK) == 0;
    bool is_moved = false;

    if (!write_to_disk(replacement->temporary, error))
        return false;
    if (has_backup && !keep_original(replacement, backup, &is_moved, error))
        return false;
    if (rename(replacement->temporary, replacement->target) == 0) {
        g_clear_pointer(&replacement->temporary, g_free);
        return true;
    }
    file_failed(replacement->target, "cannot be replaced", errno, error);
    if (is_moved)
        (void)rename(backup, replacement->target);
    else if (has_backup)
        g_unlink(backup);
    return false;
}

void file_replacement_drop(struct file_replacement *replacement)
{
    if (replacement->temporary != NULL)
        g_unlink(replacement->temporary);
    g_clear_pointer(&replacement->temporary, g_free);
    g_clear_pointer(&replacement->target, g_free);
}
