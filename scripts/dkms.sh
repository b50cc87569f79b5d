#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# dkms.sh: makes build/ttm-fence-lru-dkms_<version>_all.deb, a Debian package of our sources
# and the patches. What they are patches of, it takes from the linux-source package of each
# kernel that DKMS builds for: see modules/prepare.sh.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/modules-lib.sh"

WORK=$BUILD/dkms
DEB=$BUILD/ttm-fence-lru-dkms_${VERSION}_all.deb
MAINTAINER=$(sed -n 's/^M:[[:space:]]*//p' "$ROOT/MAINTAINERS" | head -n 1)

# fill <file>: with what is only known now; a control file has no comments.
fill()
{
	sed -e "/^# SPDX/d" -e "s/@VERSION@/$VERSION/g" -e "s/@MAINTAINER@/$MAINTAINER/g" "$1"
}

# copy_series <directory>: prepare.sh chooses by the first two numbers of a kernel. What is a
# document only is left out.
copy_series()
{
	local kernel dir patches

	for kernel in "${KERNELS[@]}"; do
		for dir in "$kernel" "$kernel-nouveau"; do
			mapfile -t patches < <(patches_of "$dir" | xargs -d '\n' grep -l '^+++ b/[^D]')
			mkdir -p "$1/$dir"
			cp -t "$1/$dir" "${patches[@]}"
		done
	done
}

# sources <directory>: what DKMS copies for each build.
sources()
{
	link_ours "$WORK/links"
	cp -rL "$WORK/links" "$1"
	cp -t "$1" "$ROOT"/modules/{prepare.sh,private-symbols.sh,private.patch}
	copy_series "$1/series"
	fill "$ROOT/modules/dkms.conf" >"$1/dkms.conf"
	say "$VERSION" >"$1/VERSION"
}

package()
{
	local root=$WORK/root hook=etc/kernel/preinst.d/ttm-fence-lru file

	rm -rf "$WORK"
	mkdir -p "$root/DEBIAN" "$root/usr/src" "$root/usr/share/doc/ttm-fence-lru-dkms" \
		"$root/${hook%/*}"
	sources "$root/usr/src/ttm-fence-lru-$VERSION"
	cp "$ROOT/COPYING" "$root/usr/share/doc/ttm-fence-lru-dkms/copyright"
	for file in control postinst prerm triggers; do
		fill "$ROOT/modules/debian/$file" >"$root/DEBIAN/$file"
	done
	fill "$ROOT/modules/debian/kernel-preinst" >"$root/$hook"
	say "/$hook" >"$root/DEBIAN/conffiles"
	chmod 755 "$root/DEBIAN"/{postinst,prerm} "$root/$hook"
	chmod -R u=rwX,go=rX "$root/usr" "$root/etc"
	dpkg-deb --root-owner-group --build "$root" "$DEB"
	rm -rf "$WORK"
}

run_step dkms "packing the sources" "Read the log." package
say "Install it with: apt-get install ./${DEB#"$ROOT/"}"
