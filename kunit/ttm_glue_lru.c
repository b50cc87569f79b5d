// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where the resources of buffers stand: on the LRU, parked or pinned.
 */
#include "ttm_glue_helpers.h"

static void retire(struct glue_device *dev)
{
	u64 released;

	KUNIT_EXPECT_TRUE(dev->test, ttm_fence_lru_reclaim(dev->bdev.fence_lru, 1, &released));
	KUNIT_EXPECT_EQ(dev->test, released, 0);
	glue_expect_sound(dev);
}

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

	retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 1);

	/* That the fence signals changes nothing until somebody looks. */
	glue_complete(fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "b", 1);

	retire(dev);
	/* now: LRU b a, parked - */
	glue_expect_lru(dev, TTM_PL_VRAM, "ba", 0);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&a->tbo));
	KUNIT_EXPECT_EQ(test, dev->channels[0].enables, 0);
}

static void a_signaled_fence_parks_nothing(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_emit(dev, 0, true);

	glue_bo(dev, 'b', &glue_vram);
	glue_complete(fence);
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
	retire(dev);
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
	retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 2);

	glue_complete(second);
	retire(dev);
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
	retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 1);

	glue_complete(fence[0]);
	retire(dev);
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
	retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
}

static void fencing_and_retiring_a_pinned_buffer(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);

	glue_lock(a);
	ttm_bo_pin(&a->tbo);
	glue_unlock(a);

	glue_complete(glue_use(a, 0));
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	glue_expect_pinned(dev, "a");

	retire(dev);
	glue_expect_pinned(dev, "a");

	glue_lock(a);
	ttm_bo_unpin(&a->tbo);
	glue_unlock(a);
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

	retire(dev);
	glue_expect_lru(dev, TTM_PL_TT, "a", 0);
}

static void set_bulk(struct glue_bo *bo, struct ttm_lru_bulk_move *bulk)
{
	glue_lock(bo);
	ttm_bo_set_bulk_move(&bo->tbo, bulk);
	glue_unlock(bo);
}

static void bulk_tail(struct glue_device *dev, struct ttm_lru_bulk_move *bulk)
{
	dma_resv_lock(&dev->vm_resv, NULL);
	spin_lock(&dev->bdev.lru_lock);
	ttm_lru_bulk_move_tail(bulk);
	spin_unlock(&dev->bdev.lru_lock);
	dma_resv_unlock(&dev->vm_resv);
}

static void a_busy_buffer_leaves_its_bulk_range(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_lru_bulk_move *bulk;
	struct ttm_lru_bulk_move_pos *pos;
	struct glue_fence *fence;
	struct glue_bo *bo[3];
	int i;

	bulk = kunit_kzalloc(test, sizeof(*bulk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bulk);
	ttm_lru_bulk_move_init(bulk);
	pos = &bulk->pos[TTM_PL_VRAM][0];
	for (i = 0; i < 3; i++) {
		bo[i] = glue_bo_shared(dev, 'a' + i);
		set_bulk(bo[i], bulk);
	}
	glue_bo(dev, 'x', &glue_vram);

	/* before: LRU [a b c] x; whichever leaves, the range stays whole */
	for (i = 0; i < 3; i++) {
		fence = glue_use(bo[i], 0);
		KUNIT_EXPECT_PTR_NE(test, pos->first, bo[i]->tbo.resource);
		KUNIT_EXPECT_PTR_NE(test, pos->last, bo[i]->tbo.resource);
		glue_complete(fence);
		retire(dev);
		KUNIT_EXPECT_PTR_EQ(test, pos->last, bo[i]->tbo.resource);
	}
	/* now: each in turn at the end of the range */
	glue_expect_lru(dev, TTM_PL_VRAM, "abcx", 0);
	bulk_tail(dev, bulk);
	glue_expect_lru(dev, TTM_PL_VRAM, "xabc", 0);

	/* All of them leave and come back: an empty range begins anew. */
	fence = glue_emit(dev, 0, true);
	for (i = 2; i >= 0; i--)
		glue_attach(bo[i], fence);
	glue_expect_lru(dev, TTM_PL_VRAM, "x", 3);
	KUNIT_EXPECT_NULL(test, pos->first);
	KUNIT_EXPECT_NULL(test, pos->last);
	bulk_tail(dev, bulk);
	glue_complete(fence);
	retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "xcba", 0);
	KUNIT_EXPECT_PTR_EQ(test, pos->first, bo[2]->tbo.resource);
	KUNIT_EXPECT_PTR_EQ(test, pos->last, bo[0]->tbo.resource);

	for (i = 0; i < 3; i++)
		set_bulk(bo[i], NULL);
	ttm_lru_bulk_move_fini(&dev->bdev, bulk);
}

static void joining_and_leaving_a_bulk_range_while_busy(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_lru_bulk_move *bulk;
	struct glue_fence *fence;
	struct glue_bo *a, *b;

	bulk = kunit_kzalloc(test, sizeof(*bulk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bulk);
	ttm_lru_bulk_move_init(bulk);
	a = glue_bo_shared(dev, 'a');
	b = glue_bo_shared(dev, 'b');
	fence = glue_use(a, 0);
	glue_attach(b, fence);

	set_bulk(a, bulk);
	set_bulk(b, bulk);
	glue_expect_lru(dev, TTM_PL_VRAM, "", 2);
	KUNIT_EXPECT_NULL(test, bulk->pos[TTM_PL_VRAM][0].first);
	set_bulk(b, NULL);

	glue_complete(fence);
	retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);
	KUNIT_EXPECT_PTR_EQ(test, bulk->pos[TTM_PL_VRAM][0].first, a->tbo.resource);
	KUNIT_EXPECT_PTR_EQ(test, bulk->pos[TTM_PL_VRAM][0].last, a->tbo.resource);

	set_bulk(a, NULL);
	ttm_lru_bulk_move_fini(&dev->bdev, bulk);
}

static void unpinning_into_a_bulk_range(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct ttm_lru_bulk_move *bulk;
	struct glue_bo *a;

	bulk = kunit_kzalloc(test, sizeof(*bulk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bulk);
	ttm_lru_bulk_move_init(bulk);
	a = glue_bo_shared(dev, 'a');
	set_bulk(a, bulk);

	/* before: LRU [a] */
	glue_lock(a);
	ttm_bo_pin(&a->tbo);
	/* now: LRU -, pinned a */
	glue_expect_lru(dev, TTM_PL_VRAM, "", 0);
	KUNIT_EXPECT_NULL(test, bulk->pos[TTM_PL_VRAM][0].first);
	ttm_bo_unpin(&a->tbo);
	glue_unlock(a);

	/* now: LRU [a], pinned -; nobody moves it there later */
	glue_expect_lru(dev, TTM_PL_VRAM, "a", 0);
	glue_expect_pinned(dev, "");
	KUNIT_EXPECT_PTR_EQ(test, bulk->pos[TTM_PL_VRAM][0].first, a->tbo.resource);

	set_bulk(a, NULL);
	ttm_lru_bulk_move_fini(&dev->bdev, bulk);
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
	KUNIT_ASSERT_EQ(test, 0, ttm_fence_lru_channel_register(dev->bdev.fence_lru,
								&channel->base,
								channel->context));
}

static struct kunit_case lru_cases[] = {
	KUNIT_CASE(new_buffers_enter_at_the_tail),
	KUNIT_CASE(unlocking_moves_nothing),
	KUNIT_CASE(validating_in_place_moves_nothing),
	KUNIT_CASE(fencing_parks_and_retiring_unparks),
	KUNIT_CASE(a_signaled_fence_parks_nothing),
	KUNIT_CASE(a_foreign_fence_parks_nothing),
	KUNIT_CASE(buffers_return_in_the_order_of_their_last_use),
	KUNIT_CASE(a_second_use_moves_on_along_the_channel),
	KUNIT_CASE(busy_until_it_left_its_last_channel),
	KUNIT_CASE(pinning_an_idle_buffer),
	KUNIT_CASE(pinning_a_busy_buffer),
	KUNIT_CASE(fencing_and_retiring_a_pinned_buffer),
	KUNIT_CASE(moving_an_idle_buffer),
	KUNIT_CASE(moving_a_busy_buffer),
	KUNIT_CASE(a_busy_buffer_leaves_its_bulk_range),
	KUNIT_CASE(joining_and_leaving_a_bulk_range_while_busy),
	KUNIT_CASE(unpinning_into_a_bulk_range),
	KUNIT_CASE(unregistering_a_channel_hands_its_buffers_over),
	{ }
};

static struct kunit_suite lru_suite = {
	.name = "ttm_fence_lru_glue_lru",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = lru_cases,
};
kunit_test_suite(lru_suite);
