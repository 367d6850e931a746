/* child.h
 * Inside libfieldedge: one child process, Wireshark's tool of the moment: its lines, and its end.
 *
 *     child_spawn() → child_pump() while TRUE [child_signal()] → child_end()
 *     child_run() is all of that, for a child that is only to be waited for.
 *
 * Standard input is /dev/null or a file of the caller's; standard output and error come back line
 * by line.  A line ends at a newline or a carriage return (dumpcap counts "\rPackets: 6 \rPackets:
 * 11 "); empty ones are left out, and what is not ended when the stream ends is a line too.
 *
 * The child is ended by its own id alone, which waitpid() has not freed yet, so that it can be
 * nobody else's.  It gets SIGTERM if we die.  The kernel forgets that wish where the program has
 * file capabilities (dumpcap, run by a member of group wireshark): dumpcap then ends at its next
 * count, because nobody reads it any more, and in any case after its duration.
 *
 * A dissector or a reader of hostile files needs none of root's rights: with is_unprivileged, a
 * child of root becomes nobody, and reads the file that root opened for it as standard input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CHILD_H
#define FIELDEDGE_CHILD_H

#include "fieldedge.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A line without its end; it may be changed, and lasts until the function returns. */
typedef void (*child_line_func)(char *line, void *data);

struct child_options {
    const char *const *arguments; /* the first is the program: a name in the PATH, or a path */
    int input;                    /* standard input, -1: /dev/null; stays the caller's */
    int output;           /* standard output, if take_output is NULL; -1: /dev/null; the caller's */
    bool is_unprivileged; /* root becomes nobody */
    child_line_func take_output; /* NULL: standard output goes to .output */
    child_line_func take_error;  /* NULL: dropped */
    void *data;                  /* of both */
};

/* Invariant: process is 0 before child_spawn() and after child_end(). */
struct child {
    pid_t process;
    struct child_stream {
        int file; /* -1: closed */
        char *text;
        size_t length, size;
        child_line_func take;
    } streams[2];
    void *data;
};

/* FIELDEDGE_ERROR_NO_TOOL if the program is not there or cannot be run. */
bool child_spawn(struct child *child, const struct child_options *options, GError **error);

/* Waits for at most timeout_ms (-1: for ever), until something comes or cancellable (or NULL) is
 * cancelled; passes whole lines on.  FALSE when both streams are closed: the child ends. */
bool child_pump(struct child *child, int timeout_ms, FieldEdgeCancellable *cancellable);

void child_signal(const struct child *child, int number);

/* Waits for the child; returns the status of waitpid(). */
int child_end(struct child *child);

/* Runs a child to its end; *status is that of waitpid().  Cancelled, the child gets SIGTERM, after
 * five seconds SIGKILL, and the error is FIELDEDGE_ERROR_INTERRUPTED. */
bool child_run(const struct child_options *options, FieldEdgeCancellable *cancellable, int *status,
               GError **error);

/* "ended with exit code 2", "was killed by signal 9 (Killed)" */
char *child_fate(int status);

/* Set by child_spawn() where the program is missing: which package has it. */
void child_no_tool(const char *name, GError **error);

#endif
