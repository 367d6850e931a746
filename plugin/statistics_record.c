/* statistics_record.c: see statistics_record.h
 *
 * Reading all packets again is one call that returns at the end, so the recording begins and ends
 * inside it: no rescan can come between and bring a packet twice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/statistics_record.h"

#include "plugin/facts.h"
#include "plugin/tap_record.h"

#include <epan/funnel.h>
#include <epan/plugin_if.h>
#include <epan/tap.h>
#include <wsutil/report_message.h>

#include <inttypes.h>
#include <string.h>

struct recording {
    recorder *recorder; /* NULL after it has failed */
    struct facts_capture about;
    bool started;
    uint64_t packets;
    uint32_t seen; /* packets that came by, whether they pass the filter or not */
};

static void read_capture(void *user, const struct facts_capture *capture)
{
    ((struct recording *)user)->about = *capture;
}

static bool read_packet(void *user, const struct packet_facts *facts)
{
    struct recording *r = user;
    if (!r->started)
        recorder_capture(r->recorder, r->about.file, r->about.interface, r->about.link_type,
                         r->about.snap_length, facts->time_ns);
    r->started = true;
    r->packets++;
    return recorder_packet(r->recorder, facts);
}

static void nothing(void *user G_GNUC_UNUSED)
{
}

static const struct facts_callbacks callbacks = {
    .packet = read_packet, .capture = read_capture, .draw = nothing, .finish = nothing};

static tap_packet_status count_packet(void *tap, packet_info *pinfo G_GNUC_UNUSED,
                                      epan_dissect_t *edt G_GNUC_UNUSED,
                                      const void *data G_GNUC_UNUSED,
                                      tap_flags_t flags G_GNUC_UNUSED)
{
    (*(uint32_t *)tap)++;
    return TAP_PACKET_DONT_REDRAW;
}

/* The file's name (g_free it) and its number of packets. */
static char *file_open_now(uint32_t *packets)
{
    ws_info_t *info = NULL;
    plugin_if_get_ws_info(&info);
    *packets = info != NULL ? info->cf_count : 0;
    return info != NULL && info->cf_filename != NULL ? g_strdup(info->cf_filename) : NULL;
}

static void say(const char *database, const struct recording *r, bool is_whole)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    funnel_text_window_t *window = ops->new_text_window(ops->ops_id, "FieldEdge");
    char *text = g_strdup_printf("%" PRIu64 " packets are recorded in\n%s\n%s"
                                 "\nRead them with: fieldedge summary FILE\n",
                                 r->packets, database,
                                 is_whole ? "" : "The reading was stopped before the last one.\n");
    ops->set_text(window, text);
    g_free(text);
}

/* Begins, reads all packets again, and ends. */
static void record(const char *database, const char *filter)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    struct recording r = {0};
    char *error = NULL;
    uint32_t packets;
    char *file = file_open_now(&packets);
    facts_reader *reader = facts_reader_new(filter, &callbacks, &r, &error);
    if (reader != NULL)
        r.recorder = tap_record_open(database, false, filter, &error);
    if (r.recorder != NULL) {
        GString *problem =
            register_tap_listener("frame", &r.seen, NULL, 0, NULL, count_packet, NULL, NULL);
        ops->retap_packets(ops->ops_id);
        if (problem == NULL)
            remove_tap_listener(&r.seen);
        else
            g_string_free(problem, TRUE);
        bool is_whole = r.seen >= packets;
        if (!r.started)
            recorder_capture(r.recorder, file, NULL, NULL, 0, 0);
        if (recorder_finish(r.recorder, is_whole ? "complete" : "interrupted", &error))
            say(database, &r, is_whole);
    }
    facts_reader_free(reader);
    if (error != NULL)
        report_failure("FieldEdge: %s", error);
    g_free(error);
    g_free(file);
}

static void dialog_answered(gchar **input, void *data G_GNUC_UNUSED)
{
    const char *filter = input[0] != NULL ? input[1] : NULL;
    if (input[0] == NULL || input[0][0] == '\0')
        report_failure("FieldEdge: no file is named to record into.");
    else
        record(input[0], filter != NULL && filter[0] != '\0' ? filter : NULL);
    g_strfreev(input);
}

static void menu_chosen(gpointer data G_GNUC_UNUSED)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    uint32_t packets;
    char *file = file_open_now(&packets);
    if (file == NULL) {
        report_failure("FieldEdge: open a capture first.");
        return;
    }
    char *database = g_strconcat(file, ".db", NULL);
    const gchar *names[] = {"Database", "Display filter (may be empty)", NULL};
    const gchar *values[] = {database, ops->get_filter(ops->ops_id), NULL};
    ops->new_dialog(ops->ops_id, "FieldEdge: Record to Database", names, values, dialog_answered,
                    NULL, NULL);
    g_free(database);
    g_free(file);
}

void statistics_record_register(void)
{
    funnel_register_menu("FieldEdge Record to Database…", REGISTER_PACKET_STAT_GROUP_UNSORTED,
                         menu_chosen, NULL, NULL, FALSE);
}
