#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# fuzz.sh: asks the software GPU for anything, at random, with both designs and both ways
# to copy, on the test kernel: lockdep, KASAN and kmemleak watch. See Documentation/fuzz.rst.
#
# MINUTES=<n>  how long, shared by the modes; default: 4
# SEED=<n>     what the random numbers start from; default: 1
# MODE=<text>  only modes whose names contain it, such as fence_lru=1 or copy=async
# CPUS=2       on two CPUs: on Linux 6.12 in QEMU without virtualisation; default: 1

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ram-lib.sh"

MINUTES=${MINUTES:-4}
SEED=${SEED:-1}
MODE=${MODE:-}
CPUS=${CPUS:-1}
KNOWN=$ROOT/tools/fuzz/known-failures
TOOL=$BUILD/tools/fuzz/fuzz
INITRAMFS=$BUILD/boot/fuzz-initramfs
# Small, so that a buffer more often than not has to make room for another.
PARAMETERS=(swgpu.devices=2 swgpu.vram_mb=8 swgpu.gtt_mb=48 kmemleak=on)
# What a guest may take to boot and to end.
EXTRA=240
passed=0
failed=0
# shellcheck disable=SC2034 # summary's
skipped=0

# 6.12's User-Mode Linux has one CPU.
QEMU=
[ "$CPUS$KERNEL" != 26.12 ] || QEMU=1
CONFIG=um-test
[ -z "$QEMU" ] || CONFIG=x86-race
mapfile -t modes < <(grep -F -e "$MODE" <<<"$FUZZ_MODES")
SECONDS_EACH=$((MINUTES * 60 / ${#modes[@]}))

make_initramfs()
{
	ram_begin "$INITRAMFS" "$ROOT/scripts/fuzz-init.sh"
	cp "$TOOL" "$INITRAMFS/bin/fuzz"
	cp "$KNOWN" "$INITRAMFS/known-failures"
	ram_pack "$INITRAMFS"
}

# qemu <log> <kernel argument> ...: the fuzzer on two CPUs. Its exit status, or 124.
qemu()
{
	local log=$LOGS/boot-$1.log status=0
	shift

	ram_boot $((SECONDS_EACH + 2 * EXTRA)) 768M "$CONFIG" "$INITRAMFS" \
		"fuzz_seconds=$SECONDS_EACH fuzz_seed=$SEED $*" -serial stdio \
		>"$log.raw" 2>&1 || status=$?
	sed 's/\r$//' "$log.raw" >"$log"
	rm "$log.raw"
	grep -aE '^#|^fuzz:' "$log" || true
	if splats "$log" >"$log.splats"; then
		say "error: the kernel complained:"
		head -n 40 "$log.splats"
		return 99
	fi
	[ "$status" != 124 ] || return 124
	return "$(sed -n 's/^# exit status //p' "$log" | grep . || say 125)"
}

# guest <name> <kernel argument> ...: the fuzzer in a guest.
guest()
{
	if [ -n "$QEMU" ]; then
		qemu "$@"
		return
	fi
	"$ROOT/scripts/boot.sh" -t $((SECONDS_EACH + EXTRA)) -m 384M -l "$1" "$CONFIG" "${@:2}" \
		-- "$TOOL" "$SECONDS_EACH" "$SEED" "$KNOWN" </dev/null
}

# run <mode>: one result.
run()
{
	local name=fuzz-${1//[^a-z0-9]/-} status=0

	say "# $1"
	# shellcheck disable=SC2046,SC2086 # several parameters
	guest "$name" "${PARAMETERS[@]}" $(printf 'swgpu.%s ' $1) || status=$?
	if [ "$status" = 0 ] && grep -a 'tag error:' "$LOGS/boot-$name.log"; then
		status=1
	fi
	if [ "$status" = 0 ]; then
		say "ok - fuzz $1, seed $SEED, $SECONDS_EACH s"
	else
		say "not ok - fuzz $1, seed $SEED: exit status $status" \
		    "  the kernel's log is in build/logs/boot-$name.log"
	fi
	return "$status"
}

# A fuzzer that finds nothing may be blind: jobs that nobody waits for must be noticed, by
# their tags. Those of a device that went are only in the log.
notices()
{
	local status=0

	SECONDS_EACH=15
	guest fuzz-broken "${PARAMETERS[@]}" swgpu.broken=1 >"$LOGS/fuzz-broken.log" 2>&1 ||
		status=$?
	if grep -aq 'tag error:' "$LOGS/boot-fuzz-broken.log"; then
		passed=$((passed + 1))
		say "ok - fuzz notices a driver that attaches no fences"
	else
		failed=$((failed + 1))
		say "not ok - fuzz does not notice a driver that attaches no fences: exit status $status"
	fi
}

[ -z "$QEMU" ] || "$ROOT/scripts/packages.sh" boot
"$ROOT/scripts/build.sh" "$CONFIG"
build_tool fuzz
[ -z "$QEMU" ] || run_step fuzz-initramfs "packing what the guest needs" "Read the log." make_initramfs
side_by_side run "${modes[@]}" || failed=$?
passed=$((${#modes[@]} - failed))
notices
summary
