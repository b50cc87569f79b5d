// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device that sleeps: a task that wants memory does not wake it up.
 */
#include "ttm_glue_helpers.h"

static bool asleep;
static unsigned int nr_begun, nr_ended;

static bool begin_cleanup(struct ttm_device *bdev)
{
	if (asleep)
		return false;
	nr_begun++;
	return true;
}

/* While it is awake for a buffer the memory of that goes, and not later. */
static void end_cleanup(struct ttm_device *bdev)
{
	struct glue_device *dev = to_glue_device(bdev);

	nr_ended++;
	KUNIT_EXPECT_EQ(dev->test, nr_ended, nr_begun);
	KUNIT_EXPECT_EQ(dev->test, nr_ended, dev->nr_notified);
}

static int init(struct kunit *test)
{
	struct glue_device *dev;

	glue_init(test);
	dev = test->priv;
	dev->funcs.begin_cleanup = begin_cleanup;
	dev->funcs.end_cleanup = end_cleanup;
	asleep = false;
	nr_begun = 0;
	nr_ended = 0;
	return 0;
}

static void awake_it_is_told_of_each_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *z = glue_bo(dev, 'z', &glue_vram);
	struct glue_fence *fence = glue_use(z, 0);

	glue_put(glue_bo(dev, 'a', &glue_vram));
	KUNIT_EXPECT_EQ(test, nr_ended, 1);
	glue_put(z);
	KUNIT_EXPECT_EQ(test, nr_begun, 1);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, nr_ended, 2);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static void asleep_it_keeps_its_dead_buffers(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *z = glue_bo(dev, 'z', &glue_vram);
	struct glue_fence *fence = glue_use(z, 0);

	glue_put(z);
	asleep = true;
	glue_put(glue_bo(dev, 'a', &glue_vram));
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 2);
	/* z has left its channel, and waits where it is. */
	glue_expect_zombies(dev, 2, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 2);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 2);
	glue_expect_sound(dev);

	asleep = false;
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, nr_ended, 2);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static bool can_have_vram(struct glue_device *dev)
{
	struct ttm_operation_ctx ctx = {};
	int ret;

	return glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &ret);
}

/* A walk of the LRU finds dead buffers, too: to evict them, swap them out, or all. */
static void asleep_they_are_left_by_walks_of_the_lru(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo[GLUE_VRAM_PAGES], *t = glue_bo(dev, 't', &glue_gtt);
	int i;

	glue_fill(dev, bo);
	asleep = true;
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_put(bo[i]);
	glue_put(t);

	KUNIT_EXPECT_FALSE(test, can_have_vram(dev));
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL),
			0);
	KUNIT_EXPECT_EQ(test,
			ttm_resource_manager_evict_all(&dev->bdev,
						       glue_vram_manager(dev)),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 0);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
	glue_expect_usage(dev, TTM_PL_TT, 1);
	glue_expect_sound(dev);

	asleep = false;
	KUNIT_EXPECT_TRUE(test, can_have_vram(dev));
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(awake_it_is_told_of_each_buffer),
	KUNIT_CASE(asleep_it_keeps_its_dead_buffers),
	KUNIT_CASE(asleep_they_are_left_by_walks_of_the_lru),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_asleep",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
