#!/usr/bin/python3
# test_fieldedge_where.py: filters, windows and zones in every command, with SQL on the views and Python's
# zoneinfo as oracles
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import csv
import datetime
import io
import ipaddress
import json
import random
import sqlite3
import unittest
import zoneinfo

from test_fieldedge_support import SECOND, TestCase

COMMANDS = (("summary",), ("summary", "--section", "accounts"), ("series",), ("conversations",),
            ("conversations", "--each"), ("intervals",), ("periods",), ("hosts",))
START = 1795478400  # 2026-11-24T00:00Z

# Filters and what they mean over the view conversations; in() is ipaddress's.
FILTERS = (
    ("application=TCP_A", "application = 'TCP_A'"),
    ("application!=TCP_A,TCP_B", "application NOT IN ('TCP_A', 'TCP_B')"),
    ("application=TCP_*", "application LIKE 'TCP!_%' ESCAPE '!'"),
    ("host=10.0.0.0/30", "inside(host_a, '10.0.0.0/30') OR inside(host_b, '10.0.0.0/30')"),
    ("host=2001:db8::/32,8.8.8.8", "inside(host_a, '2001:db8::/32') OR host_b = '8.8.8.8'"
     " OR host_a = '8.8.8.8' OR inside(host_b, '2001:db8::/32')"),
    ("host!=0.0.0.0/0", "NOT (inside(host_a, '0.0.0.0/0') OR inside(host_b, '0.0.0.0/0'))"),
    ("port=53,1000-2000", "ifnull(port_a IN (53) OR port_a BETWEEN 1000 AND 2000, 0) OR"
     " ifnull(port_b IN (53) OR port_b BETWEEN 1000 AND 2000, 0)"),
    ("transport=UDP", "transport = 'UDP'"),
    ("server=*.example.com", "server_name LIKE '%.example.com'"),
    ("server!=*", "server_name IS NULL"),
    ("conversation=3,5,7", "id IN (3, 5, 7)"),
)


class Where(TestCase):
    def make(self):
        chance = random.Random(31)
        hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.9", "8.8.8.8", "2001:db8::1", "2001:db9::1"]
        database = self.database()
        for number in (1, 2):
            database.capture(base=(START + number * 100) * SECOND)
            for _ in range(30):
                a, b = chance.sample(hosts, 2)
                conversation = database.conversation(
                    number, a, b, f"{chance.choice(['TCP', 'UDP'])}_{chance.choice('ABC')}",
                    [((START + number * 100) * SECOND + chance.randrange(100 * SECOND),
                      chance.randrange(2), chance.choice([60, 90, 1514]), chance.randrange(40),
                      *chance.choice([(0, 0), (0, 0), (1, 0), (1, 1)]), chance.randrange(3))
                     for _ in range(chance.randrange(1, 20))], local=chance.random() < 0.2)
                database.sql.execute(
                    "UPDATE conversation SET transport = ?, port_a = ?, port_b = ?,"
                    " server_name = ? WHERE id = ?",
                    (chance.choice(["TCP", "UDP"]), chance.choice([None, 53, 1000, 2001]),
                     chance.choice([None, 53, 2000, 40000]),
                     chance.choice([None, "a.example.com", "b.test"]), conversation))
        return database.finish()

    @contextlib.contextmanager
    def sql(self, path):
        with contextlib.closing(sqlite3.connect(path)) as sql:
            sql.create_function("inside", 2, lambda address, network: ipaddress.ip_address(address)
                                in ipaddress.ip_network(network))
            yield sql

    def check_sums(self, path, options, condition):
        """Every command's sums are those of SQL over the packets."""
        load = lambda *words: json.loads(self.succeed(*words, path, "-f", "json", *options))
        with self.sql(path) as sql:
            packets, frame, ip, payload, bad, again, seen = sql.execute(
                "SELECT count(*), total(frame_bytes), total(ip_bytes), total(payload_bytes),"
                " total(is_bad), total(is_retransmission), total(retransmitted_bytes)"
                f" FROM packets WHERE {condition}").fetchone()
            conversations = sql.execute("SELECT count(DISTINCT conversation_id) FROM packets"
                                        f" WHERE {condition}").fetchone()[0]
            by_application = dict(sql.execute(
                f"SELECT application, sum(ip_bytes) FROM packets WHERE {condition} GROUP BY 1"))
        rows = load("summary")["applications"]
        self.assertEqual({row["application"]: row["ip_bytes"] for row in rows}, by_application)
        self.assertEqual([sum(row[key] for row in rows) for key in
                          ("conversations", "packets", "frame_bytes", "payload_bytes",
                           "bad_packets", "retransmissions", "retransmitted_bytes")],
                         [conversations, packets, frame, payload, bad, again, seen])
        rows = load("conversations", "--each")
        self.assertEqual([len(rows)] + [sum(row[key] for row in rows) for key in
                                        ("packets", "ip_bytes", "bad_packets", "overhead_bytes")],
                         [conversations, packets, ip, bad, ip - payload])
        self.assertEqual([sum(row["frame_bytes_ab"] + row["frame_bytes_ba"] for row in rows),
                          sum(row["packets_ab"] + row["packets_ba"] for row in rows)],
                         [frame, packets])
        rows = load("conversations")
        self.assertEqual([sum(row[key] for row in rows) for key in
                          ("count", "bytes", "bad_packet_count", "retransmit_count",
                           "payload_bytes", "retransmitted_bytes")],
                         [conversations, frame, bad, again, payload, seen])
        self.assertEqual(sum(row["packets"] for row in load("intervals")), packets)
        series = load("series", "--bytes", "ip")
        self.assertEqual({name: sum(point[1] for point in points)
                          for name, points in series.items()}, by_application)
        rows = load("hosts")
        self.assertEqual([sum(row[key] for row in rows) for key in
                          ("ip_bytes_sent", "ip_bytes_received", "packets_sent")],
                         [ip, ip, packets])

    def test_every_command_sums_what_the_filter_selects(self):
        path = self.make()
        for filter_, condition in FILTERS:
            with self.subTest(filter_):
                with self.sql(path) as sql:
                    ids = [row[0] for row in sql.execute(
                        f"SELECT id FROM conversations WHERE NOT is_local AND ({condition})")]
                self.assertTrue(ids)
                self.check_sums(path, ("--where", filter_),
                                f"conversation_id IN ({', '.join(map(str, ids))})")

    def test_every_command_sums_the_window(self):
        path = self.make()
        wan = "NOT is_local AND conversation_id"
        second = lambda place: (START + place) * SECOND
        for window, condition in (
                ("time=2026-11-24T00:02..2026-11-24T00:02",
                 f"time_ns BETWEEN {second(120)} AND {second(180) - 1}"),
                (f"time={START + 150}.5..", f"time_ns >= {second(150) + SECOND // 2}"),
                ("time=..2026-11-24T00:02:30.5Z", f"time_ns <= {second(150) + SECOND // 2}"),
                (f"time={START + 150}..+1m", f"time_ns >= {second(150)} AND time_ns < {second(210)}"),
                ("time=2026-11-24", "1"),
                ("time=2026-11-24T01:02+01:00..+10s",
                 f"time_ns >= {second(120)} AND time_ns < {second(130)}")):
            with self.subTest(window):
                self.check_sums(path, ("-w", window), f"{wan} AND {condition}")
        self.check_sums(path, ("-w", f"time={START + 150}..", "-w", f"time=..{START + 250}",
                               "--all", "-w", "application=TCP_*"),
                        f"application LIKE 'TCP%' AND time_ns BETWEEN {second(150)} AND"
                        f" {second(250)}")
        self.check_sums(path, ("-w", f"time={START + 130}..+1m", "--capture", "1", "--local"),
                        f"is_local AND capture_id = 1 AND time_ns >= {second(130)} AND"
                        f" time_ns < {second(190)}")

    def test_errors_in_every_command(self):
        path = self.make()
        for command in COMMANDS:
            for filter_, words in (("application=TCP_", ["no application 'TCP_'", "TCP_A"]),
                                   ("application=UDP_D", ["'UDP_D'; did you mean", "UDP_A"]),
                                   ("application=A\x1bB", [r"no application 'A\x1BB'"])):
                if command[-1] != "accounts":  # which are of whole captures
                    self.fail_with(1, [f"{path}: ", *words], *command, path, "-w", filter_)
            for filter_, words in (("aplication=TCP_A", ["there is no key 'aplication': choose"]),
                                   ("port=70000", ["'70000' is no port"]),
                                   ("host=10.0.0.1/8", ["did you mean 10.0.0.0/8?"]),
                                   ("time=tomorrow", ["'tomorrow' is no time"]),
                                   ("x" * 70000, ["longer than 65536 bytes"])):
                self.fail_with(2, [*words, "--help"], *command, path, "-w", filter_)
            self.fail_with(2, ["'Mars/Base' is no time zone", "--help"], *command, path,
                           "--zone", "Mars/Base")

    def test_sql_in_a_filter_is_text(self):
        path = self.make()
        before = path.read_bytes()
        for value in ("x') OR 1=1 --", "'; DROP TABLE packet; --", "?1", "x' OR '1'='1"):
            for key in ("server", "host"):
                self.assertEqual(json.loads(self.succeed("conversations", path, "-f", "json", "-w",
                                                         f'{key}="{value}"')), [])
        self.assertEqual(path.read_bytes(), before)

    def test_bins_in_zones(self):
        """Days of 23 and 25 hours, zones half hours off, against zoneinfo."""
        chance = random.Random(2)
        for zone, day in (("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"),
                          ("America/New_York", "2026-11-01"), ("Asia/Kathmandu", "2026-11-24"),
                          ("Australia/Adelaide", "1969-12-31")):
            info = zoneinfo.ZoneInfo(zone)
            noon = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")
            start = int(noon.timestamp()) - 36 * 3600
            times = [(start + chance.randrange(72 * 3600)) * SECOND for _ in range(300)]
            database = self.database(f"{zone.replace('/', '-')}-{day}.db")
            database.conversation(database.capture(), "10.0.0.1", "8.8.8.8", "TCP_A",
                                  [(time, 0, 60) for time in times])
            path = database.finish()
            for length, floor in (("1d", lambda t: t.replace(hour=0, minute=0, second=0)),
                                  ("1h", lambda t: t.replace(minute=0, second=0))):
                expected = {}
                for time in times:
                    local = datetime.datetime.fromtimestamp(time // SECOND, info)
                    begin = floor(local).timestamp()  # keeps which of two equal hours it is
                    expected[begin] = expected.get(begin, 0) + 1
                found = json.loads(self.succeed("series", path, "-f", "json", "--bin", length,
                                                "--zone", zone))["TCP_A"]
                self.assertEqual([(time, packets) for time, _, packets in found],
                                 sorted(expected.items()), (zone, day, length))

    def test_zone_of_tables_and_of_times(self):
        database = self.database()
        database.conversation(database.capture(), "10.0.0.1", "8.8.8.8", "TCP_A",
                              [(START * SECOND, 0, 60), ((START + 7200) * SECOND, 0, 61)])
        path = database.finish()
        text = self.succeed("series", path, "--zone", "+05:45", "--bin", "1s")
        self.assertIn("2026-11-24 05:45:00+05:45", text)
        rows = list(csv.reader(io.StringIO(self.succeed(
            "series", path, "-f", "csv", "-z", "+05:45", "-w", "time=2026-11-24T05:45"))))
        self.assertEqual(rows[1:], [["TCP_A", f"{START}.000000000", "60"]])


if __name__ == "__main__":
    unittest.main()
