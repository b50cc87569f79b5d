#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""timeline.py <directory> <start ms or -> <length ms or ->

What timeline-plot.gnuplot draws, from the events that a guest recorded of today's TTM and of
the fence-ordered LRU: <directory>/<design>/trace. Without a start the window is where most
buffers died while they were busy, with today's, and all channels were in use; without a length
it is all. Writes for each
design files of rectangles, ticks and a curve, in milliseconds, and for both what the axes
need, as lines of "name=value".

What is closer than the eye can tell apart is drawn as one.
"""

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
        self.jobs, self.copies, self.queued, self.allocs, self.dead = [], [], [], [], []
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
            self.dead.append((ms, event["dead"], event["dead_bytes"], name == "swgpu_death"))
        elif name == "swgpu_alloc" and event["took_ns"] >= WAITED_NS:
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
    deaths = [ms for ms, _, _, died in traffic.dead if died and ms < end]
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


def curve(dead, start, end):
    """Steps, the last one of each point; with what was before and is after."""
    gap = (end - start) / POINTS
    before = [(count, size) for ms, count, size, _ in dead if ms < start]
    points = [(start, *(before[-1] if before else (0, 0)))]
    for ms, count, size, _ in dead:
        if start <= ms <= end:
            if ms - points[-1][0] < gap and len(points) > 1:
                points.pop()
            points.append((ms, count, size))
    return points + [(end, *points[-1][1:])]


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
    write(directory / "dead", ((ms - start, count, size / (1 << 20))
                               for ms, count, size in curve(traffic.dead, start, end)))
    for name, ticks in traffic.ticks.items():
        write(directory / name, ((ms - start,) for ms in thinned(ticks, start, end)))


def last_of(traffic):
    return max([ms for ms, *_ in traffic.dead] + [high for _, _, high in traffic.jobs])


def first_of(traffic):
    return min(low for _, low, _ in traffic.queued + traffic.jobs)


def most_dead(traffic, start, end):
    return max(count for _, count, _ in curve(traffic.dead, start, end))


def lane_names(traffics):
    """The longest list of lanes; those of the copy engine by that name."""
    traffic = max(traffics, key=lambda traffic: len(traffic.channels))
    working = {lane for lane, _, _ in traffic.jobs}
    return " ".join(f"channel_{lane}" if lane in working else "copy_engine"
                    for lane in traffic.channels.values())


def counted(traffic, start, end):
    inside = [ms for ms in traffic.ticks["interrupts"] if start <= ms <= end]
    return len(inside), sum(start <= ms <= end for ms in traffic.ticks["evictions"])


def main():
    directory = pathlib.Path(sys.argv[1])
    both = {design: read(directory / design / "trace") for design in DESIGNS}
    # Each guest has a clock of its own.
    shift = first_of(both["fence_lru"]) - first_of(both["today"])
    length = float(sys.argv[3]) if sys.argv[3] != "-" else None
    if sys.argv[2] != "-":
        start = float(sys.argv[2]) + first_of(both["today"])
    elif length:
        # While all programs run with both designs.
        start = busiest(both["today"], length,
                        min(first_end(both["today"]), first_end(both["fence_lru"]) - shift))
    else:
        start = first_of(both["today"])
    if not length:
        length = max(last_of(both["today"]) - start, last_of(both["fence_lru"]) - shift - start)
    lines = [f"length={length}", f"start={start - first_of(both['today'])}",
             f"lanes={max(len(traffic.channels) for traffic in both.values())}",
             f"lane_names=\"{lane_names(both.values())}\""]
    dead_max = 1
    for design, traffic in both.items():
        begin = start + (shift if design == "fence_lru" else 0)
        write_design(directory / design, traffic, begin, begin + length)
        dead_max = max(dead_max, most_dead(traffic, begin, begin + length))
        interrupts, evictions = counted(traffic, begin, begin + length)
        lines.append(f"{design}_title=\"{interrupts} interrupts for the dead, {evictions} evictions\"")
    lines.append(f"dead_max={dead_max * 1.1}")
    (directory / "axes").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
