/* fieldedge-capture.h
 * libfieldedge, the part of it that makes, checks, mends and records capture files: it runs
 * Wireshark's own programs (dumpcap, tshark, editcap, capinfos) and dissects nothing itself.
 * fieldedge.h includes it and has the conventions.
 *
 *     g_autoptr(FieldEdgeProcess) process = fieldedge_process_new();
 *     if (!fieldedge_process_run(process, "site.pcapng", "site.db", &packets, &error))
 *         fprintf(stderr, "%s\n", error->message);
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FIELDEDGE_CAPTURE_H
#define FIELDEDGE_CAPTURE_H

#include "fieldedge.h"

G_BEGIN_DECLS

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

/* How far the recording of one capture is. */
typedef struct {
    const char *capture;
    gint64 elapsed_ns;
    gint64 packets;    /* read so far */
    gint64 bytes_read; /* of the file, compressed if it is; FIELDEDGE_NONE if not known */
    gint64 bytes;      /* size of the file; FIELDEDGE_NONE if it is none */
} FieldEdgeProgress;
typedef void (*FieldEdgeProgressFunc)(const FieldEdgeProgress *progress, gpointer user_data);

/* Called about four times a second. */
FIELDEDGE_API void fieldedge_process_set_progress_func(FieldEdgeProcess *process,
                                                       FieldEdgeProgressFunc func,
                                                       gpointer user_data);

/* A capture that is in the database already, known by its bytes, takes its own place: the old rows
 * go and the new ones come in one transaction, or nothing changes.  Without it such a capture is
 * left alone with FIELDEDGE_ERROR_EXISTS, unless its recording was interrupted or failed. */
FIELDEDGE_API void fieldedge_process_set_replace(FieldEdgeProcess *process, gboolean replace);

/* Ends the running recording with FIELDEDGE_ERROR_INTERRUPTED, and every later one at its
 * beginning. May be called by a signal handler. */
FIELDEDGE_API void fieldedge_process_cancel(FieldEdgeProcess *process);

/* The capture files that an operand stands for, in the order of recording: a file itself, the
 * captures in a directory, those that a pattern ("day*.pcap") fits.  Free with g_strfreev(). */
FIELDEDGE_API char **fieldedge_capture_files(const char *operand, GError **error);

/* Adds a capture file ("-" for standard input) to a database, which is created if need be.  Returns
 * TRUE if all of it was recorded; on FIELDEDGE_ERROR_CUT_SHORT and _INTERRUPTED a part was.
 * *packets (or NULL) gets the number recorded. */
FIELDEDGE_API gboolean fieldedge_process_run(FieldEdgeProcess *process, const char *capture,
                                             const char *database, gint64 *packets, GError **error);
FIELDEDGE_API void fieldedge_process_free(FieldEdgeProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeProcess, fieldedge_process_free)

/* ---- Stopping what takes time -------------------------------------------------------------- */

/* Handed to a function that takes long, NULL if it is never to be stopped.  Cancelling is allowed
 * from another thread and from a signal's handler, and lasts. */
typedef struct _FieldEdgeCancellable FieldEdgeCancellable;
FIELDEDGE_API FieldEdgeCancellable *fieldedge_cancellable_new(void);
FIELDEDGE_API void fieldedge_cancellable_cancel(FieldEdgeCancellable *cancellable);
FIELDEDGE_API gboolean fieldedge_cancellable_is_cancelled(const FieldEdgeCancellable *cancellable);
FIELDEDGE_API void fieldedge_cancellable_free(FieldEdgeCancellable *cancellable);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeCancellable, fieldedge_cancellable_free)

/* ---- Capturing from an interface ----------------------------------------------------------- */

/* Runs dumpcap, which writes a file and dissects nothing. */
typedef struct _FieldEdgeCaptureRun FieldEdgeCaptureRun;

typedef struct {
    const char
        *path; /* of the file, from its beginning; the run's, until it is freed or run again */
    gint64 elapsed_ns;
    gint64 left_ns;
    gint64 packets;           /* written to the file */
    gint64 file_bytes;        /* size of the file */
    gint64 received;          /* by the kernel; FIELDEDGE_NONE before the end */
    gint64 dropped;           /* by the kernel and dumpcap; FIELDEDGE_NONE before the end */
    gint64 interface_dropped; /* by the interface, since the beginning */
} FieldEdgeCaptureState;

/* Called twice a second while packets are captured. */
typedef void (*FieldEdgeCaptureFunc)(const FieldEdgeCaptureState *state, gpointer user_data);

FIELDEDGE_API FieldEdgeCaptureRun *fieldedge_capture_run_new(const char *interface);
/* 60 s by default. */
FIELDEDGE_API void fieldedge_capture_run_set_duration(FieldEdgeCaptureRun *setup, gint64 seconds);
/* The directory (NULL: home), which must be there, and whether the file goes into a directory
 * capture_YYYYmmdd in it (by default it does). */
FIELDEDGE_API void fieldedge_capture_run_set_directory(FieldEdgeCaptureRun *setup,
                                                       const char *directory,
                                                       gboolean has_subdirectory);
/* NULL: capture_YYYYmmddTHHMMSS_D_i.pcap, the beginning in UTC, D seconds, interface i.  The file
 * is pcapng if its name ends in .pcapng, otherwise pcap. */
FIELDEDGE_API void fieldedge_capture_run_set_name(FieldEdgeCaptureRun *setup, const char *name);
/* In libpcap's syntax. */
FIELDEDGE_API void fieldedge_capture_run_set_filter(FieldEdgeCaptureRun *setup, const char *filter);
/* Bytes kept of each packet; 0: all. */
FIELDEDGE_API void fieldedge_capture_run_set_snap_length(FieldEdgeCaptureRun *setup,
                                                         gint64 snap_length);
/* More options for dumpcap; those that the functions above set are refused. */
FIELDEDGE_API void fieldedge_capture_run_set_options(FieldEdgeCaptureRun *setup,
                                                     const char *const *options);
/* The program to run; NULL for dumpcap from the PATH. */
FIELDEDGE_API void fieldedge_capture_run_set_dumpcap(FieldEdgeCaptureRun *setup,
                                                     const char *dumpcap);
FIELDEDGE_API void fieldedge_capture_run_set_progress_func(FieldEdgeCaptureRun *setup,
                                                           FieldEdgeCaptureFunc func,
                                                           gpointer user_data);

/* Captures until the duration is over, or cancellable is cancelled, which is no error.  On
 * FIELDEDGE_ERROR_INTERRUPTED and _NO_SPACE the capture ended early, and state->path (if not NULL)
 * has what came until then, whole.  state may be NULL. */
FIELDEDGE_API gboolean fieldedge_capture_run_execute(FieldEdgeCaptureRun *setup,
                                                     FieldEdgeCancellable *cancellable,
                                                     FieldEdgeCaptureState *state, GError **error);
FIELDEDGE_API void fieldedge_capture_run_free(FieldEdgeCaptureRun *setup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeCaptureRun, fieldedge_capture_run_free)

typedef struct {
    gint64 number; /* dumpcap takes it in place of the name */
    const char *name;
    const char *description; /* NULL if there is none */
    const char *addresses;   /* separated by blanks; NULL without any */
    gboolean is_loopback;
} FieldEdgeInterface;

/* What dumpcap can capture from. */
typedef struct _FieldEdgeInterfaces FieldEdgeInterfaces;
FIELDEDGE_API FieldEdgeInterfaces *fieldedge_interfaces_new(const char *dumpcap, GError **error);
FIELDEDGE_API const FieldEdgeInterface *fieldedge_interfaces_next(FieldEdgeInterfaces *interfaces);
FIELDEDGE_API void fieldedge_interfaces_free(FieldEdgeInterfaces *interfaces);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeInterfaces, fieldedge_interfaces_free)

/* ---- Jobs: what goes on in the background -------------------------------------------------- */

typedef enum {
    FIELDEDGE_JOB_RUNNING,
    FIELDEDGE_JOB_DONE,    /* ended with exit code 0 */
    FIELDEDGE_JOB_STOPPED, /* ended because it was asked to */
    FIELDEDGE_JOB_FAILED,  /* ended with another exit code */
    FIELDEDGE_JOB_DIED,    /* gone without a word: killed, or out of memory */
    FIELDEDGE_JOB_LOST     /* was running when the machine went down */
} FieldEdgeJobState;

/* "running", "done", "stopped", "failed", "died", "lost" */
FIELDEDGE_API const char *fieldedge_job_state_name(FieldEdgeJobState state);

typedef struct {
    gint64 id;
    FieldEdgeJobState state;
    gint64 process;
    gint64 started_ns;
    gint64 ended_ns;      /* FIELDEDGE_NONE if it runs, or its end is not known */
    int exit_code;        /* -1 likewise */
    const char *command;  /* as typed into a shell */
    const char *progress; /* its last report; NULL if there was none */
    const char *result;   /* path of what it made, in the file system's bytes; NULL if none yet */
    const char *message;  /* the last line of its log; NULL if it has none */
    const char *log;      /* path of its standard error */
} FieldEdgeJob;

/* The jobs of this user, by number; id 0: all, otherwise that one, FIELDEDGE_ERROR_NO_JOB if it is
 * not there.  The state is that of the moment of *_next(). */
typedef struct _FieldEdgeJobs FieldEdgeJobs;
FIELDEDGE_API FieldEdgeJobs *fieldedge_jobs_new(gint64 id, GError **error);
FIELDEDGE_API const FieldEdgeJob *fieldedge_jobs_next(FieldEdgeJobs *jobs);
FIELDEDGE_API void fieldedge_jobs_free(FieldEdgeJobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeJobs, fieldedge_jobs_free)

/* Runs a program (arguments[0] is its path) in a session of its own, with its output in files, and
 * returns when it called fieldedge_job_ready() (*has_begun is TRUE) or has ended.  shown is the
 * command that lists show, NULL: the arguments. */
FIELDEDGE_API gboolean fieldedge_job_start(const char *const *arguments, const char *const *shown,
                                           gint64 *id, gboolean *has_begun, GError **error);
/* Waits until the job is over, at most timeout_ns, FIELDEDGE_NONE: for ever. */
FIELDEDGE_API gboolean fieldedge_job_wait(gint64 id, gint64 timeout_ns,
                                          FieldEdgeCancellable *cancellable, gboolean *is_over,
                                          GError **error);
/* Asks a job to end (SIGTERM), is_forced: kills it.  Does not wait. */
FIELDEDGE_API gboolean fieldedge_job_stop(gint64 id, gboolean is_forced, GError **error);
/* Forgets a job that is over, with its log; what it made stays. */
FIELDEDGE_API gboolean fieldedge_job_remove(gint64 id, GError **error);

/* For the job's own process; in any other they do nothing. */
FIELDEDGE_API gboolean fieldedge_job_is_self(void);
FIELDEDGE_API void fieldedge_job_ready(void);                  /* it has begun well */
FIELDEDGE_API void fieldedge_job_report(const char *progress); /* kept once a second at most */
FIELDEDGE_API void fieldedge_job_set_result(const char *path);
FIELDEDGE_API void fieldedge_job_end(int exit_code); /* the last thing it does */

/* ---- Checking a capture file --------------------------------------------------------------- */

typedef enum {
    FIELDEDGE_FILE_WHOLE,
    FIELDEDGE_FILE_EMPTY,     /* no packet, perhaps not even a header */
    FIELDEDGE_FILE_CUT_SHORT, /* it ends in the middle of a packet */
    FIELDEDGE_FILE_CORRUPT,   /* something in it cannot be */
    FIELDEDGE_FILE_FOREIGN    /* not a capture */
} FieldEdgeFileState;

/* "whole", "empty", "cut short", "corrupt", "not a capture" */
FIELDEDGE_API const char *fieldedge_file_state_name(FieldEdgeFileState state);

/* first_… are packet numbers from 1, and say nothing where the count before them is 0. */
typedef struct {
    const char *path;
    FieldEdgeFileState state;
    const char *detail;    /* more words on the damage, or NULL */
    const char *type;      /* "pcap", "nsecpcap", "pcapng" …, or NULL */
    const char *link_type; /* "ether", "per-packet" …, or NULL */
    gint64 size;           /* of the file */
    gint64 packets;        /* that can be read */
    gint64 frame_bytes;    /* of them; FIELDEDGE_NONE if not known */
    gint64 snap_length;    /* FIELDEDGE_NONE if the file does not say */
    gboolean has_times;
    gint64 started_ns; /* earliest and latest packet */
    gint64 ended_ns;
    gint64 damaged_packet;      /* number of the first that cannot be read; FIELDEDGE_NONE */
    gint64 damaged_offset;      /* where in the file it begins; FIELDEDGE_NONE if not known */
    gboolean is_looked_through; /* if FALSE, nothing below says anything */
    gint64 duplicates;          /* what deduplication would remove */
    gint64 first_duplicate;
    gint64 duplicate_bytes;
    gint64 backward; /* packets earlier than the one before */
    gint64 first_backward;
    gint64 backward_most_ns; /* the largest step */
    gint64 snapped;          /* packets of which only the beginning is there */
    gint64 first_snapped;
    gint64 oversized; /* packets over the MTU: the network card joined or will split them */
    gint64 first_oversized;
    gint64 largest_bytes; /* of IP, of the largest of them */
    gint64 one_sided_tcp; /* streams with packets of one direction alone */
    gint64 first_one_sided_tcp;
    gint64 one_sided_udp;
    gint64 first_one_sided_udp;
} FieldEdgeCheckReport;

typedef struct _FieldEdgeCheck FieldEdgeCheck;
FIELDEDGE_API FieldEdgeCheck *fieldedge_check_new(void);
/* Bytes of IP that one packet may have, 1500 by default. */
FIELDEDGE_API void fieldedge_check_set_mtu(FieldEdgeCheck *check, gint64 mtu);
/* What a duplicate is: the same bytes as one of the last packets - 1 packets (5 by default), or, if
 * time_ns is above 0, as one at most so long before. */
FIELDEDGE_API void fieldedge_check_set_window(FieldEdgeCheck *check, gint64 packets,
                                              gint64 time_ns);
/* Only whether the file is whole: no packet is looked into. */
FIELDEDGE_API void fieldedge_check_set_quick(FieldEdgeCheck *check, gboolean is_quick);
/* FALSE if the file could not be checked.  The report's strings last until the next call. */
FIELDEDGE_API gboolean fieldedge_check_file(FieldEdgeCheck *check, const char *path,
                                            FieldEdgeCancellable *cancellable,
                                            FieldEdgeCheckReport *report, GError **error);
FIELDEDGE_API void fieldedge_check_free(FieldEdgeCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeCheck, fieldedge_check_free)

/* ---- Repairing and deduplicating ----------------------------------------------------------- */

typedef struct {
    const char *path;         /* the original */
    const char *output;       /* what was made; the original's name if in place */
    const char *backup;       /* where the original is now; NULL if it is where it was */
    FieldEdgeFileState state; /* of the original */
    gint64 packets;           /* in the output */
    gint64 frame_bytes;       /* of them; FIELDEDGE_NONE if not known */
    gboolean has_times;
    gint64 ended_ns;        /* the latest packet */
    gint64 lost_bytes;      /* of the original from the damage on; FIELDEDGE_NONE if not known */
    gint64 removed_packets; /* duplicates */
    gint64 removed_bytes;
} FieldEdgeMendReport;

typedef struct _FieldEdgeMended FieldEdgeMended;

/* Keeps what can be read of a damaged capture: in output, or in place (NULL), with the original
 * beside it as NAME.damaged.  A whole capture stays as it is.  NULL on an error, and
 * then nothing has changed; FIELDEDGE_ERROR_NO_CAPTURE: it cannot be mended. */
FIELDEDGE_API FieldEdgeMended *fieldedge_repair_file(const char *path, const char *output,
                                                     gboolean may_replace,
                                                     FieldEdgeCancellable *cancellable,
                                                     GError **error);
/* Leaves out packets that are the same, byte for byte, as one of the last window - 1, or, if
 * time_ns is above 0, as one at most so long before. */
FIELDEDGE_API FieldEdgeMended *
fieldedge_deduplicate_file(const char *path, const char *output, gint64 window, gint64 time_ns,
                           gboolean may_replace, FieldEdgeCancellable *cancellable, GError **error);
FIELDEDGE_API const FieldEdgeMendReport *fieldedge_mended_get_report(const FieldEdgeMended *mended);
FIELDEDGE_API void fieldedge_mended_free(FieldEdgeMended *mended);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeMended, fieldedge_mended_free)

/* ---- Watching ------------------------------------------------------------------------------ */

/* Records an interface for weeks, or the captures of a folder in turn, into one capture of a
 * database: conversations and exact retransmissions go on from file to file, old packets are summed
 * up and deleted, and what was missed is in the view gaps.  Stopped or killed at any time, the same
 * call goes on where it was. */
typedef struct _FieldEdgeWatch FieldEdgeWatch;

#define FIELDEDGE_WATCH_SECONDS    60
#define FIELDEDGE_WATCH_FILE_BYTES (G_GINT64_CONSTANT(8) << 20)
#define FIELDEDGE_WATCH_RING_BYTES (G_GINT64_CONSTANT(256) << 20)
#define FIELDEDGE_WATCH_SIZE_MIN   (G_GINT64_CONSTANT(1) << 20)

FIELDEDGE_API FieldEdgeWatch *fieldedge_watch_new(void);

/* dumpcap captures there, with a capture filter (BPF) or NULL.  Without an interface the captures
 * that lie in the folder are recorded, and that is all. */
FIELDEDGE_API void fieldedge_watch_set_interface(FieldEdgeWatch *watch, const char *interface,
                                                 const char *capture_filter);
/* Where files wait to be recorded; by default DATABASE.spool. */
FIELDEDGE_API void fieldedge_watch_set_spool(FieldEdgeWatch *watch, const char *folder);
/* A file ends after so many seconds or bytes; the ring holds so many bytes at most. */
FIELDEDGE_API void fieldedge_watch_set_rotation(FieldEdgeWatch *watch, gint64 seconds,
                                                gint64 file_bytes, gint64 ring_bytes);
FIELDEDGE_API void fieldedge_watch_set_snap_length(FieldEdgeWatch *watch, int bytes);
FIELDEDGE_API void fieldedge_watch_set_filter(FieldEdgeWatch *watch, const char *filter);
FIELDEDGE_API void fieldedge_watch_set_local_networks(FieldEdgeWatch *watch, const char *networks);
/* NULL for those from the PATH. */
FIELDEDGE_API void fieldedge_watch_set_programs(FieldEdgeWatch *watch, const char *tshark,
                                                const char *dumpcap);
/* How long packets are kept (0: for ever), and how large the database may grow (0: no limit). */
FIELDEDGE_API void fieldedge_watch_set_limits(FieldEdgeWatch *watch, gint64 keep_ns,
                                              gint64 max_bytes);
FIELDEDGE_API void fieldedge_watch_set_message_func(FieldEdgeWatch *watch,
                                                    FieldEdgeMessageFunc func, gpointer user_data);

/* Runs until fieldedge_watch_stop(), a failure that waiting does not mend, or the end of the
 * folder.  Stopped once, it ends the capture and records what waits; stopped twice, it breaks off
 * with FIELDEDGE_ERROR_INTERRUPTED. */
FIELDEDGE_API gboolean fieldedge_watch_run(FieldEdgeWatch *watch, const char *database,
                                           GError **error);
/* May be called by a signal handler. */
FIELDEDGE_API void fieldedge_watch_stop(FieldEdgeWatch *watch);
FIELDEDGE_API void fieldedge_watch_free(FieldEdgeWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldEdgeWatch, fieldedge_watch_free)

G_END_DECLS

#endif
