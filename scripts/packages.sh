#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# packages.sh <purpose> ...
#
# Makes sure that the programs needed to build, check, demo or run an x86 kernel are
# there: installs what is missing on Debian, and names it anywhere else.

. "$(dirname "$0")/lib.sh"

# What Debian's own kernel was built with. Debian 12 has nothing newer than 12: modules.sh
# says so.
compiler_of_debian()
{
	if [ "$KERNEL" = 6.12 ] || [ -z "$(apt-cache pkgnames gcc-14 2>/dev/null)" ]; then
		say gcc-12
	else
		say gcc-14
	fi
}

# Debian packages, each with a file or program that shows it elsewhere.
packages_of()
{
	case $1 in
	build) say gcc:gcc libc6-dev:/usr/include/stdio.h make:make flex:flex \
		bison:bison bc:bc python3:python3 perl:perl xz-utils:xz patch:patch \
		kmod:modprobe ;;
	docs) say python3-sphinx:sphinx-build ;;
	record) say libegl-dev:/usr/include/EGL/egl.h xvfb:Xvfb xz-utils:xz ;;
	check) say sparse:sparse clang-format-19:clang-format shellcheck:shellcheck \
		git:git ;;
	series) say git:git ;;
	demo)  say gnuplot-nox:gnuplot graphviz:dot ;;
	modules) say "$(compiler_of_debian):gcc" libelf-dev:/usr/include/libelf.h ;;
	boot)  say busybox-static:busybox cpio:cpio qemu-system-x86:qemu-system-x86_64 ;;
	nouveau) say busybox-static:busybox cpio:cpio bochsbios:/usr/share/bochs/BIOS-bochs-latest \
		vgabios:/usr/share/vgabios/vgabios.bin isolinux:/usr/lib/ISOLINUX/isolinux.bin \
		syslinux-common:/usr/lib/syslinux/modules/bios/ldlinux.c32 xorriso:xorriso ;;
	dkms-test | debian-test) say mmdebstrap:mmdebstrap ;;
	x86)   say libelf-dev:/usr/include/libelf.h qemu-system-x86:qemu-system-x86_64 ;;
	*)     die "packages.sh: unknown purpose '$1'" ;;
	esac
}

installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

present()
{
	case $1 in
	/*) [ -e "$1" ] ;;
	*)  PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
	esac
}

missing=()
for purpose; do
	# shellcheck disable=SC2046 # one word per package
	set -- $(packages_of "$purpose")
	for package; do
		if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
			installed "${package%%:*}" || missing+=("${package%%:*}")
		else
			present "${package#*:}" || missing+=("${package#*:}")
		fi
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null ||
	die "these are missing: ${missing[*]}" "Please install them and try again."

# Installing is left to end whatever happens: packages that are half installed must be
# repaired by hand. A session of its own is left alone, and a user cannot end what sudo does.
as_root=(setsid --wait)
if [ "$(id -u)" != 0 ]; then
	as_root=(sudo -n)
	if ! sudo -n true 2>/dev/null; then
		die "these Debian packages are missing: ${missing[*]}" \
		    "Please run, as root: apt-get install --no-install-recommends ${missing[*]}"
	fi
fi

apt()
{
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get \
		-o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@"
}

install()
{
	apt update
	apt install -y --no-install-recommends "${missing[@]}"
}

run_step packages "installing ${missing[*]}" \
	"Install them by hand: apt-get install --no-install-recommends ${missing[*]}" \
	install
