#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# An initramfs with busybox, for guests that have no root of the host's. To be sourced.

# ram_begin <directory> <init>: a new root with busybox, and what runs first.
ram_begin()
{
	local applet

	rm -rf "$1"
	mkdir -p "$1/bin"
	cp "$(command -v busybox)" "$1/bin/busybox"
	for applet in $(busybox --list | grep -vx busybox); do
		ln -s busybox "$1/bin/$applet"
	done
	cp "$2" "$1/init"
}

# ram_pack <directory>: into <directory>.gz.
ram_pack()
{
	(cd "$1" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$1.gz"
}

# ram_complaints <log> <since>: what the guest's kernel warned of, or worse, from the first
# line on that this matches.
ram_complaints()
{
	sed -n '/^# the kernel.s log/,/^# end/p' "$1" | sed -n "/$2/,\$p" |
		grep -E '^<([0-4]|[1-9][0-9]+)>' | awk -F'[<>]' '$2 % 8 <= 4'
}
