#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# sources-key.sh demo|timeline|bench|pressure|test
#
# Prints a number of all that the command's results depend on: results with another number
# are of other sources.

. "$(dirname "$0")/lib.sh"

shopt -s nullglob globstar

# What the kernel and its modules are built of; without the tests, that is.
kernel_sources()
{
	say swgpu/*.[ch] ttm_fence_lru/*.[ch] include/*/*.h include/*/*/*.h \
		patches/{"$KERNEL",common}{,-um,-buddy}/*.patch compat/*.h \
		configs/{um,linux-"$KERNEL"}*.config Kconfig Kbuild {swgpu,ttm_fence_lru}/Makefile
}

# What is replayed, and how.
replay_sources()
{
	say tools/replay/*.[ch] traces/*.xz scripts/{virtual,guest}-lib.sh
}

sources_of()
{
	case $1 in
	demo)  kernel_sources; replay_sources
	       say tools/demo/*.[ch] scripts/{demo,hung-guest,pressure-guest}.sh ;;
	timeline) kernel_sources; replay_sources
	       say tools/demo/*.[ch] scripts/{timeline.sh,timeline.py,flow.py,tracing-guest.sh} ;;
	bench) kernel_sources
	       say bench/*.[ch] scripts/bench-guest.sh ;;
	pressure) kernel_sources; replay_sources
	       say bench/policies/{"$KERNEL",common}/*.patch scripts/{policy,pressure-cell,pressure-guest}.sh ;;
	# What is tested, and the tests; results and documents aside.
	test)  git ls-files -co --exclude-standard -- . ':!Documentation' ':!README.md' |
	       while read -r file; do [ ! -f "$file" ] || say "$file"; done ;;
	*)     die "sources-key.sh: no results of '$1'" ;;
	esac
}

cd "$ROOT"
sources_of "$1" | while read -r file; do cat "$file"; done | sha256sum | cut -c1-12
