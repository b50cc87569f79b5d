// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/highmem.h>

#include <drm/ttm/ttm_tt.h>

#include "swgpu_drv.h"

/**
 * DOC: moves
 *
 * The CPU copies, page by page, after the jobs on the buffer have ended. A
 * buffer keeps its pages between SYSTEM and GTT, so there nothing is copied;
 * but a GPU could not reach it any more, so there too its jobs end first.
 */

static void clear_page_at(struct page *page, u64 index, void *data)
{
	clear_highpage(page);
}

static void copy_to_tt(struct page *page, u64 index, void *data)
{
	struct ttm_tt *tt = data;

	copy_highpage(tt->pages[index], page);
}

static void copy_from_tt(struct page *page, u64 index, void *data)
{
	struct ttm_tt *tt = data;

	copy_highpage(page, tt->pages[index]);
}

static void copy_vram(struct page *page, u64 index, void *data)
{
	copy_highpage(page, swgpu_vram_page(data, index));
}

static int move_from_vram(struct ttm_buffer_object *tbo,
			  struct ttm_operation_ctx *ctx,
			  struct ttm_resource *new_mem)
{
	int ret;

	if (new_mem->mem_type == TTM_PL_VRAM) {
		swgpu_vram_visit_pages(new_mem, copy_vram, tbo->resource);
		return 0;
	}
	ret = ttm_tt_populate(tbo->bdev, tbo->ttm, ctx);
	if (ret)
		return ret;
	swgpu_vram_visit_pages(tbo->resource, copy_to_tt, tbo->ttm);
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
		swgpu_vram_visit_pages(new_mem, clear_page_at, NULL);
		return 0;
	}
	ret = ttm_tt_populate(tbo->bdev, tt, ctx);
	if (ret)
		return ret;
	swgpu_vram_visit_pages(new_mem, copy_from_tt, tt);
	return 0;
}

/**
 * swgpu_move - &ttm_device_funcs.move
 * @tbo: the buffer, reserved
 * @evict: it is moved to make room for another
 * @ctx: how to wait
 * @new_mem: where to
 * @hop: unused: every move is a direct one
 *
 * Return: 0, or -EBUSY if jobs do not end in time, -ERESTARTSYS, -ENOMEM.
 */
int swgpu_move(struct ttm_buffer_object *tbo, bool evict,
	       struct ttm_operation_ctx *ctx, struct ttm_resource *new_mem,
	       struct ttm_place *hop)
{
	struct ttm_resource *old = tbo->resource;
	int ret;

	dma_resv_assert_held(tbo->base.resv);

	if (!old) {
		if (new_mem->mem_type == TTM_PL_VRAM)
			swgpu_vram_visit_pages(new_mem, clear_page_at, NULL);
		ttm_bo_move_null(tbo, new_mem);
		return 0;
	}

	ret = ttm_bo_wait_ctx(tbo, ctx);
	if (ret)
		return ret;
	if (old->mem_type == TTM_PL_VRAM)
		ret = move_from_vram(tbo, ctx, new_mem);
	else if (new_mem->mem_type == TTM_PL_VRAM)
		ret = move_to_vram(tbo, ctx, new_mem);
	if (ret)
		return ret;

	ttm_bo_move_sync_cleanup(tbo, new_mem);
	if (evict)
		swgpu_measure_eviction(to_swgpu(tbo->base.dev), tbo->base.size);
	return 0;
}
