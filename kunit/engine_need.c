// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What an allocation needs, and dead buffers that it cannot have.
 */
#include "mock.h"

/* One that becomes ripe with the next retire. */
static struct mock_bo *make_dead(struct mock_channel *channel, char name)
{
	struct mock_bo *bo = mock_bo_create(channel->dev, name);
	struct mock_fence *fence = mock_submit(channel, bo);

	mock_bo_put(bo);
	mock_signal(fence);
	return bo;
}

static unsigned int reclaim(struct mock_device *dev)
{
	struct ttm_fence_lru_need need = { .type = 1 };

	return ttm_fence_lru_reclaim(&dev->lru, &need);
}

static void what_is_refused_stands_where_it_stood(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo = make_dead(channel, 'A');

	bo->refused = true;
	make_dead(channel, 'B');
	make_dead(channel, 'C');
	KUNIT_EXPECT_EQ(test, 0, reclaim(dev));
	EXPECT_STATE(dev, "", "");

	bo->refused = false;
	KUNIT_EXPECT_EQ(test, 3, reclaim(dev));
	EXPECT_STATE(dev, "", "ABC");
}

static void what_is_refused_keeps_nothing_off_the_LRU(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *alive = mock_bo_create(dev, 'A');

	make_dead(channel, 'X')->refused = true;
	ttm_fence_lru_retire(&dev->lru);
	mock_signal(mock_submit(channel, alive));
	EXPECT_STATE(dev, "", "");

	KUNIT_EXPECT_EQ(test, 0, reclaim(dev));
	EXPECT_STATE(dev, "A", "");
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_drain(&dev->lru));
}

static void what_is_behind_many_that_are_locked_can_be_had(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bos[40];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = make_dead(channel, 'x');
		bos[i]->locked = true;
	}
	make_dead(channel, 'A');
	KUNIT_EXPECT_EQ(test, 1, reclaim(dev));
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "A");
	mock_check(dev);

	for (i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i]->locked = false;
}

static void every_leftover_that_was_locked_is_tried_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct ttm_fence_lru_need need = { .type = 1 };
	struct mock_bo *bos[20];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = make_dead(channel, 'A' + i);
		bos[i]->locked = true;
	}
	KUNIT_EXPECT_EQ(test, 0, reclaim(dev));

	bos[18]->locked = false;
	KUNIT_EXPECT_EQ(test, 1, ttm_fence_lru_reclaim(&dev->lru, &need));
	bos[0]->locked = false;
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_reclaim(&dev->lru, &need));
	EXPECT_STATE(dev, "ABCDEFGHIJKLMNOPQRT", "S");

	for (i = 0; i < ARRAY_SIZE(bos); i++)
		if (i != 18)
			bos[i]->locked = false;
}

#define MANY 200

/* Live buffers that are idle, but still stand on their channel. */
static void use_many(struct mock_channel *channel)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		mock_signal(mock_submit(channel,
					mock_bo_create(channel->dev, 'A')));
}

/* Where a few are enough. Returns how many were released. */
static unsigned int reclaim_few(struct mock_device *dev, bool more)
{
	struct ttm_fence_lru_need need = { .type = 1, .few = true };
	unsigned int released = ttm_fence_lru_reclaim(&dev->lru, &need);

	KUNIT_EXPECT_EQ(dev->test, need.few, more);
	mock_check(dev);
	return released;
}

/* Somebody who evicts one need not pay for all that has become idle. */
static void the_oldest_few_become_idle(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	u64 steps;

	mock_signal(mock_submit(channel, mock_bo_create(dev, 'Z')));
	use_many(channel);
	steps = dev->lru.stats.steps;
	KUNIT_EXPECT_EQ(test, 0, reclaim_few(dev, true));
	KUNIT_EXPECT_LE(test, dev->lru.stats.steps - steps, 20);
	KUNIT_EXPECT_LT(test, dev->lru.stats.busy, MANY);
	KUNIT_EXPECT_EQ(test, 'Z',
			place_to_bo(list_first_entry(&dev->idle,
						     struct mock_place, entry))
				->name);
	/* One that began before has not retired all. */
	KUNIT_EXPECT_EQ(test, 0, reclaim(dev));
	KUNIT_EXPECT_EQ(test, dev->lru.stats.busy, 0);
	KUNIT_EXPECT_EQ(test, 0, reclaim_few(dev, false));
}

static void but_all_that_is_dead_is_found(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);

	use_many(channel);
	make_dead(channel, 'X');
	use_many(channel);
	KUNIT_EXPECT_EQ(test, 1, reclaim_few(dev, true));
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "X");
	KUNIT_EXPECT_GE(test, dev->lru.stats.busy, MANY - 20);
	KUNIT_EXPECT_LE(test, dev->lru.stats.busy, MANY);
}

/* One after the other, though each channel has some: the second retire is for all of them. */
static void what_is_dead_on_many_channels_costs_two_looks(struct kunit *test)
{
	struct ttm_fence_lru_need need = { .type = 1, .few = true };
	struct mock_device *dev = test->priv;
	struct mock_channel *channels[32];
	unsigned int i, released = 0, nr;
	u64 steps;

	for (i = 0; i < ARRAY_SIZE(channels); i++)
		channels[i] = mock_channel_create(dev);
	for (i = 0; i < MANY; i++)
		make_dead(channels[i % ARRAY_SIZE(channels)], 'A');
	steps = dev->lru.stats.steps;
	while ((nr = ttm_fence_lru_reclaim(&dev->lru, &need)))
		released += nr;
	KUNIT_EXPECT_EQ(test, released, MANY);
	KUNIT_EXPECT_FALSE(test, need.few);
	KUNIT_EXPECT_LE(test, dev->lru.stats.steps - steps,
			2 * MANY + 2 * ARRAY_SIZE(channels));
}

/* The frontier has to be looked at, and all before it leaves the channel. */
static void up_to_one_whose_job_goes_on(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo = mock_bo_create(dev, 'X');
	struct mock_fence *fence;

	use_many(channel);
	fence = mock_submit(channel, bo);
	mock_bo_put(bo);
	KUNIT_EXPECT_EQ(test, 0, reclaim_few(dev, false));
	KUNIT_EXPECT_EQ(test, dev->lru.stats.busy, 1);
	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 1, reclaim_few(dev, false));
}

static void what_is_dead_of_another_type_is_left(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo = mock_bo_create(dev, 'X');
	struct mock_fence *fence;

	use_many(channel);
	bo->type = 2;
	fence = mock_submit(channel, bo);
	mock_bo_put(bo);
	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, reclaim_few(dev, true));
	KUNIT_EXPECT_GE(test, dev->lru.stats.busy, MANY - 20);
}

/* What is ripe but cannot be had does not end a retire of few, again and again. */
static void what_is_refused_is_not_enough(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo = make_dead(channel, 'X');
	u64 retires;

	bo->refused = true;
	use_many(channel);
	make_dead(channel, 'Y');
	retires = dev->lru.retires;
	KUNIT_EXPECT_EQ(test, 0, reclaim_few(dev, false));
	KUNIT_EXPECT_EQ(test, dev->lru.retires - retires, 2);
	KUNIT_EXPECT_EQ(test, dev->lru.stats.busy, 0);
	bo->refused = false;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_is_refused_stands_where_it_stood),
	KUNIT_CASE(what_is_refused_keeps_nothing_off_the_LRU),
	KUNIT_CASE(what_is_behind_many_that_are_locked_can_be_had),
	KUNIT_CASE(every_leftover_that_was_locked_is_tried_once),
	KUNIT_CASE(the_oldest_few_become_idle),
	KUNIT_CASE(but_all_that_is_dead_is_found),
	KUNIT_CASE(what_is_dead_on_many_channels_costs_two_looks),
	KUNIT_CASE(up_to_one_whose_job_goes_on),
	KUNIT_CASE(what_is_dead_of_another_type_is_left),
	KUNIT_CASE(what_is_refused_is_not_enough),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_need",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
