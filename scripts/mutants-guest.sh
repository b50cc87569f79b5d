#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# mutants-guest.sh engine|glue <module> <tests> [<seed>]: loads both modules, which runs
# the tests, and unloads them, which tells what they leak. In the guest.

. "$(dirname "$0")/guest-lib.sh"

# What is wrong has to be in the kernel's log.
bug()
{
	echo "BUG: $1" >/dev/kmsg
	exit 1
}

# knows <outer lock> <inner lock>: lockdep has seen them taken in this order.
knows()
{
	awk -v outer="$1" -v inner="$2" '
		/ FD: / { sub(/.* [^ ]*: /, ""); here = $0 == outer }
		/^ -> / { sub(/.*] /, ""); if (here && $0 == inner) found = 1 }
		END { exit !found }' /proc/lockdep
}

# The engine must show lockdep the order of the locks before anybody takes them so.
expect_taught()
{
	local filter=/sys/module/kunit/parameters/filter_glob

	[ -e /proc/lockdep ] || return 0
	printf ttm_fence_lru_check >"$filter"
	insmod "$1"
	rmmod "$(basename "$1" .ko)"
	printf '*' >"$filter"
	if ! knows fs_reclaim '&lru->reclaim_lock' ||
	   ! knows dma_fence_map '&channel->lock' ||
	   ! knows ttm_fence_lru_drain reservation_ww_class_mutex; then
		bug "lockdep has not been shown the order of the locks"
	fi
}

engine()
{
	insmod "$1"
	expect_taught "$2"
	insmod "$2" histories=100 ${3:+seed="$3"}
}

glue()
{
	local other

	# Which others those two need depends on the kernel.
	for other in $(modinfo -F depends "$1" "$2" | tr ',' '\n' | grep -vx ttm); do
		load "$other"
	done
	insmod "$1"
	insmod "$2"
}

"$1" "${@:2}"
rmmod "$(basename "$3" .ko)"
[ "$1" = engine ] || rmmod ttm
rmmod ttm_fence_lru
if grep -q ttm_fence_lru /proc/slabinfo; then
	bug "the engine is gone, but not its slab caches"
fi
