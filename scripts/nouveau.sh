#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# nouveau.sh: boots our kernel on cards that the Bochs emulator has, and lets
# tools/nouveau-test use nouveau there, with the fence-ordered LRU and with today's
# delayed delete. Without an emulator it does that on the software chip.
#
# BOCHS=<binary>  Bochs 3.1 or later, configured with --enable-geforce
# MODEL=<names>   only these cards: geforce3, geforcefx5900, geforce6800
# CASE=<text>     only the cases whose names contain it

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ram-lib.sh"

CONFIG=x86-nouveau
WORK=$BUILD/nouveau
TIMEOUT=${NOUVEAU_TIMEOUT:-1800}
CASE=${CASE:-}
read -ra MODELS <<<"${MODEL:-geforce3 geforcefx5900 geforce6800}"

# Of Debian's packages bochsbios, vgabios, isolinux and syslinux-common.
BIOS=/usr/share/bochs/BIOS-bochs-latest
VGABIOS=/usr/share/vgabios/vgabios.bin
ISOLINUX=/usr/lib/ISOLINUX/isolinux.bin
LDLINUX=/usr/lib/syslinux/modules/bios/ldlinux.c32

# Debian's Bochs has no GeForce.
without_bochs()
{
	say "BOCHS is not set: nouveau runs on the software chip only (Documentation/nvsw.rst)." \
	    "For cards before NV50 build Bochs 3.1 or later with" \
	    "    ./configure --enable-geforce --enable-pci --enable-x86-64 --enable-cpu-level=6 --with-nogui" \
	    "and call: make nouveau KERNEL=6.12 BOCHS=<its binary>"
	exec "$ROOT/tests/nvsw.sh"
}

make_initramfs()
{
	local ram=$WORK/initramfs

	ram_begin "$ram" "$ROOT/scripts/nouveau-init.sh"
	cp "$BUILD/tools/nouveau-test/nouveau-test" "$ram/bin/"
	make -s --no-print-directory -C "$(kernel_tree)" O="$(kernel_out "$CONFIG")" ARCH=x86 \
		INSTALL_MOD_PATH="$ram" INSTALL_MOD_STRIP=1 modules_install
	printf 'CASE=%q\n' "$CASE" >"$ram/job"
	ram_pack "$ram"
}

# make_iso <fence_lru>: what the emulated machine boots from.
make_iso()
{
	local iso=$WORK/iso

	rm -rf "$iso"
	mkdir -p "$iso"
	cp "$(kernel_out "$CONFIG")/arch/x86/boot/bzImage" "$iso/linux"
	cp "$WORK/initramfs.gz" "$ISOLINUX" "$LDLINUX" "$iso/"
	cat >"$iso/isolinux.cfg" <<EOF
default linux
label linux
  kernel linux
  append initrd=initramfs.gz console=ttyS0,115200 rdinit=/init panic=-1 oops=panic loglevel=4 fence_lru=$1 noapic pci=realloc
EOF
	xorriso -as mkisofs -quiet -o "$WORK/boot.iso" -b isolinux.bin -c boot.cat \
		-no-emul-boot -boot-load-size 4 -boot-info-table "$iso"
}

# configure <model>: the machine.
configure()
{
	"$ROOT/tools/nouveau-test/vbios.py" "$1" "$VGABIOS" "$WORK/vbios.rom"
	cat >"$WORK/bochsrc" <<EOF
display_library: nogui
megs: 512
cpu: count=1, ips=100000000, reset_on_triple_fault=0
clock: sync=none
romimage: file=$BIOS
vgaromimage: file=$WORK/vbios.rom
vga: extension=geforce, update_freq=75, realtime=0
geforce: model=$1
pci: enabled=1, chipset=i440bx, slot5=geforce
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$WORK/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$WORK/serial.log
log: $WORK/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
EOF
}

# The machine does not switch itself off.
run_bochs()
{
	local deadline=$((SECONDS + TIMEOUT)) pid

	rm -f "$WORK/serial.log" "$WORK/boot.iso.lock"
	"$BOCHS" -q -f "$WORK/bochsrc" </dev/null >"$WORK/bochs.out" 2>&1 &
	pid=$!
	until grep -qE '^# end|Kernel panic' "$WORK/serial.log" 2>/dev/null; do
		sleep 1
		kill -0 $pid 2>/dev/null || { say "Bochs ended"; return 1; }
		[ $SECONDS -lt $deadline ] || { say "took longer than $TIMEOUT s"; break; }
	done
	kill $pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
	grep -q '^# end' "$WORK/serial.log"
}

# run <model> <fence_lru>
run()
{
	local log=$LOGS/nouveau-$1-$2.log

	make_iso "$2"
	configure "$1"
	run_bochs || { tail -n 20 "$WORK/serial.log" "$WORK/bochs.log"; return 1; }
	sed 's/\r$//' "$WORK/serial.log" >"$log"
}

# Warnings and worse since nouveau was loaded, but for what the emulator causes: a channel
# that does not exist, and interrupts that take long; and for what is meant to be loud.
complaints()
{
	ram_complaints "$1" 'nouveau .*: NVIDIA' |
		grep -vE '(fifo: CACHE_ERROR - ch 31 \[unknown\] subc [0-7] mthd 0000 data [0-9a-f]{8}|hrtimer: interrupt took [0-9]+ ns|MM: (EXPERIMENTAL|no card has run).*)$'
}

# report <log>: what the guest said, and what its kernel did.
report()
{
	grep -E '^(ok|not ok|#) ' "$1" | sed '/^# the kernel.s log/,$d; /^# figure/d'
	passed=$((passed + $(grep -c '^ok ' "$1" || true)))
	skipped=$((skipped + $(grep -c '^ok .*# SKIP' "$1" || true)))
	failed=$((failed + $(grep -c '^not ok ' "$1" || true)))
	if complaints "$1"; then
		failed=$((failed + 1))
		say "not ok - the kernel's log is clean"
	else
		passed=$((passed + 1))
		say "ok - the kernel's log is clean"
	fi
}

# compare <log> <log>: the figures of both modes side by side.
compare()
{
	awk -F': ' '
		/^# figures:/ { setting = $2 }
		/^# figure:/ {
			key = setting SUBSEP $2
			if (NR == FNR) { ours[key] = $3; next }
			if (setting != last) { printf "# %-44s %12s %12s\n", setting, "fence_lru=1", "=0"; last = setting }
			printf "#   %-42s %12s %12s\n", $2, ours[key], $3
		}' "$1" "$2"
}

[ -n "${BOCHS:-}" ] || without_bochs
"$ROOT/scripts/packages.sh" nouveau
"$ROOT/scripts/build.sh" "$CONFIG"
mkdir -p "$WORK"
build_tool nouveau-test
run_step nouveau-initramfs "packing what the guest needs" "Read the log." make_initramfs
passed=0 failed=0 skipped=0
for model in "${MODELS[@]}"; do
	for fence_lru in 1 0; do
		log=$LOGS/nouveau-$model-$fence_lru.log
		say "# $model, fence_lru=$fence_lru"
		run_step "nouveau-run" "running nouveau on $model" \
			"The guest's log is build/nouveau/serial.log" run "$model" "$fence_lru"
		report "$log"
	done
	compare "$LOGS/nouveau-$model"-{1,0}.log
done
passed=$((passed - skipped))
summary
