#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# outcome.sh <directory> [<parameters> [<seed>]]: a small replay in modelled time, of clients
# of different kinds, whose outcome is to be the same wherever and whenever it runs: what the
# software GPU counted and what each client took are in <directory>/counters and clients.
# Parameters are the software GPU's.

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/virtual-lib.sh"

"$ROOT/scripts/pressure-cell.sh" "$1" "" "${2:-fence_lru=1}" $SMALL_REPLAY_MB "${3:-1}" 1 \
	"${SMALL_REPLAY[@]}" </dev/null >"$1.log" 2>&1 || {
	cat "$1.log"
	die "a replay in modelled time failed: $(basename "$1")"
}
