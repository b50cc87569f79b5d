#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# outcome.sh <directory> [<parameters> [<seed>]]: a small replay in modelled time, of clients
# of different kinds, whose outcome is to be the same wherever and whenever it runs: what the
# software GPU counted and what each client took are in <directory>/counters and clients.
# Parameters are the software GPU's.

. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2054 # commas are part of them
CLIENTS=(weston-compositor@0.25 piglit-streaming-texture-leak
	ring:buffers=56,kib=256,use=2,advance=1,jobs=300,job_us=1000,frame=32 ring:kib=256)
VRAM_MB=32

"$ROOT/scripts/pressure-cell.sh" "$1" "" "${2:-fence_lru=1}" $VRAM_MB "${3:-1}" 1 \
	"${CLIENTS[@]}" </dev/null >"$1.log" 2>&1 || {
	cat "$1.log"
	die "a replay in modelled time failed: $(basename "$1")"
}
