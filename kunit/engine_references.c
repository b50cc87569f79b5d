// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Who holds a buffer, when its memory goes, and when the buffer itself.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>

#include "mock.h"

static void an_alive_buffer_is_not_held(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	mock_submit(first, a);
	mock_submit(second, a);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&a->kref));
}

static void a_leftover_has_one_reference(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(first, x);
	mock_submit(second, x);
	mock_bo_put(x);
	mock_signal(mock_first(first));
	mock_signal(mock_first(second));
	x->locked = true;
	mock_reclaim(dev);
	EXPECT_STATE(dev, "x", "");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.leftover);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&x->kref));
	x->locked = false;
}

/* There is no worker, and no timer. */
static void nothing_happens_before_somebody_reclaims(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	mock_bo_put(x);
	mock_signal(fence);
	dma_fence_signal(&fence->base);
	msleep(50);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(channel, "A/x");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.zombies);
}

/* A reference that is dropped may take locks of others; memory must not wait for that. */
static const struct ttm_fence_lru_ops *sound;
static unsigned int put_too_early;

static void late_put(struct ttm_fence_lru_bo *bo, enum ttm_fence_lru_site site)
{
	struct mock_device *dev = container_of(bo, struct mock_bo, base)->dev;

	put_too_early += strlen(dev->cleaned) < 3;
	sound->put(bo, site);
}

static void memory_goes_before_references(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct ttm_fence_lru_ops ops = *dev->lru.ops;
	struct mock_bo *bo;
	int i;

	for (i = 0; i < 3; i++) {
		bo = mock_bo_create(dev, "xyz"[i]);
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
	mock_signal(fence);

	sound = dev->lru.ops;
	ops.put = late_put;
	put_too_early = 0;
	dev->lru.ops = &ops;
	mock_reclaim(dev);
	dev->lru.ops = sound;
	KUNIT_EXPECT_EQ(test, 0, put_too_early);
	EXPECT_STATE(dev, "", "xyz");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "xyz");
}

/* Those that stay go to the end of the list, so that others are tried next. */
static void polling_tries_as_many_as_its_budget_in_turn(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *bos[3];
	int i;

	for (i = 0; i < 3; i++) {
		bos[i] = mock_bo_create(dev, "xyz"[i]);
		bos[i]->locked = true;
		mock_bo_put(bos[i]);
	}
	EXPECT_STATE(dev, "xyz", "");
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_poll(&dev->lru, 1));
	EXPECT_STATE(dev, "yzx", "");

	for (i = 0; i < 3; i++)
		bos[i]->locked = false;
	KUNIT_EXPECT_EQ(test, 2 * MOCK_BO_BYTES,
			ttm_fence_lru_poll(&dev->lru, 2));
	EXPECT_STATE(dev, "x", "yz");
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES, ttm_fence_lru_poll(&dev->lru, 9));
	EXPECT_STATE(dev, "", "yzx");
}

/* On a busy machine it may take a few attempts. */
static bool settles_at_once(struct mock_device *dev)
{
	unsigned long start;
	int i;

	for (i = 0; i < 10; i++) {
		start = jiffies;
		ttm_fence_lru_settle(&dev->lru);
		if (time_before(jiffies, start + HZ / 10))
			return true;
	}
	return false;
}

/* It waits for what had begun when it came, and not for long. */
static void settling_comes_to_an_end(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	unsigned long start;

	KUNIT_EXPECT_TRUE(test, settles_at_once(dev));

	/* Somebody has begun to release memory, and is held up. */
	start = jiffies;
	atomic_inc(&dev->lru.releasing);
	ttm_fence_lru_settle(&dev->lru);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, start + HZ / 10));
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, start + 5 * HZ));

	atomic_inc(&dev->lru.released);
	KUNIT_EXPECT_TRUE(test, settles_at_once(dev));
}

/* What reclaim finds idle is in the order of reclaims, whatever was emitted when. */
static void across_reclaims_the_earlier_reclaim_comes_first(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *late = mock_submit(first, mock_bo_create(dev, 'A'));

	mock_submit(second, mock_bo_create(dev, 'B'))->done = true;
	mock_reclaim(dev);
	mock_signal(late);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "BA", "");
}

/* A node lives as long as a buffer is on it: so there are no more nodes than links. */
static void there_are_no_more_nodes_than_links(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *b = mock_bo_create(dev, 'B');
	int i;

	for (i = 0; i < 20; i++) {
		mock_submit(channel, a);
		mock_submit(channel, b);
		KUNIT_EXPECT_LE(test, list_count_nodes(&channel->base.nodes),
				2);
	}
	EXPECT_NODES(channel, "A B");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_alive_buffer_is_not_held),
	KUNIT_CASE(a_leftover_has_one_reference),
	KUNIT_CASE(nothing_happens_before_somebody_reclaims),
	KUNIT_CASE(memory_goes_before_references),
	KUNIT_CASE(polling_tries_as_many_as_its_budget_in_turn),
	KUNIT_CASE(settling_comes_to_an_end),
	KUNIT_CASE(across_reclaims_the_earlier_reclaim_comes_first),
	KUNIT_CASE(there_are_no_more_nodes_than_links),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_references",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
