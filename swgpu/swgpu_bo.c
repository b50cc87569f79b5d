// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_vma_manager.h>

#include "swgpu_vm.h"

bool swgpu_domains_valid(u32 domains)
{
	return domains && !(domains & ~(SWGPU_DOMAIN_VRAM | SWGPU_DOMAIN_GTT));
}

/**
 * swgpu_places - where a buffer may live, as TTM puts it
 * @domains: valid SWGPU_DOMAIN_*
 * @places: out
 *
 * If both domains will do, VRAM is taken while it has room; nothing is evicted
 * from it for a buffer that may as well live in GTT.
 *
 * Return: how many there are.
 */
unsigned int swgpu_places(u32 domains,
			  struct ttm_place places[SWGPU_MAX_PLACES])
{
	bool both = domains == (SWGPU_DOMAIN_VRAM | SWGPU_DOMAIN_GTT);
	unsigned int n = 0;

	if (domains & SWGPU_DOMAIN_VRAM)
		places[n++] = (struct ttm_place){
			.mem_type = TTM_PL_VRAM,
			.flags = both ? TTM_PL_FLAG_DESIRED : 0,
		};
	if (domains & SWGPU_DOMAIN_GTT)
		places[n++] = (struct ttm_place){
			.mem_type = TTM_PL_TT,
			.flags = both ? TTM_PL_FLAG_FALLBACK : 0,
		};
	return n;
}

static void destroy_bo(struct ttm_buffer_object *tbo)
{
	struct swgpu_device *sdev = to_swgpu(tbo->base.dev);
	struct swgpu_bo *bo = to_swgpu_bo(tbo);

	atomic64_dec(&sdev->measure.buffers);
	if (tbo->base.import_attach)
		drm_prime_gem_destroy(&tbo->base, tbo->sg);
	drm_gem_object_release(&tbo->base);
	if (bo->dma_buf)
		dma_buf_put(bo->dma_buf);
	swgpu_tag_cell_put(bo->tag);
	swgpu_vm_put(bo->vm);
	kfree(bo);
}

/* TTM's ghosts are not. */
bool swgpu_bo_is_ours(struct ttm_buffer_object *tbo)
{
	return tbo->destroy == destroy_bo;
}

bool swgpu_bo_is_import(struct ttm_buffer_object *tbo)
{
	return tbo->type == ttm_bo_type_sg;
}

/* Also by name another file gets no handle of a private buffer. */
static int gem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	struct swgpu_vm *vm = gem_to_swgpu_bo(obj)->vm;

	return vm && vm->sfile != file->driver_priv ? -EPERM : 0;
}

static void gem_free(struct drm_gem_object *obj)
{
	struct swgpu_device *sdev = to_swgpu(obj->dev);
	struct swgpu_bo *bo = gem_to_swgpu_bo(obj);
	struct swgpu_deleting mark;

	if (bo->vm)
		swgpu_vm_remove(bo);
	swgpu_measure_deleting_begin(sdev, &mark);
	ttm_bo_fini(&bo->tbo);
	swgpu_measure_deleting_end(sdev, &mark);
}

/* The exporter knows how; the mapping holds a reference of the DMA-buf. */
static int mmap_import(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	int ret;

	vma->vm_private_data = NULL;
	ret = dma_buf_mmap(obj->import_attach->dmabuf, vma, 0);
	if (!ret)
		drm_gem_object_put(obj);
	return ret;
}

/* A mapping holds a reference of TTM's instead of GEM's. */
static int gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	int ret;

	if (obj->import_attach)
		return mmap_import(obj, vma);
	ret = ttm_bo_mmap_obj(vma, &gem_to_swgpu_bo(obj)->tbo);
	if (!ret)
		drm_gem_object_put(obj);
	return ret;
}

static const struct drm_gem_object_funcs gem_funcs = {
	.open = gem_open,
	.free = gem_free,
	.export = swgpu_prime_export,
	.pin = swgpu_prime_pin,
	.unpin = swgpu_prime_unpin,
	.get_sg_table = swgpu_prime_get_sg_table,
	.mmap = gem_mmap,
};

/**
 * swgpu_bo_alloc - make a buffer that has no memory yet
 * @sdev: the device
 * @size: in bytes, whole pages
 * @tag: what its memory will hold, a reference that is the buffer's now; or NULL
 *
 * Return: the buffer, or NULL without memory, with nothing changed.
 */
struct swgpu_bo *swgpu_bo_alloc(struct swgpu_device *sdev, u64 size,
				struct swgpu_tag_cell *tag)
{
	struct swgpu_bo *bo = kzalloc_obj(*bo, GFP_KERNEL_ACCOUNT);

	if (!bo)
		return NULL;
	bo->tag = tag;
	bo->zombie_type = -1;
	bo->tbo.base.funcs = &gem_funcs;
	drm_gem_private_object_init(&sdev->drm, &bo->tbo.base, size);
	atomic64_inc(&sdev->measure.buffers);
	return bo;
}

/* Place it, which clears it, and write its first tag. If it has a VM, that is locked. */
static int init_bo(struct swgpu_device *sdev, struct swgpu_bo *bo)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct ttm_place places[SWGPU_MAX_PLACES];
	struct ttm_placement placement = { .placement = places };
	struct swgpu_tag_place tags;
	struct dma_resv *resv = bo->vm ? bo->vm->base.resv : NULL;
	ktime_t start = swgpu_now();
	u64 bytes = bo->tbo.base.size;
	int ret;

	placement.num_placement = swgpu_places(bo->domains, places);
	ret = ttm_bo_init_reserved(&sdev->ttm, &bo->tbo, ttm_bo_type_device,
				   &placement, 0, &ctx, NULL, resv, destroy_bo);
	swgpu_cost_pay(SWGPU_COST_CREATE, 1);
	swgpu_cost_pay_operations(sdev);
	swgpu_measure_alloc(sdev, bytes, start, ret);
	swgpu_history_sample(sdev);
	if (ret)
		return ret; /* TTM has destroyed it */

	/* In VRAM the job that clears it writes the tag. */
	if (bo->tbo.resource->mem_type != TTM_PL_VRAM ||
	    !sdev->copy[SWGPU_COPY_IN]) {
		if (!WARN_ON_ONCE(!swgpu_tag_place_of(&bo->tbo, &tags)))
			swgpu_tag_write(&tags, bo->tag->bo, 0);
	}
	if (bo->vm)
		swgpu_vm_add(bo);
	else
		ttm_bo_unreserve(&bo->tbo);
	swgpu_count_add(sdev, SWGPU_COUNT_CREATED, 1);
	return 0;
}

/**
 * swgpu_bo_init_import - let a buffer have the memory of an exporter
 * @sdev: the device
 * @bo: the buffer, with its DMA-buf; destroyed if this fails
 * @sgt: the memory
 *
 * Return: 0, or -ENOMEM, -EINTR, -ERESTARTSYS.
 */
int swgpu_bo_init_import(struct swgpu_device *sdev, struct swgpu_bo *bo,
			 struct sg_table *sgt)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct ttm_place places[SWGPU_MAX_PLACES];
	struct ttm_placement placement = {
		.placement = places,
		.num_placement = swgpu_places(SWGPU_DOMAIN_GTT, places),
	};
	struct dma_resv *resv = bo->dma_buf->resv;
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret) {
		destroy_bo(&bo->tbo);
		return ret;
	}
	ret = ttm_bo_init_reserved(&sdev->ttm, &bo->tbo, ttm_bo_type_sg,
				   &placement, 0, &ctx, sgt, resv, destroy_bo);
	dma_resv_unlock(resv);
	return ret;
}

/* No buffer of that size could ever be placed. */
static bool too_big(struct swgpu_device *sdev, u64 size, u32 domains)
{
	return (!(domains & SWGPU_DOMAIN_VRAM) || size > sdev->vram_bytes) &&
	       (!(domains & SWGPU_DOMAIN_GTT) || size > sdev->gtt_bytes);
}

static struct swgpu_bo *create_bo(struct swgpu_device *sdev,
				  struct drm_swgpu_gem_create *args,
				  struct swgpu_vm *vm)
{
	struct swgpu_tag_cell *tag = swgpu_tag_cell_create();
	struct swgpu_bo *bo;
	int ret;

	if (!tag)
		return ERR_PTR(-ENOMEM);
	bo = swgpu_bo_alloc(sdev, PAGE_ALIGN(args->size), tag);
	if (!bo) {
		swgpu_tag_cell_put(tag);
		return ERR_PTR(-ENOMEM);
	}
	bo->domains = args->domains;
	bo->vm = swgpu_vm_get(vm);
	ret = init_bo(sdev, bo);
	return ret ? ERR_PTR(ret) : bo;
}

static struct swgpu_bo *create_private(struct swgpu_device *sdev,
				       struct drm_swgpu_gem_create *args,
				       struct swgpu_file *sfile)
{
	struct swgpu_vm *vm = swgpu_vm_lookup(sfile, args->vm);
	struct swgpu_bo *bo;
	int ret;

	if (!vm)
		return ERR_PTR(-ENOENT);
	ret = dma_resv_lock_interruptible(vm->base.resv, NULL);
	if (ret) {
		swgpu_vm_put(vm);
		return ERR_PTR(ret);
	}
	bo = create_bo(sdev, args, vm);
	dma_resv_unlock(vm->base.resv);
	/* A buffer that failed has put its reference, but not the last. */
	swgpu_vm_put(vm);
	return bo;
}

int swgpu_gem_create_ioctl(struct drm_device *drm, void *data,
			   struct drm_file *file)
{
	struct drm_swgpu_gem_create *args = data;
	struct swgpu_device *sdev = to_swgpu(drm);
	struct swgpu_bo *bo;
	int ret;

	if (!args->size || !swgpu_domains_valid(args->domains) || args->pad)
		return -EINVAL;
	if (too_big(sdev, args->size, args->domains))
		return -ENOMEM;
	ret = swgpu_wait_resumed(sdev);
	if (ret)
		return ret;

	bo = args->vm ? create_private(sdev, args, file->driver_priv) :
			create_bo(sdev, args, NULL);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	ret = drm_gem_handle_create(file, &bo->tbo.base, &args->handle);
	drm_gem_object_put(&bo->tbo.base);
	return ret;
}

int swgpu_gem_map_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file)
{
	struct drm_swgpu_gem_map *args = data;
	struct drm_gem_object *obj;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	args->offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return 0;
}

static long wait_resv(struct dma_resv *resv, enum dma_resv_usage usage,
		      u64 timeout_ns)
{
	u64 timeout = nsecs_to_jiffies64(timeout_ns);

	/* A fence that is only looked at costs no interrupt. */
	if (dma_resv_test_signaled(resv, usage))
		return 0;
	if (!timeout_ns)
		return -EBUSY;
	timeout = min_t(u64, timeout + 1, MAX_SCHEDULE_TIMEOUT - 1);
	timeout = dma_resv_wait_timeout(resv, usage, true, timeout);
	if ((long)timeout < 0)
		return timeout;
	return timeout ? 0 : -EBUSY;
}

int swgpu_gem_wait_ioctl(struct drm_device *drm, void *data,
			 struct drm_file *file)
{
	struct drm_swgpu_gem_wait *args = data;
	enum dma_resv_usage usage;
	struct drm_gem_object *obj;
	long ret;

	if (args->flags & ~SWGPU_WAIT_WRITERS)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	/* A writer waits for all, a reader for writers. */
	usage = dma_resv_usage_rw(!(args->flags & SWGPU_WAIT_WRITERS));
	ret = wait_resv(obj->resv, usage, args->timeout_ns);
	drm_gem_object_put(obj);
	return ret;
}
