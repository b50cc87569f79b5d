#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/complaints.sh: a kernel's complaint is found wherever it stands in its log.

. "$(dirname "$0")/../scripts/lib.sh"
. "$ROOT/scripts/result-lib.sh"

LOG=$LOGS/complaints.log

# lines <n>: what a kernel says that has nothing to complain about.
lines()
{
	seq -f "[    0.000000] line %g of a log that is long" "$1"
}

# found <name> <yes|no> [<pattern>]: whether splats() finds something in the log.
found()
{
	local found=no

	! splats "$LOG" "${3:-}" >"$LOG.splats" || found=yes
	result "$1" test $found = "$2"
}

{ lines 20; say "WARNING: CPU: 0 at f+0x1"; lines 20; } >"$LOG"
found "in a short log" yes
found "provoked" no 'WARNING: .* f\+'
found "another was provoked" yes 'WARNING: .* g\+'

# More than a pipe holds, behind it and between two.
{ say "BUG: KASAN: use-after-free in f"; lines 20000; } >"$LOG"
found "at the start of a long log" yes
{ lines 20000; say "WARNING: possible circular locking dependency"; } >"$LOG"
found "at the end of a long log" yes
for i in 1 2 3 4 5 6 7; do say "WARNING: $i"; lines 20000; done >"$LOG"
found "more than are shown" yes
found "one of which was provoked" yes 'WARNING: 1'

lines 20000 >"$LOG"
found "nothing" no
say "1..$NR"
[ $FAILED = 0 ]
