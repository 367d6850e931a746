#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Helpers of make-captures: what no Debian package offers as a command.

  netlab.py link NS_A DEV_A NS_B DEV_B DELAY_MS JITTER_MS KBIT
      a modem link: two TUN devices (raw IP, like a cellular modem), one in each
      namespace, with delay, jitter (order is kept) and a bit rate each way
  netlab.py gre NS DEV LOCAL REMOTE
      one end of a GRE tunnel (RFC 2784, no key): a TUN device and a raw socket
      of IP protocol 47, for kernels that have no gre device
  netlab.py dot1q-switch NS_ACCESS1 DEV1 NS_ACCESS2 DEV2 NS_MIRROR MIRROR VLAN
      a two-port switch whose ports are TAP devices, with a mirror port on which
      every frame carries the 802.1Q tag, for kernels without VLAN devices
  netlab.py modbus-server ADDRESS
  netlab.py modbus-poll ADDRESS SOURCE PERIOD_S BAD_EVERY TALLY_FILE
  netlab.py upload URL BYTES TCPINFO_FILE     one HTTP POST; then TCP_INFO as JSON
  netlab.py sink ADDRESS PORT                 HTTP server that swallows POSTs
  netlab.py slow-reader ADDRESS PORT STALL_S  accepts, lets its window close, reads
  netlab.py fast-writer ADDRESS PORT BYTES IDLE_S   sends, then idles with keep-alives
  netlab.py udp-echo ADDRESS PORT | udp-ask ADDRESS PORT BYTES
  netlab.py strip IN OUT     pcapng without the names of the machine that captured
  netlab.py middle-of-last-packet FILE    its offset in a pcapng file
"""
import collections
import ctypes
import fcntl
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_TAP, IFF_NO_PI = 1, 2, 0x1000


def enter(namespace):
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"setns {namespace}")
    os.close(fd)


def tun(name, kind=IFF_TUN):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), kind | IFF_NO_PI))
    return fd


def put(fd, frame):
    try:
        os.write(fd, frame)
    except OSError:
        pass  # the device is down: the frame is lost, as on a real port


def link(ns_a, dev_a, ns_b, dev_b, delay_ms, jitter_ms, kbit):
    delay, jitter = float(delay_ms) / 1e3, float(jitter_ms) / 1e3
    per_byte = 8 / (float(kbit) * 1e3)
    enter(ns_a)
    a = tun(dev_a)
    enter(ns_b)
    b = tun(dev_b)
    random.seed(1)
    queue = {a: collections.deque(), b: collections.deque()}  # by destination
    line_free = {a: 0.0, b: 0.0}
    due = {a: 0.0, b: 0.0}
    poller = select.poll()
    poller.register(a, select.POLLIN)
    poller.register(b, select.POLLIN)
    while True:
        now = time.monotonic()
        waiting = [q[0][0] for q in queue.values() if q]
        ready = poller.poll(max(0, min(waiting) - now) * 1e3 if waiting else None)
        for fd, _ in ready:
            other = b if fd == a else a
            while True:
                try:
                    packet = os.read(fd, 65536)
                except OSError:
                    break
                now = time.monotonic()
                sent = line_free[other] = max(now, line_free[other]) + len(packet) * per_byte
                due[other] = max(due[other], sent + delay + random.uniform(0, jitter))
                queue[other].append((due[other], packet))
        now = time.monotonic()
        for fd, q in queue.items():
            while q and q[0][0] <= now:
                put(fd, q.popleft()[1])


def gre(namespace, dev, local, remote):
    enter(namespace)
    device = tun(dev)
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
    raw.bind((local, 0))
    raw.connect((remote, 0))
    poller = select.poll()
    poller.register(device, select.POLLIN)
    poller.register(raw, select.POLLIN)
    while True:
        for fd, _ in poller.poll():
            if fd == device:
                packet = os.read(device, 65536)
                proto = 0x86DD if packet[0] >> 4 == 6 else 0x0800
                raw.send(struct.pack("!HH", 0, proto) + packet)
            else:
                packet = raw.recv(65536)
                body = packet[(packet[0] & 15) * 4:]
                if struct.unpack("!H", body[:2])[0] == 0:
                    put(device, body[4:])


def dot1q_switch(ns1, dev1, ns2, dev2, ns_mirror, mirror, vlan):
    tag = struct.pack("!HH", 0x8100, int(vlan))
    enter(ns1)
    one = tun(dev1, IFF_TAP)
    enter(ns2)
    two = tun(dev2, IFF_TAP)
    enter(ns_mirror)
    span = tun(mirror, IFF_TAP)
    poller = select.poll()
    for fd in (one, two, span):
        poller.register(fd, select.POLLIN)
    while True:
        for fd, _ in poller.poll():
            frame = os.read(fd, 65536)
            if fd != span:  # a mirror port takes nothing in
                put(span, frame[:12] + tag + frame[12:])
                put(two if fd == one else one, frame)


def modbus_server(address):
    from pymodbus.datastore import (ModbusSequentialDataBlock, ModbusServerContext,
                                    ModbusSlaveContext)
    from pymodbus.server import StartTcpServer
    block = ModbusSequentialDataBlock(0, [0] * 32)
    unit = ModbusSlaveContext(di=block, co=block, hr=block, ir=block, zero_mode=True)

    def process():  # a tank level that rises and falls, and a running counter
        for tick in range(1 << 30):
            level = 1000 + abs((tick * 7) % 800 - 400)
            block.setValues(0, [level, level // 3, tick & 0xFFFF, 230, 50])
            time.sleep(1)

    threading.Thread(target=process, daemon=True).start()
    StartTcpServer(context=ModbusServerContext(slaves=unit, single=True),
                   address=(address, 502))


def modbus_poll(address, source, period, bad_every, tally_file):
    from pymodbus.client import ModbusTcpClient
    period, bad_every = float(period), int(bad_every)
    tally = {"requests": 0, "responses": 0, "exceptions": 0}
    client = ModbusTcpClient(address, port=502, source_address=(source, 0), timeout=5)
    while not client.connect():
        time.sleep(0.2)
    begin = time.monotonic()
    for number in range(1, 1 << 30):
        bad = bad_every and number % bad_every == 0
        tally["requests"] += 1
        answer = client.read_holding_registers(500 if bad else 0, 10, slave=1)
        tally["exceptions" if answer.isError() else "responses"] += 1
        with open(tally_file + ".new", "w") as out:
            json.dump(tally, out)
        os.rename(tally_file + ".new", tally_file)
        time.sleep(max(0, begin + number * period - time.monotonic()))


def upload(url, size, info_file):
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    size = int(size)
    s = socket.create_connection((name, int(port or 80)))
    random.seed(2)
    body = "".join(f"{t},{20 + random.random():.3f},{random.randrange(4096)}\n"
                   for t in range(0, size))[:size].encode()
    s.sendall((f"POST /{path} HTTP/1.1\r\nHost: {name}\r\nContent-Type: text/csv\r\n"
               f"Content-Length: {size}\r\nConnection: close\r\n\r\n").encode() + body)
    answer = b""
    while chunk := s.recv(4096):  # to the server's FIN: all data is acknowledged then
        answer += chunk
    raw = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    info = {"status": answer.split(b"\r\n")[0].decode(),
            "tcpi_snd_mss": struct.unpack_from("I", raw, 16)[0],
            "tcpi_total_retrans": struct.unpack_from("I", raw, 100)[0],
            "tcpi_bytes_acked": struct.unpack_from("Q", raw, 120)[0],
            "tcpi_data_segs_out": struct.unpack_from("I", raw, 156)[0],
            "tcpi_bytes_sent": struct.unpack_from("Q", raw, 200)[0],
            "tcpi_bytes_retrans": struct.unpack_from("Q", raw, 208)[0]}
    with open(info_file, "w") as out:
        json.dump(info, out)
    s.close()


def sink(address, port):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "sink", ""

        def do_POST(self):
            left = int(self.headers["Content-Length"])
            while left and (chunk := self.rfile.read(min(left, 65536))):
                left -= len(chunk)
            self.send_response(204)
            self.end_headers()

    HTTPServer((address, int(port)), Handler).serve_forever()


def slow_reader(address, port, stall):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind((address, int(port)))
    listener.listen(1)
    peer, _ = listener.accept()
    time.sleep(float(stall))
    while peer.recv(1024):
        pass
    peer.close()


def fast_writer(address, port, size, idle):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
    s.connect((address, int(port)))
    s.sendall(b"0417;tank;1.25;bar\n" * (int(size) // 19))
    time.sleep(float(idle))
    s.shutdown(socket.SHUT_WR)
    s.recv(1)
    s.close()


def udp_echo(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, int(port)))
    while True:
        data, peer = s.recvfrom(65535)
        s.sendto(data, peer)


def udp_ask(address, port, size):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    question = (b"log line of the site, " * (int(size) // 22 + 1))[:int(size)]
    s.sendto(question, (address, int(port)))
    if s.recv(65535) != question:
        sys.exit("udp-ask: wrong answer")


def strip(source, target):
    """Drop section-header options, and of each interface all but name, time
    resolution and filter; the packets and the statistics blocks stay."""
    data = open(source, "rb").read()
    out, at = bytearray(), 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        block = data[at:at + length]
        at += length
        fixed, keep = {0x0A0D0D0A: (24, ()), 1: (16, (2, 9, 11)),
                       5: (20, (2, 3, 4, 5, 6, 7, 8))}.get(kind, (0, None))
        if keep is not None:
            body, pos = block[8:fixed], fixed
            options = b""
            while pos + 4 <= length - 4:
                code, size = struct.unpack_from("<HH", block, pos)
                if code == 0:
                    break
                padded = (size + 3) & ~3
                if code in keep:
                    options += block[pos:pos + 4 + padded]
                pos += 4 + padded
            if options:
                options += b"\0\0\0\0"
            total = 8 + len(body) + len(options) + 4
            block = struct.pack("<II", kind, total) + body + options + struct.pack("<I", total)
        out += block
    open(target, "wb").write(out)


def middle_of_last_packet(source):
    data = open(source, "rb").read()
    at = middle = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            middle = at + length // 2
        at += length
    print(middle)


def main():
    commands = {f.__name__.replace("_", "-"): f for f in
                (link, gre, dot1q_switch, modbus_server, modbus_poll, upload, sink,
                 slow_reader, fast_writer, udp_echo, udp_ask, strip,
                 middle_of_last_packet)}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    commands[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
