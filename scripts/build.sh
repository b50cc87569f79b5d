#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# build.sh <config>: builds that kernel in build/<config>.
#
# configs/<arch>.config and configs/<arch>-<purpose>.config say what is wanted,
# on top of allnoconfig; of <arch>-<purpose>-<variant> also the variant's, after these.
# What a name with the kernel's version after it says counts for that kernel only, and
# configs/linux-<version>.config for each of its configurations.
# Nothing is done if nothing changed. The purpose
# "pristine" is built from the source as it is. With "-unpatched" after it a
# configuration is built with our code, but without our patches of TTM.
#
# CONFIGURE_ONLY=1: makes its configuration, no more.

. "$(dirname "$0")/lib.sh"

[ $# = 1 ] || die "usage: build.sh <config>"
CONFIG=$1
ARCH=${CONFIG%%-*}

# add_fragments <name>: those of a configuration, the more general ones first.
add_fragments()
{
	local file=$ROOT/configs/$1

	[[ $1 != *-* ]] || add_fragments "${1%-*}"
	FRAGMENTS+=("$file.config")
	[ ! -e "$file-$KERNEL.config" ] || FRAGMENTS+=("$file-$KERNEL.config")
}

FRAGMENTS=()
add_fragments "${CONFIG%-unpatched}"
[ ! -e "$ROOT/configs/linux-$KERNEL.config" ] ||
	FRAGMENTS+=("$ROOT/configs/linux-$KERNEL.config")
cat "${FRAGMENTS[@]}" >/dev/null || die "there is no configuration '$CONFIG' in configs/"

purposes=(build)
[ "$ARCH" = um ] || purposes+=("$ARCH")
"$ROOT/scripts/packages.sh" "${purposes[@]}"
[ "$CONFIG" = "${CONFIG%-unpatched}" ] || export UNPATCHED=1
"$ROOT/scripts/tree.sh"
case $CONFIG in
*-pristine) TREE=$(kernel_source) ;;
*)          TREE=$(kernel_tree) ;;
esac
OUT=$(kernel_out "$CONFIG")

kmake()
{
	make --no-print-directory -C "$TREE" O="$OUT" ARCH="$ARCH" "$@"
}

# What the result depends on, the times of our own files aside.
inputs()
{
	cat "$TREE/.stamp" 2>/dev/null || head -n 6 "$TREE/Makefile"
	gcc --version | head -n 1
	cat "${FRAGMENTS[@]}" "$0" | sha256sum
}

# A farm of our own changes only by tree.sh; the user's tree may by any hand.
up_to_date()
{
	[ -z "$KERNEL_SRC" ] && [ -e "$OUT/.built" ] &&
		[ "$(cat "$OUT/.built")" = "$(inputs)" ] &&
		[ -z "$(cd "$ROOT" && find Kconfig Kbuild compat ttm_fence_lru kunit swgpu \
			bench nvsw include -newer "$OUT/.built" -print -quit)" ]
}

# All lines of the fragments; of two about the same symbol the last one counts.
wanted()
{
	cat "${FRAGMENTS[@]}" | tac | awk '
		match($0, /CONFIG_[A-Z0-9_]+/) && /^(# )?CONFIG_/ {
			if (seen[substr($0, RSTART, RLENGTH)]++)
				next
		}
		{ print }' | tac
}

# Every one of them must have come true.
verify_config()
{
	local line symbol wrong=0

	while read -r line; do
		case $line in
		CONFIG_*=n)
			symbol=${line%=n}
			! grep -q "^$symbol=" "$OUT/.config" && continue ;;
		CONFIG_*=*)
			grep -qxF "$line" "$OUT/.config" && continue ;;
		"# CONFIG_"*" is not set")
			symbol=${line#\# }
			! grep -q "^${symbol%% *}=" "$OUT/.config" && continue ;;
		*)
			continue ;;
		esac
		say "wanted: $line"
		symbol=${line#\# }
		symbol=${symbol%%[= ]*}
		say "   got: $(grep -w "$symbol" "$OUT/.config" || say "no $symbol at all")"
		wrong=1
	done <"$OUT/.wanted"
	return $wrong
}

# What is there of another source would be mixed with it.
configure()
{
	[ ! -e "$OUT/source" ] || [ "$OUT/source" -ef "$TREE" ] || rm -rf "$OUT"
	mkdir -p "$OUT"
	wanted >"$OUT/.wanted"
	kmake KCONFIG_ALLCONFIG="$OUT/.wanted" allnoconfig
	verify_config
}

compile()
{
	kmake ${V:+V="$V"} -j "$JOBS"
}

! up_to_date || exit 0
run_step "config-$CONFIG" "configuring the kernel $CONFIG" \
	"The kernel's Kconfig does not grant what configs/$CONFIG.config asks for." \
	configure
[ -z "${CONFIGURE_ONLY:-}" ] || exit 0
# Its time is that of the start: what changes meanwhile is built next time.
inputs >"$OUT/.building"
run_step "build-$CONFIG" "building the kernel $CONFIG" \
	"The first of these errors is the one that counts." \
	compile
mv "$OUT/.building" "$OUT/.built"
