#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# mutants.sh: breaks the engine and the glue, one small change at a time, and counts how
# many of the changes their tests notice. What survives must be explained in
# Documentation/mutants.rst. Then undoes nouveau's repairs, one by one, which the software
# chip's tests must notice.
#
# PART=engine   or glue, or nouveau: only that; default: all
# MUTANTS=<n>   try so many of each, chosen by SEED; default: all, up to 1000
# MUTANT=<id>   try and show only this one
# SEED=<n>      also that of the random tests; default: 1
# FULL=1        nouveau: try all of the chip's cases on each

. "$(dirname "$0")/lib.sh"

[ ! -e "$ROOT/tests/mutants/nouveau/${MUTANT:-}.mutant" ] || PART=nouveau

# mutants <argument> ...
mutants()
{
	python3 "$ROOT/scripts/mutants.py" --root "$ROOT" --tree "$(kernel_tree)" \
		--source "$(kernel_source)" ${PART:+--part "$PART"} ${MUTANT:+--mutant "$MUTANT"} "$@"
}

# The engine, and the glue.
code()
{
	if [ -n "${MUTANT:-}" ]; then
		"$ROOT/scripts/packages.sh" build
		"$ROOT/scripts/tree.sh"
		mutants --list >/dev/null || exit 2
	fi
	"$ROOT/scripts/build.sh" um-mutants
	mutants --out "$(kernel_out um-mutants)" --jobs "$JOBS" --seed "${SEED:-1}" \
		${MUTANTS:+--mutants "$MUTANTS"}
}

nouveau()
{
	"$ROOT/scripts/build.sh" um-nvsw
	build_tool nouveau-test
	python3 "$ROOT/scripts/mutants_nouveau.py" --root "$ROOT" --tree "$(kernel_tree)" \
		--out "$(kernel_out um-nvsw)" --jobs "$JOBS" ${FULL:+--whole} \
		${MUTANT:+--mutant "$MUTANT"}
}

case ${PART:-${MUTANT:+code}} in
nouveau) nouveau ;;
?*)      code ;;
*)
	# Not as a condition: "set -e" would be ignored there.
	set +e
	(set -e; code)
	status=$?
	set -e
	nouveau
	exit $status ;;
esac
