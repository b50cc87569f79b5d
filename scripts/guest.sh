#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# guest.sh: the init of a guest that boot.sh started.
#
# The root is the machine's own, read-only. Only build/ can be written.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C

# fail <what>: the last line of the kernel's log, which boot.sh reads.
fail()
{
	echo "guest.sh: $1" >/dev/console
	power_off
}

# Whatever init system the machine has or has not.
power_off()
{
	sync
	perl -e 'syscall(169, 0xfee1dead, 672274793, 0x4321fedc)'
}

# mount(2) itself: the option is a path without a name, which newer programs do not pass on.
mount_hostfs()
{
	perl -e 'my ($path, $type) = @ARGV;
		syscall(165, $type, $path, $type, 0, $path) == 0 or die "$!\n"' "$1" hostfs
}

run='' directory=''
# Sets these, and the command in "$@".
# shellcheck disable=SC1090,SC2154 # made by boot.sh, named by the kernel
. "$guest_job" || fail "there is no job for it in '$guest_job'"

# Not over the repository, should it lie there.
mount_over()
{
	case $ROOT/ in
	"$1"/*) ;;
	*) mount -t tmpfs "$1" "$1" ;;
	esac
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount_over /tmp
mount_over /run
reason=$(mount_hostfs "$BUILD" 2>&1) ||
	fail "$BUILD cannot be mounted, and so not be written: $reason"
unset guest_job TMPDIR

(
	exec </dev/null >/dev/tty1 2>&1
	stty -opost <&1
	cd "$directory" && exec "$@"
)
echo $? >"$run/status"
power_off
