// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory is released to those who want it: allocations, shrinkers and drains.
 */
#include <linux/sched/mm.h>

#include "mock.h"

#define MANY 10000

/* A zombie of @type and @bytes under the fence. */
static void bury(struct mock_device *dev, char name, struct mock_fence *fence,
		 u8 type, u32 bytes)
{
	struct mock_bo *bo = mock_bo_create(dev, name);

	bo->type = type;
	bo->bytes = bytes;
	mock_bo_use(bo, fence);
	mock_bo_put(bo);
}

static u64 count(struct mock_device *dev, enum ttm_fence_lru_state state,
		 unsigned int type)
{
	return dev->lru.stats.dead[state][type].count;
}

static void shrinking_stops_at_its_target(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	int i;

	bury(dev, 'v', fence, 1, 100);
	for (i = 0; i < 20; i++)
		bury(dev, 'x', fence, 2, 100);
	bury(dev, 'y', fence, 1, 100);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 2, 150));
	EXPECT_STATE(dev, "", "");

	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 2, 0));
	EXPECT_STATE(dev, "", "");
	KUNIT_EXPECT_EQ(test, 200, ttm_fence_lru_shrink(&dev->lru, 2, 150));
	EXPECT_STATE(dev, "", "xx");
	KUNIT_EXPECT_EQ(test, 900, ttm_fence_lru_shrink(&dev->lru, 2, 801));
	KUNIT_EXPECT_EQ(test, 900, ttm_fence_lru_shrink(&dev->lru, 2, 10000));
	KUNIT_EXPECT_EQ(test, 200, ttm_fence_lru_shrink(&dev->lru, 1, U64_MAX));
	EXPECT_STATE(dev, "", "xxxxxxxxxxxxxxxxxxxxvy");
}

static void shrinking_waits_for_nobody(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);

	bury(dev, 'x', fence, 1, 100);
	mock_signal(fence);

	mutex_lock(&dev->lru.reclaim_lock);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 1, 100));
	mutex_unlock(&dev->lru.reclaim_lock);
	EXPECT_STATE(dev, "", "");

	KUNIT_EXPECT_EQ(test, 100, ttm_fence_lru_shrink(&dev->lru, 1, 100));
	EXPECT_STATE(dev, "", "x");
}

/* A shrinker runs where somebody waits for memory. */
static void shrinking_in_direct_reclaim_is_allowed(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	u64 released;

	bury(dev, 'x', fence, 1, 100);
	mock_signal(fence);

	fs_reclaim_acquire(GFP_KERNEL);
	released = ttm_fence_lru_shrink(&dev->lru, 1, 100);
	fs_reclaim_release(GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 100, released);
	EXPECT_STATE(dev, "", "x");
}

static void shrinking_takes_leftovers_too(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');

	x->locked = true;
	mock_bo_put(x);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 1, 1));
	x->locked = false;
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES,
			ttm_fence_lru_shrink(&dev->lru, 1, 1));
	EXPECT_STATE(dev, "", "x");
}

#define OTHERS 20

/* One channel with 20 zombies that can go, and others that are held up. */
static struct mock_channel *many_channels(struct mock_device *dev)
{
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	int i;

	for (i = 0; i < OTHERS; i++)
		mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'A'));
	for (i = 0; i < 20; i++) {
		fence = mock_emit(channel);
		bury(dev, 'a' + i, fence, 1, 100);
		mock_signal(fence);
	}
	return channel;
}

/* An allocation is tried again after each call, and pays for little more than it needs. */
static void an_allocation_gets_eight_at_a_time(struct kunit *test)
{
	struct ttm_fence_lru_need need = { .type = 1 };
	struct mock_device *dev = test->priv;

	many_channels(dev);
	KUNIT_EXPECT_EQ(test, 8, ttm_fence_lru_reclaim(&dev->lru, &need));
	EXPECT_STATE(dev, "", "abcdefgh");
	KUNIT_EXPECT_EQ(test, 8, ttm_fence_lru_reclaim(&dev->lru, &need));
	EXPECT_STATE(dev, "", "abcdefghijklmnop");
	KUNIT_EXPECT_EQ(test, 4, ttm_fence_lru_reclaim(&dev->lru, &need));
	EXPECT_STATE(dev, "", "abcdefghijklmnopqrst");
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reclaim(&dev->lru, &need));
}

static void an_allocation_looks_at_all_channels_once(struct kunit *test)
{
	struct ttm_fence_lru_need need = { .type = 1 };
	struct mock_device *dev = test->priv;

	many_channels(dev);
	dev->nr_samples = 0;
	KUNIT_EXPECT_EQ(test, 8, ttm_fence_lru_reclaim(&dev->lru, &need));
	KUNIT_EXPECT_GE(test, dev->nr_samples, OTHERS);

	/* Only the fences of the buffers that go. */
	dev->nr_samples = 0;
	KUNIT_EXPECT_EQ(test, 8, ttm_fence_lru_reclaim(&dev->lru, &need));
	KUNIT_EXPECT_LE(test, dev->nr_samples, 8);
	KUNIT_EXPECT_EQ(test, 4, ttm_fence_lru_reclaim(&dev->lru, &need));
	dev->nr_samples = 0;
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reclaim(&dev->lru, &need));
	KUNIT_EXPECT_EQ(test, 0, dev->nr_samples);

	/* Nor does another one, if enough is ripe. */
	many_channels(dev);
	ttm_fence_lru_retire(&dev->lru);
	dev->nr_samples = 0;
	need = (struct ttm_fence_lru_need){ .type = 1 };
	KUNIT_EXPECT_EQ(test, 8, ttm_fence_lru_reclaim(&dev->lru, &need));
	KUNIT_EXPECT_LE(test, dev->nr_samples, 8);
}

/* More channels than there is room for come, and that of the zombies goes. */
static void channels_may_come_and_go_during_an_allocation(struct kunit *test)
{
	struct ttm_fence_lru_need need = { .type = 1 };
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = many_channels(dev);
	int i;

	KUNIT_EXPECT_EQ(test, 8, ttm_fence_lru_reclaim(&dev->lru, &need));
	for (i = 0; i < 3 * OTHERS; i++)
		mock_channel_create(dev);
	mock_channel_destroy(channel);
	KUNIT_EXPECT_EQ(test, 8, ttm_fence_lru_reclaim(&dev->lru, &need));
	KUNIT_EXPECT_EQ(test, 4, ttm_fence_lru_reclaim(&dev->lru, &need));
	EXPECT_STATE(dev, "", "abcdefghijklmnopqrst");
}

static void older_zombies_of_another_type_stay(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	int i;

	for (i = 0; i < MANY; i++)
		bury(dev, 't', fence, 2, 100);
	mock_signal(fence);
	fence = mock_emit(channel);
	bury(dev, 'x', fence, 1, 100);
	mock_signal(fence);

	/* They have signaled, and are ripe thereafter. */
	KUNIT_EXPECT_EQ(test, 1, mock_reclaim_type(dev, 1));
	EXPECT_STATE(dev, "", "x");
	KUNIT_EXPECT_EQ(test, MANY, count(dev, TTM_FENCE_LRU_RIPE, 2));

	fence = mock_emit(channel);
	bury(dev, 'y', fence, 1, 100);
	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 1, mock_reclaim_type(dev, 1));
	EXPECT_STATE(dev, "", "xy");
	KUNIT_EXPECT_EQ(test, 100, ttm_fence_lru_shrink(&dev->lru, 2, 1));
}

/* They cannot be let go here, nor stand in the way of the next one who may do it. */
static void refused_ones_stay_ripe_in_their_order(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bo;
	int i;

	for (i = 0; i < 20; i++) {
		bo = mock_bo_create(dev, 'a' + i);
		bo->refused = true;
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	mock_signal(fence);

	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 1, 1));
	KUNIT_EXPECT_EQ(test, 20, count(dev, TTM_FENCE_LRU_RIPE, 1));
	EXPECT_STATE(dev, "A", "");

	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_drain(&dev->lru));
	EXPECT_STATE(dev, "A", "abcdefghijklmnopqrst");
}

/* What is alive is to be found on the LRU when nothing dead is to be had. */
static void refused_ones_do_not_hide_what_is_idle(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	x->refused = true;
	mock_bo_use(x, mock_emit(channel));
	mock_bo_put(x);
	mock_signal(mock_first(channel));
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, 1, count(dev, TTM_FENCE_LRU_RIPE, 1));

	mock_submit(channel, mock_bo_create(dev, 'A'))->done = true;
	KUNIT_EXPECT_EQ(test, 0, mock_reclaim_type(dev, 1));
	EXPECT_STATE(dev, "A", "");
	KUNIT_EXPECT_EQ(test, 1, count(dev, TTM_FENCE_LRU_RIPE, 1));
}

/* Another task makes a zombie ripe whenever one is cleaned. */
static void one_more_is_ripe(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel =
		list_first_entry(&dev->channels, struct mock_channel, entry);
	struct mock_fence *fence = mock_emit(channel);

	bury(dev, 'n', fence, 1, 100);
	mock_signal(fence);
	ttm_fence_lru_retire(&dev->lru);
	dev->cleaning = one_more_is_ripe;
}

static void draining_does_not_chase_what_becomes_ripe(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	int i;

	for (i = 0; i < 20; i++)
		bury(dev, 'o', fence, 1, 100);
	mock_signal(fence);
	dev->cleaning = one_more_is_ripe;
	KUNIT_EXPECT_EQ(test, 20, ttm_fence_lru_drain(&dev->lru));
	EXPECT_STATE(dev, "", "oooooooooooooooooooo");
	KUNIT_EXPECT_EQ(test, 20, count(dev, TTM_FENCE_LRU_RIPE, 1));
	dev->cleaning = NULL;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(shrinking_stops_at_its_target),
	KUNIT_CASE(shrinking_waits_for_nobody),
	KUNIT_CASE(shrinking_in_direct_reclaim_is_allowed),
	KUNIT_CASE(shrinking_takes_leftovers_too),
	KUNIT_CASE(an_allocation_gets_eight_at_a_time),
	KUNIT_CASE(an_allocation_looks_at_all_channels_once),
	KUNIT_CASE(channels_may_come_and_go_during_an_allocation),
	KUNIT_CASE(older_zombies_of_another_type_stay),
	KUNIT_CASE(refused_ones_stay_ripe_in_their_order),
	KUNIT_CASE(refused_ones_do_not_hide_what_is_idle),
	KUNIT_CASE(draining_does_not_chase_what_becomes_ripe),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_reclaim",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
