#!/usr/bin/python3
# test_fieldedge_detector.py: fieldedge periods on captures of seeded trains, against the truth
#
# A small run of tests/bench/periods/captures.py: from packets through tshark, the plugin and the
# database to the JSON.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import os
import pathlib
import sys
import tempfile
import unittest

from test_fieldedge_support import COMMAND, SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "bench" / "periods"))
import captures  # noqa: E402  pylint: disable=wrong-import-position

HAS_PLUGIN = os.environ.get("FIELDEDGE_HAS_PLUGIN", "1") == "1"
EXACT = ("clock", "30 % dropped", "outage", "100 % noise", "two", "three", "harmonics",
         "times of 1 ms", "times of 1 s", "few", "sub-second", "among browsing")


@unittest.skipUnless(HAS_PLUGIN, "tshark cannot load the plugin of this build")
class Captures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            captures.write(folder, 4711, 2)
            cls.figures = captures.judge_folder(folder, COMMAND)

    def test_every_class_was_judged(self):
        self.assertEqual(set(self.figures["classes"]), set(captures.POSITIVE))
        self.assertEqual(set(self.figures["false"]), set(captures.NEGATIVE))

    def test_what_repeats_scores_more(self):
        self.assertGreaterEqual(self.figures["mean"]["auc"], 0.97)

    def test_lengths_are_exact(self):
        for name in EXACT:
            with self.subTest(name):
                self.assertEqual(self.figures["classes"][name]["within_1"], 1)

    def test_several_are_all_found(self):
        for name in ("two", "three", "harmonics"):
            with self.subTest(name):
                self.assertEqual(self.figures["classes"][name]["all_found"], 1)

    def test_intervals_hold_the_truth(self):
        self.assertGreaterEqual(self.figures["mean"]["coverage"], 0.85)

    def test_what_does_not_repeat_is_not_said_to(self):
        for name, row in self.figures["false"].items():
            with self.subTest(name):
                self.assertGreater(row["groups"], 0)
                self.assertEqual(row["false_groups"], 0)


if __name__ == "__main__":
    unittest.main()
