#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# check.sh: everything that can be checked without running the code.

. "$(dirname "$0")/lib.sh"
. "$ROOT/scripts/checkpatch-lib.sh"

passed=0
failed=0
skipped=0
OURS=drivers/gpu/drm/ttm_fence_lru
CHIP=drivers/gpu/drm/nouveau

# All patches that this kernel may get, series or not.
PATCHES=("$ROOT"/patches/{"$KERNEL",common}*/*.patch)

# What a check returns that cannot be made here, after it has said why.
CANNOT=77

# check <name> <command> ...: one result; the output is shown if it fails.
check()
{
	local name=$1 log start=$SECONDS rc
	shift

	log=$LOGS/check-$(printf %s "$name" | tr -c 'a-zA-Z0-9\n' -).log
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	if [ $rc = 0 ]; then
		passed=$((passed + 1))
		say "ok $name ($((SECONDS - start)) s)"
	elif [ $rc = $CANNOT ]; then
		skipped=$((skipped + 1))
		say "ok $name # SKIP $(tail -n 1 "$log")"
	else
		failed=$((failed + 1))
		blame "$log" | sed 's/^/  /'
		say "not ok $name (see ${log#"$ROOT/"})"
	fi
}

# Our files in git: also those not yet committed, but not those ignored.
files()
{
	(cd "$ROOT" && git ls-files -co --exclude-standard -- "$@" | sort -u |
		while read -r file; do [ ! -e "$file" ] || say "$file"; done)
}

# Ours as the kernel sees them, by their path in the farm.
kernel_files()
{
	files 'ttm_fence_lru/*.[ch]' 'kunit/*.[ch]' 'swgpu/*.[ch]' 'bench/*.[ch]' \
		'compat/*.h' | sed "s,^,$OURS/,"
	files 'nvsw/*.[ch]' | sed "s,^,$CHIP/,"
	files 'include/*.h'
}

headers()
{
	kernel_files | grep '\.h$'
}

# Trace headers are no C in the eyes of either.
trace_headers()
{
	kernel_files | grep 'trace[a-z_]*\.h$' || true
}

plain_files()
{
	kernel_files | grep -v 'trace[a-z_]*\.h$'
}

build_with_warnings()
{
	make --no-print-directory -C "$TREE" O="$OUT" ARCH=um W=1e \
		KDOCFLAGS="-Wall -Werror" C=2 CF="-Wsparse-error -Wcontext" \
		-k -j "$JOBS" "$OURS/"
}

kernel_doc()
{
	# shellcheck disable=SC2046 # one word per file
	cd "$TREE" && scripts/kernel-doc -none -Wall -Werror $(headers)
}

checkpatch_files()
{
	cd "$TREE"
	plain_files | xargs scripts/checkpatch.pl --strict --no-signoff --show-types \
		--terse -f
	trace_headers | xargs -r scripts/checkpatch.pl --strict --no-signoff \
		--show-types --terse --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT -f
}

checkpatch_patches()
{
	local patch failed=0

	for patch in "${PATCHES[@]}"; do
		checkpatch "$TREE" "$patch" || failed=1
	done
	return $failed
}

# Versions differ in what they want. This one is in Debian 12 and 13.
clang_format()
{
	local tool version=19

	tool=$(command -v clang-format-$version || command -v clang-format) || true
	if [[ $("${tool:-false}" --version) != *"version $version."* ]]; then
		say "clang-format is not version $version"
		return $CANNOT
	fi
	cd "$TREE"
	# Interfaces to user space are tables of numbers, which it would unalign.
	plain_files | grep -v '^include/uapi/' | xargs "$tool" --style=file:"$TREE/.clang-format" -n -Werror
}

# Each is a mail that git am takes, and says what it does.
patches_are_mails()
{
	local patch field

	for patch in "${PATCHES[@]}"; do
		git mailinfo /dev/null /dev/null <"$patch" >"$LOGS/mailinfo"
		for field in 'Author: .' 'Date: .' 'Subject: .*: .'; do
			grep -q "^$field" "$LOGS/mailinfo" ||
				{ say "$patch: its $field is missing"; return 1; }
		done
	done
}

shell_scripts()
{
	cd "$ROOT"
	files 'scripts/*.sh' 'tests/*.sh' 'tools/*.sh' 'modules/*.sh' 'modules/debian/*inst' modules/debian/prerm .ci/run |
		xargs shellcheck -x -P scripts
}

python_scripts()
{
	cd "$ROOT"
	files '*.py' | xargs -r python3 -c 'import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path, encoding="utf-8").read(), path)'
}

# Texts of licenses, and what is no text or cannot have a comment, aside.
spdx()
{
	local wrong

	cd "$ROOT"
	wrong=$(files | grep -vE '^LICENSES/|\.patch$|\.(xz|png|svg|json|csv)$' |
		while read -r file; do
			head -n 5 "$file" |
				grep -q 'SPDX-License-Identifier: GPL-2.0 OR MIT' ||
				say "$file"
		done)
	[ -z "$wrong" ] || { say "no SPDX line:" "$wrong"; return 1; }
}

engine_is_plain()
{
	cd "$ROOT"
	! grep -nEw 'ttm_(buffer_object|resource|device|bo|tt)[a-z_]*|nouveau|swgpu|drm_gem[a-z_]*|LINUX_VERSION_CODE|KERNEL_VERSION' \
		ttm_fence_lru/*.[ch] include/drm/ttm_fence_lru.h
}

# What is exported, by its text.
exported()
{
	cat "$TREE"/drivers/gpu/drm/ttm{,_fence_lru/ttm_fence_lru}/*.c |
		sed -n -E 's/^EXPORT_SYMBOL\w*\((\w+).*/\1/p' | sort -u
}

# The test kernel has the tests in it. As modules, as make mutants wants them, they may use
# only what is exported.
tests_can_be_modules()
{
	local missing

	missing=$(nm -u "$OUT/$OURS"/kunit/*.o | awk '$2 ~ /^ttm_/ { print $2 }' | sort -u |
		comm -23 - <({ exported; nm -g --defined-only "$OUT/$OURS"/kunit/*.o | awk '{ print $3 }'; } | sort -u))
	[ -z "$missing" ] || { say "ERROR: tests use what is not exported:" "$missing"; return 1; }
}

# The texts of named mutants must be found in what they break.
named_mutants()
{
	python3 "$ROOT/scripts/mutants.py" --root "$ROOT" --tree "$TREE" \
		--source "$(kernel_source)" --list >/dev/null
	python3 "$ROOT/scripts/mutants_nouveau.py" --root "$ROOT" --tree "$TREE" --list >/dev/null
}

# No function over 50 lines, no file over 500.
sizes()
{
	cd "$TREE"
	! kernel_files | grep '\.c$' | xargs awk '
		FNR == 1 { open = 0 }
		/^\{/ { open = FNR }
		/^\}/ && open && FNR - open - 1 > 50 {
			print FILENAME ":" open ": a function of " FNR - open - 1 " lines"
		}
		/^\}/ { open = 0 }
		FNR == 501 { print FILENAME ": more than 500 lines" }' | grep .
}

"$ROOT/scripts/packages.sh" build check docs
check "patches apply in series" "$ROOT/scripts/tree.sh"
TREE=$(kernel_tree)
OUT=$(kernel_out um-check)
[ "$failed" = 0 ] || die "nothing else can be checked on a tree that is not complete"
CONFIGURE_ONLY=1 "$ROOT/scripts/build.sh" um-check

check "warnings, kernel-doc, sparse" build_with_warnings
check "tests can be modules" tests_can_be_modules
check "kernel-doc of headers" kernel_doc
check "checkpatch on files" checkpatch_files
check "checkpatch on patches" checkpatch_patches
check "clang-format" clang_format
check "patches are mails" patches_are_mails
check "patches are exported commits" "$ROOT/scripts/series.sh" check
check "policies to compare with can be laid" "$ROOT/scripts/policy.sh" check
check "the engine knows no TTM, driver or version" engine_is_plain
check "each file of the engine calls only those below it" "$ROOT/scripts/check-floors.py"
check "small functions and files" sizes
check "shellcheck" shell_scripts
check "python" python_scripts
check "mutants are of today's sources" named_mutants
check "documents name what exists" "$ROOT/scripts/check-docs.py"
check "documents build without a warning" "$ROOT/scripts/docs.sh"
check "figures in modelled time are those that were printed" "$ROOT/scripts/figures.py" --check
check "SPDX lines" spdx
summary
