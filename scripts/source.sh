#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# source.sh: gets the source of the kernel, once.
#
# KERNEL_SRC=<tree>  use that tree instead; it is only read
# DEBIAN_MIRROR=<url>  where to get Debian's from

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt-lib.sh"

PACKAGE=linux-source-$KERNEL
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

fetch()
{
	can_fetch
	for_some_suite download "$PACKAGE"
}

unpack()
{
	rm -rf "$BUILD/source" "$SRC"
	dpkg-deb -x "$DEBS"/"$PACKAGE"_*.deb "$BUILD/source"
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
