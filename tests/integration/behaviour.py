# behaviour.py
# What test_errors.py, test_crash.py, test_live.py, test_inputs.py and test_preferences.py share: starting
# tshark without waiting for it, waiting for a condition, and the books of a database.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import hashlib
import os
import pathlib
import sqlite3
import struct
import subprocess
import threading
import time

import harness

DEADLINE_S = 60  # of a condition that must come true; a busy machine must not reach it
SITE = harness.OWN_CAPTURES / "site.pcapng"


def wait_until(condition, what):
    """Polls until condition() is true and gives what it returned."""
    deadline = time.monotonic() + DEADLINE_S
    pause = threading.Event()
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {DEADLINE_S} s")
        pause.wait(0.02)
    return result


@contextlib.contextmanager
def started(args, *, capabilities=False, before=(), **more):
    """A tshark process (Popen) that is killed at the end if it still runs.  before: words in front of
    the command line, such as `ip netns exec NAME`."""
    harness.build_dir()
    more.setdefault("stderr", subprocess.PIPE)
    more.setdefault("stdout", subprocess.DEVNULL)
    process = subprocess.Popen([*before, *harness.tshark_command(args, capabilities)],
                               env=harness.tshark_environment(), **more)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process):
    """Waits for the end: (exit code, stderr as text)."""
    _, stderr = process.communicate(timeout=DEADLINE_S)
    return process.returncode, stderr.decode("utf-8", "replace")


def feed(process, data):
    """Writes to the process's stdin as much as it takes.  False if it ended meanwhile."""
    try:
        process.stdin.write(data)
        process.stdin.flush()
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def close_stdin(process):
    """Ends the input of a process that may be gone."""
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stdin = None


def give(path, mode=0o666):
    """Lets the user that tshark runs as write the file."""
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, harness.NOBODY, harness.NOBODY)
    return path


def raw_capture(folder, packets):
    """A pcap file of raw IP packets (bytes), one a second."""
    path = folder / "made.pcap"
    records = [struct.pack("<4I", 1700000000 + i, 0, len(data), len(data)) + data
               for i, data in enumerate(packets)]
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + b"".join(records))
    path.chmod(0o644)
    return path


def snapshot(folder):
    """What lies in a folder: name -> sha256 of its content."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def query(database, sql, *parameters):
    """All rows as tuples."""
    with contextlib.closing(harness.connect_ro(database)) as connection:
        connection.row_factory = None
        return connection.execute(sql, parameters).fetchall()


def peek(database, sql, *parameters):
    """query() of a reader that never waits for the recording: "database is locked" is an error."""
    uri = f"{pathlib.Path(database).as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0)) as connection:
        return connection.execute(sql, parameters).fetchall()


def has_begun(database):
    """Whether the capture is entered.  Before that the file may be missing, or locked by its maker."""
    try:
        return bool(peek(database, "SELECT 1 FROM capture"))
    except sqlite3.OperationalError:
        return False


def wait_for_packets(database, count):
    """Waits until a reader sees so many packets."""
    wait_until(lambda: has_begun(database), "the capture's entry")
    wait_until(lambda: peek(database, "SELECT sum(packets) FROM captures")[0][0] >= count,
               f"{count} packets for a reader")


SUMS = """
SELECT v.id FROM conversation v LEFT JOIN (
    SELECT p.conversation, sum(k.direction = 0) AS packets_ab, sum(k.direction) AS packets_ba,
           sum(iif(k.direction, 0, p.frame_bytes)) AS frames_ab,
           sum(iif(k.direction, p.frame_bytes, 0)) AS frames_ba,
           sum(iif(k.direction, 0, p.frame_bytes - p.link_bytes)) AS ip_ab,
           sum(iif(k.direction, p.frame_bytes - p.link_bytes, 0)) AS ip_ba,
           sum(p.payload_bytes) AS payload, sum(k.is_bad) AS bad,
           sum(iif(k.is_bad, p.frame_bytes, 0)) AS bad_bytes, sum(k.is_retransmission) AS repeated,
           sum(iif(k.is_retransmission, p.frame_bytes, 0)) AS repeated_bytes,
           sum(p.retransmitted_bytes) AS exact
      FROM packet p JOIN packet_kind k ON k.id = p.kind GROUP BY p.conversation) s
    ON s.conversation = v.id
 WHERE (v.packets_ab, v.packets_ba, v.frame_bytes_ab, v.frame_bytes_ba, v.ip_bytes_ab, v.ip_bytes_ba,
        v.payload_bytes_ab + v.payload_bytes_ba, v.bad_packets, v.bad_bytes, v.retransmissions,
        v.retransmission_bytes, v.retransmitted_bytes) IS NOT
       (s.packets_ab, s.packets_ba, frames_ab, frames_ba, ip_ab, ip_ba, payload, bad, s.bad_bytes, repeated,
        repeated_bytes, exact)
   AND (s.conversation IS NOT NULL OR v.packets_ab + v.packets_ba <> 0)
"""
TOTALS = """
SELECT c.id FROM capture c LEFT JOIN (
    SELECT (id >> 32) + 1 AS capture, count(*) AS packets, sum(frame_bytes) AS frame_bytes,
           sum(frame_bytes - link_bytes) AS ip_bytes, min(time) AS first, max(time) AS last
      FROM packet GROUP BY 1) s ON s.capture = c.id
 WHERE (c.packets, c.frame_bytes, c.ip_bytes, c.started_ns, c.ended_ns) IS NOT
       (ifnull(s.packets, 0), ifnull(s.frame_bytes, 0), ifnull(s.ip_bytes, 0), c.base_ns + first,
        c.base_ns + last)
"""


def check_books(test, database):
    """The file is sound, and every sum in it agrees with its packets."""
    test.assertEqual(query(database, "PRAGMA integrity_check"), [("ok",)])
    test.assertEqual(query(database, "PRAGMA foreign_key_check"), [])
    test.assertEqual(query(database, SUMS), [], "conversations whose sums are not those of packets")
    test.assertEqual(query(database, TOTALS), [], "captures whose sums are not those of packets")
