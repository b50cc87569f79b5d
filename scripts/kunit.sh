#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# kunit.sh: runs our KUnit suites and TTM's own on the test kernel.
#
# FULL=1: asks the unpatched kernel how many results TTM's suites have.
# SUITES=<glob>: only these of ours.
# SEED=<n> HISTORIES=<n>: which random histories to play; the log names its seed.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kunit-lib.sh"

# Results of TTM's own suites in the kernels the patches are for.
TTM_RESULTS=102
# Globs of suites. Each is a boot of its own: what one breaks in the kernel is
# not to spoil the other.
OURS=${SUITES:-'ttm_fence_lru*'}
# Once lockdep has complained it is off for the rest of the boot. So what makes it complain
# is the last case of the last boot: see below.
TTMS=('ttm_[!f]*[!o]' 'ttm_bo.ttm_bo_[!r]*' 'ttm_bo.ttm_bo_r*')

"$ROOT/scripts/build.sh" um-test
[ -z "${FULL:-}" ] || "$ROOT/scripts/build.sh" um-pristine

# TTM's suites count the devices: without VRAM the software GPU is none of them.
NO_VRAM=swgpu.vram_mb=0

# On 7.3 ww_acquire_init() holds a lock of the class, as lockdep sees it. Then TTM's
# ttm_bo_reserve_deadlock() takes one that belongs to no transaction: a second of the class.
# All others have run by then. With FULL=1 the unpatched kernel is asked, too.
RECURSION='WARNING: possible recursive locking detected'

# ttm_suites <name> <config>: in all boots; sets complaint if a kernel complains.
ttm_suites()
{
	local name=$1 config=$2 i log provoked

	for i in "${!TTMS[@]}"; do
		log=$LOGS/$name-$i.log
		provoked=$PROVOKED
		suites "$name-$i" "$config" "${TTMS[i]}" $NO_VRAM
		if [ "$KERNEL" != 6.12 ] && [ "$i" = $((${#TTMS[@]} - 1)) ]; then
			provoked+="|$RECURSION"
			expect_recursion "$log"
		fi
		! complaints "$provoked" "$log" || complaint=1
	done
}

# One report, and of that case: a second one would never be made.
expect_recursion()
{
	if [ "$(grep -ac "$RECURSION" "$1")" != 1 ] ||
	   ! grep -aq '}, at: ttm_bo_reserve_deadlock+' "$1"; then
		say "  lockdep does not report TTM's ttm_bo_reserve_deadlock() in ${1#"$ROOT/"}"
		complaint=1
	fi
}

complaint=0
rm -f "$LOGS"/kunit*.json
suites kunit-ours um-test "$OURS" $NO_VRAM
! complaints "$PROVOKED" "$LOGS/kunit-ours.log" || complaint=1
if [ -n "${SUITES:-}" ]; then
	python3 "$ROOT/scripts/kunit-count.py" --complaint=$complaint "$LOGS/kunit-ours.log.json"
	exit
fi
ttm_suites kunit-ttm um-test
if [ -n "${FULL:-}" ]; then
	ttm_suites kunit-pristine um-pristine
	TTM_RESULTS=$(python3 "$ROOT/scripts/kunit-count.py" --count-ttm \
		"$LOGS"/kunit-pristine-*.log.json)
fi
python3 "$ROOT/scripts/kunit-count.py" --expect-ttm="$TTM_RESULTS" --complaint=$complaint \
	"$LOGS/kunit-ours.log.json" "$LOGS"/kunit-ttm-*.log.json
