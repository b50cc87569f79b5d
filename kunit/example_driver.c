// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A small driver on TTM that has opted in: the driver author's guide includes what stands
 * between the markers. Its hardware is a number that a work item sets.
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_gem.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "example_driver.h"

static void channel_release(struct kref *kref);

/* example: fences */
struct example_fence {
	struct dma_fence base;
	spinlock_t lock; /* of the fence */
	/* A reference: others may keep the fence. */
	struct example_channel *channel;
	struct list_head entry; /* in &example_channel.jobs, with a reference */
};

static struct example_fence *to_fence(struct dma_fence *base)
{
	return container_of(base, struct example_fence, base);
}

static const char *fence_name(struct dma_fence *base)
{
	return "example";
}

/* Reads what the hardware has written: nobody has to wait for an interrupt. */
static bool fence_signaled(struct dma_fence *base)
{
	/* What the job did to memory comes before this number. */
	return smp_load_acquire(&to_fence(base)->channel->hw.completed) >=
	       base->seqno;
}

/* Somebody waits, and wants an interrupt. */
static bool fence_enable_signaling(struct dma_fence *base)
{
	struct example_channel *channel = to_fence(base)->channel;

	if (fence_signaled(base))
		return false;
	channel->hw.interrupts++;
	schedule_work(&channel->hw.work);
	return true;
}

static void fence_release(struct dma_fence *base)
{
	kref_put(&to_fence(base)->channel->kref, channel_release);
	dma_fence_free(base);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.enable_signaling = fence_enable_signaling,
	.signaled = fence_signaled,
	.release = fence_release,
};

/* Signals, in order, what the hardware has completed. */
void example_interrupt(struct example_channel *channel)
{
	struct example_fence *fence, *next;
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&channel->lock, flags);
	list_for_each_entry_safe(fence, next, &channel->jobs, entry) {
		if (!fence_signaled(&fence->base))
			break;
		list_move_tail(&fence->entry, &done);
	}
	spin_unlock_irqrestore(&channel->lock, flags);

	list_for_each_entry_safe(fence, next, &done, entry) {
		dma_fence_signal(&fence->base);
		dma_fence_put(&fence->base);
	}
}

/* end of fences */

/* Does all jobs as soon as somebody waits for one, unless it hangs. */
static void hardware_work(struct work_struct *work)
{
	struct example_channel *channel =
		container_of(work, struct example_channel, hw.work);

	if (READ_ONCE(channel->hw.hung))
		return;
	/* What the jobs did to memory comes first. */
	smp_store_release(&channel->hw.completed, READ_ONCE(channel->emitted));
	example_interrupt(channel);
}

static void hardware_stop(struct example_channel *channel)
{
	WRITE_ONCE(channel->hw.hung, true);
	cancel_work_sync(&channel->hw.work);
}

/* example: channel */
struct example_channel *example_channel_create(struct example_device *dev)
{
	struct example_channel *channel = kzalloc_obj(*channel);
	int ret;

	if (!channel)
		return ERR_PTR(-ENOMEM);

	channel->dev = dev;
	kref_init(&channel->kref);
	mutex_init(&channel->emission);
	spin_lock_init(&channel->lock);
	INIT_LIST_HEAD(&channel->jobs);
	INIT_WORK(&channel->hw.work, hardware_work);

	ret = ttm_fence_lru_channel_register(dev->bdev.fence_lru, &channel->lru,
					     dma_fence_context_alloc(1));
	if (ret) {
		kfree(channel);
		return ERR_PTR(ret);
	}

	/* Lockdep is to see that fences are made and attached under it. */
	ttm_fence_lru_channel_set_lock(&channel->lru, &channel->emission);
	return channel;
}

/* end of channel */

/* example: kill */
void example_channel_kill(struct example_channel *channel)
{
	struct example_fence *fence;

	mutex_lock(&channel->emission);

	/* First the hardware: from here on it touches no memory. */
	hardware_stop(channel);
	channel->killed = true;
	ttm_fence_lru_channel_kill(&channel->lru);

	/* Then the fences, in order, so that memory can be used by others. */
	list_for_each_entry(fence, &channel->jobs, entry)
		if (!dma_fence_is_signaled(&fence->base))
			dma_fence_set_error(&fence->base, -ECANCELED);
	WRITE_ONCE(channel->hw.completed, channel->emitted);
	example_interrupt(channel);

	mutex_unlock(&channel->emission);
}

static void channel_release(struct kref *kref)
{
	struct example_channel *channel =
		container_of(kref, struct example_channel, kref);

	/* Others may still look at the engine's part of it. */
	kfree_rcu(channel, rcu);
}

void example_channel_destroy(struct example_channel *channel)
{
	example_channel_kill(channel);
	ttm_fence_lru_channel_unregister(&channel->lru);
	kref_put(&channel->kref, channel_release);
}

/* end of kill */

/* example: emit */
/* The fence of the next job, with a reference. */
struct dma_fence *example_emit(struct example_channel *channel)
{
	struct example_fence *fence;
	int ret;

	lockdep_assert_held(&channel->emission);

	if (channel->killed)
		return ERR_PTR(-ENODEV);
	ret = ttm_fence_lru_channel_reserve(&channel->lru);
	if (ret)
		return ERR_PTR(ret);
	fence = kzalloc_obj(*fence);
	if (!fence)
		return ERR_PTR(-ENOMEM);

	kref_get(&channel->kref);
	fence->channel = channel;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fence_ops, &fence->lock,
		       channel->lru.context, ++channel->emitted);

	/* The list has the first reference, the caller gets one. */
	dma_fence_get(&fence->base);
	spin_lock_irq(&channel->lock);
	list_add_tail(&fence->entry, &channel->jobs);
	spin_unlock_irq(&channel->lock);
	return &fence->base;
}

/* end of emit */

/* example: bos */
static const struct ttm_place vram = { .mem_type = TTM_PL_VRAM };
static const struct ttm_place gtt = { .mem_type = TTM_PL_TT };
static const struct ttm_place sysmem = { .mem_type = TTM_PL_SYSTEM };

static void bo_destroy(struct ttm_buffer_object *tbo)
{
	drm_gem_object_release(&tbo->base);
	kfree(container_of(tbo, struct example_bo, tbo));
}

/* The last handle is gone. TTM asks the engine whether the GPU still uses the buffer. */
static void bo_free(struct drm_gem_object *gem)
{
	ttm_bo_fini(container_of(gem, struct ttm_buffer_object, base));
}

static const struct drm_gem_object_funcs gem_funcs = { .free = bo_free };

struct example_bo *example_bo_create(struct example_device *dev, size_t size)
{
	struct ttm_placement placement = { 1, &vram };
	struct example_bo *bo;
	int ret;

	/* No reservation is held here. */
	ttm_device_trim(&dev->bdev);

	bo = kzalloc_obj(*bo);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	drm_gem_private_object_init(dev->drm, &bo->tbo.base, size);
	bo->tbo.base.funcs = &gem_funcs;

	/* If it fails TTM has called bo_destroy(). */
	ret = ttm_bo_init_validate(&dev->bdev, &bo->tbo, ttm_bo_type_device,
				   &placement, 1, true, NULL, NULL, bo_destroy);
	return ret ? ERR_PTR(ret) : bo;
}

/* end of bos */

void example_bo_put(struct example_bo *bo)
{
	drm_gem_object_put(&bo->tbo.base);
}

/* example: submit */
static int validate(struct example_bo **bos, unsigned int nr,
		    struct ttm_operation_ctx *ctx)
{
	struct ttm_placement placement = { 1, &vram };
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < nr; i++)
		ret = ttm_bo_validate(&bos[i]->tbo, &placement, ctx);
	return ret;
}

static void attach(struct example_channel *channel, struct dma_fence *fence,
		   struct example_bo **bos, unsigned int nr)
{
	struct ttm_submission sub = TTM_SUBMISSION(&channel->dev->bdev, fence);
	unsigned int i;

	for (i = 0; i < nr; i++)
		ttm_submission_add(&sub, &bos[i]->tbo, DMA_RESV_USAGE_WRITE);
	ttm_submission_end(&sub);
}

/* All reservations are held, and all buffers are where the job finds them. */
static int queue_job(struct example_channel *channel, struct example_bo **bos,
		     unsigned int nr)
{
	struct dma_fence *fence;
	unsigned int i;
	int ret = 0;

	/* All that can fail comes before there is a fence. */
	for (i = 0; !ret && i < nr; i++)
		ret = ttm_bo_reserve_fence_on(&bos[i]->tbo, &channel->lru);
	if (ret)
		return ret;

	mutex_lock(&channel->emission);
	fence = example_emit(channel);
	if (!IS_ERR(fence))
		attach(channel, fence, bos, nr);
	mutex_unlock(&channel->emission);
	if (IS_ERR(fence))
		return PTR_ERR(fence);

	dma_fence_put(fence);
	return 0;
}

int example_submit(struct example_channel *channel, struct example_bo **bos,
		   unsigned int nr)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct drm_exec exec;
	unsigned int i;
	int ret;

	/* Before anything is locked: dead buffers may keep too much. */
	ttm_device_trim(&channel->dev->bdev);

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT, nr);
	drm_exec_until_all_locked(&exec)
	{
		ret = 0;
		for (i = 0; !ret && i < nr; i++) {
			ret = drm_exec_lock_obj(&exec, &bos[i]->tbo.base);
			drm_exec_retry_on_contention(&exec);
		}
		/* Inside the loop: to make room TTM may have to lock others. */
		if (!ret)
			ret = validate(bos, nr, &ctx);
		if (ret)
			break;
	}
	if (!ret)
		ret = queue_job(channel, bos, nr);
	drm_exec_fini(&exec);
	return ret;
}

/* end of submit */

/* example: move */
/* The GPU copies. Its fence is attached by TTM, under the lock of its emission. */
static int copy_buffer(struct ttm_buffer_object *tbo, bool evict,
		       struct ttm_resource *new_mem)
{
	struct example_device *dev =
		container_of(tbo->bdev, struct example_device, bdev);
	struct example_channel *copies = dev->copies;
	struct dma_fence *fence;
	int ret;

	mutex_lock(&copies->emission);
	fence = example_emit(copies);
	ret = PTR_ERR_OR_ZERO(fence);
	if (!ret)
		ret = ttm_bo_move_accel_cleanup(tbo, fence, evict, true,
						new_mem);
	mutex_unlock(&copies->emission);
	if (IS_ERR(fence))
		return ret;

	/* TTM is going to free the new place, to which the GPU copies. */
	if (ret)
		dma_fence_wait(fence, false);
	dma_fence_put(fence);
	return ret;
}

static int move_buffer(struct ttm_buffer_object *tbo, bool evict,
		       struct ttm_operation_ctx *ctx,
		       struct ttm_resource *new_mem, struct ttm_place *hop)
{
	struct ttm_resource *old = tbo->resource;
	int ret;

	/* There is nothing to copy yet. */
	if (!old || (old->mem_type == TTM_PL_SYSTEM && !tbo->ttm)) {
		ttm_bo_move_null(tbo, new_mem);
		return 0;
	}

	/* This GPU cannot have a copy wait for a job. */
	ret = ttm_bo_wait_ctx(tbo, ctx);
	if (ret)
		return ret;

	if (old->mem_type != TTM_PL_VRAM && new_mem->mem_type != TTM_PL_VRAM) {
		ttm_bo_move_null(tbo, new_mem);
		return 0;
	}
	if (old->mem_type == TTM_PL_SYSTEM ||
	    new_mem->mem_type == TTM_PL_SYSTEM) {
		*hop = (struct ttm_place){ .mem_type = TTM_PL_TT,
					   .flags = TTM_PL_FLAG_TEMPORARY };
		return -EMULTIHOP;
	}
	return copy_buffer(tbo, evict, new_mem);
}

/* end of move */

static struct ttm_tt *create_tt(struct ttm_buffer_object *tbo, u32 page_flags)
{
	struct ttm_tt *tt = kzalloc_obj(*tt);

	if (tt && ttm_tt_init(tt, tbo, page_flags, ttm_cached, 0)) {
		kfree(tt);
		return NULL;
	}
	return tt;
}

static void destroy_tt(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(tt);
}

static void evict_flags(struct ttm_buffer_object *tbo,
			struct ttm_placement *placement)
{
	bool in_vram = tbo->resource->mem_type == TTM_PL_VRAM;

	*placement = (struct ttm_placement){ 1, in_vram ? &gtt : &sysmem };
}

static const struct ttm_device_funcs device_funcs = {
	.ttm_tt_create = create_tt,
	.ttm_tt_destroy = destroy_tt,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = evict_flags,
	.move = move_buffer,
};

/* example: device */
int example_device_init(struct example_device *dev, struct drm_device *drm)
{
	struct ttm_device *bdev = &dev->bdev;
	struct ttm_resource_manager *man;
	int ret;

	dev->drm = drm;
	ret = ttm_device_init(bdev, &device_funcs, drm->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	if (ret)
		return ret;

	/* Before the first buffer, and before the first channel. */
	ret = ttm_device_enable_fence_lru(bdev);
	if (ret)
		goto fini_ttm;

	ret = ttm_range_man_init(bdev, TTM_PL_VRAM, false, EXAMPLE_VRAM_PAGES);
	if (ret)
		goto fini_ttm;
	ret = ttm_range_man_init(bdev, TTM_PL_TT, true, EXAMPLE_GTT_PAGES);
	if (ret)
		goto fini_vram;

	/* Freeing there takes a spinlock, under which nothing is allocated. */
	man = ttm_manager_type(bdev, TTM_PL_TT);
	ttm_resource_manager_set_reclaim_safe(man);

	dev->copies = example_channel_create(dev);
	ret = PTR_ERR_OR_ZERO(dev->copies);
	if (ret)
		goto fini_gtt;
	return 0;

fini_gtt:
	ttm_range_man_fini(bdev, TTM_PL_TT);
fini_vram:
	ttm_range_man_fini(bdev, TTM_PL_VRAM);
fini_ttm:
	ttm_device_fini(bdev);
	return ret;
}

/* The channels of all users are destroyed, and their buffers are put. */
void example_device_fini(struct example_device *dev)
{
	/* The last one, as dead buffers may wait for its copies; then these go. */
	example_channel_destroy(dev->copies);
	ttm_device_drain(&dev->bdev);
	ttm_range_man_fini(&dev->bdev, TTM_PL_VRAM);
	ttm_range_man_fini(&dev->bdev, TTM_PL_TT);
	ttm_device_fini(&dev->bdev);
}

/* end of device */
