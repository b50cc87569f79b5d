#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# fuzz-init.sh: the init of a guest that fuzz.sh starts in QEMU.

export PATH=/bin
mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t devtmpfs devtmpfs /dev
# fuzz_seconds and fuzz_seed are variables of the first process.
# shellcheck disable=SC2154
fuzz "$fuzz_seconds" "$fuzz_seed" /known-failures
echo "# exit status $?"
sync
# With -no-reboot that ends QEMU; this kernel knows of no power to switch off.
reboot -f
