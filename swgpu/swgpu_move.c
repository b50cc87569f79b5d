// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/highmem.h>

#include <drm/ttm/ttm_tt.h>

#include "swgpu_drv.h"

/**
 * DOC: moves
 *
 * Unless the copy engine does it, the CPU copies, page by page, after the jobs on
 * the buffer have ended. A buffer keeps its pages between SYSTEM and GTT, so there
 * nothing is copied; but a GPU could not reach it any more, so there too its jobs end
 * first.
 */

static void clear_page_at(struct page *page, u64 index, void *data)
{
	struct ttm_resource *res = data;

	if (swgpu_cost_touches(index, PFN_UP(res->size)))
		clear_highpage(page);
}

static void clear_vram(struct ttm_resource *res)
{
	swgpu_vram_visit_pages(res, clear_page_at, res);
	swgpu_cost_pay(SWGPU_COST_CLEAR_PAGE, PFN_UP(res->size));
}

static void copy_to_tt(struct page *page, u64 index, void *data)
{
	struct ttm_tt *tt = data;

	if (swgpu_cost_touches(index, tt->num_pages))
		copy_highpage(tt->pages[index], page);
}

static void copy_from_tt(struct page *page, u64 index, void *data)
{
	struct ttm_tt *tt = data;

	if (swgpu_cost_touches(index, tt->num_pages))
		copy_highpage(page, tt->pages[index]);
}

static void copy_vram(struct page *page, u64 index, void *data)
{
	struct ttm_resource *from = data;

	if (swgpu_cost_touches(index, PFN_UP(from->size)))
		copy_highpage(page, swgpu_vram_page(from, index));
}

static void pay_copy(struct ttm_buffer_object *tbo)
{
	swgpu_cost_pay(SWGPU_COST_COPY_PAGE, PFN_UP(tbo->base.size));
}

static int move_from_vram(struct ttm_buffer_object *tbo,
			  struct ttm_operation_ctx *ctx,
			  struct ttm_resource *new_mem)
{
	int ret;

	if (new_mem->mem_type == TTM_PL_VRAM) {
		swgpu_vram_visit_pages(new_mem, copy_vram, tbo->resource);
		pay_copy(tbo);
		return 0;
	}
	ret = ttm_bo_populate(tbo, ctx);
	if (ret)
		return ret;
	swgpu_vram_visit_pages(tbo->resource, copy_to_tt, tbo->ttm);
	pay_copy(tbo);
	return 0;
}

static int move_to_vram(struct ttm_buffer_object *tbo,
			struct ttm_operation_ctx *ctx,
			struct ttm_resource *new_mem)
{
	struct ttm_tt *tt = tbo->ttm;
	int ret;

	if (!tt || (!ttm_tt_is_populated(tt) &&
		    !(tt->page_flags & TTM_TT_FLAG_SWAPPED))) {
		clear_vram(new_mem);
		return 0;
	}
	ret = ttm_bo_populate(tbo, ctx);
	if (ret)
		return ret;
	swgpu_vram_visit_pages(new_mem, copy_from_tt, tt);
	pay_copy(tbo);
	return 0;
}

/* Jobs and copies end first, so that the CPU can do it. */
static int move_by_cpu(struct ttm_buffer_object *tbo,
		       struct ttm_operation_ctx *ctx,
		       struct ttm_resource *new_mem)
{
	unsigned int from = tbo->resource->mem_type;
	int ret;

	ret = ttm_bo_wait_ctx(tbo, ctx);
	if (ret)
		return ret;
	if (from == TTM_PL_VRAM)
		ret = move_from_vram(tbo, ctx, new_mem);
	else if (new_mem->mem_type == TTM_PL_VRAM)
		ret = move_to_vram(tbo, ctx, new_mem);
	if (!ret)
		ttm_bo_move_sync_cleanup(tbo, new_mem);
	return ret;
}

/* It reaches GTT and VRAM; suspend does without it. */
static bool engine_moves(struct swgpu_device *sdev, struct ttm_resource *old,
			 struct ttm_resource *new_mem)
{
	return sdev->copy[SWGPU_COPY_OUT] && !READ_ONCE(sdev->suspending) &&
	       (old->mem_type == TTM_PL_VRAM ||
		new_mem->mem_type == TTM_PL_VRAM);
}

static int move_by_engine(struct ttm_buffer_object *tbo, bool evict,
			  struct ttm_resource *new_mem, struct ttm_place *hop)
{
	if (tbo->resource->mem_type == TTM_PL_SYSTEM ||
	    new_mem->mem_type == TTM_PL_SYSTEM) {
		*hop = (struct ttm_place){
			.mem_type = TTM_PL_TT,
			.flags = TTM_PL_FLAG_TEMPORARY,
		};
		return -EMULTIHOP;
	}
	return swgpu_copy_move(tbo, evict, new_mem);
}

static int move_new(struct ttm_buffer_object *tbo, struct ttm_resource *new_mem)
{
	if (new_mem->mem_type == TTM_PL_VRAM) {
		if (to_swgpu(tbo->base.dev)->copy[SWGPU_COPY_IN])
			return swgpu_copy_clear(tbo, new_mem);
		clear_vram(new_mem);
	}
	ttm_bo_move_null(tbo, new_mem);
	return 0;
}

/**
 * swgpu_move - &ttm_device_funcs.move
 * @tbo: the buffer, reserved
 * @evict: it is moved to make room for another
 * @ctx: how to wait
 * @new_mem: where to
 * @hop: out: where to go first, with -EMULTIHOP
 *
 * Return: 0, or -EBUSY if jobs do not end in time, -EMULTIHOP, -ERESTARTSYS,
 * -ENOMEM, or -ENODEV if the device is gone.
 */
int swgpu_move(struct ttm_buffer_object *tbo, bool evict,
	       struct ttm_operation_ctx *ctx, struct ttm_resource *new_mem,
	       struct ttm_place *hop)
{
	struct swgpu_device *sdev = to_swgpu(tbo->base.dev);
	struct ttm_resource *old = tbo->resource;
	int ret;

	dma_resv_assert_held(tbo->base.resv);

	/* TTM's ghosts have no device. Only swapping out would move one. */
	if (!swgpu_bo_is_ours(tbo))
		return -EBUSY;
	if (!old)
		ret = move_new(tbo, new_mem);
	else if (engine_moves(sdev, old, new_mem))
		ret = move_by_engine(tbo, evict, new_mem, hop);
	else
		ret = move_by_cpu(tbo, ctx, new_mem);
	if (ret)
		return ret;

	WRITE_ONCE(to_swgpu_bo(tbo)->mem_type, tbo->resource->mem_type);
	if (evict)
		swgpu_measure_eviction(sdev, tbo->base.size);
	return 0;
}
