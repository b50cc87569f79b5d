// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Several channels: the order in which buffers become idle.
 */
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

	mock_reclaim(dev);
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

	mock_reclaim(dev);
	EXPECT_STATE(dev, "AC", "");
	EXPECT_NODES(second, "B D");

	mock_signal(held);
	mock_reclaim(dev);
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

	mock_reclaim(dev);
	EXPECT_STATE(dev, "BC", "");
	KUNIT_EXPECT_EQ(test, 1, a->base.nr_links);

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "BCA", "");
}

static void in_one_reclaim_the_later_link_decides(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	mock_submit(first, a)->done = true;
	mock_submit(first, mock_bo_create(dev, 'B'))->done = true;
	mock_submit(second, a)->done = true;
	mock_submit(first, mock_bo_create(dev, 'C'))->done = true;

	mock_reclaim(dev);
	EXPECT_STATE(dev, "BAC", "");
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
	KUNIT_EXPECT_EQ(test, 120, dev->lru.stats.zombies);

	while (!list_empty(&healthy->base.nodes)) {
		mock_signal(mock_first(healthy));
		mock_reclaim(dev);
	}
	KUNIT_EXPECT_EQ(test, 20, dev->lru.stats.zombies);
	KUNIT_EXPECT_EQ(test, 100, strlen(dev->destroyed));
	mock_check(dev);
}

/* Rule: an allocation never pays for much more than it needs. */
static void a_step_stops_at_its_budget(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bo;
	u64 released;
	int i;

	for (i = 0; i < 5; i++) {
		bo = mock_bo_create(dev, "vwxyz"[i]);
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
	mock_signal(fence);

	KUNIT_EXPECT_FALSE(test, mock_reclaim_step(&dev->lru, 2, &released));
	KUNIT_EXPECT_EQ(test, 2 * MOCK_BO_BYTES, released);
	EXPECT_STATE(dev, "", "vw");
	EXPECT_NODES(channel, "/xyz");

	KUNIT_EXPECT_FALSE(test, mock_reclaim_step(&dev->lru, 2, &released));
	EXPECT_STATE(dev, "", "vwxy");

	KUNIT_EXPECT_TRUE(test, mock_reclaim_step(&dev->lru, 2, &released));
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES, released);
	EXPECT_STATE(dev, "", "vwxyz");
	EXPECT_NODES(channel, "");
}

/* More than are retired in one go. */
static void a_node_may_have_any_number_of_buffers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	char expected[301] = {};
	u64 released;
	int i;

	for (i = 0; i < 300; i++) {
		expected[i] = 'A' + i % 58;
		mock_bo_use(mock_bo_create(dev, expected[i]), fence);
	}
	mock_signal(fence);
	KUNIT_EXPECT_TRUE(test, mock_reclaim_step(&dev->lru, 1, &released));
	KUNIT_EXPECT_EQ(test, 0, released);
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
	struct ttm_fence_lru_due due = { .type = type, .last_seq = last_seq };

	return frontiers_of(dev, &due, first);
}

static void frontiers_are_those_that_hold_such_zombies(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *alive = mock_submit(first, mock_bo_create(dev, 'A'));
	struct mock_fence *dead = mock_submit(second, x);
	u64 last_seq = ttm_fence_lru_emitted(&dev->lru);
	unsigned int any = TTM_FENCE_LRU_ANY_TYPE;
	struct dma_fence *fence;

	mock_bo_put(x);

	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, 1, last_seq, &fence));
	KUNIT_EXPECT_PTR_EQ(test, &dead->base, fence);
	KUNIT_EXPECT_EQ(test, 0, frontiers(dev, 2, last_seq, &fence));
	KUNIT_EXPECT_EQ(test, 2, frontiers(dev, any, last_seq, &fence));
	KUNIT_EXPECT_PTR_EQ(test, &alive->base, fence);
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

/* Who waits until all that was there when it came has signaled comes to an end. */
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
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 0, frontiers(dev, any, last_seq, &fence));
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, U64_MAX, &fence));
}

/* Of those that are waited for. */
static void frontiers_tell_what_their_zombies_hold(struct kunit *test)
{
	struct ttm_fence_lru_due due = { .type = 1, .last_seq = U64_MAX };
	struct mock_device *dev = test->priv;
	struct mock_channel *late = mock_channel_create(dev);
	struct mock_channel *other = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_bo *y = mock_bo_create(dev, 'y');
	struct mock_bo *z = mock_bo_create(dev, 'z');
	struct dma_fence *fence;
	u64 first_seq;

	/* The later one first, in the list of channels and in that of emission. */
	mock_submit(other, y);
	first_seq = ttm_fence_lru_emitted(&dev->lru);
	mock_submit(late, x);
	mock_submit(other, z);
	mock_submit(other, mock_bo_create(dev, 'A'));

	KUNIT_EXPECT_EQ(test, 0, frontiers_of(dev, &due, &fence));
	KUNIT_EXPECT_EQ(test, 0, due.bytes);
	KUNIT_EXPECT_EQ(test, 0, due.first_seq);

	mock_bo_put(x);
	mock_bo_put(y);
	mock_bo_put(z);
	KUNIT_EXPECT_EQ(test, 2, frontiers_of(dev, &due, &fence));
	KUNIT_EXPECT_EQ(test, 3 * MOCK_BO_BYTES, due.bytes);
	KUNIT_EXPECT_EQ(test, first_seq, due.first_seq);

	due.after_seq = first_seq;
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES, due.bytes);
	KUNIT_EXPECT_EQ(test, first_seq + 1, due.first_seq);

	due.type = TTM_FENCE_LRU_ANY_TYPE;
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
	KUNIT_EXPECT_EQ(test, 0, due.bytes);
}

/* Who waited in vain for what was there then leaves out a channel until it is past that. */
static void frontiers_begin_where_one_ended(struct kunit *test)
{
	struct ttm_fence_lru_due due = { .type = TTM_FENCE_LRU_ANY_TYPE,
					 .last_seq = U64_MAX };
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_fence *late = mock_submit(channel, a), *next;
	struct dma_fence *fence;

	due.after_seq = ttm_fence_lru_emitted(&dev->lru);
	next = mock_submit(channel, mock_bo_create(dev, 'B'));
	KUNIT_EXPECT_EQ(test, 0, frontiers_of(dev, &due, &fence));
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, due.type, U64_MAX, &fence));

	mock_signal(late);
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 1, frontiers_of(dev, &due, &fence));
	KUNIT_EXPECT_PTR_EQ(test, &next->base, fence);
}

static void a_stalled_channel_is_waited_for_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *hung = mock_channel_create(dev);
	struct mock_channel *healthy = mock_channel_create(dev);
	struct mock_fence *stuck = mock_submit(hung, mock_bo_create(dev, 'A'));
	u64 last_seq = ttm_fence_lru_emitted(&dev->lru);
	unsigned int any = TTM_FENCE_LRU_ANY_TYPE;
	struct mock_fence *other;
	struct dma_fence *fence;

	mock_channel_create(dev);
	other = mock_submit(healthy, mock_bo_create(dev, 'B'));
	ttm_fence_lru_stall(&dev->lru, last_seq);
	KUNIT_EXPECT_EQ(test, 1, frontiers(dev, any, U64_MAX, &fence));
	KUNIT_EXPECT_PTR_EQ(test, &other->base, fence);

	/* It goes on: reclaimed like all others, and waited for again. */
	mock_submit(hung, mock_bo_create(dev, 'C'));
	mock_signal(stuck);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "");
	KUNIT_EXPECT_EQ(test, 2, frontiers(dev, any, U64_MAX, &fence));
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
	mock_reclaim(dev);
	EXPECT_STATE(dev, expected, "");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(buffers_become_idle_in_order_of_emission),
	KUNIT_CASE(each_channel_stops_at_its_own_frontier),
	KUNIT_CASE(a_buffer_on_two_channels_goes_with_the_last),
	KUNIT_CASE(in_one_reclaim_the_later_link_decides),
	KUNIT_CASE(a_hung_channel_holds_up_no_other),
	KUNIT_CASE(a_step_stops_at_its_budget),
	KUNIT_CASE(frontiers_are_those_that_hold_such_zombies),
	KUNIT_CASE(a_node_may_have_any_number_of_buffers),
	KUNIT_CASE(frontiers_are_no_more_than_there_is_room_for),
	KUNIT_CASE(frontiers_end_where_one_began),
	KUNIT_CASE(frontiers_tell_what_their_zombies_hold),
	KUNIT_CASE(frontiers_begin_where_one_ended),
	KUNIT_CASE(a_stalled_channel_is_waited_for_once),
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
