#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/tracing.sh: the events of the engine and of TTM tell what happened, in replays in
# modelled time and in a test with a foreign fence, with all of them recorded.

. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/virtual-lib.sh"

RESULTS=$BUILD/test-tracing

# record <name> <-v, or nothing> <parameters of swgpu> <what to do> ...
record()
{
	local name=$1 virtual=$2 parameters=$3
	shift 3

	mkdir -p "$RESULTS/$name"
	# shellcheck disable=SC2086 # an option, or none
	"$ROOT/scripts/boot.sh" $virtual -t 1200 -m $((SMALL_REPLAY_MB + 1536))M -l "tracing-$name" \
		um-demo -- "$ROOT/scripts/tracing-guest.sh" "$RESULTS/$name" \
		"$(swgpu_modules)" "vram_mb=$SMALL_REPLAY_MB $parameters" "$@" </dev/null >"$RESULTS/$name.log" 2>&1 || {
		cat "$RESULTS/$name.log"
		die "a guest with its events recorded failed: $name"
	}
}

# replay <copy>
replay()
{
	local clients=() client

	for client in "${SMALL_REPLAY[@]}"; do
		clients+=("$(compile_client "$client")")
	done
	record "$1" -v "fence_lru=1 cost=1 copy=$1" 1 1 "${clients[@]}"
}

"$ROOT/scripts/packages.sh" build
run_step replay "building the replay" "Is libc's static library there?" build_tools
build_tool swgpu-test
"$ROOT/scripts/build.sh" um-demo
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
replay cpu
replay async
record foreign "" "fence_lru=1 gtt_mb=160 devices=2 job_timeout_ms=3000" --test "another device"
python3 "$ROOT/tests/tracing.py" "$RESULTS"/{cpu,async,foreign}
