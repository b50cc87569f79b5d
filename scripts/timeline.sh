#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# timeline.sh: draws the same traffic under today's TTM and under the fence-ordered LRU, from
# tracepoints, in modelled time: channels as lanes with their jobs, who waits, what is evicted,
# and dead buffers. Writes into build/timeline/, or build/timeline-6.12/: replay.svg; hung.svg of
# the hung channel; states.svg and steps.svg: the states of buffers and the steps of
# allocations, counted.
#
# TRACES=<names>  recordings in traces/, or files; each is a client
# VRAM_MB=<MiB>, JOB_SPEED=<factor>, SEED=<n>  as in make demo
# COPY=cpu|async  who moves buffers; default: async
# START_MS=<ms>   what is drawn; default: where most buffers die busy
# LENGTH_MS=<ms>  how much of it; default: 300

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/virtual-lib.sh"

RESULTS=$(kernel_out timeline)
# What was given: pictures of other settings are not those of the documents.
SETTINGS=
for variable in SEED VRAM_MB JOB_SPEED TRACES COPY START_MS LENGTH_MS; do
	[ -z "${!variable:-}" ] || SETTINGS+="${SETTINGS:+ }$variable=${!variable}"
done
SEED=${SEED:-1}
JOB_SPEED=${JOB_SPEED:-1}
VRAM_MB=${VRAM_MB:-48}
COPY=${COPY:-async}
[[ $COPY != *" "* ]] || refuse "COPY=$COPY: one of them is drawn" "Give COPY=cpu or COPY=async."
TRACES=${TRACES:-piglit-streaming-texture-leak openarena-gl1-mapcycle}
# Those that are drawn; an allocation only if it waited.
EVENTS="swgpu ttm $(printf 'ttm_fence_lru/ttm_fence_lru_%s ' attach retire release ripe leftover cleaned)"

# record <picture> <design> <VRAM MiB> <cpu or async> <what to do> ...
record()
{
	local directory=$RESULTS/$1/$2 design=$2 vram_mb=$3 copy=$4 fence_lru=1
	shift 4

	[ "$design" != today ] || fence_lru=0
	mkdir -p "$directory"
	"$ROOT/scripts/boot.sh" -v -t 1200 -m $((vram_mb + 1536))M \
		-l "timeline-$design" um-demo -- "$ROOT/scripts/tracing-guest.sh" -e "$EVENTS" \
		"$directory" "$(swgpu_modules)" \
		"vram_mb=$vram_mb fence_lru=$fence_lru cost=1 copy=$copy" "$@"
}

# draw <picture> <title> <what happens> <start ms> <length ms> [<lane of a channel that hangs>]
draw()
{
	"$ROOT/scripts/timeline.py" "$RESULTS/$1" "${@:4}"
	gnuplot -c "$ROOT/scripts/timeline-plot.gnuplot" "$RESULTS/$1" "$RESULTS/$1.svg" "$2" "$3"
}

# draw_graph <graph>: what happened with the fence-ordered LRU, counted.
draw_graph()
{
	"$ROOT/scripts/flow.py" "$1" "$RESULTS/replay/fence_lru/trace" >"$RESULTS/$1.dot"
	dot -Tsvg -o "$RESULTS/$1.svg" "$RESULTS/$1.dot"
}

"$ROOT/scripts/packages.sh" build demo
run_step tools "building the programs of the demo" "Is libc's static library there?" build_tools
clients=()
for name in $TRACES; do
	clients+=("$(compile_client "$name")")
done
"$ROOT/scripts/build.sh" um-demo
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
say "$("$ROOT/scripts/sources-key.sh" timeline)" "$SETTINGS" >"$RESULTS/made-of"
for design in today fence_lru; do
	run_step "timeline-$design" "recording what happens: $design" "Read the log." \
		record replay "$design" "$VRAM_MB" "$COPY" "$SEED" "$JOB_SPEED" "${clients[@]}"
	run_step "timeline-hung-$design" "recording the hung channel: $design" "Read the log." \
		record hung "$design" 128 cpu --hung
done
title="Memory pressure: the same ${LENGTH_MS:-300} ms of the same programs,"
names=$(tr -s '[:space:]' ' ' <<<"${TRACES//.trace.xz/}")
names=${names% }
run_step draw-replay "drawing" "Read the log." draw replay \
	"$title which share $VRAM_MB MiB of VRAM" "What is replayed: ${names// /, }" \
	"${START_MS:--}" "${LENGTH_MS:-300}"
happens="1,000 more have died on channels 2 to 5, which go on. At 2 s a program asks for the memory"
run_step draw-hung "drawing the hung channel" "Read the log." draw hung \
	"A channel hangs, and 20 dead buffers on it keep all 16 of today's workers" \
	"$happens of these 1,000." - - 1
for graph in states steps; do
	run_step "draw-$graph" "drawing the $graph" "Read the log." draw_graph "$graph"
done
say "timeline: see ${RESULTS#"$ROOT/"}/{replay,hung,states,steps}.svg"
