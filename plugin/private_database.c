/* private_database.c: see private_database.h
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/private_database.h"

#include "plugin/tap_record.h"

#include <sqlite3.h>

/* The database lives as long as one handle of it is open: `handle`. */
struct private_database {
    sqlite3 *handle;
    recorder *recorder;
};

recorder *private_database_recorder(const private_database *database)
{
    return database->recorder;
}

private_database *private_database_new(const char *filter, char **error)
{
    static unsigned count;
    private_database *made = g_new0(private_database, 1);
    char *uri = g_strdup_printf("file:/fieldedge-%u?vfs=memdb", ++count);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    if (sqlite3_open_v2(uri, &made->handle, flags, NULL) == SQLITE_OK)
        made->recorder = tap_record_open(uri, true, filter, error);
    else
        *error = g_strdup_printf("memory for packets: %s.", sqlite3_errmsg(made->handle));
    g_free(uri);
    if (made->recorder != NULL)
        return made;
    private_database_free(made);
    return NULL;
}

void private_database_free(private_database *database)
{
    if (database == NULL)
        return;
    if (database->recorder != NULL)
        recorder_abandon(database->recorder);
    sqlite3_close(database->handle);
    g_free(database);
}

bool private_database_close_recorder(private_database *database, char **error)
{
    recorder *closed = database->recorder;
    database->recorder = NULL;
    return closed == NULL || recorder_finish(closed, "complete", error);
}

FieldEdgeDatabase *private_database_read(private_database *database, GError **error)
{
    return fieldedge_database_new_for_handle(database->handle, "the packets in memory", error);
}
