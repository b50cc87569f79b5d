/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _COMPAT_ENGINE_H_
#define _COMPAT_ENGINE_H_

/*
 * The code has the names of Linux 7.3. What an older kernel calls otherwise, or has not, of
 * what the engine uses; the compiler includes it first in all that is built here.
 */

#include <linux/args.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>

#ifndef dma_fence_lock_irqsave
#define dma_fence_enable_signaling dma_fence_enable_sw_signaling
/* A fence has no lock of its own there. */
#define extern_lock lock
#endif

#ifndef kmalloc_obj
#define compat_kmalloc_1(object) kmalloc(sizeof(object), GFP_KERNEL)
#define compat_kmalloc_2(object, flags) kmalloc(sizeof(object), flags)
#define compat_kzalloc_1(object) kzalloc(sizeof(object), GFP_KERNEL)
#define compat_kzalloc_2(object, flags) kzalloc(sizeof(object), flags)

/* Of what type, and GFP flags if they are not GFP_KERNEL. */
#define kmalloc_obj(...) \
	CONCATENATE(compat_kmalloc_, COUNT_ARGS(__VA_ARGS__))(__VA_ARGS__)
#define kzalloc_obj(...) \
	CONCATENATE(compat_kzalloc_, COUNT_ARGS(__VA_ARGS__))(__VA_ARGS__)
#endif

#endif
