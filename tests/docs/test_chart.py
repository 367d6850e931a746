# test_chart.py
# docs/site.svg is what docs/make-chart draws from the capture today.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import subprocess
import sys
import unittest
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path.insert(0, str(PROJECT / "tests" / "integration"))
import harness  # noqa: E402  pylint: disable=wrong-import-position


class Chart(unittest.TestCase):
    def test_chart(self):
        with harness.work_dir() as folder:
            harness.record(harness.OWN_CAPTURES / "site.pcapng", folder / "site.db")
            drawn = subprocess.run([PROJECT / "docs" / "make-chart", folder / "site.db"],
                                   capture_output=True, text=True, check=True, timeout=60).stdout
        kept = (PROJECT / "docs" / "site.svg").read_text(encoding="utf-8")
        xml.etree.ElementTree.fromstring(kept)
        if drawn != kept:
            self.fail("docs/site.svg is not what docs/make-chart draws of tests/captures/site.pcapng")


if __name__ == "__main__":
    harness.run_module()
