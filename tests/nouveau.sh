#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/nouveau.sh: nouveau on emulated cards, where BOCHS= names an emulator that has them.

. "$(dirname "$0")/../scripts/lib.sh"

if [ -z "${BOCHS:-}" ]; then
	say "ok - nouveau on emulated cards # SKIP BOCHS is not set; make nouveau says more"
	exit 0
fi
exec "$ROOT/scripts/nouveau.sh"
