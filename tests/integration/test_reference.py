#!/usr/bin/python3
# test_reference.py
# Agreement, packet by packet, with the Python library that FieldEdge replaces, where that is right.
# Each difference must be one that ../shared/reference/DEFECTS.md numbers: explain() ties it to its number
# by looking at the packet, never by its name.  What is not explained fails.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import csv
import gzip
import unittest

import harness

GOLDEN = harness.SHARED / "reference" / "golden"
# The reference's table of ports (SPEC.md, 5); it asks the packet's source port first.
PORTS = {
    "TCP": {20: "FTP", 21: "FTPC", 22: "SSH", 23: "TELNET", 25: "SMTP", 53: "DNS", 80: "HTTP",
            143: "IMAP", 443: "HTTP_TLS", 502: "MODBUS", 802: "MODBUS_TLS", 1883: "MQTT",
            2375: "DOCKERAPI", 2376: "DOCKERAPI_TLS", 2404: "IEC60870", 3389: "RDP", 4303: "SRCP",
            5683: "COAP", 5684: "COAP_TLS", 8080: "HTTP2", 8883: "MQTT_TLS", 9001: "MQTT_SOCKET",
            19999: "DNP2", 20000: "DNP"},
    "UDP": {53: "DNS", 67: "DHCP_QUERY", 68: "DHCP_RESPONSE", 123: "NTP", 161: "SNMP"},
}
SLIPS = {5683, 5684, 8080, 9001}  # defect 16


def setUpModule():
    harness.build_dir()
    if not GOLDEN.is_dir():
        raise unittest.SkipTest("no results of the reference beside the project"
                                " (../shared/reference/golden)")


class Pair:
    """One packet: the reference's line, ours, and tshark's layers."""

    def __init__(self, it, line, packet, ends):
        self.it, self.line, self.packet, self.ends = it, line, packet, ends
        self.where = f"{it.name} frame {packet['number']} {ends.row['frame.protocols']}"
        transports = sum(name in ("tcp", "udp") for name in ends.layers)
        self.is_tunnel = ends.headers > 1 or transports > 1
        self.has_broken_time = len(ends.row["frame.time_epoch"].partition(".")[2]) > 9
        self.is_plain = (line["fate"] == "conversation" and ends.inner == "ip"
                         and ends.transport in ("tcp", "udp") and not self.is_tunnel)


def read(capture):
    """The reference's lines of a capture, None where it gives nothing."""
    path = GOLDEN / f"{capture.name}.packets.tsv.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def modern(name):
    """Defect 13: tshark 4.0's long names of what is inside TLS."""
    return (name.replace("HYPERTEXT TRANSFER PROTOCOL 2", "HTTP")
            .replace("HYPERTEXT TRANSFER PROTOCOL", "HTTP"))


class Reference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        wanted = [capture for capture in harness.shared_captures(small=False)
                  if read(capture) is not None]
        cls.pairs = {}
        for it in harness.all_recorded(wanted):
            lines = read(it.capture)
            assert len(lines) == len(it.packets), it.name
            cls.pairs[it.name] = [Pair(it, *three) for three in zip(lines, it.packets, it.ends)]
        cls.explained = collections.Counter()

    @classmethod
    def tearDownClass(cls):
        print("differences by number in DEFECTS.md:",
              {f"D{number}": count for number, count in sorted(cls.explained.items())})

    def all_pairs(self, is_wanted):
        return [pair for pairs in self.pairs.values() for pair in pairs if is_wanted(pair)]

    def explain(self, number, holds, pair, what):
        """The difference is defect `number`, if the packet shows it."""
        self.assertTrue(holds, f"{pair.where}: {what}: no sign of defect {number}")
        self.explained[number] += 1

    def test_packets_sizes_times(self):
        pairs = self.all_pairs(lambda pair: True)
        for pair in pairs:
            self.assertEqual((int(pair.line["number"]), int(pair.line["frame_bytes"])),
                             (pair.packet["number"], pair.packet["frame_bytes"]), pair.where)
            if pair.line["time"]:
                self.assertEqual(float(pair.line["time"]),
                                 round(float(pair.ends.row["frame.time_epoch"]), 3), pair.where)
                if pair.has_broken_time:  # "1418145370.1000000000" read as a decimal fraction
                    self.explain(3, True, pair, "time")
                    continue
                self.assertLess(abs(pair.packet["time_ns"] / 1e9 - float(pair.line["time"])),
                                0.000501, pair.where)
        print(f"reference: {len(pairs)} packets of {len(self.pairs)} captures")
        self.assertGreater(len(pairs), 45000)

    def test_fates(self):
        for pair in self.all_pairs(lambda pair: True):
            check = getattr(self, "_fate_" + pair.line["fate"])
            check(pair, pair.packet["conversation_id"] is not None)

    def _fate_arp(self, pair, has_conversation):
        if has_conversation:
            self.explain(8, "arp" in pair.ends.above, pair, "ARP in a tunnel")
        self.assertIn("arp", pair.ends.layers, pair.where)

    def _fate_local(self, pair, has_conversation):
        self.assertTrue(has_conversation, pair.where)
        if not pair.packet["is_local"]:
            octets = [pair.packet[end].split(".")[0] for end in ("source", "destination")]
            self.explain(27, "255" in octets, pair, "local there, WAN here")

    def _fate_conversation(self, pair, has_conversation):
        self.assertTrue(has_conversation, pair.where)
        if pair.ends.icmp and not pair.is_tunnel:
            self.explain(24, pair.packet["application"].startswith("ICMP_"), pair, "ICMP error")
        elif pair.is_tunnel:
            self.explain(21, pair.ends.headers > 1, pair, "tunnel")
        if pair.packet["is_local"]:
            self._local_here_alone(pair)

    def _local_here_alone(self, pair):
        outer = [harness.occurrences(pair.ends.row, f"ip.{end}")[0] for end in ("src", "dst")]
        if all(address.startswith("172.") or address[:3] in ("224", "239") for address in outer):
            self.explain(25, True, pair, "172.16/12")
            return
        known = ("10.", "192.168.", "172.", "169.254.", "127.", "0.0.0.0", "255.255.255.255", "224.",
                 "239.")
        self.explain(26, all(address.startswith(known) for address in outer), pair, f"{outer}")

    def _fate_unhandled(self, pair, has_conversation):
        ends = pair.ends
        if ends.inner is None:
            self.assertFalse(has_conversation, pair.where)
        elif ends.icmp == "icmpv6" or ends.inner == "ipv6":
            self.explain(7, has_conversation, pair, "IPv6")
        elif pair.is_tunnel:
            self.explain(21, has_conversation, pair, "tunnel")
        elif ends.ip("flags.mf") == "1" or ends.ip("frag_offset") != "0":
            self.explain(9, has_conversation, pair, "fragment")
        else:  # SCTP, OSPF, IGMP: "anything else" of SPEC.md, 2
            self.assertTrue(has_conversation and ends.transport not in ("tcp", "udp"), pair.where)

    def _fate_skipped(self, pair, has_conversation):
        self.explain(7, has_conversation and pair.ends.inner == "ipv6", pair, "IPv6")

    def _fate_exception(self, pair, has_conversation):
        ends = pair.ends
        if ends.icmp == "icmp":
            self.explain(2, has_conversation, pair, "ICMP")
            return
        is_broken = ("arp" in ends.layers or not ends.of_transport("len")
                     or pair.has_broken_time)
        self.explain(3, is_broken, pair, pair.line["analysis"])

    def test_conversations(self):
        ours = collections.defaultdict(set)
        theirs = collections.defaultdict(set)
        some = {}
        plain = self.all_pairs(lambda pair: pair.is_plain)
        for pair in plain:
            mine = pair.it.name, pair.packet["conversation_id"]
            other = pair.it.name, pair.line["conversation"]
            ours[other].add(mine)
            theirs[mine].add(other)
            some[mine] = pair
        for other, mine in ours.items():
            if len(mine) > 1:
                transports = {some[one].packet["transport"] for one in mine}
                self.explain(20, len(transports) == len(mine), some[min(mine)], f"merged {other}")
        for mine, other in theirs.items():
            self.assertEqual(len(other), 1, f"{some[mine].where}: split there: {other}")
        print(f"reference: {len(plain)} packets of IPv4 TCP and UDP in {len(theirs)} conversations")

    def test_hosts_ports_directions(self):
        for pair in self.all_pairs(lambda pair: pair.is_plain):
            line, packet = pair.line, pair.packet
            self.assertEqual((line["src"], line["dst"], int(line["srcport"]), int(line["dstport"])),
                             (packet["source"], packet["destination"], packet["source_port"],
                              packet["destination_port"]), pair.where)
            if line["direction"] != packet["direction"]:
                # The reference compares addresses alone: a host that talks to itself is always A.
                self.explain(23, packet["source"] == packet["destination"], pair, "direction")

    def test_retransmissions(self):
        count = 0
        for pair in self.all_pairs(lambda pair: pair.is_plain):
            words = pair.line["analysis"].replace(",", " ").split()
            self.assertEqual("retransmission" in words, bool(pair.packet["is_retransmission"]),
                             pair.where)
            count += "retransmission" in words
        print(f"reference: {count} retransmissions")
        self.assertGreater(count, 800)

    def test_applications(self):
        same = 0
        plain = self.all_pairs(lambda pair: pair.is_plain)
        names = collections.defaultdict(set)  # of a conversation, all that the reference gave
        for pair in plain:
            names[pair.it.name, pair.packet["conversation_id"]].add(modern(pair.line["application"]))
        for pair in plain:
            given, label = pair.line["application"], pair.packet["application"]
            if given == label:
                same += 1
            elif given in ("TCP_", "UDP_", "TCP__TLS"):
                self.explain(12, label.startswith(given[:4]) and len(label) > 4, pair, label)
            elif modern(given) == label:
                self.explain(13, modern(given) != given, pair, label)
            elif label in names[pair.it.name, pair.packet["conversation_id"]]:
                self.explain(14, True, pair, label)
            else:
                self._explain_port(pair, given, label)
        print(f"reference: {same} of {len(plain)} packets have the same application")
        self.assertGreater(same, 7000)

    def _explain_port(self, pair, given, label):
        table = PORTS[pair.packet["transport"]]
        source, destination = pair.packet["source_port"], pair.packet["destination_port"]
        named = source if source in table else destination
        if named in SLIPS:
            self.explain(16, given == f"{pair.packet['transport']}_{table[named]}", pair, label)
            return
        row = pair.it.conversation[pair.packet["conversation_id"]]
        responder = row["port_b"] if pair.packet["direction"] == "AB" else row["port_a"]
        self.explain(15, named == source and source > 1023 and responder != source, pair,
                     f"{given} there, {label} here")


if __name__ == "__main__":
    harness.run_module()
