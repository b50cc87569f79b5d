#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# bench.sh: what the fence-ordered LRU costs, alone and beside today's TTM, measured
# in the kernel. Prints a table and what was reached of what was aimed at; writes
# build/bench/results.json.
#
# BENCH=<names>  only these measurements; default: all that the module lists

. "$(dirname "$0")/lib.sh"

RESULTS=$BUILD/bench
BENCH=${BENCH:-}

"$ROOT/scripts/build.sh" um-bench
lock bench
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
start=$SECONDS
# shellcheck disable=SC2086 # one word per measurement
"$ROOT/scripts/boot.sh" -t 1800 -m 2G -l bench um-bench -- \
	"$ROOT/scripts/bench-guest.sh" $BENCH
say "  measuring: done ($((SECONDS - start)) s)"
"$ROOT/scripts/bench-report.py" "$RESULTS"
say "bench: see build/bench/results.json"
