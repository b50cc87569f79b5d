#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# jobs.sh <swgpu-test> <case>: in a guest: runs jobs, and says what the driver
# counted, whatever the test makes of it.

"$@"
grep -h tag_errors /sys/kernel/debug/dri/*/stats | sort -u
