// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping out buffers that no channel vouches for: they count as idle, and may be busy.
 */
#include <drm/ttm/ttm_tt.h>

#include "ttm_glue_helpers.h"

static int swap_out(struct glue_device *dev)
{
	struct ttm_operation_ctx ctx = {};

	return ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL);
}

static bool is_swapped(struct glue_bo *bo)
{
	return bo->tbo.ttm->page_flags & TTM_TT_FLAG_SWAPPED;
}

static void nobody_waits_for_others_if_anything_is_idle(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);
	struct glue_bo *b = glue_bo(dev, 'b', &glue_gtt);

	/* LRU: a, under a fence of others, then b */
	glue_complete_on_wait(glue_use(a, GLUE_FOREIGN));
	KUNIT_EXPECT_EQ(test, swap_out(dev), 1);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 0);
	KUNIT_EXPECT_FALSE(test, is_swapped(a));
	KUNIT_EXPECT_TRUE(test, is_swapped(b));
}

static void else_a_fence_of_others_is_waited_for(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);

	glue_complete_on_wait(glue_use(a, GLUE_FOREIGN));
	KUNIT_EXPECT_EQ(test, swap_out(dev), 1);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 1);
	KUNIT_EXPECT_TRUE(test, is_swapped(a));
	KUNIT_EXPECT_EQ(test, swap_out(dev), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(nobody_waits_for_others_if_anything_is_idle),
	KUNIT_CASE(else_a_fence_of_others_is_waited_for),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_swapout",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
