/* cmd_schema.c
 * fieldedge schema: what the tables, views and columns of a database mean.
 *
 * Without a name all of them, one line each.  With a name its columns; for people also what it is
 * and an example, and in JSON one object that has all of this.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli.h"

#include <string.h>

static const char summary[] =
    "Explains the tables and views of every FieldEdge database, or the columns of one.\n"
    "No database is needed. fieldedge sql runs a SELECT on one.";

static const char examples[] = "Examples:\n"
                               "  fieldedge schema\n"
                               "  fieldedge schema packets\n"
                               "  fieldedge schema conversations --format json";

/* ---- All ---- */

/* The first sentence, as a text of the caller. */
static char *first_sentence(const char *text)
{
    const char *end = strstr(text, ". ");

    return end == NULL ? g_strdup(text) : g_strndup(text, (gsize)(end - text) + 1);
}

static void write_tables(struct output *output)
{
    static const struct output_column columns[] = {
        {"name", "Name", OUTPUT_TEXT, OUTPUT_FOR_ALL},
        {"kind", "Kind", OUTPUT_TEXT, OUTPUT_FOR_ALL},
        {"columns", "Columns", OUTPUT_COUNT, OUTPUT_FOR_ALL},
        {"meaning", "Meaning", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    };
    guint count;
    const FieldEdgeSchemaTable *tables = fieldedge_schema_tables(&count);

    output_table_begin(output, NULL, NULL, columns, G_N_ELEMENTS(columns));
    for (guint i = 0; i < count; i++) {
        g_autofree char *meaning = first_sentence(tables[i].meaning);
        const struct output_value values[] = {{.text = tables[i].name},
                                              {.text = tables[i].is_view ? "view" : "table"},
                                              {.number = tables[i].column_count},
                                              {.text = meaning}};
        output_row(output, values);
    }
    output_table_end(output);
}

/* ---- One ---- */

static void write_columns(struct output *output, const FieldEdgeSchemaTable *table)
{
    static const struct output_column columns[] = {
        {"table", NULL, OUTPUT_TEXT, OUTPUT_FOR_PROGRAMS},
        {"column", "Column", OUTPUT_TEXT, OUTPUT_FOR_ALL},
        {"type", "Type", OUTPUT_TEXT, OUTPUT_FOR_ALL},
        {"unit", "Unit", OUTPUT_TEXT, OUTPUT_FOR_ALL},
        {"meaning", "Meaning", OUTPUT_TEXT, OUTPUT_FOR_ALL, OUTPUT_WRAP_ANYWHERE},
    };
    g_autofree char *title = g_strdup_printf("%s, a %s. %s", table->name,
                                             table->is_view ? "view" : "table", table->meaning);

    output_table_begin(output, "columns", title, columns, G_N_ELEMENTS(columns));
    for (guint i = 0; i < table->column_count; i++) {
        const FieldEdgeSchemaColumn *column = &table->columns[i];
        const struct output_value values[] = {{.text = table->name},
                                              {.text = column->name},
                                              {.text = column->type},
                                              {.text = column->unit},
                                              {.text = column->meaning}};
        output_row(output, values);
    }
    output_table_end(output);
}

static void write_for_people(struct output *output, const FieldEdgeSchemaTable *table)
{
    static const struct output_column columns[] = {{"sql", "SQL", OUTPUT_TEXT, OUTPUT_FOR_PEOPLE}};
    g_auto(GStrv) lines = g_strsplit(table->example, "\n", -1);

    output_group_begin(output);
    write_columns(output, table);
    output_table_begin(output, "example", "Example", columns, G_N_ELEMENTS(columns));
    for (char **line = lines; *line != NULL; line++)
        output_row(output, &(struct output_value){.text = *line});
    output_table_end(output);
    output_group_end(output);
}

static void write_text(struct output *output, const char *key, const char *text)
{
    output_json_key(output, key);
    output_json_text(output, text);
}

static void write_document(struct output *output, const FieldEdgeSchemaTable *table)
{
    output_json_begin(output, '{');
    write_text(output, "name", table->name);
    write_text(output, "kind", table->is_view ? "view" : "table");
    write_text(output, "meaning", table->meaning);
    write_text(output, "example", table->example);
    output_json_key(output, "columns");
    output_json_begin(output, '[');
    for (guint i = 0; i < table->column_count; i++) {
        output_json_begin(output, '{');
        write_text(output, "name", table->columns[i].name);
        write_text(output, "type", table->columns[i].type);
        write_text(output, "unit", table->columns[i].unit);
        write_text(output, "meaning", table->columns[i].meaning);
        output_json_end(output);
    }
    output_json_end(output);
    output_json_end(output);
}

static void write_table(struct output *output, const FieldEdgeSchemaTable *table)
{
    switch (output_get_format(output)) {
    case OUTPUT_TABLE:
        write_for_people(output, table);
        break;
    case OUTPUT_JSON:
        write_document(output, table);
        break;
    case OUTPUT_JSONL:
    case OUTPUT_CSV:
        write_columns(output, table);
        break;
    case OUTPUT_SVG: /* refused before */
        break;
    }
}

/* Names are compared as SQLite does. */
static const FieldEdgeSchemaTable *find_table(const char *name)
{
    guint count;
    const FieldEdgeSchemaTable *tables = fieldedge_schema_tables(&count);

    for (guint i = 0; i < count; i++) {
        if (g_ascii_strcasecmp(tables[i].name, name) == 0)
            return &tables[i];
    }
    return NULL;
}

static int refuse_table(const char *name)
{
    guint count;
    const FieldEdgeSchemaTable *tables = fieldedge_schema_tables(&count);
    g_autofree const char **names = g_new0(const char *, count + 1);

    for (guint i = 0; i < count; i++)
        names[i] = tables[i].name;
    return cli_usage_name("schema", "table or view", name, names);
}

int cmd_schema(int argc, char **argv)
{
    g_auto(GStrv) rest = NULL;
    const FieldEdgeSchemaTable *table = NULL;
    struct reader reader;
    int status;

    if (!reader_parse_output(&reader, argc, argv, "[NAME]", summary, examples, NULL, &rest,
                             &status))
        return status;
    if (g_strv_length(rest) > 1) {
        reader_end(&reader, NULL);
        return cli_usage("schema", "one table or view at a time, not also '%s'", rest[1]);
    }
    if (rest[0] != NULL && (table = find_table(rest[0])) == NULL) {
        reader_end(&reader, NULL);
        return refuse_table(rest[0]);
    }
    if (!reader_open(&reader, &status))
        return status;
    if (table == NULL)
        write_tables(reader.output);
    else
        write_table(reader.output, table);
    return reader_end(&reader, NULL);
}
