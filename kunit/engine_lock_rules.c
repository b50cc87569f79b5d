// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The order of the locks, and what may be done under them: each case breaks a rule, as
 * lock_rules.h says.
 */
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "lock_rules.h"

static bool break_them;
module_param_named(break_lock_rules, break_them, bool, 0444);
MODULE_PARM_DESC(break_lock_rules, "Run the cases that break a lock rule");

/* So far the rule was kept. What follows must cause these reports, and no other. */
void break_rule(struct kunit *test, const char *report, const char *and_then)
{
	kunit_info(test, "expect: %s", report);
	if (and_then)
		kunit_info(test, "expect: %s", and_then);
	kunit_info(test, "from here on the rule is broken");
}

/*
 * Somebody sleeps in ttm_fence_lru_bury(). RCU complains, too, of a read section that cannot
 * be preempted.
 */
static void break_rule_by_sleeping(struct kunit *test)
{
	const char *sleeps = SLEEPS IN("ttm_fence_lru_bury");

	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		break_rule(test, sleeps, NULL);
	else
		break_rule(test, RCU_USAGE IN("ttm_fence_lru_bury"), sleeps);
}

/* Of a buffer that is idle. */
static struct mock_bo *held;

static void allocate(struct kunit *test)
{
	kfree(kmalloc_obj(*held));
}

int lock_rules_init(struct kunit *test)
{
	if (!break_them)
		kunit_skip(test, "lock rules are not to be broken");

	return mock_device_init(test);
}

void lock_rules_exit(struct kunit *test)
{
	if (test->priv)
		mock_device_exit(test);
}

/* An allocation that does not fit. */
void lock_rules_reclaim(struct mock_device *dev)
{
	struct ttm_fence_lru_need need = { .type = 1 };

	ttm_fence_lru_reclaim(&dev->lru, &need);
}

/* The owner's lock outside of the engine: a reservation. */
static struct dma_resv resv;

static void take_reservation(struct kunit *test)
{
	dma_resv_lock(&resv, NULL);
	dma_resv_unlock(&resv);
}

static void drop_last_reference(struct kunit *test)
{
	mock_bo_put(held);
}

/*
 * Another device: its locks are of the same classes, so that lockdep objects, but
 * nobody waits for himself.
 */
static struct mock_device *another_device(struct kunit *test)
{
	struct mock_device *dev = test->priv, *other;

	KUNIT_ASSERT_EQ(test, 0, mock_device_init(test));
	other = test->priv;
	test->priv = dev;
	return other;
}

/* The order of the engine's own locks. */

static void nest(spinlock_t *outer, spinlock_t *inner)
{
	spin_lock(outer);
	spin_lock(inner);
	spin_unlock(inner);
	spin_unlock(outer);
}

static void a_channel_lock_under_the_lru_lock(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);

	nest(&channel->base.lock, &dev->lru_lock);
	break_rule(test, CIRCULAR ORDER(LRU, CHANNEL), NULL);
	nest(&dev->lru_lock, &channel->base.lock);
}

static void two_channel_locks_at_once(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *first = mock_channel_create(dev);
	struct mock_channel *second = mock_channel_create(dev);

	break_rule(test, RECURSIVE ORDER(CHANNEL, CHANNEL), NULL);
	nest(&first->base.lock, &second->base.lock);
}

static void retiring_under_a_channel_lock(struct kunit *test)
{
	struct mock_channel *channel =
		mock_channel_create(another_device(test));

	lock_rules_reclaim(test->priv);
	break_rule(test, SLEEPS IN("ttm_fence_lru_retire"),
		   INVALID_WAIT TAKES(RECLAIM));
	spin_lock(&channel->base.lock);
	lock_rules_reclaim(test->priv);
	spin_unlock(&channel->base.lock);
}

static void retiring_under_the_lru_lock(struct kunit *test)
{
	struct mock_device *other = another_device(test);

	lock_rules_reclaim(test->priv);
	break_rule(test, SLEEPS IN("ttm_fence_lru_retire"),
		   INVALID_WAIT TAKES(RECLAIM));
	spin_lock(&other->lru_lock);
	lock_rules_reclaim(test->priv);
	spin_unlock(&other->lru_lock);
}

static void a_last_put_under_the_lru_lock(struct kunit *test)
{
	struct mock_device *other = another_device(test);

	held = mock_bo_create(test->priv, 'x');
	mock_bo_put(mock_bo_create(test->priv, 'y'));
	break_rule(test, SLEEPS IN("mock_bo_release"),
		   INVALID_WAIT TAKES(RECLAIM));
	spin_lock(&other->lru_lock);
	drop_last_reference(test);
	spin_unlock(&other->lru_lock);
}

static void counting_memory_as_released_under_the_lru_lock(struct kunit *test)
{
	struct mock_device *dev = test->priv, *other = another_device(test);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	x->locked = true;
	mock_bo_put(x);
	mock_bo_clean(x);
	break_rule(test, RECURSIVE ORDER(LRU, LRU), NULL);
	spin_lock(&other->lru_lock);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_cleaned(&dev->lru, &x->base));
	spin_unlock(&other->lru_lock);
	mock_bo_put(x);
}

static void allocating_under_the_reclaim_lock(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	allocate(test);
	break_rule(test, CIRCULAR ORDER(RECLAIM, "fs_reclaim"), NULL);
	mutex_lock(&dev->lru.reclaim_lock);
	allocate(test);
	mutex_unlock(&dev->lru.reclaim_lock);
}

/* What the owner's operations do, which the engine calls with its locks held. */

static const struct ttm_fence_lru_ops *sound;
static DEFINE_MUTEX(managers_mutex);

static void allocating_op(struct ttm_fence_lru_bo *bo)
{
	allocate(NULL);
	sound->busy(bo);
}

static void sleeping_op(struct ttm_fence_lru_bo *bo)
{
	mutex_lock(&managers_mutex);
	sound->idle(bo);
	mutex_unlock(&managers_mutex);
}

static void scheduling_op(struct ttm_fence_lru_bo *bo)
{
	might_sleep();
	sound->resurrect(bo);
}

static void replace_ops(struct mock_device *dev, struct ttm_fence_lru_ops *ops)
{
	sound = dev->lru.ops;
	ops->busy = ops->busy ?: sound->busy;
	ops->idle = ops->idle ?: sound->idle;
	ops->resurrect = ops->resurrect ?: sound->resurrect;
	ops->put = sound->put;
	ops->cleanup = ops->cleanup ?: sound->cleanup;
	dev->lru.ops = ops;
}

static void attaching_with_a_busy_op_that_allocates(struct kunit *test)
{
	static struct ttm_fence_lru_ops ops = { .busy = allocating_op };
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);

	mock_submit(channel, mock_bo_create(dev, 'A'));
	break_rule(test, CIRCULAR ORDER(LRU, "fs_reclaim"),
		   SLEEPS IN("ttm_fence_lru_attach"));
	replace_ops(dev, &ops);
	mock_submit(channel, mock_bo_create(dev, 'B'));
	dev->lru.ops = sound;
}

static void retiring_with_an_idle_op_that_takes_a_mutex(struct kunit *test)
{
	static struct ttm_fence_lru_ops ops = { .idle = sleeping_op };
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);

	mock_submit(channel, mock_bo_create(dev, 'A'))->done = true;
	break_rule(test, SLEEPS IN("ttm_fence_lru_retire"),
		   INVALID_WAIT TAKES("managers_mutex"));
	replace_ops(dev, &ops);
	lock_rules_reclaim(dev);
	dev->lru.ops = sound;
}

static void burying_with_a_resurrect_op_that_sleeps(struct kunit *test)
{
	static struct ttm_fence_lru_ops ops = { .resurrect = scheduling_op };
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');

	mock_submit(mock_channel_create(dev), x);
	break_rule_by_sleeping(test);
	replace_ops(dev, &ops);
	mock_bo_put(x);
	dev->lru.ops = sound;
}

/* What cleanup does while others may wait for it. */

static DEFINE_MUTEX(notify_mutex);

static enum ttm_fence_lru_verdict notifying_op(struct ttm_fence_lru_bo *bo,
					       enum ttm_fence_lru_site site,
					       struct dma_fence **blocker)
{
	mutex_lock(&notify_mutex);
	mutex_unlock(&notify_mutex);
	return sound->cleanup(bo, site, blocker);
}

static void settle(struct mock_device *dev)
{
	ttm_fence_lru_settle(&dev->lru, false);
}

static void release_one(struct mock_device *dev)
{
	struct mock_bo *x = mock_bo_create(dev, 'x');

	x->locked = true;
	mock_bo_put(x);
	x->locked = false;
	lock_rules_reclaim(dev);
}

/* Nobody releases anything now, so nobody waits. */
static void settling_with_a_lock_that_cleanup_takes(struct kunit *test)
{
	static struct ttm_fence_lru_ops ops = { .cleanup = notifying_op };
	struct mock_device *dev = test->priv;

	replace_ops(dev, &ops);
	release_one(dev);
	settle(dev);
	break_rule(test, CIRCULAR ORDER("notify_mutex", CLEAN), NULL);
	mutex_lock(&notify_mutex);
	settle(dev);
	mutex_unlock(&notify_mutex);
	dev->lru.ops = sound;
}

/* The same from the other end. */
static void cleaning_with_a_lock_under_which_others_allocate(struct kunit *test)
{
	static struct ttm_fence_lru_ops ops = { .cleanup = notifying_op };
	struct mock_device *dev = test->priv;

	mutex_lock(&notify_mutex);
	lock_rules_reclaim(dev);
	settle(dev);
	mutex_unlock(&notify_mutex);
	break_rule(test, CIRCULAR ORDER(CLEAN, "notify_mutex"), NULL);
	replace_ops(dev, &ops);
	release_one(dev);
	dev->lru.ops = sound;
}

/* What the code of a fence does, which the engine calls under the reclaim mutex. */

static struct mock_fence *other_fence;

static void wait_for_another(struct kunit *test)
{
	dma_fence_wait(&other_fence->base, false);
}

static void when_sampled(struct kunit *test, mock_hook other)
{
	struct mock_device *dev = test->priv;

	dev->sampled = other;
}

/* A channel whose first fence runs foreign code when it is sampled. */
static struct mock_fence *busybody(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);

	other_fence = mock_fence_create(dev, dma_fence_context_alloc(1), 1);
	dma_fence_signal(&other_fence->base);
	mock_bo_use(mock_bo_create(dev, 'A'), fence);
	return fence;
}

static void retiring_with_a_fence_that_allocates(struct kunit *test)
{
	busybody(test);
	break_rule(test, CIRCULAR ORDER(RECLAIM, "fs_reclaim"),
		   SLEEPS IN("ttm_fence_lru_has_signaled"));
	when_sampled(test, allocate);
	lock_rules_reclaim(test->priv);
}

static void retiring_with_a_fence_that_waits_for_another(struct kunit *test)
{
	busybody(test);
	break_rule(test, SLEEPS IN("dma_fence_wait_timeout"), NULL);
	when_sampled(test, wait_for_another);
	lock_rules_reclaim(test->priv);
}

static void retiring_with_a_fence_that_takes_a_reservation(struct kunit *test)
{
	busybody(test);
	dma_resv_init(&resv);
	break_rule(test, SLEEPS IN("ttm_fence_lru_retire"),
		   CIRCULAR ORDER(RECLAIM, RESERVATION));
	when_sampled(test, take_reservation);
	lock_rules_reclaim(test->priv);
}

static void retiring_with_a_fence_that_puts_a_buffer(struct kunit *test)
{
	busybody(test);
	held = mock_bo_create(test->priv, 'x');
	break_rule(test, SLEEPS IN("mock_bo_release"),
		   RECURSIVE ORDER(RECLAIM, RECLAIM));
	when_sampled(test, drop_last_reference);
	lock_rules_reclaim(test->priv);
}

static void burying_with_a_fence_that_waits_for_another(struct kunit *test)
{
	struct mock_fence *fence = busybody(test);
	struct mock_bo *x = mock_bo_create(test->priv, 'x');

	mock_bo_use(x, fence);
	break_rule_by_sleeping(test);
	when_sampled(test, wait_for_another);
	mock_bo_put(x);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_channel_lock_under_the_lru_lock),
	KUNIT_CASE(two_channel_locks_at_once),
	KUNIT_CASE(retiring_under_a_channel_lock),
	KUNIT_CASE(retiring_under_the_lru_lock),
	KUNIT_CASE(a_last_put_under_the_lru_lock),
	KUNIT_CASE(counting_memory_as_released_under_the_lru_lock),
	KUNIT_CASE(allocating_under_the_reclaim_lock),
	KUNIT_CASE(attaching_with_a_busy_op_that_allocates),
	KUNIT_CASE(retiring_with_an_idle_op_that_takes_a_mutex),
	KUNIT_CASE(burying_with_a_resurrect_op_that_sleeps),
	KUNIT_CASE(settling_with_a_lock_that_cleanup_takes),
	KUNIT_CASE(cleaning_with_a_lock_under_which_others_allocate),
	KUNIT_CASE(retiring_with_a_fence_that_allocates),
	KUNIT_CASE(retiring_with_a_fence_that_waits_for_another),
	KUNIT_CASE(retiring_with_a_fence_that_takes_a_reservation),
	KUNIT_CASE(retiring_with_a_fence_that_puts_a_buffer),
	KUNIT_CASE(burying_with_a_fence_that_waits_for_another),
	{}
};

/* Not of the name that all others share, which are run together. */
static struct kunit_suite suite = {
	.name = "broken_lock_rules",
	.init = lock_rules_init,
	.exit = lock_rules_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
