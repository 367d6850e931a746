#!/usr/bin/python3
# test_fieldedge_services.py
# fieldedge watch on a link with real services, against what the kernel counted: packets and bytes of the
# interface, retransmissions of the sender (nstat), packets that nftables dropped.  Needs root, and mosquitto,
# nginx, dnsmasq, chrony, snmpd, libcoap, nftables; a Modbus server is here.
#
#     namespace A: a0 10.77.0.1  <- captured here      namespace B: b0 10.77.0.2, the services
#
# The link is the one of test_live.py: permanent neighbours, no IPv6, nothing on the wire but what the test sends.
# Drops are in B, behind the tap: what was dropped and what was sent again are both captured.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import functools
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

import harness
import test_live as link
from behaviour import check_books, has_begun, query, wait_until
from test_fieldedge_support import COMMAND

NEEDED = ("dumpcap", "nft", "nstat", "ethtool", "mosquitto", "mosquitto_pub", "nginx", "curl", "dnsmasq", "chronyd",
          "snmpd", "snmpget", "coap-server-notls", "coap-client-notls")
SERVER = "10.77.0.2"
FINAL = 1321  # payload of the last datagram


def setUpModule():
    link.setUpModule()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        link.tearDownModule()
        raise unittest.SkipTest(f"not installed: {', '.join(missing)}")
    for side in "ab":
        subprocess.run(["ip", "netns", "exec", link.NAME + side, "ethtool", "-K", side + "0", "tso", "off", "gso",
                        "off", "gro", "off", "tx", "off"], check=True, capture_output=True)


tearDownModule = link.tearDownModule


def inside(side, *words, check=True, **more):
    more.setdefault("capture_output", True)
    return subprocess.run(["ip", "netns", "exec", link.NAME + side, *map(str, words)], check=check, timeout=60,
                          text=True, **more)


@functools.lru_cache(maxsize=None)
def program():
    """The command and its library where every user may run them: (path, environment)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fieldedge-program-"))
    folder.chmod(0o755)
    harness.keep_until_exit(folder)
    for name in ("fieldedge", "libfieldedge.so.0"):
        shutil.copy(pathlib.Path(COMMAND).parent / name, folder / name)
    return folder / "fieldedge", {**harness.tshark_environment(), "LD_LIBRARY_PATH": str(folder)}


def modbus_server(listener):
    """Answers reads of holding registers (Modbus/TCP, function 3) until the client goes."""
    connection, _ = listener.accept()
    with connection:
        while len(request := connection.recv(12)) == 12:
            transaction, _, _, unit, function, _, count = struct.unpack("!HHHBBHH", request)
            connection.sendall(struct.pack("!HHHBBB", transaction, 0, 3 + 2 * count, unit, function,
                                           2 * count) + bytes(2 * count))


@contextlib.contextmanager
def services(folder):
    """All of them in namespace B, each answering."""
    pages = folder / "pages"
    pages.mkdir()
    (pages / "index.html").write_bytes(random.Random(1).randbytes(20000))
    configurations = {
        "mosquitto.conf": f"listener 1883 {SERVER}\nallow_anonymous true\nuser root\n",
        "nginx.conf": f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; user root; events {{}}\n"
                      f"http {{ access_log off; client_body_temp_path {folder}; server {{ listen {SERVER}:80;"
                      f" root {pages}; client_max_body_size 1g;\n location /upload {{ return 204; }} }} }}\n",
        "chrony.conf": f"local stratum 8\nallow 10.77.0.0/24\nbindaddress {SERVER}\ncmdport 0\nbindcmdaddress /\n"
                       f"pidfile {folder}/chrony.pid\n",
        "snmpd.conf": f"agentAddress udp:{SERVER}:161\nrocommunity public\n",
    }
    for name, text in configurations.items():
        (folder / name).write_text(text)
    commands = [
        ["mosquitto", "-c", folder / "mosquitto.conf"],
        ["nginx", "-c", folder / "nginx.conf"],
        ["dnsmasq", "-d", "-C", "/dev/null", "-R", "-h", f"--listen-address={SERVER}", "--bind-interfaces",
         "--address=/plc.example.net/10.77.0.9", f"--pid-file={folder}/dnsmasq.pid", "--user=root"],
        ["chronyd", "-d", "-x", "-f", folder / "chrony.conf"],
        ["snmpd", "-f", "-C", "-c", folder / "snmpd.conf", "-p", folder / "snmpd.pid", "-Lf", folder / "snmpd.log"],
        ["coap-server-notls", "-A", SERVER, "-p", 5683],
    ]
    with contextlib.ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen(["ip", "netns", "exec", link.NAME + "b", *map(str, command)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for port in ("tcp/1883", "tcp/80", "udp/53", "udp/123", "udp/161", "udp/5683"):
            kind, number = port.split("/")
            wait_until(lambda: f":{number} " in inside("b", "ss", "-Hln" + kind[0]).stdout, f"port {port}")
        yield


def ask(port, question):
    """A datagram to a service, and the length of its answer."""
    with link.in_namespace("a", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
        end.settimeout(30)
        end.sendto(question, (SERVER, port))
        return len(end.recv(65535))


def talk_modbus():
    with link.in_namespace("b", lambda: socket.create_server((SERVER, 502))) as listener:
        listener.settimeout(30)
        server = threading.Thread(target=modbus_server, args=(listener,))
        server.start()
        with link.in_namespace("a", lambda: socket.create_connection((SERVER, 502), 30)) as client:
            for number in range(20):
                client.sendall(struct.pack("!HHHBBHH", number, 0, 6, 1, 3, 0, 10))
                client.recv(29, socket.MSG_WAITALL)
        server.join()


def talk():
    """Each service is used; what comes back proves that it answered."""
    for number in range(5):
        inside("a", "mosquitto_pub", "-h", SERVER, "-t", "site/level", "-m", f"{number}" * 50, "-q", "1")
        inside("a", "snmpget", "-v2c", "-c", "public", "-Oqv", SERVER, "1.3.6.1.2.1.1.3.0")
        inside("a", "coap-client-notls", "-m", "get", f"coap://{SERVER}/time")
        ask(53, struct.pack("!6H", number, 256, 1, 0, 0, 0) + b"\x03plc\x07example\x03net\0\0\x01\0\x01")
        ask(123, bytes([0x23]) + bytes(47))
    inside("a", "curl", "-sf", "-o", "/dev/null", f"http://{SERVER}/")
    talk_modbus()


def counter(side, name):
    """A counter of the namespace's TCP."""
    found = re.search(rf"^{name}\s+(\d+)", inside(side, "nstat", "-asz", name).stdout, re.MULTILINE)
    return int(found.group(1))


@unittest.skipUnless(os.environ.get("FIELDEDGE_HAS_PLUGIN", "1") == "1",
                     "the plugin is not part of this build")
class Services(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(harness.work_dir()))
        self.folder.chmod(0o777)
        self.db = self.folder / "site.db"

    @contextlib.contextmanager
    def watch(self, *more, number=1):
        """fieldedge watch in namespace A, as the service runs it: an ordinary user with CAP_NET_RAW alone."""
        path, environment = program()
        drop = ["setpriv", f"--reuid={harness.NOBODY}", f"--regid={harness.NOBODY}", "--clear-groups",
                "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw",
                "--no-new-privs"]
        with subprocess.Popen(["ip", "netns", "exec", link.NAME + "a", *drop, path, "watch", "-i", "a0", self.db,
                               "--seconds", "1", *more], env=environment, stderr=subprocess.PIPE,
                              text=True) as process:
            spool = pathlib.Path(f"{self.db}.spool")
            try:
                wait_until(lambda: process.poll() is not None or
                           (spool.is_dir() and list(spool.glob(f"watch-{number:06}-*"))),
                           "dumpcap's first file")
                yield process
            finally:
                process.kill()

    def finish(self, process):
        """The last datagram is recorded, then the watch ends: what it said."""
        wire = link.Wire()
        wire.send(1, FINAL)
        wire.close()
        wait_until(lambda: has_begun(self.db) and query(
            self.db, "SELECT 1 FROM packets WHERE payload_bytes = ?", FINAL), "the last packet")
        kernel = link.counters()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual(query(self.db, "SELECT reason FROM gaps"), [], said)
        return kernel

    def test_counts_are_those_of_the_kernel(self):
        """Packets, bytes, retransmissions, in one run: real services, and losses."""
        with services(self.folder), self.watch() as process:
            begin = link.counters()
            sent_again = counter("a", "TcpRetransSegs")
            talk()
            inside("b", "nft", "-f", "-", input="""
                table ip lossy {
                  chain input {
                    type filter hook prerouting priority -300
                    tcp dport 80 ip length > 100 numgen random mod 100 < 5 counter drop
                  }
                }""")
            upload = self.folder / "upload"
            upload.write_bytes(bytes(400000))
            inside("a", "curl", "-sf", "-T", upload, f"http://{SERVER}/upload/x", check=False)
            dropped = int(re.search(r"counter packets (\d+)",
                                    inside("b", "nft", "list", "table", "ip", "lossy").stdout).group(1))
            inside("b", "nft", "delete", "table", "ip", "lossy")
            sent_again = counter("a", "TcpRetransSegs") - sent_again
            kernel = self.finish(process)
        check_books(self, self.db)
        self.assertEqual(query(self.db, "SELECT packets, frame_bytes FROM captures"),
                         [(kernel[0] - begin[0], kernel[1] - begin[1])])
        self.assertGreater(dropped, 0)
        recorded, = query(self.db, "SELECT count(*) FROM packets WHERE retransmitted_bytes > 0 AND"
                                   " source = '10.77.0.1'")[0]
        print(f"\nkernel: {kernel[0] - begin[0]} packets, {kernel[1] - begin[1]} bytes; dropped {dropped}; "
              f"sent again {sent_again}; recorded as sent again {recorded}")
        self.assertEqual(recorded, sent_again)
        self.assertGreaterEqual(recorded, dropped)
        labels = {name for name, in query(self.db, "SELECT DISTINCT application FROM conversations")}
        self.assertLessEqual({"TCP_MQTT", "TCP_HTTP", "TCP_MODBUS", "UDP_DNS", "UDP_NTP", "UDP_SNMP", "UDP_COAP"},
                             labels)
        self.assertEqual(query(self.db, "SELECT count(*), status FROM captures"), [(1, "complete")])

    def test_no_dissector_has_a_privilege(self):
        """CAP_NET_RAW is dumpcap's alone."""
        log = self.folder / "capabilities"
        tshark = self.folder / "tshark"
        tshark.write_text(f'#!/bin/sh\ngrep -E "^Cap(Prm|Eff|Amb)" /proc/self/status >>"{log}"\n'
                          'exec tshark "$@"\n')
        tshark.chmod(0o755)
        with self.watch("--tshark", tshark) as process:
            self.finish(process)
        sets = {line.split()[1] for line in log.read_text().splitlines()}
        self.assertEqual(sets, {"0" * 16})

    def test_killed_and_gone_on(self):
        """SIGKILL of the watch: dumpcap ends too, the next start goes on, and the gap is recorded."""
        wire = link.Wire()
        self.addCleanup(wire.close)
        with self.watch() as process:
            wire.send(10, 200)
            wait_until(lambda: has_begun(self.db) and query(self.db, "SELECT sum(packets) >= 10 FROM captures")
                       == [(1,)], "ten packets")
            process.kill()
            process.wait()
        with self.watch(number=2) as process:
            wire.send(10, 300)
            wire.send(1, FINAL)
            wait_until(lambda: query(self.db, "SELECT 1 FROM packets WHERE payload_bytes = ?", FINAL),
                       "the last packet")
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        check_books(self, self.db)
        self.assertEqual(query(self.db, "SELECT payload_bytes, count(*) FROM packets GROUP BY 1 ORDER BY 1"),
                         [(200, 10), (300, 10), (FINAL, 1)])
        self.assertEqual(query(self.db, "SELECT count(*) FROM conversations"), [(1,)])
        self.assertEqual(query(self.db, "SELECT reason, started_ns < ended_ns FROM gaps"), [("not running", 1)])


if __name__ == "__main__":
    harness.run_module()
