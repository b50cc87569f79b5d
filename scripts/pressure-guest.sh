#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# pressure-guest.sh: in a guest with modelled time, one replay on one policy. Leaves
# <result>.counters and <result>.clients.
#
# pressure-guest.sh <result> <seed> <job speed> <trace> ... -- <parameter of swgpu> ...

. "$(dirname "$0")/guest-lib.sh"

RESULT=$1 SEED=$2 JOB_SPEED=$3
shift 3
traces=()
while [ "$1" != -- ]; do
	traces+=("$1")
	shift
done
shift

load swgpu cost=1 "$@"
virtual_replay "$RESULT" "$SEED" "$JOB_SPEED" "${traces[@]}"
