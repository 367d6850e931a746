# test_live.py
# Recording live: a veth pair between two network namespaces, real sockets on both ends, and the kernel's
# interface counters as the oracle.  Needs root.
#
#     namespace A: a0 10.77.0.1, a1 10.78.0.1   <- tshark captures here
#     namespace B: b0 10.77.0.2, b1 10.78.0.2
#
# Neighbours are permanent and IPv6 is off, so that the wire carries what the test sends and nothing else.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import threading
import unittest

import harness
from behaviour import (check_books, ended, has_begun, peek, query, started, wait_for_packets,
                       wait_until)

NAME = f"fieldedge{os.getpid()}"
PROBE_BYTES = 77  # payload of a datagram that only says "are you there"
CLONE_NEWNET = 0x40000000


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def setUpModule():
    harness.build_dir()
    if os.geteuid() != 0:
        raise unittest.SkipTest("live capture needs root")
    try:
        make_network()
    except (OSError, subprocess.CalledProcessError) as error:
        tearDownModule()
        raise unittest.SkipTest(f"cannot make network namespaces: {error}") from error


def tearDownModule():
    for side in "ab":
        subprocess.run(["ip", "netns", "delete", NAME + side], check=False, capture_output=True)


def make_network():
    for side in "ab":
        ip("netns", "add", NAME + side)
        in_namespace(side, lambda: pathlib.Path(
            "/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1", "ascii"))
        ip("-n", NAME + side, "link", "set", "lo", "up")
    for index in (0, 1):
        make_link(index)


def make_link(index):
    ip("link", "add", f"a{index}", "netns", NAME + "a", "address", f"02:00:00:00:0{index}:01",
       "type", "veth", "peer", f"b{index}", "netns", NAME + "b", "address", f"02:00:00:00:0{index}:02")
    for side, own, other in (("a", 1, 2), ("b", 2, 1)):
        device = f"{side}{index}"
        ip("-n", NAME + side, "address", "add", f"10.7{7 + index}.0.{own}/24", "dev", device)
        ip("-n", NAME + side, "link", "set", device, "up")
        ip("-n", NAME + side, "neighbour", "replace", f"10.7{7 + index}.0.{other}", "lladdr",
           f"02:00:00:00:0{index}:0{other}", "dev", device, "nud", "permanent")


def in_namespace(side, function):
    """Calls function in a thread that lives in the namespace; sockets made there stay there."""
    outcome = []

    def run():
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            with open(f"/run/netns/{NAME}{side}", "rb") as file:
                if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            outcome.append((function(), None))
        except OSError as error:
            outcome.append((None, error))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def counters(device="a0"):
    """The kernel's (packets, bytes) of both directions."""
    def read():
        words = next(line.split(":")[1].split() for line in
                     pathlib.Path("/proc/thread-self/net/dev").read_text("ascii").splitlines()
                     if line.strip().startswith(device + ":"))
        return int(words[1]) + int(words[9]), int(words[0]) + int(words[8])
    return in_namespace("a", read)


class Wire:
    """A UDP socket at each end of a link."""

    def __init__(self, index=0):
        self.addresses = [(f"10.7{7 + index}.0.{end}", 5000) for end in (1, 2)]
        self.ends = [in_namespace(side, lambda address=address: self.bound(address))
                     for side, address in zip("ab", self.addresses)]

    @staticmethod
    def bound(address):
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.settimeout(30)
        end.bind(address)
        return end

    def send(self, count=1, size=100):
        """`count` datagrams, every second one back; each has arrived when this returns."""
        for i in range(count):
            source, target = (0, 1) if i % 2 == 0 else (1, 0)
            self.ends[source].sendto(bytes(size), self.addresses[target])
            self.ends[target].recv(65535)

    def close(self):
        for end in self.ends:
            end.close()


def tcp_exchange():
    """A TCP connection over the first link, with data both ways."""
    def listening():
        listener = socket.create_server(("10.77.0.2", 0))
        listener.settimeout(30)
        return listener
    with in_namespace("b", listening) as listener:
        port = listener.getsockname()[1]
        with in_namespace("a", lambda: socket.create_connection(("10.77.0.2", port), 30)) as client:
            server, _ = listener.accept()
            with server:
                server.settimeout(30)
                for size in (10, 500, 40000):
                    client.sendall(bytes(size))
                    left = size
                    while left:
                        left -= len(server.recv(left))
                    server.sendall(b"thanks")
                    client.recv(6, socket.MSG_WAITALL)
                client.shutdown(socket.SHUT_WR)
                server.recv(1)
            client.recv(1)


@contextlib.contextmanager
def live(database, *args, devices=("a0",)):
    """tshark recording live in namespace A."""
    interfaces = [word for device in devices for word in ("-i", device)]
    with started(["-q", *interfaces, *args, "-z", f"fieldedge,{database}"], capabilities=True,
                 before=["ip", "netns", "exec", NAME + "a"]) as process:
        yield process


def probe(wire, database, process):
    """Sends until a probe was recorded, then until the newest was: what came before is recorded too."""
    def seen():
        wire.send(1, PROBE_BYTES)
        return process.poll() is not None or has_begun(database) and packets(database) > 0
    wait_until(seen, "the first recorded packet")
    settle(wire, database)


def settle(wire, database):
    """All that was sent up to now is recorded."""
    settle.size += 1
    wire.send(1, settle.size)
    wait_until(lambda: peek(database, "SELECT 1 FROM packets WHERE payload_bytes = ?", settle.size),
               "the last packet for a reader")


settle.size = 1000  # each call's payload is one of its own


def packets(database):
    return peek(database, "SELECT sum(packets) FROM captures")[0][0]


def frame_numbers(files):
    """Frame numbers as they follow one another in the files of a ring."""
    counts = [int(subprocess.run(["capinfos", "-cMTr", file], check=True, capture_output=True)
                  .stdout.split()[-1]) for file in files]
    return [number for count in counts for number in range(1, count + 1)]


class Live(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(harness.work_dir()))
        self.database = self.folder / "a.db"
        self.wire = Wire()
        self.addCleanup(self.wire.close)

    def totals(self, device=None):
        """(packets, frame bytes) in the database."""
        return peek(self.database, "SELECT count(*), ifnull(sum(frame_bytes), 0) FROM packets")[0]

    def finish(self, process, number=signal.SIGINT):
        process.send_signal(number)
        return self.check_end(process)

    def check_end(self, process, status="complete", code=0):
        returned, said = ended(process)
        self.assertEqual(returned, code, said)
        self.assertNotIn("fieldedge:", said)
        self.assertEqual(query(self.database, "SELECT status FROM captures"), [(status,)])
        check_books(self, self.database)
        return said

    def numbers(self):
        return [row[0] for row in query(self.database, "SELECT number FROM packets ORDER BY packet_id")]

    def test_kernel_counters_and_a_reader(self):
        with live(self.database) as process:
            probe(self.wire, self.database, process)
            kernel, recorded = counters(), self.totals()
            self.wire.send(40)
            tcp_exchange()
            subprocess.run(["ip", "netns", "exec", NAME + "a", "ping", "-qfc", "20", "10.77.0.2"],
                           check=True, capture_output=True)
            self.wire.send(3, 1400)
            settle(self.wire, self.database)
            kernel_end, recorded_end = counters(), self.totals()
            self.assertEqual([a - b for a, b in zip(recorded_end, recorded)],
                             [a - b for a, b in zip(kernel_end, kernel)])
            # Idle from now on: these few must become visible by themselves.
            wait_for_packets(self.database, recorded_end[0])
            self.wire.send(5, 321)
            wait_for_packets(self.database, recorded_end[0] + 5)
            said = self.finish(process)
        self.assertIn(f"{recorded_end[0] + 5} packets captured", said)
        self.assertEqual(query(self.database, "SELECT file, interface, link_type, packets FROM captures"),
                         [(None, "a0", "ether", recorded_end[0] + 5)])
        self.assertEqual(self.numbers(), list(range(1, recorded_end[0] + 6)))
        labels = query(self.database, "SELECT DISTINCT transport FROM conversations ORDER BY 1")
        self.assertEqual(labels, [("ICMP",), ("TCP",), ("UDP",)])

    def test_terminated(self):
        with live(self.database) as process:
            probe(self.wire, self.database, process)
            self.finish(process, signal.SIGTERM)

    def test_killed(self):
        with live(self.database) as process:
            probe(self.wire, self.database, process)
            seen = packets(self.database)
            process.kill()
            process.wait()
        self.assertGreaterEqual(query(self.database, "SELECT packets FROM captures")[0][0], seen)
        self.assertEqual(query(self.database, "SELECT status FROM captures"), [("interrupted",)])
        check_books(self, self.database)

    def test_no_packet(self):
        """Stopped before anything came: the capture is there, with no packet."""
        with live(self.database) as process:
            line = process.stderr.readline()
            while b"File:" not in line:  # dumpcap's first message: before it, tshark loses the signal
                self.assertTrue(line, "tshark ended")
                line = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            code, _ = ended(process)
        self.assertEqual(code, 0)
        self.assertEqual(query(self.database, "SELECT status, packets FROM captures"), [("complete", 0)])

    def test_no_such_interface(self):
        with live(self.database, devices=["nothing0"]) as process:
            code, said = ended(process)
        self.assertNotEqual(code, 0)
        self.assertIn("nothing0", said)
        self.assertFalse(self.database.exists(), "a capture that never began was left")

    def test_interface_goes_away(self):
        make_link(2)
        wire = Wire(2)
        self.addCleanup(wire.close)
        with live(self.database, devices=["a2"]) as process:
            probe(wire, self.database, process)
            wire.send(10)
            settle(wire, self.database)
            count = packets(self.database)
            ip("-n", NAME + "a", "link", "delete", "a2")
            code, said = ended(process)
        self.assertNotIn("fieldedge:", said)
        self.assertEqual(query(self.database, "SELECT packets FROM captures"), [(count,)])
        status = query(self.database, "SELECT status FROM captures")[0][0]
        self.assertEqual(status, "complete" if code == 0 else "cut short", said)
        check_books(self, self.database)

    def test_file(self):
        """-w: the rows are the file's packets."""
        file = self.folder / "kept.pcapng"
        with live(self.database, "-w", file) as process:
            probe(self.wire, self.database, process)
            self.wire.send(30)
            settle(self.wire, self.database)
            self.finish(process)
        self.assertEqual(query(self.database, "SELECT file FROM captures"), [(str(file),)])
        self.assertEqual(self.numbers(), frame_numbers([file]))

    def test_ring(self):
        """Frame numbers begin again in each file; the column has them, and no row is lost."""
        for options in (["-b", "filesize:2"], ["-b", "packets:1"],
                        ["-b", "packets:9", "-a", "files:40"]):
            with self.subTest(options), contextlib.suppress(FileNotFoundError):
                self.database.unlink(missing_ok=True)
                for old in self.folder.glob("ring*"):
                    old.unlink()
                with live(self.database, "-w", self.folder / "ring.pcapng", *options) as process:
                    probe(self.wire, self.database, process)
                    if "-a" in options:
                        self.wire.send(360)
                        self.check_end(process)
                    else:
                        self.wire.send(60)
                        settle(self.wire, self.database)
                        self.finish(process)
                files = sorted(self.folder.glob("ring*"))
                self.assertGreater(len(files), 3)
                wanted = frame_numbers(files)
                self.assertEqual(self.numbers(), wanted)
                self.assertEqual(query(self.database, "SELECT packets FROM captures"), [(len(wanted),)])
                restarts = sum(a >= b for a, b in zip(wanted, wanted[1:]))
                self.assertEqual(query(self.database, "SELECT count(*) FROM renumbering"), [(restarts,)])
                self.assertEqual(query(self.database, "SELECT count(*) FROM conversations"), [(1,)])

    def test_count(self):
        with live(self.database, "-c", "25") as process:
            wait_until(lambda: self.wire.send(5) or process.poll() is not None, "25 packets")
            self.check_end(process)
        self.assertEqual(self.numbers(), list(range(1, 26)))

    def test_duration(self):
        with live(self.database, "-a", "duration:1") as process:
            wait_until(lambda: self.wire.send(1) or process.poll() is not None, "the end")
            self.check_end(process)

    def test_two_interfaces(self):
        other = Wire(1)
        self.addCleanup(other.close)
        with live(self.database, devices=["a0", "a1"]) as process:
            probe(self.wire, self.database, process)
            settle(other, self.database)
            before = [counters(device) for device in ("a0", "a1")], self.totals()
            self.wire.send(21)
            other.send(14, 200)
            settle(other, self.database)
            settle(self.wire, self.database)
            after = [counters(device) for device in ("a0", "a1")], self.totals()
            self.finish(process)
        kernel = [sum(new[i] - old[i] for new, old in zip(after[0], before[0])) for i in (0, 1)]
        self.assertEqual([after[1][i] - before[1][i] for i in (0, 1)], kernel)
        hosts = query(self.database, "SELECT host_a FROM conversations ORDER BY 1")
        self.assertEqual(len(hosts), 2)


if __name__ == "__main__":
    harness.run_module()
