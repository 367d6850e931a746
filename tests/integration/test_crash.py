# test_crash.py
# Killed at any moment, the file opens and holds every committed packet; signals and cut-short files give
# the status and the exit code that plugin/tap_record.c promises.
#
# The kills are placed by bytes, not by time: tshark reads a pipe, and dies when it has taken so many.
# Environment: FIELDEDGE_KILLS, how many kills (50); FIELDEDGE_SEED, where (1); FIELDEDGE_KILL_PACKETS, in a
# recording of how many packets at least (100000).
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import functools
import hashlib
import os
import pathlib
import random
import signal
import struct
import subprocess
import tempfile
import unittest

import harness
from behaviour import (SITE, check_books, close_stdin, ended, feed, give, has_begun, query,
                       raw_capture, started, wait_until)

KILLS = int(os.environ.get("FIELDEDGE_KILLS", "50"))
SEED = int(os.environ.get("FIELDEDGE_SEED", "1"))
PACKETS = int(os.environ.get("FIELDEDGE_KILL_PACKETS", "100000"))  # ten commits at least
PIPE_BYTES = 65536
# What a packet's row says for good.  Labels, names and local are the conversation's: they may still change.
COLUMNS = ("number, time_ns, source, destination, source_port, destination_port, transport,"
           " conversation_id, direction, protocol, frame_bytes, ip_bytes, payload_bytes, is_bad, analysis,"
           " retransmitted_bytes, tcp_flags, is_retransmission, packet_id & 0xffffffff")


def setUpModule():
    harness.build_dir()


def without(name):
    return [path for path in harness.own_captures()
            if name not in path.name and "cut-short" not in path.name]


@functools.lru_cache(maxsize=None)
def large_capture():
    """Own captures one after the other, again and again: (path, packets).  Without fragments: their
    rows move when the datagram is complete, so a cut recording is no prefix there."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fieldedge-large-"))
    folder.chmod(0o755)
    harness.keep_until_exit(folder)
    merge = ["mergecap", "-a", "-w"]
    subprocess.run([*merge, folder / "once.pcapng", *without("fragments")], check=True)
    count = int(subprocess.run(["capinfos", "-cMTr", folder / "once.pcapng"], capture_output=True,
                               check=True).stdout.split()[-1])
    copies = PACKETS // count + 1
    subprocess.run([*merge, folder / "large.pcapng", *[folder / "once.pcapng"] * copies], check=True)
    (folder / "large.pcapng").chmod(0o644)
    return folder / "large.pcapng", copies * count


def digests(database):
    """One digest for each packet, of it and of all before it.  Conversations count from 1."""
    digest, result = hashlib.blake2b(digest_size=8), []
    with contextlib.closing(harness.connect_ro(database)) as connection:
        connection.row_factory = None
        for row in connection.execute(f"SELECT {COLUMNS} FROM packets ORDER BY packet_id"):
            digest.update(repr(row).encode())
            result.append(digest.digest())
    return result


@functools.lru_cache(maxsize=None)
def complete():
    """Digests of the recording that nothing disturbed."""
    path, count = large_capture()
    with harness.work_dir() as folder:
        result = harness.record(path, folder / "a.db")
        assert (result.returncode, result.stderr) == (0, ""), result
        found = digests(folder / "a.db")
    assert len(found) == count, (len(found), count)
    return found


class Kills(unittest.TestCase):
    def kill_after(self, size, folder):
        """SIGKILL when about `size` bytes were read: the database."""
        database = folder / "a.db"
        with open(large_capture()[0], "rb") as file, started(
                ["-q", "-r", "-", "-z", f"fieldedge,{database}"], stdin=subprocess.PIPE) as process:
            wait_until(lambda: has_begun(database) or not feed(process, file.read(512)),
                       "the beginning")
            while file.tell() < size and feed(process, file.read(4096)):
                pass
            if process.poll() is not None:
                self.fail(f"tshark ended by itself: {ended(process)}")
            process.kill()
            process.wait()
        return database

    def check(self, database):
        check_books(self, database)
        (status, packets), = query(database, "SELECT status, packets FROM captures")
        self.assertEqual(status, "interrupted")
        found = digests(database)
        self.assertEqual(len(found), packets)
        self.assertEqual(query(database, "SELECT count(*) FROM packets WHERE number <>"
                                         " packet_id & 0xffffffff"), [(0,)])
        if found:
            self.assertEqual(found[-1], complete()[len(found) - 1], "not a prefix of the whole")
        return packets

    def check_next(self, database):
        """The next recording goes into the same file."""
        give(database)
        result = harness.record(SITE, database)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(query(database, "SELECT id, status, packets FROM captures WHERE id > 1"),
                         [(2, "complete", 957)])
        check_books(self, database)

    def test_kills(self):
        random_source = random.Random(SEED)
        size = large_capture()[0].stat().st_size
        complete()
        # A part of the kills early, where one commit is all there is.
        moments = [random_source.randrange(size // 50) if i % 5 == 0 else
                   random_source.randrange(size - 4 * PIPE_BYTES) for i in range(KILLS)]

        def one(moment):
            with harness.work_dir() as folder:
                try:
                    database = self.kill_after(moment, folder)
                    packets = self.check(database)
                    self.check_next(database)
                    return packets, None
                except AssertionError as error:
                    return 0, f"killed after {moment} bytes: {error}"

        results = harness.in_parallel(one, moments)
        self.assertEqual([error for _, error in results if error], [])
        counts = {packets for packets, _ in results}
        self.assertGreater(len(counts), min(5, KILLS - 1, PACKETS // 10000),
                           "the kills were all in one place")


    def test_a_commit_holds_whole_packets(self):
        """Each packet brings a conversation and its label: a commit must not come between them."""
        def kill_at(part):
            with harness.work_dir() as folder:
                path = raw_capture(folder, [
                    struct.pack("!BBHHHBBH4s4s4H", 0x45, 0, 28, 0, 0, 64, 17, 0, bytes((10, 0, 0, 1)),
                                bytes((203, 0, 113, 9)), 1024 + i % 40000, 9000 + i // 40000, 8, 0)
                    for i in range(50000)])
                data, database = path.read_bytes(), folder / "a.db"
                with started(["-q", "-r", "-", "-z", f"fieldedge,{database}"],
                             stdin=subprocess.PIPE) as process:
                    feed(process, data[:len(data) // 10 * part])
                    process.kill()
                    process.wait()
                check_books(self, database)
                return (query(database, "SELECT count(*) FROM conversation WHERE application IS NULL"
                                        " OR label_source IS NULL OR packets_ab + packets_ba = 0"),
                        query(database, "SELECT packets > 0 FROM captures"))
        for result in harness.in_parallel(kill_at, (5, 6, 7, 8, 9)):
            self.assertEqual(result, ([(0,)], [(1,)]))


class Signals(unittest.TestCase):
    def test_while_reading(self):
        """tshark ends by itself with 2, and what was read is recorded."""
        def one(number):
            data = large_capture()[0].read_bytes()
            with harness.work_dir() as folder:
                database = folder / "a.db"
                with started(["-q", "-r", "-", "-z", f"fieldedge,{database}"],
                             stdin=subprocess.PIPE) as process:
                    half = len(data) // 2
                    feed(process, data[:half])
                    process.send_signal(number)
                    for at in range(half, len(data), 4096):
                        if not feed(process, data[at:at + 4096]):
                            break
                    close_stdin(process)
                    code, said = ended(process)
                files = sorted(path.name for path in folder.iterdir())
                check_books(self, database)
                found = digests(database)
                return (code, [line for line in said.splitlines() if "fieldedge" in line],
                        query(database, "SELECT status FROM captures"), found, files)
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                code, said, captures, found, files = one(number)
                self.assertEqual((code, said, captures), (2, [], [("interrupted",)]))
                self.assertEqual(files, ["a.db"], "the file was not closed")
                self.assertGreater(len(found), 0)
                self.assertLess(len(found), len(complete()))
                self.assertEqual(found[-1], complete()[len(found) - 1])


class CutShort(unittest.TestCase):
    def test_every_packet_up_to_the_cut(self):
        with harness.work_dir() as folder:
            whole = folder / "whole.pcap"
            subprocess.run(["editcap", "-F", "pcap", SITE, whole], check=True)
            data = whole.read_bytes()
            ends = [24]
            while ends[-1] < len(data):
                size = int.from_bytes(data[ends[-1] + 8:ends[-1] + 12], "little")
                ends.append(ends[-1] + 16 + size)
            random_source = random.Random(SEED)
            for offset in [*random_source.sample(range(25, len(data)), 4), ends[1] + 3, ends[7],
                           ends[7] + 16, len(data) - 1]:
                with self.subTest(offset):
                    cut = folder / f"cut-{offset}.pcap"
                    cut.write_bytes(data[:offset])
                    cut.chmod(0o644)
                    is_whole = offset in ends
                    result = harness.record(cut, folder / f"{offset}.db")
                    self.assertEqual(result.returncode, 0 if is_whole else 2, result.stderr)
                    self.assertEqual(
                        query(folder / f"{offset}.db", "SELECT file, status, packets FROM captures"),
                        [(str(cut), "complete" if is_whole else "cut short",
                          sum(end <= offset for end in ends) - 1)])
                    check_books(self, folder / f"{offset}.db")

    def test_own_captures(self):
        for name in ("cut-short.pcapng", "cut-short.pcap.gz"):
            with self.subTest(name), harness.work_dir() as folder:
                path = harness.OWN_CAPTURES / name
                result = harness.record(path, folder / "a.db")
                rows, code = harness.table(path, ["frame.number"])
                self.assertEqual((result.returncode, code), (2, 2))
                self.assertEqual(query(folder / "a.db", "SELECT status, packets FROM captures"),
                                 [("cut short", len(rows))])
                check_books(self, folder / "a.db")

    def test_two_recordings(self):
        """Both say it, and the one that fails does not take the other along."""
        with harness.work_dir() as folder:
            result = harness.run_tshark(["-q", "-r", harness.OWN_CAPTURES / "cut-short.pcapng",
                                         "-z", f"fieldedge,{folder / 'a.db'}",
                                         "-z", f"fieldedge,{folder / 'b.db'},tcp"])
            self.assertEqual(result.returncode, 2)
            for name in ("a.db", "b.db"):
                self.assertEqual(query(folder / name, "SELECT status FROM captures"), [("cut short",)])


if __name__ == "__main__":
    harness.run_module()
