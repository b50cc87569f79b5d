// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is compared: today's TTM and the fence-ordered LRU, in the words of a driver.
 */
#include <linux/dma-resv.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "ttm_device.h"

/*
 * Today: a work item per busy buffer, on the device's workqueue; a buffer that was
 * used goes to the tail of the LRU.
 */

static int today_reserve(struct ttm_buffer_object *bo,
			 struct ttm_fence_lru_channel *channel)
{
	return dma_resv_reserve_fences(bo->base.resv, 1);
}

static void today_fence(struct bench_device *dev, struct bench_bo **bos,
			unsigned int nr, struct dma_fence *fence)
{
	struct ttm_buffer_object *bo;

	while (nr--) {
		bo = &(*bos++)->tbo;
		dma_resv_add_fence(bo->base.resv, fence, DMA_RESV_USAGE_WRITE);
		spin_lock(&bo->bdev->lru_lock);
		ttm_bo_move_to_lru_tail(bo);
		spin_unlock(&bo->bdev->lru_lock);
	}
}

/* The workers run until all are blocked, as they do when a GPU takes its time. */
static void today_wait_busy(struct bench_device *dev, struct dma_fence *fence)
{
	struct bench_channel *channel = bench_fence_channel(fence);

	wait_var_event(&channel->armed, channel->armed >= fence->seqno);
}

static void today_finish(struct bench_device *dev, int left)
{
	WRITE_ONCE(dev->wake_at, left);
	wait_var_event(&dev->nr_bos, atomic_read(&dev->nr_bos) <= left);
	if (!left)
		flush_workqueue(dev->bdev.wq);
}

static const struct bench_flavour flavour_today = {
	.name = "today",
	.reserve = today_reserve,
	.fence = today_fence,
	.wait_busy = today_wait_busy,
	.finish = today_finish,
};

#ifdef TTM_HAS_FENCE_LRU
/*
 * Ours: nothing runs until somebody wants the memory, and reclaims in such steps.
 */

static struct ttm_fence_lru *ours_fence_lru(struct ttm_device *bdev)
{
	return bdev->fence_lru;
}

static int ours_reserve(struct ttm_buffer_object *bo,
			struct ttm_fence_lru_channel *channel)
{
	return ttm_bo_reserve_fence_on(bo, channel);
}

static void ours_fence(struct bench_device *dev, struct bench_bo **bos,
		       unsigned int nr, struct dma_fence *fence)
{
	struct ttm_submission sub = TTM_SUBMISSION(&dev->bdev, fence);

	while (nr--)
		ttm_submission_add(&sub, &(*bos++)->tbo, DMA_RESV_USAGE_WRITE);
	ttm_submission_end(&sub);
}

static void ours_wait_busy(struct bench_device *dev, struct dma_fence *fence)
{
}

static void ours_finish(struct bench_device *dev, int left)
{
	struct ttm_fence_lru_need need = {};

	for (need.type = TTM_PL_SYSTEM; need.type <= TTM_PL_VRAM; need.type++) {
		while (ttm_fence_lru_reclaim(dev->bdev.fence_lru, &need))
			;
		/* The retire was for all types. */
		need.step = TTM_FENCE_LRU_TO_UNBLOCK;
	}
}

static const struct bench_flavour flavour_ours = {
	.name = "ours",
	.enable = ttm_device_enable_fence_lru,
	.fence_lru = ours_fence_lru,
	.reserve = ours_reserve,
	.fence = ours_fence,
	.wait_busy = ours_wait_busy,
	.finish = ours_finish,
};
#endif

const struct bench_flavour *const bench_flavours[BENCH_NR_FLAVOURS] = {
	&flavour_today,
#ifdef TTM_HAS_FENCE_LRU
	&flavour_ours,
#endif
};
