/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _TTM_FENCE_LRU_BENCH_PLAIN_H_
#define _TTM_FENCE_LRU_BENCH_PLAIN_H_

#include <linux/cache.h>
#include <linux/kref.h>
#include <linux/list.h>

#include "bench.h"

/**
 * struct plain_bo - a buffer that is nothing but its place in lists
 * @base: a cache line
 * @entry: on the LRU while idle; in another cache line, as TTM's resource is
 * @kref: references
 */
struct plain_bo {
	struct ttm_fence_lru_bo base;
	struct list_head entry;
	struct kref kref;
} ____cacheline_aligned;

/* Sets of fences: a buffer is used up to three times before all signal. */
#define PLAIN_GENERATIONS 3

/**
 * struct plain_device - the engine with plain objects
 * @lru: the engine
 * @lru_lock: protects @idle
 * @idle: the LRU
 * @gone: how many buffers were destroyed
 * @bos: all buffers
 * @order: in which order they are used: indices into @bos
 * @channels: as many as the greatest configuration has
 * @fences: for each generation
 */
struct plain_device {
	struct ttm_fence_lru lru;
	spinlock_t lru_lock; /* of the list of idle buffers */
	struct list_head idle;
	unsigned int gone;
	struct plain_bo *bos;
	u32 *order;
	struct bench_channel *channels;
	struct dma_fence *fences[PLAIN_GENERATIONS];
};

struct plain_device *
plain_device_create(const struct bench_measurement *measurement);
void plain_device_destroy(struct plain_device *dev);
int plain_configure(struct plain_device *dev,
		    const struct bench_config *config);
int plain_unconfigure(struct plain_device *dev,
		      const struct bench_config *config);
void plain_bos_init(struct plain_device *dev,
		    const struct bench_config *config);
void plain_put(struct plain_device *dev, struct plain_bo *bo);

static inline struct plain_bo *plain_bo(struct plain_device *dev,
					unsigned int i)
{
	return &dev->bos[dev->order[i]];
}

#endif
