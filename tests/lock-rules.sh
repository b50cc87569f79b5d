#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/lock-rules.sh [<glob of suite>.<glob of case>]: who breaks a lock rule is told so.
#
# Each case of the KUnit suites broken_lock_* breaks one rule of the locking document,
# in a boot of its own, and names the reports that the kernel must make of it. No
# report, or another one, is a failure.

. "$(dirname "$0")/../scripts/lib.sh"

CONFIG=um-test
SUITES=${1:-broken_lock_*}
NR=0
FAILED=0

# boot <log> <kernel argument> ...
boot()
{
	local log=$1 run
	shift

	mkdir -p "$BUILD/boot"
	run=$(mktemp -d "$BUILD/boot/lock-rules.XXXXXX")
	TMPDIR=$(memory_dir 512M)
	export TMPDIR
	timeout --foreground --kill-after=10 120 "$(kernel_out "$CONFIG")/linux" mem=512M \
		console=tty con=null "con0=null,fd:1" uml_dir="$run" swgpu.vram_mb=0 \
		ttm_fence_lru_test.break_lock_rules=1 kunit.enable=1 kunit_shutdown=halt \
		"$@" </dev/null >"$log" 2>&1 || true
	rm -rf "$run"
}

cases()
{
	boot "$LOGS/lock-rules.log" kunit.action=list "kunit.filter_glob=$SUITES"
	grep -aoE 'broken_lock_[a-z]+\.[a-z_]+' "$LOGS/lock-rules.log"
}

"$ROOT/scripts/build.sh" "$CONFIG"
rm -f "$LOGS"/lock-rules*
for case in $(cases); do
	log=$LOGS/lock-rules-${case#*.}.log
	verdict=
	boot "$log" "kunit.filter_glob=$case"
	"$ROOT/tests/lock-rules.py" "$log" "${case#*.}" || verdict="not "
	NR=$((NR + 1))
	[ -z "$verdict" ] || FAILED=$((FAILED + 1))
	say "${verdict}ok $NR - ${case#*.}${verdict:+ (see ${log#"$ROOT/"})}"
done
say "1..$NR"
[ "$NR" -gt 0 ] && [ "$FAILED" = 0 ]
