#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/races.sh: our KUnit suites on two CPUs that preempt, in QEMU without
# virtualisation; the races run longer than in User-Mode Linux, which has one CPU.
#
# SEED=<n>    repeats a random test, as far as threads can be repeated
# ROUNDS=<n>  how often each race is run; default: 10

. "$(dirname "$0")/../scripts/lib.sh"
. "$(dirname "$0")/../scripts/kunit-lib.sh"

CONFIG=x86-race
LOG=$LOGS/races.log

"$ROOT/scripts/build.sh" "$CONFIG"
# Histories are one task's: they are here only to be played once on this machine, too.
suites races "$CONFIG" 'ttm_fence_lru*' rcupdate.rcu_expedited=1 swgpu.vram_mb=0 \
	"ttm_fence_lru_test.rounds=${ROUNDS:-10}" ttm_fence_lru_test.histories=20
grep -q 'Brought up .* 2 CPUs' "$LOG" ||
	die "the guest has not two CPUs: nothing raced" "Read ${LOG#"$ROOT/"}"
complaint=0
! complaints "$PROVOKED" "$LOG" || complaint=1
python3 "$ROOT/scripts/kunit-count.py" --complaint=$complaint "$LOG.json"
