#!/usr/bin/python3
# test_fieldedge_check.py: fieldedge check, on files made here and on the project's captures, damaged in every
# way.  The oracles are what was done to a file, and tshark read by Python.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import csv
import gzip
import io
import json
import os
import pathlib
import shutil
import stat
import struct
import subprocess
import unittest

from test_fieldedge_support import SECOND, SOURCE, TestCase, run

CAPTURES = SOURCE / "tests" / "captures"
SHARED = SOURCE.parent / "shared" / "captures"
START = 1700000000 * SECOND
CODES = {"whole": 0, "empty": 5, "cut short": 3, "corrupt": 4, "not a capture": 6}
WHOLE = ("duplicates", "backward", "snapped", "over_mtu", "one_sided_tcp", "one_sided_udp")


def udp(source, target, number, size=20, ports=(4000, 5000)):
    """A frame with a payload of its own."""
    payload = struct.pack("!I", number) + bytes(size - 4)
    addresses = bytes(map(int, source.split("."))) + bytes(map(int, target.split(".")))
    datagram = struct.pack("!HHHH", *ports, 8 + size, 0) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), number & 0xffff, 0, 64, 17, 0)
    return bytes.fromhex("020000000001" "020000000002" "0800") + ip + addresses + datagram


def pcap(packets, snap=65535, magic=0xa1b23c4d, order="<"):
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, 1)
    unit = 1 if magic == 0xa1b23c4d else 1000
    for time, frame in packets:
        kept = frame[:snap]
        data += struct.pack(order + "IIII", time // SECOND, time % SECOND // unit, len(kept),
                            len(frame)) + kept
    return data


def offsets(data):
    """Where the records of a pcap in our byte order begin, and the end."""
    found, at = [], 24
    while at < len(data):
        found.append(at)
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    return found + [at]


def both_ways(count):
    """Packets with nothing to find."""
    hosts = ("10.0.0.1", "10.0.0.2")
    return [(START + i * SECOND, udp(hosts[i % 2], hosts[1 - i % 2], i, ports=(4000, 5000)[::(-1) ** i]))
            for i in range(count)]


class Check(TestCase):
    def write(self, data, name="a.pcap"):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def check(self, *arguments, code=None):
        result = run("check", *arguments, "--format", "json")
        self.assertEqual(result.stderr, "")
        (row,) = json.loads(result.stdout)
        if code is None:
            code = CODES[row["state"]]
            if code == 0 and any(row[key] for key in WHOLE):
                code = 7
        self.assertEqual(result.returncode, code, row)
        return row

    def found(self, packets, *arguments, **more):
        return self.check(self.write(pcap(packets, **more)), *arguments)

    def test_whole(self):
        row = self.found(both_ways(10))
        self.assertEqual((row["state"], row["packets"], row["found"]), ("whole", 10, None))
        self.assertEqual((row["type"], row["link_type"], row["snap_length"], row["frame_bytes"]),
                         ("nsecpcap", "ether", 65535, 620))
        self.assertEqual((row["started"], row["ended"]), (START / SECOND, START / SECOND + 9))
        self.assertEqual((row["damaged_packet"], row["damaged_offset"], row["detail"]),
                         (None, None, None))

    def test_empty(self):
        self.assertEqual(self.found([])["state"], "empty")
        row = self.check(self.write(b""))
        self.assertEqual((row["state"], row["type"], row["detail"]),
                         ("empty", None, "the file has no bytes at all"))
        self.assertEqual(self.check(CAPTURES / "empty.pcapng")["state"], "empty")

    def test_not_a_capture(self):
        pictures = {"text": b"hello world\n" * 40, "json": b'{"a": [1, 2]}\n',
                    "png": b"\x89PNG\r\n\x1a\n" + bytes(100), "zeros": bytes(4096),
                    "short": b"\xd4\xc3\xb2", "program": pathlib.Path("/bin/sh").read_bytes()}
        for name, data in pictures.items():
            with self.subTest(name):
                row = self.check(self.write(data, name))
                self.assertEqual((row["state"], row["packets"]), ("not a capture", 0))

    def test_every_cut(self):
        """Cut after each of the bytes of the last two packets."""
        for magic, order in ((0xa1b23c4d, "<"), (0xa1b2c3d4, "<")):
            data = pcap(both_ways(5), magic=magic, order=order)
            begins = offsets(data)
            for size in [*range(begins[3] - 2, begins[4] + 20, 7), len(data) - 1, begins[4], begins[3]]:
                with self.subTest(magic=magic, size=size):
                    whole = sum(begin <= size for begin in begins[1:])
                    row = self.check(self.write(data[:size]), "--quick")
                    state = "whole" if size in begins else "cut short"
                    self.assertEqual((row["state"], row["packets"]), (state, whole))
                    if state != "whole":
                        self.assertEqual((row["damaged_packet"], row["damaged_offset"]),
                                         (whole + 1, begins[whole]))

    def test_cut_pcapng(self):
        data = (CAPTURES / "two-interfaces.pcapng").read_bytes()
        at, packets, blocks = 0, 0, []
        while at < len(data):
            kind, length = struct.unpack_from("<II", data, at)
            blocks.append((at, length, packets))
            packets += kind == 6
            at += length
        for begin, length, before in blocks[3::17]:
            with self.subTest(begin):
                row = self.check(self.write(data[:begin + length // 2]), "--quick")
                self.assertEqual((row["state"], row["packets"], row["damaged_packet"],
                                  row["damaged_offset"]), ("cut short", before, before + 1, begin))

    def test_corrupt_length(self):
        """A length that cannot be: also in the first records, where Wireshark guesses other formats."""
        for magic in (0xa1b2c3d4, 0xa1b23c4d):
            data = pcap(both_ways(12), magic=magic)
            begins = offsets(data)
            for number in (1, 2, 3, 4, 9, 12):
                for length in (0x7fffffff, 0xffffffff, 300000):
                    with self.subTest(magic=magic, number=number, length=length):
                        bad = bytearray(data)
                        struct.pack_into("<I", bad, begins[number - 1] + 8, length)
                        row = self.check(self.write(bytes(bad)), "--quick")
                        self.assertEqual((row["state"], row["packets"], row["damaged_packet"],
                                          row["damaged_offset"]),
                                         ("corrupt", number - 1, number, begins[number - 1]))

    def test_corrupt_pcapng(self):
        data = bytearray((CAPTURES / "site.pcapng").read_bytes())
        at = packets = 0
        while packets < 100:
            kind, length = struct.unpack_from("<II", data, at)
            packets += kind == 6
            at += length
        struct.pack_into("<I", data, at + 4, 0xfffffff0)
        row = self.check(self.write(bytes(data)))
        self.assertEqual((row["packets"], row["damaged_packet"], row["damaged_offset"]), (100, 101, at))
        self.assertIn(row["state"], ("corrupt", "cut short"))
        self.assertIsNotNone(row["started"])

    def test_compressed(self):
        data = pcap(both_ways(200))
        packed = gzip.compress(data)
        self.assertEqual(self.check(self.write(packed, "a.gz"))["packets"], 200)
        row = self.check(self.write(packed[:len(packed) // 2], "a.gz"))
        self.assertEqual((row["state"], row["damaged_offset"]), ("cut short", None))
        self.assertEqual(row["damaged_packet"], row["packets"] + 1)
        bad = bytearray(packed)
        bad[-6] ^= 0xff  # the checksum
        self.assertEqual(self.check(self.write(bytes(bad), "a.gz"))["state"], "corrupt")
        for tool in ("zstd", "lz4"):
            if shutil.which(tool) is None:
                continue
            with self.subTest(tool):
                packed = subprocess.run([tool, "-c"], input=data, capture_output=True,
                                        check=True).stdout
                self.assertEqual(self.check(self.write(packed, "a"))["state"], "whole")
                self.assertEqual(self.check(self.write(packed[:len(packed) // 2], "a"))["state"],
                                 "cut short")

    def test_duplicates(self):
        packets = both_ways(10)
        packets.insert(4, packets[3])  # right after
        packets.insert(9, (packets[8][0], packets[5][1]))  # four later, of the five that count
        row = self.found(packets)
        self.assertEqual((row["duplicates"], row["first_duplicate"], row["duplicate_bytes"]), (2, 5, 124))
        self.assertEqual(self.found(packets, "--window", "2")["duplicates"], 1)
        self.assertEqual(self.found(packets, "--time", "0.001")["duplicates"], 1)

    def test_backward(self):
        frames = [frame for _, frame in both_ways(5)]
        times = [0, 10, 7, 8, 6]
        row = self.found([(START + time * SECOND, frame) for time, frame in zip(times, frames)])
        self.assertEqual((row["backward"], row["first_backward"], row["backward_most"]), (2, 3, 3))
        self.assertEqual((row["started"], row["ended"]), (START / SECOND, START / SECOND + 10))

    def test_snapped(self):
        packets = both_ways(4)
        packets[2] = (packets[2][0], udp("10.0.0.1", "10.0.0.2", 2, 600))
        row = self.found(packets, snap=100)
        self.assertEqual((row["snapped"], row["first_snapped"], row["snap_length"]), (1, 3, 100))

    def test_over_mtu(self):
        packets = both_ways(6)
        for at, size in ((2, 1500 - 28), (4, 1500 - 27), (5, 9000)):
            source, target = ("10.0.0.1", "10.0.0.2")[::(-1) ** at]
            packets[at] = (packets[at][0], udp(source, target, at, size, (4000, 5000)[::(-1) ** at]))
        row = self.found(packets)
        self.assertEqual((row["over_mtu"], row["first_over_mtu"], row["largest_ip_bytes"]),
                         (2, 5, 9028))
        self.assertEqual(self.found(packets, "--mtu", "9028")["over_mtu"], 0)

    def test_one_sided(self):
        packets = both_ways(4) + [
            (START + 10 * SECOND, udp("10.0.0.1", "10.0.0.3", 50, ports=(1, 2))),
            (START + 11 * SECOND, udp("10.0.0.1", "10.0.0.3", 51, ports=(1, 2))),
            (START + 12 * SECOND, udp("10.0.0.1", "239.1.1.1", 52, ports=(1, 2)))]
        row = self.found(packets)
        self.assertEqual((row["one_sided_udp"], row["first_one_sided_udp"], row["one_sided_tcp"]),
                         (1, 5, 0))

    def test_one_sided_of_a_real_capture(self):
        """Only one direction left of a TCP upload: by tshark's filter."""
        path = self.folder / "one.pcapng"
        host = subprocess.run(["tshark", "-r", CAPTURES / "loss.pcapng", "-Y", "tcp && ip", "-T", "fields",
                               "-e", "ip.src"], capture_output=True, text=True,
                              check=True).stdout.split()[0]
        subprocess.run(["tshark", "-r", CAPTURES / "loss.pcapng", "-Y", f"tcp && ip.src == {host}", "-w",
                        path], check=True, capture_output=True)
        self.assertEqual(self.check(path)["one_sided_tcp"], 1)
        self.assertEqual(self.check(CAPTURES / "loss.pcapng")["one_sided_tcp"], 0)

    def test_captures_against_tshark(self):
        """Of real captures: counts as Python makes them from tshark's fields."""
        captures = sorted(CAPTURES.glob("*.pcap*")) + sorted(SHARED.glob("*.pcap*"))[::5]
        for path in captures:
            with self.subTest(path.name):
                row = self.check(path)
                result = subprocess.run(
                    ["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e",
                     "frame.len", "-e", "frame.cap_len"], capture_output=True, text=True, check=False)
                fields = [line.split("\t") for line in result.stdout.splitlines()]
                seconds, fractions = zip(*(f[0].split(".") for f in fields)) if fields else ((), ())
                times = [int(a) * SECOND + int(b.ljust(9, "0")) for a, b in zip(seconds, fractions)]
                self.assertEqual(row["packets"], len(fields))
                self.assertEqual(row["snapped"] or 0, sum(int(f[1]) > int(f[2]) for f in fields))
                self.assertEqual(row["backward"] or 0, sum(a > b for a, b in zip(times, times[1:])))
                said = subprocess.run(["editcap", "-V", "-d", path, "/dev/null"], capture_output=True,
                                      text=True, check=False).stderr
                self.assertEqual(row["duplicates"] or 0, said.count("Skipped: "))

    def test_many_files_and_formats(self):
        whole = self.write(pcap(both_ways(4)), "whole.pcap")
        cut = self.write(pcap(both_ways(4))[:-5], "cut\n\x1b[2J.pcap")
        text = self.write(b"text", "text")
        for files, code in (([whole, cut], 3), ([cut, text, whole], 6), ([whole, whole], 0)):
            result = run("check", *files)
            self.assertEqual((result.returncode, result.stderr), (code, ""))
            self.assertEqual(len(result.stdout.splitlines()), len(files) + 1)
            self.assertNotIn("\x1b", result.stdout)
        rows = list(csv.DictReader(io.StringIO(run("check", whole, cut, "-f", "csv").stdout, newline="")))
        self.assertEqual([row["file"] for row in rows], [str(whole), str(cut)])
        self.assertEqual([row["damaged_offset"] for row in rows], ["", "258"])
        lines = run("check", whole, cut, "-f", "jsonl").stdout.splitlines()
        self.assertEqual([json.loads(line)["state"] for line in lines], ["whole", "cut short"])
        result = run("check", whole, self.folder / "nothing.pcap", cut)
        self.assertEqual(result.returncode, 1)
        self.assertIn("nothing.pcap: there is no such file", result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 3)

    def test_quick_looks_into_no_packet(self):
        row = self.check(self.write(pcap(both_ways(2) + both_ways(2))), "-q", code=0)
        self.assertEqual([row[key] for key in WHOLE], [None] * len(WHOLE))

    def test_bad_input(self):
        self.fail_with(1, ["directory"], "check", self.folder)
        os.mkfifo(self.folder / "pipe")
        self.fail_with(1, ["not a regular file"], "check", self.folder / "pipe")
        path = self.write(pcap(both_ways(2)))
        for arguments in ([], [path, "--mtu", "1"], [path, "--window", "0"], [path, "--time", "0"],
                          [path, "--time", "x"], [path, "--time", "-1"], [path, "--format", "xml"]):
            with self.subTest(arguments):
                self.fail_with(2, ["check --help"], "check", *arguments)

    def test_a_file_that_nobody_may_read(self):
        """As root the tools run as nobody and get the open file."""
        path = self.write(pcap(both_ways(3)))
        path.chmod(stat.S_IRUSR)
        self.folder.chmod(0o700)
        self.assertEqual(self.check(path)["packets"], 3)

    def test_tools_of_root_run_as_nobody(self):
        if os.geteuid() != 0:
            self.skipTest("for root")
        path, log, tools = self.write(pcap(both_ways(3))), self.folder / "log", self.folder / "bin"
        tools.mkdir()
        self.folder.chmod(0o755)
        log.touch()
        log.chmod(0o666)
        for tool in ("capinfos", "tshark", "editcap"):
            script = tools / tool
            script.write_text(f'#!/bin/sh\necho {tool} $(id -u) $(id -g) $(id -G) >> "{log}"\n'
                              f'exec {shutil.which(tool)} "$@"\n')
            script.chmod(0o755)
        result = run("check", path, env={"PATH": f"{tools}:{os.environ['PATH']}"})
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(log.read_text().splitlines(),
                         [f"{tool} 65534 65534 65534" for tool in ("capinfos", "tshark", "editcap")])

    def test_no_tools(self):
        path = self.write(pcap(both_ways(3)))
        self.fail_with(1, ["capinfos", "wireshark-common"], "check", path, env={"PATH": "/nowhere"})


if __name__ == "__main__":
    unittest.main()
