// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping out: buffers that no channel vouches for, which count as idle, and may be busy;
 * and a manager that goes meanwhile.
 */
#include <linux/delay.h>

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

static void a_manager_that_is_not_used_is_left_alone(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_TT);
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);

	man->use_type = false;
	KUNIT_EXPECT_EQ(test, swap_out(dev), 0);
	man->use_type = true;
	KUNIT_EXPECT_FALSE(test, is_swapped(a));
	KUNIT_EXPECT_EQ(test, swap_out(dev), 1);
}

/* What the next case does in the midst of a swapout. */
static struct {
	struct work_struct work;
	struct ttm_resource_manager *man;
	bool ended, ended_early;
} teardown;

static void begin_teardown(struct work_struct *work)
{
	ttm_resource_manager_set_used(teardown.man, false);
	WRITE_ONCE(teardown.ended, true);
}

static void swapped_out(struct ttm_buffer_object *bo)
{
	schedule_work(&teardown.work);
	msleep(20);
	teardown.ended_early = READ_ONCE(teardown.ended);
}

/* A step of the teardown that begins meanwhile ends when the swapout has. */
static void expect_waits_for_swapout(struct glue_device *dev, work_func_t step)
{
	struct ttm_operation_ctx ctx = {};
	struct kunit *test = dev->test;

	glue_bo(dev, 'a', &glue_gtt);
	teardown.man = glue_vram_manager(dev);
	teardown.ended = false;
	INIT_WORK(&teardown.work, step);
	dev->funcs.swap_notify = swapped_out;
	KUNIT_EXPECT_EQ(test, ttm_global_swapout(&ctx, GFP_KERNEL), 1);
	KUNIT_EXPECT_FALSE(test, teardown.ended_early);
	flush_work(&teardown.work);
	KUNIT_EXPECT_TRUE(test, teardown.ended);
}

/* It stands in the midst of the manager's list, and goes on there. */
static void a_manager_goes_when_the_swapout_has_ended(struct kunit *test)
{
	expect_waits_for_swapout(test->priv, begin_teardown);
	ttm_resource_manager_set_used(teardown.man, true);
}

static void take_manager_away(struct work_struct *work)
{
	ttm_set_driver_manager(teardown.man->bdev, TTM_PL_VRAM, NULL);
	WRITE_ONCE(teardown.ended, true);
}

/* It may be freed as soon as the device does not have it any more. */
static void nor_is_it_taken_from_its_device(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	expect_waits_for_swapout(dev, take_manager_away);
	ttm_set_driver_manager(&dev->bdev, TTM_PL_VRAM, teardown.man);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(nobody_waits_for_others_if_anything_is_idle),
	KUNIT_CASE(else_a_fence_of_others_is_waited_for),
	KUNIT_CASE(a_manager_that_is_not_used_is_left_alone),
	KUNIT_CASE(a_manager_goes_when_the_swapout_has_ended),
	KUNIT_CASE(nor_is_it_taken_from_its_device),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_swapout",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
