/* cmd_analyze.c
 * fieldedge analyze: stores in the database what SQL cannot compute.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

static const char summary[] =
    "Computes intervals, periods, repeats of host pairs and bad packets by verdict,\n"
    "and stores them in the database, in place of those of an earlier run. The views\n"
    "intervals, periods, pair_repeats and conversation_verdicts then show them to\n"
    "SQL, and the other commands read them as long as nothing is recorded.";

static const char examples[] = "Examples:\n"
                               "  fieldedge analyze site.db\n"
                               "  sqlite3 -box site.db 'SELECT * FROM periods WHERE NOT is_repeat'";

int cmd_analyze(int argc, char **argv)
{
    g_auto(GStrv) operands = NULL;
    const GOptionEntry entries[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &operands, NULL, NULL},
        {0},
    };
    g_autoptr(GError) error = NULL;
    int status;

    if (!cli_parse(&argc, &argv, "DATABASE", summary, examples, entries, &status))
        return status;
    if (operands == NULL || operands[0] == NULL)
        return cli_usage("analyze", "name a database");
    if (operands[1] != NULL)
        return cli_usage("analyze", "one database at a time, not also '%s'", operands[1]);
    if (fieldedge_analyze(operands[0], &error))
        return CLI_OK;
    cli_message(error->message);
    return CLI_FAILURE;
}
