#!/usr/bin/python3
# test_fieldedge_damage.py: databases whose pages were overwritten.  A command answers as if nothing had
# happened, or says a sentence and fails; the tables it names own the pages, which SQLite's dbstat tells
# (or, where Python's SQLite has none, PRAGMA integrity_check).
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import json
import random
import re
import sqlite3
import unittest

from test_fieldedge_support import SECOND, TestCase, run

PAGE = 4096
SQL = "SELECT application, sum(ip_bytes) AS s, median(time_ns) AS m FROM packets GROUP BY 1"
COMMANDS = (("summary",), ("series",), ("conversations",), ("conversations", "--each"), ("intervals",), ("periods", "--all"),
            ("hosts",), ("sql", SQL))


def arguments(command, path):
    """The command line; the database comes before the SQL."""
    return (command[0], path, *command[1:], "-f", "json")


class Damage(TestCase):
    @classmethod
    def setUpClass(cls):
        case = cls()
        case.setUp()
        cls.addClassCleanup(case.doCleanups)
        database = case.database()
        source = random.Random(5)
        for number in (1, 2):
            capture = database.capture(base=1_700_000_000 * SECOND, file=f"site{number}.pcapng")
            for k in range(300):
                database.conversation(
                    capture, f"10.0.{k % 7}.{k % 251}", f"8.8.{k % 5}.{k % 253}", f"TCP_{k % 40}",
                    [(1_700_000_000 * SECOND + source.randrange(10**12), i % 2, 60 + i % 9)
                     for i in range(20)])
        path = database.finish()
        cls.good = path.read_bytes()
        with contextlib.closing(sqlite3.connect(path)) as sql:
            try:
                cls.owners = dict(sql.execute(
                    "SELECT pageno, ifnull((SELECT tbl_name FROM sqlite_schema s WHERE s.name = d.name),"
                    " d.name) FROM dbstat d"))
            except sqlite3.OperationalError:
                cls.owners = None
        cls.answers = {command: case.succeed(*arguments(command, path)) for command in COMMANDS}

    def damaged(self, change):
        data = bytearray(self.good)
        change(data)
        path = self.folder / "damaged.db"
        path.write_bytes(data)
        return path

    def ask(self, command, path):
        """The message, or None if the answer was whole; nothing between."""
        result = run(*arguments(command, path))
        self.assertIn(result.returncode, (0, 1), (command, result))
        if result.returncode == 0:
            self.assertEqual(result.stderr, "")
            json.loads(result.stdout)
            return None
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith(f"fieldedge: {path}: "), result.stderr)
        with self.assertRaises(ValueError, msg=result.stdout):
            json.loads(result.stdout)
        return result.stderr

    def tables_of(self, message):
        found = re.search(r"; damaged: ([a-z_, ]+)\)", message)
        return set(found.group(1).split(", ")) if found else set()

    def test_whole_pages(self):
        source = random.Random(11)
        pages = len(self.good) // PAGE
        self.assertGreater(pages, 100)
        failures = 0
        for page in sorted(source.sample(range(2, pages + 1), 15)):
            def overwrite(data, page=page):
                data[(page - 1) * PAGE:page * PAGE] = b"\xa5" + source.randbytes(PAGE - 1)
            path = self.damaged(overwrite)
            for command in COMMANDS:
                message = self.ask(command, path)
                if message is None:  # it did not need the page
                    self.assertEqual(self.succeed(*arguments(command, path)), self.answers[command])
                    continue
                failures += 1
                self.assertIn("the database is damaged", message)
                self.assertIn(".dump", message)
                if self.owners is not None:
                    self.assertEqual(self.tables_of(message), {self.owners[page]}, message)
        self.assertGreater(failures, 15)

    def test_bytes(self):
        """Random bytes anywhere: SQLite cannot notice all of them, but nothing crashes or looks whole."""
        source = random.Random(13)
        for _ in range(15):
            def scatter(data):
                for _ in range(source.choice((1, 10, 200))):
                    data[source.randrange(100, len(data))] = source.randrange(256)
            path = self.damaged(scatter)
            for command in COMMANDS:
                self.ask(command, path)

    def test_first_page(self):
        def overwrite(data):
            data[100:PAGE] = b"\xa5" * (PAGE - 100)
        path = self.damaged(overwrite)
        for command in COMMANDS:
            message = self.ask(command, path)
            self.assertIn("damaged: its list of tables", message)

    def test_cut_short(self):
        """The end of the file is missing, as after a copy that broke off."""
        path = self.folder / "damaged.db"
        for size in (50, PAGE, 10 * PAGE, len(self.good) // 2):
            path.write_bytes(self.good[:size])
            messages = [self.ask(command, path) for command in COMMANDS]
            self.assertTrue(all(messages), size)
        for size in (len(self.good) - PAGE, len(self.good) - 100):
            path.write_bytes(self.good[:size])
            for command in COMMANDS:
                self.ask(command, path)

    def test_output_file_is_removed(self):
        if self.owners is None:
            self.skipTest("SQLite has no dbstat here")
        page = max(page for page, name in self.owners.items() if name == "packet")
        path = self.damaged(lambda data: data.__setitem__(slice((page - 1) * PAGE, page * PAGE),
                                                          b"\xa5" * PAGE))
        output = self.folder / "series.csv"
        self.fail_with(1, ["damaged: packet)"], "series", path, "-f", "csv", "-o", output)
        self.assertFalse(output.exists())

    def test_every_table_is_named(self):
        if self.owners is None:
            self.skipTest("SQLite has no dbstat here")

        def overwrite(data):
            for page, name in self.owners.items():
                if name != "sqlite_schema":
                    data[(page - 1) * PAGE:page * PAGE] = b"\xa5" * PAGE
        message = self.ask(("hosts",), self.damaged(overwrite))
        self.assertLessEqual({"packet", "conversation", "host", "capture"}, self.tables_of(message))


if __name__ == "__main__":
    unittest.main()
