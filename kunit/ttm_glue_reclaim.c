// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Allocations that do not fit: reclaim, then evict, then wait.
 */
#include <linux/jiffies.h>

#include "ttm_glue_helpers.h"

/* Considered only in the second pass, in which TTM evicts. */
static const struct ttm_placement vram_by_force = {
	.num_placement = 1,
	.placement =
		&(const struct ttm_place){
			.mem_type = TTM_PL_VRAM,
			.flags = TTM_PL_FLAG_FALLBACK,
		},
};

/* Fill VRAM with zombies, each of a fence of its own on this channel. */
static void fill_with_zombies(struct glue_device *dev, unsigned int channel,
			      struct glue_fence **fence)
{
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		fence[i] = glue_use(bo[i], channel);
		glue_put(bo[i]);
	}
	glue_expect_zombies(dev, GLUE_VRAM_PAGES, 0);
}

static void complete_fences(struct glue_fence **fence)
{
	int i;

	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_complete(fence[i]);
}

/* An allocation that must neither succeed nor wait. */
static void expect_no_room(struct glue_device *dev,
			   const struct ttm_placement *placement,
			   struct ttm_operation_ctx *ctx)
{
	int err;

	KUNIT_EXPECT_NULL(dev->test,
			  glue_bo_try(dev, 'x', placement, ctx, NULL, &err));
	KUNIT_EXPECT_EQ(dev->test, err, -ENOMEM);
}

static void zombies_go_before_falling_back(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[GLUE_VRAM_PAGES];
	struct glue_bo *x;

	fill_with_zombies(dev, 0, fence);
	complete_fences(fence);

	x = glue_bo(dev, 'x', &glue_vram_else_gtt);
	KUNIT_EXPECT_EQ(test, x->tbo.resource->mem_type, TTM_PL_VRAM);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, GLUE_VRAM_PAGES);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_usage(dev, TTM_PL_TT, 0);
	glue_expect_evicted(dev, "");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

static void zombies_go_before_evicting(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES], *x;
	struct glue_fence *fence;

	/* before: LRU a b, zombies of one fence: c d */
	glue_fill(dev, bo);
	fence = glue_emit(dev, 0, true);
	glue_attach(bo[2], fence);
	glue_attach(bo[3], fence);
	glue_put(bo[2]);
	glue_put(bo[3]);
	glue_complete(fence);

	x = glue_bo(dev, 'x', &vram_by_force);
	/* now: LRU a b x */
	KUNIT_EXPECT_EQ(test, x->tbo.resource->mem_type, TTM_PL_VRAM);
	glue_expect_lru(dev, TTM_PL_VRAM, "abx", 0);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, 2);
	glue_expect_usage(dev, TTM_PL_TT, 0);
	glue_expect_evicted(dev, "");
}

/* What has not signaled is not touched, neither by fallback nor by force. */
static void busy_zombies_send_to_the_fallback(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[GLUE_VRAM_PAGES];
	struct glue_bo *x;

	fill_with_zombies(dev, 0, fence);
	x = glue_bo(dev, 'x', &glue_vram_else_gtt);
	KUNIT_EXPECT_EQ(test, x->tbo.resource->mem_type, TTM_PL_TT);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, 0);
	glue_expect_zombies(dev, GLUE_VRAM_PAGES, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

static void only_the_signaled_prefix_is_given_away(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[GLUE_VRAM_PAGES];

	fill_with_zombies(dev, 0, fence);
	glue_complete(fence[0]);

	glue_bo(dev, 'x', &glue_vram);
	glue_expect_zombies(dev, GLUE_VRAM_PAGES - 1, 0);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

/*
 * The case that a reclaim which ignores the fence must fail: memory that a job may
 * still write to is given to nobody.
 */
static void memory_under_a_fence_is_given_to_nobody(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[GLUE_VRAM_PAGES];

	fill_with_zombies(dev, 0, fence);
	expect_no_room(dev, &glue_vram, &ctx);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
	glue_expect_zombies(dev, GLUE_VRAM_PAGES, 0);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), GLUE_VRAM_PAGES);
	glue_expect_usage(dev, TTM_PL_VRAM, GLUE_VRAM_PAGES);
}

static void idle_buffers_are_evicted_oldest_first(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	glue_expect_lru(dev, TTM_PL_VRAM, "bcdx", 0);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);

	glue_bo(dev, 'y', &glue_vram);
	glue_expect_evicted(dev, "ab");
	glue_expect_lru(dev, TTM_PL_VRAM, "cdxy", 0);
	glue_expect_lru(dev, TTM_PL_TT, "ab", 0);
	glue_expect_sound(dev);
}

static void idle_buffers_stay_if_there_is_a_fallback(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];

	glue_fill(dev, bo);
	glue_bo(dev, 'x', &glue_vram_else_gtt);
	glue_expect_evicted(dev, "");
	glue_expect_lru(dev, TTM_PL_VRAM, "abcd", 0);
	glue_expect_lru(dev, TTM_PL_TT, "x", 0);
}

static void eviction_follows_the_merge(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence[GLUE_VRAM_PAGES];

	/*
	 * channel 0:  d       a
	 * channel 1:      c       b
	 *            --------------> emission
	 */
	glue_fill(dev, bo);
	fence[0] = glue_use(bo[3], 0);
	fence[1] = glue_use(bo[2], 1);
	fence[2] = glue_use(bo[0], 0);
	fence[3] = glue_use(bo[1], 1);
	glue_complete(fence[3]);
	glue_complete(fence[1]);
	glue_complete(fence[2]);
	glue_complete(fence[0]);

	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "d");
	glue_expect_lru(dev, TTM_PL_VRAM, "cabx", 0);
	glue_bo(dev, 'y', &glue_vram);
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_evicted(dev, "dca");
	glue_expect_lru(dev, TTM_PL_VRAM, "bxyz", 0);
}

static void busy_buffers_are_not_evicted_before_idle_ones(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES - 1; i++)
		glue_use(bo[i], 0);

	/* before: parked a b c, LRU d */
	glue_bo(dev, 'x', &glue_vram);
	/* now: parked a b c, LRU x */
	glue_expect_evicted(dev, "d");
	glue_expect_lru(dev, TTM_PL_VRAM, "x", 3);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

static void waits_for_zombies(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[GLUE_VRAM_PAGES];

	fill_with_zombies(dev, 0, fence);
	glue_complete_on_wait(fence[0]);

	glue_bo(dev, 'x', &glue_vram);
	/* One wait, for the frontier: the others are not there yet. */
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, 1);
	glue_expect_zombies(dev, GLUE_VRAM_PAGES - 1, 0);
	glue_expect_evicted(dev, "");
}

static void waits_for_busy_buffers(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_complete_on_wait(glue_use(bo[i], i % 2));

	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "a");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);
	KUNIT_EXPECT_EQ(test, dev->channels[1].enables, 0);
	glue_expect_usage(dev, TTM_PL_TT, 1);
}

static void waits_for_the_oldest(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence[GLUE_VRAM_PAGES];
	int i;

	/* channel 1: c d, zombies; channel 0: a b, alive */
	glue_fill(dev, bo);
	for (i = GLUE_VRAM_PAGES; i--;) {
		fence[i] = glue_use(bo[i], i / 2);
		glue_complete_on_wait(fence[i]);
	}
	glue_put(bo[2]);
	glue_put(bo[3]);

	glue_bo(dev, 'x', &glue_vram);
	glue_expect_evicted(dev, "");
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[1].enables, 1);
	glue_expect_zombies(dev, 1, 0);
}

static void not_waiting_is_obeyed(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_complete_on_wait(glue_use(bo[i], i % 2));
	glue_put(bo[0]);

	expect_no_room(dev, &glue_vram, &ctx);
	KUNIT_EXPECT_EQ(test,
			dev->channels[0].enables + dev->channels[1].enables, 0);
	glue_expect_evicted(dev, "");
	glue_expect_zombies(dev, 1, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", GLUE_VRAM_PAGES);
}

static void a_hung_channel_stops_nobody(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	unsigned long start = jiffies;
	int i;

	/* channel 0: zombie a, for ever; channel 1: zombies b c d */
	glue_fill(dev, bo);
	glue_use(bo[0], 0);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_complete_on_wait(glue_use(bo[i], 1));
	for (i = 0; i < GLUE_VRAM_PAGES; i++)
		glue_put(bo[i]);

	/* Each newcomer is busy at once, so that the next one has to wait as well. */
	glue_use(glue_bo(dev, 'x', &glue_vram), 1);
	glue_use(glue_bo(dev, 'y', &glue_vram), 1);
	glue_bo(dev, 'z', &glue_vram);
	glue_expect_zombies(dev, 1, 0);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, 3);
	glue_expect_evicted(dev, "");
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, start + 5 * HZ));
}

/* The zombie is on the hung channel; the healthy one has but living buffers. */
static void a_hung_zombie_does_not_hide_busy_buffers(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i, err;

	glue_fill(dev, bo);
	glue_use(bo[0], 0);
	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_complete_on_wait(glue_use(bo[i], 1));
	glue_put(bo[0]);

	KUNIT_EXPECT_NOT_NULL(test, glue_bo_try(dev, 'x', &glue_vram, &ctx,
						NULL, &err));
	KUNIT_EXPECT_EQ(test, err, 0);
	glue_expect_evicted(dev, "b");
	glue_expect_zombies(dev, 1, 0);
}

/* One waits; another reclaims all of it meanwhile, and does not need it. */
static void memory_that_another_reclaimed_is_found(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;
	int i, err;

	glue_fill(dev, bo);
	fence = glue_emit(dev, 0, true);
	glue_drain_on_wait(fence);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		glue_attach(bo[i], fence);
		glue_put(bo[i]);
	}

	KUNIT_EXPECT_NOT_NULL(test, glue_bo_try(dev, 'x', &glue_vram, &ctx,
						NULL, &err));
	KUNIT_EXPECT_EQ(test, err, 0);
	/* What came free first is enough for us; the other goes on. */
	flush_work(&fence->work);
	glue_expect_zombies(dev, 0, 0);
}

static void a_leftover_is_given_away_once_it_can_be(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;
	int i;

	glue_fill(dev, bo);
	fence = glue_emit(dev, GLUE_FOREIGN, true);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		glue_attach(bo[i], fence);
		glue_put(bo[i]);
	}
	glue_expect_zombies(dev, GLUE_VRAM_PAGES, GLUE_VRAM_PAGES);
	expect_no_room(dev, &glue_vram, &ctx);
	glue_expect_zombies(dev, GLUE_VRAM_PAGES, GLUE_VRAM_PAGES);

	glue_complete(fence);
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_zombies(dev, 0, 0);
}

/* A leftover whose fence has not signaled is waited for beside the channels. */
static void a_leftover_is_waited_for(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	struct glue_fence *fence;
	int i;

	glue_fill(dev, bo);
	fence = glue_emit(dev, GLUE_FOREIGN, true);
	glue_complete_on_wait(fence);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		glue_attach(bo[i], fence);
		glue_put(bo[i]);
	}

	glue_bo(dev, 'x', &glue_vram);
	glue_expect_freed(dev, TTM_FREED_AT_RECLAIM, GLUE_VRAM_PAGES);
	glue_expect_zombies(dev, 0, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, GLUE_VRAM_PAGES);
}

/* An import is let go only where no reservation is held; its memory goes before. */
static void eviction_leaves_dead_imports_alone(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *bo[GLUE_VRAM_PAGES];
	int i;

	glue_fill(dev, bo);
	for (i = 0; i < GLUE_VRAM_PAGES; i++) {
		bo[i]->tbo.type = ttm_bo_type_sg;
		glue_put(bo[i]);
	}
	glue_expect_zombies(dev, GLUE_VRAM_PAGES, GLUE_VRAM_PAGES);

	/* To let one go takes the locks of its exporter. */
	expect_no_room(dev, &glue_vram, &ctx);
	glue_expect_zombies(dev, GLUE_VRAM_PAGES, GLUE_VRAM_PAGES);
	glue_expect_sound(dev);
	dev->nr_notified = 0;

	ttm_device_trim(&dev->bdev);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, GLUE_VRAM_PAGES);
	glue_expect_zombies(dev, 0, 0);
	glue_bo(dev, 'x', &glue_vram);
}

static struct kunit_case reclaim_cases[] = {
	KUNIT_CASE(zombies_go_before_falling_back),
	KUNIT_CASE(zombies_go_before_evicting),
	KUNIT_CASE(busy_zombies_send_to_the_fallback),
	KUNIT_CASE(only_the_signaled_prefix_is_given_away),
	KUNIT_CASE(memory_under_a_fence_is_given_to_nobody),
	KUNIT_CASE(idle_buffers_are_evicted_oldest_first),
	KUNIT_CASE(idle_buffers_stay_if_there_is_a_fallback),
	KUNIT_CASE(eviction_follows_the_merge),
	KUNIT_CASE(busy_buffers_are_not_evicted_before_idle_ones),
	KUNIT_CASE(waits_for_zombies),
	KUNIT_CASE(waits_for_busy_buffers),
	KUNIT_CASE(waits_for_the_oldest),
	KUNIT_CASE(not_waiting_is_obeyed),
	KUNIT_CASE(a_hung_channel_stops_nobody),
	KUNIT_CASE(a_hung_zombie_does_not_hide_busy_buffers),
	KUNIT_CASE(memory_that_another_reclaimed_is_found),
	KUNIT_CASE(a_leftover_is_given_away_once_it_can_be),
	KUNIT_CASE(a_leftover_is_waited_for),
	KUNIT_CASE(eviction_leaves_dead_imports_alone),
	{}
};

static struct kunit_suite reclaim_suite = {
	.name = "ttm_fence_lru_glue_reclaim",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = reclaim_cases,
};

kunit_test_suite(reclaim_suite);
