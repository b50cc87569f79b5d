#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# send.sh: makes of the series what could be sent, as branches of its repository, on the
# plain kernel:
#
#	send/ttm-fixes      what is wrong in TTM today, each for itself
#	send/nouveau-fixes  so in nouveau
#	send/fence-lru      on both of these: the engine with its tests, TTM's part, nouveau's
#
# The engine is in drivers/gpu/drm/ttm/fence_lru there; the policy is one patch; the counts of
# make demo, and what is for 6.12 only, are left out. Each branch begins with an empty commit
# that has its cover letter, as b4 wants it. Mails are left in build/send/<branch>, and
# checkpatch, W=1 and sparse say what they find: see Documentation/sending.rst.

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/checkpatch-lib.sh"

REPO=$BUILD/series-$KERNEL$(kernel_suffix)
SEND=$BUILD/send
ENGINE=drivers/gpu/drm/ttm/fence_lru
# Where it is in the series.
LAID=drivers/gpu/drm/ttm_fence_lru
COVERS=$ROOT/patches/cover
# By what their subjects begin with.
POLICY_BEGINS="drm/ttm: release what is dead before evicting"
POLICY_ENDS="drm/ttm: let the system have the pages of dead"
COUNTS="drm/ttm: count where the memory of dead buffers"

in_repo()
{
	GIT_INDEX_FILE=$REPO/.git/send.index git -C "$REPO" "$@"
}

# commits <directory>: those of one series, the oldest first.
commits()
{
	in_repo log --reverse --format='%H %s' base..series | awk -v mark="series: patches/$1" '
		{ subject = substr($0, 42) }
		subject == mark { inside = 1; next }
		subject ~ /^series: patches\// { inside = 0 }
		inside'
}

# Trees -------------------------------------------------------------------------------

# put <path>: what comes in.
put()
{
	in_repo update-index --add --cacheinfo "100644,$(in_repo hash-object -w --stdin),$1"
}

# A file in the kernel's tree, where it names the engine's place.
rename_places()
{
	sed -e "s,$LAID/ttm_fence_lru/,$ENGINE/,; s,$LAID/kunit/,$ENGINE/tests/,; s,$LAID/,$ENGINE/," \
		-e 's,^\(obj-y\t*+= \)ttm_fence_lru/,\1ttm/fence_lru/,'
}

put_renamed()
{
	local file

	for file; do
		! in_repo cat-file -e ":$file" 2>/dev/null ||
			in_repo cat-file blob ":$file" | rename_places | put "$file"
	done
}

# No name of an older kernel: those of the tests are written out.
plain_test()
{
	sed -e 's,"\.\./ttm_fence_lru/,"../,; s/leave_fence_ops()/rcu_read_unlock()/
		s/enter_fence_ops()/rcu_read_lock()/' "$1"
}

engine_tests()
{
	sed -n '/^ttm_fence_lru_test-y/,/^$/p' "$ROOT/kunit/Makefile" |
		sed -n -E 's/^\t(\w+)\.o.*/\1/p'
}

# kconfig <symbol>: its entry.
kconfig()
{
	awk -v symbol="$1" '$1 == "config" { inside = $2 == symbol } inside' "$ROOT/Kconfig"
}

# What the series finds beside it: the engine, its header and its tests.
put_engine()
{
	local file

	for file in "$ROOT"/ttm_fence_lru/*.[ch]; do
		put "$ENGINE/${file##*/}" <"$file"
	done
	put include/drm/ttm_fence_lru.h <"$ROOT/include/drm/ttm_fence_lru.h"
	{
		sed '/CONFIG_GCOV_KERNEL\|GCOV_PROFILE\|Of no effect\|A branch is to/d' \
			"$ROOT/ttm_fence_lru/Makefile"
		say "" "obj-\$(CONFIG_DRM_TTM_FENCE_LRU_KUNIT_TEST) += tests/"
	} | cat -s | put "$ENGINE/Makefile"
	{
		say "# SPDX-License-Identifier: GPL-2.0 OR MIT" ""
		kconfig DRM_TTM_FENCE_LRU
		kconfig DRM_TTM_FENCE_LRU_KUNIT_TEST | grep -vE 'select DRM_(BUDDY|EXEC)$' |
			sed 's/^\t  Tests of the engine.*/\t  Tests of the engine on plain objects./'
	} | cat -s | sed '$ { /^$/d }' | put "$ENGINE/Kconfig"
	put_tests
}

# engine_tree: all of that, as a tree.
engine_tree()
{
	in_repo read-tree --empty
	put_engine
	in_repo write-tree
}

put_tests()
{
	local file name

	for file in $(engine_tests | sed 's/$/.c/') {mock,race,model,history,lock_rules,example_gpu}.h; do
		plain_test "$ROOT/kunit/$file" | put "$ENGINE/tests/$file"
	done
	{
		say "# SPDX-License-Identifier: GPL-2.0 OR MIT" "" "ttm_fence_lru_test-y := \\"
		engine_tests | sed '$! s/.*/\t&.o \\/; $ s/.*/\t&.o/'
		say "" "obj-\$(CONFIG_DRM_TTM_FENCE_LRU_KUNIT_TEST) += ttm_fence_lru_test.o"
	} | put "$ENGINE/tests/Makefile"
	# The documents show it, so it is there to be read.
	for name in example_driver.c example_driver.h; do
		put "$ENGINE/tests/$name" <"$ROOT/kunit/$name"
	done
}

# make_tree <commit of TTM's> <commit of nouveau's>: TREE is that of both together, as it is
# sent.
make_tree()
{
	local where=drivers/gpu/drm/nouveau file

	in_repo read-tree "$1"
	if [ -n "$ENGINE_TREE" ]; then
		put_renamed drivers/gpu/drm/{Kconfig,Makefile} Documentation/gpu/ttm-fence-lru.rst
		in_repo ls-tree -r "$ENGINE_TREE" | in_repo update-index --add --index-info
	else
		for file in drivers/gpu/drm/{Kconfig,Makefile}; do
			in_repo cat-file blob "base:$file" | put "$file"
		done
	fi
	in_repo rm -q -r -f --cached "$where"
	in_repo read-tree --prefix="$where/" "$2:$where"
	TREE=$(in_repo write-tree)
}

# Branches ----------------------------------------------------------------------------

# commit <commit whose author it has>: of TREE; its words come in, and TIP is it.
commit()
{
	TIP=$(GIT_AUTHOR_NAME=$(in_repo log -1 --format=%an "$1") \
		GIT_AUTHOR_EMAIL=$(in_repo log -1 --format=%ae "$1") \
		GIT_AUTHOR_DATE=$(in_repo log -1 --format=%aI "$1") \
		in_repo commit-tree "$TREE" -p "$TIP")
}

# words <commit>
words()
{
	in_repo log -1 --format=%B "$1"
}

# letter <name>: its text, without what is for others.
letter()
{
	sed '/^<!-- /d' "$COVERS/$1.txt" | cat -s
}

# cover <branch>: an empty commit with the letter, as b4 keeps it.
cover()
{
	TIP=$({
		letter "$1"
		say "" "--- b4-submit-tracking ---" \
			"# This section is used internally by b4 prep for tracking purposes."
		printf '{\n  "series": {\n    "revision": 1,\n    "change-id": "%s",\n    "prefixes": []\n  }\n}\n' \
			"$(in_repo log -1 --format=%cd --date=format:%Y%m%d series)-$1-$(letter "$1" | sha256sum | cut -c1-12)"
	} | in_repo commit-tree "$TIP^{tree}" -p "$TIP")
}

branch()
{
	in_repo branch -q -f "send/$1" "$TIP"
}

# fixes_of <series>: its patches before the first that wants the fence-ordered LRU.
fixes_of()
{
	commits "$1" | awk '
		/ drm\/ttm: prepare buffers and devices/ || / drm\/nouveau: register fence contexts/ { exit }
		!/ drm: build the fence-ordered LRU/'
}

# rest_of <series>
rest_of()
{
	commits "$1" | grep -vxF -e "$(fixes_of "$1")" | grep -v ' drm: build the fence-ordered LRU'
}

# add_nouveau: on TTM, the commits that come in.
add_nouveau()
{
	local commit

	while read -r commit _; do
		NOUVEAU=$commit
		make_tree "$TTM" "$NOUVEAU"
		commit "$NOUVEAU" < <(words "$NOUVEAU")
	done
}

# add_ttm: beside NOUVEAU, the commits that come in; of those that are the policy the last one
# has the tree.
add_ttm()
{
	local commit subject inside=

	while read -r commit subject; do
		case $subject in
		"$COUNTS"*) continue ;;
		"$POLICY_BEGINS"*) inside=1 ;;
		esac
		TTM=$commit
		if [ -z "$inside" ]; then
			make_tree "$TTM" "$NOUVEAU"
			commit "$TTM" < <(words "$TTM")
		elif [[ $subject == "$POLICY_ENDS"* ]]; then
			inside=
			make_tree "$TTM" "$NOUVEAU"
			commit "$TTM" < <(letter policy)
		fi
	done
}

# begin: on the plain kernel.
begin()
{
	TIP=base TTM=base NOUVEAU=base ENGINE_TREE=
}

make_branches()
{
	local hook

	hook=$(commits "$KERNEL" | head -n 1 | cut -d' ' -f1)
	begin
	cover nouveau-fixes
	add_nouveau < <(fixes_of "$KERNEL-nouveau")
	branch nouveau-fixes
	begin
	cover ttm-fixes
	add_ttm < <(fixes_of "$KERNEL")
	branch ttm-fixes
	add_nouveau < <(fixes_of "$KERNEL-nouveau")
	in_repo tag -f send/fixes "$TIP" >/dev/null
	cover fence-lru
	ENGINE_TREE=$(engine_tree)
	make_tree "$TTM" "$NOUVEAU"
	commit "$hook" < <(letter engine)
	add_ttm < <(rest_of "$KERNEL")
	add_nouveau < <(rest_of "$KERNEL-nouveau")
	branch fence-lru
}

# Mails -------------------------------------------------------------------------------

# mails <branch> <what it stands on>
mails()
{
	local out=$SEND/$1

	rm -rf "$out"
	mkdir -p "$out"
	# The cover letter is the first commit, which is empty.
	in_repo format-patch -q -o "$out" --no-signature --start-number=0 --always \
		"$2..send/$1"
	say "  send/$1: $(($(find "$out" -name '*.patch' | wc -l) - 1)) patches, in ${out#"$ROOT/"}"
}

check_mails()
{
	local mail failed=0

	for mail in "$SEND"/*/*.patch; do
		[[ $mail == */0000-* ]] || checkpatch "$(kernel_source)" "$mail" || failed=1
	done
	return $failed
}

# Sparse ------------------------------------------------------------------------------

# sparse <tree> <name>: what it and W=1 say of TTM there, and of the engine.
sparse()
{
	local out=$SEND/out-$2 target targets=()

	for target in drivers/gpu/drm/ttm/ $ENGINE/; do
		[ ! -e "$1/$target" ] || targets+=("$target")
	done

	mkdir -p "$out"
	{
		cat "$ROOT/configs/um.config"
		printf 'CONFIG_%s=y\n' KUNIT DRM DRM_TTM_KUNIT_TEST DRM_TTM_FENCE_LRU_KUNIT_TEST
	} >"$out/.wanted"
	kmake "$1" "$out" KCONFIG_ALLCONFIG="$out/.wanted" allnoconfig
	kmake "$1" "$out" W=1 C=2 CF=-Wcontext -j "$JOBS" "${targets[@]}" 2>&1 |
		tee "$SEND/sparse-$2"
}

kmake()
{
	make --no-print-directory -C "$1" O="$2" ARCH=um "${@:3}"
}

complaints()
{
	sed -n -E 's/^([^ :]*):[0-9:]+ ((warning|error): .*)/\1 \2/p' "$SEND/sparse-$1" |
		sed "s,^.*drivers/gpu,drivers/gpu," | sort -u
}

# What is said of the series, and not of the plain kernel.
compare_sparse()
{
	local tree=$SEND/tree

	[ -e "$tree" ] || git -C "$REPO" worktree add -q --detach "$tree" send/fence-lru
	git -C "$tree" checkout -q --detach send/fence-lru
	sparse "$(kernel_source)" before
	sparse "$tree" after
	! comm -13 <(complaints before) <(complaints after) | grep .
}

[ "$KERNEL" = "${KERNELS[0]}" ] || refuse "KERNEL=$KERNEL: only the series of Linux ${KERNELS[0]} is sent" \
	"Leave KERNEL= out."
"$ROOT/scripts/packages.sh" series build check
"$ROOT/scripts/series.sh" lay
run_step send "making the branches of ${REPO#"$ROOT/"}" "Read the log." make_branches
mails ttm-fixes base
mails nouveau-fixes base
mails fence-lru send/fixes
run_step send-checkpatch "checkpatch on the mails" "Read the log." check_mails
run_step send-sparse "sparse and W=1 on TTM, before and after" "Read the log." compare_sparse
say "send: see ${SEND#"$ROOT/"}"
