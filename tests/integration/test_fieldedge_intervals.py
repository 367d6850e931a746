#!/usr/bin/python3
# test_fieldedge_intervals.py: every figure of fieldedge intervals, with Python's statistics as the oracle
#
# SPDX-License-Identifier: GPL-2.0-or-later
import csv
import io
import itertools
import json
import random
import statistics
import unittest
from decimal import Decimal
from fractions import Fraction

from test_fieldedge_support import SECOND, TestCase

KEYS = ["host_a", "host_b", "application", "direction", "size_low", "size_high", "packets", "mean",
        "median", "stdev", "mad", "min", "max", "first", "last"]


def rounded(value):
    """To the nearest ns, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def middle(values):
    return (statistics.median_low(values) + statistics.median_high(values)) // 2


def figures(times):
    """What is to be said of these times, in ns."""
    times = sorted(times)
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    result = {"packets": len(times), "first": times[0], "last": times[-1]}
    if not gaps:
        return {**result, **dict.fromkeys(("mean", "median", "stdev", "mad", "min", "max"))}
    median = middle(gaps)
    return {**result, "mean": rounded(Fraction(sum(gaps), len(gaps))), "median": median,
            "stdev": statistics.stdev(gaps) if len(gaps) > 1 else None,
            "mad": middle([abs(gap - median) for gap in gaps]), "min": min(gaps), "max": max(gaps)}


def groups(packets, limit):
    """[(low, high, times)] of [(time, size)]; limit says how large a group of this least size gets."""
    result = []
    for size, times in itertools.groupby(sorted(packets, key=lambda packet: packet[1]),
                                         key=lambda packet: packet[1]):
        times = [time for time, _ in times]
        if result and size <= limit(result[-1][0]):
            result[-1][1] = size
            result[-1][2].extend(times)
        else:
            result.append([size, size, times])
    return result


def analyse(conversations, limit=lambda size: size):
    """The rows for [(host a, host b, application, packets)] of one capture."""
    pairs = {}
    for conversation in conversations:
        pairs.setdefault(frozenset(conversation[:2]), []).append(conversation)
    rows = []
    for members in pairs.values():
        a, b = members[0][:2]
        for application in sorted({member[2] for member in members}):
            for direction in ("AB", "BA"):
                packets = [(packet[0], packet[2]) for member in members for packet in member[3]
                           if member[2] == application and
                           ((packet[1] == 0) == (member[0] == a)) == (direction == "AB")]
                rows += [{"host_a": a, "host_b": b, "application": application,
                          "direction": direction, "size_low": low, "size_high": high,
                          **figures(times)} for low, high, times in groups(packets, limit)]
    return rows


class Intervals(TestCase):
    def make(self, seed):
        chance = random.Random(seed)
        hosts = ["10.0.0.1", "8.8.8.8", "9.9.9.9", "2001:db8::1"]
        conversations = []
        for _ in range(40):
            a, b = chance.sample(hosts, 2)
            scale = chance.choice([1, 1000, 60 * SECOND])
            conversations.append((a, b, f"TCP_{chance.choice('ABC')}", [
                (1700000000 * SECOND + chance.randrange(100) * scale, chance.randrange(2),
                 chance.choice([60, 61, 64, 68, 90, 100, 1514]))
                for _ in range(chance.randrange(1, 60))]))
        database = self.database()
        capture = database.capture(base=1700000000 * SECOND)
        for conversation in conversations:
            database.conversation(capture, *conversation)
        return database.finish(), conversations

    def check(self, text, expected):
        """JSON as written against rows in ns."""
        rows = json.loads(text, parse_float=Decimal)
        self.assertEqual(len(rows), len(expected))
        for found, wanted in zip(rows, expected):
            self.assertEqual(list(found), KEYS)
            for key in KEYS:
                value = wanted[key]
                if key == "stdev" and value is not None:
                    self.assertAlmostEqual(float(found[key]) * SECOND, value,
                                           delta=1 + value * 1e-12)
                elif key in ("mean", "median", "mad", "min", "max", "first", "last") and \
                        value is not None:
                    self.assertEqual(found[key], Decimal(value).scaleb(-9), (key, wanted))
                else:
                    self.assertEqual(found[key], value, (key, wanted))

    def test_random_databases(self):
        for seed in range(3):
            path, conversations = self.make(seed)
            self.check(self.succeed("intervals", path, "-f", "json"), analyse(conversations))
            path.unlink()

    def test_tolerance(self):
        path, conversations = self.make(9)
        for option, limit in (("4", lambda size: size + 4), ("5%", lambda size: size * 1.05),
                              ("10000", lambda size: size + 10000), ("0", lambda size: size),
                              ("50%", lambda size: size * 1.5)):
            with self.subTest(option):
                self.check(self.succeed("intervals", path, "-f", "json", "--size-tolerance", option),
                           analyse(conversations, limit))
        for wrong in ("x", "-1", "101%", "5 %", ""):
            self.fail_with(2, ["--size-tolerance", f"'{wrong}'", "--help"], "intervals", path,
                           f"--size-tolerance={wrong}")

    def test_formats_have_the_same_figures(self):
        path, _ = self.make(4)
        rows = json.loads(self.succeed("intervals", path, "-f", "json"), parse_float=str)
        lines = [json.loads(line, parse_float=str)
                 for line in self.succeed("intervals", path, "-f", "jsonl").splitlines()]
        self.assertEqual(lines, rows)
        records = list(csv.DictReader(io.StringIO(self.succeed("intervals", path, "-f", "csv"))))
        self.assertEqual(records, [{key: "" if value is None else str(value)
                                    for key, value in row.items()} for row in rows])
        self.assertEqual(len(self.succeed("intervals", path).splitlines()), 1 + len(rows))

    def test_window_filter_sort_and_top(self):
        path, conversations = self.make(5)
        start = 1700000000 * SECOND
        cut = [(*conversation[:3], [packet for packet in conversation[3]
                                    if start + 1000 <= packet[0] <= start + 600 * SECOND])
               for conversation in conversations]
        cut = [conversation for conversation in cut if conversation[3]]
        self.check(self.succeed("intervals", path, "-f", "json", "--where",
                                "time=1700000000.000001..1700000600"), analyse(cut))
        one = [conversation for conversation in conversations if conversation[2] == "TCP_B"]
        self.check(self.succeed("intervals", path, "-f", "json", "-w", "application=TCP_B"),
                   analyse(one))
        rows = json.loads(self.succeed("intervals", path, "-f", "json", "--sort", "packets",
                                       "--top", "5"))
        self.assertEqual([row["packets"] for row in rows], sorted(
            (row["packets"] for row in analyse(conversations)), reverse=True)[:5])


if __name__ == "__main__":
    unittest.main()
