# test_inputs.py
# Every way to hand packets to tshark, and every encapsulation: what is in the database is what tshark
# itself, without the plugin, says of the same packets.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import gzip
import ipaddress
import os
import shutil
import subprocess
import unittest

import harness
from behaviour import SITE, check_books, give, query

OWN = harness.OWN_CAPTURES
SHARED = harness.SHARED / "captures"
NANOSECOND = OWN / "nanosecond.pcap.gz"
SITE_PACKETS = 957
# Own captures, and those of others where they lie beside the project.
ENCAPSULATED = [*harness.own_captures(), *(SHARED / name for name in (
    "dhcp-qinq-36min.pcap", "erspan-gre-vlan-2min.pcap", "gtp-volte-sll.pcap", "http-over-sctp.pcap",
    "http2-cleartext-null.pcap", "ip-fragments-nfs.pcap", "icmp-quoting-udp-stun.pcapng",
    "mpls-basic.pcap", "opcua-browse-16min-null.pcap", "pcapng-4-interfaces.pcapng",
    "pppoe-ipv6-session.pcap", "rawip-mixed-tcp.pcap", "rtsp-sll-retrans-4min.pcap", "sll2-http.pcap",
    "tls-vlan-retrans.pcap", "vxlan-vlan-tls.pcap", "wlan-radiotap-wpa.pcap.gz", "small/ipip.pcap",
    "small/gre_two.pcap", "small/vxlan.pcap", "small/vlan.pcap", "small/icmp_unreach_udp_rawip.pcap"))]
TUNNELS = {"gre": "GRE", "erspan": "ERSPAN", "vxlan": "VXLAN", "geneve": "GENEVE", "gtp": "GTP",
           "l2tp": "L2TP", "mpls": "MPLS", "pppoes": "PPPOE", "teredo": "TEREDO"}
FIELDS = ("frame.number", "frame.time_epoch", "frame.len", "frame.protocols", "ip.len", "ip.src", "ip.dst",
          "ipv6.plen", "ipv6.src", "ipv6.dst", "vlan.id", "ieee8021ad.id")


def setUpModule():
    harness.build_dir()


def numbers(database, capture=1):
    return [row[0] for row in query(database, "SELECT number FROM packets WHERE capture_id = ?"
                                              " ORDER BY packet_id", capture)]


class Layers:
    """What the words of tshark on one packet mean."""

    def __init__(self, row):
        field = dict(zip(FIELDS, row))
        self.number = int(field["frame.number"])
        seconds, fraction = field["frame.time_epoch"].split(".")
        self.time_ns = int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
        self.frame_bytes = int(field["frame.len"])
        self.ip_layers, self.tunnel = [], None
        occurrences = {"ip": 0, "ipv6": 0}
        for name in field["frame.protocols"].split(":"):
            if name in ("icmp", "icmpv6"):
                break  # what follows is quoted
            if name in occurrences:
                self.ip_layers.append((name, occurrences[name]))
                occurrences[name] += 1
                tunnel = "IP" if len(self.ip_layers) > 1 else None
            else:
                tunnel = TUNNELS.get(name)
            self.tunnel = self.tunnel or tunnel
        self.vlans = [int(text, 0) for name in ("ieee8021ad.id", "vlan.id")
                      for text in field[name].split(",") if text]
        self.field = field

    def value(self, layer, four, six):
        name, index = layer
        return self.field[four if name == "ip" else six].split(",")[index]

    def hosts(self):
        """Addresses of the innermost IP header; None without IP."""
        if not self.ip_layers:
            return None
        layer = self.ip_layers[-1]
        return tuple(ipaddress.ip_address(self.value(layer, f"ip.{end}", f"ipv6.{end}"))
                     for end in ("src", "dst"))

    def ip_bytes(self):
        """Of the outermost IP packet; None where its header has no length (offloads, jumbograms)."""
        if not self.ip_layers:
            return 0
        length = int(self.value(self.ip_layers[0], "ip.len", "ipv6.plen"))
        if length == 0:
            return None
        header = 40 if self.ip_layers[0][0] == "ipv6" else 0
        return min(length + header, self.frame_bytes)


class Encapsulation(unittest.TestCase):
    def test_against_tshark(self):
        present = [path for path in ENCAPSULATED if path.exists()]
        for path, failure in zip(present, harness.in_parallel(self.compare, present)):
            with self.subTest(harness.name_of(path)):
                self.assertIsNone(failure)

    def compare(self, path):
        """None, or what differs first."""
        database = harness.recording(path)[0]
        wanted = [Layers(row) for row in harness.table(path, FIELDS)[0]]
        rows = query(database, "SELECT number, time_ns, source, destination, frame_bytes, ip_bytes,"
                               " conversation_id FROM packets ORDER BY packet_id")
        if len(rows) != len(wanted):
            return f"{len(rows)} rows, {len(wanted)} packets"
        begins = {}
        for layers, (number, time_ns, source, destination, size, ip_bytes, conversation) in zip(wanted,
                                                                                             rows):
            got = (number, time_ns, size)
            if got != (layers.number, layers.time_ns, layers.frame_bytes):
                return f"frame {layers.number}: {got}"
            if layers.ip_bytes() not in (None, ip_bytes):
                return f"frame {number}: {ip_bytes} IP bytes, not {layers.ip_bytes()}"
            if (conversation is None) != (layers.hosts() is None):
                return f"frame {number}: conversation {conversation}, layers {layers.ip_layers}"
            if conversation is None:
                continue
            if tuple(map(ipaddress.ip_address, (source, destination))) != layers.hosts():
                return f"frame {number}: {source} to {destination}, not {layers.hosts()}"
            begins.setdefault(conversation, layers)
        for conversation, vlan, tunnel in query(database, "SELECT id, vlan, tunnel FROM conversations"):
            layers = begins[conversation]
            first = layers.vlans[0] if layers.vlans else None
            if (vlan, tunnel) != (first, layers.tunnel):
                return (f"conversation of frame {layers.number}: VLAN {vlan}, tunnel {tunnel}; not"
                        f" {first}, {layers.tunnel}")
        return None

    def test_expected_tunnels(self):
        """The captures hold what their names say: the comparison above was about something."""
        for name, vlan, tunnel in (("vxlan.pcapng", None, "VXLAN"), ("gre.pcapng", None, "GRE"),
                                   ("dot1q.pcapng", 417, None)):
            with self.subTest(name):
                database = harness.recording(OWN / name)[0]
                self.assertIn((vlan, tunnel), query(database, "SELECT vlan, tunnel FROM conversations"))


class Files(unittest.TestCase):
    def one(self, args, folder, wanted, **more):
        """Records by `args` into a new database: its path.  wanted: frame numbers."""
        database = folder / "a.db"
        database.unlink(missing_ok=True)
        argument = f"fieldedge,{database}" + more.pop("argument", "")
        result = harness.run_tshark(["-q", *args, "-z", argument], **more)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(numbers(database), wanted)
        self.assertEqual(query(database, "SELECT status FROM captures"), [("complete",)])
        check_books(self, database)
        return database

    def test_formats(self):
        everything = list(range(1, SITE_PACKETS + 1))
        columns = "SELECT number, time_ns, source, destination, frame_bytes, analysis FROM packets"
        with harness.work_dir() as folder:
            reference = query(self.one(["-r", SITE], folder, everything), columns)
            for name, words in (("classic.pcap", ["-F", "nsecpcap"]), ("old.pcapng", ["-F", "pcapng"])):
                path = folder / name
                subprocess.run(["editcap", *words, SITE, path], check=True)
                (folder / (name + ".gz")).write_bytes(gzip.compress(path.read_bytes()))
                for variant in (path, folder / (name + ".gz")):
                    with self.subTest(variant.name):
                        variant.chmod(0o644)
                        database = self.one(["-r", variant], folder, everything)
                        self.assertEqual(query(database, columns), reference)
                        self.assertEqual(query(database, "SELECT file, link_type FROM captures"),
                                         [(str(variant), "ether")])

    def test_nanoseconds(self):
        database = harness.recording(NANOSECOND)[0]
        times = query(database, "SELECT sum(time_ns % 1000 <> 0), count(*) FROM packets")[0]
        self.assertGreater(times[0], times[1] // 2, "no nanoseconds")

    def test_two_interfaces(self):
        database = harness.recording(OWN / "two-interfaces.pcapng")[0]
        self.assertEqual(query(database, "SELECT interface, packets FROM captures"), [("lan0", 92)])
        without_link = query(database, "SELECT count(*) FROM packets WHERE frame_bytes = ip_bytes")
        self.assertEqual(without_link, [(41,)], "packets of the raw IP interface")

    def test_standard_input(self):
        everything = list(range(1, SITE_PACKETS + 1))
        with harness.work_dir() as folder, open(SITE, "rb") as file:
            database = self.one(["-r", "-"], folder, everything, stdin=file, capture_output=True)
            self.assertEqual(query(database, "SELECT file FROM captures"), [("-",)])
            file.seek(0)
            self.one(["-i", "-"], folder, everything, stdin=file, capture_output=True)

    def test_no_packets(self):
        with harness.work_dir() as folder:
            classic = folder / "empty.pcap"
            subprocess.run(["editcap", "-F", "pcap", OWN / "empty.pcapng", classic], check=False,
                           capture_output=True)
            if not classic.exists():
                classic.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
            classic.chmod(0o644)
            for path in (OWN / "empty.pcapng", classic):
                for args in (["-r", path], [f"-r{path}"], ["-nr", path],
                             ["-o", "tcp.relative_sequence_numbers:FALSE", "-2r", path]):
                    with self.subTest(args):
                        database = self.one(args, folder, [])
                        self.assertEqual(query(database, "SELECT file, packets, started_ns FROM captures"),
                                         [(str(path), 0, None)])

    def test_nothing_at_all(self):
        """A file without a byte: tshark says what it says of it, and the books agree."""
        with harness.work_dir() as folder:
            (folder / "zero.pcap").touch(mode=0o644)
            plain = harness.run_tshark(["-q", "-r", folder / "zero.pcap"], plugin=False)
            result = harness.record(folder / "zero.pcap", folder / "a.db")
            self.assertEqual((result.returncode, result.stderr), (plain.returncode, plain.stderr))
            if result.returncode == 0:
                self.assertEqual(query(folder / "a.db", "SELECT file, status, packets FROM captures"),
                                 [(str(folder / "zero.pcap"), "complete", 0)])

    def test_options(self):
        everything = list(range(1, SITE_PACKETS + 1))
        tcp = [int(row[0]) for row in harness.table(SITE, ["frame.number"], ["-Y", "tcp"])[0]]
        self.assertTrue(0 < len(tcp) < SITE_PACKETS)
        read = list(range(1, len(tcp) + 1))  # what -R leaves out has no number
        with harness.work_dir() as folder:
            for args, wanted in ((["-c", "100"], everything[:100]), (["-2"], everything),
                                 (["-Y", "tcp"], everything), (["-2", "-R", "tcp"], read),
                                 (["-V"], everything), (["-w", folder / "copy.pcapng"], everything),
                                 (["-n", "-T", "fields", "-e", "ip.src"], everything)):
                with self.subTest(args):
                    self.one(["-r", SITE, *args], folder, wanted)
            for filter, wanted in ((",tcp", tcp), (",", everything),
                                   (",frame.number in {3, 5, 8..10}", [3, 5, 8, 9, 10]),
                                   (",frame.number==1 or frame contains \"no, such\"", [1])):
                with self.subTest(filter):
                    database = self.one(["-r", SITE], folder, wanted, argument=filter)
                    self.assertEqual(query(database, "SELECT filter FROM captures"),
                                     [(filter[1:] or None,)])

    def test_sessions_that_begin_again(self):
        """-M: frame numbers and streams begin again; each packet keeps its own number and row."""
        with harness.work_dir() as folder:
            result = harness.run_tshark(["-q", "-M", "100", "-r", SITE, "-z",
                                         f"fieldedge,{folder / 'a.db'}"])
            self.assertEqual(result.returncode, 0, result.stderr)
            plain = harness.run_tshark(["-M", "100", "-r", SITE, "-T", "fields", "-e", "frame.number",
                                        "-e", "ip.src"], plugin=False).stdout.split("\n")[:-1]
            self.assertEqual(numbers(folder / "a.db"), [int(line.split("\t")[0]) for line in plain])
            self.assertEqual(query(folder / "a.db", "SELECT count(*) FROM renumbering"),
                             [((SITE_PACKETS - 1) // 100,)])
            check_books(self, folder / "a.db")

    def test_several_captures_in_one_database(self):
        paths = [SITE, NANOSECOND, OWN / "empty.pcapng", OWN / "gre.pcapng", SITE]
        with harness.work_dir() as folder:
            database = folder / "a.db"
            for path in paths:
                self.assertEqual(harness.record(path, database).returncode, 0)
            self.assertEqual(query(database, "SELECT id, file FROM captures ORDER BY id"),
                             [(i + 1, str(path)) for i, path in enumerate(paths)])
            check_books(self, database)
            for view, order in (("packets", "packet_id"), ("conversations", "id"),
                                ("application_totals", "application"), ("host_pairs", "host_a, host_b")):
                columns = [row[1] for row in query(database, f"PRAGMA table_info({view})")]
                same = ", ".join(name for name in columns if name not in
                                 ("id", "capture_id", "conversation_id", "packet_id", "payload_hash"))
                sql = f"SELECT {same} FROM {view} WHERE capture_id = ? ORDER BY {order}"
                for i, path in enumerate(paths):
                    with self.subTest(view, capture=i + 1):
                        alone = query(harness.recording(path)[0], sql, 1)
                        self.assertEqual(query(database, sql, i + 1), alone)


class Paths(unittest.TestCase):
    """The database's name is a file's name, whatever SQLite might read in it."""

    def test_names(self):
        with harness.work_dir() as folder:
            for name in ("with space.db", "Pümpe ☃.db", ":memory:", "file:a.db", "file:b.db?mode=memory",
                         "100%25.db", "-z.db", "no-suffix", "./c.db", "sub/../d.db"):
                (folder / "sub").mkdir(exist_ok=True)
                with self.subTest(name):
                    result = harness.record(NANOSECOND, name, cwd=folder)
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                    path = folder / name
                    self.assertTrue(path.is_file())
                    self.assertEqual(query(path, "SELECT status FROM captures"), [("complete",)])
            # The status of a cut-short file comes in an exit handler, by the name again.
            result = harness.record(OWN / "cut-short.pcapng", ":memory:", cwd=folder)
            self.assertEqual(result.returncode, 2)
            self.assertEqual(query(folder / ":memory:", "SELECT status FROM captures"),
                             [("complete",), ("cut short",)])

    def test_nothing_is_left_beside_it(self):
        with harness.work_dir() as folder:
            self.assertEqual(harness.record(NANOSECOND, folder / "a.db").returncode, 0)
            self.assertEqual(os.listdir(folder), ["a.db"])

    def test_symbolic_links(self):
        with harness.work_dir() as folder:
            (folder / "to-be.db").symlink_to("real.db")
            self.assertEqual(harness.record(NANOSECOND, folder / "to-be.db").returncode, 0)
            self.assertTrue((folder / "to-be.db").is_symlink())
            self.assertEqual(query(folder / "real.db", "SELECT status FROM captures"), [("complete",)])
            (folder / "loop.db").symlink_to("loop.db")
            result = harness.record(NANOSECOND, folder / "loop.db")
            self.assertEqual(result.returncode, 1)
            self.assertIn("loop.db", result.stderr)

    def test_permissions(self):
        """The umask decides, as for every file that SQLite makes."""
        for umask, mode in ((0o022, 0o644), (0o077, 0o600)):
            with self.subTest(umask), harness.work_dir() as folder:
                result = harness.record(NANOSECOND, folder / "a.db", umask=umask)
                self.assertEqual(result.returncode, 0)
                self.assertEqual((folder / "a.db").stat().st_mode & 0o777, mode)

    def test_capture_names(self):
        """Any bytes may be in a file's name; what the database has is text."""
        with harness.work_dir() as folder:
            for name in (b"quote'\"<b>.pcap", b"line\nfeed.pcap", b"latin-\xfc.pcap"):
                with self.subTest(name):
                    path = os.fsencode(folder) + b"/" + name
                    shutil.copy(NANOSECOND, path)
                    os.chmod(path, 0o644)
                    database = folder / "a.db"
                    database.unlink(missing_ok=True)
                    result = harness.run_tshark(["-q", "-r", os.fsdecode(path), "-z",
                                                 f"fieldedge,{database}"])
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertEqual(query(database, "SELECT file FROM captures"),
                                     [(path.decode("utf-8", "replace"),)])

    def test_own_input(self):
        """The capture itself is no database, and stays as it is."""
        with harness.work_dir() as folder:
            path = give(folder / shutil.copy(SITE, folder / "a.pcapng"))
            result = harness.record(path, path)
            self.assertEqual(result.returncode, 1)
            self.assertIn("not an SQLite database", result.stderr)
            self.assertEqual(path.read_bytes(), SITE.read_bytes())


if __name__ == "__main__":
    harness.run_module()
