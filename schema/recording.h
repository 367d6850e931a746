/* recording.h
 * What libfieldedge tells the recorder inside tshark beyond the words of `-z fieldedge,…`, and what
 * the recorder reports back while it works.  Both halves include it, and nobody else: a user's own
 * tshark has neither the variable nor the descriptor.
 *
 *     libfieldedge   schema_recording_to_text() → environment variable FIELDEDGE_RECORDING
 *     recorder       schema_recording_from_text(); schema_report_write() now and then
 *     libfieldedge   schema_report_read()
 *
 * The text is a line a member, "name=value"; what is not printable ASCII in a value is escaped as
 * in C, so that a file's name may hold any bytes.  Lines of other names are passed over.
 *
 *     fingerprint=xxh3:00112233445566778899aabbccddeeff:4096
 *     replace=3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_SCHEMA_RECORDING_H
#define FIELDEDGE_SCHEMA_RECORDING_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SCHEMA_RECORDING_VARIABLE "FIELDEDGE_RECORDING"

enum { SCHEMA_HASH_KEY_BYTES = 16 };

/* Zeros and NULLs ask for nothing, but report: -1 is none. */
struct schema_recording {
    char *fingerprint; /* of the capture file, for the record */
    int64_t replace;   /* the capture whose place the new one takes; 0: none */
    char *watch;     /* part of a watch: its source (interface or folder); NULL: a capture alone */
    char *file;      /* watch: name of the file that is recorded */
    char *about;     /* watch: what captures.file says; NULL: nothing, as of a live run */
    int64_t capture; /* watch: the capture that goes on; 0: a new one */
    bool has_hash_key;
    uint8_t hash_key[SCHEMA_HASH_KEY_BYTES]; /* of payload hashes: one for all files of a watch */
    int report;                              /* descriptor of a file for schema_report_write() */
};

/* True if all of the recording is one transaction: it happens, or nothing does. */
bool schema_recording_is_atomic(const struct schema_recording *recording);

/* Newly allocated. */
char *schema_recording_to_text(const struct schema_recording *recording);

/* text may be NULL: nothing is asked for.  Free with schema_recording_clear(). */
void schema_recording_from_text(struct schema_recording *recording, const char *text);
void schema_recording_clear(struct schema_recording *recording);

/* How far a recording is. */
struct schema_report {
    int64_t capture; /* id in the database; 0: not entered yet */
    int64_t packets; /* read so far, about */
};

/* Overwrites the report in the file; -1 as file does nothing. */
void schema_report_write(int file, const struct schema_report *report);

/* What was written last; zeros before that. */
void schema_report_read(int file, struct schema_report *report);

#endif
