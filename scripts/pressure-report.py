#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""pressure-report.py: from the cells of make pressure to tables and results.json.

pressure-report.py <directory> <key of the sources>

A cell's name is mix,policy,copy,size,speed,seed. Over the seeds medians with quartiles;
ratios are those of pairs with one seed. Exit status: 0 only if every cell is complete: what
is limited, and which cells miss it, is printed, and judged by the reader.
"""

import json
import pathlib
import statistics
import sys

from pressure_limits import (client_ratios, geometric_mean, median_ratio, pairs, ratio,
                             release_ns, verdict)
from pressure_plot import write_plots, write_summary

MIB = 1 << 20
COUNTERS = ("evictions", "evicted_bytes", "alloc_p50_ns", "alloc_p99_ns", "alloc_p999_ns",
            "alloc_max_ns", "alloc_total_ns", "peak_zombie_bytes", "mean_zombie_bytes",
            "signaling_enabled", "work_items", "context_switches", "tag_errors")
# What the table has of each: heading, key, divisor.
COLUMNS = (("evictions", "evictions", 1), ("moved MiB", "evicted_bytes", MIB),
           ("p50 µs", "alloc_p50_ns", 1e3), ("p99 µs", "alloc_p99_ns", 1e3),
           ("p99.9 µs", "alloc_p999_ns", 1e3), ("max ms", "alloc_max_ns", 1e6),
           ("waited ms", "alloc_total_ns", 1e6), ("dead MiB", "mean_zombie_bytes", MIB),
           ("peak", "peak_zombie_bytes", MIB),
           ("irqs", "signaling_enabled", 1), ("items", "work_items", 1),
           ("switches", "context_switches", 1), ("time s", "wall_ns", 1e9))


def read_cell(path):
    """The figures of a cell, or None if it is not complete."""
    try:
        counters = json.loads((path / "counters").read_text())
        clients = json.loads((path / "clients").read_text())
        before = json.loads((path / "before-drain").read_text())
    except (OSError, ValueError):
        return None
    cell = {key: before[key] for key in COUNTERS}
    cell["tag_errors"] = counters["tag_errors"]
    cell["wall_ns"] = clients["wall_ns"]
    cell["status"] = int((path / "status").read_text())
    cell["clients"] = [{key: client[key] for key in
                        ("events", "submits_no_memory", "wall_ns", "frames",
                         "frame_p50_ns", "frame_p99_ns", "frame_times")} for client in clients["clients"]]
    cell["alloc_times"] = read_pairs(path / "alloc_times")
    cell["memory"] = read_pairs(path / "memory")
    cell["jobs_refused"] = sum(c["submits_no_memory"] for c in cell["clients"])
    return cell


def read_cells(directory, key):
    """Complete cells by (mix, copy, size, speed), policy and seed; names of the others."""
    groups, missing = {}, []
    for line in (directory / "list").read_text().splitlines():
        path = pathlib.Path(line.split()[0])
        mix, policy, copy, size, speed, seed = path.name.split(",")
        cell = read_cell(directory / "cells" / key / path.name)
        if cell is None:
            missing.append(path.name)
            continue
        group = groups.setdefault((mix, copy, size, speed), {})
        group.setdefault(policy, {})[int(seed)] = cell
    return groups, missing


def read_pairs(path):
    """Lines of numbers, as debugfs has them."""
    return [[int(word) for word in line.split()] for line in path.read_text().splitlines()]


def quartiles(values):
    values = sorted(values)
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def show(value):
    if value >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def compare(cells, base):
    """Ratios of one policy to today's: of pairs with one seed, with quartiles."""
    result = {key: quartiles([ratio(mine[key], his[key]) for mine, his in pairs(cells, base)])
              for _, key, _ in COLUMNS}
    for name, key in (("worst_client", "wall_ns"), ("worst_frame_p99", "frame_p99_ns")):
        result[name] = max(client_ratios(cells, base, key), default=1.0)
    return result


def show_ratio(value):
    return "more x" if value > 1e6 else f"{value:.2f} x"


def show_quartiles(cells, key, by):
    low, _, high = quartiles([cell[key] / by for cell in cells.values()])
    return f"{show(low)}-{show(high)}"


def print_group(name, policies):
    mix, copy, size, speed = name
    print(f"\n  {mix}, {size} % of VRAM, GPU x {speed}, copies by {copy}")
    print("  " + f"{'':<12}" + "".join(f"{heading:>11}" for heading, _, _ in COLUMNS)
          + f"{'refused':>9}")
    for policy, cells in policies.items():
        figures = [statistics.median(cell[key] for cell in cells.values()) / by
                   for _, key, by in COLUMNS]
        refused = sum(cell["jobs_refused"] for cell in cells.values())
        print(f"  {policy:<12}" + "".join(f"{show(figure):>11}" for figure in figures)
              + f"{refused:>9}")
        if len(cells) > 1:
            print("  " + f"{'  quartiles':<12}" +
                  "".join(f"{show_quartiles(cells, key, by):>11}" for _, key, by in COLUMNS))
    if "today" not in policies:
        return
    for policy, cells in policies.items():
        if policy == "today":
            continue
        ratios = compare(cells, policies["today"])
        row = "".join(f"{show_ratio(ratios[key][1]):>11}" for _, key, _ in COLUMNS)
        print(f"  {policy[:9] + ' /':<12}{row}   client {ratios['worst_client']:.3f} x, "
              f"frame {ratios['worst_frame_p99']:.3f} x at worst")


def policies_of(groups):
    """All but today's, in the order in which they were run."""
    return list(dict.fromkeys(policy for group in groups.values() for policy in group
                              if policy != "today" and "today" in group))


def summarise(groups, policy):
    """Over all cells that were run with it and with today's; what is summed up is the median
    over the seeds."""
    both = [(group[policy], group["today"]) for group in groups.values()
            if pairs(group.get(policy, {}), group.get("today", {}))]

    def total(key, which):
        return sum(statistics.median(c[key] for c in cells[which].values()) for cells in both)

    ratios = {key: [median_ratio(cells, base, key) for cells, base in both]
              for _, key, _ in COLUMNS}
    result = {key: geometric_mean(ratios[key])
              for key in ("evicted_bytes", "alloc_p99_ns", "alloc_max_ns", "alloc_total_ns")}
    result["evicted_bytes_quartiles"] = quartiles(ratios["evicted_bytes"])
    result["evicted_bytes_worst"] = max(ratios["evicted_bytes"])
    for name, key in (("client", "wall_ns"), ("frame", "frame_p99_ns")):
        worst = [max(client_ratios(cells, base, key), default=1.0) for cells, base in both]
        result[name + "_median"] = statistics.median(worst)
        result[name + "_worst"] = max(worst)
    for key in ("signaling_enabled", "work_items", "context_switches"):
        result[key] = ratio(total(key, 0), total(key, 1))
    for key in ("mean_zombie_bytes", "peak_zombie_bytes"):
        result[key] = total(key, 0) / len(both) / MIB
        result[key + "_today"] = total(key, 1) / len(both) / MIB
    result["cells"] = len(both)
    return result


def summaries_of(groups):
    """By the mix and the way to copy, and of all together: each policy's summary."""
    parts = {}
    for name, group in groups.items():
        parts.setdefault(", ".join(name[:2]), {})[name] = group
    if len(parts) > 1:
        parts["all"] = groups
    return {title: {policy: summarise(part, policy) for policy in policies_of(part)}
            for title, part in parts.items()}


def print_summary(title, summaries):
    """A line for each policy, as a multiple of today's."""
    heads = ("moved", "quartiles", "worst", "p99", "max", "waited", "client", "worst", "frame",
             "worst", "irqs", "items", "switches", "dead MiB", "peak MiB")
    print(f"\n  {title:<16}" + "".join(f"{head:>11}" for head in heads))
    for policy, s in summaries.items():
        low, _, high = s["evicted_bytes_quartiles"]
        row = [show_ratio(s["evicted_bytes"])[:-2], f"{low:.2f}-{high:.2f}",
               show_ratio(s["evicted_bytes_worst"])[:-2],
               *(show_ratio(s[key])[:-2] for key in ("alloc_p99_ns", "alloc_max_ns",
                                                     "alloc_total_ns")),
               *(f"{s[key]:.3f}" for key in ("client_median", "client_worst",
                                             "frame_median", "frame_worst")),
               *(show_ratio(s[key])[:-2] for key in ("signaling_enabled", "work_items",
                                                     "context_switches")),
               *(f"{s[key]:.0f} / {s[key + '_today']:.0f}" for key in ("mean_zombie_bytes",
                                                                   "peak_zombie_bytes"))]
        print(f"  {policy:<16}" + "".join(f"{figure:>11}" for figure in row)
              + f"   {s['cells']} cells")


def print_summaries(summaries):
    print("\nCells of one mix together, as multiples of today's: geometric means; of what is "
          "moved also the\nquartiles and the worst cell; each cell's worst client and frame p99, "
          "median and worst of the cells;\nsums; dead memory in MiB, today's last")
    for title, part in summaries.items():
        print_summary(title, part)


def print_verdicts(verdicts):
    """Of how many cells keep each limit; those that miss are named for ours."""
    print(f"\nLimits, and how many cells keep them; releasing 8 buffers is {release_ns()} ns")
    print("  " + f"{'':<44}" + "".join(f"{policy:>12}" for policy in verdicts))
    for limits in zip(*verdicts.values()):
        row = "".join(f"{f'{limit.cells - len(limit.missed)} of {limit.cells}':>12}"
                      for limit in limits)
        print(f"  {limits[0].name:<44}{row}")
    for limit in verdicts.get("ours", []):
        for cell, text in limit.missed:
            print(f"  ours misses: {limit.name}: {cell}: {text}")


def write_results(path, results):
    """A line for each policy of each cell."""
    lines = []
    for cell in results.pop("cells"):
        policies = cell.pop("policies")
        lines.append(json.dumps(cell)[:-1] + ', "policies": {\n  ' + ",\n  ".join(
            f"{json.dumps(policy)}: {json.dumps(figures)}"
            for policy, figures in policies.items()) + "}}")
    path.write_text(json.dumps(results, indent=1)[:-2] + ',\n "cells": [\n ' +
                    ",\n ".join(lines) + "\n ]\n}\n")


def describe(name, policies):
    mix, copy, size, speed = name
    return {
        "mix": mix, "copy": copy, "size_percent": int(size), "speed": float(speed),
        "policies": {policy: {"seeds": cells,
                              "median": {k: statistics.median(c[k] for c in cells.values())
                                         for _, k, _ in COLUMNS},
                              "quartiles": {k: quartiles([c[k] for c in cells.values()])
                                            for _, k, _ in COLUMNS},
                              "to_today": compare(cells, policies["today"])
                              if "today" in policies else None}
                     for policy, cells in policies.items()}}


def main():
    directory, key, settings = pathlib.Path(sys.argv[1]), *sys.argv[2:]
    groups, missing = read_cells(directory, key)
    policies = policies_of(groups)
    summaries = summaries_of(groups)
    verdicts = {policy: verdict(groups, policy) for policy in policies}
    write_results(directory / "results.json", {
        "sources": key, "settings": settings, "missing": missing, "summary": summaries,
        "limits": {policy: {limit.name: {"cells": limit.cells, "missed": limit.missed}
                            for limit in limits} for policy, limits in verdicts.items()},
        "cells": [describe(name, group) for name, group in groups.items()]})
    drawings = write_plots(directory, groups)
    if policies:
        write_summary(directory / "plots", summaries, policies)
        drawings.append("summary.svg")
    for name, group in groups.items():
        print_group(name, group)
    if policies:
        print_summaries(summaries)
        print_verdicts(verdicts)
    print(f"\nDrawn in build/{directory.name}/: " + " ".join(drawings))
    failed = [(name, policy, seed) for name, group in groups.items()
              for policy, cells in group.items()
              for seed, cell in cells.items() if cell["tag_errors"]]
    for name in missing:
        print(f"failed: {name}: see its log in build/{directory.name}/cells/{key}/")
    for name, policy, seed in failed:
        print(f"failed: {','.join(name)}, {policy}, seed {seed}: tag errors")
    return 1 if missing or failed else 0


if __name__ == "__main__":
    sys.exit(main())
