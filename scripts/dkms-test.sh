#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# dkms-test.sh: installs the DKMS package in a small Debian of its own, looks whether
# modprobe and the initrd have our modules, removes it again, and looks whether all is as
# before. Then the boot test loads what DKMS had built. The machine's own system is not
# touched.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt-lib.sh"
. "$(dirname "$0")/modules-lib.sh"

unset KDIR
WORK=$BUILD/dkms-test

[ "$(id -u)" = 0 ] || die "a Debian of its own can only be made by root" "Run it as root."
"$ROOT/scripts/packages.sh" build dkms-test
"$ROOT/scripts/dkms.sh"
"$ROOT/scripts/debian.sh"
RELEASE=$(cat "$DEBIAN/release")
is_for "$RELEASE" ||
	die "the sources are of $(source_release), Debian's kernel is $RELEASE" \
	    "Fetch both anew: rm -rf build/linux-$KERNEL build/debian"

# The suites that have this kernel; the first is that of the system.
suites()
{
	case $RELEASE in
	*+deb12-*) say bookworm bookworm-backports ;;
	*)         say trixie ;;
	esac
}

# A Debian with this kernel and DKMS, in which dkms-test-hook.sh works; nothing is left.
try_package()
{
	local suites sources=() suite

	mapfile -t suites < <(suites)
	for suite in "${suites[@]}"; do
		sources+=("deb [signed-by=$KEYRING] $MIRROR $suite main")
	done
	rm -rf --one-file-system "$WORK"
	mkdir -p "$WORK/tmp" "$WORK/modules"
	# What it mounts goes with the process, however that ends.
	TMPDIR=$WORK/tmp unshare --mount --pid --fork --kill-child --mount-proc \
		mmdebstrap --variant=apt --format=null \
		--aptopt='Acquire::Retries "3"' \
		--include="dkms,linux-image-$RELEASE,linux-headers-$RELEASE" \
		--customize-hook="$ROOT/scripts/dkms-test-hook.sh \"\$1\" $RELEASE $BUILD/ttm-fence-lru-dkms_${VERSION}_all.deb $WORK" \
		"${suites[0]}" - "${sources[@]}"
}

run_step dkms-test "installing and removing the package in a Debian of its own" \
	"What was done there is in build/logs/dkms-test.log" try_package
cat "$WORK/results"
MODULES_DIR=$WORK/modules "$ROOT/scripts/boot-test.sh" | tee "$LOGS/dkms-test-boot.log"
passed=$(cat "$WORK/results" "$LOGS/dkms-test-boot.log" | grep -c '^ok ' || true)
failed=$(cat "$WORK/results" "$LOGS/dkms-test-boot.log" | grep -c '^not ok ' || true)
# shellcheck disable=SC2034 # summary's
skipped=0
summary
