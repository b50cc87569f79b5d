#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# dkms-test.sh: installs the DKMS package in small Debians 12 and 13 of its own, upgrades the
# kernel there, has kernels that the package cannot serve, and removes all again: what
# dkms-test-hook.sh does. Then the boot test loads what DKMS had built, in each kernel that it
# was built for. The machine's own system is not touched. For the next time packages stay in
# build/apt, and what was compiled in build/ccache-<release>.
#
# RELEASE=<n>  only in Debian 12, or 13
# KERNEL=7.3   with that of Debian 13's backports, which is installed and removed

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt-lib.sh"
. "$(dirname "$0")/modules-lib.sh"

unset KDIR
WORK=$BUILD/dkms-test
PACKAGE=$BUILD/ttm-fence-lru-dkms_${VERSION}_all.deb
declare -A NAMES=([12]=bookworm [13]=trixie)

[ "$KERNEL" = 6.12 ] || [ "${RELEASE:-13}" = 13 ] ||
	refuse "RELEASE=$RELEASE: Debian $RELEASE has no kernel $KERNEL" "RELEASE=13 has."
[ "$(id -u)" = 0 ] || die "a Debian of its own can only be made by root" "Run it as root."
"$ROOT/scripts/packages.sh" build dkms-test boot
"$ROOT/scripts/dkms.sh"

# sources_of <release>: where its kernels come from, lines of sources.list.
sources_of()
{
	local name=${NAMES[$1]} options="[signed-by=$KEYRING]"

	say "deb $options $MIRROR $name main" "deb $options ${MIRROR%/}-security $name-security main"
	[ "$1$KERNEL" = 136.12 ] || say "deb $options $MIRROR $name-backports main"
}

# try_release <release>: a Debian with DKMS, in which dkms-test-hook.sh works; nothing is left.
# Packages are linked to and fro.
try_release()
{
	local sources work=$WORK/$1 packages=$APT/packages-$1 ccache=$BUILD/ccache-$1

	mapfile -t sources < <(sources_of "$1")
	mkdir -p "$work/tmp" "$packages" "$ccache"
	# How this machine fetches packages.
	apt-config dump | grep '^Acquire::' >"$work/apt.conf"
	# What it mounts goes with the process, however that ends.
	TMPDIR=$work/tmp unshare --mount --pid --fork --kill-child --mount-proc \
		mmdebstrap --variant=apt --format=null --skip=essential/unlink \
		--aptopt="$work/apt.conf" --dpkgopt=force-unsafe-io \
		--include=dkms,ccache,initramfs-tools,zstd,xz-utils \
		--setup-hook="mkdir -p \"\$1/var/cache/apt\"; cp -al $packages \"\$1/var/cache/apt/archives\"" \
		--customize-hook="$ROOT/scripts/dkms-test-hook.sh \"\$1\" $1 $PACKAGE $work $ccache" \
		--customize-hook="cp -lfn -t $packages \"\$1\"/var/cache/apt/archives/*.deb" \
		"${NAMES[$1]}" - "${sources[@]}"
}

# boot <release> <directory>: a kernel that the hook has kept there, with what DKMS built.
boot()
{
	local kernel=${2##*/} log=$LOGS/dkms-test-boot-${2##*/}.log

	say "# Debian $1 boots $kernel"
	BOOT_DIR=$2 MODULES_DIR=$2/lib/modules/$kernel/updates/dkms "$ROOT/scripts/boot-test.sh" |
		tee "$log" || say "not ok - Debian $1 boots $kernel" | tee -a "$log"
	grep -E '^(ok|not ok) ' "$log" >>"$WORK/results" || true
}

rm -rf --one-file-system "$WORK"
mkdir -p "$WORK"
[ "$KERNEL" = 6.12 ] || RELEASE=13
for release in ${RELEASE:-12 13}; do
	say "" "== Debian $release"
	run_step "dkms-test-$release" "installing, upgrading and removing in a Debian $release of its own" \
		"What was done there is in build/logs/dkms-test-$release.log" try_release "$release"
	tee -a "$WORK/results" <"$WORK/$release/results"
	for directory in "$WORK/$release"/kernels/*; do
		[ ! -e "$directory" ] || boot "$release" "$directory"
	done
done
passed=$(grep -c '^ok ' "$WORK/results" || true)
failed=$(grep -c '^not ok ' "$WORK/results" || true)
# shellcheck disable=SC2034 # summary's
skipped=0
summary
