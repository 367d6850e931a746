-- ICMP errors and the conversations that they quote.
SELECT e.application AS error, e.host_a, e.host_b, q.application AS quoted, q.host_a AS quoted_a,
       q.port_a AS quoted_port_a, q.host_b AS quoted_b, q.port_b AS quoted_port_b, count(*) AS packets
  FROM quotes JOIN conversations e ON e.id = conversation_id
  JOIN conversations q ON q.id = quoted_conversation_id
 GROUP BY e.id, q.id ORDER BY min(packet_id)
