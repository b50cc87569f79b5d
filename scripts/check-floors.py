#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""check-floors.py: each file of the engine calls only those below it.

The order is that of ttm_fence_lru/Makefile, from the top. Prints what calls upwards, and
with -v the whole graph. Exit status: 0 if nothing calls upwards.
"""

import pathlib
import re
import sys

ENGINE = pathlib.Path(__file__).resolve().parent.parent / "ttm_fence_lru"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
DEFINITION = re.compile(r"^(?!static)[^\n#;]*?\b(ttm_fence_lru_\w+)\([^;{]*\)\s*\n\{", re.M)
NAME = re.compile(r"\bttm_fence_lru_\w+\b")


def main():
    makefile = (ENGINE / "Makefile").read_text()
    listed = re.search(r"ttm_fence_lru-y := \\\n((?:.*\\\n)*.*)\n", makefile).group(1)
    files = re.findall(r"(\w+)\.o", listed)
    texts = {name: COMMENT.sub("", (ENGINE / f"{name}.c").read_text()) for name in files}
    found = {path.stem for path in ENGINE.glob("*.c")} - set(files)
    home = {function: name for name, text in texts.items()
            for function in DEFINITION.findall(text)}
    wrong = [f"{name}.c is not in the Makefile" for name in sorted(found)]

    for floor, name in enumerate(files):
        calls = {(home[used], used) for used in NAME.findall(texts[name])
                 if home.get(used, name) != name}
        if "-v" in sys.argv[1:]:
            print(f"{name}: " + " ".join(sorted({other for other, _ in calls})))
        wrong += [f"{name}.c calls {used}() of {other}.c, which stands above it"
                  for other, used in sorted(calls) if files.index(other) < floor]
    print("\n".join(wrong))
    return 1 if wrong or not home else 0


if __name__ == "__main__":
    sys.exit(main())
