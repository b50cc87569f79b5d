// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Several channels: the order in which buffers become idle.
 */
#include <linux/jiffies.h>
#include <linux/prandom.h>

#include "mock.h"

/*
 *   channel 0:  A(1)      B(4)
 *   channel 1:       C(2)      D(5)
 *   channel 2:            E(3)      F(6)
 */
static void buffers_become_idle_in_order_of_emission(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channels[3];
	int i;

	for (i = 0; i < 3; i++)
		channels[i] = mock_channel_create(dev);
	for (i = 0; i < 6; i++)
		mock_submit(channels[i % 3], mock_bo_create(dev, "ACEBDF"[i]))
			->done = true;

	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "ACEBDF", "");
}

/* The second channel is held up at 2, so 4 must wait, and 3 of the first need not. */
static void each_channel_stops_at_its_own_frontier(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *held;

	mock_submit(first, mock_bo_create(dev, 'A'))->done = true;
	held = mock_submit(second, mock_bo_create(dev, 'B'));
	mock_submit(first, mock_bo_create(dev, 'C'))->done = true;
	mock_submit(second, mock_bo_create(dev, 'D'));

	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "AC", "");
	EXPECT_NODES(second, "B D");

	mock_signal(held);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "ACB", "");
}

/* On two channels: idle only when both have signaled, and placed by the later. */
static void a_buffer_on_two_channels_goes_with_the_last(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *fence;

	mock_submit(first, a)->done = true;
	mock_submit(first, mock_bo_create(dev, 'B'))->done = true;
	fence = mock_submit(second, a);
	mock_submit(first, mock_bo_create(dev, 'C'))->done = true;
	EXPECT_NODES(first, "A B C");
	EXPECT_NODES(second, "A");

	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "BC", "");
	KUNIT_EXPECT_EQ(test, 1, a->base.nr_links);

	mock_signal(fence);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "BCA", "");
}

static void in_one_retire_the_later_link_decides(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	mock_submit(first, a)->done = true;
	mock_submit(first, mock_bo_create(dev, 'B'))->done = true;
	mock_submit(second, a)->done = true;
	mock_submit(first, mock_bo_create(dev, 'C'))->done = true;

	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "BAC", "");
}

/* B was seen signaled first, though A was emitted before; so was C, but after B. */
static void across_retires_the_earlier_retire_comes_first(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *fence;

	fence = mock_submit(first, mock_bo_create(dev, 'A'));
	mock_submit(second, mock_bo_create(dev, 'B'))->done = true;
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "B", "");

	mock_submit(second, mock_bo_create(dev, 'C'))->done = true;
	mock_submit(first, mock_bo_create(dev, 'D'))->done = true;
	mock_signal(fence);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "BACD", "");
}

/* It lets only zombies go: B was used before C, whatever it has seen of C's channel. */
static void a_sweep_does_not_change_the_order(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence, *dead;

	ttm_fence_lru_set_limit(&dev->lru, 1, 0);
	mock_submit(second, mock_bo_create(dev, 'A'))->done = true;
	fence = mock_submit(first, mock_bo_create(dev, 'B'));
	mock_submit(second, mock_bo_create(dev, 'C'))->done = true;
	dead = mock_submit(second, x);
	mock_bo_put(x);
	mock_submit(second, mock_bo_create(dev, 'D'))->done = true;
	EXPECT_NODES(second, "A C /x D");
	mock_signal(dead);

	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(second, "A C D");
	mock_signal(fence);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "ABCD", "x");
}

static void a_hung_channel_holds_up_no_other(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *hung = mock_channel_create(dev);
	struct mock_channel *healthy = mock_channel_create(dev);
	struct mock_bo *x;
	int i;

	mock_submit(hung, mock_bo_create(dev, 'A'));
	for (i = 0; i < 20; i++) {
		x = mock_bo_create(dev, 'h');
		mock_submit(hung, x);
		mock_bo_put(x);
	}
	for (i = 0; i < 100; i++) {
		x = mock_bo_create(dev, 'x');
		mock_submit(healthy, x);
		mock_bo_put(x);
	}
	KUNIT_EXPECT_EQ(test, 120, dev->lru.stats.zombies.count);

	while (!list_empty(&healthy->base.nodes)) {
		mock_signal(mock_first(healthy));
		mock_reclaim(dev);
	}
	KUNIT_EXPECT_EQ(test, 20, dev->lru.stats.zombies.count);
	KUNIT_EXPECT_EQ(test, 100, strlen(dev->destroyed));
	mock_check(dev);
}

/* More than are retired in one go. */
static void a_node_may_have_any_number_of_buffers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	char expected[301] = {};
	int i;

	for (i = 0; i < 300; i++) {
		expected[i] = 'A' + i % 58;
		mock_bo_use(mock_bo_create(dev, expected[i]), fence);
	}
	mock_signal(fence);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, expected, "");
	EXPECT_NODES(channel, "");
}

/* How many fences there are to wait for; the first of them is put into @first. */
static unsigned int frontiers_of(struct mock_device *dev,
				 struct ttm_fence_lru_due *due,
				 struct dma_fence **first)
{
	struct dma_fence *fences[2] = {};
	unsigned int count, i;

	count = ttm_fence_lru_frontiers(&dev->lru, due, fences, 2);
	*first = fences[0];
	for (i = 0; i < count; i++)
		dma_fence_put(fences[i]);
	return count;
}

static unsigned int frontiers(struct mock_device *dev, unsigned int type,
			      u64 last_seq, struct dma_fence **first)
{
	struct ttm_fence_lru_due due = {
		.type = type,
		.last_seq = last_seq,
		.patience = HZ,
	};

	return frontiers_of(dev, &due, first);
}

static void frontiers_are_those_that_hold_such_zombies(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	unsigned int any = TTM_FENCE_LRU_ANY_TYPE;
	struct mock_fence *dead;
	struct dma_fence *fence;

	mock_submit(first, mock_bo_create(dev, 'A'));
	dead = mock_submit(second, x);
	mock_bo_put(x);

	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, 1, U64_MAX, &fence));
	KUNIT_EXPECT_PTR_EQ(test, &dead->base, fence);
	KUNIT_EXPECT_EQ(test, 0, frontiers(dev, 2, U64_MAX, &fence));
	KUNIT_EXPECT_EQ(test, 2, frontiers(dev, any, U64_MAX, &fence));
}

static void frontiers_are_no_more_than_there_is_room_for(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	unsigned int any = TTM_FENCE_LRU_ANY_TYPE;
	struct dma_fence *fence;
	int i;

	KUNIT_EXPECT_EQ(test, 0, frontiers(dev, any, U64_MAX, &fence));
	for (i = 0; i < 3; i++) {
		mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'A'));
		KUNIT_EXPECT_EQ(test, min(i + 1, 2),
				frontiers(dev, any, U64_MAX, &fence));
	}
}

/* A caller that waits until all that was there when it came has signaled comes to an end. */
static void frontiers_end_where_one_began(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *old = mock_submit(channel, mock_bo_create(dev, 'A'));
	u64 last_seq = ttm_fence_lru_emitted(&dev->lru);
	unsigned int any = TTM_FENCE_LRU_ANY_TYPE;
	struct dma_fence *fence;

	mock_submit(channel, mock_bo_create(dev, 'B'));
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, last_seq, &fence));

	mock_signal(old);
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, 0, frontiers(dev, any, last_seq, &fence));
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, U64_MAX, &fence));
}

static void frontiers_are_of_no_late_channel(struct kunit *test)
{
	struct ttm_fence_lru_due due = {
		.type = 1,
		.last_seq = U64_MAX,
		.patience = HZ,
	};
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_bo *y = mock_bo_create(dev, 'y');
	struct dma_fence *fence;

	mock_submit(second, y);
	mock_submit(first, x);
	mock_bo_put(x);
	mock_bo_put(y);
	KUNIT_EXPECT_EQ(test, 2, frontiers_of(dev, &due, &fence));
	/* Whose zombies hold how much nobody has counted. */
	KUNIT_EXPECT_EQ(test, 0, due.bytes);

	second->base.waiting_since = jiffies - HZ;
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
	due.type = TTM_FENCE_LRU_ANY_TYPE;
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
}

/* Time goes by since the first wait for what the channel is at. */
static void wait_in_vain(struct mock_channel *channel, unsigned long time)
{
	channel->base.waiting_since -= time;
}

static void a_late_channel_stays_late_until_it_goes_on(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *hung = mock_channel_create(dev);
	struct mock_channel *healthy = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	unsigned int any = TTM_FENCE_LRU_ANY_TYPE;
	struct dma_fence *fence;
	struct mock_fence *other, *stuck;

	mock_submit(hung, a);
	other = mock_submit(healthy, mock_bo_create(dev, 'B'));
	KUNIT_EXPECT_EQ(test, 2, frontiers(dev, any, U64_MAX, &fence));
	wait_in_vain(hung, HZ);
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, U64_MAX, &fence));
	KUNIT_EXPECT_PTR_EQ(test, &other->base, fence);

	/* A new fence behind the one that hangs is no news, nor is it a new client's. */
	stuck = mock_submit(hung, a);
	EXPECT_NODES(hung, "A");
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, U64_MAX, &fence));
	KUNIT_EXPECT_PTR_EQ(test, &other->base, fence);
	mock_submit(hung, mock_bo_create(dev, 'C'));
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, U64_MAX, &fence));

	/* It goes on. */
	mock_signal(stuck);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "A", "");
	KUNIT_EXPECT_EQ(test, 2, frontiers(dev, any, U64_MAX, &fence));
}

/* The time that one has waited for it counts for others, too, and but once. */
static void parallel_waits_count_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	unsigned int any = TTM_FENCE_LRU_ANY_TYPE;
	struct dma_fence *fence;
	unsigned long since;

	mock_submit(channel, x);
	mock_bo_put(x);
	mock_submit(channel, mock_bo_create(dev, 'A'));
	KUNIT_EXPECT_NULL(test, channel->base.waiting_for);

	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, U64_MAX, &fence));
	wait_in_vain(channel, HZ / 2);
	since = channel->base.waiting_since;
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, 1, U64_MAX, &fence));
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, U64_MAX, &fence));
	KUNIT_EXPECT_EQ(test, since, channel->base.waiting_since);
	wait_in_vain(channel, HZ / 2);
	KUNIT_EXPECT_EQ(test, 0, frontiers(dev, 1, U64_MAX, &fence));
}

static void each_caller_has_its_own_patience(struct kunit *test)
{
	struct ttm_fence_lru_due due = {
		.type = TTM_FENCE_LRU_ANY_TYPE,
		.last_seq = U64_MAX,
		.patience = 2 * HZ,
	};
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct dma_fence *fence;

	mock_submit(channel, mock_bo_create(dev, 'A'));
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
	wait_in_vain(channel, HZ);
	KUNIT_EXPECT_EQ(test, 0, frontiers(dev, due.type, U64_MAX, &fence));
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
	wait_in_vain(channel, HZ);
	KUNIT_EXPECT_EQ(test, 0, frontiers_of(dev, &due, &fence));
	due.patience = MAX_JIFFY_OFFSET;
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
}

/* A channel for which nobody waits is not late, however long it takes. */
static void who_is_not_waited_for_is_not_late(struct kunit *test)
{
	struct ttm_fence_lru_due due = {
		.type = 1,
		.last_seq = U64_MAX,
		.patience = 0,
	};
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct dma_fence *fence;

	mock_submit(channel, mock_bo_create(dev, 'A'));
	KUNIT_EXPECT_EQ(test, 0, frontiers_of(dev, &due, &fence));
	KUNIT_EXPECT_NULL(test, channel->base.waiting_for);
	due.type = TTM_FENCE_LRU_ANY_TYPE;
	due.last_seq = 0;
	KUNIT_EXPECT_EQ(test, 0, frontiers_of(dev, &due, &fence));
	KUNIT_EXPECT_NULL(test, channel->base.waiting_for);
	due.last_seq = U64_MAX;
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
	/* Once waited for, it is late to those without patience. */
	KUNIT_EXPECT_EQ(test, 0, frontiers_of(dev, &due, &fence));
}

/* Many buffers on many channels, signaled at random: the order of those that can be told. */
static void the_order_is_that_of_a_sort(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	unsigned int seed = mock_seed(test);
	struct mock_channel *channels[13];
	struct mock_fence **fences;
	u8 on[200], frontier[13] = {};
	char expected[201] = {};
	struct rnd_state rnd;
	int i, c, count = 0;

	prandom_seed_state(&rnd, seed);
	fences = kunit_kcalloc(test, 200, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);

	for (c = 0; c < 13; c++)
		channels[c] = mock_channel_create(dev);
	for (i = 0; i < 200; i++) {
		on[i] = prandom_u32_state(&rnd) % 13;
		fences[i] = mock_submit(channels[on[i]],
					mock_bo_create(dev, 'A' + i % 58));
	}
	/* Each channel signals up to a place of its own. */
	for (i = 0; i < 200; i++) {
		if (!frontier[on[i]] && prandom_u32_state(&rnd) % 10)
			mock_signal(fences[i]);
		else
			frontier[on[i]] = 1;
		if (!frontier[on[i]])
			expected[count++] = 'A' + i % 58;
	}
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, expected, "");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(buffers_become_idle_in_order_of_emission),
	KUNIT_CASE(each_channel_stops_at_its_own_frontier),
	KUNIT_CASE(a_buffer_on_two_channels_goes_with_the_last),
	KUNIT_CASE(in_one_retire_the_later_link_decides),
	KUNIT_CASE(across_retires_the_earlier_retire_comes_first),
	KUNIT_CASE(a_sweep_does_not_change_the_order),
	KUNIT_CASE(a_hung_channel_holds_up_no_other),
	KUNIT_CASE(frontiers_are_those_that_hold_such_zombies),
	KUNIT_CASE(a_node_may_have_any_number_of_buffers),
	KUNIT_CASE(frontiers_are_no_more_than_there_is_room_for),
	KUNIT_CASE(frontiers_end_where_one_began),
	KUNIT_CASE(frontiers_are_of_no_late_channel),
	KUNIT_CASE(a_late_channel_stays_late_until_it_goes_on),
	KUNIT_CASE(parallel_waits_count_once),
	KUNIT_CASE(each_caller_has_its_own_patience),
	KUNIT_CASE(who_is_not_waited_for_is_not_late),
	KUNIT_CASE(the_order_is_that_of_a_sort),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_merge",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
