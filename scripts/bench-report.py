#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""bench-report.py: from samples to a table and verdicts.

bench-report.py <directory>

Reads the samples that bench-guest.sh left in the directory, prints medians, and what
was reached of what was aimed at; writes results.json. Exit status: 0 if it could
measure, whatever came out.
"""

import collections
import json
import math
import pathlib
import statistics
import sys

import bench_cpus

KEY = ("measurement", "what", "flavour", "buffers", "per_node", "channels", "quiet", "order",
       "told", "memory")
Key = collections.namedtuple("Key", KEY)
FLAVOURS = ("today", "ours")
CPUS = "ttm_cpus.samples"
NUMBERS = ("buffers", "per_node", "channels", "quiet", "told")


def parse(line):
    return dict(field.split("=", 1) for field in line.split())


def read(directory):
    """Samples in ns of CPU time per operation, by what was measured; steps; and values."""
    samples, walls, steps, values = {}, {}, {}, {}
    for path in sorted(set(directory.glob("*.samples")) - {directory / CPUS}):
        for line in path.read_text().splitlines():
            fields = dict(parse(line), measurement=path.stem)
            if "value" in fields:
                values[fields["value"]] = int(fields["is"])
                continue
            key = Key(*(int(fields[name]) if name in NUMBERS else fields[name]
                        for name in KEY))
            ops = int(fields["ops"])
            samples.setdefault(key, []).append(int(fields["cpu_ns"]) / ops)
            walls.setdefault(key, []).append(int(fields["wall_ns"]) / ops)
            steps[key] = int(fields["steps"]) / ops
    return samples, walls, steps, values


def spread(numbers):
    """Median and quartiles."""
    if len(numbers) < 2:
        return {"median": numbers[0], "q1": numbers[0], "q3": numbers[0]}
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return {"median": middle, "q1": low, "q3": high}


class Results:
    """What was measured."""

    def __init__(self, directory):
        self.samples, self.walls, self.steps, self.values = read(directory)

    def get(self, what, flavour="ours", **config):
        """Median of one measurement, or None."""
        key = self.key(what, flavour, **config)
        return statistics.median(self.samples[key]) if key in self.samples else None

    @staticmethod
    def key(what, flavour="ours", measurement="ttm", buffers=1024, per_node=16, channels=1,
            quiet=0, order="ascending", told=0, memory="vram"):
        """What was measured at another time, under another name, is not to be compared."""
        return Key(measurement, what, flavour, buffers, per_node, channels, quiet, order, told,
                   memory)

    def ratio(self, above, below):
        """Of two keys: the ratio of medians, and quartiles of the paired ratios."""
        if above not in self.samples or below not in self.samples:
            return None
        pairs = zip(self.samples[above], self.samples[below])
        result = spread([a / b for a, b in pairs])
        result["median"] = (statistics.median(self.samples[above]) /
                            statistics.median(self.samples[below]))
        return result


def show_ratio(ratio):
    return f"{ratio['median']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f})"


# The table

FLOORS = ("list_move", "list_walk")
ENGINE_ROWS = ("attach_first", "attach_again", "attach_other", "reserve_link",
               "release_idle", "release_busy", "retire_alive", "retire_zombies",
               "retire_in_turn")
TTM_ROWS = (
    ("create", "create"),
    ("room for a fence, first", "ttm_reserve_first"),
    ("room for a fence, second", "ttm_reserve_second"),
    ("room for a fence, again", "ttm_reserve_again"),
    ("fence, first", "fence_first"),
    ("fence, again", "fence_again"),
    ("submission, first", "submit_first"),
    ("submission, again", "submit_again"),
    ("retire, alive", "ttm_retire_alive"),
    ("delete, never used", "delete_unused"),
    ("delete, idle", "delete_idle"),
    ("delete, fences signaled", "delete_signaled"),
    ("delete, busy", "delete_busy"),
    ("  the last put", "delete_busy_put"),
    ("  the rest", "delete_busy_rest"),
    ("delete, busy, one by one", "delete_stepwise"),
)


def cell(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def print_engine(results, title, configs, label):
    """One sweep: a column for each configuration, rows of ns per buffer."""
    configs = [config for config in configs
               if results.get("list_move", "floor", **config) is not None]
    if not configs:
        return
    print(f"\n  {title}" + "".join(f"{label(config):>11}" for config in configs))
    print("  " + "-" * (len(title) + 11 * len(configs)))
    for what in FLOORS + ENGINE_ROWS:
        flavour = "floor" if what in FLOORS else "ours"
        cells = [results.get(what, flavour, **config) for config in configs]
        if any(value is not None for value in cells):
            print(f"  {what:<{len(title)}}" + "".join(f"{cell(v):>11}" for v in cells))


def print_ttm(results, config, title):
    """A column for each flavour, and the last one beside the first."""
    if results.get("create", **config) is None:
        return
    print(f"\n  {title:<44}" + "".join(f"{flavour:>9}" for flavour in FLAVOURS) +
          f"   {FLAVOURS[-1]} / {FLAVOURS[0]}")
    print("  " + "-" * 84)
    for label, what in TTM_ROWS:
        keys = [results.key(what, flavour, **config) for flavour in FLAVOURS]
        ratio = results.ratio(keys[-1], keys[0])
        print(f"  {label:<44}" +
              "".join(f"{cell(results.get(what, flavour, **config)):>9}"
                      for flavour in FLAVOURS) +
              (f"   {show_ratio(ratio)}" if ratio else ""))


def read_pairs(directory):
    """Medians of boots, in turn of TTM without our patches and of a device that did not
    opt in: what -> [(unpatched, patched), ...], for the first configuration."""
    pairs = collections.defaultdict(list)
    for path in sorted(directory.glob("unpatched-*")):
        both = []
        for name in (path, path.with_name(path.name.removeprefix("un"))):
            samples = {}
            for line in name.read_text().splitlines():
                fields = parse(line)
                if fields.get("buffers") == "1024" and fields["per_node"] == "16" and \
                        fields["channels"] == "1" and fields["memory"] == "vram":
                    samples.setdefault(fields["what"], []).append(
                        int(fields["cpu_ns"]) / int(fields["ops"]))
            both.append({what: statistics.median(s) for what, s in samples.items()})
        for what in both[0]:
            pairs[what].append((both[0][what], both[1][what]))
    return pairs


def print_unpatched(pairs):
    title = f"not opted in, {len(next(iter(pairs.values())))} boots of each"
    print(f"\n  {title:<44}unpatched  patched   patched / unpatched")
    print("  " + "-" * 84)
    for label, what in TTM_ROWS:
        if what in pairs:
            befores, afters = zip(*pairs[what])
            ratio = spread([after / before for before, after in pairs[what]])
            print(f"  {label:<44}{cell(statistics.median(befores)):>9}"
                  f"{cell(statistics.median(afters)):>9}   {show_ratio(ratio)}")


def sweep(name, values, **fixed):
    return [dict(fixed, **{name: value}) for value in values]


BUFFERS = (1000, 10000, 100000, 1000000)
CHANNELS = (1, 2, 4, 16, 64, 256, 1024, 4096)
BY_NODE = (sweep("per_node", (1, 10, 100, 1000), measurement="engine_nodes", buffers=10000) +
           sweep("per_node", (1, 1000), measurement="engine_nodes", buffers=10000, told=1))
BY_CHANNELS = sweep("channels", CHANNELS, measurement="engine_channels", buffers=16384,
                    per_node=1, told=1)
BY_NODES = sweep("buffers", (1000, 2000, 10000, 20000, 100000, 200000, 500000, 1000000),
                 measurement="engine_retire", per_node=1)
QUIET = sweep("channels", (1, 16, 256, 4096), measurement="engine_quiet", buffers=1000,
              per_node=10, quiet=1)


def print_tables(results):
    print("\n  ns of CPU time per buffer; medians")
    for order, name in (("ascending", "engine_buffers"), ("shuffled", "engine_shuffled")):
        print_engine(results, f"buffers, {order:<14}",
                     sweep("buffers", BUFFERS, measurement=name, per_node=10, order=order),
                     lambda config: f"{config['buffers']:,}")
    print_engine(results, f"{'buffers per node':<23}", BY_NODE,
                 lambda config: f"{config['per_node']:,}" +
                 (" told" if config.get("told") else ""))
    print_engine(results, f"{'channels':<23}", BY_CHANNELS,
                 lambda config: f"{config['channels']:,}")
    print_engine(results, f"{'nodes of 1 buffer':<23}", BY_NODES,
                 lambda config: f"{config['buffers']:,}")
    print_engine(results, "channels, only 1 in use", QUIET,
                 lambda config: f"{config['channels']:,}")
    print_ttm(results, {}, "1,024 buffers of TTM, 1 channel, submissions of 16")
    print_ttm(results, {"per_node": 1}, "submissions of 1")
    print_ttm(results, {"per_node": 256}, "submissions of 256")
    print_ttm(results, {"channels": 16}, "16 channels, submissions of 16")
    print_ttm(results, {"channels": 16, "per_node": 1}, "16 channels, submissions of 1")
    print_ttm(results, {"channels": 16, "per_node": 256, "buffers": 4096},
              "16 channels, submissions of 256")
    print_ttm(results, {"buffers": 10240}, "10,240 buffers")
    print_ttm(results, {"memory": "pages"}, "of a page each, instead of VRAM")


# The verdicts: each returns (what, reached or None, figure).

# A limit is missed if the lower quartile of the paired ratios lies above it.

def beside_today(results, what, name, limit):
    ratio = results.ratio(results.key(what), results.key(what, "today"))
    if not ratio:
        return None
    return (f"{name} at most {limit:.2f} x today's", ratio["q1"] <= limit,
            f"{show_ratio(ratio)}: {results.get(what):,.1f} ns, "
            f"today {results.get(what, 'today'):,.1f} ns")


def busy_minus_idle(results, limit):
    busy, idle = results.key("delete_busy"), results.key("delete_idle")
    if busy not in results.samples or idle not in results.samples:
        return None
    excess = spread([b - i for b, i in zip(results.samples[busy], results.samples[idle])])
    return (f"deleting busy at most {limit} ns more than deleting idle",
            excess["q1"] <= limit,
            f"{excess['median']:.0f} ({excess['q1']:.0f} to {excess['q3']:.0f}) ns")


def doubled(results):
    """Steps of a retire, a report's as well, for twice the nodes."""
    counts = {config["buffers"]: results.steps.get(results.key("retire_alive", **config))
              for config in BY_NODES}
    if None in counts.values():
        return None
    worst = max(2 * counts[2 * n] / counts[n] for n in counts if 2 * n in counts)
    return ("a retire of twice the nodes takes at most 2.05 x the steps", worst <= 2.05,
            f"{worst:.3f} x; " +
            ", ".join(f"{n:,}: {count:.2f}" for n, count in counts.items()) + " per node")


def beyond_floor(results):
    """The time of a retire beyond that of following as many links."""
    costs = [results.samples.get(results.key("retire_alive", **config)) for config in BY_NODES]
    floors = [results.samples.get(results.key("list_walk", "floor", **config))
              for config in BY_NODES]
    if None in costs + floors:
        return None
    beyond = [[cost - floor for cost, floor in zip(*pair)] for pair in zip(costs, floors)]
    growth = max((spread([more / first for first, more in zip(beyond[0], ns)])
                  for ns in beyond[1:]), key=lambda ratio: ratio["median"])
    return ("the time beyond the list walk grows by at most a fifth", growth["q1"] <= 1.2,
            f"{show_ratio(growth)}; " + ", ".join(
                f"{config['buffers']:,}: {statistics.median(ns):,.0f}"
                for config, ns in zip(BY_NODES, beyond)) + " ns")


def quiet(results):
    """Channels that hold nothing are not looked at: counted."""
    counts = [results.steps.get(results.key("retire_alive", **config)) for config in QUIET]
    if None in counts:
        return None
    return ("channels that hold nothing cost no step", max(counts) == min(counts),
            ", ".join(f"{config['channels']:,}: {count:.2f}"
                      for config, count in zip(QUIET, counts)) + " per buffer")


def in_turn(results):
    """Two allocators that take turns, beside one."""
    key = results.key("retire_in_turn", measurement="engine_buffers", buffers=10000,
                      per_node=10)
    ratio = results.ratio(key, key._replace(what="retire_zombies"))
    if not ratio:
        return None
    return ("two allocators in turn at most 1.05 x one", ratio["q1"] <= 1.05,
            show_ratio(ratio))


def not_opted_in(pairs, limit):
    if not pairs:
        return None
    ratios = {what: spread([after / before for before, after in pairs[what]])
              for _, what in TTM_ROWS if what in pairs}
    missed = {what: ratio for what, ratio in ratios.items() if ratio["q1"] > limit}
    worst = max(ratios, key=lambda what: ratios[what]["median"])
    return (f"a device that did not opt in at most {limit:.2f} x unpatched", not missed,
            f"worst {worst}: {show_ratio(ratios[worst])}" +
            "".join(f"; missed: {what}" for what in missed))


def merging(results, what, name):
    """No faster than log2: from two channels on, the ratio stays below log2(channels)."""
    costs = {config["channels"]: results.get(what, **config) for config in BY_CHANNELS}
    if None in costs.values():
        return None
    excess = {count: cost / costs[2] / math.log2(count)
              for count, cost in costs.items() if count > 2}
    worst = max(excess, key=excess.get)
    return (f"merging {name} grows no faster than log2 of the channels",
            excess[worst] <= 1,
            f"{costs[worst] / costs[2]:.2f} x from 2 to {worst:,} channels, where log2 grows "
            f"{math.log2(worst):.0f} x; " +
            ", ".join(f"{count}: {cost:,.0f}" for count, cost in costs.items()) + " ns")


def size(results, name, limit):
    if name not in results.values:
        return None
    return (f"{name.replace('_', ' ')} at most {limit}", results.values[name] <= limit,
            f"{results.values[name]}")


def verdicts(results, pairs, cpus):
    rows = [
        ("delete", beside_today(results, "delete_unused", "deleting a never used buffer", 1.02)),
        ("delete", beside_today(results, "delete_idle", "deleting an idle buffer", 1.02)),
        ("delete", beside_today(results, "delete_signaled",
                                "deleting one whose fences have signaled", 1.05)),
        ("delete", beside_today(results, "delete_busy", "deleting a busy buffer", 0.60)),
        ("delete", beside_today(results, "delete_stepwise",
                                "deleting busy buffers one by one", 0.34)),
        ("delete", busy_minus_idle(results, 25)),
        ("use", beside_today(results, "create", "creating", 1.02)),
        ("use", beside_today(results, "ttm_reserve_first", "room for a fence, first", 1.05)),
        ("use", beside_today(results, "ttm_reserve_second", "room for a fence, second", 1.05)),
        ("use", beside_today(results, "ttm_reserve_again", "room for a fence, again", 1.05)),
        ("use", beside_today(results, "fence_again", "fencing again, 16 at a time", 1.0)),
        ("use", beside_today(results, "fence_first", "fencing idle buffers, 16 at a time", 1.0)),
        ("use", beside_today(results, "submit_again", "a submission of 16, again", 1.0)),
        ("use", beside_today(results, "submit_first", "a submission of 16 idle buffers", 1.0)),
        ("others", not_opted_in(pairs, 1.01)),
        ("retire", doubled(results)),
        ("retire", beyond_floor(results)),
        ("retire", quiet(results)),
        ("retire", in_turn(results)),
        ("retire", merging(results, "retire_alive", "live buffers")),
        ("retire", merging(results, "retire_zombies", "zombies in steps of 8")),
        ("size", size(results, "bytes_per_buffer", 64)),
        ("size", size(results, "bytes_per_node", 64)),
        *bench_cpus.verdicts(cpus),
    ]
    return [{"line": line, "what": row[0], "reached": row[1], "figure": row[2]}
            for line, row in rows if row]


def print_verdicts(rows):
    words = {True: "reached", False: "not reached"}
    print()
    for row in rows:
        print(f"  {row['line']} {words[row['reached']]}: {row['what']}: {row['figure']}")
    print()


def describe(results):
    return [dict(key._asdict(), repetitions=len(numbers), cpu_ns=spread(numbers),
                 wall_ns=spread(results.walls[key]))
            for key, numbers in results.samples.items()]


def write_plot(path, results):
    """What bench-plot.gnuplot draws: of each row of TTM's the median and quartiles of both."""
    lines = []
    for label, what in TTM_ROWS:
        figures = [spread(results.samples[key]) for key in
                   (results.key(what, flavour) for flavour in FLAVOURS) if key in results.samples]
        if len(figures) == len(FLAVOURS):
            name = f"of it: {label.strip()}" if label.startswith(" ") else label
            lines.append(f'"{name}"' + "".join(
                f" {figure['median']} {figure['q1']} {figure['q3']}" for figure in figures) + "\n")
    path.write_text("".join(lines))
    return bool(lines)


def machine():
    names = {line.split(":", 1)[1].strip()
             for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")}
    count = len([1 for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("processor")])
    return {"cpus": count, "model": ", ".join(sorted(names)), "guest": "User-Mode Linux"}


def main():
    directory = pathlib.Path(sys.argv[1])
    results = Results(directory)
    cpus = bench_cpus.Cpus(directory / CPUS)
    if not results.samples and not cpus.walls:
        print(f"there are no samples in {directory}", file=sys.stderr)
        return 1
    pairs = read_pairs(directory / "unpatched")
    rows = verdicts(results, pairs, cpus)
    made_of = (directory / "made-of").read_text().splitlines()
    report = dict(zip(("sources", "settings"), made_of)) | {
        "kernel": (directory / "kernel").read_text().strip(),
        "machine": machine(),
        "values": results.values,
        "verdicts": rows,
        "measurements": describe(results),
        "on_two_cpus": cpus.describe(),
        "unpatched_and_patched": pairs,
    }
    (directory / "results.json").write_text(json.dumps(report, indent=2) + "\n")
    write_plot(directory / "plot", results)
    print_tables(results)
    bench_cpus.show(cpus)
    if pairs:
        print_unpatched(pairs)
    print_verdicts(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
