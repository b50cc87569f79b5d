// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How much memory zombies may keep when nobody asks for it.
 */
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
	/* Those of other types stay. */
	ttm_fence_lru_set_limit(&dev->lru, 2, MOCK_BO_BYTES - 1);
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "c");
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

/* Buffers that are alive may stand before the zombies, and stay there. */
static void one_call_looks_at_only_some_nodes(struct kunit *test)
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
	for (i = 0; i < 2; i++) {
		dev->nr_samples = 0;
		ttm_fence_lru_trim(&dev->lru);
		KUNIT_EXPECT_EQ(test, 16, dev->nr_samples);
		EXPECT_STATE(dev, "", "");
	}
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "x");

	/* None is looked at twice. */
	dev->nr_samples = 0;
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 0, dev->nr_samples);
	KUNIT_EXPECT_EQ(test, 40, dev->lru.stats.busy);
}

/* Under one fence. */
static void one_call_passes_only_some_zombies(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_locks locks;
	struct mock_bo *bo;
	u64 ripe;
	int i;

	for (i = 0; i < 10000; i++) {
		bo = mock_bo_create(dev, 'x');
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
	mock_signal(fence);
	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
	mock_locks_start(&locks, dev);
	ttm_fence_lru_trim(&dev->lru);
	mock_locks_stop(&locks);
	ripe = 8 + dev->lru.stats.dead[TTM_FENCE_LRU_RIPE][1].count;
	KUNIT_EXPECT_LE(test, ripe, 16 * 256);
	KUNIT_EXPECT_GE(test, ripe, 256);
	KUNIT_EXPECT_GE(test, locks.lru, ripe / 256);
	KUNIT_EXPECT_EQ(test, 8, strlen(dev->cleaned));
}

#define CHANNELS 64

/* None of many channels goes on, and one that does is found. */
static void one_call_looks_at_only_some_channels(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel;
	int i;

	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
	for (i = 0; i < CHANNELS; i++)
		bury(mock_channel_create(dev), 'x');
	channel = mock_channel_create(dev);
	bury(channel, 'y');

	for (i = 0; i < CHANNELS; i++) {
		dev->nr_samples = 0;
		ttm_fence_lru_trim(&dev->lru);
		KUNIT_EXPECT_EQ(test, 4, dev->nr_samples);
	}
	EXPECT_STATE(dev, "", "");
	mock_signal(mock_first(channel));
	for (i = 0; i <= CHANNELS / 4; i++)
		ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "y");
}

static void each_channel_comes_in_its_turn(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	int i;

	for (i = 0; i < CHANNELS; i++)
		bury(mock_channel_create(dev), 'x')->done = true;
	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);

	dev->nr_samples = 0;
	for (i = 1; i <= CHANNELS / 4; i++) {
		ttm_fence_lru_trim(&dev->lru);
		KUNIT_EXPECT_EQ(test, 4 * i, strlen(dev->cleaned));
	}
	/* Each channel was looked at once. */
	KUNIT_EXPECT_EQ(test, CHANNELS, dev->nr_samples);
}

/* Though the others always have something that can go. */
static void a_channel_that_signals_late_is_seen(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channels[20], *late = mock_channel_create(dev);
	int i, round;

	for (i = 0; i < ARRAY_SIZE(channels); i++)
		channels[i] = mock_channel_create(dev);
	bury(late, 'y');
	for (round = 0; round < 6; round++) {
		for (i = 0; i < ARRAY_SIZE(channels); i++) {
			bury(channels[i], 'x');
			bury(channels[i], 'x');
			mock_signal(mock_first(channels[i]));
		}
		ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
		if (!round)
			mock_signal(mock_first(late));
		ttm_fence_lru_trim(&dev->lru);
		ttm_fence_lru_set_limit(&dev->lru, ANY, U64_MAX);
	}
	EXPECT_NODES(late, "");
	for (i = 0; i < ARRAY_SIZE(channels); i++)
		KUNIT_EXPECT_STRNEQ(test, mock_nodes(channels[i]), "");
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

static void trim(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	ttm_fence_lru_trim(&dev->lru);
}

static void it_waits_for_nobody(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_thread trimmer;

	zombies(dev, 1);
	mock_thread_create(&trimmer, test, trim);
	mutex_lock(&dev->lru.reclaim_lock);
	mock_thread_start(&trimmer);
	mock_thread_join(&trimmer);
	mutex_unlock(&dev->lru.reclaim_lock);
	EXPECT_STATE(dev, "", "");
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "a");
}

static struct completion putting, go_on;

static void block(struct kunit *test)
{
	complete(&putting);
	wait_for_completion(&go_on);
}

/* It waits for a lock of others, as that of the exporter of an import. */
static void a_task_that_blocks_does_not_stop_the_others(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = zombies(dev, 1);
	struct mock_thread trimmer;
	struct mock_fence *fence;

	init_completion(&putting);
	init_completion(&go_on);
	dev->putting = block;
	mock_thread_create(&trimmer, test, trim);
	mock_thread_start(&trimmer);
	wait_for_completion(&putting);

	fence = bury(channel, 'x');
	mock_signal(fence);
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "ax");
	/* At a release, too. */
	fence = bury(channel, 'y');
	mock_signal(fence);
	bury(channel, 'z');
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "axy");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "xy");

	complete(&go_on);
	mock_thread_join(&trimmer);
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "xya");
}

/* The fence of a buffer that goes with another signals after its end has looked at it. */
static void signal_first(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *last;

	last = list_last_entry(&dev->channels, typeof(*last), entry);
	mock_signal(mock_first(last));
}

static void signal_at_the_second_look(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	dev->sampled = signal_first;
}

static void prepare_next(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	dev->sampled = signal_at_the_second_look;
	dev->putting = prepare_next;
}

/* Each takes the next one with it, which could go at once. */
static void the_end_of_one_may_be_that_of_many(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *first = mock_bo_create(dev, 'x'), *last = first;
	int i;

	mock_submit(channel, first);
	for (i = 1; i < 100; i++) {
		last->next = mock_bo_create(dev, 'x');
		last = last->next;
		mock_submit(channel, last);
	}
	mock_bo_put(first);
	signal_first(test);

	ttm_fence_lru_set_limit(&dev->lru, ANY, 0);
	dev->putting = prepare_next;
	/* One after the other, not one within the other. */
	for (i = 1; i <= 100; i++) {
		ttm_fence_lru_trim(&dev->lru);
		KUNIT_EXPECT_EQ(test, i, strlen(dev->destroyed));
	}
	dev->putting = NULL;
}

static void trim_again(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	KUNIT_EXPECT_EQ(test, 8, strlen(dev->cleaned));
	ttm_fence_lru_trim(&dev->lru);
	KUNIT_EXPECT_EQ(test, 8, strlen(dev->cleaned));
}

/* A buffer may take another with it, whose release comes here again. */
static void it_does_not_call_itself(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	zombies(dev, 20);
	dev->putting = trim_again;
	ttm_fence_lru_trim(&dev->lru);
	dev->putting = NULL;
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
	KUNIT_CASE(one_call_looks_at_only_some_nodes),
	KUNIT_CASE(one_call_passes_only_some_zombies),
	KUNIT_CASE(one_call_looks_at_only_some_channels),
	KUNIT_CASE(each_channel_comes_in_its_turn),
	KUNIT_CASE(a_channel_that_signals_late_is_seen),
	KUNIT_CASE(leftovers_beyond_the_limit_are_tried),
	KUNIT_CASE(trimming_tries_some_leftovers),
	KUNIT_CASE(an_import_of_a_channel_goes_beyond_the_limit),
	KUNIT_CASE(it_waits_for_nobody),
	KUNIT_CASE(a_task_that_blocks_does_not_stop_the_others),
	KUNIT_CASE(it_does_not_call_itself),
	KUNIT_CASE(the_end_of_one_may_be_that_of_many),
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
