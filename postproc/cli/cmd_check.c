/* cmd_check.c
 * fieldedge check: whether captures are whole, and what in them would mislead an analysis.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

static const char summary[] =
    "Says of each file whether it is whole, empty, cut short, corrupt (from which\n"
    "packet and offset on) or not a capture; and how many packets are duplicates,\n"
    "earlier than the one before, cut by the snap length, or over the MTU (the\n"
    "network card joins or splits them: offload), and how many flows have packets\n"
    "of one direction alone.";

static const char examples[] =
    "Exit codes: 0 all whole and nothing found; 7 whole, but something was found; 5\n"
    "a file has no packets; 3 one is cut short; 4 one is corrupt; 6 one is not a\n"
    "capture; 1 one could not be checked; 2 wrong usage. Of several files the\n"
    "worst, in the order 1 6 4 3 5 7 0.\n"
    "\n"
    "Examples:\n"
    "  fieldedge check site.pcapng\n"
    "  fieldedge check --quick *.pcap && echo all whole\n"
    "  fieldedge check site.pcapng --mtu 9000 --format json\n"
    "  fieldedge check mirror.pcap --time 0.01";

enum {
    CHECK_CORRUPT = 4,
    CHECK_EMPTY = 5,
    CHECK_FOREIGN = 6,
    CHECK_FOUND = 7,
};

struct options {
    char *format, *output, *time;
    gint64 mtu, window;
    gboolean is_quick;
    char **files;
};

enum {
    FILE_NAME,
    STATE,
    PACKETS,
    FOUND,
    TYPE,
    LINK_TYPE,
    SIZE,
    FRAME_BYTES,
    SNAP_LENGTH,
    STARTED,
    ENDED,
    DAMAGED_PACKET,
    DAMAGED_OFFSET,
    DETAIL,
    DUPLICATES,
    FIRST_DUPLICATE,
    DUPLICATE_BYTES,
    BACKWARD,
    FIRST_BACKWARD,
    BACKWARD_MOST,
    SNAPPED,
    FIRST_SNAPPED,
    OVERSIZED,
    FIRST_OVERSIZED,
    LARGEST_BYTES,
    ONE_SIDED_TCP,
    FIRST_ONE_SIDED_TCP,
    ONE_SIDED_UDP,
    FIRST_ONE_SIDED_UDP,
    COLUMNS
};

static const struct output_column columns[COLUMNS] = {
    [FILE_NAME] = {"file", "File", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    [STATE] = {"state", "State", OUTPUT_TEXT, OUTPUT_FOR_ALL},
    [PACKETS] = {"packets", "Packets", OUTPUT_COUNT, OUTPUT_FOR_ALL},
    [FOUND] = {"found", "Found", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    [TYPE] = {"type", "Type", OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    [LINK_TYPE] = {"link_type", "Link", OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    [SIZE] = {"file_bytes", "Size", OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    [FRAME_BYTES] = {"frame_bytes", "Frame bytes", OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    [SNAP_LENGTH] = {"snap_length", "Snap", OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    [STARTED] = {"started", "First", OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    [ENDED] = {"ended", "Last", OUTPUT_TIME, OUTPUT_FOR_PROGRAMS},
    [DAMAGED_PACKET] = {"damaged_packet", "Damaged", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [DAMAGED_OFFSET] = {"damaged_offset", "Offset", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [DETAIL] = {"detail", "Detail", OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
    [DUPLICATES] = {"duplicates", "Dup.", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [FIRST_DUPLICATE] = {"first_duplicate", "First", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [DUPLICATE_BYTES] = {"duplicate_bytes", "Bytes", OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    [BACKWARD] = {"backward", "Back", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [FIRST_BACKWARD] = {"first_backward", "First", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [BACKWARD_MOST] = {"backward_most", "Most", OUTPUT_SPAN, OUTPUT_FOR_PROGRAMS},
    [SNAPPED] = {"snapped", "Snapped", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [FIRST_SNAPPED] = {"first_snapped", "First", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [OVERSIZED] = {"over_mtu", "Over", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [FIRST_OVERSIZED] = {"first_over_mtu", "First", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [LARGEST_BYTES] = {"largest_ip_bytes", "Largest", OUTPUT_BYTES, OUTPUT_FOR_PROGRAMS},
    [ONE_SIDED_TCP] = {"one_sided_tcp", "TCP", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [FIRST_ONE_SIDED_TCP] = {"first_one_sided_tcp", "First", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [ONE_SIDED_UDP] = {"one_sided_udp", "UDP", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
    [FIRST_ONE_SIDED_UDP] = {"first_one_sided_udp", "First", OUTPUT_COUNT, OUTPUT_FOR_PROGRAMS},
};

/* ---- In words ---- */

/* "3 duplicates (from packet 7)"; nothing for none. */
static void add(GString *text, gint64 count, const char *one, const char *many, gint64 first)
{
    if (count == 0)
        return;
    g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s (from packet %" G_GINT64_FORMAT ")",
                           text->len > 0 ? ", " : "", count, count == 1 ? one : many, first);
}

static void add_damage(GString *text, const FieldEdgeCheckReport *report)
{
    if (report->damaged_packet != FIELDEDGE_NONE)
        g_string_append_printf(text, "packet %" G_GINT64_FORMAT " cannot be read",
                               report->damaged_packet);
    if (report->damaged_offset != FIELDEDGE_NONE)
        g_string_append_printf(text, ", from offset %" G_GINT64_FORMAT " on",
                               report->damaged_offset);
    if (report->detail != NULL)
        g_string_append_printf(text, "%s%s", text->len > 0 ? ": " : "", report->detail);
}

static GString *describe(const FieldEdgeCheckReport *report)
{
    GString *text = g_string_new(NULL);

    add_damage(text, report);
    if (!report->is_looked_through)
        return text;
    add(text, report->duplicates, "duplicate", "duplicates", report->first_duplicate);
    add(text, report->backward, "step back in time", "steps back in time", report->first_backward);
    add(text, report->snapped, "cut by the snap length", "cut by the snap length",
        report->first_snapped);
    add(text, report->oversized, "over the MTU", "over the MTU", report->first_oversized);
    add(text, report->one_sided_tcp, "one-sided TCP flow", "one-sided TCP flows",
        report->first_one_sided_tcp);
    add(text, report->one_sided_udp, "one-sided UDP flow", "one-sided UDP flows",
        report->first_one_sided_udp);
    return text;
}

/* ---- Rows ---- */

static void set_count(struct output_value *values, int column, int first, gint64 count,
                      gint64 number, bool is_known)
{
    values[column].number = count;
    values[column].is_null = !is_known;
    values[first].number = number;
    values[first].is_null = !is_known || count == 0;
}

static void set_number(struct output_value *value, gint64 number)
{
    value->number = number;
    value->is_null = number == FIELDEDGE_NONE;
}

static void write_row(struct output *output, const FieldEdgeCheckReport *report)
{
    bool is_known = report->is_looked_through;
    g_autofree char *name = g_filename_display_name(report->path);
    GString *found = describe(report);
    struct output_value values[COLUMNS] = {
        [FILE_NAME] = {.text = name},
        [STATE] = {.text = fieldedge_file_state_name(report->state)},
        [PACKETS] = {.number = report->packets},
        [FOUND] = {.text = found->len > 0 ? found->str : NULL},
        [TYPE] = {.text = report->type},
        [LINK_TYPE] = {.text = report->link_type},
        [SIZE] = {.number = report->size},
        [STARTED] = {.number = report->started_ns, .is_null = !report->has_times},
        [ENDED] = {.number = report->ended_ns, .is_null = !report->has_times},
        [DETAIL] = {.text = report->detail},
        [DUPLICATE_BYTES] = {.number = report->duplicate_bytes, .is_null = !is_known},
        [BACKWARD_MOST] = {.number = report->backward_most_ns, .is_null = report->backward == 0},
        [LARGEST_BYTES] = {.number = report->largest_bytes, .is_null = report->oversized == 0},
    };

    set_number(&values[FRAME_BYTES], report->frame_bytes);
    set_number(&values[SNAP_LENGTH], report->snap_length);
    set_number(&values[DAMAGED_PACKET], report->damaged_packet);
    set_number(&values[DAMAGED_OFFSET], report->damaged_offset);
    set_count(values, DUPLICATES, FIRST_DUPLICATE, report->duplicates, report->first_duplicate,
              is_known);
    set_count(values, BACKWARD, FIRST_BACKWARD, report->backward, report->first_backward, is_known);
    set_count(values, SNAPPED, FIRST_SNAPPED, report->snapped, report->first_snapped, is_known);
    set_count(values, OVERSIZED, FIRST_OVERSIZED, report->oversized, report->first_oversized,
              is_known);
    set_count(values, ONE_SIDED_TCP, FIRST_ONE_SIDED_TCP, report->one_sided_tcp,
              report->first_one_sided_tcp, is_known);
    set_count(values, ONE_SIDED_UDP, FIRST_ONE_SIDED_UDP, report->one_sided_udp,
              report->first_one_sided_udp, is_known);
    output_row(output, values);
    g_string_free(found, TRUE);
}

/* ---- Exit codes ---- */

static int code_of(const FieldEdgeCheckReport *report)
{
    static const int codes[] = {
        [FIELDEDGE_FILE_WHOLE] = CLI_OK,
        [FIELDEDGE_FILE_EMPTY] = CHECK_EMPTY,
        [FIELDEDGE_FILE_CUT_SHORT] = CLI_CUT_SHORT,
        [FIELDEDGE_FILE_CORRUPT] = CHECK_CORRUPT,
        [FIELDEDGE_FILE_FOREIGN] = CHECK_FOREIGN,
    };
    gint64 found = report->duplicates + report->backward + report->snapped + report->oversized +
                   report->one_sided_tcp + report->one_sided_udp;

    if (codes[report->state] == CLI_OK && report->is_looked_through && found > 0)
        return CHECK_FOUND;
    return codes[report->state];
}

static int worse(int a, int b)
{
    static const int order[] = {CLI_OK,        CHECK_FOUND,   CHECK_EMPTY, CLI_CUT_SHORT,
                                CHECK_CORRUPT, CHECK_FOREIGN, CLI_FAILURE};
    size_t at[2] = {0, 0};

    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        at[0] = order[i] == a ? i : at[0];
        at[1] = order[i] == b ? i : at[1];
    }
    return at[0] > at[1] ? a : b;
}

static int check_all(const struct options *options, FieldEdgeCheck *check)
{
    struct output *output;
    int status = CLI_OK;

    if (!cli_open_output("check", options->format, options->output, &output, &status))
        return status;
    output_table_begin(output, "files", "Files", columns, COLUMNS);
    for (char **file = options->files; *file != NULL; file++) {
        g_autoptr(GError) error = NULL;
        FieldEdgeCheckReport report;
        if (fieldedge_check_file(check, *file, cli_cancellable(), &report, &error)) {
            write_row(output, &report);
            status = worse(status, code_of(&report));
        } else {
            cli_message(error->message);
            status = CLI_FAILURE;
        }
        if (fieldedge_cancellable_is_cancelled(cli_cancellable()))
            break;
    }
    output_table_end(output);
    return cli_close_output(output, status);
}

static int run(const struct options *options)
{
    g_autoptr(FieldEdgeCheck) check = fieldedge_check_new();
    gint64 time_ns = 0;

    if (options->files == NULL)
        return cli_usage("check", "name a capture");
    if (options->mtu < 68)
        return cli_usage("check", "an MTU is at least 68 bytes");
    if (options->window < 1 || options->window > 1000000)
        return cli_usage("check", "--window takes 1 to 1000000 packets");
    if (options->time != NULL && (!cli_parse_ns(options->time, &time_ns) || time_ns == 0))
        return cli_usage("check", "--time takes seconds above 0, not '%s'", options->time);
    fieldedge_check_set_mtu(check, options->mtu);
    fieldedge_check_set_window(check, options->window, time_ns);
    fieldedge_check_set_quick(check, options->is_quick);
    return check_all(options, check);
}

int cmd_check(int argc, char **argv)
{
    struct options options = {.mtu = 1500, .window = 5};
    const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &options.format,
         "table (the default), json, jsonl or csv", "FORMAT"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
         "Write to FILE instead of standard output", "FILE"},
        {"quick", 'q', 0, G_OPTION_ARG_NONE, &options.is_quick,
         "Only whether files are whole; look into no packet", NULL},
        {"mtu", 0, 0, G_OPTION_ARG_INT64, &options.mtu, "The link's MTU (default: 1500)", "BYTES"},
        {"window", 0, 0, G_OPTION_ARG_INT64, &options.window,
         "A duplicate is among so many packets (default: 5)", "N"},
        {"time", 0, 0, G_OPTION_ARG_STRING, &options.time,
         "Or: at most so many seconds after the first", "SECONDS"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.files, NULL, NULL},
        {0},
    };
    int status;

    if (cli_parse(&argc, &argv, "FILE…", summary, examples, entries, &status))
        status = run(&options);
    g_free(options.format);
    g_free(options.output);
    g_free(options.time);
    g_strfreev(options.files);
    return status;
}
