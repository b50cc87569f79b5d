#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# source.sh: gets the source of the kernel, once.
#
# KERNEL_SRC=<tree>  use that tree instead; it is only read
# DEBIAN_MIRROR=<url>  where to get Debian's from

. "$(dirname "$0")/lib.sh"

MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
PACKAGE=linux-source-$KERNEL
SUITES=(bookworm-backports trixie)
APT=$BUILD/apt
SRC=$(kernel_source)

field()
{
	sed -n "s/^$1 *= *//p" "$SRC/Makefile" | head -n 1
}

# The user's tree: the right version, and clean as kbuild wants it.
check_tree()
{
	local version

	if ! [ -f "$SRC/Makefile" ] || ! [ -f "$SRC/Kconfig" ]; then
		die "KERNEL_SRC=$SRC is no kernel source tree"
	fi
	version=$(field VERSION).$(field PATCHLEVEL)
	[ "$version" = "$KERNEL" ] ||
		die "KERNEL_SRC=$SRC is Linux $version; the patches are for $KERNEL" \
		    "Nothing was changed."
	if [ -e "$SRC/.config" ] || [ -e "$SRC/include/config" ] ||
	   [ -e "$SRC/arch/x86/include/generated" ]; then
		die "KERNEL_SRC=$SRC was built in place, and so cannot be built elsewhere" \
		    "Run 'make mrproper' in it, or give a clean tree. Nothing was changed."
	fi
	[ ! -e "$SRC/drivers/gpu/drm/ttm_fence_lru" ] ||
		die "KERNEL_SRC=$SRC is patched already; a plain tree is needed" \
		    "Nothing was changed."
}

# apt with a configuration of our own: the system's is not touched, but its
# proxy settings hold, and so do the signatures.
private_apt()
{
	apt-get -o Dir::Etc::sourcelist="$APT/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$APT/lists" -o Dir::Cache="$APT/cache" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none \
		-o Acquire::Retries=3 "$@"
}

fetch()
{
	local suite

	command -v apt-get >/dev/null || { say "there is no apt-get here"; return 1; }
	[ -e "$KEYRING" ] || { say "$KEYRING is missing"; return 1; }
	rm -rf "$APT/deb"
	mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial" "$APT/deb"
	for suite in "${SUITES[@]}"; do
		say "deb [signed-by=$KEYRING] $MIRROR $suite main" >"$APT/sources.list"
		if private_apt update &&
		   (cd "$APT/deb" && private_apt download "$PACKAGE/$suite"); then
			return 0
		fi
		say "$suite has no $PACKAGE, trying the next suite"
	done
	return 1
}

unpack()
{
	rm -rf "$BUILD/source" "$SRC"
	dpkg-deb -x "$APT"/deb/"$PACKAGE"_*.deb "$BUILD/source"
	tar -C "$BUILD/source" -xf "$BUILD/source/usr/src/$PACKAGE.tar.xz"
	# The move comes last: a tree that is there is complete.
	mv "$BUILD/source/$PACKAGE" "$SRC"
	rm -rf "$BUILD/source"
}

if [ -n "$KERNEL_SRC" ]; then
	check_tree
	exit 0
fi
[ ! -e "$SRC/Makefile" ] || exit 0

lock source
[ ! -e "$SRC/Makefile" ] || exit 0
run_step fetch "getting $PACKAGE from Debian" \
	"Check the network (or set DEBIAN_MIRROR=), or give a tree: KERNEL_SRC=<linux-$KERNEL>" \
	fetch
run_step unpack "unpacking $PACKAGE" \
	"Is there room for 2 GB below build/? Then try again." \
	unpack
