# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What a policy must keep to beside today's, and which cells miss it.

A group is the cells of one mix, way to copy, size and speed: policy -> seed -> cell.
Ratios are those of pairs with one seed; of several seeds their median counts.
"""

import math
import pathlib
import re
import statistics

GIB = 1 << 30
# A client may take so much longer, and one frame in a hundred.
SLOWER = 1.02
# The clock has a resolution of 256 ns.
TICK_NS = 256


def ratio(ours, today):
    """Of two figures; 1 if both are nothing, infinite if only today's is."""
    if not today:
        return math.inf if ours else 1.0
    return ours / today


def pairs(cells, base):
    return [(cells[seed], base[seed]) for seed in sorted(cells.keys() & base.keys())]


def median_ratio(cells, base, key):
    return statistics.median(ratio(mine[key], his[key]) for mine, his in pairs(cells, base))


def client_ratios(cells, base, key):
    """Of each client, the median over the seeds; those without a figure are left out."""
    columns = zip(*([(a[key], b[key]) for a, b in zip(mine["clients"], his["clients"])]
                    for mine, his in pairs(cells, base)))
    return [statistics.median(ratio(a, b) for a, b in column) for column in columns
            if any(a or b for a, b in column)]


def geometric_mean(values):
    """Nothing where today's is something counts as a hundredth; the reverse is left out."""
    logs = [math.log(max(value, 0.01)) for value in values if value != math.inf]
    return math.exp(sum(logs) / len(logs)) if logs else math.inf


def release_ns(buffers=8):
    """What releasing so many costs, at the prices of the model: retired, then deleted."""
    source = pathlib.Path(__file__).parent.parent / "swgpu" / "swgpu_cost.c"
    price = dict(re.findall(r"\[SWGPU_COST_(\w+)\] = (\d+),", source.read_text()))
    return buffers * (int(price["DELETE"]) + 2 * int(price["STEP"]))


class Limit:
    """One line of the verdict: cells that it is about, and those that miss it."""

    def __init__(self, name):
        self.name = name
        self.cells = 0
        self.missed = []

    def judge(self, cell, value, limit, text):
        self.cells += 1
        if value > limit:
            self.missed.append((cell, text))


def judge_cells(groups, policy):
    """The limits that each cell must keep by itself."""
    limits = [alloc, client, frame, moved, pair, much] = [
        Limit("p99 of allocations: today's + releasing 8"),
        Limit("each client's own time: 1.02 x"),
        Limit("each client's p99 of frames: 1.02 x"),
        Limit("moved, any cell: 1.10 x"),
        Limit("moved, pairs: 1.05 x"),
        Limit("moved, where today's is over a GiB: 0.8 x")]
    extra = release_ns() + TICK_NS
    for name, group in groups.items():
        if not pairs(group.get(policy, {}), group.get("today", {})):
            continue
        cells, base = group[policy], group["today"]
        cell = ",".join(name)
        late = statistics.median(a["alloc_p99_ns"] - b["alloc_p99_ns"]
                                 for a, b in pairs(cells, base))
        alloc.judge(cell, late, extra, f"+{late / 1e3:,.0f} µs")
        for limit, key in ((client, "wall_ns"), (frame, "frame_p99_ns")):
            worst = max(client_ratios(cells, base, key), default=1.0)
            limit.judge(cell, worst, SLOWER, f"{worst:.3f} x")
        value = median_ratio(cells, base, "evicted_bytes")
        moved.judge(cell, value, 1.10, f"{value:.2f} x")
        if name[0].startswith("pair"):
            pair.judge(cell, value, 1.05, f"{value:.2f} x")
        if statistics.median(b["evicted_bytes"] for _, b in pairs(cells, base)) > GIB:
            much.judge(cell, value, 0.8, f"{value:.2f} x")
    return limits


def judge_means(groups, policy):
    """Those of what is moved, as a geometric mean of several cells."""
    limits = []
    for title, bound, wanted in (("moved, geometric mean of all: 0.9 x", 0.9, None),
                                 ("moved, geometric mean of default: 0.75 x", 0.75, "default")):
        values = [median_ratio(group[policy], group["today"], "evicted_bytes")
                  for name, group in groups.items()
                  if wanted in (None, name[0]) and
                  pairs(group.get(policy, {}), group.get("today", {}))]
        limit = Limit(title)
        if values:
            mean = geometric_mean(values)
            limit.judge("all together", mean, bound, f"{mean:.2f} x")
        limits.append(limit)
    return limits


def verdict(groups, policy):
    return judge_cells(groups, policy) + judge_means(groups, policy)
