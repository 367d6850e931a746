/* cmd_hosts.c
 * fieldedge hosts: what each host sent and received.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "tables.h"

static const char summary[] =
    "Writes a line for each host: its conversations, packets and bytes, most IP bytes\n"
    "first. Local says whether its address is in the site's own networks.";

static const char examples[] = "Examples:\n"
                               "  fieldedge hosts site.db\n"
                               "  fieldedge hosts site.db --sort packets_sent --top 10\n"
                               "  fieldedge hosts site.db --all --format csv -o hosts.csv";

int cmd_hosts(int argc, char **argv)
{
    struct reader reader;
    GError *error = NULL;
    int status;

    if (!reader_parse(&reader, argc, argv, summary, examples, NULL, &status) ||
        !reader_open_rows(&reader, NULL, table_hosts.columns, table_hosts.column_count, &status))
        return status;
    const struct table_source source = {
        .database = reader.database, .selection = reader.selection, .output = reader.output};
    table_hosts.write(&source, &error);
    return reader_end(&reader, error);
}
