// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Release, in every state that a buffer can be in.
 */
#include "mock.h"

static void an_idle_buffer_is_released_at_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	mock_bo_put(mock_bo_create(dev, 'x'));
	EXPECT_STATE(dev, "", "x");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.deferred);
}

/* Nobody has reclaimed since: release looks itself. */
static void
a_buffer_whose_fences_have_signaled_is_released_at_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(first, x)->done = true;
	mock_submit(second, x)->done = true;
	mock_bo_put(x);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(first, "");
	EXPECT_NODES(second, "");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.deferred);
}

/*
 *   node 1: alive A x
 *   node 1: alive A, zombies x
 */
static void a_busy_buffer_becomes_a_zombie(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	EXPECT_NODES(channel, "xA");

	mock_bo_put(x);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(channel, "A/x");
	KUNIT_EXPECT_EQ(test, 1, kref_read(&x->kref));
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.zombies.count);
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_BURIED));
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES,
			ttm_fence_lru_dead_bytes(&dev->lru, 1));
	KUNIT_EXPECT_EQ(test, 1, channel->base.nr_zombies[1]);

	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "");

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "x");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.zombies.count);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_dead_bytes(&dev->lru, 1));
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.deferred);
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES, dev->lru.stats.peak_bytes);
	KUNIT_EXPECT_EQ(test, 0, channel->base.nr_zombies[1]);
}

/* Rule: a zombie has the reference of the list that it is on, however many links. */
static void a_zombie_has_one_reference(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *sooner = mock_submit(first, x);
	struct mock_fence *later = mock_submit(second, x);

	mock_bo_put(x);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&x->kref));

	mock_signal(later);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(first, "/x");
	EXPECT_NODES(second, "");
	KUNIT_EXPECT_EQ(test, 1, kref_read(&x->kref));

	mock_signal(sooner);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "", "");
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_RIPE));
	KUNIT_EXPECT_EQ(test, 1, kref_read(&x->kref));

	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "x");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
}

static void a_zombie_keeps_no_link_whose_fence_has_signaled(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence;

	mock_submit(first, x)->done = true;
	fence = mock_submit(second, x);
	mock_bo_put(x);
	EXPECT_NODES(first, "");
	EXPECT_NODES(second, "/x");
	KUNIT_EXPECT_EQ(test, 1, kref_read(&x->kref));
	mock_signal(fence);
}

/* The engine's lists are an index: the owner's own check has the last word. */
static void memory_waits_for_a_fence_of_no_channel(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_bo *y = mock_bo_create(dev, 'y');
	struct mock_fence *foreign;

	foreign = mock_fence_create(dev, dma_fence_context_alloc(1), 1);
	mock_bo_use(x, foreign);
	mock_bo_put(x);
	EXPECT_STATE(dev, "yx", "");
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_LEFTOVER));
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.zombies.count);
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.deferred);

	mock_bo_use(y, foreign);
	mock_submit(channel, y)->done = true;
	mock_bo_put(y);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "xy", "");
	KUNIT_EXPECT_EQ(test, 1, dev->lru.dead[1].nr_blocked);
	KUNIT_EXPECT_EQ(test, 0, dev->lru.dead[1].nr_locked);
	KUNIT_EXPECT_EQ(test, 2, ttm_fence_lru_drain(&dev->lru));

	mock_signal(foreign);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "xy");
	KUNIT_EXPECT_EQ(test, 0, mock_dead(dev, TTM_FENCE_LRU_LEFTOVER));
}

static void a_zombie_that_cannot_be_locked_is_not_lost(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_bo *y = mock_bo_create(dev, 'y');

	x->locked = true;
	mock_bo_put(x);
	EXPECT_STATE(dev, "yx", "");

	y->locked = true;
	mock_submit(channel, y);
	mock_bo_put(y);
	mock_signal(container_of(y->fences.fences[0], struct mock_fence, base));
	mock_reclaim(dev);
	EXPECT_STATE(dev, "xy", "");
	KUNIT_EXPECT_EQ(test, 2, mock_dead(dev, TTM_FENCE_LRU_LEFTOVER));

	y->locked = false;
	KUNIT_EXPECT_EQ(test, 1, ttm_fence_lru_drain(&dev->lru));
	EXPECT_STATE(dev, "x", "y");

	x->locked = false;
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "yx");
}

/*
 * Somebody found the zombie, took a reference and released its memory: an eviction. The
 * reference of the list is theirs, too.
 */
static void a_zombie_may_be_released_by_another(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');

	x->locked = true;
	mock_bo_put(x);
	kref_get(&x->kref);
	mock_bo_clean(x);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_cleaned(&dev->lru, &x->base));
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.zombies.count);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_cleaned(&dev->lru, &x->base));
	x->locked = false;

	ttm_fence_lru_drain(&dev->lru);
	mock_bo_put(x);
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "");
	mock_bo_put(x);
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
	EXPECT_STATE(dev, "", "x");
}

/* Another held a reference while it was drained, and dropped it last. */
static void an_import_is_destroyed_only_in_a_drain(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');

	x->import = true;
	x->locked = true;
	mock_bo_put(x);
	kref_get(&x->kref);
	x->locked = false;
	ttm_fence_lru_drain(&dev->lru);
	EXPECT_STATE(dev, "", "x");

	mock_bo_put(x);
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "");
	KUNIT_EXPECT_EQ(test, 1, mock_dead(dev, TTM_FENCE_LRU_LEFTOVER));
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.zombies.bytes);

	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_drain(&dev->lru));
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
	EXPECT_STATE(dev, "", "x");
}

static void drain_releases_all_that_has_signaled(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = NULL;
	struct mock_bo *x;
	int i;

	for (i = 0; i < 100; i++) {
		x = mock_bo_create(dev, 'x');
		if (i % 10 == 0)
			fence = mock_emit(channel);
		mock_bo_use(x, fence);
		mock_bo_put(x);
		if (i < 70)
			mock_signal(fence);
	}
	KUNIT_EXPECT_EQ(test, 30, ttm_fence_lru_drain(&dev->lru));
	mock_check(dev);
}

static void drain_takes_as_many_batches_as_it_needs(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *x;
	int i;

	for (i = 0; i < 100; i++) {
		x = mock_bo_create(dev, 'x');
		mock_bo_use(x, fence);
		mock_bo_put(x);
	}
	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_drain(&dev->lru));
	KUNIT_EXPECT_EQ(test, 100, strlen(dev->destroyed));
	KUNIT_EXPECT_EQ(test, 100, dev->lru.stats.deferred);
	KUNIT_EXPECT_EQ(test, 100 * MOCK_BO_BYTES, dev->lru.stats.peak_bytes);
	mock_check(dev);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_idle_buffer_is_released_at_once),
	KUNIT_CASE(a_buffer_whose_fences_have_signaled_is_released_at_once),
	KUNIT_CASE(a_busy_buffer_becomes_a_zombie),
	KUNIT_CASE(a_zombie_has_one_reference),
	KUNIT_CASE(a_zombie_keeps_no_link_whose_fence_has_signaled),
	KUNIT_CASE(memory_waits_for_a_fence_of_no_channel),
	KUNIT_CASE(a_zombie_that_cannot_be_locked_is_not_lost),
	KUNIT_CASE(a_zombie_may_be_released_by_another),
	KUNIT_CASE(an_import_is_destroyed_only_in_a_drain),
	KUNIT_CASE(drain_releases_all_that_has_signaled),
	KUNIT_CASE(drain_takes_as_many_batches_as_it_needs),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_release",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
