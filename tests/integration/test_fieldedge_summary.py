#!/usr/bin/python3
# test_fieldedge_summary.py: fieldedge summary and hosts against SQL on the same file
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import csv
import io
import json
import sqlite3
import unittest

from test_fieldedge_support import SECOND, TestCase


class Summary(TestCase):
    def make(self):
        database = self.database()
        one = database.capture(base=1642667840 * SECOND, file="a, b.pcap")
        two = database.capture(file='"c".pcap', status="cut short")
        start = 1642667840 * SECOND
        database.conversation(one, "10.0.0.1", "8.8.8.8", "TCP_Z",
                              [(start, 0, 1014, 900), (start + SECOND, 1, 514, 400, 1, 1, 400)])
        database.conversation(one, "10.0.0.1", "9.9.9.9", "UDP_B", [(start, 0, 514, 400)])
        database.conversation(one, "10.0.0.1", "10.0.0.2", "TCP_Z", [(start, 0, 114)], local=True)
        database.conversation(one, None, None, None, [(start, 0, 60)], link=True)
        database.conversation(two, "10.0.0.1", "8.8.8.8", "TCP_C", [(5, 0, 1014, 900)])
        return database.finish()

    def test_json(self):
        summary = json.loads(self.succeed("summary", self.make(), "-f", "json"))
        self.assertEqual(list(summary), ["captures", "applications", "accounts"])
        self.assertEqual([(row["id"], row["file"], row["status"], row["packets"], row["duration"])
                          for row in summary["captures"]],
                         [(1, "a, b.pcap", "complete", 5, 1), (2, '"c".pcap', "cut short", 1, 0)])
        self.assertEqual([(row["application"], row["packets"], row["ip_bytes"], row["share"],
                           row["bad_packets"], row["retransmitted_bytes"], row["conversations"])
                          for row in summary["applications"]],
                         [("TCP_Z", 2, 1500, 0.5, 1, 400, 1), ("TCP_C", 1, 1000, 0.333333, 0, 0, 1),
                          ("UDP_B", 1, 500, 0.166667, 0, 0, 1)])
        self.assertEqual([(row["account"], row["packets"], row["ip_bytes"])
                          for row in summary["accounts"]],
                         [("WAN", 4, 3000), ("local", 1, 100), ("without conversation", 1, 0)])

    def test_scopes_and_captures(self):
        path = self.make()
        for options, expected in ((("--local",), [("TCP_Z", 100)]),
                                  (("--all",), [("TCP_Z", 1600), ("TCP_C", 1000), ("UDP_B", 500)]),
                                  (("--capture", "2"), [("TCP_C", 1000)])):
            summary = json.loads(self.succeed("summary", path, "-f", "json", *options))
            self.assertEqual([(row["application"], row["ip_bytes"])
                              for row in summary["applications"]], expected)
        self.assertEqual([row["id"] for row in summary["captures"]], [2])
        self.assertEqual([row["packets"] for row in summary["accounts"]], [1, 0, 0])

    def test_agrees_with_the_views(self):
        path = self.make()
        rows = csv.DictReader(io.StringIO(self.succeed("summary", path, "-f", "csv")))
        with contextlib.closing(sqlite3.connect(path)) as sql:
            expected = sql.execute(
                "SELECT application, sum(packets), sum(frame_bytes), sum(bad_packets)"
                "  FROM application_totals GROUP BY 1 ORDER BY sum(ip_bytes) DESC").fetchall()
        self.assertEqual([(row["application"], int(row["packets"]), int(row["frame_bytes"]),
                           int(row["bad_packets"])) for row in rows], expected)

    def test_csv_of_captures_quotes_only_what_needs_it(self):
        text = self.succeed("summary", self.make(), "-f", "csv", "--section", "captures",
                            text=False).decode()
        self.assertTrue(text.endswith("\r\n"))
        self.assertEqual(text.count("\n"), text.count("\r\n"))
        lines = text.split("\r\n")
        self.assertTrue(lines[1].startswith('1,"a, b.pcap",,,complete,,1642667840.000000000,'))
        self.assertTrue(lines[2].startswith('2,"""c"".pcap",,,cut short,'))
        self.assertEqual([row["file"] for row in csv.DictReader(io.StringIO(text))],
                         ["a, b.pcap", '"c".pcap'])

    def test_table_for_people(self):
        text = self.succeed("summary", self.make())
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertIn("TCP_Z           1       2  1.5 KiB 50.0 %   1     400 B", text)
        self.assertIn("cut short", text)
        self.assertIn("2022-01-20 08:37:20", text)

    def test_hosts(self):
        path = self.make()
        hosts = json.loads(self.succeed("hosts", path, "-f", "json"))
        self.assertEqual([(row["host"], row["is_local"], row["conversations"], row["ip_bytes_sent"],
                           row["ip_bytes_received"], row["packets_sent"]) for row in hosts],
                         [("10.0.0.1", True, 3, 2500, 500, 3), ("8.8.8.8", False, 2, 500, 2000, 1),
                          ("9.9.9.9", False, 1, 0, 500, 0)])
        local = json.loads(self.succeed("hosts", path, "-f", "json", "--local"))
        self.assertEqual([row["host"] for row in local], ["10.0.0.1", "10.0.0.2"])


if __name__ == "__main__":
    unittest.main()
