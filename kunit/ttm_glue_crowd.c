// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Allocations where many are dead: each releases what it needs, of the memory that it
 * needs, and looks at little else.
 */
#include <kunit/static_stub.h>

#include <drm/ttm/ttm_range_manager.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

#define CROWD 10000
/* Leftovers, which take longer to make; and how many of them are wanted. */
#define LEFT 1000
#define WANTED 500
/* Zombies that are released at a time. */
#define BATCH 8
#define PER_FENCE 100

static const struct ttm_place places[] = {
	{ .mem_type = TTM_PL_PRIV, .flags = TTM_PL_FLAG_DESIRED },
	{ .mem_type = TTM_PL_TT, .flags = TTM_PL_FLAG_FALLBACK },
};

/* Memory of its own, and if there is no room in it GTT. */
static const struct ttm_placement crowded = { 1, places };
static const struct ttm_placement crowded_else_gtt = { 2, places };

static unsigned int freed_pages(struct glue_device *dev)
{
	u64 bytes = READ_ONCE(dev->bdev.freed_bytes[TTM_FREED_AT_RECLAIM]);

	return bytes >> PAGE_SHIFT;
}

/* Buffers of one page that died under fences which have signaled. */
static void bury_crowd(struct glue_device *dev,
		       const struct ttm_placement *placement)
{
	struct glue_fence *fence = NULL;
	struct glue_bo *bo;
	int i;

	for (i = 0; i < CROWD; i++) {
		if (i % PER_FENCE == 0)
			fence = glue_emit(dev, i / PER_FENCE % 2, true);
		bo = glue_bo(dev, 'z', placement);
		glue_attach(bo, fence);
		glue_put(bo);
		if (i % PER_FENCE == PER_FENCE - 1)
			glue_complete(fence);
	}
	glue_expect_zombies(dev, CROWD, 0);
}

/* However many are dead, an allocation releases no more than one step of reclaim does. */
static void an_allocation_pays_for_one_step(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	glue_make_private(dev, CROWD);
	bury_crowd(dev, &crowded);
	glue_bo(dev, 'x', &crowded);
	KUNIT_EXPECT_LE(test, freed_pages(dev), BATCH);
}

/* The one in VRAM died last, and is the only one of use. */
static void dead_buffers_in_other_memory_stay(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int ret;

	KUNIT_ASSERT_EQ(test, ttm_range_man_fini(&dev->bdev, TTM_PL_TT), 0);
	ret = ttm_range_man_init(&dev->bdev, TTM_PL_TT, true, CROWD);
	KUNIT_ASSERT_EQ(test, ret, 0);
	ttm_fence_lru_set_limit(dev->bdev.fence_lru, TTM_PL_TT, U64_MAX);
	bury_crowd(dev, &glue_gtt);
	glue_fill(dev, bo);
	glue_complete(glue_use(bo[3], 0));
	ttm_fence_lru_retire(dev->bdev.fence_lru);
	glue_use(bo[3], 0);
	glue_put(bo[3]);
	glue_complete(list_last_entry(&dev->fences, struct glue_fence, entry));

	glue_bo(dev, 'x', &glue_vram);
	KUNIT_EXPECT_EQ(test, freed_pages(dev), 1);
	glue_expect_usage(dev, TTM_PL_TT, CROWD);
	glue_expect_zombies(dev, CROWD, 0);
	glue_expect_evicted(dev, "");
}

static int no_copy(struct ttm_buffer_object *bo)
{
	return -ENOMEM;
}

/* Buffers that keep the shared reservation object; and i, which lives, on the LRU. */
static void make_neighbours(struct glue_device *dev)
{
	struct ttm_operation_ctx ctx = {};
	int i, err;

	glue_make_private(dev, LEFT + 1);
	for (i = 0; i < LEFT; i++) {
		dma_resv_lock(&dev->vm_resv, NULL);
		glue_bo_try(dev, 'z', &crowded, &ctx, &dev->vm_resv, &err);
		dma_resv_unlock(&dev->vm_resv);
		KUNIT_ASSERT_EQ(dev->test, err, 0);
	}
	glue_bo(dev, 'i', &crowded);
	kunit_activate_static_stub(dev->test, ttm_bo_individualize_resv,
				   no_copy);
}

static void put_neighbours(struct glue_device *dev)
{
	struct glue_bo *bo, *next;

	list_for_each_entry_safe(bo, next, &dev->bos, entry)
		if (bo->name == 'z')
			glue_put(bo);
}

/* Of the leftovers so many are released as are needed, and nothing alive is moved. */
static void expect_wanted_to_be_had(struct glue_device *dev)
{
	struct kunit *test = dev->test;
	struct glue_bo *x;

	glue_expect_zombies(dev, LEFT, LEFT);
	dev->pages = WANTED;
	x = glue_bo(dev, 'x', &crowded_else_gtt);
	KUNIT_EXPECT_EQ(test, x->tbo.resource->mem_type, TTM_PL_PRIV);
	KUNIT_EXPECT_GE(test, freed_pages(dev), WANTED);
	KUNIT_EXPECT_LT(test, freed_pages(dev), WANTED + BATCH);
	glue_expect_zombies(dev, LEFT - freed_pages(dev),
			    LEFT - freed_pages(dev));
	glue_expect_evicted(dev, "");
}

static void leftovers_that_were_locked_are_had(struct kunit *test)
{
	struct ttm_fence_lru_need need = { .type = TTM_PL_PRIV };
	struct glue_device *dev = test->priv;

	make_neighbours(dev);
	dma_resv_lock(&dev->vm_resv, NULL);
	put_neighbours(dev);
	/* Tried once, in vain. */
	KUNIT_EXPECT_EQ(test, 0,
			ttm_fence_lru_reclaim(dev->bdev.fence_lru, &need));
	dma_resv_unlock(&dev->vm_resv);
	expect_wanted_to_be_had(dev);
}

static bool asleep;

static bool begin_cleanup(struct ttm_device *bdev)
{
	return !asleep;
}

static void leftovers_of_a_device_that_slept_are_had(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	dev->funcs.begin_cleanup = begin_cleanup;
	make_neighbours(dev);
	asleep = true;
	put_neighbours(dev);
	asleep = false;
	expect_wanted_to_be_had(dev);
}

/* All of memory, but for a few pages. */
static struct glue_fence *bury_under_one_fence(struct glue_device *dev,
					       unsigned int free)
{
	struct glue_fence *hung = glue_emit(dev, GLUE_FOREIGN, true);
	struct glue_bo *bo;
	int i;

	glue_make_private(dev, CROWD + free);
	for (i = 0; i < CROWD; i++) {
		bo = glue_bo(dev, 'z', &crowded);
		glue_attach(bo, hung);
		glue_put(bo);
	}
	glue_expect_zombies(dev, CROWD, CROWD);
	return hung;
}

/* Once it is known what they wait for; and they bring what they hold when it signals. */
static void leftovers_behind_one_fence_cost_one_test(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *hung = bury_under_one_fence(dev, 0);
	struct glue_bo *bo;

	glue_bo(dev, 'x', &crowded_else_gtt);
	hung->channel->samples = 0;
	bo = glue_bo(dev, 'y', &crowded_else_gtt);
	KUNIT_EXPECT_EQ(test, bo->tbo.resource->mem_type, TTM_PL_TT);
	KUNIT_EXPECT_EQ(test, hung->channel->samples, 1);
	glue_expect_zombies(dev, CROWD, CROWD);

	glue_complete(hung);
	bo = glue_bo(dev, 'w', &crowded_else_gtt);
	KUNIT_EXPECT_EQ(test, bo->tbo.resource->mem_type, TTM_PL_PRIV);
	KUNIT_EXPECT_LE(test, freed_pages(dev), BATCH);
}

/* They stand on the LRU before i and j, which are idle. */
static void leftovers_cost_one_test_in_the_way_of_eviction(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *hung = bury_under_one_fence(dev, 2);

	glue_bo(dev, 'i', &crowded);
	glue_bo(dev, 'j', &crowded);
	glue_bo(dev, 'x', &glue_private);
	glue_expect_evicted(dev, "i");

	/* Before it falls back, before it evicts, and on its way to j. */
	hung->channel->samples = 0;
	glue_bo(dev, 'y', &glue_private);
	glue_expect_evicted(dev, "ij");
	KUNIT_EXPECT_EQ(test, hung->channel->samples, 3);
	glue_expect_zombies(dev, CROWD, CROWD);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_SLOW(an_allocation_pays_for_one_step),
	KUNIT_CASE_SLOW(dead_buffers_in_other_memory_stay),
	KUNIT_CASE_SLOW(leftovers_that_were_locked_are_had),
	KUNIT_CASE_SLOW(leftovers_of_a_device_that_slept_are_had),
	KUNIT_CASE_SLOW(leftovers_behind_one_fence_cost_one_test),
	KUNIT_CASE_SLOW(leftovers_cost_one_test_in_the_way_of_eviction),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_crowd",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
