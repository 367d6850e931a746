#!/usr/bin/python3
# test_verdicts.py
# Wireshark's verdicts in packets.analysis are those of Wireshark's own display filters, packet by
# packet, and is_bad and is_retransmission follow from them as plugin/record/verdicts.h says.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import contextlib
import unittest

import harness

BAD = {"retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order",
       "lost_segment", "ack_lost_segment", "malformed"}
RETRANSMISSIONS = {"retransmission", "fast_retransmission", "spurious_retransmission"}
ORDER = (*harness.VERDICTS, "malformed")
GROUP_MALFORMED, SEVERITY_ERROR = "117440512", "8388608"

# `_ws.malformed` also finds what a dissector only grumbles at (group Malformed, a note or a warning,
# the rest dissected): flagged by nobody as damage, so not "malformed" here.
GRUMBLED = {
    "shared/coap-mqtt-merged.pcap": "CoAP of a draft: Invalid Option Number 2",
    "shared/fuzz-mixed-be-26min.pcap": "SIP: Header has no colon, Invalid content_length",
}


def setUpModule():
    harness.build_dir()


def words(packet):
    return packet["analysis"].split(",") if packet["analysis"] else []


def gave_up(row):
    """A dissector gave up: an expert info of the group Malformed with severity error."""
    return (GROUP_MALFORMED, SEVERITY_ERROR) in zip(
        harness.occurrences(row, "_ws.expert.group"), harness.occurrences(row, "_ws.expert.severity"))


class Verdicts(unittest.TestCase):
    def test_each_verdict_is_tsharks(self):
        seen = collections.Counter()
        for it in harness.all_recorded():
            with self.subTest(it.name):
                for name in harness.VERDICTS:
                    expected = {int(row["frame.number"]) for row in it.oracle
                                if row[f"tcp.analysis.{name}"]}
                    found = {packet["number"] for packet in it.packets if name in words(packet)}
                    self.assertEqual(found, expected, name)
                    seen[name] += len(found)
        print("verdicts compared:", dict(seen))
        if harness.shared_captures():
            self.assertEqual([name for name in harness.VERDICTS if not seen[name]], [])

    def test_malformed_is_tsharks(self):
        for it in harness.all_recorded():
            with self.subTest(it.name):
                found = {packet["number"] for packet in it.packets if "malformed" in words(packet)}
                self.assertEqual(found, {int(row["frame.number"]) for row in it.oracle
                                         if gave_up(row)})
                filtered = {int(row["frame.number"]) for row in it.oracle if row["_ws.malformed"]}
                self.assertLessEqual(found, filtered)
                if found != filtered:
                    print(f"{it.name}: frames {sorted(filtered - found)}: {GRUMBLED.get(it.name)}")
                    self.assertIn(it.name, GRUMBLED)

    def test_oracle_is_the_display_filter(self):
        # The fields that the tests above read are what `-Y tcp.analysis.X` finds: on the capture
        # that has most of each.
        jobs = []
        for name in ORDER:
            field = "_ws.malformed" if name == "malformed" else f"tcp.analysis.{name}"
            frames = {it.capture: [row["frame.number"] for row in it.oracle if row[field]]
                      for it in harness.all_recorded()}
            most = max(frames, key=lambda capture: len(frames[capture]))
            if frames[most]:
                jobs.append((field, most, frames[most]))

        def filtered(job):
            field, capture, _ = job
            result = harness.run_tshark(["-r", capture, "-Y", field, "-T", "fields",
                                         "-e", "frame.number"], plugin=False)
            return result.stdout.split()
        for (field, capture, expected), found in zip(jobs, harness.in_parallel(filtered, jobs)):
            with self.subTest(field, capture=capture.name):
                self.assertEqual(found, expected)

    def test_bad_and_retransmission_follow_from_the_words(self):
        for it in harness.all_recorded():
            with self.subTest(it.name):
                for packet in it.packets:
                    have = words(packet)
                    self.assertEqual(have, [name for name in ORDER if name in have])
                    self.assertEqual(bool(packet["is_bad"]), bool(BAD & set(have)))
                    self.assertEqual(bool(packet["is_retransmission"]),
                                     bool(RETRANSMISSIONS & set(have)))

    def test_bits_and_words_agree(self):
        for it in harness.all_recorded():
            with self.subTest(it.name), contextlib.closing(harness.connect_ro(it.database)) as sql:
                for verdicts, analysis in sql.execute(
                        "SELECT verdicts, analysis FROM packet_kind"):
                    have = [name for bit, name in enumerate(ORDER) if verdicts >> bit & 1]
                    self.assertEqual(",".join(have) or None, analysis)


if __name__ == "__main__":
    harness.run_module()
