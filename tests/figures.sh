#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/figures.sh: make figures writes what a demo reported, and its check finds a figure
# that is not that. On a made-up report, in a directory of its own.

. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/result-lib.sh"

SCRATCH=$BUILD/test-figures

# result <what> <wanted exit status> <text that is printed> <command> ...
result()
{
	local what=$1 wanted=$2 text=$3 rc=0 not=
	shift 3

	"$@" >"$SCRATCH/out" 2>&1 || rc=$?
	if [ "$rc" != "$wanted" ] || ! grep -qF -e "$text" <<<"$(cat "$SCRATCH/out")"; then
		not="not "
		sed 's/^/# /' "$SCRATCH/out"
	fi
	verdict "$not" "$what"
}

# make_report <work items> <number of the sources> [<settings>]
make_report()
{
	python3 -B - "$ROOT/scripts" "$SCRATCH/build/demo/report.json" "$1" "$2" \
		"${3:-}" <<'EOF'
import importlib.util, json, sys
scripts, path, items, key, settings = sys.argv[1:]
spec = importlib.util.spec_from_file_location("demo_report", scripts + "/demo-report.py")
demo = importlib.util.module_from_spec(spec)
spec.loader.exec_module(demo)

def fill(rows):
    values = {"completed": True, "vram_bytes": 1 << 30, "stuck_buffers": 1, "healthy_buffers": 2}
    for _, keys, _ in rows:
        at = values
        for name in keys[:-1]:
            at = at.setdefault(name, {})
        at[keys[-1]] = 1500
    return values

designs = {}
for design in demo.DESIGNS:
    phase = fill(demo.PHASE_ROWS) | {"work_items": int(items) if design == "today" else 0}
    hung = fill(demo.HUNG_ROWS) | {"alloc_ok": design != "today"}
    designs[design] = phase | {"phases": {"no_pressure": phase, "pressure": phase},
                               "hung_channel": hung}
json.dump({"passed": True, "sources": key, "settings": settings,
           "clients": ["a", "b"], "designs": designs}, open(path, "w"))
EOF
}

make_tree()
{
	rm -rf "$SCRATCH"
	mkdir -p "$SCRATCH/build/demo"
	cp -rL "$ROOT/README.md" "$ROOT/Documentation" "$SCRATCH/"
	mkdir "$SCRATCH/patches"
	cp -rL "$ROOT/patches/cover" "$SCRATCH/patches"
}

# shellcheck disable=SC2317 # it is called by its name
figures()
{
	"$ROOT/scripts/figures.py" "$@" "$SCRATCH"
}

"$ROOT/scripts/packages.sh" build
make_tree
KEY=$("$ROOT/scripts/sources-key.sh" demo)

result "without a demo nothing is compared" 77 "make demo has not been run" figures --check
make_report 7654 "$KEY"
result "figures are written" 0 "README.md: changed" figures
result "they are in the sentence" 0 "took 7,654 work items" cat "$SCRATCH/README.md"
result "they are in the table" 0 "work items                                   7,654               0" \
	cat "$SCRATCH/README.md"
result "what was written is right" 0 "" figures --check
result "writing it again changes nothing" 0 "README.md: as it was" figures
make_report 7655 "$KEY"
result "a figure that is not what the demo printed is found" 1 "demo-claims is not what the command printed" \
	figures --check
make_report 7655 0123456789ab
result "a demo of other sources is not compared" 77 "of other sources" figures --check
result "nor is it written" 0 "README.md: as it was" figures
make_report 7655 "$KEY" SEED=2
result "a demo with settings is not compared" 77 "was run with SEED=2" figures --check
mkdir "$SCRATCH/build/timeline"
say "$("$ROOT/scripts/sources-key.sh" timeline)" "" >"$SCRATCH/build/timeline/made-of"
sed 's/are released/are kept/' "$SCRATCH/Documentation/pictures/hung.svg" \
	>"$SCRATCH/build/timeline/hung.svg"
result "a picture that says something else is found" 1 "hung.svg is not what make timeline drew" \
	figures --check
rm -r "$SCRATCH/build/timeline"
echo "It took 12,345 items." >>"$SCRATCH/README.md"
result "a large number that no command wrote is found" 1 "12,345: no command wrote" figures --check
sed -i '/figures: demo-tables/d' "$SCRATCH/README.md"
result "a place that is missing is found" 1 "the figure 'demo-tables' is not there once" figures --check
[ $FAILED = 0 ]
