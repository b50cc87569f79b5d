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
	if [ "$status" != 0 ]; then
		say "not ok - the software GPU with $name: exit status $status"
		failed=1
	fi
}

# What takes a machine without lockdep and KASAN: large amounts of memory.
memory_tests()
{
	local fence_lru hog=(vram_mb=32 gtt_mb=2304)

	guest "memory hog" -m 3G "$MODULES" -- "$RUN" -r "--hog 2048" "${hog[@]}"
	guest "memory hog, no shrinker" -m 3G "$MODULES" -- \
		"$RUN" -r "--hog-limit 2048" "${hog[@]}" shrinker=0
	for fence_lru in 1 0; do
		guest "init_on_free, fence_lru=$fence_lru" "$MODULES" init_on_free=1 -- \
			"$RUN" -r --clear vram_mb=8 gtt_mb=384 fence_lru=$fence_lru
	done
}

memory=(swgpu.vram_mb=32 swgpu.gtt_mb=160 swgpu.job_timeout_ms=3000)
CASE=${CASE:-}

"$ROOT/scripts/build.sh" "$CONFIG"
run_step swgpu-test-tool "building the software GPU's test" "Read the log." \
	make -C "$ROOT/tools/swgpu-test" OUT="$(dirname "$TOOL")"

for fence_lru in 1 0; do
	for copy in cpu async; do
		guest "fence_lru=$fence_lru, copy=$copy" "$CONFIG" "${memory[@]}" \
			swgpu.devices=2 swgpu.fence_lru=$fence_lru swgpu.copy=$copy \
			-- "$RUN" ${CASE:+-c "$CASE"}
	done
done
if [ -z "$CASE" ]; then
	run_step replay "building tools/replay" "Read the log." \
		make -C "$ROOT/tools/replay" OUT="$BUILD/tools/replay"
	guest "replay" "$CONFIG" swgpu.vram_mb=128 swgpu.gtt_mb=160 \
		-- "$ROOT/tools/replay/report-test.sh"
	guest "broken=1" "$CONFIG" "${memory[@]}" swgpu.broken=1 -- "$TOOL" --broken
	guest "broken=2" "$CONFIG" "${memory[@]}" swgpu.broken=2 swgpu.copy=async \
		-- "$TOOL" --broken-copies
	if [ -n "$MANY" ]; then
		say "ok - the software GPU as a module # SKIP on one CPU only"
	elif [ -x "$(kernel_out "$MODULES")/linux" ]; then
		"$ROOT/scripts/build.sh" "$MODULES"
		guest "modules" "$MODULES" -- "$RUN"
		memory_tests
	else
		say "ok - the software GPU as a module # SKIP no kernel in build/$MODULES"
	fi
fi
exit "$failed"
