// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Retiring: what it looks at and costs, for whom it serves, and fences that must be asked.
 */
#include <linux/jiffies.h>

#include "mock.h"

#define MANY 10000

/* A zombie under the fence. */
static void bury(struct mock_device *dev, char name, struct mock_fence *fence)
{
	struct mock_bo *bo = mock_bo_create(dev, name);

	mock_bo_use(bo, fence);
	mock_bo_put(bo);
}

/* A report, and no other in the last 10 ms. */
static void refresh(struct mock_device *dev)
{
	dev->lru.refreshed = jiffies - HZ;
	ttm_fence_lru_refresh(&dev->lru);
}

/* Such a fence signals by interrupt, and only if somebody wants to know. */
static void
a_zombies_fence_that_cannot_be_asked_is_told_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit_silent(channel);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_bo *y = mock_bo_create(dev, 'y');

	mock_bo_use(x, fence);
	mock_bo_use(y, fence);
	KUNIT_EXPECT_EQ(test, 0, fence->armed);

	mock_bo_put(x);
	mock_bo_put(y);
	KUNIT_EXPECT_EQ(test, 1, fence->armed);
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.armed);

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "xy");
}

static void
under_pressure_a_head_that_cannot_be_asked_is_told(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *first = mock_emit_silent(channel);
	struct mock_fence *second;

	mock_bo_use(mock_bo_create(dev, 'A'), first);
	second = mock_emit_silent(channel);
	mock_bo_use(mock_bo_create(dev, 'B'), second);

	ttm_fence_lru_shrink(&dev->lru, 1, 1);
	refresh(dev);
	KUNIT_EXPECT_EQ(test, 0, first->armed);

	ttm_fence_lru_retire(&dev->lru);
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, 1, first->armed);
	KUNIT_EXPECT_EQ(test, 0, second->armed);
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.armed);

	mock_signal(first);
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "A", "");
}

/* Those that have signaled all the same are no obstacle, nor is one of a dying buffer. */
static void what_signals_when_it_is_told_is_seen_at_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	struct mock_bo *x;
	int i;

	for (i = 0; i < 3; i++) {
		fence = mock_emit_silent(channel);
		mock_bo_use(mock_bo_create(dev, 'A' + i), fence);
		fence->done = true;
	}
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "ABC", "");

	x = mock_bo_create(dev, 'x');
	fence = mock_emit_silent(channel);
	mock_bo_use(x, fence);
	fence->done = true;
	mock_bo_put(x);
	EXPECT_STATE(dev, "ABC", "x");
}

/* The second cannot be asked, but the third has signaled, so the second has. */
static void a_later_fence_settles_the_earlier_ones(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;

	mock_submit(channel, mock_bo_create(dev, 'A'))->done = true;
	fence = mock_emit_silent(channel);
	mock_bo_use(mock_bo_create(dev, 'B'), fence);
	mock_submit(channel, mock_bo_create(dev, 'C'))->done = true;

	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "ABC", "");
	KUNIT_EXPECT_EQ(test, 0, fence->armed);
}

/* So many zombies in all, and of these so many ripe. */
static void expect_zombies(struct mock_device *dev, unsigned int zombies,
			   unsigned int ripe)
{
	struct ttm_fence_lru *lru = &dev->lru;

	mock_check(dev);
	KUNIT_EXPECT_EQ(dev->test, zombies, lru->stats.zombies.count);
	KUNIT_EXPECT_EQ(dev->test, zombies * MOCK_BO_BYTES,
			ttm_fence_lru_dead_bytes(lru, 1));
	KUNIT_EXPECT_EQ(dev->test, ripe * MOCK_BO_BYTES,
			ttm_fence_lru_ripe_bytes(lru, 1));
}

static void a_report_tells_zombies_that_can_go(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fences[40];
	int i;

	for (i = 0; i < 40; i++) {
		fences[i] = mock_emit(channel);
		bury(dev, 'x', fences[i]);
	}
	for (i = 0; i < 35; i++)
		mock_signal(fences[i]);
	expect_zombies(dev, 40, 0);

	/* It releases nothing. */
	refresh(dev);
	expect_zombies(dev, 40, 35);
	refresh(dev);
	expect_zombies(dev, 40, 35);
	EXPECT_STATE(dev, "", "");

	mock_signal(fences[35]);
	mock_reclaim(dev);
	expect_zombies(dev, 4, 0);

	for (i = 36; i < 40; i++)
		mock_signal(fences[i]);
	refresh(dev);
	expect_zombies(dev, 4, 4);
}

/* Reports may be polled, and hold nobody up. */
static void reports_seldom_look_and_never_wait(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);

	bury(dev, 'x', fence);
	mock_signal(fence);
	dev->nr_samples = 0;

	mutex_lock(&dev->lru.reclaim_lock);
	refresh(dev);
	mutex_unlock(&dev->lru.reclaim_lock);
	expect_zombies(dev, 1, 0);

	/* As if there were one all the time. */
	dev->lru.refreshed = jiffies + HZ;
	ttm_fence_lru_refresh(&dev->lru);
	expect_zombies(dev, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, dev->nr_samples);

	refresh(dev);
	expect_zombies(dev, 1, 1);
}

static void
a_zombie_is_ripe_when_its_last_fence_has_signaled(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *sooner = mock_submit(first, x);
	struct mock_fence *later = mock_submit(second, x);

	mock_bo_put(x);
	mock_signal(sooner);
	ttm_fence_lru_retire(&dev->lru);
	expect_zombies(dev, 1, 0);

	mock_signal(later);
	ttm_fence_lru_retire(&dev->lru);
	expect_zombies(dev, 1, 1);
	mock_reclaim(dev);
	expect_zombies(dev, 0, 0);
}

/* It was tried in vain, and no channel can tell when it can go. */
static void a_leftover_does_not_count_as_ripe(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	x->locked = true;
	mock_bo_put(x);
	mock_signal(fence);
	refresh(dev);
	expect_zombies(dev, 1, 1);
	mock_reclaim(dev);
	refresh(dev);
	expect_zombies(dev, 1, 0);
	x->locked = false;
}

/**
 * struct load - nodes with one zombie and one live buffer each
 * @channels: that they are on, in turn
 * @nodes: how many
 * @held: the last fence of all has not signaled
 * @report: a report comes, instead of an allocation
 */
struct load {
	unsigned int channels;
	unsigned int nodes;
	bool held;
	bool report;
};

/* What one retire looks at: nodes, links, channels and fences. */
static u64 cost(struct mock_device *dev, const struct load *load)
{
	struct mock_channel *channels[8];
	struct mock_fence *fence = NULL;
	unsigned int i;
	u64 before;

	for (i = 0; i < load->channels; i++)
		channels[i] = mock_channel_create(dev);
	for (i = 0; i < load->nodes; i++) {
		fence = mock_emit(channels[i % load->channels]);
		bury(dev, 'x', fence);
		mock_bo_use(mock_bo_create(dev, 'A'), fence);
		fence->done = !load->held || i < load->nodes - 1;
	}

	before = dev->lru.stats.steps + dev->nr_samples;
	if (load->report)
		refresh(dev);
	else
		ttm_fence_lru_retire(&dev->lru);
	before = dev->lru.stats.steps + dev->nr_samples - before;

	mock_signal(fence);
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(dev->test, 0, dev->lru.stats.busy);
	for (i = 0; i < load->channels; i++)
		mock_channel_destroy(channels[i]);
	return before;
}

/* Twice as much costs twice as much, whatever it is. */
static void the_cost_of_a_retire_is_linear(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct load load, twice;
	u64 once;
	int i;

	for (i = 0; i < 8; i++) {
		load = (struct load){
			.channels = i & 1 ? 8 : 1,
			.nodes = 1000,
			.held = i & 2,
			.report = i & 4,
		};
		twice = load;
		twice.nodes *= 2;
		once = cost(dev, &load);
		KUNIT_EXPECT_GE(test, once, 3 * 1000 - 3);
		KUNIT_EXPECT_LE(test, once, 5 * 1000);
		KUNIT_EXPECT_LE(test, 100 * cost(dev, &twice), 205 * once);
	}
}

static void channels_that_hold_nothing_are_not_looked_at(struct kunit *test)
{
	struct load load = { .channels = 1, .nodes = 10 };
	struct mock_device *dev = test->priv;
	struct mock_channel *channel;
	u64 alone;
	int i;

	alone = cost(dev, &load);
	/* Half of them held something before. */
	for (i = 0; i < 4095; i++) {
		channel = mock_channel_create(dev);
		if (i & 1)
			mock_submit(channel, mock_bo_create(dev, 'A'))->done =
				true;
	}
	mock_reclaim(dev);
	/* This one finds that they are empty. */
	ttm_fence_lru_retire(&dev->lru);
	KUNIT_EXPECT_EQ(test, alone, cost(dev, &load));
	load.report = true;
	KUNIT_EXPECT_EQ(test, alone, cost(dev, &load));
}

/* Under one fence, and under many. */
static void no_spinlock_is_held_for_many_of_them(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_locks locks;
	int i;

	for (i = 0; i < MANY; i++) {
		bury(dev, 'x', fence);
		mock_bo_use(mock_bo_create(dev, 'A'), fence);
	}
	for (i = 0; i < 1000; i++)
		bury(dev, 'x', mock_emit(channel));
	list_for_each_entry(fence, &dev->fences, entry)
		mock_signal(fence);

	mock_locks_start(&locks, dev);
	ttm_fence_lru_retire(&dev->lru);
	mock_locks_stop(&locks);
	KUNIT_EXPECT_LE(test, locks.max_steps, 257);
	KUNIT_EXPECT_GE(test, locks.lru, 2 * MANY / 256);
	expect_zombies(dev, MANY + 1000, MANY + 1000);
}

static void retire(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	ttm_fence_lru_retire(&dev->lru);
}

/* There is nothing else that they wait for. */
static void wait_for_waiter(struct mock_thread *thread)
{
	while (!(READ_ONCE(thread->task->__state) & TASK_UNINTERRUPTIBLE))
		schedule_timeout_uninterruptible(1);
}

/* But one that had begun when they came may have looked before what they know of. */
static void one_retire_serves_all_that_came_before_it(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_thread threads[3];
	u64 retires;
	int i;

	mock_submit(channel, mock_bo_create(dev, 'A'))->done = true;
	mock_submit(channel, mock_bo_create(dev, 'B'));

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		mock_thread_create(&threads[i], test, retire);
	/* As if one were under way, and at its end. */
	mutex_lock(&dev->lru.reclaim_lock);
	retires = ++dev->lru.retires;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		mock_thread_start(&threads[i]);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		wait_for_waiter(&threads[i]);
	dev->lru.retired = retires;
	dev->nr_samples = 0;
	mutex_unlock(&dev->lru.reclaim_lock);

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		mock_thread_join(&threads[i]);
	KUNIT_EXPECT_EQ(test, retires + 1, dev->lru.retires);
	/* A and B, and B as the last of its channel. */
	KUNIT_EXPECT_EQ(test, 3, dev->nr_samples);
	EXPECT_STATE(dev, "A", "");
}

/* It requests no signaling, and so may find less. */
static void a_report_does_not_serve_an_allocation(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit_silent(channel);
	struct mock_thread thread;

	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	mock_thread_create(&thread, test, retire);
	mutex_lock(&dev->lru.reclaim_lock);
	mock_thread_start(&thread);
	wait_for_waiter(&thread);
	mutex_unlock(&dev->lru.reclaim_lock);
	refresh(dev);
	mock_thread_join(&thread);
	KUNIT_EXPECT_EQ(test, 1, fence->armed);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_zombies_fence_that_cannot_be_asked_is_told_once),
	KUNIT_CASE(under_pressure_a_head_that_cannot_be_asked_is_told),
	KUNIT_CASE(what_signals_when_it_is_told_is_seen_at_once),
	KUNIT_CASE(a_later_fence_settles_the_earlier_ones),
	KUNIT_CASE(a_report_tells_zombies_that_can_go),
	KUNIT_CASE(reports_seldom_look_and_never_wait),
	KUNIT_CASE(a_zombie_is_ripe_when_its_last_fence_has_signaled),
	KUNIT_CASE(a_leftover_does_not_count_as_ripe),
	KUNIT_CASE(the_cost_of_a_retire_is_linear),
	KUNIT_CASE(channels_that_hold_nothing_are_not_looked_at),
	KUNIT_CASE(no_spinlock_is_held_for_many_of_them),
	KUNIT_CASE(one_retire_serves_all_that_came_before_it),
	KUNIT_CASE(a_report_does_not_serve_an_allocation),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_retire",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
