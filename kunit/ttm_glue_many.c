// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * More buffers and fences than are looked at in one go.
 */
#include <kunit/static_stub.h>

#include <drm/ttm/ttm_bo_group.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

#define TIMEOUT HZ
/* Pages of a memory type of its own. */
#define MANY 19

static int init(struct kunit *test)
{
	glue_set_timeout(test, TIMEOUT);
	glue_init(test);
	glue_make_private(test->priv, MANY);
	return 0;
}

static void fill(struct glue_device *dev, struct glue_bo **bo)
{
	int i;

	for (i = 0; i < MANY; i++)
		bo[i] = glue_bo(dev, 'a' + i, &glue_private);
}

/* Where only the last but one stands in the way. */
static const struct ttm_place last_but_one_place = {
	.fpfn = MANY - 2,
	.lpfn = MANY - 1,
	.mem_type = TTM_PL_PRIV,
};

static const struct ttm_placement last_but_one = { 1, &last_but_one_place };

static void more_are_busy(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[MANY];
	int i;

	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	fill(dev, bo);
	for (i = 0; i < MANY; i++)
		glue_use(bo[i], 0);
	glue_bo(dev, 'x', &last_but_one);
	glue_expect_evicted(dev, (char[]){ bo[MANY - 2]->name, '\0' });
	glue_expect_lru(dev, TTM_PL_PRIV, "", MANY);
}

/* The first of them, and from now on moves are copies. */
static struct ttm_bo_group *many_members(struct glue_device *dev,
					 struct glue_bo **bo, int nr)
{
	struct ttm_bo_group *group = glue_group(dev);
	int i;

	for (i = 0; i < MANY; i++) {
		bo[i] = glue_bo_shared(dev, 'a' + i);
		KUNIT_ASSERT_EQ(dev->test, glue_move(bo[i], &glue_private), 0);
		if (i < nr)
			glue_join(group, bo[i]);
	}
	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	return group;
}

/* The group is looked at as far as it takes. */
static void more_are_busy_in_a_group(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[MANY];
	struct ttm_bo_group *group = many_members(dev, bo, MANY);

	glue_use_group(group, 0);
	glue_bo(dev, 'x', &last_but_one);
	glue_expect_evicted(dev, (char[]){ bo[MANY - 2]->name, '\0' });
	ttm_bo_group_put(group);
}

/* The next group is looked at from its first member on. */
static void more_are_busy_in_the_group_before(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[MANY];
	struct ttm_bo_group *group = many_members(dev, bo, MANY - 2);
	struct ttm_bo_group *next = glue_group(dev);

	glue_join(next, bo[MANY - 2]);
	glue_join(next, bo[MANY - 1]);
	glue_use_group(group, 0);
	glue_use_group(next, 0);
	glue_bo(dev, 'x', &last_but_one);
	glue_expect_evicted(dev, (char[]){ bo[MANY - 2]->name, '\0' });
	ttm_bo_group_put(group);
	ttm_bo_group_put(next);
}

/* Where one cannot go the others cannot either. */
static void more_are_busy_and_there_is_no_place_for_them(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[MANY];
	struct ttm_bo_group *group = many_members(dev, bo, MANY);
	struct ttm_operation_ctx ctx = {};
	int err;

	glue_use_group(group, 0);
	dev->refuse_moves = MANY;
	dev->refusal = -ENOSPC;
	glue_bo_try(dev, 'x', &glue_private, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, dev->refuse_moves, MANY - 1);
	dev->refuse_moves = 0;
	ttm_bo_group_put(group);
}

/* All that are noted are waited for, and those that are not do no harm. */
static void more_fences_of_no_channel(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[MANY];
	struct glue_fence *fence;
	int i;

	fill(dev, bo);
	for (i = 0; i < MANY; i++) {
		fence = glue_use(bo[i], GLUE_FOREIGN);
		if (!i)
			glue_complete_on_wait(fence);
		glue_put(bo[i]);
	}
	glue_bo(dev, 'x', &glue_private);
	glue_expect_zombies(dev, MANY - 1, MANY - 1);
	glue_expect_usage(dev, TTM_PL_PRIV, MANY);
}

static int swap_out(struct glue_device *dev)
{
	struct ttm_operation_ctx ctx = {};

	return ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL);
}

/* Dead ones without pages came first: they stay, and one that has some is found. */
static void more_are_dead_before_one_with_pages(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[MANY], *idle;
	struct glue_fence *fence;
	int i;

	idle = glue_bo(dev, 'i', &glue_gtt);
	fill(dev, bo);
	for (i = 0; i < MANY - 1; i++) {
		fence = glue_use(bo[i], 0);
		glue_put(bo[i]);
		glue_complete(fence);
	}
	bo[i] = glue_bo(dev, 'z', &glue_gtt);
	fence = glue_use(bo[i], 0);
	glue_put(bo[i]);
	glue_complete(fence);

	KUNIT_EXPECT_EQ(test, swap_out(dev), 1);
	glue_expect_zombies(dev, MANY - 1, 0);
	KUNIT_EXPECT_FALSE(test,
			   idle->tbo.ttm->page_flags & TTM_TT_FLAG_SWAPPED);
}

/* Each is tried once, however many are tried in vain before the last one. */
static void more_leftovers_with_pages(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;
	struct glue_bo *bo;
	int i;

	for (i = 0; i < 9; i++) {
		bo = glue_bo(dev, 'a' + i, &glue_gtt);
		fence = glue_use(bo, GLUE_FOREIGN);
		glue_put(bo);
	}
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, swap_out(dev), 1);
	glue_expect_usage(dev, TTM_PL_TT, 8);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, 1);
	glue_expect_zombies(dev, 8, 8);
}

/* The job ends, and somebody who wants pages retires the first of its buffers. */
static void retire_some(struct glue_device *dev)
{
	struct ttm_fence_lru_need need = { .type = TTM_PL_TT, .few = true };

	dev->moving = NULL;
	glue_complete(list_last_entry(&dev->fences, struct glue_fence, entry));
	KUNIT_EXPECT_EQ(dev->test, 0,
			ttm_fence_lru_reclaim(dev->bdev.fence_lru, &need));
	KUNIT_EXPECT_TRUE(dev->test, need.few);
}

/* That happens while the first of two is evicted. The second is found among the rest. */
static void some_are_retired_meanwhile(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;
	struct glue_bo *x;
	int i, err;

	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	glue_fill(dev, bo);
	fence = glue_emit(dev, 0, true);
	for (i = 0; i < MANY; i++)
		glue_attach(glue_bo(dev, 'o', &glue_private), fence);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_attach(bo[i], fence);
	dev->moving = retire_some;
	dev->pages = 2;
	x = glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_NOT_NULL(test, x);
	glue_expect_evicted(dev, "ab");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(more_are_busy),
	KUNIT_CASE(more_are_busy_in_a_group),
	KUNIT_CASE(more_are_busy_in_the_group_before),
	KUNIT_CASE(more_are_busy_and_there_is_no_place_for_them),
	KUNIT_CASE(some_are_retired_meanwhile),
	KUNIT_CASE(more_fences_of_no_channel),
	KUNIT_CASE(more_are_dead_before_one_with_pages),
	KUNIT_CASE(more_leftovers_with_pages),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_many",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
