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

[ -z "$KERNEL_SRC" ] || exit 0
[ ! -e "$SRC/Makefile" ] || exit 0
run_step fetch "getting $PACKAGE from Debian" \
	"Check the network (or set DEBIAN_MIRROR=), or give a tree: KERNEL_SRC=<linux-$KERNEL>" \
	fetch
run_step unpack "unpacking $PACKAGE" \
	"Is there room for 2 GB below build/? Then try again." \
	unpack
