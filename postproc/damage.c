/* damage.c
 * SQLite looks at the clock in no progress handler while it checks a table, but can be interrupted:
 * a thread does that when the time is over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "damage.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { NAME_LENGTH = 60 };

/* The thread that interrupts, and what it waits for. */
struct alarm {
    sqlite3 *handle;
    GMutex mutex;
    GCond changed;
    bool is_over; /* nothing left to interrupt */
    bool has_rung;
};

static gpointer wait_and_ring(gpointer data)
{
    struct alarm *alarm = data;
    gint64 end = g_get_monotonic_time() + DAMAGE_SECONDS * G_TIME_SPAN_SECOND;

    g_mutex_lock(&alarm->mutex);
    while (!alarm->is_over && g_cond_wait_until(&alarm->changed, &alarm->mutex, end))
        continue;
    if (!alarm->is_over) {
        alarm->has_rung = true;
        sqlite3_interrupt(alarm->handle);
    }
    g_mutex_unlock(&alarm->mutex);
    return NULL;
}

static bool has_rung(struct alarm *alarm)
{
    g_mutex_lock(&alarm->mutex);
    bool rung = alarm->has_rung;
    g_mutex_unlock(&alarm->mutex);
    return rung;
}

/* The names of the tables, the largest last.  NULL if the database cannot even say that. */
static GPtrArray *read_tables(sqlite3 *handle)
{
    static const char sql[] = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
                              " ORDER BY name = 'packet', name LIKE 'result%', rowid";
    g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            g_ptr_array_add(tables, g_strdup((const char *)sqlite3_column_text(statement, 0)));
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? g_steal_pointer(&tables) : NULL;
}

/* SQLite's first complaint is enough; a check that cannot go on is one too. */
static bool is_sound(sqlite3 *handle, const char *table)
{
    char *sql = sqlite3_mprintf("PRAGMA main.integrity_check(%Q)", table);
    sqlite3_stmt *statement = NULL;
    bool ok = sql != NULL && sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW &&
              g_strcmp0((const char *)sqlite3_column_text(statement, 0), "ok") == 0;

    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return ok;
}

static void add_name(GString *list, const char *kind, const char *name)
{
    g_autofree char *clean = g_utf8_make_valid(name, (gssize)strnlen(name, NAME_LENGTH));

    g_string_append(list, list->len == 0 ? kind : ", ");
    g_string_append(list, clean);
}

static char *check_tables(struct alarm *alarm, const GPtrArray *tables)
{
    g_autoptr(GString) damaged = g_string_new(NULL);
    g_autoptr(GString) unchecked = g_string_new(NULL);

    for (guint i = 0; i < tables->len; i++) {
        const char *name = tables->pdata[i];
        bool ok = !has_rung(alarm) && is_sound(alarm->handle, name);
        if (has_rung(alarm))
            add_name(unchecked, "not checked: ", name);
        else if (!ok)
            add_name(damaged, "damaged: ", name);
    }
    if (damaged->len == 0 && unchecked->len == 0)
        return g_strdup("no table is damaged by itself");
    return g_strconcat(damaged->str, damaged->len > 0 && unchecked->len > 0 ? "; " : "",
                       unchecked->str, NULL);
}

char *damage_describe(sqlite3 *handle)
{
    g_autoptr(GPtrArray) tables = read_tables(handle);
    struct alarm alarm = {.handle = handle};
    char *text;

    if (tables == NULL || tables->len == 0)
        return g_strdup("damaged: its list of tables");
    g_mutex_init(&alarm.mutex);
    g_cond_init(&alarm.changed);
    GThread *thread = g_thread_new("alarm", wait_and_ring, &alarm);
    text = check_tables(&alarm, tables);
    g_mutex_lock(&alarm.mutex);
    alarm.is_over = true;
    g_cond_signal(&alarm.changed);
    g_mutex_unlock(&alarm.mutex);
    g_thread_join(thread);
    g_cond_clear(&alarm.changed);
    g_mutex_clear(&alarm.mutex);
    /* cppcheck-suppress memleak ; g_thread_join() took the thread */
    return text;
}
