// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The memory that dead BOs keep: limits, the shrinker, what is told about it.
 */
#include <linux/dma-mapping.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/swap.h>

#include <kunit/static_stub.h>

#include <drm/drm_device.h>
#include <drm/ttm/ttm_pool.h>

#include "ttm_glue_helpers.h"
#include "ttm_zombies.h"

static void declare_reclaim_safe(struct glue_device *dev, unsigned int type)
{
	struct ttm_resource_manager *man = ttm_manager_type(&dev->bdev, type);

	ttm_resource_manager_set_reclaim_safe(man);
}

/* As the system does it: where somebody waits for memory. Returns pages. */
static unsigned long shrink(struct glue_device *dev, unsigned long pages)
{
	struct shrinker *shrinker = dev->bdev.zombies_shrinker;
	struct shrink_control sc = {
		.gfp_mask = GFP_KERNEL,
		.nr_to_scan = pages,
	};
	struct reclaim_state state = {};
	unsigned long freed;

	current->reclaim_state = &state;
	fs_reclaim_acquire(GFP_KERNEL);
	freed = shrinker->scan_objects(shrinker, &sc);
	fs_reclaim_release(GFP_KERNEL);
	current->reclaim_state = NULL;

	/* Or who waits for memory does not know that there is some. */
	KUNIT_EXPECT_EQ(dev->test, state.reclaimed,
			freed == SHRINK_STOP ? 0 : freed);
	return freed;
}

static unsigned long count(struct glue_device *dev)
{
	struct shrinker *shrinker = dev->bdev.zombies_shrinker;
	struct shrink_control sc = {};

	return shrinker->count_objects(shrinker, &sc);
}

static void the_limit_of_system_memory_is_obeyed(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;

	ttm_fence_lru_set_limit(dev->bdev.fence_lru, TTM_PL_TT, PAGE_SIZE);
	fence = glue_bury(dev, 'a', &glue_gtt);
	glue_complete(fence);
	fence = glue_bury(dev, 'b', &glue_gtt);
	/* There is one too many, and a may go. */
	glue_expect_usage(dev, TTM_PL_TT, 1);
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 1);

	/* VRAM is a thing apart. */
	glue_complete(glue_bury(dev, 'c', &glue_vram));
	glue_bury(dev, 'd', &glue_vram);
	glue_expect_usage(dev, TTM_PL_VRAM, 2);

	glue_complete(fence);
	glue_bury(dev, 'e', &glue_gtt);
	glue_expect_usage(dev, TTM_PL_TT, 1);
}

static void the_default_limit_is_of_system_memory(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_fence_lru *lru = dev->bdev.fence_lru;

	KUNIT_EXPECT_EQ(test, lru->limits[TTM_PL_TT],
			(u64)totalram_pages() / 256 << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, lru->limits[TTM_PL_SYSTEM],
			lru->limits[TTM_PL_TT]);
	KUNIT_EXPECT_EQ(test, lru->limits[TTM_PL_VRAM], U64_MAX);
	KUNIT_EXPECT_EQ(test, lru->limit, U64_MAX);
}

/* Where the system can have it back. */
static void it_is_higher_where_a_shrinker_may_free(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_fence_lru *lru = dev->bdev.fence_lru;
	u64 system = lru->limits[TTM_PL_SYSTEM];

	declare_reclaim_safe(dev, TTM_PL_TT);
	KUNIT_EXPECT_EQ(test, lru->limits[TTM_PL_TT],
			(u64)totalram_pages() / 16 << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, lru->limits[TTM_PL_SYSTEM], system);
	declare_reclaim_safe(dev, TTM_PL_VRAM);
	KUNIT_EXPECT_EQ(test, lru->limits[TTM_PL_VRAM], U64_MAX);
}

static void the_pages_of_an_import_are_not_the_systems(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);
	u64 ripe;

	declare_reclaim_safe(dev, TTM_PL_TT);
	glue_use(a, 0);
	a->tbo.type = ttm_bo_type_sg;
	glue_put(a);
	KUNIT_EXPECT_EQ(test, count(dev), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, 0,
			ttm_device_zombies(&dev->bdev, TTM_PL_TT, &ripe));
}

static void a_device_of_today_has_nothing_to_trim(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_TT);
	u64 ripe = 1;

	ttm_device_trim(&dev->bdev);
	KUNIT_EXPECT_EQ(test, 0,
			ttm_device_zombies(&dev->bdev, TTM_PL_TT, &ripe));
	KUNIT_EXPECT_EQ(test, 0, ripe);
	KUNIT_EXPECT_EQ(test, 0, ttm_resource_manager_live_usage(man));
	glue_device_destroy(dev);
}

static int no_shrinker(struct ttm_device *bdev)
{
	return -ENOMEM;
}

/* Ripe memory of each of them is nobody's. */
static void a_manager_may_stand_for_several_types(struct kunit *test)
{
	const struct ttm_place place = { .mem_type = TTM_PL_PRIV };
	const struct ttm_placement private = { 1, &place };
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man = glue_vram_manager(dev);

	ttm_set_driver_manager(&dev->bdev, TTM_PL_PRIV, man);
	glue_complete(glue_bury(dev, 'y', &glue_vram));
	glue_complete(glue_bury(dev, 'z', &private));
	ttm_fence_lru_retire(dev->bdev.fence_lru);
	KUNIT_EXPECT_EQ(test, 2 * PAGE_SIZE, ttm_resource_manager_usage(man));
	KUNIT_EXPECT_EQ(test, 0, ttm_resource_manager_live_usage(man));
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	ttm_set_driver_manager(&dev->bdev, TTM_PL_PRIV, NULL);
}

static void opting_in_may_fail(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);

	kunit_activate_static_stub(test, ttm_zombies_init_shrinker,
				   no_shrinker);
	KUNIT_EXPECT_EQ(test, ttm_device_enable_fence_lru(&dev->bdev), -ENOMEM);
	kunit_deactivate_static_stub(test, ttm_zombies_init_shrinker);
	KUNIT_EXPECT_NULL(test, dev->bdev.fence_lru);

	/* It is as it was. */
	glue_put(glue_bo(dev, 'a', &glue_vram));
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 1);
	glue_device_destroy(dev);
}

static void the_system_gets_pages_of_dead_bos(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;

	declare_reclaim_safe(dev, TTM_PL_TT);
	KUNIT_EXPECT_EQ(test, count(dev), SHRINK_EMPTY);
	fence = glue_bury(dev, 'a', &glue_gtt);
	KUNIT_EXPECT_EQ(test, count(dev), 1);
	KUNIT_EXPECT_EQ(test, shrink(dev, 8), SHRINK_STOP);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, shrink(dev, 8), 1);
	KUNIT_EXPECT_EQ(test, count(dev), SHRINK_EMPTY);
	glue_expect_usage(dev, TTM_PL_TT, 0);
	/* What is left holds no memory, and is destroyed when that can be done. */
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	ttm_device_trim(&dev->bdev);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

/* An import whose memory was released where it could not be destroyed. */
static void what_could_not_be_destroyed_is_not_forgotten(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);

	a->tbo.type = ttm_bo_type_sg;
	glue_put(a);
	KUNIT_EXPECT_EQ(test, 1,
			ttm_device_swapout(&dev->bdev, &ctx, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, dev->nr_notified, 1);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
	ttm_device_trim(&dev->bdev);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

static void it_gets_no_more_than_it_wants(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	int i;

	declare_reclaim_safe(dev, TTM_PL_TT);
	for (i = 0; i < 8; i++)
		glue_complete(glue_bury(dev, 'a' + i, &glue_gtt));
	KUNIT_EXPECT_EQ(test, shrink(dev, 3), 3);
	glue_expect_usage(dev, TTM_PL_TT, 5);
}

/* That might wake the device. The next task that reclaims does it. */
static void it_asks_no_fence_to_signal(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);
	struct glue_fence *foreign = glue_emit(dev, GLUE_FOREIGN, false);
	struct glue_fence *own;

	declare_reclaim_safe(dev, TTM_PL_TT);
	glue_attach(a, foreign);
	own = glue_use(a, 0);
	glue_put(a);
	glue_complete(own);
	KUNIT_EXPECT_EQ(test, shrink(dev, 8), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 0);

	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 1);
	glue_complete(foreign);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
}

/* A pool of pages that go back to it, whatever their caching: those of coherent DMA. */
static struct ttm_pool_type *use_pool(struct glue_device *dev)
{
	struct ttm_pool *pool = &dev->bdev.pool;

	ttm_pool_fini(pool);
	dev->drm->dev->coherent_dma_mask = DMA_BIT_MASK(64);
	ttm_pool_init(pool, dev->drm->dev, NUMA_NO_NODE,
		      TTM_ALLOCATION_POOL_USE_DMA_ALLOC);
	return &pool->caching[ttm_cached].orders[0];
}

/* Pages in a pool are not the system's yet; those that are there for long may stay. */
static void the_pool_gives_back_what_it_got(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_pool_type *pool = use_pool(dev);
	struct glue_fence *fence;
	struct glue_bo *a, *b;

	declare_reclaim_safe(dev, TTM_PL_TT);
	a = glue_bo(dev, 'a', &glue_gtt);
	b = glue_bo(dev, 'b', &glue_gtt);
	fence = glue_bury(dev, 'z', &glue_gtt);
	glue_put(a);
	glue_put(b);
	KUNIT_EXPECT_EQ(test, ttm_pool_count(pool), 2);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, shrink(dev, 1), 1);
	KUNIT_EXPECT_EQ(test, ttm_pool_count(pool), 2);
}

/* Nobody else comes and goes meanwhile: the next shrinker is that of the next device. */
static void the_system_knows_the_devices_that_are_there(struct kunit *test)
{
	struct glue_device *dev = test->priv, *other;
	struct shrinker *shrinker = dev->bdev.zombies_shrinker;
	struct list_head *next = shrinker->list.next;

	other = glue_device_create(test, true);
	KUNIT_EXPECT_PTR_EQ(test, shrinker->list.next,
			    &other->bdev.zombies_shrinker->list);
	glue_device_destroy(other);
	KUNIT_EXPECT_PTR_EQ(test, shrinker->list.next, next);
}

/* Nobody has said that it is safe to free those there, and VRAM is of no use to it. */
static void other_managers_are_left_alone(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	declare_reclaim_safe(dev, TTM_PL_VRAM);
	glue_complete(glue_bury(dev, 'a', &glue_gtt));
	glue_complete(glue_bury(dev, 'b', &glue_vram));
	KUNIT_EXPECT_EQ(test, count(dev), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, shrink(dev, 8), SHRINK_STOP);
	glue_expect_usage(dev, TTM_PL_TT, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
}

/* Those of another kind of pages may be freed, and are. */
static void only_the_declared_manager_is_shrunk(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	declare_reclaim_safe(dev, TTM_PL_SYSTEM);
	glue_complete(glue_bury(dev, 'a', &glue_gtt));
	glue_complete(glue_bury(dev, 's', &glue_system));
	KUNIT_EXPECT_EQ(test, count(dev), 1);
	KUNIT_EXPECT_EQ(test, shrink(dev, 8), 1);
	glue_expect_usage(dev, TTM_PL_TT, 1);
}

/* Older ones of other memory are not even taken. */
static void zombies_in_its_way_stay_where_they_are(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	declare_reclaim_safe(dev, TTM_PL_TT);
	glue_complete(glue_bury(dev, 'a', &glue_vram));
	glue_complete(glue_bury(dev, 'b', &glue_gtt));
	KUNIT_EXPECT_EQ(test, shrink(dev, 1), 1);
	/* What is left of b holds no memory. */
	glue_expect_zombies(dev, 2, 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_usage(dev, TTM_PL_TT, 0);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 0);
}

/* Nobody uses it, though not everybody may have it; and it is tried again. */
static void what_the_shrinker_may_not_have_stays_ripe(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_fence_lru *lru = dev->bdev.fence_lru;
	int i;

	for (i = 0; i < 12; i++)
		glue_complete(glue_bury(dev, 'a' + i, &glue_gtt));
	KUNIT_EXPECT_EQ(test, ttm_fence_lru_shrink(lru, TTM_PL_TT, U64_MAX), 0);
	glue_expect_zombies(dev, 12, 0);
	glue_expect_report(dev, TTM_PL_TT, 12, 12);

	declare_reclaim_safe(dev, TTM_PL_TT);
	KUNIT_EXPECT_EQ(test, shrink(dev, 12), 12);
	glue_expect_report(dev, TTM_PL_TT, 0, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(the_limit_of_system_memory_is_obeyed),
	KUNIT_CASE(the_default_limit_is_of_system_memory),
	KUNIT_CASE(it_is_higher_where_a_shrinker_may_free),
	KUNIT_CASE(the_pages_of_an_import_are_not_the_systems),
	KUNIT_CASE(a_device_of_today_has_nothing_to_trim),
	KUNIT_CASE(a_manager_may_stand_for_several_types),
	KUNIT_CASE(opting_in_may_fail),
	KUNIT_CASE(the_system_gets_pages_of_dead_bos),
	KUNIT_CASE(what_could_not_be_destroyed_is_not_forgotten),
	KUNIT_CASE(it_gets_no_more_than_it_wants),
	KUNIT_CASE(it_asks_no_fence_to_signal),
	KUNIT_CASE(the_pool_gives_back_what_it_got),
	KUNIT_CASE(the_system_knows_the_devices_that_are_there),
	KUNIT_CASE(other_managers_are_left_alone),
	KUNIT_CASE(only_the_declared_manager_is_shrunk),
	KUNIT_CASE(zombies_in_its_way_stay_where_they_are),
	KUNIT_CASE(what_the_shrinker_may_not_have_stays_ripe),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_zombies",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
