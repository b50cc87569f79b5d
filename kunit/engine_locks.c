// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How often locks are taken: a submission takes them by the number of its buffers, and
 * what is busy on the channel, or idle when it dies, takes none of the device. Lockdep
 * tells, by its tracepoint, of every lock.
 */
#include <linux/lockdep.h>
#include <linux/tracepoint.h>

#include "../ttm_fence_lru/internal.h"
#include "mock.h"

/**
 * struct lock_count - how often the locks of a device were taken
 * @dev: the device
 * @channel: one of its channels
 * @tracepoint: lockdep's "lock_release", or NULL without lockdep
 * @on_channel: the lock of @channel
 * @on_lru: the LRU lock
 * @reclaim: the reclaim mutex
 */
struct lock_count {
	struct mock_device *dev;
	struct mock_channel *channel;
	struct tracepoint *tracepoint;
	unsigned int on_channel;
	unsigned int on_lru;
	unsigned int reclaim;
};

#ifdef CONFIG_LOCKDEP
/* Not when they are taken: of a mutex that might be, lockdep is told the same. */
static void count_lock(void *data, struct lockdep_map *lock, unsigned long ip)
{
	struct lock_count *count = data;
	struct mutex *reclaim_lock = &count->dev->lru.reclaim_lock;

	if (lock == &count->channel->base.lock.dep_map)
		count->on_channel++;
	if (lock == &count->dev->lru_lock.dep_map)
		count->on_lru++;
	if (lock == &reclaim_lock->dep_map && mutex_is_locked(reclaim_lock))
		count->reclaim++;
}

static void find_tracepoint(struct tracepoint *tracepoint, void *data)
{
	struct lock_count *count = data;

	if (!strcmp(tracepoint->name, "lock_release"))
		count->tracepoint = tracepoint;
}

static void start_counting(struct lock_count *count)
{
	count->on_channel = 0;
	count->on_lru = 0;
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

#define EXPECT_COUNT(_count, _on_channel, _on_lru, _reclaim)               \
	do {                                                               \
		struct lock_count *__count = (_count);                     \
		struct kunit *__test = __count->dev->test;                 \
		KUNIT_EXPECT_EQ(__test, _on_channel, __count->on_channel); \
		KUNIT_EXPECT_EQ(__test, _on_lru, __count->on_lru);         \
		KUNIT_EXPECT_EQ(__test, _reclaim, __count->reclaim);       \
	} while (0)

static void attaching_again_takes_no_lock_of_the_device(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');
	struct mock_bo *b = mock_bo_create(dev, 'B');
	struct lock_count count = { .dev = dev, .channel = channel };
	struct mock_fence *fence;

	mock_submit(channel, a);
	EXPECT_STATE(dev, "B", "");
	EXPECT_NODES(channel, "A");

	/* It moves to a later node, for which room is made, and to its own. */
	start_counting(&count);
	fence = mock_submit(channel, a);
	mock_bo_use(a, fence);
	stop_counting(&count);
	EXPECT_NODES(channel, "A");
	EXPECT_COUNT(&count, 3, 0, 0);

	/* An idle buffer leaves the LRU. */
	start_counting(&count);
	mock_bo_use(b, fence);
	stop_counting(&count);
	EXPECT_COUNT(&count, 1, 1, 0);

	/* Nothing has signaled: reclaim looks at the channel, and takes no LRU lock. */
	start_counting(&count);
	mock_reclaim(dev);
	stop_counting(&count);
	EXPECT_COUNT(&count, 1, 0, 1);
	EXPECT_STATE(dev, "", "");
}

/* Of so many buffers, which are idle at first. */
static void submit(struct mock_channel *channel, unsigned int nr)
{
	unsigned int i, holds = DIV_ROUND_UP(nr, TTM_FENCE_LRU_BOS_PER_HOLD);
	struct lock_count count = { .dev = channel->dev, .channel = channel };
	struct kunit *test = channel->dev->test;
	struct ttm_fence_lru_bo **bos;
	struct mock_fence *fence;

	bos = kunit_kcalloc(test, nr, sizeof(*bos), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bos);
	for (i = 0; i < nr; i++)
		bos[i] = &mock_bo_create(channel->dev, 'A')->base;

	fence = mock_emit(channel);
	start_counting(&count);
	ttm_fence_lru_attach(&channel->dev->lru, &fence->base, bos, nr);
	stop_counting(&count);
	EXPECT_COUNT(&count, holds, holds, 0);

	/* And now they are busy. */
	fence = mock_emit(channel);
	start_counting(&count);
	ttm_fence_lru_attach(&channel->dev->lru, &fence->base, bos, nr);
	stop_counting(&count);
	EXPECT_COUNT(&count, holds, 0, 0);
	mock_check(channel->dev);
}

static void a_submission_takes_a_lock_for_many_buffers(struct kunit *test)
{
	struct mock_channel *channel = mock_channel_create(test->priv);

	submit(channel, 1);
	submit(channel, 16);
	submit(channel, 32);
	submit(channel, 33);
	submit(channel, 256);
}

/* A hold without an idle buffer takes no lock of the device, whatever others do. */
static void a_hold_takes_the_lru_lock_for_idle_buffers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct lock_count count = { .dev = dev, .channel = channel };
	struct ttm_fence_lru_bo *bos[65];
	struct mock_fence *fence;
	struct mock_bo *bo;
	int i;

	for (i = 0; i < 65; i++) {
		bo = mock_bo_create(dev, 'A');
		bos[i] = &bo->base;
		if (i != 31 && i != 64)
			mock_submit(channel, bo);
	}
	fence = mock_emit(channel);
	start_counting(&count);
	ttm_fence_lru_attach(&dev->lru, &fence->base, bos, 65);
	stop_counting(&count);
	EXPECT_COUNT(&count, 3, 2, 0);
}

/* On the entry of each submit, whatever is dead within the limits. */
static void a_trim_with_nothing_to_do_takes_no_lock(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct lock_count count = { .dev = dev, .channel = channel };
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(channel, x);
	mock_bo_put(x);
	start_counting(&count);
	ttm_fence_lru_trim(&dev->lru);
	stop_counting(&count);
	EXPECT_COUNT(&count, 0, 0, 0);
}

static void burying_takes_each_lock_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct lock_count count = { .dev = dev, .channel = channel };
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(channel, x);
	start_counting(&count);
	mock_bo_put(x);
	stop_counting(&count);
	EXPECT_NODES(channel, "/x");
	EXPECT_COUNT(&count, 1, 1, 0);
}

/* Its owner takes the LRU lock once, as it leaves the LRU. */
static void an_idle_buffer_dies_without_a_lock_of_the_engine(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct lock_count count = { .dev = dev, .channel = channel };
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_bo *y = mock_bo_create(dev, 'y');

	start_counting(&count);
	mock_bo_put(x);
	stop_counting(&count);
	EXPECT_STATE(dev, "y", "x");
	EXPECT_COUNT(&count, 0, 1, 0);

	/* So does one that was used, and retired. */
	mock_submit(channel, y)->done = true;
	ttm_fence_lru_retire(&dev->lru);
	start_counting(&count);
	mock_bo_put(y);
	stop_counting(&count);
	EXPECT_STATE(dev, "", "xy");
	EXPECT_COUNT(&count, 0, 1, 0);
}

/* So many buffers of one fence, every second dead; the fence itself is a step, too. */
static void retire(struct mock_channel *channel, unsigned int nr)
{
	unsigned int i, steps = TTM_FENCE_LRU_STEPS_PER_HOLD - 1;
	struct mock_device *dev = channel->dev;
	struct lock_count count = { .dev = dev, .channel = channel };
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bo;

	for (i = 0; i < nr; i++) {
		bo = mock_bo_create(dev, 'x');
		mock_bo_use(bo, fence);
		if (i % 2)
			mock_bo_put(bo);
	}
	mock_signal(fence);

	start_counting(&count);
	ttm_fence_lru_retire(&dev->lru);
	stop_counting(&count);
	KUNIT_EXPECT_EQ(dev->test, DIV_ROUND_UP(nr, steps), count.on_lru);
	KUNIT_EXPECT_EQ(dev->test, 1, count.reclaim);
	EXPECT_NODES(channel, "");
	KUNIT_EXPECT_EQ(dev->test, nr / 2, mock_dead(dev, TTM_FENCE_LRU_RIPE));
	mock_reclaim(dev);
	mock_check(dev);
}

static void retiring_takes_the_lru_lock_for_many_buffers(struct kunit *test)
{
	struct mock_channel *channel = mock_channel_create(test->priv);

	retire(channel, 1);
	retire(channel, 255);
	retire(channel, 256);
	retire(channel, 1000);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(attaching_again_takes_no_lock_of_the_device),
	KUNIT_CASE(a_submission_takes_a_lock_for_many_buffers),
	KUNIT_CASE(a_hold_takes_the_lru_lock_for_idle_buffers),
	KUNIT_CASE(a_trim_with_nothing_to_do_takes_no_lock),
	KUNIT_CASE(burying_takes_each_lock_once),
	KUNIT_CASE(an_idle_buffer_dies_without_a_lock_of_the_engine),
	KUNIT_CASE(retiring_takes_the_lru_lock_for_many_buffers),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_locks",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
