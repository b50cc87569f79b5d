// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What remains of a buffer: its ghost, its fences, its bytes.
 */
#include "ttm_glue_helpers.h"

/* The memory is the ghost's, and may be gone before the buffer is idle. */
static void a_gutted_buffer_forgets_its_memory(struct kunit *test)
{
	const struct ttm_placement nowhere = {};
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *first = glue_use(a, 0), *second;

	KUNIT_ASSERT_EQ(test, glue_move(a, &nowhere), 0);
	second = glue_use(a, 0);
	glue_complete(first);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
	KUNIT_EXPECT_TRUE(test, ttm_bo_is_busy(&a->tbo));

	glue_complete(second);
	glue_retire(dev);
	KUNIT_EXPECT_FALSE(test, ttm_bo_is_busy(&a->tbo));
}

/* Nobody is going to wait for it, nor can it be looked at. */
static void a_foreign_fence_is_told_to_signal(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_emit(dev, GLUE_FOREIGN, false);

	glue_attach(a, fence);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 0);
	glue_put(a);
	KUNIT_EXPECT_EQ(test, dev->channels[GLUE_FOREIGN].enables, 1);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	glue_expect_usage(dev, TTM_PL_VRAM, 0);
}

static void expect_bytes(struct glue_device *dev, u64 bytes)
{
	u64 signaled;

	KUNIT_EXPECT_EQ(dev->test, bytes,
			ttm_device_zombies(&dev->bdev, TTM_PL_SYSTEM,
					   &signaled));
}

/* It dies where it was made, under the fences of its neighbours. */
static void what_never_had_memory_keeps_none(struct kunit *test)
{
	const struct ttm_place place = {
		.fpfn = GLUE_VRAM_PAGES,
		.lpfn = GLUE_VRAM_PAGES + 1,
		.mem_type = TTM_PL_VRAM,
	};
	const struct ttm_placement placement = { 1, &place };
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct glue_device *dev = test->priv;
	struct glue_fence *fence = glue_use(glue_bo_shared(dev, 'a'), 0);
	int err;

	dma_resv_lock(&dev->vm_resv, NULL);
	glue_bo_try(dev, 'x', &placement, &ctx, &dev->vm_resv, &err);
	dma_resv_unlock(&dev->vm_resv);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	glue_expect_zombies(dev, 1, 1);
	expect_bytes(dev, 0);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, dev->nr_bos, 1);
}

static unsigned int nr_told, nr_unmapped;

static void be_told(struct ttm_buffer_object *tbo)
{
	nr_told++;
}

static void unmap(struct ttm_device *bdev, struct ttm_resource *res)
{
	nr_unmapped++;
}

/* As soon as nobody refers to it, and once. */
static void the_driver_is_told_of_the_last_put(struct kunit *test)
{
	struct glue_device *dev = test->priv;
	struct glue_bo *a = glue_bo(dev, 'a', &glue_vram);
	struct glue_fence *fence = glue_use(a, 0);

	dev->funcs.release_notify = be_told;
	dev->funcs.io_mem_free = unmap;
	nr_told = 0;
	nr_unmapped = 0;
	a->tbo.resource->bus.offset = PAGE_SIZE;

	glue_put(a);
	KUNIT_EXPECT_EQ(test, nr_told, 1);
	KUNIT_EXPECT_EQ(test, nr_unmapped, 1);

	glue_complete(fence);
	KUNIT_EXPECT_EQ(test, ttm_device_drain(&dev->bdev), 0);
	KUNIT_EXPECT_EQ(test, nr_told, 1);
	KUNIT_EXPECT_EQ(test, nr_unmapped, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_gutted_buffer_forgets_its_memory),
	KUNIT_CASE(a_foreign_fence_is_told_to_signal),
	KUNIT_CASE(what_never_had_memory_keeps_none),
	KUNIT_CASE(the_driver_is_told_of_the_last_put),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_glue_remains",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
