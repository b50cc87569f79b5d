#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# boot-test.sh: boots Debian's own kernel, as it is shipped, in QEMU without
# virtualisation, and loads our modules in it, beside its TTM with a driver in use.
#
# MODULES_DIR=<directory>  where they are, for that kernel; default: those that make modules
#                          builds
# BOOT_DIR=<directory>  which kernel: its name is in release, the rest below boot and lib/modules;
#                       default: build/debian-<kernel>

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/modules-lib.sh"
. "$(dirname "$0")/ram-lib.sh"

# What is installed is no concern of this test.
unset KDIR
TRACES=(mpv-720p60)
LIMIT=20000
SPEED=20
TIMEOUT=${BOOT_TEST_TIMEOUT:-600}
LOG=$LOGS/boot-test.log
# A driver on the kernel's own TTM, what it is called in /dev/dri, and its device.
case $KERNEL in
6.12) DRIVER=bochs DRIVER_NAME=bochs-drm DEVICE=VGA ;;
*)    DRIVER=qxl DRIVER_NAME=qxl DEVICE=qxl-vga ;;
esac

"$ROOT/scripts/packages.sh" boot
[ -n "${MODULES_DIR:-}" ] || "$ROOT/scripts/modules.sh"
DEBIAN=${BOOT_DIR:-$DEBIAN}
RELEASE=$(cat "$DEBIAN/release")
STOCK_DIR=$DEBIAN/lib/modules/$RELEASE
IMAGE=$DEBIAN/boot/vmlinuz-$RELEASE
# Later kernels are copied from there when they are installed.
[ -e "$IMAGE" ] || IMAGE=$STOCK_DIR/vmlinuz
OUT=${MODULES_DIR:-$(modules_out "$RELEASE")}
RAM=$BUILD/boot/initramfs

# The file of a module, ours before the kernel's.
module_file()
{
	local file

	file=$(find "$OUT" -maxdepth 1 -name "$1.ko*" -print -quit)
	[ -n "$file" ] ||
		file=$(find "$STOCK_DIR" \( -name "$1.ko*" -o -name "${1//_/-}.ko*" \) -print -quit)
	say "$file"
}

# closure <module> ...: with all they need, in the order to load them.
closure()
{
	local module file

	for module; do
		file=$(module_file "$module")
		[ -n "$file" ] || { say "ERROR: no module $module" >&2; return 1; }
		# shellcheck disable=SC2046 # a word per module
		closure $(modinfo -F depends "$file" | tr , ' ')
		say "$module"
	done | awk '!seen[$0]++'
}

put_module()
{
	local file

	file=$(module_file "$1")
	case $file in
	*.xz) xz -dc "$file" >"$RAM/modules/$1.ko" ;;
	*)    cp "$file" "$RAM/modules/$1.ko" ;;
	esac
}

make_initramfs()
{
	local stock all ours module trace

	ram_begin "$RAM" "$ROOT/scripts/boot-test-init.sh"
	mkdir -p "$RAM"/{modules,traces}
	stock=$(closure $DRIVER | xargs)
	ours=$(say "${MODULES[@]}" | xargs)
	all=$(closure "${MODULES[@]}" | grep -vxF "$(say "${MODULES[@]}")" | xargs)
	for module in $stock $all $ours; do
		put_module "$module"
	done
	cp "$BUILD/tools/boot-test/hold" "$RAM/bin/hold"
	cp "$BUILD/tools/replay/replay" "$RAM/bin/replay_tool"
	for trace in "${TRACES[@]}"; do
		xz -dc "$ROOT/traces/$trace.trace.xz" >"$RAM/traces/$trace.trace"
	done
	printf '%s=%q\n' DRIVER $DRIVER DRIVER_NAME $DRIVER_NAME STOCK "$stock" \
		OTHERS "$all" OURS "$ours" LIMIT "$LIMIT" \
		SPEED "$SPEED" TRACES "$(printf '/traces/%s.trace ' "${TRACES[@]}")" >"$RAM/job"
	ram_pack "$RAM"
}

build_tools()
{
	make -C "$ROOT/tools/boot-test" OUT="$BUILD/tools/boot-test"
	make -C "$ROOT/tools/replay" OUT="$BUILD/tools/replay"
}

boot()
{
	local status=0

	timeout --kill-after=10 "$TIMEOUT" \
		qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1G \
		-nodefaults -no-user-config -vga none -device $DEVICE -display none -no-reboot \
		-serial stdio -kernel "$IMAGE" -initrd "$RAM.gz" \
		-append "console=ttyS0 rdinit=/init panic=-1 oops=panic loglevel=4" \
		</dev/null >"$LOG.raw" 2>&1 || status=$?
	sed 's/\r$//' "$LOG.raw" >"$LOG"
	rm "$LOG.raw"
	[ $status != 124 ] || { say "took longer than $TIMEOUT s and was killed"; return 1; }
	grep -q '^# end' "$LOG" || { tail -n 30 "$LOG"; return 1; }
}

# Warnings and worse of the time after the first module of ours, but for what the
# kernel says of every module that it was not built with.
complaints()
{
	ram_complaints "$LOG" 'ttm_fence_lru: ' |
		grep -vE '(loading out-of-tree module taints kernel|module verification failed: signature and/or required key missing - tainting kernel)'
}

run_step boot-test-tools "building the tools" "Read the log." build_tools
run_step boot-test-initramfs "packing what the guest needs" "Read the log." make_initramfs
run_step boot-test "booting Debian's kernel $RELEASE" \
	"The guest's log is build/logs/boot-test.log" boot
passed=$(grep -c '^ok ' "$LOG" || true)
failed=$(grep -c '^not ok ' "$LOG" || true)
# shellcheck disable=SC2034 # summary's
skipped=0
grep -E '^(ok|not ok|#) ' "$LOG" | sed '/^# the kernel.s log/,$d'
if splats "$LOG" || complaints | grep .; then
	failed=$((failed + 1))
	say "not ok $((passed + failed)) - the kernel's log is clean"
else
	passed=$((passed + 1))
	say "ok $((passed + failed)) - the kernel's log is clean"
fi
summary
