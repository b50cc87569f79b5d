#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# debian-test-hook.sh <root> <release> <target> ...: what debian-test.sh does in the Debian
# below <root>. A line "ok" or "not ok" for each target, and for the outcome of a replay; what
# make says goes to build/logs.

. "$(dirname "$0")/lib.sh"

SYSTEM=$1
RELEASE=$2
shift 2
PLACE=/ttm-fence-lru
WORK=$BUILD/debian-test

# in_system <command> ...: as it is for somebody who has just logged in.
in_system()
{
	chroot "$SYSTEM" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root JOBS="$JOBS" KERNEL="$KERNEL" \
		DEBIAN_MIRROR="${DEBIAN_MIRROR:-}" http_proxy="${http_proxy:-}" "$@"
}

# run <target>
run()
{
	local log=$LOGS/debian-test-$RELEASE-$1.log start=$SECONDS verdict="ok"

	say "# Debian $RELEASE: make $1 ..."
	in_system make -C "$PLACE" "$1" >"$log" 2>&1 </dev/null || verdict="not ok"
	[ "$verdict" = ok ] || tail -n 30 "$log" | sed 's/^/#   /'
	say "# $(grep -v '^make' "$log" | tail -n 1)"
	say "$verdict - Debian $RELEASE: make $1 ($((SECONDS - start)) s, see ${log#"$ROOT/"})" |
		tee -a "$WORK/results"
}

# The guest, and all that a replay in it takes, in the place that they have here.
copy_guest()
{
	cd "$ROOT"
	mkdir -p "$SYSTEM$WORK"
	tar -C "$SYSTEM$ROOT" -xf "$WORK/sources.tar"
	find build/tools/{replay,demo} "build/$(basename "$(kernel_out um-demo)")" -type f \
		\( -executable -o -name '*.ko' -o -name .config \) |
		tar -cf - -T - | tar -C "$SYSTEM$ROOT" -xf -
}

# has_outcome <design>: in this Debian as here.
has_outcome()
{
	local here=$WORK/outcome-$1

	in_system "$ROOT/scripts/outcome.sh" "$here" "fence_lru=$1" &&
		cmp "$here/counters" "$SYSTEM$here/counters" &&
		cmp "$here/clients" "$SYSTEM$here/clients"
}

outcome()
{
	local verdict="not ok"

	copy_guest
	in_system "$PLACE/scripts/packages.sh" build demo
	if has_outcome 0 && has_outcome 1; then
		verdict="ok"
	fi
	say "$verdict - Debian $RELEASE: a replay in modelled time has the outcome that it has here" |
		tee -a "$WORK/results"
}

cp /etc/resolv.conf "$SYSTEM/etc/resolv.conf"
mkdir "$SYSTEM$PLACE"
tar -C "$SYSTEM$PLACE" -xf "$BUILD/debian-test/sources.tar"
in_system git -C "$PLACE" -c init.defaultBranch=main init -q
in_system git -C "$PLACE" add -A
for target; do
	run "$target"
done
outcome
