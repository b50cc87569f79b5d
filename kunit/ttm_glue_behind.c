// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is wanted stands behind much that is of no use: other memory, late channels, buffers
 * that nobody may have.
 */
#include <linux/jiffies.h>

#include "ttm_glue_helpers.h"

/* Pages of other memory; more than are looked at in one go. */
#define MANY 300
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

/* One job uses all of the other memory; its fence is completed when somebody waits. */
static struct glue_fence *use_many(struct glue_device *dev, bool dead)
{
	struct glue_fence *fence = glue_emit(dev, 0, true);
	struct glue_bo *bo;
	int i;

	glue_complete_on_wait(fence);
	for (i = 0; i < MANY; i++) {
		bo = glue_bo(dev, 'o', &glue_private);
		glue_attach(bo, fence);
		if (dead)
			glue_put(bo);
	}
	return fence;
}

/*
 *   channel 0:  zombies of other memory, 300 | zombies a b c d
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

/*
 *   channel 0:  other memory, and a, whose fence is an older one that has signaled
 *
 * Another task has locked a, and nothing else can be had.
 */
static void one_that_is_locked_behind_a_later_fence(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence = glue_emit(dev, 0, true);
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_pin(bo[i]);
	glue_use(glue_bo(dev, 'o', &glue_private), 0);
	glue_attach(bo[0], fence);
	glue_complete(fence);
	glue_lock(bo[0]);
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), -ENOMEM);
	glue_unlock(bo[0]);

	/* It is idle, as its fences say. */
	KUNIT_EXPECT_EQ(test, try(dev, &glue_vram, &ctx), 0);
	glue_expect_evicted(dev, "a");
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_unpin(bo[i]);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_dead_behind_many_are_waited_for),
	KUNIT_CASE(the_busy_behind_many_are_waited_for),
	KUNIT_CASE(what_was_waited_for_least_comes_first),
	KUNIT_CASE(what_nobody_may_have_is_asked_for_once),
	KUNIT_CASE(one_that_is_locked_behind_a_later_fence),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_behind",
	.init = init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
