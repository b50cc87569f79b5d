#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# dkms-test-hook.sh <root> <release> <package> <directory>: what dkms-test.sh does in the
# Debian below <root>. Results, and the modules that DKMS built, are left in <directory>.

set -euo pipefail

SYSTEM=$1
RELEASE=$2
PACKAGE=$3
WORK=$4
MODULES=lib/modules/$RELEASE
INITRD=boot/initrd.img-$RELEASE

# try <what> <command> ...
try()
{
	local what=$1 result="ok"
	shift

	"$@" || result="not ok"
	echo "$result - $what" | tee -a "$WORK/results"
}

in_system()
{
	chroot "$SYSTEM" env DEBIAN_FRONTEND=noninteractive "$@"
}

# What the package could change; of the initrd, whose bytes differ each time, the list.
state()
{
	local places=(etc boot "$MODULES" usr/share usr/src var/lib/dkms)

	(
		cd "$SYSTEM"
		find "${places[@]}" -type l -printf '%p %l\n' | sort
		find "${places[@]}" -type f ! -path "$INITRD" -print0 | sort -z |
			xargs -0 sha256sum
	)
	in_system lsinitramfs "/$INITRD"
}

# loads <pattern>: whether modprobe's nouveau, and that of the initrd, is there.
loads()
{
	in_system modprobe -S "$RELEASE" --show-depends nouveau | grep "/$1/nouveau\.ko" &&
		in_system lsinitramfs "/$INITRD" | grep "/$1/nouveau\.ko"
}

same_state()
{
	state >"$WORK/after"
	diff "$WORK/before" "$WORK/after"
}

rm -f "$WORK/results"
echo nouveau >>"$SYSTEM/etc/initramfs-tools/modules"
in_system update-initramfs -u -k "$RELEASE"
state >"$WORK/before"
cp "$PACKAGE" "$SYSTEM/tmp/package.deb"
try "without the package the kernel's nouveau is loaded" loads kernel/drivers/gpu/drm/nouveau
try "the package is installed" in_system dpkg --install /tmp/package.deb
try "ours is loaded, and in the initrd" loads updates/dkms
try "DKMS has built them" cp -t "$WORK/modules" "$SYSTEM/$MODULES"/updates/dkms/*
try "the package is removed" in_system dpkg --purge ttm-fence-lru-dkms
try "the kernel's nouveau is loaded again" loads kernel/drivers/gpu/drm/nouveau
try "all is as before" same_state
