#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# record-chip.sh [<kernel argument> ...] -- <program> [<argument> ...]: what a program of Vulkan's
# asks nouveau for, by Debian 13's NVK on the software chip: as mesa.sh, but recorded. Writes
# build/record/<name>.trace.xz. Of several processes it is the one that asked most.
#
# NAME=<name>     of the recording; default: that of the program
# GPU=<ns>,<ns>   how long a job takes when it is replayed, and each word of it; default: 10000,400
# VRAM_MB, NVSW_KERNEL, MESA_PACKAGES  as for mesa.sh

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/nvsw-lib.sh"
. "$ROOT/scripts/virtual-lib.sh"
. "$ROOT/scripts/record-lib.sh"

split_command "$@"
NAME=${NAME:-$(basename "${COMMAND[0]}")}

"$ROOT/scripts/packages.sh" build record
mkdir -p "$OUT"
rm -f "$OUT/$NAME".raw.*
build_recorder
# How the program ends is its own affair.
"$ROOT/scripts/mesa.sh" "${ARGUMENTS[@]}" -- env RECORD_CHIP=1 RECORD_GPU="$GPU" \
	RECORD_TO="$OUT/$NAME.raw" NOUVEAU_CHIPSET=0x162 LD_PRELOAD="$TOOLS/record.so" "${COMMAND[@]}" ||
	say "it ended with status $?"
choose "Is it one of Vulkan's or OpenGL's?"
