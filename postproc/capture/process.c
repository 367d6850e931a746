/* process.c
 * Records a capture file by running tshark with the FieldEdge plugin: see tshark.h.
 *
 * A file whose fingerprint is in the database already is not recorded again, unless its recording
 * was interrupted or failed, or the caller wants it replaced: then the new recording takes the
 * other's place in one transaction.
 *
 * What became of the recording is read from the database, for tshark's exit codes differ between
 * versions: status and packets of the capture that the recorder reports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../database.h"
#include "fingerprint.h"
#include "tshark.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct _FieldEdgeProcess {
    char *filter;
    char *local_networks;
    char *tshark;
    bool replaces;
    volatile sig_atomic_t cancelled;
    FieldEdgeMessageFunc message;
    gpointer message_data;
    FieldEdgeProgressFunc progress;
    gpointer progress_data;
};

FieldEdgeProcess *fieldedge_process_new(void)
{
    return g_new0(FieldEdgeProcess, 1);
}

static void set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

void fieldedge_process_set_filter(FieldEdgeProcess *process, const char *filter)
{
    set_text(&process->filter, filter);
}

void fieldedge_process_set_local_networks(FieldEdgeProcess *process, const char *networks)
{
    set_text(&process->local_networks, networks);
}

void fieldedge_process_set_tshark(FieldEdgeProcess *process, const char *tshark)
{
    set_text(&process->tshark, tshark);
}

void fieldedge_process_set_message_func(FieldEdgeProcess *process, FieldEdgeMessageFunc func,
                                        gpointer user_data)
{
    process->message = func;
    process->message_data = user_data;
}

void fieldedge_process_set_replace(FieldEdgeProcess *process, gboolean replace)
{
    process->replaces = replace;
}

void fieldedge_process_set_progress_func(FieldEdgeProcess *process, FieldEdgeProgressFunc func,
                                         gpointer user_data)
{
    process->progress = func;
    process->progress_data = user_data;
}

void fieldedge_process_cancel(FieldEdgeProcess *process)
{
    process->cancelled = 1;
}

void fieldedge_process_free(FieldEdgeProcess *process)
{
    if (process == NULL)
        return;
    g_free(process->filter);
    g_free(process->local_networks);
    g_free(process->tshark);
    g_free(process);
}

/* ---- Before ---- */

static bool check_arguments(const char *capture, const char *database, GError **error)
{
    struct stat status;

    if (strchr(database, ',') != NULL) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "%s: the name of a database cannot contain a comma, because tshark's option -z "
                    "separates its parts by commas; choose another name",
                    database);
        return false;
    }
    if (*database == '\0') {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ARGUMENT,
                    "the name of the database is empty");
        return false;
    }
    if (strcmp(capture, "-") == 0)
        return true;
    if (g_stat(capture, &status) != 0) {
        g_set_error(error, FIELDEDGE_ERROR,
                    errno == ENOENT ? FIELDEDGE_ERROR_NOT_FOUND : FIELDEDGE_ERROR_ACCESS, "%s: %s",
                    capture, errno == ENOENT ? "there is no such file" : g_strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode) || g_access(capture, R_OK) != 0) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: %s", capture,
                    S_ISDIR(status.st_mode) ? "this is a directory, not a capture"
                                            : "the file cannot be read");
        return false;
    }
    return true;
}

/* Runs sql with one text as ?1: the statement on its first row, or NULL. */
static sqlite3_stmt *find_row(FieldEdgeDatabase *database, const char *sql, const char *text)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(statement) == SQLITE_ROW)
        return statement;
    sqlite3_finalize(statement);
    return NULL;
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text == NULL ? "" : text;
}

/* The file is in the database: what to do with it.  FALSE: it stays as it is. */
static bool meet_again(const FieldEdgeProcess *process, const char *capture, sqlite3_stmt *row,
                       int64_t *replace, GError **error)
{
    const char *status = text_of(row, 2), *filter = text_of(row, 4);
    bool is_partial = strcmp(status, "interrupted") == 0 || strcmp(status, "failed") == 0;

    if (is_partial || process->replaces) {
        *replace = sqlite3_column_int64(row, 0);
        return true;
    }
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_EXISTS,
                "%s: skipped, as it is recorded already: capture %" G_GINT64_FORMAT
                " (%s, %s, %" G_GINT64_FORMAT " packets%s%s)",
                capture, (gint64)sqlite3_column_int64(row, 0), text_of(row, 1), status,
                (gint64)sqlite3_column_int64(row, 3), *filter == '\0' ? "" : ", filter ", filter);
    return false;
}

/* Of the same name, but other bytes: to be recorded, and worth a word. */
static void note_change(const FieldEdgeProcess *process, FieldEdgeDatabase *database,
                        const char *capture)
{
    static const char sql[] = "SELECT id FROM captures WHERE file = ?1 AND fingerprint IS NOT NULL"
                              " ORDER BY id DESC LIMIT 1";
    sqlite3_stmt *row = find_row(database, sql, capture);

    if (row == NULL)
        return;
    g_autofree char *line = g_strdup_printf(
        "fieldedge: %s: has grown or changed since it was recorded as capture %" G_GINT64_FORMAT
        "; it becomes another capture",
        capture, (gint64)sqlite3_column_int64(row, 0));
    if (process->message != NULL)
        process->message(line, process->message_data);
    sqlite3_finalize(row);
}

/* Looks at a database that is there already; refuses what the recorder would refuse, and a file
 * that is recorded. */
static bool look_at_database(const FieldEdgeProcess *process, const char *capture, const char *path,
                             struct schema_recording *recording, GError **error)
{
    static const char sql[] =
        "SELECT id, file, status, packets, filter FROM captures WHERE fingerprint = ?1"
        " ORDER BY status IN ('complete', 'cut short') DESC, id DESC LIMIT 1";
    struct stat status;
    GError *problem = NULL;

    if (g_stat(path, &status) != 0 || (S_ISREG(status.st_mode) && status.st_size == 0))
        return true;

    g_autoptr(FieldEdgeDatabase) database = fieldedge_database_open(path, &problem);
    if (database == NULL) {
        if (g_error_matches(problem, FIELDEDGE_ERROR, FIELDEDGE_ERROR_OLDER)) {
            g_error_free(problem); /* the recorder migrates it, and no capture has a fingerprint */
            return true;
        }
        g_propagate_error(error, problem);
        return false;
    }
    if (recording->fingerprint == NULL)
        return true;
    sqlite3_stmt *row = find_row(database, sql, recording->fingerprint);
    if (row == NULL) {
        note_change(process, database, capture);
        return true;
    }
    bool ok = meet_again(process, capture, row, &recording->replace, error);
    sqlite3_finalize(row);
    return ok;
}

/* ---- After ---- */

static bool refuse(const struct tshark_run *run, FieldEdgeError code, gint64 packets,
                   const char *what, GError **error)
{
    if (schema_recording_is_atomic(run->recording) && code != FIELDEDGE_ERROR_CUT_SHORT)
        g_set_error(error, FIELDEDGE_ERROR, code, "%s: %s; the database is as before", run->capture,
                    what);
    else if (packets > 0)
        g_set_error(error, FIELDEDGE_ERROR, code,
                    "%s: %s; the %" G_GINT64_FORMAT " packets before that are recorded",
                    run->capture, what, packets);
    else
        g_set_error(error, FIELDEDGE_ERROR, code, "%s: %s; no packet was recorded", run->capture,
                    what);
    return false;
}

/* status: of the capture in the database; NULL if it left none. */
static bool judge(const struct tshark_run *run, const char *status, gint64 packets, GError **error)
{
    bool is_cancelled = run->cancelled != NULL && *run->cancelled;
    g_autofree char *failure = NULL;

    if (WIFSIGNALED(run->status))
        failure = g_strdup_printf("tshark was killed by signal %d (%s)", WTERMSIG(run->status),
                                  strsignal(WTERMSIG(run->status)));
    else if (WEXITSTATUS(run->status) != 0)
        failure = g_strdup_printf("tshark ended with exit code %d", WEXITSTATUS(run->status));
    else if (status == NULL || strcmp(status, "failed") == 0)
        failure = g_strdup("the recording failed");

    if (status != NULL && strcmp(status, "complete") == 0 && failure == NULL)
        return true;
    if (is_cancelled || (status != NULL && packets > 0 && WIFEXITED(run->status) && !run->saw_cut &&
                         strcmp(status, "interrupted") == 0))
        return refuse(run, FIELDEDGE_ERROR_INTERRUPTED, packets, "the recording was interrupted",
                      error);
    if (status == NULL)
        return refuse(run, FIELDEDGE_ERROR_RECORDING, 0, failure, error);
    if (WIFEXITED(run->status) && (run->saw_cut || strcmp(status, "cut short") == 0))
        return refuse(run, FIELDEDGE_ERROR_CUT_SHORT, packets,
                      "the capture is cut short or damaged", error);
    if (failure != NULL)
        return refuse(run, FIELDEDGE_ERROR_RECORDING, packets, failure, error);
    return true;
}

/* Status and packets of the capture that the recorder reported; NULL if it took it back. */
static char *read_status(const struct tshark_run *run, gint64 *packets)
{
    g_autoptr(FieldEdgeDatabase) database = NULL;
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, (gint64)run->report.capture);
    char *status = NULL;

    if (run->report.capture == 0 ||
        (WIFSIGNALED(run->status) && schema_recording_is_atomic(run->recording)))
        return NULL;
    database = fieldedge_database_open(run->database, NULL);
    sqlite3_stmt *row =
        database == NULL
            ? NULL
            : find_row(database, "SELECT status, packets FROM captures WHERE id = ?1", id);
    if (row != NULL) {
        status = g_strdup(text_of(row, 0));
        *packets = sqlite3_column_int64(row, 1);
        sqlite3_finalize(row);
    }
    return status;
}

static bool conclude(const struct tshark_run *run, gint64 *packets, GError **error)
{
    if (run->saw_no_plugin) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_NO_TSHARK,
                    "%s: tshark has no statistic \"fieldedge\": the FieldEdge plugin is not "
                    "installed where this tshark looks (tshark -G plugins | grep fieldedge)",
                    run->capture);
        return false;
    }
    g_autofree char *status = read_status(run, packets);
    return judge(run, status, *packets, error);
}

gboolean fieldedge_process_run(FieldEdgeProcess *process, const char *capture, const char *database,
                               gint64 *packets, GError **error)
{
    g_return_val_if_fail(process != NULL && capture != NULL && database != NULL, FALSE);

    struct schema_recording recording = {.report = -1};
    struct tshark_run run = {.program = process->tshark,
                             .capture = capture,
                             .database = database,
                             .filter = process->filter,
                             .local_networks = process->local_networks,
                             .recording = &recording,
                             .message = process->message,
                             .message_data = process->message_data,
                             .progress = process->progress,
                             .progress_data = process->progress_data,
                             .cancelled = &process->cancelled};
    GError *problem = NULL;
    gint64 recorded = 0;
    bool ok = check_arguments(capture, database, &problem);

    if (ok)
        recording.fingerprint = fingerprint_of_file(capture, &process->cancelled, &problem);
    ok = problem == NULL && look_at_database(process, capture, database, &recording, &problem) &&
         tshark_record(&run, &problem) && conclude(&run, &recorded, &problem);
    schema_recording_clear(&recording);
    if (packets != NULL)
        *packets = recorded;
    if (problem != NULL)
        g_propagate_error(error, problem);
    return ok;
}
