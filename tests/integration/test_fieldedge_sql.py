#!/usr/bin/python3
# test_fieldedge_sql.py: rows of one's own SELECT; Python's sqlite3, csv, json and statistics are the
# oracles
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import csv
import fractions
import hashlib
import io
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import unittest

from test_fieldedge_support import COMMAND, SECOND, TestCase, run

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT {} FROM n"


def spelled(value):
    """A value of Python's sqlite3 as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"X'{value.hex().upper()}'"
    return str(value)


class Sql(TestCase):
    def site(self):
        database = self.database()
        capture = database.capture(base=1_700_000_000 * SECOND)
        for number, (name, count) in enumerate((("TCP_MQTT", 40), ("UDP_DNS", 7), ("TCP_\"x\",\n", 3))):
            database.conversation(capture, "10.0.0.1", f"8.8.8.{number + 1}", name, [
                (1_700_000_000 * SECOND + i * i * 1_000_003, i % 2, 60 + i) for i in range(count)])
        return database.finish()

    def rows(self, path, sql):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            cursor = connection.execute(sql)
            return [column[0] for column in cursor.description], cursor.fetchall()

    def test_every_view_and_table(self):
        path = self.site()
        names = [row[0] for row in self.rows(path, "SELECT name FROM sqlite_schema"
                                                   " WHERE type IN ('table', 'view')")[1]]
        self.assertGreater(len(names), 12)
        for name in names:
            sql = f"SELECT * FROM \"{name}\""
            columns, rows = self.rows(path, sql)
            text = self.succeed("sql", path, sql, "-f", "csv", text=False).decode()
            self.assertEqual(list(csv.reader(io.StringIO(text, newline=""))),
                             [columns] + [[spelled(value) for value in row] for row in rows])
            expected = [{column: spelled(value) if isinstance(value, bytes) else value
                         for column, value in zip(columns, row)} for row in rows]
            self.assertEqual(json.loads(self.succeed("sql", path, sql, "-f", "json")), expected)
            lines = self.succeed("sql", path, sql, "-f", "jsonl").splitlines()
            self.assertEqual([json.loads(line) for line in lines], expected)

    def test_each_cell_has_its_own_type(self):
        path = self.site()
        sql = ("SELECT 1 AS x UNION ALL SELECT 2.5 UNION ALL SELECT 'a' UNION ALL SELECT NULL UNION ALL"
               " SELECT x'00ff' UNION ALL SELECT 9223372036854775807 UNION ALL SELECT 1e300"
               " UNION ALL SELECT 0.1 + 0.2")
        self.assertEqual([row["x"] for row in json.loads(self.succeed("sql", path, sql, "-f", "json"))],
                         [1, 2.5, "a", None, "X'00FF'", 2**63 - 1, 1e300, 0.1 + 0.2])
        table = self.succeed("sql", path, "SELECT 1 AS n, 'a' AS t UNION ALL SELECT 1000, 'bb'")
        self.assertEqual(table.splitlines(), ["   n t", "   1 a", "1000 bb"])

    def test_duplicate_names(self):
        path = self.site()
        result = json.loads(self.succeed("sql", path, "SELECT 1 AS x, 2 AS x, 3 AS x_2, 4 AS x, 5 AS ''",
                                         "-f", "json"))
        self.assertEqual(result, [{"x": 1, "x_3": 2, "x_2": 3, "x_4": 4, "": 5}])
        table = ", ".join(f"{i} AS y" for i in range(1000))
        self.assertEqual(len(json.loads(self.succeed("sql", path, f"SELECT {table}", "-f", "json"))[0]),
                         1000)

    def test_functions(self):
        path = self.site()
        source = random.Random(7)
        samples = [[source.randrange(1000) for _ in range(n)] for n in (1, 2, 3, 10, 101)]
        samples += [[source.lognormvariate(0, 2) for _ in range(n)] for n in (2, 7, 500)]
        samples += [[1_700_000_000 * SECOND + source.randrange(10**12) for _ in range(50)]]
        for sample in samples:
            values = ", ".join(f"({value!r})" for value in sample)
            columns = "median(v), stdev(v), mad(v)" + "".join(
                f", percentile(v, {p})" for p in range(1, 100))
            sql = f"WITH s(v) AS (VALUES {values}) SELECT {columns} FROM s"
            row = list(json.loads(self.succeed("sql", path, sql, "-f", "json"))[0].values())
            middle = statistics.median(sample)
            self.assertAlmostEqual(row[0] / middle, 1, 12)
            if len(sample) == 1:
                self.assertIsNone(row[1])
                continue
            exact = [fractions.Fraction(value) for value in sample]
            deviation = statistics.median(abs(value - statistics.median(exact)) for value in exact)
            self.assertAlmostEqual(row[1] / statistics.stdev(exact), 1, 9)
            self.assertAlmostEqual(row[2], float(deviation), 9)
            for mine, theirs in zip(row[3:], statistics.quantiles(sample, n=100, method="inclusive")):
                self.assertAlmostEqual(mine / theirs, 1, 9)

    def test_functions_by_group(self):
        path = self.site()
        sql = "SELECT application, {} FROM packets GROUP BY application"
        sizes = {}
        for name, size in self.rows(path, "SELECT application, ip_bytes FROM packets")[1]:
            sizes.setdefault(name, []).append(size)
        rows = json.loads(self.succeed("sql", path, sql.format("median(ip_bytes) AS m"), "-f", "json"))
        self.assertEqual({row["application"]: row["m"] for row in rows},
                         {name: statistics.median(values) for name, values in sizes.items()})

    def test_standard_input(self):
        path = self.site()
        out = self.succeed("sql", path, "-", "-f", "csv", input="-- how many\nSELECT count(*) AS n\n"
                                                               " FROM packets;\n")
        self.assertEqual(out.split(), ["n", "50"])
        self.fail_with(1, ["zero byte"], "sql", path, "-", input="SELECT 1\0")
        self.fail_with(1, ["megabyte"], "sql", path, "-", input="SELECT 1" + " " * 1100000)
        self.fail_with(1, ["the query is empty"], "sql", path, "-", input="")

    def test_mistakes(self):
        path = self.site()
        for words, sql in ((["no such table: pakcets", "did you mean packets"], "SELECT * FROM pakcets"),
                           (["line 1, column 8", "ip_byte", "ip_bytes"], "SELECT ip_byte FROM packets"),
                           (["one statement", "SELECT 2"], "SELECT 1; SELECT 2"),
                           (["syntax error"], ".tables"),
                           (["16 MiB"], "SELECT length(zeroblob(20000000))"),
                           (["refused", "load_extension"], "SELECT load_extension('x.so')")):
            self.fail_with(1, [f"fieldedge: {path}: ", *words], "sql", path, sql)

    def test_nothing_is_written(self):
        path = self.site()
        before = hashlib.sha256(path.read_bytes()).digest()
        other = self.folder / "other.db"
        for sql in ("DELETE FROM packet", "VACUUM", f"VACUUM INTO '{other}'", f"ATTACH '{other}' AS o",
                    "PRAGMA journal_mode = DELETE", "PRAGMA user_version = 9", "DROP VIEW packets",
                    "CREATE TEMP TABLE t (x)", "SELECT 1; DELETE FROM packet", "PRAGMA wal_checkpoint",
                    "SELECT writefile('other.db', 'x')", "UPDATE sqlite_master SET sql = ''"):
            for name in path, self.folder / "output.csv":
                self.fail_with(1, [f"{path}: "], "sql", path, sql)
        self.assertEqual(os.listdir(self.folder), ["site.db"])
        self.assertEqual(hashlib.sha256(path.read_bytes()).digest(), before)

    def test_a_mistake_leaves_the_output_file_alone(self):
        path = self.site()
        output = self.folder / "kept.csv"
        output.write_text("kept")
        self.fail_with(1, ["syntax error"], "sql", path, "SELEC", "-f", "csv", "-o", output)
        self.assertEqual(output.read_text(), "kept")
        self.fail_with(1, ["stopped after 0.05 s", "with --timeout"], "sql", path, ENDLESS.format("i"),
                       "-f", "csv", "-o", output, "--timeout", "50ms")
        self.assertFalse(output.exists())

    def test_timeout(self):
        path = self.site()
        result = self.fail_with(1, [f"{path}: the query was stopped after 0.01 s"], "sql", path,
                                ENDLESS.format("count(*)"), "--timeout", "10ms")
        self.assertEqual(result.stdout, "")
        result = self.fail_with(1, ["stopped"], "sql", path, ENDLESS.format("i"), "-t", "20ms",
                                "-f", "json")
        with self.assertRaises(ValueError):  # what was written does not look whole
            json.loads(result.stdout)
        for good in ("0", "10s", "1h", "90"):
            self.succeed("sql", path, "SELECT 1", "--timeout", good)
        for bad in ("", "x", "10x", "-1", "99999999999h", "1e3"):
            self.fail_with(2, ["--timeout: ", "--help"], "sql", path, "SELECT 1", f"--timeout={bad}")

    def test_interruption(self):
        path = self.site()
        for number in signal.SIGINT, signal.SIGTERM:
            with subprocess.Popen([COMMAND, "sql", path, ENDLESS.format("i"), "-f", "csv", "-t", "0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                self.assertEqual(process.stdout.readline(), b"i\r\n")  # it runs
                process.send_signal(number)
                _, complaint = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 1)
            self.assertEqual(complaint.decode(), f"fieldedge: {path}: the query was interrupted\n")

    def test_hostile_texts(self):
        path = self.site()
        with contextlib.closing(sqlite3.connect(path)) as sql:
            sql.execute("CREATE VIEW v AS SELECT char(27) || '[2J' AS \"\x1b[31mred\"")
        table = self.succeed("sql", path, "SELECT * FROM v")
        self.assertNotIn("\x1b", table)
        self.assertEqual(json.loads(self.succeed("sql", path, "SELECT * FROM v", "-f", "json")),
                         [{"\x1b[31mred": "\x1b[2J"}])
        result = run("sql", path, "SELECT \x1b[31m")
        self.assertEqual(result.returncode, 1)
        self.assertNotIn("\x1b", result.stderr)

    def test_virtual_tables_of_the_database_are_not_opened(self):
        path = self.site()
        with contextlib.closing(sqlite3.connect(path)) as sql:
            sql.execute("CREATE VIRTUAL TABLE words USING fts5(x)")
        self.fail_with(1, ["no such module: fts5"], "sql", path, "SELECT * FROM words")
        self.assertIn("50", self.succeed("sql", path, "SELECT count(*) FROM packets"))

    def test_usage(self):
        path = self.site()
        for arguments in ((), (path,), (path, "SELECT 1", "SELECT 2"), (path, "SELECT 1", "--all")):
            self.fail_with(2, ["--help"], "sql", *arguments)
        self.fail_with(2, ["did you mean json"], "sql", path, "SELECT 1", "-f", "jsn")
        self.fail_with(2, ["did you mean series"], "serie", path)


if __name__ == "__main__":
    unittest.main()
