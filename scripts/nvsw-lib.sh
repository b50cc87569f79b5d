#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What programs on the software chip share: how they are called, a guest for each part of a test,
# and what its kernel may say. To be sourced after lib.sh.

# shellcheck disable=SC2034 # for the script that sources this
failed=0

# The chip's kernel.
CONFIG=um-nvsw
if [ "${CPUS:-1}" != 1 ]; then
	CONFIG=x86-nvsw
	[ "$KERNEL" != 6.12 ] ||
		refuse "CPUS=$CPUS: on Linux 6.12 the software chip has one CPU" "KERNEL=7.3 has two, in QEMU."
fi

# What nouveau says when it begins, and of channels that fault, hang or are killed.
WELCOME='NVIDIA NVSW|fb: [0-9]+ MiB|drm: (VRAM|GART|MM: )|fifo: fault |fifo:.*(rc scheduled|errored - disabling)'
WELCOME+='|channel [0-9]+ killed|failed to idle channel'

# Of a device that is not to sleep now.
WELCOME+='|drm: failed to evict buffers|PM: '

# Of VRAM that is full of the dead: it is asked for again.
WELCOME+='|imem: OOM: [0-9a-f ]+ -28'

# split_command [<kernel argument> ...] -- <program> [<argument> ...]: sets ARGUMENTS, and COMMAND.
# shellcheck disable=SC2034 # for the script that sources this
split_command()
{
	ARGUMENTS=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		ARGUMENTS+=("$1")
		shift
	done
	[ $# -ge 2 ] ||
		die "usage: $(basename "$0") [<kernel argument> ...] -- <program> [<argument> ...]"
	COMMAND=("${@:2}")
}

# complaints <log>: what else nouveau or the chip said.
complaints()
{
	grep -aE 'nvsw: |nouveau [0-9a-f:.]+: ' "$1" | grep -avE "$WELCOME"
}

# stack_left <log>: the least that a task that has ended had left.
stack_left()
{
	sed -n 's/.*used greatest stack depth: \([0-9]*\) bytes left.*/\1/p' "$1" |
		sort -n | sed -n '1s/.*/# & bytes of a stack were left/p'
}

# log_of <name of a guest>: what it printed.
log_of()
{
	say "$LOGS/nvsw-${1//[^a-z0-9]/-}.log"
}

# table <title> <name>: both designs, of the guests "<name>, fence_lru=<0 or 1>".
table()
{
	"$ROOT/scripts/nvsw-table.py" "$1" "$(log_of "$2, fence_lru=0")" "$(log_of "$2, fence_lru=1")"
}

# guest <name> [<kernel argument> ...] -- <program> [<argument> ...]: by GUEST, if that is not
# nvsw.sh. What it said is in build/logs/nvsw-<name>.log, too.
guest()
{
	local name=$1 status=0 log
	shift

	say "# $name"
	log=$(basename "$(log_of "$name")" .log)
	NVSW_LOG=$log "$ROOT/scripts/${GUEST:-nvsw.sh}" "$@" </dev/null |
		tee "$LOGS/$log.log" || status=$?
	if [ "$status" != 0 ]; then
		say "not ok - $name: exit status $status"
		failed=1
	fi
	stack_left "$LOGS/boot-$log.log"
	if complaints "$LOGS/boot-$log.log"; then
		say "not ok - $name: the kernel's log is clean"
		failed=1
	else
		say "ok - $name: the kernel's log is clean"
	fi
}
