#!/usr/bin/python3
"""captures.py run [--seed N] [--trains N] [--fieldedge PATH] [--json]
captures.py write FOLDER [--seed N] [--trains N]
captures.py judge FOLDER [--fieldedge PATH] [--json]

The detector end to end: writes seeded trains as captures, has `fieldedge process` read them with
tshark and `fieldedge periods DB --all --format json` find the periods, and compares with the truth.

A train is all traffic of one pair of hosts: polls over UDP, over one TCP connection or over one a
poll, each with its answer, acknowledgements and some segments sent again.  A capture holds --trains
trains of each class and lasts as long as one draw says; FOLDER gets N.pcap and truth.json, a list of
{file, hosts, class, repeats, periods}.  A pair's answer is that of its groups with the best score
(whichever application, direction and size), for what repeats and for what does not.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import argparse
import collections
import json
import math
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile

EPOCH = 1_700_000_000_000_000  # us


# ---- Trains: times in s of the polls within 0 .. length, and the true periods ----

def clock(rng, length, period, jitter=0.0, draw="normal"):
    draws = {"normal": lambda: rng.gauss(0, jitter), "uniform": lambda: rng.uniform(-jitter, jitter),
             "exponential": lambda: rng.expovariate(1 / jitter)}
    late = draws[draw] if jitter else (lambda: rng.gauss(0, 0.002))
    at, times = rng.random() * period, []
    while at < length:
        times.append(at + period * late())
        at += period
    return times


def sleep(rng, length, period, jitter):
    at, times = rng.random() * period, []
    while at < length:
        times.append(at)
        at += period * max(0.05, rng.gauss(1, jitter))
    return times


def poisson(rng, length, mean):
    at, times = rng.expovariate(1 / mean), []
    while at < length:
        times.append(at)
        at += rng.expovariate(1 / mean)
    return times


def gaps(length, draw):
    at, times = 0.0, []
    while at < length:
        at += draw()
        times.append(at)
    return times


def drop(rng, times, share):
    return [t for t in times if rng.random() >= share]


def outage(rng, times, length, share):
    begin = rng.uniform(0.1, 0.9 - share) * length
    return [t for t in times if not begin <= t <= begin + share * length]


def browse(rng, length, mean):
    """A person: pages of several requests, then reading, then doing something else."""
    times, at = [], rng.expovariate(1 / mean)
    while at < length:
        for _ in range(rng.randint(1, 6)):
            page = at
            for _ in range(rng.randint(2, 10)):
                page += rng.weibullvariate(0.2, 0.7)
                times.append(page)
            at = page + rng.lognormvariate(2.3, 1)
        at += rng.paretovariate(1.3) * mean
    return times


def back_off(rng, length, mean):
    times, at = [], rng.expovariate(1 / mean)
    while at < length:
        step = rng.uniform(0.5, 3)
        for _ in range(rng.randint(4, 8)):
            times.append(at)
            at += step * rng.uniform(0.98, 1.02)
            step *= 2
        at += rng.expovariate(1 / mean)
    return times


def change(rng, length, period):
    second = period * rng.uniform(1.5, 3)
    early = [t for t in clock(rng, length, period) if t < length / 2]
    return early + [t for t in clock(rng, length, second) if t >= length / 2], [period, second]


def several(rng, length, period, ratios):
    periods = [period * ratio for ratio in ratios]
    return sum((clock(rng, length, p) for p in periods), []), periods


def make(rng, name, length):
    """Times and true periods of one train of a class."""
    # 12 to 300 cycles, the period not below a second nor above a day
    cycles = math.exp(rng.uniform(math.log(12), math.log(300)))
    period = min(max(length / cycles, 1.0), 86400.0)
    one = [period]
    positives = {
        "clock": lambda: (clock(rng, length, period), one),
        "clock, 10 %": lambda: (clock(rng, length, period, 0.1), one),
        "clock, 20 %": lambda: (clock(rng, length, period, 0.2), one),
        "uniform +-20 %": lambda: (clock(rng, length, period, 0.2, "uniform"), one),
        "exponential 10 %": lambda: (clock(rng, length, period, 0.1, "exponential"), one),
        "sleep, 5 %": lambda: (sleep(rng, length, period, 0.05), one),
        "sleep, 20 %": lambda: (sleep(rng, length, period, 0.2), one),
        "sleep, 30 %": lambda: (sleep(rng, length, period, 0.3), one),
        "30 % dropped": lambda: (drop(rng, clock(rng, length, period), 0.3), one),
        "60 % dropped": lambda: (drop(rng, clock(rng, length, length / max(cycles, 30)), 0.6),
                                 [length / max(cycles, 30)]),
        "outage": lambda: (outage(rng, clock(rng, length, period), length, 0.3), one),
        "50 % noise": lambda: (clock(rng, length, period) + poisson(rng, length, 2 * period), one),
        "100 % noise": lambda: (clock(rng, length, period) + poisson(rng, length, period), one),
        "300 % noise": lambda: (clock(rng, length, period) + poisson(rng, length, period / 3), one),
        "noise, sleep 5 %": lambda: (sleep(rng, length, period, 0.05)
                                     + poisson(rng, length, period), one),
        "among browsing": lambda: (clock(rng, length, period) + browse(rng, length, length / 5), one),
        "two": lambda: several(rng, length, period, (1, rng.uniform(1.3, 4))),
        "harmonics": lambda: several(rng, length, period, (1, rng.choice((2, 3, 4)))),
        "three": lambda: several(rng, length, length / max(cycles, 40),
                                 (1, rng.uniform(1.3, 2), rng.uniform(2.2, 3))),
        "change": lambda: change(rng, length, length / max(cycles, 30)),
        "times of 1 ms": lambda: ([round(t, 3) for t in clock(rng, length, period)], one),
        "times of 1 s": lambda: ([float(round(t)) for t in clock(rng, length, max(period, 5))],
                                 [max(period, 5)]),
        "few": lambda: (clock(rng, length, length / (cycles := rng.uniform(6, 11))),
                        [length / cycles]),
        "sub-second": lambda: (clock(rng, length * 0 + 200, fast := rng.uniform(0.1, 0.9)), [fast]),
    }
    negatives = {
        "Poisson": lambda: poisson(rng, length, period),
        "lognormal": lambda: gaps(length, lambda: period * rng.lognormvariate(-0.5, 1)),
        "gamma": lambda: gaps(length, lambda: rng.gammavariate(2, period / 2)),
        "diurnal": lambda: [t for t in poisson(rng, length, period / 2)
                            if rng.random() < 0.5 + 0.5 * math.sin(2 * math.pi * t / length)],
        "browsing": lambda: browse(rng, length, length / 10),
        "back-off": lambda: back_off(rng, length, length / 15),
    }
    if name in positives:
        times, periods = positives[name]()
    else:
        times, periods = negatives[name](), []
    return sorted(t for t in times if 0 <= t < length), periods


POSITIVE = ("clock", "clock, 10 %", "clock, 20 %", "uniform +-20 %", "exponential 10 %", "sleep, 5 %",
            "sleep, 20 %", "sleep, 30 %", "30 % dropped", "60 % dropped", "outage", "50 % noise",
            "100 % noise", "300 % noise", "noise, sleep 5 %", "among browsing", "two", "harmonics",
            "three", "change", "times of 1 ms", "times of 1 s", "few", "sub-second")
NEGATIVE = ("Poisson", "lognormal", "gamma", "diurnal", "browsing", "back-off")


# ---- Packets ----

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


class Pair:
    """Two hosts and the packets between them: (us, frame)."""

    def __init__(self, rng, number, is_whole_second):
        self.rng = rng
        self.is_whole_second = is_whole_second
        self.hosts = (f"10.{number >> 8}.{number & 255}.2", f"198.18.{number >> 8}.{number & 255}")
        self.addresses = [bytes(map(int, host.split("."))) for host in self.hosts]
        self.port = 40000 + rng.randrange(2000)
        self.server = 21000 + rng.randrange(1000)
        self.round_trip = rng.uniform(0.005, 0.08)
        self.request = rng.randrange(40, 400)
        self.answer = rng.randrange(60, 1200)
        self.packets = []
        self.identification = 0

    def frame(self, at, is_back, protocol, body):
        source, target = self.addresses[::-1] if is_back else self.addresses
        self.identification = (self.identification + 1) & 0xFFFF
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), self.identification, 0x4000,
                             64, protocol, 0, source, target)
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        ethernet = (b"\x02\x00" + target + b"\x02\x00" + source + b"\x08\x00")
        if self.is_whole_second:
            at = math.floor(at)
        self.packets.append((EPOCH + round(at * 1e6), ethernet + header + body))

    def datagram(self, at, is_back, size):
        ports = (self.server, self.port) if is_back else (self.port, self.server)
        self.frame(at, is_back, 17, struct.pack("!HHHH", *ports, 8 + size, 0) + b"\0" * size)

    def segment(self, at, is_back, flags, size=0, sequence=None):
        ports = (self.server, self.port) if is_back else (self.port, self.server)
        own, other = self.sequences[is_back], self.sequences[not is_back]
        sequence = own if sequence is None else sequence
        self.frame(at, is_back, 6,
                   struct.pack("!HHIIBBHHH", *ports, sequence & 0xFFFFFFFF,
                               other & 0xFFFFFFFF if flags & 0x10 else 0, 0x50, flags, 64000, 0, 0)
                   + b"\0" * size)
        if sequence == own:
            self.sequences[is_back] += size + bool(flags & 3)

    def connect(self, at):
        self.port = 32768 + (self.port - 32768 + 1) % 28000
        self.sequences = [self.rng.randrange(1 << 32), self.rng.randrange(1 << 32)]
        self.segment(at, False, 0x02)
        self.segment(at + self.round_trip, True, 0x12)
        self.segment(at + self.round_trip + 0.0002, False, 0x10)

    def exchange(self, at):
        """A request, its answer, what acknowledges them, now and then a request sent again."""
        trip = self.round_trip * self.rng.uniform(0.9, 1.3)
        first = self.sequences[False]
        self.segment(at, False, 0x18, self.request)
        if self.rng.random() < 0.03:
            at += 0.2
            self.segment(at, False, 0x18, self.request, first)
        self.segment(at + trip, True, 0x10)
        self.segment(at + trip + 0.001, True, 0x18, self.answer)
        self.segment(at + trip + 0.0015, False, 0x10)
        return at + trip + 0.002

    def poll(self, times, kind):
        if kind == "TCP" and times:
            self.connect(max(times[0] - 2 * self.round_trip, 0))
        for at in times:
            if kind == "UDP":
                self.datagram(at, False, self.request)
                self.datagram(at + self.round_trip * self.rng.uniform(0.9, 1.3), True, self.answer)
            elif kind == "TCP":
                self.exchange(at)
            else:
                self.connect(at)
                end = self.exchange(at + self.round_trip + 0.0004)
                self.segment(end, False, 0x11)
                self.segment(end + self.round_trip, True, 0x11)
                self.segment(end + self.round_trip + 0.0002, False, 0x10)


def write(folder, seed, trains):
    truth = []
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(trains):
        rng = random.Random(seed * 1_000_003 + number)
        length = rng.choice((1800.0, 7200.0, 43200.0, 10 * 86400.0))
        packets = []
        for index, name in enumerate(POSITIVE + NEGATIVE):
            times, periods = make(rng, name, length)
            pair = Pair(rng, number * 64 + index, name == "times of 1 s")
            pair.poll(times, rng.choice(("UDP", "TCP", "TCP, one a poll")))
            packets += pair.packets
            truth.append({"file": f"{number}.pcap", "hosts": pair.hosts, "class": name,
                          "repeats": bool(periods), "periods": periods})
        packets.sort(key=lambda packet: packet[0])
        with open(folder / f"{number}.pcap", "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            for at, frame in packets:
                file.write(struct.pack("<IIII", *divmod(at, 1_000_000), len(frame), len(frame)))
                file.write(frame)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")


# ---- Answers ----

def call(command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {result.stderr}")
    return result.stdout


def answers(folder, fieldedge):
    """(file, hosts) -> groups of that pair."""
    found = collections.defaultdict(list)
    for capture in sorted(folder.glob("*.pcap")):
        database = capture.with_suffix(".sqlite")
        database.unlink(missing_ok=True)
        call([fieldedge, "process", capture, "-o", database])
        for group in json.loads(call([fieldedge, "periods", database, "--all", "--format", "json"])):
            found[capture.name, frozenset((group["host_a"], group["host_b"]))].append(group)
    return found


NOTHING = {"score": 0.0, "verdict": "too few cycles", "periods": [], "direction": "both",
           "size_bytes": None}


def best_of(groups):
    """The best score; of the pair as a whole, unless only its conversations have rows."""
    pair = [group for group in groups if group.get("conversation_id") is None]
    return max(pair or groups, key=lambda group: (group["score"], group["direction"] == "both",
                                                  group["size_bytes"] is None), default=NOTHING)


def is_near(period, truths, tolerance):
    return any(abs(period / truth - 1) < tolerance for truth in truths)


def is_harmonic(period, truths):
    """Twice, half, a third of a true one, which is none itself."""
    return not is_near(period, truths, 0.05) and any(
        abs(ratio / round(ratio) - 1) < 0.02 for truth in truths
        for ratio in (period / truth, truth / period) if 1.5 < ratio < 12)


class Train:
    """One line of the truth and what was answered."""

    def __init__(self, truth, groups):
        self.name, self.truths = truth["class"], truth["periods"]
        best = best_of(groups)
        whole = best_of([g for g in groups if g["direction"] == "both" and g["size_bytes"] is None])
        named = best["periods"] if best["verdict"] == "periodic" else []
        self.score = best["score"]
        self.is_periodic = best["verdict"] == "periodic"
        self.within = {t: bool(named) and is_near(named[0]["period_s"], self.truths, t)
                       for t in (0.05, 0.01)} if self.truths else {}
        self.is_harmonic = bool(named and self.truths) and is_harmonic(named[0]["period_s"],
                                                                       self.truths)
        self.all_found = [any(abs(p["period_s"] / truth - 1) < 0.05 for g in groups
                              if g["verdict"] == "periodic" for p in g["periods"])
                          for truth in self.truths]
        self.is_count_right = len(whole["periods"]) == len(self.truths)
        self.held = [p["low_s"] <= truth <= p["high_s"] for p in named for truth in self.truths
                     if abs(p["period_s"] / truth - 1) < 0.05]
        self.groups = len(groups)
        self.false_groups = sum(g["verdict"] == "periodic" for g in groups)


def area(scores, negatives):
    return statistics.fmean((sum(n < s for n in negatives) + 0.5 * sum(n == s for n in negatives))
                            / len(negatives) for s in scores)


def threshold(negatives, share):
    return sorted(negatives)[math.floor((1 - share) * (len(negatives) - 1))]


def mean(values):
    values = list(values)
    return statistics.fmean(values) if values else math.nan


def judge(trains):
    """Figures by class, and over all."""
    negatives = [train.score for train in trains if not train.truths]
    classes, false = {}, {}
    for name in POSITIVE + NEGATIVE:
        of_class = [train for train in trains if train.name == name]
        if not of_class:
            continue
        if name in NEGATIVE:
            false[name] = {"pairs": len(of_class),
                           "highest": max(train.score for train in of_class),
                           "said_periodic": mean(train.is_periodic for train in of_class),
                           "groups": sum(train.groups for train in of_class),
                           "false_groups": sum(train.false_groups for train in of_class)}
            continue
        scores = [train.score for train in of_class]
        classes[name] = {
            "pairs": len(of_class), "auc": area(scores, negatives),
            "found_1": mean(s > threshold(negatives, 0.01) for s in scores),
            "found_01": mean(s > threshold(negatives, 0.001) for s in scores),
            "said_periodic": mean(train.is_periodic for train in of_class),
            "within_5": mean(train.within[0.05] for train in of_class),
            "within_1": mean(train.within[0.01] for train in of_class),
            "harmonic": mean(train.is_harmonic for train in of_class),
            "all_found": mean(found for train in of_class for found in train.all_found),
            "count_right": mean(train.is_count_right for train in of_class),
            "coverage": mean(held for train in of_class for held in train.held)}
    over_all = {key: mean(c[key] for c in classes.values() if not math.isnan(c[key]))
                for key in next(iter(classes.values())) if key != "pairs"}
    over_all["coverage"] = mean(held for train in trains for held in train.held)
    return {"classes": classes, "false": false, "mean": over_all}


def report(figures):
    keys = list(figures["mean"])
    print("| class | pairs |", " | ".join(keys), "|\n|" + "---|" * (len(keys) + 2))
    for name, row in figures["classes"].items():
        print(f"| {name} | {row['pairs']} |", " | ".join(f"{row[key]:.3f}" for key in keys), "|")
    print("| mean | |", " | ".join(f"{figures['mean'][key]:.3f}" for key in keys), "|\n")
    print("| no period | pairs | highest score | said periodic | groups | of them periodic |")
    print("|---|---|---|---|---|---|")
    for name, row in figures["false"].items():
        print(f"| {name} | {row['pairs']} | {row['highest']:.3f} | {row['said_periodic']:.4f} |"
              f" {row['groups']} | {row['false_groups']} |")


def judge_folder(folder, fieldedge):
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    found = answers(folder, fieldedge)
    return judge([Train(line, found[line["file"], frozenset(line["hosts"])]) for line in truth])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "write", "judge"))
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=900001)
    parser.add_argument("--trains", type=int, default=8)
    parser.add_argument("--fieldedge", default="fieldedge")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if (options.folder is None) != (options.what == "run"):
        parser.error("a FOLDER belongs to write and judge, and to them alone")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or pathlib.Path(temporary)
        if options.what != "judge":
            write(folder, options.seed, options.trains)
        if options.what != "write":
            figures = judge_folder(folder, options.fieldedge)
            if options.json:
                print(json.dumps(figures, indent=1))
            else:
                report(figures)


if __name__ == "__main__":
    main()
