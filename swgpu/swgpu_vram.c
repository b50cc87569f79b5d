// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/poison.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "swgpu_drv.h"

/**
 * DOC: video memory
 *
 * An array of pages, handed out by a buddy allocator. The pages need not be
 * contiguous for the CPU and are mapped one at a time.
 */

/**
 * struct swgpu_vram_resource - a buffer's place in video memory
 */
struct swgpu_vram_resource {
	/** @base: TTM's part */
	struct ttm_resource base;
	/** @blocks: of the buddy allocator, in the order of the buffer's pages */
	struct list_head blocks;
	/** @vacated: the copy engine still reads it, and marks it as released */
	bool vacated;
};

static struct swgpu_vram *to_vram(struct ttm_resource_manager *man)
{
	return container_of(man, struct swgpu_vram, manager);
}

static struct swgpu_vram_resource *to_vram_resource(struct ttm_resource *res)
{
	return container_of(res, struct swgpu_vram_resource, base);
}

static struct swgpu_vram *vram_of(struct ttm_resource *res)
{
	return to_vram(ttm_manager_type(res->bo->bdev, TTM_PL_VRAM));
}

static u64 block_first(struct gpu_buddy_block *block)
{
	return gpu_buddy_block_offset(block) >> PAGE_SHIFT;
}

static u64 block_pages(struct gpu_buddy_block *block)
{
	return 1ULL << gpu_buddy_block_order(block);
}

static void place_of(struct swgpu_vram *vram, struct list_head *blocks,
		     struct swgpu_tag_place *place)
{
	struct gpu_buddy_block *first, *last;

	first = list_first_entry(blocks, struct gpu_buddy_block, link);
	last = list_last_entry(blocks, struct gpu_buddy_block, link);
	place->first = vram->pages[block_first(first)];
	place->last = vram->pages[block_first(last) + block_pages(last) - 1];
}

/* First and last page of a buffer in VRAM */
void swgpu_vram_place(struct ttm_resource *res, struct swgpu_tag_place *place)
{
	place_of(vram_of(res), &to_vram_resource(res)->blocks, place);
}

/* Leave it to a job of the copy engine to mark the memory as released. */
void swgpu_vram_vacate(struct ttm_resource *res)
{
	to_vram_resource(res)->vacated = true;
}

/* One page of a buffer in VRAM, or NULL beyond its end */
struct page *swgpu_vram_page(struct ttm_resource *res, u64 index)
{
	struct swgpu_vram *vram = vram_of(res);
	struct gpu_buddy_block *block;

	list_for_each_entry(block, &to_vram_resource(res)->blocks, link) {
		if (index < block_pages(block))
			return vram->pages[block_first(block) + index];
		index -= block_pages(block);
	}
	return NULL;
}

/**
 * swgpu_vram_visit_pages - visit the pages of a buffer in VRAM
 * @res: its resource
 * @visit: called with each page and its index, in order; may sleep
 * @data: for @visit
 */
void swgpu_vram_visit_pages(struct ttm_resource *res, swgpu_visit_page visit,
			    void *data)
{
	struct swgpu_vram *vram = vram_of(res);
	struct gpu_buddy_block *block;
	u64 i, index = 0;

	list_for_each_entry(block, &to_vram_resource(res)->blocks, link) {
		for (i = 0; i < block_pages(block); i++)
			visit(vram->pages[block_first(block) + i], index++,
			      data);
		cond_resched();
	}
}

static int vram_alloc(struct ttm_resource_manager *man,
		      struct ttm_buffer_object *bo,
		      const struct ttm_place *place, struct ttm_resource **out)
{
	struct gpu_buddy_block *block;
	struct swgpu_vram *vram = to_vram(man);
	struct swgpu_vram_resource *res;
	u64 end = place->lpfn ? (u64)place->lpfn << PAGE_SHIFT : vram->mm.size;
	unsigned long flags = 0;
	int ret;

	res = kzalloc_obj(*res, GFP_KERNEL_ACCOUNT);
	if (!res)
		return -ENOMEM;
	INIT_LIST_HEAD(&res->blocks);
	ttm_resource_init(bo, place, &res->base);

	if (place->flags & TTM_PL_FLAG_TOPDOWN)
		flags |= GPU_BUDDY_TOPDOWN_ALLOCATION;
	if (place->fpfn || end != vram->mm.size)
		flags |= GPU_BUDDY_RANGE_ALLOCATION;

	mutex_lock(&vram->lock);
	ret = gpu_buddy_alloc_blocks(&vram->mm, (u64)place->fpfn << PAGE_SHIFT,
				     end, PAGE_ALIGN(res->base.size), PAGE_SIZE,
				     &res->blocks, flags);
	mutex_unlock(&vram->lock);
	if (ret) {
		ttm_resource_fini(man, &res->base);
		kfree(res);
		return ret;
	}

	block = list_first_entry(&res->blocks, struct gpu_buddy_block, link);
	res->base.start = block_first(block);
	*out = &res->base;
	return 0;
}

/*
 * Whether there is something to mark as released: a buffer that failed to move here
 * has not touched the memory, and the copy of the one that was evicted from here may
 * still be under way.
 */
static bool vram_was_used(struct swgpu_vram_resource *res)
{
	return !res->vacated && res->base.bo->resource == &res->base;
}

/*
 * Off the LRU last: teardown takes an empty LRU as proof that nobody uses the
 * manager any more.
 */
static void vram_free(struct ttm_resource_manager *man,
		      struct ttm_resource *base)
{
	struct swgpu_vram_resource *res = to_vram_resource(base);
	struct swgpu_vram *vram = to_vram(man);
	struct swgpu_tag_place place;

	if (vram_was_used(res)) {
		place_of(vram, &res->blocks, &place);
		swgpu_tag_poison(&place);
	}

	mutex_lock(&vram->lock);
	gpu_buddy_free_list(&vram->mm, &res->blocks, 0);
	mutex_unlock(&vram->lock);

	ttm_resource_fini(man, base);
	kfree(res);
}

static bool vram_intersects(struct ttm_resource_manager *man,
			    struct ttm_resource *base,
			    const struct ttm_place *place, size_t size)
{
	struct gpu_buddy_block *block;

	if (!place->fpfn && !place->lpfn)
		return true;

	list_for_each_entry(block, &to_vram_resource(base)->blocks, link) {
		if (block_first(block) + block_pages(block) > place->fpfn &&
		    (!place->lpfn || block_first(block) < place->lpfn))
			return true;
	}
	return false;
}

static bool vram_compatible(struct ttm_resource_manager *man,
			    struct ttm_resource *base,
			    const struct ttm_place *place, size_t size)
{
	struct gpu_buddy_block *block;

	if (!place->fpfn && !place->lpfn)
		return true;

	list_for_each_entry(block, &to_vram_resource(base)->blocks, link) {
		if (block_first(block) < place->fpfn ||
		    (place->lpfn &&
		     block_first(block) + block_pages(block) > place->lpfn))
			return false;
	}
	return true;
}

static void vram_debug(struct ttm_resource_manager *man, struct drm_printer *p)
{
	struct swgpu_vram *vram = to_vram(man);

	mutex_lock(&vram->lock);
	drm_buddy_print(&vram->mm, p);
	mutex_unlock(&vram->lock);
}

static const struct ttm_resource_manager_func vram_func = {
	.alloc = vram_alloc,
	.free = vram_free,
	.intersects = vram_intersects,
	.compatible = vram_compatible,
	.debug = vram_debug,
};

static void free_pages_array(struct swgpu_vram *vram)
{
	u64 i;

	for (i = 0; i < vram->nr_pages && vram->pages[i]; i++)
		__free_page(vram->pages[i]);
	kvfree(vram->pages);
	vram->pages = NULL;
}

static int alloc_pages_array(struct swgpu_vram *vram)
{
	u64 i;

	vram->pages =
		kvcalloc(vram->nr_pages, sizeof(*vram->pages), GFP_KERNEL);
	if (!vram->pages)
		return -ENOMEM;

	for (i = 0; i < vram->nr_pages; i++) {
		vram->pages[i] = alloc_page(GFP_HIGHUSER | __GFP_RETRY_MAYFAIL |
					    __GFP_NOWARN);
		if (!vram->pages[i]) {
			free_pages_array(vram);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

/**
 * swgpu_vram_init - make the video memory and its manager
 * @vram: to be initialised
 * @bdev: TTM's device
 * @size: in bytes, a multiple of the page size
 *
 * Return: 0, or -ENOMEM.
 */
int swgpu_vram_init(struct swgpu_vram *vram, struct ttm_device *bdev, u64 size)
{
	int ret;

	mutex_init(&vram->lock);
	vram->nr_pages = size >> PAGE_SHIFT;
	ret = alloc_pages_array(vram);
	if (ret)
		return ret;
	ret = gpu_buddy_init(&vram->mm, size, PAGE_SIZE);
	if (ret) {
		free_pages_array(vram);
		return ret;
	}

	vram->manager.func = &vram_func;
	ttm_resource_manager_init(&vram->manager, bdev, size);
	ttm_set_driver_manager(bdev, TTM_PL_VRAM, &vram->manager);
	ttm_resource_manager_set_used(&vram->manager, true);
	return 0;
}

static const struct dmem_cgroup_ops vram_cgroup_ops = {
	.reclaim = ttm_resource_manager_dmem_reclaim,
};

static void vram_discharge(struct drm_device *drm, void *man)
{
	ttm_resource_manager_set_dmem_region(man, NULL);
}

/**
 * swgpu_vram_charge - charge the task that allocates video memory, if the kernel can
 * @vram: the memory
 * @drm: the device, with the last reference to which that ends
 *
 * Return: 0, or -ENOMEM.
 */
int swgpu_vram_charge(struct swgpu_vram *vram, struct drm_device *drm)
{
	struct ttm_resource_manager *man = &vram->manager;
	struct dmem_cgroup_init init = {
		.size = vram->mm.size,
		.ops = &vram_cgroup_ops,
		.reclaim_priv = man,
	};
	struct dmem_cgroup_region *region;

	region = drmm_cgroup_register_region(drm, "vram", &init);
	if (IS_ERR(region))
		return PTR_ERR(region);
	ttm_resource_manager_set_dmem_region(man, region);
	return drmm_add_action_or_reset(drm, vram_discharge, man);
}

/**
 * swgpu_vram_lose - overwrite the video memory
 * @vram: without buffers
 *
 * Return: 0, or -EBUSY if there is a buffer in it.
 */
int swgpu_vram_lose(struct swgpu_vram *vram)
{
	bool empty;
	u64 i;

	mutex_lock(&vram->lock);
	empty = vram->mm.avail == vram->mm.size;
	for (i = 0; empty && i < vram->nr_pages; i++)
		memset_page(vram->pages[i], 0, POISON_FREE, PAGE_SIZE);
	mutex_unlock(&vram->lock);
	return empty ? 0 : -EBUSY;
}

/* All buffers are dead. Waits until VRAM is empty. */
void swgpu_vram_fini(struct swgpu_vram *vram)
{
	struct ttm_resource_manager *man = &vram->manager;
	struct ttm_device *bdev = man->bdev;

	/* What is dead may be in use by another device's job. */
	if (WARN_ON(ttm_resource_manager_evict_all(bdev, man)))
		return;
	ttm_resource_manager_set_used(man, false);
	ttm_resource_manager_cleanup(man);
	ttm_set_driver_manager(bdev, TTM_PL_VRAM, NULL);
	gpu_buddy_fini(&vram->mm);
	mutex_destroy(&vram->lock);
	free_pages_array(vram);
}
