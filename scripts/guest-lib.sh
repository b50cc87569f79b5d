#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What scripts share that run in a guest. To be sourced.

set -euo pipefail

# load <module> [<parameter> ...]: after what it depends on.
load()
{
	local module=$1 file dependency
	shift

	! grep -q "^$module " /proc/modules || return 0
	# shellcheck disable=SC2153 # KERNEL_OUT comes from boot.sh
	file=$(find "$KERNEL_OUT/drivers/gpu/drm" -name "$module.ko" | head -n 1)
	[ -n "$file" ] || { echo "there is no module $module in $KERNEL_OUT"; exit 1; }
	for dependency in $(modinfo -F depends "$file" | tr ',' ' '); do
		load "$dependency"
	done
	insmod "$file" "$@"
}

# The guest's memory is the host's, page by page, when first touched. Done here,
# it does not make the first run look slow.
touch_memory()
{
	local free_kib

	free_kib=$(awk '$1 == "MemFree:" { print $2 }' /proc/meminfo)
	mkdir /run/touch
	mount -t tmpfs -o size="$((free_kib * 9 / 10))k" tmpfs /run/touch
	# Ends when that is full.
	dd if=/dev/zero of=/run/touch/all bs=1M 2>/dev/null || true
	umount /run/touch
}

# insert_modules <files> <parameters of the last>: dead buffers may keep a 16th of the memory that
# the guest was given. TTM's default is a 16th of what the kernel leaves of that, so it depends
# on the compiler.
insert_modules()
{
	local file parameters limit

	# shellcheck disable=SC2153 # MEMORY comes from boot.sh
	limit=$(($(numfmt --from=iec "$MEMORY") / 16 / 4096))
	for file in $1; do
		parameters=
		[ "$file" != "${1##*[[:space:]]}" ] || parameters=$2
		[ "${file##*/}" != ttm.ko ] || parameters=zombie_pages_limit=$limit
		# shellcheck disable=SC2086 # one word each
		insmod "$file" $parameters
	done
}

# run_in_turn <directory> <program> [<argument> ...]: its tasks are real-time tasks of one
# priority: they run in the order in which they wake up. Leaves messages and status there.
run_in_turn()
{
	local result=$1 rc=0
	shift

	echo -1 >/proc/sys/kernel/sched_rt_runtime_us
	chrt -f 1 "$@" 2>"$result/messages" || rc=$?
	cat "$result/messages" >&2
	echo $rc >"$result/status"
}

# virtual_replay <directory> <seed> <job speed> <option or client> ...: in modelled time, with
# the module there. Leaves counters, before-drain, clients, messages and status in the directory.
virtual_replay()
{
	# shellcheck disable=SC2153 # BUILD comes from boot.sh
	local result=$1 seed=$2 speed=$3 tools=$BUILD/tools
	shift 3

	"$tools/demo/read-counters" reset
	run_in_turn "$result" "$tools/replay/replay" --seed "$seed" --job-speed "$speed" --pace \
		--stats "$result/clients" "$@"
	"$tools/demo/read-counters" read >"$result/before-drain"
	"$tools/demo/read-counters" drain >"$result/counters"
}
