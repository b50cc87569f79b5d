/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_EXAMPLE_DRIVER_H_
#define _TTM_FENCE_LRU_EXAMPLE_DRIVER_H_

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm_fence_lru.h>

#define EXAMPLE_VRAM_PAGES 4
#define EXAMPLE_GTT_PAGES 16

/*
 * What one sees of the hardware, which is none: it does all jobs as soon as somebody waits for
 * one, unless it hangs.
 */
struct example_hardware {
	u64 completed; /* number of the last job that has ended, in memory */
	bool hung;
	unsigned int interrupts; /* that were asked for */
	struct work_struct work;
};

/* example: objects */
struct example_device {
	struct drm_device *drm;
	struct ttm_device bdev;
	struct example_channel *copies; /* the GPU's own, for moves */
};

struct example_bo {
	struct ttm_buffer_object tbo;
};

struct example_channel {
	struct ttm_fence_lru_channel lru; /* what the engine knows of it */
	struct example_device *dev;
	struct kref kref; /* the user's reference, and one of each fence */
	struct rcu_head rcu;

	/* From before a fence is made until it is attached. */
	struct mutex emission;
	u64 emitted; /* number of the last fence */
	bool killed; /* takes no job any more */

	spinlock_t lock; /* of @jobs */
	struct list_head jobs; /* fences that have not signaled */

	struct example_hardware hw;
};

/* end of objects */

int example_device_init(struct example_device *dev, struct drm_device *drm);
void example_device_fini(struct example_device *dev);

struct example_bo *example_bo_create(struct example_device *dev, size_t size);
void example_bo_put(struct example_bo *bo);

struct example_channel *example_channel_create(struct example_device *dev);
void example_channel_kill(struct example_channel *channel);
void example_channel_destroy(struct example_channel *channel);

int example_submit(struct example_channel *channel, struct example_bo **bos,
		   unsigned int nr);
void example_interrupt(struct example_channel *channel);
struct dma_fence *example_emit(struct example_channel *channel);

#endif
