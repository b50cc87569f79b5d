#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# boot.sh [-v] [-t <seconds>] [-m <memory>] [-l <name>] <config> [<kernel argument> ...] -- <script> [<argument> ...]
#
# Boots build/<config>/linux, User-Mode Linux, on the files of this machine and
# runs the script in it as root. What the script says appears here; what the
# kernel says goes to build/logs/boot-<name>.log. The guest sees all files but
# can write only below build/ and in its own /tmp and /run. In the guest KERNEL_OUT is
# where the kernel and its modules are.
#
# -v: the clock is modelled: it starts at 0, and moves only by delays and sleeps. Nothing in
# the guest is random, nor on this machine where the kernel may see it.
#
# Exit status: the script's; else 124: took longer than the time given (600 s),
# 125: the guest did not come up or died, 99: the kernel complained.

. "$(dirname "$0")/lib.sh"

usage()
{
	die "usage: boot.sh [-v] [-t <seconds>] [-m <memory>] [-l <name>] <config> [<kernel argument> ...] -- <script> [<argument> ...]"
}

TIMEOUT=${BOOT_TIMEOUT:-600}
MEMORY=1G
NAME=
kernel_args=()
virtual=()
while getopts vt:m:l: option; do
	case $option in
	v)
		kernel_args=(time-travel=inf-cpu time-travel-start=0 norandmaps
			random.trust_cpu=off random.trust_bootloader=off)
		# Where the heap begins decides how much memory the guest has.
		! setarch -R true 2>/dev/null || virtual=(setarch -R) ;;
	t) TIMEOUT=$OPTARG ;;
	m) MEMORY=$OPTARG ;;
	l) NAME=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 3 ] || usage
case $1 in
*/*) OUT=$(cd "$1" && pwd -P) ;;
*)   OUT=$(kernel_out "$1") ;;
esac
shift
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	kernel_args+=("$1")
	shift
done
[ $# -ge 2 ] || usage
shift
script=$(realpath "$1")
shift
[ -x "$OUT/linux" ] || die "there is no kernel in $OUT" "Build it: scripts/build.sh <config>"
[ -f "$script" ] || die "there is no script $script"

NAME=${NAME:-$(basename "$script" .sh)}
CONSOLE=$LOGS/boot-$NAME.log
mkdir -p "$BUILD/boot"
RUN=$(mktemp -d "$BUILD/boot/$NAME.XXXXXX")
GUEST=
WATCHDOG=

# The guest, with the processes that it traces: its own process group.
kill_guest()
{
	local dog=$WATCHDOG guest=$GUEST

	WATCHDOG='' GUEST=''
	[ -z "$dog" ] || kill -KILL -- "-$dog" 2>/dev/null || true
	[ -z "$guest" ] || kill -KILL -- "-$guest" 2>/dev/null || true
	[ -z "$guest" ] || wait "$guest" 2>/dev/null || true
}

# shellcheck disable=SC2317 # it is the trap's
finish()
{
	kill_guest
	rm -rf "$RUN"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# What the guest is to do, as it will read it.
{
	printf 'export ROOT=%q BUILD=%q KERNEL_OUT=%q MEMORY=%q\n' "$ROOT" "$BUILD" "$OUT" "$MEMORY"
	printf 'run=%q\ndirectory=%q\nset --' "$RUN" "$PWD"
	printf ' %q' "$script" "$@"
	echo
} >"$RUN/job"
TMPDIR=$(memory_dir "$MEMORY")
export TMPDIR

cpus=$(cpu_arguments "$OUT")
# shellcheck disable=SC2206 # two words, or none
command=("${virtual[@]}" "$OUT/linux" $cpus mem="$MEMORY" root=/dev/root rootfstype=hostfs rootflags=/ ro
	init="$ROOT/scripts/guest.sh" guest_job="$RUN/job" uml_dir="$RUN/uml"
	con=null "con0=null,fd:1" "con1=null,fd:3" console=tty0 oops=panic kunit.enable=0
	"${kernel_args[@]}")
: >"$CONSOLE"
# A pipe for what the script says: the guest must not meddle with the caller's
# terminal. A process group of its own, so that all of it can be killed.
mkfifo "$RUN/says"
cat "$RUN/says" &
says=$!
set -m
"${command[@]}" </dev/null 3>"$RUN/says" >>"$CONSOLE" 2>&1 &
GUEST=$!
{
	sleep "$TIMEOUT"
	stat -c %s "$CONSOLE" >"$RUN/late"
	kill -TERM "$GUEST"
	sleep 5
	kill -KILL -- "-$GUEST"
} </dev/null >/dev/null 2>&1 &
WATCHDOG=$!
disown "$WATCHDOG"
set +m
rc=0
wait "$GUEST" 2>/dev/null || rc=$?
kill_guest
wait "$says" || true

# A kernel that is killed may complain of that.
[ ! -e "$RUN/late" ] || truncate -s "$(cat "$RUN/late")" "$CONSOLE"
if splats "$CONSOLE" >"$RUN/splats"; then
	{
		printf 'error: the kernel complained:\n'
		head -n 40 "$RUN/splats"
		printf '       The whole log is in %s\n' "${CONSOLE#"$ROOT/"}"
	} >&2
	exit 99
fi
if [ -s "$RUN/status" ]; then
	exit "$(cat "$RUN/status")"
fi
# What guest.sh could not do.
reason=$(sed -n 's/^guest\.sh: //p' "$CONSOLE" | tr -d '\r' | tail -n 1)
{
	printf -- '--- the end of %s\n' "${CONSOLE#"$ROOT/"}"
	tail -n 20 "$CONSOLE"
	printf -- '---\n'
	if [ -e "$RUN/late" ]; then
		printf 'error: %s took longer than %s s and was killed\n' "$NAME" "$TIMEOUT"
	elif [ -n "$reason" ]; then
		printf 'error: the guest came up, but %s was not run\n       %s\n' "$NAME" "$reason"
	else
		printf 'error: the guest did not come up, or died before %s ended (exit status %d)\n' \
			"$NAME" "$rc"
	fi
	printf '       The whole log is in %s\n' "${CONSOLE#"$ROOT/"}"
} >&2
[ ! -e "$RUN/late" ] || exit 124
exit 125
