// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Part of each module: tells ours from the kernel's, in /sys/module/<name>/version.
 * DKMS installs no module without a version, and says it did.
 */
#include <linux/module.h>

MODULE_VERSION(TTM_FENCE_LRU_VERSION);
