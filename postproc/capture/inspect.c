/* inspect.c
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "inspect.h"

#include "child.h"
#include "structure.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What capinfos said. */
struct said {
    GStrv fields; /* of its row, NULL without one */
    bool is_cut, is_corrupt, is_foreign;
    gint64 read;     /* packets before an error, FIELDEDGE_NONE without one */
    char *reason;    /* in parentheses */
    char *last_line; /* of its errors */
};

enum {
    FIELD_TYPE = 1,
    FIELD_LINK,
    FIELD_SNAP,
    FIELD_PACKETS = 6,
    FIELD_BYTES,
    FIELD_FIRST,
    FIELD_LAST,
    FIELD_COUNT
};

static void said_clear(struct said *said)
{
    g_strfreev(said->fields);
    g_free(said->reason);
    g_free(said->last_line);
}

static void take_row(char *line, void *data)
{
    struct said *said = data;

    g_strfreev(said->fields);
    said->fields = g_strsplit(line, "\t", 0);
}

static void take_error(char *line, void *data)
{
    struct said *said = data;
    const char *after = strstr(line, "after reading ");
    size_t length = strlen(line);

    if (after != NULL)
        said->read = g_ascii_strtoll(after + strlen("after reading "), NULL, 10);
    said->is_cut |= strstr(line, "cut short") != NULL;
    said->is_corrupt |= strstr(line, "damaged or corrupt") != NULL;
    said->is_foreign |= strstr(line, "isn't a capture file") != NULL;
    if (line[0] == '(' && line[length - 1] == ')') {
        line[length - 1] = '\0';
        g_free(said->reason);
        said->reason = g_strdup(line + 1);
    } else if (strstr(line, "continue anyway") == NULL) {
        g_free(said->last_line);
        said->last_line = g_strdup(g_str_has_prefix(line, "capinfos: ") ? line + 10 : line);
    }
}

static const char *find_compressor(int file)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *program;
    } known[] = {
        {"\x1f\x8b", 2, "gzip"}, {"\x28\xb5\x2f\xfd", 4, "zstd"}, {"\x04\x22\x4d\x18", 4, "lz4"}};
    char bytes[4] = "";
    ssize_t length = pread(file, bytes, sizeof bytes, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (length >= (ssize_t)known[i].length &&
            memcmp(bytes, known[i].magic, known[i].length) == 0)
            return known[i].program;
    }
    return NULL;
}

gint64 inspect_time_ns(const char *text)
{
    bool is_negative = *text == '-';
    char *end;
    gint64 ns = g_ascii_strtoll(text + is_negative, &end, 10);

    if (__builtin_mul_overflow(ns, G_GINT64_CONSTANT(1000000000), &ns))
        return is_negative ? G_MININT64 : G_MAXINT64;
    gint64 unit = 100000000, part = 0;
    if (*end == '.') {
        for (end++; g_ascii_isdigit(*end) && unit > 0; end++, unit /= 10)
            part += (*end - '0') * unit;
    }
    if (__builtin_add_overflow(ns, part, &ns))
        ns = G_MAXINT64;
    return is_negative ? -ns : ns;
}

static bool run_capinfos(int file, FieldEdgeCancellable *cancellable, struct said *said,
                         GError **error)
{
    static const char *const arguments[] = {"capinfos", "-TMr", "-t", "-E", "-l", "-c",
                                            "-d",       "-a",   "-e", "-S", "-",  NULL};
    const struct child_options options = {.arguments = arguments,
                                          .input = file,
                                          .output = -1,
                                          .is_unprivileged = true,
                                          .take_output = take_row,
                                          .take_error = take_error,
                                          .data = said};
    int status;

    if (lseek(file, 0, SEEK_SET) != 0 || !child_run(&options, cancellable, &status, error))
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 126 && WEXITSTATUS(status) != 127)
        return true;
    g_autofree char *fate = child_fate(status);
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING, "capinfos %s", fate);
    return false;
}

static gint64 number_or_none(const char *text)
{
    char *end;
    gint64 number = g_ascii_strtoll(text, &end, 10);

    return end == text ? FIELDEDGE_NONE : number;
}

static void take_fields(const struct said *said, struct inspection *inspection)
{
    if (said->fields == NULL || g_strv_length(said->fields) < FIELD_COUNT)
        return;
    g_strlcpy(inspection->type, said->fields[FIELD_TYPE], sizeof inspection->type);
    g_strlcpy(inspection->link_type, said->fields[FIELD_LINK], sizeof inspection->link_type);
    inspection->snap_length = number_or_none(said->fields[FIELD_SNAP]);
    inspection->packets = number_or_none(said->fields[FIELD_PACKETS]);
    inspection->frame_bytes = number_or_none(said->fields[FIELD_BYTES]);
    inspection->has_times = strcmp(said->fields[FIELD_FIRST], "n/a") != 0;
    if (inspection->has_times) {
        inspection->started_ns = inspect_time_ns(said->fields[FIELD_FIRST]);
        inspection->ended_ns = inspect_time_ns(said->fields[FIELD_LAST]);
    }
}

/* Types that Wireshark has for looking into files that are no captures. */
static bool is_no_capture(const char *type)
{
    static const char *const types[] = {"mime", "json", "rfc7468", "mp4", "rtpdump_file", NULL};

    return g_strv_contains(types, type);
}

static bool judge(const struct said *said, struct inspection *inspection)
{
    bool is_phantom = strcmp(inspection->type, "erf") == 0 && inspection->packets == 0;

    if (inspection->size == 0 || said->is_foreign || is_phantom)
        inspection->type[0] = inspection->link_type[0] = '\0';
    if (inspection->size == 0)
        inspection->state = FIELDEDGE_FILE_EMPTY;
    else if (said->is_foreign || is_no_capture(inspection->type))
        inspection->state = FIELDEDGE_FILE_FOREIGN;
    else if (said->is_cut)
        inspection->state = FIELDEDGE_FILE_CUT_SHORT;
    else if (said->is_corrupt)
        inspection->state = FIELDEDGE_FILE_CORRUPT;
    else if (is_phantom)
        inspection->state =
            inspection->compressor != NULL ? FIELDEDGE_FILE_CUT_SHORT : FIELDEDGE_FILE_FOREIGN;
    else if (said->fields != NULL && said->last_line == NULL)
        inspection->state = inspection->packets > 0 ? FIELDEDGE_FILE_WHOLE : FIELDEDGE_FILE_EMPTY;
    else
        return false;
    return true;
}

/* The first length bytes of the file as one of its own, in memory: a few records. */
static int copy_beginning(int file, gint64 length)
{
    int copy = memfd_create("fieldedge", MFD_CLOEXEC);
    off_t from = 0;

    while (copy >= 0 && from < length) {
        if (sendfile(copy, file, &from, (size_t)(length - from)) <= 0) {
            close(copy);
            return -1;
        }
    }
    return copy;
}

/* The third trap. */
static bool read_beginning(int file, const struct structure *structure,
                           FieldEdgeCancellable *cancellable, struct inspection *inspection,
                           GError **error)
{
    struct said said = {.read = FIELDEDGE_NONE};
    bool ok;

    inspection->readable = copy_beginning(file, structure->offset);
    inspection->frame_bytes = FIELDEDGE_NONE;
    inspection->has_times = false;
    inspection->state =
        structure->is_impossible ? FIELDEDGE_FILE_CORRUPT : FIELDEDGE_FILE_CUT_SHORT;
    ok = inspection->readable < 0 || run_capinfos(inspection->readable, cancellable, &said, error);
    take_fields(&said, inspection);
    inspection->packets = structure->packets;
    said_clear(&said);
    return ok;
}

/* The offset, and the type where capinfos gave no row. */
static bool look_at_structure(int file, FieldEdgeCancellable *cancellable,
                              struct inspection *inspection, GError **error)
{
    struct structure structure;

    structure_walk(file, inspection->packets, &structure);
    if (structure.kind == STRUCTURE_OTHER) {
        /* Some formats have no magic number and are guessed. */
        if (inspection->packets == 0 && inspection->compressor == NULL)
            inspection->state = FIELDEDGE_FILE_FOREIGN;
        return true;
    }
    if (inspection->type[0] == '\0')
        g_strlcpy(inspection->type,
                  structure.kind == STRUCTURE_PCAPNG ? "pcapng"
                  : structure.is_nanosecond          ? "nsecpcap"
                                                     : "pcap",
                  sizeof inspection->type);
    inspection->offset = structure.offset;
    if (structure.packets == inspection->packets)
        return true;
    if (structure.kind == STRUCTURE_PCAP)
        return read_beginning(file, &structure, cancellable, inspection, error);
    inspection->offset = FIELDEDGE_NONE;
    return true;
}

static void describe(const struct said *said, struct inspection *inspection)
{
    if (inspection->state == FIELDEDGE_FILE_FOREIGN)
        inspection->packets = 0;
    if (inspection->readable >= 0 && inspection->state == FIELDEDGE_FILE_CORRUPT)
        inspection->detail = g_strdup("the length of this packet cannot be");
    else if (said->reason != NULL)
        inspection->detail = g_utf8_make_valid(said->reason, -1);
    else if (inspection->state == FIELDEDGE_FILE_CUT_SHORT && inspection->packets == 0 &&
             inspection->compressor != NULL)
        inspection->detail = g_strdup("the compressed data ends before the first packet");
    else if (inspection->size == 0)
        inspection->detail = g_strdup("the file has no bytes at all");
}

bool inspect_file(int file, const char *name, FieldEdgeCancellable *cancellable,
                  struct inspection *inspection, GError **error)
{
    struct said said = {.read = FIELDEDGE_NONE};
    struct stat status = {0};
    bool ok = false;

    *inspection = (struct inspection){
        .frame_bytes = FIELDEDGE_NONE, .snap_length = FIELDEDGE_NONE, .offset = FIELDEDGE_NONE};
    inspection->readable = -1;
    fstat(file, &status);
    inspection->size = status.st_size;
    inspection->compressor = find_compressor(file);
    if (!run_capinfos(file, cancellable, &said, error))
        goto done;
    take_fields(&said, inspection);
    if (said.read != FIELDEDGE_NONE)
        inspection->packets = said.read;
    ok = judge(&said, inspection);
    if (!ok) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING,
                    "%s: capinfos cannot tell what it is: %s", name,
                    said.last_line != NULL ? said.last_line : "it said nothing");
        goto done;
    }
    if (inspection->state == FIELDEDGE_FILE_CUT_SHORT ||
        inspection->state == FIELDEDGE_FILE_CORRUPT)
        ok = look_at_structure(file, cancellable, inspection, error);
    describe(&said, inspection);
done:
    said_clear(&said);
    if (!ok)
        inspection_clear(inspection);
    return ok;
}

void inspection_clear(struct inspection *inspection)
{
    g_clear_pointer(&inspection->detail, g_free);
    if (inspection->readable >= 0)
        close(inspection->readable);
    inspection->readable = -1;
}
