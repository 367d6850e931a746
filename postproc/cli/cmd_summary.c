/* cmd_summary.c
 * fieldedge summary: the captures, the applications, and the accounts that every packet is in.
 *
 * The share of an application is of the IP bytes of all applications shown, that of an account of
 * all IP bytes recorded; it is null where there are none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <string.h>

static const char summary[] =
    "Writes the captures of a database and how they ended, the applications with most\n"
    "IP bytes first, and where all packets went: WAN, local, without a conversation.";

static const char examples[] =
    "CSV holds one section: applications, or the one that --section names. --sort and\n"
    "--top are about that section.\n"
    "\n"
    "Examples:\n"
    "  fieldedge summary site.db\n"
    "  fieldedge summary site.db --all --format json\n"
    "  fieldedge summary site.db --sort bad_packets --top 5\n"
    "  fieldedge summary site.db --section captures --format csv";

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

static void write_captures(struct reader *reader, GError **error)
{
    g_autoptr(FieldEdgeCaptures) captures =
        fieldedge_captures_new(reader->database, reader->selection, error);
    const FieldEdgeCapture *row;

    if (captures == NULL)
        return;
    output_table_begin(reader->output, "captures", "Captures", capture_columns,
                       G_N_ELEMENTS(capture_columns));
    while (!output_done(reader->output) &&
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
        output_row(reader->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(reader->output);
}

static struct output_value share(gint64 part, double whole)
{
    return (struct output_value){.share = whole > 0 ? (double)part / whole : 0,
                                 .is_null = !(whole > 0)};
}

static bool sum_totals(struct reader *reader, double *ip_bytes, GError **error)
{
    g_autoptr(FieldEdgeTotals) totals =
        fieldedge_totals_new(reader->database, reader->selection, error);
    GError *problem = NULL;
    const FieldEdgeTotal *row;

    *ip_bytes = 0;
    if (totals == NULL)
        return false;
    while ((row = fieldedge_totals_next(totals, &problem)) != NULL)
        *ip_bytes += (double)row->ip_bytes;
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
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

static void write_applications(struct reader *reader, GError **error)
{
    static const char *const titles[] = {
        [FIELDEDGE_SCOPE_WAN] = "Applications on the WAN",
        [FIELDEDGE_SCOPE_LOCAL] = "Applications of local traffic",
        [FIELDEDGE_SCOPE_ALL] = "Applications",
    };
    g_autoptr(FieldEdgeTotals) totals = NULL;
    const FieldEdgeTotal *row;
    double whole;

    if (!sum_totals(reader, &whole, error))
        return;
    totals = fieldedge_totals_new(reader->database, reader->selection, error);
    if (totals == NULL)
        return;
    output_table_begin(reader->output, "applications", titles[reader->scope], application_columns,
                       G_N_ELEMENTS(application_columns));
    while (!output_done(reader->output) && (row = fieldedge_totals_next(totals, error)) != NULL) {
        const struct output_value values[G_N_ELEMENTS(application_columns)] = {
            {.text = row->application},
            {.number = row->conversations},
            {.number = row->packets},
            {.number = row->frame_bytes},
            {.number = row->ip_bytes},
            share(row->ip_bytes, whole),
            share(row->ip_bytes, whole),
            {.number = row->payload_bytes},
            {.number = row->bad_packets},
            {.number = row->bad_bytes},
            {.number = row->retransmissions},
            {.number = row->retransmission_bytes},
            {.number = row->retransmitted_bytes},
            {.number = row->started_ns},
            {.number = row->ended_ns},
        };
        output_row(reader->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(reader->output);
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

static bool sum_accounts(struct reader *reader, double *ip_bytes, GError **error)
{
    g_autoptr(FieldEdgeAccounts) accounts =
        fieldedge_accounts_new(reader->database, reader->selection, error);
    GError *problem = NULL;
    const FieldEdgeAccount *row;

    *ip_bytes = 0;
    if (accounts == NULL)
        return false;
    while ((row = fieldedge_accounts_next(accounts, &problem)) != NULL)
        *ip_bytes += (double)row->ip_bytes;
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static void write_accounts(struct reader *reader, GError **error)
{
    g_autoptr(FieldEdgeAccounts) accounts = NULL;
    const FieldEdgeAccount *row;
    double whole;

    if (!sum_accounts(reader, &whole, error))
        return;
    accounts = fieldedge_accounts_new(reader->database, reader->selection, error);
    if (accounts == NULL)
        return;
    output_table_begin(reader->output, "accounts", "All packets", account_columns,
                       G_N_ELEMENTS(account_columns));
    while (!output_done(reader->output) &&
           (row = fieldedge_accounts_next(accounts, error)) != NULL) {
        const struct output_value values[G_N_ELEMENTS(account_columns)] = {
            {.text = row->account},      {.number = row->conversations},
            {.number = row->packets},    {.number = row->frame_bytes},
            {.number = row->ip_bytes},   share(row->ip_bytes, whole),
            share(row->ip_bytes, whole),
        };
        output_row(reader->output, values);
    }
    if (*error == NULL) /* else what is there must not look whole */
        output_table_end(reader->output);
}

static const struct section {
    const char *name;
    void (*write)(struct reader *reader, GError **error);
    const struct output_column *columns;
    size_t count;
} sections[] = {
    {"captures", write_captures, capture_columns, G_N_ELEMENTS(capture_columns)},
    {"applications", write_applications, application_columns, G_N_ELEMENTS(application_columns)},
    {"accounts", write_accounts, account_columns, G_N_ELEMENTS(account_columns)},
};

static const char *const section_names[] = {"captures", "applications", "accounts", NULL};

static const struct section *find_section(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
        if (strcmp(name, sections[i].name) == 0)
            return &sections[i];
    }
    return NULL;
}

static void write_all(struct reader *reader, GError **error)
{
    GError *problem = NULL;

    output_group_begin(reader->output);
    for (size_t i = 0; i < G_N_ELEMENTS(sections) && problem == NULL; i++)
        sections[i].write(reader, &problem);
    if (problem == NULL)
        output_group_end(reader->output);
    else
        g_propagate_error(error, problem);
}

int cmd_summary(int argc, char **argv)
{
    g_autofree char *name = NULL;
    const GOptionEntry entries[] = {
        {"section", 's', 0, G_OPTION_ARG_STRING, &name,
         "Only this: captures, applications or accounts", "SECTION"},
        {0},
    };
    const struct section *section = NULL, *ordered;
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, entries, &status))
        return status;
    if (name != NULL && (section = find_section(name)) == NULL) {
        reader_end(&reader, NULL);
        return cli_usage_name("summary", "section", name, section_names);
    }
    ordered = section != NULL ? section : find_section("applications");
    if (!reader_open_rows(&reader, ordered->name, ordered->columns, ordered->count, &status))
        return status;
    if (output_get_format(reader.output) == OUTPUT_CSV)
        section = ordered;
    if (section != NULL)
        section->write(&reader, &error);
    else
        write_all(&reader, &error);
    return reader_end(&reader, error);
}
