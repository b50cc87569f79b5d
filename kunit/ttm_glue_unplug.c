// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device that is unplugged, while buffers die and become idle.
 */
#include <drm/ttm/ttm_bo_group.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_glue_helpers.h"

static void unplug(struct glue_device *dev)
{
	dev->unplugged = true;
	ttm_device_clear_dma_mappings(&dev->bdev);
}

/* Nobody has looked since its fence signaled. */
static void a_dead_buffer_goes_as_a_whole(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *z = glue_bo(dev, 'z', &glue_gtt);
	struct glue_fence *fence = glue_use(z, 0);

	glue_put(z);
	glue_complete(fence);
	unplug(dev);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 1);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

/* A member in GTT, of higher priority than what else is there. */
static struct glue_bo *important_member(struct ttm_bo_group *group, char name)
{
	struct glue_device *dev = to_glue_device(group->bdev);
	struct glue_bo *bo = glue_bo_shared(dev, name);

	bo->tbo.priority = 1;
	KUNIT_ASSERT_EQ(dev->test, glue_move(bo, &glue_gtt), 0);
	glue_join(group, bo);
	return bo;
}

static void expect_no_pages(struct glue_bo *bo)
{
	KUNIT_EXPECT_FALSE_MSG(bo->dev->test, ttm_tt_is_populated(bo->tbo.ttm),
			       "buffer %c", bo->name);
}

/* What happens as soon as the pages of the first buffer are gone. */
static struct glue_fence *signals_now;
static struct glue_bo *leaves_now;

static void unpopulate(struct ttm_device *bdev, struct ttm_tt *tt)
{
	struct glue_fence *fence = signals_now;

	ttm_pool_free(&bdev->pool, tt);
	signals_now = NULL;
	if (!fence)
		return;

	glue_lock(leaves_now);
	ttm_bo_group_leave(&leaves_now->tbo);
	glue_unlock(leaves_now);
	glue_complete(fence);
	glue_retire(to_glue_device(bdev));
}

/*
 *   parked: [s] [a cursor b c] x     s leaves the group, then that becomes idle
 *   parked: cursor x                 what stands on an LRU comes later
 */
static void a_group_that_becomes_idle_leaves_others_behind(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a, *b, *c, *x;

	leaves_now = glue_member(group, 's');
	KUNIT_ASSERT_EQ(test, glue_move(leaves_now, &glue_system), 0);
	a = important_member(group, 'a');
	b = important_member(group, 'b');
	c = important_member(group, 'c');
	x = glue_bo(dev, 'x', &glue_gtt);
	signals_now = glue_use_group(group, 0);
	glue_use(x, 1);
	glue_expect_lru(dev, TTM_PL_TT, "", 4);

	dev->funcs.ttm_tt_unpopulate = unpopulate;
	unplug(dev);
	KUNIT_EXPECT_NULL(test, signals_now);
	expect_no_pages(a);
	expect_no_pages(b);
	expect_no_pages(c);
	expect_no_pages(x);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	ttm_bo_group_put(group);
}

/* Used when the pages of a buffer are gone. */
static struct ttm_bo_group *used_now;

static void unpopulate_and_use(struct ttm_device *bdev, struct ttm_tt *tt)
{
	struct ttm_bo_group *group = used_now;

	ttm_pool_free(&bdev->pool, tt);
	used_now = NULL;
	if (group)
		glue_use_group(group, 1);
}

/*
 *   parked: m cursor x         on the LRU: [a b]
 *   parked: m cursor x [a b]   m is busy by itself, not with its group
 */
static void a_group_that_becomes_busy_takes_nobody_along(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a, *b, *m, *x;

	m = important_member(group, 'm');
	a = important_member(group, 'a');
	b = important_member(group, 'b');
	x = glue_bo(dev, 'x', &glue_gtt);
	glue_use(m, 0);
	glue_use(x, 0);
	glue_expect_lru(dev, TTM_PL_TT, "ab", 2);

	used_now = group;
	dev->funcs.ttm_tt_unpopulate = unpopulate_and_use;
	unplug(dev);
	KUNIT_EXPECT_NULL(test, used_now);
	expect_no_pages(m);
	expect_no_pages(x);
	expect_no_pages(a);
	expect_no_pages(b);
	glue_expect_lru(dev, TTM_PL_TT, "", 4);
	ttm_bo_group_put(group);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_dead_buffer_goes_as_a_whole),
	KUNIT_CASE(a_group_that_becomes_idle_leaves_others_behind),
	KUNIT_CASE(a_group_that_becomes_busy_takes_nobody_along),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_unplug",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
