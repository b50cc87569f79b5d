#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# dkms.sh: makes build/ttm-fence-lru-dkms_<version>_all.deb, the sources of the modules
# as a Debian package. DKMS builds them for each kernel of the release they are from, and
# leaves others alone.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/modules-lib.sh"

"$ROOT/scripts/packages.sh" build
"$ROOT/scripts/tree.sh"
WORK=$BUILD/dkms
DEB=$BUILD/ttm-fence-lru-dkms_${VERSION}_all.deb
MAINTAINER=$(sed -n 's/^M:[[:space:]]*//p' "$ROOT/MAINTAINERS" | head -n 1)

# fill <file>: with what is only known now; a control file has no comments.
fill()
{
	sed -e "/^# SPDX/d" -e "s/@VERSION@/$VERSION/g" -e "s/@MAINTAINER@/$MAINTAINER/g" \
		-e "s/@RELEASE@/$(source_release)/g" "$1"
}

package()
{
	local root=$WORK/root source=$WORK/root/usr/src/ttm-fence-lru-$VERSION file

	rm -rf "$WORK"
	mkdir -p "$root/DEBIAN" "${source%/*}" "$root/usr/share/doc/ttm-fence-lru-dkms"
	stage "$WORK/links"
	cp -rL "$WORK/links" "$source"
	fill "$ROOT/modules/dkms.conf" >"$source/dkms.conf"
	cp "$ROOT/COPYING" "$root/usr/share/doc/ttm-fence-lru-dkms/copyright"
	for file in control postinst prerm; do
		fill "$ROOT/modules/debian/$file" >"$root/DEBIAN/$file"
	done
	chmod 755 "$root/DEBIAN"/{postinst,prerm}
	chmod -R u=rwX,go=rX "$root/usr"
	dpkg-deb --root-owner-group --build "$root" "$DEB"
	rm -rf "$WORK"
}

run_step dkms "packing the sources" "Read the log." package
say "Install it with: apt-get install ./${DEB#"$ROOT/"}"
