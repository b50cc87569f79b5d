/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A second small driver, written from the guide alone: VRAM, the system's memory, and one
 * channel, a work item that paints buffers. Its moves are copies by the CPU, and its fences
 * are signaled by the work item. Whether its device opts in is a parameter.
 */

#ifndef PAINT_DRIVER_H
#define PAINT_DRIVER_H

#include <drm/drm_device.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm_fence_lru.h>

#define PAINT_VRAM_PAGES 16

struct paint_device {
	struct drm_device *drm;
	struct ttm_device bdev;
	void *vram; /* what the GPU paints */
	struct paint_channel *channel;
};

struct paint_bo {
	struct ttm_buffer_object tbo;
};

struct paint_channel {
	struct ttm_fence_lru_channel lru; /* registered if opted in */
	struct paint_device *dev;
	struct rcu_head rcu;
	u64 context;

	/* From before a fence is made until its job is queued. */
	struct mutex emission;
	u64 emitted;
	bool killed;

	spinlock_t lock; /* of @jobs */
	struct list_head jobs; /* the first may be running */
	bool paused; /* no job begins */
	struct workqueue_struct *gpu;
	struct work_struct work;
};

int paint_device_init(struct paint_device *dev, struct drm_device *drm,
		      bool opt_in);
void paint_device_fini(struct paint_device *dev);

struct paint_bo *paint_bo_create(struct paint_device *dev, size_t size);
void paint_bo_put(struct paint_bo *bo);

/* The GPU fills the buffer, which is moved to VRAM. */
int paint_bo_fill(struct paint_bo *bo, u8 colour);

/* Waits for the GPU: 1 if every byte is of that colour, 0 if not, or an error. */
int paint_bo_has(struct paint_bo *bo, u8 colour);

void paint_pause(struct paint_device *dev);
void paint_resume(struct paint_device *dev);
/* Until all jobs have run. */
void paint_flush(struct paint_device *dev);

/* The GPU hangs for good. */
void paint_kill(struct paint_device *dev);

#endif
