#!/usr/bin/python3
# test_fieldedge_output.py: texts from packets, terminals, locales, full disks and closed pipes
#
# SPDX-License-Identifier: GPL-2.0-or-later
import csv
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

from test_fieldedge_support import COMMAND, SECOND, TestCase, run

EVIL = "TCP_\x1b]0;own\x07\x1b[2J\r\n\"x\",=1+1\u202e\u009b31m\x7f"
ESCAPE = re.compile("\x1b\\[[0-9;]*m")
COMMANDS = ("summary", "series", "conversations", "hosts", "plot")
MORE = ("intervals", "periods")  # without rows where nothing comes twice


class Output(TestCase):
    def evil(self):
        database = self.database()
        capture = database.capture(file=EVIL)
        database.host("8.8.8.8", EVIL)
        database.conversation(capture, "10.0.0.1", "8.8.8.8", EVIL, [(0, 0, 60)])
        return database.finish()

    def on_terminal(self, columns, *arguments, **environment):
        """What the command writes to a terminal of so many columns."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        given = {"LC_ALL": "C.UTF-8", "TERM": "xterm", "NO_COLOR": "", **environment}
        result = subprocess.run([COMMAND, *map(str, arguments)], stdout=follower, check=False,
                                env={**os.environ, **given})
        os.close(follower)
        text = b""
        try:
            while chunk := os.read(leader, 65536):
                text += chunk
        except OSError:  # the other end is closed
            pass
        os.close(leader)
        self.assertEqual(result.returncode, 0)
        return text.decode().replace("\r\n", "\n")

    def test_no_text_reaches_the_terminal_raw(self):
        path = self.evil()
        for command in COMMANDS + MORE:
            text = self.succeed(command, path)
            bad = [c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or
                   c == "\u202e"]
            self.assertEqual(bad, [], command)
        self.assertIn("\\u001B]0;own\\u0007", self.succeed("summary", path))

    def test_programs_get_texts_as_they_are(self):
        path = self.evil()
        self.assertEqual(list(json.loads(self.succeed("series", path, "-f", "json"))), [EVIL])
        rows = list(csv.reader(io.StringIO(self.succeed("series", path, "-f", "csv", text=False)
                                           .decode(), newline="")))
        self.assertEqual(rows[1][0], EVIL)
        hosts = json.loads(self.succeed("hosts", path, "-f", "json"))
        self.assertIn(EVIL, [host["name"] for host in hosts])

    def test_invalid_bytes_make_valid_json_without_duplicate_keys(self):
        database = self.database()
        capture = database.capture()
        names = [b"TCP_\xff", b"TCP_\xfe", b"TCP_\\xFF", b"TCP_\xed\xa0\x80", b"TCP_\xc3"]
        for name in names:
            database.conversation(capture, "10.0.0.1", "8.8.8.8", name, [(0, 0, 60)])
        path = database.finish()
        for command in COMMANDS + MORE:
            for format_ in ("json", "jsonl", "csv", "table"):
                self.succeed(command, path, "-f", format_, text=False).decode("utf-8")
        text = self.succeed("series", path, "-f", "json")
        keys = []
        json.loads(text, object_pairs_hook=lambda pairs: keys.extend(key for key, _ in pairs))
        self.assertEqual(sorted(keys), sorted({"TCP_\\xFF", "TCP_\\xFE", "TCP_\\x5CxFF",
                                               "TCP_\\xED\\xA0\\x80", "TCP_\\xC3"}))

    def test_full_disk(self):
        path = self.evil()
        for command in COMMANDS:
            for format_ in ("json", "jsonl", "csv", "table"):
                self.fail_with(1, ["/dev/full", "space"], command, path, "-f", format_,
                               "-o", "/dev/full")
        with open("/dev/full", "w", encoding="utf-8") as full:
            for arguments in (("summary", path), ("--help",), ("--version",), ("series", "--help")):
                result = subprocess.run([COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE,
                                        check=False)
                self.assertEqual(result.returncode, 1, arguments)

    def test_closed_pipe_and_closed_output(self):
        database = self.database()
        capture = database.capture()
        database.conversation(capture, "10.0.0.1", "8.8.8.8", "TCP_A",
                              [(i, 0, 60) for i in range(20000)])
        path = database.finish()
        for command in (("series", path, "-f", "json"), ("series", path, "-f", "csv")):
            with subprocess.Popen([COMMAND, *command], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as process:
                process.stdout.readline()
                process.stdout.close()
                self.assertEqual((process.wait(), process.stderr.read()), (1, b""))
        closed = subprocess.run(["/bin/sh", "-c", '"$0" summary "$1" >&-', COMMAND, path],
                                capture_output=True, check=False)
        self.assertEqual(closed.returncode, 1)

    def test_output_file(self):
        path = self.evil()
        file = self.folder / "out.json"
        file.write_text("something longer that was there before" * 100)
        self.assertEqual(self.succeed("hosts", path, "-f", "json", "-o", file), "")
        self.assertEqual(len(json.loads(file.read_text())), 2)
        before = path.read_bytes()
        self.fail_with(1, ["replace the database"], "hosts", path, "-o", path)
        self.assertEqual(path.read_bytes(), before)
        self.fail_with(2, ["format"], "hosts", path, "-f", "xml", "-o", file)
        self.fail_with(2, ["kind"], "series", path, "-b", "kind", "-o", file)
        self.fail_with(1, ["capture 9"], "hosts", path, "-c", "9", "-o", self.folder / "none")
        self.assertEqual(len(json.loads(file.read_text())), 2)
        self.assertFalse((self.folder / "none").exists())
        self.fail_with(1, ["nowhere"], "hosts", path, "-o", self.folder / "nowhere" / "x")

    def test_reading_leaves_the_folder_as_it_was(self):
        path = self.evil()
        before = (sorted(os.listdir(self.folder)), path.read_bytes())
        for command in COMMANDS + MORE:
            self.succeed(command, path)
        self.assertEqual((sorted(os.listdir(self.folder)), path.read_bytes()), before)

    def test_terminal_of_80_columns(self):
        database = self.database()
        capture = database.capture(file="/a/long/path/" * 6 + "site.pcapng")
        for i in range(3):
            database.conversation(capture, f"2001:db8:1234:5678:9abc:def0:1234:{i + 1}",
                                  "2001:db8:ffff:5678:9abc:def0:1234:5678", f"TCP_APPLICATION_{i}",
                                  [(1700000000123456789, 0, 1500000)])
        path = database.finish()
        for command in COMMANDS + MORE:
            text = ESCAPE.sub("", self.on_terminal(80, command, path))
            self.assertLessEqual(max(map(len, text.splitlines())), 80, f"{command}\n{text}")

    def test_colour_only_where_it_is_wanted(self):
        path = self.busy()
        red = "\x1b[31m"
        self.assertIn(red, self.on_terminal(80, "summary", path))
        self.assertIn("\x1b[1m", self.on_terminal(80, "hosts", path))
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.on_terminal(80, "summary", path, **environment))
            self.assertIn(red, self.on_terminal(80, "summary", path, "--color", "always",
                                                **environment))
        self.assertNotIn("\x1b", self.on_terminal(80, "summary", path, "--color=never"))
        self.assertNotIn("\x1b", self.succeed("summary", path))
        self.assertIn(red, self.succeed("summary", path, "--color=always"))
        self.assertNotIn("\x1b", self.on_terminal(80, "summary", path, "-f", "json"))
        file = self.folder / "out"
        self.on_terminal(80, "summary", path, "-o", file)
        self.assertNotIn("\x1b", file.read_text())
        self.fail_with(2, ["auto, always or never"], "summary", path, "--color=red")

    def test_bars_on_wide_terminals(self):
        path = self.busy()
        self.assertIn("█", self.on_terminal(100, "summary", path))
        self.assertNotIn("█", self.on_terminal(99, "summary", path))
        self.assertNotIn("█", self.succeed("summary", path))
        text = self.on_terminal(100, "summary", path, "--color=never", LC_ALL="C")
        self.assertIn("###", text)
        text.encode("ascii")
        lines = ESCAPE.sub("", self.on_terminal(100, "summary", path)).splitlines()
        self.assertLessEqual(max(map(len, lines)), 100)

    def busy(self):
        """Two captures, hosts with the same figures and hosts without a name, and faults."""
        database = self.database()
        for _ in range(2):
            capture = database.capture()
            for i in range(12):
                if i % 3 == 0:
                    database.host(f"8.8.0.{i}", f"host{i % 5}.example")
                database.conversation(capture, "10.0.0.1", f"8.8.0.{i}", f"TCP_{i % 4}",
                                      [(k * SECOND, k % 2, 60 + i % 3, 0, i % 2, 0, 0)
                                       for k in range(1 + i % 5)])
        return database.finish()

    def rows(self, format_, *arguments):
        """The rows of a command, whichever the format: texts by key, as they are written."""
        text = self.succeed(*arguments, "-f", format_, text=False).decode()
        if format_ == "csv":
            return list(csv.DictReader(io.StringIO(text, newline="")))
        load = {"parse_float": str, "parse_int": str}
        rows = (json.loads(text, **load) if format_ == "json" else
                [json.loads(line, **load) for line in text.splitlines()])
        special = {None: "", True: "true", False: "false"}
        return [{key: special[value] if value in (None, True, False) else value
                 for key, value in row.items() if not isinstance(value, (list, dict))}
                for row in rows]

    def test_all_formats_have_the_same_figures(self):
        path = self.busy()
        for command in (("hosts",), ("summary", "-s", "applications"), ("summary", "-s", "captures"),
                        ("summary", "-s", "accounts"), ("intervals",),
                        ("hosts", "--sort", "name", "--top", "7")):
            arguments = (command[0], path, *command[1:])
            records = self.rows("csv", *arguments)
            self.assertGreater(len(records), 1)
            self.assertEqual(self.rows("json", *arguments), records, command)
            self.assertEqual(self.rows("jsonl", *arguments), records, command)
        documents = self.rows("json", "conversations", path)
        self.assertEqual(self.rows("jsonl", "conversations", path), documents)
        records = self.rows("csv", "conversations", path)
        for document, record in zip(documents, records, strict=True):
            lower = {key.lower(): value for key, value in document.items()}
            common = lower.keys() & record.keys()
            self.assertGreater(len(common), 18)
            self.assertEqual({key: lower[key] for key in common},
                             {key: record[key] for key in common})

    def test_json_lines_of_a_group(self):
        path = self.busy()
        document = json.loads(self.succeed("summary", path, "-f", "json"))
        lines = [json.loads(line) for line in self.succeed("summary", path, "-f", "jsonl")
                 .splitlines()]
        self.assertEqual(lines, [{"section": name, **row} for name, rows in document.items()
                                 for row in rows])
        self.assertTrue(all(list(line)[0] == "section" for line in lines))

    def test_json_lines_are_lines_whatever_the_texts(self):
        path = self.evil()
        for command in COMMANDS:
            lines = self.succeed(command, path, "-f", "jsonl", text=False).split(b"\n")
            rows = [json.loads(line) for line in lines[:-1]]
            self.assertEqual((lines[-1], {type(row) for row in rows}), (b"", {dict}))
            self.assertIn(EVIL, [text for row in rows for value in row.values()
                                 for text in (value if isinstance(value, list) else [value])])

    @staticmethod
    def in_order(rows, key, descending):
        """Python's stable sort as the oracle: nulls last, bytes of texts, values of numbers."""
        there = [row for row in rows if row[key] != ""]
        try:
            value = [float(row[key]) for row in there]
            there = [row for _, _, row in sorted(
                ((-v if descending else v), i, row) for i, (v, row) in enumerate(zip(value, there)))]
        except ValueError:
            there.sort(key=lambda row: row[key].encode(), reverse=descending)
        return there + [row for row in rows if row[key] == ""]

    def test_sort_and_top(self):
        path = self.busy()
        for command in (("hosts",), ("summary", "-s", "applications"), ("conversations",),
                        ("intervals",)):
            arguments = (command[0], path, *command[1:])
            rows = self.rows("csv", *arguments)
            for key in rows[0]:
                if {row[key] for row in rows} <= {"true", "false"}:
                    continue
                for suffix, descending in ((":asc", False), (":desc", True)):
                    expected = self.in_order(rows, key, descending)
                    for top in (3, 10 ** 12):
                        self.assertEqual(self.rows("csv", *arguments, "--sort", key + suffix,
                                                   "--top", top), expected[:top], (command, key))
            self.assertEqual(self.rows("csv", *arguments, "--top", "2"), rows[:2])
        self.assertEqual(self.rows("csv", "hosts", path, "--sort", "packets_sent"),
                         self.rows("csv", "hosts", path, "--sort", "packets_sent:desc"))
        self.assertEqual(self.rows("csv", "hosts", path, "--sort", "host"),
                         self.rows("csv", "hosts", path, "--sort", "host:asc"))

    def test_sort_of_a_group_is_about_applications(self):
        path = self.busy()
        plain = json.loads(self.succeed("summary", path, "-f", "json"))
        ordered = json.loads(self.succeed("summary", path, "-f", "json", "--sort", "application:desc",
                                          "--top", "2"))
        self.assertEqual([row["application"] for row in ordered["applications"]], ["TCP_3", "TCP_2"])
        self.assertEqual((ordered["captures"], ordered["accounts"]),
                         (plain["captures"], plain["accounts"]))

    def test_sort_by_what_a_table_does_not_show(self):
        path = self.busy()
        lines = self.succeed("hosts", path, "--sort", "frame_bytes_sent:asc", "--top=1").splitlines()
        row, = self.rows("csv", "hosts", path, "--sort", "frame_bytes_sent:asc", "--top=1")
        self.assertEqual(lines[1].split()[0], row["host"])

    def test_sort_and_top_are_checked_before_the_output_is_touched(self):
        path = self.busy()
        file = self.folder / "out"
        file.write_text("kept")
        result = self.fail_with(2, ["'packet_sent'", "hosts --help"], "hosts", path, "-o", file,
                                "--sort", "packet_sent")
        self.assertIn("choose packets_sent, ", result.stderr)
        for name in ("host", "last", "ip_bytes_received"):
            self.assertIn(name, result.stderr)
        self.fail_with(2, ["'x\\x1B[31m'"], "hosts", path, "-o", file, "--sort", "x\x1b[31m")
        self.fail_with(2, ["there is no column"], "hosts", path, "--sort", "n" * 100000)
        self.fail_with(2, ["asc or desc"], "hosts", path, "-o", file, "--sort", "host:up")
        self.fail_with(2, ["'bad_packets'"], "summary", path, "-o", file, "-s", "accounts", "--sort",
                       "bad_packets")
        for top in ("0", "-1", "1.5", "ten", "", "99999999999999999999", "0x10", " 1"):
            self.fail_with(2, ["--top", f"'{top}'"], "hosts", path, "-o", file, "--top", top)
        self.assertEqual(file.read_text(), "kept")

    def test_c_locale(self):
        path = self.evil()
        for format_ in ("json", "jsonl", "csv", "table"):
            result = run("summary", path, "-f", format_, env={"LC_ALL": "C"}, text=False)
            self.assertEqual((result.returncode, result.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
