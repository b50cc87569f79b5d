#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# series.sh lay|export|check|kept
#
# The patches are commits, and their files are never edited by hand. To change one:
#
#	make series                             lays build/series-7.3, a git repository;
#	cd build/series-7.3                     branch "series", on the tag "base"
#	... edit ...
#	git commit -a --fixup=<commit>
#	git rebase -i --autosquash base
#	make series-export                      writes the files, from the commits
#	make test
#
# With KERNEL=6.12 all of it is about that kernel, and build/series-6.12.
#
# lay     makes that repository: the plain kernel, and the series on it as "git am" makes
#         commits of it. One that is there follows patches/, unless it has something
#         that was not exported.
# export  writes the patches from the commits. FORCE=1: also over patches that changed
#         since they were laid.
# check   proves that laying and exporting the patches changes no byte of them
# kept    succeeds if no repository has anything that was not exported
#
# An empty commit "series: patches/<directory>" stands before the commits of each
# directory. It goes along when commits are rebased, unlike tags, and unlike branches
# needs no option for that.
#
# A patch that is the same for all kernels, its places aside, is in patches/common, with
# the places of the newest: see Documentation/series.rst. For the older ones only its text
# is compared; export proves that it makes the same files of them.
#
# What is exported depends on the commits only: not on whose settings or which version of
# git, and not on what else the repository holds.
#
# patches/6.12-buddy is no series but two alternatives, one for each place of the
# allocator; patches/common-um and the kernels' own mend the guests, not what is tested in them, and
# patches/common-nvsw gives them a chip. All are left alone: edit them by hand, and mind the
# counts of their hunks.

. "$(dirname "$0")/lib.sh"

PATCHES=$ROOT/patches
REPO=$BUILD/series-$KERNEL$(kernel_suffix)
# What the series are made on, as git names it.
RECORD=$KERNEL.base
MARK="series: patches/"
# Of which patches/common has the places.
NEWEST=${KERNELS[0]}
FORCE=${FORCE:-}

# Hunks are named after functions, never after labels, as the kernel's own attributes want
# it. git's idea of that may change with its version.
FUNCTION=$'!^[ \t]*[A-Za-z_][A-Za-z_0-9]*:[[:space:]]*($|/[/*])\n^[A-Za-z_].*$'
FORMAT=(--zero-commit --full-index --no-signature --no-numbered --start-number=1
	--subject-prefix=PATCH --suffix=.patch --filename-max-length=64 --no-base
	--no-cover-letter --no-renames --diff-algorithm=myers --indent-heuristic
	--unified=3 --inter-hunk-context=0 --no-ext-diff --no-textconv
	--patch --stat=72 --summary)
AM=(--quiet --committer-date-is-author-date --keep-non-patch --no-scissors --no-3way
	--no-keep-cr --no-gpg-sign --whitespace=nowarn)

# From here on git knows nothing of its caller: no settings, attributes, variables. The
# commits that no mail describes are made by nobody, on the day of the release.
plain_environment()
{
	unset "${!GIT_@}"
	export HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1
	export GIT_NO_REPLACE_OBJECTS=1
	export GIT_AUTHOR_NAME="make series" GIT_COMMITTER_NAME="make series"
	export GIT_AUTHOR_EMAIL=series@invalid GIT_COMMITTER_EMAIL=series@invalid
	export GIT_AUTHOR_DATE="2024-11-17 22:15:08 +0000"
	export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
}

new_repository()
{
	git init -q --template= --object-format=sha1 -b series "$@"
}

# lay_series <repository> <patches>: both series as commits on what is checked out.
lay_series()
{
	local dir files

	for dir in "${PATCH_DIRS[@]}"; do
		git -C "$1" -c core.hooksPath=/dev/null commit -q --allow-empty --no-gpg-sign \
			-m "$MARK$dir" -m "The commits after this one are what patches/$dir holds.
It is empty, and to be kept: export goes by it." || return
		mapfile -t files < <(patches_of "$dir" "$2")
		[ ${#files[@]} -gt 0 ] || continue
		git -C "$1" -c core.hooksPath=/dev/null am "${AM[@]}" "${files[@]}" || return
	done
}

# The repository ----------------------------------------------------------------------

in_repo()
{
	git -C "$REPO" "$@"
}

# The plain kernel as a commit without parents. Streaming each file into a pack is many
# times faster than a file for each of them.
commit_base()
{
	local repo=$1 index=$1/.git/base.index tree commit

	rm -f "$index"
	GIT_INDEX_FILE=$index git -C "$SRC" --git-dir="$repo/.git" --work-tree="$SRC" \
		-c core.bigFileThreshold=1 -c core.compression=1 add -A -f .
	ignore_less "$repo" "$index"
	tree=$(GIT_INDEX_FILE=$index git -C "$repo" write-tree)
	rm -f "$index"
	commit=$(git -C "$repo" commit-tree "$tree" -m "$(release_of <"$SRC/Makefile")")
	git -C "$repo" tag -f base "$commit"
}

# Debian's .gitignore ends with ignoring all of the kernel: no new file would be seen.
# ignore_less <repository> <index>
ignore_less()
{
	local repo=$1 blob

	grep -qx '/\*' "$SRC/.gitignore" 2>/dev/null || return 0
	blob=$(sed -e '\,^/\*$,d' -e '\,^!/debian/$,d' "$SRC/.gitignore" |
		git -C "$repo" hash-object -w --stdin)
	GIT_INDEX_FILE=$2 git -C "$repo" update-index --cacheinfo "100644,$blob,.gitignore"
}

release_of()
{
	sed -n -E 's/^(VERSION|PATCHLEVEL|SUBLEVEL) *= *([0-9]+)$/\2/p' | paste -sd . |
		sed 's/^/Linux /'
}

# base_is_current: the patches still meet what they met.
base_is_current()
{
	local file

	{ say Makefile; touched_files "${PATCH_SERIES[@]}"; } | while read -r file; do
		if [ -e "$SRC/$file" ]; then
			in_repo cat-file blob "base:$file" 2>/dev/null | cmp -s - "$SRC/$file"
		else
			! in_repo cat-file -e "base:$file" 2>/dev/null
		fi || return 1
	done
}

patches_id()
{
	(cd "$PATCHES" && for dir in "${PATCH_DIRS[@]}"; do
		patches_of "$dir" .
	done | xargs -rd '\n' sha256sum) | sha256sum
}

# laid <repository>: its commits and the files are the same now.
laid()
{
	git -C "$1" tag -f exported series >/dev/null
	patches_id >"$1/.git/series-patches"
}

make_repository()
{
	rm -rf "$REPO.new"
	new_repository "$REPO.new"
	commit_base "$REPO.new"
	git -C "$REPO.new" reset -q --hard base
	lay_series "$REPO.new" "$PATCHES"
	laid "$REPO.new"
	# The move comes last: a repository that is there is complete.
	mv "$REPO.new" "$REPO"
}

# What it had is found in the branch's reflog.
lay_again()
{
	local old

	base_is_current || commit_base "$REPO"
	old=$(in_repo rev-parse series)
	in_repo reset -q --hard base
	if ! lay_series "$REPO" "$PATCHES"; then
		in_repo am --abort || true
		in_repo reset -q --hard "$old"
		return 1
	fi
	laid "$REPO"
}

# settled <repository>: all that was done in it is committed on its branch.
settled()
{
	local repo=$1 name=${1#"$ROOT/"} changes

	if [ "$(git -C "$repo" symbolic-ref -q HEAD)" != refs/heads/series ] ||
	   [ -d "$repo/.git/rebase-apply" ]; then
		die "$name: the branch 'series' is not checked out, or something is not finished" \
		    "Finish or abort the rebase, then: git checkout series. Nothing was changed."
	fi
	changes=$(git -C "$repo" status --porcelain | sed -n 1,5p)
	[ -z "$changes" ] ||
		die "$name: there are changes that were not committed:" "$changes" \
		    "Commit or stash them. Nothing was changed."
}

# exported <repository>: dies if it has commits that patches/ lacks.
exported()
{
	local repo=$1 name=${1#"$ROOT/"}

	[ "$(git -C "$repo" rev-parse series)" = "$(git -C "$repo" rev-parse exported)" ] ||
		die "$name has commits that were not exported:" \
		    "$(git -C "$repo" log --oneline exported..series | sed -n 1,5p)" \
		    "Export them with 'make series-export', or give them up:" \
		    "git -C $name reset --hard exported. Nothing was changed."
}

lay()
{
	local hint="Edited by hand? Such a change belongs into a commit: see Documentation/series.rst"

	if [ ! -e "$REPO" ]; then
		run_step series "making a repository of the kernel, and commits of the patches" \
			"$hint" make_repository
	else
		settled "$REPO"
		exported "$REPO"
		if [ "$(patches_id)" = "$(cat "$REPO/.git/series-patches")" ] && base_is_current; then
			say "  ${REPO#"$ROOT/"} is as patches/ has it"
			return
		fi
		run_step series "making commits of the patches" "$hint" lay_again
	fi
	say "  the series are commits in ${REPO#"$ROOT/"}: git log --oneline base.."
}

kept()
{
	local repo others

	for repo in "$BUILD"/series-*/; do
		repo=${repo%/}
		[ -e "$repo/.git/series-patches" ] || continue
		settled "$repo"
		exported "$repo"
		others=$(git -C "$repo" for-each-ref --format='%(refname)' refs/heads refs/stash |
			grep -vx refs/heads/series || true)
		[ -z "$others" ] ||
			die "${repo#"$ROOT/"} has other work in it:" "$others" \
			    "Delete that, or the directory. Nothing was changed."
	done
}

# Exporting ---------------------------------------------------------------------------

# A repository of its own, with the objects of the other and without its settings.
plain_repository()
{
	rm -rf "$SCRATCH/plain"
	new_repository --bare "$SCRATCH/plain"
	realpath "$1/.git/objects" >"$SCRATCH/plain/objects/info/alternates"
	mkdir -p "$SCRATCH/plain/info"
	printf '%s\n' '* !diff' '*.[ch] diff=function' >"$SCRATCH/plain/info/attributes"
	in_plain config diff.function.xfuncname "$FUNCTION"
}

in_plain()
{
	git -C "$SCRATCH/plain" "$@"
}

# find_marks <base> <tip>: sets marks and ends, the first commits before and the last
# ones of each directory.
find_marks()
{
	local commit tree subject before dirs=()
	local mend="Change that with: git rebase -i --autosquash base"

	marks=() ends=()
	if ! in_plain merge-base --is-ancestor "$1" "$2" ||
	   [ -n "$(in_plain rev-list --merges "$1..$2")" ]; then
		die "the series are not one line of commits on 'base'" "$mend"
	fi
	before=$(in_plain rev-parse "$1^{tree}")
	while read -r commit tree subject; do
		case $subject in
		"$MARK"*)
			[ "$tree" = "$before" ] ||
				die "'$subject' is to be empty: ${commit:0:12}" "$mend"
			dirs+=("${subject#"$MARK"}")
			marks+=("$commit") ends+=("$commit") ;;
		'fixup! '* | 'squash! '* | 'amend! '*)
			die "'$subject' is not squashed yet" "Do that with: git rebase -i --autosquash base" ;;
		*)
			[ "$tree" != "$before" ] ||
				die "'$subject' changes nothing: ${commit:0:12}" "$mend"
			[ ${#marks[@]} -gt 0 ] ||
				die "'$subject' is before any '$MARK...'" "$mend"
			ends[-1]=$commit ;;
		esac
		before=$tree
	done < <(in_plain log --reverse --topo-order --format='%H %T %s' "$1..$2")
	[ "${dirs[*]}" = "${PATCH_DIRS[*]}" ] ||
		die "there must be a commit '$MARK...' for each of: ${PATCH_DIRS[*]}" \
		    "There are: ${dirs[*]:-none}. They are to be empty, and in this order." "$mend"
}

# export_series <repository> <directory>
export_series()
{
	local base tip i marks ends

	base=$(git -C "$1" rev-parse --verify 'base^{commit}')
	tip=$(git -C "$1" rev-parse --verify 'series^{commit}')
	plain_repository "$1"
	find_marks "$base" "$tip"
	for i in "${!marks[@]}"; do
		mkdir -p "$2/${PATCH_DIRS[i]}"
		in_plain format-patch -q "${FORMAT[@]}" -o "$2/${PATCH_DIRS[i]}" "${marks[i]}..${ends[i]}"
	done
	{
		say "# SPDX-License-Identifier: GPL-2.0 OR MIT"
		say "# $(in_plain cat-file blob "$base:Makefile" | release_of), as the series find" \
		    "# it. Written by 'make series-export'."
		in_plain log --format= --name-only --no-renames "$base..$tip" | sort -u |
			xargs -rd '\n' git -C "$SCRATCH/plain" ls-tree "$base" --
	} >"$2/$RECORD"
}

# patch_named <directory> <name> <patches>: its file, the kernel's own or the common one.
patch_named()
{
	local own=$3/$1/$2

	[ -e "$own" ] || own=$3/common$(suffix_of "$1")/$2
	say "$own"
}

# differing <patches> <others> [<filter>]: the patches that are not the same. The common
# ones have the places of the newest kernel.
differing()
{
	local one other dir name filter

	for dir in "${PATCH_DIRS[@]}"; do
		{ patches_of "$dir" "$1"; patches_of "$dir" "$2"; } | sed 's,.*/,,' | sort -u |
			while read -r name; do
			one=$(patch_named "$dir" "$name" "$1")
			other=$(patch_named "$dir" "$name" "$2")
			filter=${3:-cat}
			[ "$KERNEL" = "$NEWEST" ] || [[ $one$other != */common* ]] ||
				filter=without_places
			cmp -s <("$filter" "$one" 2>/dev/null) <("$filter" "$other" 2>/dev/null) ||
				say "$dir/$name"
		done
	done
}

# same_kernel <patches> <others>: what both know of the kernel is the same.
same_kernel()
{
	awk -F '\t' '
		NF == 2 && FNR == NR { blob[$2] = $1 }
		NF == 2 && FNR != NR && $2 in blob && blob[$2] != $1 { exit 1 }' \
		"$1/$RECORD" "$2/$RECORD"
}

# chained <patches>: each patch finds a file as the one before it left it, the first one as
# the record has it. That can be said without that kernel.
chained()
{
	local files dir

	mapfile -t files < <(for dir in "${PATCH_DIRS[@]}"; do patches_of "$dir" "$1"; done)
	# shellcheck disable=SC2016 # awk's
	awk -v older="$([ "$KERNEL" = "$NEWEST" ] || say 1)" '
		FILENAME ~ /\.base$/ {
			if (split($0, word, /[ \t]/) == 4)
				blob[word[4]] = word[3]
		}
		/^diff --git a\// { name = substr($3, 3) }
		/^index [0-9a-f]+\.\.[0-9a-f]+/ && name {
			split($2, ends, /\.\./)
			before = name in blob ? blob[name] : "0000000000000000000000000000000000000000"
			if (older && FILENAME ~ /\/common/) {
				blob[name] = "unknown"
				name = ""
				next
			}
			if (before != "unknown" && ends[1] != before) {
				print "error: " FILENAME ": " name " is not what it was before"
				bad = 1
			}
			blob[name] = ends[2]
			name = ""
		}
		END { exit bad }' "$1/$RECORD" "${files[@]}"
}

# On another release lines have other numbers, and files other names.
without_places()
{
	sed -E '/^index [0-9a-f]{7,}\.\./d
		s/^@@ -[0-9]+(,[0-9]+)? \+[0-9]+(,[0-9]+)? @@.*/@@ \1 \2/' "$1"
}

# verify <patches>: laid in the scratch repository and exported, they are the same.
verify()
{
	local new=$SCRATCH/verified filter=cat file dir name

	git -C "$SCRATCH/small" add -A -f .
	git -C "$SCRATCH/small" commit -q -m base
	git -C "$SCRATCH/small" tag base
	lay_series "$SCRATCH/small" "$1" || {
		say "error: patches/ cannot be made into commits; were they edited by hand?" \
		    "       Change commits instead (see Documentation/series.rst)."
		return 1
	}
	export_series "$SCRATCH/small" "$new"
	if [ ! -e "$1/$RECORD" ]; then
		say "error: patches/$RECORD is missing"
		return 1
	elif ! same_kernel "$1" "$new"; then
		say "This kernel is not the one the series were exported on: places are not compared."
		filter=without_places
		chained "$1" || return
	elif ! cmp <(grep -v '^#' "$1/$RECORD") <(grep -v '^#' "$new/$RECORD"); then
		say "error: patches/$RECORD does not name what the series change"
		return 1
	fi
	differing "$1" "$new" "$filter" >"$SCRATCH/differing"
	while IFS=/ read -r dir name; do
		file=$(patch_named "$dir" "$name" "$1")
		say "error: patches/${file#"$1/"} is not as its commit is exported" \
		    "       Do not edit it: change its commit (see Documentation/series.rst)."
		diff -uN "$file" "$new/$dir/$name" | sed -n '3,30p'
	done <"$SCRATCH/differing"
	[ ! -s "$SCRATCH/differing" ]
}

# What all kernels have in common ------------------------------------------------------

other_kernels()
{
	printf '%s\n' "${KERNELS[@]}" | grep -vxF "$KERNEL"
}

# alike <patch> <another>: they differ at most in their places.
alike()
{
	cmp -s <(without_places "$1") <(without_places "$2")
}

# others_patch <kernel> <suffix> <name>: what another kernel has by that name, if anything.
others_patch()
{
	local own=$PATCHES/$1$2/$3 common=$PATCHES/common$2/$3

	if [ -e "$own" ]; then
		say "$own"
	elif [ -e "$common" ] && { [ -z "$2" ] || [ -e "$PATCHES/$1$2" ]; }; then
		say "$common"
	fi
}

# share <exported>: moves to its common/ what is the same for all kernels; and gives to
# another kernel what is not any more.
share()
{
	local new=$1 dir suffix name other theirs file

	for dir in "${PATCH_DIRS[@]}"; do
		suffix=$(suffix_of "$dir")
		mkdir -p "$new/common$suffix"
		for other in $(other_kernels); do
			mkdir -p "$new/$other$suffix"
			for file in "$new/$dir"/*.patch "$PATCHES/common$suffix"/*.patch; do
				name=${file##*/}
				# There may be none, and a common one comes twice.
				{ [ -e "$file" ] && [ ! -e "$new/common$suffix/$name" ]; } || continue
				file=$new/$dir/$name
				theirs=$(others_patch "$other" "$suffix" "$name")
				[ -n "$theirs" ] || continue
				if [ -e "$file" ] && alike "$file" "$theirs"; then
					[ "$KERNEL" = "$NEWEST" ] || cp "$theirs" "$file"
					mv "$file" "$new/common$suffix/$name"
				elif [ "$theirs" = "$PATCHES/common$suffix/$name" ]; then
					cp "$theirs" "$new/$other$suffix/$name"
				fi
			done
		done
	done
}

# shared: no two kernels have a patch each that could be one.
shared()
{
	local dir suffix other theirs file bad=0

	for dir in "${PATCH_DIRS[@]}"; do
		suffix=$(suffix_of "$dir")
		for other in $(other_kernels); do
			for file in "$PATCHES/$dir"/*.patch; do
				theirs=$PATCHES/$other$suffix/${file##*/}
				if [ -e "$theirs" ] && alike "$file" "$theirs"; then
					say "error: patches/$dir and patches/$other$suffix have the same ${file##*/}" \
					    "       'make series-export' makes one of them."
					bad=1
				fi
			done
		done
	done
	return $bad
}

# Only files that the patches touch: a repository of these takes a second.
check()
{
	local file

	new_repository "$SCRATCH/small"
	{ say Makefile; touched_files "${PATCH_SERIES[@]}"; } | while read -r file; do
		[ ! -e "$SRC/$file" ] || (cd "$SRC" && cp --parents -t "$SCRATCH/small" "$file")
	done
	shared
	verify "$PATCHES"
}

# same_files: laying the files made the same of the kernel as the commits are.
same_files()
{
	local small=$SCRATCH/small

	cmp <(git -C "$small" ls-tree -r series) \
		<(git -C "$small" ls-tree -r --name-only series |
			xargs -d '\n' git -C "$REPO" ls-tree -r series --)
}

# What is written must be what git am makes these commits of.
export_and_verify()
{
	local files

	export_series "$REPO" "$SCRATCH/new"
	share "$SCRATCH/new"
	new_repository "$SCRATCH/small"
	mapfile -t files < <(sed -n -E 's/^[0-7]+ blob [^\t]*\t//p' "$SCRATCH/new/$RECORD")
	in_plain archive "$(in_repo rev-parse base)" -- Makefile "${files[@]}" | tar -C "$SCRATCH/small" -x
	verify "$SCRATCH/new"
	same_files
}

# put <file below patches>: from what was exported.
put()
{
	cmp -s "$SCRATCH/new/$1" "$PATCHES/$1" && return
	say "  written: patches/$1"
	mkdir -p "$(dirname "$PATCHES/$1")"
	cp "$SCRATCH/new/$1" "$PATCHES/$1"
}

# put_directory <directory>
put_directory()
{
	local file

	for file in "$SCRATCH/new/$1"/*.patch; do
		[ ! -e "$file" ] || put "$1/${file##*/}"
	done
}

# drop <file below patches>: if it is there.
drop()
{
	[ -e "$PATCHES/$1" ] || return 0
	say "  removed: patches/$1"
	rm "$PATCHES/$1"
}

take_over()
{
	local new=$SCRATCH/new dir suffix other file name

	for dir in "${PATCH_DIRS[@]}"; do
		suffix=$(suffix_of "$dir")
		put_directory "$dir"
		put_directory "common$suffix"
		for file in "$PATCHES/$dir"/*.patch "$PATCHES/common$suffix"/*.patch; do
			name=${file#"$PATCHES/"}
			[ -e "$new/$name" ] || drop "$name"
		done
		for other in $(other_kernels); do
			put_directory "$other$suffix"
			for file in "$new/common$suffix"/*.patch; do
				drop "$other$suffix/${file##*/}"
			done
		done
	done
	cmp -s "$new/$RECORD" "$PATCHES/$RECORD" || {
		say "  written: patches/$RECORD"
		cp "$new/$RECORD" "$PATCHES/$RECORD"
	}
}

export_patches()
{
	[ -e "$REPO" ] || die "there is no ${REPO#"$ROOT/"} yet" "Make it with: make series"
	settled "$REPO"
	run_step series-export "exporting the series" \
		"Nothing was written. A message that git am does not keep must be reworded." \
		export_and_verify
	[ -n "$FORCE" ] || [ "$(patches_id)" = "$(cat "$REPO/.git/series-patches")" ] ||
		[ -z "$(differing "$PATCHES" "$SCRATCH/new")" ] ||
		die "patches/ has changed since it was laid or exported; exporting would undo that" \
		    "If that is wanted: make series-export FORCE=1. Else keep your commits on another branch," \
		    "'git reset --hard exported' and 'make series', then rebase them. Nothing was written."
	take_over
	laid "$REPO"
	say "  patches/ is as ${REPO#"$ROOT/"} has it"
}

verb=${1:-}
case $verb in
lay)    "$ROOT/scripts/packages.sh" build series; "$ROOT/scripts/source.sh" ;;
check)  "$ROOT/scripts/source.sh" ;;
export) ;;
kept)   ;;
*)      die "usage: series.sh lay|export|check|kept" ;;
esac
SRC=$(kernel_source)
plain_environment
mkdir -p "$BUILD/tmp"
SCRATCH=$(mktemp -d "$BUILD/tmp/series.XXXXXX")
trap 'rm -rf "$SCRATCH"' EXIT
case $verb in
export) export_patches ;;
*)      "$verb" ;;
esac
