/* private_database.h
 * A recording into memory that is read back while it lasts: what the tables of tshark and the
 * windows of Wireshark show.  The one recorder writes it, and libfieldedge reads it.
 *
 *     private_database_new() → recorder_packet() … → private_database_close_recorder()
 *         → private_database_read() → private_database_free()
 *
 * Memory: the database, about 41 bytes a packet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_PRIVATE_DATABASE_H
#define FIELDEDGE_PRIVATE_DATABASE_H

#include "plugin/record/recorder.h"

#include <fieldedge.h>

typedef struct private_database private_database;

/* NULL and *error (g_free it): a preference can't be used. */
private_database *private_database_new(const char *filter, char **error);
void private_database_free(private_database *database);

/* For recorder_capture() and recorder_packet(); NULL once it is closed. */
recorder *private_database_recorder(const private_database *database);

/* Ends the recording.  false with *error: it has failed. */
bool private_database_close_recorder(private_database *database, char **error);

/* For libfieldedge, after that; the caller closes it. */
FieldEdgeDatabase *private_database_read(private_database *database, GError **error);

#endif
