#!/usr/bin/python3
# other_trains.py SEED TRAINS
#   A second generator, written from how programs behave instead of from a list of distributions,
#   to see whether the detector fits the first one.  A line a train, as evaluate --read wants it:
#   class 0|1 length period,...|- t t t ...
#
# SPDX-License-Identifier: GPL-2.0-or-later
import random
import sys


def poll(rng, length, period, delay, lost=0.0):
    """A clock; each poll is a request, a response, and what TCP sends again (0.2 s doubling)."""
    times, tick = [], rng.random() * period
    while tick < length:
        at = tick + rng.lognormvariate(0, 0.6) * delay
        if rng.random() >= lost:
            times.append(at)
            rto = min(0.2, period / 30)
            while rng.random() < 0.05:
                at += rto
                rto *= 2
                times.append(at)
            times.append(at + rng.lognormvariate(0, 0.4) * delay)
        tick += period
    return times


def loop(rng, length, period, work):
    """while True: work(); sleep(period)"""
    times, at, step = [], rng.random() * period, []
    while at < length:
        times.append(at)
        took = rng.gammavariate(2, work / 2)
        at += period + took
        step.append(period + took)
    return times, sum(step) / len(step)


def cron(rng, length, minutes):
    """At whole minutes, some seconds late; the job does a few requests."""
    times, at = [], rng.randrange(minutes) * 60
    while at < length:
        start = at + rng.triangular(0, 4, 1)
        for _ in range(rng.randint(1, 4)):
            times.append(start)
            start += rng.expovariate(5)
        at += 60 * minutes
    return times


def keep_alive(rng, length, idle):
    """Sent after so long without traffic; other traffic resets it, rarely."""
    times, at, other = [], 0.0, rng.expovariate(1 / (8 * idle))
    while at < length:
        if other < at + idle:
            at = other
            other = at + rng.expovariate(1 / (8 * idle))
        else:
            at += idle + abs(rng.gauss(0, 0.02))
        times.append(at)
    return times


def wander(rng, length, period):
    """A poor crystal: the length itself walks by some 0.1 %."""
    times, at, now, steps = [], rng.random() * period, period, []
    while at < length:
        times.append(at + rng.gauss(0, 0.01 * period))
        now += rng.gauss(0, 0.0003) * period
        now += 0.05 * (period - now)
        steps.append(now)
        at += now
    return times, sum(steps) / len(steps)


def browse(rng, length, rate):
    """A person: pages of many objects, reading times with a long tail, pauses."""
    times, at = [], 0.0
    while at < length:
        for _ in range(rng.randint(1, 12)):
            page = at
            for _ in range(rng.randint(2, 25)):
                page += rng.weibullvariate(0.15, 0.6)
                times.append(page)
            at = page + rng.lognormvariate(2.5, 1)
        at += rng.paretovariate(1.2) * rate
    return times


def telemetry_on_change(rng, length, rate):
    """Reports when a value that walks crosses a step."""
    times, at, value = [], 0.0, 0.0
    while at < length:
        at += rng.expovariate(20 / rate)
        value += rng.gauss(0, 0.25)
        if abs(value) > 1:
            value = 0.0
            times.append(at)
    return times


def hawkes(rng, length, rate):
    """Every event may cause others soon after."""
    queue, at, times = [], 0.0, []
    while at < length:
        at += rng.expovariate(1 / rate)
        queue.append(at)
    while queue and len(times) < 5000:
        event = queue.pop()
        times.append(event)
        while rng.random() < 0.45:
            queue.append(event + rng.expovariate(8 / rate))
    return times


def night(rng, length, rate):
    """Poisson by day, next to nothing by night, half of each."""
    times, at = [], 0.0
    while at < length:
        at += rng.expovariate(2 / rate)
        if (at / length) % 1 < 0.5 or rng.random() < 0.05:
            times.append(at)
    return times


def retries(rng, length, rate):
    """Connection attempts at 1, 2, 4 ... 64 s, given up, begun again by a person."""
    times, at = [], rng.expovariate(1 / rate)
    while at < length:
        step = 1.0
        for _ in range(rng.randint(3, 7)):
            times.append(at)
            at += step + rng.gauss(0, 0.01)
            step *= 2
        at += rng.expovariate(1 / (20 * rate))
    return times


def weibull(rng, length, rate):
    times, at = [], 0.0
    while at < length:
        at += rng.weibullvariate(rate, 0.8)
        times.append(at)
    return times


def trains(rng):
    length = rng.choice((900.0, 7200.0, 28800.0, 86400.0))
    cycles = 10 ** rng.uniform(1.1, 2.7)
    period = length / cycles
    delay = min(0.05, period / 40)
    yield "poll", length, [period], poll(rng, length, period, delay)
    yield "poll, 40 % lost", length, [period], poll(rng, length, period, delay, 0.4)
    times, mean = loop(rng, length, period, period * rng.choice((0.01, 0.05, 0.15)))
    yield "loop", length, [mean], times
    minutes = rng.choice((1, 5, 10, 15))
    span = minutes * 60 * rng.randint(10, 150)
    yield "cron", span, [60 * minutes], cron(rng, span, minutes)
    # The mean of |N(0, 0.02)| is 0.016.
    yield "keep-alive, reset", length, [period + 0.016], keep_alive(rng, length, period)
    times, mean = wander(rng, length, period)
    yield "wandering clock", length, [mean], times
    yield "poll among browsing", length, [period], (
        poll(rng, length, period, delay) + browse(rng, length, length / 4))
    yield "poll among Hawkes", length, [period], (
        poll(rng, length, period, delay) + hawkes(rng, length, 3 * period))
    second = period / rng.uniform(1.2, 5)
    polls = poll(rng, length, period, delay)
    times, mean = loop(rng, length, second, second / 100)
    yield "poll and loop", length, [period, mean], polls + times
    yield "browsing", length, [], browse(rng, length, length / 10)
    yield "on change", length, [], telemetry_on_change(rng, length, period)
    yield "Hawkes", length, [], hawkes(rng, length, period * 2)
    yield "day and night", length, [], night(rng, length, period)
    yield "retries", length, [], retries(rng, length, min(period, 60))
    yield "Weibull gaps", length, [], weibull(rng, length, period)


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    for index in range(count):
        rng = random.Random(seed * 1000003 + index)
        for name, length, periods, times in trains(rng):
            for extra in range(1 if periods else 3):
                if extra:
                    again = dict((n, (d, t)) for n, d, _, t in trains(rng) if not _)
                    length, times = again[name]
                times = sorted(t for t in times if 0 <= t <= length)[:20000]
                print(name.replace(" ", "_"), int(bool(periods)), repr(length),
                      ",".join(repr(p) for p in periods) or "-",
                      " ".join(f"{t:.6f}" for t in times))


main()
