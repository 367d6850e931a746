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

from test_fieldedge_support import COMMAND, TestCase, run

EVIL = "TCP_\x1b]0;own\x07\x1b[2J\r\n\"x\",=1+1\u202e\u009b31m\x7f"
ESCAPE = re.compile("\x1b\\[[0-9;]*m")
COMMANDS = ("summary", "series", "conversations", "hosts")


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
        for command in COMMANDS:
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
        for command in COMMANDS:
            for format_ in ("json", "csv", "table"):
                self.succeed(command, path, "-f", format_, text=False).decode("utf-8")
        text = self.succeed("series", path, "-f", "json")
        keys = []
        json.loads(text, object_pairs_hook=lambda pairs: keys.extend(key for key, _ in pairs))
        self.assertEqual(sorted(keys), sorted({"TCP_\\xFF", "TCP_\\xFE", "TCP_\\x5CxFF",
                                               "TCP_\\xED\\xA0\\x80", "TCP_\\xC3"}))

    def test_full_disk(self):
        path = self.evil()
        for command in COMMANDS:
            for format_ in ("json", "csv", "table"):
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
        for command in COMMANDS:
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
        for command in COMMANDS:
            text = ESCAPE.sub("", self.on_terminal(80, command, path))
            self.assertLessEqual(max(map(len, text.splitlines())), 80, f"{command}\n{text}")

    def test_c_locale(self):
        path = self.evil()
        for format_ in ("json", "csv", "table"):
            result = run("summary", path, "-f", format_, env={"LC_ALL": "C"}, text=False)
            self.assertEqual((result.returncode, result.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
