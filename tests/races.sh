#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/races.sh: our KUnit suites on two CPUs that preempt; the races run longer than on
# one. On Linux 7.3 that is User-Mode Linux, at this machine's speed; 6.12's has one CPU, so
# there it is QEMU without virtualisation.
#
# SEED=<n>    repeats a random test, as far as threads can be repeated
# ROUNDS=<n>  how often each race is run; default: 10

. "$(dirname "$0")/../scripts/lib.sh"
. "$(dirname "$0")/../scripts/kunit-lib.sh"

export CPUS=2
ROUNDS=${ROUNDS:-10}
# Ten rounds of all races are three minutes on a busy machine.
export GUEST_TIMEOUT=${GUEST_TIMEOUT:-$((900 + 30 * ROUNDS))}
if [ "$KERNEL" = 6.12 ]; then
	# Histories are one task's: they are here only to be played once on this machine, too.
	CONFIG=x86-race histories=20
else
	CONFIG=um-test histories=1000
fi
LOG=$LOGS/races.log

"$ROOT/scripts/build.sh" "$CONFIG"
suites races "$CONFIG" 'ttm_fence_lru*' rcupdate.rcu_expedited=1 swgpu.vram_mb=0 \
	"kunit.timeout=$GUEST_TIMEOUT" "ttm_fence_lru_test.rounds=$ROUNDS" \
	"ttm_fence_lru_test.histories=$histories"
grep -q 'Brought up .* 2 CPUs' "$LOG" ||
	die "the guest has not two CPUs: nothing raced" "Read ${LOG#"$ROOT/"}"
complaint=0
! complaints "$PROVOKED" "$LOG" || complaint=1
python3 "$ROOT/scripts/kunit-count.py" --complaint=$complaint "$LOG.json"
