#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What checkpatch is to say of a patch. To be sourced after lib.sh.

# checkpatch <tree> <patch>: the tree has the kernel's own checkpatch, and its MAINTAINERS.
checkpatch()
{
	local ignore

	# A patch need not be signed off here. New files are covered by MAINTAINERS. The
	# kernel's history, in which the commits of "Fixes:" are, is not here.
	ignore=FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID
	! grep -qE '^\+\+\+ b/.*[_/]trace\.h$' "$2" || ignore+=,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
	# Of a condition that a patch adds to.
	! grep -q '^ .*(bo->ttm != NULL)' "$2" || ignore+=,UNNECESSARY_PARENTHESES
	(cd "$1" && scripts/checkpatch.pl --strict --no-signoff --show-types --terse \
		--ignore "$ignore" "$2")
}
