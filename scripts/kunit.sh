#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# kunit.sh: runs our KUnit suites and TTM's own on the test kernel.
#
# FULL=1: asks the unpatched kernel how many results TTM's suites have.
# SEED=<n> HISTORIES=<n>: which random histories to play; the log names its seed.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kunit-lib.sh"

# Results of TTM's own suites in the kernels the patches are for.
TTM_RESULTS=102
# Globs of suites. Each is a boot of its own: what one breaks in the kernel is
# not to spoil the other.
OURS='ttm_fence_lru*'
TTMS='ttm_[!f]*'

"$ROOT/scripts/build.sh" um-test
[ -z "${FULL:-}" ] || "$ROOT/scripts/build.sh" um-pristine

# TTM's suites count the devices: without VRAM the software GPU is none of them.
NO_VRAM=swgpu.vram_mb=0

rm -f "$LOGS"/kunit*.json
suites kunit-ours um-test "$OURS" $NO_VRAM
suites kunit-ttm um-test "$TTMS" $NO_VRAM
if [ -n "${FULL:-}" ]; then
	suites kunit-pristine um-pristine "$TTMS" $NO_VRAM
	TTM_RESULTS=$(python3 "$ROOT/scripts/kunit-count.py" --count-ttm \
		"$LOGS/kunit-pristine.log.json")
fi

complaint=0
! complaints "$PROVOKED" "$LOGS/kunit-ours.log" || complaint=1
# On 7.3 TTM's ttm_bo_reserve_deadlock() has a lock twice, as lockdep sees it.
[ "$KERNEL" = 6.12 ] || PROVOKED+='|WARNING: possible recursive locking detected'
! complaints "$PROVOKED" "$LOGS/kunit-ttm.log" || complaint=1
python3 "$ROOT/scripts/kunit-count.py" --expect-ttm="$TTM_RESULTS" --complaint=$complaint \
	"$LOGS/kunit-ours.log.json" "$LOGS/kunit-ttm.log.json"
