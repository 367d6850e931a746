# test_fieldedge_support.py
# Databases made by SQL alone, and the command run on them.  For the test_fieldedge_*.py beside it.
#
# Environment, set by postproc/tests.cmake: FIELDEDGE (the command), FIELDEDGE_SOURCE (the project).
#
# SPDX-License-Identifier: GPL-2.0-or-later
import ipaddress
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

COMMAND = os.environ.get("FIELDEDGE", "fieldedge")
SOURCE = pathlib.Path(os.environ.get("FIELDEDGE_SOURCE",
                                     pathlib.Path(__file__).resolve().parents[2]))
APPLICATION_ID = 0x46456467
VERSION = 2
SECOND = 1_000_000_000
LINK = 14  # bytes of an Ethernet header


def run(*arguments, env=None, text=True, command=None, **more):
    """Runs the command; the result has returncode, stdout and stderr."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}
    return subprocess.run([command or COMMAND, *map(str, arguments)], capture_output=True,
                          env=environment, text=text, timeout=300, check=False, **more)


class Database:
    """A recorded database.  Times are ns since the epoch."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.sql = sqlite3.connect(self.path)
        schema = SOURCE / "schema"
        for file in (schema / "schema.sql", *sorted((schema / "migrations").glob("*.sql")),
                     schema / "views.sql"):
            self.sql.executescript(file.read_text(encoding="utf-8"))
        self.sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self.sql.execute(f"PRAGMA user_version = {VERSION}")
        self.positions = {}
        self.kinds = {}

    def capture(self, base=0, file="site.pcapng", status="complete",
                local_networks="10.0.0.0/8,192.168.0.0/16,fc00::/7"):
        return self.sql.execute(
            "INSERT INTO capture (file, base_ns, status, local_networks, payload_hashes,"
            " tshark_version, plugin_version) VALUES (?, ?, ?, ?, 1, '4.0.17', '0.1.0')",
            (file, base, status, local_networks)).lastrowid

    def host(self, address, name=None):
        packed = ipaddress.ip_address(address).packed
        self.sql.execute("INSERT OR IGNORE INTO host (address, text, name) VALUES (?, ?, ?)",
                         (packed, address, name))
        return self.sql.execute("SELECT id FROM host WHERE address = ?", (packed,)).fetchone()[0]

    def application(self, name):
        self.sql.execute("INSERT OR IGNORE INTO application (name) VALUES (CAST(? AS TEXT))",
                         (name,))
        return self.sql.execute("SELECT id FROM application WHERE name = CAST(? AS TEXT)",
                                (name,)).fetchone()[0]

    def kind(self, direction, bad, retransmission):
        key = (direction, bad, retransmission)
        if key not in self.kinds:
            self.kinds[key] = self.sql.execute(
                "INSERT INTO packet_kind (protocol, direction, tcp_flags, verdicts, analysis,"
                " is_bad, is_retransmission, renumbered) VALUES ('x', ?, NULL, ?, NULL, ?, ?, 0)",
                (direction, bad + 2 * retransmission, bad, retransmission)).lastrowid
        return self.kinds[key]

    def conversation(self, capture, host_a, host_b, application, packets, local=False, link=False):
        """packets: (time, direction, frame bytes[, payload[, bad, retransmission, seen before]])."""
        conversation = self.sql.execute(
            "INSERT INTO conversation (capture, is_link, transport, stream, host_a, host_b,"
            " application, is_local, started_ns, ended_ns) VALUES (?, ?, ?, 0, ?, ?, ?, ?, 0, 0)",
            (capture, link, None if link else "TCP",
             None if link else self.host(host_a), None if link else self.host(host_b),
             None if link else self.application(application), local)).lastrowid
        for packet in packets:
            self.packet(capture, conversation, packet, link)
        return conversation

    def packet(self, capture, conversation, packet, link=False):
        time, direction, frame, payload, bad, again, seen = (*packet, 0, 0, 0, 0)[:7]
        header = frame if link else LINK
        position = self.positions[capture] = self.positions.get(capture, 0) + 1
        base = self.sql.execute("SELECT base_ns FROM capture WHERE id = ?", (capture,)).fetchone()[0]
        self.sql.execute(
            "INSERT INTO packet VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            ((capture - 1 << 32) | position, time - base, conversation, frame, header, payload,
             self.kind(direction, bad, again), seen))

    def finish(self):
        """Fills in the sums as a recorder does, and closes."""
        self.sql.executescript("""
            CREATE TEMP TABLE s AS
            SELECT p.conversation AS id, k.direction AS d, count(*) AS n, sum(p.frame_bytes) AS f,
                   sum(p.frame_bytes - p.link_bytes) AS i, sum(p.payload_bytes) AS y,
                   sum(k.is_bad) AS b, sum(k.is_bad * p.frame_bytes) AS bb,
                   sum(k.is_retransmission) AS r, sum(k.is_retransmission * p.frame_bytes) AS rb,
                   sum(p.retransmitted_bytes) AS s,
                   min(c.base_ns + p.time) AS t0, max(c.base_ns + p.time) AS t1
              FROM packet p JOIN packet_kind k ON k.id = p.kind
              JOIN capture c ON c.id = (p.id >> 32) + 1 GROUP BY 1, 2;
            UPDATE conversation AS v SET
              started_ns = (SELECT min(t0) FROM s WHERE s.id = v.id),
              ended_ns = (SELECT max(t1) FROM s WHERE s.id = v.id),
              packets_ab = ifnull((SELECT n FROM s WHERE s.id = v.id AND d = 0), 0),
              packets_ba = ifnull((SELECT n FROM s WHERE s.id = v.id AND d = 1), 0),
              frame_bytes_ab = ifnull((SELECT f FROM s WHERE s.id = v.id AND d = 0), 0),
              frame_bytes_ba = ifnull((SELECT f FROM s WHERE s.id = v.id AND d = 1), 0),
              ip_bytes_ab = ifnull((SELECT i FROM s WHERE s.id = v.id AND d = 0), 0),
              ip_bytes_ba = ifnull((SELECT i FROM s WHERE s.id = v.id AND d = 1), 0),
              payload_bytes_ab = ifnull((SELECT y FROM s WHERE s.id = v.id AND d = 0), 0),
              payload_bytes_ba = ifnull((SELECT y FROM s WHERE s.id = v.id AND d = 1), 0),
              bad_packets = ifnull((SELECT sum(b) FROM s WHERE s.id = v.id), 0),
              bad_bytes = ifnull((SELECT sum(bb) FROM s WHERE s.id = v.id), 0),
              retransmissions = ifnull((SELECT sum(r) FROM s WHERE s.id = v.id), 0),
              retransmission_bytes = ifnull((SELECT sum(rb) FROM s WHERE s.id = v.id), 0),
              retransmitted_bytes = ifnull((SELECT sum(s) FROM s WHERE s.id = v.id), 0)
             WHERE EXISTS (SELECT 1 FROM s WHERE s.id = v.id);
            UPDATE capture AS c SET
              started_ns = (SELECT min(started_ns) FROM conversation WHERE capture = c.id),
              ended_ns = (SELECT max(ended_ns) FROM conversation WHERE capture = c.id),
              packets = ifnull((SELECT sum(packets_ab + packets_ba) FROM conversation
                                 WHERE capture = c.id), 0),
              frame_bytes = ifnull((SELECT sum(frame_bytes_ab + frame_bytes_ba) FROM conversation
                                     WHERE capture = c.id), 0),
              ip_bytes = ifnull((SELECT sum(ip_bytes_ab + ip_bytes_ba) FROM conversation
                                  WHERE capture = c.id), 0);
            DROP TABLE s;
        """)
        self.sql.commit()
        self.sql.close()
        return self.path


class TestCase(unittest.TestCase):
    """A temporary folder for each test, and checks of what the command says."""
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fieldedge-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def database(self, name="site.db"):
        return Database(self.folder / name)

    def succeed(self, *arguments, **more):
        result = run(*arguments, **more)
        self.assertEqual((result.returncode, result.stderr), (0, "" if more.get("text", True)
                                                              else b""))
        return result.stdout

    def fail_with(self, code, words, *arguments, **more):
        """The command fails with this code and one line that holds all the words."""
        result = run(*arguments, **more)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("fieldedge: "), result.stderr)
        for word in words:
            self.assertIn(str(word), result.stderr)
        return result
