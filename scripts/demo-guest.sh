#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# demo-guest.sh: what the demo does in the guest, in modelled time. One boot runs every
# phase with both designs in turn and leaves the kernel's counters in that directory.
#
# demo-guest.sh <directory> <seed> <job speed> <VRAM MiB> <VRAM MiB under pressure> <prices> <client> ...

. "$(dirname "$0")/guest-lib.sh"

RESULTS=$1 SEED=$2 JOB_SPEED=$3 PLENTY_MB=$4 VRAM_MB=$5 PRICES=$6
shift 6
# shellcheck disable=SC2153 # BUILD, ROOT and KERNEL_OUT come from boot.sh
TOOLS=$BUILD/tools
HUNG_MB=128

load_driver()
{
	local design=$1 vram_mb=$2 fence_lru=0

	[ "$design" = today ] || fence_lru=1
	# shellcheck disable=SC2086 # one word each
	load swgpu cost=1 fence_lru=$fence_lru vram_mb="$vram_mb" $PRICES
}

# replay <phase> <design> <VRAM MiB> <client> ...
replay()
{
	local phase=$1 design=$2 vram_mb=$3 name=$RESULTS/$1.$2
	shift 3

	echo "-- $phase, $design: $vram_mb MiB of VRAM"
	load_driver "$design" "$vram_mb"
	virtual_replay "$name." "$SEED" "$JOB_SPEED" --timeline "$name.csv" "$@"
	rmmod swgpu
}

hung_channel()
{
	local design=$1 name=$RESULTS/hung_channel.$1 rc=0

	echo "-- hung channel, $design"
	load_driver "$design" $HUNG_MB
	chrt -f 1 "$TOOLS/demo/hung-channel" >"$name.counters" 2>"$name.messages" || rc=$?
	cat "$name.messages"
	echo $rc >"$name.status"
	rmmod swgpu
}

uname -r >"$RESULTS/kernel"
for phase in no_pressure pressure; do
	vram_mb=$PLENTY_MB
	[ $phase = no_pressure ] || vram_mb=$VRAM_MB
	for design in today fence_lru; do
		replay $phase $design "$vram_mb" "$@"
	done
done
for design in today fence_lru; do
	hung_channel $design
done
