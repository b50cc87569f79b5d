#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# bench-guest.sh <directory> [-o <parameter>] [<measurement> ...]: what the benchmark does in
# the guest. Leaves the samples in that directory, a file for each measurement.

. "$(dirname "$0")/guest-lib.sh"

RESULTS=$1
FILES=/sys/kernel/debug/ttm_fence_lru_bench

shift
parameters=()
if [ "${1:-}" = -o ]; then
	parameters=("$2")
	shift 2
fi
uname -r >"$RESULTS/kernel"
touch_memory
load ttm_fence_lru_bench "${parameters[@]}"
[ $# -gt 0 ] || mapfile -t names <"$FILES/list"
[ $# = 0 ] || names=("$@")
number=0
for name in "${names[@]}"; do
	number=$((number + 1))
	since=$(date +%s)
	echo "-- $number of ${#names[@]}: $name ..."
	echo "$name" >"$FILES/run"
	cat "$FILES/results" >"$RESULTS/$name.samples"
	echo "   $(wc -l <"$RESULTS/$name.samples") samples, $(($(date +%s) - since)) s"
done
rmmod ttm_fence_lru_bench
