#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# nvsw-guest.sh <program> [<argument> ...]: runs it in a guest that has the software chip, and
# says what the chip has seen, and what TTM has done.

set -u
CHIP=/sys/kernel/debug/nvsw
TRACING=/sys/kernel/tracing

# count <name> <event> [<filter>]: how often that happens from now on.
count()
{
	mkdir "$TRACING/instances/$1"
	# Only how many there were is of interest.
	echo 4 >"$TRACING/instances/$1/buffer_size_kb"
	[ $# -lt 3 ] || echo "$3" >"$TRACING/instances/$1/events/$2/filter"
	echo 1 >"$TRACING/instances/$1/events/$2/enable"
}

# counted <name>: how often it did.
counted()
{
	awk '/^(entries|overrun):/ { sum += $2 } END { print sum + 0 }' \
		"$TRACING/instances/$1"/per_cpu/cpu*/stats
}

if [ ! -e /sys/bus/pci/drivers/nouveau/0000:01:00.0 ]; then
	echo "not ok - nouveau has the software chip"
	dmesg | grep -E 'nouveau|nvsw' | tail -n 20
	exit 1
fi
[ -d $TRACING/instances ] || mount -t tracefs tracefs $TRACING
count work_items workqueue/workqueue_queue_work 'workqueue == "ttm"'
count zombies ttm_fence_lru/ttm_fence_lru_release
count signaling dma_fence/dma_fence_enable_signal 'driver == "nouveau"'
count copies dma_fence/dma_fence_init 'timeline == "copy engine channel"'
count evictions ttm/ttm_room_evict 'busy == 0'
count released_by_reclaim ttm_fence_lru/ttm_fence_lru_cleaned 'site == 0'
status=0
"$@" || status=$?
# It goes with the driver.
if [ -d "$CHIP" ]; then
	sed 's/^/# chip: /' "$CHIP/counters"
	sed 's/^/# chip ignored: /' "$CHIP/unknown_methods"
fi
for name in work_items zombies signaling copies evictions released_by_reclaim; do
	echo "# ttm: $name=$(counted $name)"
done
exit $status
