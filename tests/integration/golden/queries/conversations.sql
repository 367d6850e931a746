-- Every conversation of a capture, in the order of its first packet.
SELECT application, label_source, host_a, port_a, host_b, port_b, server_name, is_local, vlan, tunnel,
       packets_ab, packets_ba, ip_bytes_ab, ip_bytes_ba, payload_bytes_ab, payload_bytes_ba
  FROM conversations ORDER BY id
