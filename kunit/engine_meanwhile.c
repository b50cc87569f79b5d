// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What other tasks do meanwhile: races, played one step after the other. Each case says
 * into which window of the engine the other task comes.
 */
#include <linux/rcupdate.h>

#include "mock.h"

static struct mock_bo *the_bo, *other_bo;
static struct mock_fence *the_fence;
static struct mock_channel *the_channel;

/* While a retire samples the fence of a node, with no lock but the mutex. */

static void attach_the_fence(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct ttm_fence_lru_bo *base = &the_bo->base;

	/* No mock_bo_use(): the mutex is held, so nothing may be allocated. */
	mock_fences_add(dev, &the_bo->fences, &the_fence->base);
	ttm_fence_lru_attach(&dev->lru, &the_fence->base, &base, 1);
}

/*
 *   node 1: A          reclaim sees fence 1 signaled; before it retires node 1,
 *   node 2: A          A moves on, and node 1 is gone
 */
static void
a_node_that_goes_while_it_is_sampled_is_not_retired(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *first;

	the_bo = mock_bo_create(dev, 'A');
	first = mock_submit(channel, the_bo);
	the_fence = mock_emit(channel);
	mock_signal(first);

	dev->sampled = attach_the_fence;
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(channel, "A");

	mock_signal(the_fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "A", "");
}

/* What is emitted meanwhile has signaled, too, but a busy device is not chased. */
static void what_is_emitted_during_a_retire_is_left(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *a = mock_bo_create(dev, 'A');

	the_bo = mock_bo_create(dev, 'B');
	mock_submit(channel, a)->done = true;
	the_fence = mock_emit(channel);
	mock_signal(the_fence);

	dev->sampled = attach_the_fence;
	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "A", "");
	EXPECT_NODES(channel, "B");

	ttm_fence_lru_retire(&dev->lru);
	EXPECT_STATE(dev, "AB", "");
}

/*
 *   node 1: A          a sweep samples fence 1; meanwhile A moves on, and node 1 is
 *   node 2: /x         gone: the sweep goes on at node 2
 *   node 3: A
 */
static void a_node_that_goes_while_it_is_swept_is_passed(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *first, *second;

	the_bo = mock_bo_create(dev, 'A');
	first = mock_submit(channel, the_bo);
	second = mock_submit(channel, x);
	the_fence = mock_emit(channel);
	mock_bo_put(x);
	EXPECT_NODES(channel, "A /x");
	mock_signal(first);
	mock_signal(second);

	ttm_fence_lru_set_limit(&dev->lru, 1, 0);
	dev->sampled = attach_the_fence;
	ttm_fence_lru_trim(&dev->lru);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(channel, "A");
}

/*
 * While a release looks at a link, without its channel's lock. It is in an RCU section,
 * which these leave for as long as another CPU would take.
 */

static void retire_elsewhere(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	rcu_read_unlock();
	ttm_fence_lru_retire(&dev->lru);
	rcu_read_lock();
}

static void signal_and_retire(struct kunit *test)
{
	mock_signal(the_fence);
	retire_elsewhere(test);
}

/* The node is freed, and perhaps used again at once, for a fence of another channel. */
static void retire_and_use_the_node_again(struct kunit *test)
{
	signal_and_retire(test);
	rcu_read_unlock();
	mock_submit(the_channel, other_bo);
	rcu_read_lock();
}

static void a_link_that_goes_while_a_release_looks_at_it(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	the_channel = mock_channel_create(dev);
	other_bo = mock_bo_create(dev, 'B');
	the_fence = mock_submit(channel, x);

	dev->sampled = retire_and_use_the_node_again;
	mock_bo_put(x);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(channel, "");
	EXPECT_NODES(the_channel, "B");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.deferred);
}

static void unregister_elsewhere(struct kunit *test)
{
	rcu_read_unlock();
	mock_channel_unregister(the_channel);
	rcu_read_lock();
}

/* Its fence has not signaled: the owner's own test has the last word. */
static void a_channel_that_ends_while_a_release_looks_at_it(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence;

	the_channel = mock_channel_create(dev);
	fence = mock_submit(the_channel, x);

	dev->sampled = unregister_elsewhere;
	mock_bo_put(x);
	EXPECT_STATE(dev, "x", "");
	KUNIT_EXPECT_EQ(test, TTM_FENCE_LRU_LEFTOVER, x->base.state);

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "x");
}

/* The first link is buried; the other task comes while the second is looked at. */
static mock_hook at_the_second;

static void at_the_first(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	dev->sampled = at_the_second;
}

/* x, used on two channels; the fence of the first is the_fence. */
static struct mock_fence *put_meanwhile(struct kunit *test,
					struct mock_channel *first,
					struct mock_channel *second,
					mock_hook meanwhile)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct mock_fence *fence;

	the_fence = mock_submit(first, x);
	fence = mock_submit(second, x);
	at_the_second = meanwhile;
	dev->sampled = at_the_first;
	the_bo = x;
	mock_bo_put(x);
	KUNIT_EXPECT_NULL(test, dev->sampled);
	return fence;
}

/* The link that was buried has left already: x is on the second channel only. */
static void a_retire_takes_a_link_that_a_release_has_buried(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);
	struct mock_fence *fence;

	fence = put_meanwhile(test, first, second, signal_and_retire);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(first, "");
	EXPECT_NODES(second, "/x");
	KUNIT_EXPECT_EQ(test, 1, kref_read(&the_bo->kref));
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.zombies.count);

	mock_signal(fence);
	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "x");
}

/* The one that was buried leaves last. */
static void signal_both_and_retire(struct kunit *test)
{
	mock_signal(mock_first(the_channel));
	retire_elsewhere(test);
	signal_and_retire(test);
}

/* It is not ripe: nobody but the task that releases it decides what becomes of it. */
static void a_retire_leaves_a_dying_buffer_to_its_release(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);

	the_channel = mock_channel_create(dev);
	put_meanwhile(test, first, the_channel, signal_both_and_retire);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(first, "");
	EXPECT_NODES(the_channel, "");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.deferred);
}

static void signal_both(struct kunit *test)
{
	mock_signal(mock_first(the_channel));
	mock_signal(the_fence);
}

/* The first link was looked at too early: x is a zombie until the next retire. */
static void a_fence_that_signals_after_it_was_looked_at(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);

	the_channel = mock_channel_create(dev);
	put_meanwhile(test, first, the_channel, signal_both);
	EXPECT_STATE(dev, "", "");
	EXPECT_NODES(first, "/x");
	EXPECT_NODES(the_channel, "");

	mock_reclaim(dev);
	EXPECT_STATE(dev, "", "x");
}

static bool count(struct ttm_fence_lru_bo *bo, void *data)
{
	++*(unsigned int *)data;
	return true;
}

static void visit_nobody(struct kunit *test)
{
	struct ttm_fence_lru_cursor cursor = {};
	struct mock_device *dev = test->priv;
	unsigned int visited = 0;

	rcu_read_unlock();
	ttm_fence_lru_visit_busy(&dev->lru, HZ, &cursor, count, &visited);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, 0, visited);
}

static void a_dying_buffer_is_not_visited(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	put_meanwhile(test, mock_channel_create(dev), mock_channel_create(dev),
		      visit_nobody);
	EXPECT_STATE(dev, "", "");
}

/* While a task that has taken a zombie cleans it. */

enum robbed {
	ROBBED_AND_FREE,
	ROBBED_AND_LOCKED,
	ROBBED_AND_BLOCKED,
	ROBBED_AND_REFUSED,
};

static const struct robbed_param {
	const char *name;
	enum robbed robbed;
} robbed_params[] = {
	{ "cleaned", ROBBED_AND_FREE },
	{ "locked", ROBBED_AND_LOCKED },
	{ "blocked", ROBBED_AND_BLOCKED },
	{ "refused", ROBBED_AND_REFUSED },
};

KUNIT_ARRAY_PARAM_DESC(robbed, robbed_params, name);

/* A walk of the LRU, which found the zombie there before it was taken. */
static void walk(struct kunit *test)
{
	const struct robbed_param *param = test->param_value;
	struct mock_device *dev = test->priv;

	kref_get(&the_bo->kref);
	mock_bo_clean(the_bo);
	KUNIT_EXPECT_FALSE(test,
			   ttm_fence_lru_cleaned(&dev->lru, &the_bo->base));
	the_bo->locked = param->robbed == ROBBED_AND_LOCKED;
	the_bo->refused = param->robbed == ROBBED_AND_REFUSED;
}

/* Whatever the task that has taken it says then, it is no leftover. */
static void a_walk_empties_a_zombie_that_is_taken(struct kunit *test)
{
	const struct robbed_param *param = test->param_value;
	u64 context = dma_fence_context_alloc(1);
	struct mock_device *dev = test->priv;
	struct ttm_fence_lru_need need = { .type = 1 };
	struct mock_fence *fence, *last;

	the_bo = mock_bo_create(dev, 'x');
	fence = mock_fence_create(dev, context, 1);
	mock_bo_use(the_bo, fence);
	last = mock_submit(mock_channel_create(dev), the_bo);
	mock_bo_put(the_bo);
	EXPECT_STATE(dev, "", "");

	mock_signal(last);
	if (param->robbed != ROBBED_AND_BLOCKED)
		mock_signal(fence);
	dev->cleaning = walk;
	KUNIT_EXPECT_EQ(test, 1, ttm_fence_lru_reclaim(&dev->lru, &need));
	EXPECT_STATE(dev, "", "x");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.zombies.count);
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "");

	mock_bo_put(the_bo);
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
}

static unsigned int reclaim_type_1(struct mock_device *dev)
{
	struct ttm_fence_lru_need need = { .type = 1 };

	return ttm_fence_lru_reclaim(&dev->lru, &need);
}

static void reclaim_two(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 2, reclaim_type_1(test->priv));
}

/* While the first task tries the leftovers that it took, another takes all others. */
static void two_reclaims_share_the_leftovers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *bo;
	int i;

	for (i = 0; i < 10; i++) {
		bo = mock_bo_create(dev, 'a' + i);
		bo->locked = true;
		mock_bo_put(bo);
		bo->locked = false;
	}
	KUNIT_EXPECT_EQ(test, 10, dev->lru.dead[1].nr_locked);

	dev->cleaning = reclaim_two;
	KUNIT_EXPECT_EQ(test, 8, reclaim_type_1(dev));
	EXPECT_STATE(dev, "", "ijabcdefgh");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.dead[1].nr_locked);
}

/* While the fence that leftovers wait for is tested, with no lock at all. */

/* A walk releases a leftover; it waited for the fence, under the buffer's lock. */
static void evict(struct kunit *test, struct mock_bo *bo)
{
	struct mock_device *dev = test->priv;

	mock_signal(the_fence);
	mock_bo_clean(bo);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_cleaned(&dev->lru, &bo->base));
	mock_bo_put(bo);
}

static void evict_one(struct kunit *test)
{
	evict(test, the_bo);
}

static void evict_both(struct kunit *test)
{
	evict(test, the_bo);
	evict(test, other_bo);
}

static void reclaim_both(struct kunit *test)
{
	mock_signal(the_fence);
	KUNIT_EXPECT_EQ(test, 2, reclaim_type_1(test->priv));
}

static const struct blocker_param {
	const char *name;
	mock_hook meanwhile;
	unsigned int left;
} blocker_params[] = {
	{ "a walk takes one", evict_one, 1 },
	{ "a walk takes all, and the blocker is gone", evict_both, 0 },
	{ "another task finds it signaled first", reclaim_both, 0 },
};

KUNIT_ARRAY_PARAM_DESC(blocker, blocker_params, name);

static void others_take_what_waits_for_a_fence(struct kunit *test)
{
	const struct blocker_param *param = test->param_value;
	u64 context = dma_fence_context_alloc(1);
	struct mock_device *dev = test->priv;

	the_bo = mock_bo_create(dev, 'x');
	other_bo = mock_bo_create(dev, 'y');
	the_fence = mock_fence_create(dev, context, 1);
	mock_bo_use(the_bo, the_fence);
	mock_bo_use(other_bo, the_fence);
	mock_bo_put(the_bo);
	mock_bo_put(other_bo);
	KUNIT_EXPECT_EQ(test, 0, reclaim_type_1(dev));
	KUNIT_EXPECT_EQ(test, 1, dev->lru.dead[1].nr_blocked);
	EXPECT_STATE(dev, "xy", "");

	dev->sampled = param->meanwhile;
	KUNIT_EXPECT_EQ(test, param->left, reclaim_type_1(dev));
	KUNIT_EXPECT_EQ(test, 0, dev->lru.dead[1].nr_blocked);
	EXPECT_STATE(dev, "", "xy");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "xy");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_node_that_goes_while_it_is_sampled_is_not_retired),
	KUNIT_CASE(what_is_emitted_during_a_retire_is_left),
	KUNIT_CASE(a_node_that_goes_while_it_is_swept_is_passed),
	KUNIT_CASE(a_link_that_goes_while_a_release_looks_at_it),
	KUNIT_CASE(a_channel_that_ends_while_a_release_looks_at_it),
	KUNIT_CASE(a_retire_takes_a_link_that_a_release_has_buried),
	KUNIT_CASE(a_retire_leaves_a_dying_buffer_to_its_release),
	KUNIT_CASE(a_fence_that_signals_after_it_was_looked_at),
	KUNIT_CASE(a_dying_buffer_is_not_visited),
	KUNIT_CASE_PARAM(a_walk_empties_a_zombie_that_is_taken,
			 robbed_gen_params),
	KUNIT_CASE(two_reclaims_share_the_leftovers),
	KUNIT_CASE_PARAM(others_take_what_waits_for_a_fence,
			 blocker_gen_params),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_meanwhile",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
