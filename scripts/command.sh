#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What makes a command of a script: its variables are right, it can write, it is alone in
# this checkout, and it ends with all that it started. To be sourced by lib.sh.
#
# The first script of a command starts itself anew in a process group of its own, and
# waits. Those that it calls find IN_COMMAND set, and only do their work.

# Only what stands near the top: what a run writes over.
foreign_file()
{
	if [ -e "$BUILD" ]; then
		find "$BUILD" -maxdepth 2 ! -type l ! -user "$EUID" ! -writable -print -quit
	elif [ ! -w "$ROOT" ]; then
		say "$ROOT"
	fi
}

check_build()
{
	local file owner me place=$BUILD

	[ -e "$BUILD" ] || place=$ROOT
	file=$(foreign_file)
	if [ -n "$file" ]; then
		owner=$(stat -c %U "$file")
		me=$(id -un)
		die "$file belongs to $owner, and $me cannot write to it" \
		    "Run this as $owner. Or as root, once: chown -R $me $place"
	fi
	mkdir -p "$LOGS"
	[ -n "${TAKES_NO_ROOM:-}" ] || ! disk_is_full || die "${DISK_IS_FULL[@]}"
}

# The directory is locked, for that is there as long as the checkout is.
lock_checkout()
{
	exec 8<"$ROOT"
	flock -n 8 || {
		say "  waiting for another command in this checkout to end" \
		    "  ($(cat "$BUILD/.command" 2>/dev/null)) ..."
		flock 8
	}
	mkdir -p "$LOGS"
	say "$(basename "$0"), process $$" >"$BUILD/.command"
}

# Of each process: its number, state, parent, group and session.
processes()
{
	local stat line state parent group session

	for stat in /proc/[0-9]*/stat; do
		# It may have ended.
		{ read -r line <"$stat"; } 2>/dev/null || continue
		# Its name, in brackets, may be anything.
		read -r state parent group session _ <<<"${line##*) }"
		say "${line%% *} $state $parent $group $session"
	done
}

# The groups of a process and of all that descend from it. Installing packages is a
# session of its own, and left to end.
groups_below()
{
	processes | awk -v top="$1" '
		{ parent[$1] = $3; group[$1] = $4; session[$1] = $5 }
		END {
			for (process in parent) {
				for (up = process; up in parent && up != top;)
					up = parent[up]
				if (up == top && session[process] == session[top])
					print group[process]
			}
		}' | sort -u
}

# running <group> ...: whether something of these still runs.
running()
{
	processes | awk -v groups="$*" '
		BEGIN { split(groups, list, " "); for (i in list) wanted[list[i]] }
		$2 != "Z" && $4 in wanted { found = 1 }
		END { exit !found }'
}

# end_all <process>: it, and all it started, wherever that has got to.
end_all()
{
	local groups signal group tries

	groups=$(groups_below "$1")
	for signal in TERM KILL; do
		for group in $groups; do
			kill -$signal -- "-$group" 2>/dev/null || true
		done
		for ((tries = 0; tries < 50; tries++)); do
			# shellcheck disable=SC2086 # a word per group
			running $groups || return 0
			sleep 0.1
		done
	done
}

# interrupted <signal>: the parent of this script is to see what ended it.
# shellcheck disable=SC2317 # it is the traps'
interrupted()
{
	local worker

	trap '' INT TERM HUP
	for worker in $(jobs -p); do
		end_all "$worker"
	done
	wait 2>/dev/null || true
	echo "$(basename "$0"): stopped" >&2 || true
	trap - "$1"
	kill -"$1" $$
	# It may be ignored, as in the background of a script.
	exit 130
}

# supervise <script> [<argument> ...]: runs it, and ends with it.
supervise()
{
	local signal status=0

	check_variables
	check_build
	lock_checkout
	export IN_COMMAND=1
	for signal in INT TERM HUP; do
		# shellcheck disable=SC2064 # now
		trap "interrupted $signal" $signal
	done
	set -m
	"$BASH" "$@" </dev/null 8<&- &
	set +m
	wait $! 2>/dev/null || status=$?
	exit "$status"
}
