# test_schema_columns.py
# schema/README.md has every table, view and column of a real database, in their order, and no others.
# A section "### `name`" of the document with a table whose first cells are `column` documents them.
#
# test_schema_columns.py --update turns a table "| column | meaning |" into "| column | type | meaning |", with
# the type that SQLite knows and the unit that the name tells.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path.insert(0, str(PROJECT / "tests" / "integration"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

HEADING = re.compile(r"^### `(\w+)`$")
COLUMN = re.compile(r"^\| `(\w+)` \|")
UPDATE = "--update" in sys.argv
README = PROJECT / "schema" / "README.md"


def documented():
    """{table or view: [columns]} of schema/README.md."""
    found, columns = {}, None
    for line in (PROJECT / "schema" / "README.md").read_text(encoding="utf-8").split("\n"):
        if line.startswith("#"):
            heading = HEADING.match(line)
            columns = found.setdefault(heading.group(1), []) if heading else None
        elif columns is not None and (column := COLUMN.match(line)):
            columns.append(column.group(1))
    return found


def existing(database):
    """The same of a database."""
    with contextlib.closing(harness.connect_ro(database)) as sql:
        names = [row[0] for row in sql.execute(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")]
        return {name: [row[0] for row in sql.execute("SELECT name FROM pragma_table_info(?)", (name,))]
                for name in names}


def type_of(sql, table, column):
    """Its type and unit as the document has them; of a view's expression the type of its values."""
    declared = dict(sql.execute("SELECT name, type FROM pragma_table_info(?)", (table,)))[column].lower()
    found = {row[0] for row in sql.execute(f'SELECT DISTINCT typeof("{column}") FROM "{table}"')} - {"null"}
    kind = declared or (found.pop() if len(found) == 1 else "integer")
    if column.endswith("_ns"):
        return f"{kind}, ns"
    if "bytes" in column and not column.endswith("_explained"):
        return f"{kind}, bytes"
    return f"{kind}, 0 or 1" if column.startswith("is_") else kind


def add_types(sql):
    lines, table, is_open = [], None, False
    for line in README.read_text(encoding="utf-8").split("\n"):
        if line.startswith("#"):
            heading = HEADING.match(line)
            table = heading and heading.group(1)
        if table and line == "| column | meaning |":
            line, is_open = "| column | type | meaning |", True
        elif is_open and line == "|---|---|":
            line = "|---|---|---|"
        elif is_open and (column := COLUMN.match(line)):
            line = line.replace(" |", f" | {type_of(sql, table, column.group(1))} |", 1)
        else:
            is_open = False
        lines.append(line)
    README.write_text("\n".join(lines), encoding="utf-8")


class SchemaColumns(unittest.TestCase):
    def test_columns(self):
        self.maxDiff = None
        with harness.work_dir() as folder:
            database = folder / "site.db"
            harness.record(harness.OWN_CAPTURES / "site.pcapng", database)
            if UPDATE:
                with contextlib.closing(harness.connect_ro(database)) as sql:
                    add_types(sql)
            self.assertEqual(documented(), existing(database))

    def test_verdicts(self):
        """The table of verdicts has the bits and names of verdicts.h."""
        header = (PROJECT / "schema" / "verdicts.h").read_text(encoding="utf-8")
        bits = {name.lower(): int(bit) for name, bit in
                re.findall(r"VERDICT_(\w+) = 1 << (\d+)", header)}
        bad = header[header.index("#define VERDICTS_BAD"):header.index("#define VERDICTS_RETR")]
        are_bad = {name.lower() for name in re.findall(r"VERDICT_(\w+)", bad)}
        text = (PROJECT / "schema" / "README.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| (\d+) \| (\d+) \| `(\w+)` \| (yes|no) \|", text, re.MULTILINE)
        self.assertEqual({name: int(bit) for bit, _, name, _ in rows}, bits)
        self.assertEqual({name for _, _, name, is_bad in rows if is_bad == "yes"}, are_bad)
        for bit, value, _, _ in rows:
            self.assertEqual(1 << int(bit), int(value))


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--update"]
    harness.run_module()
