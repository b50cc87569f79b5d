#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/virtual-time.sh: in modelled time one seed has one outcome, byte for byte, also
# while the machine is busy with something else; and each price that is doubled has another.

. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/result-lib.sh"
. "$ROOT/scripts/virtual-lib.sh"

RESULTS=$BUILD/test-virtual-time

# run <name> <parameters of swgpu> [<seed>]
run()
{
	"$ROOT/scripts/outcome.sh" "$RESULTS/$1" "${@:2}"
}

same()
{
	cmp "$RESULTS/$1/counters" "$RESULTS/$2/counters" &&
		cmp "$RESULTS/$1/clients" "$RESULTS/$2/clients"
}

other()
{
	! same "$1" "$2" >/dev/null 2>&1
}

is_same()
{
	result "$3" same "$1" "$2"
}

is_other()
{
	result "$3" other "$1" "$2"
}

# The first run has all processors busy, the second none.
repeat()
{
	local name=$1 parameters=$2 load=() _

	for _ in $(seq $(($(nproc) * 2))); do
		(while :; do :; done) &
		load+=($!)
	done
	run "$name-loaded" "$parameters"
	kill "${load[@]}"
	wait "${load[@]}" 2>/dev/null || true
	run "$name" "$parameters"
	is_same "$name-loaded" "$name" "one seed, one outcome: $parameters"
}

# double <price> <ns> <run to compare with> <parameters>
double()
{
	run "$1" "$4 $1=$(($2 * 2))"
	is_other "$1" "$3" "twice the price, another outcome: $1, $4"
}

# prices: name and ns of each, as they stand in the source.
prices()
{
	awk -F '[][=,()]+' '/^\t\[SWGPU_COST_.*\] = / { ns[$2] = $4 + 0 }
		/^module_param_named\(.*_ns, prices/ { print $2, ns[$4] }' \
		"$ROOT/swgpu/swgpu_cost.c"
}

"$ROOT/scripts/packages.sh" build demo
run_step replay "building the replay" "Is libc's static library there?" build_tools
"$ROOT/scripts/build.sh" um-demo
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
repeat ours fence_lru=1
repeat today fence_lru=0
run other-seed fence_lru=1 2
is_other other-seed ours "another seed, another outcome"
while read -r price ns; do
	case $price in
	work_item_ns | switch_ns) double "$price" "$ns" today fence_lru=0 ;;
	*)                        double "$price" "$ns" ours fence_lru=1 ;;
	esac
done < <(prices)
rm -rf "$RESULTS"
say "1..$NR"
[ $FAILED = 0 ] || die "modelled time is not what it should be"
