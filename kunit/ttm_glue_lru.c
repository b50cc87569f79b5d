// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where the resources of buffers stand: on the LRU, parked or pinned.
 */
#include "ttm_glue_helpers.h"

static void new_buffers_enter_at_the_tail(struct kunit *test)
{
	struct glue_device *dev = test->priv;

	glue_bo(dev, 'a', &glue_vram);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
	glue_bo(dev, 'b', &glue_vram);
	glue_bo(dev, 'c', &glue_gtt);
	glue_bo(dev, 'd', &glue_vram);
	glue_bo(dev, 'e', &glue_system);

	glue_expect_lru(dev, TTM_PL_VRAM, "abd", 0);
	glue_expect_lru(dev, TTM_PL_TT, "c", 0);
	glue_expect_lru(dev, TTM_PL_SYSTEM, "e", 0);
}

/* Managers allocate resources: what TTM sets anyway, it must set. */
static void a_resource_need_not_be_zeroed(struct kunit *test)
{
	const struct ttm_place place = { .mem_type = TTM_PL_VRAM };
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_gtt);
	struct ttm_resource *res;

	res = kunit_kmalloc(test, sizeof(*res), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, res);
	memset(res, 1, sizeof(*res));
	ttm_resource_init(&a->tbo, &place, res);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_usage(dev, TTM_PL_VRAM, 1);
	ttm_resource_fini(ttm_manager_type(&dev->bdev, TTM_PL_VRAM), res);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
}

static void unlocking_moves_nothing(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a, *b;

	a = glue_bo(dev, 'a', &glue_vram);
	b = glue_bo(dev, 'b', &glue_vram);
	glue_use(b, 0);

	glue_lock(a);
	glue_unlock(a);
	glue_lock(b);
	glue_unlock(b);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 1);

	glue_bo(dev, 'c', &glue_vram);
	glue_lock(a);
	glue_unlock(a);
	glue_expect_lru(dev, TTM_PL_VRAM, "ac", 1);
}

static void validating_in_place_moves_nothing(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_bo(dev, 'b', &glue_vram);
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_vram), 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);
}

static void fencing_parks_and_retiring_unparks(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;
	struct glue_bo *a;

	a = glue_bo(dev, 'a', &glue_vram);
	glue_bo(dev, 'b', &glue_vram);

	/* before: LRU a b, parked - */
	fence = glue_use(a, 0);
	/* now: LRU b, parked a */
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 1);
	KUNIT_EXPECT_TRUE(test, ttm_bo_is_busy(&a->tbo));
	glue_expect_sound(dev);

	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 1);

	/* That the fence signals changes nothing until somebody looks. */
	glue_complete(fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 1);

	glue_retire(dev);
	/* now: LRU b a, parked - */
	glue_expect_lru(dev, TTM_PL_VRAM, "ba", 0);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&a->tbo));
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

static void a_fence_seen_signaled_parks_nothing(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_emit(dev, 0, true);

	glue_bo(dev, 'b', &glue_vram);
	glue_complete(fence);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&fence->base));
	glue_attach(a, fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);
}

static void a_foreign_fence_parks_nothing(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_bo(dev, 'b', &glue_vram);
	glue_use(a, GLUE_FOREIGN);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);
}

static void buffers_return_in_the_order_of_their_last_use(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[5];
	struct glue_bo *a, *b, *c, *d;

	a = glue_bo(dev, 'a', &glue_vram);
	b = glue_bo(dev, 'b', &glue_vram);
	c = glue_bo(dev, 'c', &glue_vram);
	d = glue_bo(dev, 'd', &glue_vram);

	/*
	 * channel 0:  d   b       a
	 * channel 1:      c   d
	 *            --------------> emission
	 */
	fence[0] = glue_use(d, 0);
	fence[1] = glue_use(b, 0);
	fence[2] = glue_use(c, 1);
	fence[3] = glue_use(d, 1);
	fence[4] = glue_use(a, 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 4);

	/* Seen signaled all at once, whatever signaled first. */
	glue_complete(fence[3]);
	glue_complete(fence[2]);
	glue_complete(fence[4]);
	glue_complete(fence[1]);
	glue_complete(fence[0]);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "bcda", 0);
}

static void a_second_use_moves_on_along_the_channel(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *first, *second;
	struct glue_bo *a, *b;

	a = glue_bo(dev, 'a', &glue_vram);
	b = glue_bo(dev, 'b', &glue_vram);
	first = glue_use(a, 0);
	second = glue_use(b, 0);

	/* before: node 1: a, node 2: b */
	glue_attach(a, second);
	/* now: node 2: b a */
	glue_complete(first);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 2);

	glue_complete(second);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "ba", 0);
}

static void busy_until_it_left_its_last_channel(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence[2];
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	fence[0] = glue_use(a, 0);
	fence[1] = glue_use(a, 1);
	glue_complete(fence[1]);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);

	glue_complete(fence[0]);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
}

static void pinning_an_idle_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_bo(dev, 'b', &glue_vram);
	glue_lock(a);
	ttm_bo_pin(&a->tbo);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 0);
	glue_expect_pinned(dev, "a");

	/* Counted: only the last one unpins. */
	ttm_bo_pin(&a->tbo);
	ttm_bo_unpin(&a->tbo);
	glue_expect_pinned(dev, "a");

	ttm_bo_unpin(&a->tbo);
	glue_expect_lru(dev, TTM_PL_VRAM, "ba", 0);
	glue_expect_pinned(dev, "");
	glue_unlock(a);
}

static void pinning_a_busy_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 0);

	glue_lock(a);
	/* before: parked a */
	ttm_bo_pin(&a->tbo);
	/* now: pinned a */
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_pinned(dev, "a");
	KUNIT_EXPECT_TRUE(test, ttm_bo_is_busy(&a->tbo));

	ttm_bo_unpin(&a->tbo);
	/* now: parked a */
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);
	glue_expect_pinned(dev, "");
	glue_unlock(a);

	glue_complete(fence);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
}

/* It has a place when it has memory again. */
static void pinning_a_buffer_without_memory(struct kunit *test)
{
	const struct ttm_placement nowhere = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	KUNIT_EXPECT_EQ(test, glue_move(a, &nowhere), 0);
	glue_lock(a);
	ttm_bo_pin(&a->tbo);
	KUNIT_EXPECT_EQ(test, a->tbo.pin_count, 1);
	glue_expect_pinned(dev, "");
	ttm_bo_unpin(&a->tbo);
	glue_unlock(a);
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_vram), 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
}

static void fencing_and_retiring_a_pinned_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_pin(a);

	glue_complete(glue_use(a, 0));
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_pinned(dev, "a");

	glue_retire(dev);
	glue_expect_pinned(dev, "a");

	glue_unpin(a);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
	glue_expect_pinned(dev, "");
}

static void moving_an_idle_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_bo(dev, 'b', &glue_gtt);
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_lru(dev, TTM_PL_TT, "ba", 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static void moving_a_busy_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	/* The move waits for the fence; nobody has retired it yet. */
	glue_complete(glue_use(a, 0));
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_lru(dev, TTM_PL_TT, "", 1);

	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
}

static void complete_and_retire(struct glue_device *dev)
{
	struct glue_fence *fence =
		list_first_entry(&dev->fences, struct glue_fence, entry);

	dev->moving = NULL;
	glue_complete(fence);
	glue_retire(dev);
}

/* Reclaim makes it idle while it moves: its new resource is not in use yet. */
static void becoming_idle_while_moving(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_bo(dev, 'b', &glue_gtt);
	glue_use(a, 0);
	dev->moving = complete_and_retire;
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_gtt), 0);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&a->tbo));
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_lru(dev, TTM_PL_TT, "ba", 0);
}

static void moving_a_busy_buffer_in_two_hops(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	dev->multihop = true;
	glue_complete_on_wait(glue_use(a, 0));
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_system), 0);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_lru(dev, TTM_PL_TT, "", 0);
	glue_expect_lru(dev, TTM_PL_SYSTEM, "", 1);
	glue_expect_usage(dev, TTM_PL_TT, 0);

	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_SYSTEM, "a", 0);
}

static void copy_on_the_next_channel(struct glue_device *dev)
{
	dev->mover = dev->mover ? dev->mover + 1 : dev->channels;
}

/* Each has a copy of its own, on a channel of its own. */
static void there_is_room_for_the_fence_of_each_hop(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence;

	dev->multihop = true;
	dev->moving = copy_on_the_next_channel;
	KUNIT_EXPECT_EQ(test, glue_move(a, &glue_system), 0);
	KUNIT_EXPECT_EQ(test, dev->bdev.fence_lru->stats.unlinked, 0);
	glue_expect_zombies(dev, 2, 0);

	/* before: a is on both; after the first copy: on channel 1 */
	fence = list_first_entry(&dev->fences, struct glue_fence, entry);
	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);
	glue_expect_lru(dev, TTM_PL_SYSTEM, "", 1);
	glue_complete(list_next_entry(fence, entry));
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_lru(dev, TTM_PL_SYSTEM, "a", 0);
}

static void a_move_that_fails_changes_nothing(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_fence *fence;
	struct glue_bo *a;

	a = glue_bo(dev, 'a', &glue_vram);
	glue_bo(dev, 'b', &glue_vram);
	fence = glue_use(a, 0);
	KUNIT_EXPECT_EQ(test, glue_move_no_wait(a, &glue_gtt), -EBUSY);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 1);
	glue_expect_lru(dev, TTM_PL_TT, "", 0);
	glue_expect_usage(dev, TTM_PL_TT, 0);

	glue_complete(fence);
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "ba", 0);
}

static void each_priority_has_an_lru(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_bo(dev, 'b', &glue_vram);
	/* It takes effect when the resource moves next. */
	glue_lock(a);
	a->tbo.priority = 1;
	glue_unlock(a);
	glue_complete(glue_use(a, 0));
	glue_retire(dev);
	glue_bo(dev, 'c', &glue_vram);

	/* Those of low priority first, whatever their age. */
	glue_expect_lru(dev, TTM_PL_VRAM, "bca", 0);
}

static void unregistering_a_channel_hands_its_buffers_over(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_channel *channel = &dev->channels[0];
	struct glue_bo *a, *b;

	a = glue_bo(dev, 'a', &glue_vram);
	b = glue_bo(dev, 'b', &glue_vram);
	glue_complete(glue_use(b, 0));
	glue_complete(glue_use(a, 0));
	glue_expect_lru(dev, TTM_PL_VRAM, "", 2);

	ttm_fence_lru_channel_unregister(&channel->base);
	glue_expect_lru(dev, TTM_PL_VRAM, "ba", 0);
	glue_register(channel);
}

static struct kunit_case lru_cases[] = {
	KUNIT_CASE(new_buffers_enter_at_the_tail),
	KUNIT_CASE(a_resource_need_not_be_zeroed),
	KUNIT_CASE(unlocking_moves_nothing),
	KUNIT_CASE(validating_in_place_moves_nothing),
	KUNIT_CASE(fencing_parks_and_retiring_unparks),
	KUNIT_CASE(a_fence_seen_signaled_parks_nothing),
	KUNIT_CASE(a_foreign_fence_parks_nothing),
	KUNIT_CASE(buffers_return_in_the_order_of_their_last_use),
	KUNIT_CASE(a_second_use_moves_on_along_the_channel),
	KUNIT_CASE(busy_until_it_left_its_last_channel),
	KUNIT_CASE(pinning_an_idle_buffer),
	KUNIT_CASE(pinning_a_busy_buffer),
	KUNIT_CASE(pinning_a_buffer_without_memory),
	KUNIT_CASE(fencing_and_retiring_a_pinned_buffer),
	KUNIT_CASE(moving_an_idle_buffer),
	KUNIT_CASE(moving_a_busy_buffer),
	KUNIT_CASE(becoming_idle_while_moving),
	KUNIT_CASE(moving_a_busy_buffer_in_two_hops),
	KUNIT_CASE(there_is_room_for_the_fence_of_each_hop),
	KUNIT_CASE(a_move_that_fails_changes_nothing),
	KUNIT_CASE(each_priority_has_an_lru),
	KUNIT_CASE(unregistering_a_channel_hands_its_buffers_over),
	{}
};

static struct kunit_suite lru_suite = {
	.name = "ttm_fence_lru_glue_lru",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = lru_cases,
};

kunit_test_suite(lru_suite);
