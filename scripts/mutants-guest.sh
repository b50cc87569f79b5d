#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# mutants-guest.sh <engine> <tests> [<seed>]: loads both modules, which runs the tests,
# and unloads them, which tells what they leak; and once more without tests, which tells
# what was left of the engine itself. In the guest.

set -e
insmod "$1"
insmod "$2" ${3:+seed="$3"}
rmmod "$(basename "$2" .ko)"
rmmod ttm_fence_lru
insmod "$1"
rmmod ttm_fence_lru
cat /proc/slabinfo >/dev/null
