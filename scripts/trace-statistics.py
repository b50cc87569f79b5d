#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""trace-statistics.py <recording> ...

Prints the rows of the table of statistics in traces/README.md, which says what the columns are:
of the whole recording, and, if it was cut, of its end.
"""

import collections
import lzma
import pathlib
import statistics
import sys

MIB = 1 << 20
VRAM = 2
# A shorter wait is none.
WAITED_NS = 20000
# As many pushes after its last use: so late at the most was a buffer closed.
LATE = (1, 2, 8)


class Buffer:
    """One that is open: born is the number of the last push before, or None in the gap."""

    def __init__(self, size, domain, born):
        self.size, self.domain, self.born = size, domain, born


class Statistics:
    """What happened while it counts."""

    def __init__(self, counts):
        self.counts, self.gap = counts, False
        self.count = collections.Counter()
        self.live, self.live_bytes, self.peak, self.peak_bytes = {}, 0, 0, 0
        self.seq = self.done = 0
        self.lists, self.lives, self.depths, self.in_flight = [], [], [], []
        # Closed before they were done: the number of their last push, and their size.
        self.dead, self.most_dead, self.most_dead_bytes = [], 0, 0
        self.busy_bytes = 0

    def comment(self, line):
        if "startup ends" in line:
            self.gap = True
        elif line.startswith("# steady"):
            self.gap, self.counts = False, True

    def push(self, fields):
        self.seq = int(fields[4])
        self.count["push"] += self.counts
        if self.counts and fields[1] == "push":
            self.lists.append(int(fields[5]))

    def new(self, fields):
        buffer = Buffer(int(fields[4]), int(fields[5], 16), None if self.gap else self.seq)
        self.live[fields[2], fields[3]] = buffer
        self.live_bytes += buffer.size
        if self.counts and not self.gap:
            self.count["new"] += 1
            self.count["new VRAM" if buffer.domain & VRAM else "new GART"] += 1

    def close(self, fields):
        buffer = self.live.pop((fields[2], fields[3]), None)
        if buffer:
            self.live_bytes -= buffer.size
        if not self.counts or self.gap:
            return
        self.count["close"] += 1
        last = int(fields[4])
        if last:
            if buffer and buffer.born is not None:
                self.lives.append(last - buffer.born)
            for late in LATE:
                self.count["late", late] += self.seq - last < late
        if fields[5] == "1":
            self.die(buffer, last)

    def die(self, buffer, last):
        """It is busy."""
        self.count["busy"] += 1
        self.count["busy VRAM" if buffer.domain & VRAM else "busy GART"] += 1
        self.busy_bytes += buffer.size
        self.depths.append(last - self.done)
        self.dead.append((last, buffer.size))
        self.most_dead = max(self.most_dead, len(self.dead))
        self.most_dead_bytes = max(self.most_dead_bytes, sum(size for _, size in self.dead))

    def end(self, fields):
        self.done = int(fields[4])
        self.dead = [(last, size) for last, size in self.dead if last > self.done]

    def wait(self, waited_ns):
        self.count["wait"] += self.counts
        self.count["long wait"] += self.counts and waited_ns > WAITED_NS

    def frame(self, fields):
        if self.counts:
            self.count["frame"] += 1
            self.in_flight.append(int(fields[3]) - int(fields[4]))

    def event(self, fields):
        kind = fields[1]
        if kind in ("push", "exec"):
            self.push(fields)
        elif kind == "prep":
            self.wait(int(fields[6]))
        elif kind == "wait":
            self.wait(int(fields[4]))
        elif kind in ("new", "close", "frame"):
            getattr(self, kind)(fields)
        elif kind == "done":
            self.end(fields)
        if self.counts:
            self.peak = max(self.peak, len(self.live))
            self.peak_bytes = max(self.peak_bytes, self.live_bytes)

    def read(self, lines):
        for line in lines:
            if line.startswith("#"):
                self.comment(line)
            else:
                self.event(line.split(" "))

    def columns(self):
        count = self.count
        return (count["push"], count["new"], count["close"],
                f"{count['wait']} ({count['long wait']})", count["frame"],
                f"{self.peak} / {self.peak_bytes / MIB:.1f}",
                *(self.uses() if self.lists else ("-",) * 8),
                f"{count['new VRAM']}/{count['new GART']}")

    def uses(self):
        """What is known if it was recorded which buffers a job uses."""
        count = self.count
        return (f"{mean(self.lists)} / {most(self.lists)}",
                "/".join(str(percentile(self.lives, part)) for part in (10, 50, 90, 99)),
                "/".join(str(count["late", late]) for late in LATE),
                f"{count['busy']} ({self.busy_bytes / MIB:.1f} MB)",
                f"{count['busy VRAM']}/{count['busy GART']}",
                f"{self.most_dead} / {round(self.most_dead_bytes / MIB, 2)}",
                f"{mean(self.depths)}/{most(self.depths)}",
                mean(self.in_flight))


def mean(values):
    return round(statistics.mean(values), 1) if values else "-"


def most(values):
    return max(values, default="-")


def percentile(values, part):
    return sorted(values)[len(values) * part // 100] if values else "-"


def main():
    for name in sys.argv[1:]:
        with lzma.open(name, "rt", encoding="utf-8") as file:
            lines = file.read().splitlines()
        cut = any(line.startswith("# steady") for line in lines)
        for part in ("all", "steady") if cut else ("all",):
            found = Statistics(part == "all")
            found.read(lines)
            row = (pathlib.Path(name).name.split(".")[0], part, *found.columns())
            print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
