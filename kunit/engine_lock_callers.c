// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Who may call the engine, and what the caller must not hold: each case breaks a rule,
 * as lock_rules.h says.
 */
#include <linux/delay.h>
#include <linux/dma-resv.h>
#include <linux/sched/mm.h>
#include <linux/timer.h>

#include "lock_rules.h"

static void drain(struct mock_device *dev)
{
	ttm_fence_lru_drain(&dev->lru);
}

static void trim(struct mock_device *dev)
{
	ttm_fence_lru_trim(&dev->lru);
}

static void settle(struct mock_device *dev)
{
	ttm_fence_lru_settle(&dev->lru, false);
}

/* A channel with room for a fence, and an idle buffer with a link. */
static struct mock_channel *channel;
static struct mock_bo *bo;

static void reserve_node(struct mock_device *dev)
{
	ttm_fence_lru_channel_reserve(&channel->base);
}

static void reserve_link(struct mock_device *dev)
{
	ttm_fence_lru_reserve(&bo->base, 1);
}

static void unregister(struct mock_device *dev)
{
	mock_channel_destroy(channel);
}

static void put(struct mock_device *dev)
{
	mock_bo_put(bo);
}

static void make_objects(struct kunit *test)
{
	channel = mock_channel_create(test->priv);
	bo = mock_bo_create(test->priv, 'A');
	reserve_node(test->priv);
	reserve_link(test->priv);
}

/* Between making a fence public and signaling it. */
static void in_signaling_section(struct kunit *test, const char *report,
				 void (*act)(struct mock_device *dev))
{
	bool cookie;

	make_objects(test);
	break_rule(test, report, NULL);
	cookie = dma_fence_begin_signalling();
	act(test->priv);
	dma_fence_end_signalling(cookie);
}

static void reserving_a_node_when_the_fence_is_public(struct kunit *test)
{
	in_signaling_section(test, CIRCULAR ORDER(SIGNALING, "fs_reclaim"),
			     reserve_node);
}

static void reserving_a_link_when_the_fence_is_public(struct kunit *test)
{
	in_signaling_section(test, CIRCULAR ORDER(SIGNALING, "fs_reclaim"),
			     reserve_link);
}

static void reclaiming_in_a_signaling_section(struct kunit *test)
{
	in_signaling_section(test, CIRCULAR ORDER(SIGNALING, RECLAIM),
			     lock_rules_reclaim);
}

static void a_last_put_in_a_signaling_section(struct kunit *test)
{
	in_signaling_section(test, CIRCULAR ORDER(SIGNALING, RECLAIM), put);
}

static void trimming_in_a_signaling_section(struct kunit *test)
{
	in_signaling_section(test, CIRCULAR ORDER(SIGNALING, RECLAIM), trim);
}

static void settling_in_a_signaling_section(struct kunit *test)
{
	in_signaling_section(test, CIRCULAR ORDER(SIGNALING, "fs_reclaim"),
			     settle);
}

/* Where the engine destroys what takes reservations. */
static void with_a_reservation(struct kunit *test,
			       void (*act)(struct mock_device *dev))
{
	struct dma_resv resv;

	make_objects(test);
	dma_resv_init(&resv);
	break_rule(test, CIRCULAR ORDER(RESERVATION, DRAIN), NULL);
	dma_resv_lock(&resv, NULL);
	act(test->priv);
	dma_resv_unlock(&resv);
	dma_resv_fini(&resv);
}

static void draining_with_a_reservation(struct kunit *test)
{
	with_a_reservation(test, drain);
}

static void trimming_with_a_reservation(struct kunit *test)
{
	with_a_reservation(test, trim);
}

static void unregistering_with_a_reservation(struct kunit *test)
{
	with_a_reservation(test, unregister);
}

/* Where memory is short: nothing may be waited for that needs some. */
static void in_direct_reclaim(struct kunit *test, const char *report,
			      void (*act)(struct mock_device *dev))
{
	make_objects(test);
	fs_reclaim_acquire(GFP_KERNEL);
	lock_rules_reclaim(test->priv);
	fs_reclaim_release(GFP_KERNEL);

	break_rule(test, report, NULL);
	fs_reclaim_acquire(GFP_KERNEL);
	act(test->priv);
	fs_reclaim_release(GFP_KERNEL);
}

static void settling_in_direct_reclaim(struct kunit *test)
{
	in_direct_reclaim(test, RECURSIVE ORDER("fs_reclaim", "fs_reclaim"),
			  settle);
}

static void draining_in_direct_reclaim(struct kunit *test)
{
	in_direct_reclaim(test, CIRCULAR ORDER("fs_reclaim", DRAIN), drain);
}

/* Fence callbacks and interrupts. */

struct callback {
	struct dma_fence_cb base;
	struct mock_device *dev;
	void (*act)(struct mock_device *dev);
};

static void call(struct dma_fence *fence, struct dma_fence_cb *base)
{
	struct callback *callback = container_of(base, struct callback, base);

	callback->act(callback->dev);
}

static void in_fence_callback(struct kunit *test, const char *report,
			      const char *and_then,
			      void (*act)(struct mock_device *dev))
{
	struct callback callback = { .dev = test->priv, .act = act };
	struct mock_fence *fence;

	make_objects(test);
	fence = mock_fence_create(test->priv, dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, 0,
			dma_fence_add_callback(&fence->base, &callback.base,
					       call));
	break_rule(test, report, and_then);
	dma_fence_signal(&fence->base);
}

static void reclaiming_in_a_fence_callback(struct kunit *test)
{
	in_fence_callback(test, SLEEPS IN("ttm_fence_lru_retire"),
			  INVALID_WAIT TAKES(RECLAIM), lock_rules_reclaim);
}

static void a_last_put_in_a_fence_callback(struct kunit *test)
{
	in_fence_callback(test, SLEEPS IN("mock_bo_release"),
			  INVALID_WAIT TAKES(RECLAIM), put);
}

static void kill(struct mock_device *dev)
{
	ttm_fence_lru_channel_kill(&channel->base);
}

static void killing_in_a_fence_callback(struct kunit *test)
{
	in_fence_callback(test, WARNING IN("ttm_fence_lru_channel_kill"), NULL,
			  kill);
}

static void attaching_under_the_lock_of_a_fence(struct kunit *test)
{
	struct ttm_fence_lru_bo *base;
	struct mock_fence *fence;

	make_objects(test);
	base = &bo->base;
	fence = mock_emit(channel);
	break_rule(test, WARNING IN("ttm_fence_lru_attach"), NULL);
	spin_lock_irq(&fence->lock);
	ttm_fence_lru_attach(channel->base.lru, &fence->base, &base, 1);
	spin_unlock_irq(&fence->lock);
}

static bool fired;

static void kill_in_interrupt(struct timer_list *timer)
{
	kill(NULL);
	WRITE_ONCE(fired, true);
}

static void killing_in_an_interrupt(struct kunit *test)
{
	struct timer_list timer;

	make_objects(test);
	kill(test->priv);
	break_rule(test, IRQ_STATE TAKES(CHANNEL), NULL);
	timer_setup_on_stack(&timer, kill_in_interrupt, 0);
	mod_timer(&timer, jiffies + 1);
	while (!READ_ONCE(fired))
		msleep(20);
	timer_delete_sync(&timer);
	timer_destroy_on_stack(&timer);
}

/* The driver's emission lock of the channel. */
static DEFINE_MUTEX(emission);

static void set_emission_lock(struct kunit *test)
{
	make_objects(test);
	ttm_fence_lru_channel_set_lock(&channel->base, &emission);
	mutex_lock(&emission);
	mock_submit(channel, bo);
	mutex_unlock(&emission);
}

static void reserving_a_node_without_the_emission_lock(struct kunit *test)
{
	set_emission_lock(test);
	break_rule(test, WARNING IN("ttm_fence_lru_channel_reserve"), NULL);
	reserve_node(test->priv);
}

static void attaching_a_new_fence_without_the_emission_lock(struct kunit *test)
{
	struct mock_fence *fence, *copied;

	set_emission_lock(test);
	mutex_lock(&emission);
	copied = mock_submit(channel, bo);
	fence = mock_emit(channel);
	mutex_unlock(&emission);

	/* One that was attached before may be copied without it. */
	mock_bo_use(mock_bo_create(test->priv, 'B'), copied);
	break_rule(test, WARNING IN("ttm_fence_lru_attach"), NULL);
	mock_bo_use(bo, fence);
}

static void assert_reserved(struct ttm_fence_lru_bo *base)
{
	WARN_ON_ONCE(!mutex_is_locked(&emission));
}

/* The owner says which reservation that is: here it is that mutex. */
static void attaching_without_the_reservation(struct kunit *test)
{
	static struct ttm_fence_lru_ops ops;
	struct mock_device *dev = test->priv;

	ops = *dev->lru.ops;
	ops.assert_reserved = assert_reserved;
	dev->lru.ops = &ops;
	make_objects(test);
	mutex_lock(&emission);
	mock_submit(channel, bo);
	mutex_unlock(&emission);
	break_rule(test, WARNING IN("ttm_fence_lru_attach"), NULL);
	mock_submit(channel, bo);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(reserving_a_node_when_the_fence_is_public),
	KUNIT_CASE(reserving_a_link_when_the_fence_is_public),
	KUNIT_CASE(reclaiming_in_a_signaling_section),
	KUNIT_CASE(a_last_put_in_a_signaling_section),
	KUNIT_CASE(trimming_in_a_signaling_section),
	KUNIT_CASE(settling_in_a_signaling_section),
	KUNIT_CASE(draining_with_a_reservation),
	KUNIT_CASE(trimming_with_a_reservation),
	KUNIT_CASE(unregistering_with_a_reservation),
	KUNIT_CASE(settling_in_direct_reclaim),
	KUNIT_CASE(draining_in_direct_reclaim),
	KUNIT_CASE(reclaiming_in_a_fence_callback),
	KUNIT_CASE(a_last_put_in_a_fence_callback),
	KUNIT_CASE(killing_in_a_fence_callback),
	KUNIT_CASE(attaching_under_the_lock_of_a_fence),
	KUNIT_CASE(killing_in_an_interrupt),
	KUNIT_CASE(reserving_a_node_without_the_emission_lock),
	KUNIT_CASE(attaching_a_new_fence_without_the_emission_lock),
	KUNIT_CASE(attaching_without_the_reservation),
	{}
};

static struct kunit_suite suite = {
	.name = "broken_lock_callers",
	.init = lock_rules_init,
	.exit = lock_rules_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
