// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/delay.h>
#include <linux/slab.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "swgpu_drv.h"

/* How long the zombies may stay the same before today's drain gives up. */
#define DRAIN_PATIENCE_MS 100

static struct ttm_tt *tt_create(struct ttm_buffer_object *tbo, u32 page_flags)
{
	struct ttm_tt *tt = kzalloc_obj(*tt, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!tt)
		return NULL;
	if (page_flags & TTM_TT_FLAG_EXTERNAL)
		ret = ttm_sg_tt_init(tt, tbo, page_flags, ttm_cached);
	else
		ret = ttm_tt_init(tt, tbo, page_flags, ttm_cached, 0);
	if (ret) {
		kfree(tt);
		return NULL;
	}
	return tt;
}

static int tt_populate(struct ttm_device *bdev, struct ttm_tt *tt,
		       struct ttm_operation_ctx *ctx)
{
	/* An import's pages are the exporter's. */
	if (tt->page_flags & TTM_TT_FLAG_EXTERNAL)
		return 0;
	if (swgpu_cost_enabled() && tt->page_flags & TTM_TT_FLAG_ZERO_ALLOC) {
		swgpu_cost_pay(SWGPU_COST_CLEAR_PAGE, tt->num_pages);
		tt->page_flags &= ~TTM_TT_FLAG_ZERO_ALLOC;
	}
	return ttm_pool_alloc(&bdev->pool, tt, ctx);
}

static void tt_unpopulate(struct ttm_device *bdev, struct ttm_tt *tt)
{
	struct swgpu_tag_place place;

	if (tt->page_flags & TTM_TT_FLAG_EXTERNAL)
		return;
	place.first = tt->pages[0];
	place.last = tt->pages[tt->num_pages - 1];
	swgpu_tag_poison(&place);
	ttm_pool_free(&bdev->pool, tt);
}

static void tt_destroy(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(tt);
}

static const struct ttm_place evict_places[] = {
	{ .mem_type = TTM_PL_TT },
	{ .mem_type = TTM_PL_SYSTEM },
};

/* VRAM to GTT, and to SYSTEM if GTT is full; GTT to SYSTEM */
static void evict_flags(struct ttm_buffer_object *tbo,
			struct ttm_placement *placement)
{
	int skip = tbo->resource->mem_type == TTM_PL_VRAM ? 0 : 1;

	/* What a ghost holds nobody wants: it is waited for, and freed. */
	if (!swgpu_bo_is_ours(tbo)) {
		placement->num_placement = 0;
		return;
	}

	placement->placement = evict_places + skip;
	placement->num_placement = ARRAY_SIZE(evict_places) - skip;
}

static int io_mem_reserve(struct ttm_device *bdev, struct ttm_resource *res)
{
	if (res->mem_type != TTM_PL_VRAM)
		return 0;
	/* Only says that it is reserved; the pages come from io_mem_pfn(). */
	res->bus.offset = page_to_phys(swgpu_vram_page(res, 0));
	res->bus.is_iomem = true;
	res->bus.caching = ttm_cached;
	return 0;
}

static unsigned long io_mem_pfn(struct ttm_buffer_object *tbo,
				unsigned long page_offset)
{
	return page_to_pfn(swgpu_vram_page(tbo->resource, page_offset));
}

static void release_notify(struct ttm_buffer_object *tbo)
{
	if (!swgpu_bo_is_ours(tbo))
		return;
	swgpu_measure_death(to_swgpu_bo(tbo));
}

static void delete_mem_notify(struct ttm_buffer_object *tbo)
{
	if (!swgpu_bo_is_ours(tbo))
		return;
	swgpu_measure_release(to_swgpu_bo(tbo));
	swgpu_cost_pay_delete(to_swgpu(tbo->base.dev));
}

static const struct ttm_device_funcs ttm_funcs = {
	.ttm_tt_create = tt_create,
	.ttm_tt_populate = tt_populate,
	.ttm_tt_unpopulate = tt_unpopulate,
	.ttm_tt_destroy = tt_destroy,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = evict_flags,
	.move = swgpu_move,
	.io_mem_reserve = io_mem_reserve,
	.io_mem_pfn = io_mem_pfn,
	.release_notify = release_notify,
	.delete_mem_notify = delete_mem_notify,
};

static void device_fini(struct drm_device *drm, void *unused)
{
	ttm_device_fini(&to_swgpu(drm)->ttm);
}

static void vram_fini(struct drm_device *drm, void *unused)
{
	swgpu_vram_fini(&to_swgpu(drm)->vram);
}

/* Nobody has a buffer any more, but another device's job may use a dead import. */
static void gtt_fini(struct drm_device *drm, void *unused)
{
	struct ttm_device *bdev = &to_swgpu(drm)->ttm;
	struct ttm_resource_manager *gtt = ttm_manager_type(bdev, TTM_PL_TT);
	int ret = ttm_resource_manager_evict_all(bdev, gtt);

	drm_WARN_ON(drm, ret);
	ret = ttm_range_man_fini(bdev, TTM_PL_TT);
	drm_WARN_ON(drm, ret);
}

/**
 * swgpu_ttm_init - bring up TTM and the memory
 * @sdev: the device
 * @fence_lru: fence-ordered, else today's delayed delete
 *
 * What is brought up goes down with the DRM device, when no file is open and
 * so no buffer alive and no channel left.
 *
 * Return: 0, or -ENOMEM, or -EOPNOTSUPP if TTM has no @fence_lru.
 */
int swgpu_ttm_init(struct swgpu_device *sdev, bool fence_lru)
{
	struct drm_device *drm = &sdev->drm;
	struct ttm_device *bdev = &sdev->ttm;
	int ret;

	ret = ttm_device_init(bdev, &ttm_funcs, drm->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	if (ret)
		return ret;
	ret = drmm_add_action_or_reset(drm, device_fini, NULL);
	if (ret)
		return ret;

	if (fence_lru) {
		ret = ttm_device_enable_fence_lru(bdev);
		if (ret == -EOPNOTSUPP)
			drm_err(drm,
				"this TTM has no fence-ordered LRU; try fence_lru=0\n");
		if (ret)
			return ret;
	}

	ret = swgpu_vram_init(&sdev->vram, bdev, sdev->vram_bytes);
	if (ret) {
		drm_err(drm, "no memory for %llu MiB of VRAM\n",
			sdev->vram_bytes >> 20);
		return ret;
	}
	ret = drmm_add_action_or_reset(drm, vram_fini, NULL);
	if (ret)
		return ret;
	ret = swgpu_vram_charge(&sdev->vram, drm);
	if (ret)
		return ret;

	ret = ttm_range_man_init(bdev, TTM_PL_TT, true,
				 sdev->gtt_bytes >> PAGE_SHIFT);
	if (ret)
		return ret;
	/* VRAM is not: its allocator allocates under the lock that freeing takes. */
	if (sdev->shrinker) {
		swgpu_set_reclaim_safe(ttm_manager_type(bdev, TTM_PL_TT));
		swgpu_set_reclaim_safe(ttm_manager_type(bdev, TTM_PL_SYSTEM));
	}
	return drmm_add_action_or_reset(drm, gtt_fini, NULL);
}

/*
 * Today's delayed delete cannot be told to hurry, and a buffer that waits for
 * a hung channel stays for ever: wait for as long as their number falls.
 */
static int drain_workqueue_bounded(struct swgpu_device *sdev)
{
	u64 zombies = swgpu_measure_zombies(sdev);
	unsigned int idle_ms = 0;

	while (zombies && idle_ms < DRAIN_PATIENCE_MS) {
		u64 now;

		if (msleep_interruptible(1))
			return -ERESTARTSYS;
		now = swgpu_measure_zombies(sdev);
		idle_ms = now < zombies ? 0 : idle_ms + 1;
		zombies = now;
	}
	return 0;
}

int swgpu_drain_ioctl(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct swgpu_device *sdev = to_swgpu(drm);

	if (!swgpu_fence_lru(&sdev->ttm))
		return drain_workqueue_bounded(sdev);
	ttm_device_drain(&sdev->ttm);
	return 0;
}
