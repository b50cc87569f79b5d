// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Who waits for room gets it, though others use all buffers again and again.
 */
#include "ttm_glue_helpers.h"

/* How often all buffers are used again, just before they become idle. */
static unsigned int uses;

/* But nobody uses one that another has locked. */
static void use(struct glue_bo *bo, struct glue_fence *fence)
{
	struct ttm_buffer_object *tbo = &bo->tbo;

	if (!dma_resv_trylock(tbo->base.resv))
		return;
	if (!ttm_bo_reserve_fences(tbo, 1))
		ttm_bo_add_fence(tbo, &fence->base, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(tbo->base.resv);
}

static void use_again(struct glue_fence *fence)
{
	struct glue_device *dev = fence->channel->dev;
	struct glue_fence *next;
	struct glue_bo *bo;

	if (!uses)
		return;

	uses--;
	next = glue_emit(dev, 0, true);
	next->on_wait = use_again;
	list_for_each_entry(bo, &dev->bos, entry)
		use(bo, next);
}

static void use_all(struct glue_device *dev, unsigned int times)
{
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;
	int i;

	glue_fill(dev, bo);
	fence = glue_emit(dev, 0, true);
	fence->on_wait = use_again;
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		use(bo[i], fence);
	uses = times;
}

/* Those that were there signaled, and all is busy again: one is locked, and waited for. */
static void what_is_used_again_is_taken_all_the_same(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	use_all(dev, 1000);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	glue_expect_lru(dev, TTM_PL_VRAM, "x", GLUE_VRAM_PAGES - 1);
	KUNIT_EXPECT_EQ(test, uses, 998);
	uses = 0;
}

/* As long as none was used again, no buffer is waited for with its lock. */
static void what_becomes_idle_is_not(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	use_all(dev, 0);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	glue_expect_lru(dev, TTM_PL_VRAM, "bcdx", 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_is_used_again_is_taken_all_the_same),
	KUNIT_CASE(what_becomes_idle_is_not),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_turn",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
