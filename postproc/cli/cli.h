/* cli.h
 * What the subcommands share: exit codes, the options of all that read a database, messages.
 *
 * A reading command is
 *
 *     reader_parse() → checks of its own options → reader_open_rows(), or reader_open()
 *         → its iterators, writing to reader.output → reader_end()
 *
 * --sort and --top are done by the output: they cost a command nothing but to tell its columns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CLI_H
#define FIELDEDGE_CLI_H

#include "fieldedge.h"
#include "output.h"

#include <stdbool.h>

/* Documented in fieldedge(1). */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILURE = 1,    /* the message says why */
    CLI_USAGE = 2,      /* the command line is wrong */
    CLI_CUT_SHORT = 3,  /* process: a capture was recorded up to where it is cut short or damaged;
                          capture: it ended early, what came until then is kept;
                          check: a file is cut short */
    CLI_INTERRUPTED = 4 /* process, watch: Ctrl-C; the same command again goes on */
};

struct cli_command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

int cmd_analyze(int argc, char **argv);
int cmd_capture(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_conversations(int argc, char **argv);
int cmd_deduplicate(int argc, char **argv);
int cmd_hosts(int argc, char **argv);
int cmd_intervals(int argc, char **argv);
int cmd_jobs(int argc, char **argv);
int cmd_periods(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_process(int argc, char **argv);
int cmd_repair(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_series(int argc, char **argv);
int cmd_sql(int argc, char **argv);
int cmd_summary(int argc, char **argv);
int cmd_watch(int argc, char **argv);

/* A line on standard error, control characters as \xHH; and the same after "fieldedge: ". */
void cli_line(const char *text);
void cli_message(const char *message);

/* The same with a hint to --help of the command (NULL: fieldedge itself); returns CLI_USAGE. */
int cli_usage(const char *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same for a value that is none of names (NULL-terminated): "there is no format 'jsn': did you
 * mean json?".  what is "format"; no words stand for it in the plural. */
int cli_usage_name(const char *command, const char *what, const char *value,
                   const char *const *names);

/* Parses the options of a command: operands (what --help shows after the options), what it does,
 * its examples.  FALSE: *status is the exit code. */
bool cli_parse(int *argc, char ***argv, const char *operands, const char *summary,
               const char *examples, const GOptionEntry *entries, int *status);

/* What a command reads, of which part, and where to it writes. */
struct reader {
    const char *command; /* its name */
    char *path;
    char *output_path; /* NULL: standard output */
    enum output_format format;
    bool has_format; /* it was given */
    enum output_colour colour;
    char *sort;  /* as given, or NULL */
    guint64 top; /* 0: all rows */
    char *zone;  /* NULL: UTC */
    FieldEdgeScope scope;
    FieldEdgeSelection *selection;
    FieldEdgeDatabase *database; /* this and output: from reader_open() on */
    struct output *output;
};

/* Parses the common options and those in entries (NULL: none).  FALSE: *status is the exit code. */
bool reader_parse(struct reader *reader, int argc, char **argv, const char *summary,
                  const char *examples, const GOptionEntry *entries, int *status);

/* The option of commands that group packets by size, for their entries; and its check after
 * reader_parse().  FALSE: *status is the exit code. */
#define CLI_TOLERANCE_ENTRY(text)                                                                  \
    {                                                                                              \
        "size-tolerance", 't', 0, G_OPTION_ARG_STRING, &(text),                                    \
            "Group sizes: 8 bytes, or 5% larger", "SIZE"                                           \
    }
bool reader_parse_tolerance(struct reader *reader, const char *text, FieldEdgeTolerance *tolerance,
                            int *status);

/* The same for a command that chooses its rows in another way: --format, --output, --color and
 * entries alone.  operands is what --help shows of the rest of the command line, which is handed
 * over; path stays NULL until the command sets it. */
bool reader_parse_output(struct reader *reader, int argc, char **argv, const char *operands,
                         const char *summary, const char *examples, const GOptionEntry *entries,
                         char ***rest, int *status);

/* Opens the database, then the output, which gets rows of these columns; table is the key of the
 * one in a group that --sort and --top concern, or NULL.  FALSE: *status is the exit code. */
bool reader_open_rows(struct reader *reader, const char *table, const struct output_column *columns,
                      size_t count, int *status);

/* The same for an output without rows: refuses --sort and --top.  Without a path, the output
 * alone; also after the command opened the database itself. */
bool reader_open(struct reader *reader, int *status);

/* The same for a drawing, which has no --sort. */
bool reader_open_drawing(struct reader *reader, int *status);

/* Closes everything; error is what stopped the reading, or NULL.  Returns the exit code. */
int reader_end(struct reader *reader, GError *error);

/* ---- Commands that run something (cli_run.c) ---- */

/* Cancelled by Ctrl-C, SIGTERM, and the end of the terminal; one for the whole process. */
FieldEdgeCancellable *cli_cancellable(void);

/* Shows a line that replaces the last one, if standard error is a terminal; a job reports it. */
void cli_progress(const char *text);

/* Takes the line away; what is written next begins at the left. */
void cli_progress_end(void);

/* Starts the command again as a job, without the option --background, and prints the job's number.
 * Returns the exit code: of the job, with what it said, if it could not even begin. */
int cli_background(char **argv);

/* What was printed on standard output must have got there; returns the exit code. */
int cli_flush(int status);

/* A length of time as people write it: "90", "90s", "10m", "2h", "1d".  FALSE: none. */
bool cli_parse_seconds(const char *text, gint64 *seconds);

/* The same with fractions and without units, as editcap takes it: "0.05"; nanoseconds. */
bool cli_parse_ns(const char *text, gint64 *ns);

/* Opens the output of a command that reads no database.  FALSE: *status is the exit code. */
bool cli_open_output(const char *command, const char *format, const char *path,
                     struct output **output, int *status);

/* Closes it; status is the exit code so far.  Returns the exit code. */
int cli_close_output(struct output *output, int status);

#endif
