#!/usr/bin/python3
# test_determinism.py
# The same capture gives the same rows, whatever else tshark was asked for, and whatever else is in the
# database.  With -2, only the protocol column may differ: the second pass dissects with what the first
# one learned.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import contextlib
import os
import subprocess
import unittest

import harness

CAPTURES = """own/site.pcapng own/fragments.pcapng own/vxlan.pcapng own/cut-short.pcapng
shared/fuzz-mixed-be-26min.pcap shared/gtp-volte-sll.pcap shared/http-over-sctp.pcap
shared/iphone-startup-mixed.pcap shared/profinet-mixed-5min.pcap shared/tls-vlan-retrans.pcap""".split()
# With -2: Wireshark's SNMP dissector makes a conversation of its own at a request, so in one pass the
# answers have another udp.stream than the request, in two passes the same.
SPLIT_IN_ONE_PASS = {"own/site.pcapng": 7}  # conversations more than with -2
MENDED_IN_TWO_PASSES = {("shared/http-over-sctp.pcap", 65): "malformed"}  # HTTP reassembled in pass 1
MODES = {
    "again": ["-q"],
    "-V": ["-V", "-z", "conv,tcp", "-z", "io,stat,1,tcp.analysis.retransmission"],
    "-Y": ["-Y", "tcp.port == 443 or dns"],
    "columns": ["-o", 'gui.column.format:"No.","%m","Stream","%Cus:tcp.stream","Name","%Cus:dns.qry.name"'],
    "-T fields": ["-T", "fields", "-e", "ip.src", "-e", "http.host", "-e", "frame.protocols"],
}
# Ids count up over a database; the hashes are keyed with a new random number in each run; names of hosts
# are learned by the whole database.
LEFT_OUT = {"capture_id", "conversation_id", "packet_id", "payload_hash", "id", "name_a", "name_b"}


def setUpModule():
    harness.build_dir()


def rows(database, capture=1):
    """(packets, conversations, quotes, status) of a capture as lists of dicts, without ids."""
    with contextlib.closing(harness.connect_ro(database)) as sql:
        found = [dict(row) for row in sql.execute(
            "SELECT * FROM packets WHERE capture_id = ? ORDER BY packet_id", (capture,))]
        conversations = [dict(row) for row in sql.execute(
            "SELECT * FROM conversations WHERE capture_id = ? ORDER BY id", (capture,))]
        quotes = [tuple(row) for row in sql.execute(
            "SELECT packet_id & 0xffffffff, c.host_a, c.port_a, c.host_b, c.port_b FROM quotes q"
            " JOIN conversations c ON c.id = quoted_conversation_id WHERE q.capture_id = ?"
            " ORDER BY 1", (capture,))]
        status, = sql.execute("SELECT status FROM captures WHERE id = ?", (capture,)).fetchone()
    order = {row["id"]: place for place, row in enumerate(conversations)}
    for row in found:
        row["place"] = order.get(row["conversation_id"])
    return [strip(row) for row in found], [strip(row) for row in conversations], quotes, status


def strip(row):
    return {key: value for key, value in row.items() if key not in LEFT_OUT}


def run_quietly(capture, database, extra):
    """Records with what else tshark prints thrown away; tshark's exit code."""
    command = ["-r", capture, "-z", f"fieldedge,{database}", *extra]
    return harness.run_tshark(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


class Determinism(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.captures = [capture for capture in harness.captures()
                        if harness.name_of(capture) in CAPTURES]
        harness.in_parallel(harness.recording, cls.captures)
        cls.plain = {capture: rows(harness.recording(capture)[0]) for capture in cls.captures}

    def recorded_with(self, jobs):
        """Runs [(capture, extra)] and gives what rows() says of each, in their order."""
        with harness.work_dir() as folder:
            def one(job):
                place, (capture, extra) = job
                run_quietly(capture, folder / f"{place}.db", extra)
                return rows(folder / f"{place}.db")
            return harness.in_parallel(one, list(enumerate(jobs)))

    def test_same_rows_whatever_is_asked_for(self):
        jobs = [(capture, mode) for capture in self.captures for mode in MODES]
        found = self.recorded_with([(capture, MODES[mode]) for capture, mode in jobs])
        for (capture, mode), have in zip(jobs, found):
            with self.subTest(capture.name, mode=mode):
                self.check_same(self.plain[capture], have)
        print(f"determinism: {len(self.captures)} captures, each with {', '.join(MODES)}")

    def check_same(self, expected, have):
        for what, one, other in zip(("packet", "conversation", "quote"), expected, have):
            for a, b in zip(one, other):
                self.assertEqual(a, b, what)
            self.assertEqual(len(one), len(other), what)
        self.assertEqual(expected[3], have[3])

    def test_two_passes(self):
        found = self.recorded_with([(capture, ["-2", "-q"]) for capture in self.captures])
        protocols = collections.Counter()
        for capture, have in zip(self.captures, found):
            with self.subTest(capture.name):
                expected = self.plain[capture]
                name = harness.name_of(capture)
                protocols[capture.name] = sum(a["protocol"] != b["protocol"]
                                              for a, b in zip(expected[0], have[0]))
                self.check_two_passes(name, expected[0], have[0])
                split = SPLIT_IN_ONE_PASS.get(name, 0)
                self.assertEqual(len(expected[1]) - len(have[1]), split)
                if not split and not any(name == other for other, _ in MENDED_IN_TWO_PASSES):
                    self.check_same(([], *expected[1:]), ([], *have[1:]))
        print("packets of another protocol with -2:", {name: count for name, count
                                                       in protocols.items() if count},
              "of", sum(len(plain[0]) for plain in self.plain.values()))

    def check_two_passes(self, name, one_pass, two_passes):
        unequal = {"protocol"}
        if name in SPLIT_IN_ONE_PASS:
            unequal |= {"place", "direction"}
        self.assertEqual(len(one_pass), len(two_passes))
        for a, b in zip(one_pass, two_passes):
            if (name, a["number"]) in MENDED_IN_TWO_PASSES:
                self.assertEqual((a["analysis"], b["analysis"]),
                                 (MENDED_IN_TWO_PASSES[name, a["number"]], None))
                continue
            self.assertEqual({key: value for key, value in a.items() if key not in unequal},
                             {key: value for key, value in b.items() if key not in unequal})

    def test_captures_in_one_database(self):
        with harness.work_dir() as folder:
            database = folder / "all.db"
            wanted = self.captures[:6]
            for capture in wanted:
                run_quietly(capture, database, ["-q"])
            for number, capture in enumerate(wanted, 1):
                with self.subTest(capture.name):
                    self.check_same(self.plain[capture], rows(database, number))

    def test_time_zone_and_locale_do_not_matter(self):
        capture = self.captures[-1]
        with harness.work_dir() as folder:
            harness.record(capture, folder / "x.db", env={"TZ": "Asia/Kathmandu", "LC_ALL": "C"})
            self.check_same(self.plain[capture], rows(folder / "x.db"))
            self.assertTrue(os.path.getsize(folder / "x.db") > 0)


if __name__ == "__main__":
    harness.run_module()
