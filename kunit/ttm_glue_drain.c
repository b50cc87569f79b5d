// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the dead keep is let go where nobody asks for it: by trimming, and by a worker.
 */
#include <linux/workqueue.h>

#include <kunit/static_stub.h>

#include "ttm_glue_helpers.h"
#include "ttm_zombies.h"

static void trimming_lets_imports_and_zombies_go(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence = glue_bury(dev, 'a', &glue_gtt);

	ttm_device_trim(&dev->bdev);
	glue_expect_zombies(dev, 1, 0);
	ttm_fence_lru_set_limit(dev->bdev.fence_lru, TTM_FENCE_LRU_ANY_TYPE, 0);
	ttm_device_trim(&dev->bdev);
	glue_expect_zombies(dev, 1, 0);
	glue_complete(fence);
	ttm_device_trim(&dev->bdev);
	glue_expect_zombies(dev, 0, 0);
}

/* Below all limits: what an import keeps is another device's. */
static void an_import_that_died_busy_is_let_go_by_trimming(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);
	struct glue_fence *fence = glue_use(a, 0);

	glue_bury(dev, 'b', &glue_gtt);
	a->tbo.type = ttm_bo_type_sg;
	glue_put(a);
	ttm_device_trim(&dev->bdev);
	glue_expect_zombies(dev, 2, 0);

	glue_complete(fence);
	ttm_device_trim(&dev->bdev);
	glue_expect_zombies(dev, 1, 0);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 1);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
}

/* What the worker has to do, also what it would do later. */
static void run_drain(struct glue_device *dev)
{
	flush_delayed_work(&dev->bdev.drain);
}

/* Nobody comes to the device any more, and its imports go all the same. */
static void an_idle_device_keeps_no_import(struct kunit *test)
{
	struct glue_fence *fences[12], *fence;
	struct glue_device *dev = test->priv;
	struct glue_bo *bo;
	int i;

	enable_delayed_work(&dev->bdev.drain);
	fence = glue_bury(dev, 'z', &glue_vram);
	/* There is none. */
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&dev->bdev.drain));

	for (i = 0; i < ARRAY_SIZE(fences); i++) {
		bo = glue_bo(dev, 'a' + i, &glue_gtt);
		fences[i] = glue_use(bo, 1);
		bo->tbo.type = ttm_bo_type_sg;
		glue_put(bo);
	}
	run_drain(dev);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 13);
	for (i = 0; i < ARRAY_SIZE(fences); i++)
		glue_complete(fences[i]);
	run_drain(dev);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&dev->bdev.drain));
	glue_complete(fence);
}

/* Not in a second: now. */
static void an_import_that_dies_idle_goes_at_once(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);

	enable_delayed_work(&dev->bdev.drain);
	a->tbo.type = ttm_bo_type_sg;
	glue_put(a);
	KUNIT_EXPECT_FALSE(test, timer_pending(&dev->bdev.drain.timer));
	flush_delayed_work(&dev->bdev.drain);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

/* Under a fence of no channel it is a leftover from the first. */
static void one_with_a_foreign_fence_goes_later(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);
	struct glue_fence *fence = glue_use(a, GLUE_FOREIGN);

	enable_delayed_work(&dev->bdev.drain);
	a->tbo.type = ttm_bo_type_sg;
	glue_put(a);
	KUNIT_EXPECT_TRUE(test, timer_pending(&dev->bdev.drain.timer));
	run_drain(dev);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	glue_complete(fence);
	run_drain(dev);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static bool yes(void)
{
	return true;
}

/* As with init_on_free=1, which must not change while the system runs. */
static void clear_what_is_freed(struct kunit *test)
{
	kunit_activate_static_stub(test, ttm_zombies_are_cleared, yes);
}

/* What may stay as long as nobody wants it, but for that. */
static void what_must_be_cleared_is_left_to_a_worker(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);

	clear_what_is_freed(test);
	enable_delayed_work(&dev->bdev.drain);
	glue_lock(a);
	glue_put(a);
	dma_resv_unlock(a->tbo.base.resv);
	/* The worker may have met the lock. */
	ttm_device_trim(&dev->bdev);
	flush_delayed_work(&dev->bdev.drain);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 0);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 1);
}

/* Neither a task that frees another buffer, nor one that submits. */
static void nobody_clears_what_is_beyond_the_limit(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	clear_what_is_freed(test);
	enable_delayed_work(&dev->bdev.drain);
	ttm_fence_lru_set_limit(dev->bdev.fence_lru, TTM_PL_TT, 0);
	glue_complete(glue_bury(dev, 'a', &glue_gtt));
	glue_complete(glue_bury(dev, 'b', &glue_gtt));
	flush_delayed_work(&dev->bdev.drain);
	ttm_device_trim(&dev->bdev);
	flush_delayed_work(&dev->bdev.drain);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 0);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 2);
	/* Nothing is left to do. */
	ttm_device_trim(&dev->bdev);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&dev->bdev.drain));
}

static void a_task_that_wants_it_clears_it(struct kunit *test)
{
	struct ttm_fence_lru_need need = { .type = TTM_PL_TT };
	struct glue_device *dev = test->priv;

	clear_what_is_freed(test);
	glue_complete(glue_bury(dev, 'a', &glue_gtt));
	while (ttm_fence_lru_reclaim(dev->bdev.fence_lru, &need))
		;
	KUNIT_EXPECT_EQ(test, need.released, PAGE_SIZE);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(trimming_lets_imports_and_zombies_go),
	KUNIT_CASE(an_import_that_died_busy_is_let_go_by_trimming),
	KUNIT_CASE(an_idle_device_keeps_no_import),
	KUNIT_CASE(an_import_that_dies_idle_goes_at_once),
	KUNIT_CASE(one_with_a_foreign_fence_goes_later),
	KUNIT_CASE(what_must_be_cleared_is_left_to_a_worker),
	KUNIT_CASE(nobody_clears_what_is_beyond_the_limit),
	KUNIT_CASE(a_task_that_wants_it_clears_it),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_drain",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
