// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Who may become a member of a group, and that members may die and groups end at any time.
 */
#include <linux/dma-resv.h>

#include <kunit/static_stub.h>

#include <drm/ttm/ttm_bo_group.h>

#include "ttm_bo_fence_lru.h"
#include "ttm_glue_helpers.h"

/* Mistakes of the driver's, of which TTM warns once. */

static void who_shares_no_reservation_does_not_join(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_join(group, a);
	KUNIT_EXPECT_NULL(test, a->tbo.bulk_move);
	KUNIT_EXPECT_EQ(test, kref_read(&group->kref), 1);
	ttm_bo_group_put(group);
}

static void a_member_of_one_group_joins_no_other(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct ttm_bo_group *other = glue_group(dev);
	struct glue_bo *a = glue_member(group, 'a');

	glue_join(other, a);
	KUNIT_EXPECT_PTR_EQ(test, a->tbo.bulk_move, &group->bulk);
	KUNIT_EXPECT_EQ(test, kref_read(&other->kref), 1);
	ttm_bo_group_put(other);
	ttm_bo_group_put(group);
}

/* It is busy for the group's sake, and nobody is going to wait for its fences. */
static void the_fences_of_a_member_that_dies_are_told(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a = glue_member(group, 'a');
	struct glue_fence *fence = glue_emit(dev, 0, false);

	glue_attach_group(group, fence);
	KUNIT_EXPECT_EQ(test, a->tbo.fence_lru.nr_links, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	glue_put(a);
	glue_expect_zombies(dev, 1, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	ttm_bo_group_put(group);
}

static struct ttm_bo_group *used_meanwhile;

/* As TTM does it; and then others use the group. */
static int copy_before_it_is_used(struct ttm_buffer_object *tbo)
{
	int ret = -EBUSY;

	if (dma_resv_trylock(&tbo->base._resv)) {
		ret = dma_resv_copy_fences(&tbo->base._resv, tbo->base.resv);
		dma_resv_unlock(&tbo->base._resv);
	}
	spin_lock(&tbo->bdev->lru_lock);
	tbo->base.resv = &tbo->base._resv;
	spin_unlock(&tbo->bdev->lru_lock);
	glue_use_group(used_meanwhile, 0);
	return ret;
}

/* What is used of the group while it dies is none of its own. */
static void a_member_that_dies_waits_for_no_later_fence(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a = glue_member(group, 'a');
	struct glue_fence *fence = glue_use_group(group, 0);

	used_meanwhile = group;
	kunit_activate_static_stub(test, ttm_bo_individualize_resv,
				   copy_before_it_is_used);
	glue_put(a);
	kunit_deactivate_static_stub(test, ttm_bo_individualize_resv);
	glue_expect_zombies(dev, 1, 0);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	ttm_bo_group_put(group);
}

static struct ttm_bo_group *ends_now;

/* Its address space goes. A task that evicts a member holds the reservation of all of them. */
static void end_group(struct glue_device *dev)
{
	struct glue_bo *bo;

	dev->moving = NULL;
	list_for_each_entry(bo, &dev->bos, entry)
		if (bo->tbo.bulk_move)
			ttm_bo_group_leave(&bo->tbo);
	ttm_bo_group_put(ends_now);
}

/*
 *   LRU: [a cursor b] x y       eviction has come to a, and then
 *   LRU: a cursor b x y         there is no group any more
 */
static void a_group_may_end_under_a_cursor(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	ends_now = glue_group(dev);
	glue_member(ends_now, 'a');
	glue_member(ends_now, 'b');
	glue_bo(dev, 'x', &glue_vram);
	glue_bo(dev, 'y', &glue_vram);

	dev->moving = end_group;
	dev->refuse_moves = 1;
	glue_bo(dev, 'z', &glue_vram);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "b");
	glue_expect_lru(dev, TTM_PL_VRAM, "axyz", 0);
}

static const struct ttm_resource_manager_func *vram_func;

/* The copy ends while the manager waits for its own lock, and another task retires. */
static void free_when_the_copy_ends(struct ttm_resource_manager *man,
				    struct ttm_resource *res)
{
	struct glue_device *dev = to_glue_device(man->bdev);
	struct glue_fence *fence;

	list_for_each_entry(fence, &dev->fences, entry)
		glue_complete(fence);
	ttm_fence_lru_retire(dev->bdev.fence_lru);
	vram_func->free(man, res);
}

/*
 *   VRAM: [a]    GTT: -     a is copied
 *   VRAM: -      GTT: -     the copy has ended: a is idle, its memory is being released
 *   VRAM: -      GTT: [a]
 */
static void a_member_becomes_idle_while_its_memory_goes(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_resource_manager *man = glue_vram_manager(dev);
	struct ttm_bo_group *group = glue_group(dev);
	struct ttm_resource_manager_func func = *man->func;
	struct glue_fence *fence;

	glue_member(group, 'a');
	vram_func = man->func;
	func.free = free_when_the_copy_ends;
	man->func = &func;
	dev->mover = &dev->channels[1];
	dev->pipeline = true;
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(&dev->bdev, man),
			0);
	dev->mover = NULL;
	man->func = vram_func;
	KUNIT_ASSERT_NULL(test, group->bulk.pos[TTM_PL_VRAM][0].first);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
	glue_expect_sound(dev);

	fence = glue_use_group(group, 0);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	glue_complete(fence);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
	ttm_bo_group_put(group);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(who_shares_no_reservation_does_not_join),
	KUNIT_CASE(a_member_of_one_group_joins_no_other),
	KUNIT_CASE(the_fences_of_a_member_that_dies_are_told),
	KUNIT_CASE(a_member_that_dies_waits_for_no_later_fence),
	KUNIT_CASE(a_group_may_end_under_a_cursor),
	KUNIT_CASE(a_member_becomes_idle_while_its_memory_goes),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_member",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
