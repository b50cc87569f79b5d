#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# mutants.sh: breaks the engine, one small change at a time, and counts how many of
# the changes its tests notice. What survives must be explained in
# Documentation/mutants.rst.
#
# MUTANTS=<n>   try so many, chosen by SEED; default: all, up to 1000
# MUTANT=<id>   try and show only this one
# SEED=<n>      also that of the random tests; default: 1

. "$(dirname "$0")/lib.sh"

CONFIG=um-mutants

"$ROOT/scripts/build.sh" "$CONFIG"
lock mutants
exec python3 "$ROOT/scripts/mutants.py" --root "$ROOT" --tree "$(kernel_tree)" \
	--out "$(kernel_out "$CONFIG")" --jobs "$JOBS" --seed "${SEED:-1}" \
	${MUTANTS:+--mutants "$MUTANTS"} ${MUTANT:+--mutant "$MUTANT"}
