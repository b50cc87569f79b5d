#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What both recorders share. To be sourced after lib.sh and virtual-lib.sh.

# shellcheck disable=SC2034 # for the script that sources this
OUT=$BUILD/record
TOOLS=$BUILD/tools/record
GPU=${GPU:-10000,400}

build_recorder()
{
	build_tool record UAPI="$(kernel_source)"
	run_step tools "building the replay" "Is libc's static library there?" build_tools
}

# choose <what to do if there is none>: of several processes that have asked a GPU for something,
# the recording of the one that asked most.
choose()
{
	local raw

	raw=$(find "$OUT" -name "$NAME.raw.*" -printf '%s %p\n' | sort -rn | head -n 1 | cut -d' ' -f2)
	[ -n "$raw" ] || die "the program has not asked Mesa's nouveau driver for anything" "$1"
	"$ROOT/scripts/trim-recording.py" "$raw" "$OUT/$NAME.trace"
	rm -f "$OUT/$NAME".raw.*
	(cd "$ROOT" && "$REPLAY" --check "build/record/$NAME.trace")
	xz -f -6 "$OUT/$NAME.trace"
	say "record: see build/record/$NAME.trace.xz; replay it: make demo TRACES=build/record/$NAME.trace.xz"
}
