#!/usr/bin/python3
# test_fieldedge_plot.py: pictures and curves against sums that Python makes of the same packets
#
# Pictures are read with xml.etree, and rendered where a program for that is installed.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import csv
import datetime
import io
import itertools
import json
import re
import shutil
import struct
import subprocess
import unittest
import xml.etree.ElementTree
import zoneinfo

from test_fieldedge_support import SECOND, TestCase

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "TCP_<script>&\"'\x1b]0;own\x07\x01\u202e"
START = 1_700_000_000 * SECOND
LINK = 14
STACK_LEFT, STACK_RIGHT = 72, 960 - 212  # of a picture 960 pixels wide


def names(svg):
    return [element.tag.removeprefix(SVG) for element in svg.iter()]


def texts(svg):
    return ["".join(element.itertext()) for element in svg.iter(SVG + "text")]


def area(path):
    """The area inside a path of M, H, V and Z, by the shoelace formula."""
    total = 0
    for part in path.split("Z"):
        x = y = 0
        corners = []
        for command, numbers in re.findall(r"([MHV])([-\d. ]+)", part):
            values = [float(number) for number in numbers.split()]
            x, y = {"M": lambda v: (v[0], v[-1]), "H": lambda v: (v[0], y),
                    "V": lambda v: (x, v[0])}[command](values)
            corners.append((x, y))
        total += abs(sum(ax * by - bx * ay for (ax, ay), (bx, by)
                         in zip(corners, corners[1:] + corners[:1]))) / 2
    return total


def bands(svg):
    """[(name, path)] of the stack, the lowest first."""
    found = []
    for path in svg.iter(SVG + "path"):
        title = path.find(SVG + "title")
        if title is not None:
            found.append((title.text.rsplit(": ", 1)[0], path.get("d")))
    return found


class Plot(TestCase):
    def site(self, applications=4, seconds=100, name="site.db"):
        """Applications of falling size; packets[application] = [(time, IP bytes)]."""
        database = self.database(name)
        capture = database.capture()
        packets = collections.defaultdict(list)
        for i in range(applications):
            sent = [(START + k * SECOND + i, k % 2, 60 + 10 * (applications - i))
                    for k in range(0, seconds, 1 + i)]
            database.conversation(capture, "10.0.0.1", f"8.8.8.{i + 1}", f"TCP_{chr(65 + i)}", sent)
            packets[f"TCP_{chr(65 + i)}"] += [(time, size - LINK) for time, _, size in sent]
        return database.finish(), packets

    def svg(self, *arguments):
        text = self.succeed("plot", *arguments, "--format", "svg", text=False)
        return xml.etree.ElementTree.fromstring(text)

    def test_picture_is_plain_and_complete(self):
        path, _ = self.site()
        file = self.folder / "series.svg"
        self.assertEqual(self.succeed("plot", path, "-o", file), "")
        text = file.read_text(encoding="utf-8")
        svg = xml.etree.ElementTree.fromstring(text)
        self.assertEqual(svg.tag, SVG + "svg")
        self.assertLessEqual(set(names(svg)), {"svg", "title", "desc", "rect", "defs", "pattern",
                                               "path", "circle", "text", "line"})
        self.assertEqual(re.findall("https?:", text), ["http:"])  # the name space
        for word in ("href", "script", "style=", "@font", "onload", "nan", "inf"):
            self.assertNotIn(word, text)
        self.assertEqual(text, self.succeed("plot", path, "-f", "svg"))
        self.assertIn("TCP_A", texts(svg))
        self.assertIn("site.db: IP bytes by application on the WAN", texts(svg))
        self.assertIn("2023-11-14", texts(svg))
        self.assertTrue(any(re.fullmatch(r"22:1\d:\d\d", text) for text in texts(svg)))

    def test_areas_are_bytes(self):
        path, packets = self.site()
        for kind, more in (("ip", 0), ("frame", LINK)):
            drawn = bands(self.svg(path, "--bytes", kind, "--bin", "5s"))
            self.assertEqual([name for name, _ in drawn], sorted(packets))
            sums = [sum(size + more for _, size in packets[name]) for name, _ in drawn]
            self.assertEqual(sums, sorted(sums, reverse=True))
            areas = [area(path) for _, path in drawn]
            for size, drawn_area in zip(sums, areas):
                self.assertAlmostEqual(drawn_area / sum(areas), size / sum(sums), delta=0.005)

    def test_bands_stand_on_one_another(self):
        path, _ = self.site()
        drawn = bands(self.svg(path, "--bin", "1d"))
        shapes = [re.fullmatch(r"M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)V([\d.]+)H([\d.]+)Z", path)
                  for _, path in drawn]
        left, low, high, right, low_again, left_again = zip(*(shape.groups() for shape in shapes))
        self.assertEqual({*left, *left_again}, {str(STACK_LEFT)})
        self.assertEqual(set(right), {str(STACK_RIGHT)})
        self.assertEqual(low, low_again)
        self.assertEqual(low[1:], high[:-1])
        self.assertEqual(high[-1], "62")  # the top

    def test_points_are_bins(self):
        path, packets = self.site()
        result = json.loads(self.succeed("plot", path, "-f", "json", "--bin", "7s", "--top", "2"))
        rows = result["applications"]
        self.assertEqual([row["application"] for row in rows], ["TCP_A", "TCP_B", "2 others"])
        # 7 s do not divide a day: bins are counted from 1970
        begin = START // (7 * SECOND) * 7
        groups = (["TCP_A"], ["TCP_B"], ["TCP_C", "TCP_D"])
        for row, members in zip(rows, groups):
            self.assertEqual((row["begin"], row["bin"]), (begin, 7))
            expected = [0] * len(row["points"])
            for member in members:
                for time, size in packets[member]:
                    expected[(time // SECOND - begin) // 7] += size
            self.assertEqual(row["points"], expected)
            self.assertEqual(row["bytes"], sum(expected))
        self.assertAlmostEqual(sum(row["share"] for row in rows), 1, places=5)

    def test_formats_agree(self):
        path, _ = self.site(9)
        document = json.loads(self.succeed("plot", path, "-f", "json"))
        lines = [json.loads(line) for line in self.succeed("plot", path, "-f", "jsonl").splitlines()]
        self.assertEqual(lines, [{"section": name, **row} for name, rows in document.items()
                                 for row in rows])
        records = list(csv.DictReader(io.StringIO(self.succeed("plot", path, "-f", "csv"))))
        self.assertEqual([(row["application"], int(row["bytes"])) for row in records],
                         [(row["application"], row["bytes"]) for row in document["applications"]])
        table = self.succeed("plot", path)
        for row in document["applications"]:
            self.assertIn(row["application"], table)

    def test_one_other_keeps_its_name(self):
        path, _ = self.site(5)
        for top, count, last in ((3, 4, "2 others"), (4, 5, "TCP_E"), (5, 5, "TCP_E"), (9, 5, "TCP_E")):
            rows = json.loads(self.succeed("plot", path, "-f", "json", "--top", top))["applications"]
            self.assertEqual((len(rows), rows[-1]["application"]), (count, last))
            self.assertEqual(bands(self.svg(path, "--top", top))[-1][0], last)

    def test_days_of_23_and_25_hours(self):
        zone = zoneinfo.ZoneInfo("Europe/Berlin")
        for first in (datetime.datetime(2026, 3, 27, tzinfo=zone),
                      datetime.datetime(2026, 10, 23, tzinfo=zone)):
            database = self.database(f"{first.month}.db")
            capture = database.capture()
            hours = [int(first.timestamp()) + 1800 + 3600 * k for k in range(24 * 5)]
            database.conversation(capture, "10.0.0.1", "8.8.8.8", "TCP_A",
                                  [(hour * SECOND, 0, 114) for hour in hours])
            path = database.finish()
            days = collections.Counter(datetime.datetime.fromtimestamp(hour, zone).date()
                                       for hour in hours)
            row, = json.loads(self.succeed("plot", path, "-f", "json", "--bin", "1d", "--zone",
                                           "Europe/Berlin"))["applications"]
            self.assertEqual(row["points"], [100 * days[day] for day in sorted(days)])
            self.assertEqual(row["begin"], first.timestamp())

    def test_periods(self):
        path, _ = self.site(2, 100)
        groups = json.loads(self.succeed("periods", path, "-f", "json"))
        rows = json.loads(self.succeed("plot", path, "-f", "json"))["periods"]
        self.assertGreater(len(rows), 0)
        self.assertEqual({(row["application"], row["direction"], row["period_s"]) for row in rows},
                         {(group["application"], group["direction"], group["periods"][0]["period_s"])
                          for group in groups})
        costs = [row["bytes_explained"] for row in rows]
        self.assertEqual(costs, sorted(costs, reverse=True))
        svg = self.svg(path)
        lines = [text for text in texts(svg) if " every " in text]
        self.assertEqual(len(lines), len(rows))
        for row, line in zip(rows, lines):
            self.assertIn(row["application"], line)
            self.assertIn(f"every {row['period_s']:.1f} s", line)
        self.assertIn("What repeats", self.succeed("plot", path))

    def test_ticks_are_cycles(self):
        database = self.database()
        capture = database.capture()
        database.conversation(capture, "10.0.0.1", "8.8.8.8", "TCP_A",
                              [(START + k * 20 * SECOND, 0, 100) for k in range(30)])
        path = database.finish()
        ticks = [path for path in self.svg(path).iter(SVG + "path")
                 if path.get("fill") == "none"]
        self.assertEqual(len(ticks), 1)
        places = [float(x) for x in re.findall(r"M([-\d.]+) ", ticks[0].get("d"))]
        self.assertEqual(len(places), 30)
        gaps = [b - a for a, b in itertools.pairwise(places)]
        self.assertLess(max(gaps) - min(gaps), 0.25)
        self.assertTrue(STACK_LEFT <= places[0] and places[-1] <= STACK_RIGHT)

    def test_height(self):
        path, _ = self.site(3, 100)
        high = self.svg(path, "--height", "900", "--width", "700")
        self.assertEqual((high.get("height"), high.get("width")), ("900", "700"))
        low = self.svg(path, "--height", "300")
        self.assertEqual(low.get("height"), "300")
        count = [sum(" every " in text for text in texts(svg)) for svg in (high, low)]
        self.assertGreater(count[0], count[1])
        self.assertIn(f"{count[0] - count[1]} more: fieldedge periods", texts(low))
        result = self.fail_with(1, [path, "--height of"], "plot", path, "-f", "svg", "--height", "100")
        least = re.search(r"of (\d+) pixels", result.stderr).group(1)
        self.svg(path, "--height", least)
        self.fail_with(1, ["--height"], "plot", path, "-f", "svg", "--height", int(least) - 1)

    def test_everything_is_inside(self):
        path, _ = self.site(14, 40)
        for arguments in ((), ("--width", "480"), ("--top", "11"), ("--width", "2000", "--height", "420"),
                          ("--bin", "1m"), ("--bin", "10ms")):
            svg = self.svg(path, *arguments)
            width, height = float(svg.get("width")), float(svg.get("height"))
            for element in svg.iter():
                for key, most in (("x", width), ("x1", width), ("x2", width), ("y", height),
                                  ("y1", height), ("y2", height)):
                    if element.tag != SVG + "pattern" and element.get(key) is not None:
                        self.assertTrue(0 <= float(element.get(key)) <= most, (arguments, element.attrib))
            for _, band in bands(svg):
                self.assertTrue(all(0 <= float(x) <= width for x in re.findall(r"H([-\d.]+)", band)))

    def test_names_from_packets(self):
        database = self.database()
        capture = database.capture()
        database.conversation(capture, "10.0.0.1", "8.8.8.8", EVIL,
                              [(START + k * SECOND, 0, 100) for k in range(60)])
        path = database.finish()
        text = self.succeed("plot", path, "-f", "svg")
        self.assertEqual([c for c in text if (ord(c) < 32 and c != "\n") or c == "\u202e"], [])
        svg = xml.etree.ElementTree.fromstring(text)
        self.assertNotIn("script", names(svg))
        self.assertEqual([name for name, _ in bands(svg)],
                         ["TCP_<script>&\"'\\u001B]0;own\\u0007\\u0001\\u202E"])
        self.assertNotIn("\x1b", self.succeed("plot", path))
        rows = json.loads(self.succeed("plot", path, "-f", "json"))["applications"]
        self.assertEqual(rows[0]["application"], EVIL)

    def test_terminal(self):
        path, _ = self.site(12, 100)
        for columns in (40, 80, 133):
            lines = self.succeed("plot", path, "--width", columns).split("\n\n")[0].splitlines()
            self.assertLessEqual(max(map(len, lines[1:])), columns)
            self.assertEqual(len(lines), 1 + 1 + 8)
        line = self.succeed("plot", path).splitlines()[2]
        self.assertRegex(line, "^TCP_A .* [▁▂▃▄▅▆▇█]+$")
        plain = self.succeed("plot", path, env={"LC_ALL": "C"})
        plain.encode("ascii")
        self.assertRegex(plain.splitlines()[2], "^TCP_A .* [_.:=+*#-]+$")

    def test_no_traffic(self):
        path, _ = self.site()
        svg = self.svg(path, "--where", "host=9.9.9.9")
        self.assertIn("No traffic", texts(svg))
        self.assertEqual(json.loads(self.succeed("plot", path, "--where", "host=9.9.9.9", "-f", "json")),
                         {"applications": [], "periods": []})
        self.assertIn("(none)", self.succeed("plot", path, "--where", "host=9.9.9.9"))

    def test_one_packet_and_nothing_to_weigh(self):
        database = self.database()
        database.conversation(database.capture(), "10.0.0.1", "8.8.8.8", "TCP_A", [(START, 0, 60)])
        path = database.finish()
        self.assertEqual([name for name, _ in bands(self.svg(path))], ["TCP_A"])
        row, = json.loads(self.succeed("plot", path, "-f", "json", "--bytes", "payload"))["applications"]
        self.assertEqual((row["bytes"], row["share"], row["points"]), (0, None, [0]))
        self.svg(path, "--bytes", "payload")

    def test_bad_options(self):
        path, _ = self.site(1, 10)
        for arguments, words in (
                (("-b", "kind"), ["kind", "frame, ip or payload"]),
                (("--bin", "soon"), ["--bin", "soon"]),
                (("--bin", "0s"), ["--bin", "length"]),
                (("--width", "39"), ["--width", "40"]),
                (("--width", "479", "-f", "svg"), ["--width", "480", "pixels"]),
                (("--width", "10001"), ["--width", "10000"]),
                (("--height", "300"), ["--height", ".svg"]),
                (("--height", "0", "-f", "svg"), ["--height"]),
                (("--top", "12", "-f", "svg"), ["11"]),
                (("--sort", "name"), ["'name'"]),
                (("--sort", "bytes", "-f", "svg"), ["--sort"]),
                (("-f", "png"), ["png"])):
            self.fail_with(2, words, "plot", path, *arguments)
        self.fail_with(2, ["no picture", "fieldedge plot"], "hosts", path, "-f", "svg")
        self.fail_with(2, ["no picture"], "series", path, "-f", "svg")
        self.fail_with(1, [path, "--bin longer", "5000"], "plot", path, "-f", "svg", "--bin", "1ms")
        self.fail_with(1, ["/dev/full", "space"], "plot", path, "-f", "svg", "-o", "/dev/full")
        file = self.folder / "out.svg"
        self.fail_with(1, ["--bin longer"], "plot", path, "-o", file, "--bin", "1ms")
        self.assertFalse(file.exists())

    def test_suffix_means_picture_unless_told_otherwise(self):
        path, _ = self.site(1, 10)
        file = self.folder / "out.svg"
        self.succeed("plot", path, "-o", file, "-f", "json")
        json.loads(file.read_text())
        self.succeed("plot", path, "-o", self.folder / "out.txt")
        self.assertIn("TCP_A", (self.folder / "out.txt").read_text().splitlines()[2])

    def test_a_renderer_draws_it(self):
        path, _ = self.site(12, 100)
        file, image = self.folder / "out.svg", self.folder / "out.png"
        self.succeed("plot", path, "-o", file, "--top", "11")
        if shutil.which("rsvg-convert"):
            command = ["rsvg-convert", "-o", image, file]
        elif shutil.which("gdk-pixbuf-thumbnailer"):
            command = ["gdk-pixbuf-thumbnailer", "-s", "960", file, image]
        else:
            self.skipTest("neither rsvg-convert nor gdk-pixbuf-thumbnailer is installed")
        result = subprocess.run(command, capture_output=True, check=False)
        if b"recognize the image file format" in result.stderr:
            self.skipTest("gdk-pixbuf cannot read SVG here")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        width, height = struct.unpack(">II", image.read_bytes()[16:24])
        svg = xml.etree.ElementTree.parse(file).getroot()
        self.assertAlmostEqual(width / height, float(svg.get("width")) / float(svg.get("height")),
                               places=1)


if __name__ == "__main__":
    unittest.main()
