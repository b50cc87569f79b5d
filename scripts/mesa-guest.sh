#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# mesa-guest.sh <program> [<argument> ...]: runs it in a guest, in the Debian 13 with Mesa; with
# NVK, unless the program chooses another driver. What is not Debian's is where it is on this
# machine: home directories, the repository, other places of one's own.

set -eu
# shellcheck disable=SC2153 # BUILD comes from boot.sh
TREE=$BUILD/mesa/tree

# show <directory>: there is the same.
show()
{
	mkdir -p "$TREE$1"
	mount --rbind "$1" "$TREE$1"
}

for directory in /*; do
	case $directory in
	/bin | /etc | /lib* | /sbin | /usr | /var) ;;
	*) [ ! -d "$directory" ] || [ -L "$directory" ] || show "$directory" ;;
	esac
done
exec chroot "$TREE" env --chdir="$PWD" XDG_RUNTIME_DIR=/tmp XDG_CACHE_HOME=/tmp \
	VK_DRIVER_FILES=/usr/share/vulkan/icd.d/nouveau_icd.json "$@"
