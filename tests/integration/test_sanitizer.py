#!/usr/bin/python3
# Every capture, and damaged copies of our own, through the plugin built with AddressSanitizer and
# UBSan inside tshark.  Leaks are not looked for here: tshark itself leaks by design at its end.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import os
import subprocess
import unittest

import harness

LIBRARIES = os.environ.get("FIELDEDGE_SANITIZER_LIBRARIES", "")
SEED = 1
REPORTS = ("AddressSanitizer", "runtime error:", "LeakSanitizer")


def sanitized(capture, folder, name):
    """Records under the sanitizers: what went wrong, as text; empty if nothing did."""
    database = folder / f"{name}.db"
    result = harness.record(capture, database, env={
        "LD_PRELOAD": LIBRARIES,
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    })
    if any(word in result.stderr for word in REPORTS) or result.returncode not in (0, 2):
        return f"{capture}: exit {result.returncode}\n{result.stderr[-4000:]}"
    if not database.exists():
        return f"{capture}: no database\n{result.stderr[-4000:]}"
    database.unlink()
    return ""


@unittest.skipUnless(LIBRARIES, "the build has no sanitizers")
class Sanitizer(unittest.TestCase):
    def test_every_capture(self):
        with harness.work_dir() as folder:
            captures = list(enumerate(harness.captures()))
            found = harness.in_parallel(
                lambda item: sanitized(item[1], folder, f"c{item[0]}"), captures)
        self.assertEqual([text for text in found if text], [])

    def test_damaged_copies(self):
        """One byte in fifty changed, by editcap's own generator."""
        with harness.work_dir() as folder:
            copies = []
            for index, capture in enumerate(harness.captures()):
                copy = folder / f"damaged{index}.pcapng"
                run = subprocess.run(["editcap", "-E", "0.02", "--seed", str(SEED), capture, copy],
                                     capture_output=True, text=True, timeout=60, check=False)
                if run.returncode == 0:
                    copy.chmod(0o644)
                    copies.append((index, copy))
            self.assertGreater(len(copies), 5)
            found = harness.in_parallel(
                lambda item: sanitized(item[1], folder, f"d{item[0]}"), copies)
        self.assertEqual([text for text in found if text], [])


if __name__ == "__main__":
    harness.run_module()
