#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/nvsw.sh: nouveau on the software chip, with the fence-ordered LRU and with today's
# delayed delete: memory without channels, channels, EXEC and VM_BIND, allocations that fail,
# sleep, and the driver that goes, also while files are open. Lockdep and KASAN watch. The kernel's
# log is clean, but for what a case provokes. In the end tables have both designs side by side.
#
# CASE=<text>    only the cases whose names contain it
# GUESTS=<text>  only the guests whose names contain it
# CPUS=2         on two CPUs, in QEMU

. "$(dirname "$0")/../scripts/lib.sh"
. "$(dirname "$0")/../scripts/nvsw-lib.sh"

TOOL=$BUILD/tools/nouveau-test/nouveau-test
CASE=${CASE:-}
GUESTS=${GUESTS:-}
# Little, so that there is pressure soon.
export VRAM_MB=${VRAM_MB:-32}

# Of pushes that were refused for want of memory; and then of all that an allocation which was to
# fail has refused.
PUSHES='nouveau-test\[[0-9]+\]: (fail ttm_validate|validating bo list|validate: -12)'
REFUSED=$PUSHES'|nouveau-test\[[0-9]+\]: fail |imem: OOM: [0-9a-f ]+ -12'

# asked_for <name of a guest>
asked_for()
{
	[[ $1 == *"$GUESTS"* ]]
}

# run <name> ...: see guest
run()
{
	! asked_for "$1" || guest "$@"
}

# hangs_for_good <fence_lru>: nvkm warns when a channel does not let itself be preempted, so the
# guest ends with 99.
hangs_for_good()
{
	local name="a channel that hangs for good, fence_lru=$1" status=0 not=

	asked_for "$name" || return 0
	NVSW_LOG=nvsw-hang "$ROOT/scripts/nvsw.sh" nouveau.fence_lru="$1" -- "$TOOL" --hang \
		</dev/null >"$LOGS/nvsw-hang.log" 2>&1 || status=$?
	if [ "$status" != 99 ] || ! grep '^ok 1 ' "$LOGS/nvsw-hang.log" ||
	   grep -qE 'KASAN|BUG:|INFO: |possible .*lock' "$LOGS/boot-nvsw-hang.log"; then
		not="not "
		failed=1
	fi
	say "${not}ok - $name"
}

"$ROOT/scripts/build.sh" "$CONFIG"
build_tool nouveau-test

[ -n "$CASE" ] || run "memory without channels" nouveau.noaccel=1 -- "$TOOL" --memory
for fence_lru in 1 0; do
	# Of two jobs that want more than fits one may be refused.
	WELCOME="$WELCOME|$PUSHES" run "channels, fence_lru=$fence_lru" \
		nouveau.fence_lru=$fence_lru -- "$TOOL" ${CASE:+"$CASE"}
	run "EXEC and VM_BIND, fence_lru=$fence_lru" nouveau.fence_lru=$fence_lru -- \
		"$TOOL" --vm ${CASE:+"$CASE"}
	run "sleep, fence_lru=$fence_lru" nouveau.fence_lru=$fence_lru -- \
		"$TOOL" --sleep ${CASE:+"$CASE"}
	# All that is in VRAM moves for each allocation.
	[ -n "$CASE" ] || VRAM_MB=16 WELCOME="$WELCOME|$REFUSED" \
		run "no memory, fence_lru=$fence_lru" nouveau.fence_lru=$fence_lru -- \
		"$TOOL" --no-memory
	[ -n "$CASE" ] || run "unbind, fence_lru=$fence_lru" nouveau.fence_lru=$fence_lru -- \
		"$TOOL" --rebind
	[ -n "$CASE" ] || run "unbind with a channel, fence_lru=$fence_lru" \
		nouveau.fence_lru=$fence_lru -- "$TOOL" --unbind-channel
	[ -n "$CASE" ] || run "unbind with files open, fence_lru=$fence_lru" \
		nouveau.fence_lru=$fence_lru -- "$TOOL" --unbind-open
	[ -n "$CASE" ] || run "unbind while programs come and go, fence_lru=$fence_lru" \
		nouveau.fence_lru=$fence_lru -- "$TOOL" --unbind-busy
	[ -n "$CASE" ] || hangs_for_good $fence_lru
done
# A chip that keeps stale translations must be noticed.
if [ -z "$CASE" ] && asked_for "stale translations"; then
	if NVSW_LOG=nvsw-broken "$ROOT/scripts/nvsw.sh" nouveau.nvsw_broken=1 -- \
		"$TOOL" --vm "many times at one address" </dev/null >"$LOGS/nvsw-broken.log" 2>&1 ||
		! grep -q '^not ok .*many times at one address' "$LOGS/nvsw-broken.log"; then
		say "not ok - stale translations are noticed"
		failed=1
	else
		say "ok - stale translations are noticed"
	fi
fi
if [ -z "$GUESTS" ]; then
	say
	table "Requests of ours: channels" "channels"
	table "Requests of ours: EXEC and VM_BIND" "EXEC and VM_BIND"
fi
exit "$failed"
