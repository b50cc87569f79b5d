#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/replay.sh: the parser of tools/replay takes every recording shipped, and
# refuses each kind of malformed one with its file and line. Needs no kernel.
# What needs one, the report of a replay, is among the tests of the software GPU.

. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/result-lib.sh"

REPLAY=$BUILD/tools/replay/replay
SCRATCH=$BUILD/test-replay

# Lines of a small trace that is right; each case spoils one.
HEADER='# botrace2 v1 pid 1 chipset 0xf0 gpu 10000,400 cmd test'
GOOD=(
	"$HEADER"
	'100 other 5 0'
	'200 fail -1 0 9'
	'300 chan 5 0 1'
	'400 new 5 2 4096 2 4096 0 8 1'
	'500 new 5 3 4096 4 4096 0 8 1'
	'600 push 5 0 1 2 1 32 0 1 2:2:2:2 3:0:4:4'
	'700 prep 5 3 4 1 50 0 1'
	'800 done 5 0 1'
	'900 frame 1 1 1'
	'1000 map 5 3 4096'
	'1100 close 5 2 1 0 1'
	'1200 chanfree 5 0'
	'1300 fdclose 5'
)

# The same of one with an address space: two buffers are private, and two channels.
SPACE=(
	"${HEADER/v1/v2}"
	'100 vm 5'
	'200 chan 5 0 1'
	'300 chan 5 1 2'
	'400 new 5 3 1048576 22 4096 0 0 1'
	'500 new 5 4 4194304 26 4096 0 0 1'
	'600 new 5 5 4096 4 4096 0 0 1'
	'700 vmbind 5 3 0 1 0:0:3:0:100000:1000 0:6:4:0:101000:2000 0:0:5:0:110000:1000'
	'800 exec 5 0 1 1 32 0 1'
	'900 exec 5 1 2 1 32 1 1 1'
	'1000 wait 5 2 50 0 1'
	'1100 vmbind 5 1 1 1 1:0:0:0:101000:2000 2'
	'1200 close 5 4 0 -1 1'
	'1300 chanfree 5 1'
	'1400 chan 5 1 4'
	'1500 exec 5 1 3 0 0 0 1'
	'1600 fdclose 5'
)

# check <file> <exit status> <what it says>
check()
{
	local rc=0 said

	said=$("$REPLAY" --check "$1" 2>&1) || rc=$?
	[ "$rc" = "$2" ] && [[ $said == *"$3"* ]] && return 0
	say "# exit status $rc, not $2; said: $said; not: $3"
	return 1
}

# spoil <name> <line number> <replacement, \n for more lines> <reason>
spoil()
{
	spoil_of "${GOOD[*]@Q}" "$@"
}

# spoil_space <name> <line number> ...: the same of the one with an address space.
spoil_space()
{
	spoil_of "${SPACE[*]@Q}" "$@"
}

spoil_of()
{
	local file=$SCRATCH/spoilt.trace lines

	eval "lines=($1)"
	shift
	lines[$2 - 1]=$3
	printf '%b\n' "${lines[@]}" >"$file"
	refused "$1" "$file" "$file:${5:-$2}: $4"
}

# refused <name> <file> <what it says>
refused()
{
	result "refused: $1" check "$2" 2 "$3"
}

accepted()
{
	result "accepted: $1" check "$2" 0 "$2:"
}

spoil_header()
{
	spoil 'no header' 1 '# some comment' 'the header'
	spoil 'an event in place of the header' 1 '100 other 5 0' 'the header'
	spoil 'another version' 1 "${HEADER/v1/v3}" 'not version v1 or v2'
	spoil 'version v10' 1 "${HEADER/v1/v10}" 'not version v1 or v2'
	spoil 'header without its GPU model' 1 "${HEADER/gpu 10000,400 /}" 'the header is garbled'
	spoil 'GPU model with one number' 1 "${HEADER/,400/}" "the header's GPU model"
	spoil 'GPU model that overflows' 1 "${HEADER/400/99999999999999999999}" "the header's GPU model"
	spoil 'a second header' 6 "$HEADER" 'a second header'
}

spoil_fields()
{
	spoil 'an unknown verb' 5 '400 mew 5 2 4096 2 4096 0 8 1' "unknown verb 'mew'"
	spoil 'an empty line' 5 '' 'not even a time and a verb'
	spoil 'a time alone' 5 '400' 'not even a time and a verb'
	spoil 'a missing field' 5 '400 new 5 2 4096 2 4096 0 8' "'new' with 7 fields, not 8"
	spoil 'an extra field' 5 '400 new 5 2 4096 2 4096 0 8 1 1' "'new' with 9 fields, not 8"
	spoil 'an extra field in a close' 12 '1100 close 5 2 1 0 1 7' "'close' with 6 fields, not 5"
	spoil 'two spaces' 5 '400 new 5  2 4096 2 4096 0 8' 'field 4'
	spoil 'a space at the end' 9 '800 done 5 0 1 ' "'done' with 4 fields, not 3"
	spoil 'a garbled number' 5 '400 new 5 2 4o96 2 4096 0 8 1' "field 5, '4o96'"
	spoil 'a sign' 5 '400 new 5 2 +4096 2 4096 0 8 1' "field 5, '+4096'"
	spoil 'a negative handle' 5 '400 new 5 -1 4096 2 4096 0 8 1' "field 4, '-1'"
	spoil 'capital hex' 5 '400 new 5 2 4096 A 4096 0 8 1' "field 6, 'A'"
	spoil 'a garbled time' 5 '4.5 new 5 2 4096 2 4096 0 8 1' 'the time'
	spoil 'a carriage return' 9 '800 done 5 0 1\r' 'field 5'
	spoil 'a zero byte' 9 '800 done 5\0 0 1' 'a zero byte'
	spoil 'a size beyond 64 bits' 5 '400 new 5 2 18446744073709551616 2 4096 0 8 1' 'field 5'
	spoil 'a handle beyond 32 bits' 5 '400 new 5 4294967296 4096 2 4096 0 8 1' 'field 4'
	spoil 'a handle that none can be' 5 '400 new 5 4294967295 4096 2 4096 0 8 1' 'impossible handle'
	spoil 'the time goes back' 7 '9000000 map 5 3 4096\n100 map 5 3 4096' 'the time goes back' 8
	spoil 'the time goes back by more than a prep slept' 7 \
		'60000000 map 5 3 4096\n700 prep 5 3 4 1 50000000 0 1' 'the time goes back' 8
	spoil 'the time goes back by what a poll did not sleep' 7 \
		'60000000 map 5 3 4096\n700 prep 5 3 5 1 50 16 1' 'the time goes back' 8
	spoil 'the time goes back after a prep that slept' 7 \
		'50000000 map 5 3 4096\n700 prep 5 3 4 1 50000000 0 1\n800 map 5 3 4096' \
		'the time goes back' 9
}

# Another thread went on while one slept in a prep.
accept_sleep()
{
	local file=$SCRATCH/slept.trace

	printf '%s\n' "${GOOD[@]:0:7}" '30000000 map 5 3 4096' '51000000 map 5 2 4096' \
		'700 prep 5 3 4 1 51000000 0 1' '51000800 map 5 3 4096' >"$file"
	accepted 'a prep that slept while others went on' "$file"
}

# What is exported goes on as it was; what is imported is another buffer, once.
accept_shared()
{
	local file=$SCRATCH/shared.trace

	printf '%s\n' "${GOOD[@]:0:10}" '1000 export 5 3 8' '1000 import 5 9 9' \
		'1000 info 5 9 4096 2' '1000 info 5 9 4096 4' '1000 map 5 9 4096' \
		'1000 close 5 9 0 0 1' >"$file"
	accepted 'buffers that are shared' "$file"
}

spoil_buffers()
{
	spoil 'size 0' 5 '400 new 5 2 0 2 4096 0 8 1' 'a buffer of size 0'
	spoil 'size of more than can be' 5 '400 new 5 2 9999999999999 2 4096 0 8 1' 'a buffer of impossible size'
	spoil 'handle 0' 5 '400 new 5 0 4096 2 4096 0 8 1' 'impossible handle 0'
	spoil 'no domain' 5 '400 new 5 2 4096 1 4096 0 8 1' 'domains 1 are neither'
	spoil 'a handle made twice' 6 '500 new 5 2 4096 4 4096 0 8 1' 'handle 2 is in use'
	spoil "the notifier's handle made again" 6 '500 new 5 1 4096 4 4096 0 8 1' 'handle 1 is in use'
	spoil 'close of an unknown handle' 12 '1100 close 5 9 1 0 1' 'unknown handle 9'
	spoil 'closed twice' 12 '1100 close 5 2 1 0 1\n1100 close 5 2 1 0 1' 'unknown handle 2' 13
	spoil 'closed with an odd busy' 12 '1100 close 5 2 1 2 1' 'busy is none of'
	spoil 'prep of an unknown handle' 8 '700 prep 5 9 4 1 50 0 1' 'unknown handle 9'
	spoil 'prep with an unknown flag' 8 '700 prep 5 3 8 1 50 0 1' 'unknown flags 8'
	spoil 'a prep that failed' 8 '700 prep 5 3 4 1 50 16 1' 'a prep that failed with error 16'
	spoil 'map of an unknown handle' 11 '1000 map 5 9 4096' 'unknown handle 9'
	spoil 'a second file descriptor' 6 '500 new 6 3 4096 4 4096 0 8 1' 'a second file descriptor'
	spoil 'a buffer after the end' 14 '1300 fdclose 5\n1400 new 5 2 4096 2 4096 0 8 1' \
		'the file descriptor is closed' 15
	spoil 'an export of an unknown handle' 11 '1000 export 5 9 8' 'unknown handle 9'
	spoil 'an import of no size' 11 '1000 import 5 8 9\n1000 info 5 9 0 2' 'a buffer of size 0' 12
	spoil 'an import whose size nobody says' 11 '1000 import 5 8 9\n1000 map 5 9 4096' \
		'unknown handle 9' 12
	spoil 'a name for a buffer' 11 '1000 flink 5 3 8' 'names of buffers'
}

spoil_pushes()
{
	local many

	many=$(printf ' 2:2:2:2%.0s' {1..1021})
	spoil 'push of an unknown handle' 7 '600 push 5 0 1 1 1 32 0 1 9:2:2:2' 'unknown handle 9'
	spoil 'push of a closed handle' 12 '1100 close 5 2 1 0 1\n1110 push 5 0 2 1 1 32 0 1 2:2:2:2' \
		'unknown handle 2' 13
	spoil 'fewer buffers than announced' 7 '600 push 5 0 1 2 1 32 0 1 2:2:2:2' \
		'2 buffers announced, 1 listed'
	spoil 'more buffers than announced' 7 '600 push 5 0 1 1 1 32 0 1 2:2:2:2 3:0:4:4' \
		'1 buffers announced, 2 listed'
	spoil 'more buffers than a job takes' 7 "600 push 5 0 1 1021 1 32 0 1$many" 'more than 1020 buffers'
	spoil 'a garbled buffer' 7 '600 push 5 0 1 1 1 32 0 1 2:2:2' 'a buffer is not'
	spoil 'a buffer with a part too many' 7 '600 push 5 0 1 1 1 32 0 1 2:2:2:2:2' 'a buffer is not'
	spoil 'domains that do not meet' 7 '600 push 5 0 1 1 1 32 0 1 2:4:4:4' 'handle 2 is not valid'
	spoil 'one buffer in two domains' 7 \
		'600 new 5 4 4096 6 4096 0 8 1\n600 push 5 0 1 2 1 32 0 1 4:2:2:2 4:4:4:4' \
		'handle 4 twice, in different domains' 8
	spoil 'seq that does not increase' 8 '700 push 5 0 1 1 1 32 0 1 3:0:4:4' 'push 1 after push 1'
	spoil 'a push on an unknown channel' 7 '600 push 5 7 1 1 1 32 0 1 3:0:4:4' 'unknown channel 7'
	spoil 'a push on a freed channel' 13 '1200 chanfree 5 0\n1210 push 5 0 2 1 1 32 0 1 3:0:4:4' \
		'channel 0 was freed' 14
	spoil 'a second channel' 5 '400 chan 5 1 2' 'a second channel'
	spoil 'a push of more than ten seconds' 7 '600 push 5 0 1 1 1 9999999999 0 1 3:0:4:4' \
		'a push of more than ten seconds'
	spoil 'done twice' 9 '800 done 5 0 1\n800 done 5 0 1' 'push 1 done after push 1' 10
	spoil 'a frame that is done before it is submitted' 10 '900 frame 1 1 2' 'push 2 done of 1'
}

spoil_spaces()
{
	local file=$SCRATCH/space.trace

	printf '%s\n' "${SPACE[@]}" >"$file"
	accepted 'an address space' "$file"
	says 'what is bound counts for each job' 'VRAM at most 5.0 MiB, in one job 5.0 MiB' "$file"
	sed -i '8a 750 vmbind 5 1 0 1 1:0:0:0:101000:2000' "$file"
	says 'what is bound no more does not' 'VRAM at most 5.0 MiB, in one job 1.0 MiB' "$file"
	sed -i '9s/2000$/1000/' "$file"
	says 'as long as some of it is bound it does' 'VRAM at most 5.0 MiB, in one job 5.0 MiB' "$file"
	spoil_space 'an address space in v1' 1 "$HEADER" 'an address space in a recording of version v1' 2
	spoil_space 'a bind without an address space' 2 '100 other 5 0' 'a second channel' 4
	spoil_space 'a second address space' 3 '200 vm 5' 'a second address space'
	spoil_space 'an address space after a buffer' 5 '400 new 5 3 4096 22 4096 0 0 1\n400 vm 6' \
		'an address space after the first buffer' 6
	spoil_space 'a push beside an address space' 9 '800 push 5 0 1 1 1 32 0 1 3:2:2:2' \
		'a push of a client with an address space'
	spoil_space 'a channel that is there' 4 '300 chan 5 0 2' 'channel 0 is in use'
	spoil_space 'a job on an unknown channel' 9 '800 exec 5 7 1 1 32 0 1' 'unknown channel 7'
	spoil_space 'a job on a freed channel' 15 '1400 other 5 0' 'channel 1 was freed' 16
	spoil_space 'a job that is left out' 9 '800 exec 5 0 2 1 32 0 1' 'job 2 after job 0'
	spoil_space 'a job that waits for itself' 10 '900 exec 5 1 2 1 32 1 1 2' 'waits for job 2 after job 1'
	spoil_space 'fewer jobs than announced' 10 '900 exec 5 1 2 1 32 2 1 1' '2 jobs announced, 1 listed'
	spoil_space 'no number of a job' 10 '900 exec 5 1 2 1 32 1 1 x' "'x' is no number of a job"
	spoil_space 'a wait for a job to come' 11 '1000 wait 5 3 50 0 1' 'waits for job 3 after job 2'
	spoil_space 'a wait that failed' 11 '1000 wait 5 2 50 5 1' 'a wait that failed with error 5'
	spoil_space 'fewer binds than announced' 12 '1100 vmbind 5 2 1 1 1:0:0:0:101000:2000 2' \
		'2 binds and 1 jobs announced, 2 listed'
	spoil_space 'a garbled bind' 12 '1100 vmbind 5 1 0 1 1:0:0:0:101000' 'a bind is not'
	spoil_space 'an unknown op' 12 '1100 vmbind 5 1 0 1 2:0:0:0:101000:2000' 'unknown op 2'
	spoil_space 'a bind of nothing' 12 '1100 vmbind 5 1 0 1 0:0:3:0:101000:0' 'a bind of impossible size'
	spoil_space 'a bind beyond 64 bits' 12 '1100 vmbind 5 1 0 1 0:0:3:0:ffffffffffffffff:2' \
		'a bind of impossible size'
	spoil_space 'a bind of an unknown handle' 12 '1100 vmbind 5 1 0 1 0:0:9:0:101000:2000' \
		'unknown handle 9'
	spoil_space 'a bind of a closed handle' 13 \
		'1200 close 5 4 0 -1 1\n1210 vmbind 5 1 0 1 0:0:4:0:101000:2000' 'unknown handle 4' 14
}

spoil_files()
{
	local file=$SCRATCH/file.trace

	printf '%s\n' "${GOOD[@]}" >"$file"
	accepted 'a small trace' "$file"
	xz -kf "$file"
	accepted 'the same, compressed' "$file.xz"
	truncate -s -20 "$file.xz"
	refused 'a truncated .xz file' "$file.xz" "$file.xz:"
	truncate -s -1 "$file"
	refused 'a truncated last line' "$file" "$file:14: the last line is not complete"
	: >"$file"
	refused 'an empty file' "$file" "$file:1: the file is empty"
	refused 'no file' "$file.none" "$file.none: No such file"
	refused 'a directory' "$SCRATCH" "$SCRATCH:1: "
	{
		say "$HEADER"
		head -c 100000 /dev/zero | tr '\0' 7
	} >"$file"
	refused 'a line without end' "$file" "$file:2: a line without end"
}

# A wrong trace among right ones: nothing runs, no device is looked for.
refuse_all()
{
	local file=$SCRATCH/right.trace wrong=$SCRATCH/wrong.trace rc=0 said

	printf '%s\n' "${GOOD[@]}" >"$file"
	{ cat "$file"; say 'x'; } >"$wrong"
	said=$("$REPLAY" --node /nonexistent "$file" "$wrong" 2>&1) || rc=$?
	if [ "$rc" = 2 ] && [ "$said" = "$wrong:15: not even a time and a verb" ]; then
		verdict '' 'one wrong trace stops all before anything runs'
	else
		verdict 'not ' "one wrong trace stops all before anything runs ($rc, $said)"
	fi
}

refuse_options()
{
	local file=$SCRATCH/right.trace option rc

	for option in --job-speed=0 --job-speed=x --job-speed=nan --seed=-1 --limit=0 --what; do
		rc=0
		"$REPLAY" --check "$option" "$file" >/dev/null 2>&1 || rc=$?
		if [ "$rc" = 2 ]; then
			verdict '' "refused: $option"
		else
			verdict 'not ' "refused: $option"
		fi
	done
}

# says <name> <what --check is to say> <trace> ...
says()
{
	local name=$1 wanted=$2 said
	shift 2

	said=$("$REPLAY" --check "$@" 2>&1) || true
	if [[ $said == *"$wanted"* ]]; then
		verdict '' "$name"
	else
		verdict 'not ' "$name ($said)"
	fi
}

# The small trace, in which all takes ten million times as long.
count_pauses()
{
	local file=$SCRATCH/slow.trace

	printf '%s\n' "${GOOD[@]}" |
		sed -E 's/^([0-9]+) /\10000000 /; s/ 50 0 1$/ 500000000 0 1/' >"$file"
	says 'what waited for the GPU, in a prep and up to a frame, is no pause' \
		'pauses 8.0 s' "$file"
}

make_rings()
{
	local ring name

	says 'a made-up client' '2025 events, VRAM at most 1.5 MiB, in one job 0.2 MiB' ring:
	says 'one that keeps a queue' '675 events, VRAM at most 3.5 MiB, in one job 0.1 MiB, longest job 1.0 ms, pauses 0.0 s, jobs 0.6 s' \
		ring:buffers=56,use=2,advance=1,jobs=600,job_us=1000,frame=32
	says 'a speed of its own, at which a job would be too long' 'at a speed of 0.0001' \
		ring:job_us=1100@0.0001
	for ring in buffers use=0 use=25 kib=0 what=1 job_us=x "buffers=1,"; do
		name="refused: ring:$ring"
		refused "$name" "ring:$ring" "ring:$ring: not 'ring:buffers=N"
	done
}

build_tool replay >&2
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
for trace in "$ROOT"/traces/*.trace.xz; do
	accepted "$(basename "$trace" .trace.xz)" "$trace"
done
spoil_files
spoil_header
spoil_fields
accept_sleep
accept_shared
count_pauses
make_rings
spoil_buffers
spoil_pushes
spoil_spaces
refuse_all
refuse_options
rm -rf "$SCRATCH"
say "1..$NR"
[ "$FAILED" = 0 ] || die "$FAILED of $NR tests of the replay's parser failed"
