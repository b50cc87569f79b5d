#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""timeline.py <directory> <start ms or -> <length ms or -> [<lane of a channel that hangs>]

What timeline-plot.gnuplot draws, from the events that a guest recorded of today's TTM and of
the fence-ordered LRU: <directory>/<design>/trace. Without a start the window is where most
buffers died while they were busy, with today's, and all channels were in use; without a length
it is all, and a little more, which shows where it ends. Writes for each design files of
rectangles, ticks and curves, in milliseconds, and for both what the axes need, as lines of
"name=value".

What is closer than the eye can tell apart is drawn as one.
"""

import collections
import itertools
import json
import pathlib
import re
import sys

DESIGNS = ("today", "fence_lru")
LINE = re.compile(r" *.*-\d+ +\[\d+\] [^ ]+ +(?P<s>\d+)\.(?P<us>\d+): (?P<name>\w+): (?P<text>.*)")
# So many points fit side by side.
POINTS = 500
# An allocation that took less did not wait.
WAITED_NS = 50000


class Traffic:
    """One design's events: times in milliseconds."""

    def __init__(self):
        self.jobs, self.copies, self.queued, self.allocs = [], [], [], []
        self.dead, self.alive = [], []
        self.ticks = {"interrupts": [], "evictions": [], "retires": []}
        self.channels = {}

    def number_lanes(self):
        """Lanes in the order in which the channels were made."""
        self.channels = {channel: lane for lane, channel in
                         enumerate(sorted({job[0] for job in self.jobs + self.copies}), 1)}
        for name in ("jobs", "copies", "queued"):
            setattr(self, name, [(self.channels[channel], low, high)
                                 for channel, low, high in getattr(self, name)])

    def add(self, ms, name, event):
        if name == "swgpu_job":
            begun = ms - event["took_ns"] / 1e6
            channel = event["channel"]
            (self.copies if event["copy"] else self.jobs).append((channel, begun, ms))
            self.queued.append((channel, begun - event["waited_ns"] / 1e6, begun))
        elif name in ("swgpu_death", "swgpu_freed"):
            self.dead.append((ms, event["dead"], name == "swgpu_death"))
            if name == "swgpu_death" and self.alive:
                self.alive.append((ms, self.alive[-1][1] - 1))
        elif name == "swgpu_alloc":
            self.alive.append((ms, event["alive"]))
            if event["took_ns"] >= WAITED_NS:
                self.allocs.append((event["result"], ms - event["took_ns"] / 1e6, ms))
        elif name == "swgpu_interrupt" and event["for_dead"]:
            self.ticks["interrupts"].append(ms)
        elif name == "swgpu_evict":
            self.ticks["evictions"].append(ms)
        elif name == "ttm_fence_lru_retire":
            self.ticks["retires"].append(ms)


def read(path):
    traffic = Traffic()
    for line in path.read_text().splitlines():
        match = LINE.fullmatch(line)
        if not match:
            raise SystemExit(f"{path}: no event: {line}")
        event = {}
        for part in match["text"].split():
            key, _, value = part.partition("=")
            event[key] = int(value) if re.fullmatch(r"-?\d+", value) else value
        traffic.add(int(match["s"]) * 1e3 + int(match["us"]) / 1e3, match["name"], event)
    traffic.number_lanes()
    return traffic


def first_end(traffic):
    """When the first channel had its last job."""
    return min(max(high for lane, _, high in traffic.jobs if lane == wanted)
               for wanted in {lane for lane, _, _ in traffic.jobs})


def busiest(traffic, length, end):
    """Where a window of that length, which ends before that, has most deaths."""
    deaths = [ms for ms, _, died in traffic.dead if died and ms < end]
    best, first, start = 0, 0, 0.0
    for last, ms in enumerate(deaths):
        while deaths[first] < ms - length:
            first += 1
        if last - first + 1 > best:
            best, start = last - first + 1, deaths[first]
    return max(0.0, start - length / 20)


def merged(boxes, start, end):
    """Of each lane, those in the window, with what touches as one."""
    gap = (end - start) / POINTS
    result = []
    for lane, low, high in sorted(boxes):
        if high < start or low > end:
            continue
        low, high = max(low, start), min(high, end)
        if result and result[-1][0] == lane and low - result[-1][2] < gap:
            result[-1][2] = max(result[-1][2], high)
        else:
            result.append([lane, low, max(high, low + gap / 2)])
    return result


def curve(steps, start, end):
    """Of steps (when, how many, ...) the last one of each point; with what was before and is after."""
    gap = (end - start) / POINTS
    before = [count for ms, count, *_ in steps if ms < start]
    points = [(start, before[-1] if before else 0)]
    for ms, count, *_ in steps:
        if start <= ms <= end:
            if ms - points[-1][0] < gap and len(points) > 1:
                points.pop()
            points.append((ms, count))
    return points + [(end, points[-1][1])]


def thinned(ticks, start, end):
    gap = (end - start) / POINTS
    result = []
    for ms in ticks:
        if start <= ms <= end and (not result or ms - result[-1] >= gap):
            result.append(ms)
    return result


def write(path, rows):
    # A file of nothing is a point that is out of sight.
    path.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows) or "-1 -1 -1\n")


def write_design(directory, traffic, start, end):
    for name in ("jobs", "copies", "queued", "allocs"):
        write(directory / name, ((lane, low - start, high - start) for lane, low, high in
                                 merged(getattr(traffic, name), start, end)))
    for name in ("dead", "alive"):
        write(directory / name, ((ms - start, count)
                                 for ms, count in curve(getattr(traffic, name), start, end)))
    for name, ticks in traffic.ticks.items():
        write(directory / name, ((ms - start,) for ms in thinned(ticks, start, end)))


def last_of(traffic):
    return max([ms for ms, *_ in traffic.dead] + [high for _, _, high in traffic.jobs])


def first_of(traffic):
    return min(low for _, low, _ in traffic.queued + traffic.jobs)


def most_buffers(traffic, start, end):
    return max(count for steps in (traffic.dead, traffic.alive)
               for _, count in curve(steps, start, end))


def players(path, jobs):
    """Whose jobs are in a lane: those of the program that has so many."""
    clients = json.loads(path.read_text())["clients"] if path.exists() else []
    number = collections.Counter([client["submits"] for client in clients])
    lanes = {times: lane for lane, times in jobs.items() if list(jobs.values()).count(times) == 1}
    return {lanes[client["submits"]]: "jobs of " + pathlib.Path(client["trace"]).name.split("-")[0]
            for client in clients
            if number[client["submits"]] == 1 and client["submits"] in lanes}


def lane_names(both, directory):
    """The longest list of lanes. The copy engine has one channel out of VRAM, and one into it."""
    design = max(both, key=lambda design: len(both[design].channels))
    jobs = collections.Counter(lane for lane, _, _ in both[design].jobs)
    names = players(directory / design / "clients", jobs)
    numbers = itertools.count(1)
    copying = iter(("copies out of VRAM", "copies into VRAM, clearing"))
    return [names.get(lane, f"channel {next(numbers)}") if lane in jobs else
            next(copying, "copies") for lane in both[design].channels.values()]


def counts(traffic, start, end):
    """The title of a design: the window's counts, and those of all if that is more."""
    def text(first, last):
        number = {name: sum(first <= ms <= last for ms in ticks)
                  for name, ticks in traffic.ticks.items()}
        return number["interrupts"], number["evictions"]
    inside, whole = text(start, end), text(0, float("inf"))
    title = "{:,} interrupts for the dead, {:,} evictions".format(*inside)
    return title if inside == whole else \
        title + " (in the whole replay {:,} interrupts, {:,} evictions)".format(*whole)


def released(traffic, lane):
    """The title of a design if a channel hangs: what comes back until it goes on."""
    resumed = min(low for number, low, _ in traffic.jobs if number == lane)
    before = [0] + [count for ms, count, _ in traffic.dead if ms < resumed]
    most = max(before)
    return f"{most - before[-1]:,} of {most:,} dead buffers are released while it hangs"


def tick_rows(traffics):
    """What happens at all has a row."""
    return " ".join(name for name in ("evictions", "interrupts", "retires")
                    if any(traffic.ticks[name] for traffic in traffics))


def failed(traffics):
    return any(result for traffic in traffics for result, _, _ in traffic.allocs)


def window(both, shift, argv):
    """Where it begins with today's TTM, and how long it is."""
    today, ours = (both[design] for design in DESIGNS)
    length = float(argv[1]) if argv[1] != "-" else None
    if argv[0] != "-":
        start = float(argv[0]) + first_of(today)
    elif length:
        # While all programs run with both designs.
        start = busiest(today, length, min(first_end(today), first_end(ours) - shift))
    else:
        start = first_of(today)
    if not length:
        length = 1.1 * (max(last_of(today), last_of(ours) - shift) - start)
    return start, length


def main():
    directory = pathlib.Path(sys.argv[1])
    hung = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    both = {design: read(directory / design / "trace") for design in DESIGNS}
    # Each guest has a clock of its own.
    shift = first_of(both["fence_lru"]) - first_of(both["today"])
    start, length = window(both, shift, sys.argv[2:4])
    names = lane_names(both, directory)
    quoted = ", ".join(f'"{name}"' for name in names)
    lines = [f"length={length}", f"start={start - first_of(both['today'])}",
             f"lanes={len(names)}", f"array lane_names[{len(names)}] = [{quoted}]",
             f"hung={hung}", f"told={int(bool(hung) or failed(both.values()))}",
             f"tick_rows=\"{tick_rows(both.values())}\""]
    most = 1
    for design, traffic in both.items():
        begin = start + (shift if design == "fence_lru" else 0)
        write_design(directory / design, traffic, begin, begin + length)
        most = max(most, most_buffers(traffic, begin, begin + length))
        title = released(traffic, hung) if hung else counts(traffic, begin, begin + length)
        lines += [f"{design}_title=\"{title}\"", f"{design}_end={last_of(traffic) - begin}"]
    lines.append(f"most={most * 1.1}")
    (directory / "axes").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
