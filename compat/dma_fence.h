/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _COMPAT_DMA_FENCE_H_
#define _COMPAT_DMA_FENCE_H_

/*
 * The code has the names of Linux 7.3. What fences of an older kernel call otherwise, for
 * all that is built here; the compiler includes it first.
 */

#include <linux/dma-fence.h>

#ifndef dma_fence_lock_irqsave
#define dma_fence_enable_signaling dma_fence_enable_sw_signaling
/* A fence has no lock of its own there. */
#define extern_lock lock
#endif

#endif
