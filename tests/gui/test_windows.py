#!/usr/bin/python3
# test_windows.py
# The real Wireshark under Xvfb: each window of Statistics ▸ FieldEdge … is opened, filled three times,
# saved as CSV by its own button and compared with what `fieldedge` writes of a recording; and a recording
# made from the menu has the rows of tshark's.  Screenshots land in <build>/tests/gui.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import csv
import functools
import io
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import harness  # noqa: E402

PATIENCE_S = 60
KINDS = {"applications": ("FieldEdge Applications", ["summary", "--section", "applications"]),
         "hosts": ("FieldEdge Hosts", ["hosts"]),
         "intervals": ("FieldEdge Intervals", ["intervals"]),
         "pairs": ("FieldEdge Host Pairs", ["conversations"]),
         "periods": ("FieldEdge Periods", ["periods"])}
DOWN_TO_RECORD = 14  # entries in Statistics of Wireshark 4.0 above ours
TIMES = {"first", "last", "first_hit", "last_hit", "changed"}
LEFT_OUT = {"capture_id", "conversation_id", "packet_id", "payload_hash"}


def setUpModule():
    harness.build_dir()
    for program in ("wireshark", "Xvfb", "xdotool"):
        if shutil.which(program) is None:
            raise unittest.SkipTest(f"{program} is not installed")


def until(question, what):
    """Asks until there is an answer."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"in {PATIENCE_S} s there was no {what}")


class Screen:
    """A display of its own with Wireshark on it."""

    def __init__(self, folder, *args):
        read, write = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24",
                                        "-nolisten", "tcp"], pass_fds=[write],
                                       stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as numbers:
            self.display = ":" + numbers.readline().strip()
        environment = harness.tshark_environment({"DISPLAY": self.display, "HOME": str(folder),
                                                  "XDG_RUNTIME_DIR": str(folder),
                                                  "QT_QPA_PLATFORM": "xcb"})
        command = harness.tshark_command(args)
        command[command.index("tshark")] = "wireshark"
        self.log = open(folder / "wireshark.log", "w+", encoding="utf-8")
        self.wireshark = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wireshark.send_signal(signal.SIGTERM)
        try:
            self.wireshark.wait(20)
        except subprocess.TimeoutExpired:
            self.wireshark.kill()
            self.wireshark.wait()
        self.server.terminate()
        self.server.wait()
        self.log.close()

    def do(self, *words):
        result = subprocess.run(["xdotool", *map(str, words)], capture_output=True, text=True,
                                check=False, timeout=PATIENCE_S,
                                env={**os.environ, "DISPLAY": self.display})
        return result.stdout.split()

    def window(self, name):
        if self.wireshark.poll() is not None:
            raise AssertionError(f"Wireshark ended: {self.wireshark.returncode}")
        found = self.do("search", "--onlyvisible", "--name", name)
        return found[-1] if found else None

    def await_window(self, name):
        window = until(lambda: self.window(name), f"window {name!r}")
        self.do("windowfocus", "--sync", window)
        return window

    def geometry(self, window):
        words = dict(word.split("=") for word in self.do("getwindowgeometry", "--shell", window))
        return [int(words[name]) for name in ("X", "Y", "WIDTH", "HEIGHT")]

    def click(self, window, right, bottom):
        """So many pixels from the lower right corner of the window."""
        x, y, width, height = self.geometry(window)
        self.do("mousemove", x + width - right, y + height - bottom, "click", 1)

    def picture(self, name):
        folder = harness.build_dir() / "tests" / "gui"
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.which("import"):
            subprocess.run(["import", "-window", "root", folder / f"{name}.png"], check=False,
                           env={**os.environ, "DISPLAY": self.display})


@functools.lru_cache(maxsize=None)
def recorded_twice(capture, folder, filter=None):
    """A recording by `tshark -2`: Wireshark too has dissected each packet before it reads all again.

    In one pass an SNMP answer has another udp.stream than its request, in two the same."""
    database = folder / "twice.db"
    result = harness.record(capture, database, filter, extra=["-2"])
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    return database


def number(text):
    """A window has 0 where a figure is missing."""
    try:
        return round(float(text or 0), 6)
    except ValueError:
        return {"true": 1.0, "false": 0.0}.get(text, text)


def time_text(seconds):
    """As a window shows it."""
    whole, _, fraction = seconds.partition(".")
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(whole))) + "." + fraction


def wanted(words, database):
    """The rows that the command writes, as a window has them."""
    command = [harness.build_dir() / "postproc" / "fieldedge", words[0], database, *words[1:],
               "--format", "csv"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    return sorted((tuple(time_text(value) if value and key in TIMES else number(value)
                         for key, value in row.items()) for row in rows), key=repr), len(rows[0])


class Windows(unittest.TestCase):
    maxDiff = 4000

    def saved(self, kind, folder, capture, filter=""):
        title, _ = KINDS[kind]
        path = folder / f"{kind}.csv"
        with Screen(folder, "-r", capture, "-z", f"fieldedge,{kind}{filter}") as screen:
            window = screen.await_window(title)
            for _ in range(2):  # Apply: all packets come again
                screen.click(window, 50, 52)
            screen.picture(kind)
            screen.click(window, 145, 23)  # Save as…
            dialog = screen.await_window("Save Statistics As")
            screen.click(dialog, 320, 25)  # the type of file: CSV is the second
            screen.do("key", "--delay", 200, "Down", "Return")
            screen.click(dialog, 320, 55)
            screen.do("type", "--delay", 10, str(path))
            screen.picture("saving")
            screen.do("key", "Return")
            until(path.exists, f"{path.name}")
            until(lambda: not screen.window("Save Statistics As"), "end of saving")
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    def check(self, kind, filter=None):
        capture = harness.OWN_CAPTURES / "site.pcapng"
        with harness.work_dir() as folder:
            folder.chmod(0o700)
            rows, width = wanted(KINDS[kind][1], recorded_twice(capture, folder, filter))
            lines = self.saved(kind, folder, capture, f",{filter}" if filter else "")
            shown = sorted((tuple(map(number, line)) for line in lines[1:] if len(line) == width),
                           key=repr)
            self.assertTrue(rows)
            self.assertEqual(shown, rows)

    def test_windows_have_the_figures_of_the_command(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                self.check(kind)

    def test_a_window_with_a_filter(self):
        self.check("hosts", "dns or tcp.port == 502")


class Record(unittest.TestCase):
    def rows(self, database):
        with contextlib.closing(harness.connect_ro(database)) as sql:
            return [{key: row[key] for key in row.keys() if key not in LEFT_OUT}
                    for row in sql.execute("SELECT * FROM packets ORDER BY packet_id")]

    def test_a_recording_from_the_menu_is_that_of_tshark(self):
        original = harness.OWN_CAPTURES / "site.pcapng"
        with harness.work_dir() as folder:
            folder.chmod(0o700)
            capture = folder / "site.pcapng"
            shutil.copyfile(original, capture)
            capture.chmod(0o644)
            database = folder / "site.pcapng.db"
            with Screen(folder, "-r", capture) as screen:
                screen.await_window("site.pcapng")
                screen.do("key", "alt+s")
                screen.picture("menu")
                screen.do("key", "--delay", 50, *["Down"] * DOWN_TO_RECORD, "Return")
                screen.await_window("Record to Database")
                screen.picture("record")
                screen.do("key", "Return")
                screen.await_window("^FieldEdge$|FieldEdge$")
                screen.picture("recorded")
            self.assertEqual(self.rows(database), self.rows(recorded_twice(original, folder)))
            with contextlib.closing(harness.connect_ro(database)) as sql:
                status, = sql.execute("SELECT status FROM captures").fetchone()
            self.assertEqual(status, "complete")


class Preferences(unittest.TestCase):
    def test_a_network_that_cannot_be_is_said_at_once(self):
        with harness.work_dir() as folder:
            folder.chmod(0o700)
            for value, is_wrong in (("10.0.0.1/8", True), ("10.0.0.0/8", False)):
                with Screen(folder, "-r", harness.OWN_CAPTURES / "site.pcapng", "-o",
                            f"fieldedge.local_networks:{value}") as screen:
                    if not is_wrong:
                        screen.await_window("site.pcapng")
                        self.assertIsNone(screen.window("^Wireshark$|Error"))
                        continue
                    until(lambda: len(screen.do("search", "--onlyvisible", "--class", "wireshark")) > 1,
                          "window with the reason")
                    screen.picture("preference")

    def test_fields_in_a_column_and_a_filter_bring_no_complaint(self):
        with harness.work_dir() as folder:
            folder.chmod(0o700)
            with Screen(folder, "-r", harness.OWN_CAPTURES / "site.pcapng", "-o",
                        "fieldedge.fields:TRUE", "-Y", 'fieldedge.application == "TCP_MQTT"', "-o",
                        'gui.column.format:"No.","%m","App","%Cus:fieldedge.application"') as screen:
                screen.await_window("site.pcapng")
                screen.picture("fields")
                windows = screen.do("search", "--onlyvisible", "--class", "wireshark")
                self.assertEqual(len(windows), 1)


if __name__ == "__main__":
    harness.run_module()
