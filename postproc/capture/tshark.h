/* tshark.h
 * Inside libfieldedge: one run of tshark with the FieldEdge plugin over one capture file.
 *
 * Which plugin: Wireshark's installed one; but a libfieldedge that lies in its build tree
 * (<build>/postproc/, beside <build>/CMakeCache.txt) takes <build>/wireshark-plugins by
 * WIRESHARK_PLUGIN_DIR, unless the user set that variable himself.
 *
 * The trap of root: Wireshark ignores WIRESHARK_PLUGIN_DIR, silently, in a process whose real user
 * or group is 0.  So a build tree's tshark runs as nobody, and keeps the three capabilities by
 * which root reads and writes any file: capture, database and the user's Wireshark settings stay
 * where they are.  The database is made beforehand, so that it is root's.  That is as good as root
 * and no safer, and not meant to be: it is there to try a build tree as root, in a container or in
 * CI.
 *
 * How far it is: the offset of tshark's own descriptor of the file, from /proc/PID/fdinfo, against
 * the file's size.  Of a compressed file both are compressed bytes, so the part is right there too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_TSHARK_H
#define FIELDEDGE_TSHARK_H

#include "fieldedge.h"
#include "schema/recording.h"

#include <signal.h>
#include <stdbool.h>

struct tshark_run {
    const char *program; /* NULL: tshark from the PATH */
    const char *capture; /* "-": standard input */
    const char *database;
    const char *filter, *local_networks; /* or NULL */
    struct schema_recording *recording;  /* .report is set here */
    FieldEdgeMessageFunc message;        /* or NULL */
    gpointer message_data;
    FieldEdgeProgressFunc progress; /* or NULL */
    gpointer progress_data;
    bool is_shielded;                       /* the terminal's Ctrl-C does not reach it */
    const volatile sig_atomic_t *cancelled; /* or NULL; once it is set, tshark gets SIGINT */

    int status;         /* of waitpid() */
    bool saw_cut;       /* tshark said that the file is cut short or damaged */
    bool saw_no_plugin; /* tshark does not know -z fieldedge */
    struct schema_report report;
};

/* Runs it to its end.  FALSE if it could not be begun. */
bool tshark_record(struct tshark_run *run, GError **error);

#endif
