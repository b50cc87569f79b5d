#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# coverage.sh: counts the lines and branches of the engine that its KUnit suites reach.
# What they do not must be explained in Documentation/mutants.rst.
#
# SEED=<n>  what random tests start from; default: 1

. "$(dirname "$0")/lib.sh"

CONFIG=um-coverage
DIR=$BUILD/coverage

"$ROOT/scripts/build.sh" "$CONFIG"
MODULES=$(kernel_out "$CONFIG")/drivers/gpu/drm/ttm_fence_lru

run_tests()
{
	rm -rf "$DIR"
	mkdir -p "$DIR/data"
	"$ROOT/scripts/boot.sh" -t 600 -l coverage "$CONFIG" kunit.enable=1 kunit.autorun=1 -- \
		"$ROOT/scripts/coverage-guest.sh" "$MODULES/ttm_fence_lru/ttm_fence_lru.ko" \
		"$MODULES/kunit/ttm_fence_lru_test.ko" "$DIR/data" "${SEED:-1}"
	# A test that failed has not tested what it reached.
	grep -aqE 'ok [0-9]+ ttm_fence_lru' "$LOGS/boot-coverage.log"
	if grep -aE '(^|[] ])not ok ' "$LOGS/boot-coverage.log"; then
		return 1
	fi
	cp "$MODULES"/ttm_fence_lru/*.gcno "$DIR/data"
	cd "$DIR/data"
	gcov --branch-probabilities --json-format ./*.gcda
}

run_step coverage "running the engine's suites" \
	"The guest's log is build/logs/boot-coverage.log" run_tests
exec python3 "$ROOT/scripts/coverage.py" "$ROOT" "$DIR"
