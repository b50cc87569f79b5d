// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The last put of a buffer: released at once, a zombie, or left over.
 */
#include "ttm_glue_helpers.h"

static void an_idle_buffer_is_released_at_once(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_bo(dev, 'b', &glue_vram);
	glue_put(a);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 0);
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 1);
	glue_expect_zombies(dev, 0, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 1);
}

static void release_looks_first(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	/* Signaled on both channels, but nobody has retired it yet. */
	glue_complete(glue_use(a, 0));
	glue_complete(glue_use(a, 1));
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);

	glue_put(a);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 1);
	glue_expect_zombies(dev, 0, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void a_busy_buffer_becomes_a_zombie(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 0);

	glue_put(a);
	/* Nothing runs in the background, nobody is told to interrupt. */
	flush_workqueue(dev->bdev.wq);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_zombies(dev, 1, 0);
	glue_expect_sound(dev);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);

	/* Also not when the fence signals. */
	glue_complete(fence);
	flush_workqueue(dev->bdev.wq);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_zombies(dev, 1, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	glue_expect_freed(dev, TTM_FREED_AT_BACKGROUND, 0);

	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 1);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 1);
}

static void a_zombie_waits_for_all_its_channels(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence[2];

	fence[0] = glue_use(a, 0);
	fence[1] = glue_use(a, 1);
	glue_put(a);
	/* One reference, that of the lists. */
	KUNIT_EXPECT_EQ(test, kref_read(&a->tbo.kref), 1);

	glue_complete(fence[0]);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&a->tbo.kref), 1);

	glue_complete(fence[1]);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void a_fence_that_cannot_be_sampled_is_enabled_once(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_emit(dev, 0, false);

	glue_attach(a, fence);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	glue_put(a);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);

	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);
}

/* Those of no channel are the glue's to enable, when somebody wants the memory. */
static void
a_foreign_fence_of_a_zombie_is_enabled_when_it_is_wanted(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *foreign = glue_emit(dev, GLUE_FOREIGN, false);
	struct glue_fence *own;

	glue_attach(a, foreign);
	own = glue_use(a, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 0);
	glue_put(a);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 0);

	glue_complete(own);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 1);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);

	glue_complete(foreign);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

/* That of a leftover, which no channel uses, is at once. */
static void
a_foreign_fence_of_a_leftover_is_enabled_when_it_dies(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *foreign = glue_emit(dev, GLUE_FOREIGN, false);

	glue_attach(a, foreign);
	glue_put(a);
	glue_expect_zombies(dev, 1, 1);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 1);

	glue_complete(foreign);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void a_foreign_fence_makes_a_leftover(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, GLUE_FOREIGN);

	glue_put(a);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_sound(dev);

	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_freed(dev, TTM_FREED_AT_DRAIN, 1);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void a_foreign_fence_beside_one_of_a_channel(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *foreign, *fence;

	foreign = glue_use(a, GLUE_FOREIGN);
	fence = glue_use(a, 0);
	glue_put(a);
	glue_expect_zombies(dev, 1, 0);

	/* before: on channel 0; then no channel can vouch for it */
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	/* now: left over */
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_sound(dev);

	glue_complete(foreign);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

/* A fence in the reservation object that nobody told the buffer's channel of. */
static void a_fence_added_behind_the_back(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_emit(dev, 0, true);

	glue_lock(a);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(a->tbo.base.resv, 1), 0);
	dma_resv_add_fence(a->tbo.base.resv, &fence->base,
			   DMA_RESV_USAGE_BOOKKEEP);
	glue_unlock(a);

	glue_put(a);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

/* The driver made no room for a second channel: the fence gets no link. */
static void a_fence_without_a_link(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *linked = glue_use(a, 0);
	struct glue_fence *unlinked = glue_emit(dev, 1, true);

	glue_lock(a);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(a->tbo.base.resv, 1), 0);
	ttm_bo_add_fence(&a->tbo, &unlinked->base, DMA_RESV_USAGE_BOOKKEEP);
	glue_unlock(a);
	KUNIT_EXPECT_EQ(test, dev->bdev.fence_lru->stats.unlinked, 1);

	glue_put(a);
	glue_expect_zombies(dev, 1, 0);
	glue_complete(linked);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);

	glue_complete(unlinked);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static void a_killed_channel_takes_no_fence(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_bo *b = glue_bo(dev, 'b', &glue_vram);
	struct glue_fence *before = glue_use(a, 0), *after;

	ttm_fence_lru_channel_kill(&dev->channels[0].base);
	after = glue_use(b, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 1);

	/* One zombie, and one that nobody vouches for. */
	glue_put(a);
	glue_put(b);
	glue_expect_zombies(dev, 2, 1);

	/* The driver signals what it had taken, with an error. */
	dma_fence_set_error(&before->base, -ECANCELED);
	glue_complete(before);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_complete(after);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

/* As an allocation does, which may hold reservations; who drains may not. */
static void reclaim(struct glue_device *dev)
{
	struct ttm_fence_lru_need need = {};

	for (need.type = 0; need.type < TTM_FENCE_LRU_NUM_TYPES; need.type++) {
		while (ttm_fence_lru_reclaim(dev->bdev.fence_lru, &need))
			;
		need.step = TTM_FENCE_LRU_TO_RETIRE;
	}
}

static void a_locked_idle_buffer_is_left_over(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_lock(a);
	glue_put(a);
	glue_expect_zombies(dev, 1, 1);
	reclaim(dev);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_sound(dev);

	dma_resv_unlock(a->tbo.base.resv);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void a_locked_zombie_is_left_over(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 0);

	glue_put(a);
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(a->tbo.base.resv));
	glue_complete(fence);
	reclaim(dev);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);

	dma_resv_unlock(a->tbo.base.resv);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static void a_dead_buffer_leaves_its_shared_reservation(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;
	struct glue_bo *a, *b;

	a = glue_bo_shared(dev, 'a');
	b = glue_bo_shared(dev, 'b');
	fence = glue_emit(dev, 0, true);
	glue_attach(a, fence);
	glue_attach(b, fence);

	/* It dies under the shared lock, as in a driver that holds its VM's. */
	dma_resv_lock(&dev->vm_resv, NULL);
	glue_put(a);
	KUNIT_EXPECT_PTR_EQ(test, a->tbo.base.resv, &a->tbo.base._resv);
	KUNIT_EXPECT_FALSE(test,
			   dma_resv_test_signaled(a->tbo.base.resv,
						  DMA_RESV_USAGE_BOOKKEEP));
	glue_expect_zombies(dev, 1, 0);

	/* Its own copy is free to lock, whatever happens to the shared one. */
	glue_complete(fence);
	reclaim(dev);
	dma_resv_unlock(&dev->vm_resv);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 0);
}

static void a_neighbours_fence_in_the_shared_reservation(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;
	struct glue_bo *a, *b;

	a = glue_bo_shared(dev, 'a');
	b = glue_bo_shared(dev, 'b');
	/* Only b is linked, but the reservation object is that of both. */
	fence = glue_use(b, 0);
	glue_put(a);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 2);
	glue_expect_sound(dev);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 0);
}

static void an_import_is_let_go_only_where_it_may_be(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	/* As far as release knows, the memory is an exporter's. */
	a->tbo.type = ttm_bo_type_sg;
	glue_put(a);
	glue_expect_zombies(dev, 1, 1);
	reclaim(dev);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);

	/* The entry of a submit: no reservation is held. */
	ttm_device_trim(&dev->bdev);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static int gut(struct glue_bo *bo)
{
	const struct ttm_placement nowhere = {};

	return glue_move(bo, &nowhere);
}

static void an_idle_buffer_without_memory(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	KUNIT_EXPECT_EQ(test, gut(a), 0);
	KUNIT_EXPECT_NULL(test, a->tbo.resource);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);

	glue_put(a);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
	glue_expect_zombies(dev, 0, 0);
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 0);
}

static void a_busy_buffer_without_memory(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 0);

	/* The memory stays with a ghost, as long as the fence says. */
	KUNIT_EXPECT_EQ(test, gut(a), 0);
	KUNIT_EXPECT_NULL(test, a->tbo.resource);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_sound(dev);

	glue_put(a);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	KUNIT_EXPECT_GT(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void a_channel_that_goes_leaves_no_zombie_behind(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_channel *channel = &dev->channels[0];
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 0);

	/* A driver that forgets to signal: the memory stays safe all the same. */
	glue_put(a);
	ttm_fence_lru_channel_unregister(&channel->base);
	glue_expect_zombies(dev, 1, 0);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_zombies(dev, 1, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_register(channel);
}

static struct kunit_case release_cases[] = {
	KUNIT_CASE(an_idle_buffer_is_released_at_once),
	KUNIT_CASE(release_looks_first),
	KUNIT_CASE(a_busy_buffer_becomes_a_zombie),
	KUNIT_CASE(a_zombie_waits_for_all_its_channels),
	KUNIT_CASE(a_fence_that_cannot_be_sampled_is_enabled_once),
	KUNIT_CASE(a_foreign_fence_of_a_zombie_is_enabled_when_it_is_wanted),
	KUNIT_CASE(a_foreign_fence_of_a_leftover_is_enabled_when_it_dies),
	KUNIT_CASE(a_foreign_fence_makes_a_leftover),
	KUNIT_CASE(a_foreign_fence_beside_one_of_a_channel),
	KUNIT_CASE(a_fence_added_behind_the_back),
	KUNIT_CASE(a_fence_without_a_link),
	KUNIT_CASE(a_killed_channel_takes_no_fence),
	KUNIT_CASE(a_locked_idle_buffer_is_left_over),
	KUNIT_CASE(a_locked_zombie_is_left_over),
	KUNIT_CASE(a_dead_buffer_leaves_its_shared_reservation),
	KUNIT_CASE(a_neighbours_fence_in_the_shared_reservation),
	KUNIT_CASE(an_import_is_let_go_only_where_it_may_be),
	KUNIT_CASE(an_idle_buffer_without_memory),
	KUNIT_CASE(a_busy_buffer_without_memory),
	KUNIT_CASE(a_channel_that_goes_leaves_no_zombie_behind),
	{}
};

static struct kunit_suite release_suite = {
	.name = "ttm_fence_lru_glue_release",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = release_cases,
};

kunit_test_suite(release_suite);
