#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/dkms.sh: the DKMS package's sources become complete with Debian's source of a kernel,
# or it is said why not. On made-up packages of that source; nothing is compiled: what does
# so, in Debians of its own, is make dkms-test.

. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/modules-lib.sh"
. "$ROOT/scripts/result-lib.sh"

SCRATCH=$BUILD/test-dkms
NAME=linux-source-$KERNEL
TREE=$SCRATCH/tree/$NAME
DRM=drivers/gpu/drm
# It mends several files of the plain kernel's.
MENDED=$(patches_of "$KERNEL-nouveau" | grep -- -report-an-error-when-the-channel)

"$ROOT/scripts/tree.sh"
"$ROOT/scripts/dkms.sh"
POINT=$(source_release)

# new_source: as linux-source has it, but only what is wanted of it.
new_source()
{
	rm -rf "$SCRATCH/tree"
	mkdir -p "$TREE"
	(cd "$(kernel_source)" && cp -r --parents -t "$TREE" Makefile include/{drm/ttm,uapi/drm} \
		$DRM/{Makefile,Kconfig,ttm,nouveau,drm_gem_ttm_helper.c,drm_fbdev_ttm.c})
}

# prepare <release>: with the source as it is now, in a new copy of the package's sources.
prepare()
{
	rm -rf "$SCRATCH"/{build,source}
	mkdir -p "$SCRATCH/source"
	cp -r "$SCRATCH"/package/usr/src/ttm-fence-lru-"$VERSION" "$SCRATCH/build"
	[ ! -e "$TREE" ] ||
		tar -C "$SCRATCH/tree" -I 'xz -0 -T0' -cf "$SCRATCH/source/$NAME.tar.xz" "$NAME"
	SOURCES=$SCRATCH/source "$SCRATCH/build/prepare.sh" "$1"
}

# says <text> <release>: that it does not fit, and all but begins to build.
says()
{
	! prepare "$2" >"$SCRATCH/said" || return
	cat "$SCRATCH/said"
	grep -q "^ttm-fence-lru: .*$1" "$SCRATCH/said" && [ ! -e "$SCRATCH/build/private-symbols.h" ]
}

# That make modules knows nouveau's software chip makes no difference: no Debian builds it.
same_as_modules()
{
	local place chip

	stage "$SCRATCH/modules"
	for place in Kbuild VERSION private-symbols.h include $DRM/{ttm,ttm_fence_lru,swgpu,compat} \
		$DRM/drm_{gem_ttm_helper,fbdev_ttm}.c; do
		diff -r -x tests "$SCRATCH/modules/$place" "$SCRATCH/build/$place" || return
	done
	chip=$(touched_files "$ROOT"/patches/common-nvsw/*.patch)
	! diff -rq -x nvsw "$SCRATCH"/{modules,build}/$DRM/nouveau | grep -vF -e "$chip"
}

# as_in_7.3: a stable release has taken what 7.3 has, where a patch of 6.12 wants other lines.
as_in_7.3()
{
	perl -0pi -e 's/if \(nvbo->force_coherent\)\n.*\n\telse if \(/if (nvbo->force_coherent || /' \
		"$TREE/$DRM/nouveau/nouveau_sgdma.c" &&
		! cmp -s {"$(kernel_source)","$TREE"}/$DRM/nouveau/nouveau_sgdma.c &&
		prepare "$POINT-amd64"
}

# has_already <patch>: that the release has it is said, and the sources are the same for it.
has_already()
{
	cp -r "$SCRATCH/build" "$SCRATCH/without"
	patch -d "$TREE" -p1 --fuzz=0 --no-backup-if-mismatch <"$1" &&
		prepare "$POINT-amd64" >"$SCRATCH/said" &&
		grep -F -e "has it already: series/$KERNEL-nouveau/${1##*/}" "$SCRATCH/said" &&
		diff -r "$SCRATCH"/{without,build}/drivers
}

rm -rf "$SCRATCH"
mkdir -p "$SCRATCH/package"
dpkg-deb -x "$BUILD/ttm-fence-lru-dkms_${VERSION}_all.deb" "$SCRATCH/package"
quiet_result "without a source, the command that installs it is named" \
	says "apt-get install $NAME" "$POINT-amd64"
new_source
quiet_result "with the source of its release the sources are complete" prepare "$POINT-amd64"
quiet_result "they are those that make modules builds" same_as_modules
quiet_result "a patch that the release has already is passed over" has_already "$MENDED"
file=$(touched_files "$MENDED" | head -n 1)
cp "$(kernel_source)/$file" "$TREE/$file"
quiet_result "one that it has in part is named" says "${MENDED##*/} does not apply" "$POINT-amd64"
new_source
[ "$KERNEL" != 6.12 ] ||
	quiet_result "a line that 7.3 has otherwise, too: its patch is taken" as_in_7.3
new_source
quiet_result "the source of another release is named" says "is Linux $KERNEL.9999, but .* is of $POINT" \
	"$KERNEL.9999+deb13-amd64"
sed -i 's/ttm_bo_cleanup_memtype_use/altered/' "$TREE/$DRM/ttm/ttm_bo.c"
quiet_result "a line that a patch wants otherwise: patch, file and hunk are named" \
	says "$DRM/ttm/ttm_bo.c: hunk [0-9]*, at line [0-9]" "$POINT-amd64"
quiet_result "and the patch is" grep "series/$KERNEL/0.*patch does not apply" "$SCRATCH/said"
new_source
rm "$TREE/$DRM/ttm/ttm_resource.c"
quiet_result "a file that has moved is named" says "$DRM/ttm/ttm_resource.c is not there" "$POINT-amd64"
rm "$TREE/$DRM/drm_fbdev_ttm.c"
quiet_result "one that no patch changes, too" says "$DRM/drm_fbdev_ttm.c: Not found" "$POINT-amd64"
quiet_result "for another kernel there are no modules" \
	says "no modules for Linux 7.1 yet, but for 6.12, 7.3$" 7.1.4+deb13-amd64
[ "$FAILED" = 0 ]
