// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device and buffers for the tests of the glue on real TTM.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/ttm/ttm_bo_group.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_glue_helpers.h"

#define PLACEMENT(_name, _type)                                              \
	const struct ttm_placement _name = {                                 \
		.num_placement = 1,                                          \
		.placement = &(const struct ttm_place){ .mem_type = _type }, \
	}

PLACEMENT(glue_vram, TTM_PL_VRAM);
PLACEMENT(glue_gtt, TTM_PL_TT);
PLACEMENT(glue_system, TTM_PL_SYSTEM);
PLACEMENT(glue_private, TTM_PL_PRIV);

static const struct ttm_place vram_else_gtt[] = {
	{ .mem_type = TTM_PL_VRAM, .flags = TTM_PL_FLAG_DESIRED },
	{ .mem_type = TTM_PL_TT, .flags = TTM_PL_FLAG_FALLBACK },
};

const struct ttm_placement glue_vram_else_gtt = { 2, vram_else_gtt };

struct glue_device *to_glue_device(struct ttm_device *bdev)
{
	return container_of(bdev, struct glue_device, bdev);
}

/*
 * The device: moves wait for the buffer and then reassign it, unless there is a
 * mover, whose fences stand for copies.
 */

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
	*placement = glue_system;
	if (tbo->resource->mem_type == TTM_PL_VRAM)
		*placement = glue_gtt;
}

static void bo_destroy(struct ttm_buffer_object *tbo)
{
	struct glue_bo *bo = container_of(tbo, struct glue_bo, tbo);

	bo->dev->nr_bos--;
	drm_gem_object_release(&tbo->base);
	kfree(bo);
}

/* Ghosts have no name. */
char glue_name(struct ttm_buffer_object *tbo)
{
	if (tbo->destroy != bo_destroy)
		return '?';
	return container_of(tbo, struct glue_bo, tbo)->name;
}

static void note_eviction(struct glue_device *dev,
			  struct ttm_buffer_object *tbo)
{
	size_t len = strlen(dev->evicted);

	if (!ttm_manager_type(&dev->bdev, tbo->resource->mem_type)->use_tt &&
	    len + 1 < sizeof(dev->evicted))
		dev->evicted[len] = glue_name(tbo);
}

static int move_buffer(struct ttm_buffer_object *tbo, bool evict,
		       struct ttm_operation_ctx *ctx,
		       struct ttm_resource *new_mem, struct ttm_place *hop)
{
	struct glue_device *dev = to_glue_device(tbo->bdev);
	struct glue_fence *fence;
	int ret;

	if (!tbo->resource ||
	    (tbo->resource->mem_type == TTM_PL_SYSTEM && !tbo->ttm)) {
		ttm_bo_move_null(tbo, new_mem);
		return 0;
	}

	if (dev->multihop && tbo->resource->mem_type == TTM_PL_VRAM &&
	    new_mem->mem_type == TTM_PL_SYSTEM) {
		*hop = (struct ttm_place){
			.mem_type = TTM_PL_TT,
			.flags = TTM_PL_FLAG_TEMPORARY,
		};
		return -EMULTIHOP;
	}

	if (dev->moving)
		dev->moving(dev);
	if (dev->refuse_moves) {
		dev->refuse_moves--;
		return dev->refusal ?: -EBUSY;
	}

	if (dev->mover) {
		if (evict)
			note_eviction(dev, tbo);
		fence = glue_emit(dev, dev->mover - dev->channels, true);
		return ttm_bo_move_accel_cleanup(tbo, &fence->base, evict,
						 dev->pipeline, new_mem);
	}

	ret = ttm_bo_wait_ctx(tbo, ctx);
	if (ret)
		return ret;

	if (evict)
		note_eviction(dev, tbo);
	ttm_bo_move_sync_cleanup(tbo, new_mem);
	return 0;
}

static void delete_mem_notify(struct ttm_buffer_object *tbo)
{
	struct glue_device *dev = to_glue_device(tbo->bdev);

	dev->nr_notified++;
	if (dev->releasing)
		dev->releasing(dev);
}

static const struct ttm_device_funcs device_funcs = {
	.ttm_tt_create = create_tt,
	.ttm_tt_destroy = destroy_tt,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = evict_flags,
	.move = move_buffer,
	.delete_mem_notify = delete_mem_notify,
};

void glue_register(struct glue_channel *channel)
{
	int ret;

	ret = ttm_fence_lru_channel_register(channel->dev->bdev.fence_lru,
					     &channel->base, channel->context);
	KUNIT_ASSERT_EQ(channel->dev->test, ret, 0);
}

static void init_channels(struct glue_device *dev)
{
	struct glue_channel *channel;
	int i;

	for (i = 0; i < GLUE_CHANNELS; i++) {
		channel = &dev->channels[i];
		channel->dev = dev;
		spin_lock_init(&channel->lock);
		channel->context = dma_fence_context_alloc(1);
		if (dev->bdev.fence_lru && i != GLUE_FOREIGN)
			glue_register(channel);
	}
}

static struct drm_device *create_drm(struct kunit *test)
{
	struct device *parent;
	struct drm_device *drm;

	parent = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	drm = __drm_kunit_helper_alloc_drm_device(test, parent, sizeof(*drm), 0,
						  DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	return drm;
}

static int init_ttm(struct glue_device *dev, bool opt_in)
{
	struct drm_device *drm = dev->drm;
	int ret;

	dev->funcs = device_funcs;
	ret = ttm_device_init(&dev->bdev, &dev->funcs, drm->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	if (!ret && opt_in) {
		ret = ttm_device_enable_fence_lru(&dev->bdev);
		/* Only where a case wants it. */
		if (!ret)
			disable_delayed_work(&dev->bdev.drain);
	}
	if (!ret)
		ret = ttm_range_man_init(&dev->bdev, TTM_PL_VRAM, false,
					 GLUE_VRAM_PAGES);
	if (!ret)
		ret = ttm_range_man_init(&dev->bdev, TTM_PL_TT, true,
					 GLUE_GTT_PAGES);
	return ret;
}

/* A device of the case's own; further ones share the DRM device of the first. */
struct glue_device *glue_device_create(struct kunit *test, bool opt_in)
{
	struct glue_device *dev, *first = test->priv;

	dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->test = test;
	INIT_LIST_HEAD(&dev->fences);
	INIT_LIST_HEAD(&dev->bos);
	dma_resv_init(&dev->vm_resv);
	dev->drm = first ? first->drm : create_drm(test);
	/* Drivers' devices are zeroed; what TTM sets anyway, it must set. */
	dev->bdev.fence_lru = ERR_PTR(-EINVAL);
	dev->bdev.sysman.nr_parked = ULONG_MAX;
	memset(dev->bdev.freed_bytes, 0xff, sizeof(dev->bdev.freed_bytes));

	KUNIT_ASSERT_EQ(test, init_ttm(dev, opt_in), 0);
	init_channels(dev);
	return dev;
}

/* Complete all fences, so that nothing can be left for their sake. */
static void complete_fences(struct glue_device *dev)
{
	struct glue_fence *fence;

	list_for_each_entry(fence, &dev->fences, entry) {
		cancel_work_sync(&fence->work);
		glue_complete(fence);
	}
}

static void put_all(struct glue_device *dev)
{
	struct glue_fence *fence, *next_fence;
	struct glue_bo *bo, *next_bo;

	list_for_each_entry_safe(bo, next_bo, &dev->bos, entry)
		glue_put(bo);
	list_for_each_entry_safe(fence, next_fence, &dev->fences, entry)
		dma_fence_put(&fence->base);
	INIT_LIST_HEAD(&dev->fences);
}

/* Take everything down; nothing may be left anywhere. */
void glue_device_destroy(struct glue_device *dev)
{
	struct kunit *test = dev->test;
	int i;

	glue_expect_sound(dev);
	complete_fences(dev);
	put_all(dev);
	flush_workqueue(dev->bdev.wq);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
	glue_expect_sound(dev);

	for (i = 0; dev->bdev.fence_lru && i < GLUE_FOREIGN; i++)
		ttm_fence_lru_channel_unregister(&dev->channels[i].base);
	for (i = TTM_PL_TT; i < TTM_NUM_MEM_TYPES; i++)
		KUNIT_EXPECT_EQ(test, ttm_range_man_fini(&dev->bdev, i), 0);
	ttm_device_fini(&dev->bdev);
	KUNIT_EXPECT_NULL(test, dev->bdev.fence_lru);
	dma_resv_fini(&dev->vm_resv);
}

/* Memory for &glue_private, which a device has only if a case wants it. */
void glue_make_private(struct glue_device *dev, unsigned int pages)
{
	int ret = ttm_range_man_init(&dev->bdev, TTM_PL_PRIV, false, pages);

	KUNIT_ASSERT_EQ(dev->test, ret, 0);
}

int glue_init(struct kunit *test)
{
	test->priv = glue_device_create(test, true);
	return 0;
}

void glue_exit(struct kunit *test)
{
	if (test->priv)
		glue_device_destroy(test->priv);
}

/* A buffer of one page; NULL and @err if it could not be placed. */
struct glue_bo *glue_bo_try(struct glue_device *dev, char name,
			    const struct ttm_placement *placement,
			    struct ttm_operation_ctx *ctx,
			    struct dma_resv *resv, int *err)
{
	struct ttm_placement copy = *placement;
	struct glue_bo *bo;

	bo = kzalloc_obj(*bo);
	KUNIT_ASSERT_NOT_NULL(dev->test, bo);
	bo->dev = dev;
	bo->name = name;
	drm_gem_private_object_init(dev->drm, &bo->tbo.base,
				    PAGE_SIZE * (dev->pages ?: 1));
	dev->nr_bos++;

	*err = ttm_bo_init_reserved(&dev->bdev, &bo->tbo, ttm_bo_type_device,
				    &copy, 1, ctx, NULL, resv, bo_destroy);
	if (*err)
		return NULL;
	if (!resv)
		ttm_bo_unreserve(&bo->tbo);
	list_add_tail(&bo->entry, &dev->bos);
	return bo;
}

struct glue_bo *glue_bo(struct glue_device *dev, char name,
			const struct ttm_placement *placement)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo;
	int err;

	bo = glue_bo_try(dev, name, placement, &ctx, NULL, &err);
	KUNIT_ASSERT_EQ_MSG(dev->test, err, 0, "buffer %c", name);
	return bo;
}

/* One in VRAM that shares the reservation object of the device. */
struct glue_bo *glue_bo_shared(struct glue_device *dev, char name)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo;
	int err;

	dma_resv_lock(&dev->vm_resv, NULL);
	bo = glue_bo_try(dev, name, &glue_vram, &ctx, &dev->vm_resv, &err);
	dma_resv_unlock(&dev->vm_resv);
	KUNIT_ASSERT_EQ_MSG(dev->test, err, 0, "buffer %c", name);
	return bo;
}

/* Fill VRAM with buffers a, b, c ... */
void glue_fill(struct glue_device *dev, struct glue_bo **bo)
{
	int i;

	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		bo[i] = glue_bo(dev, 'a' + i, &glue_vram);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
}

void glue_put(struct glue_bo *bo)
{
	list_del(&bo->entry);
	ttm_bo_fini(&bo->tbo);
}

void glue_lock(struct glue_bo *bo)
{
	KUNIT_ASSERT_EQ(bo->dev->test,
			ttm_bo_reserve(&bo->tbo, false, false, NULL), 0);
}

void glue_unlock(struct glue_bo *bo)
{
	ttm_bo_unreserve(&bo->tbo);
}

static int validate(struct glue_bo *bo, const struct ttm_placement *placement,
		    struct ttm_operation_ctx *ctx)
{
	struct ttm_placement copy = *placement;
	int ret;

	glue_lock(bo);
	ret = ttm_bo_validate(&bo->tbo, &copy, ctx);
	glue_unlock(bo);
	return ret;
}

int glue_move(struct glue_bo *bo, const struct ttm_placement *placement)
{
	struct ttm_operation_ctx ctx = {};

	return validate(bo, placement, &ctx);
}

int glue_move_no_wait(struct glue_bo *bo, const struct ttm_placement *placement)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	return validate(bo, placement, &ctx);
}

/* Use the buffer under a fence, as a submission does. */
void glue_attach(struct glue_bo *bo, struct glue_fence *fence)
{
	int ret;

	glue_lock(bo);
	ret = ttm_bo_reserve_fences(&bo->tbo, 1);
	if (!ret)
		ttm_bo_add_fence(&bo->tbo, &fence->base, DMA_RESV_USAGE_WRITE);
	glue_unlock(bo);
	KUNIT_ASSERT_EQ(bo->dev->test, ret, 0);
}

/* Use the buffer under a new fence. */
struct glue_fence *glue_use(struct glue_bo *bo, unsigned int channel)
{
	struct glue_fence *fence = glue_emit(bo->dev, channel, true);

	glue_attach(bo, fence);
	return fence;
}

/* Instead of ttm_fence_lru_link_alloc(): there is no memory. */
struct ttm_fence_lru_link *glue_no_link(struct ttm_fence_lru_bo *bo, gfp_t gfp)
{
	return NULL;
}

/* A group of buffers that share the reservation object of the device. */
struct ttm_bo_group *glue_group(struct glue_device *dev)
{
	struct ttm_bo_group *group;

	group = ttm_bo_group_create(&dev->bdev, &dev->vm_resv);
	KUNIT_ASSERT_NOT_NULL(dev->test, group);
	return group;
}

void glue_join(struct ttm_bo_group *group, struct glue_bo *bo)
{
	glue_lock(bo);
	ttm_bo_group_join(group, &bo->tbo);
	glue_unlock(bo);
}

/* A buffer in VRAM that is a member. */
struct glue_bo *glue_member(struct ttm_bo_group *group, char name)
{
	struct glue_device *dev = to_glue_device(group->bdev);
	struct glue_bo *bo = glue_bo_shared(dev, name);

	glue_join(group, bo);
	return bo;
}

void glue_attach_group(struct ttm_bo_group *group, struct glue_fence *fence)
{
	int ret;

	dma_resv_lock(group->resv, NULL);
	ret = ttm_bo_group_reserve_fence_on(group, &fence->channel->base);
	if (!ret)
		ttm_bo_group_add_fence(group, &fence->base,
				       DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(group->resv);
	KUNIT_ASSERT_EQ(fence->channel->dev->test, ret, 0);
}

struct glue_fence *glue_use_group(struct ttm_bo_group *group,
				  unsigned int channel)
{
	struct glue_device *dev = to_glue_device(group->bdev);
	struct glue_fence *fence = glue_emit(dev, channel, true);

	glue_attach_group(group, fence);
	return fence;
}

MODULE_DESCRIPTION("KUnit tests for the fence-ordered LRU on TTM");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
