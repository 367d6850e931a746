#!/usr/bin/python3
# test_fieldedge_watch.py: fieldedge watch on folders of files that were cut beforehand
#
# The oracle of most tests is one recording of the whole file by the same plugin: what is cut must come to the
# same.  Environment: FIELDEDGE_SEED, where the kills fall (1); FIELDEDGE_WATCH_KILLS, how many (8).
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import contextlib
import functools
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import tempfile
import threading
import unittest

from test_fieldedge_process import HAS_PLUGIN, SECOND, START, pcap, site
from test_fieldedge_support import COMMAND, SOURCE, TestCase, run
import behaviour

CAPTURES = SOURCE / "tests" / "captures"
SEED = int(os.environ.get("FIELDEDGE_SEED", "1"))
KILLS = int(os.environ.get("FIELDEDGE_WATCH_KILLS", "8"))
ROTATIONS = 100

PACKETS = """SELECT time_ns, source, destination, source_port, destination_port, transport, direction,
    conversation_id, frame_bytes, ip_bytes, payload_bytes, is_local, retransmitted_bytes, tcp_flags
    FROM packets ORDER BY packet_id"""
CONVERSATIONS = """SELECT id, transport, host_a, host_b, port_a, port_b, is_local, started_ns, ended_ns, packets_ab,
    packets_ba, frame_bytes_ab, frame_bytes_ba, ip_bytes_ab, ip_bytes_ba, payload_bytes_ab,
    payload_bytes_ba, retransmitted_bytes, name_a, name_b, vlan, tunnel FROM conversations ORDER BY id"""
ROLLED = """SELECT application, is_local, sum(packets), sum(frame_bytes), sum(ip_bytes), sum(payload_bytes),
    sum(bad_packets), sum(bad_bytes), sum(retransmissions), sum(retransmission_bytes),
    sum(retransmitted_bytes) FROM (
    SELECT application, is_local, packets, frame_bytes, ip_bytes, payload_bytes, bad_packets, bad_bytes,
           retransmissions, retransmission_bytes, retransmitted_bytes FROM rollups
    UNION ALL
    SELECT application, is_local, 1, frame_bytes, ip_bytes, payload_bytes, is_bad, is_bad * frame_bytes,
           is_retransmission, is_retransmission * frame_bytes, retransmitted_bytes FROM packets)
    GROUP BY 1, 2 ORDER BY 1, 2"""


SYN, ACK = 2, 16


def tcp_frame(direction, sequence, acknowledged, flags, payload=b""):
    """Of one pair of hosts and ports; a is the client."""
    ends = [(bytes((10, 0, 0, 1)), 40000), (bytes((203, 0, 113, 9)), 5000)]
    (source, source_port), (target, target_port) = ends if direction == "ab" else ends[::-1]
    tcp = struct.pack("!HHIIBBHHH", source_port, target_port, sequence, acknowledged, 5 << 4, flags, 8192, 0,
                      0) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + source + target
    return bytes.fromhex("020000000001" "020000000002" "0800") + ip + tcp


def tool(*words):
    subprocess.run([*map(str, words)], check=True, capture_output=True)


def count_packets(file):
    return int(subprocess.run(["capinfos", "-cMTr", file], check=True, capture_output=True)
               .stdout.split()[-1])


def cut(file, folder, parts):
    """The file in so many parts, in a new folder."""
    folder.mkdir()
    tool("editcap", "-c", count_packets(file) // parts, file, folder / "part.pcapng")
    return folder


@functools.lru_cache(maxsize=None)
def long_capture():
    """Losses before and behind the tap, then the site's traffic, but for SNMP: Wireshark gives the two
    directions of an SNMP exchange two streams, and cannot do so when a cut lies between them."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fieldedge-watch-"))
    behaviour.harness.keep_until_exit(folder)
    tool("tshark", "-r", CAPTURES / "site.pcapng", "-Y", "not snmp", "-w", folder / "site.pcapng")
    tool("mergecap", "-a", "-w", folder / "long.pcapng", CAPTURES / "loss.pcapng",
         CAPTURES / "loss-downlink.pcapng", folder / "site.pcapng")
    return folder / "long.pcapng"


@unittest.skipUnless(HAS_PLUGIN, "the plugin is not part of this build")
class WatchTest(TestCase):
    def setUp(self):
        super().setUp()
        self.db = self.folder / "watch.db"

    def rows(self, sql, database=None):
        with contextlib.closing(sqlite3.connect(database or self.db)) as connection:
            return connection.execute(sql).fetchall()

    def check_books(self):
        behaviour.check_books(self, self.db)

    def whole(self, capture):
        """One recording of the whole file."""
        database = self.folder / "whole.db"
        self.succeed("process", capture, "-o", database)
        return database


class Rotations(WatchTest):
    def test_a_hundred_rotations_equal_one_recording(self):
        parts = cut(long_capture(), self.folder / "parts", ROTATIONS)
        self.assertGreaterEqual(len(list(parts.iterdir())), ROTATIONS)
        whole = self.whole(long_capture())
        self.succeed("watch", "--spool", parts, self.db)
        self.check_books()
        self.maxDiff = 2000
        self.assertEqual(self.rows(PACKETS), self.rows(PACKETS, whole))
        self.assertEqual(self.rows(CONVERSATIONS), self.rows(CONVERSATIONS, whole))
        self.assertEqual(self.rows("SELECT * FROM quotes"), self.rows("SELECT * FROM quotes", whole))
        self.assertGreater(self.rows("SELECT sum(retransmitted_bytes) FROM packets")[0][0], 7000)
        self.assertEqual(self.rows("SELECT id, status, file FROM captures"),
                         [(1, "complete", str(parts))])
        self.say_what_differs(whole)

    def say_what_differs(self, whole):
        """What Wireshark's own analysis cannot see across a cut is counted, and said."""
        told = {}
        for what, sql in (("packets with another verdict", "SELECT analysis FROM packets ORDER BY packet_id"),
                          ("packets with another top layer", "SELECT protocol FROM packets ORDER BY packet_id"),
                          ("conversations with another label",
                           "SELECT application FROM conversations ORDER BY id")):
            pairs = list(zip(self.rows(sql), self.rows(sql, whole)))
            told[what] = (sum(a != b for a, b in pairs), len(pairs))
        continued, = self.rows("SELECT sum(continued) FROM watch_file")[0]
        print(f"\nacross {ROTATIONS} cuts, {continued} conversations continued: " +
              ", ".join(f"{count} of {all_} {what}" for what, (count, all_) in told.items()))
        self.assertGreater(continued, ROTATIONS)
        # Every cut can hide a verdict or two and one PDU from each of the conversations over it; the labels are
        # carried, and one that needs a PDU longer than a part cannot be found.
        self.assertLessEqual(told["packets with another verdict"][0], continued)
        self.assertLessEqual(told["conversations with another label"][0], 3)

    def test_ports_that_are_used_again(self):
        """A SYN of another number on the ports of a connection of the file before is another conversation;
        a SYN that is sent again, and the answer to one, are not."""
        def connection(number):
            return [tcp_frame("ab", number, 0, SYN), tcp_frame("ab", number, 0, SYN),
                    tcp_frame("ba", 7 * number, number + 1, SYN | ACK),
                    tcp_frame("ab", number + 1, 7 * number + 1, ACK),
                    tcp_frame("ab", number + 1, 7 * number + 1, ACK, b"x" * 50),
                    tcp_frame("ab", number + 1, 7 * number + 1, ACK, b"x" * 50)]
        frames = connection(1000) + connection(9000) + connection(50)
        whole = self.folder / "whole.pcap"
        whole.write_bytes(pcap([(START + i * SECOND, frame) for i, frame in enumerate(frames)]))
        other = self.whole(whole)
        self.assertEqual(self.rows("SELECT packets_ab, packets_ba, retransmitted_bytes FROM conversations",
                                   other), [(5, 1, 50)] * 3)
        for size in (2, 5):
            parts = self.folder / f"parts{size}"
            parts.mkdir()
            self.db = self.folder / f"{size}.db"
            tool("editcap", "-c", size, whole, parts / "part.pcapng")
            self.succeed("watch", "--spool", parts, self.db)
            self.assertEqual(self.rows(CONVERSATIONS), self.rows(CONVERSATIONS, other))
            self.assertEqual(self.rows(PACKETS), self.rows(PACKETS, other))

    def test_the_same_connection_again(self):
        """After its FIN, with the same numbers: Wireshark has one stream, and the bytes are new."""
        whole = self.folder / "again.pcapng"
        tool("tshark", "-r", CAPTURES / "loss.pcapng", "-Y", "tcp", "-w", self.folder / "tcp.pcapng")
        tool("editcap", "-t", 100, self.folder / "tcp.pcapng", self.folder / "later.pcapng")
        tool("mergecap", "-a", "-w", whole, self.folder / "tcp.pcapng", self.folder / "later.pcapng")
        parts = cut(whole, self.folder / "parts", 6)
        self.succeed("watch", "--spool", parts, self.db)
        other = self.whole(whole)
        self.assertEqual(self.rows(CONVERSATIONS), self.rows(CONVERSATIONS, other))
        self.assertEqual(self.rows(PACKETS), self.rows(PACKETS, other))
        self.assertEqual(self.rows("SELECT retransmitted_bytes FROM conversations"), [(2 * 7336,)])

    def test_more_files_later(self):
        """A folder that is recorded, and gets more: what is there is passed over."""
        parts = cut(CAPTURES / "loss.pcapng", self.folder / "parts", 6)
        files = sorted(parts.iterdir())
        later = self.folder / "later"
        later.mkdir()
        for file in files[3:]:
            file.rename(later / file.name)
        self.succeed("watch", "--spool", parts, self.db)
        for file in later.iterdir():
            file.rename(parts / file.name)
        self.succeed("watch", "--spool", parts, self.db)
        self.succeed("watch", "--spool", parts, self.db)
        self.assertEqual(self.rows("SELECT name FROM watch_file ORDER BY id"),
                         [(file.name,) for file in files])
        self.assertEqual(self.rows(PACKETS), self.rows(PACKETS, self.whole(CAPTURES / "loss.pcapng")))


class Kills(WatchTest):
    def start(self, parts):
        return subprocess.Popen([COMMAND, "watch", "--spool", parts, self.db],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def test_killed_again_and_again(self):
        """At random moments: each time the file is sound and holds whole files, and at the end it is as if
        nothing had happened."""
        chance = random.Random(SEED)
        parts = cut(CAPTURES / "site.pcapng", self.folder / "parts", 10)
        sizes = [count_packets(file) for file in sorted(parts.iterdir())]
        undisturbed = self.folder / "undisturbed.db"
        self.succeed("watch", "--spool", parts, undisturbed)
        recorded = []
        for _ in range(KILLS):
            with self.start(parts) as process:
                threading.Event().wait(chance.uniform(0.0, 0.9))
                process.kill()
            if self.db.exists() and behaviour.has_begun(self.db):
                self.check_books()
                (packets, status), = self.rows("SELECT packets, status FROM captures")
                files, = self.rows("SELECT count(*) FROM watch_file")[0]
                self.assertEqual(packets, sum(sizes[:files]), "a part of a file")
                self.assertIn(status, ("interrupted", "complete"))
                recorded.append(files)
        self.assertEqual(recorded, sorted(recorded))
        # The last tshark of a killed watch may still be at its end.
        behaviour.wait_until(lambda: run("watch", "--spool", parts, self.db).returncode == 0,
                             "the recorder's lock")
        self.check_books()
        for sql in (PACKETS, CONVERSATIONS, "SELECT application, label_source FROM conversations ORDER BY id",
                    "SELECT id, status, packets FROM captures",
                    "SELECT name, first, last, packets, continued FROM watch_file ORDER BY id"):
            self.assertEqual(self.rows(sql), self.rows(sql, undisturbed))

    def test_a_signal_breaks_off_between_files(self):
        parts = cut(CAPTURES / "site.pcapng", self.folder / "parts", 10)
        with self.start(parts) as process:
            behaviour.wait_until(lambda: self.db.exists() and behaviour.has_begun(self.db), "a file")
            process.send_signal(signal.SIGTERM)
        self.assertEqual(process.returncode, 4)
        self.succeed("watch", "--spool", parts, self.db)
        self.assertEqual(self.rows("SELECT status, packets FROM captures"), [("complete", 957)])


class Bounds(WatchTest):
    def test_prune_by_age(self):
        """What goes from the packets is in the roll-ups, to the byte, by application."""
        parts = cut(long_capture(), self.folder / "parts", 12)
        full = self.folder / "full.db"
        self.succeed("watch", "--spool", parts, full)
        self.succeed("watch", "--spool", parts, self.db, "--keep", "1m")
        self.check_books()
        self.assertEqual(self.rows("SELECT count(*) > 100 FROM packets"), [(1,)])
        self.assertEqual(self.rows("SELECT sum(packets) > 100, min(seconds), max(seconds) FROM rollups"),
                         [(1, 60, 60)])
        # A pruned packet has the label that its conversation had then.
        def sums(database):
            total = collections.Counter()
            for row in self.rows(ROLLED, database):
                total.update({(row[1], i): value for i, value in enumerate(row[2:])})
            return total
        self.assertEqual(sums(self.db), sums(full))
        self.assertEqual(self.rows("SELECT count(*) FROM rollups WHERE started_ns % 60000000000 <> 0"),
                         [(0,)])
        kept, = self.rows("SELECT min(started_ns) FROM watch_file WHERE NOT is_pruned")[0]
        self.assertEqual(self.rows("SELECT started_ns FROM captures"), [(kept,)])
        self.assertEqual(self.rows("SELECT count(*) FROM conversations WHERE packets_ab + packets_ba = 0"),
                         [(0,)])
        # Not recorded again, though their packets are gone.
        before = self.rows("SELECT count(*) FROM packets")
        self.succeed("watch", "--spool", parts, self.db, "--keep", "1m")
        self.assertEqual(self.rows("SELECT count(*) FROM packets"), before)

    def test_a_conversation_that_is_pruned_in_part(self):
        """Its sums are those of the packets that are left: bad ones and retransmissions too."""
        frames = [tcp_frame("ab", 1000, 0, SYN), tcp_frame("ba", 5000, 1001, SYN | ACK)]
        for number in range(1001, 1801, 100):
            frames += [tcp_frame("ab", number, 5001, ACK, bytes(100))] * 2
            frames += [tcp_frame("ba", 5001, number + 100, ACK)]
        whole = self.folder / "whole.pcap"
        whole.write_bytes(pcap([(START + 10 * i * SECOND, frame) for i, frame in enumerate(frames)]))
        parts = cut(whole, self.folder / "parts", 13)
        self.succeed("watch", "--spool", parts, self.db, "--keep", "2m")
        self.check_books()
        self.assertEqual(self.rows("SELECT bad_packets > 0, retransmissions > 0, retransmitted_bytes > 0,"
                                   " started_ns FROM conversations"), [(1, 1, 1, START)])
        self.assertEqual(self.rows("SELECT sum(bad_packets) > 0, sum(retransmitted_bytes) > 0 FROM rollups"),
                         [(1, 1)])
        self.assertEqual(self.rows(ROLLED)[0][2:3] + self.rows(ROLLED)[0][-1:], (26, 800))

    def test_prune_by_size(self):
        limit = 1 << 20
        parts = self.folder / "parts"
        parts.mkdir()
        body = site(3000)
        for i in range(12):
            (parts / f"{i}.pcap").write_bytes(body)
        with subprocess.Popen([COMMAND, "watch", "--spool", parts, self.db, "--max-size", "1M"]) as process:
            largest, pause = 0, threading.Event()
            while process.poll() is None:
                largest = max(largest, self.db.stat().st_size if self.db.exists() else 0)
                pause.wait(0.01)
        self.assertEqual(process.returncode, 0)
        self.assertLessEqual(largest, limit)
        self.assertLessEqual(self.db.stat().st_size, limit)
        self.check_books()
        packets, = self.rows("SELECT count(*) FROM packets")[0]
        rolled, = self.rows("SELECT sum(packets) FROM rollups")[0]
        self.assertGreater(packets, 3001)
        self.assertEqual(packets + rolled, 12 * 3001)

    def test_minutes_become_hours_and_days(self):
        """Files of a day, a year apart from the first to the last: coarser the older, and the sum stays."""
        parts = self.folder / "parts"
        parts.mkdir()
        day = 86400 * SECOND
        times = [START - days * day for days in (1000, 999, 100, 99, 10, 0, 0, 0, 0)]
        for i, time in enumerate(times):
            frames = [(time + j * SECOND, bytes(60)) for j in range(7)]
            (parts / f"{i}.pcap").write_bytes(pcap(frames))
        self.succeed("watch", "--spool", parts, self.db, "--keep", "1d")
        self.check_books()
        self.assertEqual(self.rows("SELECT seconds, sum(packets), sum(started_ns % (seconds * 1000000000))"
                                   " FROM rollups GROUP BY 1 ORDER BY 1"),
                         [(60, 7, 0), (3600, 14, 0), (86400, 14, 0)])
        self.assertEqual(self.rows("SELECT count(*) FROM packets"), [(28,)])


class Gaps(WatchTest):
    def spool(self, *names):
        folder = self.folder / "spool"
        folder.mkdir()
        for i, name in enumerate(names):
            frames = [(START + (10 * i + j) * SECOND, bytes(60)) for j in range(3)]
            (folder / name).write_bytes(pcap(frames))
        return folder

    def gaps(self):
        return self.rows("SELECT reason, started_ns, ended_ns, packets, files, file FROM gaps")

    def test_lost_files_and_restarts(self):
        names = [f"watch-000001-1700000000_0000{i}_20231114.pcapng" for i in (1, 2, 5)]
        names += [f"watch-000002-1700000042_0000{i}_20231114.pcapng" for i in (2, 3)]
        folder = self.spool(*names)
        result = run("watch", "--spool", folder, self.db)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("the ring went round: 2 files were lost", result.stderr)
        self.assertEqual(self.gaps(), [
            ("files lost", START + 12 * SECOND, None, None, 2, names[2]),
            ("not running", START + 22 * SECOND, 1700000042 * SECOND, None, None, names[3]),
            ("files lost", START + 22 * SECOND, None, None, 1, names[3])])
        self.succeed("watch", "--spool", folder, self.db)
        self.assertEqual(len(self.gaps()), 3)

    def test_cut_short(self):
        folder = self.spool("a.pcap", "b.pcap", "c.pcap")
        (folder / "b.pcap").write_bytes((folder / "b.pcap").read_bytes()[:-20])
        result = run("watch", "--spool", folder, self.db)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.gaps(), [("cut short", None, None, None, None, "b.pcap")])
        self.assertEqual(self.rows("SELECT packets FROM captures"), [(8,)])
        self.check_books()

    def test_a_file_that_kills_tshark(self):
        folder = self.spool("a.pcap", "b.pcap", "c.pcap")
        real = shutil.which("tshark")
        tshark = self.folder / "tshark"
        tshark.write_text('#!/bin/sh\ncase "$*" in *b.pcap*) kill -SEGV $$ ;; esac\n'
                          f'exec "{real}" "$@"\n')
        tshark.chmod(0o755)
        result = run("watch", "--spool", folder, self.db, "--tshark", tshark)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("b.pcap: tshark fails on it; it is given up", result.stderr)
        self.assertEqual(self.gaps(), [("not readable", None, None, None, 1, "b.pcap")])
        self.assertEqual(self.rows("SELECT packets FROM captures"), [(6,)])
        self.check_books()

    def test_a_clock_that_goes_back(self):
        """Recorded as it comes; nothing is lost, and ages are not mistaken."""
        folder = self.folder / "spool"
        folder.mkdir()
        times = [START, START + 50 * SECOND, START - 3600 * SECOND, START - 3500 * SECOND,
                 START - 3400 * SECOND]
        for i, time in enumerate(times):
            (folder / f"{i}.pcap").write_bytes(pcap([(time + j * SECOND, bytes(60)) for j in range(3)]))
        self.succeed("watch", "--spool", folder, self.db, "--keep", "2h")
        self.assertEqual(self.rows("SELECT packets, started_ns, ended_ns FROM captures"),
                         [(15, START - 3600 * SECOND, START + 52 * SECOND)])
        self.assertEqual(self.rows("SELECT time_ns FROM packets ORDER BY packet_id LIMIT 1"), [(START,)])
        self.check_books()


class Bad_input(WatchTest):
    def test_sentences(self):
        nowhere = self.folder / "nowhere"
        plain = self.folder / "plain"
        plain.mkdir()
        for words, arguments in (
                (["name the database"], ()),
                (["name an interface with -i, or a directory with --spool"], (self.db,)),
                (["--keep: '-3d' is no time", "30d"], (self.db, "-i", "x", "--keep=-3d")),
                (["--keep: '3y' is no time"], (self.db, "-i", "x", "--keep", "3y")),
                (["--max-size: '0' is no size"], (self.db, "-i", "x", "--max-size", "0")),
                (["--seconds: 'soon' is no time"], (self.db, "-i", "x", "--seconds", "soon")),
                (["a capture filter (-f) needs an interface"], (self.db, "--spool", plain, "-f", "udp")),
                (["one database at a time"], (self.db, self.db, "--spool", plain))):
            self.fail_with(2, words, "watch", *arguments)
        for words, arguments in (
                ([nowhere, "no such directory"], (self.db, "--spool", nowhere)),
                (["no capture in this directory"], (self.db, "--spool", plain)),
                (["cannot contain a comma"], (self.folder / "a,b.db", "--spool", plain)),
                (["at least 1 MiB"], (self.db, "--spool", plain, "--max-size", "10K")),
                (["the ring two files"], (self.db, "--spool", plain, "--ring", "1M"))):
            self.fail_with(1, words, "watch", *arguments)
            self.assertFalse(self.db.exists())
        foreign = self.folder / "foreign"
        foreign.write_text("precious" * 1000)
        self.fail_with(1, [foreign], "watch", "--spool", plain, foreign)
        self.assertEqual(foreign.read_text(), "precious" * 1000)

    def test_an_interface_that_is_not_there(self):
        if shutil.which("dumpcap") is None:
            self.skipTest("dumpcap is not installed")
        result = run("watch", "-i", "nothing0", self.db)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("nothing0: dumpcap cannot capture", result.stderr)
        self.assertFalse(self.db.exists())

    def test_a_filter_that_does_not_parse(self):
        result = run("watch", "-i", "lo", "-Y", "tcp.port ==", self.db)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("tcp.port ==", result.stderr)
        self.assertIn("nothing can be recorded with these settings", result.stderr)
        self.assertFalse(self.db.exists())


class Full_disk(WatchTest):
    """A small tmpfs, from too small for anything to large enough: nothing that is half counts."""

    def mount(self, kib):
        place = self.folder / "disk"
        place.mkdir(exist_ok=True)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", place],
                              capture_output=True, check=False)
        if made.returncode != 0:
            self.skipTest("a small disk needs root")
        self.addCleanup(subprocess.run, ["umount", place], check=False)
        self.db = place / "x.db"

    def grow(self, kib):
        tool("mount", "-o", f"remount,size={kib}k", self.folder / "disk")

    def test_at_every_stage(self):
        parts = cut(CAPTURES / "site.pcapng", self.folder / "parts", 4)
        self.mount(16)
        packets = []
        for kib in (16, 128, 256, 384, 512, 640, 4096):
            self.grow(kib)
            result = run("watch", "--spool", parts, self.db)
            if self.db.exists() and behaviour.has_begun(self.db):
                self.check_books()
                packets.append(self.rows("SELECT packets FROM captures")[0][0])
            if result.returncode == 0:
                break
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn("full", result.stderr)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(packets, sorted(packets))
        self.assertEqual(packets[-1], 957)

    def test_a_replacement_needs_room(self):
        capture = self.folder / "x.pcap"
        capture.write_bytes(site(5000))
        self.mount(8000)
        self.succeed("process", capture, "-o", self.db)
        self.grow(self.db.stat().st_size // 1024 + 64)
        before = self.rows("SELECT * FROM captures"), self.rows(PACKETS)
        result = run("process", capture, "-o", self.db, "--replace")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("the disk is full", result.stderr)
        self.assertIn("the database is as before", result.stderr)
        self.assertEqual((self.rows("SELECT * FROM captures"), self.rows(PACKETS)), before)
        self.grow(8000)
        self.succeed("process", capture, "-o", self.db, "--replace")
        self.assertEqual(self.rows("SELECT packets, status FROM captures"), [(5001, "complete")])


class Service(TestCase):
    def test_exposure(self):
        """systemd's own judgement of the unit."""
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd is not installed")
        text = (SOURCE / "postproc" / "systemd" / "fieldedge-watch@.service").read_text("utf-8")
        unit = self.folder / "fieldedge-watch@eth1.service"
        unit.write_text(text.replace("@bindir@/fieldedge", "/bin/true"), "utf-8")
        verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True,
                                  check=False)
        said = [line for line in verified.stderr.splitlines() if "man " not in line]
        self.assertEqual(said, [])
        result = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=29", unit],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout[-300:] + result.stderr)
        print("\n" + result.stdout.splitlines()[-1])


if __name__ == "__main__":
    behaviour.harness.run_module()
