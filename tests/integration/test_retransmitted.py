#!/usr/bin/python3
# test_retransmitted.py
# retransmitted_bytes against three others that counted the same: the kernel that sent (GROUND_TRUTH.json
# of our own captures), tcptrace, and a set of byte numbers kept here.
#
# Nothing is compared with a tolerance: where tcptrace differs, golden/tcptrace.tsv has both figures and
# the reason, found by looking at the packets.  "SYN 2, FIN 1" there: so many repeated SYNs and FINs, whose
# sequence number tcptrace counts as a byte; the test counts them again.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import csv
import json
import re
import shutil
import subprocess
import unittest

import harness

TCPTRACE_DIFFERS = harness.HERE / "golden" / "tcptrace.tsv"
COUNTED = re.compile(r"(SYN|FIN) (\d+)")
FLAG_FIN, FLAG_SYN, FLAG_RST = 0x001, 0x002, 0x004


def setUpModule():
    harness.build_dir()


def by_bytes(it):
    """Retransmitted bytes of each packet, by remembering the number of every byte."""
    seen = collections.defaultdict(set)
    first = {}  # number of the SYN: another one is another connection
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
        per_packet.append(again)
    return per_packet


def tcptrace(capture):
    """{(host, port, host, port) from sender to receiver: [packets, rexmt data bytes]} of all TCP that
    tcptrace finds; None if it cannot read such a file."""
    with harness.work_dir() as folder:
        # Another name and format: tcptrace reads classic pcap only, editcap must not write in place.
        copy = folder / "copy.pcap"
        subprocess.run(["editcap", "-F", "pcap", capture, copy], capture_output=True, check=False,
                       timeout=harness.TIMEOUT_S)
        result = subprocess.run(["tcptrace", "-n", "-l", "--csv", copy], capture_output=True,
                                text=True, errors="replace", check=False, timeout=harness.TIMEOUT_S)
    lines = [line for line in result.stdout.splitlines() if line and not line.startswith("#")]
    if not lines:
        return None
    found = collections.defaultdict(lambda: [0, 0])
    for row in csv.DictReader(lines, skipinitialspace=True):
        a, b = (row["host_a"], int(row["port_a"])), (row["host_b"], int(row["port_b"]))
        for key, way in (((*a, *b), "a2b"), ((*b, *a), "b2a")):
            found[key][0] += int(row[f"total_packets_{way}"])
            found[key][1] += int(row[f"rexmt_data_bytes_{way}"])
    return dict(found)


def ours(it):
    """The same from our packets, of IPv4 TCP outside tunnels."""
    found = collections.defaultdict(lambda: [0, 0])
    for packet, ends in zip(it.packets, it.ends):
        if ends.transport == "tcp" and ends.inner == "ip" and ends.headers == 1:
            sums = found[packet["source"], packet["source_port"], packet["destination"],
                         packet["destination_port"]]
            sums[0] += 1
            sums[1] += packet["retransmitted_bytes"]
    return dict(found)


class Retransmitted(unittest.TestCase):
    def test_each_packet_by_byte_numbers(self):
        total = 0
        for it in harness.all_recorded():
            with self.subTest(it.name):
                for packet, expected in zip(it.packets, by_bytes(it)):
                    self.assertEqual(packet["retransmitted_bytes"], expected,
                                     f"frame {packet['number']}")
                    total += expected
        print(f"by byte numbers: {total} bytes sent again")

    def test_kernel_that_sent(self):
        truths = json.loads((harness.OWN_CAPTURES / "GROUND_TRUTH.json").read_text("utf-8"))
        truth = {line["file"]: line for line in truths["captures"]}
        for name in truth:
            it = harness.recorded(harness.OWN_CAPTURES / name)
            again = [packet for packet in it.packets if packet["retransmitted_bytes"]]
            found = len(again), sum(row["retransmitted_bytes"] for row in it.conversations)
            with self.subTest(name):
                if name == "loss.pcapng":  # lost behind the tap: the capture has both copies
                    sent = truth[name]["retransmitted_as_seen_in_the_capture"]
                    kernel = truth[name]["sender_tcp_info"]
                    self.assertEqual(found, (sent["segments"], sent["payload_bytes"]))
                    self.assertEqual(found, (kernel["tcpi_total_retrans"],
                                             kernel["tcpi_bytes_retrans"]))
                elif name in ("two-interfaces.pcapng", "cut-short.pcapng"):
                    self.assertEqual(found, (12, 246))  # seen on the second interface again
                    self._check_copies(it, again)
                else:
                    self.assertEqual(found, (0, 0))

    def _check_copies(self, it, again):
        identification = {packet["number"]: (packet["conversation_id"], ends.row["ip.id"])
                          for packet, ends in zip(it.packets, it.ends)}
        for packet in again:
            self.assertIn(identification[packet["number"]], [
                identification[earlier] for earlier in range(1, packet["number"])])

    def test_lost_before_the_tap_is_not_seen_twice(self):
        # The file has only the repairs: nothing twice, and each fills a hole.
        it = harness.recorded(harness.OWN_CAPTURES / "loss-downlink.pcapng")
        truths = json.loads((harness.OWN_CAPTURES / "GROUND_TRUTH.json").read_text("utf-8"))
        truth, = [line for line in truths["captures"] if line["file"] == "loss-downlink.pcapng"]
        highest = segments = repaired = sent = 0
        for packet, ends in zip(it.packets, it.ends):
            if packet["source"] == truth["sender"] and packet["payload_bytes"]:
                begin = int(ends.of_transport("seq_raw"))
                if begin < highest:
                    segments += 1
                    repaired += packet["payload_bytes"]
                highest = max(highest, begin + packet["payload_bytes"])
                sent += packet["payload_bytes"]
        self.assertEqual({"segments": segments, "payload_bytes": repaired, "all_payload_bytes": sent},
                         truth["retransmitted_as_seen_in_the_capture"])


class Tcptrace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for tool in ("tcptrace", "editcap"):
            if shutil.which(tool) is None:
                raise unittest.SkipTest(f"{tool} is not installed")
        cls.recordings = harness.all_recorded()
        answers = harness.in_parallel(lambda it: tcptrace(it.capture), cls.recordings)
        cls.answers = {it.name: answer for it, answer in zip(cls.recordings, answers)}
        with open(TCPTRACE_DIFFERS, encoding="utf-8") as file:
            cls.differs = {(row["capture"], row["sender"], row["receiver"]): row
                           for row in csv.DictReader(file, delimiter="\t")}

    def test_each_connection_and_direction(self):
        compared = again = 0
        met = set()
        for it in self.recordings:
            theirs = self.answers[it.name]
            if theirs is None:
                continue
            for key, (packets, retransmitted) in ours(it).items():
                with self.subTest(it.name, key=key):
                    if key not in theirs:
                        # A damaged header: tshark reads it, tcptrace does not.
                        self.assertEqual((it.name, packets, retransmitted),
                                         ("shared/fuzz-mixed-be-26min.pcap", 1, 0))
                        continue
                    place = it.name, f"{key[0]}:{key[1]}", f"{key[2]}:{key[3]}"
                    line = self.differs.get(place, {
                        "packets": packets, "retransmitted_bytes": retransmitted,
                        "tcptrace_packets": packets, "tcptrace_rexmt_bytes": retransmitted})
                    met.add(place)
                    self.assertEqual((packets, retransmitted),
                                     (int(line["packets"]), int(line["retransmitted_bytes"])))
                    self.assertEqual(theirs[key], [int(line["tcptrace_packets"]),
                                                   int(line["tcptrace_rexmt_bytes"])])
                    compared += 1
                    again += retransmitted
        print(f"tcptrace: {compared} directions compared, {again} bytes sent again in them;"
              f" {len(self.differs)} differ, each with its reason in {TCPTRACE_DIFFERS.name}")
        if harness.shared_captures():
            self.assertEqual(set(self.differs) - met, set(), "nothing differs there any more")

    def test_reasons_hold(self):
        for it in self.recordings:
            repeated = self._repeated(it)
            for (name, sender, receiver), line in self.differs.items():
                counted = dict(COUNTED.findall(line["reason"]))
                if name != it.name or not COUNTED.sub("", line["reason"]).strip(", ") == "":
                    continue
                with self.subTest(name, sender=sender, receiver=receiver):
                    found = repeated[sender, receiver]
                    self.assertEqual({kind: int(count) for kind, count in counted.items()}, found)
                    self.assertEqual(int(line["tcptrace_rexmt_bytes"])
                                     - int(line["retransmitted_bytes"]), sum(found.values()))

    @staticmethod
    def _repeated(it):
        """{(sender, receiver): {"SYN": repeated SYNs, "FIN": …}}"""
        seen = collections.defaultdict(set)
        found = collections.defaultdict(collections.Counter)
        for packet, ends in zip(it.packets, it.ends):
            flags = ends.of_transport("flags") if ends.transport == "tcp" else None
            if not flags:
                continue
            key = (f"{packet['source']}:{packet['source_port']}",
                   f"{packet['destination']}:{packet['destination_port']}")
            begin, length = int(ends.of_transport("seq_raw")), int(ends.of_transport("len") or 0)
            for kind, bit, number in (("SYN", FLAG_SYN, begin), ("FIN", FLAG_FIN, begin + length)):
                if int(flags, 16) & bit:
                    found[key][kind] += (kind, number) in seen[key]
                    seen[key].add((kind, number))
            found[key] += collections.Counter()  # drops zeros
        return found


if __name__ == "__main__":
    harness.run_module()
