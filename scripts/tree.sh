#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tree.sh: lays our code and patches over the source of the kernel.
#
# The result is a farm of symbolic links to the source, so that making it costs
# a second or two and leaves the source alone. A file that a patch ever touched
# is a real copy in it. It is replaced only if its content changes, so that make
# builds only what a changed patch changes, also when a patch goes away.
#
# UNPATCHED=1: lays a tree whose TTM is not patched, only our code beside it, and
#              User-Mode Linux, as for all guests.
# SERIES=<n>: lays a tree with the first n patches of both series.

. "$(dirname "$0")/lib.sh"

"$ROOT/scripts/source.sh"
PATCHES=("${PATCH_SERIES[@]}")
SRC=$(kernel_source)
# The allocator of the software GPU has moved in later releases of 6.12; 7.3's is mended.
buddy=drm
[ ! -e "$SRC/drivers/gpu/buddy.c" ] || buddy=gpu
mapfile -t -O ${#PATCHES[@]} PATCHES < <(patches_of "$KERNEL-buddy" | grep "/$buddy-")
# The first one only has our directory built.
[ -z "${UNPATCHED:-}" ] || PATCHES=("${PATCHES[0]}")
# What the guests need is the same for kernels that are compared.
mapfile -t -O ${#PATCHES[@]} PATCHES < <(patches_of "$KERNEL-um")
# nouveau's software chip has nouveau build it.
mapfile -t -O ${#PATCHES[@]} PATCHES < <(patches_of "$KERNEL-nvsw")
[ -z "${SERIES:-}" ] || PATCHES=("${PATCHES[@]:0:SERIES}")
TREE=$(kernel_tree)
SCRATCH=$TREE.scratch
OURS=drivers/gpu/drm/ttm_fence_lru
CHIP=drivers/gpu/drm/nouveau/nvsw

# Which source it is, and what the patches meet in it.
source_id()
{
	source_place
	(cd "$SRC" && touched_files "${PATCHES[@]}" | xargs -d '\n' cat Makefile 2>/dev/null | sha256sum)
}

stamp()
{
	source_id
	cat "${PATCHES[@]}" "$ROOT/scripts/tree.sh" | sha256sum
	find "$ROOT/include" -name '*.h' -printf '%P\n' | sort
}

make_farm()
{
	rm -rf "$TREE" "$TREE.new"
	mkdir -p "$TREE.new"
	find "$SRC" -mindepth 1 -maxdepth 1 ! -name .git \
		-exec cp -rs -t "$TREE.new" {} +
	mkdir "$TREE.new/$OURS"
	: >"$TREE.new/.touched"
	source_place >"$TREE.new/.place"
	mv "$TREE.new" "$TREE"
}

# A farm of another place or release is of no use.
source_place()
{
	say "$SRC"
	head -n 6 "$SRC/Makefile"
	[ ! -e "$SRC/.git" ] || git -C "$SRC" rev-parse HEAD 2>/dev/null || true
}

# What there is of ours may differ from when the farm was made.
link_directories()
{
	find "$TREE/$OURS" -type l -delete
	ln -s -t "$TREE/$OURS" "$ROOT"/{Kconfig,Kbuild,compat,ttm_fence_lru,kunit,swgpu,bench}
	ln -sfn "$ROOT/nvsw" "$TREE/$CHIP"
}

link_headers()
{
	local header

	find "$TREE/include" -lname "$ROOT/include/*" -delete
	(cd "$ROOT/include" && find . -name '*.h') | while read -r header; do
		ln -sf "$ROOT/include/${header#./}" "$TREE/include/$header"
	done
}

# Original copies of all files that are, or ever were, touched.
fill_scratch()
{
	local file

	rm -rf "$SCRATCH"
	mkdir -p "$SCRATCH"
	while read -r file; do
		[ -e "$SRC/$file" ] || continue
		mkdir -p "$SCRATCH/$(dirname "$file")"
		cp "$SRC/$file" "$SCRATCH/$file"
	done
}

# takes <patch> [<option> ...]: whether patch applies it, so.
takes()
{
	patch -d "$SCRATCH" -p1 --fuzz=0 --no-backup-if-mismatch --force "${@:2}" <"$1"
}

# has <patch>: whether all of it is there already, in a later release: see modules/prepare.sh.
has()
{
	{ ! takes "$1" --dry-run && takes "$1" --dry-run --reverse; } >/dev/null
}

apply_patches()
{
	local patch rejects

	for patch in "${PATCHES[@]}"; do
		say "$(basename "$patch")"
		! has "$patch" || { say "is there already"; continue; }
		! takes "$patch" || continue
		say "" "does not apply: ${patch#"$ROOT/"}"
		rejects=$(cd "$SCRATCH" && find . -name '*.rej' -printf '%P\n')
		for reject in $rejects; do
			say "--- rejected in $reject:"
			head -n 40 "$SCRATCH/$reject"
		done
		return 1
	done
}

# Takes over what changed, and nothing else.
sync_farm()
{
	local file

	while read -r file; do
		if [ ! -e "$SCRATCH/$file" ]; then
			rm -f "$TREE/$file"
		elif [ -L "$TREE/$file" ] || ! cmp -s "$SCRATCH/$file" "$TREE/$file"; then
			say "changed: $file"
			mkdir -p "$TREE/$(dirname "$file")"
			rm -f "$TREE/$file"
			cp "$SCRATCH/$file" "$TREE/$file"
		fi
	done
	rm -rf "$SCRATCH"
}

lay()
{
	[ "$(cat "$TREE/.place" 2>/dev/null)" = "$(source_place)" ] || make_farm
	link_directories
	link_headers
	{ cat "$TREE/.touched"; touched_files "${PATCHES[@]}"; } | sort -u >"$TREE.touched"
	fill_scratch <"$TREE.touched"
	apply_patches
	mv "$TREE.touched" "$TREE/.touched"
	sync_farm <"$TREE/.touched"
}

cat "${PATCHES[@]}" >/dev/null 2>&1 || die "there are no patches in patches/$KERNEL"
now=$(stamp)
[ "$(cat "$TREE/.stamp" 2>/dev/null)" != "$now" ] || exit 0
run_step tree "laying the patches over the source" \
	"Does the patch named above fit this kernel? The series is made for Debian's linux-source-$KERNEL." \
	lay
printf '%s\n' "$now" >"$TREE/.stamp"
