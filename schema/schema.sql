-- FieldEdge database, version 1.  schema/README.md explains every table, view and column.
--
-- Tables hold integers and are laid out for size; people query the views (views.sql).
-- Times are nanoseconds, sizes bytes.  packet.id carries the capture and the frame's place in it:
--     id = (capture - 1) << 32 | position
-- so that the packets of a capture are one range of the primary key, need no index, and the
-- first capture's ids stay small (an SQLite rowid takes 1 to 9 bytes by its value).

CREATE TABLE capture (
    id             INTEGER PRIMARY KEY,
    file           TEXT,                     -- path as given to tshark; NULL for a live run without -w
    interface      TEXT,                     -- name of the first packet's interface, if the file says
    link_type      TEXT,                     -- of the first packet, as tshark names it
    base_ns        INTEGER NOT NULL,         -- zero of packet.time, ns since the epoch
    started_ns     INTEGER,                  -- earliest packet; NULL without packets
    ended_ns       INTEGER,                  -- latest packet
    packets        INTEGER NOT NULL DEFAULT 0,
    frame_bytes    INTEGER NOT NULL DEFAULT 0,
    ip_bytes       INTEGER NOT NULL DEFAULT 0,
    snap_length    INTEGER,                  -- NULL if not known
    status         TEXT    NOT NULL DEFAULT 'interrupted'
                   CHECK (status IN ('complete', 'cut short', 'interrupted', 'failed')),
    filter         TEXT,                     -- display filter of the recording, NULL if none
    local_networks TEXT    NOT NULL,         -- the prefixes that made is_local
    payload_hashes INTEGER NOT NULL,         -- 1 if packet.payload_hash was recorded
    tshark_version TEXT    NOT NULL,
    plugin_version TEXT    NOT NULL
) STRICT;

CREATE TABLE host (
    id      INTEGER PRIMARY KEY,
    address BLOB NOT NULL UNIQUE,            -- 4 bytes IPv4, 16 IPv6, else the link-layer address
    text    TEXT NOT NULL,                   -- the same for people
    name    TEXT                             -- learned from DNS answers in the capture
) STRICT;

CREATE TABLE application (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE                -- TCP_MQTT
) STRICT;

-- What a packet is, apart from its sizes: the few combinations that occur, each written once.
CREATE TABLE packet_kind (
    id                INTEGER PRIMARY KEY,
    protocol          TEXT    NOT NULL,      -- top dissected layer, by its display filter name
    direction         INTEGER NOT NULL,      -- 0: host A to B, 1: B to A
    tcp_flags         INTEGER,               -- 12 bits of the TCP header; NULL if not TCP
    verdicts          INTEGER NOT NULL,      -- bit set of Wireshark's verdicts, see README.md
    analysis          TEXT,                  -- the same as names, comma-separated; NULL if none
    is_bad            INTEGER NOT NULL,      -- loss, disorder or malformed
    is_retransmission INTEGER NOT NULL,      -- Wireshark's verdict
    renumbered        INTEGER NOT NULL,      -- 1: the frame number is not the position, see renumbering
    UNIQUE (protocol, direction, tcp_flags, verdicts, renumbered)
) STRICT;

CREATE TABLE conversation (
    id                   INTEGER PRIMARY KEY,
    capture              INTEGER NOT NULL REFERENCES capture (id) ON DELETE CASCADE,
    is_link              INTEGER NOT NULL,   -- 1: packets that are not IP, between two stations; no conversation
    transport            TEXT,               -- TCP UDP SCTP ICMP ICMPV6 IP; NULL if is_link
    stream               INTEGER,            -- Wireshark's tcp.stream, udp.stream or sctp.assoc_index
    ip_protocol          INTEGER,            -- number of the protocol above IP, where there is no stream
    icmp_group           INTEGER,            -- kind of ICMP message, where transport is ICMP or ICMPV6
    host_a               INTEGER REFERENCES host (id),   -- source of the first packet
    host_b               INTEGER REFERENCES host (id),
    port_a               INTEGER,
    port_b               INTEGER,
    application          INTEGER REFERENCES application (id),  -- NULL only if is_link
    label_source         TEXT,               -- what gave the application
    votes                INTEGER NOT NULL DEFAULT 0,     -- packets that spoke for it
    server_name          TEXT,               -- TLS or QUIC server name, HTTP host, or learned from DNS
    vlan                 INTEGER,            -- outermost VLAN id, NULL if none
    tunnel               TEXT,               -- outermost tunnel: GRE, VXLAN, GTP …; NULL if none
    is_local             INTEGER NOT NULL,   -- does not cross the WAN
    started_ns           INTEGER NOT NULL,
    ended_ns             INTEGER NOT NULL,
    packets_ab           INTEGER NOT NULL DEFAULT 0,
    packets_ba           INTEGER NOT NULL DEFAULT 0,
    frame_bytes_ab       INTEGER NOT NULL DEFAULT 0,
    frame_bytes_ba       INTEGER NOT NULL DEFAULT 0,
    ip_bytes_ab          INTEGER NOT NULL DEFAULT 0,
    ip_bytes_ba          INTEGER NOT NULL DEFAULT 0,
    payload_bytes_ab     INTEGER NOT NULL DEFAULT 0,
    payload_bytes_ba     INTEGER NOT NULL DEFAULT 0,
    bad_packets          INTEGER NOT NULL DEFAULT 0,
    bad_bytes            INTEGER NOT NULL DEFAULT 0,     -- frame bytes of the bad packets
    retransmissions      INTEGER NOT NULL DEFAULT 0,     -- packets of Wireshark's verdict
    retransmission_bytes INTEGER NOT NULL DEFAULT 0,     -- their frame bytes
    retransmitted_bytes  INTEGER NOT NULL DEFAULT 0      -- TCP payload bytes seen before, exact
) STRICT;

-- A recorder that gave up the state of conversations in memory finds them again by an index
-- conversation_key (capture, transport, stream, host_a, host_b), which it makes when it needs it.

CREATE TABLE packet (
    id                  INTEGER PRIMARY KEY, -- (capture - 1) << 32 | position
    time                INTEGER NOT NULL,    -- ns since capture.base_ns
    conversation        INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    frame_bytes         INTEGER NOT NULL,    -- on the wire, not as cut by the snap length
    link_bytes          INTEGER NOT NULL,    -- frame_bytes less the outermost IP packet
    payload_bytes       INTEGER NOT NULL,    -- of the transport
    kind                INTEGER NOT NULL REFERENCES packet_kind (id),
    retransmitted_bytes INTEGER NOT NULL,    -- TCP payload bytes seen before, exact
    payload_hash        INTEGER              -- keyed 32-bit hash of the payload; NULL if none or off
) STRICT;

-- An ICMP error and the conversation of the packet that it quotes.
CREATE TABLE quote (
    packet       INTEGER PRIMARY KEY REFERENCES packet (id) ON DELETE CASCADE,
    conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE
) STRICT;

-- Frame numbers that began again inside one capture (ring buffer, tshark -M): from this packet on
-- number = position - offset.
CREATE TABLE renumbering (
    packet   INTEGER PRIMARY KEY,
    "offset" INTEGER NOT NULL
) STRICT;
