// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How fast channels go on, and what they will have come to in time.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>

#include "mock.h"

/* From one fence to the next. The test itself takes no time, compared with that. */
#define PACE (1000ULL * NSEC_PER_SEC)

/* The channel has just been looked at, and waits for its first fence. */
static void set_pace(struct mock_channel *channel, u64 pace)
{
	channel->base.pace = pace;
	channel->base.looked_at = ktime_get_ns();
	channel->base.looked_for = mock_first(channel)->base.seqno;
}

/* A channel with so many dead buffers, each of another job. */
static struct mock_channel *create(struct mock_device *dev, unsigned int count)
{
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *bo;

	while (count--) {
		bo = mock_bo_create(dev, 'x');
		mock_submit(channel, bo);
		mock_bo_put(bo);
	}
	return channel;
}

/* @paces: tenths of PACE. Returns how many channels there are to wait for. */
static unsigned int look(struct mock_device *dev, unsigned int type,
			 unsigned int paces, u64 *bytes)
{
	struct ttm_fence_lru_due due = {
		.type = type,
		.last_seq = U64_MAX,
		.patience = HZ,
		.within = paces * PACE / 10,
	};
	struct dma_fence *fences[2];
	unsigned int count, i;

	count = ttm_fence_lru_frontiers(&dev->lru, &due, fences, 2);
	for (i = 0; i < count; i++)
		dma_fence_put(fences[i]);
	*bytes = due.bytes;
	mock_check(dev);
	return count;
}

static void expect_due(struct mock_device *dev, unsigned int paces,
		       unsigned int channels, unsigned int bos)
{
	u64 bytes;

	KUNIT_EXPECT_EQ(dev->test, channels, look(dev, 1, paces, &bytes));
	KUNIT_EXPECT_EQ(dev->test, bos * MOCK_BO_BYTES, bytes);
}

static void nothing_is_due_as_long_as_the_pace_is_not_known(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	create(dev, 4);
	expect_due(dev, 1000, 0, 0);
	ttm_fence_lru_retire(&dev->lru);
	expect_due(dev, 1000, 0, 0);
}

static void due_is_what_a_channel_will_have_come_to(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = create(dev, 4);

	set_pace(channel, PACE);
	expect_due(dev, 5, 0, 0);
	expect_due(dev, 15, 1, 1);
	expect_due(dev, 25, 1, 2);
	expect_due(dev, 45, 1, 4);
	expect_due(dev, 1000, 1, 4);

	/* It was looked at a while ago. */
	channel->base.looked_at -= 2 * PACE;
	expect_due(dev, 5, 1, 2);
}

/* It is so even if the channel works for others in between. */
static void due_goes_by_the_numbers_of_the_fences(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = create(dev, 1);
	struct mock_bo *bo = mock_bo_create(dev, 'y');
	int i;

	for (i = 0; i < 5; i++)
		mock_emit(channel);
	mock_submit(channel, bo);
	mock_bo_put(bo);
	set_pace(channel, PACE);
	expect_due(dev, 65, 1, 1);
	expect_due(dev, 75, 1, 2);
}

static void each_channel_has_its_own_pace(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *fast = create(dev, 4), *slow = create(dev, 4);

	set_pace(fast, PACE);
	set_pace(slow, 3 * PACE);
	expect_due(dev, 25, 1, 2);
	expect_due(dev, 35, 2, 3 + 1);
	expect_due(dev, 65, 2, 4 + 2);
}

static void no_more_channels_count_than_there_is_room_for(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	int i;

	for (i = 0; i < 3; i++)
		set_pace(create(dev, 2), PACE);
	expect_due(dev, 25, 2, 4);
}

/*
 *   channel 0:  x(1)           the last use of x is that on channel 1
 *   channel 1:       x(2)
 */
static void who_is_on_several_channels_counts_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(first, x);
	mock_submit(second, x);
	mock_bo_put(x);
	set_pace(first, PACE);
	expect_due(dev, 15, 0, 0);
	set_pace(second, 2 * PACE);
	expect_due(dev, 15, 0, 0);
	expect_due(dev, 25, 1, 1);
}

static void due_is_only_what_is_dead_and_of_the_type(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = create(dev, 1);
	struct mock_bo *y = mock_bo_create(dev, 'y');
	u64 bytes;

	y->type = 2;
	mock_submit(channel, y);
	mock_submit(channel, mock_bo_create(dev, 'A'));
	mock_bo_put(y);
	set_pace(channel, PACE);
	expect_due(dev, 100, 1, 1);
	KUNIT_EXPECT_EQ(test, 1, look(dev, 2, 25, &bytes));
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES, bytes);
	KUNIT_EXPECT_EQ(test, 0, look(dev, 3, 25, &bytes));
	KUNIT_EXPECT_EQ(test, 0, bytes);
}

/* Whether to wait depends on the answer. */
static void asking_what_is_due_is_no_wait(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = create(dev, 1);

	set_pace(channel, PACE);
	expect_due(dev, 15, 1, 1);
	KUNIT_EXPECT_NULL(test, channel->base.waiting_for);

	/* Somebody waits, and it does not go on: nothing is due. */
	ttm_fence_lru_note_wait(&dev->lru, &mock_first(channel)->base);
	expect_due(dev, 15, 1, 1);
	channel->base.waiting_since -= HZ;
	expect_due(dev, 15, 0, 0);
}

/* Zombies of one node, and of many. */
static void only_the_first_ones_of_a_channel_are_due(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bo;
	u64 bytes;
	int i;

	for (i = 0; i < 600; i++) {
		bo = mock_bo_create(dev, 'x');
		mock_bo_use(bo, fence);
		mock_bo_put(bo);
	}
	set_pace(channel, PACE);
	look(dev, 1, 15, &bytes);
	KUNIT_EXPECT_GE(test, bytes, 200 * MOCK_BO_BYTES);
	KUNIT_EXPECT_LE(test, bytes, 256 * MOCK_BO_BYTES);

	mock_channel_destroy(channel);
	set_pace(create(dev, 600), PACE);
	look(dev, 1, 10000, &bytes);
	KUNIT_EXPECT_GE(test, bytes, 100 * MOCK_BO_BYTES);
	KUNIT_EXPECT_LE(test, bytes, 256 * MOCK_BO_BYTES);
}

/* Each looks at the first fence that has not signaled. */
static void the_pace_is_the_time_from_fence_to_fence(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *mock = mock_channel_create(dev);
	struct ttm_fence_lru_channel *channel = &mock->base;
	struct mock_fence *fences[6];
	u64 looked_at, pace;
	int i;

	for (i = 0; i < 6; i++)
		fences[i] = mock_submit(mock, mock_bo_create(dev, 'A'));
	ttm_fence_lru_retire(&dev->lru);
	looked_at = channel->looked_at;
	KUNIT_EXPECT_GT(test, looked_at, 0);

	/* It waits for the same fence. */
	usleep_range(1000, 2000);
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, looked_at, channel->looked_at);
	KUNIT_EXPECT_EQ(test, 0, channel->pace);

	for (i = 0; i < 4; i++)
		mock_signal(fences[i]);
	ttm_fence_lru_retire(&dev->lru);
	pace = div64_u64(channel->looked_at - looked_at, 4);
	KUNIT_EXPECT_GE(test, pace, 1000 * NSEC_PER_USEC / 4);
	KUNIT_EXPECT_EQ(test, pace, channel->pace);

	/* The next one counts a quarter. */
	looked_at = channel->looked_at;
	usleep_range(1000, 2000);
	mock_signal(fences[4]);
	ttm_fence_lru_retire(&dev->lru);
	pace = (3 * pace + channel->looked_at - looked_at) / 4;
	KUNIT_EXPECT_EQ(test, pace, channel->pace);
}

static void a_new_channel_has_no_pace(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;

	KUNIT_EXPECT_EQ(test, 0, channel->base.pace);
	mock_submit(channel, mock_bo_create(dev, 'A'));
	set_pace(channel, PACE);
	mock_channel_unregister(channel);
	mock_channel_register(channel);
	KUNIT_EXPECT_EQ(test, 0, channel->base.pace);

	/* Its numbers may begin anew, too. */
	channel->seqno = 0;
	fence = mock_submit(channel, mock_bo_create(dev, 'B'));
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, fence->base.seqno, channel->base.looked_for);
	KUNIT_EXPECT_EQ(test, 0, channel->base.pace);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(nothing_is_due_as_long_as_the_pace_is_not_known),
	KUNIT_CASE(due_is_what_a_channel_will_have_come_to),
	KUNIT_CASE(due_goes_by_the_numbers_of_the_fences),
	KUNIT_CASE(each_channel_has_its_own_pace),
	KUNIT_CASE(no_more_channels_count_than_there_is_room_for),
	KUNIT_CASE(who_is_on_several_channels_counts_once),
	KUNIT_CASE(due_is_only_what_is_dead_and_of_the_type),
	KUNIT_CASE(asking_what_is_due_is_no_wait),
	KUNIT_CASE(only_the_first_ones_of_a_channel_are_due),
	KUNIT_CASE(the_pace_is_the_time_from_fence_to_fence),
	KUNIT_CASE(a_new_channel_has_no_pace),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_pace",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
