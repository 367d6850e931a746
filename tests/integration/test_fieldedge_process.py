#!/usr/bin/python3
# test_fieldedge_process.py: fieldedge process, on captures made here and with stand-ins for tshark
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import gzip
import json
import os
import shutil
import signal
import sqlite3
import stat
import struct
import subprocess
import unittest

from test_fieldedge_support import COMMAND, SECOND, Database, TestCase, run

HAS_PLUGIN = os.environ.get("FIELDEDGE_HAS_PLUGIN", "1") == "1"


def udp_frame(source, destination, source_port, destination_port, payload):
    addresses = bytes(map(int, source.split("."))) + bytes(map(int, destination.split(".")))
    udp = struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + addresses
    return bytes.fromhex("020000000001" "020000000002" "0800") + ip + udp


def pcap(packets):
    """A capture with nanoseconds of (time in ns, frame)."""
    data = struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1)
    for time, frame in packets:
        data += struct.pack("<IIII", time // SECOND, time % SECOND, len(frame), len(frame)) + frame
    return data


DNS = bytes.fromhex("1234010000010000000000000377777707657861"
                    "6d706c6503636f6d0000010001")
START = 1700000000123456789


def site(count=10):
    """A DNS query a second to the WAN, and a local packet."""
    packets = [(START + i * SECOND, udp_frame("10.0.0.1", "8.8.8.8", 40000, 53, DNS))
               for i in range(count)]
    packets.append((START, udp_frame("10.0.0.1", "10.0.0.2", 4000, 50000, b"local")))
    return pcap(packets)


class Stand_ins(TestCase):
    """tshark replaced by a script."""

    def setUp(self):
        super().setUp()
        self.capture = self.folder / "a b.pcap"
        self.capture.write_bytes(site())
        self.db = self.folder / "x y.db"

    def tshark(self, script):
        path = self.folder / "tshark"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def test_arguments(self):
        log = self.folder / "log"
        tshark = self.tshark(f'printf "%s\\n" "$@" > "{log}"')
        run("process", self.capture, "-o", self.db, "--tshark", tshark, "-Y", "tcp.port in {1, 2}",
            "--local-networks", "10.0.0.0/8,fc00::/7")
        self.assertEqual(log.read_text().splitlines(), [
            "-q", "-r", str(self.capture), "-o", "fieldedge.local_networks:10.0.0.0/8,fc00::/7",
            "-z", f"fieldedge,{self.db},tcp.port in {{1, 2}}"])

    def process(self, script, code):
        result = run("process", self.capture, "-o", self.db, "--tshark", self.tshark(script))
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr.splitlines()

    def test_noise_is_dropped_and_errors_are_passed_on(self):
        lines = self.process('echo "Running as user \\"root\\" and group \\"root\\". This could be'
                             ' dangerous." >&2; echo "tshark: something is wrong" >&2; exit 7', 1)
        self.assertEqual(lines, ["tshark: something is wrong",
                                 f"fieldedge: {self.capture}: tshark ended with exit code 7; "
                                 "no packet was recorded"])
        self.assertFalse(self.db.exists())

    def test_no_plugin(self):
        lines = self.process('echo "tshark: Invalid -z argument \\"fieldedge,x\\"; it must be one of:'
                             '" >&2; echo "     conv,ip" >&2; exit 1', 1)
        self.assertEqual(len(lines), 1)
        self.assertIn("the FieldEdge plugin is not installed", lines[0])

    def test_killed(self):
        lines = self.process("kill -SEGV $$", 1)
        self.assertIn("killed by signal 11", lines[0])

    def test_silent_failure_is_a_failure(self):
        lines = self.process("exit 0", 1)
        self.assertEqual(len(lines), 1)
        self.assertIn("no packet was recorded", lines[0])

    def test_no_tshark(self):
        missing = self.folder / "missing"
        self.fail_with(1, [missing, "install the package tshark"], "process", self.capture, "-o",
                       self.db, "--tshark", missing)
        self.assertFalse(self.db.exists())

    def test_names_that_cannot_be(self):
        self.fail_with(1, ["comma"], "process", self.capture, "-o", self.folder / "a,b.db")
        self.fail_with(1, ["no such file"], "process", self.folder / "none.pcap", "-o", self.db)
        empty = self.folder / "empty"
        empty.mkdir()
        self.fail_with(1, ["no capture in this directory"], "process", empty, "-o", self.db)
        self.fail_with(1, ["none that fits"], "process", self.folder / "x*.pcap", "-o", self.db)
        foreign = self.folder / "foreign"
        foreign.write_text("precious" * 1000)
        self.fail_with(1, [foreign, "not an SQLite database"], "process", self.capture, "-o",
                       foreign)
        self.assertEqual(foreign.read_text(), "precious" * 1000)
        self.assertFalse(self.db.exists())


@unittest.skipUnless(HAS_PLUGIN, "the plugin is not part of this build")
class Recording(TestCase):
    """The real thing: tshark with the plugin of the build tree."""

    def setUp(self):
        super().setUp()
        self.capture = self.folder / "a b.pcap"
        self.capture.write_bytes(site())
        self.db = self.folder / "x y.db"

    def rows(self, sql):
        with contextlib.closing(sqlite3.connect(self.db)) as database:
            return database.execute(sql).fetchall()

    def test_whole_capture(self):
        self.assertEqual(self.succeed("process", self.capture, "-o", self.db), "")
        self.assertEqual(self.rows("SELECT file, status, packets, started_ns FROM captures"),
                         [(str(self.capture), "complete", 11, START)])
        series = json.loads(self.succeed("series", self.db, "-f", "json"))
        self.assertEqual({name: len(points) for name, points in series.items()}, {"UDP_DNS": 10})
        self.assertIn("[1700000000.123456789, 75]", self.succeed("series", self.db, "-f", "json"))
        self.assertEqual(self.db.stat().st_uid, os.getuid())
        self.assertEqual(sorted(os.listdir(self.folder)), ["a b.pcap", "x y.db"])

    def test_captures_are_added(self):
        captures = [self.folder / f"{count}.pcap" for count in (3, 4, 5)]
        for count, capture in zip((3, 4, 5), captures):
            capture.write_bytes(site(count))
        self.succeed("process", captures[0], "-o", self.db)
        self.succeed("process", *captures[1:], "-o", self.db)
        self.assertEqual(self.rows("SELECT id, packets FROM captures"), [(1, 4), (2, 5), (3, 6)])

    def test_the_same_again_is_skipped(self):
        """By its bytes, whatever its name; a file that grew is another one, and that is said."""
        renamed = self.folder / "renamed"
        renamed.write_bytes(self.capture.read_bytes())
        self.succeed("process", self.capture, "-o", self.db)
        for again in (self.capture, renamed):
            result = run("process", again, "-o", self.db)
            self.assertEqual((result.returncode, result.stdout), (0, ""))
            self.assertEqual(result.stderr, f"fieldedge: {again}: skipped, as it is recorded already: "
                                            f"capture 1 ({self.capture}, complete, 11 packets)\n")
        self.assertEqual(self.rows("SELECT id, packets FROM captures"), [(1, 11)])
        with open(self.capture, "ab") as file:
            file.write(site(12)[24:])
        result = run("process", self.capture, "-o", self.db)
        self.assertEqual(result.returncode, 0)
        self.assertIn("has grown or changed since it was recorded as capture 1", result.stderr)
        self.assertEqual(self.rows("SELECT id, packets FROM captures"), [(1, 11), (2, 24)])

    def test_replace(self):
        other = self.folder / "other.pcap"
        other.write_bytes(site(3))
        self.succeed("process", self.capture, other, "-o", self.db)
        self.succeed("process", self.capture, "-o", self.db, "--replace", "--local-networks",
                     "192.168.0.0/16")
        self.assertEqual(self.rows("SELECT id, packets, local_networks FROM captures ORDER BY id"),
                         [(2, 4, self.rows("SELECT local_networks FROM captures WHERE id = 2")[0][0]),
                          (3, 11, "192.168.0.0/16")])
        self.assertEqual(self.rows("SELECT count(*) FROM packet"), [(15,)])
        self.assertEqual(self.rows("SELECT capture, sum(packets_ab + packets_ba) FROM conversation"
                                   " GROUP BY 1"), [(2, 4), (3, 11)])
        self.assertEqual(self.rows("SELECT application, packets FROM rollups"), [])

    def dump(self):
        with contextlib.closing(sqlite3.connect(self.db)) as database:
            return list(database.iterdump())

    def test_a_replacement_that_fails_changes_nothing(self):
        self.succeed("process", self.capture, "-o", self.db)
        before = self.dump()
        real = shutil.which("tshark")
        for script, word in (("exit 7", "exit code 7"),
                             # reads half of the file, then is gone
                             (f"'{real}' \"$@\" & sleep 0; kill -9 $!; exit 1", "as before"),
                             (f"exec '{real}' \"$@\" -Y 'no =='", "as before")):
            tshark = self.folder / "tshark"
            tshark.write_text(f"#!/bin/sh\n{script}\n")
            tshark.chmod(0o755)
            result = run("process", self.capture, "-o", self.db, "--replace", "--tshark", tshark)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn(word, result.stderr)
            self.assertEqual(self.dump(), before)

    def test_what_was_interrupted_is_recorded_again(self):
        other = self.folder / "other.pcap"
        other.write_bytes(site(3))
        self.succeed("process", other, self.capture, "-o", self.db)
        with contextlib.closing(sqlite3.connect(self.db)) as database:
            database.executescript("""
                DELETE FROM packet WHERE id > 1 << 32 | 5;
                UPDATE capture SET status = 'interrupted', packets = 5 WHERE id = 2""")
        result = run("process", other, self.capture, "-o", self.db)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn("other.pcap: skipped", result.stderr)
        self.assertEqual(self.rows("SELECT id, status, packets FROM captures"),
                         [(1, "complete", 4), (2, "complete", 11)])
        self.assertEqual(self.rows("SELECT count(*) FROM packet"), [(15,)])

    def test_directory_and_pattern(self):
        folder = self.folder / "captures"
        folder.mkdir()
        for count in (2, 10, 3):
            (folder / f"part{count}.pcap").write_bytes(site(count))
        (folder / "part4.pcap.gz").write_bytes(gzip.compress(site(4)))
        (folder / "notes.txt").write_text("not a capture")
        self.succeed("process", folder, "-o", folder / "x.db")
        self.db = folder / "x.db"
        self.assertEqual(self.rows("SELECT packets FROM captures ORDER BY id"),
                         [(3,), (4,), (5,), (11,)])
        result = run("process", folder, "-o", folder / "x.db")
        self.assertEqual((result.returncode, result.stderr.count("skipped")), (0, 4))
        self.db = self.folder / "y.db"
        self.succeed("process", folder / "part[23].p*", "-o", self.db)
        self.assertEqual(self.rows("SELECT packets FROM captures ORDER BY id"), [(3,), (4,)])

    def test_progress_and_ctrl_c(self):
        """On a terminal: percent, packets a second and time left, from tshark's own file offset; Ctrl-C
        stops, and the same command goes on."""
        large = self.folder / "large.pcap"
        body = site(2000)[24:]
        with open(large, "wb") as file:
            file.write(site(0))
            for _ in range(400):
                file.write(body)
        small = self.folder / "small.pcap"
        small.write_bytes(site(3))
        main, terminal = os.openpty()
        with subprocess.Popen([COMMAND, "process", small, large, "-o", self.db], stderr=terminal,
                              stdout=subprocess.DEVNULL) as process:
            os.close(terminal)
            text, sent = "", False
            while True:
                try:
                    chunk = os.read(main, 4096)
                except OSError:
                    break
                text += chunk.decode()
                if "(2 of 2)" in text and " left" in text and not sent:
                    process.send_signal(signal.SIGINT)
                    sent = True
        os.close(main)
        self.assertTrue(sent, text)
        self.assertEqual(process.returncode, 4, text)
        self.assertRegex(text, r"large\.pcap \(2 of 2\): \d+ %, [\d,]+ packets, [\d,]+/s, \d+:\d\d left")
        self.assertIn("the same command again goes on", text)
        self.assertEqual(self.rows("SELECT status FROM captures"), [("complete",), ("interrupted",)])
        result = run("process", small, large, "-o", self.db)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.rows("SELECT status, packets FROM captures"),
                         [("complete", 4), ("complete", 800401)])

    def test_filter_and_local_networks(self):
        self.succeed("process", self.capture, "-o", self.db, "-Y", "udp.port in {53, 5353}",
                     "--local-networks", "192.168.0.0/16")
        self.assertEqual(self.rows("SELECT filter, packets, local_networks FROM captures"),
                         [("udp.port in {53, 5353}", 10, "192.168.0.0/16")])

    def test_cut_short(self):
        data = site(20)
        self.capture.write_bytes(data[:-200])
        result = run("process", self.capture, "-o", self.db)
        self.assertEqual(result.returncode, 3, result.stderr)
        lines = result.stderr.splitlines()
        self.assertIn("cut short", lines[0])
        self.assertEqual(lines[-1], f"fieldedge: {self.capture}: the capture is cut short or "
                                    "damaged; the 18 packets before that are recorded")
        self.assertEqual(self.rows("SELECT status, packets FROM captures"), [("cut short", 18)])
        self.assertEqual(self.rows("SELECT count(*) FROM packets"), [(18,)])

    def test_repair(self):
        """Mended first: recorded whole, and the original is kept."""
        data = site(20)[:-200]
        self.capture.write_bytes(data)
        result = run("process", self.capture, "-o", self.db, "--repair")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mended: 18 packets are whole", result.stderr)
        self.assertEqual(self.rows("SELECT status, packets FROM captures"), [("complete", 18)])
        self.assertEqual((self.folder / "a b.pcap.damaged").read_bytes(), data)
        whole = self.folder / "whole.pcap"
        whole.write_bytes(site(3))
        self.succeed("process", whole, "-o", self.db, "--repair")

    def test_in_the_background(self):
        env = {"XDG_STATE_HOME": str(self.folder / "state")}
        job = run("process", self.capture, "-o", self.db, "--background", env=env)
        self.assertEqual((job.returncode, job.stderr), (0, ""))
        waited = run("jobs", "wait", job.stdout.strip(), env=env)
        self.assertEqual((waited.returncode, waited.stdout), (0, f"{self.db}\n"))
        with contextlib.closing(sqlite3.connect(self.db)) as sql:
            self.assertEqual(sql.execute("SELECT count(*), max(status) FROM captures, packets").fetchone(),
                             (11, "complete"))
        wrong = run("process", self.folder / "none", "-o", self.db, "--background", env=env)
        self.assertEqual((wrong.returncode, wrong.stdout), (1, ""))
        self.assertIn("no such file", wrong.stderr)

    def test_damaged(self):
        data = bytearray(site(20))
        offset = 24 + 5 * (16 + 75)
        data[offset + 8:offset + 12] = b"\xff\xff\xff\x7f"
        self.capture.write_bytes(data)
        result = run("process", self.capture, "-o", self.db)
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertEqual(self.rows("SELECT packets FROM captures"), [(5,)])

    def test_one_bad_capture_does_not_stop_the_next(self):
        text = self.folder / "text.pcap"
        text.write_text("no capture at all")
        cut = self.folder / "cut.pcap"
        cut.write_bytes(site()[:-10])
        result = run("process", cut, text, self.capture, "-o", self.db)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"fieldedge: {text}: ", result.stderr)
        self.assertEqual(self.rows("SELECT status FROM captures WHERE packets > 0 ORDER BY id"),
                         [("cut short",), ("complete",)])
        result = run("process", cut, self.capture, "-o", self.folder / "other.db")
        self.assertEqual(result.returncode, 3)

    def test_bad_arguments_leave_nothing(self):
        for options, word in ((("-Y", "tcp.port =="), "filter"),
                              (("--local-networks", "10.0.0.1/8"), "10.0.0.1/8")):
            result = run("process", self.capture, "-o", self.db, *options)
            self.assertEqual(result.returncode, 1)
            self.assertIn(word, result.stderr)
            self.assertFalse(self.db.exists(), options)

    def test_standard_input(self):
        with open(self.capture, "rb") as file:
            result = subprocess.run([COMMAND, "process", "-", "-o", self.db], stdin=file,
                                    capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.rows("SELECT packets FROM captures"), [(11,)])

    def test_empty_capture(self):
        self.capture.write_bytes(pcap([]))
        self.succeed("process", self.capture, "-o", self.db)
        self.assertEqual(self.rows("SELECT status, packets FROM captures"), [("complete", 0)])

    def test_relative_names_and_private_folders(self):
        self.folder.chmod(stat.S_IRWXU)
        result = run("process", "a b.pcap", "-o", "-x.db", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.folder / "-x.db").exists())

    def test_a_database_made_elsewhere(self):
        database = Database(self.db)
        database.conversation(database.capture(), "10.0.0.1", "8.8.8.8", "TCP_A", [(0, 0, 60)])
        database.finish()
        self.succeed("process", self.capture, "-o", self.db)
        self.assertEqual(self.rows("SELECT id, packets FROM captures"), [(1, 1), (2, 11)])


if __name__ == "__main__":
    unittest.main()
