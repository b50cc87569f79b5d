#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# clean.sh [all]: removes what was built; with "all" also what was fetched, unless a
# repository of the series has commits that were not exported.

# A full disk is what it is for.
TAKES_NO_ROOM=1
. "$(dirname "$0")/lib.sh"

case ${1:-} in
all)
	"$ROOT/scripts/series.sh" kept
	rm -rf --one-file-system "$BUILD" ;;
*)
	find "$BUILD" -mindepth 1 -maxdepth 1 ! -name "linux-*" ! -name apt ! -name "series-*" \
		-exec rm -rf --one-file-system {} + ;;
esac
