#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# debian.sh: unpacks the headers of Debian's newest kernel of this version and its
# image with the modules below build/debian-<kernel>/. Installs nothing.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt-lib.sh"
. "$(dirname "$0")/modules-lib.sh"

# The newest release of which the suite has headers and image, as 6.12.95+deb12.
newest_release()
{
	private_apt apt-cache pkgnames linux-headers- |
		sed -n -E "s/^linux-headers-($KERNEL\\.[0-9]+[^-]*)-amd64$/\\1/p" |
		sort -V | while read -r release; do
			[ -z "$(private_apt apt-cache pkgnames "linux-image-$release-amd64")" ] ||
				say "$release"
		done | tail -n 1
}

# image_packages <release>: later than 6.12 the image is in two of its own.
image_packages()
{
	local name

	for name in linux-{image,binary,modules}-"$1"-amd64; do
		private_apt apt-cache pkgnames "$name" | grep -xF -e "$name" || true
	done
}

download_kernel()
{
	local release packages

	release=$(newest_release)
	[ -n "$release" ] || return 1
	mapfile -t packages < <(image_packages "$release")
	download "linux-headers-$release-amd64" "linux-headers-$release-common" \
		"linux-kbuild-$release" "${packages[@]}" || return 1
	say "$release-amd64" >"$DEBS/release"
}

fetch()
{
	can_fetch
	for_some_suite download_kernel
}

# The headers know their place by heart.
unpack()
{
	local deb

	rm -rf "$DEBIAN" "$DEBIAN.new"
	mkdir -p "$DEBIAN.new"
	for deb in "$DEBS"/*.deb; do
		dpkg-deb -x "$deb" "$DEBIAN.new"
	done
	sed -i "s,/usr/src,$DEBIAN/usr/src," "$DEBIAN.new"/usr/src/linux-headers-*-amd64/Makefile
	cp "$DEBS/release" "$DEBIAN.new/release"
	# Where they are found on a system, too, whose /lib is a link.
	[ -e "$DEBIAN.new/lib" ] || ln -s usr/lib "$DEBIAN.new/lib"
	mv "$DEBIAN.new" "$DEBIAN"
}

[ ! -e "$DEBIAN/release" ] || exit 0
run_step fetch-debian "getting Debian's kernel $KERNEL" \
	"Check the network (or set DEBIAN_MIRROR=)" \
	fetch
run_step unpack-debian "unpacking Debian's kernel" \
	"Is there room for 1 GB below build/? Then try again." \
	unpack
