#!/usr/bin/python3
# test_fieldedge_errors.py: what the command says of databases it cannot read and of wrong command lines
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import os
import sqlite3
import subprocess
import unittest

from test_fieldedge_support import COMMAND, SECOND, TestCase, run

COMMANDS = ("summary", "series", "conversations", "intervals", "periods", "analyze", "hosts")


class Errors(TestCase):
    def good(self, name="site.db"):
        database = self.database(name)
        database.conversation(database.capture(), "10.0.0.1", "8.8.8.8", "TCP_A", [(SECOND, 0, 60)])
        return database.finish()

    def refused(self, path, *words):
        for command in COMMANDS:
            self.fail_with(1, [f"fieldedge: {path}: ", *words], command, path)

    def test_missing_directory_and_device(self):
        self.refused(self.folder / "missing.db", "no such file")
        self.refused(self.folder, "directory")
        self.refused("/dev/null", "not a regular file")

    def test_not_a_database(self):
        text = self.folder / "text.db"
        text.write_text("This is not a database. " * 200)
        self.refused(text, "not an SQLite database")
        empty = self.folder / "empty.db"
        empty.touch()
        self.refused(empty, "empty")
        self.assertEqual(empty.stat().st_size, 0)

    def test_foreign_and_newer(self):
        foreign = self.folder / "foreign.db"
        with contextlib.closing(sqlite3.connect(foreign)) as sql:
            sql.execute("CREATE TABLE t (x)")
        self.refused(foreign, "another program")
        newer = self.good("newer.db")
        with contextlib.closing(sqlite3.connect(newer)) as sql:
            sql.execute("PRAGMA user_version = 99")
        self.refused(newer, "99", "update FieldEdge")

    def test_damaged(self):
        path = self.good()
        data = bytearray(path.read_bytes())
        for offset in range(4096, len(data)):
            data[offset] = 0xa5
        path.write_bytes(data)
        for command in COMMANDS:
            self.fail_with(1, [f"fieldedge: {path}: "], command, path)

    def test_locked(self):
        path = self.good()
        sql = sqlite3.connect(path, isolation_level=None)
        sql.execute("BEGIN EXCLUSIVE")
        self.fail_with(1, [f"{path}: ", "locked by another program"], "summary", path)
        sql.close()

    def as_nobody(self, *arguments):
        """As another user, for whom permissions count."""
        drop = [] if os.getuid() else ["setpriv", "--reuid=65534", "--regid=65534",
                                       "--clear-groups"]
        return subprocess.run([*drop, COMMAND, *map(str, arguments)], capture_output=True,
                              text=True, check=False)

    def test_unreadable(self):
        path = self.good()
        self.folder.chmod(0o755)
        path.chmod(0)
        result = self.as_nobody("summary", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"fieldedge: {path}: the file cannot be read", result.stderr)

    def test_read_only_folder(self):
        path = self.good()
        sql = sqlite3.connect(path)
        sql.execute("PRAGMA journal_mode = WAL")
        sql.close()
        path.chmod(0o444)
        self.folder.chmod(0o555)
        result = self.as_nobody("series", path, "-f", "csv")
        self.folder.chmod(0o755)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("TCP_A,1.000000000,60", result.stdout)
        self.assertEqual(os.listdir(self.folder), ["site.db"])

    def test_reads_while_a_recording_goes_on(self):
        path = self.good()
        sql = sqlite3.connect(path, isolation_level=None)
        sql.execute("PRAGMA journal_mode = WAL")
        sql.execute("BEGIN IMMEDIATE")
        sql.execute("INSERT INTO packet SELECT id + 1, time + 1, conversation, 61, link_bytes, 0,"
                    " kind, 0, NULL FROM packet")
        lines = self.succeed("series", path, "-f", "csv").splitlines()
        self.assertEqual(len(lines), 2)
        sql.execute("COMMIT")
        self.assertEqual(len(self.succeed("series", path, "-f", "csv").splitlines()), 3)
        sql.close()

    def test_names_that_sqlite_would_read_otherwise(self):
        for name in ("file:x?mode=memory.db", "a b#%41.db", ":memory:", "-x.db", "ä.db"):
            path = self.good(name) if name != ":memory:" else self.good("m").rename(
                self.folder / name)
            self.assertIn("TCP_A", self.succeed("summary", path))
        result = run("summary", "--", "-x.db", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_usage(self):
        path = self.good()
        for arguments in ((), ("nonsense",), ("--nonsense",), ("summary",), ("summary", path, path),
                          ("summary", "--nonsense", path), ("summary", path, "--all", "--local"),
                          ("summary", path, "--capture", "x"), ("summary", path, "--capture", "-1"),
                          ("summary", path, "--format", "xml"), ("series", path, "--bytes", "all"),
                          ("summary", path, "--section", "none"), ("process",), ("analyze",),
                          ("analyze", path, path), ("analyze", path, "--all"),
                          ("series", path, "--by", "nothing"), ("series", path, "--by", ""),
                          ("series", path, "--bin", "0"), ("series", path, "--bin", "x"),
                          ("series", path, "--sort", "bytes", "--format", "csv"),
                          ("summary", path, "--zone", "Europe/Nowhere"),
                          ("summary", path, "--where", "x"), ("summary", path, "--top", "0"),
                          ("process", "x.pcap"), ("process", "-o", "x.db")):
            self.fail_with(2, ["--help"], *arguments)

    def test_help_and_version(self):
        self.assertRegex(self.succeed("--version"), r"^fieldedge \d+\.\d+\.\d+\n$")
        for command in COMMANDS + ("process",):
            self.assertIn(f"  {command} ", self.succeed("--help"))
            for option in ("--help", "-h"):
                text = self.succeed(command, option)
                self.assertTrue(text.startswith(f"Usage:\n  fieldedge {command} [OPTION"), text)
                self.assertIn("Examples:\n", text)
                self.assertLessEqual(max(map(len, text.splitlines())), 80, text)


if __name__ == "__main__":
    unittest.main()
