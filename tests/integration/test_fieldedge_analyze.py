#!/usr/bin/python3
# test_fieldedge_analyze.py: stored results change nothing that is written, and nothing that goes wrong
# changes them; older databases
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import time
import unittest

from test_fieldedge_support import COMMAND, SECOND, SOURCE, TestCase

READERS = (("conversations",), ("conversations", "--each"), ("intervals",), ("periods",),
           ("periods", "--all-groups"), ("summary",), ("hosts",))
SELECTIONS = ((), ("--local",), ("--all",), ("--capture", "1"), ("--where", "application=UDP_A"),
              ("--sort", "packets", "--top", "3"))


class Databases(TestCase):
    """What both have in common."""

    def make(self, name="site.db", conversations=60, seed=3):
        chance = random.Random(seed)
        database = self.database(name)
        for number in (1, 2):
            capture = database.capture(base=(1700000000 + number * 5000) * SECOND)
            for _ in range(conversations // 2):
                start, every = 1700000000 + number * 5000, chance.randrange(5, 60)
                a, b = chance.sample(["10.0.0.1", "10.0.0.2", "8.8.8.8", "9.9.9.9"], 2)
                database.conversation(capture, a, b, f"UDP_{chance.choice('AB')}", [
                    (int((start + i * every + chance.random()) * SECOND), chance.randrange(2),
                     chance.choice([60, 90, 91]), 0, *chance.choice([(0, 0), (0, 0), (1, 1)]))
                    for i in range(chance.randrange(1, 50))], local=chance.random() < 0.3)
        return database.finish()

    @contextlib.contextmanager
    def sql(self, path, **more):
        with contextlib.closing(sqlite3.connect(path, **more)) as sql:
            yield sql

    def as_nobody(self, *arguments):
        drop = [] if os.getuid() else ["setpriv", "--reuid=65534", "--regid=65534",
                                       "--clear-groups"]
        return subprocess.run([*drop, COMMAND, *map(str, arguments)], capture_output=True,
                              text=True, check=False)


class Analyze(Databases):
    def results(self, path):
        """All that is stored."""
        with self.sql(path) as sql:
            self.assertEqual(sql.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            self.assertEqual(sql.execute("PRAGMA foreign_key_check").fetchall(), [])
            return {table: sql.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
                    for table in ("analysis", "result_pair", "result_interval",
                                  "result_period_group", "result_period", "result_verdict")}

    def written(self, path):
        """What every command writes, as bytes."""
        return {(*command, *selection, format_):
                self.succeed(*command, path, *selection, "-f", format_, text=False)
                for command in READERS for selection in SELECTIONS
                for format_ in ("table", "json", "jsonl", "csv")
                if not ("--sort" in selection and (command[0] != "intervals"))}

    def test_output_is_the_same_byte_for_byte(self):
        path = self.make()
        before = self.written(path)
        self.assertEqual(self.succeed("analyze", path), "")
        with self.sql(path) as sql:
            self.assertGreater(sql.execute("SELECT count(*) FROM periods").fetchone()[0], 10)
        after = self.written(path)
        for key, text in before.items():
            self.assertEqual(after[key], text, key)
        first = self.results(path)
        self.succeed("analyze", path)
        second = self.results(path)
        self.assertNotEqual(first.pop("analysis"), second.pop("analysis"))  # its time
        self.assertEqual(first, second)

    def test_views_say_what_the_commands_do(self):
        path = self.make()
        self.succeed("analyze", path)
        rows = json.loads(self.succeed("intervals", path, "-f", "json"))
        groups = json.loads(self.succeed("periods", path, "-f", "json", "--all-groups"))
        shown = json.loads(self.succeed("periods", path, "-f", "json"))
        ns = lambda value: None if value is None else round(value * SECOND)
        with self.sql(path) as sql:
            self.assertEqual(sql.execute(
                "SELECT host_a, host_b, application, direction, frame_bytes, packets, mean_ns,"
                " median_ns, mad_ns FROM intervals WHERE NOT is_local").fetchall(),
                [tuple(row[key] for key in ("host_a", "host_b", "application", "direction",
                                            "size_low", "packets")) +
                 tuple(ns(row[key]) for key in ("mean", "median", "mad")) for row in rows])
            self.assertEqual(sql.execute(
                "SELECT host_a, host_b, application, conversation_id, direction, frame_bytes,"
                " events, verdict, score FROM period_groups WHERE NOT is_local").fetchall(),
                [tuple(group[key] for key in ("host_a", "host_b", "application", "conversation_id",
                                              "direction", "size_bytes", "events", "verdict",
                                              "score")) for group in groups])
            self.assertEqual(sql.execute(
                "SELECT application, direction, period_ns, kind, bytes_per_cycle FROM periods"
                " WHERE NOT is_local AND NOT is_repeat").fetchall(),
                [(group["application"], group["direction"], ns(period["period_s"]),
                  period["kind"], period["bytes_per_cycle"])
                 for group in shown for period in group["periods"]])
            self.assertEqual({verdict for verdict, in sql.execute(
                "SELECT DISTINCT verdict FROM periods WHERE NOT is_repeat")}, {"periodic"})

    def test_new_packets_and_captures_are_seen(self):
        path = self.make()
        self.succeed("analyze", path)
        with self.sql(path) as sql:
            sql.execute("INSERT INTO packet SELECT max(id) + 1, time + 1, conversation, 1400,"
                        " link_bytes, 0, kind, 0, NULL FROM packet")
            sql.execute("UPDATE capture SET packets = packets + 1 WHERE id = 2")
            sql.commit()
        sizes = {row["size_high"] for row in json.loads(self.succeed("intervals", path, "-f", "json",
                                                                     "--all"))}
        self.assertIn(1400, sizes)
        with self.sql(path) as sql:
            sql.execute("PRAGMA foreign_keys = ON")
            sql.execute("DELETE FROM packet WHERE id >= 1 << 32")
            sql.execute("DELETE FROM capture WHERE id = 2")
            sql.commit()
            self.assertEqual(sql.execute("SELECT count(*) FROM intervals").fetchone()[0], 0)
        self.succeed("analyze", path)
        self.assertEqual(len(self.results(path)["analysis"]), 1)

    # ---- What goes wrong ----

    def test_read_only_file(self):
        path = self.make()
        path.chmod(0o444)
        self.folder.chmod(0o555)
        before = path.read_bytes()
        result = self.as_nobody("analyze", path)
        self.folder.chmod(0o755)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, f"fieldedge: {path}: the database is read-only; "
                                        "make the file and its folder writable\n")
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(os.listdir(self.folder), ["site.db"])

    def test_locked_database(self):
        path = self.make()
        self.succeed("analyze", path)
        before = self.results(path)
        for mode in ("DELETE", "WAL"):
            with self.sql(path, isolation_level=None) as sql:
                sql.execute(f"PRAGMA journal_mode = {mode}")
                sql.execute("BEGIN IMMEDIATE")
                self.fail_with(1, [f"{path}: ", "locked by another program"], "analyze", path)
            self.assertEqual(self.results(path), before)

    def test_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("a small file system needs root")
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
        try:
            path = disk / "site.db"
            path.write_bytes(self.make(conversations=20).read_bytes())
            self.succeed("analyze", path)
            before = self.results(path)
            with open(disk / "fill", "wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass
            self.fail_with(1, [f"{path}: ", "disk is full"], "analyze", path)
            (disk / "fill").unlink()
            self.assertEqual(self.results(path), before)
            self.succeed("analyze", path)
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_killed_at_any_moment(self):
        """The old results or the new ones, never a part."""
        path = self.make(conversations=400)
        started = time.monotonic()
        self.succeed("analyze", path)
        length = time.monotonic() - started
        expected = self.results(path)
        expected.pop("analysis")
        chance = random.Random(1)
        for mode in ("WAL", "DELETE"):
            with self.sql(path) as sql:
                sql.execute(f"PRAGMA journal_mode = {mode}")
            for _ in range(12):
                with subprocess.Popen([COMMAND, "analyze", path]) as process:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(chance.random() * length)
                    process.kill()
                found = self.results(path)
                self.assertEqual(len(found.pop("analysis")), 1)
                self.assertEqual(found, expected)
        self.succeed("analyze", path)

    def test_not_ours(self):
        self.fail_with(1, ["no such file"], "analyze", self.folder / "none.db")
        with self.sql(self.folder / "foreign.db") as sql:
            sql.execute("CREATE TABLE t (x)")
        self.fail_with(1, ["another program"], "analyze", self.folder / "foreign.db")


def names(sql, kind):
    return {row[0] for row in sql.execute("SELECT name FROM sqlite_schema WHERE type = ?", (kind,))}


def columns(sql, table):
    return {row[0] for row in sql.execute("SELECT name FROM pragma_table_info(?)", (table,))}


class Older(Databases):
    """Databases of version 1: schema.sql alone, and a view of the user's own."""

    def older(self, name="older.db"):
        path = self.make()
        first = sqlite3.connect(":memory:")
        first.executescript((SOURCE / "schema" / "schema.sql").read_text(encoding="utf-8"))
        with contextlib.closing(first), self.sql(path) as sql:
            views = dict(sql.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view'"))
            for view in views:
                sql.execute(f"DROP VIEW {view}")
            for kind in ("trigger", "table"):
                wanted = names(first, kind)
                for extra in sorted(names(sql, kind) - wanted, reverse=True):
                    sql.execute(f"DROP {kind} {extra}")
            for table in names(first, "table"):
                for column in columns(sql, table) - columns(first, table):
                    sql.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
            self.assertEqual(names(sql, "table"), names(first, "table"))
            sql.execute("PRAGMA user_version = 1")
            sql.execute("CREATE VIEW mine AS SELECT count(*) AS n FROM packet")
            sql.commit()
        return path.rename(self.folder / name)

    def version(self, path):
        with self.sql(path) as sql:
            return sql.execute("PRAGMA user_version").fetchone()[0]

    def test_reading_brings_it_up_to_date(self):
        now = self.make("now.db")
        for command in READERS:
            path = self.older()
            self.assertEqual(self.succeed(*command, path), self.succeed(*command, now))
            self.assertEqual(self.version(path), 2)
            with self.sql(path) as sql:
                self.assertEqual(sql.execute("SELECT n > 0 FROM mine").fetchone()[0], 1)
                self.assertEqual(sql.execute("SELECT count(*) FROM periods").fetchone()[0], 0)
            self.succeed("analyze", path)
            path.unlink()

    def test_it_cannot_be_written(self):
        for mode in ("DELETE", "WAL"):
            path = self.older(f"{mode}.db")
            with self.sql(path) as sql:
                sql.execute(f"PRAGMA journal_mode = {mode}")
            for file, folder in ((0o444, 0o555), (0o444, 0o777), (0o666, 0o555)):
                path.chmod(file)
                self.folder.chmod(folder)
                for command in ("summary", "analyze"):
                    result = self.as_nobody(command, path)
                    self.assertEqual(result.returncode, 1)
                    self.assertIn(f"fieldedge: {path}: the database has", result.stderr)
                    self.assertIn("may only be read, so it cannot be brought to version 2; make the"
                                  " file and its folder writable", result.stderr)
                    self.assertEqual(result.stderr.count("\n"), 1)
                self.folder.chmod(0o755)
                path.chmod(0o644)
            self.assertEqual(self.version(path), 1)

    def test_locked(self):
        path = self.older()
        with self.sql(path, isolation_level=None) as sql:
            sql.execute("BEGIN IMMEDIATE")
            self.fail_with(1, [f"{path}: ", "locked by another program"], "summary", path)
        self.assertEqual(self.version(path), 1)

    def test_two_commands_at_once(self):
        path = self.older()
        processes = [subprocess.Popen([COMMAND, "intervals", path], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True) for _ in range(6)]
        said = [process.communicate() for process in processes]
        self.assertEqual([process.returncode for process in processes], [0] * 6, said)
        self.assertEqual(len({text for text, _ in said}), 1)


if __name__ == "__main__":
    unittest.main()
