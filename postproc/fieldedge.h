/* fieldedge.h
 * libfieldedge: reads back what the FieldEdge plugin recorded, and drives tshark to record it.
 *
 *     g_autoptr(GError) error = NULL;
 *     g_autoptr(FieldEdgeDatabase) database = fieldedge_database_open("site.db", &error);
 *     const FieldEdgeSeriesOptions options = {.measure = FIELDEDGE_BYTES_IP};
 *     g_autoptr(FieldEdgeSeries) series = fieldedge_series_new(database, NULL, &options, &error);
 *     const FieldEdgePoint *point;
 *     while ((point = fieldedge_series_next(series, &error)) != NULL)
 *         printf("%s %" G_GINT64_FORMAT "\n", point->name, point->bytes);
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
    FIELDEDGE_ERROR_OLDER,     /* a database of an older FieldEdge that cannot be migrated */
    FIELDEDGE_ERROR_LOCKED,    /* another program keeps the database locked */
    FIELDEDGE_ERROR_DAMAGED,   /* the database is corrupt */
    FIELDEDGE_ERROR_DATABASE,  /* SQLite's other errors; the message has its words */
    FIELDEDGE_ERROR_ARGUMENT,  /* an argument that cannot be: no such capture, a comma in a name */
    FIELDEDGE_ERROR_NO_TSHARK, /* tshark, or the plugin in it, is not installed */
    FIELDEDGE_ERROR_CUT_SHORT, /* the capture ends in the middle of a packet or is damaged;
                                  everything before that is recorded */
    FIELDEDGE_ERROR_INTERRUPTED, /* the recording was stopped, and what was read is recorded; or a
                                    query or another work was cancelled */
    FIELDEDGE_ERROR_RECORDING,  /* tshark, dumpcap or the recorder failed; their messages say why */
    FIELDEDGE_ERROR_QUERY,      /* SQL that is wrong, fails, or would do more than read */
    FIELDEDGE_ERROR_TIMEOUT,    /* a query ran longer than it may */
    FIELDEDGE_ERROR_NO_TOOL,    /* another program of Wireshark's is not installed */
    FIELDEDGE_ERROR_NO_SPACE,   /* the disk or the quota is full */
    FIELDEDGE_ERROR_NO_CAPTURE, /* not a capture, or nothing in it that could be mended */
    FIELDEDGE_ERROR_NO_JOB,     /* there is no such job, or not in the state that it needs */
    FIELDEDGE_ERROR_EXISTS      /* the capture is in the database already; it was left as it is */
} FieldEdgeError;

/* For messages: those of names (NULL-terminated) that are near to one that does not exist, at most
 * limit, with ", " between: "TCP_MQTT, TCP_MQTT_TLS" for TCP_MQT.  NULL if none is near.  The
 * caller frees it with g_free(). */
FIELDEDGE_API char *fieldedge_near_names(const char *wanted, const char *const *names, guint limit);

/* ---- Database ------------------------------------------------------------------------------ */

typedef struct _FieldEdgeDatabase FieldEdgeDatabase;
struct sqlite3;

/* Opens a database for reading.  All that is read through it is one state, that of the first look
 * (which is in this call), whatever a recorder adds meanwhile.  Works in a folder that cannot be
 * written, as long as no recording is going on there.  A database of an older version is brought up
 * to date first, in one transaction; FIELDEDGE_ERROR_OLDER says why not.  Else nothing of it is
 * changed. */
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
/* The zone of times without an offset in filters added after this, and of bins: an identifier as
 * "Europe/London" or an offset "+02:00".  UTC if it is never set. */
FIELDEDGE_API gboolean fieldedge_selection_set_time_zone(FieldEdgeSelection *selection,
                                                         const char *zone, GError **error);
/* Only packets from one time to another, both inside; a second window narrows the first, and FALSE
 * says that nothing would be left of it.  All sums are then those of the window. */
FIELDEDGE_API gboolean fieldedge_selection_set_window(FieldEdgeSelection *selection, gint64 from_ns,
                                                      gint64 to_ns);
/* Only what a filter expression selects, see fieldedge(1): "application=TCP_MQTT host=10.0.0.0/8
 * port=1883 time=2026-11-24T00:16..+10m".  Several narrow one another.  On an error nothing is
 * added.  Unknown applications are refused by the iterator, which knows the database. */
FIELDEDGE_API gboolean fieldedge_selection_add_filter(FieldEdgeSelection *selection,
                                                      const char *expression, GError **error);
FIELDEDGE_API void fieldedge_selection_free(FieldEdgeSelection *selection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeSelection, fieldedge_selection_free)

/* ---- Words of a command line ---------------------------------------------------------------- */

/* "90s", "250ms", "1.5h", "1h30m", "7d"; a number alone is seconds.  Exact to the ns. */
FIELDEDGE_API gboolean fieldedge_parse_duration(const char *text, gint64 *ns, GError **error);

/* Which sizes are one group: from the smallest on, those at most this much larger.  Both 0: equal
 * sizes alone. */
typedef struct {
    gint64 bytes;
    double share; /* of the smallest: 0.05 is 5 % */
} FieldEdgeTolerance;

/* "8" (bytes) or "5%". */
FIELDEDGE_API gboolean fieldedge_parse_tolerance(const char *text, FieldEdgeTolerance *tolerance,
                                                 GError **error);

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
    double share; /* of the IP bytes of all rows; FIELDEDGE_NONE if these have none */
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
    double share; /* of all IP bytes; FIELDEDGE_NONE if there are none */
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

/* What a series is of.  Several may be combined; a name then has the parts in this order. */
typedef enum {
    FIELDEDGE_BY_APPLICATION = 1 << 0,  /* "TCP_MQTT" */
    FIELDEDGE_BY_SERVER_NAME = 1 << 1,  /* "api.example.com", "-" where none is known */
    FIELDEDGE_BY_HOST = 1 << 2,         /* "192.168.50.10"; a packet is in both its hosts' series */
    FIELDEDGE_BY_HOST_PAIR = 1 << 3,    /* "192.168.50.10 <-> 198.51.100.20", lower address first */
    FIELDEDGE_BY_CONVERSATION = 1 << 4, /* "12 TCP 192.168.50.10:4711 <-> 198.51.100.20:1883" */
    FIELDEDGE_BY_DIRECTION = 1 << 5,    /* "AB", "BA": of each conversation */
} FieldEdgeBy;

/* Members left 0 have these defaults; more may follow them: set members by name. */
typedef struct {
    guint by;               /* FieldEdgeBy, or-ed; 0: by application */
    FieldEdgeBytes measure; /* of FieldEdgePoint.bytes */
    gint64 bin_ns;          /* 0: a point a packet; else a point a bin that is not empty */
    gboolean split_bad;     /* bad packets have points of their own */
} FieldEdgeSeriesOptions;

typedef struct {
    const char *name; /* of the series */
    guint group;      /* 0 for the points of the first series, 1 for those of the second … */
    gint64 time_ns;   /* of the packet, or when the bin begins */
    gint64 bytes;
    gint64 packets;  /* 1, or those of the bin */
    gboolean is_bad; /* with split_bad; a group's good points come first */
} FieldEdgePoint;

/* By name, within it by time, packets of one time in the order of recording.  Bins begin at whole
 * multiples since midnight in the selection's zone (lengths that do not divide a day, since
 * 1970-01-01); a day has 23 to 25 hours where clocks change.  Sorted by SQLite, on disk if large:
 * memory does not grow with the packets.  options may be NULL. */
typedef struct _FieldEdgeSeries FieldEdgeSeries;
FIELDEDGE_API FieldEdgeSeries *fieldedge_series_new(FieldEdgeDatabase *database,
                                                    const FieldEdgeSelection *selection,
                                                    const FieldEdgeSeriesOptions *options,
                                                    GError **error);
FIELDEDGE_API const FieldEdgePoint *fieldedge_series_next(FieldEdgeSeries *series, GError **error);
FIELDEDGE_API void fieldedge_series_free(FieldEdgeSeries *series);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeSeries, fieldedge_series_free)

enum { FIELDEDGE_SHAPE = 48 };

typedef struct {
    const char *name;
    gint64 packets;
    gint64 bytes;
    gint64 bad_packets;
    gint64 bad_bytes; /* of the same measure */
    gint64 first_ns;
    gint64 last_ns;
    gint64 shape[FIELDEDGE_SHAPE]; /* bytes in equal parts of the time that all series span */
} FieldEdgeSeriesTotal;

/* What the series hold, by name, from one reading of the packets; of the options bin_ns and
 * split_bad do not count. */
typedef struct _FieldEdgeSeriesTotals FieldEdgeSeriesTotals;
FIELDEDGE_API FieldEdgeSeriesTotals *
fieldedge_series_totals_new(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                            const FieldEdgeSeriesOptions *options, GError **error);
FIELDEDGE_API const FieldEdgeSeriesTotal *
fieldedge_series_totals_next(FieldEdgeSeriesTotals *totals, GError **error);
FIELDEDGE_API void fieldedge_series_totals_free(FieldEdgeSeriesTotals *totals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeSeriesTotals, fieldedge_series_totals_free)

/* ---- Gaps between times ------------------------------------------------------------------- */

/* Exact, of integers in ns: the mean rounded to the nearest, the median of an even count halfway
 * between the middle two, the standard deviation of a sample (n - 1), the median absolute deviation
 * from the median (not scaled).  FIELDEDGE_NONE where there are too few gaps: none at all, for the
 * standard deviation fewer than two. */
typedef struct {
    gint64 count;
    gint64 mean_ns;
    gint64 median_ns;
    gint64 stdev_ns;
    gint64 mad_ns;
    gint64 min_ns;
    gint64 max_ns;
} FieldEdgeGaps;

/* ---- Conversations and host pairs --------------------------------------------------------- */

/* Wireshark's verdicts that make a packet bad, by the last part of their field names. */
typedef struct {
    const char *verdict;
    gint64 packets; /* not 0; a packet with two verdicts counts in both */
} FieldEdgeVerdict;

typedef struct {
    gint64 id;
    gint64 capture;
    const char *transport;
    gint64 stream; /* FIELDEDGE_NONE if it has none */
    const char *host_a;
    const char *host_b;
    gint64 port_a; /* FIELDEDGE_NONE if it has none */
    gint64 port_b;
    const char *name_a; /* learned from DNS, or NULL */
    const char *name_b;
    const char *application;
    const char *label_source;
    const char *server_name; /* or NULL */
    gint64 vlan;             /* FIELDEDGE_NONE if none */
    const char *tunnel;      /* or NULL */
    gboolean is_local;
    gint64 started_ns; /* first and last packet */
    gint64 ended_ns;
    gint64 duration_ns;
    gint64 packets_ab;
    gint64 packets_ba;
    gint64 frame_bytes_ab;
    gint64 frame_bytes_ba;
    gint64 ip_bytes_ab;
    gint64 ip_bytes_ba;
    gint64 payload_bytes_ab;
    gint64 payload_bytes_ba;
    gint64 overhead_bytes; /* IP bytes less payload */
    gint64 bad_packets;
    gint64 bad_bytes;
    const FieldEdgeVerdict *verdicts;
    guint verdict_count;
    gint64 retransmissions; /* Wireshark's verdict: packets and their frame bytes */
    gint64 retransmission_bytes;
    gint64 retransmitted_bytes; /* exact: TCP payload bytes seen before */
} FieldEdgeConversation;

/* One row a conversation, in the order of recording.  Verdicts cost a reading of the packets, or
 * are the results of fieldedge_analyze() if they are current; without, verdict_count is 0. */
typedef struct _FieldEdgeConversations FieldEdgeConversations;
FIELDEDGE_API FieldEdgeConversations *
fieldedge_conversations_new(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                            gboolean with_verdicts, GError **error);
FIELDEDGE_API const FieldEdgeConversation *
fieldedge_conversations_next(FieldEdgeConversations *conversations, GError **error);
FIELDEDGE_API void fieldedge_conversations_free(FieldEdgeConversations *conversations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeConversations, fieldedge_conversations_free)

typedef enum {
    FIELDEDGE_DIRECTION_AB, /* from the pair's host A to its host B */
    FIELDEDGE_DIRECTION_BA,
    FIELDEDGE_DIRECTION_BOTH
} FieldEdgeDirection;

/* "AB", "BA", "both". */
FIELDEDGE_API const char *fieldedge_direction_name(FieldEdgeDirection direction);

/* The packets of one host pair, direction, application and size group, and the gaps between
 * neighbours in time. */
typedef struct {
    const char *host_a;
    const char *host_b;
    FieldEdgeDirection direction;
    const char *application;
    gint64 size_low; /* frame bytes: of the smallest and the largest packet */
    gint64 size_high;
    gint64 packets;
    gint64 first_ns;
    gint64 last_ns;
    FieldEdgeGaps gaps;
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
    const char *const *server_names; /* the same */
    const gint64 *start_times_ns;    /* of the conversations, sorted */
    const FieldEdgeInterval *intervals; /* by application, direction, size */
    guint interval_count;
    gint64 started_ns;
    gint64 ended_ns;
    gint64 duration_ns;
    gint64 packets_ab; /* by the pair's direction */
    gint64 packets_ba;
    gint64 frame_bytes_ab;
    gint64 frame_bytes_ba;
    gint64 ip_bytes_ab;
    gint64 ip_bytes_ba;
    gint64 payload_bytes_ab;
    gint64 payload_bytes_ba;
    gint64 overhead_bytes;
    gint64 bad_packets;
    gint64 bad_bytes;
    const FieldEdgeVerdict *verdicts;
    guint verdict_count;
    gint64 retransmissions;
    gint64 retransmission_bytes;
    gint64 retransmitted_bytes;
    FieldEdgeGaps starts; /* between the beginnings of its conversations */
} FieldEdgePair;

typedef enum {
    FIELDEDGE_WITH_INTERVALS = 1 << 0, /* each is a reading of the packets, or of the results of */
    FIELDEDGE_WITH_VERDICTS = 1 << 1,  /* fieldedge_analyze(); without, the count is 0 */
} FieldEdgeWith;

/* The pairs in the order of their first packet; with: FieldEdgeWith, or-ed. */
typedef struct _FieldEdgePairs FieldEdgePairs;
FIELDEDGE_API FieldEdgePairs *fieldedge_pairs_new(FieldEdgeDatabase *database,
                                                  const FieldEdgeSelection *selection, guint with,
                                                  GError **error);
FIELDEDGE_API const FieldEdgePair *fieldedge_pairs_next(FieldEdgePairs *pairs, GError **error);
FIELDEDGE_API void fieldedge_pairs_free(FieldEdgePairs *pairs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgePairs, fieldedge_pairs_free)

/* ---- Intervals and periods ----------------------------------------------------------------- */

/* Pairs in the order of their first packet; in a pair by application, direction, size.  Packets are
 * read once, into a temporary file if they are many: memory grows with the conversations and the
 * largest application of one pair. */
typedef struct _FieldEdgeIntervals FieldEdgeIntervals;
FIELDEDGE_API FieldEdgeIntervals *fieldedge_intervals_new(FieldEdgeDatabase *database,
                                                          const FieldEdgeSelection *selection,
                                                          const FieldEdgeTolerance *tolerance,
                                                          GError **error);
FIELDEDGE_API const FieldEdgeInterval *fieldedge_intervals_next(FieldEdgeIntervals *intervals,
                                                                GError **error);
FIELDEDGE_API void fieldedge_intervals_free(FieldEdgeIntervals *intervals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeIntervals, fieldedge_intervals_free)

typedef enum {
    FIELDEDGE_NOT_PERIODIC,
    FIELDEDGE_PERIODIC,
    FIELDEDGE_TOO_FEW_CYCLES /* cannot say; the period, if there is one, is what was seen */
} FieldEdgePeriodicity;

typedef enum {
    FIELDEDGE_PERIOD_CLOCK, /* at fixed times: a late packet does not delay the next */
    FIELDEDGE_PERIOD_SLEEP  /* a pause after each: delays add up */
} FieldEdgePeriodKind;

enum { FIELDEDGE_MOST_PERIODS = 3 };

typedef struct {
    gint64 period_ns;
    gint64 low_ns; /* 95 % interval of the period */
    gint64 high_ns;
    gint64 jitter_ns; /* standard deviation: of a cycle's time (clock), of a gap (sleep) */
    double hit_rate;  /* cycles seen / cycles expected between the first and the last */
    FieldEdgePeriodKind kind;
    double score;    /* 0.5 to 1 */
    double p_value;  /* bound, the search counted in */
    gint64 phase_ns; /* place of the hits in the period, counted from 1970 */
    gint64 hits;
    gint64 first_ns; /* first and last of them */
    gint64 last_ns;
    double bytes_per_cycle;  /* IP bytes */
    double events_explained; /* share of the group's packets, and of its IP bytes */
    double bytes_explained;
    gboolean has_change; /* the period began, ended or gave way to another at change_ns */
    gint64 change_ns;
} FieldEdgePeriod;

/* A group of packets and what repeats in it. */
typedef struct {
    const char *host_a; /* the pair's */
    const char *host_b;
    const char *application;
    gint64 conversation; /* FIELDEDGE_NONE: all conversations of the pair and application */
    FieldEdgeDirection direction;
    gint64 size_low; /* frame bytes of the size group; FIELDEDGE_NONE: all sizes */
    gint64 size_high;
    gint64 events; /* packets without retransmissions */
    gint64 cycles; /* after bursts are joined */
    gint64 ip_bytes;
    gint64 first_ns;
    gint64 last_ns;
    FieldEdgePeriodicity verdict;
    double score; /* 0 to 1: of the best period, or how near the best guess came */
    double p_value;
    gboolean is_repeat; /* says nothing that a wider group of the pair and application does not */
    guint period_count;
    FieldEdgePeriod periods[FIELDEDGE_MOST_PERIODS];
} FieldEdgePeriodGroup;

/* "not periodic", "periodic", "too few cycles"; "clock", "sleep". */
FIELDEDGE_API const char *fieldedge_periodicity_name(FieldEdgePeriodicity verdict);
FIELDEDGE_API const char *fieldedge_period_kind_name(FieldEdgePeriodKind kind);

/* Every group of at least two packets: of a pair and application both directions, each direction,
 * each size group of each direction; and the same of each conversation, where several of them have
 * enough packets.  Pairs in the order of their first packet. */
typedef struct _FieldEdgePeriodGroups FieldEdgePeriodGroups;
FIELDEDGE_API FieldEdgePeriodGroups *
fieldedge_period_groups_new(FieldEdgeDatabase *database, const FieldEdgeSelection *selection,
                            const FieldEdgeTolerance *tolerance, GError **error);
FIELDEDGE_API const FieldEdgePeriodGroup *
fieldedge_period_groups_next(FieldEdgePeriodGroups *groups, GError **error);
FIELDEDGE_API void fieldedge_period_groups_free(FieldEdgePeriodGroups *groups);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgePeriodGroups, fieldedge_period_groups_free)

/* Stores intervals, periods, bad packets by verdict and the repeats of host pairs in the result
 * tables of the database (schema/README.md), in one transaction that replaces those of an earlier
 * run.  The iterators above then read them, as long as nothing was recorded since and the selection
 * is all captures, WAN or local traffic, without filter, window or tolerance. */
FIELDEDGE_API gboolean fieldedge_analyze(const char *path, GError **error);

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

/* ---- Tables and views explained ------------------------------------------------------------ */

typedef struct {
    const char *name;
    const char *type;    /* of SQLite: "integer", "real", "text" or "blob" */
    const char *unit;    /* "ns", "bytes", "0 or 1"; NULL if there is none */
    const char *meaning; /* a phrase */
} FieldEdgeSchemaColumn;

typedef struct {
    const char *name;
    gboolean is_view;
    const char *meaning; /* sentences */
    const char *example; /* a SELECT */
    const FieldEdgeSchemaColumn *columns;
    guint column_count;
} FieldEdgeSchemaTable;

/* All views, then all tables, of the databases that this version reads and writes.  They last as
 * long as the program. */
FIELDEDGE_API const FieldEdgeSchemaTable *fieldedge_schema_tables(guint *count);

/* ---- Queries of your own ------------------------------------------------------------------- */

typedef enum {
    FIELDEDGE_VALUE_NULL,
    FIELDEDGE_VALUE_INTEGER,
    FIELDEDGE_VALUE_REAL,
    FIELDEDGE_VALUE_TEXT,
    FIELDEDGE_VALUE_BLOB
} FieldEdgeValueType;

/* One cell: the member that its type names, a blob with its length. */
typedef struct {
    FieldEdgeValueType type;
    gint64 integer;
    double real;
    const char *text;
    const guint8 *blob; /* may be NULL if blob_length is 0 */
    gsize blob_length;
} FieldEdgeValue;

typedef struct {
    const char *name; /* as SQLite calls it; two columns may have the same */
    const char *kind; /* declared type of the table's column, "INTEGER"; NULL of an expression */
} FieldEdgeQueryColumn;

/* Rows of one SELECT (or VALUES, EXPLAIN, or a PRAGMA that describes).  Anything that writes, opens
 * another file or runs code is refused with FIELDEDGE_ERROR_QUERY, as are mistakes in the SQL; the
 * message has the place and near names.  Besides SQLite's functions there are median(x),
 * percentile(x, p), stdev(x) and mad(x).
 *
 * timeout_ms (0: none) is for the time inside fieldedge_query_next(), which then fails with
 * FIELDEDGE_ERROR_TIMEOUT.
 *
 * Of a handle of the caller's (fieldedge_database_new_for_handle()) the authorizer and the progress
 * handler are lost, and the four functions stay.  With a database that FieldEdge opened there are
 * also limits: 16 MiB a text or blob, 1000 columns, no virtual tables but json_each, json_tree. */
typedef struct _FieldEdgeQuery FieldEdgeQuery;
FIELDEDGE_API FieldEdgeQuery *fieldedge_query_new(FieldEdgeDatabase *database, const char *sql,
                                                  guint timeout_ms, GError **error);
FIELDEDGE_API guint fieldedge_query_get_column_count(const FieldEdgeQuery *query);
/* As many as that, for the life of the query. */
FIELDEDGE_API const FieldEdgeQueryColumn *fieldedge_query_get_columns(const FieldEdgeQuery *query);
/* The cells of the next row, one a column. */
FIELDEDGE_API const FieldEdgeValue *fieldedge_query_next(FieldEdgeQuery *query, GError **error);
/* The current or next fieldedge_query_next() fails with FIELDEDGE_ERROR_INTERRUPTED.  May be called
 * from another thread and from a signal handler. */
FIELDEDGE_API void fieldedge_query_cancel(FieldEdgeQuery *query);
FIELDEDGE_API void fieldedge_query_free(FieldEdgeQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeQuery, fieldedge_query_free)

G_END_DECLS

#include "fieldedge-capture.h"

#endif
