#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# dkms-test-hook.sh <root> <release> <package> <directory> <ccache>: what dkms-test.sh does in
# the Debian below <root>. Results, and the kernels with the modules that DKMS built, are left
# in <directory>; what was compiled, in <ccache>.
#
# Of 6.12 three kernels take part: the oldest that has a source, the newest, and one between.
# With KERNEL=7.3 it is the newest one, installed after the package, and removed.

set -euo pipefail
export LC_ALL=C

SYSTEM=$1
DEBIAN=$2
PACKAGE=$3
WORK=$4
CCACHE=$5
STOCK=kernel/drivers/gpu/drm/nouveau
OURS=updates/dkms
# shellcheck disable=SC2153 # dkms-test.sh exports it
SOURCE=linux-source-$KERNEL
# What the compilers say; there while DKMS builds.
MAKE_LOG=$SYSTEM/var/lib/dkms/ttm-fence-lru/$(dpkg-deb -f "$PACKAGE" Version)/build/make.log

# try <what> <command> ...
try()
{
	local what=$1 result="ok"
	shift

	"$@" || result="not ok"
	echo "$result - Debian $DEBIAN: $what" | tee -a "$WORK/results"
}

# What compiles writes down what it includes, so that ccache need not preprocess for that: that
# is half of the time.
in_system()
{
	chroot "$SYSTEM" env DEBIAN_FRONTEND=noninteractive CCACHE_DIR=/ccache CCACHE_DEPEND=1 "$@"
}

# apt <argument> ...: what it says is kept, for said().
apt()
{
	in_system apt-get -y --no-install-recommends --allow-downgrades \
		-o DPkg::Path=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin "$@" 2>&1 | tee "$WORK/said"
}

# apt_goes_well <argument> ...: nothing is left half done either.
apt_goes_well()
{
	apt "$@" && [ -z "$(in_system dpkg --audit)" ]
}

# said <text> ...: whether apt's last call printed each.
said()
{
	local text

	for text; do
		grep -F -e "$text" "$WORK/said" || { echo "nobody said: $text"; return 1; }
	done
}

# version_of <release>: of the packages of that kernel.
version_of()
{
	in_system apt-cache show "linux-headers-$1" | sed -n 's/^Version: //p' | head -n 1
}

# Kernels whose source can be had, the oldest first.
find_kernels()
{
	local kernel sources

	sources=$(in_system apt-cache madison "$SOURCE" | awk '{ print $3 }')
	in_system apt-cache pkgnames "linux-headers-$KERNEL." | sed -n 's/^linux-headers-\(.*[0-9]-amd64\)$/\1/p' |
		sort -V | while read -r kernel; do
			grep -qxF -e "$(version_of "$kernel")" <<<"$sources" || continue
			[ -z "$(in_system apt-cache pkgnames "linux-image-$kernel")" ] || echo "$kernel"
		done
}

# kernel <release>: the packages of it, but for its source.
kernel()
{
	echo "linux-image-$1 linux-headers-$1"
}

# What the package could change; of initrds, whose bytes differ each time, the list.
state()
{
	local places=(etc boot "lib/modules/$OLD" usr/share usr/src var/lib/dkms)

	(
		cd "$SYSTEM"
		find "${places[@]}" -type l -printf '%p %l\n' | sort
		find "${places[@]}" -type f ! -path 'boot/initrd*' -print0 | sort -z | xargs -0 sha256sum
	)
	in_system lsinitramfs "/boot/initrd.img-$OLD"
}

same_state()
{
	state >"$WORK/after"
	diff "$WORK/before" "$WORK/after"
}

# loads <release> <directory>: whether modprobe's nouveau, and that of the initrd, is there.
loads()
{
	in_system modprobe -S "$1" --show-depends nouveau | grep "/$2/nouveau\.ko" &&
		in_system lsinitramfs "/boot/initrd.img-$1" | grep "/$2/nouveau\.ko"
}

# keep <release>: for the boot test, with what DKMS has built.
keep()
{
	local place=$WORK/kernels/$1

	compgen -G "$SYSTEM/lib/modules/$1/$OURS/nouveau.ko*" || return
	mkdir -p "$place/boot" "$place/lib/modules"
	[ ! -e "$SYSTEM/boot/vmlinuz-$1" ] || cp "$SYSTEM/boot/vmlinuz-$1" "$place/boot"
	cp -a "$SYSTEM/lib/modules/$1" "$place/lib/modules"
	echo "$1" >"$place/release"
}

# A package of a source with one line that is not what a patch wants, of the kernel between.
altered_source()
{
	local place=$SYSTEM/tmp/altered name=$SOURCE point=${BETWEEN%%+*}

	mkdir -p "$place"/{tree,root/DEBIAN,root/usr/src}
	tar -C "$place/tree" -xf "$SYSTEM/usr/src/$name.tar.xz" \
		"$name"/{Makefile,include/drm/ttm,include/uapi/drm} \
		"$name"/drivers/gpu/drm/{Makefile,Kconfig,ttm,nouveau,drm_gem_ttm_helper.c,drm_fbdev_ttm.c}
	sed -i "s/^SUBLEVEL = .*/SUBLEVEL = ${point##*.}/" "$place/tree/$name/Makefile"
	sed -i 's/ttm_bo_cleanup_memtype_use/altered/' "$place/tree/$name/drivers/gpu/drm/ttm/ttm_bo.c"
	tar -C "$place/tree" -I 'xz -T0 -1' -cf "$place/root/usr/src/$name.tar.xz" "$name"
	printf '%s\n' "Package: $name" "Version: $(version_of "$BETWEEN")+altered" \
		"Architecture: all" "Maintainer: nobody <nobody@example.org>" \
		"Description: a source that was altered" >"$place/root/DEBIAN/control"
	dpkg-deb --build "$place/root" "$SYSTEM/tmp/altered.deb"
	rm -r "$place"
}

prepare()
{
	local kernels

	cp /etc/resolv.conf "$SYSTEM/etc/resolv.conf"
	mkdir "$SYSTEM/ccache"
	mount --bind "$CCACHE" "$SYSTEM/ccache"
	tail -n +1 --follow=name --retry "$MAKE_LOG" 2>/dev/null &
	tail=$!
	trap 'umount "$SYSTEM/ccache"; kill "$tail"' EXIT
	# All that an initrd has else is of no interest.
	sed -i 's/^MODULES=.*/MODULES=list/' "$SYSTEM/etc/initramfs-tools/initramfs.conf"
	echo nouveau >>"$SYSTEM/etc/initramfs-tools/modules"
	cp "$PACKAGE" "$SYSTEM/tmp/package.deb"
	mapfile -t kernels < <(find_kernels)
	printf '# %s\n' "${kernels[@]}"
	OLD=${kernels[0]}
	NEW=${kernels[-1]}
	[ "$KERNEL" != 6.12 ] || BETWEEN=${kernels[-2]}
}

try_install()
{
	# shellcheck disable=SC2046 # a word per package
	apt install $(kernel "$OLD") "$SOURCE=$(version_of "$OLD")"
	state >"$WORK/before"
	try "$OLD: without the package the kernel's nouveau is loaded" loads "$OLD" $STOCK
	try "$OLD: the package is installed" apt_goes_well install /tmp/package.deb
	try "$OLD: ours is loaded, and in the initrd" loads "$OLD" $OURS
	try "$OLD: DKMS has built it" keep "$OLD"
}

# As "apt upgrade" does it: the kernel and its source in one go, in an order of apt's.
try_upgrade()
{
	# shellcheck disable=SC2046 # a word per package
	try "the kernel is upgraded to $NEW" \
		apt_goes_well install $(kernel "$NEW") "$SOURCE=$(version_of "$NEW")"
	try "$NEW: ours is loaded, and in the initrd" loads "$NEW" $OURS
	try "$NEW: DKMS has built it" keep "$NEW"
	try "$OLD: ours is still loaded" loads "$OLD" $OURS
}

try_misfits()
{
	# shellcheck disable=SC2046 # a word per package
	try "$BETWEEN is installed without its source" apt_goes_well install $(kernel "$BETWEEN")
	try "that is said, and how to install it" said "$BETWEEN keeps its own nouveau" \
		"apt-get install $SOURCE=$(version_of "$BETWEEN")"
	altered_source
	try "its source is installed, altered" apt_goes_well install /tmp/altered.deb
	try "the patch, the file and the hunk are named" said "$BETWEEN keeps its own nouveau" \
		".patch does not apply to Linux ${BETWEEN%%+*}" "drivers/gpu/drm/ttm/ttm_bo.c: hunk "
	try "$BETWEEN: the kernel's nouveau is loaded" loads "$BETWEEN" $STOCK
	try "$OLD is replaced by the same, and its source has gone" \
		apt_goes_well install --reinstall "linux-image-$OLD"
	try "that is said" said "$OLD keeps its own nouveau" "the kernel is Linux ${OLD%%+*}"
	try "$OLD: the kernel's nouveau is loaded" loads "$OLD" $STOCK
}

# nothing_is_left <release>: of its modules; else what.
nothing_is_left()
{
	! find "$SYSTEM/lib/modules/$1" 2>/dev/null | grep .
}

# A later kernel, in a Debian that has the package already. It wants others of the backports,
# and its modules are in a package of their own.
try_later()
{
	local suite

	suite=$(sed -n 's/^VERSION_CODENAME=//p' "$SYSTEM/etc/os-release")
	try "the package is installed" apt_goes_well install /tmp/package.deb
	# shellcheck disable=SC2046 # a word per package
	try "$NEW is installed, with its source" \
		apt_goes_well install -t "$suite-backports" $(kernel "$NEW") "$SOURCE=$(version_of "$NEW")"
	try "$NEW: ours is loaded, and in the initrd" loads "$NEW" $OURS
	try "$NEW: DKMS has built it" keep "$NEW"
	try "the package is removed" apt_goes_well purge ttm-fence-lru-dkms
	try "$NEW: the kernel's nouveau is loaded again" loads "$NEW" $STOCK
	try "$NEW is removed" apt_goes_well purge "linux-*-$NEW" "$SOURCE"
	try "nothing is left of it" nothing_is_left "$NEW"
}

# unserved <release> <text>: what the package says of a kernel for which it has not all.
unserved()
{
	local prepare=("$SYSTEM"/usr/src/ttm-fence-lru-*/prepare.sh)

	if "${prepare[0]}" "$1" >"$WORK/said"; then
		return 1
	fi
	said "$2"
}

try_removal()
{
	# shellcheck disable=SC2046 # a word per package
	try "$BETWEEN is removed" apt_goes_well purge $(kernel "$BETWEEN")
	try "$OLD: its source comes back" apt_goes_well install "$SOURCE=$(version_of "$OLD")"
	try "$OLD: ours is loaded again" loads "$OLD" $OURS
	# shellcheck disable=SC2046
	try "$NEW is removed" apt_goes_well purge $(kernel "$NEW")
	try "nothing is left of it" nothing_is_left "$NEW"
	try "the package is removed" apt_goes_well purge ttm-fence-lru-dkms
	try "$OLD: the kernel's nouveau is loaded again" loads "$OLD" $STOCK
	in_system apt-get -y autoremove --purge
	try "all is as before" same_state
}

rm -f "$WORK/results"
prepare
if [ "$KERNEL" != 6.12 ]; then
	try_later
	exit
fi
try_install
try_upgrade
try_misfits
try "7.1: that there are no modules is said" unserved 7.1.4+deb13-amd64 "there are no modules for Linux 7.1"
try_removal
