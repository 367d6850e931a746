/* tap_table.c: see tap_table.h
 *
 * tshark draws at the end of the file (and at Ctrl-C of a live run); where it does not, nothing is
 * written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plugin/tap_table.h"

#include "plugin/facts.h"
#include "plugin/private_database.h"
#include "plugin/tap_record.h"

#include <tables.h>

#include <string.h>

/* What each name writes. */
static const struct kind {
    const char *name;
    const struct table *tables[2];
    unsigned count;
} kinds[] = {
    {"applications", {&table_applications, &table_accounts}, 2},
    {"hosts", {&table_hosts}, 1},
    {"intervals", {&table_intervals}, 1},
};

struct tap_table {
    const struct kind *kind;
    facts_reader *reader;
    private_database *database; /* NULL after it was written, or has failed */
    struct facts_capture about; /* until the first packet tells the time */
    bool started;
};

static const struct kind *kind_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(name, kinds[i].name) == 0)
            return &kinds[i];
    }
    return NULL;
}

static void table_capture(void *user, const struct facts_capture *capture)
{
    struct tap_table *tap = user;
    tap->about = *capture;
}

static void fail(struct tap_table *tap, const char *sentence)
{
    tap_record_fail(sentence);
    g_clear_pointer(&tap->database, private_database_free);
}

/* The recording's own words, after it has failed or at its end. */
static bool close_recorder(struct tap_table *tap)
{
    char *error = NULL;
    if (private_database_close_recorder(tap->database, &error))
        return true;
    fail(tap, error);
    g_free(error);
    return false;
}

static bool table_packet(void *user, const struct packet_facts *facts)
{
    struct tap_table *tap = user;
    if (tap->database == NULL)
        return false;
    recorder *r = private_database_recorder(tap->database);
    if (!tap->started)
        recorder_capture(r, tap->about.file, tap->about.interface, tap->about.link_type,
                         tap->about.snap_length, facts->time_ns);
    tap->started = true;
    return recorder_packet(r, facts) || close_recorder(tap);
}

static bool write_tables(const struct kind *kind, FieldEdgeDatabase *database, GError **error)
{
    struct output *output = output_open_shared(OUTPUT_TABLE, error);
    GError *problem = NULL;
    if (output == NULL)
        return false;
    const struct table_source source = {
        .database = database, .scope = FIELDEDGE_SCOPE_WAN, .output = output};
    if (kind->count > 1)
        output_group_begin(output);
    for (unsigned i = 0; i < kind->count && problem == NULL; i++)
        kind->tables[i]->write(&source, &problem);
    if (problem != NULL) {
        output_abandon(output);
        g_propagate_error(error, problem);
        return false;
    }
    if (kind->count > 1)
        output_group_end(output);
    return output_close(output, error);
}

static void table_draw(void *user)
{
    struct tap_table *tap = user;
    GError *error = NULL;
    if (tap->database == NULL || !close_recorder(tap))
        return;
    FieldEdgeDatabase *database = private_database_read(tap->database, &error);
    if (database != NULL)
        write_tables(tap->kind, database, &error);
    fieldedge_database_close(database);
    if (error != NULL)
        tap_record_fail(error->message);
    g_clear_error(&error);
    g_clear_pointer(&tap->database, private_database_free);
}

/* The reader stays: epan removes the listeners itself when it ends. */
static void table_finish(void *user)
{
    struct tap_table *tap = user;
    g_clear_pointer(&tap->database, private_database_free);
}

static const struct facts_callbacks callbacks = {
    .packet = table_packet,
    .capture = table_capture,
    .draw = table_draw,
    .finish = table_finish,
};

bool tap_table_exists(const char *name)
{
    return kind_find(name) != NULL;
}

bool tap_table_start(const char *name, const char *filter, char **error)
{
    struct tap_table *tap = g_new0(struct tap_table, 1);
    tap->kind = kind_find(name);
    tap->reader = facts_reader_new(filter, &callbacks, tap, error);
    if (tap->reader != NULL)
        tap->database = private_database_new(filter, error);
    return tap->database != NULL;
}
