// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Leftovers: zombies on no channel that could not be released so far.
 */
#include <kunit/static_stub.h>

#include "../ttm_fence_lru/internal.h"
#include "mock.h"

#define MANY 10000

/* A fence of no channel. */
static struct mock_fence *foreign(struct mock_device *dev)
{
	return mock_fence_create(dev, dma_fence_context_alloc(1), 1);
}

/* A dead buffer under such a fence. */
static struct mock_bo *leave(struct mock_device *dev, char name,
			     struct mock_fence *fence)
{
	struct mock_bo *bo = mock_bo_create(dev, name);

	mock_bo_use(bo, fence);
	mock_bo_put(bo);
	return bo;
}

/* So many of type 1 whose lock was taken, and so many fences that block others. */
static void expect_leftovers(struct mock_device *dev, u64 locked, u64 blockers)
{
	mock_check(dev);
	KUNIT_EXPECT_EQ(dev->test, locked, dev->lru.dead[1].nr_locked);
	KUNIT_EXPECT_EQ(dev->test, blockers, dev->lru.dead[1].nr_blocked);
}

/* So many references are held beside that of the device. */
static void expect_held(struct mock_fence *fence, unsigned int count)
{
	KUNIT_EXPECT_EQ(fence->dev->test, 1 + count,
			kref_read(&fence->base.refcount));
}

static void locked_ones_are_tried_once_by_an_allocation(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct ttm_fence_lru_need need = { .type = 1 };
	unsigned int i, some;
	struct mock_bo **bos;
	u64 tries;

	bos = kunit_kcalloc(test, 1000, sizeof(*bos), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bos);
	for (i = 0; i < 1000; i++) {
		bos[i] = mock_bo_create(dev, 'x');
		bos[i]->locked = true;
		mock_bo_put(bos[i]);
	}

	/* 8 of them in each release. */
	tries = dev->lru.nr_releases;
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	KUNIT_EXPECT_EQ(test, 1000 / 8, dev->lru.nr_releases - tries);
	expect_leftovers(dev, 1000, 0);

	/* It gets the last of them all the same. */
	bos[999]->locked = false;
	KUNIT_EXPECT_EQ(test, 1, mock_reclaim_type(dev, 1));
	expect_leftovers(dev, 999, 0);

	for (i = 0; i < 999; i++)
		bos[i]->locked = false;
	for (i = 0; i < 999; i += some) {
		some = ttm_fence_lru_reclaim(&dev->lru, &need);
		KUNIT_ASSERT_EQ(test, min(8, 999 - i), some);
	}
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reclaim(&dev->lru, &need));
	expect_leftovers(dev, 0, 0);
}

static void a_fence_that_blocks_many_is_tested_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fence = foreign(dev);
	struct ttm_fence_lru_need need = { .type = 1 };
	int i;

	for (i = 0; i < MANY; i++)
		leave(dev, 'x', fence);
	expect_leftovers(dev, 0, 1);
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	expect_leftovers(dev, 0, 1);

	dev->nr_samples = 0;
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	KUNIT_EXPECT_EQ(test, 1, dev->nr_samples);

	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 8, ttm_fence_lru_reclaim(&dev->lru, &need));
	expect_leftovers(dev, 0, 0);
	KUNIT_EXPECT_EQ(test, MANY - 8,
			dev->lru.stats.dead[TTM_FENCE_LRU_RIPE][1].count);
	KUNIT_EXPECT_EQ(test, MANY - 8, mock_reclaim_type(dev, 1));
	KUNIT_EXPECT_EQ(test, 2, dev->nr_samples);
}

static void each_fence_that_blocks_some_is_tested_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fences[2] = { foreign(dev), foreign(dev) };
	int i;

	for (i = 0; i < 100; i++)
		leave(dev, 'x' + i % 2, fences[i % 2]);
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	expect_leftovers(dev, 0, 2);
	dev->nr_samples = 0;
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	KUNIT_EXPECT_EQ(test, 2, dev->nr_samples);

	mock_signal(fences[1]);
	KUNIT_EXPECT_EQ(test, 50, mock_reclaim_type(dev, 1));
	expect_leftovers(dev, 0, 1);
	KUNIT_EXPECT_NULL(test, strchr(dev->cleaned, 'x'));
}

/* The buffers of each memory type are released to those who want that type. */
static void a_fence_may_block_several_memory_types(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fence = foreign(dev);
	struct mock_bo *y = mock_bo_create(dev, 'y');

	leave(dev, 'x', fence);
	y->type = 2;
	mock_bo_use(y, fence);
	mock_bo_put(y);
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 2));
	expect_leftovers(dev, 0, 1);
	expect_held(fence, 4);

	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 1, mock_reclaim_type(dev, 2));
	EXPECT_STATE(dev, "x", "y");
	KUNIT_EXPECT_EQ(test, 1, mock_reclaim_type(dev, 1));
	EXPECT_STATE(dev, "", "yx");
	expect_held(fence, 0);
}

static void a_fence_is_held_while_it_blocks_somebody(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fence = foreign(dev);

	leave(dev, 'x', fence);
	leave(dev, 'y', fence);
	expect_held(fence, 3);
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	expect_held(fence, 3);

	/* All are ripe, and some still have the fence in their reservations. */
	mock_signal(fence);
	ttm_fence_lru_set_limit(&dev->lru, 1, 0);
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "xy");
	expect_held(fence, 0);
}

/* As an eviction does, when it has waited. It returns the list's reference. */
static void evict(struct mock_bo *bo)
{
	mock_bo_clean(bo);
	KUNIT_EXPECT_TRUE(bo->dev->test,
			  ttm_fence_lru_cleaned(&bo->dev->lru, &bo->base));
	mock_bo_put(bo);
}

static void nor_longer_if_a_walk_cleans_the_last(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fence = foreign(dev);
	struct mock_bo *x = leave(dev, 'x', fence);
	struct mock_bo *y = leave(dev, 'y', fence);

	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	EXPECT_STATE(dev, "xy", "");
	mock_signal(fence);
	evict(x);
	EXPECT_STATE(dev, "y", "x");
	expect_held(fence, 2);
	evict(y);
	EXPECT_STATE(dev, "", "xy");
	expect_held(fence, 0);
	expect_leftovers(dev, 0, 0);
}

static struct ttm_fence_lru_blocker *no_blocker(void)
{
	return NULL;
}

static void without_memory_they_are_tried_like_locked_ones(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fence = foreign(dev);

	kunit_activate_static_stub(test, ttm_fence_lru_blocker_alloc,
				   no_blocker);
	leave(dev, 'x', fence);
	expect_leftovers(dev, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	expect_leftovers(dev, 1, 0);
	expect_held(fence, 1);

	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 1, mock_reclaim_type(dev, 1));
	EXPECT_STATE(dev, "", "x");
	kunit_deactivate_static_stub(test, ttm_fence_lru_blocker_alloc);
}

/* A trim costs the same, however many fences block something. */
static void trimming_tests_a_few_fences_in_turn(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_fence *fences[12];
	int i;

	for (i = 0; i < ARRAY_SIZE(fences); i++) {
		fences[i] = foreign(dev);
		leave(dev, 'a' + i, fences[i]);
	}
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	mock_signal(fences[11]);

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_STREQ(test, dev->cleaned, "");
		dev->nr_samples = 0;
		ttm_fence_lru_trim(&dev->lru);
		KUNIT_EXPECT_EQ(test, 4, dev->nr_samples);
	}
	EXPECT_STATE(dev, "abcdefghijk", "l");
}

static void a_trim_is_wanted_where_there_is_something_to_do(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'a');
	struct mock_bo *b = mock_bo_create(dev, 'b');
	struct ttm_fence_lru *lru = &dev->lru;

	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_wants_trim(lru));
	mock_submit(channel, a);
	mock_bo_put(a);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_wants_trim(lru));

	/* Any limit, and a leftover. */
	ttm_fence_lru_set_limit(lru, a->type, 0);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_wants_trim(lru));
	ttm_fence_lru_set_limit(lru, a->type, U64_MAX);
	ttm_fence_lru_set_limit(lru, TTM_FENCE_LRU_ANY_TYPE, 0);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_wants_trim(lru));
	ttm_fence_lru_set_limit(lru, TTM_FENCE_LRU_ANY_TYPE, U64_MAX);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_wants_trim(lru));
	b->locked = true;
	mock_bo_put(b);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_wants_trim(lru));
	b->locked = false;
	ttm_fence_lru_trim(lru);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_wants_trim(lru));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(locked_ones_are_tried_once_by_an_allocation),
	KUNIT_CASE(a_fence_that_blocks_many_is_tested_once),
	KUNIT_CASE(each_fence_that_blocks_some_is_tested_once),
	KUNIT_CASE(a_fence_may_block_several_memory_types),
	KUNIT_CASE(a_fence_is_held_while_it_blocks_somebody),
	KUNIT_CASE(nor_longer_if_a_walk_cleans_the_last),
	KUNIT_CASE(without_memory_they_are_tried_like_locked_ones),
	KUNIT_CASE(trimming_tests_a_few_fences_in_turn),
	KUNIT_CASE(a_trim_is_wanted_where_there_is_something_to_do),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_leftovers",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
