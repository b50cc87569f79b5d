#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# boot-test-init.sh: the init of the boot test's guest, which has busybox and what
# boot-test.sh put there. Results are lines "ok" and "not ok" on the console.

# Modules in the order in which they can be loaded, from files of these names.
# shellcheck disable=SC2034 # for the file
DRIVER='' DRIVER_NAME='' STOCK='' OURS='' OTHERS=''
# Sets these, and TRACES.
# shellcheck disable=SC1091 # boot-test.sh made it
. /job

export PATH=/bin
NR=0

result()
{
	NR=$((NR + 1))
	echo "$1 $NR - $2"
}

# try <what> <command> ...
try()
{
	what=$1
	shift
	if "$@" >/out 2>&1; then
		result ok "$what"
	else
		result "not ok" "$what"
		sed 's/^/# /' /out
	fi
}

load()
{
	for module; do
		grep -q "^$(echo "$module" | tr - _) " /proc/modules ||
			insmod "/modules/$module.ko" || return 1
	done
}

# unload <module> ...: also checks that they go at once.
unload()
{
	for module; do
		rmmod "$module" || return 1
	done
}

# users <module>: how many modules use it.
users()
{
	awk -v name="$1" '$1 == name { print $3 }' /proc/modules
}

# Both TTMs are in use, each by its own.
side_by_side()
{
	[ "$(users ttm)" -gt 0 ] && [ "$(users fl_ttm)" -gt 0 ]
}

# Neither TTM counts the other's pages: if both swap only at their limits, there must be
# memory left even then.
limits_leave_room()
{
	theirs=$(cat /sys/module/ttm/parameters/pages_limit)
	ours=$(cat /sys/module/fl_ttm/parameters/pages_limit)
	pages=$(awk '/^MemTotal:/ { print int($2 / 4) }' /proc/meminfo)
	echo "limits of $theirs and $ours pages, of $pages"
	[ "$theirs" -gt 0 ] && [ "$ours" -gt 0 ] &&
		[ $((theirs + ours)) -le $((pages * 3 / 4)) ]
}

is_ours()
{
	for module; do
		[ -e "/sys/module/$module/version" ] ||
			{ echo "$module has no version: not ours"; return 1; }
	done
}

replay()
{
	# shellcheck disable=SC2086 # a word per trace
	replay_tool --job-speed "$SPEED" --limit "$LIMIT" $TRACES
}

# What the software GPU found wrong: contents, and what was left over.
swgpu_is_clean()
{
	rmmod swgpu && load swgpu
}

# unload_stock: the driver, and those that only it uses.
unload_stock()
{
	for module in $DRIVER drm_vram_helper drm_ttm_helper ttm; do
		! grep -q "^$module " /proc/modules || unload "$module" || return 1
	done
	! grep -q '^ttm ' /proc/modules
}

unbind_console()
{
	for console in /sys/class/vtconsole/vtcon*; do
		! grep -q 'frame buffer' "$console/name" || echo 0 >"$console/bind"
	done
}

mkdir -p /proc /sys /dev /run /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t debugfs debugfs /sys/kernel/debug
exec </dev/null >/dev/ttyS0 2>&1
# Only what is meant to be on the console; all is in the log in the end.
dmesg -n 3

echo "# $(uname -r)"
# shellcheck disable=SC2086 # a word per module
try "the kernel's own TTM and $DRIVER_NAME load" load $STOCK
mkfifo /run/held
hold /dev/dri/card0 "$DRIVER_NAME" </run/held >/run/hold.out 2>&1 &
HOLDER=$!
exec 3>/run/held
# shellcheck disable=SC2086
try "our modules load beside them" load $OTHERS $OURS
try "each TTM has users of its own" side_by_side
try "their limits leave a quarter of memory" limits_leave_room
try "they are ours" is_ours ttm_fence_lru fl_ttm fl_ttm_helper swgpu nouveau
try "TTM's debugfs is there twice" test -d /sys/kernel/debug/ttm -a -d /sys/kernel/debug/fl_ttm
try "a trace replays on the software GPU" replay
try "the software GPU goes and comes back" swgpu_is_clean
exec 3>&-
try "what $DRIVER_NAME held is unchanged" wait $HOLDER
try "our modules unload" unload swgpu nouveau fl_ttm_helper fl_ttm ttm_fence_lru
try "$DRIVER_NAME is still there" test -e /dev/dri/card0
unbind_console
try "$DRIVER_NAME and the kernel's own TTM unload" unload_stock
echo "# the kernel's log"
dmesg -r
echo "# end"
poweroff -f
