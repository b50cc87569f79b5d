#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# nvsw-qemu.sh [<kernel argument> ...] -- <program> [<argument> ...]: what nvsw.sh does with CPUS=2.
# The kernel speaks on the first serial line, the program on the second; the third one has its exit
# status.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ram-lib.sh"
. "$(dirname "$0")/nvsw-lib.sh"

NAME=${NVSW_LOG:-nvsw}
RAM=$BUILD/boot/$NAME-initramfs
LOG=$LOGS/boot-$NAME.log
split_command "$@"
# A script has no interpreter there.
if ! head -c 4 "${COMMAND[0]}" 2>/dev/null | grep -aq ELF || ldd "${COMMAND[0]}" >/dev/null 2>&1; then
	die "CPUS=2: ${COMMAND[0]} is not the path of a static program" \
		"The guest in QEMU has none of this machine's libraries."
fi

# shellcheck disable=SC2317 # run_step calls it
make_initramfs()
{
	ram_begin "$RAM" "$ROOT/scripts/nvsw-init.sh"
	cp "$ROOT/scripts/nvsw-guest.sh" "$RAM/"
	cp "${COMMAND[0]}" "$RAM/bin/"
	printf '%q ' "$(basename "${COMMAND[0]}")" "${COMMAND[@]:1}" >"$RAM/job"
	ram_pack "$RAM"
}

status=0
rm -f "$RAM.status"
"$ROOT/scripts/packages.sh" boot
run_step "$NAME-initramfs" "packing what the guest needs" "Read the log." make_initramfs
ram_boot "${BOOT_TIMEOUT:-3600}" 1G "$CONFIG" "$RAM" \
	"reserve_mem=${VRAM_MB:-128}M:16M:nvsw ${ARGUMENTS[*]}" \
	-serial "file:$LOG" -serial stdio -serial "file:$RAM.status" | sed -u 's/\r$//' || status=$?
rm -rf "$RAM" "$RAM.gz"
sed -i 's/\r$//' "$LOG"
if splats "$LOG" >"$LOG.splats"; then
	say "error: the kernel complained:" >&2
	head -n 40 "$LOG.splats" >&2
	exit 99
fi
[ "$status" != 124 ] || exit 124
exit "$(tr -d '\r' <"$RAM.status" | grep . || say 125)"
