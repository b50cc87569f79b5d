#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tracing-guest.sh: in a guest, one replay in modelled time, or tests of the software GPU, with
# all events of the engine and of TTM recorded.
#
# tracing-guest.sh <directory> <modules> <parameters of swgpu> <seed> <job speed> <client> ...
# tracing-guest.sh <directory> <modules> <parameters of swgpu> --test <text>
# tracing-guest.sh <directory> <modules> <parameters of swgpu> --hung
#
# -e <events>, before all of that: these instead, systems or <system>/<event>.
#
# Leaves trace and lost in the directory, beside what the replay says. The modules are paths
# of files in the order in which they go in, swgpu last.

. "$(dirname "$0")/guest-lib.sh"

EVENTS="ttm_fence_lru ttm"
if [ "$1" = -e ]; then
	EVENTS=$2
	shift 2
fi
RESULT=$1 MODULES=$2 PARAMETERS=$3
TRACING=/sys/kernel/tracing
shift 3

insert_modules "$MODULES" "$PARAMETERS"
[ -d $TRACING/events ] || mount -t tracefs tracefs $TRACING
echo 131072 >$TRACING/buffer_size_kb
# The clock that is modelled.
echo mono >$TRACING/trace_clock
for event in $EVENTS; do
	echo 1 >"$TRACING/events/$event/enable"
done
# Most allocations wait for nothing.
echo 'took_ns > 20000' >$TRACING/events/swgpu/swgpu_alloc/filter
if [ "$1" = --test ]; then
	"$BUILD/tools/swgpu-test/swgpu-test" "$2"
	"$BUILD/tools/demo/read-counters" drain
elif [ "$1" = --hung ]; then
	run_in_turn "$RESULT" "$BUILD/tools/demo/hung-channel" >"$RESULT/counters"
	[ "$(<"$RESULT/status")" = 0 ]
else
	virtual_replay "$RESULT" "$@"
fi
echo 0 >$TRACING/tracing_on
grep -v '^#' $TRACING/trace >"$RESULT/trace"
awk '$1 == "overrun:" || $1 == "dropped" { sum += $NF } END { print sum + 0 }' \
	$TRACING/per_cpu/cpu*/stats >"$RESULT/lost"
find $TRACING/events/{ttm_fence_lru,ttm} -mindepth 1 -type d -printf '%f\n' >"$RESULT/events"
