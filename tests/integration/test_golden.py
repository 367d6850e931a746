#!/usr/bin/python3
# test_golden.py
# What is recorded of each capture equals the golden files, which a person has read.  After a wanted
# change: ./refresh-golden [NAME], then read the diff.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import re
import unittest

import golden_table
import harness

MADE_WITH = "4.0"  # series of Wireshark; another one dissects the captures of others differently


def setUpModule():
    harness.build_dir()


class Golden(unittest.TestCase):
    maxDiff = 4000

    def test_each_case(self):
        version = re.search(r"\d+\.\d+", harness.run_tshark(["--version"]).stdout).group()
        missing = []
        wanted = []
        for case in golden_table.cases():
            is_ours = case.capture.startswith("own/")
            if not golden_table.capture_path(case).exists() or not (is_ours or version == MADE_WITH):
                missing.append(case.name)
            else:
                wanted.append(case)
        captures = {golden_table.capture_path(case) for case in wanted}
        harness.in_parallel(harness.recording, sorted(captures))
        for case in wanted:
            with self.subTest(case.name):
                golden = (golden_table.FOLDER / case.golden).read_text(encoding="utf-8")
                self.assertEqual(golden_table.result(case), golden,
                                 f"if it is right: ./refresh-golden {case.name}")
        print(f"golden: {len(wanted)} cases; skipped, as the capture is not here or Wireshark is not"
              f" {MADE_WITH}: {len(missing)}")
        self.assertGreaterEqual(len(wanted), len(harness.own_captures()))

    def test_each_capture_has_a_case(self):
        known = {case.capture for case in golden_table.cases()}
        self.assertEqual({harness.name_of(capture) for capture in harness.own_captures()} - known, set())

    def test_each_golden_file_has_a_case(self):
        files = {str(path.relative_to(golden_table.FOLDER))
                 for path in golden_table.FOLDER.glob("*/*.tsv")}
        self.assertEqual(files, {case.golden for case in golden_table.cases()})


if __name__ == "__main__":
    harness.run_module()
