/* repair.c
 * Makes a whole capture of one that is cut short or damaged: every packet before the damage, by
 * editcap, through a new file and a rename.
 *
 * In place: the original keeps its content under the name NAME.damaged (NAME.damaged.1 … if that
 * is taken), and at every moment there is a file of the original name.  Through a symbolic link the
 * file that it leads to is mended, and the original kept beside that.
 *
 * The result must have exactly the packets that capinfos could read in the original; otherwise
 * nothing is changed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "mend.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct _FieldEdgeMended {
    FieldEdgeMendReport report;
    char *path, *output, *backup;
};

static bool is_damaged(const struct inspection *found)
{
    return found->state == FIELDEDGE_FILE_CUT_SHORT || found->state == FIELDEDGE_FILE_CORRUPT;
}

/* Refuses what cannot be mended; it says why. */
static bool check_source(const char *path, const struct inspection *found, GError **error)
{
    const char *why = NULL;

    if (found->state == FIELDEDGE_FILE_FOREIGN)
        why = "this is not a capture";
    else if (found->size == 0)
        why = "the file has no bytes at all";
    else if (is_damaged(found) && found->packets == 0)
        why = "there is no whole packet before the damage";
    if (why == NULL)
        return true;
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_CAPTURE,
                "%s: cannot be mended: %s; the file is unchanged", path, why);
    return false;
}

/* The first name beside the file that is free. */
static char *backup_name(const char *target)
{
    char *name = g_strconcat(target, ".damaged", NULL);

    for (int i = 1; g_access(name, F_OK) == 0; i++) {
        g_free(name);
        name = g_strdup_printf("%s.damaged.%d", target, i);
    }
    return name;
}

static bool write_mended(FieldEdgeMended *mended, int file, const struct inspection *found,
                         FieldEdgeCancellable *cancellable, GError **error)
{
    static const char *const words[] = {NULL};
    bool is_in_place = mended->output == NULL;
    const char *target = is_in_place ? mended->path : mended->output;
    const char *compressor = is_in_place ? found->compressor : mend_compressor(target);
    struct file_replacement replacement;
    struct inspection result;
    bool ok = false;

    if (!file_replacement_begin(&replacement, target, mended->path, error))
        return false;
    if (!mend_write(file, mended->path, found->type, words, compressor, &replacement, NULL, NULL,
                    cancellable, &result, error))
        goto done;
    if (result.packets != found->packets) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING,
                    "%s: editcap kept %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                    " packets that can be read; the file is unchanged",
                    mended->path, result.packets, found->packets);
    } else {
        mended->backup = is_in_place ? backup_name(replacement.target) : NULL;
        ok = file_replacement_keep(&replacement, mended->backup, error);
    }
    mended->report.frame_bytes = result.frame_bytes;
    mended->report.has_times = result.has_times;
    mended->report.ended_ns = result.ended_ns;
    inspection_clear(&result);
done:
    file_replacement_drop(&replacement);
    return ok;
}

static void start_report(FieldEdgeMended *mended, const struct inspection *found)
{
    mended->report = (FieldEdgeMendReport){
        .path = mended->path,
        .state = found->state,
        .packets = found->packets,
        .frame_bytes = found->frame_bytes,
        .has_times = found->has_times,
        .ended_ns = found->ended_ns,
        .lost_bytes = is_damaged(found) && found->offset != FIELDEDGE_NONE
                          ? found->size - found->offset
                          : FIELDEDGE_NONE,
        .removed_packets = 0,
    };
    if (!is_damaged(found))
        mended->report.lost_bytes = 0;
}

FieldEdgeMended *fieldedge_repair_file(const char *path, const char *output, gboolean may_replace,
                                       FieldEdgeCancellable *cancellable, GError **error)
{
    FieldEdgeMended *mended;
    struct inspection found;
    int file;
    bool ok;

    if (output != NULL && !mend_check_output(path, output, may_replace, error))
        return NULL;
    file = file_open_regular(path, error);
    if (file < 0)
        return NULL;
    if (!inspect_file(file, path, cancellable, &found, error)) {
        close(file);
        return NULL;
    }
    mended = g_new0(FieldEdgeMended, 1);
    mended->path = g_strdup(path);
    mended->output = g_strdup(output);
    start_report(mended, &found);
    ok = check_source(path, &found, error);
    /* A whole file stays; asked for by another name, it is copied. */
    if (ok && (is_damaged(&found) || (output != NULL && found.packets > 0)))
        ok = write_mended(mended, found.readable >= 0 ? found.readable : file, &found, cancellable,
                          error);
    else if (ok && output != NULL) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_CAPTURE,
                    "%s: there is no packet in it, and no damage; nothing was written", path);
        ok = false;
    }
    inspection_clear(&found);
    close(file);
    if (!ok) {
        fieldedge_mended_free(mended);
        return NULL;
    }
    mended->report.output = mended->output != NULL ? mended->output : mended->path;
    mended->report.backup = mended->backup;
    return mended;
}

/* ---- Deduplication ---- */

struct counting {
    gint64 packets, bytes;
};

/* "Skipped: 7, Len: 60, MD5 Hash: …" */
static void take_skipped(char *line, void *data)
{
    struct counting *counting = data;
    const char *length = strstr(line, "Len: ");

    if (!g_str_has_prefix(line, "Skipped: ") || length == NULL)
        return;
    counting->packets++;
    counting->bytes += g_ascii_strtoll(length + strlen("Len: "), NULL, 10);
}

static bool check_whole(const char *path, const struct inspection *found, GError **error)
{
    if (found->state == FIELDEDGE_FILE_WHOLE)
        return true;
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_CAPTURE, "%s: this file is %s%s", path,
                fieldedge_file_state_name(found->state),
                is_damaged(found) ? "; mend it first with fieldedge repair"
                                  : ", there is nothing to deduplicate");
    return false;
}

static bool write_without(FieldEdgeMended *mended, int file, const struct inspection *found,
                          gint64 window, gint64 time_ns, FieldEdgeCancellable *cancellable,
                          GError **error)
{
    g_autofree char *size = time_ns > 0
                                ? g_strdup_printf("%" G_GINT64_FORMAT ".%09" G_GINT64_FORMAT,
                                                  time_ns / 1000000000, time_ns % 1000000000)
                                : g_strdup_printf("%" G_GINT64_FORMAT, window);
    const char *const words[] = {"-V", time_ns > 0 ? "-w" : "-D", size, NULL};
    struct counting counting = {0, 0};
    struct file_replacement replacement;
    struct inspection result;
    bool ok = false;

    if (!file_replacement_begin(&replacement, mended->output, mended->path, error))
        return false;
    if (!mend_write(file, mended->path, found->type, words, mend_compressor(mended->output),
                    &replacement, take_skipped, &counting, cancellable, &result, error))
        goto done;
    if (result.packets + counting.packets != found->packets)
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING,
                    "%s: editcap's count of packets does not add up; nothing was written",
                    mended->path);
    else
        ok = file_replacement_keep(&replacement, NULL, error);
    mended->report.packets = result.packets;
    mended->report.frame_bytes = result.frame_bytes;
    mended->report.removed_packets = counting.packets;
    mended->report.removed_bytes = counting.bytes;
    inspection_clear(&result);
done:
    file_replacement_drop(&replacement);
    return ok;
}

FieldEdgeMended *fieldedge_deduplicate_file(const char *path, const char *output, gint64 window,
                                            gint64 time_ns, gboolean may_replace,
                                            FieldEdgeCancellable *cancellable, GError **error)
{
    FieldEdgeMended *mended;
    struct inspection found;
    int file;
    bool ok;

    if (!mend_check_output(path, output, may_replace, error))
        return NULL;
    file = file_open_regular(path, error);
    if (file < 0)
        return NULL;
    if (!inspect_file(file, path, cancellable, &found, error)) {
        close(file);
        return NULL;
    }
    mended = g_new0(FieldEdgeMended, 1);
    mended->path = g_strdup(path);
    mended->output = g_strdup(output);
    start_report(mended, &found);
    mended->report.output = mended->output;
    ok = check_whole(path, &found, error) &&
         write_without(mended, file, &found, window, time_ns, cancellable, error);
    inspection_clear(&found);
    close(file);
    if (ok)
        return mended;
    fieldedge_mended_free(mended);
    return NULL;
}

const FieldEdgeMendReport *fieldedge_mended_get_report(const FieldEdgeMended *mended)
{
    return &mended->report;
}

void fieldedge_mended_free(FieldEdgeMended *mended)
{
    if (mended == NULL)
        return;
    g_free(mended->path);
    g_free(mended->output);
    g_free(mended->backup);
    g_free(mended);
}
