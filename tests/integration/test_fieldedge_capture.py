#!/usr/bin/python3
# test_fieldedge_capture.py: fieldedge capture with the real dumpcap.  A veth pair between two network
# namespaces (test_live.py makes it), real sockets on both ends; the kernel's interface counters and
# capinfos are the oracles.  What needs root is skipped without.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import datetime
import os
import pathlib
import pty
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
import test_live as lab
from test_fieldedge_support import COMMAND, TestCase, run

NOBODY = 65534
DEFAULT_NAME = re.compile(r"capture_(\d{8}T\d{6})_(\d+)_([^_]+)(_\d+)?\.pcap")
network = None  # why there is none; "" if there is one


def setUpModule():
    global network
    network = "live capture needs root" if os.geteuid() != 0 else ""
    if not network:
        try:
            lab.make_network()
        except (OSError, subprocess.CalledProcessError) as error:
            network = f"cannot make network namespaces: {error}"


def tearDownModule():
    if os.geteuid() == 0:
        lab.tearDownModule()


def capinfos(path):
    """(type, packets, bytes of packets) of a file that is whole."""
    result = subprocess.run(["capinfos", "-TMrtcd", path], capture_output=True, text=True, check=False)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f"{path} is not whole: {result.stderr}")
    fields = result.stdout.rstrip("\n").split("\t")
    return fields[1], int(fields[-2]), int(fields[-1])


def lengths(path):
    """Frame lengths in a file that may be growing."""
    result = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "frame.len"],
                            capture_output=True, text=True, check=False)
    return [int(line) for line in result.stdout.split()]


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.02)


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text("ascii").split()]


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Case(TestCase):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.home.mkdir()
        self.environment = {"HOME": str(self.home), "XDG_STATE_HOME": str(self.folder / "state"),
                            "LC_ALL": "C.UTF-8"}

    def run_(self, *arguments, **more):
        return run(*arguments, env=self.environment, **more)

    def files(self):
        return sorted(path for path in self.home.rglob("*") if path.is_file())

    def refused(self, code, words, *arguments):
        """Fails with one line, and leaves nothing."""
        before = set(self.home.rglob("*"))
        self.fail_with(code, words, "capture", *arguments, env=self.environment)
        self.assertEqual(set(self.home.rglob("*")), before)


class Arguments(Case):
    def test_usage(self):
        for words, arguments in (
                (["interface", "--list"], []),
                (["-5", "at least 1"], ["-i", "lo", "-d", "-5"]),
                (["0", "at least 1"], ["-i", "lo", "-d", "0"]),
                (["'soon'", "10m"], ["-i", "lo", "-d", "soon"]),
                (["'99999999999999999999'"], ["-i", "lo", "-d", "99999999999999999999"]),
                (["eth1"], ["-i", "lo", "eth1"]),
                (["--format", "--list"], ["-i", "lo", "--format", "json"])):
            with self.subTest(arguments):
                self.refused(2, words, *arguments)

    def test_arguments(self):
        for words, arguments in (
                (["2147483648 s"], ["-d", "2147483648"]),
                (["a/b", "path"], ["--name", "a/b.pcap"]),
                (["..", "no name"], ["--name", ".."]),
                (["no name"], ["--name", ""]),
                (["a\\x0Ab", "line break"], ["--name", "a\nb.pcap"]),
                (["255 bytes"], ["--name", "x" * 256]),
                (["compressed", ".gz"], ["--name", "a.pcap.gz"]),
                (["snap length", "-1"], ["--snaplen", "-1"]),
                (["snap length", "262145"], ["--snaplen", "262145"]),
                (["-w", "directory and name"], ["--", "-w", "x"]),
                (["-a", "duration by itself"], ["--", "-a", "duration:5"]),
                (["-bfiles:2", "ring"], ["--", "-bfiles:2"]),
                (["--ring-buffer"], ["--", "--ring-buffer", "files:2"]),
                (["standard input"], ["-i", "-"]),
                (["empty"], ["-i", ""])):
            with self.subTest(arguments):
                self.refused(1, words, "-i", "lo", *arguments)

    def test_directory(self):
        file = self.folder / "file"
        file.touch()
        self.refused(1, ["nowhere", "no such"], "-i", "lo", "-o", self.folder / "nowhere")
        self.refused(1, ["file", "no directory"], "-i", "lo", "-o", file)

    def test_no_dumpcap(self):
        self.refused(1, ["no-such-dumpcap", "wireshark-common"], "-i", "lo", "--dumpcap",
                     "no-such-dumpcap")

    def stand_in(self, script):
        """A dumpcap that begins with an empty capture; its file is its fourth argument."""
        path = self.folder / "dumpcap"
        header = self.folder / "header"
        header.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        path.write_text(f"#!/bin/sh\ncat '{header}' > \"$4\"\n{script}\n")
        path.chmod(0o755)
        return path

    def test_command_line(self):
        log = self.folder / "log"
        dumpcap = self.stand_in(f'printf "%s\\n" "$@" > "{log}"; echo "File: x" >&2')
        result = self.run_("capture", "-i", "eth 1/x", "-d", "2m", "-f", "port 53", "-s", "96",
                           "--name", "a b.pcapng", "--dumpcap", dumpcap, "--", "-B", "16", "-p")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        path = result.stdout.rstrip("\n")
        self.assertEqual(log.read_text().splitlines(), [
            "-i", "eth 1/x", "-w", path, "-n", "-a", "duration:120", "-s", "96", "-f", "port 53",
            "-B", "16", "-p"])

    def test_drops_are_told(self):
        dumpcap = self.stand_in("echo \"File: x\" >&2; echo \"Packets received/dropped on interface"
                                " 'a': 18/7 (pcap:5/dumpcap:2/flushed:0/ps_ifdrop:0) (72.0%)\" >&2")
        result = self.run_("capture", "-i", "a", "--dumpcap", dumpcap)
        self.assertEqual(result.returncode, 0)
        self.assertIn("7 packets were dropped", result.stderr)

    def test_clock_set_back(self):
        """A dumpcap that does not find its end is ended."""
        dumpcap = self.stand_in("trap 'kill $!; exit 0' INT\necho 'File: x' >&2\nsleep 30 &\nwait\n"
                                "exit 5")
        result = self.run_("capture", "-i", "a", "-d", "1", "--dumpcap", dumpcap)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_file_not_whole(self):
        """Cut back to its last packet, and said."""
        dumpcap = self.stand_in("echo 'File: x' >&2; printf xyz >> \"$4\"")
        result = self.run_("capture", "-i", "a", "--dumpcap", dumpcap)
        self.assertEqual(result.returncode, 3)
        self.assertIn("not whole", result.stderr)
        self.assertEqual(pathlib.Path(result.stdout.rstrip("\n")).stat().st_size, 24)

    def test_failed_without_words(self):
        self.refused(1, ["exit code 9"], "-i", "a", "--dumpcap", self.stand_in("exit 9"))
        self.refused(1, ["signal 9"], "-i", "a", "--dumpcap", self.stand_in("kill -9 $$"))

    def test_same_second(self):
        """No capture replaces another."""
        dumpcap = self.stand_in("echo 'File: x' >&2")
        arguments = ["capture", "-i", "a", "--dumpcap", dumpcap]
        paths = [self.run_(*arguments).stdout for _ in range(12)]
        self.assertEqual(len(set(paths)), 12)
        self.assertTrue(any(re.search(r"_a_\d+\.pcap\n", path) for path in paths))
        named = [*arguments, "--name", "x.pcap"]
        self.assertEqual(self.run_(*named).returncode, 0)
        self.fail_with(1, ["x.pcap", "there already"], *named, env=self.environment)

    def test_list(self):
        text = self.succeed("capture", "--list", "--format", "csv")
        wanted = subprocess.run(["dumpcap", "-D"], capture_output=True, text=True,
                                check=True).stdout.splitlines()
        self.assertEqual([line.split(",")[0] + ". " + line.split(",")[1]
                          for line in text.splitlines()[1:]],
                         [line.split(" (")[0] for line in wanted])


class Live(Case):
    def setUp(self):
        super().setUp()
        if network:
            self.skipTest(network)
        self.wire = lab.Wire()
        self.addCleanup(self.wire.close)

    @contextlib.contextmanager
    def capture(self, *arguments, device="a0", before=(), **more):
        command = ["ip", "netns", "exec", lab.NAME + "a", *before, COMMAND, "capture", "-i", device,
                   *map(str, arguments)]
        more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        with subprocess.Popen(command, text=True, env={**os.environ, **self.environment},
                              **more) as process:
            try:
                yield process
            finally:
                process.kill()

    def file(self):
        (path,) = self.files()
        return path

    def begun(self, process=None):
        """Sends until a packet is in the file; then until the newest is."""
        def seen():
            self.wire.send(1, lab.PROBE_BYTES)
            if process is not None and process.poll() is not None:
                raise AssertionError(process.stderr.read())
            return self.files() and lengths(self.file())
        wait_until(seen, "the first packet")
        return self.settle()

    def settle(self):
        """All that was sent is in the file: (packets, bytes)."""
        Live.size = size = getattr(Live, "size", 500) + 1
        self.wire.send(1, size)
        frames = []
        def seen():
            frames[:] = lengths(self.file())
            return size + 42 in frames
        wait_until(seen, "the newest packet")
        return len(frames), sum(frames)

    def finished(self, process, code=0):
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code, err)
        if code == 0:
            self.assertEqual(err, "")
        self.assertEqual(out, f"{self.file()}\n")
        return err

    def test_kernel_counters(self):
        with self.capture("-d", "600") as process:
            recorded = self.begun(process)
            kernel = lab.counters()
            self.wire.send(40)
            lab.tcp_exchange()
            subprocess.run(["ip", "netns", "exec", lab.NAME + "a", "ping", "-qfc", "20", "10.77.0.2"],
                           check=True, capture_output=True)
            recorded_end, kernel_end = self.settle(), lab.counters()
            process.send_signal(signal.SIGINT)
            self.finished(process)
        self.assertGreater(kernel_end[0] - kernel[0], 90)
        self.assertEqual([a - b for a, b in zip(recorded_end, recorded)],
                         [a - b for a, b in zip(kernel_end, kernel)])
        self.assertEqual(capinfos(self.file())[1:], recorded_end)

    def test_name_and_place(self):
        before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        with self.capture("-d", "600") as process:
            self.begun(process)
            process.send_signal(signal.SIGTERM)
            self.finished(process)
        path = self.file()
        time_, duration, interface, _ = DEFAULT_NAME.fullmatch(path.name).groups()
        begin = datetime.datetime.strptime(time_ + "+0000", "%Y%m%dT%H%M%S%z")
        self.assertTrue(before <= begin <= datetime.datetime.now(datetime.timezone.utc))
        self.assertEqual((duration, interface), ("600", "a0"))
        self.assertEqual(path.parent, self.home / f"capture_{time_[:8]}")
        self.assertEqual(capinfos(path)[0], "pcap")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_named_pcapng_in_directory(self):
        place = self.home / "x y"
        place.mkdir()
        with self.capture("-d", "600", "-o", place, "--name", "ü.pcapng", "--no-subdirectory") as process:
            self.begun(process)
            process.send_signal(signal.SIGHUP)
            self.finished(process)
        self.assertEqual(self.file(), place / "ü.pcapng")
        self.assertEqual(capinfos(self.file())[0], "pcapng")

    def test_duration_filter_snap_length(self):
        with self.capture("-d", "1", "-f", "udp port 5000 and greater 100", "-s", "60") as process:
            wait_until(lambda: self.wire.send(1) or process.poll() is not None, "the end")
            self.finished(process)
        fields = subprocess.run(["tshark", "-r", self.file(), "-T", "fields", "-e", "frame.len", "-e",
                                 "frame.cap_len"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(set(fields.splitlines()), {"142\t60"})

    def test_dumpcap_options(self):
        with self.capture("-d", "600", "--", "-c", "7") as process:
            wait_until(lambda: self.wire.send(1) or process.poll() is not None, "the end")
            self.finished(process)
        self.assertEqual(capinfos(self.file())[1], 7)

    def test_progress_on_a_terminal(self):
        ours, theirs = pty.openpty()
        with self.capture("-d", "600", stderr=theirs) as process:
            os.close(theirs)
            said = b""
            while not re.search(rb"a0: 9:\d\d left, [1-9]\d* packets, .*, 0 dropped", said):
                self.wire.send(1)
                said += os.read(ours, 4096)
            process.send_signal(signal.SIGINT)
            process.wait(60)
            self.assertEqual(process.returncode, 0)
            self.assertEqual(process.stdout.read(), f"{self.file()}\n")
        os.close(ours)

    def test_killed(self):
        """kill -9 of the command: dumpcap ends too, and the file is whole."""
        for round_ in range(3):
            with self.subTest(round_), self.capture("-d", "600") as process:
                self.begun(process)
                for _ in range(random.randrange(40)):
                    self.wire.send(1)
                recorded = self.settle()
                (dumpcap,) = children(process.pid)
                process.kill()
                process.wait()
                wait_until(lambda: not is_alive(dumpcap), "the end of dumpcap")
                self.assertGreaterEqual(capinfos(self.file())[1], recorded[0])
                self.file().unlink()

    def test_dumpcap_killed(self):
        """kill -9 of dumpcap: said, with the path; the file is whole up to its last packet."""
        for round_ in range(3):
            with self.subTest(round_), self.capture("-d", "600") as process:
                recorded = self.begun(process)
                stop = time.monotonic() + random.random() / 2
                while time.monotonic() < stop:
                    self.wire.send(20, 1400)
                os.kill(children(process.pid)[0], signal.SIGKILL)
                said = self.finished(process, 3)
                self.assertIn("killed by signal 9", said)
                packets = capinfos(self.file())[1]
                self.assertIn(f"the {packets} packets until then", said)
                self.assertGreaterEqual(packets, recorded[0])
                self.file().unlink()

    def test_interface_goes_away(self):
        lab.make_link(2)
        for side in "ab":  # what is sent before is lost
            wait_until(lambda side=side: "LOWER_UP" in subprocess.run(
                ["ip", "-n", lab.NAME + side, "link", "show", side + "2"], capture_output=True, text=True,
                check=True).stdout, "the link")
        self.wire = lab.Wire(2)
        self.addCleanup(self.wire.close)
        with self.capture("-d", "600", device="a2") as process:
            recorded = self.begun(process)
            lab.ip("-n", lab.NAME + "a", "link", "delete", "a2")
            said = self.finished(process, 3)
        self.assertIn("a2: the capture ended early", said)
        self.assertEqual(capinfos(self.file())[1:], recorded)

    def test_no_such_interface_and_bad_filter(self):
        self.refused(1, ["nothing0", 'no device named "nothing0"'], "-i", "nothing0")
        self.refused(1, ["lo", 'Invalid capture filter "tcp prt 2"', "syntax error"], "-i", "lo", "-f",
                     "tcp prt 2")

    @contextlib.contextmanager
    def small_disk(self, size):
        place = self.home / "disk"
        place.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place],
                              capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no tmpfs: {made.stderr}")
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", place], check=True)

    def test_full_disk(self):
        with self.small_disk("64k") as place, \
                self.capture("-d", "600", "-o", place) as process:
            wait_until(lambda: self.wire.send(20, 1400) or process.poll() is not None, "the end")
            said = self.finished(process, 3)
            self.assertIn("space", said)
            packets = capinfos(self.file())[1]
            self.assertGreater(packets, 30)
            self.assertIn(f"the {packets} packets until then are in {self.file()}", said)
        with contextlib.suppress(OSError):
            (self.home / "disk").rmdir()

    def test_full_disk_from_the_beginning(self):
        with self.small_disk("8k") as place:
            (place / "capture").mkdir()
            with contextlib.suppress(OSError), open(place / "rest", "wb", buffering=0) as rest:
                while True:
                    rest.write(bytes(512))
            result = self.run_("capture", "-i", "lo", "-d", "2", "-o", place / "capture")
            self.assertIn(result.returncode, (1, 3), result.stderr)
            self.assertIn("space", result.stderr)


class Permissions(Case):
    """As an ordinary user; the test is root and becomes nobody."""

    def setUp(self):
        super().setUp()
        if network:
            self.skipTest(network)
        # Everything on the way must be readable for nobody.
        self.tools = pathlib.Path(tempfile.mkdtemp(prefix="fieldedge-user-"))
        self.addCleanup(shutil.rmtree, self.tools, ignore_errors=True)
        self.tools.chmod(0o755)
        for source in (COMMAND, *pathlib.Path(COMMAND).parent.glob("libfieldedge.so*"),
                       shutil.which("dumpcap")):
            shutil.copy2(source, self.tools, follow_symlinks=True)
        self.dumpcap = self.tools / "dumpcap"
        os.chown(self.home, NOBODY, NOBODY)
        self.environment["LD_LIBRARY_PATH"] = str(self.tools)

    def as_nobody(self, *arguments, drop=()):
        return subprocess.run(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *drop,
             self.tools / "fieldedge", *map(str, arguments)], capture_output=True, text=True,
            check=False, env={**os.environ, **self.environment}, timeout=60)

    def denied(self, words, *arguments, **more):
        result = self.as_nobody("capture", "-i", "lo", "-d", "1", *arguments, **more)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(list(self.home.iterdir()), [])

    def test_group(self):
        self.dumpcap.chmod(0o750)
        os.chown(self.dumpcap, 0, 4)
        self.environment["PATH"] = f"{self.tools}:{os.environ['PATH']}"
        self.denied(["group adm", "usermod -aG adm"], "--dumpcap", self.dumpcap)

    def test_capability(self):
        self.denied(["cap_net_raw", "setcap", "dumpcap says"], "--dumpcap", self.dumpcap)

    def test_unwritable_directory(self):
        place = self.folder / "locked"
        place.mkdir(mode=0o755)
        self.denied(["locked", "ermission"], "-o", place, "--dumpcap", self.dumpcap)

    def with_capabilities(self):
        made = subprocess.run(["setcap", "cap_net_raw,cap_net_admin=eip", self.dumpcap],
                              capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"no file capabilities: {made.stderr}")

    def test_user_with_a_capable_dumpcap(self):
        self.with_capabilities()
        result = self.as_nobody("capture", "-i", "lo", "-d", "1", "--dumpcap", self.dumpcap)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.files()[0].stat().st_uid, NOBODY)

    def test_no_new_privileges(self):
        self.with_capabilities()
        self.denied(["no_new_privs"], "--dumpcap", self.dumpcap, drop=["--no-new-privs"])

    def test_killed(self):
        """The kernel forgets the death signal here: dumpcap notices that nobody reads it."""
        self.with_capabilities()
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                   self.tools / "fieldedge", "capture", "-i", "lo", "-d", "30", "-f",
                   "icmp", "--dumpcap", self.dumpcap]
        with subprocess.Popen(command, env={**os.environ, **self.environment}) as process:
            def ping():
                subprocess.run(["ping", "-qfc", "3", "127.0.0.1"], check=True, capture_output=True)
            def seen():
                ping()
                return self.files() and lengths(self.files()[0])
            wait_until(seen, "the first packet")
            (dumpcap,) = children(process.pid)
            process.kill()
            process.wait()
        wait_until(lambda: ping() or not is_alive(dumpcap), "the end of dumpcap", 20)
        capinfos(self.files()[0])


if __name__ == "__main__":
    unittest.main()
