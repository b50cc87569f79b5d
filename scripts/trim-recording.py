#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""trim-recording.py <recording> <to> [<events at the start> <events at the end>]

A long recording is cut: its start stays, and its end; of what was in between stays what it
left behind, as traces/README.md says. A short one is copied. A program that was ended in the
middle of a line loses that line. Of one with an address space only the start is left, of that
length: what is mapped there is in no line of its own.
"""

import sys

START, END = 20000, 60000
# What comes and goes beside buffers.
KEPT = {"chan", "chanfree", "fdclose", "import", "export"}


def follow(line, live):
    """Which buffers there are after it, each with the line that made it."""
    fields = line.split(" ", 4)
    if fields[1] == "new":
        live[fields[3]] = line
    elif fields[1] == "info":
        live.setdefault(fields[3], line)
    elif fields[1] == "close":
        live.pop(fields[3], None)


def gap(lines, live, number):
    """The net effect of lines that are left out."""
    before, kept = dict(live), []
    for line in lines:
        follow(line, live)
        if line.split(" ", 2)[1] in KEPT:
            kept.append(line.split(" ", 1)[1])
    time = lines[-1].split(" ", 1)[0]
    yield (f"# startup ends; events {number + 1}..{number + len(lines)} dropped, below their net "
           f"effect on BO handles (lines up to \"# steady\")\n")
    for handle, line in before.items():
        if live.get(handle) != line:
            yield f"{time} close {line.split(' ')[2]} {handle} 0 -1 0\n"
    for rest in kept:
        yield f"{time} {rest}"
    for handle, line in live.items():
        if before.get(handle) != line:
            yield f"{time} {line.split(' ', 1)[1]}"
    yield "# steady\n"


def main():
    start, end = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 3 else (START, END)
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        header, *lines = file.readlines()
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    live = {}
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(header)
        if len(lines) <= start + end:
            out.writelines(lines)
            return
        if " v2 " in header:
            out.writelines(lines[:start + end])
            return
        for line in lines[:start]:
            follow(line, live)
        out.writelines(lines[:start])
        out.writelines(gap(lines[start:-end], live, start))
        out.writelines(lines[-end:])


if __name__ == "__main__":
    main()
