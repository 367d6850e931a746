# golden_table.py
# The table of golden files: golden/table.tsv, a case a line: name, capture, query, golden file.
# For test_golden.py and refresh-golden.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import contextlib
import csv

import harness

FOLDER = harness.HERE / "golden"
Case = collections.namedtuple("Case", "name capture query golden")


def _read(name):
    with open(FOLDER / name, encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file, delimiter="\t")][1:]


def cases():
    return [Case(*row) for row in _read("table.tsv")]


def capture_path(case):
    """The case's capture; may not exist, as the shared ones are not everywhere."""
    folder, _, name = case.capture.partition("/")
    return {"own": harness.OWN_CAPTURES, "shared": harness.SHARED / "captures",
            "small": harness.SHARED / "captures" / "small"}[folder] / name


def is_doubtful(case, row):
    """A row of the query applications.sql that nobody should believe yet: golden/doubtful.tsv."""
    return case.query == "applications.sql" and [case.capture, *row[:2]] in [
        line[:3] for line in _read("doubtful.tsv")]


def result(case):
    """Runs the case: the text of its golden file."""
    query = (FOLDER / "queries" / case.query).read_text(encoding="utf-8")
    with contextlib.closing(harness.connect_ro(harness.recording(capture_path(case))[0])) as sql:
        cursor = sql.execute(query)
        lines = [[column[0] for column in cursor.description]]
        lines += [["" if value is None else str(value) for value in row] for row in cursor]
    return "".join("\t".join(line) + "\n" for line in lines if not is_doubtful(case, line))
