/* inputs.c
 * Which capture files an operand of the command line stands for.
 *
 *     site.pcapng      that file
 *     captures/        the captures that lie in the folder itself, by name
 *     'day*.pcap'      what the pattern fits, if there is no file of that very name
 *     -                standard input
 *
 * In a folder a file is a capture if it begins as one (pcap, pcapng), or is compressed and its name
 * says so (x.pcap.gz, x.pcapng.zst, x.cap.lz4): a database beside it is passed over.  Names are
 * ordered as people count: part2 comes before part10.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strverscmp() */
#endif
#include "fieldedge.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool begins_as_capture(const char *path)
{
    static const guint8 magics[][4] = {
        {0x0a, 0x0d, 0x0d, 0x0a},                           /* pcapng */
        {0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, /* pcap, µs */
        {0xa1, 0xb2, 0x3c, 0x4d}, {0x4d, 0x3c, 0xb2, 0xa1}, /* pcap, ns */
        {0xa1, 0xb2, 0xcd, 0x34}, {0x34, 0xcd, 0xb2, 0xa1}, /* pcap, modified */
    };
    guint8 start[4];
    FILE *file = fopen(path, "re");
    bool found = false;

    if (file == NULL)
        return false;
    if (fread(start, sizeof start, 1, file) == 1) {
        for (size_t i = 0; i < G_N_ELEMENTS(magics); i++)
            found |= memcmp(start, magics[i], sizeof start) == 0;
    }
    fclose(file);
    return found;
}

static bool is_named_as_compressed(const char *name)
{
    static const char *const ends[] = {".gz", ".zst", ".lz4"};

    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (g_str_has_suffix(name, ends[i]))
            return strstr(name, ".pcap") != NULL || strstr(name, ".cap") != NULL;
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_folder(GPtrArray *files, const char *folder, GError **error)
{
    GError *problem = NULL;
    GDir *directory = g_dir_open(folder, 0, &problem);
    guint before = files->len;
    const char *name;

    if (directory == NULL) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: cannot be read: %s",
                    folder, problem->message);
        g_error_free(problem);
        return false;
    }
    while ((name = g_dir_read_name(directory)) != NULL) {
        char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
            (is_named_as_compressed(name) || begins_as_capture(path)))
            g_ptr_array_add(files, path);
        else
            g_free(path);
    }
    g_dir_close(directory);
    if (files->len > before) {
        qsort(files->pdata + before, files->len - before, sizeof *files->pdata, compare_names);
        return true;
    }
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NOT_FOUND,
                "%s: there is no capture in this directory", folder);
    return false;
}

static bool add_path(GPtrArray *files, const char *path, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return add_folder(files, path, error);
    g_ptr_array_add(files, g_strdup(path));
    return true;
}

static bool add_pattern(GPtrArray *files, const char *pattern, GError **error)
{
    glob_t found;
    bool ok = true;
    int code = glob(pattern, 0, NULL, &found);

    if (code != 0) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NOT_FOUND,
                    "%s: there is no such file, and none that fits as a pattern", pattern);
        return false;
    }
    qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, compare_names);
    for (size_t i = 0; ok && i < found.gl_pathc; i++)
        ok = add_path(files, found.gl_pathv[i], error);
    globfree(&found);
    return ok;
}

char **fieldedge_capture_files(const char *operand, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    bool is_there = strcmp(operand, "-") == 0 || g_file_test(operand, G_FILE_TEST_EXISTS);
    bool ok = !is_there && strpbrk(operand, "*?[") != NULL ? add_pattern(files, operand, error)
                                                           : add_path(files, operand, error);

    if (!ok)
        return NULL;
    g_ptr_array_add(files, NULL);
    g_ptr_array_set_free_func(files, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&files), FALSE);
}
