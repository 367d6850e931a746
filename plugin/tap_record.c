/* tap_record.c: see tap_record.h
 *
 * What tshark calls, and what becomes of the capture's status:
 *
 *     case                          calls                    exit code   status
 *     end of file                   draw, finish             0           complete
 *     file cut short or damaged     draw, finish             2           cut short
 *     Ctrl-C while reading a file   finish                   2           interrupted
 *     Ctrl-C, live                  draw, finish             0           complete
 *     killed                        -                        -           interrupted
 *     the recorder fails            draw, finish             1 (ours)    failed
 *     tshark could not begin        finish, or nothing       tshark's    (no capture is left)
 *
 * A recording that libfieldedge wants all or nothing of leaves no capture where this says
 * interrupted or failed.
 *
 * That a file was cut short is known only by the exit code, which comes after finish: an exit
 * handler sets that status.  It also makes the exit code of a failed recording, last of all: other
 * recordings and statistics of the same run end as ever.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/tap_record.h"

#include "plugin/capture_file.h"
#include "plugin/facts.h"
#include "plugin/preferences.h"
#include "plugin/tap_table.h"

#include <epan/epan.h>
#include <epan/plugin_if.h>
#include <epan/stat_tap_ui.h>
#include <wsutil/report_message.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ws_version.h>

#define CLI_STRING "fieldedge"

/* One `-z fieldedge,…`.  Several can be given. */
struct tap_record {
    recorder *recorder; /* NULL before it began and after it ended */
    facts_reader *reader;
    char *database;
    char *about_watch; /* is_watch: what stands for the name of the file; or NULL */
    bool drawn, started, completed;
    bool is_kept;               /* the packets are in a file */
    bool is_watch;              /* the capture goes on in another file */
    int64_t capture;            /* id, kept for the exit handler */
    struct facts_capture about; /* until the first packet tells the time */
};

static GPtrArray *taps; /* all of the run, for the exit handler */
static bool failed;     /* any of them */

static void say(const char *sentence)
{
    fprintf(stderr, "fieldedge: %s\n", sentence);
}

static void record_capture(void *user, const struct facts_capture *capture)
{
    struct tap_record *tap = user;
    tap->about = *capture;
}

static void exit_watch(void);

void tap_record_fail(const char *sentence)
{
    say(sentence);
    failed = true;
    exit_watch();
}

static bool any_records(void)
{
    for (guint i = 0; i < taps->len; i++) {
        const struct tap_record *tap = g_ptr_array_index(taps, i);
        if (tap->recorder != NULL)
            return true;
    }
    return false;
}

/* Ends the recording, and says at once what failed. */
static void end(struct tap_record *tap, const char *status)
{
    char *error = NULL;
    tap->capture = recorder_capture_id(tap->recorder);
    tap->completed = recorder_finish(tap->recorder, status, &error) && tap->drawn;
    tap->recorder = NULL;
    if (error != NULL)
        tap_record_fail(error);
    g_free(error);
}

/* The recording has failed.  A live run that nothing else records would go on for nothing. */
static void end_early(struct tap_record *tap)
{
    end(tap, "failed");
    if (!tap->is_kept && !any_records())
        raise(SIGINT);
}

static bool record_packet(void *user, const struct packet_facts *facts)
{
    struct tap_record *tap = user;
    if (!tap->started) {
        recorder_capture(tap->recorder, tap->is_watch ? tap->about_watch : tap->about.file,
                         tap->about.interface, tap->about.link_type, tap->about.snap_length,
                         facts->time_ns);
        tap->is_kept = tap->about.file != NULL;
        tap->started = true;
    }
    if (recorder_packet(tap->recorder, facts))
        return true;
    end_early(tap);
    return false;
}

static void record_draw(void *user)
{
    struct tap_record *tap = user;
    tap->drawn = true;
}

static void record_finish(void *user)
{
    struct tap_record *tap = user;
    if (tap->recorder == NULL)
        return;
    if (!tap->started && !tap->drawn) {
        recorder_abandon(tap->recorder);
        tap->recorder = NULL;
        return;
    }
    if (!tap->started) {
        char *file = tap->is_watch ? g_strdup(tap->about_watch) : capture_file_from_command_line();
        recorder_capture(tap->recorder, file, NULL, NULL, 0, 0);
        g_free(file);
    }
    end(tap, tap->drawn ? "complete" : "interrupted");
}

static void tap_free(void *data)
{
    struct tap_record *tap = data;
    g_free(tap->database);
    g_free(tap->about_watch);
    g_free(tap);
}

static void at_exit(int code, void *user G_GNUC_UNUSED)
{
    for (guint i = 0; taps != NULL && i < taps->len; i++) {
        struct tap_record *tap = g_ptr_array_index(taps, i);
        record_finish(tap); /* if tshark ended without it */
        if (code != 0 && tap->completed && !tap->is_watch &&
            !recorder_set_status(tap->database, tap->capture, "cut short"))
            fprintf(stderr, "fieldedge: %s: the capture was cut short; that could not be noted.\n",
                    tap->database);
    }
    g_clear_pointer(&taps, g_ptr_array_unref);
    if (failed && code == 0)
        exit(EXIT_FAILURE); /* glibc: the handlers that are left see this code */
}

/* Once, before anything can fail. */
static void exit_watch(void)
{
    static bool is_watched;
    if (!is_watched)
        on_exit(at_exit, NULL);
    is_watched = true;
}

static const struct facts_callbacks callbacks = {
    .packet = record_packet,
    .capture = record_capture,
    .draw = record_draw,
    .finish = record_finish,
};

/* To SQLite, ":memory:" and "file:…" are no files. */
static char *database_path(const char *name, gsize length)
{
    bool is_special = name[0] == ':' || strncmp(name, "file:", 5) == 0;
    return g_strdup_printf("%s%.*s", is_special ? "./" : "", (int)length, name);
}

/* Splits "fieldedge,DB[,filter]".  The filter comes last and may contain commas.  epan compares
 * only the beginning: "fieldedgex" comes here too.  false: no database is named. */
static bool argument_split(const char *argument, char **database, char **filter)
{
    const char *rest = argument + strlen(CLI_STRING);
    if (rest[0] != ',' || rest[1] == ',' || rest[1] == '\0')
        return false;
    rest++;
    gsize length = strcspn(rest, ",");
    *database = database_path(rest, length);
    *filter = rest[length] != '\0' && rest[length + 1] != '\0' ? g_strdup(rest + length + 1) : NULL;
    return true;
}

/* Opens the database with the preferences as they are now; NULL with *error. */
static recorder *open_recorder(const char *database, bool is_in_memory, const char *filter,
                               const struct schema_recording *recording, char **error)
{
    struct recorder_options options = {.database = database,
                                       .is_in_memory = is_in_memory,
                                       .filter = filter,
                                       .local_networks = preferences_local_networks(),
                                       .payload_hashes = preferences_payload_hashes(),
                                       .tshark_version = epan_get_version(),
                                       .plugin_version = FIELDEDGE_VERSION,
                                       .recording = recording};
    char *problem = NULL;
    struct classify_site_port *ports = preferences_site_ports(&options.site_port_count, &problem);
    if (ports == NULL) {
        *error = g_strdup_printf("preference fieldedge.ports: %s.", problem);
        g_free(problem);
        return NULL;
    }
    locality *networks = locality_parse(options.local_networks, &problem);
    if (networks == NULL) {
        *error = g_strdup_printf("preference fieldedge.local_networks: %s", problem);
        g_free(problem);
        g_free(ports);
        return NULL;
    }
    locality_free(networks);
    options.site_ports = ports;
    recorder *made = recorder_open(&options, error);
    g_free(ports);
    return made;
}

static bool is_gui(void)
{
    ws_info_t *info = NULL;
    plugin_if_get_ws_info(&info);
    return info != NULL && info->ws_info_supported;
}

recorder *tap_record_open(const char *database, bool is_in_memory, const char *filter, char **error)
{
    return open_recorder(database, is_in_memory, filter, NULL, error);
}

static void refuse(char *sentence)
{
    tap_record_fail(sentence);
    g_free(sentence);
    exit(EXIT_FAILURE);
}

static struct tap_record *tap_new(void)
{
    struct tap_record *tap = g_new0(struct tap_record, 1);
    if (taps == NULL)
        taps = g_ptr_array_new_with_free_func(tap_free);
    exit_watch();
    g_ptr_array_add(taps, tap);
    return tap;
}

static void record_init(const char *argument, void *user G_GNUC_UNUSED)
{
    struct schema_recording recording;
    char *filter = NULL, *error = NULL;
    if (is_gui()) {
        report_failure(
            "-z fieldedge records with tshark. In Wireshark's window it is not available.");
        return;
    }
    struct tap_record *tap = tap_new();
    if (!argument_split(argument, &tap->database, &filter))
        refuse(g_strdup_printf("-z %s: no database is named. Write -z fieldedge,FILE[,filter].",
                               argument));
    if (tap_table_exists(tap->database)) {
        if (!tap_table_start(tap->database, filter, &error))
            refuse(error);
        g_free(filter);
        return;
    }
    /* The listeners first: a filter that does not parse leaves no database behind. */
    tap->reader = facts_reader_new(filter, &callbacks, tap, &error);
    if (tap->reader == NULL)
        refuse(error);
    schema_recording_from_text(&recording, g_getenv(SCHEMA_RECORDING_VARIABLE));
    tap->is_watch = recording.watch != NULL;
    tap->about_watch = g_strdup(recording.about);
    tap->recorder = open_recorder(tap->database, false, filter, &recording, &error);
    schema_recording_clear(&recording);
    if (tap->recorder == NULL)
        refuse(error);
    g_free(filter);
}

static stat_tap_ui record_ui = {
    REGISTER_STAT_GROUP_GENERIC, NULL, CLI_STRING, record_init, 0, NULL};

void tap_record_register(void)
{
    register_stat_tap_ui(&record_ui, NULL);
}
