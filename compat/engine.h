/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _COMPAT_ENGINE_H_
#define _COMPAT_ENGINE_H_

/*
 * The code has the names of Linux 7.3. What an older kernel calls otherwise, or has not, of
 * what the engine uses; the compiler includes it first in all that is built here.
 */

#include <linux/dma-fence.h>
#include <linux/slab.h>

#ifndef dma_fence_lock_irqsave
#define dma_fence_enable_signaling dma_fence_enable_sw_signaling
/* A fence has no lock of its own there. */
#define extern_lock lock
#endif

#ifndef kmalloc_obj
#define compat_gfp(first, flags, ...) flags
#define kmalloc_obj(object, ...)                   \
	((typeof(object) *)kmalloc(sizeof(object), \
				   compat_gfp(, ##__VA_ARGS__, GFP_KERNEL)))
#define kzalloc_obj(object, ...)                   \
	((typeof(object) *)kzalloc(sizeof(object), \
				   compat_gfp(, ##__VA_ARGS__, GFP_KERNEL)))
#endif

#endif
