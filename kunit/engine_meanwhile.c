// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What other tasks do meanwhile: races, played one step after the other.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "mock.h"

/* Somewhere between a moment and for ever. */
#define MOMENT (HZ / 50)
#define LONG (HZ * 20)

static struct mock_bo *the_bo;
static struct mock_fence *the_fence;

static void attach_the_fence(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	/* No mock_bo_use(): reclaim holds its lock, so nothing may be allocated. */
	mock_fences_add(dev, &the_bo->fences, &the_fence->base);
	ttm_fence_lru_attach(&dev->lru, &the_bo->base, &the_fence->base);
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

static void attach_in_vain(struct kunit *test)
{
	attach_the_fence(test);
	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_bo_is_busy(&the_bo->base));
}

/* While its zombies are released, others may still know its fences. */
static void a_channel_that_ends_takes_no_fence(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');

	the_bo = mock_bo_create(dev, 'A');
	mock_submit(channel, x);
	mock_bo_put(x);
	mock_signal(mock_first(channel));
	the_fence = mock_emit(channel);

	dev->cleaning = attach_in_vain;
	mock_channel_destroy(channel);
	EXPECT_STATE(dev, "A", "x");
	KUNIT_EXPECT_NULL(test, dev->cleaning);
}

/* As ttm_fence_lru_release() does first. */
static void begin_release(struct mock_bo *bo)
{
	bo->base.type = 1;
	bo->base.bytes = MOCK_BO_BYTES;
	spin_lock(&bo->dev->lru_lock);
	bo->base.dead = true;
	spin_unlock(&bo->dev->lru_lock);
}

/* The releaser has not come to the link yet, and still holds its own reference. */
static void reclaim_releases_a_buffer_that_is_dying(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_bo *x = mock_bo_create(dev, 'x');
	u64 released;

	mock_submit(channel, x)->done = true;
	begin_release(x);
	KUNIT_EXPECT_TRUE(test, mock_reclaim_step(&dev->lru, 8, &released));
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES, released);
	EXPECT_STATE(dev, "", "x");
	EXPECT_NODES(channel, "");
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "");
	KUNIT_EXPECT_EQ(test, 1, kref_read(&x->kref));

	mock_bo_put(x);
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "x");
}

static bool count(struct ttm_fence_lru_bo *bo, void *data)
{
	++*(unsigned int *)data;
	return true;
}

static void a_dying_buffer_is_not_visited(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *x = mock_bo_create(dev, 'x');
	struct ttm_fence_lru_cursor cursor = {};
	struct mock_fence *fence;
	unsigned int visited = 0;

	fence = mock_submit(mock_channel_create(dev), x);
	begin_release(x);
	ttm_fence_lru_visit_busy(&dev->lru, &cursor, count, &visited);
	KUNIT_EXPECT_EQ(test, 0, visited);

	mock_signal(fence);
	mock_reclaim(dev);
	mock_bo_put(x);
}

static void dying_buffers_count_for_the_budget(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_channel *channel = mock_channel_create(dev);
	struct mock_fence *fence = mock_emit(channel);
	struct mock_bo *bos[3];
	u64 released;
	int i;

	for (i = 0; i < 3; i++) {
		bos[i] = mock_bo_create(dev, "xyz"[i]);
		mock_bo_use(bos[i], fence);
		begin_release(bos[i]);
	}
	mock_signal(fence);
	KUNIT_EXPECT_FALSE(test, mock_reclaim_step(&dev->lru, 2, &released));
	KUNIT_EXPECT_STREQ(test, dev->cleaned, "xy");
	EXPECT_NODES(channel, "z");
	KUNIT_EXPECT_TRUE(test, mock_reclaim_step(&dev->lru, 2, &released));
	EXPECT_STATE(dev, "", "xyz");

	for (i = 0; i < 3; i++)
		mock_bo_put(bos[i]);
	KUNIT_EXPECT_STREQ(test, dev->destroyed, "xyz");
}

static void poll_all(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	KUNIT_EXPECT_EQ(test, 2 * MOCK_BO_BYTES,
			ttm_fence_lru_poll(&dev->lru, U64_MAX));
}

/* While the first tries its first leftover, the second takes all others. */
static void two_polls_share_the_leftovers(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct mock_bo *bo;
	int i;

	for (i = 0; i < 3; i++) {
		bo = mock_bo_create(dev, "xyz"[i]);
		bo->locked = true;
		mock_bo_put(bo);
		bo->locked = false;
	}
	KUNIT_EXPECT_EQ(test, 3, dev->lru.stats.leftover);

	dev->cleaning = poll_all;
	KUNIT_EXPECT_EQ(test, MOCK_BO_BYTES,
			ttm_fence_lru_poll(&dev->lru, U64_MAX));
	EXPECT_STATE(dev, "", "yzx");
	KUNIT_EXPECT_EQ(test, 0, dev->lru.stats.leftover);
}

/* How long it takes to settle. */
static unsigned long settle(struct mock_device *dev)
{
	unsigned long start = jiffies;

	ttm_fence_lru_settle(&dev->lru);
	return jiffies - start;
}

static void settling_takes_no_time_when_nothing_is_under_way(struct kunit *test)
{
	struct mock_device *dev = test->priv;

	KUNIT_EXPECT_FALSE(test, ttm_fence_lru_settle(&dev->lru));
	KUNIT_EXPECT_LT(test, settle(dev), MOMENT);
	mock_bo_put(mock_bo_create(dev, 'x'));
	KUNIT_EXPECT_LT(test, settle(dev), MOMENT);

	/* Others that end more than had begun. */
	atomic_set(&dev->lru.released, INT_MAX);
	atomic_set(&dev->lru.releasing, INT_MAX);
	mock_bo_put(mock_bo_create(dev, 'y'));
	KUNIT_EXPECT_LT(test, settle(dev), MOMENT);
}

static void settling_ends_after_a_tenth_of_a_second(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	unsigned long took;

	atomic_inc(&dev->lru.releasing);
	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_settle(&dev->lru));
	took = settle(dev);
	KUNIT_EXPECT_GE(test, took, HZ / 20);
	KUNIT_EXPECT_LT(test, took, LONG);

	/* Who drains wants to know what is left. */
	took = jiffies;
	KUNIT_EXPECT_EQ(test, 0, ttm_fence_lru_drain(&dev->lru));
	took = jiffies - took;
	KUNIT_EXPECT_GE(test, took, HZ / 20);
	KUNIT_EXPECT_LT(test, took, LONG);
	atomic_inc(&dev->lru.released);
}

struct later_put {
	struct delayed_work work;
	struct mock_bo *bo;
};

static void put_later(struct work_struct *work)
{
	struct later_put *later =
		container_of(work, struct later_put, work.work);

	mock_bo_put(later->bo);
}

/* Of two that are under way, the one that ends wakes who waits for as many. */
static void settling_ends_when_others_have_released(struct kunit *test)
{
	struct mock_device *dev = test->priv;
	struct later_put later;
	int tries;

	INIT_DELAYED_WORK_ONSTACK(&later.work, put_later);
	for (tries = 0; tries < 3; tries++) {
		later.bo = mock_bo_create(dev, 'x');
		atomic_inc(&dev->lru.releasing);
		schedule_delayed_work(&later.work, 1);
		/* A machine that is busy may be late, but not each time. */
		if (settle(dev) < HZ / 11)
			break;
		flush_delayed_work(&later.work);
		atomic_inc(&dev->lru.released);
	}
	flush_delayed_work(&later.work);
	destroy_delayed_work_on_stack(&later.work);
	KUNIT_EXPECT_LT(test, tries, 3);
	if (tries < 3)
		atomic_inc(&dev->lru.released);
}

enum needs_the_lock {
	NEED_FRONTIERS,
	NEED_STALL,
	NEED_RECLAIM,
	NEED_LOOK,
	NEED_CHECK,
	NEED_VISIT,
	NEED_REGISTER,
	NEED_UNREGISTER,
};

static const struct needer_param {
	const char *name;
	enum needs_the_lock need;
} needers[] = {
	{ "frontiers", NEED_FRONTIERS }, { "stall", NEED_STALL },
	{ "reclaim", NEED_RECLAIM },	 { "look", NEED_LOOK },
	{ "check", NEED_CHECK },	 { "visit", NEED_VISIT },
	{ "register", NEED_REGISTER },	 { "unregister", NEED_UNREGISTER },
};

KUNIT_ARRAY_PARAM_DESC(needers, needers, name);

struct needer {
	struct mock_device *dev;
	struct mock_channel *channel;
	struct ttm_fence_lru_channel other;
	enum needs_the_lock need;
	struct completion done;
};

static int need_the_lock(void *data)
{
	struct needer *needer = data;
	struct ttm_fence_lru *lru = &needer->dev->lru;
	struct ttm_fence_lru_due due = { .type = TTM_FENCE_LRU_ANY_TYPE };
	struct ttm_fence_lru_cursor cursor = {};
	struct dma_fence *fence = NULL;
	unsigned int visited = 0;
	u64 released;

	switch (needer->need) {
	case NEED_FRONTIERS:
		ttm_fence_lru_frontiers(lru, &due, &fence, 1);
		break;
	case NEED_STALL:
		ttm_fence_lru_stall(lru, 0);
		break;
	case NEED_RECLAIM:
		mock_reclaim_step(lru, 1, &released);
		break;
	case NEED_LOOK:
		ttm_fence_lru_look(lru);
		break;
	case NEED_VISIT:
		ttm_fence_lru_visit_busy(lru, &cursor, count, &visited);
		break;
	case NEED_CHECK:
		ttm_fence_lru_check(lru, NULL);
		break;
	case NEED_REGISTER:
		ttm_fence_lru_channel_register(lru, &needer->other,
					       dma_fence_context_alloc(1));
		break;
	case NEED_UNREGISTER:
		ttm_fence_lru_channel_unregister(&needer->other);
		break;
	}
	complete_all(&needer->done);
	return 0;
}

/* What walks or changes the list of channels waits for who else does. */
static void who_walks_the_channels_is_alone(struct kunit *test)
{
	const struct needer_param *param = test->param_value;
	struct mock_device *dev = test->priv;
	struct needer *needer =
		kunit_kzalloc(test, sizeof(*needer), GFP_KERNEL);
	u64 context = dma_fence_context_alloc(1);
	struct task_struct *task;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, needer);
	needer->dev = dev;
	needer->need = param->need;
	init_completion(&needer->done);
	mock_submit(mock_channel_create(dev), mock_bo_create(dev, 'A'));
	if (param->need == NEED_UNREGISTER) {
		ret = ttm_fence_lru_channel_register(&dev->lru, &needer->other,
						     context);
		KUNIT_ASSERT_EQ(test, 0, ret);
	}

	task = kthread_create(need_the_lock, needer, "fence_lru_needer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	mutex_lock(&dev->lru.reclaim_lock);
	wake_up_process(task);
	KUNIT_EXPECT_EQ(test, 0,
			wait_for_completion_timeout(&needer->done, MOMENT));
	mutex_unlock(&dev->lru.reclaim_lock);
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&needer->done, LONG));
	if (param->need == NEED_REGISTER)
		ttm_fence_lru_channel_unregister(&needer->other);
	mock_check(dev);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_node_that_goes_while_it_is_sampled_is_not_retired),
	KUNIT_CASE(a_channel_that_ends_takes_no_fence),
	KUNIT_CASE(reclaim_releases_a_buffer_that_is_dying),
	KUNIT_CASE(a_dying_buffer_is_not_visited),
	KUNIT_CASE(dying_buffers_count_for_the_budget),
	KUNIT_CASE(two_polls_share_the_leftovers),
	KUNIT_CASE(settling_takes_no_time_when_nothing_is_under_way),
	KUNIT_CASE(settling_ends_after_a_tenth_of_a_second),
	KUNIT_CASE(settling_ends_when_others_have_released),
	KUNIT_CASE_PARAM(who_walks_the_channels_is_alone, needers_gen_params),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_meanwhile",
	.init = mock_device_init,
	.exit = mock_device_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
