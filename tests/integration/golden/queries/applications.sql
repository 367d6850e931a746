-- What each application of a capture sums up to, and what had no conversation, by protocol.
SELECT application, is_local, group_concat(label_source, ',') AS label_sources,
       sum(conversations) AS conversations, sum(packets) AS packets, sum(frame_bytes) AS frame_bytes,
       sum(ip_bytes) AS ip_bytes, sum(bad) AS bad, sum(retransmissions) AS retransmissions,
       sum(retransmitted) AS retransmitted_bytes
  FROM (SELECT application, is_local, label_source, count(*) AS conversations,
               sum(packets_ab + packets_ba) AS packets,
               sum(frame_bytes_ab + frame_bytes_ba) AS frame_bytes,
               sum(ip_bytes_ab + ip_bytes_ba) AS ip_bytes, sum(bad_packets) AS bad,
               sum(retransmissions) AS retransmissions, sum(retransmitted_bytes) AS retransmitted
          FROM conversations GROUP BY 1, 2, 3 ORDER BY 1, 2, 3)
 GROUP BY 1, 2
UNION ALL
SELECT 'none: ' || protocol, 0, '', 0, count(*), sum(frame_bytes), sum(ip_bytes), sum(is_bad),
       sum(is_retransmission), sum(retransmitted_bytes)
  FROM packets WHERE conversation_id IS NULL GROUP BY protocol
 ORDER BY 1, 2
