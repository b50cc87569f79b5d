#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# test.sh: all checks and tests. The last line is the count:
#
#	N passed, N failed[, N skipped]
#
# A part counts by its own last line of this form, else by its lines "ok" and
# "not ok" (and "# SKIP"), else as one by its exit status.
#
# PARTS=<names>  only these: check, kunit, and the files of tests/
# FULL=1         those that build a kernel for themselves, too

. "$(dirname "$0")/lib.sh"

passed=0
failed=0
skipped=0
# No part may take longer, in seconds; the kernels' first build is part of one.
LIMIT=${TEST_TIMEOUT:-${FULL:+10800}}
LIMIT=${LIMIT:-2700}
# What is the same whatever the kernel.
ANY_KERNEL=" commands complaints figures record replay timeline "
# What README shows of it: the number of the sources, and a line for each part.
COUNTS=$BUILD/test/counts-$KERNEL${PARTS:+-parts}
# The same with the time that each took, and what failed: said once more at the end.
RECALL=$BUILD/test/recall-$KERNEL

count()
{
	local name=$1 log=$2 rc=$3 line ok bad skip

	line=$(tail -n 1 "$log" | grep -xE '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' || true)
	if [ -n "$line" ]; then
		ok=${line%% *}
		bad=$(say "$line" | sed -E 's/.*, ([0-9]+) failed.*/\1/')
		skip=$(say "$line" | sed -nE 's/.*, ([0-9]+) skipped/\1/p')
		skip=${skip:-0}
	else
		skip=$(grep -cE '^ok .*# SKIP' "$log" || true)
		ok=$(($(grep -cE '^ok( |$)' "$log" || true) - skip))
		bad=$(grep -cE '^not ok( |$)' "$log" || true)
	fi
	if [ "$rc" != 0 ] && [ "$bad" = 0 ]; then
		say "not ok $name: exit status $rc (see ${log#"$ROOT/"})" | tee -a "$log"
		bad=1
	elif [ $((ok + bad + skip)) = 0 ]; then
		ok=1
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
	say "$name: $ok passed, $bad failed, $skip skipped" >>"$COUNTS"
	say "== $(tail -n 1 "$COUNTS") ($((SECONDS - start)) s)" | tee -a "$RECALL"
	[ "$bad" = 0 ] || grep -E '^not ok( |$)' "$log" >>"$RECALL" || true
}

part()
{
	local name=$1 log=$LOGS/test-$1.log start=$SECONDS rc
	shift

	say "" "== $name"
	set +e
	timeout --kill-after=20 "$LIMIT" "$@" </dev/null 2>&1 | tee "$log"
	rc=${PIPESTATUS[0]}
	set -e
	[ "$rc" != 124 ] || say "$name took longer than $LIMIT s and was stopped; TEST_TIMEOUT=<s> gives it more"
	count "$name" "$log" "$rc"
}

# is_left_out <name>: says why, unless it is not wanted.
is_left_out()
{
	[ -z "${PARTS:-}" ] || [[ " $PARTS " == *" $1 "* ]] || return 0
	if [ "$KERNEL" != 6.12 ] && ! ported "$1"; then
		say "" "$1: for Linux 6.12 only: make test KERNEL=6.12"
	elif [ "$KERNEL" != "${KERNELS[0]}" ] && [[ $ANY_KERNEL == *" $1 "* ]]; then
		say "" "$1: no kernel is tested there: make test"
	elif [ -z "${FULL:-}${PARTS:-}" ] && [[ " nvsw mesa " == *" $1 "* ]]; then
		# It builds a kernel for itself.
		say "" "$1: FULL=1 runs it, and make nouveau or make mesa"
	else
		return 1
	fi
}

# parts <name> <command> ...: on two CPUs, too, if both that and the kernel are made for it.
parts()
{
	! is_left_out "$1" || return 0
	part "$@"
	if [ "$KERNEL" != 6.12 ] && [[ " lock-rules swgpu " == *" $1 "* ]]; then
		CPUS=2 part "$1-2-cpus" "${@:2}"
	fi
}

mkdir -p "$BUILD/test"
"$ROOT/scripts/sources-key.sh" test >"$COUNTS"
: >"$RECALL"
parts check "$ROOT/scripts/check.sh"
parts kunit "$ROOT/scripts/kunit.sh"
for test in "$ROOT"/tests/*.sh; do
	[ ! -x "$test" ] || parts "$(basename "$test" .sh)" "$test"
done
say "" "$(cat "$RECALL")" "all of it took $SECONDS s"
summary
