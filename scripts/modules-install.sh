#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# modules-install.sh install|uninstall: puts the modules that modules.sh built where
# modprobe prefers them to the kernel's own, or takes them away again.
#
# KDIR=<headers>       of the kernel they are for
# INSTALL_MOD_PATH=<directory>  below which lib/modules is; default: /
# SIGN_KEY=, SIGN_CERT=<files>  of a key that the machine trusts

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/modules-lib.sh"

ROOT_DIR=${INSTALL_MOD_PATH:-}
[ -n "${KDIR:-}" ] || [ -e "$DEBIAN/release" ] ||
	die "no modules were built yet, nor is it known for which kernel" \
	    "Run 'make modules' first, or give KDIR=<headers>."
HEADERS=$(headers)
RELEASE=$(header_release "$HEADERS")
OUT=$(modules_out "$RELEASE")
BASE=$ROOT_DIR/lib/modules/$RELEASE
# depmod looks into updates/ first.
TARGET=$BASE/updates/ttm-fence-lru

# The file that modprobe would load.
chosen()
{
	modprobe -d "$ROOT_DIR/" -S "$RELEASE" --show-depends --ignore-install nouveau 2>/dev/null |
		sed -n -E 's,^insmod (.*/nouveau\.ko[^ ]*).*,\1,p' | tail -n 1
}

refresh()
{
	depmod ${ROOT_DIR:+-b "$ROOT_DIR"} "$RELEASE"
	# Early in the boot it is the one in there that is loaded.
	if [ -z "$ROOT_DIR" ] && command -v lsinitramfs >/dev/null &&
	   [ -e "/boot/initrd.img-$RELEASE" ] &&
	   lsinitramfs "/boot/initrd.img-$RELEASE" | grep '/nouveau\.ko' >/dev/null; then
		update-initramfs -u -k "$RELEASE"
	fi
}

sign()
{
	local tool=$HEADERS/scripts/sign-file module

	[ -x "$tool" ] || { say "ERROR: there is no $tool"; return 1; }
	for module in "${MODULES[@]}"; do
		"$tool" sha256 "$SIGN_KEY" "$SIGN_CERT" "$TARGET/$module.ko"
	done
}

install_modules()
{
	local module

	rm -rf "$TARGET"
	mkdir -p "$TARGET"
	for module in "${MODULES[@]}"; do
		install -m 644 "$OUT/$module.ko" "$TARGET"
	done
	[ -z "${SIGN_KEY:-}" ] || sign
	refresh
	[ "$(chosen)" -ef "$TARGET/nouveau.ko" ] ||
		{ say "ERROR: modprobe would load $(chosen)"; return 1; }
}

uninstall_modules()
{
	rm -rf "$TARGET"
	rmdir "$BASE/updates" 2>/dev/null || true
	refresh
	! [[ $(chosen) == */ttm-fence-lru/* ]]
}

[ -d "$BASE" ] || die "there are no modules of $RELEASE in $ROOT_DIR/lib/modules" \
	"Is that kernel installed? Else give KDIR= or INSTALL_MOD_PATH=."
[ -w "$BASE" ] || die "$BASE cannot be written" "Run it as root."

case ${1:-} in
install)
	[ -e "$OUT/nouveau.ko" ] || die "the modules for $RELEASE are not built" \
		"Run: make modules${KDIR:+ KDIR=$KDIR}"
	run_step modules-install "installing the modules for $RELEASE" \
		"Remove what is half installed: make modules_uninstall" install_modules
	say "modprobe nouveau loads $(chosen)" ;;
uninstall)
	run_step modules-uninstall "removing the modules for $RELEASE" \
		"Remove $TARGET by hand, then run depmod $RELEASE" uninstall_modules
	say "modprobe nouveau loads $(chosen)" ;;
*)
	die "usage: modules-install.sh install|uninstall" ;;
esac
