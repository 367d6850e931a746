-- Version 2.  README.md explains every table, view and column.

-- What `fieldedge analyze` stores, because SQL cannot compute it.  The views of views.sql
-- show these tables in words; README.md explains them.
--
-- Results are those of the row in `analysis`.  It goes when a capture comes or goes, and the rest is
-- then no longer shown; packets that a recording added since are told by analysis.packets.

CREATE TABLE analysis (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    schema_version  INTEGER NOT NULL,
    program_version TEXT    NOT NULL,
    analyzed_ns     INTEGER NOT NULL,    -- when
    captures        INTEGER NOT NULL,    -- what the database held then
    packets         INTEGER NOT NULL,
    last_packet     INTEGER NOT NULL     -- packet.id; 0 without packets
) STRICT;

-- Gaps between the beginnings of a host pair's conversations.
CREATE TABLE result_pair (
    id            INTEGER PRIMARY KEY,   -- in the order of the pairs' first packets
    is_local      INTEGER NOT NULL,
    host_a        INTEGER NOT NULL REFERENCES host (id),
    host_b        INTEGER NOT NULL REFERENCES host (id),
    conversations INTEGER NOT NULL,
    mean_ns       INTEGER,               -- NULL with too few gaps
    median_ns     INTEGER,
    stdev_ns      INTEGER,
    mad_ns        INTEGER,
    min_ns        INTEGER,
    max_ns        INTEGER
) STRICT;

-- Gaps between the packets of a host pair, direction, application and size.
CREATE TABLE result_interval (
    id          INTEGER PRIMARY KEY,
    is_local    INTEGER NOT NULL,
    host_a      INTEGER NOT NULL REFERENCES host (id),
    host_b      INTEGER NOT NULL REFERENCES host (id),
    application INTEGER NOT NULL REFERENCES application (id),
    direction   INTEGER NOT NULL,        -- 0: A to B, 1: B to A
    frame_bytes INTEGER NOT NULL,        -- of each of its packets
    packets     INTEGER NOT NULL,
    first_ns    INTEGER NOT NULL,
    last_ns     INTEGER NOT NULL,
    mean_ns     INTEGER,                 -- NULL with too few gaps
    median_ns   INTEGER,
    stdev_ns    INTEGER,
    mad_ns      INTEGER,
    min_ns      INTEGER,
    max_ns      INTEGER
) STRICT;

-- Groups of packets that were searched for periods.
CREATE TABLE result_period_group (
    id           INTEGER PRIMARY KEY,
    is_local     INTEGER NOT NULL,
    host_a       INTEGER NOT NULL REFERENCES host (id),
    host_b       INTEGER NOT NULL REFERENCES host (id),
    application  INTEGER NOT NULL REFERENCES application (id),
    conversation INTEGER,                -- NULL: all conversations of the pair and application
    direction    INTEGER NOT NULL,       -- 0: A to B, 1: B to A, 2: both
    frame_bytes  INTEGER,                -- of each packet; NULL: all sizes
    events       INTEGER NOT NULL,       -- packets without retransmissions
    cycles       INTEGER NOT NULL,       -- after bursts are joined
    ip_bytes     INTEGER NOT NULL,
    first_ns     INTEGER NOT NULL,
    last_ns      INTEGER NOT NULL,
    verdict      TEXT    NOT NULL CHECK (verdict IN ('not periodic', 'periodic', 'too few cycles')),
    score        REAL    NOT NULL,
    p_value      REAL    NOT NULL,
    is_repeat    INTEGER NOT NULL        -- 1: says nothing that a wider group does not
) STRICT;

-- What was found in them, up to three each.
CREATE TABLE result_period (
    period_group     INTEGER NOT NULL REFERENCES result_period_group (id) ON DELETE CASCADE,
    place            INTEGER NOT NULL,   -- 1, 2, 3
    period_ns        INTEGER NOT NULL,
    low_ns           INTEGER NOT NULL,   -- 95 % interval
    high_ns          INTEGER NOT NULL,
    jitter_ns        INTEGER NOT NULL,
    hit_rate         REAL    NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('clock', 'sleep')),
    score            REAL    NOT NULL,
    p_value          REAL    NOT NULL,
    phase_ns         INTEGER NOT NULL,
    hits             INTEGER NOT NULL,
    first_ns         INTEGER NOT NULL,
    last_ns          INTEGER NOT NULL,
    bytes_per_cycle  REAL    NOT NULL,
    events_explained REAL    NOT NULL,
    bytes_explained  REAL    NOT NULL,
    change_ns        INTEGER,            -- NULL: the same throughout
    PRIMARY KEY (period_group, place)
) STRICT, WITHOUT ROWID;

-- Bad packets of a conversation by verdict.
CREATE TABLE result_verdict (
    conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    verdict      TEXT    NOT NULL,
    packets      INTEGER NOT NULL,
    PRIMARY KEY (conversation, verdict)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER capture_added AFTER INSERT ON capture BEGIN
    DELETE FROM analysis;
END;

CREATE TRIGGER capture_removed AFTER DELETE ON capture BEGIN
    DELETE FROM analysis;
END;

-- Notices a capture file that is in the database already: hash and size of its bytes.
ALTER TABLE capture ADD COLUMN fingerprint TEXT;

-- A watch (fieldedge watch): one capture that is recorded file by file, for weeks.
CREATE TABLE watch (
    capture INTEGER PRIMARY KEY REFERENCES capture (id) ON DELETE CASCADE,
    source  TEXT NOT NULL                    -- interface, or folder of a spool
) STRICT;

-- The files of a watch that were recorded, in that order.
CREATE TABLE watch_file (
    id         INTEGER PRIMARY KEY,
    capture    INTEGER NOT NULL REFERENCES watch (capture) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    first      INTEGER NOT NULL,             -- its packets are those from this packet.id …
    last       INTEGER NOT NULL,             -- … to this one; first - 1 if there are none
    packets    INTEGER NOT NULL,
    started_ns INTEGER,                      -- earliest packet, NULL without packets
    ended_ns   INTEGER,                      -- latest packet
    continued  INTEGER NOT NULL,             -- conversations that an earlier file began
    is_pruned  INTEGER NOT NULL DEFAULT 0,   -- 1: its packets are in rollup alone
    UNIQUE (capture, name)
) STRICT;

-- What the recorder must know of a conversation to go on with it in the next file.
CREATE TABLE carry (
    conversation INTEGER PRIMARY KEY REFERENCES conversation (id) ON DELETE CASCADE,
    file         INTEGER NOT NULL,           -- watch_file.id in which it was last seen
    stream       INTEGER,                    -- Wireshark's number in that file
    state        BLOB    NOT NULL
) STRICT;

-- What a watch missed.
CREATE TABLE gap (
    id         INTEGER PRIMARY KEY,
    capture    INTEGER NOT NULL REFERENCES capture (id) ON DELETE CASCADE,
    reason     TEXT    NOT NULL,
    started_ns INTEGER,                      -- between these times; NULL if not known
    ended_ns   INTEGER,
    packets    INTEGER,                      -- that were missed; NULL if not known
    files      INTEGER,                      -- that were missed; NULL if not files
    file       TEXT    NOT NULL,             -- at which it was noticed
    UNIQUE (capture, file, reason)
) STRICT;

-- Sums of packets that were pruned.  A packet is in the table packet or in one row of this.
CREATE TABLE rollup (
    capture              INTEGER NOT NULL REFERENCES capture (id) ON DELETE CASCADE,
    seconds              INTEGER NOT NULL,   -- 60, 3600 or 86400
    started_ns           INTEGER NOT NULL,   -- a multiple of it since the epoch
    application          INTEGER NOT NULL,   -- id; 0: not IP
    is_local             INTEGER NOT NULL,
    packets              INTEGER NOT NULL,
    frame_bytes          INTEGER NOT NULL,
    ip_bytes             INTEGER NOT NULL,
    payload_bytes        INTEGER NOT NULL,
    bad_packets          INTEGER NOT NULL,
    bad_bytes            INTEGER NOT NULL,
    retransmissions      INTEGER NOT NULL,
    retransmission_bytes INTEGER NOT NULL,
    retransmitted_bytes  INTEGER NOT NULL,
    PRIMARY KEY (capture, seconds, started_ns, application, is_local)
) STRICT, WITHOUT ROWID;
