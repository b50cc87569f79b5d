// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reclaim beside the merge: passes, shrinking, looking, and fences that must be asked.
 */
#include <linux/sched/mm.h>

#include "mock.h"

/* A zombie of @type and @bytes under the fence. */
static void bury(struct mock_device *dev, char name, struct mock_fence *fence,
		 u8 type, u32 bytes)
{
	struct mock_bo *bo = mock_bo_create(dev, name);

	bo->type = type;
	bo->bytes = bytes;
	mock_bo_use(bo, fence);
	mock_bo_put(bo);
}

static void shrinking_stops_at_its_target(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);

	bury(dev, 'v', fence, 1, 100);
	bury(dev, 'w', fence, 2, 100);
	bury(dev, 'x', fence, 2, 100);
	bury(dev, 'y', fence, 1, 100);
	bury(dev, 'z', fence, 2, 100);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 2, 150));
	EXPECT_STATE(dev, "", "");

	mock_signal(fence);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 2, 0));
	EXPECT_STATE(dev, "", "");
	KUNIT_EXPECT_EQ(test, 200, ttm_fence_lru_shrink(&dev->lru, 2, 150));
	EXPECT_STATE(dev, "", "vwx");
	KUNIT_EXPECT_EQ(test, 200,
			ttm_fence_lru_shrink(&dev->lru, TTM_FENCE_LRU_ANY_TYPE,
					     U64_MAX));
	EXPECT_STATE(dev, "", "vwxyz");
}

static void shrinking_waits_for_nobody(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);

	bury(dev, 'x', fence, 1, 100);
	mock_signal(fence);

	mutex_lock(&dev->lru.reclaim_lock);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 1, 100));
	mutex_unlock(&dev->lru.reclaim_lock);
	EXPECT_STATE(dev, "", "");

	KUNIT_EXPECT_EQ(test, 100, ttm_fence_lru_shrink(&dev->lru, 1, 100));
	EXPECT_STATE(dev, "", "x");
}

/* A shrinker runs where somebody waits for memory. */
static void shrinking_in_direct_reclaim_is_allowed(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	u64 released;

	bury(dev, 'x', fence, 1, 100);
	mock_signal(fence);

	fs_reclaim_acquire(GFP_KERNEL);
	released = ttm_fence_lru_shrink(&dev->lru, 1, 100);
	fs_reclaim_release(GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 100, released);
	EXPECT_STATE(dev, "", "x");
}

static void shrinking_takes_leftovers_too(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');

	x->locked = true;
	mock_bo_put(x);
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_shrink(&dev->lru, 1, 1));
	x->locked = false;
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES,
			ttm_fence_lru_shrink(&dev->lru, 1, 1));
	EXPECT_STATE(dev, "", "x");
}

#define OTHERS 20

/* One channel with zombies that can go, and others whose frontier is their first node. */
static struct mock_channel *many_channels(struct mock_device *dev)
{
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	int i;

	for (i = 0; i < OTHERS; i++)
		mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'A'));
	for (i = 0; i < 5; i++) {
		fence = mock_emit(channel);
		bury(dev, "vwxyz"[i], fence, 1, 100);
		mock_signal(fence);
	}
	return channel;
}

static void a_pass_looks_at_all_channels_once(struct kunit *test)
{
	struct ttm_fence_lru_pass pass = { .budget = 1 };
	struct mock_device *dev = test->priv;

	many_channels(dev);
	dev->nr_samples = 0;
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_reclaim(&dev->lru, &pass));
	EXPECT_STATE(dev, "", "v");
	KUNIT_EXPECT_GT(test, dev->nr_samples, OTHERS);

	/* Only the fences of the buffer that goes, and of the next node. */
	dev->nr_samples = 0;
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_reclaim(&dev->lru, &pass));
	KUNIT_EXPECT_EQ(test, 100, pass.released);
	EXPECT_STATE(dev, "", "vw");
	KUNIT_EXPECT_LE(test, dev->nr_samples, 2);

	/* To be complete it must have looked again. */
	while (!ttm_fence_lru_reclaim(&dev->lru, &pass))
		;
	KUNIT_EXPECT_GT(test, dev->nr_samples, OTHERS);
	EXPECT_STATE(dev, "", "vwxyz");
}

static void a_pass_that_another_interrupts_begins_anew(struct kunit *test)
{
	struct ttm_fence_lru_pass pass = { .budget = 1 }, other = pass;
	struct mock_device *dev = test->priv;

	many_channels(dev);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_reclaim(&dev->lru, &pass));
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_reclaim(&dev->lru, &other));
	dev->nr_samples = 0;
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_reclaim(&dev->lru, &pass));
	KUNIT_EXPECT_GT(test, dev->nr_samples, OTHERS);
	EXPECT_STATE(dev, "", "vwx");
}

/* The pass has not forgotten it. */
static void a_channel_may_go_during_a_pass(struct kunit *test)
{
	struct ttm_fence_lru_pass pass = { .budget = 1 };
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = many_channels(dev);

	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_reclaim(&dev->lru, &pass));
	mock_channel_destroy(channel);
	EXPECT_STATE(dev, "", "vwxyz");
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_reclaim(&dev->lru, &pass));
}

static void channels_may_come_during_a_pass(struct kunit *test)
{
	struct ttm_fence_lru_pass pass = { .budget = 1 };
	struct mock_device *dev = test->priv;
	int i;

	many_channels(dev);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_reclaim(&dev->lru, &pass));
	/* More than there is room for. */
	for (i = 0; i < 3 * OTHERS; i++)
		mock_channel_create(dev);
	while (!ttm_fence_lru_reclaim(&dev->lru, &pass))
		;
	EXPECT_STATE(dev, "", "vwxyz");
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
	KUNIT_EXPECT_EQ(test, 0, first->armed);

	mock_reclaim(dev);
	mock_reclaim(dev);
	KUNIT_EXPECT_EQ(test, 1, first->armed);
	KUNIT_EXPECT_EQ(test, 0, second->armed);
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.armed);

	mock_signal(first);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "");
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

	mock_reclaim(dev);
	EXPECT_STATE(dev, "ABC", "");
	KUNIT_EXPECT_EQ(test, 0, fence->armed);
}

static void expect_zombies(struct mock_device *dev, unsigned int zombies,
			   unsigned int signaled)
{
	struct ttm_fence_lru_stats *stats = &dev->lru.stats;

	mock_check(dev);
	KUNIT_EXPECT_EQ(dev->test, zombies, stats->zombies);
	KUNIT_EXPECT_EQ(dev->test, signaled, stats->signaled);
	KUNIT_EXPECT_EQ(dev->test, signaled * MOCK_BO_BYTES,
			stats->signaled_bytes[1]);
}

static void looking_tells_zombies_that_could_go(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fences[40];
	int i;

	for (i = 0; i < 40; i++) {
		fences[i] = mock_emit(channel);
		bury(dev, 'x', fences[i], 1, MOCK_BO_BYTES);
	}
	for (i = 0; i < 35; i++)
		mock_signal(fences[i]);
	expect_zombies(dev, 40, 0);

	/* It changes the counters only, and that once. */
	ttm_fence_lru_look(&dev->lru);
	expect_zombies(dev, 40, 35);
	ttm_fence_lru_look(&dev->lru);
	expect_zombies(dev, 40, 35);
	EXPECT_STATE(dev, "", "");

	mock_signal(fences[35]);
	mock_reclaim(dev);
	expect_zombies(dev, 4, 0);

	for (i = 36; i < 40; i++)
		mock_signal(fences[i]);
	ttm_fence_lru_look(&dev->lru);
	expect_zombies(dev, 4, 4);
}

/* More than are counted without a pause. */
static void one_look_finds_all_of_them(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence;
	int i;

	for (i = 0; i < 300; i++) {
		fence = mock_emit(channel);
		bury(dev, 'x', fence, 1, MOCK_BO_BYTES);
	}
	mock_signal(fence);
	ttm_fence_lru_look(&dev->lru);
	expect_zombies(dev, 300, 300);
}

static void
a_zombie_could_go_when_its_last_fence_has_signaled(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *sooner = mock_submit(first, x);
	struct mock_fence *later = mock_submit(second, x);

	mock_bo_put(x);
	mock_signal(sooner);
	ttm_fence_lru_look(&dev->lru);
	expect_zombies(dev, 1, 0);

	mock_signal(later);
	ttm_fence_lru_look(&dev->lru);
	expect_zombies(dev, 1, 1);
	mock_reclaim(dev);
	expect_zombies(dev, 0, 0);
}

/* The later fence tells that it could, though its own cannot be asked. */
static void a_zombie_may_be_known_to_be_able_to_go(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit_silent(channel);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_bo_use(x, fence);
	mock_submit(channel, mock_bo_create(dev, 'A'))->done = true;
	ttm_fence_lru_look(&dev->lru);
	mock_bo_put(x);
	EXPECT_NODES(channel, "/x A");
	expect_zombies(dev, 1, 1);

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "x");
	expect_zombies(dev, 0, 0);
}

/* No channel can tell that it could go. */
static void a_leftover_never_counts_as_one_that_could_go(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence = mock_submit(channel, x);

	x->locked = true;
	mock_bo_put(x);
	mock_signal(fence);
	ttm_fence_lru_look(&dev->lru);
	expect_zombies(dev, 1, 1);
	mock_reclaim(dev);
	ttm_fence_lru_look(&dev->lru);
	expect_zombies(dev, 1, 0);
	x->locked = false;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(shrinking_stops_at_its_target),
	KUNIT_CASE(shrinking_waits_for_nobody),
	KUNIT_CASE(shrinking_in_direct_reclaim_is_allowed),
	KUNIT_CASE(shrinking_takes_leftovers_too),
	KUNIT_CASE(a_pass_looks_at_all_channels_once),
	KUNIT_CASE(a_pass_that_another_interrupts_begins_anew),
	KUNIT_CASE(a_channel_may_go_during_a_pass),
	KUNIT_CASE(channels_may_come_during_a_pass),
	KUNIT_CASE(a_zombies_fence_that_cannot_be_asked_is_told_once),
	KUNIT_CASE(under_pressure_a_head_that_cannot_be_asked_is_told),
	KUNIT_CASE(a_later_fence_settles_the_earlier_ones),
	KUNIT_CASE(looking_tells_zombies_that_could_go),
	KUNIT_CASE(one_look_finds_all_of_them),
	KUNIT_CASE(a_zombie_could_go_when_its_last_fence_has_signaled),
	KUNIT_CASE(a_zombie_may_be_known_to_be_able_to_go),
	KUNIT_CASE(a_leftover_never_counts_as_one_that_could_go),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_reclaim",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
