#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# kunit.sh: runs our KUnit suites and TTM's own on the test kernel.
#
# FULL=1: asks the unpatched kernel how many results TTM's suites have.

. "$(dirname "$0")/lib.sh"

# Results of TTM's own suites in the kernel the patches are for.
TTM_RESULTS=102
# Warnings that TTM's own suites provoke, also in the unpatched kernel.
PROVOKED='WARNING: .* (ttm_device_init|ttm_bo_reserve_no_wait_ticket)\+'
LOG=$LOGS/kunit.log

"$ROOT/scripts/build.sh" um-test
[ -z "${FULL:-}" ] || "$ROOT/scripts/build.sh" um-pristine

# run_kernel <config> <log>: all suites whose name begins with ttm.
run_kernel()
{
	local run status=0

	mkdir -p "$BUILD/boot"
	run=$(mktemp -d "$BUILD/boot/kunit.XXXXXX")
	TMPDIR=$(memory_dir 1G)
	export TMPDIR
	timeout --foreground --kill-after=10 900 "$(kernel_out "$1")/linux" mem=1G \
		console=tty con=null "con0=null,fd:1" uml_dir="$run" \
		kunit.enable=1 "kunit.filter_glob=ttm*" kunit_shutdown=halt \
		>"$2" || status=$?
	rm -rf "$run"
	tail -n 40 "$2"
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

mkdir -p "$BUILD/tmp"
rm -f "$LOGS"/kunit*.json
run_step kunit-boot "running KUnit" "Read the log." run_kernel um-test "$LOG"
run_step kunit-parse "reading the results" "Read build/logs/kunit.log" parse "$LOG"
if [ -n "${FULL:-}" ]; then
	run_step kunit-boot-pristine "running TTM's suites on the unpatched kernel" \
		"Read the log." run_kernel um-pristine "$LOGS/kunit-pristine.log"
	run_step kunit-parse-pristine "reading the results" \
		"Read build/logs/kunit-pristine.log" parse "$LOGS/kunit-pristine.log"
	TTM_RESULTS=$(count_ttm "$LOGS/kunit-pristine.log.json")
fi

complaint=0
if splats "$LOG" "$PROVOKED" >"$LOG.splats"; then
	head -n 60 "$LOG.splats"
	complaint=1
fi
python3 "$ROOT/scripts/kunit-count.py" --expect-ttm="$TTM_RESULTS" \
	--complaint=$complaint "$LOG.json"
