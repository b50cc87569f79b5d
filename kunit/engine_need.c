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

static struct kunit_case cases[] = {
	KUNIT_CASE(what_is_refused_stands_where_it_stood),
	KUNIT_CASE(what_is_refused_keeps_nothing_off_the_LRU),
	KUNIT_CASE(what_is_behind_many_that_are_locked_can_be_had),
	KUNIT_CASE(every_leftover_that_was_locked_is_tried_once),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_need",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
