// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A second small driver: see its header.
 */

#include <linux/vmalloc.h>

#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "paint_driver.h"

/* A job, which goes with its fence. */
struct paint_job {
	struct dma_fence fence; /* the first member: what is freed */
	spinlock_t lock; /* of the fence */
	struct list_head entry; /* in &paint_channel.jobs, with a reference */
	void *where; /* in VRAM; the buffer may be dead when the job begins */
	size_t size;
	u8 colour;
};

static const struct ttm_place vram = { .mem_type = TTM_PL_VRAM };
static const struct ttm_place sysmem = { .mem_type = TTM_PL_SYSTEM };

static struct paint_device *to_dev(struct ttm_device *bdev)
{
	return container_of(bdev, struct paint_device, bdev);
}

static void *vram_of(struct paint_device *dev, struct ttm_resource *res)
{
	return dev->vram + (res->start << PAGE_SHIFT);
}

/* Fences and jobs */

static const char *paint_fence_name(struct dma_fence *fence)
{
	return "paint";
}

/* The work item signals all of them: nobody has to ask. */
static const struct dma_fence_ops paint_fence_ops = {
	.get_driver_name = paint_fence_name,
	.get_timeline_name = paint_fence_name,
};

/* The channel's next job, which cannot fail any more; with a reference of the caller. */
static void emit(struct paint_channel *channel, struct paint_job *job)
{
	lockdep_assert_held(&channel->emission);

	spin_lock_init(&job->lock);
	dma_fence_init(&job->fence, &paint_fence_ops, &job->lock,
		       channel->context, ++channel->emitted);
}

static void queue(struct paint_channel *channel, struct paint_job *job)
{
	lockdep_assert_held(&channel->emission);

	dma_fence_get(&job->fence);
	spin_lock(&channel->lock);
	list_add_tail(&job->entry, &channel->jobs);
	spin_unlock(&channel->lock);
	queue_work(channel->gpu, &channel->work);
}

static struct paint_job *first_job(struct paint_channel *channel)
{
	struct paint_job *job;

	spin_lock(&channel->lock);
	job = list_first_entry_or_null(&channel->jobs, struct paint_job, entry);
	spin_unlock(&channel->lock);
	return job;
}

static void finish(struct paint_channel *channel, struct paint_job *job)
{
	spin_lock(&channel->lock);
	list_del(&job->entry);
	spin_unlock(&channel->lock);
	dma_fence_signal(&job->fence);
	dma_fence_put(&job->fence);
}

/* The GPU. */
static void paint_work(struct work_struct *work)
{
	struct paint_channel *channel =
		container_of(work, struct paint_channel, work);
	struct paint_job *job;

	while (!READ_ONCE(channel->paused) && (job = first_job(channel))) {
		memset(job->where, job->colour, job->size);
		finish(channel, job);
	}
}

void paint_pause(struct paint_device *dev)
{
	WRITE_ONCE(dev->channel->paused, true);
	flush_work(&dev->channel->work);
}

void paint_resume(struct paint_device *dev)
{
	WRITE_ONCE(dev->channel->paused, false);
	queue_work(dev->channel->gpu, &dev->channel->work);
}

void paint_flush(struct paint_device *dev)
{
	flush_work(&dev->channel->work);
}

/* The channel */

static int channel_register(struct paint_channel *channel)
{
	struct ttm_fence_lru *lru = channel->dev->bdev.fence_lru;
	int ret;

	if (!lru)
		return 0;
	ret = ttm_fence_lru_channel_register(lru, &channel->lru,
					     channel->context);
	if (!ret)
		ttm_fence_lru_channel_set_lock(&channel->lru,
					       &channel->emission);
	return ret;
}

static struct paint_channel *channel_create(struct paint_device *dev)
{
	struct paint_channel *channel = kzalloc_obj(*channel);
	int ret = -ENOMEM;

	if (!channel)
		return ERR_PTR(ret);
	channel->dev = dev;
	channel->context = dma_fence_context_alloc(1);
	mutex_init(&channel->emission);
	spin_lock_init(&channel->lock);
	INIT_LIST_HEAD(&channel->jobs);
	INIT_WORK(&channel->work, paint_work);

	channel->gpu = alloc_ordered_workqueue("paint", WQ_MEM_RECLAIM);
	if (!channel->gpu)
		goto free;
	ret = channel_register(channel);
	if (ret)
		goto destroy_gpu;
	return channel;

destroy_gpu:
	destroy_workqueue(channel->gpu);
free:
	kfree(channel);
	return ERR_PTR(ret);
}

static void channel_kill(struct paint_channel *channel)
{
	struct paint_job *job;

	mutex_lock(&channel->emission);
	channel->killed = true;

	/* From here on the GPU paints nothing. */
	WRITE_ONCE(channel->paused, true);
	cancel_work_sync(&channel->work);

	if (channel->dev->bdev.fence_lru)
		ttm_fence_lru_channel_kill(&channel->lru);
	while ((job = first_job(channel))) {
		dma_fence_set_error(&job->fence, -ECANCELED);
		finish(channel, job);
	}
	mutex_unlock(&channel->emission);
}

static void channel_destroy(struct paint_channel *channel)
{
	channel_kill(channel);
	if (channel->dev->bdev.fence_lru)
		ttm_fence_lru_channel_unregister(&channel->lru);
	destroy_workqueue(channel->gpu);
	kfree_rcu(channel, rcu);
}

void paint_kill(struct paint_device *dev)
{
	channel_kill(dev->channel);
}

/* example: choice */
/* The buffer is reserved, and in VRAM. */
static int submit(struct paint_channel *channel, struct paint_bo *bo,
		  struct paint_job *job)
{
	int ret = ttm_bo_reserve_fence_on(&bo->tbo, &channel->lru);

	if (ret)
		return ret;

	mutex_lock(&channel->emission);
	if (channel->killed)
		ret = -ENODEV;
	if (!ret && channel->dev->bdev.fence_lru)
		ret = ttm_fence_lru_channel_reserve(&channel->lru);
	if (!ret) {
		emit(channel, job);
		ttm_bo_add_fence(&bo->tbo, &job->fence, DMA_RESV_USAGE_WRITE);
		queue(channel, job);
	}
	mutex_unlock(&channel->emission);
	return ret;
}

/* end of choice */

int paint_bo_fill(struct paint_bo *bo, u8 colour)
{
	struct paint_device *dev = to_dev(bo->tbo.bdev);
	struct ttm_placement placement = { 1, &vram };
	struct ttm_operation_ctx ctx = {};
	struct paint_job *job;
	int ret;

	ttm_device_trim(&dev->bdev);

	job = kzalloc_obj(*job);
	if (!job)
		return -ENOMEM;
	ret = ttm_bo_reserve(&bo->tbo, false, false, NULL);
	if (ret)
		goto free;
	ret = ttm_bo_validate(&bo->tbo, &placement, &ctx);
	if (!ret) {
		job->where = vram_of(dev, bo->tbo.resource);
		job->size = bo->tbo.base.size;
		job->colour = colour;
		ret = submit(dev->channel, bo, job);
	}
	ttm_bo_unreserve(&bo->tbo);
	if (ret)
		goto free;
	dma_fence_put(&job->fence);
	return 0;

free:
	kfree(job);
	return ret;
}

/* TTM's operations */

static struct ttm_tt *tt_create(struct ttm_buffer_object *tbo, u32 flags)
{
	struct ttm_tt *tt = kzalloc_obj(*tt);

	if (tt && ttm_tt_init(tt, tbo, flags, ttm_cached, 0)) {
		kfree(tt);
		return NULL;
	}
	return tt;
}

static void tt_destroy(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(tt);
}

static void evict_flags(struct ttm_buffer_object *tbo,
			struct ttm_placement *placement)
{
	*placement = (struct ttm_placement){ 1, &sysmem };
}

/* The CPU copies, so there is no fence. */
static int move(struct ttm_buffer_object *tbo, bool evict,
		struct ttm_operation_ctx *ctx, struct ttm_resource *new_mem,
		struct ttm_place *hop)
{
	int ret;

	if (!tbo->resource ||
	    (tbo->resource->mem_type == TTM_PL_SYSTEM && !tbo->ttm)) {
		ttm_bo_move_null(tbo, new_mem);
		return 0;
	}
	ret = ttm_bo_wait_ctx(tbo, ctx);
	return ret ?: ttm_bo_move_memcpy(tbo, ctx, new_mem);
}

static int io_mem_reserve(struct ttm_device *bdev, struct ttm_resource *res)
{
	if (res->mem_type != TTM_PL_VRAM)
		return 0;
	res->bus.addr = vram_of(to_dev(bdev), res);
	res->bus.is_iomem = true;
	res->bus.caching = ttm_cached;
	return 0;
}

static struct ttm_device_funcs paint_funcs = {
	.ttm_tt_create = tt_create,
	.ttm_tt_destroy = tt_destroy,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = evict_flags,
	.move = move,
	.io_mem_reserve = io_mem_reserve,
};

/* The device */

static int ttm_setup(struct paint_device *dev, bool opt_in)
{
	struct ttm_device *bdev = &dev->bdev;
	int ret = 0;

	if (opt_in)
		ret = ttm_device_enable_fence_lru(bdev);
	if (ret)
		return ret;
	ret = ttm_range_man_init(bdev, TTM_PL_VRAM, false, PAINT_VRAM_PAGES);
	if (ret)
		return ret;
	dev->channel = channel_create(dev);
	ret = PTR_ERR_OR_ZERO(dev->channel);
	if (ret)
		ttm_range_man_fini(bdev, TTM_PL_VRAM);
	return ret;
}

int paint_device_init(struct paint_device *dev, struct drm_device *drm,
		      bool opt_in)
{
	int ret;

	dev->drm = drm;
	dev->vram = vzalloc(PAINT_VRAM_PAGES << PAGE_SHIFT);
	if (!dev->vram)
		return -ENOMEM;
	ret = ttm_device_init(&dev->bdev, &paint_funcs, drm->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	if (ret)
		goto free_vram;
	ret = ttm_setup(dev, opt_in);
	if (ret)
		goto fini_ttm;
	return 0;

fini_ttm:
	ttm_device_fini(&dev->bdev);
free_vram:
	vfree(dev->vram);
	return ret;
}

void paint_device_fini(struct paint_device *dev)
{
	channel_destroy(dev->channel);
	ttm_device_drain(&dev->bdev);
	ttm_range_man_fini(&dev->bdev, TTM_PL_VRAM);
	ttm_device_fini(&dev->bdev);
	vfree(dev->vram);
}

/* Buffers */

static void bo_destroy(struct ttm_buffer_object *tbo)
{
	drm_gem_object_release(&tbo->base);
	kfree(container_of(tbo, struct paint_bo, tbo));
}

static void bo_free(struct drm_gem_object *gem)
{
	ttm_bo_fini(container_of(gem, struct ttm_buffer_object, base));
}

static const struct drm_gem_object_funcs bo_funcs = { .free = bo_free };

struct paint_bo *paint_bo_create(struct paint_device *dev, size_t size)
{
	struct ttm_placement placement = { 1, &vram };
	struct paint_bo *bo;
	int ret;

	ttm_device_trim(&dev->bdev);

	bo = kzalloc_obj(*bo);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	drm_gem_private_object_init(dev->drm, &bo->tbo.base, size);
	bo->tbo.base.funcs = &bo_funcs;
	ret = ttm_bo_init_validate(&dev->bdev, &bo->tbo, ttm_bo_type_device,
				   &placement, 1, false, NULL, NULL,
				   bo_destroy);
	return ret ? ERR_PTR(ret) : bo;
}

void paint_bo_put(struct paint_bo *bo)
{
	drm_gem_object_put(&bo->tbo.base);
}

int paint_bo_has(struct paint_bo *bo, u8 colour)
{
	struct paint_device *dev = to_dev(bo->tbo.bdev);
	struct ttm_placement placement = { 1, &vram };
	struct ttm_operation_ctx ctx = {};
	int ret = ttm_bo_reserve(&bo->tbo, false, false, NULL);

	if (ret)
		return ret;
	ret = ttm_bo_validate(&bo->tbo, &placement, &ctx);
	if (!ret)
		ret = ttm_bo_wait_ctx(&bo->tbo, &ctx);
	if (!ret)
		ret = !memchr_inv(vram_of(dev, bo->tbo.resource), colour,
				  bo->tbo.base.size);
	ttm_bo_unreserve(&bo->tbo);
	return ret;
}
