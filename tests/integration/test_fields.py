#!/usr/bin/python3
# test_fields.py
# The fields fieldedge.… (preference fieldedge.fields) against the database of the same capture, packet by
# packet: in two passes of tshark all of them, in one pass each conversation's last label.  Filters,
# columns, colouring rules; nothing of a recording changes by the fields.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import unittest

import harness

ON = ["-o", "fieldedge.fields:TRUE"]
FIELDS = ("frame.number", "fieldedge.conversation", "fieldedge.application", "fieldedge.label_source",
          "fieldedge.server_name", "fieldedge.local", "fieldedge.direction", "fieldedge.ip_bytes",
          "fieldedge.payload_bytes", "fieldedge.retransmitted_bytes", "fieldedge.first_frame",
          "fieldedge.quoted.application", "fieldedge.quoted.first_frame",
          "fieldedge.retransmission_missed")
SQL = """
WITH first AS (SELECT conversation_id, min(number) AS number FROM packets GROUP BY 1)
SELECT p.number, p.conversation_id, p.application, c.label_source, c.server_name, p.is_local,
       p.direction, p.ip_bytes, p.payload_bytes,
       CASE WHEN p.transport = 'TCP' THEN p.retransmitted_bytes END, first.number,
       q.application, quoted_first.number,
       CASE WHEN p.retransmitted_bytes > 0 AND ',' || ifnull(p.analysis, '') || ','
            NOT LIKE '%retransmission,%' THEN 1 END
FROM packets p LEFT JOIN conversations c ON c.id = p.conversation_id
LEFT JOIN first ON first.conversation_id = p.conversation_id
LEFT JOIN quotes ON quotes.packet_id = p.packet_id
LEFT JOIN conversations q ON q.id = quotes.quoted_conversation_id
LEFT JOIN first quoted_first ON quoted_first.conversation_id = q.id
WHERE p.conversation_id IS NOT NULL ORDER BY p.packet_id"""
FIGURES = slice(6, 10)  # what is final in one pass too


def setUpModule():
    harness.build_dir()


def shown(capture, *extra):
    """What tshark shows: a list of tuples in the order of FIELDS, of packets that have any."""
    wanted = [word for field in FIELDS for word in ("-e", field)]
    result = harness.run_tshark(["-r", capture, *ON, *extra, "-T", "fields", *wanted], text=False)
    lines = result.stdout.decode("utf-8", "replace").split("\n")[:-1]
    rows = [tuple(line.split("\t")) for line in lines]
    return [row for row in rows if any(row[1:])], result


def recorded(capture):
    """The same from the database, as tshark would write it."""
    database, _, _ = harness.recording(capture)
    with contextlib.closing(harness.connect_ro(database)) as sql:
        rows = [tuple(row) for row in sql.execute(SQL)]
    return [tuple("" if value is None else str(value) for value in row) for row in rows]


class Equal(unittest.TestCase):
    maxDiff = 2000

    def test_two_passes_show_what_the_database_has(self):
        captures = harness.captures()
        for capture, (rows, result) in zip(captures, harness.in_parallel(
                lambda capture: shown(capture, "-2"), captures)):
            with self.subTest(capture=harness.name_of(capture)):
                wanted = recorded(capture)
                self.assertEqual(len(rows), len(wanted), result.stderr)
                differ = [(a, b) for a, b in zip(rows, wanted) if a != b]
                self.assertEqual(differ[:3], [], f"{len(differ)} of {len(rows)} (shown, recorded)")

    def test_one_pass_has_the_figures_and_ends_with_the_label(self):
        captures = harness.own_captures()
        for capture, (rows, result) in zip(captures, harness.in_parallel(shown, captures)):
            with self.subTest(capture=harness.name_of(capture)):
                wanted = recorded(capture)
                self.assertEqual([row[0] for row in rows], [row[0] for row in wanted], result.stderr)
                if "fragment" in capture.name:
                    continue  # a fragment's conversation is known with the last one
                self.assertEqual([row[FIGURES] for row in rows], [row[FIGURES] for row in wanted])
                self.assertEqual({row[1]: row[2:5] for row in rows},
                                 {row[1]: row[2:5] for row in wanted})

    def test_a_label_comes_with_the_packet_that_tells_it(self):
        """In one pass a handshake has the port's label until the dissector speaks."""
        capture = harness.OWN_CAPTURES / "site.pcapng"
        once, _ = shown(capture)
        twice, _ = shown(capture, "-2")
        changed = [(a, b) for a, b in zip(once, twice) if a[2:4] != b[2:4]]
        self.assertGreater(len(changed), 0)
        for before, after in changed:
            self.assertNotEqual(before[3], after[3], (before, after))


class Usable(unittest.TestCase):
    def setUp(self):
        self.capture = harness.OWN_CAPTURES / "site.pcapng"

    def numbers(self, filter, *extra):
        result = harness.run_tshark(["-r", self.capture, *ON, "-2", *extra, "-Y", filter, "-T", "fields",
                                     "-e", "frame.number"])
        self.assertEqual(result.returncode, 0, result.stderr)
        return [int(line) for line in result.stdout.split()]

    def sql(self, statement):
        database, _, _ = harness.recording(self.capture)
        with contextlib.closing(harness.connect_ro(database)) as sql:
            return [row[0] for row in sql.execute(statement)]

    def test_display_filters(self):
        for filter, where in ((
                'fieldedge.application == "TCP_MQTT"', "application = 'TCP_MQTT'"), (
                'fieldedge.label_source == "dissector"', "conversation_id IN"
                " (SELECT id FROM conversations WHERE label_source = 'dissector')"), (
                "fieldedge.local == 1", "is_local AND conversation_id NOT NULL"), (
                "fieldedge.ip_bytes > 500 && fieldedge.retransmitted_bytes == 0",
                "ip_bytes > 500 AND transport = 'TCP' AND retransmitted_bytes = 0"), (
                "!fieldedge", "conversation_id IS NULL")):
            with self.subTest(filter=filter):
                wanted = self.sql(f"SELECT number FROM packets WHERE {where} ORDER BY packet_id")
                self.assertTrue(wanted)
                self.assertEqual(self.numbers(filter), wanted)

    def test_columns(self):
        columns = 'gui.column.format:"No.","%m","App","%Cus:fieldedge.application"'
        result = harness.run_tshark(["-r", self.capture, *ON, "-2", "-o", columns])
        lines = [line.split() for line in result.stdout.splitlines()]
        wanted = self.sql("SELECT number || ifnull(' ' || application, '') FROM packets"
                          " ORDER BY packet_id")
        self.assertEqual(lines, [line.split() for line in wanted])

    def test_colouring_rules(self):
        with harness.work_dir() as home:
            profile = home / ".config" / "wireshark"
            profile.mkdir(parents=True)
            (profile / "colorfilters").write_text(
                '@Link@fieldedge.application == "TCP_MQTT"@[65535,0,0][0,0,0]\n', encoding="ascii")
            result = harness.run_tshark(["-r", self.capture, *ON, "-2", "--color", "-Y",
                                         'frame.coloring_rule.name == "Link"', "-T", "fields", "-e",
                                         "frame.number"], env={"HOME": str(home)})
        self.assertEqual([int(line) for line in result.stdout.split()],
                         self.sql("SELECT number FROM packets WHERE application = 'TCP_MQTT'"
                                  " ORDER BY packet_id"), result.stderr)

    def test_the_details_have_a_subtree_with_a_link(self):
        first, = self.sql("SELECT min(conversation_id) FROM packets WHERE application = 'TCP_MQTT'")
        numbers = self.numbers(f"fieldedge.conversation == {first}")
        result = harness.run_tshark(["-r", self.capture, *ON, "-2", "-O", "fieldedge", "-Y",
                                     f"frame.number == {numbers[1]}"])
        self.assertIn("FieldEdge: TCP_MQTT, WAN, ", result.stdout)
        self.assertIn(f"[First packet of the conversation: {numbers[0]}]", result.stdout)

    def test_missed_retransmissions_are_expert_infos(self):
        for name in ("loss.pcapng", "loss-downlink.pcapng"):
            self.capture = harness.OWN_CAPTURES / name
            wanted = self.sql("SELECT number FROM packets WHERE retransmitted_bytes > 0 AND"
                              " ifnull(analysis, '') NOT LIKE '%retransmission%' ORDER BY packet_id")
            self.assertEqual(self.numbers("fieldedge.retransmission_missed && _ws.expert.group"),
                             wanted, name)

    def test_off_there_are_none(self):
        result = harness.run_tshark(["-r", self.capture, "-Y", "fieldedge"])
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def test_a_network_that_cannot_be_is_said(self):
        result = harness.run_tshark(["-r", self.capture, *ON, "-o", "fieldedge.local_networks:x", "-c",
                                     "3"])
        self.assertIn("fieldedge", result.stderr)
        self.assertIn("no fields", result.stderr)

    def test_a_recording_is_the_same(self):
        """Row by row, but for what is random or counts up over a database."""
        left_out = "packet_id, capture_id, conversation_id, payload_hash"
        with harness.work_dir() as folder:
            for mode in ([], ["-V"]):
                database = folder / f"{len(mode)}.db"
                result = harness.record(self.capture, database, extra=[*ON, *mode], text=False)
                self.assertEqual(result.returncode, 0, result.stderr)
                rows = []
                for path in (database, harness.recording(self.capture)[0]):
                    with contextlib.closing(harness.connect_ro(path)) as sql:
                        cursor = sql.execute("SELECT * FROM packets ORDER BY packet_id")
                        names = [column[0] for column in cursor.description]
                        kept = [at for at, name in enumerate(names) if name not in left_out]
                        rows.append([tuple(row[at] for at in kept) for row in cursor])
                self.assertEqual(rows[0], rows[1])


if __name__ == "__main__":
    harness.run_module()
