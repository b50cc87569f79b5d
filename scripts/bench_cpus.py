# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What two CPUs say that one does not: the table and the verdicts of ttm_cpus, for
bench-report.py."""

import statistics

LOCKS = ("lru", "channel", "engine", "other", "sleeping")
ROWS = (
    ("create", "cpus_create"),
    ("submit", "cpus_submit"),
    ("delete, busy", "cpus_delete_busy"),
    ("allocate what is dead", "cpus_allocate"),
)
FLAVOURS = ("today", "ours")


class Cpus:
    """Samples by (what, flavour, cpus, channels): time that passed, and waits, per buffer."""

    def __init__(self, path):
        self.walls, self.waits, self.spun = {}, {}, {}
        for line in path.read_text().splitlines() if path.exists() else ():
            fields = dict(field.split("=", 1) for field in line.split())
            key = (fields["what"], fields["flavour"], int(fields["cpus"]),
                   int(fields["channels"]))
            ops = int(fields["ops"])
            self.walls.setdefault(key, []).append(int(fields["wall_ns"]) / ops)
            self.spun.setdefault(key, []).append(int(fields["spun_ns"]) / ops)
            for lock in LOCKS:
                self.waits.setdefault(key + (lock,), []).append(int(fields[lock]) / ops)

    def channels(self):
        return sorted({key[3] for key in self.walls})

    def wall(self, *key):
        return statistics.median(self.walls[key])

    def scaling(self, what, flavour, channels):
        """How many times as much two CPUs do in the time, pair by pair."""
        return [one / two for one, two in zip(self.walls[what, flavour, 1, channels],
                                              self.walls[what, flavour, 2, channels])]

    def describe(self):
        return [dict(zip(("what", "flavour", "cpus", "channels"), key),
                     wall_ns=statistics.median(walls),
                     spun_ns=statistics.median(self.spun[key]),
                     waits={lock: statistics.mean(self.waits[key + (lock,)]) for lock in LOCKS})
                for key, walls in self.walls.items()]


def waits_of(cpus, *key):
    """Of a thousand buffers: those locks that were ever waited for."""
    counts = {lock: 1000 * statistics.mean(cpus.waits[key + (lock,)]) for lock in LOCKS}
    return ", ".join(f"{lock} {count:.1f}" for lock, count in counts.items() if count >= 0.05)


def show(cpus):
    if not cpus.walls:
        return
    print("\n  ns that pass per buffer on two CPUs, and how many times the work of one they do;"
          "\n  locks that were waited for, per 1,000 buffers, and ns spun per buffer")
    for label, what in ROWS:
        print(f"\n  {label + ', channels':<30}{'ns':>8}{'times':>8}{'spun':>8}   waits")
        print("  " + "-" * 84)
        for channels in cpus.channels():
            for flavour in FLAVOURS:
                key = (what, flavour, 2, channels)
                print(f"  {channels:>8} {flavour:<21}{cpus.wall(*key):>8,.0f}"
                      f"{statistics.median(cpus.scaling(what, flavour, channels)):>8.2f}"
                      f"{statistics.median(cpus.spun[key]):>8.1f}   {waits_of(cpus, *key)}")


def spread(numbers):
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f} to {high:.2f})", low, high


def rows(figures):
    """Of each number of channels: itself, what is printed, and the quartiles."""
    return ((channels, *spread(numbers)) for channels, numbers in figures.items())


def scales(cpus):
    """With a channel for each: a limit is missed if the upper quartile lies below it."""
    figures = {channels: [ours / today for ours, today in
                          zip(cpus.scaling("cpus_submit", "ours", channels),
                              cpus.scaling("cpus_submit", "today", channels))]
               for channels in cpus.channels() if channels > 1}
    channels, text, _, high = min(rows(figures), key=lambda row: row[3])
    return ("submitting on two CPUs, each on channels of its own, scales at least as today's",
            high >= 1, f"at worst {text}, {channels} channels")


def no_worse(cpus, what, name):
    """A limit is missed if the lower quartile lies above it."""
    figures = {channels: [ours / today for ours, today in
                          zip(cpus.walls[what, "ours", 2, channels],
                              cpus.walls[what, "today", 2, channels])]
               for channels in cpus.channels()}
    channels, text, low, _ = max(rows(figures), key=lambda row: row[2])
    return (f"{name} on two CPUs takes no longer than today", low <= 1,
            f"at worst {text}, {channels} channels")


def verdicts(cpus):
    if not cpus.walls:
        return []
    return [("two CPUs", scales(cpus)),
            ("two CPUs", no_worse(cpus, "cpus_delete_busy", "deleting busy buffers")),
            ("two CPUs", no_worse(cpus, "cpus_allocate", "allocating what is dead"))]
