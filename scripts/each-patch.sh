#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# each-patch.sh: builds the graphics drivers after every single patch of the series of TTM
# and nouveau, as somebody may bisect them one day.

. "$(dirname "$0")/lib.sh"

CONFIG=x86-nouveau
export SERIES=1
OUT=$(kernel_out "$CONFIG")

compile()
{
	make --no-print-directory -C "$(kernel_tree)" O="$OUT" ARCH=x86 ${V:+V="$V"} \
		-j "$JOBS" drivers/gpu/drm/
}

CONFIGURE_ONLY=1 "$ROOT/scripts/build.sh" "$CONFIG"
passed=0 failed=0
# shellcheck disable=SC2034 # summary's
skipped=0
for patch in "${PATCH_SERIES[@]}"; do
	name=$(basename "${patch%/*}")/$(basename "$patch" .patch)
	"$ROOT/scripts/tree.sh" >"$LOGS/series-tree.log" || { cat "$LOGS/series-tree.log"; exit 1; }
	if compile >"$LOGS/series.log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		say "ok - $name ($(grep -c '^  CC' "$LOGS/series.log") files compiled)"
	else
		failed=$((failed + 1))
		say "not ok - $name"
		blame "$LOGS/series.log"
	fi
	SERIES=$((SERIES + 1))
done
summary
