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
 *
 * That a file was cut short is known only by the exit code, which comes after finish: an exit handler
 * sets that status.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/tap_record.h"

#include "plugin/capture_file.h"
#include "plugin/facts.h"
#include "plugin/preferences.h"
#include "plugin/record/recorder.h"

#include <epan/epan.h>
#include <epan/plugin_if.h>
#include <epan/stat_tap_ui.h>
#include <wsutil/report_message.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ws_version.h>

#define CLI_STRING "fieldedge"

/* One `-z fieldedge,…`.  Several can be given. */
struct tap_record {
    recorder *recorder;
    facts_reader *reader;
    char *database;
    bool drawn, started;
    int64_t capture; /* id, kept for the exit handler */
    struct facts_capture about; /* until the first packet tells the time */
};

/* Set by our own exit: the exit code then says nothing of the file. */
static bool failed;

static void say(const char *sentence)
{
    fprintf(stderr, "fieldedge: %s\n", sentence);
}

static void record_capture(void *user, const struct facts_capture *capture)
{
    struct tap_record *tap = user;
    tap->about = *capture;
}

static bool record_packet(void *user, const struct packet_facts *facts)
{
    struct tap_record *tap = user;
    if (!tap->started) {
        recorder_capture(tap->recorder, tap->about.file, tap->about.interface, tap->about.link_type,
                         tap->about.snap_length, facts->time_ns);
        tap->started = true;
    }
    return recorder_packet(tap->recorder, facts);
}

static void record_draw(void *user)
{
    struct tap_record *tap = user;
    tap->drawn = true;
}

static void cut_short_at_exit(int code, void *user)
{
    struct tap_record *tap = user;
    if (code != 0 && !failed && tap->drawn &&
        !recorder_set_status(tap->database, tap->capture, "cut short"))
        fprintf(stderr, "fieldedge: %s: the capture was cut short; that could not be noted.\n",
                tap->database);
    g_free(tap->database);
    g_free(tap);
}

static void record_finish(void *user)
{
    struct tap_record *tap = user;
    char *error = NULL;
    if (!tap->started) {
        char *file = capture_file_from_command_line();
        recorder_capture(tap->recorder, file, NULL, NULL, 0, 0);
        g_free(file);
    }
    tap->capture = recorder_capture_id(tap->recorder);
    bool ok = recorder_finish(tap->recorder, tap->drawn ? "complete" : "interrupted", &error);
    tap->recorder = NULL;
    if (ok) {
        on_exit(cut_short_at_exit, tap);
        return;
    }
    say(error);
    failed = true;
    exit(EXIT_FAILURE);
}

static const struct facts_callbacks callbacks = {
    .packet = record_packet,
    .capture = record_capture,
    .draw = record_draw,
    .finish = record_finish,
};

/* Splits "fieldedge,DB[,filter]".  The filter comes last and may contain commas. */
static void argument_split(const char *argument, char **database, char **filter)
{
    const char *rest = argument + strlen(CLI_STRING);
    if (*rest == ',')
        rest++;
    const char *comma = strchr(rest, ',');
    *database = comma != NULL ? g_strndup(rest, (gsize)(comma - rest)) : g_strdup(rest);
    *filter = comma != NULL && comma[1] != '\0' ? g_strdup(comma + 1) : NULL;
}

/* Opens the database with the preferences as they are now; NULL with *error. */
static recorder *open_recorder(const char *database, const char *filter, char **error)
{
    struct recorder_options options = {.database = database,
                                       .filter = filter,
                                       .local_networks = preferences_local_networks(),
                                       .payload_hashes = preferences_payload_hashes(),
                                       .tshark_version = epan_get_version(),
                                       .plugin_version = FIELDEDGE_VERSION};
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

static void record_init(const char *argument, void *user G_GNUC_UNUSED)
{
    struct tap_record *tap = g_new0(struct tap_record, 1);
    char *filter = NULL, *error = NULL;
    if (is_gui()) {
        report_failure("-z fieldedge records with tshark. In Wireshark's window it is not available.");
        g_free(tap);
        return;
    }
    argument_split(argument, &tap->database, &filter);
    /* The listeners first: a filter that does not parse leaves no database behind. */
    tap->reader = facts_reader_new(filter, &callbacks, tap, &error);
    if (tap->reader == NULL) {
        char *sentence = g_strdup_printf("display filter \"%s\": %s", filter != NULL ? filter : "",
                                         error);
        say(sentence);
        exit(EXIT_FAILURE);
    }
    tap->recorder = open_recorder(tap->database, filter, &error);
    if (tap->recorder == NULL) {
        say(error);
        exit(EXIT_FAILURE);
    }
    g_free(filter);
}

static stat_tap_ui record_ui = {REGISTER_STAT_GROUP_GENERIC, NULL, CLI_STRING, record_init, 0, NULL};

void tap_record_register(void)
{
    register_stat_tap_ui(&record_ui, NULL);
}
