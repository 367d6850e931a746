/* cmd_intervals.c
 * fieldedge intervals: how often packets of one size come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "tables.h"

static const char summary[] =
    "Writes a line for each host pair, application, direction and packet size: the\n"
    "gaps between its packets. Sizes are those of whole frames.";

static const char examples[] = "Examples:\n"
                               "  fieldedge intervals site.db --sort packets --top 10\n"
                               "  fieldedge intervals site.db --where application=TCP_MODBUS -t 8\n"
                               "  fieldedge intervals site.db --format csv -o intervals.csv";

int cmd_intervals(int argc, char **argv)
{
    g_autofree char *tolerance_text = NULL;
    FieldEdgeTolerance tolerance = {0};
    const GOptionEntry entries[] = {CLI_TOLERANCE_ENTRY(tolerance_text), {0}};
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, entries, &status) ||
        !reader_parse_tolerance(&reader, tolerance_text, &tolerance, &status) ||
        !reader_open_rows(&reader, NULL, table_intervals.columns, table_intervals.column_count,
                          &status))
        return status;
    const struct table_source source = {.database = reader.database,
                                        .selection = reader.selection,
                                        .tolerance = &tolerance,
                                        .output = reader.output};
    table_intervals.write(&source, &error);
    return reader_end(&reader, error);
}
