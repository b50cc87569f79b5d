#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# kunit.sh: runs our KUnit suites and TTM's own on the test kernel.
#
# FULL=1: asks the unpatched kernel how many results TTM's suites have.
# SEED=<n> HISTORIES=<n>: which random histories to play; the log names its seed.

. "$(dirname "$0")/lib.sh"

# Results of TTM's own suites in the kernel the patches are for.
TTM_RESULTS=102
# Warnings that TTM's own suites provoke, also in the unpatched kernel.
PROVOKED='WARNING: .* (ttm_device_init|ttm_bo_reserve_no_wait_ticket)\+'
# Globs of suites. Each is a boot of its own: what one breaks in the kernel is
# not to spoil the other.
OURS='ttm_fence_lru*'
TTMS='ttm_[!f]*'

for variable in SEED HISTORIES; do
	[ -z "${!variable:-}" ] ||
		check_number "$variable" "${!variable}" "a whole number of at most 9 digits" 9
done
"$ROOT/scripts/build.sh" um-test
[ -z "${FULL:-}" ] || "$ROOT/scripts/build.sh" um-pristine

# run_kernel <config> <suites> <log>
#
# TTM's suites count the devices: without VRAM the software GPU is none of them.
run_kernel()
{
	local run status=0

	mkdir -p "$BUILD/boot"
	run=$(mktemp -d "$BUILD/boot/kunit.XXXXXX")
	TMPDIR=$(memory_dir 1G)
	export TMPDIR
	timeout --foreground --kill-after=10 900 "$(kernel_out "$1")/linux" mem=1G \
		console=tty con=null "con0=null,fd:1" uml_dir="$run" \
		swgpu.vram_mb=0 ${SEED:+"ttm_fence_lru_test.seed=$SEED"} \
		${HISTORIES:+"ttm_fence_lru_test.histories=$HISTORIES"} \
		kunit.enable=1 "kunit.filter_glob=$2" kunit_shutdown=halt \
		>"$3" || status=$?
	rm -rf "$run"
	tail -n 40 "$3"
	[ $status != 124 ] || { say "took longer than 900 s and was killed"; return 1; }
}

parse()
{
	local log=$1

	# Its exit status says only that a test failed, which is counted below.
	(cd "$BUILD/tmp" && python3 "$(kernel_tree)/tools/testing/kunit/kunit.py" \
		parse --json="$log.json" "$log" >"$log.parsed") || true
	[ -s "$log.json" ]
}

count_ttm()
{
	python3 "$ROOT/scripts/kunit-count.py" "$1" | sed -n 's/^ttm: //p'
}

# suites <name> <config> <globs>: runs them and reads the results.
suites()
{
	local log=$LOGS/$1.log

	run_step "boot-$1" "running $1 on $2" "The guest's log is build/logs/$1.log" \
		run_kernel "$2" "$3" "$log"
	run_step "parse-$1" "reading the results" "Read build/logs/$1.log" parse "$log"
}

mkdir -p "$BUILD/tmp"
rm -f "$LOGS"/kunit*.json
suites kunit-ours um-test "$OURS"
suites kunit-ttm um-test "$TTMS"
if [ -n "${FULL:-}" ]; then
	suites kunit-pristine um-pristine "$TTMS"
	TTM_RESULTS=$(count_ttm "$LOGS/kunit-pristine.log.json")
fi

complaint=0
for log in "$LOGS/kunit-ours.log" "$LOGS/kunit-ttm.log"; do
	if splats "$log" "$PROVOKED" >"$log.splats"; then
		complaint=1
		say "  ${log#"$ROOT/"}:"
		head -n 40 "$log.splats"
	fi
done
python3 "$ROOT/scripts/kunit-count.py" --expect-ttm="$TTM_RESULTS" --complaint=$complaint \
	"$LOGS/kunit-ours.log.json" "$LOGS/kunit-ttm.log.json"
