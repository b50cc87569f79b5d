// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Evicting all while others are at it: what is allocated but not in use yet, what is
 * handed over meanwhile; and how long that may take.
 */
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include <kunit/static_stub.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

#define TIMEOUT (HZ / 2)

static int init(struct kunit *test)
{
	glue_set_timeout(test, TIMEOUT);
	return glue_init(test);
}

static int evict_all(struct glue_device *dev)
{
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);

	return ttm_resource_manager_evict_all(&dev->bdev, man);
}

/* Memory of a move to VRAM that another task is about to give up. */
struct allocation {
	struct delayed_work work;
	struct glue_bo *bo;
	struct ttm_resource *res;
};

static void give_up(struct work_struct *work)
{
	struct allocation *allocation =
		container_of(work, struct allocation, work.work);

	ttm_resource_free(&allocation->bo->tbo, &allocation->res);
}

static struct allocation *begin_move(struct glue_device *dev)
{
	struct allocation *allocation;

	allocation = kunit_kzalloc(dev->test, sizeof(*allocation), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(dev->test, allocation);
	INIT_DELAYED_WORK(&allocation->work, give_up);
	allocation->bo = glue_bo(dev, 'm', &glue_gtt);
	return allocation;
}

static void allocate_for(struct allocation *allocation, unsigned long delay)
{
	const struct ttm_place place = { .mem_type = TTM_PL_VRAM };
	struct glue_bo *bo = allocation->bo;

	KUNIT_ASSERT_EQ(bo->dev->test, 0,
			ttm_resource_alloc(&bo->tbo, &place, &allocation->res,
					   NULL));
	schedule_delayed_work(&allocation->work, delay);
}

/* No fence tells when. */
static void a_move_of_another_task_is_waited_for(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	allocate_for(begin_move(dev), 2);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	KUNIT_EXPECT_EQ(test, evict_all(dev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_lru(dev, TTM_PL_TT, "m", 0);
}

static void but_not_for_ever(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct allocation *allocation = begin_move(dev);

	allocate_for(allocation, 4 * TIMEOUT);
	KUNIT_EXPECT_EQ(test, evict_all(dev), -EBUSY);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	flush_delayed_work(&allocation->work);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static struct allocation *begun_meanwhile;

static void allocate_meanwhile(struct glue_device *dev)
{
	dev->moving = NULL;
	allocate_for(begun_meanwhile, 2);
}

static void one_that_begins_meanwhile_is_too(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	glue_bo(dev, 'a', &glue_vram);
	begun_meanwhile = begin_move(dev);
	dev->moving = allocate_meanwhile;
	KUNIT_EXPECT_EQ(test, evict_all(dev), 0);
	KUNIT_EXPECT_NULL(test, dev->moving);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "a");
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	flush_delayed_work(&begun_meanwhile->work);
}

static struct glue_fence *signaled_meanwhile;

/* The fence that is to signal, for the first who asks; then NULL. */
static struct glue_fence *take_meanwhile(void)
{
	struct glue_fence *fence = signaled_meanwhile;

	signaled_meanwhile = NULL;
	return fence;
}

/* Eviction asks how long to wait when it has found nothing idle. */
static unsigned long retire_meanwhile(void)
{
	struct glue_fence *fence = take_meanwhile();

	if (fence) {
		glue_complete(fence);
		glue_retire(fence->channel->dev);
	}
	return TIMEOUT;
}

/* Nothing is busy any more, and it was not idle a moment ago. */
static void what_is_handed_over_meanwhile_goes_too(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	signaled_meanwhile = glue_use(glue_bo(dev, 'a', &glue_vram), 0);
	kunit_activate_static_stub(test, ttm_fence_lru_timeout,
				   retire_meanwhile);
	KUNIT_EXPECT_EQ(test, evict_all(dev), 0);
	KUNIT_EXPECT_NULL(test, signaled_meanwhile);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "a");
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

/* The time that there is begins anew with each fence, whether or not it brings work. */
static void dead_buffers_may_go_one_by_one(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	unsigned long start = jiffies;
	struct glue_bo *z;
	char name;

	for (name = 'x'; name <= 'z'; name++) {
		z = glue_bo(dev, name, &glue_vram);
		glue_complete_late(glue_use(z, 0));
		glue_put(z);
	}
	KUNIT_EXPECT_EQ(test, evict_all(dev), 0);
	KUNIT_EXPECT_GT(test, jiffies - start, TIMEOUT);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "");
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

/* A task that is about to wait asks how long, before it looks what there is. */
static unsigned long signal_between_waits(void)
{
	struct glue_fence *fence = take_meanwhile();

	if (fence) {
		glue_take_half_the_time(fence);
		glue_complete(fence);
		ttm_fence_lru_retire(fence->channel->dev->bdev.fence_lru);
	}
	return HZ / 10;
}

static void also_when_nobody_waits_as_one_goes(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *x = glue_bo(dev, 'x', &glue_vram);
	struct glue_bo *y = glue_bo(dev, 'y', &glue_vram);

	signaled_meanwhile = glue_use(x, 0);
	glue_complete_late(glue_use(y, 0));
	glue_put(x);
	glue_put(y);
	kunit_activate_static_stub(test, ttm_fence_lru_moment,
				   signal_between_waits);
	KUNIT_EXPECT_EQ(test, evict_all(dev), 0);
	KUNIT_EXPECT_NULL(test, signaled_meanwhile);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static void take_all_of_the_time(struct glue_device *dev)
{
	dev->moving = NULL;
	schedule_timeout_uninterruptible(TIMEOUT + 1);
}

/* What eviction itself takes is not what the next buffer is late. */
static void a_slow_move_leaves_time_for_the_next(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_bo *b = glue_bo(dev, 'b', &glue_vram);

	glue_complete_on_wait(glue_use(a, 0));
	glue_complete_on_wait(glue_use(b, 0));
	dev->moving = take_all_of_the_time;
	KUNIT_EXPECT_EQ(test, evict_all(dev), 0);
	KUNIT_EXPECT_NULL(test, dev->moving);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "ab");
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_move_of_another_task_is_waited_for),
	KUNIT_CASE(but_not_for_ever),
	KUNIT_CASE(one_that_begins_meanwhile_is_too),
	KUNIT_CASE(what_is_handed_over_meanwhile_goes_too),
	KUNIT_CASE(dead_buffers_may_go_one_by_one),
	KUNIT_CASE(also_when_nobody_waits_as_one_goes),
	KUNIT_CASE(a_slow_move_leaves_time_for_the_next),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_evict_all",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
