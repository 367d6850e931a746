#!/usr/bin/python3
# test_fieldedge_conversations.py: fieldedge conversations, with Python's statistics as the oracle
#
# SPDX-License-Identifier: GPL-2.0-or-later
import csv
import io
import json
import random
import statistics
import unittest

from test_fieldedge_support import SECOND, TestCase

REFERENCE_KEYS = ["count", "applications", "start_times", "packet_intervals", "bytes",
                  "bad_packet_count", "bytes_bad", "retransmit_count", "retransmit_bytes",
                  "repeat_mean", "repeat_stdev"]


def seconds(ns):
    return round(ns / SECOND, 9)


def analyse(conversations):
    """What the command is to say of [(host a, host b, application, packets)] in one capture."""
    pairs = {}
    for conversation in conversations:
        pairs.setdefault(frozenset(conversation[:2]), []).append(conversation)
    return [analyse_pair(members) for members in pairs.values()]


def analyse_pair(members):
    a, b = members[0][:2]
    groups = {"AB_intervals": {}, "BA_intervals": {}}
    packets = []
    for host_a, _, application, own in members:
        for packet in own:
            from_a = (packet[1] == 0) == (host_a == a)
            key = f"{application}_{packet[2]}B"
            groups["AB_intervals" if from_a else "BA_intervals"].setdefault(key, []).append(packet[0])
            packets.append((*packet, 0, 0, 0, 0)[:7])
    intervals = {direction: {key: mean_gap(times) for key, times in of.items()}
                 for direction, of in groups.items()}
    starts = sorted(min(packet[0] for packet in member[3]) for member in members)
    gaps = [later - earlier for earlier, later in zip(starts, starts[1:])]
    by_start = sorted(members, key=lambda member: min(packet[0] for packet in member[3]))
    return {
        "hosts": [a, b], "count": len(members),
        "applications": list(dict.fromkeys(member[2] for member in by_start)),
        "start_times": [seconds(start) for start in starts],
        "packet_intervals": intervals,
        "bytes": sum(packet[2] for packet in packets),
        "bad_packet_count": sum(packet[4] for packet in packets),
        "bytes_bad": sum(packet[2] for packet in packets if packet[4]),
        "retransmit_count": sum(packet[5] for packet in packets),
        "retransmit_bytes": sum(packet[2] for packet in packets if packet[5]),
        "repeat_mean": seconds(statistics.mean(gaps)) if gaps else None,
        "repeat_stdev": seconds(statistics.stdev(gaps)) if len(gaps) > 1 else None,
    }


def mean_gap(times):
    times = sorted(times)
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    return seconds(sum(gaps) / len(gaps)) if gaps else None


class Conversations(TestCase):
    def same(self, found, expected):
        """Numbers to a nanosecond, everything else exactly."""
        if isinstance(expected, dict):
            self.assertEqual(set(found), set(expected))
            for key, value in expected.items():
                self.same(found[key], value)
        elif isinstance(expected, list):
            self.assertEqual(len(found), len(expected))
            for left, right in zip(found, expected):
                self.same(left, right)
        elif isinstance(expected, float):
            self.assertAlmostEqual(found, expected, delta=2e-9 + abs(expected) * 1e-15)
        else:
            self.assertEqual(found, expected)

    def test_example_of_the_reference(self):
        """The README's DHCP client: 2681 bytes, 382 and 389 byte frames, 12.383 s."""
        start = 1642667840985000000
        packets = [(start + i * 12383000000, 0, 382) for i in range(6)] + [(start + SECOND, 0, 389)]
        database = self.database()
        database.conversation(database.capture(base=start), "0.0.0.0", "255.255.255.255",
                              "UDP_DHCP_RESPONSE", packets)
        text = self.succeed("conversations", database.finish(), "--format", "json")
        pair = json.loads(text)[0]
        self.assertEqual(list(pair)[:12], ["hosts", *REFERENCE_KEYS])
        self.assertEqual({key: pair[key] for key in ["hosts", *REFERENCE_KEYS]}, {
            "hosts": ["0.0.0.0", "255.255.255.255"], "count": 1,
            "applications": ["UDP_DHCP_RESPONSE"], "start_times": [1642667840.985],
            "packet_intervals": {"AB_intervals": {"UDP_DHCP_RESPONSE_382B": 12.383,
                                                  "UDP_DHCP_RESPONSE_389B": None},
                                 "BA_intervals": {}},
            "bytes": 2681, "bad_packet_count": 0, "bytes_bad": 0, "retransmit_count": 0,
            "retransmit_bytes": 0, "repeat_mean": None, "repeat_stdev": None})
        self.assertIn('"start_times": [1642667840.985000000]', text)

    def test_random_conversations(self):
        chance = random.Random(11)
        hosts = ["10.0.0.1", "8.8.8.8", "9.9.9.9", "2001:db8::1"]
        conversations = []
        for _ in range(60):
            a, b = chance.sample(hosts, 2)
            packets = [(1700000000 * SECOND + chance.randrange(3600 * SECOND), chance.randrange(2),
                        chance.choice([60, 90, 1514]), 0, *chance.choice([(0, 0), (1, 0), (1, 1)]))
                       for _ in range(chance.randrange(1, 40))]
            conversations.append((a, b, f"TCP_{chance.choice('ABC')}", packets))
        database = self.database()
        capture = database.capture(base=1700000000 * SECOND)
        for conversation in conversations:
            database.conversation(capture, *conversation)
        found = json.loads(self.succeed("conversations", database.finish(), "-f", "json"))
        expected = analyse(conversations)
        self.assertEqual([pair["hosts"] for pair in found], [pair["hosts"] for pair in expected])
        for left, right in zip(found, expected):
            self.same({key: left[key] for key in right}, right)
            self.assertEqual(left["bytes_AB"] + left["bytes_BA"], left["bytes"])

    def test_pairs_are_merged_over_captures_unless_one_is_chosen(self):
        database = self.database()
        for number in (1, 2):
            database.capture(base=number * 100 * SECOND)
            database.conversation(number, "10.0.0.1", "8.8.8.8", "TCP_A",
                                  [(number * 100 * SECOND, 0, 60)])
        path = database.finish()
        merged = json.loads(self.succeed("conversations", path, "-f", "json"))
        self.assertEqual([(pair["count"], pair["bytes"], pair["repeat_mean"],
                           pair["packet_intervals"]["AB_intervals"]) for pair in merged],
                         [(2, 120, 100, {"TCP_A_60B": 100})])
        one = json.loads(self.succeed("conversations", path, "-f", "json", "--capture", "2"))
        self.assertEqual([(pair["count"], pair["start_times"]) for pair in one], [(1, [200])])

    def test_local_pairs_on_request(self):
        database = self.database()
        capture = database.capture()
        database.conversation(capture, "10.0.0.1", "8.8.8.8", "TCP_A", [(0, 0, 60)])
        database.conversation(capture, "10.0.0.1", "10.0.0.2", "TCP_A", [(0, 0, 60)], local=True)
        path = database.finish()
        for options, hosts in (((), ["8.8.8.8"]), (("--local",), ["10.0.0.2"]),
                               (("--all",), ["8.8.8.8", "10.0.0.2"])):
            pairs = json.loads(self.succeed("conversations", path, "-f", "json", *options))
            self.assertEqual([pair["hosts"][1] for pair in pairs], hosts)
            for pair in pairs:
                self.assertEqual(list(pair["packet_intervals"]["AB_intervals"]), ["TCP_A_60B"])

    def test_csv_of_pairs_and_intervals(self):
        database = self.database()
        capture = database.capture()
        database.conversation(capture, "10.0.0.1", "8.8.8.8", "TCP_A",
                              [(0, 0, 60), (SECOND, 1, 90), (3 * SECOND, 0, 60)])
        path = database.finish()
        pairs = list(csv.DictReader(io.StringIO(self.succeed("conversations", path, "-f", "csv"))))
        self.assertEqual([(row["host_a"], row["bytes_ab"], row["bytes_ba"], row["repeat_mean"])
                          for row in pairs], [("10.0.0.1", "120", "90", "")])
        rows = list(csv.DictReader(io.StringIO(self.succeed("intervals", path, "-f", "csv"))))
        self.assertEqual([[row[key] for key in ("direction", "application", "size_low", "size_high",
                                                "packets", "mean")] for row in rows],
                         [["AB", "TCP_A", "60", "60", "2", "3.000000000"],
                          ["BA", "TCP_A", "90", "90", "1", ""]])


if __name__ == "__main__":
    unittest.main()
