#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""demo-report.py: from the kernel's counters to a table and a verdict.

demo-report.py <directory> <seed> <job speed> <client> ...

Reads what the guests left in the directory, prints both designs side by
side and writes report.json. Exit status: 0 only if all that must hold holds.
"""

import json
import pathlib
import sys

DESIGNS = ("today", "fence_lru")
PHASES = ("no_pressure", "pressure")
MIB = 1 << 20
FREED_AT = ("release", "background", "reclaim", "eviction", "drain")


def load(path):
    """The file's JSON, or None if the guest did not get that far."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def status(path):
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def summarise(counters):
    """One phase of one design, as report.json has it."""
    keys = ("buffers_created", "deferred_deletes", "signaling_enabled",
            "signaling_enabled_by_delete", "work_items", "context_switches",
            "jobs", "evictions", "evicted_bytes")
    result = {key: counters[key] for key in keys}
    result["freed_bytes_at"] = {at: counters["freed_at_" + at] for at in FREED_AT}
    result["alloc_latency_ns"] = {
        key: counters[f"alloc_{key}_ns"] for key in ("p50", "p99", "max")}
    result["peak_zombie_bytes"] = counters["peak_zombie_bytes"]
    result["tag_errors"] = counters["tag_errors"]
    result["left_after_drain"] = counters["zombies"]
    result["vram_bytes"] = counters["vram_bytes"]
    return result


def read_phase(directory, phase, design):
    directory = directory / f"{phase}.{design}"
    counters = load(directory / "counters")
    clients = load(directory / "clients")
    if counters is None or clients is None:
        return {"completed": False}
    clients = clients["clients"]
    errors = sum(client["errors"] for client in clients)
    refused = sum(client["submits_no_memory"] for client in clients)
    # A client goes on without a job that was refused, and fails in the end.
    whole = all(client["events"] == client["trace_events"] for client in clients)
    completed = status(directory / "status") == 0 or \
        (whole and 0 < errors == refused)
    result = {"completed": completed, "jobs_refused": refused, "client_errors": errors}
    result.update(summarise(counters))
    result["wall_ns"] = max(client["wall_ns"] for client in clients)
    result["clients"] = [{key: client[key] for key in ("events", "wall_ns")}
                         for client in clients]
    return result


def read_hung(directory, design):
    directory = directory / f"hung_channel.{design}"
    raw = load(directory / "counters")
    if raw is None:
        return {"completed": False}
    free, grace, alloc, end = (raw[f"after_{step}"] if step != "end" else raw["at_end"]
                               for step in ("free", "grace", "alloc", "end"))
    return {
        "completed": status(directory / "status") == 0,
        "stuck_buffers": raw["stuck_buffers"],
        "healthy_buffers": raw["healthy_buffers"],
        "buffer_bytes": raw["buffer_bytes"],
        "grace_ns": raw["grace_ns"],
        "zombies_after_free": free["zombies"],
        "freed_in_background": free["zombies"] - grace["zombies"],
        "alloc_bytes": raw["alloc_bytes"],
        "alloc_ok": raw["alloc_ok"],
        "alloc_error": raw["alloc_error"],
        "alloc_ns": raw["alloc_ns"],
        "freed_by_alloc": grace["zombies"] - alloc["zombies"],
        "evictions_by_alloc": alloc["evictions"] - grace["evictions"],
        "signaling_enabled_by_delete": end["signaling_enabled_by_delete"],
        "work_items": end["work_items"],
        "context_switches": end["context_switches"],
        "tag_errors": end["tag_errors"],
        "left_after_drain": end["zombies"],
    }


def read_design(directory, design):
    phases = {phase: read_phase(directory, phase, design) for phase in PHASES}
    result = dict(phases["pressure"])
    result["phases"] = phases
    result["hung_channel"] = read_hung(directory, design)
    return result


# The table: a label, where its value is, how to show it.

def count(value):
    return f"{value:,}"


def mib(value):
    return f"{value / MIB:,.1f} MiB"


def micros(value):
    return f"{value / 1e3:,.1f} µs"


def seconds(value):
    return f"{value / 1e9:,.1f} s"


PHASE_ROWS = [
    ("buffers created", ("buffers_created",), count),
    ("jobs refused for want of memory", ("jobs_refused",), count),
    ("freed while busy", ("deferred_deletes",), count),
    ("interrupts wanted by deletes", ("signaling_enabled_by_delete",), count),
    ("interrupts wanted, all", ("signaling_enabled",), count),
    ("work items", ("work_items",), count),
    ("context switches", ("context_switches",), count),
    ("evictions", ("evictions",), count),
    ("moved by evictions", ("evicted_bytes",), mib),
    ("freed at release", ("freed_bytes_at", "release"), mib),
    ("freed in the background", ("freed_bytes_at", "background"), mib),
    ("freed by reclaim", ("freed_bytes_at", "reclaim"), mib),
    ("freed by eviction", ("freed_bytes_at", "eviction"), mib),
    ("freed by the final drain", ("freed_bytes_at", "drain"), mib),
    ("allocation, median", ("alloc_latency_ns", "p50"), micros),
    ("allocation, 99 %", ("alloc_latency_ns", "p99"), micros),
    ("allocation, slowest", ("alloc_latency_ns", "max"), micros),
    ("most memory dead at a time", ("peak_zombie_bytes",), mib),
    ("tag errors", ("tag_errors",), count),
    ("left after the drain", ("left_after_drain",), count),
    ("time", ("wall_ns",), seconds),
]

HUNG_ROWS = [
    ("dead buffers, all busy", ("zombies_after_free",), count),
    ("freed in the background", ("freed_in_background",), count),
    ("work items", ("work_items",), count),
    ("allocation of all but the stuck", ("alloc_bytes",), mib),
    ("  succeeded", ("alloc_ok",), lambda ok: "yes" if ok else "no"),
    ("  took", ("alloc_ns",), micros),
    ("  dead buffers it freed", ("freed_by_alloc",), count),
    ("tag errors", ("tag_errors",), count),
    ("left at the end", ("left_after_drain",), count),
]


def dig(values, path):
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def ratio(today, ours):
    if isinstance(today, bool) or not isinstance(today, int) or not isinstance(ours, int):
        return ""
    if today == ours:
        return "="
    if not today:
        return "more" if ours else "="
    value = ours / today
    return "0" if not ours else f"{value:.3f}" if value < 0.1 else f"{value:,.2f}"


def print_rows(rows, today, ours):
    for label, path, show in rows:
        old, new = dig(today, path), dig(ours, path)
        cells = ["-" if value is None else show(value) for value in (old, new)]
        print(f"  {label:<34}{cells[0]:>16}{cells[1]:>16}{ratio(old, new):>10}")


def print_heading(title):
    print(f"\n  {title:<34}{'today':>16}{'fence_lru':>16}{'ratio':>10}")
    print("  " + "-" * 76)


def print_phase(phase, today, ours):
    vram = dig(today, ("phases", phase, "vram_bytes"))
    print_heading(phase.replace("_", " ") + (f", {vram // MIB} MiB of VRAM" if vram else ""))
    print_rows(PHASE_ROWS, today["phases"][phase], ours["phases"][phase])


def print_hung(today, ours):
    hung = today["hung_channel"]
    print_heading("hung channel" if not hung["completed"] else
                  f"hung channel: {hung['stuck_buffers']} stuck, "
                  f"{hung['healthy_buffers']:,} not")
    print_rows(HUNG_ROWS, hung, ours["hung_channel"])


def print_table(designs):
    today, ours = (designs[design] for design in DESIGNS)
    for phase in PHASES:
        print_phase(phase, today, ours)
    print_hung(today, ours)
    print()


# What is drawn of the work under pressure.
PLOTTED = (("work items", "work_items"), ("interrupts for deletes", "signaling_enabled_by_delete"),
           ("a task had to wait", "context_switches"), ("evictions", "evictions"))


def write_plot(directory, designs, names):
    """What demo-plot.gnuplot draws beside the samples: how often what was done under pressure;
    each client's time as a multiple of its time with today's TTM and room for all; and the
    axes."""
    (directory / "work").write_text("".join(
        f'"{label}" ' + " ".join(str(designs[design]["phases"]["pressure"][key])
                                 for design in DESIGNS) + "\n" for label, key in PLOTTED))
    times = [[client["wall_ns"] for client in designs[design]["phases"][phase]["clients"]]
             for phase in PHASES for design in DESIGNS]
    (directory / "clients").write_text("".join(
        " ".join([name, *(f"{time[nr] / times[0][nr]:.4f}" for time in times)]) + "\n"
        for nr, name in enumerate(names)))
    # The longest program alone is not worth the width.
    ends = sorted(max(column) for column in zip(*times))
    until = min(ends[-1], (ends[-2] if len(ends) > 1 else ends[0]) * 1.1) / 1e9
    plenty, scarce = (designs["today"]["phases"][phase]["vram_bytes"] // MIB for phase in PHASES)
    (directory / "plot").write_text(f"until={until}\nlongest={ends[-1] / 1e9}\n"
                                    f"plenty={plenty}\nscarce={scarce}\n"
                                    f"clients={len(names)}\nworks={len(PLOTTED)}\n")


def check_run(name, run, fence_lru):
    """What must hold of one run of one design."""
    if not run["completed"]:
        return [f"{name}: did not complete"]
    wanted = {"tag_errors": "tag errors"}
    if fence_lru:
        wanted.update(jobs_refused="jobs refused for want of memory",
                      signaling_enabled_by_delete="interrupts wanted by deletes",
                      work_items="work items", left_after_drain="left after the drain")
    return [f"{name}: {what}: {run[key]}, must be 0"
            for key, what in wanted.items() if run.get(key)]


def check_hung(name, run):
    """That a hung channel holds nobody else's memory."""
    if not run["completed"]:
        return []
    bad = []
    if not run["alloc_ok"]:
        bad.append(f"{name}: the allocation failed: {run['alloc_error']}")
    if run["freed_by_alloc"] != run["healthy_buffers"]:
        bad.append(f"{name}: dead buffers freed by the allocation: "
                   f"{run['freed_by_alloc']}, must be {run['healthy_buffers']}")
    return bad


def check(designs):
    bad = []
    for design in DESIGNS:
        runs = dict(designs[design]["phases"], hung_channel=designs[design]["hung_channel"])
        for name, run in runs.items():
            bad += check_run(f"{design}, {name.replace('_', ' ')}", run,
                             design == "fence_lru")
    return bad + check_hung("fence_lru, hung channel", designs["fence_lru"]["hung_channel"])


def main():
    directory = pathlib.Path(sys.argv[1])
    designs = {design: read_design(directory, design) for design in DESIGNS}
    failures = check(designs)
    made_of = (directory / "made-of").read_text().splitlines()
    report = dict(zip(("sources", "settings"), made_of)) | {
        "kernel": (directory / "kernel").read_text().strip(),
        "seed": int(sys.argv[2]),
        "job_speed": float(sys.argv[3]),
        "clients": sys.argv[4:],
        "vram_bytes": designs["today"].get("vram_bytes"),
        "passed": not failures,
        "failures": failures,
        "designs": designs,
    }
    (directory / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    print_table(designs)
    if all(designs[design]["phases"][phase]["completed"]
           for design in DESIGNS for phase in PHASES):
        write_plot(directory, designs, sys.argv[4:])
    for failure in failures:
        print(f"failed: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
