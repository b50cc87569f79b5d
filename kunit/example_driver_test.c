// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The driver of the driver author's guide, at work; and what happens where a driver does what
 * the guide warns of.
 */
#include <linux/delay.h>
#include <linux/dma-resv.h>

#include <kunit/test.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_print.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>

#include "example_driver.h"

/* More often than that the engine does not look at fences for a report. */
#define REPORT_MS 20

#define VRAM_LINE \
	"type=2 used=4096 zombies=4096 ripe=4096 leftover=0 no limit\n"

static struct example_channel *channel_create(struct kunit *test)
{
	struct example_channel *channel = example_channel_create(test->priv);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, channel);
	return channel;
}

static struct example_bo *bo_create(struct kunit *test)
{
	struct example_bo *bo = example_bo_create(test->priv, PAGE_SIZE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	return bo;
}

static void use(struct kunit *test, struct example_channel *channel,
		struct example_bo *bo)
{
	KUNIT_ASSERT_EQ(test, 0, example_submit(channel, &bo, 1));
	KUNIT_EXPECT_TRUE(test, ttm_bo_is_busy(&bo->tbo));
}

/* The hardware is done with all jobs; nobody is told. */
static void complete_jobs(struct example_channel *channel)
{
	WRITE_ONCE(channel->hw.completed, channel->emitted);
}

static void expect_zombies(struct kunit *test, unsigned int pages,
			   unsigned int ripe_pages)
{
	struct example_device *dev = test->priv;
	u64 ripe;

	msleep(REPORT_MS);
	KUNIT_EXPECT_EQ(test, (u64)pages * PAGE_SIZE,
			ttm_device_zombies(&dev->bdev, TTM_PL_VRAM, &ripe));
	KUNIT_EXPECT_EQ(test, (u64)ripe_pages * PAGE_SIZE, ripe);
}

static void expect_in(struct kunit *test, struct example_bo *bo, u32 mem_type)
{
	KUNIT_EXPECT_EQ(test, mem_type, bo->tbo.resource->mem_type);
}

/* VRAM is full of buffers that live. */
static void fill(struct kunit *test, struct example_bo **bos)
{
	int i;

	for (i = 0; i < EXAMPLE_VRAM_PAGES; i++)
		bos[i] = bo_create(test);
}

static void put_all(struct example_bo **bos)
{
	int i;

	for (i = 0; i < EXAMPLE_VRAM_PAGES; i++)
		example_bo_put(bos[i]);
}

static void a_buffer_that_dies_busy_costs_nothing(struct kunit *test)
{
	struct example_device *dev = test->priv;
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);
	struct example_channel *channel = channel_create(test);
	struct example_bo *bo = bo_create(test);

	use(test, channel, bo);
	example_bo_put(bo);
	expect_zombies(test, 1, 0);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, ttm_resource_manager_live_usage(man));

	/* Its memory is there for an allocation; until then it stays. */
	complete_jobs(channel);
	expect_zombies(test, 1, 1);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, ttm_resource_manager_usage(man));
	KUNIT_EXPECT_EQ(test, 0, ttm_resource_manager_live_usage(man));
	KUNIT_EXPECT_EQ(test, 0, channel->hw.interrupts);
	example_channel_destroy(channel);
}

static void a_buffer_that_dies_idle_is_gone(struct kunit *test)
{
	struct example_channel *channel = channel_create(test);
	struct example_bo *bo = bo_create(test);

	use(test, channel, bo);
	complete_jobs(channel);
	example_bo_put(bo);
	expect_zombies(test, 0, 0);
	example_channel_destroy(channel);
}

static void
an_allocation_takes_what_is_dead_and_evicts_nothing(struct kunit *test)
{
	struct example_channel *channel = channel_create(test);
	struct example_device *dev = test->priv;
	struct example_bo *bos[EXAMPLE_VRAM_PAGES];
	int i;

	fill(test, bos);
	use(test, channel, bos[0]);
	example_bo_put(bos[0]);
	complete_jobs(channel);

	bos[0] = bo_create(test);
	for (i = 0; i < EXAMPLE_VRAM_PAGES; i++)
		expect_in(test, bos[i], TTM_PL_VRAM);
	KUNIT_EXPECT_EQ(test, 0, dev->copies->emitted);
	KUNIT_EXPECT_EQ(test, 0, channel->hw.interrupts);
	put_all(bos);
	example_channel_destroy(channel);
}

static void an_allocation_evicts_what_was_used_longest_ago(struct kunit *test)
{
	struct example_channel *channel = channel_create(test);
	struct example_device *dev = test->priv;
	struct example_bo *bos[EXAMPLE_VRAM_PAGES], *bo;

	fill(test, bos);
	use(test, channel, bos[0]);
	complete_jobs(channel);

	/* The copy is under way when the new buffer has its place. */
	dev->copies->hw.hung = true;
	bo = bo_create(test);
	expect_in(test, bo, TTM_PL_VRAM);
	expect_in(test, bos[0], TTM_PL_VRAM);
	expect_in(test, bos[1], TTM_PL_TT);
	KUNIT_EXPECT_EQ(test, 1, dev->copies->emitted);
	KUNIT_EXPECT_TRUE(test, ttm_bo_is_busy(&bos[1]->tbo));

	complete_jobs(dev->copies);
	example_bo_put(bo);
	put_all(bos);
	example_channel_destroy(channel);
}

static void an_allocation_waits_for_the_oldest_job(struct kunit *test)
{
	struct example_channel *channel = channel_create(test);
	struct example_bo *bos[EXAMPLE_VRAM_PAGES], *bo;

	fill(test, bos);
	KUNIT_ASSERT_EQ(test, 0, example_submit(channel, bos, 2));
	KUNIT_ASSERT_EQ(test, 0, example_submit(channel, bos + 2, 2));

	bo = bo_create(test);
	expect_in(test, bo, TTM_PL_VRAM);
	expect_in(test, bos[2], TTM_PL_VRAM);
	expect_in(test, bos[3], TTM_PL_VRAM);
	KUNIT_EXPECT_GT(test, channel->hw.interrupts, 0);
	example_bo_put(bo);
	put_all(bos);
	example_channel_destroy(channel);
}

static void a_job_has_its_buffers_brought_back(struct kunit *test)
{
	struct example_channel *channel = channel_create(test);
	struct example_bo *bos[EXAMPLE_VRAM_PAGES], *bo;

	fill(test, bos);
	bo = bo_create(test);
	expect_in(test, bos[0], TTM_PL_TT);
	use(test, channel, bos[0]);
	expect_in(test, bos[0], TTM_PL_VRAM);
	expect_in(test, bos[1], TTM_PL_TT);
	example_bo_put(bo);
	put_all(bos);
	example_channel_destroy(channel);
}

static void a_killed_channel_gives_its_memory_back(struct kunit *test)
{
	struct example_channel *channel = channel_create(test);
	struct example_bo *bos[EXAMPLE_VRAM_PAGES];

	fill(test, bos);
	channel->hw.hung = true;
	KUNIT_ASSERT_EQ(test, 0,
			example_submit(channel, bos, EXAMPLE_VRAM_PAGES));
	put_all(bos);
	expect_zombies(test, EXAMPLE_VRAM_PAGES, 0);

	example_channel_kill(channel);
	fill(test, bos);
	expect_zombies(test, 0, 0);
	KUNIT_EXPECT_EQ(test, -ENODEV, example_submit(channel, bos, 1));
	put_all(bos);
	example_channel_destroy(channel);
}

static void what_the_dead_keep_is_printed(struct kunit *test)
{
	struct example_device *dev = test->priv;
	struct example_channel *channel = channel_create(test);
	struct example_bo *bo = bo_create(test);
	char *text = kunit_kzalloc(test, 1024, GFP_KERNEL);
	struct drm_print_iterator iter = { .data = text, .remain = 1024 };
	struct drm_printer p = drm_coredump_printer(&iter);

	KUNIT_ASSERT_NOT_NULL(test, text);
	use(test, channel, bo);
	example_bo_put(bo);
	complete_jobs(channel);
	msleep(REPORT_MS);
	ttm_device_print_zombies(&dev->bdev, &p);
	kunit_info(test, "%s", text);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, VRAM_LINE));
	example_channel_destroy(channel);
}

/* Without ttm_bo_add_fence(): the engine does not know what the buffer waits for. */
static void use_unknown(struct kunit *test, struct example_channel *channel,
			struct example_bo *bo)
{
	struct dma_resv *resv = bo->tbo.base.resv;
	struct dma_fence *fence;

	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(resv));
	KUNIT_ASSERT_EQ(test, 0, dma_resv_reserve_fences(resv, 1));
	mutex_lock(&channel->emission);
	fence = example_emit(channel);
	mutex_unlock(&channel->emission);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fence);
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);
	dma_fence_put(fence);
}

/* It counts as idle, but its memory stays for as long as the fence needs it. */
static void a_fence_that_ttm_did_not_add_costs_the_place(struct kunit *test)
{
	struct example_channel *channel = channel_create(test);
	struct example_bo *bo = bo_create(test);
	struct example_bo *bos[EXAMPLE_VRAM_PAGES];

	use_unknown(test, channel, bo);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&bo->tbo));
	example_bo_put(bo);
	expect_zombies(test, 1, 0);
	complete_jobs(channel);
	fill(test, bos);
	expect_zombies(test, 0, 0);
	put_all(bos);
	example_channel_destroy(channel);
}

/* Nobody asks for the memory before the managers go. */
static void a_device_goes_with_what_such_a_fence_kept(struct kunit *test)
{
	struct example_channel *channel = channel_create(test);
	struct example_bo *bo = bo_create(test);

	use_unknown(test, channel, bo);
	example_bo_put(bo);
	example_channel_destroy(channel);
	expect_zombies(test, 1, 0);
}

/* Its fence has not signaled: the engine passes the buffer on, and TTM looks once more. */
static void a_channel_that_ends_too_early_keeps_its_memory(struct kunit *test)
{
	struct example_device *dev = test->priv;
	struct example_channel *channel = channel_create(test);
	struct example_bo *bo = bo_create(test);
	int ret;

	channel->hw.hung = true;
	use(test, channel, bo);
	example_bo_put(bo);
	ttm_fence_lru_channel_unregister(&channel->lru);
	KUNIT_EXPECT_EQ(test, 1, ttm_device_drain(&dev->bdev));
	expect_zombies(test, 1, 0);

	complete_jobs(channel);
	KUNIT_EXPECT_EQ(test, 0, ttm_device_drain(&dev->bdev));
	expect_zombies(test, 0, 0);

	/* So that it can end as any other. */
	ret = ttm_fence_lru_channel_register(dev->bdev.fence_lru, &channel->lru,
					     dma_fence_context_alloc(1));
	KUNIT_ASSERT_EQ(test, 0, ret);
	example_channel_destroy(channel);
}

static int example_init(struct kunit *test)
{
	struct example_device *dev;
	struct drm_device *drm;
	struct device *parent;

	dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	parent = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	drm = __drm_kunit_helper_alloc_drm_device(test, parent, sizeof(*drm), 0,
						  DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	test->priv = dev;
	return example_device_init(dev, drm);
}

/* All lists and counters are as they must be, and nothing is left. */
static void example_exit(struct kunit *test)
{
	struct example_device *dev = test->priv;

	KUNIT_EXPECT_TRUE(test, ttm_fence_lru_check(dev->bdev.fence_lru, NULL));
	example_device_fini(dev);
	KUNIT_EXPECT_NULL(test, dev->bdev.fence_lru);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_buffer_that_dies_busy_costs_nothing),
	KUNIT_CASE(a_buffer_that_dies_idle_is_gone),
	KUNIT_CASE(an_allocation_takes_what_is_dead_and_evicts_nothing),
	KUNIT_CASE(an_allocation_evicts_what_was_used_longest_ago),
	KUNIT_CASE(an_allocation_waits_for_the_oldest_job),
	KUNIT_CASE(a_job_has_its_buffers_brought_back),
	KUNIT_CASE(a_killed_channel_gives_its_memory_back),
	KUNIT_CASE(what_the_dead_keep_is_printed),
	KUNIT_CASE(a_fence_that_ttm_did_not_add_costs_the_place),
	KUNIT_CASE(a_device_goes_with_what_such_a_fence_kept),
	KUNIT_CASE(a_channel_that_ends_too_early_keeps_its_memory),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_example_driver",
	.init = example_init,
	.exit = example_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
