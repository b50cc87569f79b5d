// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which tasks wait for others, and which do not.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "mock.h"

/* A task that does not go on within this has hung. */
#define LONG (HZ * 20)

/**
 * struct other - another task, which does one thing
 * @dev: to whom
 * @act: what
 * @ret: what came of it
 * @task: the task, with a reference
 * @done: it has done it
 */
struct other {
	struct mock_device *dev;
	int (*act)(struct mock_device *dev);
	int ret;
	struct task_struct *task;
	struct completion done;
};

static int run(void *data)
{
	struct other *other = data;

	other->ret = other->act(other->dev);
	complete_all(&other->done);
	return 0;
}

/* Let it run until it waits for something, or has ended. */
static void await(struct other *other)
{
	/* One that is being woken up is neither. */
	while (!completion_done(&other->done) &&
	       !(READ_ONCE(other->task->__state) & TASK_NORMAL))
		usleep_range(50, 100);
}

static struct other *create(struct kunit *test,
			    int (*act)(struct mock_device *))
{
	struct other *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, other);
	other->dev = test->priv;
	other->act = act;
	init_completion(&other->done);
	other->task = kthread_create(run, other, "fence_lru_other");
	KUNIT_ASSERT_FALSE(test, IS_ERR(other->task));
	get_task_struct(other->task);
	return other;
}

static struct other *start(struct kunit *test, int (*act)(struct mock_device *))
{
	struct other *other = create(test, act);

	wake_up_process(other->task);
	return other;
}

static bool waits(struct other *other)
{
	await(other);
	return !completion_done(&other->done);
}

static int end(struct kunit *test, struct other *other)
{
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&other->done, LONG));
	put_task_struct(other->task);
	return other->ret;
}

/* Tasks that release memory, and are held up. */

static struct completion first_goes_on, second_goes_on, held;

static void hold_first(struct kunit *test)
{
	complete(&held);
	wait_for_completion(&first_goes_on);
}

static void hold_second(struct kunit *test)
{
	complete(&held);
	wait_for_completion(&second_goes_on);
}

static int reclaim(struct mock_device *dev)
{
	struct ttm_fence_lru_need need = { .type = 1 };

	return ttm_fence_lru_reclaim(&dev->lru, &need);
}

static int settle(struct mock_device *dev)
{
	return ttm_fence_lru_settle(&dev->lru, false);
}

static int settle_unless_killed(struct mock_device *dev)
{
	allow_signal(SIGKILL);
	return ttm_fence_lru_settle(&dev->lru, true);
}

/* A task that has taken a zombie of this name, and waits before it releases it. */
static struct other *release(struct kunit *test, char name, mock_hook hold)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *bo = mock_bo_create(dev, name);
	struct other *other;

	bo->locked = true;
	mock_bo_put(bo);
	bo->locked = false;
	init_completion(&held);
	dev->cleaning = hold;
	other = start(test, reclaim);
	KUNIT_ASSERT_NE(test, 0, wait_for_completion_timeout(&held, LONG));
	return other;
}

static void settling_takes_no_time_when_nothing_is_under_way(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	KUNIT_EXPECT_EQ(test, 0, settle(dev));
	mock_bo_put(mock_bo_create(dev, 'x'));
	KUNIT_EXPECT_EQ(test, 0, settle(dev));
}

/* However long that takes: no timeout hides that it never ends. */
static void settling_waits_for_all_that_had_begun(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct other *first, *second, *settler;

	first = release(test, 'x', hold_first);
	second = release(test, 'y', hold_second);
	settler = start(test, settle);
	KUNIT_EXPECT_TRUE(test, waits(settler));

	/* They end in any order. */
	complete(&second_goes_on);
	KUNIT_EXPECT_EQ(test, 1, end(test, second));
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "y");
	msleep(200);
	KUNIT_EXPECT_TRUE(test, waits(settler));

	complete(&first_goes_on);
	KUNIT_EXPECT_EQ(test, 1, end(test, settler));
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "yx");
	KUNIT_EXPECT_EQ(test, 1, end(test, first));
}

static void settling_waits_for_none_that_begins_later(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct other *first, *second, *settler;

	first = release(test, 'x', hold_first);
	settler = start(test, settle);
	KUNIT_EXPECT_TRUE(test, waits(settler));
	second = release(test, 'y', hold_second);

	complete(&first_goes_on);
	KUNIT_EXPECT_EQ(test, 1, end(test, settler));
	KUNIT_EXPECT_EQ(test, 1, end(test, first));
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "x");
	KUNIT_EXPECT_TRUE(test, waits(second));

	complete(&second_goes_on);
	KUNIT_EXPECT_EQ(test, 1, end(test, second));
}

static void a_signal_ends_settling(struct kunit *test)
{
	struct other *first, *settler;

	first = release(test, 'x', hold_first);
	settler = start(test, settle_unless_killed);
	KUNIT_EXPECT_TRUE(test, waits(settler));

	send_sig(SIGKILL, settler->task, 0);
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS, end(test, settler));
	complete(&first_goes_on);
	KUNIT_EXPECT_EQ(test, 1, end(test, first));
}

/* A drain says what is left when all others have released what they took. */
static int drain(struct mock_device *dev)
{
	return ttm_fence_lru_drain(&dev->lru);
}

static void a_drain_settles(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct other *first, *drainer;

	first = release(test, 'x', hold_first);
	drainer = start(test, drain);
	KUNIT_EXPECT_TRUE(test, waits(drainer));
	KUNIT_EXPECT_EQ(test, 1, dev->lru.stats.zombies.count);

	complete(&first_goes_on);
	KUNIT_EXPECT_EQ(test, 0, end(test, drainer));
	KUNIT_EXPECT_EQ(test, 1, end(test, first));
}

/* Tasks that retire at the same time. */

static int retire(struct mock_device *dev)
{
	ttm_fence_lru_retire(&dev->lru);
	return 0;
}

static void one_retire_serves_all_that_wait_for_it(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct other *others[3];
	u64 retires = dev->lru.retires;
	int i;

	mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'A'))->done =
		true;
	for (i = 0; i < 3; i++)
		others[i] = create(test, retire);

	mutex_lock(&dev->lru.reclaim_lock);
	for (i = 0; i < 3; i++) {
		wake_up_process(others[i]->task);
		KUNIT_EXPECT_TRUE(test, waits(others[i]));
	}
	mutex_unlock(&dev->lru.reclaim_lock);
	for (i = 0; i < 3; i++)
		end(test, others[i]);
	EXPECT_STATE(dev, "A", "");
	KUNIT_EXPECT_EQ(test, retires + 1, dev->lru.retires);
}

/* It may have looked at a fence before that signaled. */
static void a_retire_that_has_begun_serves_nobody(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct other *other = create(test, retire);
	u64 retires;

	/* This task retires, and has looked already. */
	mutex_lock(&dev->lru.reclaim_lock);
	retires = ++dev->lru.retires;
	wake_up_process(other->task);
	KUNIT_EXPECT_TRUE(test, waits(other));
	dev->lru.retired = retires;
	mutex_unlock(&dev->lru.reclaim_lock);
	end(test, other);
	KUNIT_EXPECT_EQ(test, retires + 1, dev->lru.retires);
}

/* A report requests no signaling, so it cannot stand for a retire that does. */
static void a_report_does_not_serve_a_retire(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *silent = mock_emit_silent(channel);
	struct other *other = create(test, retire);

	mock_bo_use(mock_bo_create(dev, 'A'), silent);
	mutex_lock(&dev->lru.reclaim_lock);
	wake_up_process(other->task);
	KUNIT_EXPECT_TRUE(test, waits(other));
	mutex_unlock(&dev->lru.reclaim_lock);
	/* Before the other comes to run, where there is one CPU. */
	ttm_fence_lru_refresh(&dev->lru);
	end(test, other);
	KUNIT_EXPECT_EQ(test, 1, silent->armed);
}

/* What needs the reclaim mutex waits for it; what must not wait does without. */

static struct ttm_fence_lru_channel another_channel;

static int look_at_frontiers(struct mock_device *dev)
{
	struct ttm_fence_lru_due due = { .type = TTM_FENCE_LRU_ANY_TYPE };
	struct dma_fence *fence;

	return ttm_fence_lru_frontiers(&dev->lru, &due, &fence, 1);
}

static int look_at_zombies(struct mock_device *dev)
{
	struct dma_fence *fence;
	u64 seq = 0;

	fence = ttm_fence_lru_oldest_match(&dev->lru, 1, HZ, NULL, NULL, &seq);
	dma_fence_put(fence);
	return 0;
}

static int note_wait(struct mock_device *dev)
{
	struct mock_fence *fence =
		mock_fence_create(dev, dma_fence_context_alloc(1), 1);

	ttm_fence_lru_note_wait(&dev->lru, &fence->base);
	return 0;
}

static bool skip(struct ttm_fence_lru_bo *bo, void *data)
{
	return true;
}

static int visit(struct mock_device *dev)
{
	struct ttm_fence_lru_cursor cursor = {};

	ttm_fence_lru_visit_busy(&dev->lru, HZ, &cursor, skip, NULL);
	return 0;
}

static int check(struct mock_device *dev)
{
	ttm_fence_lru_check(&dev->lru, NULL);
	return 0;
}

static int do_register(struct mock_device *dev)
{
	return ttm_fence_lru_channel_register(&dev->lru, &another_channel,
					      dma_fence_context_alloc(1));
}

static int unregister(struct mock_device *dev)
{
	ttm_fence_lru_channel_unregister(&another_channel);
	return 0;
}

static int refresh(struct mock_device *dev)
{
	ttm_fence_lru_refresh(&dev->lru);
	return 0;
}

static int shrink(struct mock_device *dev)
{
	ttm_fence_lru_shrink(&dev->lru, 1, U64_MAX);
	return 0;
}

static int trim(struct mock_device *dev)
{
	ttm_fence_lru_trim(&dev->lru);
	return 0;
}

/* A zombie more, where there are too many. */
static int put(struct mock_device *dev)
{
	struct mock_bo *bo = mock_bo_create(dev, 'y');

	bo->locked = true;
	mock_bo_put(bo);
	bo->locked = false;
	return 0;
}

static const struct needer_param {
	const char *name;
	int (*act)(struct mock_device *dev);
	bool waits;
} needers[] = {
	{ "frontiers", look_at_frontiers, true },
	{ "oldest zombie", look_at_zombies, true },
	{ "note wait", note_wait, true },
	{ "retire", retire, true },
	{ "reclaim", reclaim, true },
	{ "check", check, true },
	{ "visit", visit, true },
	{ "register", do_register, true },
	{ "unregister", unregister, true },
	{ "drain", drain, true },
	{ "refresh", refresh, false },
	{ "shrink", shrink, false },
	{ "trim", trim, false },
	{ "put", put, false },
	{ "settle", settle, false },
};

KUNIT_ARRAY_PARAM_DESC(needers, needers, name);

static void what_walks_the_channels_is_alone(struct kunit *test)
{
	const struct needer_param *param = test->param_value;
	struct mock_device *dev = test->priv;
	struct other *other = create(test, param->act);

	ttm_fence_lru_set_limit(&dev->lru, 1, 0);
	put(dev);
	if (param->act == unregister)
		KUNIT_ASSERT_EQ(test, 0, do_register(dev));

	mutex_lock(&dev->lru.reclaim_lock);
	wake_up_process(other->task);
	if (param->waits)
		KUNIT_EXPECT_TRUE(test, waits(other));
	else
		end(test, other);
	mutex_unlock(&dev->lru.reclaim_lock);
	if (param->waits)
		end(test, other);
	if (param->act == do_register)
		unregister(dev);
	mock_check(dev);
}

static int init(struct kunit *test)
{
	init_completion(&first_goes_on);
	init_completion(&second_goes_on);
	return mock_device_init(test);
}

/* A case that failed may have left others behind. */
static void exit_test(struct kunit *test)
{
	complete_all(&first_goes_on);
	complete_all(&second_goes_on);
	mock_device_exit(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(settling_takes_no_time_when_nothing_is_under_way),
	KUNIT_CASE(settling_waits_for_all_that_had_begun),
	KUNIT_CASE(settling_waits_for_none_that_begins_later),
	KUNIT_CASE(a_signal_ends_settling),
	KUNIT_CASE(a_drain_settles),
	KUNIT_CASE(one_retire_serves_all_that_wait_for_it),
	KUNIT_CASE(a_retire_that_has_begun_serves_nobody),
	KUNIT_CASE(a_report_does_not_serve_a_retire),
	KUNIT_CASE_PARAM(what_walks_the_channels_is_alone, needers_gen_params),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_waits",
	.init = init,
	.exit = exit_test,
	.test_cases = cases,
};

kunit_test_suite(suite);
