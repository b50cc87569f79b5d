// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Moves of buffers: what is mapped meanwhile, and who copies.
 */
#include <drm/ttm/ttm_tt.h>

#include "nouveau_mock.h"

#include "nouveau_gem.h"
#include "nouveau_ttm.h"

static int copy(struct nouveau_channel *chan, struct ttm_buffer_object *bo,
		struct ttm_resource *from, struct ttm_resource *to)
{
	return 0;
}

/* The device copies with a channel of the kernel's. */
static struct nv_channel *new_mover(struct nv_mock *mock)
{
	struct nv_channel *channel = nv_channel(mock, 5);

	channel->base.cli = &mock->drm->client;
	channel->instant = true;
	mock->drm->ttm.chan = &channel->base;
	mock->drm->ttm.move = copy;
	return channel;
}

static struct nouveau_vma *open_bo(struct nv_bo *bo, struct nouveau_cli *cli)
{
	struct nouveau_vma *vma;
	int ret;

	nv_lock(bo);
	ret = nouveau_vma_new(&bo->base, &cli->vmm, &vma);
	nv_unlock(bo);
	return ret ? NULL : vma;
}

static int move(struct nv_bo *bo, struct nouveau_mem *mem,
		struct ttm_place *hop)
{
	int ret;

	nv_lock(bo);
	ret = nv_bo_move(&bo->base, mem, false, hop);
	nv_unlock(bo);
	return ret;
}

/* For somebody who does not wait. */
static int move_now(struct nv_bo *bo, struct nouveau_mem *mem)
{
	struct ttm_place hop = {};
	int ret;

	nv_lock(bo);
	ret = nv_bo_move(&bo->base, mem, true, &hop);
	nv_unlock(bo);
	return ret;
}

static void done(struct nv_bo *bo, struct nouveau_cli *cli)
{
	nouveau_vmm_fini(&cli->vmm);
	dma_resv_fini(bo->base.bo.base.resv);
}

static void use(struct nv_bo *bo, struct nv_channel *channel,
		enum dma_resv_usage usage)
{
	struct dma_resv *resv = bo->base.bo.base.resv;
	struct nouveau_fence *fence = nv_emit(channel);

	nv_lock(bo);
	KUNIT_EXPECT_EQ(channel->mock->glue->test,
			dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &fence->base, usage);
	nv_unlock(bo);
	nouveau_fence_unref(&fence);
}

/* Its job goes on where it began. */
static void a_busy_buffer_is_not_mapped_elsewhere(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nouveau_mem elsewhere = { .base.mem_type = TTM_PL_TT };
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_vma *vma = open_bo(bo, mock->cli);
	unsigned int maps = mock->maps;

	KUNIT_ASSERT_NOT_NULL(test, vma);
	use(bo, channel, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, move_now(bo, &elsewhere), -EBUSY);
	KUNIT_EXPECT_EQ(test, mock->maps, maps);

	nv_channel_run(channel);
	KUNIT_EXPECT_EQ(test, move_now(bo, &elsewhere), 0);
	KUNIT_EXPECT_EQ(test, mock->maps, maps + 1);
	KUNIT_EXPECT_PTR_EQ(test, vma->mem, &elsewhere);
	done(bo, mock->cli);
	nv_channel_del(channel);
}

/* Its jobs are those of the VM that it is to belong to. */
static void a_new_buffer_waits_for_no_job(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nouveau_mem memory = { .base.mem_type = TTM_PL_VRAM };
	struct nv_bo *bo = nv_bo(mock);
	struct ttm_place hop = {};

	bo->base.bo.resource = NULL;
	use(bo, channel, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, move_now(bo, &memory), 0);
	KUNIT_EXPECT_PTR_EQ(test, bo->base.bo.resource, &memory.base);

	bo->base.bo.resource = NULL;
	KUNIT_EXPECT_EQ(test, move(bo, &memory, &hop), 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(bo->base.bo.base.resv,
							DMA_RESV_USAGE_WRITE));
	done(bo, mock->cli);
	nv_channel_del(channel);
}

/* Somebody may still be copying what was in its memory. */
static void a_new_buffer_waits_for_moves(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nouveau_mem memory = { .base.mem_type = TTM_PL_VRAM };
	struct nv_bo *bo = nv_bo(mock);

	bo->base.bo.resource = NULL;
	use(bo, channel, DMA_RESV_USAGE_KERNEL);
	KUNIT_EXPECT_EQ(test, move_now(bo, &memory), -EBUSY);
	KUNIT_EXPECT_NULL(test, bo->base.bo.resource);

	nv_channel_run(channel);
	KUNIT_EXPECT_EQ(test, move_now(bo, &memory), 0);
	KUNIT_EXPECT_PTR_EQ(test, bo->base.bo.resource, &memory.base);
	done(bo, mock->cli);
	nv_channel_del(channel);
}

/* Its memory is older than it is. */
static void an_imported_buffer_waits_for_jobs(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = nv_channel(mock, 0);
	struct nouveau_mem memory = { .base.mem_type = TTM_PL_TT };
	struct nv_bo *bo = nv_bo(mock);

	bo->base.bo.resource = NULL;
	bo->base.bo.type = ttm_bo_type_sg;
	use(bo, channel, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_EQ(test, move_now(bo, &memory), -EBUSY);
	KUNIT_EXPECT_NULL(test, bo->base.bo.resource);
	done(bo, mock->cli);
	nv_channel_del(channel);
}

/* The GPU has it where it is: the way out may turn out to be barred. */
static void a_stop_on_the_way_out_changes_nothing(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *mover = new_mover(mock);
	struct nouveau_mem system = { .base.mem_type = TTM_PL_SYSTEM };
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_vma *vma = open_bo(bo, mock->cli);
	struct ttm_place hop = {};

	KUNIT_ASSERT_NOT_NULL(test, vma);
	KUNIT_EXPECT_EQ(test, move(bo, &system, &hop), -EMULTIHOP);
	KUNIT_EXPECT_EQ(test, hop.mem_type, TTM_PL_TT);
	KUNIT_EXPECT_PTR_EQ(test, vma->mem, &bo->mem);
	done(bo, mock->cli);
	nv_channel_del(mover);
}

/* What it would be mapped to is freed, if it does not get there. */
static void a_stop_on_the_way_in_changes_nothing(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *mover = new_mover(mock);
	struct nouveau_mem vram = { .base.mem_type = TTM_PL_VRAM };
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_vma *vma;
	struct ttm_place hop = {};
	struct ttm_tt ttm = {};

	bo->mem.base.mem_type = TTM_PL_SYSTEM;
	bo->base.bo.ttm = &ttm;
	vma = open_bo(bo, mock->cli);
	KUNIT_ASSERT_NOT_NULL(test, vma);
	KUNIT_EXPECT_EQ(test, move(bo, &vram, &hop), -EMULTIHOP);
	KUNIT_EXPECT_EQ(test, hop.mem_type, TTM_PL_TT);
	KUNIT_EXPECT_NULL(test, vma->mem);
	done(bo, mock->cli);
	nv_channel_del(mover);
}

/* After the move has seen that there is one. */
static void take_the_channel_away(struct nv_mock *mock)
{
	struct nouveau_channel *chan = mock->drm->ttm.chan;

	mock->mapping = NULL;
	nouveau_bo_move_fini(mock->drm);
	nv_channel_del(container_of(chan, struct nv_channel, base));
}

static void a_move_that_comes_late_is_copied_by_the_cpu(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_mem elsewhere = { .base.mem_type = TTM_PL_TT };
	struct nv_bo *bo = nv_bo(mock);
	struct ttm_place hop = {};

	new_mover(mock);
	mock->mapping = take_the_channel_away;
	KUNIT_EXPECT_EQ(test, move(bo, &elsewhere, &hop), 0);
	KUNIT_EXPECT_EQ(test, mock->cpu_copies, 1);
	KUNIT_EXPECT_NULL(test, mock->drm->ttm.chan);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&mock->drm->client.mutex));
	done(bo, mock->cli);
}

/* Each time it takes 15 s. */
static void a_channel_that_hangs_is_waited_for_once(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *mover = new_mover(mock);

	mover->emit_error = -ETIMEDOUT;
	nouveau_bo_move_fini(mock->drm);
	nouveau_channel_finish(&mover->base);
	KUNIT_EXPECT_EQ(test, mover->emits, 1);
	nv_channel_del(mover);
}

static void a_buffer_is_evicted_to_the_gtt(struct kunit *test)
{
	struct nv_bo *bo = nv_bo(nv_mock(test));
	struct ttm_placement placement = {};

	nv_bo_evict_flags(&bo->base.bo, &placement);
	KUNIT_ASSERT_GT(test, placement.num_placement, 0);
	KUNIT_EXPECT_EQ(test, placement.placement->mem_type, TTM_PL_TT);
	dma_resv_fini(bo->base.bo.base.resv);
}

static void ghost_destroy(struct ttm_buffer_object *bo)
{
}

/* A ghost is no larger than this: KASAN sees what is taken for more. */
static void what_a_move_has_left_is_no_buffer(struct kunit *test)
{
	struct ttm_resource memory = { .mem_type = TTM_PL_VRAM };
	struct ttm_placement placement = { .num_placement = 1 };
	struct ttm_buffer_object *ghost;

	ghost = kunit_kzalloc(test, sizeof(*ghost), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ghost);
	ghost->bdev = &nv_mock(test)->drm->ttm.bdev;
	ghost->destroy = ghost_destroy;
	ghost->resource = &memory;
	nv_bo_evict_flags(ghost, &placement);
	KUNIT_EXPECT_EQ(test, placement.num_placement, 0);
}

/* TTM gives it pages before it frees it. What is behind it is not asked of what kind. */
static void what_a_move_has_left_has_cached_pages(struct kunit *test)
{
	struct nouveau_bo *nvbo =
		kunit_kzalloc(test, sizeof(*nvbo), GFP_KERNEL);
	struct ttm_tt *tt;

	KUNIT_ASSERT_NOT_NULL(test, nvbo);
	nvbo->force_coherent = true;
	nvbo->bo.bdev = &nv_mock(test)->drm->ttm.bdev;
	nvbo->bo.base.size = PAGE_SIZE;
	nvbo->bo.destroy = ghost_destroy;
	tt = nouveau_sgdma_create_ttm(&nvbo->bo, 0);
	KUNIT_ASSERT_NOT_NULL(test, tt);
	KUNIT_EXPECT_EQ(test, tt->caching, ttm_cached);
	nouveau_sgdma_destroy(nvbo->bo.bdev, tt);

	nvbo->bo.destroy = nv_bo_destroy_function();
	tt = nouveau_sgdma_create_ttm(&nvbo->bo, 0);
	KUNIT_ASSERT_NOT_NULL(test, tt);
	KUNIT_EXPECT_NE(test, tt->caching, ttm_cached);
	nouveau_sgdma_destroy(nvbo->bo.bdev, tt);
}

/* Its page tables are gone, and VRAM is full of what is dead. */
static int needs_vram(struct nv_mock *mock)
{
	struct ttm_resource_manager *man = glue_vram_manager(mock->glue);

	return ttm_resource_manager_usage(man) ? -ENOSPC : 0;
}

static int needs_more(struct nv_mock *mock)
{
	return -ENOSPC;
}

/* The channel is past the buffer that it leaves behind. */
static struct nv_channel *new_dead_buffer(struct nv_mock *mock)
{
	struct nv_channel *channel = nv_channel(mock, 3);
	struct glue_bo *a = glue_bo(mock->glue, 'a', &glue_vram);
	struct nouveau_fence *fence;

	KUNIT_ASSERT_EQ(mock->glue->test, nv_channel_register(channel), 0);
	fence = nv_push(channel, a);
	nouveau_fence_unref(&fence);
	glue_put(a);
	nv_channel_run(channel);
	return channel;
}

static void a_dead_buffer_makes_room_to_map_what_was_moved(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nv_channel *channel = new_dead_buffer(mock);
	struct nouveau_mem elsewhere = { .base.mem_type = TTM_PL_VRAM };
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_vma *vma = open_bo(bo, mock->cli);
	struct ttm_place hop = {};

	KUNIT_ASSERT_NOT_NULL(test, vma);
	mock->map_error = needs_vram;
	KUNIT_EXPECT_EQ(test, move(bo, &elsewhere, &hop), 0);
	KUNIT_EXPECT_PTR_EQ(test, vma->mem, &elsewhere);
	glue_expect_usage(mock->glue, TTM_PL_VRAM, 0);
	done(bo, mock->cli);
	nv_channel_del(channel);
}

/* The GPU would use what has its memory next. */
static void what_cannot_be_mapped_is_not_mapped_where_it_was(struct kunit *test)
{
	struct nv_mock *mock = nv_mock(test);
	struct nouveau_mem elsewhere = { .base.mem_type = TTM_PL_VRAM };
	struct nv_bo *bo = nv_bo(mock);
	struct nouveau_vma *vma = open_bo(bo, mock->cli);
	struct ttm_place hop = {};

	KUNIT_ASSERT_NOT_NULL(test, vma);
	mock->map_error = needs_more;
	KUNIT_EXPECT_EQ(test, move(bo, &elsewhere, &hop), 0);
	KUNIT_EXPECT_NULL(test, vma->mem);
	done(bo, mock->cli);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_busy_buffer_is_not_mapped_elsewhere),
	KUNIT_CASE(a_new_buffer_waits_for_no_job),
	KUNIT_CASE(a_new_buffer_waits_for_moves),
	KUNIT_CASE(an_imported_buffer_waits_for_jobs),
	KUNIT_CASE(a_stop_on_the_way_out_changes_nothing),
	KUNIT_CASE(a_stop_on_the_way_in_changes_nothing),
	KUNIT_CASE(a_move_that_comes_late_is_copied_by_the_cpu),
	KUNIT_CASE(a_channel_that_hangs_is_waited_for_once),
	KUNIT_CASE(a_dead_buffer_makes_room_to_map_what_was_moved),
	KUNIT_CASE(what_cannot_be_mapped_is_not_mapped_where_it_was),
	KUNIT_CASE(a_buffer_is_evicted_to_the_gtt),
	KUNIT_CASE(what_a_move_has_left_is_no_buffer),
	KUNIT_CASE(what_a_move_has_left_has_cached_pages),
	{}
};

static struct kunit_suite suite = {
	.name = "ttm_fence_lru_nouveau_moves",
	.init = glue_init,
	.exit = glue_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
