/* cmd_periods.c
 * fieldedge periods: what repeats.
 *
 *     json, jsonl  a group of packets is a row, its periods are nested
 *     table, csv   a row a period: its group's columns and its own
 *
 * Without --all or --all-groups, the periodic groups alone that say something a wider group does
 * not (periods.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "tables.h"

static const char summary[] =
    "Writes what repeats: of each host pair and application, how often packets come,\n"
    "how exactly, and what each time costs. A clock sends at fixed times, a sleep\n"
    "waits after each. --all writes every group, periodic or not, of local traffic\n"
    "too.";

static const char examples[] =
    "Examples:\n"
    "  fieldedge periods site.db\n"
    "  fieldedge periods site.db --sort bytes_per_cycle\n"
    "  fieldedge periods site.db --where 'host=192.168.50.20' --all\n"
    "  fieldedge periods site.db --format json | jq '.[].periods[0].period_s'";

int cmd_periods(int argc, char **argv)
{
    g_autofree char *tolerance_text = NULL;
    FieldEdgeTolerance tolerance = {0};
    gboolean all_groups = FALSE;
    const GOptionEntry entries[] = {
        {"all-groups", 'g', 0, G_OPTION_ARG_NONE, &all_groups, "Groups that are not periodic, too",
         NULL},
        CLI_TOLERANCE_ENTRY(tolerance_text),
        {0},
    };
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, entries, &status) ||
        !reader_parse_tolerance(&reader, tolerance_text, &tolerance, &status) ||
        !reader_open_rows(&reader, NULL, table_periods.columns, table_periods.column_count,
                          &status))
        return status;
    const struct table_source source = {.database = reader.database,
                                        .selection = reader.selection,
                                        .tolerance = &tolerance,
                                        .all_groups =
                                            all_groups || reader.scope == FIELDEDGE_SCOPE_ALL,
                                        .output = reader.output};
    table_periods.write(&source, &error);
    return reader_end(&reader, error);
}
