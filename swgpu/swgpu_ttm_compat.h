/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _SWGPU_TTM_COMPAT_H_
#define _SWGPU_TTM_COMPAT_H_

/*
 * What this driver wants of a TTM with the fence-ordered LRU, and what stands
 * in for it on one without. The only place that knows the difference.
 */

#include <linux/atomic.h>
#include <linux/dma-resv.h>
#include <linux/errno.h>
#include <linux/slab.h>

#include <drm/swgpu_drm.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>

#ifdef TTM_HAS_FENCE_LRU

#include <drm/ttm/ttm_bo_group.h>
#include <drm/ttm_fence_lru.h>

static inline struct ttm_fence_lru *swgpu_fence_lru(struct ttm_device *bdev)
{
	return bdev->fence_lru;
}

static inline u64 swgpu_freed_bytes(struct ttm_device *bdev,
				    enum drm_swgpu_freed_at at)
{
	BUILD_BUG_ON((int)SWGPU_FREED_AT_COUNT != (int)TTM_NUM_FREED_AT);
	return READ_ONCE(bdev->freed_bytes[at]);
}

/* What it has counted of its work */
static inline void swgpu_read_operations(struct ttm_device *bdev, u64 *steps,
					 u64 *buried)
{
	struct ttm_fence_lru *lru = bdev->fence_lru;

	*steps = lru ? READ_ONCE(lru->stats.steps) : 0;
	*buried = lru ? READ_ONCE(lru->stats.deferred) : 0;
}

/* Whether the next fence gives it a link that it had not. */
static inline bool swgpu_bo_is_unlinked(struct ttm_buffer_object *bo)
{
	return bo->bdev->fence_lru && !ttm_fence_lru_bo_is_busy(&bo->fence_lru);
}

/* Freeing there takes no lock under which memory is allocated, and wakes nobody. */
static inline void swgpu_set_reclaim_safe(struct ttm_resource_manager *man)
{
	ttm_resource_manager_set_reclaim_safe(man);
}

static inline void swgpu_channel_set_lock(struct ttm_fence_lru_channel *channel,
					  struct mutex *emission)
{
	ttm_fence_lru_channel_set_lock(channel, emission);
}

/* A member that dies needs nothing of us. */
static inline void swgpu_bo_group_forget(struct ttm_buffer_object *bo)
{
}

#else

struct dentry;
struct drm_printer;
struct ttm_fence_lru;

struct ttm_fence_lru_channel {};

static inline struct ttm_fence_lru *swgpu_fence_lru(struct ttm_device *bdev)
{
	return NULL;
}

static inline int ttm_fence_lru_print(struct ttm_fence_lru *lru,
				      struct drm_printer *p)
{
	return 0;
}

static inline u64 swgpu_freed_bytes(struct ttm_device *bdev,
				    enum drm_swgpu_freed_at at)
{
	return 0;
}

static inline void swgpu_read_operations(struct ttm_device *bdev, u64 *steps,
					 u64 *buried)
{
	*steps = 0;
	*buried = 0;
}

static inline bool swgpu_bo_is_unlinked(struct ttm_buffer_object *bo)
{
	return false;
}

static inline int ttm_device_enable_fence_lru(struct ttm_device *bdev)
{
	return -EOPNOTSUPP;
}

static inline u64 ttm_device_drain(struct ttm_device *bdev)
{
	return 0;
}

static inline void swgpu_set_reclaim_safe(struct ttm_resource_manager *man)
{
}

static inline void ttm_device_trim(struct ttm_device *bdev)
{
}

static inline u64 ttm_device_zombies(struct ttm_device *bdev, u32 mem_type,
				     u64 *ripe)
{
	*ripe = 0;
	return 0;
}

static inline void ttm_device_create_debugfs(struct ttm_device *bdev,
					     struct dentry *parent)
{
}

static inline int ttm_bo_reserve_fences(struct ttm_buffer_object *bo,
					unsigned int num)
{
	return dma_resv_reserve_fences(bo->base.resv, num);
}

static inline int ttm_bo_reserve_fence_on(struct ttm_buffer_object *bo,
					  struct ttm_fence_lru_channel *channel)
{
	return dma_resv_reserve_fences(bo->base.resv, 1);
}

static inline void ttm_bo_add_fence(struct ttm_buffer_object *bo,
				    struct dma_fence *fence,
				    enum dma_resv_usage usage)
{
	dma_resv_add_fence(bo->base.resv, fence, usage);
}

/* A job that uses several buffers: see TTM's. */
struct ttm_submission {
	struct ttm_device *bdev;
	struct dma_fence *fence;
};

#define TTM_SUBMISSION(_bdev, _fence) \
	{                             \
		.bdev = (_bdev),      \
		.fence = (_fence),    \
	}

static inline void ttm_submission_add(struct ttm_submission *sub,
				      struct ttm_buffer_object *bo,
				      enum dma_resv_usage usage)
{
	dma_resv_add_fence(bo->base.resv, sub->fence, usage);
}

static inline void ttm_submission_end(struct ttm_submission *sub)
{
}

/* Buffers with one reservation object that are used as one: see TTM's. */
struct ttm_bo_group {
	struct ttm_device *bdev;
	struct dma_resv *resv;
	struct ttm_lru_bulk_move bulk;
};

static inline struct ttm_bo_group *ttm_bo_group_create(struct ttm_device *bdev,
						       struct dma_resv *resv)
{
	struct ttm_bo_group *group = kzalloc_obj(*group, GFP_KERNEL_ACCOUNT);

	if (!group)
		return NULL;
	group->bdev = bdev;
	group->resv = resv;
	ttm_lru_bulk_move_init(&group->bulk);
	return group;
}

/* The members are gone. */
static inline void ttm_bo_group_put(struct ttm_bo_group *group)
{
	ttm_lru_bulk_move_fini(group->bdev, &group->bulk);
	kfree(group);
}

static inline void ttm_bo_group_join(struct ttm_bo_group *group,
				     struct ttm_buffer_object *bo)
{
	ttm_bo_set_bulk_move(bo, &group->bulk);
}

static inline void ttm_bo_group_leave(struct ttm_buffer_object *bo)
{
	ttm_bo_set_bulk_move(bo, NULL);
}

/* TTM wants to know before the last reference is gone. */
static inline void swgpu_bo_group_forget(struct ttm_buffer_object *bo)
{
	dma_resv_lock(bo->base.resv, NULL);
	ttm_bo_group_leave(bo);
	dma_resv_unlock(bo->base.resv);
}

static inline int
ttm_bo_group_reserve_fence_on(struct ttm_bo_group *group,
			      struct ttm_fence_lru_channel *channel)
{
	return dma_resv_reserve_fences(group->resv, 1);
}

static inline void ttm_bo_group_add_fence(struct ttm_bo_group *group,
					  struct dma_fence *fence,
					  enum dma_resv_usage usage)
{
	dma_resv_add_fence(group->resv, fence, usage);
	spin_lock(&group->bdev->lru_lock);
	ttm_lru_bulk_move_tail(&group->bulk);
	spin_unlock(&group->bdev->lru_lock);
}

static inline int
ttm_fence_lru_channel_register(struct ttm_fence_lru *lru,
			       struct ttm_fence_lru_channel *channel,
			       u64 context)
{
	return 0;
}

static inline int
ttm_fence_lru_channel_reserve(struct ttm_fence_lru_channel *channel)
{
	return 0;
}

static inline void swgpu_channel_set_lock(struct ttm_fence_lru_channel *channel,
					  struct mutex *emission)
{
}

static inline void
ttm_fence_lru_channel_kill(struct ttm_fence_lru_channel *channel)
{
}

static inline void
ttm_fence_lru_channel_unregister(struct ttm_fence_lru_channel *channel)
{
}

#endif

#endif
