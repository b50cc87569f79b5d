#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/swgpu.sh: the software GPU through its ioctls, with the fence-ordered LRU and
# with today's delayed delete, on the test kernel: lockdep and KASAN watch.

. "$(dirname "$0")/../scripts/lib.sh"

CONFIG=um-test
TOOL=$BUILD/tools/swgpu-test/swgpu-test
failed=0

"$ROOT/scripts/build.sh" "$CONFIG"
run_step swgpu-test-tool "building the software GPU's test" "Read the log." \
	make -C "$ROOT/tools/swgpu-test" OUT="$(dirname "$TOOL")"

for fence_lru in 1 0; do
	say "# fence_lru=$fence_lru"
	status=0
	"$ROOT/scripts/boot.sh" -t 600 -l "swgpu-$fence_lru" "$CONFIG" \
		swgpu.fence_lru=$fence_lru swgpu.vram_mb=32 swgpu.gtt_mb=160 swgpu.devices=2 \
		-- "$TOOL" </dev/null || status=$?
	if [ "$status" != 0 ]; then
		say "not ok - the software GPU with fence_lru=$fence_lru: exit status $status"
		failed=1
	fi
done
exit "$failed"
