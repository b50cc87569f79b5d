#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What concerns modules for a kernel that somebody else built. To be sourced after
# lib.sh.

# Of the modules and of the DKMS package.
VERSION=$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' "$ROOT/ttm_fence_lru/lru.c")
DEBIAN=$BUILD/debian-$KERNEL
# All modules of ours, each after what it needs.
# shellcheck disable=SC2034 # for the script that sources this
MODULES=(ttm_fence_lru fl_ttm fl_ttm_helper swgpu nouveau)

# The headers to build against: the user's, or Debian's that debian.sh unpacked.
headers()
{
	if [ -z "${KDIR:-}" ]; then
		say "$DEBIAN/usr/src/linux-headers-$(cat "$DEBIAN/release")"
	elif [ -d "$KDIR" ]; then
		(cd "$KDIR" && pwd -P)
	else
		die "KDIR=$KDIR: no such directory"
	fi
}

# header_release <headers>: as uname -r says it.
header_release()
{
	local release

	release=$(release_of_headers "$1")
	[ -n "$release" ] ||
		die "KDIR=$1: no headers of a kernel that was built" \
		    "Give what /lib/modules/<release>/build is a link to."
	say "$release"
}

# source_release: of what release the sources are, as 6.12.95. Stable releases change what
# drivers use, so those of one may not compile for another.
source_release()
{
	sed -n -E 's/^(VERSION|PATCHLEVEL|SUBLEVEL) = *//p' "$(kernel_source)/Makefile" |
		head -n 3 | paste -sd .
}

# compiler_of <headers>: the one that the kernel was built with, by name.
compiler_of()
{
	sed -n -E 's/^CONFIG_CC_VERSION_TEXT="?([^ "]+).*/\1/p' "$1/include/config/auto.conf"
}

# is_for <release>: whether the sources are for that kernel.
is_for()
{
	[[ $1 =~ ^$(source_release)([^0-9]|$) ]]
}

# modules_out <release>: where the modules for that kernel are.
modules_out()
{
	say "$BUILD/modules/$1"
}

# link_ours <directory>: our sources, as links.
link_ours()
{
	local stage=$1 drm=drivers/gpu/drm header directory

	mkdir -p "$stage/include/drm" "$stage/include/uapi/drm" "$stage/$drm"
	for header in "$ROOT"/include/drm/*.h "$ROOT"/include/uapi/drm/*.h; do
		ln -s "$header" "$stage/${header#"$ROOT/"}"
	done
	cp -rs -t "$stage/$drm" "$ROOT"/{compat,ttm_fence_lru,swgpu}
	cp -rs -t "$stage" "$ROOT"/modules/{Kbuild,drivers}
	for directory in "$stage/$drm"/{.,ttm,swgpu,nouveau}; do
		ln -s "$ROOT/modules/version.c" "$directory/version.c"
	done
}

# link_kernels <directory>: the kernel's sources, patched, that the modules are built of, as
# links. What the package's prepare.sh takes from linux-source.
link_kernels()
{
	local stage=$1 tree drm=drivers/gpu/drm

	tree=$(kernel_tree)
	mkdir -p "$stage/include/drm" "$stage/include/uapi/drm" "$stage/$drm/ttm"
	cp -rs -t "$stage/include/drm" "$tree/include/drm/ttm"
	# Ours includes it from its own directory.
	ln -s -t "$stage/include/uapi/drm" "$tree"/include/uapi/drm/{drm,drm_mode}.h
	cp -rs -t "$stage/$drm" "$tree/$drm/nouveau" "$tree/$drm"/{drm_gem_ttm_helper,drm_fbdev_ttm}.c
	# That one is made by stage().
	find "$tree/$drm/ttm" -maxdepth 1 \( -name Makefile -o -name '*.[ch]' \) \
		! -name ttm_device.c -exec ln -s -t "$stage/$drm/ttm" {} +
	# Ours includes it.
	mv "$stage/$drm/nouveau/Kbuild" "$stage/$drm/nouveau/Kbuild.kernel"
}

# replace <file> <command> ...: with its output, unless that is the same.
replace()
{
	local file=$1
	shift

	"$@" >"$file.new"
	if [ ! -L "$file" ] && cmp -s "$file.new" "$file"; then
		rm "$file.new"
	else
		mv "$file.new" "$file"
	fi
}

# patched <patch> <file>: what the patch makes of it.
patched()
{
	patch --quiet --fuzz=0 --reject-file=- -o - "$2" "$1"
}

# stage <directory>: complete sources, for the headers of any kernel of their release.
stage()
{
	local tree ttm_device=drivers/gpu/drm/ttm/ttm_device.c

	tree=$(kernel_tree)
	mkdir -p "$1"
	find "$1" -type l -delete
	link_kernels "$1"
	link_ours "$1"
	replace "$1/$ttm_device" patched "$ROOT/modules/private.patch" "$tree/$ttm_device"
	replace "$1/private-symbols.h" "$ROOT/modules/private-symbols.sh" "$tree"
	replace "$1/VERSION" say "$VERSION"
}
