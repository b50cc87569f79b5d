#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# nouveau-init.sh: the init of the emulated machine, which has busybox and nouveau-test.

export PATH=/bin
CASE=
# shellcheck disable=SC1091 # nouveau.sh made it
. /job

mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t debugfs debugfs /sys/kernel/debug
exec </dev/null >/dev/ttyS0 2>&1
# The BIOS of Bochs tells that the card's interrupt is PIRQ B, but it is PIRQ A.
dd if=/sys/bus/pci/devices/0000:00:07.0/config of=/route bs=1 skip=97 count=1 2>/dev/null
dd if=/route of=/sys/bus/pci/devices/0000:00:07.0/config bs=1 seek=96 conv=notrunc 2>/dev/null
# Only what is meant to be on the console; all is in the log in the end.
dmesg -n 3
modprobe nouveau "$(tr ' ' '\n' </proc/cmdline | grep '^fence_lru=')"
echo "# $(uname -r), fence_lru=$(cat /sys/module/nouveau/parameters/fence_lru)"
nouveau-test ${CASE:+"$CASE"}
[ -n "$CASE" ] || nouveau-test --unbind
echo "# the kernel's log"
dmesg -r
echo "# end"
sleep 1000
