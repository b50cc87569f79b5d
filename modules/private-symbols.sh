#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# private-symbols.sh <tree>: prints a header that renames what the tree's TTM exports.

set -euo pipefail
export LC_ALL=C
cd "$1/drivers/gpu/drm"

echo "/* SPDX-License-Identifier: GPL-2.0 OR MIT */"
echo "/* Generated: our TTM stands beside the kernel's. */"
sed -n -E 's/^EXPORT_SYMBOL(_GPL)?\((.*)\);$/#define \2 fl_\2/p' \
	ttm/*.c drm_gem_ttm_helper.c drm_fbdev_ttm.c | sort -u
