#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# each-patch.sh: builds the graphics drivers after every single patch of the series of TTM
# and nouveau, as somebody may bisect them one day.

. "$(dirname "$0")/lib.sh"

CONFIG=x86-nouveau
"$ROOT/scripts/packages.sh" build x86
PATCHES=("$ROOT/patches/$KERNEL"/*.patch "$ROOT/patches/$KERNEL-nouveau"/*.patch)
export SERIES=1
OUT=$(kernel_out series)

kmake()
{
	make --no-print-directory -C "$(kernel_tree)" O="$OUT" ARCH=x86 "$@"
}

configure()
{
	mkdir -p "$OUT"
	cat "$ROOT/configs/x86.config" "$ROOT/configs/$CONFIG.config" >"$OUT/.wanted"
	kmake KCONFIG_ALLCONFIG="$OUT/.wanted" allnoconfig
	kmake -j "$JOBS" prepare
}

compile()
{
	kmake ${V:+V="$V"} -j "$JOBS" drivers/gpu/drm/
}

lock series
passed=0 failed=0
# shellcheck disable=SC2034 # summary's
skipped=0
for patch in "${PATCHES[@]}"; do
	name=$(basename "${patch%/*}")/$(basename "$patch" .patch)
	"$ROOT/scripts/tree.sh" >"$LOGS/series-tree.log" || { cat "$LOGS/series-tree.log"; exit 1; }
	[ "$SERIES" != 1 ] || run_step config-series "configuring the kernel" "Read the log." configure
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
[ -e "$OUT/drivers/gpu/drm/nouveau/nouveau.o" ] || die "nouveau was not built" \
	"Does the kernel's Kconfig grant what configs/$CONFIG.config asks for?"
summary
