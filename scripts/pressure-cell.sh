#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# pressure-cell.sh <directory> <modules> <parameters> <VRAM MiB> <seed> <job speed> <client> ...
#
# One replay in modelled time, in a guest of its own: see pressure-guest.sh. A client is a
# recording in traces/, a file, or a ring:; all may have a speed of their own, as
# weston-compositor@0.1. Parameters are the software GPU's, such as "fence_lru=1
# copy=async step_ns=54".

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/virtual-lib.sh"

[ $# -ge 7 ] || die "usage: pressure-cell.sh <directory> <modules> <parameters> <VRAM MiB> <seed> <job speed> <client> ..."
directory=$1 modules=$2 parameters=$3 vram_mb=$4 seed=$5 speed=$6
shift 6
[ -n "$modules" ] || modules=$(swgpu_modules)
clients=()
for client; do
	clients+=("$(compile_client "$client")")
done
mkdir -p "$directory"
directory=$(realpath "$directory")
"$ROOT/scripts/boot.sh" -v -t 1200 -m $((vram_mb + 1536))M -l "pressure-$(basename "$directory")" \
	um-demo -- "$ROOT/scripts/pressure-guest.sh" "$directory" \
	"$modules" "vram_mb=$vram_mb $parameters" "$seed" "$speed" "${clients[@]}"
