// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/math64.h>
#include <linux/slab.h>

#include <drm/drm_managed.h>
#include <drm/ttm/ttm_tt.h>

#include "swgpu_channel.h"

/**
 * DOC: copy engine
 *
 * With copy=async a move is a job on one of two channels of the device's own: one
 * copies out of VRAM, one into it, and clears. Moves wait for nothing; their jobs
 * wait for all fences of the buffer, as with semaphores, and later jobs for them.
 *
 * A buffer that is evicted from VRAM leaves its memory at once to the next owner,
 * whose fences then include that of the copy: TTM puts it there, from &man->move.
 * Only the copy job may mark such memory as released, when it has read it. That the
 * two channels run side by side is what makes a missing fence show as a tag error.
 *
 * The engine reaches GTT and VRAM: between SYSTEM and VRAM a move hops over GTT.
 */

/**
 * struct swgpu_copy_page - a page to copy
 */
struct swgpu_copy_page {
	/** @to: where to */
	struct page *to;
	/** @from: NULL: clear */
	struct page *from;
};

/**
 * struct swgpu_copy - what a copy job does besides
 */
struct swgpu_copy {
	/** @vacate: the source belongs to another already: mark it as released */
	bool vacate;
	/** @nr_pages: elements of @pages */
	u64 nr_pages;
	/** @pages: in the order of the buffer */
	struct swgpu_copy_page pages[] __counted_by(nr_pages);
};

static void note_to(struct page *page, u64 index, void *data)
{
	struct swgpu_copy *copy = data;

	copy->pages[index].to = page;
}

static void note_from(struct page *page, u64 index, void *data)
{
	struct swgpu_copy *copy = data;

	copy->pages[index].from = page;
}

static void note_pages(struct swgpu_copy *copy, struct ttm_buffer_object *tbo,
		       struct ttm_resource *res, swgpu_visit_page note)
{
	u64 i;

	if (res->mem_type == TTM_PL_VRAM) {
		swgpu_vram_visit_pages(res, note, copy);
		return;
	}
	for (i = 0; i < copy->nr_pages; i++)
		note(tbo->ttm->pages[i], i, copy);
}

/* A job that copies, or clears if the buffer is new. It has one buffer. */
static struct swgpu_job *create_job(struct ttm_buffer_object *tbo,
				    struct ttm_resource *new_mem)
{
	u64 nr_pages = PFN_UP(tbo->base.size);
	struct swgpu_job *job = swgpu_job_create(1);
	struct swgpu_job_bo *bo;

	if (!job)
		return NULL;
	job->copy = kvzalloc(struct_size(job->copy, pages, nr_pages),
			     GFP_KERNEL_ACCOUNT);
	if (!job->copy) {
		swgpu_job_free(job);
		return NULL;
	}
	job->copy->nr_pages = nr_pages;

	bo = &job->bos[0];
	bo->tag = swgpu_tag_cell_get(to_swgpu_bo(tbo)->tag);
	bo->write = !tbo->resource;
	note_pages(job->copy, tbo, new_mem, note_to);
	if (!tbo->resource) {
		swgpu_vram_place(new_mem, &bo->place);
		return job;
	}
	note_pages(job->copy, tbo, tbo->resource, note_from);
	WARN_ON_ONCE(!swgpu_tag_place_of(tbo, &bo->place));
	return job;
}

/* A move waits for all jobs that use the buffer. */
static int add_deps(struct swgpu_job *job, struct swgpu_channel *channel,
		    struct dma_resv *resv)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	if (channel->sdev->broken == SWGPU_BROKEN_COPIES)
		return 0;
	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, fence) {
		ret = swgpu_job_add_dep(job, channel, fence);
		if (ret)
			return ret;
	}
	return 0;
}

/* Nothing in here fails or allocates: the fence is on its way to be seen. */
static void emit_locked(struct swgpu_channel *channel, struct swgpu_job *job,
			struct ttm_buffer_object *tbo)
{
	bool cookie;

	swgpu_job_number(job, channel);
	cookie = dma_fence_begin_signalling();
	ttm_bo_add_fence(tbo, &job->fence->base, DMA_RESV_USAGE_KERNEL);
	swgpu_engine_push(channel, job);
	dma_fence_end_signalling(cookie);
}

/* Returns the fence of the job, with a reference. */
static struct dma_fence *emit(struct swgpu_channel *channel,
			      struct swgpu_job *job,
			      struct ttm_buffer_object *tbo)
{
	struct dma_fence *fence;
	int ret = 0;

	mutex_lock(&channel->emit);
	if (channel->killed)
		ret = -ENODEV;
	else if (swgpu_fence_lru(&channel->sdev->ttm))
		ret = ttm_fence_lru_channel_reserve(&channel->lru_channel);
	if (!ret) {
		fence = &job->fence->base;
		emit_locked(channel, job, tbo);
		/* The buffer holds it. */
		dma_fence_get(fence);
	}
	mutex_unlock(&channel->emit);
	return ret ? ERR_PTR(ret) : fence;
}

static struct dma_fence *start(struct swgpu_channel *channel,
			       struct ttm_buffer_object *tbo,
			       struct ttm_resource *new_mem, bool vacate)
{
	struct swgpu_job *job = create_job(tbo, new_mem);
	struct dma_fence *fence;
	int ret;

	if (!job)
		return ERR_PTR(-ENOMEM);
	job->copy->vacate = vacate;
	job->duration_ns = job->copy->nr_pages * channel->sdev->copy_page_ns;
	ret = add_deps(job, channel, tbo->base.resv);
	fence = ret ? ERR_PTR(ret) : emit(channel, job, tbo);
	if (IS_ERR(fence))
		swgpu_job_free(job);
	return fence;
}

/**
 * swgpu_copy_clear - clear a new buffer in VRAM, and give it its first tag
 * @tbo: the buffer, reserved, without memory; with room for a fence
 * @new_mem: where it will be
 *
 * Return: 0, or -ENOMEM, or -ENODEV if the device is gone.
 */
int swgpu_copy_clear(struct ttm_buffer_object *tbo,
		     struct ttm_resource *new_mem)
{
	struct swgpu_device *sdev = to_swgpu(tbo->base.dev);
	struct dma_fence *fence =
		start(sdev->copy[SWGPU_COPY_IN], tbo, new_mem, false);

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	dma_fence_put(fence);
	ttm_bo_move_null(tbo, new_mem);
	return 0;
}

/**
 * swgpu_copy_move - move a buffer between GTT and VRAM
 * @tbo: the buffer, reserved, with room for a fence
 * @evict: it is moved to make room for another
 * @new_mem: where to
 *
 * Return: 0, or -ENOMEM, or -ENODEV if the device is gone; the buffer is where it
 * was then.
 */
int swgpu_copy_move(struct ttm_buffer_object *tbo, bool evict,
		    struct ttm_resource *new_mem)
{
	struct swgpu_device *sdev = to_swgpu(tbo->base.dev);
	bool out = tbo->resource->mem_type == TTM_PL_VRAM;
	struct swgpu_channel *channel =
		sdev->copy[out ? SWGPU_COPY_OUT : SWGPU_COPY_IN];
	bool vacate = out && evict;
	struct dma_fence *fence;
	int ret;

	fence = start(channel, tbo, new_mem, vacate);
	if (IS_ERR(fence))
		return PTR_ERR(fence);
	if (vacate)
		swgpu_vram_vacate(tbo->resource);
	ret = ttm_bo_move_accel_cleanup(tbo, fence, evict, true, new_mem);
	/* The caller is going to free what the job writes to. */
	if (ret)
		swgpu_engine_drop(fence);
	dma_fence_put(fence);
	return ret;
}

/**
 * swgpu_copy_run - do the copy of a job
 * @job: by the engine, when all that it depends on has ended
 *
 * Return: true unless the memory to copy is not the buffer's.
 */
bool swgpu_copy_run(struct swgpu_job *job)
{
	struct swgpu_job_bo *bo = &job->bos[0];
	struct swgpu_copy *copy = job->copy;
	bool good = bo->write || swgpu_tag_check(&bo->place, bo->tag->bo,
						 READ_ONCE(bo->tag->job));
	u64 i;

	for (i = 0; i < copy->nr_pages; i++) {
		struct swgpu_copy_page *page = &copy->pages[i];

		if (!swgpu_cost_touches(i, copy->nr_pages))
			continue;
		if (page->from)
			copy_highpage(page->to, page->from);
		else
			clear_highpage(page->to);
	}
	if (bo->write) {
		swgpu_tag_write(&bo->place, bo->tag->bo, job->id);
		WRITE_ONCE(bo->tag->job, job->id);
	}
	if (copy->vacate)
		swgpu_tag_poison(&bo->place);
	return good;
}

static void copy_fini(struct drm_device *drm, void *unused)
{
	struct swgpu_device *sdev = to_swgpu(drm);
	int i;

	for (i = 0; i < SWGPU_COPY_CHANNELS && sdev->copy[i]; i++)
		swgpu_channel_destroy(sdev->copy[i]);
}

/**
 * swgpu_copy_init - bring up the copy engine
 * @sdev: the device, with TTM up
 *
 * Return: 0, or -ENOMEM.
 */
int swgpu_copy_init(struct swgpu_device *sdev)
{
	struct swgpu_channel *channel;
	int i, ret;

	ret = drmm_add_action_or_reset(&sdev->drm, copy_fini, NULL);
	for (i = 0; !ret && i < SWGPU_COPY_CHANNELS; i++) {
		channel = swgpu_channel_create(sdev, NULL);
		if (IS_ERR(channel))
			return PTR_ERR(channel);
		sdev->copy[i] = channel;
	}
	return ret;
}
