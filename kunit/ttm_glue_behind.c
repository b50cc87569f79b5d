// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is wanted stands behind much that is of no use: other memory, late channels, buffers
 * that nobody may have.
 */
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include "ttm_glue_helpers.h"

/* Pages of other memory; more than are looked at in two goes. */
#define MANY 600
#define MOMENT (HZ / 10)

static int init(struct kunit *test)
{
	glue_set_moment(test, MOMENT);
	glue_set_timeout(test, 1000 * MOMENT);
	glue_init(test);
	glue_make_private(test->priv, MANY);
	return 0;
}

static int try(struct glue_device *dev, const struct ttm_placement *where,
	       struct ttm_operation_ctx *ctx)
{
	int err;

	glue_bo_try(dev, 'x', where, ctx, NULL, &err);
	return err;
}

/* One job uses all of the other memory. */
static void use_under(struct glue_device *dev, struct glue_fence *fence,
		      bool dead)
{
	struct glue_bo *bo;
	int i;

	for (i = 0; i < MANY; i++) {
		bo = glue_bo(dev, 'o', &glue_private);
		glue_attach(bo, fence);
		if (dead)
			glue_put(bo);
	}
}

/* Its fence is completed when somebody waits. */
static struct glue_fence *use_many(struct glue_device *dev, bool dead)
{
	struct glue_fence *fence = glue_emit(dev, 0, true);

	glue_complete_on_wait(fence);
	use_under(dev, fence, dead);
	return fence;
}

/*
 *   channel 0:  zombies of other memory, 600 | zombies a b c d
 */
static void the_dead_behind_many_are_waited_for(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct ttm_operation_ctx ctx = {};
	int i;

	use_many(dev, true);
	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		glue_complete_on_wait(glue_use(bo[i], 0));
		glue_put(bo[i]);
	}
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "");
}

/* They are all of one job, whose list has the other memory first. */
static void the_busy_behind_many_are_waited_for(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence = use_many(dev, false);
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct ttm_operation_ctx ctx = {};
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_attach(bo[i], fence);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "a");
}

/*
 *   channel 0:  a | b | c    waited for long, in vain
 *   channel 1:  d            waited for, too, but not for long
 */
static void what_was_waited_for_least_comes_first(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct ttm_operation_ctx ctx = {};
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES - 1; i++)
		glue_use(bo[i], 0);
	glue_complete_on_wait(glue_use(bo[i], 1));
	glue_make_late(&dev->channels[0], 200 * MOMENT);
	glue_make_late(&dev->channels[1], 3 * MOMENT / 2);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	KUNIT_EXPECT_EQ(test, ctx.waited, 0);
	glue_expect_evicted(dev, "d");
}

static unsigned int asked;

static bool refuse(struct ttm_buffer_object *tbo, const struct ttm_place *place)
{
	asked++;
	return false;
}

/* Half of them are idle, and looked at once, not before each busy one again. */
static void what_nobody_may_have_is_asked_for_once(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo;
	int i;

	for (i = 0; i < MANY; i++) {
		bo = glue_bo(dev, 'o', &glue_private);
		if (i % 2)
			glue_use(bo, 0);
	}
	asked = 0;
	dev->funcs.eviction_valuable = refuse;
	KUNIT_EXPECT_EQ(test, try(dev, &glue_private, &ctx), -ENOMEM);
	KUNIT_EXPECT_GE(test, asked, MANY);
	KUNIT_EXPECT_LE(test, asked, 2 * MANY);
}

static struct glue_fence *asked_for;

static void finish(struct work_struct *work)
{
	WRITE_ONCE(asked_for->done, true);
}

static DECLARE_DELAYED_WORK(finishes_later, finish);

static bool promise_nothing(struct dma_fence *fence)
{
	return true;
}

static long ask_again(struct dma_fence *fence, bool interruptible, long timeout)
{
	for (; timeout && !dma_fence_is_signaled(fence); timeout--)
		schedule_timeout_uninterruptible(1);
	return timeout;
}

static struct dma_fence_ops asking_ops;

/* No interrupt tells of the fence: whoever waits has to ask. */
static void must_be_asked(struct glue_fence *fence)
{
	asking_ops = *rcu_dereference_raw(fence->base.ops);
	asking_ops.enable_signaling = promise_nothing;
	asking_ops.wait = ask_again;
	rcu_assign_pointer(fence->base.ops, &asking_ops);
}

/* All dead, those of other memory first. One wait is enough, and was not in vain. */
static void a_fence_that_must_be_asked_is(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct ttm_operation_ctx ctx = {};
	int i;

	asked_for = glue_emit(dev, 0, true);
	must_be_asked(asked_for);
	use_under(dev, asked_for, true);
	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		glue_attach(bo[i], asked_for);
		glue_put(bo[i]);
	}
	schedule_delayed_work(&finishes_later, 2);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	KUNIT_EXPECT_EQ(test, ctx.waited, 0);
	cancel_delayed_work_sync(&finishes_later);
}

/* Its owner takes the fences of a job away that goes on, as it has no right to the memory. */
static void use_and_forget(struct glue_bo *bo)
{
	struct glue_fence *fence = glue_use(bo, 0);
	struct dma_fence *signaled = dma_fence_get_stub();

	glue_lock(bo);
	dma_resv_replace_fences(bo->tbo.base.resv, fence->base.context,
				signaled, DMA_RESV_USAGE_BOOKKEEP);
	glue_unlock(bo);
	dma_fence_put(signaled);
}

/* Another task has locked a, which is idle as its fences say. Nothing else can be had. */
static void one_that_is_locked_is_left_alone(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_pin(bo[i]);
	use_and_forget(bo[0]);
	glue_lock(bo[0]);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), -ENOMEM);
	glue_unlock(bo[0]);

	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "a");
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_unpin(bo[i]);
}

/* Who must not wait gets what is idle, also behind what is busy. */
static void what_is_idle_needs_no_wait(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_use(bo[i], 0);
	use_and_forget(bo[0]);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "a");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_dead_behind_many_are_waited_for),
	KUNIT_CASE(the_busy_behind_many_are_waited_for),
	KUNIT_CASE(what_was_waited_for_least_comes_first),
	KUNIT_CASE(what_nobody_may_have_is_asked_for_once),
	KUNIT_CASE(a_fence_that_must_be_asked_is),
	KUNIT_CASE(one_that_is_locked_is_left_alone),
	KUNIT_CASE(what_is_idle_needs_no_wait),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_behind",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
