#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""pressure-report.py: from the cells of make pressure to tables and results.json.

pressure-report.py <directory> <key of the sources>

A cell's name is mix,policy,copy,size,speed,seed. Over the seeds medians with quartiles;
ratios are those of pairs with one seed. Exit status: 0 only if every cell is complete.
"""

import json
import math
import pathlib
import statistics
import sys

MIB = 1 << 20
COUNTERS = ("evictions", "evicted_bytes", "alloc_p50_ns", "alloc_p99_ns", "alloc_p999_ns",
            "alloc_max_ns", "alloc_total_ns", "peak_zombie_bytes", "mean_zombie_bytes",
            "signaling_enabled", "work_items", "context_switches", "tag_errors")
# What the table has of each: heading, key, divisor.
COLUMNS = (("evictions", "evictions", 1), ("moved MiB", "evicted_bytes", MIB),
           ("p50 µs", "alloc_p50_ns", 1e3), ("p99 µs", "alloc_p99_ns", 1e3),
           ("p99.9 µs", "alloc_p999_ns", 1e3), ("max ms", "alloc_max_ns", 1e6),
           ("waited ms", "alloc_total_ns", 1e6), ("dead MiB", "mean_zombie_bytes", MIB),
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
                         "frame_p50_ns", "frame_p99_ns")} for client in clients["clients"]]
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


def quartiles(values):
    values = sorted(values)
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def show(value):
    if value >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio(ours, today):
    """Of two figures; 1 if both are nothing, None if only today's is."""
    if not today:
        return None if ours else 1.0
    return ours / today


def worst(cells, base, key):
    """The largest ratio of a client's figures to those with today's policy."""
    ratios = [ratio(mine[key], his[key]) or math.inf
              for seed in cells.keys() & base.keys()
              for mine, his in zip(cells[seed]["clients"], base[seed]["clients"])]
    return max(ratios, default=None)


def compare(cells, base):
    """Ratios of one policy to today's, each the median of pairs with one seed."""
    result = {}
    for _, key, _ in COLUMNS:
        ratios = [ratio(cells[seed][key], base[seed][key])
                  for seed in cells.keys() & base.keys()]
        ratios = [value for value in ratios if value is not None]
        result[key] = quartiles(ratios) if ratios else None
    result["worst_client"] = worst(cells, base, "wall_ns")
    result["worst_frame_p99"] = worst(cells, base, "frame_p99_ns")
    return result


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
    if "today" not in policies:
        return
    for policy, cells in policies.items():
        if policy == "today":
            continue
        ratios = compare(cells, policies["today"])
        row = "".join(f"{f'{ratios[key][1]:.2f} x' if ratios[key] else 'more':>11}"
                      for _, key, _ in COLUMNS)
        print(f"  {policy[:9] + ' /':<12}{row}   client {ratios['worst_client']:.3f} x, "
              f"frame {ratios['worst_frame_p99']:.3f} x at worst")


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def print_summary(groups):
    """Over all cells: how the moved bytes compare, and how many cells keep each bound."""
    policies = sorted({policy for group in groups.values() for policy in group} - {"today"})
    for policy in policies:
        pairs = [compare(group[policy], group["today"]) for group in groups.values()
                 if policy in group and "today" in group]
        moved = [pair["evicted_bytes"][1] for pair in pairs
                 if pair["evicted_bytes"] and pair["evicted_bytes"][1] > 0]
        if not pairs:
            continue
        mean = f"{geometric_mean(moved):.2f} x" if moved else "-"
        within = sum(1 for pair in pairs if pair["evicted_bytes"] and
                     pair["evicted_bytes"][1] <= 1.10)
        clients = sum(1 for pair in pairs if pair["worst_client"] <= 1.02)
        frames = sum(1 for pair in pairs if pair["worst_frame_p99"] <= 1.02)
        print(f"  {policy}: moves {mean} in the geometric mean, at most 1.10 x in {within}, "
              f"no client above 1.02 x its time in {clients}, no frame p99 in {frames} "
              f"of {len(pairs)} cells")


def main():
    directory, key = pathlib.Path(sys.argv[1]), sys.argv[2]
    groups, missing = read_cells(directory, key)
    results = [{
        "mix": mix, "copy": copy, "size_percent": int(size), "speed": float(speed),
        "policies": {policy: {"seeds": cells,
                              "median": {k: statistics.median(c[k] for c in cells.values())
                                         for _, k, _ in COLUMNS},
                              "quartiles": {k: quartiles([c[k] for c in cells.values()])
                                            for _, k, _ in COLUMNS},
                              "to_today": compare(cells, policies["today"])
                              if "today" in policies else None}
                     for policy, cells in policies.items()},
    } for (mix, copy, size, speed), policies in groups.items()]
    (directory / "results.json").write_text(
        json.dumps({"sources": key, "missing": missing, "cells": results}, indent=1) + "\n")
    for name, policies in groups.items():
        print_group(name, policies)
    print()
    print_summary(groups)
    failed = [(name, policy, seed) for name, group in groups.items()
              for policy, cells in group.items()
              for seed, cell in cells.items() if cell["tag_errors"]]
    for name in missing:
        print(f"failed: {name}: see its log in build/pressure/cells/{key}/")
    for name, policy, seed in failed:
        print(f"failed: {','.join(name)}, {policy}, seed {seed}: tag errors")
    return 1 if missing or failed else 0


if __name__ == "__main__":
    sys.exit(main())
