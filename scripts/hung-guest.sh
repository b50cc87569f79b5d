#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# hung-guest.sh: in a guest with modelled time, memory beside a channel that hangs.
#
# hung-guest.sh <directory> <modules> <parameters of swgpu>
#
# Leaves counters, messages and status in the directory. The modules are paths of files in the
# order in which they go in, swgpu last.

. "$(dirname "$0")/guest-lib.sh"

insert_modules "$2" "cost=1 $3"
# shellcheck disable=SC2153 # BUILD comes from boot.sh
run_in_turn "$1" "$BUILD/tools/demo/hung-channel" >"$1/counters"
