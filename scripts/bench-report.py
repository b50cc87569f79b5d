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

KEY = ("what", "flavour", "buffers", "per_node", "channels", "order", "told", "memory")
Key = collections.namedtuple("Key", KEY)
FLAVOURS = ("today", "ours")
NUMBERS = ("buffers", "per_node", "channels", "told")


def parse(line):
    return dict(field.split("=", 1) for field in line.split())


def read(directory):
    """Samples in ns of CPU time per operation, by what was measured; and values."""
    samples, walls, values = {}, {}, {}
    for path in sorted(directory.glob("*.samples")):
        for line in path.read_text().splitlines():
            fields = parse(line)
            if "value" in fields:
                values[fields["value"]] = int(fields["is"])
                continue
            key = Key(*(int(fields[name]) if name in NUMBERS else fields[name]
                        for name in KEY))
            ops = int(fields["ops"])
            samples.setdefault(key, []).append(int(fields["cpu_ns"]) / ops)
            walls.setdefault(key, []).append(int(fields["wall_ns"]) / ops)
    return samples, walls, values


def spread(numbers):
    """Median and quartiles."""
    if len(numbers) < 2:
        return {"median": numbers[0], "q1": numbers[0], "q3": numbers[0]}
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return {"median": middle, "q1": low, "q3": high}


class Results:
    """What was measured."""

    def __init__(self, directory):
        self.samples, self.walls, self.values = read(directory)

    def get(self, what, flavour="ours", **config):
        """Median of one measurement, or None."""
        key = self.key(what, flavour, **config)
        return statistics.median(self.samples[key]) if key in self.samples else None

    @staticmethod
    def key(what, flavour="ours", buffers=1000, per_node=10, channels=1,
            order="ascending", told=0, memory="vram"):
        return Key(what, flavour, buffers, per_node, channels, order, told, memory)

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
               "release_idle", "release_busy", "retire_alive", "retire_zombies")
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
    print(f"\n  {title}" + "".join(f"{label(config):>10}" for config in configs))
    print("  " + "-" * (len(title) + 10 * len(configs)))
    for what in FLOORS + ENGINE_ROWS:
        flavour = "floor" if what in FLOORS else "ours"
        cells = [results.get(what, flavour, **config) for config in configs]
        if any(value is not None for value in cells):
            print(f"  {what:<{len(title)}}" + "".join(f"{cell(v):>10}" for v in cells))


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
                if fields.get("buffers") == "1000" and fields["per_node"] == "10" and \
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
BY_CHANNELS = sweep("channels", CHANNELS, buffers=16384, per_node=1, told=1)


def print_tables(results):
    print("\n  ns of CPU time per buffer; medians")
    for order in ("ascending", "shuffled"):
        print_engine(results, f"buffers, {order:<14}", sweep("buffers", BUFFERS, order=order),
                     lambda config: f"{config['buffers']:,}")
    print_engine(results, f"{'buffers per node':<23}",
                 sweep("per_node", (1, 10, 100, 1000), buffers=10000) +
                 sweep("per_node", (1, 1000), buffers=10000, told=1),
                 lambda config: f"{config['per_node']:,}" +
                 (" told" if config.get("told") else ""))
    print_engine(results, f"{'channels':<23}", BY_CHANNELS,
                 lambda config: f"{config['channels']:,}")
    print_ttm(results, {}, "1,000 buffers of TTM, 1 channel, 10 per fence")
    print_ttm(results, {"per_node": 1}, "1 per fence")
    print_ttm(results, {"per_node": 100}, "100 per fence")
    print_ttm(results, {"channels": 16}, "16 channels")
    print_ttm(results, {"buffers": 10000}, "10,000 buffers")
    print_ttm(results, {"memory": "pages"}, "of a page each, instead of VRAM")


# The verdicts: each returns (what, reached or None, figure).

def busy_delete(results, idle, name):
    ratio = results.ratio(results.key("delete_busy"), results.key(idle))
    if not ratio:
        return None
    return (f"deleting busy at most 1.15 x deleting {name}", ratio["median"] <= 1.15,
            f"{show_ratio(ratio)}: {results.get('delete_busy'):,.0f} ns, "
            f"{results.get(idle):,.0f} ns")


def fencing(results, what, name):
    ratio = results.ratio(results.key(what), results.key(what, "today"))
    if not ratio:
        return None
    return (f"{name} not slower than today", ratio["median"] <= 1,
            f"{show_ratio(ratio)}: {results.get(what):,.0f} ns, "
            f"today {results.get(what, 'today'):,.0f} ns")


def flat(results, what, name, order):
    configs = sweep("buffers", BUFFERS, order=order)
    costs = [results.get(what, **config) for config in configs]
    floors = [results.get("list_walk", "floor", **config) for config in configs]
    if None in costs + floors:
        return None
    worst = max(costs) / min(costs)
    return (f"retiring {name} flat within 25 %, {order}", worst <= 1.25,
            f"{worst:.2f}: " + ", ".join(f"{cost:,.0f}" for cost in costs) +
            f" ns; the floor {max(floors) / min(floors):.2f}: " +
            ", ".join(f"{floor:,.1f}" for floor in floors) + " ns")


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


def verdicts(results):
    rows = [
        ("1", busy_delete(results, "delete_idle", "idle")),
        ("1", busy_delete(results, "delete_signaled", "one whose fences have signaled")),
        ("2", fencing(results, "fence_again", "fencing again")),
        ("2", fencing(results, "fence_first", "fencing an idle buffer")),
        ("2", fencing(results, "submit_again", "a submission, again")),
        ("2", fencing(results, "submit_first", "a submission of idle buffers")),
        ("3", flat(results, "retire_alive", "live buffers", "ascending")),
        ("3", flat(results, "retire_zombies", "zombies", "ascending")),
        ("3", flat(results, "retire_alive", "live buffers", "shuffled")),
        ("3", flat(results, "retire_zombies", "zombies", "shuffled")),
        ("4", merging(results, "retire_alive", "live buffers")),
        ("4", merging(results, "retire_zombies", "zombies in steps of 8")),
        ("5", ("no lock of the device when fenced again on a channel", None,
               "KUnit counts: ttm_fence_lru_locks in make kunit")),
        ("6", size(results, "bytes_per_buffer", 64)),
        ("6", size(results, "bytes_per_node", 96)),
    ]
    return [{"line": line, "what": row[0], "reached": row[1], "figure": row[2]}
            for line, row in rows if row]


def print_verdicts(rows):
    words = {True: "reached", False: "not reached", None: "see"}
    print()
    for row in rows:
        print(f"  {row['line']} {words[row['reached']]}: {row['what']}: {row['figure']}")
    print()


def describe(results):
    return [dict(key._asdict(), repetitions=len(numbers), cpu_ns=spread(numbers),
                 wall_ns=spread(results.walls[key]))
            for key, numbers in results.samples.items()]


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
    if not results.samples:
        print(f"there are no samples in {directory}", file=sys.stderr)
        return 1
    rows = verdicts(results)
    pairs = read_pairs(directory / "unpatched")
    report = {
        "kernel": (directory / "kernel").read_text().strip(),
        "machine": machine(),
        "values": results.values,
        "verdicts": rows,
        "measurements": describe(results),
        "unpatched_and_patched": pairs,
    }
    (directory / "results.json").write_text(json.dumps(report, indent=2) + "\n")
    print_tables(results)
    if pairs:
        print_unpatched(pairs)
    print_verdicts(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
