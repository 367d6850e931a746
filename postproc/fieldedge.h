/* fieldedge.h
 * libfieldedge: reads back what the FieldEdge plugin recorded, and drives tshark to record it.
 *
 *     g_autoptr(GError) error = NULL;
 *     g_autoptr(FieldEdgeDatabase) database = fieldedge_database_open("site.db", &error);
 *     g_autoptr(FieldEdgeSeries) series = fieldedge_series_new(database, NULL, FIELDEDGE_BYTES_IP,
 *                                                              &error);
 *     const FieldEdgePoint *point;
 *     while ((point = fieldedge_series_next(series, &error)) != NULL)
 *         printf("%s %" G_GINT64_FORMAT "\n", point->application, point->bytes);
 *
 * Conventions, the same everywhere:
 *
 * - Times are nanoseconds since the epoch, lengths of time nanoseconds, sizes bytes; both are
 * 64-bit integers, never floating point.  FIELDEDGE_NONE (-1) stands for a length of time that does
 * not exist: the mean of no gap.
 * - Iterators hold one row at a time.  *_next() returns the next row, or NULL at the end and on an
 *   error, told apart by *error; after NULL it goes on returning NULL.  The row and all that it
 *   points to belong to the iterator and last until the next call on it.  Rows may get more members
 *   at their end in later versions: do not copy or declare them by size.
 * - Every string is valid UTF-8 and without a zero inside.  A byte of the database that is neither
 *   is written as the four characters \xHH, and a backslash before an x as \x5C, so that two
 *   different names never become one.
 * - Strings may come from packets: escape them for where they go (terminal, HTML, shell).
 * - Whoever gets an object from a *_new() or *_open() function frees it with the *_free() or
 *   *_close() of the same type; g_autoptr() works.  A database must outlive its iterators.
 * - Errors are of the domain FIELDEDGE_ERROR; their message is a whole sentence that begins with
 * the name of the file it is about.
 * - A database and its iterators belong to one thread at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_H
#define FIELDEDGE_H

#include <glib.h>

G_BEGIN_DECLS

#ifndef FIELDEDGE_API
#define FIELDEDGE_API __attribute__((visibility("default")))
#endif

#define FIELDEDGE_NONE ((gint64)-1)

/* The version of the library, "1.2.3". */
FIELDEDGE_API const char *fieldedge_version(void);

/* ---- Errors -------------------------------------------------------------------------------- */

#define FIELDEDGE_ERROR (fieldedge_error_quark())
FIELDEDGE_API GQuark fieldedge_error_quark(void);

typedef enum {
    FIELDEDGE_ERROR_NOT_FOUND, /* there is no such file */
    FIELDEDGE_ERROR_ACCESS,    /* a directory, or not ours to read or write */
    FIELDEDGE_ERROR_FOREIGN,   /* not a FieldEdge database, perhaps no database at all */
    FIELDEDGE_ERROR_NEWER,     /* a database of a newer FieldEdge */
    FIELDEDGE_ERROR_OLDER,     /* a database of an older FieldEdge that was not migrated yet */
    FIELDEDGE_ERROR_LOCKED,    /* another program keeps the database locked */
    FIELDEDGE_ERROR_DAMAGED,   /* the database is corrupt */
    FIELDEDGE_ERROR_DATABASE,  /* SQLite's other errors; the message has its words */
    FIELDEDGE_ERROR_ARGUMENT,  /* an argument that cannot be: no such capture, a comma in a name */
    FIELDEDGE_ERROR_NO_TSHARK, /* tshark, or the plugin in it, is not installed */
    FIELDEDGE_ERROR_CUT_SHORT, /* the capture ends in the middle of a packet or is damaged;
                                  everything before that is recorded */
    FIELDEDGE_ERROR_INTERRUPTED, /* the recording was stopped; what was read is recorded */
    FIELDEDGE_ERROR_RECORDING    /* tshark or the recorder failed; their messages say why */
} FieldEdgeError;

/* For messages: those of names (NULL-terminated) that are near to one that does not exist, at most
 * limit, with ", " between: "TCP_MQTT, TCP_MQTT_TLS" for TCP_MQT.  NULL if none is near.  The
 * caller frees it with g_free(). */
FIELDEDGE_API char *fieldedge_near_names(const char *wanted, const char *const *names, guint limit);

/* ---- Database ------------------------------------------------------------------------------ */

typedef struct _FieldEdgeDatabase FieldEdgeDatabase;
struct sqlite3;

/* Opens a database for reading.  All that is read through it is one state, that of the first look
 * (which is in this call), whatever a recorder adds meanwhile.  Nothing of the database is changed.
 * Works in a folder that cannot be written, as long as no recording is going on there. */
FIELDEDGE_API FieldEdgeDatabase *fieldedge_database_open(const char *path, GError **error);

/* Reads through the caller's SQLite handle, which stays the caller's and must outlive the result;
 * name is what error messages call it.  Each read sees the state of its own time. */
FIELDEDGE_API FieldEdgeDatabase *
fieldedge_database_new_for_handle(struct sqlite3 *handle, const char *name, GError **error);

FIELDEDGE_API void fieldedge_database_close(FieldEdgeDatabase *database);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeDatabase, fieldedge_database_close)

/* ---- Selection: which part of a database --------------------------------------------------- */

typedef enum {
    FIELDEDGE_SCOPE_WAN,   /* what crosses the WAN: the default */
    FIELDEDGE_SCOPE_LOCAL, /* what does not */
    FIELDEDGE_SCOPE_ALL    /* both */
} FieldEdgeScope;

typedef struct _FieldEdgeSelection FieldEdgeSelection;

/* All captures, WAN traffic.  NULL in place of a selection means the same. */
FIELDEDGE_API FieldEdgeSelection *fieldedge_selection_new(void);
FIELDEDGE_API void fieldedge_selection_set_scope(FieldEdgeSelection *selection,
                                                 FieldEdgeScope scope);
/* Only the capture of this id, which an iterator refuses if it is not there; 0 for all captures. */
FIELDEDGE_API void fieldedge_selection_set_capture(FieldEdgeSelection *selection, gint64 capture);
FIELDEDGE_API void fieldedge_selection_free(FieldEdgeSelection *selection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeSelection, fieldedge_selection_free)

/* ---- Captures ------------------------------------------------------------------------------ */

typedef struct {
    gint64 id;
    const char *file;      /* NULL for a live run that was not saved */
    const char *interface; /* NULL if not known */
    const char *link_type; /* NULL without packets */
    const char *status;    /* "complete", "cut short", "interrupted", "failed" */
    const char *filter;    /* display filter of the recording, or NULL */
    gboolean has_packets;  /* if FALSE, the three times say nothing */
    gint64 started_ns;     /* earliest and latest packet */
    gint64 ended_ns;
    gint64 duration_ns; /* between them */
    gint64 packets;
    gint64 frame_bytes;
    gint64 ip_bytes;
    gint64 snap_length; /* FIELDEDGE_NONE if not known */
    const char *local_networks;
    const char *tshark_version;
    const char *plugin_version;
} FieldEdgeCapture;

/* Every capture, by id.  Of a selection only its capture counts. */
typedef struct _FieldEdgeCaptures FieldEdgeCaptures;
FIELDEDGE_API FieldEdgeCaptures *fieldedge_captures_new(FieldEdgeDatabase *database,
                                                        const FieldEdgeSelection *selection,
                                                        GError **error);
FIELDEDGE_API const FieldEdgeCapture *fieldedge_captures_next(FieldEdgeCaptures *captures,
                                                              GError **error);
FIELDEDGE_API void fieldedge_captures_free(FieldEdgeCaptures *captures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeCaptures, fieldedge_captures_free)

/* ---- Totals -------------------------------------------------------------------------------- */

typedef struct {
    const char *application;
    gint64 conversations;
    gint64 packets;
    gint64 frame_bytes;
    gint64 ip_bytes;
    gint64 payload_bytes;
    gint64 bad_packets;
    gint64 bad_bytes;            /* frame bytes of the bad packets */
    gint64 retransmissions;      /* packets of Wireshark's verdict */
    gint64 retransmission_bytes; /* their frame bytes */
    gint64 retransmitted_bytes;  /* TCP payload bytes seen before, exact */
    gint64 started_ns;
    gint64 ended_ns;
} FieldEdgeTotal;

/* One row an application, summed over the selected captures: most IP bytes first, then by name. */
typedef struct _FieldEdgeTotals FieldEdgeTotals;
FIELDEDGE_API FieldEdgeTotals *fieldedge_totals_new(FieldEdgeDatabase *database,
                                                    const FieldEdgeSelection *selection,
                                                    GError **error);
FIELDEDGE_API const FieldEdgeTotal *fieldedge_totals_next(FieldEdgeTotals *totals, GError **error);
FIELDEDGE_API void fieldedge_totals_free(FieldEdgeTotals *totals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeTotals, fieldedge_totals_free)

typedef struct {
    const char *account; /* "WAN", "local", "without conversation" */
    gint64 conversations;
    gint64 packets;
    gint64 frame_bytes;
    gint64 ip_bytes;
} FieldEdgeAccount;

/* The books: always three rows, in this order; every recorded packet is in exactly one of them.
 * Of a selection only its capture counts. */
typedef struct _FieldEdgeAccounts FieldEdgeAccounts;
FIELDEDGE_API FieldEdgeAccounts *fieldedge_accounts_new(FieldEdgeDatabase *database,
                                                        const FieldEdgeSelection *selection,
                                                        GError **error);
FIELDEDGE_API const FieldEdgeAccount *fieldedge_accounts_next(FieldEdgeAccounts *accounts,
                                                              GError **error);
FIELDEDGE_API void fieldedge_accounts_free(FieldEdgeAccounts *accounts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeAccounts, fieldedge_accounts_free)

/* ---- Series -------------------------------------------------------------------------------- */

typedef enum {
    FIELDEDGE_BYTES_FRAME,  /* the whole frame on the wire */
    FIELDEDGE_BYTES_IP,     /* IP header and all above: what a data plan bills */
    FIELDEDGE_BYTES_PAYLOAD /* what the transport carries */
} FieldEdgeBytes;

typedef struct {
    const char *application;
    guint group; /* 0 for the points of the first application, 1 for those of the second … */
    gint64 time_ns;
    gint64 bytes;
} FieldEdgePoint;

/* One point a packet: by name of the application, within it by time, packets of one time in the
 * order of recording.  Sorted by SQLite, on disk if large: memory does not grow with the packets.
 */
typedef struct _FieldEdgeSeries FieldEdgeSeries;
FIELDEDGE_API FieldEdgeSeries *fieldedge_series_new(FieldEdgeDatabase *database,
                                                    const FieldEdgeSelection *selection,
                                                    FieldEdgeBytes measure, GError **error);
FIELDEDGE_API const FieldEdgePoint *fieldedge_series_next(FieldEdgeSeries *series, GError **error);
FIELDEDGE_API void fieldedge_series_free(FieldEdgeSeries *series);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeSeries, fieldedge_series_free)

typedef struct {
    const char *application;
    gint64 points;
    gint64 bytes;
    gint64 first_ns;
    gint64 last_ns;
} FieldEdgeSeriesTotal;

/* What the series hold, one row an application, by name; without reading a packet. */
typedef struct _FieldEdgeSeriesTotals FieldEdgeSeriesTotals;
FIELDEDGE_API FieldEdgeSeriesTotals *
fieldedge_series_totals_new(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                            FieldEdgeBytes measure, GError **error);
FIELDEDGE_API const FieldEdgeSeriesTotal *
fieldedge_series_totals_next(FieldEdgeSeriesTotals *totals, GError **error);
FIELDEDGE_API void fieldedge_series_totals_free(FieldEdgeSeriesTotals *totals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeSeriesTotals, fieldedge_series_totals_free)

/* ---- Host pairs: conversations and intervals ----------------------------------------------- */

typedef enum {
    FIELDEDGE_DIRECTION_AB, /* from the pair's host A to its host B */
    FIELDEDGE_DIRECTION_BA
} FieldEdgeDirection;

/* The packets of one pair, direction, application and exact frame size, and the mean of the gaps
 * between neighbours in time: (last - first) / (packets - 1), to the nanosecond. */
typedef struct {
    FieldEdgeDirection direction;
    const char *application;
    gint64 frame_bytes;
    gint64 packets;
    gint64 first_ns;
    gint64 last_ns;
    gint64 mean_ns; /* FIELDEDGE_NONE for a single packet */
} FieldEdgeInterval;

/* All conversations between two hosts, whichever began, in all selected captures.  Host A is the
 * source of the pair's first packet: the first recorded one of the earliest capture. */
typedef struct {
    const char *host_a; /* addresses */
    const char *host_b;
    const char *name_a; /* names learned from DNS, or NULL */
    const char *name_b;
    guint conversations;
    const char *const *applications; /* NULL-terminated, each once, in the order of their start */
    const gint64 *start_times_ns;    /* of the conversations, sorted */
    const FieldEdgeInterval
        *intervals; /* by direction, application, size; see fieldedge_pairs_new */
    guint interval_count;
    gint64 started_ns;
    gint64 ended_ns;
    gint64 packets_ab; /* by the pair's direction */
    gint64 packets_ba;
    gint64 frame_bytes_ab;
    gint64 frame_bytes_ba;
    gint64 ip_bytes_ab;
    gint64 ip_bytes_ba;
    gint64 payload_bytes;
    gint64 bad_packets;
    gint64 bad_bytes;
    gint64 retransmissions;
    gint64 retransmission_bytes;
    gint64 retransmitted_bytes;
    gint64 repeat_mean_ns;  /* gaps between start times; FIELDEDGE_NONE without a gap */
    gint64 repeat_stdev_ns; /* sample (n - 1); FIELDEDGE_NONE with fewer than two gaps */
} FieldEdgePair;

/* The pairs in the order of their first packet.  With intervals, *_new() reads every packet once
 * and keeps a few numbers a group; without, interval_count is 0. */
typedef struct _FieldEdgePairs FieldEdgePairs;
FIELDEDGE_API FieldEdgePairs *fieldedge_pairs_new(FieldEdgeDatabase *database,
                                                  const FieldEdgeSelection *selection,
                                                  gboolean with_intervals, GError **error);
FIELDEDGE_API const FieldEdgePair *fieldedge_pairs_next(FieldEdgePairs *pairs, GError **error);
FIELDEDGE_API void fieldedge_pairs_free(FieldEdgePairs *pairs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgePairs, fieldedge_pairs_free)

/* ---- Hosts --------------------------------------------------------------------------------- */

typedef struct {
    const char *address;
    const char *name;  /* learned from DNS, or NULL */
    gboolean is_local; /* the address is in the local networks of a selected capture */
    gint64 conversations;
    gint64 packets_sent;
    gint64 packets_received;
    gint64 frame_bytes_sent;
    gint64 frame_bytes_received;
    gint64 ip_bytes_sent;
    gint64 ip_bytes_received;
    gint64 started_ns;
    gint64 ended_ns;
} FieldEdgeHost;

/* One row a host of the selected conversations: most IP bytes first, then by address. */
typedef struct _FieldEdgeHosts FieldEdgeHosts;
FIELDEDGE_API FieldEdgeHosts *fieldedge_hosts_new(FieldEdgeDatabase *database,
                                                  const FieldEdgeSelection *selection,
                                                  GError **error);
FIELDEDGE_API const FieldEdgeHost *fieldedge_hosts_next(FieldEdgeHosts *hosts, GError **error);
FIELDEDGE_API void fieldedge_hosts_free(FieldEdgeHosts *hosts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeHosts, fieldedge_hosts_free)

/* ---- Recording a capture file -------------------------------------------------------------- */

/* Runs `tshark -q -r CAPTURE -z fieldedge,DATABASE[,FILTER]`.  From FieldEdge's build tree tshark
 * gets the plugin of that build tree, otherwise the installed one. */
typedef struct _FieldEdgeProcess FieldEdgeProcess;

/* A line that tshark wrote to standard error, without its end. */
typedef void (*FieldEdgeMessageFunc)(const char *line, gpointer user_data);

FIELDEDGE_API FieldEdgeProcess *fieldedge_process_new(void);
FIELDEDGE_API void fieldedge_process_set_filter(FieldEdgeProcess *process, const char *filter);
FIELDEDGE_API void fieldedge_process_set_local_networks(FieldEdgeProcess *process,
                                                        const char *networks);
/* The program to run; NULL for tshark from the PATH. */
FIELDEDGE_API void fieldedge_process_set_tshark(FieldEdgeProcess *process, const char *tshark);
/* Without one, tshark's lines are dropped. */
FIELDEDGE_API void fieldedge_process_set_message_func(FieldEdgeProcess *process,
                                                      FieldEdgeMessageFunc func,
                                                      gpointer user_data);

/* Adds a capture file ("-" for standard input) to a database, which is created if need be.  Returns
 * TRUE if all of it was recorded; on FIELDEDGE_ERROR_CUT_SHORT and _INTERRUPTED a part was.
 * *packets (or NULL) gets the number recorded. */
FIELDEDGE_API gboolean fieldedge_process_run(FieldEdgeProcess *process, const char *capture,
                                             const char *database, gint64 *packets, GError **error);
FIELDEDGE_API void fieldedge_process_free(FieldEdgeProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeProcess, fieldedge_process_free)

G_END_DECLS

#endif
