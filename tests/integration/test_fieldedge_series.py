#!/usr/bin/python3
# test_fieldedge_series.py: fieldedge series, with Python's json, csv and exact decimals as oracles
#
# SPDX-License-Identifier: GPL-2.0-or-later
import csv
import decimal
import io
import json
import os
import random
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

    def test_a_million_points_in_constant_memory(self):
        database = self.database()
        capture = database.capture()
        conversations = [database.conversation(capture, "10.0.0.1", "8.8.8.8", f"TCP_A{i}", [])
                         for i in range(5)]
        kind = database.kind(0, 0, 0)
        database.sql.executemany(
            "INSERT INTO packet VALUES (?, ?, ?, 60, 14, 0, ?, 0, NULL)",
            ((i + 1, (i * 7919) % 1000000, conversations[i % 5], kind) for i in range(1000000)))
        path = database.finish()
        with subprocess.Popen([COMMAND, "series", path, "--format", "json"],
                              stdout=subprocess.PIPE) as process:
            lines = sum(1 for line in process.stdout if line.startswith(b"[0."))
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual((process.returncode, lines), (0, 1000000))
        if not os.environ.get("FIELDEDGE_SANITIZE"):
            self.assertLess(usage.ru_maxrss, 40000, "KiB of memory")


if __name__ == "__main__":
    unittest.main()
