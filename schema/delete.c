/* delete.c
 * Takes a capture out of the database.
 *
 * Foreign keys are off while recording, and would be slow here: a deleted conversation would look
 * for its packets without an index.  So the rows go by hand, and those of tables that are not known
 * here (result tables, a user's own) by what their foreign keys say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "schema/schema.h"

/* Which rows of a table belong to the capture ?1, by what the foreign key refers to. */
static const struct {
    const char *parent;
    const char *condition;
} belongings[] = {
    {"capture", "= ?1"},
    {"conversation", "IN (SELECT id FROM conversation WHERE capture = ?1)"},
    {"packet", "BETWEEN (?1 - 1) << 32 AND (?1 << 32) - 1"},
};

static int execute(sqlite3 *db, const char *sql, int64_t capture)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int64(statement, 1, capture);
    code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* "DELETE FROM …" for each table that refers to the parent, but for the three themselves. */
static int list_references(sqlite3 *db, const char *parent, const char *condition, GPtrArray *list)
{
    static const char sql[] =
        "SELECT m.name, f.\"from\" FROM main.sqlite_schema m, pragma_foreign_key_list(m.name) f"
        " WHERE m.type = 'table' AND f.\"table\" = ?1 COLLATE NOCASE"
        " AND m.name NOT IN ('capture', 'conversation', 'packet')";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_text(statement, 1, parent, -1, SQLITE_STATIC);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        char *text = sqlite3_mprintf("DELETE FROM main.\"%w\" WHERE \"%w\" %s",
                                     sqlite3_column_text(statement, 0),
                                     sqlite3_column_text(statement, 1), condition);
        if (text != NULL)
            g_ptr_array_add(list, text);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int schema_delete_capture(sqlite3 *db, int64_t capture)
{
    static const char *const last[] = {
        "DELETE FROM main.renumbering WHERE packet BETWEEN (?1 - 1) << 32 AND (?1 << 32) - 1",
        "DELETE FROM main.packet WHERE id BETWEEN (?1 - 1) << 32 AND (?1 << 32) - 1",
        "DELETE FROM main.conversation WHERE capture = ?1",
        "DELETE FROM main.capture WHERE id = ?1",
    };
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(sqlite3_free);
    int code = SQLITE_OK;

    /* From the leaves: what refers to packets, to conversations, to the capture. */
    for (size_t i = G_N_ELEMENTS(belongings); code == SQLITE_OK && i > 0; i--)
        code = list_references(db, belongings[i - 1].parent, belongings[i - 1].condition, list);
    for (guint i = 0; code == SQLITE_OK && i < list->len; i++)
        code = execute(db, g_ptr_array_index(list, i), capture);
    for (size_t i = 0; code == SQLITE_OK && i < G_N_ELEMENTS(last); i++)
        code = execute(db, last[i], capture);
    return code;
}
