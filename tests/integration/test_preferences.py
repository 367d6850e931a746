# test_preferences.py
# The preferences as people set them on tshark's command line, and what they do to a recording.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import ipaddress
import struct
import unittest

import harness
from behaviour import SITE, check_books, query, raw_capture

HOSTS = {"office": "10.1.2.3", "plc": "10.9.9.9", "cloud": "203.0.113.5", "peer": "198.51.100.7",
         "group": "239.1.1.1", "six": "2001:db8::5", "six-cloud": "2001:db8:ffff::1"}


def setUpModule():
    harness.build_dir()


def packet(source, target, port, payload=b"", transport=17, number=0):
    """A raw IP packet with a UDP datagram or a TCP segment."""
    if transport == 17:
        upper = struct.pack("!4H", 40000, port, 8 + len(payload), 0) + payload
    else:
        upper = struct.pack("!2H2I2B3H", 40000, port, 1000 + number, 1, 0x50, 0x18, 1000, 0, 0) + payload
    ends = [ipaddress.ip_address(HOSTS[name]) for name in (source, target)]
    packed = b"".join(end.packed for end in ends)
    if ends[0].version == 6:
        return struct.pack("!IHBB", 6 << 28, len(upper), transport, 64) + packed + upper
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(upper), number, 0, 64, transport, 0) + packed + upper


class Preferences(unittest.TestCase):
    def record(self, folder, path, *options):
        database = folder / "a.db"
        database.unlink(missing_ok=True)
        extra = [word for option in options for word in ("-o", option)]
        result = harness.record(path, database, extra=extra)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        check_books(self, database)
        return database

    def refuse(self, folder, option, *words):
        result = harness.record(SITE, folder / "refused.db", extra=["-o", option])
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertFalse((folder / "refused.db").exists())

    def test_shown(self):
        """tshark -G currentprefs is where people look for them."""
        shown = harness.run_tshark(["-G", "currentprefs"]).stdout
        self.assertIn("fieldedge.local_networks: 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16", shown)
        self.assertIn("fieldedge.payload_hashes: TRUE", shown)

    def test_local_networks(self):
        pairs = [("office", "plc"), ("office", "cloud"), ("cloud", "peer"), ("office", "group"),
                 ("cloud", "group"), ("six", "six-cloud")]
        cases = {
            "10.0.0.0/8": [1, 0, 0, 1, 0, 0],
            "10.1.0.0/16": [0, 0, 0, 1, 0, 0],
            "10.1.2.3, 10.9.9.9/32": [1, 0, 0, 1, 0, 0],
            "203.0.113.0/24,198.51.100.0/24": [0, 0, 1, 0, 1, 0],
            "2001:db8::/32": [0, 0, 0, 0, 0, 1],
            "10.0.0.0/8,2001:db8::/48": [1, 0, 0, 1, 0, 0],
            "": [0, 0, 0, 0, 0, 0],
        }
        with harness.work_dir() as folder:
            path = raw_capture(folder, [packet(*pair, 9) for pair in pairs])
            for networks, wanted in cases.items():
                with self.subTest(networks):
                    database = self.record(folder, path, f"fieldedge.local_networks:{networks}")
                    got = query(database, "SELECT is_local FROM packets ORDER BY packet_id")
                    self.assertEqual([local for local, in got], wanted)
                    self.assertEqual(query(database, "SELECT local_networks FROM captures"), [(networks,)])
            for bad in ("10.0.0.0/33", "office", "10.0.0.1/8", "10.0.0.0/8;11.0.0.0/8", "10.0.0.0/8 x"):
                with self.subTest(bad):
                    self.refuse(folder, f"fieldedge.local_networks:{bad}", "fieldedge.local_networks")

    def test_payload_hashes(self):
        sql = ("SELECT payload_hash FROM packets ORDER BY packet_id")
        with harness.work_dir() as folder:
            path = raw_capture(folder, [packet("office", "cloud", 9, payload, number=i) for i, payload in
                                    enumerate((b"same", b"other", b"same", b"", b"sam", b"same"))]
                           + [packet("plc", "cloud", 50123, b"same", 6)])
            first, second = ([row[0] for row in query(self.record(folder, path), sql)] for _ in range(2))
            for found in (first, second):
                self.assertEqual(len({found[0], found[2], found[5], found[6]}), 1, found)
                self.assertEqual(len({found[0], found[1], found[4]}), 3, found)
                self.assertIsNone(found[3])
            self.assertNotEqual(first[0], second[0], "the key is not random")
            # One frame's payloads are equal in one capture only: each recording has its own key.
            database = self.record(folder, path, "fieldedge.payload_hashes:FALSE")
            self.assertEqual(query(database, sql), [(None,)] * 7)
            self.assertEqual(query(database, "SELECT payload_hashes FROM captures"), [(0,)])

    def test_ports(self):
        sql = ("SELECT application, label_source FROM conversations ORDER BY id")
        with harness.work_dir() as folder:
            path = raw_capture(folder, [packet("office", "cloud", 50123, b"x", 6),
                                    packet("office", "cloud", 50124, b"x", 6),
                                    packet("office", "cloud", 50123, b"x", 17),
                                    packet("cloud", "office", 50130, b"x", 6)])
            plain = query(self.record(folder, path), sql)
            self.assertEqual([row[0] for row in plain],
                             ["TCP_50123", "TCP_50124", "UDP_50123", "TCP_50130"])
            for lines, wanted in (
                    (['"TCP","50123","PUMP"'], ["TCP_PUMP", "TCP_50124", "UDP_50123", "TCP_50130"]),
                    (['"TCP","50120-50130","PUMP"'], ["TCP_PUMP", "TCP_PUMP", "UDP_50123", "TCP_PUMP"]),
                    (['"TCP","50123","A"', '"UDP","50123","B"', '"SCTP","50124","C"'],
                     ["TCP_A", "TCP_50124", "UDP_B", "TCP_50130"])):
                with self.subTest(lines):
                    database = self.record(folder, path, *[f"uat:fieldedge_ports:{line}" for line in lines])
                    got = query(database, sql)
                    self.assertEqual([row[0] for row in got], wanted)
                    sources = {row[1] for row, before in zip(got, plain) if row[0] != before[0]}
                    self.assertEqual(len(sources), 1)
                    self.assertNotIn(plain[0][1], sources)

    def test_hostile_names(self):
        """A name is part of a label: letters, digits and _ in capitals, of a bounded length."""
        with harness.work_dir() as folder:
            path = raw_capture(folder, [packet("office", "cloud", 50123, b"x", 6)])
            for name in ("a b", "';DROP TABLE capture;--", "<script>", "%s%n", "x" * 500, "pümpe"):
                with self.subTest(name):
                    database = self.record(folder, path, f'uat:fieldedge_ports:"TCP","50123","{name}"')
                    (label,), = query(database, "SELECT application FROM conversations")
                    self.assertRegex(label, r"^TCP_[A-Z0-9_]{1,60}$")

    def test_wrong_lines(self):
        with harness.work_dir() as folder:
            for line, word in (('"TCP","70000","X"', "is not a port"), ('"TCP","0","X"', "is not a port"),
                               ('"TCP","x","X"', "is not a port"), ('"TCP","9-5","X"', "upside down"),
                               ('"ICMP","5","X"', "TCP, UDP or SCTP"), ('"TCP","5",""', "no name"),
                               ('"TCP","5"', "fieldedge_ports")):
                with self.subTest(line):
                    self.refuse(folder, f"uat:fieldedge_ports:{line}", "fieldedge_ports", word)

    def test_unknown(self):
        with harness.work_dir() as folder:
            self.refuse(folder, "fieldedge.no_such:1", "no_such")


if __name__ == "__main__":
    harness.run_module()
