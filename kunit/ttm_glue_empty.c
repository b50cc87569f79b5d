// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Moves, and all that empties a manager or a device; and a device without a
 * fence-ordered LRU beside one that has it.
 */
#include <linux/gfp.h>

#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_glue_helpers.h"

static void evict_all_takes_idle_buffers(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);

	glue_bo(dev, 'a', &glue_vram);
	glue_bo(dev, 'b', &glue_vram);
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(&dev->bdev, man),
			0);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "ab");
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_lru(dev, TTM_PL_TT, "ab", 0);
}

static void evict_all_waits_for_busy_buffers(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);
	struct glue_bo *a, *b;

	/* channel 0: a, then the zombie z; channel 1: b; idle: i */
	a = glue_bo(dev, 'a', &glue_vram);
	b = glue_bo(dev, 'b', &glue_vram);
	glue_bo(dev, 'i', &glue_vram);
	glue_complete_on_wait(glue_use(a, 0));
	glue_complete_on_wait(glue_use(b, 1));
	a = glue_bo(dev, 'z', &glue_vram);
	glue_complete_on_wait(glue_use(a, 0));
	glue_put(a);

	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(&dev->bdev, man),
			0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_lru(dev, TTM_PL_TT, "iab", 0);
	glue_expect_zombies(dev, 0, 0);
	KUNIT_EXPECT_EQ(test, strlen(dev->evicted), 3);
}

static void evict_all_waits_for_leftovers(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_complete_on_wait(glue_use(a, GLUE_FOREIGN));
	glue_put(a);
	glue_expect_zombies(dev, 1, 1);

	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(&dev->bdev, man),
			0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_zombies(dev, 0, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void swapout_reaches_parked_buffers(struct kunit *test)
{
	struct ttm_operation_ctx no_wait = { .no_wait_gpu = true };
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;
	struct glue_bo *a, *b;
	int pages;

	a = glue_bo(dev, 'a', &glue_gtt);
	b = glue_bo(dev, 'b', &glue_gtt);
	glue_complete(glue_use(a, 0));
	fence = glue_use(b, 1);
	glue_put(b);

	/* a is alive, and its fence has signaled; the zombie b's has not. */
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL),
			1);
	KUNIT_EXPECT_TRUE(test, a->tbo.ttm->page_flags & TTM_TT_FLAG_SWAPPED);
	glue_expect_zombies(dev, 1, 0);
	glue_expect_usage(dev, TTM_PL_TT, 1);

	/* Nothing else can go without waiting. */
	pages = ttm_device_swapout(&dev->bdev, &no_wait, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, pages, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[1].enables, 0);

	/* To give up while pages are busy would mean to ignore their limit. */
	glue_complete_on_wait(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL),
			1);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_usage(dev, TTM_PL_TT, 0);
}

static void swapout_takes_signaled_zombies_first(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_fence *fence = glue_emit(dev, 0, true);
	struct glue_bo *a, *b, *c;

	a = glue_bo(dev, 'a', &glue_gtt);
	b = glue_bo(dev, 'b', &glue_gtt);
	c = glue_bo(dev, 'c', &glue_system);
	glue_attach(a, fence);
	glue_attach(b, fence);
	glue_put(a);
	glue_put(b);
	glue_complete(fence);

	KUNIT_EXPECT_EQ(test, ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL),
			2);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_usage(dev, TTM_PL_TT, 0);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, 2);
	glue_expect_lru(dev, TTM_PL_SYSTEM, "c", 0);
	KUNIT_EXPECT_FALSE(test, c->tbo.ttm->page_flags & TTM_TT_FLAG_SWAPPED);
}

/* The pages of VRAM are of no use to a task that wants pages. */
static void swapout_does_not_count_vram(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_fence *fence = glue_emit(dev, 0, true);
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_attach(a, fence);
	glue_put(a);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL),
			0);
}

static struct glue_fence *last_fence(struct glue_device *dev)
{
	return list_last_entry(&dev->fences, struct glue_fence, entry);
}

static void a_move_leaves_a_ghost(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	dev->mover = &dev->channels[0];
	/* before: VRAM a */
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	/* now: GTT a, parked; VRAM a ghost, dead and parked */
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_usage(dev, TTM_PL_TT, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	glue_expect_zombies(dev, 1, 0);
	glue_expect_sound(dev);
	flush_workqueue(dev->bdev.wq);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);

	glue_complete(last_fence(dev));
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 1);
}

static void a_busy_buffer_moves_with_its_links(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 1);

	dev->mover = &dev->channels[0];
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	glue_complete(last_fence(dev));

	/* The ghost waited for the copy alone, which waited for the job. */
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
}

static void a_buffer_dies_before_its_ghost(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	u64 signaled;

	dev->mover = &dev->channels[0];
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	glue_put(a);
	glue_expect_zombies(dev, 2, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	glue_expect_usage(dev, TTM_PL_TT, 1);

	glue_complete(last_fence(dev));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE,
			ttm_device_zombies(&dev->bdev, TTM_PL_TT, &signaled));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, signaled);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_usage(dev, TTM_PL_TT, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

/* Its fences are those of the exporter, which the buffer holds. */
static void the_ghost_of_an_import_keeps_its_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	dev->mover = &dev->channels[0];
	a->tbo.type = ttm_bo_type_sg;
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	a->tbo.type = ttm_bo_type_device;
	glue_put(a);
	glue_complete(last_fence(dev));
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	glue_expect_usage(dev, TTM_PL_TT, 1);

	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
	glue_expect_usage(dev, TTM_PL_TT, 0);
}

static void without_a_fence_lru_a_ghost_keeps_its_buffer(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	dev->mover = &dev->channels[0];
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&a->tbo.kref), 2);
	glue_complete_on_wait(last_fence(dev));
	flush_workqueue(dev->bdev.wq);
	KUNIT_EXPECT_EQ(test, kref_read(&a->tbo.kref), 1);
	glue_put(a);
	flush_workqueue(dev->bdev.wq);
	glue_device_destroy(dev);
}

static void a_pipelined_eviction_orders_the_next_owner(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *x;
	int i;

	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_bo(dev, 'a' + i, &glue_vram);
	dev->mover = &dev->channels[0];
	dev->pipeline = true;

	/* The memory changes hands at once; its new owner is under the copy's fence. */
	x = glue_bo(dev, 'x', &glue_vram);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "a");
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(&last_fence(dev)->base));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(x->tbo.base.resv,
							DMA_RESV_USAGE_KERNEL));
	glue_expect_lru(dev, TTM_PL_VRAM, "bcd", 1);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	glue_expect_sound(dev);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);

	glue_complete(last_fence(dev));
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&x->tbo));
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
	dev->mover = NULL;
}

/* A move of others' is a fence of another context, but not in one of the driver's slots. */
static void expect_slots(struct glue_device *dev)
{
	struct glue_bo *s = glue_bo_shared(dev, 's');
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;
	int i;

	KUNIT_ASSERT_EQ(dev->test, glue_move(s, &glue_system), 0);
	glue_fill(dev, bo);
	dev->pipeline = true;
	for (i = 0; i < 2; i++) {
		dev->mover = &dev->channels[i % EVICTION_CONTEXTS];
		glue_bo(dev, 'x' + i, &glue_vram);
	}

	dev->mover = &dev->channels[0];
	glue_lock(s);
	KUNIT_EXPECT_EQ(dev->test, dma_resv_reserve_fences(&dev->vm_resv, 4),
			0);
	KUNIT_EXPECT_EQ(dev->test,
			ttm_bo_validate(&s->tbo, (void *)&glue_vram, &ctx), 0);
	for (i = 0; i < 4; i++) {
		fence = glue_emit(dev, GLUE_FOREIGN, true);
		fence->base.context = dma_fence_context_alloc(1);
		dma_resv_add_fence(&dev->vm_resv, &fence->base,
				   DMA_RESV_USAGE_BOOKKEEP);
	}
	glue_unlock(s);
	dev->mover = NULL;
	list_for_each_entry(fence, &dev->fences, entry)
		glue_complete(fence);
}

static void slots_that_a_driver_has_reserved_stay_its_own(struct kunit *test)
{
	struct glue_device *today = glue_device_create(test, false);

	expect_slots(test->priv);
	expect_slots(today);
	glue_device_destroy(today);
}

static void a_device_goes_with_its_zombies(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, true);
	struct glue_bo *a, *b, *c;

	a = glue_bo(dev, 'a', &glue_vram);
	b = glue_bo(dev, 'b', &glue_gtt);
	c = glue_bo(dev, 'c', &glue_system);
	glue_use(a, 0);
	glue_use(b, 1);
	glue_use(c, GLUE_FOREIGN);
	glue_put(a);
	glue_put(b);
	glue_put(c);
	glue_expect_zombies(dev, 3, 1);
	glue_device_destroy(dev);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 3);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

/* Fini itself drains, and waits for what no channel vouches for. */
static void fini_waits_for_leftovers(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, true);
	struct glue_bo *a = glue_bo(dev, 'a', &glue_system);
	struct glue_fence *fence = glue_use(a, GLUE_FOREIGN);
	int i;

	glue_put(a);
	for (i = 0; i < GLUE_FOREIGN; i++)
		ttm_fence_lru_channel_unregister(&dev->channels[i].base);
	KUNIT_EXPECT_EQ(test, ttm_range_man_fini(&dev->bdev, TTM_PL_VRAM), 0);
	KUNIT_EXPECT_EQ(test, ttm_range_man_fini(&dev->bdev, TTM_PL_TT), 0);
	glue_expect_zombies(dev, 1, 1);

	/* A worker completes it, by and by. */
	glue_complete_later(fence);
	ttm_device_fini(&dev->bdev);
	KUNIT_EXPECT_NULL(test, dev->bdev.fence_lru);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 1);

	flush_work(&fence->work);
	dma_fence_put(&fence->base);
	dma_resv_fini(&dev->vm_resv);
}

static void clearing_dma_mappings_reaches_busy_buffers(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *idle, *busy;
	struct glue_fence *fence;

	idle = glue_bo(dev, 'i', &glue_gtt);
	busy = glue_bo(dev, 'b', &glue_gtt);
	fence = glue_use(busy, 0);
	KUNIT_ASSERT_TRUE(test, ttm_tt_is_populated(idle->tbo.ttm));
	KUNIT_ASSERT_TRUE(test, ttm_tt_is_populated(busy->tbo.ttm));

	/*
	 * The device was unplugged, and its driver has signaled all fences: no
	 * page may stay mapped for it, though nobody has reclaimed any.
	 */
	glue_complete(fence);
	dev->unplugged = true;
	ttm_device_clear_dma_mappings(&dev->bdev);
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(idle->tbo.ttm));
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(busy->tbo.ttm));
}

static void another_device_is_as_before(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);
	struct glue_fence *fence;
	struct glue_bo *a, *b;

	a = glue_bo(dev, 'a', &glue_vram);
	b = glue_bo(dev, 'b', &glue_vram);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);

	/* Fencing does not take it off the LRU, unlocking moves it. */
	glue_use(a, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "ba", 0);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&a->tbo));
	fence = last_fence(dev);
	glue_lock(b);
	glue_unlock(b);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);

	/* The dead buffer is waited for, with signaling enabled. */
	glue_complete_on_wait(fence);
	glue_put(a);
	flush_workqueue(dev->bdev.wq);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);
	glue_expect_freed(dev, TTM_FREED_AT_BACKGROUND, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);

	glue_put(b);
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 1);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_device_destroy(dev);
}

static void two_devices_do_not_mix(struct kunit *test)
{
	struct glue_device *other = glue_device_create(test, true);
	struct glue_device *dev = test->priv;
	struct glue_bo *a, *b;
	struct glue_fence *fence;

	/* The other device's fence is foreign here. */
	a = glue_bo(dev, 'a', &glue_vram);
	b = glue_bo(other, 'b', &glue_vram);
	fence = glue_use(b, 0);
	glue_attach(a, fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
	glue_expect_lru(other, TTM_PL_VRAM, "", 1);

	glue_put(a);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_zombies(other, 0, 0);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_device_destroy(other);
}

static struct kunit_case empty_cases[] = {
	KUNIT_CASE(evict_all_takes_idle_buffers),
	KUNIT_CASE(evict_all_waits_for_busy_buffers),
	KUNIT_CASE(evict_all_waits_for_leftovers),
	KUNIT_CASE(swapout_reaches_parked_buffers),
	KUNIT_CASE(swapout_takes_signaled_zombies_first),
	KUNIT_CASE(swapout_does_not_count_vram),
	KUNIT_CASE(a_move_leaves_a_ghost),
	KUNIT_CASE(a_busy_buffer_moves_with_its_links),
	KUNIT_CASE(a_buffer_dies_before_its_ghost),
	KUNIT_CASE(the_ghost_of_an_import_keeps_its_buffer),
	KUNIT_CASE(without_a_fence_lru_a_ghost_keeps_its_buffer),
	KUNIT_CASE(a_pipelined_eviction_orders_the_next_owner),
	KUNIT_CASE(slots_that_a_driver_has_reserved_stay_its_own),
	KUNIT_CASE(a_device_goes_with_its_zombies),
	KUNIT_CASE(fini_waits_for_leftovers),
	KUNIT_CASE(clearing_dma_mappings_reaches_busy_buffers),
	KUNIT_CASE(another_device_is_as_before),
	KUNIT_CASE(two_devices_do_not_mix),
	{}
};

static struct kunit_suite empty_suite = {
	.name = "ttm_fence_lru_glue_empty",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = empty_cases,
};

kunit_test_suite(empty_suite);
