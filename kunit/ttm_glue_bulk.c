// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bulk ranges of the LRU, which hold only idle buffers.
 */
#include "ttm_glue_helpers.h"

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
		glue_retire(dev);
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
	glue_retire(dev);
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
	glue_retire(dev);
	glue_expect_lru(dev, TTM_PL_VRAM, "ab", 0);
	KUNIT_EXPECT_PTR_EQ(test, bulk->pos[TTM_PL_VRAM][0].first,
			    a->tbo.resource);
	KUNIT_EXPECT_PTR_EQ(test, bulk->pos[TTM_PL_VRAM][0].last,
			    a->tbo.resource);

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
	KUNIT_EXPECT_PTR_EQ(test, bulk->pos[TTM_PL_VRAM][0].first,
			    a->tbo.resource);

	set_bulk(a, NULL);
	ttm_lru_bulk_move_fini(&dev->bdev, bulk);
}

static struct kunit_case bulk_cases[] = {
	KUNIT_CASE(a_busy_buffer_leaves_its_bulk_range),
	KUNIT_CASE(joining_and_leaving_a_bulk_range_while_busy),
	KUNIT_CASE(unpinning_into_a_bulk_range),
	{}
};

static struct kunit_suite bulk_suite = {
	.name = "ttm_fence_lru_glue_bulk",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = bulk_cases,
};

kunit_test_suite(bulk_suite);
