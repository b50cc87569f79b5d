#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# mesa.sh [<kernel argument> ...] -- <program> [<argument> ...]: as nvsw.sh, but the program runs
# in a Debian 13 with Mesa, which is made below build/: so it can be one of Vulkan's or OpenGL's.
#
# MESA_PACKAGES="<name> ..."  more of Debian 13's packages that it needs
# VRAM_MB, NVSW_KERNEL  as for nvsw.sh

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/nvsw-lib.sh"

split_command "$@"

"$ROOT/scripts/mesa-tree.sh"
exec "$ROOT/scripts/nvsw.sh" "${ARGUMENTS[@]}" -- "$ROOT/scripts/mesa-guest.sh" "${COMMAND[@]}"
