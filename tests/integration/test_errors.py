# test_errors.py
# What a wrong argument, a wrong file, a lock and a full disk get: one clear sentence, a non-zero exit
# code, and whatever was there before as it was.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import os
import shutil
import sqlite3
import subprocess
import unittest

import harness
from behaviour import (SITE, check_books, close_stdin, ended, feed, give, query, snapshot, started,
                       wait_for_packets, wait_until)

SHORT = harness.OWN_CAPTURES / "two-interfaces.pcapng"
LONG_PACKETS = 30000  # three commits at least


def setUpModule():
    harness.build_dir()


def digest(database):
    """Of a file that is open here: reading it in this process would drop SQLite's locks on it."""
    return subprocess.run(["sha256sum", database], capture_output=True, check=True).stdout


def sentence(test, result):
    """The one line that the plugin said; nothing else is on stderr."""
    lines = result.stderr.splitlines()
    test.assertEqual(len(lines), 1, result.stderr)
    test.assertTrue(lines[0].startswith("fieldedge: "), lines[0])
    return lines[0]


def long_capture(folder):
    """A capture of LONG_PACKETS packets and more."""
    path = folder / "long.pcapng"
    packets = query(harness.recording(SITE)[0], "SELECT packets FROM capture")[0][0]
    copies = LONG_PACKETS // packets + 1
    subprocess.run(["mergecap", "-a", "-w", path, *[SITE] * copies], check=True)
    path.chmod(0o644)
    return path, copies * packets


@contextlib.contextmanager
def small_disk(test, size):
    """A file system of that size; needs root."""
    if os.geteuid() != 0:
        test.skipTest("a small file system needs root")
    with harness.work_dir() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs",
                                  folder], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            test.skipTest(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


def fill(folder, leave=0):
    """Takes all but `leave` bytes of a small disk."""
    with open(folder / "fill", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    size = (folder / "fill").stat().st_size
    os.truncate(folder / "fill", max(0, size - leave))


class Refused(unittest.TestCase):
    """What is wrong is found before anything is written."""

    def refuse(self, argument, folder, *words, more=()):
        """-z ARGUMENT is refused with one sentence that has all words, and the folder stays."""
        before = snapshot(folder)
        result = harness.run_tshark(["-q", "-r", SITE, "-z", argument, *more], cwd=folder)
        said = sentence(self, result)
        for word in words:
            self.assertIn(word, said)
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(snapshot(folder), before)
        return said

    def recorded(self, folder):
        """A database with one capture."""
        database = folder / "ours.db"
        shutil.copy(harness.recording(SITE)[0], database)
        return give(database)

    def test_arguments(self):
        with harness.work_dir() as folder:
            for argument in ("fieldedge", "fieldedge,", "fieldedge,,tcp", "fieldedgex,a.db",
                             "fieldedge.db", "fieldedge a.db"):
                with self.subTest(argument):
                    self.refuse(argument, folder, f"-z {argument}:", "Write -z fieldedge,FILE")

    def test_filter(self):
        with harness.work_dir() as folder:
            database = folder / "a.db"
            for filter in ("tcp.no_such_field", "ip.addr ==", "tcp and", "frame.len > x"):
                with self.subTest(filter):
                    self.refuse(f"fieldedge,{database},{filter}", folder, filter, "invalid")
            self.recorded(folder)
            self.refuse(f"fieldedge,{folder / 'ours.db'},tcp and", folder, "tcp and")

    def test_paths(self):
        with harness.work_dir() as folder:
            (folder / "closed").mkdir(mode=0o555)
            (folder / "folder").mkdir()
            for name, *words in (
                    ("none/a.db", "there is no directory", "Create it"),
                    ("closed/a.db", "cannot be written", "permissions"),
                    ("folder", "is a directory", "Name a file in it"),
                    ("ours.db/a.db", "ours.db/a.db", "Not a directory")):
                self.recorded(folder)
                with self.subTest(name):
                    self.refuse(f"fieldedge,{folder / name}", folder, str(folder / name), *words)
            self.refuse("fieldedge,/dev/null", folder, "/dev/null", "not a regular file")

    def test_foreign_files(self):
        with harness.work_dir() as folder:
            for text in ("hello\n", "", "time,bytes\n" * 1000):
                (folder / "text").write_text(text, "ascii")
                give(folder / "text")
                if text:
                    with self.subTest(text[:10]):
                        self.refuse(f"fieldedge,{folder / 'text'}", folder, "text",
                                    "not an SQLite database", "another")
            for name, sql in (("tables", "CREATE TABLE t (a); INSERT INTO t VALUES (1)"),
                              ("view", "CREATE VIEW capture AS SELECT 1"),
                              ("application", "PRAGMA application_id = 1"),
                              ("version", "PRAGMA user_version = 1")):
                database = folder / f"{name}.db"
                with contextlib.closing(sqlite3.connect(database)) as connection:
                    connection.executescript(sql)
                give(database)
                with self.subTest(name):
                    self.refuse(f"fieldedge,{database}", folder, str(database), "another program",
                                "choose another file")

    def test_newer_schema(self):
        with harness.work_dir() as folder:
            database = self.recorded(folder)
            with contextlib.closing(sqlite3.connect(database)) as connection:
                connection.execute("PRAGMA journal_mode = DELETE")
                connection.execute("PRAGMA user_version = 99")
            self.refuse(f"fieldedge,{database}", folder, str(database), "99", "update FieldEdge")

    def test_read_only(self):
        with harness.work_dir() as folder:
            database = self.recorded(folder)
            database.chmod(0o444)
            self.refuse(f"fieldedge,{database}", folder, str(database), "permissions")
        with harness.work_dir() as folder:
            (folder / "closed").mkdir()
            database = self.recorded(folder / "closed")
            (folder / "closed").chmod(0o555)
            self.refuse(f"fieldedge,{database}", folder, str(database), "permissions")

    def test_locked(self):
        """In WAL mode the lock stops writers, in journal mode readers too."""
        def locked(mode):
            with harness.work_dir() as folder:
                database = self.recorded(folder)
                with contextlib.closing(sqlite3.connect(database, isolation_level=None,
                                                        check_same_thread=False)) as connection:
                    connection.execute(f"PRAGMA journal_mode = {mode}")
                    connection.execute("BEGIN EXCLUSIVE")
                    before = digest(database)
                    result = harness.record(SITE, database)
                    self.assertEqual(digest(database), before)
                    connection.execute("ROLLBACK")
                return result, query(database, "SELECT status FROM captures")
        for result, captures in harness.in_parallel(locked, ["WAL", "DELETE"]):
            said = sentence(self, result)
            self.assertIn("ours.db", said)
            self.assertIn("locked by another program", said)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(captures, [("complete",)])

    def test_damaged(self):
        with harness.work_dir() as folder:
            for name, spoil in (
                    ("cut", lambda data: data[:len(data) // 2]),
                    ("schema", lambda data: data[:100] + bytes(2000) + data[2100:]),
                    ("short", lambda data: data[:3000])):
                database = folder / f"{name}.db"
                database.write_bytes(spoil(harness.recording(SITE)[0].read_bytes()))
                give(database)
                with self.subTest(name):
                    result = harness.record(SITE, database)
                    said = sentence(self, result)
                    self.assertIn(str(database), said)
                    self.assertRegex(said, "damaged|malformed")
                    self.assertEqual(result.returncode, 1)

    def test_preferences(self):
        with harness.work_dir() as folder:
            database = folder / "a.db"
            for networks in ("rubbish", "10.0.0.0/33", "10.0.0.1.2", "2001:db8::/129", "10.0.0.0/8,,x"):
                with self.subTest(networks):
                    self.refuse(f"fieldedge,{database}", folder, "fieldedge.local_networks",
                                more=["-o", f"fieldedge.local_networks:{networks}"])

    def test_unreadable_capture(self):
        """tshark itself refuses: no database is left."""
        with harness.work_dir() as folder:
            (folder / "text.pcap").write_text("no capture\n" * 9, "ascii")
            for args in (["-r", folder / "text.pcap"], ["-r", folder / "none.pcap"],
                         ["-r", SITE, "-Y", "tcp and"], ["-r", SITE, "-T", "fields"]):
                with self.subTest(args):
                    result = harness.run_tshark(["-q", *args, "-z", f"fieldedge,{folder}/a.db"])
                    self.assertNotEqual(result.returncode, 0)
                    self.assertEqual(list(snapshot(folder)), ["text.pcap"])


class Several(unittest.TestCase):
    """Several -z fieldedge in one run, and several runs."""

    def test_filters(self):
        with harness.work_dir() as folder:
            filters = {"all.db": None, "tcp.db": "tcp", "sized.db": "frame.len in {60..100}"}
            args = [word for name, filter in filters.items() for word in
                    ("-z", f"fieldedge,{folder / name}" + (f",{filter}" if filter else ""))]
            result = harness.run_tshark(["-q", "-r", SITE, *args])
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            for name, filter in filters.items():
                with self.subTest(name):
                    more = ["-Y", filter] if filter else []
                    wanted = harness.table(SITE, ["frame.number"], more)[0]
                    got = query(folder / name, "SELECT number FROM packets ORDER BY packet_id")
                    self.assertEqual([number for number, in got], [int(row[0]) for row in wanted])
                    self.assertEqual(query(folder / name, "SELECT status, filter FROM captures"),
                                     [("complete", filter)])
                    check_books(self, folder / name)

    def test_one_cannot_begin(self):
        """The other is as if it had not been asked for: no capture is half there."""
        with harness.work_dir() as folder:
            old = folder / "old.db"
            shutil.copy(harness.recording(SITE)[0], old)
            give(old)
            result = harness.run_tshark(["-q", "-r", SITE, "-z", f"fieldedge,{folder / 'new.db'}",
                                         "-z", f"fieldedge,{old}",
                                         "-z", f"fieldedge,{folder / 'none' / 'a.db'}"])
            self.assertIn("there is no directory", sentence(self, result))
            self.assertEqual(result.returncode, 1)
            self.assertEqual(list(snapshot(folder)), ["old.db"])
            self.assertEqual(query(old, "SELECT id, status FROM captures"), [(1, "complete")])
            check_books(self, old)

    def test_same_database_twice(self):
        with harness.work_dir() as folder:
            os.symlink("a.db", folder / "link.db")
            for other in ("a.db", "./a.db", "link.db"):
                with self.subTest(other):
                    result = harness.run_tshark(["-q", "-r", SITE, "-z", "fieldedge,a.db",
                                                 "-z", f"fieldedge,{other},tcp"], cwd=folder)
                    self.assertIn("another recording is writing", sentence(self, result))
                    self.assertEqual(result.returncode, 1)
                    self.assertEqual(list(snapshot(folder)), [])

    def test_same_database_in_two_processes(self):
        """The second is refused, the first does not notice."""
        with harness.work_dir() as folder:
            database = folder / "a.db"
            with started(["-q", "-r", "-", "-z", f"fieldedge,{database}"],
                         stdin=subprocess.PIPE) as first:
                data = SITE.read_bytes()
                feed(first, data[:60000])
                wait_for_packets(database, 1)
                result = harness.record(SHORT, database)
                self.assertIn("another recording is writing", sentence(self, result))
                self.assertEqual(result.returncode, 1)
                feed(first, data[60000:])
                close_stdin(first)
                self.assertEqual(ended(first), (0, ""))
            self.assertEqual(harness.record(SHORT, database).returncode, 0)
            self.assertEqual(query(database, "SELECT id, status, packets FROM captures"),
                             [(1, "complete", 957), (2, "complete", 92)])
            check_books(self, database)


class Failing(unittest.TestCase):
    """A recording that fails in the middle; a trigger stands for whatever makes SQLite say no."""

    def fail(self, folder, table, condition, path):
        """Records `path` into a database that refuses such rows, beside a good one."""
        database = folder / "a.db"
        shutil.copy(harness.recording(SITE)[0], database)
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute(f"CREATE TRIGGER no BEFORE INSERT ON {table} WHEN {condition}"
                               " BEGIN SELECT RAISE(ABORT, 'no'); END")
        give(database)
        rows = query(database, "SELECT * FROM packets")
        result = harness.run_tshark(["-q", "-r", path, "-z", f"fieldedge,{database}",
                                     "-z", f"fieldedge,{folder / 'b.db'}", "-z", "io,stat,0"])
        self.assertIn(str(database), sentence(self, result))
        self.assertEqual(result.returncode, 1)
        self.assertIn("IO Statistics", result.stdout)
        self.assertEqual(query(folder / "b.db", "SELECT status FROM captures"), [("complete",)])
        self.assertEqual(query(database, "SELECT * FROM packets WHERE capture_id = 1"), rows)
        self.assertEqual(query(database, "SELECT status FROM captures"), [("complete",), ("failed",)])
        check_books(self, database)
        return query(database, "SELECT packets FROM captures WHERE id = 2")[0][0]

    def test_in_the_middle(self):
        with harness.work_dir() as folder:
            count = self.fail(folder, "packet", "NEW.id & 0xffffffff = 25000", long_capture(folder)[0])
            self.assertTrue(10000 <= count < 25000, count)

    def test_at_the_end(self):
        """What a short capture has is written when it is over."""
        for table, condition in (("conversation", "NEW.capture = 2 AND NEW.transport = 'TCP'"),
                                 ("host", "NEW.text = '198.51.100.50'"),
                                 ("packet_kind", "1")):
            with self.subTest(table), harness.work_dir() as folder:
                self.assertEqual(self.fail(folder, table, condition, harness.OWN_CAPTURES /
                                           "zero-window.pcapng"), 0)


class FullDisk(unittest.TestCase):
    def test_at_opening(self):
        with small_disk(self, "1m") as disk:
            fill(disk)
            before = snapshot(disk)
            result = harness.record(SITE, disk / "a.db")
            said = sentence(self, result)
            self.assertIn(str(disk / "a.db"), said)
            self.assertRegex(said, "disk is full")
            self.assertEqual(result.returncode, 1)
            self.assertEqual(snapshot(disk), before)

    def test_at_opening_a_database(self):
        with small_disk(self, "1m") as disk:
            database = disk / "a.db"
            shutil.copy(harness.recording(SITE)[0], database)
            give(database)
            fill(disk)
            result = harness.record(SITE, database)
            self.assertRegex(sentence(self, result), "a.db: .*disk is full")
            self.assertEqual(result.returncode, 1)
            (disk / "fill").unlink()
            self.assertEqual(query(database, "SELECT id, status, packets FROM captures"),
                             [(1, "complete", 957)])
            check_books(self, database)

    def test_while_recording(self):
        """Earlier captures stay; the other recording and the other statistic of the run end well."""
        with small_disk(self, "1200k") as disk, harness.work_dir() as folder:
            long, packets = long_capture(folder)
            database = disk / "a.db"
            shutil.copy(harness.recording(SITE)[0], database)
            give(database)
            rows = query(database, "SELECT * FROM packets")
            result = harness.run_tshark(["-q", "-r", long, "-z", f"fieldedge,{folder / 'b.db'}",
                                         "-z", f"fieldedge,{database}", "-z", "io,stat,0"])
            said = sentence(self, result)
            self.assertIn(f"{database}: the disk is full", said)
            self.assertIn("Free some space", said)
            self.assertEqual(result.returncode, 1)
            self.assertIn("IO Statistics", result.stdout)
            self.assertEqual(query(folder / "b.db", "SELECT status, packets FROM captures"),
                             [("complete", packets)])
            (disk / "a.db-shm").unlink(missing_ok=True)  # room for a reader's
            captures = query(database, "SELECT status, packets FROM captures")
            self.assertEqual(captures[0], ("complete", 957))
            self.assertIn(captures[1][0], ("failed", "interrupted"))
            self.assertGreater(captures[1][1], 0)
            self.assertLess(captures[1][1], packets)
            self.assertEqual(query(database, "SELECT * FROM packets WHERE capture_id = 1"), rows)
            check_books(self, database)

    def test_live_is_told_at_once(self):
        """A run that keeps its packets nowhere else ends by itself; its source goes on."""
        with small_disk(self, "700k") as disk, harness.work_dir() as folder:
            data = long_capture(folder)[0].read_bytes()
            with started(["-q", "-i", "-", "-z", f"fieldedge,{disk / 'a.db'}"],
                         stdin=subprocess.PIPE) as process:
                for at in range(0, len(data), 4096):
                    if not feed(process, data[at:at + 4096]):
                        break
                code, said = ended_without_eof(process)
            self.assertEqual(code, 1)
            lines = [line for line in said.splitlines() if line.startswith("fieldedge: ")]
            self.assertEqual(len(lines), 1, said)
            self.assertIn("the disk is full", lines[0])
            self.assertNotEqual(query(disk / "a.db", "SELECT status FROM captures"), [("complete",)])
            check_books(self, disk / "a.db")


def ended_without_eof(process):
    """ended() of a process whose stdin stays open."""
    wait_until(lambda: process.poll() is not None, "the end of tshark")
    return process.returncode, process.stderr.read().decode("utf-8", "replace")


if __name__ == "__main__":
    harness.run_module()
