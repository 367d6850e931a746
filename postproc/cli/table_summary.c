/* table_summary.c
 * The captures, the applications, and the accounts that every packet is in.
 *
 * The share of an application is of the IP bytes of all applications shown, that of an account of
 * all IP bytes recorded; it is null where there are none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tables.h"

static const struct output_column capture_columns[] = {
    {"id", "No.", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"file", "File", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    {"interface", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"link_type", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"status", "Status", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"filter", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"first", "First", OUTPUT_TIME, OUTPUT_FOR_ALL},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"duration", "Duration", OUTPUT_SPAN, OUTPUT_FOR_ALL},
    {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"frame_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"ip_bytes", "IP bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"snap_length", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"local_networks", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"tshark_version", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    {"plugin_version", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
};

static void write_captures(const struct table_source *source, GError **error)
{
    g_autoptr(FieldEdgeCaptures) captures =
        fieldedge_captures_new(source->database, source->selection, error);
    const FieldEdgeCapture *row;

    if (captures == NULL)
        return;
    output_table_begin(source->output, "captures", "Captures", capture_columns,
                       G_N_ELEMENTS(capture_columns));
    while (!output_done(source->output) &&
           (row = fieldedge_captures_next(captures, error)) != NULL) {
        bool empty = !row->has_packets;
        const struct output_value values[G_N_ELEMENTS(capture_columns)] = {
            {.number = row->id},
            {.text = row->file},
            {.text = row->interface},
            {.text = row->link_type},
            {.text = row->status},
            {.text = row->filter},
            {.number = row->started_ns, .is_null = empty},
            {.number = row->ended_ns, .is_null = empty},
            {.number = row->duration_ns, .is_null = empty},
            {.number = row->packets},
            {.number = row->frame_bytes},
            {.number = row->ip_bytes},
            {.number = row->snap_length, .is_null = row->snap_length == FIELDEDGE_NONE},
            {.text = row->local_networks},
            {.text = row->tshark_version},
            {.text = row->plugin_version},
        };
        output_row(source->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(source->output);
}

static struct output_value share(double share)
{
    bool is_none = share == (double)FIELDEDGE_NONE;

    return (struct output_value){.share = is_none ? 0 : share, .is_null = is_none};
}

static const struct output_column application_columns[] = {
    {"application", "Application", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"conversations", "Conv.", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"frame_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"ip_bytes", "IP bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"share", "Share", OUTPUT_SHARE, OUTPUT_FOR_ALL},
    {NULL, "", OUTPUT_BAR, OUTPUT_FOR_WIDE},
    {"payload_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"bad_packets", "Bad", OUTPUT_COUNT, OUTPUT_FOR_ALL, .mark = OUTPUT_FAULT},
    {"bad_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"retransmissions", NULL, OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    {"retransmission_bytes", NULL, OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    {"retransmitted_bytes", "Retransm.", OUTPUT_BYTES, OUTPUT_FOR_ALL, .mark = OUTPUT_FAULT},
    {"first", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    {"last", NULL, OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
};

static void write_applications(const struct table_source *source, GError **error)
{
    static const char *const titles[] = {
        [FIELDEDGE_SCOPE_WAN] = "Applications on the WAN",
        [FIELDEDGE_SCOPE_LOCAL] = "Applications of local traffic",
        [FIELDEDGE_SCOPE_ALL] = "Applications",
    };
    g_autoptr(FieldEdgeTotals) totals =
        fieldedge_totals_new(source->database, source->selection, error);
    const FieldEdgeTotal *row;

    if (totals == NULL)
        return;
    output_table_begin(source->output, "applications", titles[source->scope], application_columns,
                       G_N_ELEMENTS(application_columns));
    while (!output_done(source->output) && (row = fieldedge_totals_next(totals, error)) != NULL) {
        const struct output_value values[G_N_ELEMENTS(application_columns)] = {
            {.text = row->application},
            {.number = row->conversations},
            {.number = row->packets},
            {.number = row->frame_bytes},
            {.number = row->ip_bytes},
            share(row->share),
            share(row->share),
            {.number = row->payload_bytes},
            {.number = row->bad_packets},
            {.number = row->bad_bytes},
            {.number = row->retransmissions},
            {.number = row->retransmission_bytes},
            {.number = row->retransmitted_bytes},
            {.number = row->started_ns},
            {.number = row->ended_ns},
        };
        output_row(source->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(source->output);
}

static const struct output_column account_columns[] = {
    {"account", "Account", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    {"conversations", "Conv.", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    {"frame_bytes", "Frame bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"ip_bytes", "IP bytes", OUTPUT_BYTES, OUTPUT_FOR_ALL},
    {"share", "Share", OUTPUT_SHARE, OUTPUT_FOR_ALL},
    {NULL, "", OUTPUT_BAR, OUTPUT_FOR_WIDE},
};

static void write_accounts(const struct table_source *source, GError **error)
{
    g_autoptr(FieldEdgeAccounts) accounts =
        fieldedge_accounts_new(source->database, source->selection, error);
    const FieldEdgeAccount *row;

    if (accounts == NULL)
        return;
    output_table_begin(source->output, "accounts", "All packets", account_columns,
                       G_N_ELEMENTS(account_columns));
    while (!output_done(source->output) &&
           (row = fieldedge_accounts_next(accounts, error)) != NULL) {
        const struct output_value values[G_N_ELEMENTS(account_columns)] = {
            {.text = row->account},    {.number = row->conversations},
            {.number = row->packets},  {.number = row->frame_bytes},
            {.number = row->ip_bytes}, share(row->share),
            share(row->share),
        };
        output_row(source->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(source->output);
}

const struct table table_captures = {"captures", capture_columns, G_N_ELEMENTS(capture_columns),
                                     write_captures};

const struct table table_applications = {"applications", application_columns,
                                         G_N_ELEMENTS(application_columns), write_applications};

const struct table table_accounts = {"accounts", account_columns, G_N_ELEMENTS(account_columns),
                                     write_accounts};
