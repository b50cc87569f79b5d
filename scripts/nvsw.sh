#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# nvsw.sh [<kernel argument> ...] -- <program> [<argument> ...]: boots a guest in which nouveau
# drives the software chip, and runs the program in it, as root, on the files of this machine.
# What it prints appears here; the kernel's log is build/logs/boot-nvsw.log.
#
# Arguments of the kernel are nouveau's, such as nouveau.fence_lru=1, nouveau.noaccel=1 or
# nouveau.nvsw_seed=7.
#
# VRAM_MB=<n>  how much VRAM the chip has; 128
# CPUS=2       on two CPUs, in QEMU without virtualisation: there the program is a static one, and
#              all that it has of this machine's files
# NVSW_KERNEL=<directory>  where there is another kernel, which is booted instead

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/nvsw-lib.sh"

split_command "$@"

[ -n "${NVSW_KERNEL:-}" ] || "$ROOT/scripts/build.sh" "$CONFIG"
[ "$CONFIG" = um-nvsw ] || exec "$ROOT/scripts/nvsw-qemu.sh" "$@"
"$ROOT/scripts/boot.sh" -t "${BOOT_TIMEOUT:-900}" -m 1G -l "${NVSW_LOG:-nvsw}" \
	"${NVSW_KERNEL:-$CONFIG}" \
	"reserve_mem=${VRAM_MB:-128}M:16M:nvsw" "${ARGUMENTS[@]}" \
	-- "$ROOT/scripts/nvsw-guest.sh" "${COMMAND[@]}"
