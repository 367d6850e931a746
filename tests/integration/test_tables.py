#!/usr/bin/python3
# test_tables.py
# `tshark -z fieldedge,applications|hosts|intervals` prints what `fieldedge` prints of a recording of the
# same capture, byte for byte, and leaves no file.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import subprocess
import unittest

import harness

KINDS = {"applications": (["summary", "--section", "applications"],
                          ["summary", "--section", "accounts"]),
         "hosts": (["hosts"],), "intervals": (["intervals"],)}


def setUpModule():
    if not (harness.build_dir() / "postproc" / "fieldedge").exists():
        raise unittest.SkipTest("the fieldedge command is not built")


def fieldedge(words, database):
    command = [harness.build_dir() / "postproc" / "fieldedge", words[0], database, *words[1:]]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300,
                            env=harness.tshark_environment(plugin=False))
    return result.stdout


def printed(kind, capture, *extra, filter=""):
    argument = f"fieldedge,{kind}" + (f",{filter}" if filter else "")
    return harness.run_tshark(["-q", "-r", capture, "-z", argument, *extra])


class Equal(unittest.TestCase):
    maxDiff = 4000

    def check(self, kind, capture):
        database, returncode, _ = harness.recording(capture)
        result = printed(kind, capture)
        self.assertEqual(result.returncode, returncode, result.stderr)
        wanted = [fieldedge(words, database) for words in KINDS[kind]]
        lines = [line for line in result.stdout.splitlines() if line]
        if kind == "applications":  # titles and empty lines are of the group
            lines = [line for line in lines if line not in ("Applications on the WAN", "All packets")]
            wanted = ["".join(wanted).replace("Applications on the WAN\n", "")
                      .replace("All packets\n", "")]
        self.assertEqual(lines, [line for line in "".join(wanted).splitlines() if line])

    def test_all_captures(self):
        captures = harness.own_captures() + harness.shared_captures(small=False)
        harness.in_parallel(harness.recording, captures)
        for at, capture in enumerate(captures):
            own = capture in harness.own_captures()
            for number, kind in enumerate(KINDS):
                if own or at % len(KINDS) == number:  # of the others one table each
                    with self.subTest(kind=kind, capture=harness.name_of(capture)):
                        self.check(kind, capture)


class Behaviour(unittest.TestCase):
    def setUp(self):
        self.capture = harness.OWN_CAPTURES / "site.pcapng"

    def test_a_filter(self):
        with harness.work_dir() as folder:
            database = folder / "dns.db"
            filter = "dns or (tcp.port in {80, 443})"
            harness.record(self.capture, database, filter)
            self.assertEqual(printed("hosts", self.capture, filter=filter).stdout,
                             fieldedge(["hosts"], database))

    def test_a_wrong_filter(self):
        result = printed("hosts", self.capture, filter="no.such.field")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no.such.field", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_a_preference_that_cannot_be(self):
        result = printed("hosts", self.capture, "-o", "fieldedge.local_networks:10.0.0.1/8")
        self.assertEqual(result.returncode, 1)
        self.assertIn("preference fieldedge.local_networks", result.stderr)

    def test_several_in_one_run(self):
        with harness.work_dir() as folder:
            database = folder / "site.db"
            more = ["-z", "fieldedge,intervals", "-z", f"fieldedge,{database}"]
            result = printed("hosts", self.capture, *more)
            self.assertEqual(result.returncode, 0, result.stderr)
            # tshark draws the last first
            self.assertEqual(result.stdout, fieldedge(["intervals"], database)
                             + fieldedge(["hosts"], database))
            result = printed("hosts", self.capture, "-z", "conv,ip")
            self.assertIn(fieldedge(["hosts"], database), result.stdout)
            self.assertIn("IPv4 Conversations", result.stdout)

    def test_two_passes_count_a_packet_once(self):
        with harness.work_dir() as folder:
            database = folder / "twice.db"
            harness.record(self.capture, database, extra=["-2"])
            self.assertEqual(printed("hosts", self.capture, "-2").stdout,
                             fieldedge(["hosts"], database))

    def test_a_table_leaves_no_file_and_a_path_is_a_database(self):
        with harness.work_dir() as folder:
            for argument, files in (("fieldedge,hosts", []), ("fieldedge,./hosts", ["hosts"]),
                                    ("fieldedge,hosts.db", ["hosts", "hosts.db"])):
                result = harness.run_tshark(["-q", "-r", self.capture, "-z", argument], cwd=folder)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(bool(result.stdout), not files)
                self.assertEqual(sorted(path.name for path in folder.iterdir()), files)


if __name__ == "__main__":
    harness.run_module()
