// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How much memory zombies may keep when nobody asks for it.
 */
#include <linux/completion.h>
#include <linux/kthread.h>

#include "mock.h"

#define ANY TTM_FENCE_LRU_ANY_TYPE

/* A buffer that dies under a fence of its own. */
static struct mock_fence *bury(struct mock_channel *channel, char name)
{
	struct mock_bo *bo = mock_bo_create(channel->dev, name);
	struct mock_fence *fence = mock_submit(channel, bo);

	mock_bo_put(bo);
	return fence;
}

/* So many zombies that could go, and a limit that none of them is to stay. */
static struct mock_channel *zombies(struct mock_device *dev, int count)
{
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	int i;

	for (i = 0; i < count; i++) {
		fence = bury(channel, 'a' + i % 26);
		mock_signal(fence);
	}
	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
	return channel;
}

static void zombies_beyond_the_limit_go_at_the_next_release(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;

	ttm_fence_lru_set_limit(&dev->lru, ANY, 2 * MOCK_BO_BYTES);
	fence = bury(channel, 'x');
	mock_signal(fence);
	bury(channel, 'y');
	EXPECT_STATE(dev, "", "");

	/* The first that signaled, and no other. */
	bury(channel, 'z');
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(channel, "/y /z");
}

static void the_gpu_may_use_more_than_the_limit(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;

	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
	fence = bury(channel, 'x');
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "");

	mock_signal(fence);
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "x");
}

static void each_memory_type_has_a_limit(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bo;
	int type;

	for (type = 1; type <= 2; type++) {
		bo = mock_bo_create(dev, 'a' + type);
		bo->type = type;
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
	mock_signal(fence);

	ttm_fence_lru_set_limit(&dev->lru, 1, MOCK_BO_BYTES);
	ttm_fence_lru_set_limit(&dev->lru, 2, MOCK_BO_BYTES);
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "");
	ttm_fence_lru_set_limit(&dev->lru, 2, MOCK_BO_BYTES - 1);
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "bc");
}

static void the_last_memory_type_has_one_too(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	x->type = TTM_FENCE_LRU_NUM_TYPES - 1;
	mock_bo_put(x);
	mock_signal(fence);
	ttm_fence_lru_set_limit(&dev->lru, TTM_FENCE_LRU_NUM_TYPES - 1, 0);
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "x");
}

static void one_call_releases_only_some(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	zombies(dev, 20);
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 8, strlen(dev->cleaned));
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 16, strlen(dev->cleaned));
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 20, strlen(dev->cleaned));
}

/* Buffers that are alive may stand before the zombies. */
static void one_call_retires_only_some(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	int i;

	for (i = 0; i < 40; i++)
		mock_submit(channel, mock_bo_create(dev, 'A'))->done = true;
	fence = bury(channel, 'x');
	mock_signal(fence);

	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 16, strlen(mock_lru(dev)));
	for (i = 0; i < 3; i++)
		ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 40, strlen(mock_lru(dev)));
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "x");
}

#define CHANNELS 64

/* None of many channels goes on: it is not worth to ask them each time. */
static void many_calls_pay_for_a_look_at_all_channels(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	int i, looks = 0;

	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
	for (i = 0; i < CHANNELS; i++)
		bury(mock_channel_create(dev), 'x');

	ttm_fence_lru_trim(&dev->lru);
	for (i = 0; i < 20; i++) {
		dev->nr_samples = 0;
		ttm_fence_lru_trim(&dev->lru);
		looks += dev->nr_samples != 0;
		KUNIT_EXPECT_LE(test, dev->nr_samples, CHANNELS);
	}
	KUNIT_EXPECT_EQ(test, 20 / (CHANNELS / 16 + 1), looks);
}

static void what_a_look_has_found_is_retired_bit_by_bit(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	int i;

	for (i = 0; i < CHANNELS; i++)
		bury(mock_channel_create(dev), 'x')->done = true;
	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);

	dev->nr_samples = 0;
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 8, strlen(dev->cleaned));
	for (i = 1; i < CHANNELS / 8; i++)
		ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, CHANNELS, strlen(dev->cleaned));
	/* Each channel was looked at once. */
	KUNIT_EXPECT_EQ(test, CHANNELS, dev->nr_samples);
}

static void leftovers_beyond_the_limit_are_tried(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');

	x->locked = true;
	mock_bo_put(x);
	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "x", "");
	x->locked = false;
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "x");
}

/* Whatever the limits: who trims is where an import may be let go. */
static void trimming_tries_some_leftovers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *bos[9];
	int i;

	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = mock_bo_create(dev, 'a' + i);
		bos[i]->locked = true;
		mock_bo_put(bos[i]);
	}
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i]->locked = false;
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "i", "abcdefgh");
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "abcdefghi");
}

static void an_import_of_a_channel_goes_beyond_the_limit(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	x->import = true;
	x->type = 1;
	ttm_fence_lru_set_limit(&dev->lru, 1, 0);
	mock_bo_put(x);
	mock_signal(fence);
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "x");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
}

struct trimmer {
	struct ttm_fence_lru *lru;
	struct completion done;
};

static int trim_once(void *data)
{
	struct trimmer *trimmer = data;

	ttm_fence_lru_trim(trimmer->lru);
	complete_all(&trimmer->done);
	return 0;
}

static void it_waits_for_nobody(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct trimmer trimmer = { .lru = &dev->lru };
	struct task_struct *task;

	zombies(dev, 1);
	init_completion(&trimmer.done);
	task = kthread_create(trim_once, &trimmer, "fence_lru_trimmer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	mutex_lock(&dev->lru.reclaim_lock);
	wake_up_process(task);
	wait_for_completion(&trimmer.done);
	mutex_unlock(&dev->lru.reclaim_lock);
	EXPECT_STATE(dev, "", "");
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "a");
}

static void trim_again(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "");
}

/* A buffer may take another with it, whose release comes here again. */
static void it_does_not_call_itself(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	zombies(dev, 20);
	dev->cleaning = trim_again;
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 8, strlen(dev->cleaned));
}

static void without_a_limit_all_stay(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	zombies(dev, 20);
	ttm_fence_lru_set_limit(&dev->lru, ANY, U64_MAX);
	dev->nr_samples = 0;
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 0, dev->nr_samples);
	EXPECT_STATE(dev, "", "");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(zombies_beyond_the_limit_go_at_the_next_release),
	KUNIT_CASE(the_gpu_may_use_more_than_the_limit),
	KUNIT_CASE(each_memory_type_has_a_limit),
	KUNIT_CASE(the_last_memory_type_has_one_too),
	KUNIT_CASE(one_call_releases_only_some),
	KUNIT_CASE(one_call_retires_only_some),
	KUNIT_CASE(many_calls_pay_for_a_look_at_all_channels),
	KUNIT_CASE(what_a_look_has_found_is_retired_bit_by_bit),
	KUNIT_CASE(leftovers_beyond_the_limit_are_tried),
	KUNIT_CASE(trimming_tries_some_leftovers),
	KUNIT_CASE(an_import_of_a_channel_goes_beyond_the_limit),
	KUNIT_CASE(it_waits_for_nobody),
	KUNIT_CASE(it_does_not_call_itself),
	KUNIT_CASE(without_a_limit_all_stay),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_retain",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
