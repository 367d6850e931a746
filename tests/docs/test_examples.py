# test_examples.py
# Runs every example of README.md and schema/README.md against the build, and compares the output.
#
#     ```console            "$ " begins a command of bash, "> " continues it; the lines up to the next
#                           command are its output, standard error included.  It must exit with 0.
#     ```sql + ```text      a query for sqlite3 -box, and its output
#     ```python + ```text   a script for /usr/bin/python3, and its output
#
# In expected output a line "…" stands for any number of lines.  The examples of one document share a
# directory with links to the project's folders, and run in the order of the document: one makes the
# database that the next reads.  Queries and scripts find site.db and loss.db there.
# Comments before a block:
#
#     <!-- database: loss.db -->   the query's database, instead of site.db
#     <!-- not run: reason -->     the block cannot run in a test.  They are counted and printed.
#
# test_examples.py --update writes the actual output into the documents; blocks with "…" are left alone.
# Read the diff.
#
# Environment: FIELDEDGE_BUILD, the build directory (ctest sets it).
#
# SPDX-License-Identifier: GPL-2.0-or-later
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path.insert(0, str(PROJECT / "tests" / "integration"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

DOCUMENTS = ("README.md", "schema/README.md")
PYTHON = "/usr/bin/python3"
FENCE = re.compile(r"^```(\w*)$")
COMMENT = re.compile(r"^<!-- (not run|database): (.+) -->$")
FAILED = "(a failure is never expected)"
UPDATE = "--update" in sys.argv


class Example:
    """A command and its output: lines[first:last] of the document are the expected output."""

    def __init__(self, line, kind, text, first, last, database="site.db"):
        self.line, self.kind, self.text = line, kind, text
        self.first, self.last, self.database = first, last, database


class Document:
    """A Markdown file taken apart: .examples and .not_run, [(line, reason)]."""

    def __init__(self, name):
        self.name = name
        self.path = PROJECT / name
        self.lines = self.path.read_text(encoding="utf-8").split("\n")
        self.examples, self.not_run = [], []
        self._pending = None  # an Example that waits for its ```text
        at = 0
        while at < len(self.lines):
            fence = FENCE.match(self.lines[at])
            if fence:
                end = self.lines.index("```", at + 1)
                self._block(fence.group(1), at, end)
                at = end
            elif self.lines[at].startswith("```"):
                raise ValueError(f"{name}:{at + 1}: what is this fence? {self.lines[at]}")
            at += 1
        self._nothing_pending(len(self.lines))

    def _nothing_pending(self, at):
        if self._pending is not None:
            raise ValueError(f"{self.name}:{at + 1}: a {self._pending.kind} block without a text block")

    def _comments(self, at):
        found = {}
        while at > 0 and (comment := COMMENT.match(self.lines[at - 1])):
            found[comment.group(1)] = comment.group(2)
            at -= 1
        return found

    def _block(self, language, at, end):
        comments = self._comments(at)
        if language != "text":
            self._nothing_pending(at)
        if "not run" in comments:
            self.not_run.append((at + 1, comments["not run"]))
        elif language == "console":
            self._console(at + 1, end)
        elif language in ("sql", "python"):
            self._pending = Example(at + 1, language, "\n".join(self.lines[at + 1:end]) + "\n", 0, 0,
                                    comments.get("database", "site.db"))
        elif language == "text" and self._pending is not None:
            self._pending.first, self._pending.last = at + 1, end
            self.examples.append(self._pending)
            self._pending = None
        else:
            raise ValueError(f"{self.name}:{at + 1}: a block of {language or 'nothing'} is not run; "
                             "write <!-- not run: reason --> before it")

    def _console(self, at, end):
        while at < end:
            if not self.lines[at].startswith("$ "):
                raise ValueError(f"{self.name}:{at + 1}: output without a command")
            line, command = at + 1, [self.lines[at][2:]]
            at += 1
            while at < end and self.lines[at].startswith("> "):
                command.append(self.lines[at][2:])
                at += 1
            first = at
            while at < end and not self.lines[at].startswith("$ "):
                at += 1
            self.examples.append(Example(line, "console", "\n".join(command), first, at))

    def expected(self, example):
        return self.lines[example.first:example.last]


def matches(expected, actual):
    """Whether the actual lines are the expected ones, "…" being any number of lines."""
    if "…" not in expected:
        return expected == actual
    at = expected.index("…")
    if actual[:at] != expected[:at]:
        return False
    rest = expected[at + 1:]
    return any(matches(rest, actual[start:]) for start in range(at, len(actual) + 1))


class Place:
    """The directory that the examples of a document run in."""

    def __init__(self, folder, build):
        self.folder = folder
        for name in ("docs", "schema", "scripts", "tests"):
            (folder / name).symlink_to(PROJECT / name)
        (folder / "build").symlink_to(build)  # what scripts/run uses
        tools = folder / "bin"
        tools.mkdir()
        (tools / "tshark").write_text(self._tshark_wrapper(), encoding="ascii")
        (tools / "tshark").chmod(0o755)
        path = f"{tools}:{build / 'postproc'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        self.environment = {"PATH": path, "HOME": str(harness.home_dir()), "LC_ALL": "C.UTF-8",
                            "TZ": "UTC"}

    @staticmethod
    def _tshark_wrapper():
        """As an installed tshark with the plugin, also for root: see harness.py."""
        tshark = shutil.which("tshark")
        drop = f"setpriv --reuid={harness.NOBODY} --regid={harness.NOBODY} --clear-groups"
        return ("#!/bin/sh\n"
                f"export WIRESHARK_PLUGIN_DIR='{harness.plugin_dir()}'\n"
                f'[ "$(id -u)" != 0 ] || exec {drop} {tshark} "$@"\n'
                f'exec {tshark} "$@"\n')

    def run(self, example):
        command = {"console": ["bash", "-c", example.text],
                   "sql": ["sqlite3", "-box", "-bail", example.database],
                   "python": [PYTHON, "-"]}[example.kind]
        given = "" if example.kind == "console" else example.text
        result = subprocess.run(command, cwd=self.folder, env=self.environment, text=True, check=False,
                                input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=harness.TIMEOUT_S)
        lines = result.stdout.split("\n")
        if lines[-1] == "":
            lines.pop()
        if result.returncode != 0:
            lines += [f"it exits with {result.returncode}", FAILED]
        return [line.rstrip() for line in lines]  # no blanks at the ends of lines in the documents

    def prepare(self):
        """The databases of which documents speak, where the document does not make them itself."""
        for name in ("site", "loss"):
            harness.record(f"tests/captures/{name}.pcapng", self.folder / f"{name}.db",
                           cwd=self.folder)


class Examples(unittest.TestCase):
    def _check(self, name):
        build = harness.build_dir()
        document = Document(name)
        changes = []
        with harness.work_dir() as folder:
            place = Place(folder, build)
            if name != "README.md":
                place.prepare()
            for example in document.examples:
                actual = place.run(example)
                expected = document.expected(example)
                if matches(expected, actual) and FAILED not in actual:
                    continue
                if UPDATE and "…" not in expected and not actual[-1:] == [FAILED]:
                    changes.append((example, actual))
                    continue
                with self.subTest(f"{name}:{example.line}"):
                    self.fail(f"{name}:{example.line}: {example.text}\n--- expected\n"
                              + "\n".join(expected) + "\n--- actual\n" + "\n".join(actual))
        for example, actual in reversed(changes):
            document.lines[example.first:example.last] = actual
        if changes:
            document.path.write_text("\n".join(document.lines), encoding="utf-8")
        print(f"{name}: {len(document.examples)} examples run, {len(document.not_run)} blocks not run")
        for line, reason in document.not_run:
            print(f"  not run: {name}:{line}: {reason}")

    def test_readme(self):
        self._check("README.md")

    def test_schema(self):
        self._check("schema/README.md")


class Matching(unittest.TestCase):
    def test_elision(self):
        self.assertTrue(matches(["a", "…", "c"], ["a", "b", "b", "c"]))
        self.assertTrue(matches(["a", "…"], ["a"]))
        self.assertFalse(matches(["a", "…", "c"], ["a", "b"]))
        self.assertFalse(matches(["a"], ["a", "b"]))


if __name__ == "__main__":
    sys.argv = [argument for argument in sys.argv if argument != "--update"]
    harness.run_module()
