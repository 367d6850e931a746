#!/usr/bin/python3
# test_fieldedge_series.py: fieldedge series, with Python's json, csv and exact decimals as oracles
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import csv
import decimal
import io
import json
import os
import random
import sqlite3
import subprocess
import unittest

from test_fieldedge_support import COMMAND, SECOND, TestCase


def load(text):
    """JSON with numbers as they are written."""
    def no_duplicates(pairs):
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"duplicate key in {keys}"
        return dict(pairs)
    return json.loads(text, parse_float=decimal.Decimal, object_pairs_hook=no_duplicates)


class Series(TestCase):
    def make(self):
        """Random packets in two captures, out of order, some at one time, some before the epoch.
        Returns the database and what its series are: {(capture, local): {application: points}}."""
        chance = random.Random(7)
        database = self.database()
        expected = {}
        for capture in (1, 2):
            base = chance.randrange(-5, 5) * SECOND
            database.capture(base=base)
            for number in range(12):
                local = number % 3 == 0
                application = f"TCP_{chance.choice('ABC')}"
                packets = [(base + chance.randrange(-3 * SECOND, 3 * SECOND) // 7 * 7,
                            chance.randrange(2), chance.randrange(60, 1500), chance.randrange(40))
                           for _ in range(chance.randrange(1, 30))]
                database.conversation(capture, f"10.0.0.{number + 1}", "8.8.8.8", application,
                                      packets, local=local)
                expected.setdefault((capture, local), {}).setdefault(application, []).extend(packets)
        database.conversation(1, None, None, None, [(0, 0, 60)], link=True)
        return database.finish(), expected

    @staticmethod
    def points(expected, keep, size):
        merged = {}
        for key in sorted(expected):
            if keep(*key):
                for application, packets in expected[key].items():
                    merged.setdefault(application, []).extend(packets)
        return {application: sorted(((decimal.Decimal(packet[0]).scaleb(-9), size(packet))
                                     for packet in packets))
                for application, packets in sorted(merged.items())}

    def check(self, database, expected, options, keep, size=lambda packet: packet[2]):
        output = load(self.succeed("series", database, "--format", "json", *options))
        self.assertEqual(list(output), sorted(output))
        for points in output.values():
            times = [time for time, _ in points]
            self.assertEqual(times, sorted(times))
        self.assertEqual({application: sorted(map(tuple, points))
                          for application, points in output.items()},
                         self.points(expected, keep, size))
        rows = list(csv.reader(io.StringIO(self.succeed("series", database, "--format", "csv",
                                                        *options))))
        self.assertEqual(rows[0], ["application", "seconds", "bytes"])
        self.assertEqual([(row[0], decimal.Decimal(row[1]), int(row[2])) for row in rows[1:]],
                         [(application, time, size) for application, points in output.items()
                          for time, size in points])

    def test_wan_is_the_default(self):
        database, expected = self.make()
        self.check(database, expected, (), lambda capture, local: not local)

    def test_selections(self):
        database, expected = self.make()
        self.check(database, expected, ("--local",), lambda capture, local: local)
        self.check(database, expected, ("--all",), lambda capture, local: True)
        self.check(database, expected, ("-a", "--capture", "2"), lambda capture, local: capture == 2)

    def test_bytes(self):
        database, expected = self.make()
        wan = lambda capture, local: not local
        self.check(database, expected, ("--bytes", "ip"), wan, lambda packet: packet[2] - 14)
        self.check(database, expected, ("--bytes", "payload"), wan, lambda packet: packet[3])
        self.check(database, expected, ("--bytes", "frame"), wan)

    def test_numbers_are_written_exactly(self):
        database = self.database()
        capture = database.capture()
        times = [-500000000, -1, 0, 1, 1700000000123456789]
        database.conversation(capture, "10.0.0.1", "8.8.8.8", "TCP_A", [(t, 0, 60) for t in times])
        text = self.succeed("series", database.finish(), "-f", "json")
        written = [line.strip("[],").split(", ")[0] for line in text.splitlines()
                   if line.endswith((", 60]", ", 60],"))]
        self.assertEqual(written, ["-0.500000000", "-0.000000001", "0.000000000", "0.000000001",
                                   "1700000000.123456789"])

    def test_nothing_is_an_empty_object(self):
        database = self.database()
        database.capture()
        path = database.finish()
        self.assertEqual(json.loads(self.succeed("series", path, "-f", "json")), {})
        self.assertEqual(self.succeed("series", path, "-f", "csv", text=False),
                         b"application,seconds,bytes\r\n")
        self.assertEqual(self.succeed("series", path), "(none)\n")

    def test_table_has_a_line_an_application(self):
        database = self.database()
        capture = database.capture()
        database.conversation(capture, "10.0.0.1", "8.8.8.8", "TCP_A",
                              [(1642667840 * SECOND, 0, 1000), (1642667900 * SECOND, 0, 1048)])
        lines = self.succeed("series", database.finish()).splitlines()
        self.assertEqual(lines[1].split(), ["TCP_A", "2", "2.0", "KiB", "0", "2022-01-20", "08:37:20Z"])

    # ---- Dimensions, bins, bad packets; the view packets is the oracle ----

    DIMENSIONS = {
        "application": ["application"], "server_name": ["ifnull((SELECT server_name FROM"
                                                        " conversations v WHERE v.id ="
                                                        " conversation_id), '-')"],
        "host": ["source", "destination"],
        "host_pair": ["min(source, destination) || ' <-> ' || max(source, destination)"],
        "direction": ["direction"]}

    def rich(self):
        """Addresses whose texts sort as they do, some servers known, some packets bad."""
        chance = random.Random(41)
        database = self.database()
        for capture in (1, 2):
            database.capture(base=1700000000 * SECOND)
            for number in range(20):
                conversation = database.conversation(
                    capture, *chance.sample(["10.0.0.1", "10.0.0.2", "20.0.0.3", "30.0.0.4"], 2),
                    f"TCP_{chance.choice('ABC')}",
                    [(1700000000 * SECOND + chance.randrange(7200 * SECOND), chance.randrange(2),
                      chance.randrange(60, 1500), chance.randrange(40),
                      *chance.choice([(0, 0), (0, 0), (1, 0), (1, 1)]))
                     for _ in range(chance.randrange(1, 40))], local=number % 7 == 0)
                if chance.random() < 0.5:
                    database.sql.execute("UPDATE conversation SET server_name = ? WHERE id = ?",
                                         (chance.choice(["a.example", "b.example"]), conversation))
        return database.finish()

    def query(self, path, sql):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute(sql).fetchall()

    def test_every_dimension_in_every_format(self):
        path = self.rich()
        for by in ("application", "server_name", "host", "host_pair", "direction",
                   "application,direction", "server_name,host-pair", "host,application"):
            names = [name.replace("-", "_") for name in by.split(",")]
            ordered = [name for name in ("application", "server_name", "host", "host_pair",
                                         "direction") if name in names]
            expected = []
            for side in range(2 if "host" in names else 1):
                label = " || ' ' || ".join(self.DIMENSIONS[name][side if name == "host" else 0]
                                           for name in ordered)
                expected += self.query(path, f"SELECT {label}, time_ns, ip_bytes, is_bad"
                                             "  FROM packets WHERE NOT is_local")
            expected.sort(key=lambda row: (row[0].encode(), row[1], row[2]))
            with self.subTest(by):
                options = ("--by", by, "--bytes", "ip")
                found = load(self.succeed("series", path, "-f", "json", *options))
                flat = [(name, int(time.scaleb(9)), size) for name, points in found.items()
                        for time, size in points]
                self.assertEqual(list(found), sorted(found, key=str.encode))
                self.assertEqual(sorted(flat), sorted(row[:3] for row in expected))
                self.assertEqual([row[:2] for row in flat], [row[:2] for row in expected])
                key = names[0] if len(names) == 1 else "series"
                lines = [load(line) for line in
                         self.succeed("series", path, "-f", "jsonl", *options).splitlines()]
                self.assertEqual([(line[key], int(line["seconds"].scaleb(9)), line["bytes"])
                                  for line in lines], flat)
                rows = list(csv.reader(io.StringIO(
                    self.succeed("series", path, "-f", "csv", *options))))
                self.assertEqual(rows[0], [key, "seconds", "bytes"])
                self.assertEqual([(row[0], int(decimal.Decimal(row[1]).scaleb(9)), int(row[2]))
                                  for row in rows[1:]], flat)
                table = self.succeed("series", path, *options).splitlines()
                self.assertEqual(len(table), 1 + len(found))
                bad = load(self.succeed("series", path, "-f", "json", "--split-bad", *options))
                self.assertEqual(
                    sorted((name, int(time.scaleb(9)), size, int(which == "bad"))
                           for name, both in bad.items() for which, points in both.items()
                           for time, size in points), sorted(expected))
                for both in bad.values():
                    self.assertEqual(list(both), ["good", "bad"])

    def test_bins_add_up(self):
        path = self.rich()
        for length, ns in (("1s", SECOND), ("15m", 900 * SECOND), ("1h", 3600 * SECOND),
                           ("1d", 86400 * SECOND), ("7h", 25200 * SECOND), ("1w", 604800 * SECOND)):
            expected = self.query(path, "SELECT application, time_ns / :ns * :ns, sum(frame_bytes),"
                                        " count(*), is_bad FROM packets WHERE NOT is_local"
                                        " GROUP BY 1, 5, 2 ORDER BY 1, 5, 2"
                                        .replace(":ns", str(ns)))
            rows = list(csv.reader(io.StringIO(self.succeed("series", path, "-f", "csv", "--bin",
                                                            length, "--split-bad"))))
            self.assertEqual(rows[0], ["application", "seconds", "bytes", "packets", "is_bad"])
            self.assertEqual([(row[0], int(decimal.Decimal(row[1]).scaleb(9)), int(row[2]),
                               int(row[3]), {"true": 1, "false": 0}.get(row[4], row[4]))
                              for row in rows[1:]], expected)
            merged = load(self.succeed("series", path, "-f", "json", "--bin", length))
            self.assertEqual(
                [(name, int(time.scaleb(9)), size, packets) for name, points in merged.items()
                 for time, size, packets in points],
                self.query(path, "SELECT application, time_ns / :ns * :ns, sum(frame_bytes),"
                                 " count(*) FROM packets WHERE NOT is_local GROUP BY 1, 2"
                                 " ORDER BY 1, 2".replace(":ns", str(ns))))

    def test_top_takes_the_largest_series(self):
        path = self.rich()
        sums = dict(self.query(path, "SELECT host, sum(frame_bytes) FROM"
                                     " (SELECT source AS host, * FROM packets UNION ALL"
                                     "  SELECT destination, * FROM packets) WHERE NOT is_local"
                                     " GROUP BY 1"))
        best = sorted(sums, key=sums.get, reverse=True)[:2]
        found = load(self.succeed("series", path, "-f", "json", "--by", "host", "--top", "2"))
        self.assertEqual({name: sum(size for _, size in points) for name, points in found.items()},
                         {name: sums[name] for name in best})
        lines = self.succeed("series", path, "--by", "host", "--top", "2", "--sort",
                             "bytes").splitlines()
        self.assertEqual([line.split()[0] for line in lines[1:]], best)

    def million(self):
        database = self.database()
        capture = database.capture()
        conversations = [database.conversation(capture, "10.0.0.1", "8.8.8.8", f"TCP_A{i}", [])
                         for i in range(5)]
        kind = database.kind(0, 0, 0)
        database.sql.executemany(
            "INSERT INTO packet VALUES (?, ?, ?, 60, 14, 0, ?, 0, NULL)",
            ((i + 1, (i * 7919) % 1000000, conversations[i % 5], kind) for i in range(1000000)))
        return database.finish()

    def test_a_million_points_in_constant_memory(self):
        path = self.million()
        for options, expected in (((), 1000000), (("--bin", "1us", "--by", "host_pair"), 1000),
                                  (("--by", "host,direction", "--bin", "1ms"), 2)):
            with subprocess.Popen([COMMAND, "series", path, "--format", "json", *options],
                                  stdout=subprocess.PIPE) as process:
                lines = packets = 0
                for line in process.stdout:
                    if line.startswith(b"[0."):
                        lines += 1
                        packets += int(line.rstrip(b",]\n").split(b", ")[-1]) if options else 1
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual((process.returncode, lines), (0, expected))
            self.assertEqual(packets, 2000000 if "host,direction" in options else 1000000)
            if not os.environ.get("FIELDEDGE_SANITIZE"):
                self.assertLess(usage.ru_maxrss, 40000, "KiB of memory")


if __name__ == "__main__":
    unittest.main()
