#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# nouveau-init.sh: the init of the emulated machine, which has busybox and nouveau-test.

export PATH=/bin
CASE=
# shellcheck disable=SC1091 # nouveau.sh made it
. /job

# What is counted: an event and its key, each.
EVENTS='kprobes/release at
kprobes/evict common_cpu
workqueue/workqueue_execute_start function.sym
dma_fence/dma_fence_enable_signal common_cpu'

# Count from zero: what an event had is forgotten when its file is opened so.
count()
{
	echo "$EVENTS" | while read -r event key; do
		echo "hist:keys=$key" >"events/$event/trigger"
	done
}

begin_figures()
{
	mount -t tracefs tracefs /sys/kernel/tracing &&
		cd /sys/kernel/tracing &&
		echo 'p:release ttm_bo_cleanup_memtype_use at=%si' >kprobe_events &&
		echo 'p:evict nouveau_bo_evict_flags' >>kprobe_events
}

# hits <event> [<key>]: how often it happened, with a key that matches.
hits()
{
	awk "/hitcount:/ && /${2:-.}/"' { sum += $NF } END { print sum + 0 }' "events/$1/hist"
}

# figures <buffers>: what requests take, and what happens meanwhile, while another channel
# is blocked, with so many dead buffers.
figures()
{
	echo "# figures: dead buffers of a blocked channel, $1"
	count
	nouveau-test --figures "$1"
	# At 0 it was the last user's close that released the memory.
	all=$(hits kprobes/release)
	echo "# figure: buffers deleted: $all"
	echo "# figure: of these deferred deletes: $((all - $(hits kprobes/release 'at: *0 ')))"
	echo "# figure: work items of TTM and nouveau: $(hits workqueue/workqueue_execute_start '\[(ttm|nouveau)\]')"
	echo "# figure: fences with interrupt: $(hits dma_fence/dma_fence_enable_signal)"
	echo "# figure: evictions: $(hits kprobes/evict)"
}

mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t debugfs debugfs /sys/kernel/debug
exec </dev/null >/dev/ttyS0 2>&1
# The BIOS of Bochs tells that the card's interrupt is PIRQ B, but it is PIRQ A.
dd if=/sys/bus/pci/devices/0000:00:07.0/config of=/route bs=1 skip=97 count=1 2>/dev/null
dd if=/route of=/sys/bus/pci/devices/0000:00:07.0/config bs=1 seek=96 conv=notrunc 2>/dev/null
# Only what is meant to be on the console; all is in the log in the end.
dmesg -n 3
modprobe nouveau "$(tr ' ' '\n' </proc/cmdline | grep '^fence_lru=')"
echo "# $(uname -r), fence_lru=$(cat /sys/module/nouveau/parameters/fence_lru)"
nouveau-test ${CASE:+"$CASE"}
if [ -z "$CASE" ]; then
	if begin_figures; then
		figures 0
		figures 2
		figures 16
	else
		echo "not ok - what happens can be counted"
	fi
	nouveau-test --unbind
fi
echo "# the kernel's log"
dmesg -r
echo "# end"
sleep 1000
