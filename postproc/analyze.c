/* analyze.c
 * Stores in the result tables what SQL cannot compute.
 *
 * Algorithm: the database is read through one connection, in one state; what is found goes into
 * temporary tables of another, which locks nothing.  When all is there, one short transaction
 * replaces the old results and marks the new ones with what the database held: a recording that
 * goes on meanwhile waits for that transaction alone, and its packets make the results not current.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "faults.h"
#include "groups.h"
#include "host_pairs.h"
#include "results.h"
#include "schema/schema.h"

enum { PATIENCE_MS = 10000 };

struct analysis {
    FieldEdgeDatabase *source;
    FieldEdgeDatabase writer; /* our handle, for messages */
    sqlite3_stmt *pair, *interval, *group, *period, *verdict;
    gint64 groups; /* stored so far: the id of the last */
    bool is_local;
    bool has_failed;
    GError **error;
};

/* The result tables, in the order in which they are copied. */
static const char *const tables[] = {"result_pair", "result_interval", "result_period_group",
                                     "result_period", "result_verdict"};

/* Sets error from the writer's last error and returns false. */
static bool writer_failed(struct analysis *analysis, GError **error)
{
    const FieldEdgeDatabase *writer = &analysis->writer;
    int code = sqlite3_errcode(writer->handle) & 0xff;

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return database_failed(&analysis->writer, error);
    g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_DATABASE,
                "%s: the results cannot be stored, and those of an earlier run are still there: %s",
                writer->name,
                code == SQLITE_FULL ? "the disk is full, here or where temporary files go (TMPDIR)"
                                    : sqlite3_errmsg(writer->handle));
    return false;
}

static bool run(struct analysis *analysis, const char *sql, GError **error)
{
    if (sqlite3_exec(analysis->writer.handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return writer_failed(analysis, error);
}

/* ---- Rows ---- */

/* A value of a row. */
struct cell {
    enum { CELL_NUMBER, CELL_OR_NULL, CELL_REAL, CELL_TEXT } type;
    gint64 number;
    double real;
    const char *text;
};

#define NUMBER(value)  ((struct cell){CELL_NUMBER, (value), 0, NULL})
#define OR_NULL(value) ((struct cell){CELL_OR_NULL, (value), 0, NULL}) /* FIELDEDGE_NONE: NULL */
#define REAL(value)    ((struct cell){CELL_REAL, 0, (value), NULL})
#define TEXT(value)    ((struct cell){CELL_TEXT, 0, 0, (value)})

#define STORE(analysis, statement, ...)                                                            \
    store(analysis, statement, (const struct cell[]){__VA_ARGS__},                                 \
          sizeof((const struct cell[]){__VA_ARGS__}) / sizeof(struct cell))

static bool store(struct analysis *analysis, sqlite3_stmt *statement, const struct cell *cells,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int place = (int)i + 1;

        if (cells[i].type == CELL_REAL)
            sqlite3_bind_double(statement, place, cells[i].real);
        else if (cells[i].type == CELL_TEXT)
            sqlite3_bind_text(statement, place, cells[i].text, -1, SQLITE_TRANSIENT);
        else if (cells[i].type == CELL_OR_NULL && cells[i].number == FIELDEDGE_NONE)
            sqlite3_bind_null(statement, place);
        else
            sqlite3_bind_int64(statement, place, cells[i].number);
    }
    sqlite3_step(statement);
    if (sqlite3_reset(statement) == SQLITE_OK)
        return true;
    analysis->has_failed = true;
    return database_failed(&analysis->writer, analysis->error);
}

static bool store_interval(struct analysis *analysis, const struct pairing_pair *hosts,
                           gint64 application, const FieldEdgeInterval *row)
{
    return STORE(analysis, analysis->interval, NUMBER(analysis->is_local), NUMBER(hosts->host_a),
                 NUMBER(hosts->host_b), NUMBER(application), NUMBER(row->direction),
                 NUMBER(row->size_low), NUMBER(row->packets), NUMBER(row->first_ns),
                 NUMBER(row->last_ns), OR_NULL(row->gaps.mean_ns), OR_NULL(row->gaps.median_ns),
                 OR_NULL(row->gaps.stdev_ns), OR_NULL(row->gaps.mad_ns), OR_NULL(row->gaps.min_ns),
                 OR_NULL(row->gaps.max_ns));
}

static bool store_period(struct analysis *analysis, gint64 place, const FieldEdgePeriod *row)
{
    return STORE(
        analysis, analysis->period, NUMBER(analysis->groups), NUMBER(place), NUMBER(row->period_ns),
        NUMBER(row->low_ns), NUMBER(row->high_ns), NUMBER(row->jitter_ns), REAL(row->hit_rate),
        TEXT(fieldedge_period_kind_name(row->kind)), REAL(row->score), REAL(row->p_value),
        NUMBER(row->phase_ns), NUMBER(row->hits), NUMBER(row->first_ns), NUMBER(row->last_ns),
        REAL(row->bytes_per_cycle), REAL(row->events_explained), REAL(row->bytes_explained),
        OR_NULL(row->has_change ? row->change_ns : FIELDEDGE_NONE));
}

static bool store_group(struct analysis *analysis, const struct pairing_pair *hosts,
                        gint64 application, const FieldEdgePeriodGroup *row)
{
    bool ok;

    analysis->groups++;
    ok = STORE(analysis, analysis->group, NUMBER(analysis->groups), NUMBER(analysis->is_local),
               NUMBER(hosts->host_a), NUMBER(hosts->host_b), NUMBER(application),
               OR_NULL(row->conversation), NUMBER(row->direction), OR_NULL(row->size_low),
               NUMBER(row->events), NUMBER(row->cycles), NUMBER(row->ip_bytes),
               NUMBER(row->first_ns), NUMBER(row->last_ns),
               TEXT(fieldedge_periodicity_name(row->verdict)), REAL(row->score), REAL(row->p_value),
               NUMBER(row->is_repeat));
    for (guint i = 0; i < row->period_count && ok; i++)
        ok = store_period(analysis, i + 1, &row->periods[i]);
    return ok;
}

/* ---- Reading ---- */

static bool store_stream(struct analysis *analysis, const struct pairing *pairing, guint stream,
                         const struct groups_result *result)
{
    const struct pairing_pair *hosts = &pairing->pairs[result->pair];
    gint64 application =
        g_array_index(pairing->application_ids, gint64, pairing->streams[stream].application);

    for (guint i = 0; i < result->interval_count; i++) {
        if (!store_interval(analysis, hosts, application, &result->intervals[i]))
            return false;
    }
    for (guint i = 0; i < result->period_count; i++) {
        if (!store_group(analysis, hosts, application, &result->periods[i]))
            return false;
    }
    return true;
}

static bool store_groups(struct analysis *analysis, const FieldEdgeSelection *selection,
                         GError **error)
{
    struct groups *groups =
        groups_new(analysis->source, selection, NULL, GROUPS_INTERVALS | GROUPS_PERIODS, error);
    const struct groups_result *result;
    GError *problem = NULL;
    bool ok = groups != NULL;

    for (guint stream = 0; ok && (result = groups_next(groups, &problem)) != NULL; stream++)
        ok = store_stream(analysis, groups_pairing(groups), stream, result);
    groups_free(groups);
    if (problem == NULL)
        return ok;
    g_propagate_error(error, problem);
    return false;
}

static bool store_pairs(struct analysis *analysis, const FieldEdgeSelection *selection,
                        GError **error)
{
    g_autoptr(FieldEdgePairs) pairs = fieldedge_pairs_new(analysis->source, selection, 0, error);
    const FieldEdgePair *row;
    GError *problem = NULL;

    if (pairs == NULL)
        return false;
    while ((row = fieldedge_pairs_next(pairs, &problem)) != NULL) {
        const struct pairing *pairing;
        const struct pairing_pair *hosts;
        guint32 number = host_pairs_number(pairs, &pairing);

        hosts = &pairing->pairs[number];
        if (!STORE(analysis, analysis->pair, NUMBER(analysis->is_local), NUMBER(hosts->host_a),
                   NUMBER(hosts->host_b), NUMBER(row->conversations), OR_NULL(row->starts.mean_ns),
                   OR_NULL(row->starts.median_ns), OR_NULL(row->starts.stdev_ns),
                   OR_NULL(row->starts.mad_ns), OR_NULL(row->starts.min_ns),
                   OR_NULL(row->starts.max_ns)))
            return false;
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

static void store_fault(gint64 conversation, const char *verdict, gint64 packets, gpointer data)
{
    struct analysis *analysis = data;

    if (!analysis->has_failed)
        STORE(analysis, analysis->verdict, NUMBER(conversation), TEXT(verdict), NUMBER(packets));
}

static bool store_faults(struct analysis *analysis, GError **error)
{
    g_autoptr(FieldEdgeSelection) all = fieldedge_selection_new();
    struct faults *faults;

    fieldedge_selection_set_scope(all, FIELDEDGE_SCOPE_ALL);
    faults = faults_load(analysis->source, all, error);
    if (faults == NULL)
        return false;
    faults_each(faults, store_fault, analysis);
    faults_free(faults);
    return !analysis->has_failed;
}

static bool store_all(struct analysis *analysis, GError **error)
{
    static const FieldEdgeScope scopes[] = {FIELDEDGE_SCOPE_WAN, FIELDEDGE_SCOPE_LOCAL};
    g_autoptr(FieldEdgeSelection) selection = fieldedge_selection_new();

    for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
        analysis->is_local = scopes[i] == FIELDEDGE_SCOPE_LOCAL;
        fieldedge_selection_set_scope(selection, scopes[i]);
        if (!store_pairs(analysis, selection, error) || !store_groups(analysis, selection, error))
            return false;
    }
    return store_faults(analysis, error);
}

/* ---- Writing ---- */

static bool open_writer(struct analysis *analysis, const char *path, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    GError *problem = NULL;

    analysis->writer.name = g_strdup(path);
    if (sqlite3_open_v2(absolute, &analysis->writer.handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return database_failed(&analysis->writer, error);
    sqlite3_extended_result_codes(analysis->writer.handle, 1);
    sqlite3_busy_timeout(analysis->writer.handle, PATIENCE_MS);
    if (!schema_prepare(analysis->writer.handle, &problem)) {
        g_set_error(error, FIELDEDGE_ERROR, FIELDEDGE_ERROR_ACCESS, "%s: %s", path,
                    problem->message);
        g_error_free(problem);
        return false;
    }
    return true;
}

static bool make_statement(struct analysis *analysis, sqlite3_stmt **statement, const char *sql,
                           GError **error)
{
    if (sqlite3_prepare_v2(analysis->writer.handle, sql, -1, statement, NULL) == SQLITE_OK)
        return true;
    return writer_failed(analysis, error);
}

/* Copies of the result tables without rows, and statements that fill them. */
static bool prepare_writer(struct analysis *analysis, GError **error)
{
    if (!run(analysis, "PRAGMA temp_store = FILE; PRAGMA foreign_keys = ON; BEGIN", error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strdup_printf(
            "CREATE TEMP TABLE new_%s AS SELECT * FROM main.%s WHERE 0", tables[i], tables[i]);

        if (!run(analysis, sql, error))
            return false;
    }
    return make_statement(analysis, &analysis->pair,
                          "INSERT INTO temp.new_result_pair VALUES"
                          " (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                          error) &&
           make_statement(analysis, &analysis->interval,
                          "INSERT INTO temp.new_result_interval VALUES (NULL, ?1, ?2, ?3, ?4, ?5,"
                          " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
                          error) &&
           make_statement(analysis, &analysis->group,
                          "INSERT INTO temp.new_result_period_group VALUES (?1, ?2, ?3, ?4, ?5,"
                          " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
                          error) &&
           make_statement(analysis, &analysis->period,
                          "INSERT INTO temp.new_result_period VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
                          " ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
                          error) &&
           make_statement(analysis, &analysis->verdict,
                          "INSERT INTO temp.new_result_verdict VALUES (?1, ?2, ?3)", error);
}

/* The one transaction that others notice. */
static bool publish(struct analysis *analysis, const struct results_mark *mark, GError **error)
{
    sqlite3_stmt *statement = NULL;
    bool ok;

    if (!run(analysis, "COMMIT; BEGIN IMMEDIATE; DELETE FROM main.analysis", error))
        return false;
    for (size_t i = G_N_ELEMENTS(tables); i-- > 0;) {
        g_autofree char *sql = g_strdup_printf("DELETE FROM main.%s", tables[i]);

        if (!run(analysis, sql, error))
            return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql =
            g_strdup_printf("INSERT INTO main.%s SELECT * FROM temp.new_%s", tables[i], tables[i]);

        if (!run(analysis, sql, error))
            return false;
    }
    if (!make_statement(analysis, &statement,
                        "INSERT INTO main.analysis VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)", error))
        return false;
    ok = STORE(analysis, statement, NUMBER(SCHEMA_VERSION), TEXT(FIELDEDGE_VERSION),
               NUMBER(g_get_real_time() * 1000), NUMBER(mark->captures), NUMBER(mark->packets),
               NUMBER(mark->last_packet));
    sqlite3_finalize(statement);
    return ok && run(analysis, "COMMIT", error);
}

static void close_writer(struct analysis *analysis)
{
    sqlite3_stmt *const statements[] = {analysis->pair, analysis->interval, analysis->group,
                                        analysis->period, analysis->verdict};

    for (size_t i = 0; i < G_N_ELEMENTS(statements); i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(analysis->writer.handle);
    g_free(analysis->writer.name);
}

gboolean fieldedge_analyze(const char *path, GError **error)
{
    g_return_val_if_fail(path != NULL, FALSE);

    g_autoptr(FieldEdgeDatabase) source = NULL;
    struct analysis analysis = {.error = error};
    struct results_mark mark;
    bool ok;

    /* Opened for reading first: that says best what is wrong with a file. */
    source = fieldedge_database_open(path, error);
    if (source == NULL)
        return FALSE;
    analysis.source = source;
    ok = open_writer(&analysis, path, error) && results_mark(source, &mark, error) &&
         prepare_writer(&analysis, error) && store_all(&analysis, error);
    /* In a database that is not in WAL mode a reader, even this one, keeps the writer out. */
    g_clear_pointer(&source, fieldedge_database_close);
    ok = ok && publish(&analysis, &mark, error);
    close_writer(&analysis);
    return ok;
}
