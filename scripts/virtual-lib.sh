#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Replays in modelled time, for scripts that boot guests. To be sourced after lib.sh.

REPLAY=$BUILD/tools/replay/replay
# Clients of different kinds, and the MiB of VRAM that they fight for: what tests replay.
# shellcheck disable=SC2034,SC2054 # for the script that sources this; commas are part of them
SMALL_REPLAY=(weston-compositor@0.25 piglit-streaming-texture-leak
	ring:buffers=56,kib=256,use=2,advance=1,jobs=300,job_us=1000,frame=32 ring:kib=256)
# shellcheck disable=SC2034
SMALL_REPLAY_MB=32

build_tools()
{
	make -C "$ROOT/tools/replay" OUT="$BUILD/tools/replay"
	make -C "$ROOT/tools/demo" OUT="$BUILD/tools/demo"
}

# trace_name <client>: what it is called in reports.
trace_name()
{
	basename "${1%@*}" .trace.xz
}

# compile_trace <recording or file>: prints where it is compiled; in a guest reading a
# compressed one takes longer than the replay.
compile_trace()
{
	local name=$1 file=$ROOT/traces/$1.trace.xz compiled

	[ -f "$file" ] || file=$name
	[ -f "$file" ] || refuse "there is no recording '$name' in traces/, and no such file"
	file=$(realpath "$file")
	mkdir -p "$BUILD/traces"
	compiled=$BUILD/traces/$(trace_name "$name")-$(printf %s "$file" | sha256sum | cut -c1-8)
	if [ ! "$compiled" -nt "$file" ] || [ ! "$compiled" -nt "$REPLAY" ]; then
		"$REPLAY" --compile "$compiled.new" "$file" || exit
		mv "$compiled.new" "$compiled"
	fi
	say "$compiled"
}

# compile_client <client>: the same for "name@speed"; one that is made up stays as it is.
compile_client()
{
	local speed=

	case $1 in
	ring:*) say "$1"; return ;;
	*@*)    speed=@${1##*@} ;;
	esac
	say "$(compile_trace "${1%@*}")$speed"
}

# modules_of <directory of a kernel> <module>: their files, what one needs before it.
modules_of()
{
	local file dependency

	file=$(find "$1/drivers/gpu/drm" -name "$2.ko" | head -n 1)
	[ -n "$file" ] || die "there is no module $2 in ${1#"$ROOT/"}"
	for dependency in $(modinfo -F depends "$file" | tr ',' ' '); do
		modules_of "$1" "$dependency"
	done
	say "$file"
}

# swgpu_modules: of the demo's kernel, in the order in which they go in, each once.
swgpu_modules()
{
	modules_of "$(kernel_out um-demo)" swgpu | awk '!seen[$0]++'
}
