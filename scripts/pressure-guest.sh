#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# pressure-guest.sh: in a guest with modelled time, one replay.
#
# pressure-guest.sh <directory> <modules> <parameters of swgpu> <seed> <job speed> <option or client> ...
#
# Leaves what virtual_replay does in the directory, and alloc_times and memory. The modules are
# paths of files in the order in which they go in, swgpu last.

. "$(dirname "$0")/guest-lib.sh"

RESULT=$1 MODULES=$2 PARAMETERS=$3
shift 3

insert_modules "$MODULES" "cost=1 $PARAMETERS"
virtual_replay "$RESULT" "$@"
for file in alloc_times memory; do
	cat /sys/kernel/debug/dri/0/$file >"$RESULT/$file"
done
