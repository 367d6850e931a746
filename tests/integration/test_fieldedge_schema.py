#!/usr/bin/python3
# test_fieldedge_schema.py: the explanations have every table, view and column that SQLite knows of, in
# their order, with the types of what is in them; the examples run
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import csv
import io
import json
import sqlite3
import unittest

from test_fieldedge_support import SECOND, TestCase


class Schema(TestCase):
    def site(self):
        database = self.database()
        capture = database.capture(base=1_700_000_000 * SECOND)
        database.conversation(capture, "10.0.0.1", "8.8.8.8", "TCP_MQTT",
                              [((1_700_000_000 + i) * SECOND, i % 2, 60 + i) for i in range(9)])
        database.conversation(capture, "10.0.0.1", "10.0.0.2", "UDP_DNS",
                              [(1_700_000_000 * SECOND, 0, 60)], local=True)
        database.sql.execute("INSERT INTO quote SELECT max(id), 1 FROM packet")
        database.sql.execute("INSERT INTO renumbering VALUES (1, 0)")
        database.sql.execute("UPDATE capture SET interface = 'x', link_type = 'x', filter = 'x',"
                             " snap_length = 1")
        database.sql.commit()
        database.sql.execute("PRAGMA journal_mode = WAL")  # as the recorder leaves it
        path = database.finish()
        self.succeed("analyze", path)
        return path

    def described(self, name):
        return json.loads(self.succeed("schema", name, "-f", "json"))

    def test_against_sqlite(self):
        path = self.site()
        listed = json.loads(self.succeed("schema", "-f", "json"))
        with contextlib.closing(sqlite3.connect(path)) as sql:
            existing = dict(sql.execute("SELECT name, type FROM sqlite_schema WHERE type IN"
                                        " ('table', 'view') AND name NOT LIKE 'sqlite_%'"))
            self.assertEqual({row["name"]: row["kind"] for row in listed}, existing)
            for row in listed:
                name = row["name"]
                table = self.described(name)
                columns = sql.execute("SELECT name, type FROM pragma_table_xinfo(?)", (name,)).fetchall()
                self.assertEqual([column["name"] for column in table["columns"]],
                                 [column for column, _ in columns])
                self.assertEqual(row["columns"], len(columns))
                self.assertTrue(row["meaning"].endswith("."), row)
                for column, (_, declared) in zip(table["columns"], columns):
                    self.check_column(sql, name, column, declared.lower())

    def check_column(self, sql, table, column, declared):
        where = f"{table}.{column['name']}"
        self.assertTrue(column["meaning"], where)
        self.assertFalse(set("`[]|") & set(column["meaning"]), where)
        if declared:
            self.assertEqual(column["type"], declared, where)
        found = {row[0] for row in sql.execute(
            f"SELECT DISTINCT typeof(\"{column['name']}\") FROM \"{table}\"")} - {"null"}
        self.assertLessEqual(found, {column["type"]}, where)
        self.assertEqual(column["unit"] == "ns", column["name"].endswith("_ns") or where == "packet.time",
                         where)

    def test_examples_run(self):
        path = self.site()
        for row in json.loads(self.succeed("schema", "-f", "json")):
            example = self.described(row["name"])["example"]
            self.assertIn("SELECT", example)
            self.succeed("sql", path, example)

    def test_formats(self):
        rows = self.described("packets")["columns"]
        expected = [{"table": "packets", "column": row["name"], "type": row["type"], "unit": row["unit"],
                     "meaning": row["meaning"]} for row in rows]
        lines = self.succeed("schema", "packets", "-f", "jsonl").splitlines()
        self.assertEqual([json.loads(line) for line in lines], expected)
        text = self.succeed("schema", "packets", "-f", "csv", text=False).decode()
        self.assertEqual(list(csv.DictReader(io.StringIO(text, newline=""))),
                         [{key: value or "" for key, value in row.items()} for row in expected])
        table = self.succeed("schema", "packets")
        self.assertTrue(table.startswith("packets, a view. One row for every packet"), table)
        for words in ("time_ns", "Example", "SELECT number, source"):
            self.assertIn(words, table)
        self.assertEqual(self.succeed("schema", "PACKETS"), table)
        self.assertIn("application_series", self.succeed("schema"))

    def test_unknown(self):
        self.fail_with(2, ["there is no table or view 'pakcets': did you mean packets"], "schema",
                       "pakcets")
        self.fail_with(2, ["choose captures, packets"], "schema", "zzzzzzzz")
        self.fail_with(2, ["one table or view at a time"], "schema", "packets", "hosts")


if __name__ == "__main__":
    unittest.main()
