#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# bench.sh: what the fence-ordered LRU costs, alone and beside today's TTM, measured
# in the kernel. Prints a table and what was reached of what was aimed at; writes
# results.json in build/bench/, or build/bench-6.12/.
#
# BENCH=<names>  only these measurements; default: all that the module lists
# FULL=1         also measures a device that did not opt in beside TTM without our
#                patches, each in boots of its own, in turn

. "$(dirname "$0")/lib.sh"

RESULTS=$(kernel_out bench)
BENCH=${BENCH:-}

# Boots of each kernel.
PAIRS=6

# today <config> <file>: what today's flavour takes on that kernel, in a boot of its own.
today()
{
	"$ROOT/scripts/boot.sh" -t 1800 -m 2G -l bench "$1" -- \
		"$ROOT/scripts/bench-guest.sh" "$RESULTS" -o only_today=1 ttm
	mv "$RESULTS/ttm.samples" "$2"
}

measure_unpatched()
{
	local pair kept=$RESULTS/unpatched

	mkdir -p "$kept"
	for ((pair = 1; pair <= PAIRS; pair++)); do
		say "  a device that did not opt in, and TTM without our patches: $pair of $PAIRS"
		today um-bench-unpatched "$kept/unpatched-$pair"
		today um-bench "$kept/patched-$pair"
	done
}

# What two CPUs say is only to be had there; all the rest is measured there, too.
[ "$KERNEL" = 6.12 ] || export CPUS=2
"$ROOT/scripts/packages.sh" build demo
"$ROOT/scripts/build.sh" um-bench
[ -z "${FULL:-}" ] || "$ROOT/scripts/build.sh" um-bench-unpatched
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
say "$("$ROOT/scripts/sources-key.sh" bench)" "${BENCH:+BENCH=$BENCH}" >"$RESULTS/made-of"
start=$SECONDS
[ -z "${FULL:-}" ] || measure_unpatched
# shellcheck disable=SC2086 # one word per measurement
"$ROOT/scripts/boot.sh" -t 1800 -m 2G -l bench um-bench -- \
	"$ROOT/scripts/bench-guest.sh" "$RESULTS" $BENCH
say "  measuring: done ($((SECONDS - start)) s)"
"$ROOT/scripts/bench-report.py" "$RESULTS"
[ ! -s "$RESULTS/plot" ] || run_step plot "plotting" "What is drawn is in ${RESULTS#"$ROOT/"}/plot" \
	gnuplot -c "$ROOT/scripts/bench-plot.gnuplot" "$RESULTS"
say "bench: see ${RESULTS#"$ROOT/"}/results.json"
