#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# modules.sh: builds our modules, nouveau among them, for the kernel that a
# distribution has built, and leaves them in build/modules/<release>/.
#
# KDIR=<headers>  those of the kernel; default: Debian's newest, fetched

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/modules-lib.sh"

"$ROOT/scripts/packages.sh" build modules
"$ROOT/scripts/tree.sh"
[ -n "${KDIR:-}" ] || "$ROOT/scripts/debian.sh"
HEADERS=$(headers)
RELEASE=$(header_release "$HEADERS")
[[ $RELEASE == "$KERNEL".* ]] ||
	die "KDIR=$HEADERS: headers of Linux $RELEASE; the patches are for $KERNEL"
OUT=$(modules_out "$RELEASE")
COMPILER=$(compiler_of "$HEADERS")
command -v "$COMPILER" >/dev/null ||
	die "$RELEASE was built with $COMPILER, which is not here" \
		"Its headers want it. Debian 13 has that of its kernels."

# Without BTF, for which more would have to be installed.
compile()
{
	make --no-print-directory -C "$HEADERS" M="$OUT/source" ${V:+V="$V"} \
		${W:+W="$W"} CONFIG_DEBUG_INFO_BTF_MODULES= -j "$JOBS" modules
}

# That a symbol comes from our TTM and not from the kernel's shows only here.
verify()
{
	local module file

	rm -f "$OUT"/*.ko
	for module in "${MODULES[@]}"; do
		file=$(find "$OUT/source" -name "$module.ko")
		[ -n "$file" ] || { say "ERROR: there is no $module.ko"; return 1; }
		strip --strip-debug -o "$OUT/$module.ko" "$file"
		if modinfo -F depends "$file" | tr , '\n' | grep -xE 'ttm|drm_ttm_helper'; then
			say "ERROR: $module uses the kernel's TTM"
			return 1
		fi
	done
	# All that includes TTM's headers is to have ours, which are named from where the sources
	# are, or in full.
	! find "$OUT/source" -name '.*.o.cmd' -exec grep -hoE '[^ =]*include/drm/ttm/[^ ]+' {} + |
		grep -vE "^($OUT/source/)?(\./)*include/" | sort -u | grep . ||
		{ say "ERROR: these headers are the kernel's TTM's"; return 1; }
}

stage "$OUT/source"
hint="The first of these errors is the one that counts."
is_for "$RELEASE" ||
	hint+=" The sources are those of $(source_release): give those of $RELEASE as KERNEL_SRC=."
run_step "modules-$RELEASE" "building the modules for $RELEASE" "$hint" compile
run_step "verify-modules" "checking the modules" "Try again after: rm -rf $OUT" verify
say "The modules are in ${OUT#"$ROOT/"}"
