#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# nvsw-init.sh: the init of a guest that nvsw-qemu.sh starts.

export PATH=/bin
mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t devtmpfs devtmpfs /dev
eval "set -- $(cat /job)"
sh /nvsw-guest.sh "$@" </dev/null >/dev/ttyS1 2>&1
echo $? >/dev/ttyS2
sync
# With -no-reboot that ends QEMU; this kernel knows of no power to switch off.
reboot -f
