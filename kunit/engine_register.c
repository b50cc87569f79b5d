// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Registration: what it refuses changes nothing.
 */
#include <kunit/static_stub.h>

#include <linux/rcupdate.h>

#include "../ttm_fence_lru/internal.h"
#include "mock.h"

static struct ttm_fence_lru_head *no_heap(unsigned int size)
{
	return NULL;
}

/* One that was refused, and can be had once there is room. */
static void refused(struct mock_device *dev, int error)
{
	struct ttm_fence_lru_channel *channel;
	u64 context = dma_fence_context_alloc(1);

	channel = kunit_kzalloc(dev->test, sizeof(*channel), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(dev->test, channel);
	KUNIT_EXPECT_EQ(dev->test, error,
			ttm_fence_lru_channel_register(&dev->lru, channel,
						       context));
}

static void
a_channel_for_which_there_is_no_memory_is_refused(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel;
	int i;

	kunit_activate_static_stub(test, ttm_fence_lru_heap_alloc, no_heap);
	refused(dev, -ENOMEM);
	KUNIT_EXPECT_EQ(test, 0, dev->lru.nr_channels);
	kunit_deactivate_static_stub(test, ttm_fence_lru_heap_alloc);

	/* The heap has room for these; those that live go on when it cannot grow. */
	channel = mock_channel_create(dev);
	for (i = 1; i < dev->lru.heap_size; i++)
		mock_channel_create(dev);
	kunit_activate_static_stub(test, ttm_fence_lru_heap_alloc, no_heap);
	refused(dev, -ENOMEM);
	mock_submit(channel, mock_bo_create(dev, 'A'))->done = true;
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "");
}

/*
 * The driver keeps each for a grace period: one after all of them will do. Some pass by
 * themselves meanwhile.
 */
static void
unregistering_many_channels_waits_for_none_of_them(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel;
	unsigned int grace_periods = 0;
	unsigned long state;
	int i;

	for (i = 0; i < 4096; i++)
		mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'A'))
			->done = true;

	list_for_each_entry(channel, &dev->channels, entry) {
		state = get_state_synchronize_rcu();
		mock_channel_unregister(channel);
		grace_periods += poll_state_synchronize_rcu(state);
	}
	KUNIT_EXPECT_LT(test, grace_periods, 4096 / 8);
	KUNIT_EXPECT_EQ(test, 0, dev->lru.nr_channels);
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.busy);
	mock_check(dev);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_channel_for_which_there_is_no_memory_is_refused),
	KUNIT_CASE(unregistering_many_channels_waits_for_none_of_them),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_register",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
