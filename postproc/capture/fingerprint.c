/* fingerprint.c: see fingerprint.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { CHUNK_BYTES = 1 << 20 };

static bool hash_file(int file, const char *path, XXH3_state_t *state, gint64 *size,
                      const volatile sig_atomic_t *cancelled, GError **error)
{
    g_autofree char *chunk = g_malloc(CHUNK_BYTES);
    ssize_t length;

    *size = 0;
    while ((length = read(file, chunk, CHUNK_BYTES)) != 0) {
        if (cancelled != NULL && *cancelled) {
            g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED,
                        "%s: interrupted before the recording began", path);
            return false;
        }
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0) {
            g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: cannot be read: %s",
                        path, g_strerror(errno));
            return false;
        }
        XXH3_128bits_update(state, chunk, (size_t)length);
        *size += length;
    }
    return true;
}

char *fingerprint_of_file(const char *path, const volatile sig_atomic_t *cancelled, GError **error)
{
    struct stat status;
    char *result = NULL;
    gint64 size;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: cannot be read: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    XXH3_state_t *state = XXH3_createState();
    XXH3_128bits_reset(state);
    if (hash_file(file, path, state, &size, cancelled, error)) {
        XXH128_hash_t hash = XXH3_128bits_digest(state);
        result = g_strdup_printf("xxh3:%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER
                                 "x:%" G_GINT64_FORMAT,
                                 (guint64)hash.high64, (guint64)hash.low64, size);
    }
    XXH3_freeState(state);
    close(file);
    return result;
}
