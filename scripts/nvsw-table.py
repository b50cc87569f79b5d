#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""nvsw-table.py <title> <log> <log>

What the same program did with both designs on the software chip, side by side: the logs of a guest
with fence_lru=0 and of one with fence_lru=1. What one of them does not count is a dash.
"""

import re
import sys

ROWS = (
    ("VM_BIND requests", "figure: VM_BIND requests"),
    ("EXEC requests", "figure: EXEC requests"),
    ("GEM_PUSHBUF requests", "figure: GEM_PUSHBUF requests"),
    ("allocations by Mesa", "figure: allocations by Mesa"),
    ("allocations by another", "figure: allocations by another"),
    ("buffers that died busy", "died busy"),
    ("work items of TTM's", "ttm: work_items"),
    ("fences asked to tell", "ttm: signaling"),
    ("interrupts of the chip", "chip: interrupts"),
    ("buffers that left VRAM", "chip: moved_out"),
    ("buffers that came back", "chip: moved_in"),
    ("dead released by allocations", "ttm: released_by_reclaim"),
    ("allocation by Mesa, median", "figure: allocation by Mesa, median"),
    ("allocation by Mesa, 99 %", "figure: allocation by Mesa, 99 %"),
    ("allocation by Mesa, slowest", "figure: allocation by Mesa, slowest"),
    ("allocation by another, median", "figure: allocation by another, median"),
    ("allocation by another, 99 %", "figure: allocation by another, 99 %"),
    ("allocation by another, slowest", "figure: allocation by another, slowest"),
    ("all of it was there after", "figure: memory beside a hung channel, after"),
    ("requests refused before", "figure: memory beside a hung channel, refused before"),
    ("the hung one kept its own", "figure: memory beside a hung channel, its own still kept"),
)
# Today's TTM has no tracepoint for this.
OURS_ONLY = ("ttm: released_by_reclaim",)


def read(path):
    """What a log says, by name: "# figure: <name>: <value>" and "# <who>: <name>=<value>"."""
    found = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            match = re.match(r"# (figure: .+): (.+)$|# ((?:ttm|chip): \w+)=(\S+)$", line)
            if match:
                found[match[1] or match[3]] = match[2] or match[4]
    if "ttm: work_items" in found:
        # In today's design each that does is a work item.
        zombies = found["ttm: zombies"]
        found["died busy"] = zombies if zombies != "0" else found["ttm: work_items"]
    return found


def grouped(value):
    return f"{int(value):,}" if value.isdigit() else value.replace(" us", " µs")


def main():
    title, today, ours = sys.argv[1], read(sys.argv[2]), read(sys.argv[3])
    print(f"  {title:<42} {'today':>14} {'fence_lru':>14}")
    print(f"  {'-' * 72}")
    for label, key in ROWS:
        if key not in today and key not in ours:
            continue
        left = "-" if key in OURS_ONLY else today.get(key, "-")
        print(f"  {label:<42} {grouped(left):>14} {grouped(ours.get(key, '-')):>14}")
    print()


if __name__ == "__main__":
    main()
