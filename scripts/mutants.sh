#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# mutants.sh: breaks the engine and the glue, one small change at a time, and counts how
# many of the changes their tests notice. What survives must be explained in
# Documentation/mutants.rst.
#
# PART=engine   or glue: only that; default: both
# MUTANTS=<n>   try so many of each, chosen by SEED; default: all, up to 1000
# MUTANT=<id>   try and show only this one
# SEED=<n>      also that of the random tests; default: 1

. "$(dirname "$0")/lib.sh"

CONFIG=um-mutants

# mutants <argument> ...
mutants()
{
	python3 "$ROOT/scripts/mutants.py" --root "$ROOT" --tree "$(kernel_tree)" \
		--source "$(kernel_source)" ${PART:+--part "$PART"} ${MUTANT:+--mutant "$MUTANT"} "$@"
}

if [ -n "${MUTANT:-}" ]; then
	"$ROOT/scripts/packages.sh" build
	"$ROOT/scripts/tree.sh"
	mutants --list >/dev/null || exit 2
fi
"$ROOT/scripts/build.sh" "$CONFIG"
mutants --out "$(kernel_out "$CONFIG")" --jobs "$JOBS" --seed "${SEED:-1}" \
	${MUTANTS:+--mutants "$MUTANTS"}
