// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/ttm/ttm_tt.h>

#include "swgpu_drv.h"

/**
 * DOC: sharing
 *
 * A buffer that another device attaches to is moved to GTT and pinned there until
 * the last one has detached. An import is a buffer of its own on the device that
 * imports: it shares the reservation object of the exporter, so all wait for the
 * fences of all, and its pages. If the exporter is a swgpu too, both share the tag,
 * and the jobs of both check it; the memory of others is left alone.
 *
 * With the fence-ordered LRU a dead import stays until it is let go where no
 * reservation is held: on the way in and out of every ioctl, some at a time, when a
 * file is opened, or by TTM's worker. Nobody needs to be short of memory for that.
 *
 * To import waits for copies, and perhaps for room. DRM would do it under a lock that every
 * buffer needs which comes or goes, also those of a client that is killed, whose jobs are
 * waited for. So an import is made before, and DRM finds it made.
 */

/* Reached with the reservation held. */
int swgpu_prime_pin(struct drm_gem_object *obj)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct ttm_place places[SWGPU_MAX_PLACES];
	struct ttm_placement placement = {
		.placement = places,
		.num_placement = swgpu_places(SWGPU_DOMAIN_GTT, places),
	};
	struct ttm_buffer_object *tbo = &gem_to_swgpu_bo(obj)->tbo;
	int ret;

	dma_resv_assert_held(obj->resv);

	ret = ttm_bo_validate(tbo, &placement, &ctx);
	if (!ret)
		ttm_bo_pin(tbo);
	return ret;
}

void swgpu_prime_unpin(struct drm_gem_object *obj)
{
	ttm_bo_unpin(&gem_to_swgpu_bo(obj)->tbo);
}

/* Of a buffer that is pinned. */
struct sg_table *swgpu_prime_get_sg_table(struct drm_gem_object *obj)
{
	struct ttm_tt *tt = gem_to_swgpu_bo(obj)->tbo.ttm;

	return drm_prime_pages_to_sg(obj->dev, tt->pages, tt->num_pages);
}

static const struct dma_buf_ops dma_buf_ops = {
#ifdef EXPORTERS_ASK_FOR_CACHING
	.cache_sgt_mapping = true,
#endif
	.attach = drm_gem_map_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = drm_gem_dmabuf_release,
	.mmap = drm_gem_dmabuf_mmap,
};

/* As drm_gem_prime_export(), with operations by which we know our own. */
struct dma_buf *swgpu_prime_export(struct drm_gem_object *obj, int flags)
{
	struct dma_buf_export_info info = {
		.exp_name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		.ops = &dma_buf_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};

	if (gem_to_swgpu_bo(obj)->vm)
		return ERR_PTR(-EPERM);
	return drm_gem_dmabuf_export(obj->dev, &info);
}

/**
 * struct made_import - an import on its way to a handle
 */
struct made_import {
	/** @entry: in &swgpu_device.imports */
	struct list_head entry;
	/** @task: the one that wants it */
	struct task_struct *task;
	/** @dma_buf: what it was made from; a reference */
	struct dma_buf *dma_buf;
	/** @obj: a reference; NULL once DRM has it */
	struct drm_gem_object *obj;
};

/* A buffer of our own comes back as itself, one of another device as an import. */
static struct drm_gem_object *make_import(struct drm_device *drm,
					  struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;

	if (dma_buf->ops == &dma_buf_ops && obj->dev == drm) {
		drm_gem_object_get(obj);
		return obj;
	}
	return drm_gem_prime_import(drm, dma_buf);
}

/* Only its own task takes an import, so what is found stays. */
static struct made_import *find_import(struct swgpu_device *sdev,
				       struct dma_buf *dma_buf)
{
	struct made_import *import, *found = NULL;

	spin_lock(&sdev->imports_lock);
	list_for_each_entry(import, &sdev->imports, entry) {
		if (import->task == current && import->dma_buf == dma_buf)
			found = import;
	}
	spin_unlock(&sdev->imports_lock);
	return found;
}

/* Reached with DRM's lock held: it must not wait. */
struct drm_gem_object *swgpu_prime_import(struct drm_device *drm,
					  struct dma_buf *dma_buf)
{
	struct made_import *import = find_import(to_swgpu(drm), dma_buf);

	/* Somebody has replaced the file descriptor meanwhile. */
	if (!import)
		return ERR_PTR(-EBADF);
	return no_free_ptr(import->obj);
}

/* Nothing is left to take if the file had a handle already. */
static int take_import(struct swgpu_device *sdev, struct drm_file *file, int fd,
		       struct made_import *import, u32 *handle)
{
	int ret;

	spin_lock(&sdev->imports_lock);
	list_add(&import->entry, &sdev->imports);
	spin_unlock(&sdev->imports_lock);
	ret = drm_gem_prime_fd_to_handle(&sdev->drm, file, fd, handle);
	spin_lock(&sdev->imports_lock);
	list_del(&import->entry);
	spin_unlock(&sdev->imports_lock);
	return ret;
}

/**
 * swgpu_prime_fd_to_handle - &drm_driver.prime_fd_to_handle
 * @drm: the device that imports
 * @file: whose handle it will be
 * @fd: the DMA-buf
 * @handle: out
 *
 * Return: 0, or -EBADF, -EINVAL, -ENOMEM, -ERESTARTSYS, or what the exporter says.
 */
int swgpu_prime_fd_to_handle(struct drm_device *drm, struct drm_file *file,
			     int fd, u32 *handle)
{
	struct made_import import = { .task = current };
	int ret;

	import.dma_buf = dma_buf_get(fd);
	if (IS_ERR(import.dma_buf))
		return PTR_ERR(import.dma_buf);
	import.obj = make_import(drm, import.dma_buf);
	if (IS_ERR(import.obj)) {
		ret = PTR_ERR(import.obj);
	} else {
		ret = take_import(to_swgpu(drm), file, fd, &import, handle);
		if (import.obj)
			drm_gem_object_put(import.obj);
	}
	dma_buf_put(import.dma_buf);
	return ret;
}

/* The tag of a swgpu's buffer, with a reference, or NULL */
static struct swgpu_tag_cell *tag_of(struct dma_buf *dma_buf)
{
	if (dma_buf->ops != &dma_buf_ops)
		return NULL;
	return swgpu_tag_cell_get(gem_to_swgpu_bo(dma_buf->priv)->tag);
}

/**
 * swgpu_prime_import_sg_table - &drm_driver.gem_prime_import_sg_table
 * @drm: the device that imports
 * @attach: its attachment
 * @sgt: the memory
 *
 * Return: a buffer, or -EINVAL if its size is odd, -ENOMEM, -ERESTARTSYS, or -ENODEV if
 * the exporter was unplugged before it had copied the contents there.
 */
struct drm_gem_object *
swgpu_prime_import_sg_table(struct drm_device *drm,
			    struct dma_buf_attachment *attach,
			    struct sg_table *sgt)
{
	struct swgpu_device *sdev = to_swgpu(drm);
	struct dma_buf *dma_buf = attach->dmabuf;
	struct swgpu_tag_cell *tag;
	struct swgpu_bo *bo;
	int ret;

	if (!dma_buf->size || !PAGE_ALIGNED(dma_buf->size))
		return ERR_PTR(-EINVAL);
	if (dma_buf->size > sdev->gtt_bytes)
		return ERR_PTR(-ENOMEM);

	tag = tag_of(dma_buf);
	if (tag && READ_ONCE(tag->lost)) {
		swgpu_tag_cell_put(tag);
		return ERR_PTR(-ENODEV);
	}
	bo = swgpu_bo_alloc(sdev, dma_buf->size, tag);
	if (!bo) {
		swgpu_tag_cell_put(tag);
		return ERR_PTR(-ENOMEM);
	}
	get_dma_buf(dma_buf);
	bo->dma_buf = dma_buf;
	ret = swgpu_bo_init_import(sdev, bo, sgt);
	return ret ? ERR_PTR(ret) : &bo->tbo.base;
}
