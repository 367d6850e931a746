#!/usr/bin/python3
# test_fieldedge_periods.py: what fieldedge periods promises to programs, on trains whose truth is known
#
# SPDX-License-Identifier: GPL-2.0-or-later
import csv
import io
import json
import random
import unittest

from test_fieldedge_support import SECOND, TestCase

GROUP = {"host_a": str, "host_b": str, "application": str, "direction": str,
         "size_bytes": (int, type(None)), "events": int, "verdict": str, "score": (int, float),
         "periods": list}
PERIOD = {"period_s": (int, float), "low_s": (int, float), "high_s": (int, float),
          "jitter_s": (int, float), "hit_rate": (int, float), "kind": str, "score": (int, float),
          "bytes_per_cycle": (int, float), "events_explained": (int, float)}


def clock(chance, every, count, jitter):
    """Times in ns at fixed places with jitter (both in s)."""
    return [int((100 + i * every + chance.gauss(0, jitter)) * SECOND) for i in range(count)]


def sleep(chance, every, count, jitter):
    """A pause after each."""
    times, now = [], 100.0
    for _ in range(count):
        now += every + chance.gauss(0, jitter)
        times.append(int(now * SECOND))
    return times


def noise(chance, count, span):
    return [int((100 + chance.random() * span) * SECOND) for _ in range(count)]


class Periods(TestCase):
    def make(self):
        """Pairs of 10.0.0.1 with a clock (8.8.8.8), a sleep (8.8.8.9), noise (8.8.8.10), two
        packets (8.8.8.11), a clock with a local host (10.0.0.2)."""
        chance = random.Random(23)
        database = self.database()
        capture = database.capture()
        for host, times, size in (("8.8.8.8", clock(chance, 60, 120, 0.3), 120),
                                  ("8.8.8.9", sleep(chance, 45, 150, 1.5), 150),
                                  ("8.8.8.10", noise(chance, 200, 7000), 90),
                                  ("8.8.8.11", [100 * SECOND, 190 * SECOND], 80)):
            database.conversation(capture, "10.0.0.1", host, "UDP_X",
                                  [(time, 0, size) for time in times])
        database.conversation(capture, "10.0.0.1", "10.0.0.2", "UDP_X",
                              [(time, 1, 70) for time in clock(chance, 30, 100, 0.1)], local=True)
        return database.finish()

    def groups(self, path, *options):
        """The array, each group checked against the contract."""
        found = json.loads(self.succeed("periods", path, "--format", "json", *options))
        self.assertIsInstance(found, list)
        for group in found:
            for key, kind in GROUP.items():
                self.assertIsInstance(group[key], kind, key)
            self.assertIn(group["direction"], ("AB", "BA", "both"))
            self.assertIn(group["verdict"], ("periodic", "not periodic", "too few cycles"))
            self.assertTrue(0 <= group["score"] <= 1)
            self.assertLessEqual(len(group["periods"]), 3)
            if group["verdict"] == "periodic":
                self.assertGreater(len(group["periods"]), 0)
            for period in group["periods"]:
                for key, kind in PERIOD.items():
                    self.assertIsInstance(period[key], kind, key)
                self.assertIn(period["kind"], ("clock", "sleep"))
                self.assertTrue(0 <= period["low_s"] <= period["period_s"] <= period["high_s"])
                self.assertTrue(0 <= period["hit_rate"] <= 1)
                self.assertTrue(0 <= period["events_explained"] <= 1)
                self.assertGreaterEqual(period["jitter_s"], 0)
        return found

    def test_periodic_groups_that_say_something(self):
        groups = self.groups(self.make())
        self.assertEqual([(group["host_b"], group["direction"], group["size_bytes"],
                           group["events"], group["verdict"]) for group in groups],
                         [("8.8.8.8", "AB", 120, 120, "periodic"),
                          ("8.8.8.9", "AB", 150, 150, "periodic")])
        for group, every, kind, size in zip(groups, (60, 45), ("clock", "sleep"), (120, 150)):
            period = group["periods"][0]
            self.assertAlmostEqual(period["period_s"], every, delta=every * 0.01)
            self.assertEqual(period["kind"], kind)
            self.assertGreater(period["hit_rate"], 0.95)
            self.assertAlmostEqual(period["bytes_per_cycle"], size - 14, delta=3)
            self.assertGreater(period["events_explained"], 0.95)
            self.assertGreater(group["score"], 0.5)

    def test_all_has_those_that_are_not_periodic_too(self):
        path = self.make()
        by_host = {}
        for group in self.groups(path, "--all"):
            by_host.setdefault(group["host_b"], []).append(group)
        self.assertEqual({host: {group["verdict"] for group in groups}
                          for host, groups in by_host.items()},
                         {"8.8.8.8": {"periodic"}, "8.8.8.9": {"periodic"},
                          "8.8.8.10": {"not periodic"}, "8.8.8.11": {"too few cycles"},
                          "10.0.0.2": {"periodic"}})
        self.assertLess(max(group["score"] for group in by_host["8.8.8.10"]), 0.5)
        self.assertEqual([(group["direction"], group["size_bytes"]) for group in by_host["8.8.8.10"]],
                         [("both", None), ("AB", None), ("AB", 90)])
        wan = self.groups(path, "--all-groups")
        self.assertEqual({group["host_b"] for group in wan}, set(by_host) - {"10.0.0.2"})
        local = self.groups(path, "--local")
        self.assertEqual([(group["direction"], group["size_bytes"]) for group in local],
                         [("BA", 70)])

    def test_formats_have_the_same_figures(self):
        path = self.make()
        for options in ((), ("--all",), ("--all", "--size-tolerance", "5%")):
            groups = json.loads(self.succeed("periods", path, "-f", "json", *options),
                                parse_float=str)
            lines = [json.loads(line, parse_float=str) for line in
                     self.succeed("periods", path, "-f", "jsonl", *options).splitlines()]
            self.assertEqual(lines, groups)
            records = list(csv.DictReader(io.StringIO(
                self.succeed("periods", path, "-f", "csv", *options))))
            flat = [(group, place, period) for group in groups
                    for place, period in enumerate(group["periods"] or [None], 1)]
            self.assertEqual(len(records), len(flat))
            for record, (group, place, period) in zip(records, flat):
                for key in ("host_a", "host_b", "application", "direction", "verdict", "score",
                            "events", "cycles", "ip_bytes", "first", "last"):
                    self.assertEqual(record[key], str(group[key]))
                self.assertEqual(record["size_bytes"], "" if group["size_bytes"] is None
                                 else str(group["size_bytes"]))
                self.assertEqual(record["place"], "" if period is None else str(place))
                for key in ("period_s", "low_s", "high_s", "jitter_s", "kind", "phase_s",
                            "bytes_per_cycle"):
                    self.assertEqual(record[key], "" if period is None else str(period[key]))
                for key in ("hit_rate", "events_explained", "bytes_explained"):
                    if period is not None:
                        self.assertAlmostEqual(float(record[key]), float(period[key]), delta=1e-6)
            table = self.succeed("periods", path, *options).splitlines()
            self.assertEqual(len(table), 1 + len(flat))

    def test_nothing_is_an_empty_array(self):
        database = self.database()
        database.capture()
        path = database.finish()
        self.assertEqual(self.groups(path, "--all"), [])
        self.assertEqual(self.succeed("periods", path), "(none)\n")

    def test_sort_filter_and_window(self):
        path = self.make()
        self.assertEqual([group["host_b"] for group in self.groups(path, "--sort", "events:asc",
                                                                   "--all-groups", "--top", "3")],
                         ["8.8.8.11"] * 3)
        self.assertEqual([group["host_b"] for group in self.groups(path, "-w", "host=8.8.8.9")],
                         ["8.8.8.9"])
        groups = self.groups(path, "-w", "host=8.8.8.8 time=..1299")
        self.assertEqual([(group["events"], round(group["periods"][0]["period_s"]))
                          for group in groups], [(20, 60)])
        self.fail_with(2, ["is no tolerance of sizes", "--help"], "periods", path, "-t", "x")


if __name__ == "__main__":
    unittest.main()
