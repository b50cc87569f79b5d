#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# How a test in tests/ says what its cases came to. To be sourced after lib.sh.

# Cases so far, and those of them that failed.
NR=0
FAILED=0

# verdict <nothing or "not "> <what>
verdict()
{
	NR=$((NR + 1))
	say "$1ok $NR - $2"
	[ -z "$1" ] || FAILED=$((FAILED + 1))
}

# result <what> <command> ...
result()
{
	local what=$1 not=
	shift

	"$@" || not="not "
	verdict "$not" "$what"
}

# quiet_result <what> <command> ...: what it prints is in $SCRATCH/out, and shown if it fails.
quiet_result()
{
	local what=$1 not=
	shift

	"$@" >"$SCRATCH/out" 2>&1 || { not="not "; sed 's/^/# /' "$SCRATCH/out"; }
	verdict "$not" "$what"
}
