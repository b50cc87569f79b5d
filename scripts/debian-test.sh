#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# debian-test.sh [<target> ...]: runs "make demo" and "make test", or these targets, in bare
# trees of Debian 12 and 13, which have no more than git and make. The machine's own system
# is not touched. The trees are made below build/ and removed; what was said there is in
# build/logs/debian-test-<release>-<target>.log. Then a guest that was built here is run there,
# in modelled time: its outcome must be the one that it has here.
#
# RELEASE=<n>  only in Debian 12, or 13

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt-lib.sh"
. "$(dirname "$0")/virtual-lib.sh"

WORK=$BUILD/debian-test
declare -A NAMES=([12]=bookworm [13]=trixie)
[ $# -gt 0 ] || set -- demo test

[ "$(id -u)" = 0 ] || die "a Debian of its own can only be made by root" "Run it as root."
"$ROOT/scripts/packages.sh" debian-test series build demo
run_step replay "building the replay" "Is libc's static library there?" build_tools
"$ROOT/scripts/build.sh" um-demo

# The repository as it is, with what is not committed yet.
pack_sources()
{
	cd "$ROOT"
	git ls-files -co --exclude-standard | while read -r file; do
		[ ! -e "$file" ] || say "$file"
	done | tar -cf "$WORK/sources.tar" -T -
}

# What the trees are to have, too.
outcome()
{
	local design

	for design in 0 1; do
		"$ROOT/scripts/outcome.sh" "$WORK/outcome-$design" fence_lru=$design
	done
}

# How this machine fetches packages.
apt_settings()
{
	apt-config dump | grep '^Acquire::' >"$WORK/apt.conf"
}

prepare()
{
	rm -rf --one-file-system "$WORK"
	mkdir -p "$WORK/tmp"
	pack_sources
	apt_settings
	outcome
}

# try_release <release> <target> ...: what it mounts goes with the process, however it ends.
try_release()
{
	local suite=${NAMES[$1]}

	TMPDIR=$WORK/tmp unshare --mount --pid --fork --kill-child --mount-proc \
		mmdebstrap --quiet --variant=minbase --format=null --include=git,make,ca-certificates \
		--aptopt="$WORK/apt.conf" --customize-hook="$ROOT/scripts/debian-test-hook.sh \"\$1\" $*" \
		"$suite" - "deb [signed-by=$KEYRING] $MIRROR $suite main"
}

prepare
: >"$WORK/results"
for release in ${RELEASE:-12 13}; do
	say "" "== Debian $release"
	try_release "$release" "$@" ||
		say "not ok - Debian $release can be made" | tee -a "$WORK/results"
done
passed=$(grep -c '^ok ' "$WORK/results" || true)
failed=$(grep -c '^not ok ' "$WORK/results" || true)
# shellcheck disable=SC2034 # summary's
skipped=0
summary
