-- What people query.  Names, columns and their order are a promise; more columns may follow them.
-- Addresses and labels are text here, ids and integers in the tables.

CREATE VIEW captures AS
SELECT id, file, interface, link_type, started_ns, ended_ns, packets, frame_bytes, status, filter,
       tshark_version, plugin_version, ip_bytes, snap_length, local_networks, payload_hashes,
       fingerprint
  FROM capture;

CREATE VIEW packets AS
SELECT (p.id >> 32) + 1 AS capture_id,
       CASE k.renumbered
            WHEN 0 THEN p.id & 0xffffffff
            ELSE (p.id & 0xffffffff) - (SELECT r."offset" FROM renumbering r WHERE r.packet <= p.id
                                         ORDER BY r.packet DESC LIMIT 1)
       END AS number,
       c.base_ns + p.time AS time_ns,
       CASE k.direction WHEN 0 THEN a.text ELSE b.text END AS source,
       CASE k.direction WHEN 0 THEN b.text ELSE a.text END AS destination,
       CASE k.direction WHEN 0 THEN v.port_a ELSE v.port_b END AS source_port,
       CASE k.direction WHEN 0 THEN v.port_b ELSE v.port_a END AS destination_port,
       v.transport,
       CASE v.is_link WHEN 0 THEN v.id END AS conversation_id,
       CASE WHEN v.is_link THEN NULL WHEN k.direction THEN 'BA' ELSE 'AB' END AS direction,
       n.name AS application,
       k.protocol,
       p.frame_bytes,
       p.frame_bytes - p.link_bytes AS ip_bytes,
       p.payload_bytes,
       v.is_local,
       k.is_bad,
       k.analysis,
       p.retransmitted_bytes,
       k.tcp_flags,
       p.payload_hash,
       k.is_retransmission,
       p.id AS packet_id
  FROM packet p
  JOIN packet_kind k ON k.id = p.kind
  JOIN capture c ON c.id = (p.id >> 32) + 1
  JOIN conversation v ON v.id = p.conversation
  LEFT JOIN host a ON a.id = v.host_a
  LEFT JOIN host b ON b.id = v.host_b
  LEFT JOIN application n ON n.id = v.application;

CREATE VIEW conversations AS
SELECT v.id, v.capture AS capture_id, v.transport, v.stream, a.text AS host_a, b.text AS host_b,
       v.port_a, v.port_b, n.name AS application, v.label_source, v.server_name, v.is_local,
       v.started_ns, v.ended_ns, v.packets_ab, v.packets_ba, v.frame_bytes_ab, v.frame_bytes_ba,
       v.ip_bytes_ab, v.ip_bytes_ba, v.payload_bytes_ab, v.payload_bytes_ba, v.bad_packets,
       v.bad_bytes, v.retransmissions, v.retransmission_bytes, v.retransmitted_bytes,
       v.vlan, v.tunnel, a.name AS name_a, b.name AS name_b
  FROM conversation v
  JOIN host a ON a.id = v.host_a
  JOIN host b ON b.id = v.host_b
  JOIN application n ON n.id = v.application
 WHERE NOT v.is_link;

-- A pair is written with the lower address first, whichever host began.
CREATE VIEW host_pairs AS
SELECT v.capture AS capture_id,
       CASE WHEN a.address <= b.address THEN a.text ELSE b.text END AS host_a,
       CASE WHEN a.address <= b.address THEN b.text ELSE a.text END AS host_b,
       count(*) AS conversations,
       min(v.started_ns) AS started_ns,
       max(v.ended_ns) AS ended_ns,
       sum(v.packets_ab + v.packets_ba) AS packets,
       sum(v.frame_bytes_ab + v.frame_bytes_ba) AS frame_bytes,
       sum(v.ip_bytes_ab + v.ip_bytes_ba) AS ip_bytes,
       sum(v.payload_bytes_ab + v.payload_bytes_ba) AS payload_bytes,
       sum(v.bad_packets) AS bad_packets,
       sum(v.bad_bytes) AS bad_bytes,
       sum(v.retransmissions) AS retransmissions,
       sum(v.retransmission_bytes) AS retransmission_bytes,
       sum(v.retransmitted_bytes) AS retransmitted_bytes,
       v.is_local
  FROM conversation v
  JOIN host a ON a.id = v.host_a
  JOIN host b ON b.id = v.host_b
 WHERE NOT v.is_link
 GROUP BY v.capture, v.is_local, min(v.host_a, v.host_b), max(v.host_a, v.host_b);

-- Traffic of the WAN, by application.  Local traffic: application_totals_all.
CREATE VIEW application_totals AS
SELECT capture_id, application, conversations, packets, frame_bytes, ip_bytes, payload_bytes,
       bad_packets, retransmissions, retransmitted_bytes, bad_bytes, retransmission_bytes,
       started_ns, ended_ns
  FROM application_totals_all
 WHERE NOT is_local;

CREATE VIEW application_totals_all AS
SELECT v.capture AS capture_id, n.name AS application, v.is_local,
       count(*) AS conversations,
       sum(v.packets_ab + v.packets_ba) AS packets,
       sum(v.frame_bytes_ab + v.frame_bytes_ba) AS frame_bytes,
       sum(v.ip_bytes_ab + v.ip_bytes_ba) AS ip_bytes,
       sum(v.payload_bytes_ab + v.payload_bytes_ba) AS payload_bytes,
       sum(v.bad_packets) AS bad_packets,
       sum(v.retransmissions) AS retransmissions,
       sum(v.retransmitted_bytes) AS retransmitted_bytes,
       sum(v.bad_bytes) AS bad_bytes,
       sum(v.retransmission_bytes) AS retransmission_bytes,
       min(v.started_ns) AS started_ns,
       max(v.ended_ns) AS ended_ns
  FROM conversation v
  JOIN application n ON n.id = v.application
 WHERE NOT v.is_link
 GROUP BY v.capture, n.name, v.is_local;

-- One point a packet of the WAN, in the order of recording.
CREATE VIEW application_series AS
SELECT c.id AS capture_id, n.name AS application, c.base_ns + p.time AS time_ns,
       p.frame_bytes, p.frame_bytes - p.link_bytes AS ip_bytes
  FROM packet p
  JOIN capture c ON c.id = (p.id >> 32) + 1
  JOIN conversation v ON v.id = p.conversation
  JOIN application n ON n.id = v.application
 WHERE NOT v.is_local AND NOT v.is_link;

-- The books of a capture: every packet is in exactly one row.
CREATE VIEW accounts AS
SELECT capture AS capture_id,
       CASE WHEN is_link THEN 'without conversation' WHEN is_local THEN 'local' ELSE 'WAN' END
           AS account,
       sum(NOT is_link) AS conversations,
       sum(packets_ab + packets_ba) AS packets,
       sum(frame_bytes_ab + frame_bytes_ba) AS frame_bytes,
       sum(ip_bytes_ab + ip_bytes_ba) AS ip_bytes
  FROM conversation
 GROUP BY 1, 2;

-- ICMP errors with the conversation that each quotes.
CREATE VIEW quotes AS
SELECT (q.packet >> 32) + 1 AS capture_id, p.conversation AS conversation_id,
       q.conversation AS quoted_conversation_id, q.packet AS packet_id
  FROM quote q
  JOIN packet p ON p.id = q.packet;

-- What `fieldedge analyze` stored, empty until it ran.  analysis tells of which packets.
CREATE VIEW pair_repeats AS
SELECT r.is_local, a.text AS host_a, b.text AS host_b, r.conversations, r.mean_ns, r.median_ns,
       r.stdev_ns, r.mad_ns, r.min_ns, r.max_ns
  FROM analysis
  JOIN result_pair r
  JOIN host a ON a.id = r.host_a
  JOIN host b ON b.id = r.host_b;

CREATE VIEW intervals AS
SELECT r.is_local, a.text AS host_a, b.text AS host_b, n.name AS application,
       CASE r.direction WHEN 0 THEN 'AB' ELSE 'BA' END AS direction, r.frame_bytes, r.packets,
       r.first_ns, r.last_ns, r.mean_ns, r.median_ns, r.stdev_ns, r.mad_ns, r.min_ns, r.max_ns
  FROM analysis
  JOIN result_interval r
  JOIN host a ON a.id = r.host_a
  JOIN host b ON b.id = r.host_b
  JOIN application n ON n.id = r.application;

CREATE VIEW period_groups AS
SELECT r.id, r.is_local, a.text AS host_a, b.text AS host_b, n.name AS application,
       r.conversation AS conversation_id,
       CASE r.direction WHEN 0 THEN 'AB' WHEN 1 THEN 'BA' ELSE 'both' END AS direction,
       r.frame_bytes, r.events, r.cycles, r.ip_bytes, r.first_ns, r.last_ns, r.verdict, r.score,
       r.p_value, r.is_repeat
  FROM analysis
  JOIN result_period_group r
  JOIN host a ON a.id = r.host_a
  JOIN host b ON b.id = r.host_b
  JOIN application n ON n.id = r.application;

CREATE VIEW periods AS
SELECT g.is_local, g.host_a, g.host_b, g.application, g.conversation_id, g.direction,
       g.frame_bytes, p.period_ns, p.low_ns, p.high_ns, p.jitter_ns, p.hit_rate, p.kind, p.score,
       p.p_value, p.phase_ns, p.hits, p.first_ns, p.last_ns, p.bytes_per_cycle,
       p.events_explained, p.bytes_explained, p.change_ns, g.is_repeat, g.id AS period_group_id,
       g.verdict
  FROM period_groups g
  JOIN result_period p ON p.period_group = g.id;

CREATE VIEW conversation_verdicts AS
SELECT r.conversation AS conversation_id, r.verdict, r.packets
  FROM analysis
  JOIN result_verdict r;

-- What a watch missed, or could not read.
CREATE VIEW gaps AS
SELECT capture AS capture_id, reason, started_ns, ended_ns, packets, files, file FROM gap;

-- Sums of the packets that a watch has pruned: minutes, older ones hours, still older ones days.
CREATE VIEW rollups AS
SELECT r.capture AS capture_id, r.seconds, r.started_ns, n.name AS application, r.is_local,
       r.packets, r.frame_bytes, r.ip_bytes, r.payload_bytes, r.bad_packets, r.bad_bytes,
       r.retransmissions, r.retransmission_bytes, r.retransmitted_bytes
  FROM rollup r
  LEFT JOIN application n ON n.id = r.application;
