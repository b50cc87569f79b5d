// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What evicting costs is measured where it is done, by the CPU or by the GPU.
 */
#include <linux/delay.h>

#include "ttm_glue_helpers.h"

#define MOVE_MS 4

static struct ttm_evict_cost *cost_of(struct glue_device *dev)
{
	return &glue_vram_manager(dev)->evict_cost;
}

static void take_a_while(struct glue_device *dev)
{
	msleep(MOVE_MS);
}

static void the_cpu_takes_what_it_takes(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	dev->moving = take_a_while;
	glue_fill(dev, bo);
	KUNIT_EXPECT_EQ(test, cost_of(dev)->page_ns, 0);
	glue_bo(dev, 'x', &glue_vram);
	KUNIT_EXPECT_GE(test, cost_of(dev)->page_ns, MOVE_MS * NSEC_PER_MSEC);
	KUNIT_EXPECT_NULL(test, cost_of(dev)->probe);
}

/* An eviction by the GPU, which is still copying; returns its fence. */
static struct dma_fence *begin_to_evict(struct glue_device *dev)
{
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	glue_fill(dev, bo);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_ASSERT_NOT_NULL(dev->test, cost_of(dev)->probe);
	KUNIT_EXPECT_EQ(dev->test, cost_of(dev)->page_ns, 0);
	return cost_of(dev)->probe;
}

/* After @ns, as the fence says, whenever that is noticed. */
static void complete_after(struct glue_device *dev, struct dma_fence *fence,
			   u64 ns)
{
	ktime_t end = ktime_add_ns(cost_of(dev)->start, ns);

	dma_fence_signal_timestamp(fence, end);
}

static void the_gpu_takes_until_its_fence_signals(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	complete_after(dev, begin_to_evict(dev), 800);
	glue_bo(dev, 'y', &glue_vram);
	glue_expect_evicted(dev, "ab");
	KUNIT_EXPECT_EQ(test, cost_of(dev)->page_ns, 800);

	complete_after(dev, cost_of(dev)->probe, 100);
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_evicted(dev, "abc");
	KUNIT_EXPECT_EQ(test, cost_of(dev)->page_ns, 400);
}

/* Something was before it. But if all take longer, that is what it takes. */
static void one_that_takes_longer_is_not_believed(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	complete_after(dev, begin_to_evict(dev), 800);
	glue_bo(dev, 'y', &glue_vram);
	complete_after(dev, cost_of(dev)->probe, NSEC_PER_SEC);
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_evicted(dev, "abc");
	KUNIT_EXPECT_EQ(test, cost_of(dev)->page_ns, 901);
}

/* It would take as long as all of them. */
static void nothing_is_learnt_behind_another_copy(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct dma_fence *probe = begin_to_evict(dev);
	struct dma_fence *last;

	glue_bo(dev, 'y', &glue_vram);
	glue_expect_evicted(dev, "ab");
	KUNIT_EXPECT_PTR_EQ(test, cost_of(dev)->probe, probe);
	last = &list_last_entry(&dev->fences, struct glue_fence, entry)->base;
	KUNIT_ASSERT_PTR_NE(test, last, probe);

	complete_after(dev, probe, 800);
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_evicted(dev, "abc");
	KUNIT_EXPECT_EQ(test, cost_of(dev)->page_ns, 800);
	KUNIT_EXPECT_NULL(test, cost_of(dev)->probe);
}

/* What waits for the job of a busy buffer shows nothing. */
static void a_busy_one_does_not_count(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_use(bo[i], 0);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_NULL(test, cost_of(dev)->probe);
	KUNIT_EXPECT_EQ(test, cost_of(dev)->page_ns, 0);
}

/* The four of them are evicted in turn, and moved back; in the end others take their place. */
static void what_returns_is_counted(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES], *x;
	unsigned int i, returns;

	KUNIT_EXPECT_EQ(test, cost_of(dev)->back, 0);
	glue_fill(dev, bo);
	for (i = 0; i < 400; i++) {
		x = glue_bo(dev, 'x', &glue_vram);
		glue_put(x);
		KUNIT_EXPECT_EQ(test,
				glue_move(bo[i % GLUE_VRAM_PAGES], &glue_vram),
				0);
		dev->evicted[0] = '\0';
	}
	returns = cost_of(dev)->back;
	KUNIT_EXPECT_GE(test, returns, TTM_EVICT_ALL_RETURN / 64 * 60);
	KUNIT_EXPECT_LE(test, returns, TTM_EVICT_ALL_RETURN);

	/* To come back from elsewhere is no return. */
	x = glue_bo(dev, 'x', &glue_vram);
	KUNIT_EXPECT_LT(test, cost_of(dev)->back, returns);
	returns = cost_of(dev)->back;
	KUNIT_EXPECT_EQ(test, glue_move(x, &glue_gtt), 0);
	KUNIT_EXPECT_EQ(test, glue_move(x, &glue_vram), 0);
	KUNIT_EXPECT_EQ(test, cost_of(dev)->back, returns);

	for (i = 0; i < 600; i++) {
		glue_bo(dev, 'y', &glue_vram);
		dev->evicted[0] = '\0';
	}
	KUNIT_EXPECT_LT(test, cost_of(dev)->back, 64);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_cpu_takes_what_it_takes),
	KUNIT_CASE(the_gpu_takes_until_its_fence_signals),
	KUNIT_CASE(one_that_takes_longer_is_not_believed),
	KUNIT_CASE(nothing_is_learnt_behind_another_copy),
	KUNIT_CASE(a_busy_one_does_not_count),
	KUNIT_CASE(what_returns_is_counted),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_cost",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
