#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# test.sh: all checks and tests. The last line is the count:
#
#	N passed, N failed[, N skipped]
#
# A part counts by its own last line of this form, else by its lines "ok" and
# "not ok" (and "# SKIP"), else as one by its exit status.

. "$(dirname "$0")/lib.sh"

passed=0
failed=0
skipped=0
# No part may take longer; the kernels' first build is part of one.
LIMIT=${TEST_TIMEOUT:-2700}
# What README shows of it: the number of the sources, and a line for each part.
COUNTS=$BUILD/test/counts-$KERNEL
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
	[ "$rc" != 124 ] || say "$name took longer than $LIMIT s and was stopped"
	count "$name" "$log" "$rc"
}

# is_left_out <test>: another command runs it, too, and it builds a kernel for itself.
is_left_out()
{
	[ -z "${FULL:-}" ] || return 1
	case $1 in
	*/nvsw.sh) say "" "nvsw: make nouveau runs it, and FULL=1" ;;
	*/mesa.sh) say "" "mesa: make mesa runs it, and FULL=1" ;;
	*) return 1 ;;
	esac
}

mkdir -p "$BUILD/test"
"$ROOT/scripts/sources-key.sh" test >"$COUNTS"
: >"$RECALL"
if [ "$KERNEL" = 6.12 ]; then
	part check "$ROOT/scripts/check.sh"
	part kunit "$ROOT/scripts/kunit.sh"
	for test in "$ROOT"/tests/*.sh; do
		[ ! -x "$test" ] || is_left_out "$test" || part "$(basename "$test" .sh)" "$test"
	done
else
	part series "$ROOT/scripts/series.sh" check
	part kunit "$ROOT/scripts/kunit.sh"
	for test in complaints fuzz races replay swgpu tracing virtual-time; do
		part "$test" "$ROOT/tests/$test.sh"
	done
	for test in lock-rules swgpu; do
		CPUS=2 part "$test-2-cpus" "$ROOT/tests/$test.sh"
	done
	say "" "The other parts are not ported to Linux $KERNEL yet."
fi
say "" "$(cat "$RECALL")" "all of it took $SECONDS s"
summary
