// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Groups of buffers, which are fenced as one and stand side by side. What is in
 * brackets is the range of the group.
 */
#include <kunit/static_stub.h>

#include <drm/ttm/ttm_bo_group.h>

#include "../ttm_fence_lru/internal.h"
#include "ttm_glue_helpers.h"

static void leave(struct glue_bo *bo)
{
	glue_lock(bo);
	ttm_bo_group_leave(&bo->tbo);
	glue_unlock(bo);
}

static void retire(struct glue_device *dev, struct glue_fence *fence)
{
	glue_complete(fence);
	glue_retire(dev);
}

/*
 *   LRU: [a b] x   channel: -
 *   LRU: x         channel: node with the group
 *   LRU: x [a b]   channel: -
 */
static void a_group_leaves_and_enters_the_lru_as_one(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fence;

	glue_member(group, 'a');
	glue_member(group, 'b');
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_lru(dev, TTM_PL_VRAM, "abx", 0);

	fence = glue_use_group(group, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "x", 2);
	glue_expect_sound(dev);

	retire(dev, fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "xab", 0);
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
	ttm_bo_group_put(group);
}

/* However many members there are: one link. */
static void fencing_a_group_touches_no_member(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a = glue_member(group, 'a');
	int i;

	for (i = 1; i < GLUE_VRAM_PAGES; i++)
		glue_member(group, 'a' + i);
	glue_use_group(group, 0);
	glue_use_group(group, 0);
	KUNIT_EXPECT_EQ(test, dev->channels[0].base.nr_links, 1);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&a->tbo));
	KUNIT_EXPECT_FALSE(test, a->tbo.resource->parked);
	glue_expect_lru(dev, TTM_PL_VRAM, "", GLUE_VRAM_PAGES);
	ttm_bo_group_put(group);
}

static void each_type_and_priority_has_a_range(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fence;
	struct glue_bo *b, *c;

	glue_member(group, 'a');
	b = glue_bo_shared(dev, 'b');
	b->tbo.priority = 1;
	/* It takes effect when the resource moves next. */
	retire(dev, glue_use(b, 0));
	glue_join(group, b);
	c = glue_member(group, 'c');
	KUNIT_ASSERT_EQ(test, glue_move(c, &glue_gtt), 0);
	glue_member(group, 'd');
	glue_bo(dev, 'x', &glue_vram);
	glue_bo(dev, 'y', &glue_gtt);
	glue_expect_lru(dev, TTM_PL_VRAM, "adxb", 0);
	glue_expect_lru(dev, TTM_PL_TT, "cy", 0);

	fence = glue_use_group(group, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "x", 3);
	glue_expect_lru(dev, TTM_PL_TT, "y", 1);

	retire(dev, fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "xadb", 0);
	glue_expect_lru(dev, TTM_PL_TT, "yc", 0);
	ttm_bo_group_put(group);
}

/*
 *   node 1: alive group          node 1: alive group, zombies b
 *   range:  a b                  range:  a
 */
static void a_member_that_dies_gets_links_of_its_own(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *first, *second, *later;
	struct glue_bo *b;

	glue_member(group, 'a');
	b = glue_member(group, 'b');
	first = glue_use_group(group, 0);
	second = glue_use_group(group, 1);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&b->tbo));
	glue_put(b);
	glue_expect_zombies(dev, 1, 0);
	KUNIT_EXPECT_EQ(test, b->tbo.fence_lru.nr_links, 2);
	KUNIT_EXPECT_EQ(test, kref_read(&b->tbo.kref), 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 2);
	glue_expect_sound(dev);

	/* What the group does from now on is no concern of the dead. */
	later = glue_use_group(group, 0);
	glue_complete(first);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 2);
	glue_complete(second);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);

	retire(dev, later);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
	ttm_bo_group_put(group);
}

static void a_member_without_memory_for_links_is_not_lost(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *first, *second;
	struct glue_bo *a, *b;

	a = glue_member(group, 'a');
	b = glue_member(group, 'b');
	first = glue_use_group(group, 0);
	second = glue_use_group(group, 1);
	kunit_activate_static_stub(test, ttm_fence_lru_link_alloc,
				   glue_no_link);
	/* One lives on, and counts as idle; the other is left over. */
	leave(a);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 1);
	glue_put(b);
	kunit_deactivate_static_stub(test, ttm_fence_lru_link_alloc);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);
	glue_expect_zombies(dev, 1, 1);

	glue_complete(first);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_complete(second);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	ttm_bo_group_put(group);
}

static void a_member_of_an_idle_group_is_released_at_once(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);

	glue_member(group, 'a');
	glue_put(glue_member(group, 'b'));
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);

	/* Nobody has reclaimed since: release looks itself. */
	glue_put(glue_member(group, 'c'));
	glue_complete(glue_use_group(group, 0));
	glue_put(glue_member(group, 'd'));
	glue_expect_freed(dev, TTM_FREED_AT_RELEASE, 3);
	glue_expect_zombies(dev, 0, 0);
	ttm_bo_group_put(group);
}

static void joining_a_busy_group_is_leaving_the_lru(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fence = glue_use_group(group, 0);

	glue_bo(dev, 'x', &glue_vram);
	glue_member(group, 'a');
	glue_expect_lru(dev, TTM_PL_VRAM, "x", 1);
	glue_member(group, 'b');
	glue_expect_lru(dev, TTM_PL_VRAM, "x", 2);
	glue_expect_sound(dev);

	retire(dev, fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "xab", 0);
	ttm_bo_group_put(group);
}

static void a_member_that_leaves_stays_busy(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fence;
	struct glue_bo *a, *b;
	int i;

	a = glue_member(group, 'a');
	b = glue_member(group, 'b');
	glue_member(group, 'c');
	fence = glue_use_group(group, 0);
	leave(b);
	KUNIT_EXPECT_TRUE(test, ttm_bo_is_busy(&b->tbo));
	glue_expect_lru(dev, TTM_PL_VRAM, "", 3);
	glue_expect_sound(dev);

	/* before: range [a c], parked b; now: LRU [a c] b */
	retire(dev, fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "acb", 0);

	/* Leaving an idle group is no use; nor is it to leave twice. */
	for (i = 0; i < 2; i++)
		leave(a);
	glue_expect_lru(dev, TTM_PL_VRAM, "acb", 0);
	ttm_bo_group_put(group);
}

/* As after TTM moved it: it returns to the range when its own fence has signaled. */
static void a_member_that_is_busy_by_itself_is_parked_alone(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *own, *shared;
	struct glue_bo *b;

	glue_member(group, 'a');
	b = glue_member(group, 'b');
	glue_member(group, 'c');
	own = glue_use(b, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "ac", 1);
	shared = glue_use_group(group, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 3);

	/* Its place in the range is free again, and that is parked. */
	retire(dev, own);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 3);
	KUNIT_EXPECT_FALSE(test, b->tbo.resource->parked);
	own = glue_use(b, 0);
	KUNIT_EXPECT_TRUE(test, b->tbo.resource->parked);

	retire(dev, shared);
	glue_expect_lru(dev, TTM_PL_VRAM, "ac", 1);
	retire(dev, own);
	glue_expect_lru(dev, TTM_PL_VRAM, "acb", 0);
	ttm_bo_group_put(group);
}

static void pinning_a_member_of_a_busy_group(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fence;
	struct glue_bo *a, *b;

	a = glue_member(group, 'a');
	b = glue_member(group, 'b');
	fence = glue_use_group(group, 0);
	glue_lock(a);
	ttm_bo_pin(&a->tbo);
	ttm_bo_pin(&b->tbo);
	glue_expect_pinned(dev, "ab");
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);

	/* An empty range begins anew, among what is parked. */
	ttm_bo_unpin(&b->tbo);
	glue_unlock(a);
	glue_expect_pinned(dev, "a");
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_sound(dev);

	retire(dev, fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 0);
	glue_unpin(a);
	glue_expect_lru(dev, TTM_PL_VRAM, "ba", 0);
	ttm_bo_group_put(group);
}

static void moving_a_member_of_a_busy_group(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fence;
	struct glue_bo *a;

	a = glue_member(group, 'a');
	glue_member(group, 'b');
	fence = glue_use_group(group, 0);
	KUNIT_EXPECT_EQ(test, glue_move_no_wait(a, &glue_gtt), -EBUSY);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 2);

	/* It has signaled, but nobody has looked: the group is still busy. */
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	glue_expect_sound(dev);

	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 0);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
	ttm_bo_group_put(group);
}

static void a_member_leaves_its_ghost_outside_of_the_group(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fence, *copy;
	struct glue_bo *a;

	a = glue_member(group, 'a');
	fence = glue_use_group(group, 0);
	dev->mover = &dev->channels[1];
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	copy = list_last_entry(&dev->fences, struct glue_fence, entry);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	glue_expect_zombies(dev, 1, 0);

	/* The copy waited for the group; the member waits for both. */
	glue_complete(copy);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);
	retire(dev, fence);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
	dev->mover = NULL;
	ttm_bo_group_put(group);
}

/* The address space is gone, its buffers are not: they hold what they need of it. */
static void members_outlive_who_made_their_group(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a = glue_member(group, 'a');
	struct glue_fence *fence = glue_use_group(group, 0);

	glue_member(group, 'b');
	ttm_bo_group_put(group);
	glue_put(a);
	glue_expect_zombies(dev, 1, 0);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 0);
}

static void a_group_may_end_while_it_is_busy(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_bo *a = glue_member(group, 'a');

	glue_use_group(group, 0);
	glue_use_group(group, 1);
	leave(a);
	ttm_bo_group_put(group);
	KUNIT_EXPECT_EQ(test, dev->channels[0].base.nr_links, 1);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_sound(dev);
}

static struct ttm_bo_group *group_in_the_way;

static void use_group_in_the_way(struct glue_device *dev)
{
	struct glue_fence *fence = glue_emit(dev, 0, true);
	struct ttm_bo_group *group = group_in_the_way;

	group_in_the_way = NULL;
	if (!group)
		return;

	/* A task that evicts a member holds the reservation that all of them share. */
	KUNIT_EXPECT_EQ(dev->test, ttm_bo_group_reserve_fences(group, 1), 0);
	ttm_bo_group_add_fence(group, &fence->base, DMA_RESV_USAGE_BOOKKEEP);
}

/*
 *   LRU: [a cursor b c] x       eviction has come to a, and then
 *   LRU: cursor x               the group is used
 */
static void a_group_that_becomes_busy_leaves_cursors_behind(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);

	glue_member(group, 'a');
	glue_member(group, 'b');
	glue_member(group, 'c');
	glue_bo(dev, 'x', &glue_vram);

	group_in_the_way = group;
	dev->moving = use_group_in_the_way;
	dev->refuse_moves = 1;
	glue_bo(dev, 'y', &glue_vram);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "x");
	glue_expect_lru(dev, TTM_PL_VRAM, "y", 3);
	glue_expect_sound(dev);
	ttm_bo_group_put(group);
}

static void a_busy_group_is_evicted_when_it_is_idle(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_bo_group *group = glue_group(dev);
	struct ttm_resource_manager *man =
		ttm_manager_type(&dev->bdev, TTM_PL_VRAM);

	glue_member(group, 'a');
	glue_member(group, 'b');
	glue_complete_on_wait(glue_use_group(group, 0));
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(&dev->bdev, man),
			0);
	KUNIT_EXPECT_STREQ(test, dev->evicted, "ab");
	glue_expect_lru(dev, TTM_PL_TT, "ab", 0);
	ttm_bo_group_put(group);
}

static void without_a_fence_lru_a_group_is_a_bulk_move(struct kunit *test)
{
	struct glue_device *dev = glue_device_create(test, false);
	struct ttm_bo_group *group = glue_group(dev);
	struct glue_fence *fence;
	struct glue_bo *b;

	glue_member(group, 'a');
	b = glue_member(group, 'b');
	glue_bo(dev, 'x', &glue_vram);
	glue_expect_lru(dev, TTM_PL_VRAM, "abx", 0);
	fence = glue_use_group(group, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "xab", 0);

	glue_complete_on_wait(fence);
	glue_put(b);
	flush_workqueue(dev->bdev.wq);
	glue_expect_freed(dev, TTM_FREED_AT_BACKGROUND, 1);
	ttm_bo_group_put(group);
	glue_device_destroy(dev);
}

static struct kunit_case group_cases[] = {
	KUNIT_CASE(a_group_leaves_and_enters_the_lru_as_one),
	KUNIT_CASE(fencing_a_group_touches_no_member),
	KUNIT_CASE(each_type_and_priority_has_a_range),
	KUNIT_CASE(a_member_that_dies_gets_links_of_its_own),
	KUNIT_CASE(a_member_without_memory_for_links_is_not_lost),
	KUNIT_CASE(a_member_of_an_idle_group_is_released_at_once),
	KUNIT_CASE(joining_a_busy_group_is_leaving_the_lru),
	KUNIT_CASE(a_member_that_leaves_stays_busy),
	KUNIT_CASE(a_member_that_is_busy_by_itself_is_parked_alone),
	KUNIT_CASE(pinning_a_member_of_a_busy_group),
	KUNIT_CASE(moving_a_member_of_a_busy_group),
	KUNIT_CASE(a_member_leaves_its_ghost_outside_of_the_group),
	KUNIT_CASE(members_outlive_who_made_their_group),
	KUNIT_CASE(a_group_may_end_while_it_is_busy),
	KUNIT_CASE(a_group_that_becomes_busy_leaves_cursors_behind),
	KUNIT_CASE(a_busy_group_is_evicted_when_it_is_idle),
	KUNIT_CASE(without_a_fence_lru_a_group_is_a_bulk_move),
	{}
};

static struct kunit_suite group_suite = {
	.name = "ttm_fence_lru_glue_group",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = group_cases,
};

kunit_test_suite(group_suite);
