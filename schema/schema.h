/* schema.h
 * The database's layout as both halves of FieldEdge know it: create, migrate, refuse; and the two
 * tables of names (applications.tsv, protocols.tsv) that are compiled in as data.
 *
 * Order of calls: a writer opens its SQLite handle and calls schema_prepare() once; a reader calls
 * schema_verify().  The name tables need no set-up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SCHEMA_H
#define FIELDEDGE_SCHEMA_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PRAGMA application_id of every FieldEdge database ("FEdg") and PRAGMA user_version of ours. */
#define SCHEMA_APPLICATION_ID 0x46456467
#define SCHEMA_VERSION        2

#define SCHEMA_ERROR (schema_error_quark())
GQuark schema_error_quark(void);

enum schema_error {
    SCHEMA_ERROR_FOREIGN, /* an SQLite database, but not FieldEdge's */
    SCHEMA_ERROR_NEWER,   /* written by a newer FieldEdge */
    SCHEMA_ERROR_OLDER,   /* older, and this handle may only read */
    SCHEMA_ERROR_LOCKED,  /* another program keeps it locked */
    SCHEMA_ERROR_SQLITE   /* SQLite's own error; the message has its words */
};

/* Makes db ready for writing: creates the tables in an empty database, migrates an older one in one
 * transaction, leaves a current one alone.  A foreign or newer database is refused untouched.
 * The message of an error says what is wrong and what to do, without the file's name. */
bool schema_prepare(sqlite3 *db, GError **error);

/* Checks that db is a FieldEdge database of exactly SCHEMA_VERSION, without writing.
 * Both try a file that another program keeps locked again for three seconds. */
bool schema_verify(sqlite3 *db, GError **error);

/* Takes a capture, its packets and conversations, and what refers to them in any table out of the
 * database; the caller has begun a transaction.  Returns SQLite's code. */
int schema_delete_capture(sqlite3 *db, int64_t capture);

/* One step of a migration: the statements that lead from version - 1 to version.  Step 1 leads from
 * the empty database to version 1.  The steps of a list are 1, 2, 3 … without a gap. */
struct schema_migration {
    int version;
    const char *sql;
};

/* schema_prepare() with other steps and target (1 to count): the machinery by itself, for its test.
 * In one transaction, with foreign keys off: all views dropped, the missing steps, views.sql, and
 * the views that somebody else had made.  Two processes may do it to one file at once: the second
 * finds it done. */
bool schema_migrate(sqlite3 *db, const struct schema_migration *steps, size_t count, int target,
                    GError **error);

/* What schema_prepare() uses: schema.sql and migrations/NNNN.sql; views.sql. */
extern const struct schema_migration schema_migrations[];
extern const size_t schema_migrations_count;
extern const char schema_views_sql[];

/* README.md, which explains every table, view and column. */
extern const char schema_readme[];

/* A line of applications.tsv: the name of a well-known port of a transport ("TCP", "UDP", "SCTP").
 * Sorted by transport, then port. */
struct schema_application {
    const char *transport;
    uint16_t port;
    const char *name;
};
extern const struct schema_application schema_applications[];
extern const size_t schema_applications_count;

/* The name of a port in applications.tsv, or NULL. */
const char *schema_application_name(const char *transport, uint16_t port);

/* A line of protocols.tsv: what a dissector (by its display filter name) says of a conversation. */
enum schema_protocol_role {
    SCHEMA_PROTOCOL_NAMES,   /* it is the application; every protocol not listed is one */
    SCHEMA_PROTOCOL_CARRIES, /* look at the next layer above: tpkt, cotp, rpc, socks … */
    SCHEMA_PROTOCOL_SECURES, /* TLS, DTLS, QUIC, WebSocket: a carrier that the label mentions */
    SCHEMA_PROTOCOL_BY_PORT, /* the application, but the port table knows its name better: dhcp */
    SCHEMA_PROTOCOL_SILENT,  /* says nothing: certificates, ASN.1, JSON, images, malformed … */
    SCHEMA_PROTOCOL_PAYLOAD  /* payload that no dissector claimed: data */
};
struct schema_protocol {
    const char *filter_name;
    enum schema_protocol_role role;
    const char *name; /* NULL: the filter name in upper case */
};
extern const struct schema_protocol schema_protocols[];
extern const size_t schema_protocols_count;

/* The line of a dissector, or NULL if not listed. */
const struct schema_protocol *schema_protocol_find(const char *filter_name);

#endif
