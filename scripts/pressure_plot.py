# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What pressure-plot.gnuplot draws: a file for each curve, and a list of the drawings.

<mix>,<copy>/<nr of the cell>.<policy>.alloc   what an allocation takes, and which part of
                                               all takes longer; likewise frames of all clients
<mix>,<copy>/<nr of the cell>.<policy>.memory  time, what is alive, what is dead
<mix>,<copy>/moved                             a line for each cell, a column for each policy
summary.moved, .client, .switches              a line for each mix, a column for each policy
"""

import shutil

MIB = 1 << 20


def merge(histograms):
    total = {}
    for histogram in histograms:
        for lower, count in histogram:
            total[lower] = total.get(lower, 0) + count
    return sorted(total.items())


def write_tail(path, histogram):
    """Which part takes longer than so much: what is rare is what one wants to see."""
    left = all_of_them = sum(count for _, count in histogram)
    lines = []
    for lower, count in histogram:
        lines.append(f"{lower / 1e3} {left / all_of_them}\n")
        left -= count
    # A curve of nothing is a point that is out of sight.
    path.write_text("".join(lines) or "1e-9 1e-9\n")


def write_memory(path, samples):
    lines = [f"{ms / 1e3} {(held - dead) / MIB} {dead / MIB}\n" for ms, held, dead in samples]
    path.write_text("".join(lines) or "0 0 0\n")


def write_curves(directory, number, group):
    for policy, cells in group.items():
        stem = f"{number}.{policy}"
        write_tail(directory / f"{stem}.alloc", merge(c["alloc_times"] for c in cells.values()))
        write_tail(directory / f"{stem}.frames",
                   merge(client["frame_times"] for c in cells.values() for client in c["clients"]))
        write_memory(directory / f"{stem}.memory", cells[min(cells)]["memory"])


def write_moved(directory, cells, policies):
    lines = ["cell " + " ".join(policies) + "\n"]
    for (_, _, size, speed), group in cells:
        moved = [sum(c["evicted_bytes"] for c in group[policy].values()) /
                 len(group[policy]) / MIB if policy in group else "nan" for policy in policies]
        lines.append(f'"{size} % x {speed}" ' + " ".join(map(str, moved)) + "\n")
    (directory / "moved").write_text("".join(lines))


def write_summary(plots, summaries, policies):
    """A line for each mix, a column for each policy that is compared with today's."""
    for name, key in (("moved", "evicted_bytes"), ("client", "client_worst"),
                      ("switches", "context_switches")):
        (plots / f"summary.{name}").write_text("".join(
            f'"{title}" ' + " ".join(str(part[policy][key]) if policy in part else "nan"
                                     for policy in policies) + "\n"
            for title, part in summaries.items()))
    (plots / "policies").write_text(" ".join(policies) + "\n")


def write_plots(directory, groups):
    """Returns the names of the drawings; the list has for each what gnuplot is told."""
    plots = directory / "plots"
    shutil.rmtree(plots, ignore_errors=True)
    plots.mkdir(parents=True)
    drawings = {}
    for name, group in groups.items():
        drawings.setdefault(",".join(name[:2]), []).append((name, group))
    lines = []
    for drawing, cells in drawings.items():
        own = plots / drawing
        own.mkdir(parents=True)
        # One that was not run everywhere is not drawn.
        policies = [policy for policy in cells[0][1]
                    if all(policy in group for _, group in cells)]
        for number, (_, group) in enumerate(cells, 1):
            write_curves(own, number, {policy: group[policy] for policy in policies})
        write_moved(own, cells, policies)
        titles = ";".join(f"{size} % of VRAM, GPU x {speed}" for (_, _, size, speed), _ in cells)
        lines.append(f"{drawing}|{' '.join(policies)}|{titles}\n")
    (plots / "list").write_text("".join(lines))
    return [f"{drawing}.svg" for drawing in drawings]
