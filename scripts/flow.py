#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""flow.py states|steps <trace>

A graph in Graphviz's language, of what the events in a trace tell: how often buffers went
from state to state (states), or what allocations that did not fit did one after the other
(steps). The numbers are those of the trace.
"""

import collections
import pathlib
import re
import sys

LINE = re.compile(r" *(?P<task>.*-\d+) +\[\d+\] [^ ]+ +[\d.]+: (?P<name>\w+): (?P<text>.*)")
HEAD = """digraph {
  graph [fontname="Helvetica" fontsize=15 label="%s\\n " labelloc=t nodesep=0.7 ranksep=0.6
         bgcolor=white pad=0.3]
  node [fontname="Helvetica" fontsize=12 shape=box style="rounded,filled" color="#555555"]
  edge [fontname="Helvetica" fontsize=11 color="#555555" arrowsize=0.7]
"""
# Okabe and Ito's colours, lighter: the colour-blind can tell them apart.
ALIVE, DEAD, FREE, WAIT, EVICT = "#CCE3F0", "#FAE6C0", "#E8E8E8", "#F0DCE8", "#C0E4D8"


def events(path):
    for line in path.read_text().splitlines():
        match = LINE.fullmatch(line)
        if match:
            yield match["task"], match["name"], dict(
                part.split("=", 1) for part in match["text"].split())


def node(name, label, colour):
    return f'  {name} [label="{label}" fillcolor="{colour}"]\n'


def pad(label):
    """Room between an arrow and its label, as fonts differ in width."""
    return "\\n".join(f"   {line}   " for line in label.split("\\n"))


def edge(source, target, label, count=None, dashed=False, straight=False):
    if count is not None:
        label = f"{label}\\n{count:,} times"
    return (f'  {source} -> {target} [label="{pad(label)}"' + " weight=4" * straight +
            (' style=dashed' if dashed or count == 0 else
             f' penwidth={1 + min(3, len(str(count or 0)) * 0.5)}') + "]\n")


# Where the memory of the dead is released.
SITES = {"reclaim": "an allocation wants memory", "owner": "a walk of the LRU meets it",
         "release": "the dead keep more\\nthan their limit", "shrink": "the system is short of memory",
         "drain": "at the end all is drained"}


def states(path):
    """A buffer's states, with how often it went from one to the next."""
    count = collections.Counter()
    for _, name, event in events(path):
        if name == "ttm_fence_lru_attach":
            count["used"] += int(event["joined"])
        elif name == "ttm_fence_lru_retire":
            count["idle"] += int(event["alive"])
        elif name == "ttm_fence_lru_cleaned":
            count["at " + event["site"]] += 1
        else:
            count[name.removeprefix("ttm_fence_lru_")] += 1
    return HEAD % ("The states of a buffer with the fence-ordered LRU, and how often one led to "
                   "the other\\n(dashed: not counted, or never)") + "".join((
        node("idle", "alive, idle\\non the LRU", ALIVE),
        node("busy", "alive, busy\\non its channels' lists", ALIVE),
        node("buried", "dead, busy\\non its channels' lists", DEAD),
        node("ripe", "dead, ripe\\na list for each memory type", DEAD),
        node("leftover", "dead, left over\\nits lock was taken, or a fence\\nof no channel is not done",
             DEAD),
        node("free", "its memory is free", FREE),
        "  { rank=same; idle; busy }\n  { rank=same; ripe; leftover }\n",
        edge("idle", "busy", "a job uses it", count["used"]),
        edge("busy", "idle", "the job's fence has signaled,\\nand somebody looked", count["idle"]),
        edge("busy", "buried", "its last reference goes", count["release"], straight=True),
        edge("buried", "ripe", "all its fences have signaled,\\nand somebody looked", count["ripe"],
             straight=True),
        edge("ripe", "leftover", "tried in vain", count["leftover"]),
        edge("leftover", "ripe", "the fence is done", dashed=True),
        *(edge("ripe:s", "free", why, count[f"at {site}"]) for site, why in SITES.items()
          if count[f"at {site}"]),
        edge("busy", "free", "its last reference goes,\\nits fences have signaled", dashed=True),
        edge("idle", "free", "its last reference goes", dashed=True),
    )) + "}\n"


# Steps of an allocation: label, colour.
STEPS = {
    "begin": ("it does not fit", FREE),
    "reclaim": ("take what is dead\\nand whose fences have signaled", DEAD),
    "wait_zombies": ("wait for dead buffers\\nthat will soon be free", WAIT),
    "wait_turn": ("wait for others,\\nwhich came before", WAIT),
    "wait_fence": ("wait for the oldest\\ndead buffer's fence", WAIT),
    "evict": ("take the buffer that was\\nused longest ago: evict it", EVICT),
    "wait_busy": ("it is busy and cannot be moved so:\\nwait for it", WAIT),
    "got": ("it has its memory", ALIVE),
    "failed": ("it gets none here", FREE),
}


# One below the other.
STRAIGHT = (("begin", "reclaim"), ("reclaim", "got"))


def steps(path):
    """What followed what, in allocations that may evict."""
    count, rooms = collections.Counter(), collections.defaultdict(list)
    for task, name, event in events(path):
        if not name.startswith("ttm_room_"):
            continue
        step = name.removeprefix("ttm_room_")
        if step == "begin":
            rooms[task].append("begin" if event["may_evict"] == "1" else None)
            continue
        if not rooms[task]:
            continue
        before = rooms[task][-1]
        if step == "end":
            rooms[task].pop()
            step = "got" if event["result"] == "0" else "failed"
        else:
            rooms[task][-1] = step if before else None
        if before:
            count[before, step] += 1
    met = {step for pair in count for step in pair}
    text = HEAD % ("The steps of an allocation that does not fit, and how often one followed the "
                   "other") + "".join(node(step, *STEPS[step]) for step in STEPS if step in met)
    for (before, step), times in sorted(count.items()):
        ends = f"{before}:sw -> {step}:w" if before == step else f"{before} -> {step}"
        text += (f'  {ends} [label="  {times:,} " weight={8 if (before, step) in STRAIGHT else 1} '
                 f'penwidth={1 + min(4, len(str(times)) * 0.6)}]\n')
    return text + "}\n"


def main():
    draw = {"states": states, "steps": steps}[sys.argv[1]]
    print(draw(pathlib.Path(sys.argv[2])), end="")


if __name__ == "__main__":
    main()
