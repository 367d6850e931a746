# harness.py
# Runs tshark with the plugin of the build, for the test_*.py beside it.
#
#     with harness.work_dir() as folder:
#         database = folder / "site.db"
#         result = harness.record(harness.captures()[0], database)     # CompletedProcess
#         sql = harness.connect_ro(database)
#
# run_tshark() is any other run.  recording(capture) and table(capture, fields) are shared between test
# files: made once a build, and remade when the plugin, tshark or the capture changes.
#
# Environment: FIELDEDGE_BUILD, the build directory (ctest sets it).  Without it, or without tshark,
# every test is skipped: run_module() then exits with 77, which ctest shows as "Skipped".
#
# As root, Wireshark ignores WIRESHARK_PLUGIN_DIR: tshark then runs as NOBODY, and work_dir() belongs to
# that user.  What it reads must be readable for everybody; the plugin is copied.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import atexit
import concurrent.futures
import contextlib
import fcntl
import functools
import gzip
import hashlib
import os
import pathlib
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
OWN_CAPTURES = PROJECT / "tests" / "captures"
SHARED = PROJECT.parent / "shared"  # captures of others, for test runs only; may be missing
NOBODY = 65534
SKIPPED = 77
TIMEOUT_S = 300
SUFFIXES = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz")
# Not captures at all: tshark refuses them, and test_errors.py has them.
UNREADABLE = {"zero.pcap", "notpcap.pcap"}


def build_dir():
    """The build directory; raises SkipTest without a plugin in it."""
    build = pathlib.Path(os.environ.get("FIELDEDGE_BUILD", ""))
    if not os.environ.get("FIELDEDGE_BUILD"):
        raise unittest.SkipTest("FIELDEDGE_BUILD is not set to a build directory")
    if not list(build.glob("wireshark-plugins/*/epan/fieldedge.so")):
        raise unittest.SkipTest(f"no wireshark-plugins/*/epan/fieldedge.so in {build}")
    if shutil.which("tshark") is None:
        raise unittest.SkipTest("tshark is not installed")
    return build.resolve()


@functools.lru_cache(maxsize=None)
def plugin_dir():
    """What WIRESHARK_PLUGIN_DIR is set to: the build's, or as root a copy that NOBODY may read."""
    original = build_dir() / "wireshark-plugins"
    if os.geteuid() != 0:
        return original
    copy = pathlib.Path(tempfile.mkdtemp(prefix="fieldedge-plugin-"))
    copy.chmod(0o755)
    keep_until_exit(copy)
    # Wireshark's own plugins are links there, which stay links.
    shutil.copytree(original, copy / "plugins", symlinks=True)
    return copy / "plugins"


def keep_until_exit(folder):
    """Removes the folder when the process that made it exits."""
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


@functools.lru_cache(maxsize=None)
def home_dir():
    """An empty home: the tests see no profile of the user's."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="fieldedge-home-"))
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    keep_until_exit(home)
    return home


def tshark_command(args, capabilities=False):
    """The command line of a tshark run; for those who start the process themselves."""
    command = ["tshark", *map(str, args)]
    if os.geteuid() == 0:
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if capabilities:
            drop += ["--inh-caps=+net_raw,+net_admin", "--ambient-caps=+net_raw,+net_admin"]
        command = drop + command
    return command


def tshark_environment(env=None, plugin=True):
    """The environment of a tshark run; env adds to it."""
    environment = {name: os.environ[name] for name in ("PATH", "LD_PRELOAD", "ASAN_OPTIONS",
                                                       "UBSAN_OPTIONS", "LSAN_OPTIONS",
                                                       "TSAN_OPTIONS") if name in os.environ}
    environment.update(HOME=str(home_dir()), LC_ALL="C.UTF-8", TZ="UTC")
    if plugin:
        environment["WIRESHARK_PLUGIN_DIR"] = str(plugin_dir())
    environment.update(env or {})
    return environment


def run_tshark(args, *, env=None, plugin=True, capabilities=False, text=True, timeout=TIMEOUT_S,
               **more):
    """Runs tshark to its end and gives the CompletedProcess (returncode, stdout, stderr).

    plugin=False: a tshark without the plugin, as an oracle.  capabilities: may capture, as root.
    more: of subprocess.run (cwd, input, stdout …)."""
    build_dir()
    if "stdout" not in more and "stderr" not in more:
        more["capture_output"] = True
    return subprocess.run(tshark_command(args, capabilities), env=tshark_environment(env, plugin),
                          text=text, timeout=timeout, check=False, **more)


def record(capture, db, filter=None, extra=[], **more):
    """Records a capture into db: `tshark -q -r CAPTURE -z fieldedge,DB[,FILTER] EXTRA`."""
    argument = f"fieldedge,{db}" + (f",{filter}" if filter else "")
    return run_tshark(["-q", "-r", capture, "-z", argument, *extra], **more)


@contextlib.contextmanager
def work_dir():
    """A temporary folder (a Path) that tshark may write to, removed afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fieldedge-test-"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def connect_ro(db):
    """Opens a database for reading; rows are sqlite3.Row.  Closed by its context manager or by you."""
    uri = pathlib.Path(db).resolve().as_uri() + "?mode=ro"
    connection = sqlite3.connect(uri, uri=True)
    connection.row_factory = sqlite3.Row
    return connection


def _captures_in(folder):
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir()
                  if path.name.endswith(SUFFIXES) and path.name not in UNREADABLE)


def own_captures():
    """The project's own captures: Paths."""
    return _captures_in(OWN_CAPTURES)


def shared_captures(small=True):
    """Captures of others beside the project, if they are there; small: the synthetic ones too."""
    found = _captures_in(SHARED / "captures")
    return found + _captures_in(SHARED / "captures" / "small") if small else found


def captures():
    """All captures that tshark can read, cut-short ones too: Paths."""
    return own_captures() + shared_captures()


def name_of(capture):
    """A short name that tells the capture from all others: own/site.pcapng, small/arp.pcap."""
    parent = capture.parent
    if parent == OWN_CAPTURES:
        return f"own/{capture.name}"
    return f"small/{capture.name}" if parent.name == "small" else f"shared/{capture.name}"


# ---- what test files share -------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def _tshark_version():
    return subprocess.run(["tshark", "--version"], capture_output=True, text=True, timeout=TIMEOUT_S,
                          check=True).stdout.splitlines()[0]


@functools.lru_cache(maxsize=None)
def _plugin_digest():
    digest = hashlib.sha256()
    for found in sorted(build_dir().glob("wireshark-plugins/*/epan/fieldedge.so")):
        digest.update(found.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def _locked(path):
    """One process at a time makes path; in a process, one thread."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(path.name + ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _shared_path(kind, capture, *key):
    status = capture.stat()
    text = repr((str(capture), status.st_size, status.st_mtime_ns, _tshark_version(), *key))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return build_dir() / "Testing" / "recordings" / f"{capture.name}.{digest}.{kind}"


def recording(capture):
    """A recording of the capture with default options: (database path, returncode, stderr)."""
    path = _shared_path("db", capture, _plugin_digest())
    notes = path.with_suffix(".notes")
    with _locked(path):
        if not notes.exists():
            with work_dir() as folder:
                result = record(capture, folder / "x.db")
                if not (folder / "x.db").exists():
                    raise AssertionError(f"{capture}: {result.returncode}: {result.stderr}")
                shutil.copyfile(folder / "x.db", path)
            with open(notes, "wb") as file:
                pickle.dump((result.returncode, result.stderr), file)
        with open(notes, "rb") as file:
            returncode, stderr = pickle.load(file)
    return path, returncode, stderr


def table(capture, fields, extra=()):
    """What tshark itself says, without the plugin: (rows, returncode), a row a packet, a tuple of
    strings in the order of fields; several occurrences of a field are separated by commas."""
    path = _shared_path("tsv.gz", capture, tuple(fields), tuple(extra))
    with _locked(path):
        if not path.exists():
            wanted = [word for field in fields for word in ("-e", field)]
            result = run_tshark(["-r", capture, "-T", "fields", *wanted, *extra], plugin=False,
                                text=False)
            with gzip.open(path.with_name(path.name + ".new"), "wb", compresslevel=1) as file:
                pickle.dump((result.stdout, result.returncode), file)
            path.with_name(path.name + ".new").rename(path)
        with gzip.open(path, "rb") as file:
            text, returncode = pickle.load(file)
    lines = text.decode("utf-8", "replace").split("\n")[:-1]
    return [tuple(line.split("\t")) for line in lines], returncode


VERDICTS = ("retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order",
            "duplicate_ack", "lost_segment", "ack_lost_segment", "keep_alive", "keep_alive_ack",
            "zero_window", "zero_window_probe", "zero_window_probe_ack", "window_update",
            "window_full", "reused_ports")
PACKET_FIELDS = (
    "frame.number", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols",
    "ip.src", "ip.dst", "ip.len", "ip.hdr_len", "ip.proto", "ip.id", "ip.flags.mf", "ip.frag_offset",
    "ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.nxt", "ipv6.fraghdr.ident",
    "tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.len", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags",
    "tcp.hdr_len", "udp.stream", "udp.srcport", "udp.dstport", "udp.length",
    "sctp.srcport", "sctp.dstport", "sctp.assoc_index", "icmp.type", "icmpv6.type",
    "_ws.malformed", "_ws.expert.group", "_ws.expert.severity",
    *("tcp.analysis." + name for name in VERDICTS))


def packets(capture):
    """tshark's own words on each packet: (list of dicts by PACKET_FIELDS, returncode)."""
    rows, returncode = table(capture, PACKET_FIELDS)
    return [dict(zip(PACKET_FIELDS, row)) for row in rows], returncode


def time_ns(text):
    """ "1.5" and "-1.5" of frame.time_epoch as integer nanoseconds.

    Of a broken time with more than a second of nanoseconds tshark shows the sign of the nanoseconds
    (an int32) before both parts."""
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(fraction) > 9:
        return int(whole) * 10**9 + (-1 if text.startswith("-") else 1) * int(fraction)
    nanoseconds = int(whole) * 10**9 + int(fraction.ljust(9, "0"))
    return -nanoseconds if text.startswith("-") else nanoseconds


def occurrences(row, field):
    """All values of a field in a packet, outermost first."""
    return row[field].split(",") if row[field] else []


class Ends:
    """Who talks to whom in a packet, from tshark's list of layers and fields: the innermost IP header
    that no ICMP error quotes, and the transport above it."""

    def __init__(self, row):
        layers = row["frame.protocols"].split(":")
        self.icmp = next((name for name in layers if name in ("icmp", "icmpv6")), None)
        if self.icmp:
            layers = layers[:layers.index(self.icmp) + 1]
        self.layers = layers
        # A layer called ip without an address: the bytes are no IP header (wrong version).
        headers = [at for at, name in enumerate(layers)
                   if name in ("ip", "ipv6") and row[f"{name}.src"]]
        self.outer = layers[headers[0]] if headers else None
        self.inner = layers[headers[-1]] if headers else None
        self.headers = len(headers)
        self.above = layers[headers[-1] + 1:] if headers else []
        self.transport = next((name for name in self.above if name in ("tcp", "udp", "sctp")), None)
        self.row = row

    def ip(self, field):
        """Of the innermost IP header: ip("src") is ip.src or ipv6.src."""
        values = occurrences(self.row, f"{self.inner}.{field}")
        at = self.layers.count(self.inner) - 1
        return values[at] if at < len(values) else None

    def of_transport(self, field):
        """Of the transport's innermost header: "srcport", "stream"; None without."""
        if self.transport is None:
            return None
        values = occurrences(self.row, f"{self.transport}.{field}")
        at = self.layers.count(self.transport) - 1
        return values[at] if at < len(values) else None


class Recorded:
    """A capture as recorded, and as tshark tells it: .packets and .oracle are in the same order."""

    def __init__(self, capture):
        self.capture = capture
        self.name = name_of(capture)
        self.database, self.returncode, self.stderr = recording(capture)
        self.oracle, self.oracle_returncode = packets(capture)
        with contextlib.closing(connect_ro(self.database)) as sql:
            self.packets = self._rows(sql, "packets", "packet_id")
            self.conversations = self._rows(sql, "conversations", "id")
            self.accounts = self._rows(sql, "accounts", "account")
            self.captures = self._rows(sql, "captures", "id")

    @staticmethod
    def _rows(sql, view, order):
        return [dict(row) for row in sql.execute(f"SELECT * FROM {view} ORDER BY {order}")]

    @functools.cached_property
    def ends(self):
        return [Ends(row) for row in self.oracle]

    @functools.cached_property
    def conversation(self):
        """Conversations by id."""
        return {row["id"]: row for row in self.conversations}


@functools.lru_cache(maxsize=None)
def recorded(capture):
    return Recorded(capture)


def all_recorded(wanted=None):
    """Recorded() of the captures (all of them), made in parallel where they are not there yet."""
    wanted = captures() if wanted is None else wanted
    in_parallel(lambda capture: (recording(capture), packets(capture)), wanted)
    return [recorded(capture) for capture in wanted]


def in_parallel(function, items):
    """[function(item) for item in items] on all processors; for functions that run tshark."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


def run_module():
    """unittest.main() with ctest's exit code for "everything was skipped" and the reasons in words."""
    program = unittest.main(module="__main__", exit=False, verbosity=1)
    result = program.result
    for reason in sorted({reason for _, reason in result.skipped}):
        print(f"skipped: {reason}")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.skipped and len(result.skipped) >= result.testsRun else 0)
