#!/usr/bin/python3
# test_fieldedge_repair.py: fieldedge repair and deduplicate.  capinfos and tshark say what is in the files; what
# must not change is compared byte for byte.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import gzip
import json
import os
import shutil
import signal
import stat
import struct
import subprocess
import time
import unittest

from test_fieldedge_check import CAPTURES, SHARED, START, both_ways, offsets, pcap
from test_fieldedge_support import COMMAND, SECOND, TestCase, run


def packets(path):
    """Of each packet: time, length, and bytes; and how tshark ended."""
    result = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e",
                             "frame.len", "-e", "frame.interface_id", "-e", "ip.id", "-e",
                             "tcp.seq_raw"], capture_output=True, text=True, check=False)
    return result.stdout.splitlines(), result.returncode


def kind(path):
    result = subprocess.run(["capinfos", "-TMrt", path], capture_output=True, text=True, check=True)
    return result.stdout.rstrip("\n").split("\t")[1]


class Case(TestCase):
    def write(self, data, name="a.pcap"):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def report(self, *arguments, **more):
        result = run(*arguments, "--format", "json", **more)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        (row,) = json.loads(result.stdout)
        return row

    def everything(self):
        return {path: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
                for path in self.folder.rglob("*") if path.is_file()}

    def refused(self, code, words, *arguments):
        """Fails, and nothing in the folder has changed."""
        before = self.everything()
        self.fail_with(code, words, *arguments)
        self.assertEqual(self.everything(), before)

    @contextlib.contextmanager
    def small_disk(self, size):
        if os.geteuid() != 0:
            self.skipTest("a small disk needs root")
        place = self.folder / "disk"
        place.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place],
                              capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no tmpfs: {made.stderr}")
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", place], check=True)


class Repair(Case):
    def test_in_place(self):
        data = pcap(both_ways(20))[:-5]
        path = self.write(data)
        path.chmod(0o640)
        row = self.report("repair", path)
        backup = self.folder / "a.pcap.damaged"
        self.assertEqual(row, {
            "output": str(path), "was": "cut short", "packets": 19, "frame_bytes": 19 * 62,
            "until": START / SECOND + 18, "lost_bytes": 16 + 62 - 5, "original": str(backup),
            "file": str(path)})
        self.assertEqual(backup.read_bytes(), data)
        self.assertEqual(path.read_bytes()[24:], data[24:offsets(pcap(both_ways(20)))[19]])
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
        self.assertEqual(packets(path)[1], 0)
        self.assertEqual(sorted(entry.name for entry in self.folder.iterdir()),
                         ["a.pcap", "a.pcap.damaged"])
        again = self.report("repair", path)
        self.assertEqual((again["was"], again["lost_bytes"], again["original"]), ("whole", 0, str(path)))

    def test_backups_are_kept(self):
        for number in range(3):
            path = self.write(pcap(both_ways(3 + number))[:-1])
            self.report("repair", path)
        self.assertEqual(sorted(entry.name for entry in self.folder.iterdir()),
                         ["a.pcap", "a.pcap.damaged", "a.pcap.damaged.1", "a.pcap.damaged.2"])

    def test_captures(self):
        """Every format stays what it is, and every packet that tshark could read is there."""
        damaged = [CAPTURES / "cut-short.pcapng", CAPTURES / "cut-short.pcap.gz"]
        for source in (*CAPTURES.glob("*.pcapng"), *sorted(SHARED.glob("*.pcap"))[::6]):
            data = source.read_bytes()
            if len(data) > 3000 and "cut-short" not in source.name:
                damaged.append(self.write(data[:len(data) * 2 // 3], source.name))
        for source in damaged:
            with self.subTest(source.name):
                before, code = packets(source)
                output = self.folder / f"mended-{source.name}"
                row = self.report("repair", source, "-o", output)
                after, code_after = packets(output)
                self.assertEqual((after, code_after), (before, 0))
                self.assertEqual(row["packets"], len(before))
                self.assertNotEqual(code, 0)
                self.assertEqual(kind(output).removeprefix("nsec"), source.name.split(".")[1])
        self.assertEqual(kind(self.folder / "mended-cut-short.pcap.gz"), "nsecpcap")

    def test_format_stays(self):
        for magic, name in ((0xa1b2c3d4, "pcap"), (0xa1b23c4d, "nsecpcap")):
            data = bytearray(pcap(both_ways(6), magic=magic))
            struct.pack_into("<I", data, offsets(data)[4] + 8, 0x7fffffff)
            path = self.write(bytes(data))
            self.assertEqual(self.report("repair", path)["was"], "corrupt")
            self.assertEqual((kind(path), len(packets(path)[0])), (name, 4))

    def test_compressed_stays_compressed(self):
        packed = gzip.compress(pcap(both_ways(300)))
        path = self.write(packed[:len(packed) * 2 // 3], "a.pcap.gz")
        before = packets(path)[0]
        row = self.report("repair", path)
        self.assertEqual(path.read_bytes()[:2], b"\x1f\x8b")
        self.assertEqual((packets(path), row["packets"]), ((before, 0), len(before)))
        self.assertIsNone(row["lost_bytes"])
        plain = self.folder / "plain.pcap"
        self.report("repair", f"{path}.damaged", "-o", plain)
        self.assertNotEqual(plain.read_bytes()[:2], b"\x1f\x8b")
        self.assertEqual(packets(plain), (before, 0))

    def test_whole_to_another_name(self):
        path = self.write(pcap(both_ways(4)))
        row = self.report("repair", path, "-o", self.folder / "b.pcap")
        self.assertEqual((row["was"], row["packets"], row["lost_bytes"]), ("whole", 4, 0))
        self.assertEqual(packets(self.folder / "b.pcap"), packets(path))

    def test_cannot_be_mended(self):
        whole = pcap(both_ways(3))
        for data, words in ((b"", "no bytes"), (b"hello world\n" * 9, "not a capture"),
                            (whole[:40], "no whole packet"), (whole[:30], "no whole packet"),
                            (whole[:20], "not a capture")):
            with self.subTest(words=words, size=len(data)):
                path = self.write(data)
                self.refused(4, ["a.pcap", "cannot be mended", words], "repair", path)
                self.refused(4, ["a.pcap", words], "repair", path, "-o", self.folder / "b.pcap")

    def test_same_file_by_any_name(self):
        path = self.write(pcap(both_ways(3))[:-1])
        (self.folder / "link").symlink_to(path)
        os.link(path, self.folder / "hard")
        (self.folder / "d").mkdir()
        for name in (path, self.folder / "link", self.folder / "hard", self.folder / "d/../a.pcap"):
            with self.subTest(name):
                self.refused(1, ["capture itself"], "repair", path, "-o", name)
                self.refused(1, ["capture itself"], "repair", path, "-o", name, "--force")
                self.refused(1, ["capture itself"], "deduplicate", path, "-o", name, "--force")

    def test_through_a_link(self):
        (self.folder / "d").mkdir()
        data = pcap(both_ways(3))[:-1]
        target = self.write(data, "d/real.pcap")
        link = self.folder / "link.pcap"
        link.symlink_to(target)
        self.report("repair", link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(len(packets(target)[0]), 2)
        self.assertEqual((self.folder / "d/real.pcap.damaged").read_bytes(), data)

    def test_output_is_there(self):
        path = self.write(pcap(both_ways(3))[:-1])
        other = self.write(b"precious", "b.pcap")
        self.refused(1, ["there already", "--force"], "repair", path, "-o", other)
        self.report("repair", path, "-o", other, "--force")
        self.assertEqual(len(packets(other)[0]), 2)

    def test_several_files(self):
        paths = [self.write(pcap(both_ways(3))[:-1], f"{i}.pcap") for i in range(3)]
        paths.insert(1, self.write(b"text", "text"))
        result = run("repair", *paths)
        self.assertEqual(result.returncode, 4)
        self.assertEqual(len(result.stdout.splitlines()), 4)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertEqual([len(packets(path)[0]) for path in paths if path.suffix], [2, 2, 2])

    def test_bad_input(self):
        path = self.write(pcap(both_ways(3))[:-1])
        self.refused(1, ["nothing", "no such file"], "repair", self.folder / "nothing")
        self.refused(1, ["directory"], "repair", self.folder)
        self.refused(1, ["nowhere"], "repair", path, "-o", self.folder / "nowhere/b.pcap")
        self.refused(2, ["name a capture"], "repair")
        self.refused(2, ["one capture at a time"], "repair", path, path, "-o", "x")

    def test_full_disk(self):
        with self.small_disk("64k") as place:
            data = pcap(both_ways(500))[:-1]
            path = place / "a.pcap"
            path.write_bytes(data)
            before = self.everything()
            for more in ([], ["-o", place / "b.pcap"]):
                result = run("repair", path, *more)
                self.assertEqual((result.returncode, result.stdout.count("\n")), (1, 1), result.stderr)
                self.assertIn("untouched", result.stderr)
                self.assertIn("space", result.stderr)
                self.assertEqual(self.everything(), before)
            result = run("deduplicate", path, "-o", place / "b.pcap")
            self.assertEqual(result.returncode, 4)

    def test_ownership(self):
        if os.geteuid() != 0:
            self.skipTest("giving files away needs root")
        path = self.write(pcap(both_ways(3))[:-1])
        os.chown(path, 65534, 12345)
        path.chmod(0o604)
        self.report("repair", path)
        status = path.stat()
        self.assertEqual((status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)),
                         (65534, 12345, 0o604))

    def test_killed(self):
        """At any moment the name has the old file or the new one, whole."""
        data = pcap(both_ways(3000))[:-1]
        path = self.write(data)
        wanted = None
        for step in range(14):
            path.write_bytes(data)
            with subprocess.Popen([COMMAND, "repair", path], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                time.sleep(step * 0.012)  # nothing depends on where it hits
                process.send_signal(signal.SIGKILL)
            if path.read_bytes() != data:
                self.assertEqual(len(packets(path)[0]), 2999)
                wanted = step
                (self.folder / "a.pcap.damaged").unlink()
        for left in self.folder.glob(".a.pcap.*"):
            left.unlink()
        path.write_bytes(data)
        self.assertEqual(self.report("repair", path)["packets"], 2999, wanted)


class Deduplicate(Case):
    def test_window(self):
        single = both_ways(10)
        double = [packet for packet in single for _ in range(2)]
        path = self.write(pcap(double))
        output = self.folder / "b.pcap"
        row = self.report("deduplicate", path, "-o", output)
        self.assertEqual(row, {"output": str(output), "packets": 10, "frame_bytes": 620,
                               "removed_packets": 10, "removed_bytes": 620, "file": str(path)})
        self.assertEqual(output.read_bytes()[24:], pcap(single)[24:])
        self.assertEqual(path.read_bytes(), pcap(double))

    def test_time(self):
        """The same bytes again after two seconds are no duplicate of a millisecond."""
        frame = both_ways(1)[0][1]
        path = self.write(pcap([(START + ms * 1000000, frame) for ms in (0, 1, 2000, 2001, 2002)]))
        for arguments, kept in ((["--time", "0.001"], 2), (["--time", "0.0005"], 5), (["--time", "3"], 1),
                                (["--window", "2"], 1)):
            with self.subTest(arguments):
                row = self.report("deduplicate", path, "-o", self.folder / "b.pcap", "--force",
                                  *arguments)
                self.assertEqual((row["packets"], row["removed_packets"]), (kept, 5 - kept))

    def test_against_editcap(self):
        for source in (CAPTURES / "site.pcapng", *sorted(SHARED.glob("*retrans*.pcap"))[:3]):
            with self.subTest(source.name):
                ours, theirs = self.folder / "ours", self.folder / "theirs"
                row = self.report("deduplicate", source, "-o", ours, "--force", "--window", "7")
                subprocess.run(["editcap", "-D", "7", "-F", kind(source), source, theirs], check=True,
                               capture_output=True)
                self.assertEqual(packets(ours), packets(theirs))
                self.assertEqual(row["packets"] + row["removed_packets"], len(packets(source)[0]))
                self.assertEqual(kind(ours), kind(source))

    def test_compressed(self):
        path = self.write(gzip.compress(pcap(both_ways(4) * 2)), "a.pcap.gz")
        output = self.folder / "b.pcap.gz"
        self.report("deduplicate", path, "-o", output, "--window", "100")
        self.assertEqual(output.read_bytes()[:2], b"\x1f\x8b")
        self.assertEqual(len(packets(output)[0]), 4)

    def test_refused(self):
        path = self.write(pcap(both_ways(3))[:-1])
        self.refused(4, ["cut short", "fieldedge repair"], "deduplicate", path, "-o",
                     self.folder / "b.pcap")
        empty = self.write(pcap([]), "empty.pcap")
        self.refused(4, ["empty"], "deduplicate", empty, "-o", self.folder / "b.pcap")
        for arguments in ([], [path], [path, path, "-o", "x"], [path, "-o", "x", "--window", "0"],
                          [path, "-o", "x", "--time", "0"], [path, "-o", "x", "--window", "2000000"]):
            with self.subTest(arguments):
                self.refused(2, ["deduplicate --help"], "deduplicate", *arguments)

    def test_full_disk(self):
        with self.small_disk("64k") as place:
            path = self.write(pcap(both_ways(2000)))
            result = run("deduplicate", path, "-o", place / "b.pcap")
            self.assertEqual(result.returncode, 1)
            self.assertIn("space", result.stderr)
            self.assertEqual(list(place.iterdir()), [])

    def test_no_editcap(self):
        path = self.write(pcap(both_ways(3)))
        tools = self.folder / "bin"
        tools.mkdir()
        self.folder.chmod(0o755)  # for nobody
        (tools / "capinfos").symlink_to(shutil.which("capinfos"))
        result = run("deduplicate", path, "-o", self.folder / "b.pcap", env={"PATH": str(tools)})
        self.assertEqual(result.returncode, 1)
        self.assertIn("editcap: there is no such program", result.stderr)
        self.assertFalse((self.folder / "b.pcap").exists())


if __name__ == "__main__":
    unittest.main()
