/* recorder.h
 * The one writer of the database: facts of packets in, rows out.
 *
 *     recorder_packet()  finds the conversation, counts votes and sequence space      dissecting
 * thread │ ring (operations.h) writer             rows in batches, sums of conversations, commits
 * writer thread
 *
 * A commit comes at least every 10,000 packets or every second, and holds packets and sums that
 * agree. Until recorder_finish() the capture's status is 'interrupted', which is what it stays if
 * the process dies.
 *
 * A recording that takes another's place is one transaction: until recorder_finish() with
 * 'complete' nothing of it is in the file, and with any other status nothing of it will be.
 *
 * Order of calls: recorder_open(), recorder_capture(), recorder_packet() …, recorder_finish().
 * Errors of the writer come back at a later call: recorder_packet() returns false and
 * recorder_error() has the sentence.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_RECORDER_H
#define FIELDEDGE_RECORDER_H

#include "plugin/record/locality.h"
#include "plugin/record/packet_facts.h"
#include "schema/recording.h"

typedef struct recorder recorder;

struct recorder_options {
    const char *database; /* path */
    bool is_in_memory;    /* database is the URI of one in memory, which somebody else keeps open */
    const char *filter;   /* display filter, for the record; NULL if none */
    const char *local_networks;
    bool payload_hashes;
    const struct classify_site_port *site_ports; /* copied */
    size_t site_port_count;
    const char *tshark_version, *plugin_version;
    const struct schema_recording *recording; /* copied; NULL: nothing beyond the above */
};

/* Opens or creates the database, checks that it is ours and writable, and enters the capture.
 * On failure returns NULL and sets *error to a sentence for people (g_free it); the file is as
 * before. */
recorder *recorder_open(const struct recorder_options *options, char **error);

/* A recorder without a database: each operation that would change the database goes to carry_out
 * at once (of OPERATION_LOOKUP the answer is expected).  database, filter and the versions of the
 * options are not used; the capture's id is 1, conversations begin at 1.  It ends by
 * recorder_close(). */
recorder *recorder_open_direct(const struct recorder_options *options,
                               void (*carry_out)(void *user, const void *operation), void *user,
                               char **error);
void recorder_close(recorder *recorder);

/* Facts of the capture, before its first packet.  Any string may be NULL. */
void recorder_capture(recorder *recorder, const char *file, const char *interface,
                      const char *link_type, uint32_t snap_length, int64_t base_ns);

/* Records one packet.  false: recording has failed, recorder_error() says why. */
bool recorder_packet(recorder *recorder, const struct packet_facts *facts);

/* The sentence, or NULL while all is well.  Belongs to the recorder. */
const char *recorder_error(const recorder *recorder);

/* Writes what is left with the capture's status ('complete', 'interrupted' …), closes the database
 * and frees the recorder.  On failure returns false and sets *error (g_free it). */
bool recorder_finish(recorder *recorder, const char *status, char **error);

/* Ends a recording that got no packet as if it had never begun: it leaves no capture, and no file
 * if the file was made for it.  Frees the recorder. */
void recorder_abandon(recorder *recorder);

/* Sets the status of a capture after the fact: tshark knows that a file was cut short only when it
 * exits.  The capture is the newest that recorder_finish() of this process closed in the database.
 */
bool recorder_set_status(const char *database, int64_t capture, const char *status);

/* The capture's id in the database. */
int64_t recorder_capture_id(const recorder *recorder);

#endif
