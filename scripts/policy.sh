#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# policy.sh: the policies of make pressure that are not in the tree, as patches of TTM in
# bench/policies/<kernel>, or common; see Documentation/pressure.rst.
#
# policy.sh lay <policy> <directory>    lays TTM with that policy, as of the series
# policy.sh save <policy> <directory>   writes its patch anew, from what is there now
# policy.sh check                       whether all of them can be laid

. "$(dirname "$0")/lib.sh"

TTM=drivers/gpu/drm/ttm
POLICIES=$ROOT/bench/policies

# patch_of <policy>
patch_of()
{
	patches_of "$KERNEL" "$POLICIES" | grep "/$1\.patch$"
}

# What is not known by name is our own policy with another constant: ours-k<factor>.
set_worth()
{
	local file

	file=$(grep -l '^#define TTM_ROOM_WORTH ' "$1"/*.[ch]) ||
		die "no file of TTM defines TTM_ROOM_WORTH" "Is it called otherwise now?"
	sed -i "s/^#define TTM_ROOM_WORTH .*/#define TTM_ROOM_WORTH $2/" "$file"
}

lay()
{
	local policy=$1 directory=$2

	rm -rf "$directory"
	mkdir -p "$directory"
	cp -L "$(kernel_tree)/$TTM"/{*.[ch],Makefile} "$directory"
	case $policy in
	ours-k*)
		set_worth "$directory" "${policy#ours-k}" ;;
	*)
		patch -d "$directory" -p5 --fuzz=0 --no-backup-if-mismatch --force \
			<"$(patch_of "$policy")" ;;
	esac
}

# Its words stay; the rest is the difference.
save()
{
	local policy=$1 directory=$2 patch scratch

	patch=$(patch_of "$policy")
	scratch=$(mktemp -d)
	mkdir -p "$scratch"/{a,b}/"$TTM"
	cp -L "$(kernel_tree)/$TTM"/{*.[ch],Makefile} "$scratch/a/$TTM"
	cp "$directory"/{*.[ch],Makefile} "$scratch/b/$TTM"
	rm -f "$scratch/b/$TTM"/*.mod.c
	{
		sed '/^--- /,$d' "$patch"
		(cd "$scratch" && diff -ruN a b | sed -E '/^diff /d; s/^(---|\+\+\+) ([^\t]*)\t.*/\1 \2/') ||
			true
	} >"$scratch/patch"
	mv "$scratch/patch" "$patch"
	rm -rf "$scratch"
}

check()
{
	local patch scratch failed=0

	scratch=$(mktemp -d)
	for patch in $(patches_of "$KERNEL" "$POLICIES"); do
		lay "$(basename "$patch" .patch)" "$scratch/ttm" || failed=1
	done
	lay ours-k0 "$scratch/ttm" || failed=1
	rm -rf "$scratch"
	return $failed
}

case ${1:-} in
lay | save)
	[ $# = 3 ] || die "usage: policy.sh $1 <policy> <directory>"
	"$@" ;;
check)
	check ;;
*)
	die "usage: policy.sh lay|save <policy> <directory>, or policy.sh check" ;;
esac
