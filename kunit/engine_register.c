// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Registration: what it refuses changes nothing.
 */
#include <kunit/static_stub.h>

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

/* A buffer counts its links in 16 bits. */
static void too_many_channels_are_refused(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	dev->lru.nr_channels += U16_MAX;
	refused(dev, -ENOSPC);
	dev->lru.nr_channels -= U16_MAX;
	mock_check(dev);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_channel_for_which_there_is_no_memory_is_refused),
	KUNIT_CASE(too_many_channels_are_refused),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_register",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
