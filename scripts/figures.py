#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""figures.py [--check] [--any] [<root>]

Writes the figures of README and of the documents anew, from results in build/. They stand
between two lines, "figures: <name>" and "end of figures", which are comments there. Results
of other settings than the default are left aside, and so are those of other sources than
today's, unless --any is given; what has no results stays as it is.

--check changes nothing. It fails if a figure in modelled time is not what was printed, if a
picture in modelled time says something else than the one that was drawn, if README has a large
number that no command wrote, and if a figure's place is missing. Exit status 77: there are no
results of these sources to compare with.
"""

import contextlib
import importlib.util
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

SCRIPTS = pathlib.Path(__file__).resolve().parent
CANNOT = 77
# As lib.sh has them. What is of the newest has its name nowhere.
NEWEST, OLDER = "7.3", "6.12"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# The comment begins as the file's language wants it.
BLOCK = re.compile(r"^(?P<open><!-- |\.\. )figures: (?P<name>[a-z-]+)"
                   r"(?P<close> -->|)\n(?P<text>.*?)^(?P=open)end of figures(?P=close)\n",
                   re.M | re.S)


class Nothing(Exception):
    """There are no results, or they are not of what is wanted."""


def module(name):
    """A report's script as a module."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"),
                                                  SCRIPTS / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def printed(function, *arguments):
    """The lines that a function prints, without empty ones around."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        function(*arguments)
    return text.getvalue().strip("\n").splitlines()


def indented(lines):
    """A block of code, in either language. The reports indent by two."""
    return "".join("    " + line.removeprefix("  ") + "\n" if line.strip() else "\n"
                   for line in lines)


def paragraph(text):
    return textwrap.fill(" ".join(text.split()), 90, break_long_words=False,
                         break_on_hyphens=False) + "\n"


def bullet(text):
    return textwrap.fill(text, 90, initial_indent="* ", subsequent_indent="  ",
                         break_long_words=False, break_on_hyphens=False) + "\n"


class Results:
    """What is in build/, read when it is asked for."""

    def __init__(self, build, any_sources):
        self.build = build
        self.any_sources = any_sources

    def of_today(self, name, sources, kernel):
        key = subprocess.run([SCRIPTS / "sources-key.sh", name], check=True, text=True,
                             env=os.environ | {"KERNEL": kernel},
                             capture_output=True).stdout.strip()
        if sources != key and not self.any_sources:
            raise Nothing(f"those of make {name} are of other sources")

    def place(self, name, kernel):
        """Where a command leaves its results."""
        return self.build / (name if kernel == NEWEST else f"{name}-{kernel}")

    def read(self, name, file, kernel):
        try:
            results = json.loads((self.place(name, kernel) / file).read_text())
        except OSError:
            raise Nothing(f"make {name} has not been run for Linux {kernel}") from None
        self.of_today(name, results.get("sources"), kernel)
        if results.get("settings"):
            raise Nothing(f"make {name} was run with {results['settings']}")
        return results

    def check_made_of(self, name):
        """The first line of that file is the number of the sources, the last one settings."""
        try:
            made_of = (self.build / name / "made-of").read_text().splitlines()
        except OSError:
            # make bench and make pressure have it in their results.
            self.read(name, "results.json", NEWEST)
            return
        self.of_today(name, made_of[0], NEWEST)
        if made_of[-1]:
            raise Nothing(f"make {name} was run with {made_of[-1]}")

    def demo(self, kernel=NEWEST):
        report = self.read("demo", "report.json", kernel)
        if not report["passed"]:
            raise Nothing("make demo failed")
        return report

    def bench(self, kernel=NEWEST):
        return self.read("bench", "results.json", kernel)

    def pressure(self, kernel=NEWEST):
        return self.read("pressure", "results.json", kernel)

    def counts(self):
        try:
            lines = (self.build / f"test/counts-{NEWEST}").read_text().splitlines()
        except OSError:
            raise Nothing("make test has not been run") from None
        self.of_today("test", lines[0], NEWEST)
        return lines[1:]


# README

def demo_of(results, kernel):
    """The demo's report, and what it has of either design."""
    report = results.demo(kernel)
    today, ours = (report["designs"][design] for design in ("today", "fence_lru"))
    if today["hung_channel"]["alloc_ok"]:
        raise Nothing("today's TTM got memory beside the hung channel: the words are wrong")
    return report, today, ours


def demo_claims(results):
    report, today, ours = demo_of(results, NEWEST)
    hung_ms = ours["hung_channel"]["alloc_ns"] / 1e6
    return paragraph(f"""
        **Before and after**, {NUMBERS[len(report["clients"])]} recorded programs at once under
        memory pressure: deleting buffers took {today["work_items"]:,} work items and
        {today["signaling_enabled_by_delete"]:,} interrupts; now it takes **none of either**. A
        program or a worker had to wait {today["context_switches"]:,} times; now
        {ours["context_switches"]:,} times. With one channel hung, the next allocation gets the
        memory freed on healthy channels in {hung_ms:.0f} ms, where today's waits in vain. `make
        demo` runs in modelled time: it prints these figures on any machine, also on a busy
        one.""")


def demo_claims_older(results):
    _, today, ours = demo_of(results, OLDER)
    hung_ms = ours["hung_channel"]["alloc_ns"] / 1e6
    return paragraph(f"""
        That is Linux {NEWEST}. On {OLDER} it is {today["work_items"]:,} work items and
        {today["signaling_enabled_by_delete"]:,} interrupts for deletes, and none of either;
        {today["context_switches"]:,} waits, and {ours["context_switches"]:,}; {hung_ms:.0f} ms beside
        the hung channel.""")


def demo_lines(results):
    """What the demo prints of its two phases that matter most."""
    demo = module("demo-report")
    _, today, ours = demo_of(results, NEWEST)
    return [*printed(demo.print_phase, "pressure", today, ours), "",
            *printed(demo.print_hung, today, ours)]


def demo_tables(results):
    return indented(["$ make demo", "...",
                     *("  " + line if line else "" for line in demo_lines(results)), "...",
                     "demo: passed; see build/demo/report.json and build/demo/report.svg"])


# Cover letters, which stand in mails.

def letter(lines):
    return "".join(f"  {line.removeprefix('  ')}".rstrip() + "\n" for line in lines)


def cover_demo(results):
    return letter(demo_lines(results))


def cover_pressure(results):
    limits = results.pressure()["limits"]
    return letter(limit_lines({policy: limits[policy] for policy in ("today-512", "list", "ours")
                               if policy in limits}))


def cover_bench(results):
    return "".join(textwrap.fill(f"{row['what']}: {row['figure']}", 72, initial_indent="  - ",
                                 subsequent_indent="    ", break_long_words=False) + "\n"
                   for row in results.bench()["verdicts"] if row["line"] in ("delete", "use"))


def test_counts(results):
    # How long each takes is another matter on each machine.
    return indented(["$ make test", *(f"== {line} (... s)" for line in results.counts()[:7]),
                     "..."])


# Documents

def machine_of(bench):
    machine = bench["machine"]
    return (f"{machine['cpus']} cores ({machine['model']}), {machine['guest']}, "
            f"Linux {bench['kernel'].split('-')[0]}")


def bench_machine(results):
    return paragraph(f"{machine_of(results.bench())}, nanoseconds of CPU time per buffer, medians.")


def bench_cpus(results):
    results.bench()
    cpus = module("bench_cpus")
    lines = printed(cpus.show, cpus.Cpus(results.build / "bench/ttm_cpus.samples"))
    return "::\n\n" + indented(lines)


def bench_tables(results):
    results.bench()
    bench = module("bench-report")
    lines = printed(bench.print_tables, bench.Results(results.build / "bench"))
    return "::\n\n" + indented(lines[2:])


def bench_unpatched(results):
    pairs = results.bench()["unpatched_and_patched"]
    if not pairs:
        raise Nothing("make bench FULL=1 has not been run")
    return "::\n\n" + indented(printed(module("bench-report").print_unpatched, pairs))


def bench_verdicts(results, kernel=NEWEST):
    words = {True: "reached", False: "not reached"}
    return "".join(bullet(f"{row['line']}, {words[row['reached']]}: {row['what']}: {row['figure']}")
                   for row in results.bench(kernel)["verdicts"])


def bench_verdicts_older(results):
    return (paragraph(f"{machine_of(results.bench(OLDER))}:") + "\n" +
            bench_verdicts(results, OLDER))


# Heading, key.
PRESSURE = (("moved", "evicted_bytes"), ("worst", "evicted_bytes_worst"), ("p99", "alloc_p99_ns"),
            ("slowest", "alloc_max_ns"), ("waited", "alloc_total_ns"),
            ("client", "client_worst"), ("frame", "frame_worst"), ("irqs", "signaling_enabled"),
            ("items", "work_items"), ("switches", "context_switches"))


def pressure_summary(results):
    """A line for each policy of each mix, as multiples of today's."""
    lines = [f"  {'mix, copies: policy':<30}" + "".join(f"{head:>9}" for head, _ in PRESSURE) +
             f"{'dead MiB':>12}", "  " + "-" * (42 + 9 * len(PRESSURE))]
    for title, summaries in results.pressure()["summary"].items():
        for policy, figures in summaries.items():
            dead = f"{figures['mean_zombie_bytes']:.0f} / {figures['mean_zombie_bytes_today']:.0f}"
            lines.append(f"  {f'{title}: {policy}':<30}" +
                         "".join(f"{figures[key]:>9.2f}" for _, key in PRESSURE) + f"{dead:>12}")
    return "::\n\n" + indented(lines)


def limit_lines(limits):
    """How many cells keep each limit, a column for each policy."""
    lines = [f"  {'limit':<44}" + "".join(f"{policy:>12}" for policy in limits)]
    for name in next(iter(limits.values())):
        counts = [(policy[name]["cells"], len(policy[name]["missed"]))
                  for policy in limits.values()]
        lines.append(f"  {name:<44}" + "".join(f"{f'{cells - missed} of {cells}':>12}"
                                               for cells, missed in counts))
    return lines


def pressure_limits(results, kernel=NEWEST):
    return "::\n\n" + indented(limit_lines(results.pressure(kernel)["limits"]))


def pressure_limits_older(results):
    return pressure_limits(results, OLDER)


# Pictures in Documentation/pictures, each with what drew it and where.
PICTURES = {
    "demo.svg": ("demo", "demo/report.svg"),
    "hung.svg": ("timeline", "timeline/hung.svg"),
    "replay.svg": ("timeline", "timeline/replay.svg"),
    "states.svg": ("timeline", "timeline/states.svg"),
    "steps.svg": ("timeline", "timeline/steps.svg"),
    "bench.svg": ("bench", "bench/report.svg"),
    "pressure.svg": ("pressure", "pressure/summary.svg"),
}


# Those of runs in modelled time.
EXACT_PICTURES = [name for name, (command, _) in PICTURES.items()
                  if command in ("demo", "timeline")]


def slim(svg):
    """A drawing without the groups that draw nothing, of which gnuplot makes hundreds."""
    return re.sub(r"<g [^>]*>\s*</g>\n?", "", svg)


def drawn(results, name):
    """What the command drew."""
    command, file = PICTURES[name]
    results.check_made_of(command)
    return (results.build / file).read_text()


def copy_pictures(root, results):
    for name in PICTURES:
        try:
            svg = drawn(results, name)
        except (Nothing, OSError) as reason:
            print(f"Documentation/pictures/{name} was left as it is: {reason}")
            continue
        path = root / "Documentation/pictures" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(slim(svg))
        print(f"{path.relative_to(root)}: {path.stat().st_size:,} bytes")


def words_of(svg):
    """What a drawing says. Where it stands depends on the version of what drew it."""
    return re.findall(r"<(?:text|tspan)\b[^>]*>([^<]*[^<\s][^<]*)<", svg)


def check_pictures(root, results):
    """Which pictures do not say what the command's own say, and how many were compared."""
    wrong, compared = [], 0
    for name in EXACT_PICTURES:
        path = root / "Documentation/pictures" / name
        try:
            svg = drawn(results, name)
        except (Nothing, OSError) as reason:
            print(f"{name} is not compared: {reason}")
            continue
        compared += 1
        if words_of(path.read_text()) != words_of(svg):
            wrong.append(f"{path.relative_to(root)} is not what make {PICTURES[name][0]} drew: "
                         "make figures")
    return wrong, compared


WRITERS = {
    "README.md": {"demo-claims": demo_claims,
                  "demo-claims-older": demo_claims_older, "demo-tables": demo_tables,
                  "test-counts": test_counts},
    "Documentation/benchmarks.rst": {
        "bench-machine": bench_machine, "bench-tables": bench_tables,
        "bench-verdicts": bench_verdicts, "bench-verdicts-older": bench_verdicts_older,
        "bench-unpatched": bench_unpatched, "bench-cpus": bench_cpus},
    "patches/cover/fence-lru.txt": {
        "cover-demo": cover_demo, "cover-pressure": cover_pressure, "cover-bench": cover_bench},
    "Documentation/pressure.rst": {
        "pressure-summary": pressure_summary, "pressure-limits": pressure_limits,
        "pressure-limits-older": pressure_limits_older},
}
# In modelled time the same sources have the same outcome.
EXACT = {"demo-claims", "demo-claims-older", "demo-tables", "cover-demo", "pressure-summary",
         "pressure-limits", "pressure-limits-older", "cover-pressure"}


def write(block, name, writer, results, left):
    """A block with its figures of now, or as it was."""
    try:
        text = writer(results)
    except Nothing as reason:
        left[name] = str(reason)
        return block[0]
    return (f"{block['open']}figures: {name}{block['close']}\n\n{text}\n"
            f"{block['open']}end of figures{block['close']}\n")


def blocks_of(path, names):
    """The places in a file, by name. Each must be there, once."""
    found = list(BLOCK.finditer(path.read_text()))
    wrong = [f"{path.name}: there is no figure '{block['name']}'"
             for block in found if block["name"] not in names]
    for name in names:
        if sum(block["name"] == name for block in found) != 1:
            wrong.append(f"{path.name}: the figure '{name}' is not there once")
    return {block["name"]: block for block in found}, wrong


def update(root, results):
    wrong = []
    for file, writers in WRITERS.items():
        path, left = root / file, {}
        _, problems = blocks_of(path, writers)
        wrong += problems
        if problems:
            continue
        before = path.read_text()
        after = BLOCK.sub(lambda block: write(block, block["name"], writers[block["name"]],
                                              results, left), before)
        if after != before:
            path.write_text(after)
        print(f"{file}: {'changed' if after != before else 'as it was'}")
        for name, reason in left.items():
            print(f"  {name} was left as it is: {reason}")
    copy_pictures(root, results)
    return wrong


def loose_numbers(path):
    """Large numbers of README that no command wrote."""
    text = BLOCK.sub("", path.read_text())
    return [f"{path.name}: {number}: no command wrote this number"
            for number in re.findall(r"\b\d{1,3}(?:,\d{3})+\b", text)]


def compare(file, block, writer, results):
    """Why a figure is not what its command printed, or nothing."""
    text = writer(results)
    if block["text"].strip("\n") == text.strip("\n"):
        return []
    old, new = block["text"].strip("\n").splitlines(), text.strip("\n").splitlines()
    lines = [f"  there:  {a.strip()}\n  now:    {b.strip()}" for a, b in zip(old, new) if a != b]
    return [f"{file}: {block['name']} is not what the command printed: make figures\n" +
            "\n".join(lines[:5])]


def check(root, results):
    wrong, compared = loose_numbers(root / "README.md"), 0
    for file, writers in WRITERS.items():
        blocks, problems = blocks_of(root / file, writers)
        wrong += problems
        for name in sorted(blocks.keys() & EXACT):
            try:
                wrong += compare(file, blocks[name], writers[name], results)
                compared += 1
            except Nothing as reason:
                print(f"{name} is not compared: {reason}")
    unlike, pictures = check_pictures(root, results)
    wrong += unlike
    if not compared + pictures and not wrong:
        sys.exit(CANNOT)
    return wrong


def main():
    options = [argument for argument in sys.argv[1:] if argument.startswith("--")]
    names = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    root = pathlib.Path(names[0]) if names else SCRIPTS.parent
    results = Results(root / "build", "--any" in options)
    wrong = (check if "--check" in options else update)(root, results)
    for line in wrong:
        print(f"error: {line}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
