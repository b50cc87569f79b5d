#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/swgpu.sh: the software GPU through its ioctls, with the fence-ordered LRU and
# with today's delayed delete, with copies by the CPU and by the copy engine, on the test
# kernel: lockdep and KASAN watch. A replay on it reports what it has to. If the kernel of the
# demo is there, also as a module that is loaded and unloaded.
#
# CASE=<text>  only the cases whose names contain it
# CPUS=2       on two CPUs, and not as a module
#
# shellcheck disable=SC2317 # side_by_side calls what is defined here

. "$(dirname "$0")/../scripts/lib.sh"

CONFIG=um-test
# Logs of both are kept.
MANY=
[ "${CPUS:-1}" = 1 ] || MANY=-$CPUS-cpus
MODULES=um-demo
TOOL=$BUILD/tools/swgpu-test/swgpu-test
RUN=$ROOT/tools/swgpu-test/run.sh
failed=0

# guest <name> <config> [<kernel argument> ...] -- <script> ...
guest()
{
	local name=$1 status=0
	shift

	say "# $name"
	"$ROOT/scripts/boot.sh" -t 1200 -l "swgpu$MANY-${name//[^a-z0-9]/-}" "$@" </dev/null ||
		status=$?
	[ "$status" = 0 ] || say "not ok - the software GPU with $name: exit status $status"
	return "$status"
}

# in_mode <fence_lru>,<copy>: all cases on the test kernel.
in_mode()
{
	guest "fence_lru=${1%,*}, copy=${1#*,}" "$CONFIG" "${memory[@]}" \
		swgpu.devices=2 "swgpu.fence_lru=${1%,*}" "swgpu.copy=${1#*,}" \
		-- "$RUN" ${CASE:+-c "$CASE"}
}

# special <what>: what all the modes share. The last ones take a machine without lockdep and
# KASAN: large amounts of memory.
special()
{
	local hog=(vram_mb=32 gtt_mb=2304)

	case $1 in
	replay)
		guest "$1" "$CONFIG" swgpu.vram_mb=128 swgpu.gtt_mb=160 \
			-- "$ROOT/tools/replay/report-test.sh" ;;
	broken=1)
		guest "$1" "$CONFIG" "${memory[@]}" "swgpu.$1" -- "$TOOL" --broken ;;
	broken=2)
		guest "$1" "$CONFIG" "${memory[@]}" "swgpu.$1" swgpu.copy=async \
			-- "$TOOL" --broken-copies ;;
	modules)
		guest "$1" "$MODULES" -- "$RUN" ;;
	"memory hog")
		guest "$1" -m 3G "$MODULES" -- "$RUN" -r "--hog 2048" "${hog[@]}" ;;
	"memory hog, no shrinker")
		guest "$1" -m 3G "$MODULES" -- "$RUN" -r "--hog-limit 2048" "${hog[@]}" shrinker=0 ;;
	"init_on_free, "*)
		guest "$1" "$MODULES" init_on_free=1 -- \
			"$RUN" -r --clear vram_mb=8 gtt_mb=384 "${1#*, }" ;;
	esac
}

memory=(swgpu.vram_mb=32 swgpu.gtt_mb=160 swgpu.job_timeout_ms=3000)
CASE=${CASE:-}

"$ROOT/scripts/build.sh" "$CONFIG"
build_tool swgpu-test

side_by_side in_mode 1,cpu 1,async 0,cpu 0,async || failed=1
if [ -z "$CASE" ]; then
	build_tool replay
	also=(replay broken=1 broken=2)
	if [ -n "$MANY" ]; then
		say "ok - the software GPU as a module # SKIP on one CPU only"
	elif [ -x "$(kernel_out "$MODULES")/linux" ]; then
		"$ROOT/scripts/build.sh" "$MODULES"
		# Not the two that want much memory at the same time.
		also+=("memory hog" "init_on_free, fence_lru=1" "memory hog, no shrinker"
			"init_on_free, fence_lru=0" modules)
	else
		say "ok - the software GPU as a module # SKIP no kernel in build/$MODULES"
	fi
	side_by_side special "${also[@]}" || failed=1
fi
exit "$failed"
