#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/variants.sh: the tests catch code that is broken on purpose.
#
# Each patch in tests/variants/ breaks the kernel in build/um-test and names the
# KUnit cases that must fail then ("Must-fail: <suite>.<case>"). The same cases must
# pass in the kernel as it is. The software GPU must count tag errors in the broken
# one, and none as it is.
#
# Only what the patch touches is compiled, from a copy and into a copy: neither the
# source nor build/um-test is ever broken.

. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/result-lib.sh"
. "$(dirname "$0")/../scripts/kunit-lib.sh"

CONFIG=um-test
OUT=$(kernel_out "$CONFIG")
TREE=$(kernel_tree)
GUEST_MEMORY=512M
GUEST_TIMEOUT=300
SWGPU_TEST=$BUILD/tools/swgpu-test/swgpu-test
# A drain while the channel hangs, which then goes on: a broken reclaim has given
# the memory away by then.
SWGPU_CASE="a hung channel keeps"

# Next to the copies, what they include from their own directory.
copy_sources()
{
	local file dir

	rm -rf "$VARIANT.src"
	while read -r file; do
		dir=$(dirname "$file")
		mkdir -p "$VARIANT.src/$dir"
		cp -L "$TREE/$dir"/*.[ch] "$VARIANT.src/$dir"
	done < <(touched_files "$PATCH")
	patch -d "$VARIANT.src" -p1 --no-backup-if-mismatch --force <"$PATCH"
}

copy_kernel()
{
	rm -rf "$VARIANT"
	cp -a "$OUT" "$VARIANT"
}

# Compile a file as kbuild did, but from the copy; make sees a new object and links.
compile()
{
	local file=$1 object=${1%.c}.o command

	command=$(sed -n 's/^savedcmd_[^ ]* := //p' \
		"$VARIANT/$(dirname "$file")/.$(basename "$object").cmd")
	[[ $command == *" $TREE/$file"* ]]
	(cd "$VARIANT" && eval "${command/" $TREE/$file"/" $VARIANT.src/$file"}")
	rm -f "$VARIANT/$(dirname "$file")/.$(basename "$object").d"
}

build_variant()
{
	local file

	copy_sources
	copy_kernel
	while read -r file; do
		compile "$file"
	done < <(touched_files "$PATCH")
	make --no-print-directory -C "$TREE" O="$VARIANT" ARCH=um -j "$JOBS"
}

# verdict_is <ok|not ok> <case> <log>
verdict_is()
{
	grep -aqE "^(\[[ 0-9.]*\])? +$1 [0-9]+ $2( |$)" "$3"
}

check_kunit()
{
	local case suite name log

	while read -r case; do
		suite=${case%%.*}
		name=${case#*.}
		log=$LOGS/variant-$NAME-$suite
		[ -e "$log-broken.log" ] || {
			run_suites "$OUT" "$suite" "$log-sound.log" >/dev/null || true
			run_suites "$VARIANT" "$suite" "$log-broken.log" >/dev/null || true
		}
		result "$name passes as it should" verdict_is ok "$name" "$log-sound.log"
		result "$name fails with $NAME" verdict_is "not ok" "$name" "$log-broken.log"
	done < <(sed -n 's/^Must-fail: *//p' "$PATCH")
}

# Runs the jobs; its exit status says only that some check failed, or none.
run_jobs()
{
	"$ROOT/scripts/boot.sh" -t 300 -l "$2" "$1" swgpu.vram_mb=32 swgpu.gtt_mb=160 \
		-- "$ROOT/tests/variants/jobs.sh" "$SWGPU_TEST" "$SWGPU_CASE" >"$LOGS/$2.log" 2>&1 </dev/null || true
}

# The one case that was asked for has passed, and the counter exists.
no_tag_errors()
{
	grep -aE '^ok ' "$1" | grep -avF '# SKIP' >/dev/null && ! grep -aqE '^not ok ' "$1" &&
		grep -aqE '^ *tag_errors[:= ]+0$' "$1"
}

tag_errors()
{
	grep -aE '^ *tag_errors[:= ]+[1-9]' "$1"
}

check_jobs()
{
	build_tool swgpu-test
	run_jobs "$OUT" "variant-$NAME-jobs-sound"
	run_jobs "$VARIANT" "variant-$NAME-jobs-broken"
	result "jobs find their tags as it should be" \
		no_tag_errors "$LOGS/variant-$NAME-jobs-sound.log"
	result "jobs miss their tags with $NAME" \
		tag_errors "$LOGS/variant-$NAME-jobs-broken.log"
}

"$ROOT/scripts/build.sh" "$CONFIG"
for PATCH in "$ROOT"/tests/variants/*.patch; do
	NAME=$(basename "$PATCH" .patch)
	VARIANT=$BUILD/variant-$NAME
	rm -f "$LOGS/variant-$NAME"-*
	run_step "variant-$NAME" "building the kernel that is broken by $NAME" \
		"Does tests/variants/$NAME.patch still apply?" build_variant
	check_kunit
	check_jobs
	rm -rf "$VARIANT" "$VARIANT.src"
done
say "1..$NR"
[ "$FAILED" = 0 ]
