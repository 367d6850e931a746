/* watch.c
 * Records an interface for weeks, or a folder of files in turn, into one capture of a database.
 *
 *     dumpcap ─► ring of files (spool.h) ─► a tshark each (tshark.h) ─► rows, one transaction a
 * file │ gaps, roll-ups, size (watch_store.h, prune.h) ◄─┘
 *
 * Which file is next is known from the folder and the table watch_file alone, and a file and its
 * row are one transaction: killed at any moment, nothing is lost but what the ring overwrites
 * meanwhile, and nothing is counted twice.
 *
 * A file that cannot be recorded: if the recorder says why (a full disk, a locked database), it
 * is tried again and again, while the ring goes on; if tshark itself fails on it three times, it is
 * given up and noted as a gap.  A folder without an interface ends with the first failure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "prune.h"
#include "spool.h"
#include "tshark.h"
#include "watch_store.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum {
    LISTEN_MS = 500,
    TRIES_MAX = 3,     /* of a file on which tshark fails */
    RETRY_SECONDS = 5, /* until the next try, and the next start of dumpcap */
    EXIT_OF_RECORDER = 1
};

#define NS_PER_SECOND G_GINT64_CONSTANT(1000000000)

struct _FieldEdgeWatch {
    struct spool spool; /* its settings, and its state while running */
    char *filter, *local_networks, *tshark;
    struct prune_rules rules;
    FieldEdgeMessageFunc message;
    gpointer message_data;
    volatile sig_atomic_t stopped, cancelled;
};

/* What a run of the watch knows. */
struct state {
    FieldEdgeWatch *watch;
    struct watch_store store;
    const char *database;
    char *source; /* interface, or path of the folder */
    char *folder; /* where the files are */
    gint64 capture;
    gint64 last_bytes; /* of prune() */
    char *tried;       /* the file that failed last */
    int tries;
    gint64 retry_us; /* monotonic: not before */
    uint8_t hash_key[SCHEMA_HASH_KEY_BYTES];
    bool has_hash_key;
};

enum outcome { RECORDED, FAILED_FOR_NOW, GIVEN_UP, STOPPED, BROKEN };

/* ---- Settings ---- */

FieldEdgeWatch *fieldedge_watch_new(void)
{
    FieldEdgeWatch *watch = g_new0(FieldEdgeWatch, 1);

    watch->spool.seconds = FIELDEDGE_WATCH_SECONDS;
    watch->spool.file_bytes = FIELDEDGE_WATCH_FILE_BYTES;
    watch->spool.ring_bytes = FIELDEDGE_WATCH_RING_BYTES;
    watch->spool.errors = watch->spool.lock = -1;
    return watch;
}

static void set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

void fieldedge_watch_set_interface(FieldEdgeWatch *watch, const char *interface,
                                   const char *capture_filter)
{
    set_text(&watch->spool.interface, interface);
    set_text(&watch->spool.capture_filter, capture_filter);
}

void fieldedge_watch_set_spool(FieldEdgeWatch *watch, const char *folder)
{
    set_text(&watch->spool.folder, folder);
}

void fieldedge_watch_set_rotation(FieldEdgeWatch *watch, gint64 seconds, gint64 file_bytes,
                                  gint64 ring_bytes)
{
    watch->spool.seconds = seconds;
    watch->spool.file_bytes = file_bytes;
    watch->spool.ring_bytes = ring_bytes;
}

void fieldedge_watch_set_snap_length(FieldEdgeWatch *watch, int bytes)
{
    watch->spool.snap_length = bytes;
}

void fieldedge_watch_set_filter(FieldEdgeWatch *watch, const char *filter)
{
    set_text(&watch->filter, filter);
}

void fieldedge_watch_set_local_networks(FieldEdgeWatch *watch, const char *networks)
{
    set_text(&watch->local_networks, networks);
}

void fieldedge_watch_set_programs(FieldEdgeWatch *watch, const char *tshark, const char *dumpcap)
{
    set_text(&watch->tshark, tshark);
    set_text(&watch->spool.program, dumpcap);
}

void fieldedge_watch_set_limits(FieldEdgeWatch *watch, gint64 keep_ns, gint64 max_bytes)
{
    watch->rules.keep_ns = keep_ns;
    watch->rules.max_bytes = max_bytes;
}

void fieldedge_watch_set_message_func(FieldEdgeWatch *watch, FieldEdgeMessageFunc func,
                                      gpointer user_data)
{
    watch->message = func;
    watch->message_data = user_data;
    watch->spool.message = func;
    watch->spool.message_data = user_data;
}

void fieldedge_watch_stop(FieldEdgeWatch *watch)
{
    if (watch->stopped)
        watch->cancelled = 1;
    watch->stopped = 1;
}

void fieldedge_watch_free(FieldEdgeWatch *watch)
{
    if (watch == NULL)
        return;
    spool_close(&watch->spool);
    g_free(watch->filter);
    g_free(watch->local_networks);
    g_free(watch->tshark);
    g_free(watch);
}

/* ---- Gaps ---- */

static void G_GNUC_PRINTF(2, 3) say(const FieldEdgeWatch *watch, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = g_strconcat("fieldedge: ", text, NULL);
    if (watch->message != NULL)
        watch->message(line, watch->message_data);
}

static const struct watch_gap no_gap = {.started_ns = FIELDEDGE_NONE,
                                        .ended_ns = FIELDEDGE_NONE,
                                        .packets = FIELDEDGE_NONE,
                                        .files = FIELDEDGE_NONE};

/* What is missing between the newest recorded file and this one, by their names: another run means
 * that nothing captured for a time, a jump in the numbers that the ring went round. */
static bool note_gaps_before(struct state *s, const char *name, GError **error)
{
    guint run, number, last_run, last_number;
    g_autofree char *last = NULL;
    gint64 began, last_began, ended;

    if (s->capture == 0 || !spool_parse_name(name, &run, &number, &began))
        return true;
    if (!watch_store_last(&s->store, s->capture, &last, &ended, error))
        return false;
    if (last == NULL || !spool_parse_name(last, &last_run, &last_number, &last_began))
        return true;
    struct watch_gap gap = no_gap;
    gap.file = name;
    gap.started_ns = ended;
    guint lost = run == last_run ? number - last_number - 1 : number - 1;
    if (run != last_run) {
        gap.reason = "not running";
        gap.ended_ns = began * NS_PER_SECOND;
        if (!watch_store_add_gap(&s->store, s->capture, &gap, error))
            return false;
    }
    if (lost == 0)
        return true;
    gap.reason = "files lost";
    gap.files = lost;
    gap.ended_ns = FIELDEDGE_NONE;
    say(s->watch, "%s: the ring went round: %u file%s lost before %s", s->source, lost,
        lost == 1 ? " was" : "s were", name);
    return watch_store_add_gap(&s->store, s->capture, &gap, error);
}

static bool note_cut(struct state *s, const char *name, GError **error)
{
    struct watch_gap gap = no_gap;

    gap.reason = "cut short";
    gap.file = name;
    return watch_store_add_gap(&s->store, s->capture, &gap, error);
}

/* dumpcap tells at its end alone how many packets it dropped. */
static bool note_drops(struct state *s, GError **error)
{
    const struct spool *spool = &s->watch->spool;
    struct watch_gap gap = no_gap;
    guint run, number;
    gint64 began;
    g_autofree char *name = g_strdup_printf("%s_1_.pcapng", spool->base);

    if (spool->dropped <= 0 || s->capture == 0 || !spool_parse_name(name, &run, &number, &began))
        return true;
    say(s->watch, "%s: %" G_GINT64_FORMAT " packets were dropped since the capture began",
        spool->interface, spool->dropped);
    gap.reason = "packets dropped";
    gap.file = spool->base;
    gap.started_ns = began * NS_PER_SECOND;
    gap.ended_ns = g_get_real_time() * 1000;
    gap.packets = spool->dropped;
    return watch_store_add_gap(&s->store, s->capture, &gap, error);
}

/* ---- One file ---- */

static enum outcome judge(struct state *s, const struct tshark_run *run, const char *name,
                          GError **error)
{
    bool has = false;

    if (run->saw_no_plugin) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK,
                    "%s: tshark has no statistic \"fieldedge\": the FieldEdge plugin is not "
                    "installed where this tshark looks (tshark -G plugins | grep fieldedge)",
                    s->source);
        return BROKEN;
    }
    if (s->capture == 0 && !watch_store_find(&s->store, s->source, &s->capture, error))
        return BROKEN;
    if (s->capture != 0 && !watch_store_has_file(&s->store, s->capture, name, &has, error))
        return BROKEN;
    if (has)
        return run->saw_cut && !note_cut(s, name, error) ? BROKEN : RECORDED;
    if (s->watch->cancelled)
        return STOPPED;
    if (WIFEXITED(run->status) && WEXITSTATUS(run->status) == EXIT_OF_RECORDER)
        return FAILED_FOR_NOW;
    return ++s->tries < TRIES_MAX ? FAILED_FOR_NOW : GIVEN_UP;
}

static enum outcome record_file(struct state *s, const char *name, GError **error)
{
    FieldEdgeWatch *watch = s->watch;
    g_autofree char *path = g_build_filename(s->folder, name, NULL);
    bool is_folder = watch->spool.interface == NULL;
    struct schema_recording recording = {.watch = s->source,
                                         .file = (char *)name,
                                         .about = is_folder ? s->source : NULL,
                                         .capture = s->capture,
                                         .has_hash_key = s->has_hash_key,
                                         .report = -1};
    struct tshark_run run = {.program = watch->tshark,
                             .capture = path,
                             .database = s->database,
                             .filter = watch->filter,
                             .local_networks = watch->local_networks,
                             .recording = &recording,
                             .message = watch->message,
                             .message_data = watch->message_data,
                             .is_shielded = true,
                             .cancelled = &watch->cancelled};

    memcpy(recording.hash_key, s->hash_key, sizeof s->hash_key);
    if (g_strcmp0(s->tried, name) != 0) {
        set_text(&s->tried, name);
        s->tries = 0;
    }
    if (!note_gaps_before(s, name, error) || !tshark_record(&run, error))
        return BROKEN;
    return judge(s, &run, name, error);
}

/* The file is done with, one way or the other. */
static bool conclude(struct state *s, const char *name, enum outcome outcome, GError **error)
{
    g_autofree char *path = g_build_filename(s->folder, name, NULL);

    if (outcome == GIVEN_UP) {
        say(s->watch, "%s: tshark fails on it; it is given up", path);
        if (s->capture != 0 && !watch_store_give_up(&s->store, s->capture, name, error))
            return false;
    }
    if (s->watch->spool.interface != NULL)
        g_unlink(path);
    return s->capture == 0 || prune(&s->store, s->capture, &s->watch->rules, &s->last_bytes, error);
}

/* ---- A folder ---- */

static bool fail_at(struct state *s, const char *name, GError **error)
{
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING,
                "%s/%s: cannot be recorded; the files before it are recorded, and the same command "
                "again goes on",
                s->folder, name);
    return false;
}

static bool stopped_at(struct state *s, GError **error)
{
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_INTERRUPTED,
                "%s: interrupted; the same command again goes on", s->source);
    return false;
}

static bool record_folder_file(struct state *s, const char *path, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    enum outcome outcome;
    bool has = false;

    if (s->capture != 0 && !watch_store_has_file(&s->store, s->capture, name, &has, error))
        return false;
    if (has)
        return true;
    do {
        if (s->watch->stopped)
            return stopped_at(s, error);
        outcome = record_file(s, name, error);
    } while (outcome == FAILED_FOR_NOW && s->tries > 0);
    if (outcome == BROKEN)
        return false;
    if (outcome == STOPPED)
        return stopped_at(s, error);
    if (outcome == FAILED_FOR_NOW)
        return fail_at(s, name, error);
    return conclude(s, name, outcome, error);
}

static bool watch_folder(struct state *s, GError **error)
{
    g_auto(GStrv) files = fieldedge_capture_files(s->folder, error);
    bool ok = files != NULL;

    for (char **file = files; ok && *file != NULL; file++)
        ok = record_folder_file(s, *file, error);
    return ok;
}

/* ---- An interface ---- */

/* What cannot be done now may be done later, and the ring goes on meanwhile. */
static bool put_off(struct state *s, const char *name, GError *problem)
{
    if (s->retry_us == 0)
        say(s->watch, "%s: %s; trying again every %d s", name,
            problem != NULL ? problem->message : "cannot be recorded now", RETRY_SECONDS);
    g_clear_error(&problem);
    s->retry_us = g_get_monotonic_time() + RETRY_SECONDS * G_TIME_SPAN_SECOND;
    return true;
}

/* Records the files that are closed.  FALSE: the watch cannot go on. */
static bool record_closed(struct state *s, GError **error)
{
    g_auto(GStrv) names = spool_closed_files(&s->watch->spool);

    if (s->retry_us > g_get_monotonic_time() && !s->watch->stopped)
        return true;
    for (char **name = names; *name != NULL && !s->watch->cancelled; name++) {
        GError *problem = NULL;
        bool has = false;
        enum outcome outcome = RECORDED;
        if (s->capture != 0 && !watch_store_has_file(&s->store, s->capture, *name, &has, &problem))
            return put_off(s, *name, problem);
        if (!has)
            outcome = record_file(s, *name, &problem);
        if (outcome == BROKEN &&
            g_error_matches(problem, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK)) {
            g_propagate_error(error, problem);
            return false;
        }
        if (outcome == FAILED_FOR_NOW || outcome == BROKEN)
            return put_off(s, *name, problem);
        if (outcome == STOPPED || !conclude(s, *name, outcome, &problem))
            return put_off(s, *name, problem);
        s->retry_us = 0;
        spool_listen(&s->watch->spool, 0);
    }
    return true;
}

/* The number of the next run: behind all that were recorded or wait in the folder. */
static bool next_run(struct state *s, guint *next, GError **error)
{
    g_auto(GStrv) names = spool_closed_files(&s->watch->spool);
    g_autofree char *last = NULL;
    gint64 ended, began;
    guint run, number;

    *next = 1;
    if (s->capture != 0 && !watch_store_last(&s->store, s->capture, &last, &ended, error))
        return false;
    if (last != NULL && spool_parse_name(last, &run, &number, &began))
        *next = MAX(*next, run + 1);
    for (char **name = names; *name != NULL; name++) {
        if (spool_parse_name(*name, &run, &number, &began))
            *next = MAX(*next, run + 1);
    }
    if (s->watch->spool.run != 0) /* runs of this process that brought no file */
        *next = MAX(*next, s->watch->spool.run + 1);
    return true;
}

/* One run of dumpcap.  FALSE with an error: it could not capture at all. */
static bool capture_once(struct state *s, bool is_first, GError **error)
{
    struct spool *spool = &s->watch->spool;
    guint run;

    if (!next_run(s, &run, error) || !spool_start(spool, run, error))
        return false;
    while (spool_listen(spool, LISTEN_MS) && !s->watch->stopped) {
        if (!record_closed(s, error))
            return false;
    }
    spool_stop(spool);
    if (is_first && !spool->was_heard && !s->watch->stopped) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_RECORDING,
                    "%s: dumpcap cannot capture%s%s", spool->interface,
                    spool->last_words != NULL ? ": " : "",
                    spool->last_words != NULL ? spool->last_words : "");
        return false;
    }
    s->retry_us = s->watch->stopped ? 0 : s->retry_us;
    return record_closed(s, error) && note_drops(s, error);
}

/* A capture without packets: a section header and an Ethernet interface. */
static const guint8
    empty_capture
        [] =
            {
                0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,    0,    0x4d, 0x3c, 0x2b,
                0x1a, 1,    0,    0,    0, /* little-endian
                                            */
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28,   0,    0,
                0,    1,    0,    0,    0,    20,   0,    0,    0,    1,    0,
                0,    0,    0,    0,    0,    0,    20,   0,    0,    0,
};

static void remove_trial(const char *folder)
{
    static const char *const names[] = {"x.pcapng", "x.db", "x.db-wal", "x.db-shm"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

/* Records nothing into a database of its own: a filter that does not parse, or a plugin that is
 * missing, is said at once and not file after file. */
static bool try_settings(struct state *s, GError **error)
{
    GError *problem = NULL;
    g_autofree char *folder = g_dir_make_tmp("fieldedge-XXXXXX", error);
    if (folder == NULL)
        return false;
    g_autofree char *capture = g_build_filename(folder, "x.pcapng", NULL);
    g_autofree char *database = g_build_filename(folder, "x.db", NULL);
    g_autoptr(FieldEdgeProcess) process = fieldedge_process_new();

    fieldedge_process_set_filter(process, s->watch->filter);
    fieldedge_process_set_local_networks(process, s->watch->local_networks);
    fieldedge_process_set_tshark(process, s->watch->tshark);
    fieldedge_process_set_message_func(process, s->watch->message, s->watch->message_data);
    bool ok =
        g_file_set_contents(capture, (const char *)empty_capture, sizeof empty_capture, &problem) &&
        fieldedge_process_run(process, capture, database, NULL, &problem);
    remove_trial(folder);
    if (ok)
        return true;
    if (g_error_matches(problem, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK)) {
        g_propagate_error(error, problem);
        return false;
    }
    g_error_free(problem);
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                "%s: nothing can be recorded with these settings", s->source);
    return false;
}

static bool watch_interface(struct state *s, GError **error)
{
    bool is_first = true;

    if (!try_settings(s, error) || !spool_open(&s->watch->spool, error) || !record_closed(s, error))
        return false;
    while (!s->watch->stopped) {
        if (!capture_once(s, is_first, error))
            return false;
        is_first = false;
        if (s->watch->stopped)
            break;
        say(s->watch, "%s: the capture ended; it begins again in %d s", s->source, RETRY_SECONDS);
        for (int i = 0; i < RETRY_SECONDS * 1000 / LISTEN_MS && !s->watch->stopped; i++)
            g_usleep((gulong)LISTEN_MS * 1000);
    }
    return s->watch->cancelled ? stopped_at(s, error) : true;
}

/* ---- All ---- */

static bool check_settings(const FieldEdgeWatch *watch, const char *database, GError **error)
{
    const char *problem = NULL;
    struct stat status;

    if (watch->spool.interface == NULL && watch->spool.folder == NULL)
        problem = "neither an interface nor a folder is named";
    else if (strchr(database, ',') != NULL)
        problem = "the name of a database cannot contain a comma; choose another name";
    else if (watch->spool.seconds < 1 || watch->spool.file_bytes < 1024 ||
             watch->spool.ring_bytes < 2 * watch->spool.file_bytes)
        problem = "a file takes at least 1 s and 1 KiB, and the ring two files";
    else if (watch->rules.max_bytes != 0 && watch->rules.max_bytes < FIELDEDGE_WATCH_SIZE_MIN)
        problem = "the size must be at least 1 MiB";
    else if (watch->rules.keep_ns < 0)
        problem = "a time to keep cannot be negative";
    if (problem != NULL) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT, "%s: %s", database, problem);
        return false;
    }
    if (watch->spool.interface == NULL && g_stat(watch->spool.folder, &status) != 0) {
        g_set_error(error, FIELDEDGE_ERROR,
                    errno == ENOENT ? FIELDEDGE_ERROR_NOT_FOUND : FIELDEDGE_ERROR_ACCESS, "%s: %s",
                    watch->spool.folder,
                    errno == ENOENT ? "there is no such directory" : g_strerror(errno));
        return false;
    }
    return true;
}

static void prepare(struct state *s, FieldEdgeWatch *watch, const char *database)
{
    *s = (struct state){.watch = watch, .database = database};
    if (watch->spool.folder == NULL)
        watch->spool.folder = g_strconcat(database, ".spool", NULL);
    s->folder = g_canonicalize_filename(watch->spool.folder, NULL);
    set_text(&watch->spool.folder, s->folder);
    s->source = watch->spool.interface != NULL ? g_strdup(watch->spool.interface)
                                               : g_utf8_make_valid(s->folder, -1);
    s->has_hash_key = getrandom(s->hash_key, sizeof s->hash_key, 0) == (ssize_t)sizeof s->hash_key;
    watch->rules.forgets = watch->spool.interface != NULL;
}

/* It was made here, and nothing came into it. */
static void remove_database(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};

    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *name = g_strconcat(path, ends[i], NULL);
        g_unlink(name);
    }
}

gboolean fieldedge_watch_run(FieldEdgeWatch *watch, const char *database, GError **error)
{
    g_return_val_if_fail(watch != NULL && database != NULL, FALSE);

    struct state s;
    bool ok, was_there;

    if (!check_settings(watch, database, error))
        return FALSE;
    was_there = g_file_test(database, G_FILE_TEST_EXISTS);
    spool_shed_capabilities();
    prepare(&s, watch, database);
    ok = watch_store_open(&s.store, database, error) &&
         watch_store_find(&s.store, s.source, &s.capture, error) &&
         (watch->spool.interface != NULL ? watch_interface(&s, error) : watch_folder(&s, error)) &&
         (s.capture == 0 || watch_store_set_status(&s.store, s.capture, "complete", error));
    watch_store_close(&s.store);
    if (!ok && !was_there && s.capture == 0)
        remove_database(database);
    g_free(s.source);
    g_free(s.folder);
    g_free(s.tried);
    return ok;
}
