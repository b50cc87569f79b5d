// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A task that waits for room gets it, though others use all buffers again and again; or
 * comes to an end.
 */
#include <linux/dma-resv.h>
#include <linux/kthread.h>

#include <kunit/static_stub.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

/* Long enough for any machine. */
static int init(struct kunit *test)
{
	glue_set_moment(test, 10 * HZ);
	return glue_init(test);
}

/* How often all buffers are used again, just before they become idle. */
static unsigned int uses;

static void use_again(struct glue_fence *fence);

/* A job uses all buffers that there are, but for what others have locked. */
static void use_those(struct glue_device *dev)
{
	struct glue_fence *fence = glue_emit(dev, 0, true);
	struct glue_bo *bo;

	fence->on_wait = use_again;
	list_for_each_entry(bo, &dev->bos, entry)
		glue_try_attach(bo, fence);
}

static void use_again(struct glue_fence *fence)
{
	if (!uses)
		return;

	uses--;
	use_those(fence->channel->dev);
}

static void use_all(struct glue_device *dev, unsigned int times)
{
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	use_those(dev);
	uses = times;
}

/* The oldest is waited for while it is locked: nobody uses it again. */
static void what_is_used_again_is_taken_all_the_same(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {};
	int err;

	use_all(dev, 1000);
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, ctx.bytes_moved, 2 * PAGE_SIZE);
	glue_expect_evicted(dev, "a");
	glue_expect_lru(dev, TTM_PL_VRAM, "x", GLUE_VRAM_PAGES - 1);
	KUNIT_EXPECT_EQ(test, uses, 999);
	uses = 0;
}

/* Pages of other memory; more than are looked at in two goes. */
#define MANY 600

/* Also behind many others. To wait for the job does not help: they must be found, and locked. */
static void so_is_what_stands_behind_many(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {};
	int err, i;

	glue_make_private(dev, MANY);
	for (i = 0; i < MANY; i++)
		glue_bo(dev, 'o', &glue_private);
	use_all(dev, 20);
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, strlen(dev->evicted), 1);
	KUNIT_EXPECT_GE(test, uses, 18);
	uses = 0;
}

/* Not even if a fence of others hangs, which is waited for beside the channels. */
static void a_hung_fence_of_others_does_not_hide_that(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo;

	use_all(dev, 1000);
	bo = list_first_entry(&dev->bos, struct glue_bo, entry);
	glue_try_attach(bo, glue_emit(dev, GLUE_FOREIGN, true));
	list_move_tail(&bo->entry, &dev->bos);
	glue_set_moment(test, HZ / 2);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "b");
	uses = 0;
}

/* Nor for long if it is the oldest buffer that never becomes idle. */
static void one_that_stays_busy_hides_none(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	use_all(dev, 1000);
	glue_try_attach(list_first_entry(&dev->bos, struct glue_bo, entry),
			glue_emit(dev, GLUE_FOREIGN, true));
	glue_set_moment(test, HZ / 10);
	glue_bo(dev, 'x', &glue_vram);
	/* One of those that were used again while it was waited for. */
	KUNIT_EXPECT_EQ(test, strlen(dev->evicted), 1);
	KUNIT_EXPECT_NE(test, dev->evicted[0], 'a');
	uses = 0;
}

/* What others bring back whenever the task looks for something. */
static struct glue_bo *comes_back;

static unsigned long bring_back(void)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_bo *bo = comes_back;
	struct glue_fence *fence;

	comes_back = NULL;
	if (bo && uses && bo->tbo.resource->mem_type != TTM_PL_VRAM &&
	    dma_resv_trylock(bo->tbo.base.resv)) {
		uses--;
		ttm_bo_validate(&bo->tbo, (void *)&glue_vram, &ctx);
		dma_resv_unlock(bo->tbo.base.resv);
		fence = glue_emit(bo->dev, 0, true);
		glue_try_attach(bo, fence);
		glue_complete_on_wait(fence);
	}
	comes_back = bo;
	return HZ / 10;
}

static void expect_an_end(struct glue_device *dev)
{
	struct kunit *test = dev->test;
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int err, i;

	glue_fill(dev, bo);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_pin(bo[i]);
	glue_complete_on_wait(glue_use(bo[0], 0));
	comes_back = bo[0];
	uses = 1000 * 1000;
	glue_set_timeout(test, HZ / 10);
	kunit_activate_static_stub(test, ttm_fence_lru_moment, bring_back);

	dev->pages = 2;
	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	comes_back = NULL;
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_LT(test, uses, 1000 * 1000);
	KUNIT_EXPECT_GT(test, uses, 0);
	uses = 0;
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_unpin(bo[i]);
}

static void what_never_fits_ends_while_others_go_on(struct kunit *test)
{
	expect_an_end(test->priv);
}

/* Also if a job hangs that is older, and uses memory of another type only. */
static void what_never_fits_ends_beside_other_memory(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	glue_use(glue_bo(dev, 'g', &glue_gtt), 1);
	expect_an_end(dev);
}

#define MOMENT (HZ / 20)

/* A job takes so long once somebody waits for it; it ends at the end of no wait. */
static void take_some_moments(struct glue_fence *fence)
{
	schedule_timeout_uninterruptible(7 * MOMENT / 2);
}

/* A client that has jobs in its queue at any time, and stands waiting for the lock. */
static int keep_busy(void *data)
{
	struct glue_bo *bo = data;
	struct ttm_buffer_object *tbo = &bo->tbo;
	struct glue_fence *fence;

	while (!kthread_should_stop()) {
		dma_resv_lock(tbo->base.resv, NULL);
		fence = glue_emit(bo->dev, 0, true);
		fence->on_wait = take_some_moments;
		if (!ttm_bo_reserve_fences(tbo, 1))
			ttm_bo_add_fence(tbo, &fence->base,
					 DMA_RESV_USAGE_WRITE);
		dma_resv_unlock(tbo->base.resv);
		schedule_timeout_uninterruptible(1);
	}
	return 0;
}

/* Its last job ends only if it is kept from using the buffer for longer than that. */
static void one_that_is_always_busy_is_taken_in_the_end(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_operation_ctx ctx = {};
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct task_struct *client;
	int err, i;

	glue_set_moment(test, MOMENT);
	glue_set_timeout(test, 30 * MOMENT);
	glue_fill(dev, bo);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_pin(bo[i]);
	client = kthread_run(keep_busy, bo[0], "client");
	KUNIT_ASSERT_FALSE(test, IS_ERR(client));
	while (!ttm_bo_is_busy(&bo[0]->tbo))
		schedule_timeout_uninterruptible(1);

	glue_bo_try(dev, 'x', &glue_vram, &ctx, NULL, &err);
	kthread_stop(client);
	KUNIT_EXPECT_EQ(test, err, 0);
	glue_expect_evicted(dev, "a");
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_unpin(bo[i]);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_is_used_again_is_taken_all_the_same),
	KUNIT_CASE(so_is_what_stands_behind_many),
	KUNIT_CASE(a_hung_fence_of_others_does_not_hide_that),
	KUNIT_CASE_SLOW(one_that_stays_busy_hides_none),
	KUNIT_CASE_SLOW(one_that_is_always_busy_is_taken_in_the_end),
	KUNIT_CASE(what_never_fits_ends_while_others_go_on),
	KUNIT_CASE(what_never_fits_ends_beside_other_memory),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_turn",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
