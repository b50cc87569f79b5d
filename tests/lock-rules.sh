#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/lock-rules.sh [<glob of suite>.<glob of case>]: a task that breaks a lock rule is reported.
#
# Each case of the KUnit suites broken_lock_* breaks one rule of the locking document,
# in a boot of its own, and names the reports that the kernel must make of it. No
# report, or another one, is a failure.
#
# CPUS=2: on two CPUs

. "$(dirname "$0")/../scripts/lib.sh"
. "$(dirname "$0")/../scripts/kunit-lib.sh"
. "$ROOT/scripts/result-lib.sh"

CONFIG=um-test
export GUEST_TIMEOUT=120 GUEST_MEMORY=512M
SUITES=${1:-broken_lock_*}

# boot <log> <glob> [<kernel argument> ...]: what it reports is read afterwards.
boot()
{
	run_suites "$(kernel_out "$CONFIG")" "$2" "$1" swgpu.vram_mb=0 \
		ttm_fence_lru_test.break_lock_rules=1 "${@:3}" >/dev/null || true
}

cases()
{
	boot "$LOGS/lock-rules.log" "$SUITES" kunit.action=list
	grep -av 'command line' "$LOGS/lock-rules.log" |
		grep -aoE 'broken_lock_[a-z]+\.[a-z_]+'
}

"$ROOT/scripts/build.sh" "$CONFIG"
rm -f "$LOGS"/lock-rules*
for case in $(cases); do
	log=$LOGS/lock-rules-${case#*.}.log
	not=
	boot "$log" "$case"
	"$ROOT/tests/lock-rules.py" "$log" "${case#*.}" || not="not "
	verdict "$not" "${case#*.}${not:+ (see ${log#"$ROOT/"})}"
done
say "1..$NR"
[ "$NR" -gt 0 ] && [ "$FAILED" = 0 ]
