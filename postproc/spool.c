/* spool.c
 * See spool.h.  A block in the file is a header and its bytes; a link is the offset of a block's
 * header plus 1, 0 for none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spool.h"

#include "fieldedge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_BLOCK = 32, FILE_BUFFER = 1 << 18 };

struct stream {
    guint8 *block; /* NULL: nothing in memory */
    guint32 used, size;
    guint64 length; /* of all bytes */
    guint64 last;   /* link to the newest block in the file */
};

struct header {
    guint64 before; /* link */
    guint64 length;
};

struct spool {
    struct stream *streams;
    guint count;
    gsize limit;
    gsize in_memory; /* sum of the streams' sizes */
    FILE *file;      /* NULL until memory was full */
    guint64 written;
    char *folder;
};

struct spool *spool_new(guint count, gsize limit)
{
    struct spool *spool = g_new0(struct spool, 1);
    const char *folder = g_getenv("SQLITE_TMPDIR");

    spool->streams = g_new0(struct stream, count);
    spool->count = count;
    spool->limit = limit;
    spool->folder = g_strdup(folder != NULL && *folder != '\0' ? folder : g_get_tmp_dir());
    return spool;
}

static bool failed(const struct spool *spool, const char *what, GError **error)
{
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS,
                "%s: a temporary file cannot be %s: %s; make room there, or set TMPDIR to another "
                "folder",
                spool->folder, what, g_strerror(errno));
    return false;
}

static bool open_file(struct spool *spool, GError **error)
{
    g_autofree char *name = g_build_filename(spool->folder, "fieldedge-XXXXXX", NULL);
    int file = g_mkstemp(name);

    if (file < 0)
        return failed(spool, "made", error);
    unlink(name);
    spool->file = fdopen(file, "w+");
    if (spool->file == NULL) {
        failed(spool, "made", error);
        close(file);
        return false;
    }
    setvbuf(spool->file, NULL, _IOFBF, FILE_BUFFER);
    return true;
}

static bool write_block(struct spool *spool, struct stream *stream, GError **error)
{
    struct header header = {stream->last, stream->used};

    if (fwrite(&header, sizeof header, 1, spool->file) != 1 ||
        fwrite(stream->block, 1, stream->used, spool->file) != stream->used)
        return failed(spool, "written", error);
    stream->last = spool->written + 1;
    spool->written += sizeof header + stream->used;
    g_clear_pointer(&stream->block, g_free);
    stream->used = stream->size = 0;
    return true;
}

static bool write_out(struct spool *spool, GError **error)
{
    if (spool->file == NULL && !open_file(spool, error))
        return false;
    for (guint i = 0; i < spool->count; i++) {
        if (spool->streams[i].used > 0 && !write_block(spool, &spool->streams[i], error))
            return false;
    }
    spool->in_memory = 0;
    return true;
}

bool spool_append(struct spool *spool, guint number, const void *bytes, gsize length,
                  GError **error)
{
    struct stream *stream = &spool->streams[number];

    if (length == 0)
        return true;
    if (stream->used + length > stream->size) {
        guint32 size = stream->size == 0 ? FIRST_BLOCK : stream->size + stream->size / 2;

        size = MAX(size, stream->used + (guint32)length);
        if (spool->in_memory + size - stream->size > spool->limit) {
            if (!write_out(spool, error))
                return false;
            size = MAX(FIRST_BLOCK, (guint32)length);
        }
        spool->in_memory += size - stream->size;
        stream->block = g_realloc(stream->block, size);
        stream->size = size;
    }
    memcpy(stream->block + stream->used, bytes, length);
    stream->used += (guint32)length;
    stream->length += length;
    return true;
}

bool spool_seal(struct spool *spool, GError **error)
{
    if (spool->file != NULL && fflush(spool->file) == EOF)
        return failed(spool, "written", error);
    return true;
}

gsize spool_length(const struct spool *spool, guint stream)
{
    return spool->streams[stream].length;
}

static bool read_at(const struct spool *spool, guint64 offset, void *bytes, gsize length,
                    GError **error)
{
    while (length > 0) {
        ssize_t got = pread(fileno(spool->file), bytes, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            return failed(spool, "read", error);
        }
        bytes = (guint8 *)bytes + got;
        offset += (guint64)got;
        length -= (gsize)got;
    }
    return true;
}

/* The newest block is the last part of the stream, so bytes are filled from the end. */
bool spool_read(const struct spool *spool, guint number, guint8 *bytes, GError **error)
{
    const struct stream *stream = &spool->streams[number];
    gsize end = stream->length - stream->used;

    if (stream->used > 0)
        memcpy(bytes + end, stream->block, stream->used);
    for (guint64 link = stream->last; link != 0;) {
        struct header header;

        if (!read_at(spool, link - 1, &header, sizeof header, error))
            return false;
        end -= header.length;
        if (!read_at(spool, link - 1 + sizeof header, bytes + end, header.length, error))
            return false;
        link = header.before;
    }
    return true;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL)
        return;
    for (guint i = 0; i < spool->count; i++)
        g_free(spool->streams[i].block);
    g_free(spool->streams);
    if (spool->file != NULL)
        fclose(spool->file);
    g_free(spool->folder);
    g_free(spool);
}
