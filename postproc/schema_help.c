/* schema_help.c
 * What the tables, views and columns mean, taken from schema/README.md, which is compiled in: there
 * is one text, for readers of the document and of the command.
 *
 * What is taken of it:
 *
 *     ## Views                            from here on views; "## Tables": tables; any other
 *                                         heading of this level: nothing
 *     ### `packets`                       a view of this name
 *     One row for every packet            its meaning: all text up to the table
 *     | column | type | meaning |         the columns, in this order
 *     | `time_ns` | integer, ns | when |  a column, its type, its unit if there is one, its meaning
 *     ```sql                              its example: the first block of SQL
 *
 * Marks of Markdown are left out of meanings: `x` is x, [verdicts](#verdicts) is verdicts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fieldedge.h"

#include "schema/schema.h"

#include <stdbool.h>
#include <string.h>

/* What is being read.  columns and meaning belong to the last table of tables. */
struct reading {
    GArray *tables;  /* of FieldEdgeSchemaTable */
    GArray *columns; /* of FieldEdgeSchemaColumn */
    GString *meaning;
    GString *example; /* NULL: outside of a block of SQL */
    bool is_in_part;  /* below "## Views" or "## Tables" */
    bool is_view;
    bool has_table; /* a section "### `name`" is open */
};

static char *plain_text(const char *text)
{
    GString *plain = g_string_new(NULL);

    for (const char *at = text; *at != '\0'; at++) {
        if (at[0] == ']' && at[1] == '(' && strchr(at, ')') != NULL)
            at = strchr(at, ')'); /* the target of a link */
        else if (*at != '`' && *at != '[')
            g_string_append_c(plain, *at);
    }
    return g_strstrip(g_string_free(plain, FALSE));
}

static void end_table(struct reading *reading)
{
    FieldEdgeSchemaTable *table;

    if (!reading->has_table)
        return;
    table = &g_array_index(reading->tables, FieldEdgeSchemaTable, reading->tables->len - 1);
    table->meaning = plain_text(reading->meaning->str);
    table->column_count = reading->columns->len;
    table->columns = (const FieldEdgeSchemaColumn *)(void *)g_array_free(reading->columns, FALSE);
    if (table->example == NULL)
        table->example = g_strdup_printf("SELECT * FROM %s LIMIT 5;", table->name);
    g_string_free(reading->meaning, TRUE);
    reading->has_table = false;
}

static void begin_table(struct reading *reading, const char *heading)
{
    FieldEdgeSchemaTable table = {.name = plain_text(heading), .is_view = reading->is_view};

    g_array_append_val(reading->tables, table);
    reading->columns = g_array_new(TRUE, TRUE, sizeof(FieldEdgeSchemaColumn));
    reading->meaning = g_string_new(NULL);
    reading->has_table = true;
}

/* "| `time_ns` | integer, ns | when it was captured |" */
static void read_column(struct reading *reading, const char *line)
{
    g_auto(GStrv) cells = g_strsplit(line, " | ", 3);
    FieldEdgeSchemaColumn column = {0};
    char *unit;

    if (g_strv_length(cells) != 3) /* the build's tests complain */
        return;
    column.name = plain_text(cells[0] + strlen("| "));
    unit = strchr(cells[1], ',');
    column.unit = unit == NULL ? NULL : plain_text(unit + 1);
    if (unit != NULL)
        *unit = '\0';
    column.type = plain_text(cells[1]);
    if (g_str_has_suffix(cells[2], "|"))
        cells[2][strlen(cells[2]) - 1] = '\0';
    column.meaning = plain_text(cells[2]);
    g_array_append_val(reading->columns, column);
}

static void read_text(struct reading *reading, const char *line)
{
    if (reading->columns->len > 0 || g_str_has_prefix(line, "|") || *line == '\0')
        return;
    if (reading->meaning->len > 0)
        g_string_append_c(reading->meaning, ' ');
    g_string_append(reading->meaning, line);
}

static void read_example(struct reading *reading, const char *line)
{
    FieldEdgeSchemaTable *table =
        &g_array_index(reading->tables, FieldEdgeSchemaTable, reading->tables->len - 1);

    if (!g_str_has_prefix(line, "```")) {
        g_string_append_printf(reading->example, "%s%s", reading->example->len > 0 ? "\n" : "",
                               line);
        return;
    }
    char *example = g_string_free(g_steal_pointer(&reading->example), FALSE);
    if (table->example == NULL)
        table->example = example;
    else
        g_free(example);
}

static void read_line(struct reading *reading, const char *line)
{
    if (reading->example != NULL) {
        read_example(reading, line);
    } else if (g_str_has_prefix(line, "## ")) {
        end_table(reading);
        reading->is_view = strcmp(line, "## Views") == 0;
        reading->is_in_part = reading->is_view || strcmp(line, "## Tables") == 0;
    } else if (reading->is_in_part && g_str_has_prefix(line, "### ")) {
        end_table(reading);
        begin_table(reading, line + strlen("### "));
    } else if (!reading->has_table) {
        return;
    } else if (strcmp(line, "```sql") == 0) {
        reading->example = g_string_new(NULL);
    } else if (g_str_has_prefix(line, "| `")) {
        read_column(reading, line);
    } else {
        read_text(reading, line);
    }
}

static gpointer read_all(gpointer data)
{
    struct reading reading = {.tables = g_array_new(FALSE, TRUE, sizeof(FieldEdgeSchemaTable))};
    g_auto(GStrv) lines = g_strsplit(schema_readme, "\n", -1);

    (void)data;
    for (char **line = lines; *line != NULL; line++)
        read_line(&reading, *line);
    end_table(&reading);
    return reading.tables;
}

const FieldEdgeSchemaTable *fieldedge_schema_tables(guint *count)
{
    static GOnce once = G_ONCE_INIT;
    const GArray *tables = g_once(&once, read_all, NULL);

    *count = tables->len;
    return (const FieldEdgeSchemaTable *)(const void *)tables->data;
}
