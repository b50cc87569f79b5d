#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/timeline.sh: what make timeline draws is what the events say. On made-up events, of
# two channels of which one hangs, for both designs.

# shellcheck disable=SC2317 # functions are called by their names
. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/result-lib.sh"

SCRATCH=$BUILD/test-timeline

# events <second of the first>: <microseconds> <name> <fields>, from a clock of its own
events()
{
	local start=$1 us rest

	while read -r us rest; do
		printf '          replay-39      [000] .....   %d.%06d: %s\n' "$start" "$us" "$rest"
	done
}

# contents <file> <line> ...: these, and no more
contents()
{
	local file=$SCRATCH/hung/$1
	shift

	diff <(printf '%s\n' "$@") <(sed -E 's/\.0+( |$)/\1/g' "$file")
}

has()
{
	grep -qF -e "$2" "$1" || { cat "$1"; return 1; }
}

refused()
{
	! "$ROOT/scripts/timeline.py" "$SCRATCH/hung" - - || return 1
}

draw()
{
	gnuplot -c "$ROOT/scripts/timeline-plot.gnuplot" "$SCRATCH/hung" "$SCRATCH/hung.svg" \
		title "what happens" &&
		python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$SCRATCH/hung.svg"
}

# graph <graph> <text of a node or an edge>
graph()
{
	"$ROOT/scripts/flow.py" "$1" "$SCRATCH/hung/fence_lru/trace" >"$SCRATCH/dot" &&
		dot -Tsvg -o "$SCRATCH/graph.svg" "$SCRATCH/dot" &&
		has "$SCRATCH/dot" "$2"
}

"$ROOT/scripts/packages.sh" build demo
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"/hung/{today,fence_lru}
events 7 >"$SCRATCH/hung/today/trace" <<'EOF'
50000 swgpu_alloc: bytes=4096 took_ns=10 result=0 alive=3
100000 swgpu_death: type=2 bytes=4096 dead=1 dead_bytes=4096
200000 swgpu_job: channel=5 seqno=1 waited_ns=100000000 took_ns=100000000 copy=0
300000 swgpu_interrupt: for_dead=1
300000 swgpu_interrupt: for_dead=0
400000 swgpu_evict: bytes=4096
900000 swgpu_alloc: bytes=4096 took_ns=500000000 result=-512 alive=2
1000000 swgpu_freed: type=2 bytes=4096 dead=0 dead_bytes=0
1000000 swgpu_job: channel=6 seqno=1 waited_ns=500000000 took_ns=500000000 copy=0
1000000 swgpu_job: channel=6 seqno=2 waited_ns=500000000 took_ns=0 copy=0
EOF
events 3 >"$SCRATCH/hung/fence_lru/trace" <<'EOF'
0 ttm_fence_lru_attach: channel=5 seqno=1 seq=1 buffers=3 joined=3
100000 swgpu_death: type=2 bytes=4096 dead=1 dead_bytes=4096
100000 ttm_fence_lru_release: type=2 bytes=4096 channels=1
200000 swgpu_job: channel=5 seqno=1 waited_ns=100000000 took_ns=100000000 copy=0
400000 ttm_room_begin: dev=swgpu.0 type=2 bytes=4096 may_evict=1
400000 ttm_fence_lru_retire: channel=5 seqno=1 seq=1 alive=2 dead=1
400000 ttm_fence_lru_ripe: type=2 bytes=4096 channels=0
400000 ttm_fence_lru_cleaned: type=2 bytes=4096 site=reclaim
400000 swgpu_freed: type=2 bytes=4096 dead=0 dead_bytes=0
400000 ttm_room_reclaim: dev=swgpu.0 type=2 bytes=4096 result=0
400000 ttm_room_end: dev=swgpu.0 type=2 bytes=4096 result=0 waited_ns=0 evicted=0
1000000 swgpu_job: channel=6 seqno=1 waited_ns=500000000 took_ns=500000000 copy=0
1000000 swgpu_job: channel=6 seqno=2 waited_ns=500000000 took_ns=0 copy=0
EOF

quiet_result "both are read" "$ROOT/scripts/timeline.py" "$SCRATCH/hung" - -
quiet_result "a lane for each channel has its jobs" contents today/jobs "1 100 200" "2 500 1000"
quiet_result "what waited in the queue stands before them" has "$SCRATCH/hung/today/queued" "1 0.0 100.0"
quiet_result "dead buffers are counted" contents today/dead "0 0" "100 1" "1000 0" "1100 0"
quiet_result "so are those alive, of which one died" contents today/alive "0 0" "50 3" "100 2" \
	"900 2" "1100 2"
quiet_result "only what is asked for the dead is an interrupt for them" contents today/interrupts 300
quiet_result "evictions" contents today/evictions 400
quiet_result "an allocation that took long waited" contents today/allocs "-512 400 900"
quiet_result "clocks that began otherwise are the same window" contents fence_lru/dead "0 0" \
	"100 1" "400 0" "1100 0"
quiet_result "retires" contents fence_lru/retires 400
quiet_result "the counts of the title" has "$SCRATCH/hung/axes" \
	'today_title="1 interrupts for the dead, 1 evictions"'
quiet_result "it is drawn" draw
quiet_result "a part of it is read" "$ROOT/scripts/timeline.py" "$SCRATCH/hung" 350 100
quiet_result "beside its counts stand those of the whole" has "$SCRATCH/hung/axes" \
	'today_title="0 interrupts for the dead, 1 evictions (in the whole replay 1 interrupts, 1 evictions)"'
cat >"$SCRATCH/hung/today/clients" <<'EOF'
{"clients": [{"trace": "/traces/a-game-0", "submits": 1}, {"trace": "/traces/another-0", "submits": 1},
	     {"trace": "/traces/third-0", "submits": 2}]}
EOF
quiet_result "with a channel that hangs it is read" "$ROOT/scripts/timeline.py" "$SCRATCH/hung" - - 2
quiet_result "a channel has a program's name if it can be no other's" has "$SCRATCH/hung/axes" \
	'lane_names[2] = ["channel 1", "jobs of third"]'
quiet_result "today nothing is released while it hangs" has "$SCRATCH/hung/axes" \
	'today_title="0 of 1 dead buffers are released while it hangs"'
quiet_result "with the fence-ordered LRU it is" has "$SCRATCH/hung/axes" \
	'fence_lru_title="1 of 1 dead buffers are released while it hangs"'
quiet_result "that is drawn" draw
quiet_result "a buffer's states: it was used" graph states "a job uses it   \\n   3 times"
quiet_result "it became idle" graph states "and somebody looked   \\n   2 times"
quiet_result "its memory was wanted" graph states "an allocation wants memory   \\n   1 times"
quiet_result "the steps of an allocation" graph steps 'reclaim -> got [label="  1 "'
echo 'no event' >>"$SCRATCH/hung/today/trace"
quiet_result "what is no event is refused" refused
[ $FAILED = 0 ]
