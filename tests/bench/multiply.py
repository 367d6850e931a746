#!/usr/bin/python3
# multiply.py OUT COUNT
#   Writes a pcap of COUNT packets at OUT: the project's own captures again and again, each replica
#   with addresses of its own, so that conversations multiply as on a busy link.  The same arguments
#   give the same bytes.
#
#   A replica r adds r to the second and third octet of every unicast IPv4 address and to the last
#   two bytes of the prefix of every IPv6 address, and starts STEP seconds after the one before.
#   Checksums are not mended: Wireshark does not verify them by default.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import struct
import subprocess
import sys
import tempfile

STEP = 200
ETHERNET = 1
CAPTURES = ("site.pcapng", "loss.pcapng", "loss-downlink.pcapng", "zero-window.pcapng",
            "fragments.pcapng", "dhcp.pcapng", "vxlan.pcapng")
SOURCE = pathlib.Path(__file__).resolve().parents[1] / "captures"


def packets_of(capture, folder):
    """(seconds, microseconds, length on the wire, bytes) of each packet, via a classic pcap."""
    plain = pathlib.Path(folder) / (capture.name + ".pcap")
    subprocess.run(["editcap", "-F", "pcap", capture, plain], check=True, capture_output=True)
    data = plain.read_bytes()
    link = struct.unpack_from("<I", data, 20)[0]
    if link != ETHERNET:
        raise ValueError(f"{capture}: link type {link}, not Ethernet")
    at, found = 24, []
    while at < len(data):
        seconds, micros, captured, wire = struct.unpack_from("<IIII", data, at)
        found.append((seconds, micros, wire, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    start = found[0][0]
    return [(s - start, m, w, b) for s, m, w, b in found]


def shift(packet, replica):
    """The packet with its outer IP addresses moved."""
    if len(packet) < 34:
        return packet
    kind = packet[12:14]
    moved = bytearray(packet)
    if kind == b"\x08\x00":
        for at in (26, 30):
            if 0 < packet[at] < 224:
                moved[at + 1] = (packet[at + 1] + replica // 251) & 0xff
                moved[at + 2] = (packet[at + 2] + replica) % 251
    elif kind == b"\x86\xdd" and len(packet) >= 54:
        for at in (22, 38):
            if packet[at] & 0xe0 == 0x20:
                number = int.from_bytes(packet[at + 6:at + 8], "big") + replica
                moved[at + 6:at + 8] = (number & 0xffff).to_bytes(2, "big")
    return bytes(moved)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: multiply.py OUT COUNT")
    out, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        base = [p for name in CAPTURES for p in packets_of(SOURCE / name, folder)]
    base.sort(key=lambda p: p[:2])
    written = 0
    with open(out, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, ETHERNET))
        for replica in range(count // len(base) + 1):
            start = 1700000000 + replica * STEP
            for seconds, micros, wire, data in base[:count - written]:
                data = shift(data, replica)
                file.write(struct.pack("<IIII", start + seconds, micros, len(data), wire) + data)
            written += min(len(base), count - written)
    print(f"{out}: {written} packets, {written // len(base)} replicas of {len(base)} packets")


if __name__ == "__main__":
    main()
