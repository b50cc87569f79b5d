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

# ram_boot <seconds> <memory> <config> <directory> <arguments of the kernel> <QEMU's> ...: on two
# CPUs in QEMU, without virtualisation. Its exit status, or 124 if that took too long. The guest
# ends when it is rebooted, as there is no power that it could switch off. It does not try whether
# its timer ticks: on a busy machine it may not in time. Nor has it five levels of page tables:
# while Linux looks anew what the CPU can do it knows of four, and KASAN takes memory for none.
ram_boot()
{
	timeout --foreground --kill-after=10 "$1" \
		qemu-system-x86_64 -accel tcg,thread=multi -cpu max,la57=off -smp 2,sockets=2 -m "$2" \
		-nodefaults -no-user-config -display none -no-reboot "${@:6}" \
		-kernel "$(kernel_out "$3")/arch/x86/boot/bzImage" -initrd "$4.gz" \
		-append "console=ttyS0 rdinit=/init panic=-1 oops=panic kunit.enable=0 \
no_timer_check rcupdate.rcu_expedited=1 $5" </dev/null
}

# ram_complaints <log> <since>: what the guest's kernel warned of, or worse, from the first
# line on that this matches.
ram_complaints()
{
	sed -n '/^# the kernel.s log/,/^# end/p' "$1" | sed -n "/$2/,\$p" |
		grep -E '^<([0-4]|[1-9][0-9]+)>' | awk -F'[<>]' '$2 % 8 <= 4'
}
