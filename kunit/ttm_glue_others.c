// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What another task has in its hands while an allocation finds no room: memory that it
 * has collected and not released yet, or the locks of what could be evicted.
 */
#include <linux/completion.h>

#include "ttm_glue_helpers.h"

/**
 * struct other - another task
 * @work: runs it
 * @dev: the device
 * @ready: it has in its hands what it is to have
 * @first: the task that allocates
 * @tried: that one has got its answer
 * @waited: it slept before it got it
 * @late: a fence that it completes when the other one sleeps, or NULL
 */
struct other {
	struct work_struct work;
	struct glue_device *dev;
	struct completion ready;
	struct task_struct *first;
	bool tried;
	bool waited;
	struct glue_fence *late;
};

static struct other other;

/* Until the first one sleeps, which it does only to wait for us, or has its answer. */
static void hold_on(void)
{
	bool asleep;

	complete(&other.ready);
	while (!READ_ONCE(other.tried) && !other.waited) {
		schedule_timeout_uninterruptible(1);
		asleep = READ_ONCE(other.first->__state) != TASK_RUNNING;
		/* It may sleep when it has its answer. */
		smp_rmb();
		other.waited = asleep && !READ_ONCE(other.tried);
	}
	if (other.late)
		glue_complete(other.late);
}

static void begin(struct glue_device *dev, work_func_t func)
{
	INIT_WORK(&other.work, func);
	other.dev = dev;
	init_completion(&other.ready);
	other.first = current;
	other.tried = false;
	other.waited = false;
	schedule_work(&other.work);
	wait_for_completion(&other.ready);
}

static void end(void)
{
	WRITE_ONCE(other.tried, true);
	/* Pairs with the barrier between looking at the state and at @tried. */
	smp_mb();
	flush_work(&other.work);
}

/* In the middle of releasing what was collected. */
static void hold_on_once(struct glue_device *dev)
{
	dev->releasing = NULL;
	hold_on();
}

/* A few of those in VRAM: when it has released them it leaves the rest to others. */
static void reclaim(struct work_struct *work)
{
	struct ttm_fence_lru_need need = { .type = TTM_PL_VRAM };

	ttm_fence_lru_reclaim(other.dev->bdev.fence_lru, &need);
	/* If there was nothing to hold on to. */
	complete(&other.ready);
}

static void begin_to_reclaim(struct glue_device *dev, struct glue_fence *late)
{
	other.late = late;
	dev->releasing = hold_on_once;
	begin(dev, reclaim);
}

static void bury(struct glue_bo *z)
{
	struct glue_fence *fence = glue_use(z, 0);

	glue_put(z);
	glue_complete(fence);
}

/* The first ones are to die, the others are busy. */
static void fill(struct glue_device *dev, struct glue_bo **bo, int nr_dead)
{
	int i;

	glue_fill(dev, bo);
	for (i = nr_dead; i < GLUE_VRAM_PAGES; i++)
		glue_use(bo[i], 1);
}

static void fill_but_one(struct glue_device *dev)
{
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	fill(dev, bo, 1);
	bury(bo[0]);
}

static void what_another_is_about_to_release_is_waited_for(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	fill_but_one(dev);
	begin_to_reclaim(dev, NULL);
	glue_bo(dev, 'x', &glue_vram);
	end();
	KUNIT_EXPECT_TRUE(test, other.waited);
	glue_expect_evicted(dev, "");
	glue_expect_zombies(dev, 0, 0);
}

/* To wait would cost more than it saves. */
static void not_if_there_is_a_fallback(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *x;

	fill_but_one(dev);
	begin_to_reclaim(dev, NULL);
	x = glue_bo(dev, 'x', &glue_vram_else_gtt);
	end();
	KUNIT_EXPECT_FALSE(test, other.waited);
	KUNIT_EXPECT_EQ(test, x->tbo.resource->mem_type, TTM_PL_TT);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES - 1);
}

static void who_must_not_wait_does_not_wait_for_that(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_device *dev = test->priv;
	int err;

	fill_but_one(dev);
	begin_to_reclaim(dev, NULL);
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	end();
	KUNIT_EXPECT_FALSE(test, other.waited);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	/* It has come free now. */
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES - 1);
	glue_bo(dev, 'y', &glue_vram);
}

/*
 * The other one has taken a and b. a is left over, for a fence of no channel, which
 * signals before b is released; x needs the memory of both.
 */
static void what_another_could_not_release_is_tried_again(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *foreign;

	fill(dev, bo, 2);
	foreign = glue_use(bo[0], GLUE_FOREIGN);
	bury(bo[0]);
	bury(bo[1]);
	begin_to_reclaim(dev, foreign);
	/* It has tried a, and not b. */
	glue_expect_zombies(dev, 2, 1);
	dev->pages = 2;
	glue_bo(dev, 'x', &glue_vram);
	end();
	KUNIT_EXPECT_TRUE(test, other.waited);
	glue_expect_evicted(dev, "");
	glue_expect_zombies(dev, 0, 0);
}

static void lock_all(struct work_struct *work)
{
	dma_resv_lock(&other.dev->vm_resv, NULL);
	hold_on();
	dma_resv_unlock(&other.dev->vm_resv);
}

/* As a submission does, which can back off. */
static int try_with_ticket(struct glue_bo *x)
{
	struct ttm_placement placement = glue_vram;
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	ww_acquire_init(&ticket, &reservation_ww_class);
	ret = ttm_bo_reserve(&x->tbo, false, false, &ticket);
	KUNIT_EXPECT_EQ(x->dev->test, ret, 0);
	ret = ttm_bo_validate(&x->tbo, &placement, &ctx);
	ttm_bo_unreserve(&x->tbo);
	ww_acquire_fini(&ticket);
	return ret;
}

static void validate_with_ticket(struct glue_device *dev)
{
	struct glue_bo *x = glue_bo(dev, 'x', &glue_system);
	int ret = try_with_ticket(x);

	/* CONFIG_DEBUG_WW_MUTEX_SLOWPATH lets every other ticket fail once. */
	if (ret == -ENOMEM)
		ret = try_with_ticket(x);
	KUNIT_EXPECT_EQ(dev->test, ret, 0);
}

static void locks_of_others_are_waited_for_at_last(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	int i;

	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_bo_shared(dev, 'a' + i);
	other.late = NULL;
	begin(dev, lock_all);
	validate_with_ticket(dev);
	end();
	KUNIT_EXPECT_TRUE(test, other.waited);
	glue_expect_evicted(dev, "a");
	glue_expect_lru(dev, TTM_PL_VRAM, "bcdx", 0);
}

static void and_not_if_there_is_room_without(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	validate_with_ticket(dev);
	glue_expect_evicted(dev, "a");
	glue_expect_lru(dev, TTM_PL_VRAM, "bcdx", 0);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_another_is_about_to_release_is_waited_for),
	KUNIT_CASE(not_if_there_is_a_fallback),
	KUNIT_CASE(who_must_not_wait_does_not_wait_for_that),
	KUNIT_CASE(what_another_could_not_release_is_tried_again),
	KUNIT_CASE(locks_of_others_are_waited_for_at_last),
	KUNIT_CASE(and_not_if_there_is_room_without),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_others",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
