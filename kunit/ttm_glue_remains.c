// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What remains of a buffer: its ghost, its fences, its bytes, and what is told of them.
 */
#include "ttm_glue_helpers.h"

/* The memory is the ghost's, and may be gone before the buffer is idle. */
static void a_gutted_buffer_forgets_its_memory(struct kunit *test)
{
	const struct ttm_placement nowhere = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *first = glue_use(a, 0), *second;

	KUNIT_ASSERT_EQ(test, glue_move(a, &nowhere), 0);
	second = glue_use(a, 0);
	glue_complete(first);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_TRUE(test, ttm_bo_is_busy(&a->tbo));

	glue_complete(second);
	glue_retire(dev);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&a->tbo));
}

/* Nobody is going to wait for it, nor can it be looked at. */
static void a_foreign_fence_is_told_to_signal(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_emit(dev, GLUE_FOREIGN, false);

	glue_attach(a, fence);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 0);
	glue_put(a);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 1);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static void expect_bytes(struct glue_device *dev, u64 bytes)
{
	u64 signaled;

	KUNIT_EXPECT_EQ(dev->test, bytes,
			ttm_device_zombies(&dev->bdev, TTM_PL_SYSTEM,
					   &signaled));
}

/* It dies where it was made, under the fences of its neighbours. */
static void what_never_had_memory_keeps_none(struct kunit *test)
{
	const struct ttm_place place = {
		.fpfn = GLUE_VRAM_PAGES,
		.lpfn = GLUE_VRAM_PAGES + 1,
		.mem_type = TTM_PL_VRAM,
	};
	const struct ttm_placement placement = { 1, &place };
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_device *dev = test->priv;
	struct glue_fence *fence = glue_use(glue_bo_shared(dev, 'a'), 0);
	int err;

	dma_resv_lock(&dev->vm_resv, NULL);
	glue_bo_try(dev, 'x', &placement, &ctx, &dev->vm_resv, &err);
	dma_resv_unlock(&dev->vm_resv);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	glue_expect_zombies(dev, 1, 1);
	expect_bytes(dev, 0);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
}

static unsigned int nr_told, nr_unmapped;

static void be_told(struct ttm_buffer_object *tbo)
{
	nr_told++;
}

static void unmap(struct ttm_device *bdev, struct ttm_resource *res)
{
	nr_unmapped++;
}

/* As soon as nobody refers to it, and once. */
static void the_driver_is_told_of_the_last_put(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 0);

	dev->funcs.release_notify = be_told;
	dev->funcs.io_mem_free = unmap;
	nr_told = 0;
	nr_unmapped = 0;
	a->tbo.resource->bus.offset = PAGE_SIZE;

	glue_put(a);
	KUNIT_EXPECT_EQ(test, nr_told, 1);
	KUNIT_EXPECT_EQ(test, nr_unmapped, 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, nr_told, 1);
	KUNIT_EXPECT_EQ(test, nr_unmapped, 1);
}

/* It died under a fence of its own. */
static struct glue_fence *bury(struct glue_device *dev, char name)
{
	struct glue_bo *bo = glue_bo(dev, name, &glue_vram);
	struct glue_fence *fence = glue_use(bo, 0);

	glue_put(bo);
	return fence;
}

/* After a look at the fences, whenever the last one was. */
static void expect_zombie_bytes(struct glue_device *dev, unsigned int pages,
				unsigned int ripe_pages)
{
	ttm_fence_lru_retire(dev->bdev.fence_lru);
	glue_expect_report(dev, TTM_PL_VRAM, pages, ripe_pages);
}

static void what_nobody_uses_is_told_apart(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man = glue_vram_manager(dev);
	struct glue_fence *first, *second;

	glue_bo(dev, 'x', &glue_vram);
	expect_zombie_bytes(dev, 0, 0);
	first = bury(dev, 'a');
	second = bury(dev, 'b');
	expect_zombie_bytes(dev, 2, 0);
	glue_complete(first);
	expect_zombie_bytes(dev, 2, 1);
	glue_complete(second);
	expect_zombie_bytes(dev, 2, 2);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	expect_zombie_bytes(dev, 0, 0);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, ttm_resource_manager_live_usage(man));
}

static void a_report_looks_at_the_fences_now_and_then(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_fence_lru *lru = dev->bdev.fence_lru;

	glue_complete(bury(dev, 'a'));
	lru->refreshed = jiffies + HZ;
	glue_expect_report(dev, TTM_PL_VRAM, 1, 0);
	lru->refreshed -= 2 * HZ;
	glue_expect_report(dev, TTM_PL_VRAM, 1, 1);
}

/* Its fence signals in the last moment: before it is evicted, and after reclaim tried it. */
static bool complete_and_evict(struct ttm_buffer_object *tbo,
			       const struct ttm_place *place)
{
	struct glue_device *dev = to_glue_device(tbo->bdev);

	if (tbo->deleted)
		glue_complete(list_first_entry(&dev->fences, struct glue_fence,
					       entry));
	return ttm_bo_eviction_valuable(tbo, place);
}

/* Its references are those of the list and of who evicts it, and both are put. */
static void a_leftover_that_is_evicted_is_destroyed(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_use(bo[0], GLUE_FOREIGN);
	glue_put(bo[0]);
	dev->funcs.eviction_valuable = complete_and_evict;
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_freed(dev, TTM_FREED_AT_EVICTION, 1);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_evicted(dev, "");
	KUNIT_EXPECT_EQ(test, dev->nr_bos, GLUE_VRAM_PAGES);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_gutted_buffer_forgets_its_memory),
	KUNIT_CASE(a_foreign_fence_is_told_to_signal),
	KUNIT_CASE(what_never_had_memory_keeps_none),
	KUNIT_CASE(a_leftover_that_is_evicted_is_destroyed),
	KUNIT_CASE(what_nobody_uses_is_told_apart),
	KUNIT_CASE(a_report_looks_at_the_fences_now_and_then),
	KUNIT_CASE(the_driver_is_told_of_the_last_put),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_remains",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
