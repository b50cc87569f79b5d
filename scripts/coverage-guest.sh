#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# coverage-guest.sh <engine> <tests> <directory> [<seed>]: runs the tests, and copies to
# the directory what the kernel has counted. In the guest.

set -e
"$(dirname "$0")/mutants-guest.sh" engine "$1" "$2" "${4:-}"
# What was unloaded stays counted. The files have no size: cp would copy nothing.
find /sys/kernel/debug/gcov -name '*.gcda' | while read -r file; do
	cat "$file" >"$3/$(basename "$file")"
done
