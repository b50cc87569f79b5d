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

/* Steps of the engine for a request that has to evict. */
static u64 steps_for(struct glue_device *dev, const struct ttm_placement *where)
{
	u64 steps = dev->bdev.fence_lru->stats.steps;
	struct ttm_operation_ctx ctx = {};

	KUNIT_EXPECT_EQ(dev->test, try(dev, where, &ctx), 0);
	return dev->bdev.fence_lru->stats.steps - steps;
}

/*
 *   channel 0:  other memory, a job each, 600  | a | b | c | d
 *
 * The first request looks at all of it. The next ones begin where it found something; until
 * that is all gone.
 */
static void what_is_of_no_use_is_passed_once(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	for (i = 0; i < MANY; i++)
		glue_use(glue_bo(dev, 'o', &glue_private), 0);
	glue_fill(dev, bo);
	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_use(bo[i], 0);
	KUNIT_EXPECT_GE(test, steps_for(dev, &glue_vram), MANY);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_LE(test, steps_for(dev, &glue_vram), 30);
	glue_expect_evicted(dev, "ab");
	KUNIT_EXPECT_LE(test, steps_for(dev, &glue_vram), 30);
	glue_expect_evicted(dev, "abc");
}

/*
 *   channel 0:  a     | b
 *   channel 1:      a
 *
 * b is met first, as a is used on channel 1, where it becomes idle. Now a is older than what
 * was met.
 */
static void what_was_passed_over_is_not_forgotten(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct ttm_operation_ctx ctx = {};
	struct glue_fence *fence;
	int i;

	glue_fill(dev, bo);
	for (i = 2; i < GLUE_VRAM_PAGES; i++)
		glue_pin(bo[i]);
	glue_complete_on_wait(glue_use(bo[0], 0));
	glue_complete_on_wait(glue_use(bo[1], 0));
	fence = glue_use(bo[0], 1);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "b");

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "ba");
	for (i = 2; i < GLUE_VRAM_PAGES; i++)
		glue_unpin(bo[i]);
}

/* One eviction does not retire all that has become idle; several do. */
static void one_page_costs_no_more_than_it_needs(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	int i;

	for (i = 0; i < MANY; i++)
		glue_complete(glue_use(glue_bo(dev, 'o', &glue_private), 0));
	KUNIT_EXPECT_LE(test, steps_for(dev, &glue_private), 60);
	KUNIT_EXPECT_GE(test, dev->bdev.fence_lru->stats.busy, MANY - 60);
	dev->pages = 100;
	KUNIT_EXPECT_GE(test, steps_for(dev, &glue_private), MANY);
	KUNIT_EXPECT_EQ(test, dev->bdev.fence_lru->stats.busy, 0);
}

static bool allow_p(struct ttm_buffer_object *tbo,
		    const struct ttm_place *place)
{
	return glue_name(tbo) == 'p';
}

/* All of one job; those that may be had are not among the first that are looked at. */
static void what_may_be_had_is_found_behind_what_may_not(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {};
	struct glue_fence *fence = glue_emit(dev, 0, true);
	int i;

	for (i = 0; i < MANY; i++)
		glue_attach(glue_bo(dev, i < MANY / 2 ? 'o' : 'p',
				    &glue_private),
			    fence);
	dev->funcs.eviction_valuable = allow_p;
	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	KUNIT_EXPECT_EQ(test, try(dev, &glue_private, &ctx), 0);
	KUNIT_EXPECT_EQ(test, ctx.waited, 0);
}

/*
 *   channel 0:  a | b           late
 *   channel 1:        c | d
 *
 * c is met first, as a and b are left out; but only until channel 0 goes on.
 */
static void what_was_late_is_not_passed_over(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence[GLUE_VRAM_PAGES];
	struct ttm_operation_ctx ctx = {};
	int i;

	glue_fill(dev, bo);
	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		fence[i] = glue_use(bo[i], i / 2);
	glue_make_late(&dev->channels[0], 2 * MOMENT);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "c");

	glue_complete(fence[0]);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "cab");
}

/* All idle, and not retired yet. b is of a higher priority than c, though it is older. */
static void a_lower_priority_goes_first(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct ttm_operation_ctx ctx = {};
	int i;

	for (i = 0; i < MANY; i++)
		glue_complete(glue_use(glue_bo(dev, 'o', &glue_private), 0));
	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		glue_lock(bo[i]);
		bo[i]->tbo.priority = i < 2;
		glue_unlock(bo[i]);
		glue_complete(glue_use(bo[i], 0));
	}
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "c");
}

static struct glue_bo *used_again;

/* Only what is used again while d is looked at. */
static bool allow_what_is_used_again(struct ttm_buffer_object *tbo,
				     const struct ttm_place *place)
{
	struct glue_bo *bo = used_again;

	if (bo && glue_name(tbo) == 'd' &&
	    glue_try_attach(bo, glue_emit(bo->dev, 0, true)))
		used_again = NULL;
	return !used_again && glue_name(tbo) == 'b';
}

/*
 *   channel 0:  d | a | b | c
 *
 * d is pinned at first, so the second request begins behind it, and tries it last. By then b
 * is used again.
 */
static void what_is_used_again_meanwhile_is_met(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	glue_use(bo[3], 0);
	glue_pin(bo[3]);
	for (i = 0; i < 3; i++)
		glue_use(bo[i], 0);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "a");
	glue_unpin(bo[3]);

	used_again = bo[1];
	dev->funcs.eviction_valuable = allow_what_is_used_again;
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	KUNIT_EXPECT_EQ(test, ctx.waited, 0);
	glue_expect_evicted(dev, "ab");
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

/* A request that must not wait gets what is idle, also behind what is busy. */
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
	KUNIT_CASE(what_is_of_no_use_is_passed_once),
	KUNIT_CASE(what_was_passed_over_is_not_forgotten),
	KUNIT_CASE(one_page_costs_no_more_than_it_needs),
	KUNIT_CASE(what_may_be_had_is_found_behind_what_may_not),
	KUNIT_CASE(what_was_late_is_not_passed_over),
	KUNIT_CASE(a_lower_priority_goes_first),
	KUNIT_CASE(what_is_used_again_meanwhile_is_met),
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
