#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/mesa.sh: Debian 13's Mesa, unmodified, with nouveau on the software chip: NVK is there;
# the cases of tools/vulkan-test and tools/gl-test; and many buffers of several processes, in VRAM
# that is too small; and memory beside a channel that hangs. With the fence-ordered LRU and with
# today's delayed delete. Lockdep and KASAN watch. In the end tables have both designs side by side.
#
# REQUESTS=<n>  how many VM_BINDs and EXECs each design is asked for: 10000; 100000 with FULL=1
# CASE=<text>   only vulkan-test's cases whose names contain it

. "$(dirname "$0")/../scripts/lib.sh"
. "$(dirname "$0")/../scripts/nvsw-lib.sh"

# shellcheck disable=SC2034 # guest of nvsw-lib.sh
GUEST=mesa.sh
VULKAN=$BUILD/tools/vulkan-test/vulkan-test
GL=$BUILD/tools/gl-test/gl-test
CASE=${CASE:-}
REQUESTS=${REQUESTS:-${FULL:+100000}}
REQUESTS=${REQUESTS:-10000}
PROCESSES=4
export BOOT_TIMEOUT=${BOOT_TIMEOUT:-3600}

# verdict <name> <command> ...
verdict()
{
	local name=$1 not=
	shift

	"$@" || { not="not "; failed=1; }
	say "${not}ok - $name"
}

# said <name of a guest> <pattern>: what a line that it printed says, behind the pattern.
said()
{
	sed -n "s/^# $2//p" "$(log_of "$1")"
}

# churn <fence_lru>: its figures are those that it prints.
churn()
{
	local name="buffers of $PROCESSES processes, fence_lru=$1" items

	VRAM_MB=16 guest "$name" nouveau.fence_lru="$1" nouveau.nvsw_delay_us=10 -- \
		"$VULKAN" --churn $PROCESSES "$REQUESTS"
	items=$(said "$name" "ttm: work_items=")
	if [ "$1" = 1 ]; then
		verdict "$name: work items: $items" test "$items" = 0
		verdict "$name: buffers left VRAM for others" \
			test "$(said "$name" "ttm: evictions=")" -gt 0
	else
		verdict "$name: work items are seen: $items" test "$items" -gt 0
	fi
}

# stuck <fence_lru>: memory of programs that let go of it, beside a channel that hangs.
stuck()
{
	VRAM_MB=64 guest "beside a channel that hangs, fence_lru=$1" nouveau.fence_lru="$1" -- \
		"$VULKAN" --stuck
}

"$ROOT/scripts/mesa-tree.sh"
"$ROOT/scripts/build.sh" um-nvsw
build_tool vulkan-test TREE="$BUILD/mesa/tree"
build_tool gl-test TREE="$BUILD/mesa/tree"

if [ -z "$CASE" ]; then
	guest "vulkaninfo" -- vulkaninfo --summary
	verdict "NVK has the chip" grep -q 'deviceName .*NVK NVSW (TU102)' "$LOGS/nvsw-vulkaninfo.log"
fi
for fence_lru in 1 0; do
	VRAM_MB=32 guest "vulkan, fence_lru=$fence_lru" nouveau.fence_lru=$fence_lru -- \
		"$VULKAN" ${CASE:+"$CASE"}
	[ -z "$CASE" ] || continue
	churn $fence_lru
	stuck $fence_lru
	VRAM_MB=96 guest "opengl, fence_lru=$fence_lru" nouveau.fence_lru=$fence_lru -- "$GL"
done
if [ -z "$CASE" ]; then
	say
	table "Vulkan: buffers of $PROCESSES processes" "buffers of $PROCESSES processes"
	table "Vulkan: memory beside a hung channel" "beside a channel that hangs"
	table "OpenGL: buffers of five processes" "opengl"
fi
exit "$failed"
