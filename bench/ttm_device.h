/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_BENCH_TTM_DEVICE_H_
#define _TTM_FENCE_LRU_BENCH_TTM_DEVICE_H_

#include <linux/platform_device.h>

#include <drm/drm_device.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>

#include "bench.h"

struct bench_flavour;

/**
 * struct bench_bo - a buffer, of one page
 * @tbo: the buffer
 * @dev: its device
 * @driver: as much as nouveau has in addition: kernels that are compared are not to differ by
 *	which size of the slab's they just fit into
 */
struct bench_bo {
	struct ttm_buffer_object tbo;
	struct bench_device *dev;
	u8 driver[240];
};

/**
 * struct bench_device - a device of TTM without hardware
 * @bdev: TTM's
 * @drm: the DRM device, which all flavours share
 * @flavour: how it deletes
 * @channels: its timelines
 * @nr_channels: length of @channels
 * @bos: the buffers in use
 * @nr_bos: buffers not yet destroyed
 * @wake_at: a waiter is woken when @nr_bos falls to this
 */
struct bench_device {
	struct ttm_device bdev;
	struct drm_device *drm;
	const struct bench_flavour *flavour;
	struct bench_channel *channels;
	unsigned int nr_channels;
	struct bench_bo **bos;
	atomic_t nr_bos;
	int wake_at;
};

/**
 * struct bench_flavour - a way to use and to delete buffers
 * @name: in the results
 * @enable: opt in; NULL if the device does not
 * @fence_lru: the engine of a device that opted in
 * @reserve: make room for a fence
 * @fence: add it to buffers; they were used last
 * @wait_busy: return when the deleting task waits for the first fence
 * @finish: return when all dead buffers with signaled fences are gone, of which at
 *	most @left remain
 */
struct bench_flavour {
	const char *name;
	int (*enable)(struct ttm_device *bdev);
	struct ttm_fence_lru *(*fence_lru)(struct ttm_device *bdev);
	int (*reserve)(struct ttm_buffer_object *bo,
		       struct ttm_fence_lru_channel *channel);
	void (*fence)(struct bench_device *dev, struct bench_bo **bos,
		      unsigned int nr, struct dma_fence *fence);
	void (*wait_busy)(struct bench_device *dev, struct dma_fence *fence);
	void (*finish)(struct bench_device *dev, int left);
};

#ifdef TTM_HAS_FENCE_LRU
#define BENCH_NR_FLAVOURS 2
#else
#define BENCH_NR_FLAVOURS 1
#endif

extern const struct bench_flavour *const bench_flavours[BENCH_NR_FLAVOURS];

/**
 * struct bench_devices - one of each flavour, today's first
 * @drm: which all share
 * @devs: the devices
 * @nr: how many
 */
struct bench_devices {
	struct drm_device *drm;
	struct bench_device devs[BENCH_NR_FLAVOURS];
	unsigned int nr;
};

typedef int (*bench_sample)(struct bench_device *dev,
			    const struct bench_config *config,
			    struct dma_fence *fences,
			    struct bench_results *results);

struct bench_devices *bench_devices_create(unsigned int nr, unsigned int pages);
void bench_devices_destroy(struct bench_devices *devs);
int bench_devices_sample(struct bench_devices *devs, bench_sample sample,
			 const struct bench_measurement *measurement,
			 struct dma_fence *fences,
			 struct bench_results *results);
int bench_device_configure(struct bench_device *dev,
			   const struct bench_config *config);
void bench_device_unconfigure(struct bench_device *dev);
struct bench_bo *bench_bo_create(struct bench_device *dev, bool pages);

#endif
