#!/usr/bin/python3
# test_accounts.py
# Every packet is recorded, counted once, and where it belongs: the books of each capture against what
# tshark itself says of the same packets.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import contextlib
import functools
import re
import unittest

import harness

# DESIGN.md's promise: names and order; more may follow.
VIEWS = {
    "captures": "id file interface link_type started_ns ended_ns packets frame_bytes status filter"
                " tshark_version plugin_version",
    "packets": "capture_id number time_ns source destination source_port destination_port transport"
               " conversation_id direction application protocol frame_bytes ip_bytes payload_bytes"
               " is_local is_bad analysis retransmitted_bytes",
    "conversations": "id capture_id transport stream host_a host_b port_a port_b application"
                     " label_source server_name is_local started_ns ended_ns packets_ab packets_ba"
                     " frame_bytes_ab frame_bytes_ba ip_bytes_ab ip_bytes_ba payload_bytes_ab"
                     " payload_bytes_ba bad_packets bad_bytes retransmissions retransmission_bytes"
                     " retransmitted_bytes",
    "host_pairs": "capture_id host_a host_b conversations",
    "application_totals": "capture_id application conversations packets frame_bytes ip_bytes"
                          " payload_bytes bad_packets retransmissions retransmitted_bytes",
    "application_series": "capture_id application time_ns frame_bytes ip_bytes",
}
LABEL = re.compile(r"(TCP|UDP|SCTP|ICMP|ICMPV6|IP)(_[A-Z0-9]+)+")
SOURCES = {"dissector", "alpn", "site port", "port", "service", "port number", "ip protocol"}


def setUpModule():
    harness.build_dir()


def each_capture(test):
    """Makes a test of one recorded capture a test of all, with the capture's name in what fails."""
    @functools.wraps(test)
    def all_captures(self):
        for it in harness.all_recorded():
            with self.subTest(it.name):
                test(self, it)
    return all_captures


class Accounts(unittest.TestCase):
    maxDiff = 2000

    def test_captures_are_there(self):
        self.assertGreaterEqual(len(harness.own_captures()), 14)
        if not harness.shared_captures():
            self.skipTest("no captures of others beside the project (../shared/captures)")

    @each_capture
    def test_run_ends_as_without_plugin(self, it):
        self.assertEqual(it.returncode, it.oracle_returncode)
        self.assertNotIn("fieldedge", it.stderr)
        self.assertEqual([row["status"] for row in it.captures],
                         ["complete" if it.returncode == 0 else "cut short"])

    @each_capture
    def test_a_row_for_each_packet(self, it):
        self.assertEqual([row["number"] for row in it.packets],
                         [int(row["frame.number"]) for row in it.oracle])
        self.assertEqual([row["time_ns"] for row in it.packets],
                         [harness.time_ns(row["frame.time_epoch"]) for row in it.oracle])
        self.assertEqual([row["frame_bytes"] for row in it.packets],
                         [int(row["frame.len"]) for row in it.oracle])

    @each_capture
    def test_capture_row(self, it):
        row, = it.captures
        times = [packet["time_ns"] for packet in it.packets]
        self.assertEqual((row["packets"], row["frame_bytes"], row["ip_bytes"]),
                         (len(it.packets), sum(packet["frame_bytes"] for packet in it.packets),
                          sum(packet["ip_bytes"] for packet in it.packets)))
        self.assertEqual((row["started_ns"], row["ended_ns"]),
                         (min(times, default=None), max(times, default=None)))
        self.assertEqual(row["file"], str(it.capture))
        self.assertIsNone(row["filter"])
        self.assertTrue(row["tshark_version"] and row["plugin_version"])

    @each_capture
    def test_accounts_add_up(self, it):
        row, = it.captures
        self.assertLessEqual({account["account"] for account in it.accounts},
                             {"WAN", "local", "without conversation"})
        for column in ("packets", "frame_bytes", "ip_bytes"):
            self.assertEqual(sum(account[column] for account in it.accounts), row[column])
        self.assertEqual(sum(account["conversations"] for account in it.accounts),
                         len(it.conversations))
        for account in it.accounts:
            mine = [packet for packet in it.packets if account["account"] == (
                "without conversation" if packet["conversation_id"] is None else
                "local" if packet["is_local"] else "WAN")]
            self.assertEqual(
                [account["packets"], account["frame_bytes"], account["ip_bytes"]],
                [len(mine), sum(packet["frame_bytes"] for packet in mine),
                 sum(packet["ip_bytes"] for packet in mine)], account["account"])

    @each_capture
    def test_conversations_sum_their_packets(self, it):
        columns = ("packets", "frame_bytes", "ip_bytes", "payload_bytes")
        sums = collections.defaultdict(collections.Counter)
        for packet in it.packets:
            if packet["conversation_id"] is None:
                continue
            mine = sums[packet["conversation_id"]]
            for column in columns:
                mine[f"{column}_{packet['direction'].lower()}"] += packet.get(column, 1)
            mine["bad_packets"] += packet["is_bad"]
            mine["bad_bytes"] += packet["is_bad"] * packet["frame_bytes"]
            mine["retransmissions"] += packet["is_retransmission"]
            mine["retransmission_bytes"] += packet["is_retransmission"] * packet["frame_bytes"]
            mine["retransmitted_bytes"] += packet["retransmitted_bytes"]
        self.assertEqual(set(sums), set(it.conversation))
        names = [f"{column}_{way}" for column in columns for way in ("ab", "ba")]
        names += ["bad_packets", "bad_bytes", "retransmissions", "retransmission_bytes",
                  "retransmitted_bytes"]
        for number, mine in sums.items():
            row = it.conversation[number]
            self.assertEqual({name: row[name] for name in names},
                             {name: mine[name] for name in names}, f"conversation {number}")

    @each_capture
    def test_conversation_lasts_from_first_to_last_packet(self, it):
        mine = collections.defaultdict(list)
        for packet in it.packets:
            mine[packet["conversation_id"]].append(packet)
        for number, row in it.conversation.items():
            times = [packet["time_ns"] for packet in mine[number]]
            self.assertEqual((row["started_ns"], row["ended_ns"]), (min(times), max(times)))
            first = mine[number][0]
            self.assertEqual(first["direction"], "AB", f"A sends packet {first['number']}")

    @each_capture
    def test_labels(self, it):
        for row in it.conversations:
            self.assertRegex(row["application"], re.compile(f"^{LABEL.pattern}$"))
            self.assertTrue(row["application"].startswith(row["transport"] + "_"))
            self.assertIn(row["label_source"], SOURCES)
        for packet in it.packets:
            number = packet["conversation_id"]
            self.assertEqual(packet["application"],
                             it.conversation[number]["application"] if number else None)

    @each_capture
    def test_ip_bytes(self, it):
        # 0 in the header: the sender's card cuts it up (TSO), or the length is in an IPv6 option.
        unsaid = 0
        for packet, ends in zip(it.packets, it.ends):
            if ends.outer is None:
                self.assertEqual(packet["ip_bytes"], 0, packet["number"])
                continue
            field = "ip.len" if ends.outer == "ip" else "ipv6.plen"
            said = harness.occurrences(ends.row, field)
            if not said or int(said[0]) == 0:
                unsaid += 1
                self.assertTrue(40 < packet["ip_bytes"] < packet["frame_bytes"], packet["number"])
                continue
            expected = int(said[0]) + (40 if ends.outer == "ipv6" else 0)
            self.assertEqual(packet["ip_bytes"], min(expected, packet["frame_bytes"]),
                             f"frame {packet['number']}")
        if unsaid:
            print(f"{it.name}: {unsaid} IP packets that say no length")

    @each_capture
    def test_each_ip_packet_has_a_conversation(self, it):
        for packet, ends in zip(it.packets, it.ends):
            self.assertEqual(packet["conversation_id"] is not None, ends.inner is not None,
                             f"frame {packet['number']} {ends.row['frame.protocols']}")

    @each_capture
    def test_ends_of_each_packet(self, it):
        for packet, ends in zip(it.packets, it.ends):
            if ends.inner is None:
                continue
            where = f"frame {packet['number']} {ends.row['frame.protocols']}"
            self.assertEqual((packet["source"], packet["destination"]),
                             (ends.ip("src"), ends.ip("dst")), where)
            ports = ends.of_transport("srcport"), ends.of_transport("dstport")
            if ports[0] is not None:
                self.assertEqual(packet["transport"], ends.transport.upper(), where)
                self.assertEqual((packet["source_port"], packet["destination_port"]),
                                 tuple(map(int, ports)), where)
            row = it.conversation[packet["conversation_id"]]
            forward = (row["host_a"], row["port_a"]) == (packet["source"], packet["source_port"])
            backward = (row["host_b"], row["port_b"]) == (packet["source"], packet["source_port"])
            self.assertTrue(forward if packet["direction"] == "AB" else backward, where)

    @each_capture
    def test_streams(self, it):
        number_of = {}
        for packet, ends in zip(it.packets, it.ends):
            stream = ends.of_transport("stream") if ends.transport != "sctp" else None
            if stream is None:
                continue
            row = it.conversation[packet["conversation_id"]]
            where = f"frame {packet['number']} {ends.row['frame.protocols']}"
            self.assertEqual((row["transport"], row["stream"]),
                             (ends.transport.upper(), int(stream)), where)
            # One stream of tshark's can span hosts (RTP that SIP announced); a conversation cannot.
            key = ends.transport, stream, frozenset((packet["source"], packet["destination"]))
            self.assertEqual(number_of.setdefault(key, row["id"]), row["id"], where)
        self.assertEqual(len(set(number_of.values())), len(number_of))

    @each_capture
    def test_fragments_belong_to_their_datagram(self, it):
        known = {}  # datagram -> conversation of the fragment that tshark dissected
        fragments = []
        for packet, ends in zip(it.packets, it.ends):
            if ends.inner is None:
                continue
            if ends.inner == "ip":
                is_fragment = ends.ip("flags.mf") == "1" or ends.ip("frag_offset") != "0"
                key = ends.ip("id"), ends.ip("proto")
            else:
                is_fragment = "ipv6.fraghdr" in ends.layers
                key = (ends.row["ipv6.fraghdr.ident"],)
            if not is_fragment:
                continue
            key = (ends.ip("src"), ends.ip("dst"), *key)
            fragments.append((key, packet))
            if ends.transport or ends.icmp:
                known[key] = packet["conversation_id"]
        for key, packet in fragments:
            if key in known:
                self.assertEqual(packet["conversation_id"], known[key],
                                 f"frame {packet['number']}")

    def test_views_keep_their_promise(self):
        with contextlib.closing(harness.connect_ro(harness.recording(
                harness.own_captures()[0])[0])) as sql:
            for view, columns in VIEWS.items():
                have = [row[1] for row in sql.execute(f"PRAGMA table_info({view})")]
                self.assertEqual(have[:len(columns.split())], columns.split(), view)

    @each_capture
    def test_database_is_sound(self, it):
        with contextlib.closing(harness.connect_ro(it.database)) as sql:
            self.assertEqual([tuple(row) for row in sql.execute("PRAGMA integrity_check")],
                             [("ok",)])
            self.assertEqual(list(sql.execute("PRAGMA foreign_key_check")), [])
            self.assertEqual(sql.execute("SELECT count(*) FROM packet").fetchone()[0],
                             len(it.packets))

    @each_capture
    def test_sums_of_the_views(self, it):
        wan = [row for row in it.conversations if not row["is_local"]]
        with contextlib.closing(harness.connect_ro(it.database)) as sql:
            self._check_totals(sql, wan)
            self._check_pairs(sql, it.conversations)
            self._check_series(sql, it.packets)

    def _check_totals(self, sql, conversations):
        expected = collections.defaultdict(lambda: [0] * 8)
        for row in conversations:
            values = (1, row["packets_ab"] + row["packets_ba"],
                      row["frame_bytes_ab"] + row["frame_bytes_ba"],
                      row["ip_bytes_ab"] + row["ip_bytes_ba"],
                      row["payload_bytes_ab"] + row["payload_bytes_ba"], row["bad_packets"],
                      row["retransmissions"], row["retransmitted_bytes"])
            mine = expected[row["application"]]
            mine[:] = [a + b for a, b in zip(mine, values)]
        found = {row["application"]: list(row)[2:10]
                 for row in sql.execute("SELECT * FROM application_totals")}
        self.assertEqual(found, dict(expected))

    def _check_pairs(self, sql, conversations):
        expected = collections.Counter()
        for row in conversations:
            key = frozenset((row["host_a"], row["host_b"])), row["is_local"]
            expected[key] += row["packets_ab"] + row["packets_ba"]
        found = {(frozenset((row["host_a"], row["host_b"])), row["is_local"]): row["packets"]
                 for row in sql.execute("SELECT * FROM host_pairs")}
        self.assertEqual(found, dict(expected))

    def _check_series(self, sql, packets):
        expected = [(packet["application"], packet["time_ns"], packet["frame_bytes"],
                     packet["ip_bytes"]) for packet in packets
                    if packet["conversation_id"] is not None and not packet["is_local"]]
        found = [tuple(row)[1:] for row in sql.execute("SELECT * FROM application_series")]
        self.assertEqual(sorted(found), sorted(expected))


if __name__ == "__main__":
    harness.run_module()
