// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers of every kind: swapped out, pinned, in a range of their memory, without
 * memory for links or fences; and fences of every kind.
 */
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>

#include <kunit/static_stub.h>

#include <drm/drm_device.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "../ttm_fence_lru/internal.h"
#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

static void swap_out(struct glue_device *dev)
{
	struct ttm_operation_ctx ctx = {};

	KUNIT_ASSERT_EQ(dev->test,
			ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL), 1);
}

static void a_buffer_that_is_swapped_out(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);
	struct glue_fence *fence;

	swap_out(dev);
	glue_expect_lru(dev, TTM_PL_SYSTEM,
			ttm_bo_is_swapped_apart(&a->tbo) ? "" : "a", 0);

	/* Used where it is, it dies busy. */
	fence = glue_use(a, 0);
	glue_expect_lru(dev, TTM_PL_SYSTEM, "",
			ttm_bo_is_swapped_apart(&a->tbo) ? 0 : 1);
	glue_put(a);
	glue_expect_zombies(dev, 1, 0);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	KUNIT_EXPECT_TRUE(test, a->tbo.ttm->page_flags & TTM_TT_FLAG_SWAPPED);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void a_swapped_buffer_comes_back(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);
	struct glue_fence *fence;

	swap_out(dev);
	fence = glue_use(a, 0);
	glue_complete_on_wait(fence);
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	KUNIT_EXPECT_FALSE(test, a->tbo.ttm->page_flags & TTM_TT_FLAG_SWAPPED);
	glue_expect_lru(dev, TTM_PL_SYSTEM, "", 0);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
}

/* A mistake of the driver's, which TTM warns of; the memory is not lost for it. */
static void a_pinned_buffer_that_is_deleted(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_bo *b = glue_bo(dev, 'b', &glue_vram);
	struct glue_fence *fence = glue_use(b, 0);

	glue_pin(a);
	glue_pin(b);
	glue_put(a);
	glue_put(b);
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 1);
	glue_expect_pinned(dev, "");
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_zombies(dev, 1, 0);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static struct glue_bo *place(struct glue_device *dev, char name,
			     unsigned int page, u32 flags)
{
	const struct ttm_place place = {
		.fpfn = page,
		.lpfn = page + 1,
		.mem_type = TTM_PL_VRAM,
		.flags = flags,
	};
	const struct ttm_placement placement = { 1, &place };

	return glue_bo(dev, name, &placement);
}

/*
 *   page      0  1  2  3
 *   before:   a  b  z  d     z is dead, its fence has signaled; a b d are idle
 *   now:      a  x  y  d     and b was evicted
 */
static void a_buffer_that_fits_in_one_place_only(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *z, *y;

	place(dev, 'a', 0, 0);
	place(dev, 'b', 1, 0);
	z = place(dev, 'z', 2, 0);
	place(dev, 'd', 3, TTM_PL_FLAG_CONTIGUOUS);
	glue_complete(glue_use(z, 0));
	glue_put(z);

	y = place(dev, 'y', 2, TTM_PL_FLAG_CONTIGUOUS);
	KUNIT_EXPECT_EQ(test, y->tbo.resource->start, 2);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "");
	place(dev, 'x', 1, 0);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "b");
	glue_expect_lru(dev, TTM_PL_VRAM, "adyx", 0);
}

/* A zombie elsewhere is of no use; an idle buffer in the right place is. */
static void a_busy_zombie_in_another_place(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *z = place(dev, 'z', 0, 0);

	place(dev, 'b', 1, 0);
	glue_use(z, 0);
	glue_put(z);
	place(dev, 'x', 1, 0);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "b");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	glue_expect_zombies(dev, 1, 0);
}

static void no_memory_for_a_link(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	int ret;

	/* Its first link is in use: the next channel needs another. */
	glue_use(a, 0);
	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc,
				   glue_no_link);
	glue_lock(a);
	KUNIT_EXPECT_EQ(test, ttm_bo_reserve_fences(&a->tbo, 1), -ENOMEM);
	ret = ttm_bo_reserve_fence_on(&a->tbo, &dev->channels[1].base);
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	/* But not the one that it is on. */
	ret = ttm_bo_reserve_fence_on(&a->tbo, &dev->channels[0].base);
	KUNIT_EXPECT_EQ(test, ret, 0);
	glue_unlock(a);

	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), -ENOMEM);
	kunit_deactivate_static_stub(test, ttm_fence_lru_link_alloc);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_usage(dev, TTM_PL_TT, 0);
	glue_expect_sound(dev);
}

static int no_copy(struct ttm_buffer_object *bo)
{
	return -ENOMEM;
}

/* It keeps the shared reservation object, and waits for all that is in there. */
static void no_memory_to_copy_the_fences(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *own, *neighbours;
	struct glue_bo *a, *b;

	a = glue_bo_shared(dev, 'a');
	b = glue_bo_shared(dev, 'b');
	own = glue_use(a, 0);
	kunit_activate_static_stub(test, ttm_bo_individualize_resv, no_copy);
	glue_put(a);
	kunit_deactivate_static_stub(test, ttm_bo_individualize_resv);
	KUNIT_EXPECT_PTR_EQ(test, a->tbo.base.resv, &dev->vm_resv);
	glue_expect_zombies(dev, 1, 0);

	neighbours = glue_use(b, 1);
	glue_complete(own);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 2);

	glue_complete(neighbours);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
}

/* Nor is anything enabled in its own one, which is empty then. */
static void no_memory_to_copy_a_fence_that_cannot_be_sampled(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *foreign = glue_emit(dev, GLUE_FOREIGN, false);
	struct glue_bo *a = glue_bo_shared(dev, 'a');

	glue_attach(a, foreign);
	kunit_activate_static_stub(test, ttm_bo_individualize_resv, no_copy);
	glue_put(a);
	kunit_deactivate_static_stub(test, ttm_bo_individualize_resv);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 1);
	glue_expect_zombies(dev, 1, 1);

	glue_complete(foreign);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

/* Reservation objects take no containers: only a mistake could bring one here. */
static void fence_containers_make_no_link(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct dma_fence_chain *chain = dma_fence_chain_alloc();
	struct ttm_fence_lru_bo *fbo = &a->tbo.fence_lru;
	struct dma_fence **fences;
	struct dma_fence_array *array;

	KUNIT_ASSERT_NOT_NULL(test, chain);
	fences = kcalloc(1, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);
	fences[0] = dma_fence_get(&glue_emit(dev, 0, true)->base);
	dma_fence_chain_init(chain, NULL, dma_fence_get(fences[0]), 1);
	array = dma_fence_array_create(1, fences, dma_fence_context_alloc(1),
				       1);
	KUNIT_ASSERT_NOT_NULL(test, array);

	glue_lock(a);
	ttm_fence_lru_attach(dev->bdev.fence_lru, &array->base, &fbo, 1);
	ttm_fence_lru_attach(dev->bdev.fence_lru, &chain->base, &fbo, 1);
	glue_unlock(a);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
	dma_fence_put(&array->base);
	dma_fence_put(&chain->base);
}

/* Under pressure the first fence of a channel is told to signal, once. */
static void fences_that_cannot_be_sampled_under_pressure(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[GLUE_VRAM_PAGES];
	int i, err;

	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		fence[i] = glue_emit(dev, 0, false);
		glue_attach(glue_bo(dev, 'a' + i, &glue_vram), fence[i]);
	}
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	for (i = 0; i < 2; i++) {
		glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);
	}

	glue_complete(fence[0]);
	glue_bo(dev, 'x', &glue_vram);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "a");
}

/* Asleep, the device has no memory; then it gets its contents back. */
static void suspending_and_resuming(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_bo *z = glue_bo(dev, 'z', &glue_vram);

	glue_complete_on_wait(glue_use(a, 0));
	glue_complete_on_wait(glue_use(z, 1));
	glue_put(z);
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(&dev->bdev, man),
			0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_zombies(dev, 0, 0);

	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_vram), 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
	glue_use(a, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
}

/* Allocated by itself: a write beyond it is reported. */
static void a_device_ends_where_it_says(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct drm_device *drm = dev->drm;
	struct ttm_device *bdev;
	int ret;

	bdev = kunit_kzalloc(test, sizeof(*bdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bdev);
	ret = ttm_device_init(bdev, &dev->funcs, drm->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, ttm_device_enable_fence_lru(bdev), 0);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(bdev), 0);
	ttm_device_fini(bdev);
}

/*
 * All that the engine does begins with the device's pointer to it, which is NULL here:
 * to come through means that nothing of it is called.
 */
static void a_device_without_a_fence_lru_calls_none(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;
	int i;

	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		bo[i] = glue_bo(dev, 'a' + i, &glue_vram);
	fence = glue_use(bo[0], 0);
	glue_complete_on_wait(fence);
	glue_lock(bo[1]);
	ttm_bo_pin(&bo[1]->tbo);
	ttm_bo_unpin(&bo[1]->tbo);
	glue_unlock(bo[1]);
	glue_bo(dev, 'x', &glue_vram);
	dev->mover = &dev->channels[1];
	KUNIT_EXPECT_EQ(test, glue_move(bo[2], &glue_gtt), 0);
	dev->mover = NULL;
	glue_complete(list_last_entry(&dev->fences, struct glue_fence, entry));
	flush_workqueue(dev->bdev.wq);
	swap_out(dev);
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(&dev->bdev, man),
			0);
	KUNIT_EXPECT_EQ(test, man->nr_parked, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&dev->bdev.parked));
	KUNIT_EXPECT_NULL(test, dev->bdev.fence_lru);
	dev->unplugged = true;
	ttm_device_clear_dma_mappings(&dev->bdev);
	glue_device_destroy(dev);
}

static struct kunit_case kinds_cases[] = {
	KUNIT_CASE(a_buffer_that_is_swapped_out),
	KUNIT_CASE(a_swapped_buffer_comes_back),
	KUNIT_CASE(a_pinned_buffer_that_is_deleted),
	KUNIT_CASE(a_buffer_that_fits_in_one_place_only),
	KUNIT_CASE(a_busy_zombie_in_another_place),
	KUNIT_CASE(no_memory_for_a_link),
	KUNIT_CASE(no_memory_to_copy_the_fences),
	KUNIT_CASE(no_memory_to_copy_a_fence_that_cannot_be_sampled),
	KUNIT_CASE(fence_containers_make_no_link),
	KUNIT_CASE(fences_that_cannot_be_sampled_under_pressure),
	KUNIT_CASE(suspending_and_resuming),
	KUNIT_CASE(a_device_ends_where_it_says),
	KUNIT_CASE(a_device_without_a_fence_lru_calls_none),
	{}
};

static struct kunit_suite kinds_suite = {
	.name = "ttm_fence_lru_glue_kinds",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = kinds_cases,
};

kunit_test_suite(kinds_suite);
