#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# nvsw-guest.sh <program> [<argument> ...]: runs it in a guest that has the software chip, and
# says what the chip has seen.

set -u
CHIP=/sys/kernel/debug/nvsw

if [ ! -e /sys/bus/pci/drivers/nouveau/0000:01:00.0 ]; then
	echo "not ok - nouveau has the software chip"
	dmesg | grep -E 'nouveau|nvsw' | tail -n 20
	exit 1
fi
status=0
"$@" || status=$?
# It goes with the driver.
if [ -d "$CHIP" ]; then
	sed 's/^/# chip: /' "$CHIP/counters"
	sed 's/^/# chip ignored: /' "$CHIP/unknown_methods"
fi
exit $status
