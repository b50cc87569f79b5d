#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# tests/fuzz.sh: two minutes of make fuzz, shared by the modes.

MINUTES=${MINUTES:-2} CPUS=1 exec "$(dirname "$0")/../scripts/fuzz.sh"
