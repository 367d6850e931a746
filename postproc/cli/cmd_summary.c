/* cmd_summary.c
 * fieldedge summary: the captures, the applications, and the accounts that every packet is in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"
#include "tables.h"

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

static const struct table *const sections[] = {&table_captures, &table_applications,
                                               &table_accounts};

static const char *const section_names[] = {"captures", "applications", "accounts", NULL};

static const struct table *find_section(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
        if (strcmp(name, sections[i]->name) == 0)
            return sections[i];
    }
    return NULL;
}

static void write_all(const struct table_source *source, GError **error)
{
    GError *problem = NULL;

    output_group_begin(source->output);
    for (size_t i = 0; i < G_N_ELEMENTS(sections) && problem == NULL; i++)
        sections[i]->write(source, &problem);
    if (problem == NULL)
        output_group_end(source->output);
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
    const struct table *section = NULL, *ordered;
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
    if (!reader_open_rows(&reader, ordered->name, ordered->columns, ordered->column_count, &status))
        return status;
    if (output_get_format(reader.output) == OUTPUT_CSV)
        section = ordered;
    const struct table_source source = {.database = reader.database,
                                        .selection = reader.selection,
                                        .scope = reader.scope,
                                        .output = reader.output};
    if (section != NULL)
        section->write(&source, &error);
    else
        write_all(&source, &error);
    return reader_end(&reader, error);
}
