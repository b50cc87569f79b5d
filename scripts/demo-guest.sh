#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# demo-guest.sh: what the demo does in the guest. One boot runs every phase
# with both designs in turn and leaves the kernel's counters in build/demo.
#
# demo-guest.sh <seed> <job speed> <VRAM MiB> <VRAM MiB under pressure> <trace> ...

. "$(dirname "$0")/guest-lib.sh"

SEED=$1 JOB_SPEED=$2 PLENTY_MB=$3 VRAM_MB=$4
shift 4
# shellcheck disable=SC2153 # BUILD, ROOT and KERNEL_OUT come from boot.sh
RESULTS=$BUILD/demo
TOOLS=$BUILD/tools
HUNG_MB=128

load_driver()
{
	local design=$1 vram_mb=$2 fence_lru=0

	[ "$design" = today ] || fence_lru=1
	load swgpu fence_lru=$fence_lru vram_mb="$vram_mb"
}

# replay <phase> <design> <VRAM MiB> <trace> ...
replay()
{
	local phase=$1 design=$2 vram_mb=$3 name=$RESULTS/$1.$2 options=() rc=0
	shift 3

	echo "-- $phase, $design: $vram_mb MiB of VRAM"
	[ "$phase" != pressure ] || options=(--timeline "$name.csv")
	load_driver "$design" "$vram_mb"
	"$TOOLS/demo/read-counters" reset
	# Through a pipe: the guest's console is a terminal, the caller's may be none.
	"$TOOLS/replay/replay" --seed "$SEED" --job-speed "$JOB_SPEED" --progress \
		--stats "$name.clients" "${options[@]}" "$@" |& cat || rc=$?
	"$TOOLS/demo/read-counters" read >"$name.before-drain"
	"$TOOLS/demo/read-counters" drain >"$name.counters"
	echo $rc >"$name.status"
	rmmod swgpu
}

hung_channel()
{
	local design=$1 name=$RESULTS/hung_channel.$1 rc=0

	echo "-- hung channel, $design"
	load_driver "$design" $HUNG_MB
	"$TOOLS/demo/hung-channel" >"$name.counters" 2>"$name.messages" || rc=$?
	cat "$name.messages"
	echo $rc >"$name.status"
	rmmod swgpu
}

uname -r >"$RESULTS/kernel"
touch_memory
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
