/* mend.c
 * editcap reads standard input and writes standard output, both opened here: as nobody, if we are
 * root.  Its exit codes differ between versions; what it made is looked at instead.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "mend.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct editing {
    child_line_func take_error;
    void *data;
    GString *words; /* what it says is wrong */
};

static void take_line(char *line, void *data)
{
    struct editing *editing = data;

    if (g_str_has_prefix(line, "editcap: ") && editing->words->len < 4096)
        g_string_append_printf(editing->words, "%s%s", editing->words->len > 0 ? " " : "",
                               line + strlen("editcap: "));
    if (editing->take_error != NULL)
        editing->take_error(line, editing->data);
}

const char *mend_compressor(const char *path)
{
    if (g_str_has_suffix(path, ".gz"))
        return "gzip";
    if (g_str_has_suffix(path, ".zst"))
        return "zstd";
    return g_str_has_suffix(path, ".lz4") ? "lz4" : NULL;
}

bool mend_check_output(const char *path, const char *output, gboolean may_replace, GError **error)
{
    if (file_is_same(path, output)) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: this is the capture itself, by this or another name; choose another file",
                    output);
        return false;
    }
    if (may_replace || g_access(output, F_OK) != 0)
        return true;
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                "%s: the file is there already; choose another name, or --force to replace it",
                output);
    return false;
}

static bool failed(const char *path, const char *program, const struct editing *editing, int status,
                   GError **error)
{
    g_autofree char *fate = child_fate(status);
    const char *words = editing->words->len > 0 ? editing->words->str : fate;
    bool is_full = strstr(words, "space") != NULL || strstr(words, "quota") != NULL;

    g_set_error(
        error, FIELDEDGE_ERROR, is_full ? FIELDEDGE_ERROR_NO_SPACE : FIELDEDGE_ERROR_RECORDING,
        "%s: %s could not make the new file, the original is untouched: %s", path, program, words);
    return false;
}

static bool run_editcap(int input, int output, const char *type, const char *const *words,
                        struct editing *editing, FieldEdgeCancellable *cancellable, int *status,
                        GError **error)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    const struct child_options options = {.input = input,
                                          .output = output,
                                          .is_unprivileged = true,
                                          .take_error = take_line,
                                          .data = editing};
    struct child_options complete = options;

    g_ptr_array_add(arguments, (gpointer) "editcap");
    for (; *words != NULL; words++)
        g_ptr_array_add(arguments, (gpointer)*words);
    g_ptr_array_add(arguments, (gpointer) "-F");
    g_ptr_array_add(arguments, (gpointer)type);
    g_ptr_array_add(arguments, (gpointer) "-");
    g_ptr_array_add(arguments, (gpointer) "-");
    g_ptr_array_add(arguments, NULL);
    complete.arguments = (const char *const *)arguments->pdata;
    return lseek(input, 0, SEEK_SET) == 0 && child_run(&complete, cancellable, status, error);
}

/* What was written, compressed into a second temporary file that takes the place of the first. */
static bool compress(const char *path, const char *program, struct file_replacement *replacement,
                     FieldEdgeCancellable *cancellable, GError **error)
{
    const char *const arguments[] = {program, "-c", NULL};
    struct file_replacement packed = {NULL, NULL};
    struct editing editing = {.words = g_string_new(NULL)};
    struct child_options options = {
        .arguments = arguments, .is_unprivileged = true, .take_error = take_line, .data = &editing};
    int status;
    bool ok = false;

    if (!file_replacement_begin(&packed, replacement->target, replacement->temporary, error))
        goto done;
    options.input = open(replacement->temporary, O_RDONLY | O_CLOEXEC);
    options.output = open(packed.temporary, O_WRONLY | O_CLOEXEC);
    ok = child_run(&options, cancellable, &status, error);
    close(options.input);
    close(options.output);
    if (ok && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        ok = failed(path, program, &editing, status, error);
    if (ok) {
        g_unlink(replacement->temporary);
        g_free(replacement->temporary);
        replacement->temporary = g_steal_pointer(&packed.temporary);
    }
done:
    g_string_free(editing.words, TRUE);
    file_replacement_drop(&packed);
    return ok;
}

static bool write_it(int file, const char *path, const char *type, const char *const *words,
                     struct file_replacement *replacement, struct editing *editing,
                     FieldEdgeCancellable *cancellable, struct inspection *result, GError **error)
{
    int output = open(replacement->temporary, O_RDWR | O_TRUNC | O_CLOEXEC);
    int status = 0;
    bool ok = false;

    if (output < 0) {
        file_failed(replacement->temporary, "cannot be opened", errno, error);
        return false;
    }
    if (run_editcap(file, output, type, words, editing, cancellable, &status, error)) {
        ok = inspect_file(output, path, cancellable, result, error);
        if (ok && result->state != FIELDEDGE_FILE_WHOLE) {
            inspection_clear(result);
            ok = failed(path, "editcap", editing, status, error);
        }
    }
    close(output);
    return ok;
}

bool mend_write(int file, const char *path, const char *type, const char *const *words,
                const char *compressor, struct file_replacement *replacement,
                child_line_func take_error, void *data, FieldEdgeCancellable *cancellable,
                struct inspection *result, GError **error)
{
    struct editing editing = {take_error, data, g_string_new(NULL)};
    bool ok = write_it(file, path, type, words, replacement, &editing, cancellable, result, error);

    g_string_free(editing.words, TRUE);
    if (!ok)
        return false;
    if (compressor == NULL || compress(path, compressor, replacement, cancellable, error))
        return true;
    inspection_clear(result);
    return false;
}
