// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which locks of the device attaching takes: none for a buffer that is busy on the
 * channel. lockdep tells, by its tracepoint, of every lock that is taken.
 */
#include <linux/lockdep.h>
#include <linux/tracepoint.h>

#include "mock.h"

/**
 * struct lock_count - how often the locks of a device were taken
 * @dev: the device
 * @tracepoint: lockdep's "lock_acquire", or NULL without lockdep
 * @lru: the LRU lock
 * @reclaim: the reclaim mutex
 */
struct lock_count {
	struct mock_device *dev;
	struct tracepoint *tracepoint;
	unsigned int lru;
	unsigned int reclaim;
};

#ifdef CONFIG_LOCKDEP
static void count_lock(void *data, struct lockdep_map *lock,
		       unsigned int subclass, int trylock, int read, int check,
		       struct lockdep_map *next_lock, unsigned long ip)
{
	struct lock_count *count = data;

	if (lock == &count->dev->lru_lock.dep_map)
		count->lru++;
	if (lock == &count->dev->lru.reclaim_lock.dep_map)
		count->reclaim++;
}

static void find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	struct lock_count *count = data;

	if (!strcmp(tracepoint->name, "lock_acquire"))
		count->tracepoint = tracepoint;
}

static void start_counting(struct lock_count *count)
{
	count->lru = 0;
	count->reclaim = 0;
	for_each_kernel_tracepoint(find_tracepoint, count);
	if (!count->tracepoint)
		kunit_skip(count->dev->test, "the kernel has no tracepoints");

	KUNIT_ASSERT_EQ(count->dev->test, 0,
			tracepoint_probe_register(count->tracepoint, count_lock,
						  count));
}

static void stop_counting(struct lock_count *count)
{
	tracepoint_probe_unregister(count->tracepoint, count_lock, count);
	tracepoint_synchronize_unregister();
}
#else
static void start_counting(struct lock_count *count)
{
	kunit_skip(count->dev->test, "needs lockdep to count locks");
}

static void stop_counting(struct lock_count *count)
{
}
#endif

static void attaching_again_takes_no_lock_of_the_device(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *b = mock_bo_create(dev, 'B');
	struct lock_count count = { .dev = dev };
	struct mock_fence *fence;

	mock_submit(channel, a);
	EXPECT_STATE(dev, "B", "");
	EXPECT_NODES(channel, "A");

	/* To a later node, and to its own. */
	start_counting(&count);
	fence = mock_submit(channel, a);
	mock_bo_use(a, fence);
	stop_counting(&count);
	EXPECT_NODES(channel, "A");
	KUNIT_EXPECT_EQ(test, 0, count.lru);
	KUNIT_EXPECT_EQ(test, 0, count.reclaim);

	/* That it counts: an idle buffer leaves the LRU. */
	start_counting(&count);
	mock_submit(channel, b);
	stop_counting(&count);
	KUNIT_EXPECT_EQ(test, 1, count.lru);
	KUNIT_EXPECT_EQ(test, 0, count.reclaim);

	/* Nothing has signaled: reclaim looks, and takes no LRU lock. */
	start_counting(&count);
	mock_reclaim(dev);
	stop_counting(&count);
	KUNIT_EXPECT_EQ(test, 0, count.lru);
	KUNIT_EXPECT_EQ(test, 1, count.reclaim);
	EXPECT_STATE(dev, "", "");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(attaching_again_takes_no_lock_of_the_device),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_locks",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
