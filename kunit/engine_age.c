// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How old something is: idle buffers, by their last use, and the oldest zombie; and whom
 * somebody waits for.
 */
#include <linux/jiffies.h>

#include "mock.h"

static u64 age(struct mock_bo *bo)
{
	KUNIT_EXPECT_FALSE(bo->dev->test, ttm_fence_lru_bo_is_busy(&bo->base));
	return bo->base.last_seq;
}

/*
 *   channel 0:  A(1)      B(3)
 *   channel 1:       C(2)
 */
static void an_idle_buffer_is_as_old_as_its_last_use(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *b = mock_bo_create(dev, 'B');
	struct mock_bo *c = mock_bo_create(dev, 'C');

	mock_submit(first, a)->done = true;
	mock_submit(second, c)->done = true;
	mock_submit(first, b)->done = true;
	mock_submit(second, mock_bo_create(dev, 'D'));
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "ACB", "");
	KUNIT_EXPECT_EQ(test, 1, age(a));
	KUNIT_EXPECT_EQ(test, 2, age(c));
	KUNIT_EXPECT_EQ(test, 3, age(b));

	/* It is used once more. */
	mock_submit(second, a)->done = true;
	mock_signal(mock_first(second));
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, 5, age(a));
}

/* Whichever of its channels it leaves last. */
static void of_several_uses_the_last_emitted_counts(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *bo = mock_bo_create(dev, 'A');
	struct mock_fence *fences[2];
	int i;

	for (i = 0; i < 2; i++) {
		fences[0] = mock_submit(first, bo);
		fences[1] = mock_submit(second, bo);
		mock_signal(fences[i]);
		ttm_fence_lru_retire(&dev->lru);
		KUNIT_EXPECT_TRUE(test, ttm_fence_lru_bo_is_busy(&bo->base));
		mock_signal(fences[!i]);
		ttm_fence_lru_retire(&dev->lru);
		KUNIT_EXPECT_EQ(test, ttm_fence_lru_emitted(&dev->lru),
				age(bo));
	}
	KUNIT_EXPECT_EQ(test, 4, age(bo));
}

static void a_group_is_as_old_as_its_last_use(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_group *group = mock_group_create(dev);
	struct mock_bo *bo = mock_bo_create(dev, 'A');
	struct mock_fence *fence;

	mock_submit(channel, bo)->done = true;
	mock_group_join(group, bo);
	fence = mock_emit(channel);
	mock_group_use(group, fence);
	mock_signal(fence);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "[A]", "");
	KUNIT_EXPECT_EQ(test, 1, age(bo));
	KUNIT_EXPECT_EQ(test, 2, group->base.base.last_seq);
}

static void touch(struct mock_bo *bo)
{
	spin_lock(&bo->dev->lru_lock);
	ttm_fence_lru_touch(&bo->dev->lru, &bo->base);
	spin_unlock(&bo->dev->lru_lock);
}

static void who_moves_to_the_tail_is_young(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo = mock_bo_create(dev, 'A');

	KUNIT_EXPECT_EQ(test, 0, age(bo));
	mock_submit(channel, mock_bo_create(dev, 'B'));
	mock_submit(channel, mock_bo_create(dev, 'C'));
	touch(bo);
	KUNIT_EXPECT_EQ(test, 2, age(bo));
}

/* It stands on no LRU: its place is that of its fence. */
static void touching_a_busy_buffer_changes_nothing(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo = mock_bo_create(dev, 'A');

	mock_submit(channel, bo)->done = true;
	mock_submit(channel, mock_bo_create(dev, 'B'));
	touch(bo);
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, 1, age(bo));
}

static void touching_a_dead_buffer_leaves_its_bytes(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(channel, x);
	mock_bo_put(x);
	touch(x);
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES, x->base.bytes);
	mock_signal(mock_first(channel));
	ttm_fence_lru_retire(&dev->lru);
	touch(x);
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES,
			ttm_fence_lru_ripe_bytes(&dev->lru, 1));
	mock_check(dev);
}

/* A buffer of this name and type is dead when its job is on its way. */
static struct mock_fence *bury(struct mock_channel *channel, char name, u8 type)
{
	struct mock_bo *bo = mock_bo_create(channel->dev, name);
	struct mock_fence *fence;

	bo->type = type;
	fence = mock_submit(channel, bo);
	mock_bo_put(bo);
	return fence;
}

static void expect_oldest(struct mock_device *dev, unsigned long patience,
			  u64 after, struct mock_fence *expected,
			  u64 expected_seq)
{
	struct dma_fence *fence;
	u64 seq = after;

	fence = ttm_fence_lru_oldest_match(&dev->lru, 1, patience, NULL, NULL,
					   &seq);
	KUNIT_EXPECT_PTR_EQ(dev->test, fence,
			    expected ? &expected->base : NULL);
	KUNIT_EXPECT_EQ(dev->test, seq, expected_seq);
	dma_fence_put(fence);
	mock_check(dev);
}

/*
 *   channel 0:  A(1)      w(3)
 *   channel 1:       x(2)      y(4)
 *   channel 2:                      z(5)
 */
static void the_oldest_zombie_is_that_of_the_first_node(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channels[3];
	struct mock_fence *w, *x, *z;
	int i;

	expect_oldest(dev, HZ, 0, NULL, 0);
	for (i = 0; i < 3; i++)
		channels[i] = mock_channel_create(dev);
	mock_submit(channels[0], mock_bo_create(dev, 'A'));
	expect_oldest(dev, HZ, 0, NULL, 0);
	x = bury(channels[1], 'x', 1);
	w = bury(channels[0], 'w', 1);
	bury(channels[1], 'y', 1);
	z = bury(channels[2], 'z', 1);

	expect_oldest(dev, HZ, 0, x, 2);
	expect_oldest(dev, HZ, 1, x, 2);
	/* Of each channel only the first is known. */
	expect_oldest(dev, HZ, 2, w, 3);
	expect_oldest(dev, HZ, 3, z, 5);
	expect_oldest(dev, HZ, 5, NULL, 5);
}

static void the_oldest_zombie_is_of_the_type(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *x;

	bury(first, 'y', 2);
	bury(second, 'z', 2);
	expect_oldest(dev, HZ, 0, NULL, 0);
	x = bury(first, 'x', 1);
	expect_oldest(dev, HZ, 0, x, 3);
}

static bool has_name(struct ttm_fence_lru_bo *bo, void *name)
{
	return to_mock_bo(bo)->name == *(char *)name;
}

static void expect_match(struct mock_device *dev, char name,
			 struct mock_fence *expected, u64 expected_seq)
{
	struct dma_fence *fence;
	u64 seq = 0;

	fence = ttm_fence_lru_oldest_match(&dev->lru, 1, HZ, has_name, &name,
					   &seq);
	KUNIT_EXPECT_PTR_EQ(dev->test, fence,
			    expected ? &expected->base : NULL);
	KUNIT_EXPECT_EQ(dev->test, seq, expected_seq);
	dma_fence_put(fence);
}

/*
 *   channel 0:  x(1)      z(3)
 *   channel 1:       yz(2)
 */
static void the_oldest_zombie_is_one_that_matches(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *x = bury(first, 'x', 1), *y = bury(second, 'y', 1);
	struct mock_bo *z = mock_bo_create(dev, 'z');

	mock_bo_use(z, y);
	mock_bo_put(z);
	bury(first, 'z', 1);
	expect_match(dev, 'w', NULL, 0);
	expect_match(dev, 'x', x, 1);
	expect_match(dev, 'y', y, 2);
	expect_match(dev, 'z', y, 2);
}

/*
 *   channel 0:  x(1)
 *   channel 1:       y(2) x(3)
 */
static void a_zombie_is_as_old_as_its_last_use(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *before = mock_submit(first, x);
	struct mock_fence *y = bury(second, 'y', 1);
	struct mock_fence *last = mock_submit(second, x);

	mock_bo_put(x);
	expect_oldest(dev, HZ, 0, y, 2);
	mock_signal(y);
	ttm_fence_lru_retire(&dev->lru);
	expect_oldest(dev, HZ, 0, last, 3);

	/* Only then is the other one of use. */
	mock_signal(last);
	ttm_fence_lru_retire(&dev->lru);
	expect_oldest(dev, HZ, 0, before, 1);
}

static void the_oldest_zombie_is_on_no_late_channel(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *hung = mock_channel_create(dev);
	struct mock_channel *other = mock_channel_create(dev);
	struct mock_fence *x = bury(hung, 'x', 1), *y = bury(other, 'y', 1);
	struct mock_fence *z;

	ttm_fence_lru_note_wait(&dev->lru, &x->base);
	expect_oldest(dev, HZ, 0, x, 1);
	hung->base.waiting_since -= HZ;
	expect_oldest(dev, HZ, 0, y, 2);
	expect_oldest(dev, 2 * HZ, 0, x, 1);

	/* It goes on. */
	z = bury(hung, 'z', 1);
	mock_signal(x);
	ttm_fence_lru_retire(&dev->lru);
	mock_signal(y);
	ttm_fence_lru_retire(&dev->lru);
	expect_oldest(dev, HZ, 0, z, 3);
}

/* The first dead one of the type is behind so many others. */
static void put_behind_nodes(struct mock_channel *channel, unsigned int count)
{
	while (count--)
		mock_submit(channel, mock_bo_create(channel->dev, 'A'));
}

static void put_behind_links(struct mock_channel *channel, unsigned int count)
{
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bo;

	while (count--) {
		bo = mock_bo_create(channel->dev, 'y');
		bo->type = 2;
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
}

static void only_the_first_of_a_channel_are_looked_at(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *near = mock_channel_create(dev);
	struct mock_channel *behind_nodes = mock_channel_create(dev);
	struct mock_channel *behind_links = mock_channel_create(dev);
	struct mock_fence *x;

	put_behind_nodes(near, 100);
	put_behind_links(near, 100);
	x = bury(near, 'x', 1);
	put_behind_nodes(behind_nodes, 300);
	bury(behind_nodes, 'x', 1);
	put_behind_links(behind_links, 300);
	bury(behind_links, 'x', 1);
	expect_oldest(dev, HZ, 0, x, 102);
	expect_oldest(dev, HZ, 102, NULL, 102);
}

static bool is_waited_for(struct mock_channel *channel,
			  struct mock_fence *fence)
{
	return channel->base.waiting_for == &fence->base;
}

static void a_wait_is_remembered_with_the_channel(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *first, *second, *third;

	first = mock_submit(channel, mock_bo_create(dev, 'A'));
	second = mock_submit(channel, mock_bo_create(dev, 'B'));
	third = mock_submit(channel, mock_bo_create(dev, 'C'));
	KUNIT_EXPECT_NULL(test, channel->base.waiting_for);

	/* Whichever fence it is. */
	ttm_fence_lru_note_wait(&dev->lru, &second->base);
	KUNIT_EXPECT_TRUE(test, is_waited_for(channel, first));
	KUNIT_EXPECT_LE(test, jiffies - channel->base.waiting_since, LONG_MAX);

	/* It goes on: that is forgotten. */
	channel->base.waiting_since -= HZ;
	mock_signal(first);
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_NULL(test, channel->base.waiting_for);
	ttm_fence_lru_note_wait(&dev->lru, &third->base);
	KUNIT_EXPECT_TRUE(test, is_waited_for(channel, second));
}

static void waits_of_several_count_from_the_first(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *first, *second;
	unsigned long since;

	first = mock_submit(channel, mock_bo_create(dev, 'A'));
	second = mock_submit(channel, mock_bo_create(dev, 'B'));
	ttm_fence_lru_note_wait(&dev->lru, &first->base);
	since = channel->base.waiting_since - HZ;
	channel->base.waiting_since = since;

	ttm_fence_lru_note_wait(&dev->lru, &first->base);
	ttm_fence_lru_note_wait(&dev->lru, &second->base);
	KUNIT_EXPECT_EQ(test, since, channel->base.waiting_since);
	KUNIT_EXPECT_TRUE(test, is_waited_for(channel, first));
}

/* The buffer of the first node is used again, so the node goes; the fence has not signaled. */
static void a_new_head_behind_a_hung_fence_is_no_news(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo = mock_bo_create(dev, 'A');
	struct mock_fence *hung = mock_submit(channel, bo), *second;
	unsigned long since;

	ttm_fence_lru_note_wait(&dev->lru, &hung->base);
	since = channel->base.waiting_since - HZ;
	channel->base.waiting_since = since;
	second = mock_submit(channel, bo);
	EXPECT_NODES(channel, "A");
	ttm_fence_lru_retire(&dev->lru);
	ttm_fence_lru_note_wait(&dev->lru, &second->base);
	KUNIT_EXPECT_TRUE(test, is_waited_for(channel, hung));
	KUNIT_EXPECT_EQ(test, since, channel->base.waiting_since);
}

static void nobody_waits_for_what_holds_nothing(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel), *foreign;

	foreign = mock_fence_create(dev, dma_fence_context_alloc(1), 1);
	ttm_fence_lru_note_wait(&dev->lru, &foreign->base);
	ttm_fence_lru_note_wait(&dev->lru, &fence->base);
	KUNIT_EXPECT_NULL(test, channel->base.waiting_for);
	mock_check(dev);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(an_idle_buffer_is_as_old_as_its_last_use),
	KUNIT_CASE(of_several_uses_the_last_emitted_counts),
	KUNIT_CASE(a_group_is_as_old_as_its_last_use),
	KUNIT_CASE(who_moves_to_the_tail_is_young),
	KUNIT_CASE(touching_a_busy_buffer_changes_nothing),
	KUNIT_CASE(touching_a_dead_buffer_leaves_its_bytes),
	KUNIT_CASE(the_oldest_zombie_is_that_of_the_first_node),
	KUNIT_CASE(the_oldest_zombie_is_of_the_type),
	KUNIT_CASE(the_oldest_zombie_is_one_that_matches),
	KUNIT_CASE(a_zombie_is_as_old_as_its_last_use),
	KUNIT_CASE(the_oldest_zombie_is_on_no_late_channel),
	KUNIT_CASE(only_the_first_of_a_channel_are_looked_at),
	KUNIT_CASE(a_wait_is_remembered_with_the_channel),
	KUNIT_CASE(waits_of_several_count_from_the_first),
	KUNIT_CASE(a_new_head_behind_a_hung_fence_is_no_news),
	KUNIT_CASE(nobody_waits_for_what_holds_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_age",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
